package worldtest

import (
	"context"
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"

	"golang.org/x/text/unicode/norm"

	"github.com/tandem-sync/tandem/shared/contact"
	"github.com/tandem-sync/tandem/shared/record"
	"github.com/tandem-sync/tandem/shared/store"
	"github.com/tandem-sync/tandem/shared/syncer"
)

// enough is how many runs without a mishap the world may need to come to rest.
const enough = 5

// heal lets the world come to rest: runs without mishaps, with time passing between them. The second one comes after
// more than a day, when all details in Creatio are read again: a row that somebody deleted leaves no trace there.
func (w *world) heal() {
	w.folk.unshare()
	trigger := syncer.TriggerUser
	for i := 1; ; i++ {
		time.Sleep(map[bool]time.Duration{true: 25 * time.Hour, false: time.Hour}[i == 2])
		_, out, r := w.sync(trigger, nil)
		trigger = syncer.TriggerUser
		switch {
		case out.Status == syncer.Held, w.held():
			trigger = syncer.TriggerApprove
		case w.answer():
		case out.Status == syncer.Done && len(r.Changes) == 0 && i > 2:
			return
		}
		if i == enough+2 {
			w.t.Errorf("after %d runs without a mishap the world is not at rest: %s", i, out.Status)
			return
		}
	}
}

// answer has the user say of everybody in doubt who is who, and reports whether there was anything to say.
func (w *world) answer() bool {
	ctx, u := context.Background(), w.store.User(w.user)
	var said []store.Verdict
	for p, err := range u.Pairs(ctx, record.Contacts) {
		if err != nil {
			w.t.Fatal(err)
		}
		if p.State == store.StateDoubt && !p.Silent {
			one := w.folk.root(w.folk.nameInCreatio(p.CreatioID)) == w.folk.root(nameInGoogle(w.google.Account(ada).Person(p.GoogleID)))
			said = append(said, store.Verdict{CreatioID: p.CreatioID, GoogleID: p.GoogleID, Same: one, Doubt: true, At: time.Now()})
			w.write("the user: %s and %s are one: %t", p.Names[record.Creatio], p.Names[record.Google], one)
		}
	}
	if len(said) == 0 {
		return false
	}
	err := u.UpdateSync(ctx, record.Contacts, func(d *store.Sync) error {
		d.Verdicts = append(d.Verdicts, said...)
		return nil
	})
	if err != nil {
		w.t.Fatal(err)
	}
	return true
}

// held reports whether something waits for the user, whatever the last run ended with.
func (w *world) held() bool {
	d, err := w.store.User(w.user).Sync(context.Background(), record.Contacts)
	return err == nil && d.HeldRun != ""
}

// look finds what is wrong with a world at rest.
func (w *world) look() {
	w.sound()
	w.framed()
}

// sound is all of it but for the photos.
func (w *world) sound() {
	has := map[record.Side][]string{record.Creatio: w.scope(record.Creatio), record.Google: w.scope(record.Google)}
	w.agree(has)
	w.apart()
	w.doubled()
	w.folk.lastWords()
	w.unique()
	w.scoped(has)
	w.whole()
	w.tied()
	w.tame()
	w.silent()
}

// agree compares what both sides have in scope.
func (w *world) agree(has map[record.Side][]string) {
	if slices.Equal(has[record.Creatio], has[record.Google]) {
		return
	}
	for _, side := range record.Sides {
		for _, text := range has[side] {
			if !slices.Contains(has[side.Other()], text) {
				w.t.Errorf("the sides differ: only %s has %s", side, text)
			}
		}
	}
	if len(has[record.Creatio]) != len(has[record.Google]) {
		w.t.Errorf("creatio has %d contacts in scope, google %d", len(has[record.Creatio]), len(has[record.Google]))
	}
}

// scope is the content of what a side has in scope, as its adapter reads it anew.
func (w *world) scope(side record.Side) []string {
	p := w.newProcess(nil)
	d, err := w.store.User(w.user).Sync(context.Background(), record.Contacts)
	if err != nil {
		w.t.Error(err)
		return nil
	}
	sides, err := p.open(context.Background(), store.Profile{}, d)
	if err != nil {
		w.t.Error(err)
		return nil
	}
	delta, err := sides[side].Scan(context.Background(), nil)
	if err != nil || delta.Members == nil {
		w.t.Errorf("%s cannot be read: %v", side, err)
	}
	photos := map[string]string{}
	for _, shot := range w.folk.shots(side) {
		photos[shot.id] = spelledPhoto(shot.content)
	}
	var out []string
	for _, r := range record.UnpackAll(delta.Records) {
		if r.Member {
			out = append(out, content(r.Fields)+photos[r.ID])
		}
	}
	slices.Sort(out)
	return out
}

func content(fields record.Fields) string {
	var b strings.Builder
	for _, f := range contact.Schema {
		var entries []string
		for _, e := range fields[f.Name] {
			entries = append(entries, form(record.Google, f.Name, form(record.Creatio, f.Name, f.Show([]record.Entry{spelled(f.Name, e)}))))
		}
		slices.Sort(entries)
		if len(entries) > 0 {
			fmt.Fprintf(&b, "%s=%s; ", f.Name, strings.Join(entries, " + "))
		}
	}
	return b.String()
}

// spelled is an entry as it is compared: each side may have a spelling of its own.
func spelled(field string, e record.Entry) record.Entry {
	switch field {
	case contact.Phones:
		if key := contact.SubscriberKey(e.Text); key != "" {
			e.Text = key
		}
	case contact.Emails:
		e.Text = contact.EmailKey(e.Text)
	case contact.Addresses:
		// What no list has goes into the text, which is cut.
		e = record.Entry{Kind: e.Kind, Text: streetField(e.Parts[contact.Street] + " " + e.Text)}
	}
	return e
}

// names counts the contacts of a side by family name.
func (w *world) names(side record.Side) map[string]int {
	out := map[string]int{}
	if side == record.Google {
		for _, p := range w.google.Account(ada).People() {
			if name := nameInGoogle(p); name != "" {
				out[name]++
			}
		}
		return out
	}
	for _, c := range w.creatio.System().Rows("Contact", nil) {
		if name := familyName.FindString(fmt.Sprint(c["Surname"])); name != "" {
			out[name]++
		}
	}
	return out
}

// unique finds who is there twice.
func (w *world) unique() {
	for _, side := range record.Sides {
		for name, n := range w.names(side) {
			if most := 1 + w.folk.somebody(name).twice[side]; n > most {
				w.t.Errorf("%s has %s %d times", side, name, n)
			}
		}
	}
}

// scoped finds who is missing, though nobody took them out of anything, and who is there, though nobody brought them in.
func (w *world) scoped(has map[record.Side][]string) {
	in := map[record.Side]map[string]bool{}
	for _, side := range record.Sides {
		in[side] = map[string]bool{}
		for _, text := range has[side] {
			in[side][familyName.FindString(text)] = true
		}
		for name, s := range w.folk.about {
			switch {
			case s.in && !s.out && !in[side][name]:
				w.t.Errorf("%s lost %s", side, name)
			case !s.in && in[side][name]:
				w.t.Errorf("%s has %s in scope, whom nobody brought in", side, name)
			}
		}
	}
}

// whole finds values that somebody wrote and that are nowhere any more, and contacts of strangers that were touched.
func (w *world) whole() {
	all := w.folk.everything() + w.former + w.told()
	for _, value := range slices.Sorted(maps.Keys(w.folk.live)) {
		found := slices.ContainsFunc(w.folk.live[value], func(s string) bool { return strings.Contains(all, s) })
		if !found && !w.raced(w.folk.written[value]) {
			w.t.Errorf("%q was written by somebody and is lost", value)
		}
	}
	for side, contacts := range w.folk.foreign {
		for id, was := range contacts {
			if is := w.folk.shown(side, id); is != was {
				w.t.Errorf("%s: a stranger's contact was touched:\n%s\n%s", side, was, is)
			}
		}
	}
}

// told is the history of all runs.
func (w *world) told() (all string) {
	runs, err := w.store.User(w.user).Runs(context.Background(), record.Contacts, 1000, "")
	if err != nil {
		w.t.Error(err)
	}
	for _, r := range runs {
		run := w.history(r.ID)
		all += norm.NFC.String(encode(run)) + w.folk.outlived(run)
	}
	return all
}

// raced reports whether something was written at a moment between a run's look at a side and its write there: neither
// Creatio nor, of a photo, Google takes a condition with a write.
func (w *world) raced(at time.Time) bool {
	looked := map[string]time.Time{}
	for _, r := range w.requests {
		if strings.HasPrefix(r.path, "part ") {
			continue
		}
		by := r.process + string(r.side)
		seen := looked[by]
		if r.side == record.Google {
			seen = seen.Add(-w.stale)
		}
		if r.overwrites() && !at.Before(seen) && !at.After(r.at) {
			return true
		}
		if !r.refused {
			looked[by] = r.at
		}
	}
	return false
}

// tied finds links that are not finished, or tie a record twice.
func (w *world) tied() {
	seen := map[string]string{}
	for l, err := range w.store.User(w.user).Links(context.Background(), record.Contacts) {
		if err != nil {
			w.t.Error(err)
			return
		}
		if l.Unfinished() {
			w.t.Errorf("a link is not finished: %+v", l)
		}
		for _, id := range []string{l.CreatioID, l.GoogleID} {
			if l.Active && seen[id] != "" {
				w.t.Errorf("%s is tied twice, by %s and %s", id, l.ID, seen[id])
			}
			if l.Active {
				seen[id] = l.ID
			}
		}
	}
}

// tame finds requests that the services should not have had to refuse.
func (w *world) tame() {
	for _, r := range w.requests {
		if r.refused && !r.expected() {
			w.t.Errorf("a request that should not have been made: %s", r)
		}
	}
}

// clean finds what no client may do, whatever the services made of it. Every world ends with it.
func (w *world) clean() {
	for _, v := range append(w.google.Violations(), w.creatio.Violations()...) {
		// A run that was cut off after it found its token expired could not keep another one.
		if v == "an expired sync token was used again" || v == "an expired sync token of the calendar was used again" {
			continue
		}
		w.t.Errorf("what no client may do: %s", v)
	}
}

// silent makes a run that may find nothing to do, write nothing and be refused nothing.
func (w *world) silent() {
	time.Sleep(time.Minute)
	before := len(w.requests)
	_, out, r := w.sync(syncer.TriggerSchedule, nil)
	if out.Status != syncer.Done || len(r.Changes) > 0 {
		w.t.Errorf("a run with nothing to do ended %s with changes %+v and problems %+v", out.Status, r.Changes, r.Problems)
	}
	for _, q := range w.requests[before:] {
		if q.write || q.photo() || q.refused && !strings.Contains(q.path, "/.well-known/") {
			w.t.Errorf("a run with nothing to do asked %s", q)
		}
	}
}

// kept is what the store has of the sync and its links.
func (w *world) kept() string {
	u := w.store.User(w.user)
	d, err := u.Sync(context.Background(), record.Contacts)
	if err != nil {
		w.t.Error(err)
	}
	all := []any{d}
	for l, err := range u.Links(context.Background(), record.Contacts) {
		if err != nil {
			w.t.Error(err)
		}
		all = append(all, l)
	}
	return encode(all)
}

// fenced finds what a run wrote after it had lost its lease to another one.
func (w *world) fenced(p *process) {
	w.mu.Lock()
	taken := w.taken
	w.taken = ""
	w.mu.Unlock()
	if taken != "" && w.kept() != taken {
		w.t.Errorf("%s lost its lease and wrote to the store", p.name)
	}
}
