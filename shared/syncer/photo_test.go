package syncer_test

import (
	"context"
	"encoding/json"
	"fmt"
	"maps"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"pgregory.net/rapid"

	"github.com/tandem-sync/tandem/shared/contact"
	"github.com/tandem-sync/tandem/shared/fault"
	"github.com/tandem-sync/tandem/shared/record"
	"github.com/tandem-sync/tandem/shared/store"
	"github.com/tandem-sync/tandem/shared/syncer"
)

// shot is a picture with the reference by which it is shown.
type shot struct{ ref, picture string }

// gallery is a side whose records have photos. Google's makes another picture of what it is given.
type gallery struct {
	*half
	hanging    sync.Mutex
	shots      map[string]shot
	made       int
	read, hung []string
	// blind says that nobody sees what the side makes of what it is given.
	blind bool
}

var _ syncer.Photos = (*gallery)(nil)

const pictureHead = "\xFF\xD8\xFF "

// newGallery is a world whose sides have photos.
func newGallery(t testing.TB) (*world, map[record.Side]*gallery) {
	t.Helper()
	w := newWorld(t)
	g := map[record.Side]*gallery{}
	for _, s := range record.Sides {
		g[s] = &gallery{half: w.sides[s], shots: map[string]shot{}}
	}
	w.engine.Open = func(context.Context, store.Profile, store.Sync) (map[record.Side]syncer.Side, error) {
		creatio := struct {
			*gallery
			naming
		}{gallery: g[record.Creatio]}
		return map[record.Side]syncer.Side{record.Creatio: creatio, record.Google: g[record.Google]}, nil
	}
	return w, g
}

// hang is a person who gives a record a photo, or takes it away.
func (g *gallery) hang(id, picture string) {
	g.edit(id, func(*row) {})
	g.hanging.Lock()
	defer g.hanging.Unlock()
	g.put(id, picture)
}

func (g *gallery) put(id, picture string) {
	if picture == "" {
		delete(g.shots, id)
		return
	}
	g.made++
	g.shots[id] = shot{fmt.Sprintf("%s-%d", g.side, g.made), picture}
}

// move gives every photo another reference.
func (g *gallery) move() {
	g.hanging.Lock()
	ids := slices.Sorted(maps.Keys(g.shots))
	g.hanging.Unlock()
	for _, id := range ids {
		g.hang(id, g.shots[id].picture)
	}
}

// subject is what the photo of a record shows, whatever the side made of the picture.
func (g *gallery) subject(name string) string {
	g.w.t.Helper()
	return strings.TrimRight(g.shots[g.id(name)].picture, "~")
}

func (g *gallery) showing(records []record.Record, err error) ([]record.Record, error) {
	g.hanging.Lock()
	defer g.hanging.Unlock()
	for i := range records {
		records[i].Photo = g.shots[records[i].ID].ref
	}
	return records, err
}

func (g *gallery) Scan(ctx context.Context, cursor json.RawMessage) (record.Delta, error) {
	d, err := g.half.Scan(ctx, cursor)
	records, err := g.showing(record.UnpackAll(d.Records), err)
	d.Records = record.PackAll(records)
	return d, err
}

func (g *gallery) Fetch(ctx context.Context, ids []string) ([]record.Record, error) {
	return g.showing(g.half.Fetch(ctx, ids))
}

func (g *gallery) Candidates(ctx context.Context, like []record.Record) ([]record.Record, error) {
	return g.showing(g.half.Candidates(ctx, like))
}

func (g *gallery) Photo(_ context.Context, r record.Record) ([]byte, error) {
	if err := g.call("photo"); err != nil {
		return nil, err
	}
	g.hanging.Lock()
	defer g.hanging.Unlock()
	s := g.shots[r.ID]
	if s.ref != r.Photo {
		return nil, fault.New(fault.Gone, string(g.side), "moved", nil)
	}
	g.read = append(g.read, s.picture)
	return []byte(pictureHead + s.picture), g.done("photo")
}

func (g *gallery) PutPhoto(_ context.Context, r record.Record, picture []byte) record.Result {
	if err := g.call("put-photo"); err != nil {
		return record.Result{Err: err}
	}
	g.hanging.Lock()
	defer g.hanging.Unlock()
	if g.side == record.Creatio && g.shots[r.ID].ref != r.Photo {
		return record.Result{Err: fault.New(fault.Conflict, string(g.side), "photo", nil)}
	}
	kept := strings.TrimPrefix(string(picture), pictureHead)
	var shown []record.Projection
	if g.side == record.Google && picture != nil {
		kept += "~"
		as := record.PhotoHash([]byte(pictureHead + kept))
		if g.blind {
			as = ""
		}
		shown = []record.Projection{{Field: record.Photo, Canonical: record.Entry{Text: record.PhotoHash(picture)}, Displayed: record.Entry{Text: as}}}
	}
	g.edit(r.ID, func(*row) {})
	g.put(r.ID, kept)
	g.hung = append(g.hung, kept)
	if err := g.done("put-photo"); err != nil {
		lost := *fault.New(fault.Retry, string(g.side), "lost", err)
		lost.Ambiguous = true
		return record.Result{Err: &lost}
	}
	after := g.record(r.ID)
	after.Photo = g.shots[r.ID].ref
	return record.Result{Record: after, Projections: shown}
}

func (g *gallery) Made(of, picture []byte) bool {
	if g.side == record.Google {
		of = append(slices.Clone(of), '~')
	}
	return string(of) == string(picture)
}

func TestContents_are_written_before_photos_and_photos_one_after_the_other(t *testing.T) {
	t.Parallel()
	w, g := newGallery(t)
	for i := range 7 {
		name := fmt.Sprintf("N%d", i)
		id := w.sides[record.Creatio].add(name, name+"@example.com")
		if i%2 == 0 {
			g[record.Creatio].hang(id, "face "+name)
		}
	}
	var order []string
	w.before = func(call string) error {
		if strings.HasPrefix(call, "google") || strings.HasSuffix(call, "photo") {
			order = append(order, call)
		}
		return nil
	}
	w.sync()
	first := slices.IndexFunc(order, func(c string) bool { return strings.HasSuffix(c, "photo") })
	if first < 0 || slices.Contains(order[first:], "google apply") {
		t.Errorf("photos came between contents: %q", order)
	}
	if got, want := strings.Join(order[first:], ","), strings.TrimSuffix(strings.Repeat("creatio photo,google put-photo,", 4), ","); got != want {
		t.Errorf("got the calls %s, want %s", got, want)
	}
	w.silent()
	if n := len(g[record.Google].hung) + len(g[record.Creatio].hung); n != 4 {
		t.Errorf("%d photos were written, want 4", n)
	}
}

func TestRecords_without_photos_cost_nothing_more(t *testing.T) {
	t.Parallel()
	w, g := newGallery(t)
	for i := range 4 {
		w.sides[record.Creatio].add(fmt.Sprintf("N%d", i), "")
	}
	w.sync()
	for _, s := range record.Sides {
		if len(g[s].read)+len(g[s].hung) > 0 {
			t.Errorf("%s was asked for photos", s)
		}
	}
	for l, err := range w.user.Links(t.Context(), record.Contacts) {
		if err != nil || l.Photo != nil {
			t.Errorf("a link without photos keeps %+v, %v", l.Photo, err)
		}
	}
}

func TestA_run_whose_time_is_over_goes_on_with_the_photos_that_are_left(t *testing.T) {
	t.Parallel()
	w, g := newGallery(t)
	for i := range 6 {
		name := fmt.Sprintf("N%d", i)
		g[record.Creatio].hang(w.sides[record.Creatio].add(name, name+"@example.com"), "face "+name)
	}
	ctx, cancel := context.WithDeadline(t.Context(), time.Now().Add(24*time.Hour))
	defer cancel()
	deadline, _ := ctx.Deadline()
	w.engine.Margin = time.Hour
	w.clock = deadline.Add(-time.Hour - 30*time.Second)
	w.after = func(call string) error {
		// The second photo takes very long.
		if call == "google put-photo" && len(g[record.Google].hung) == 2 {
			w.pass(40 * time.Second)
		}
		return nil
	}
	out, err := w.engine.Run(ctx, w.user, syncer.Request{Type: record.Contacts, Trigger: syncer.TriggerSchedule})
	if out.Status != syncer.Continued || err != nil || len(g[record.Google].hung) != 2 {
		t.Fatalf("got %+v, %v and the photos %q, want a run that stops after two", out, err, g[record.Google].hung)
	}
	w.agree()
	w.sync()
	if hung := g[record.Google].hung; len(hung) != 6 || len(slices.Compact(slices.Sorted(slices.Values(hung)))) != 6 {
		t.Errorf("the photos %q were written, want each of six once", hung)
	}
	if read := g[record.Creatio].read; len(read) != 6 {
		t.Errorf("the photos %q were read, want each of six once", read)
	}
	w.silent()
}

func TestAn_unknown_reference_to_the_agreed_photo_is_no_change(t *testing.T) {
	t.Parallel()
	for name, blind := range map[string]bool{"that was looked at": false, "that nobody could look at": true} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			w, g := newGallery(t)
			g[record.Google].blind = blind
			mine, theirs := w.sides[record.Creatio].add("Ada", "ada@example.com"), w.sides[record.Google].add("Bo", "bo@example.com")
			g[record.Creatio].hang(mine, "ada")
			g[record.Google].hang(theirs, "bo")
			w.sync()
			for range 3 {
				for _, s := range record.Sides {
					g[s].move()
					w.silent()
					w.silent()
				}
			}
			if got := fmt.Sprint(g[record.Google].hung, g[record.Creatio].hung); got != "[ada~] [bo]" {
				t.Errorf("wrote %s", got)
			}
		})
	}
}

func TestA_photo_that_somebody_gave_right_after_a_lost_answer_is_theirs(t *testing.T) {
	t.Parallel()
	for name, tc := range map[string]struct{ theirs, want string }{
		"nobody gave one":   {"", "mine"},
		"somebody gave one": {"theirs", "theirs"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			w, g := newGallery(t)
			id := w.sides[record.Creatio].add("Ada", "ada@example.com")
			w.sync()
			g[record.Creatio].hang(id, "mine")
			dead := false
			died := func(call string) error {
				if dead = dead || call == "google put-photo"; dead {
					return errDied
				}
				return nil
			}
			w.after = died
			if out, _ := w.run(syncer.TriggerSchedule); out.Status != syncer.Partial {
				t.Fatalf("the run ended %+v", out)
			}
			w.after = nil
			if tc.theirs != "" {
				g[record.Google].hang(w.sides[record.Google].id("Ada"), tc.theirs)
			}
			w.pass(time.Hour)
			w.sync()
			if c, google := g[record.Creatio].shots[id].picture, g[record.Google].subject("Ada"); c != tc.want || google != tc.want {
				t.Errorf("creatio shows %q and google %q, want %q", c, google, tc.want)
			}
			w.silent()
		})
	}
}

// mute is a store that once gives no answer to the saving of links.
type mute struct {
	store.User
	until int
}

func (m *mute) PutBatch(ctx context.Context, t record.Type, l store.Lease, now time.Time, b store.Batch) ([]store.Claim, error) {
	refused, err := m.User.PutBatch(ctx, t, l, now, b)
	if m.until--; m.until == 0 {
		return nil, errDied
	}
	return refused, err
}

func TestA_photo_whose_saving_got_no_answer_does_not_count_as_failed_for_ever(t *testing.T) {
	t.Parallel()
	for until := 1; until <= 3; until++ {
		w, g := newGallery(t)
		id := w.sides[record.Creatio].add("Ada", "ada@example.com")
		w.sync()
		g[record.Creatio].hang(id, "ada")
		// How it ends depends on what was saved without an answer.
		_, _ = w.engine.Run(t.Context(), &mute{w.user, until}, syncer.Request{Type: record.Contacts, Trigger: syncer.TriggerSchedule})
		w.pass(time.Hour)
		w.run(syncer.TriggerSchedule)
		w.pass(time.Hour)
		w.sync()
		if got := g[record.Google].subject("Ada"); got != "ada" {
			t.Errorf("google shows %q", got)
		}
		w.silent()
	}
}

// fallen is a store that a process does not reach any more, since it died.
type fallen struct {
	store.User
	dead *bool
}

func (f fallen) PutBatch(ctx context.Context, t record.Type, l store.Lease, now time.Time, b store.Batch) ([]store.Claim, error) {
	if *f.dead {
		return nil, errDied
	}
	return f.User.PutBatch(ctx, t, l, now, b)
}

func (f fallen) Commit(ctx context.Context, t record.Type, l store.Lease, r store.Run, change func(*store.Sync) error) error {
	if *f.dead {
		return errDied
	}
	return f.User.Commit(ctx, t, l, r, change)
}

func TestA_photo_that_a_first_run_was_about_to_write_when_it_died_is_written_by_the_next(t *testing.T) {
	t.Parallel()
	w, g := newGallery(t)
	g[record.Creatio].hang(w.sides[record.Creatio].add("Ada", "ada@example.com"), "ada")
	dead := false
	w.before = func(call string) error {
		if dead = dead || call == "google put-photo"; dead {
			return errDied
		}
		return nil
	}
	if _, err := w.engine.Run(t.Context(), fallen{w.user, &dead}, syncer.Request{Type: record.Contacts, Trigger: syncer.TriggerSchedule}); err == nil {
		t.Fatal("the run did not die")
	}
	w.before = nil
	w.pass(time.Hour)
	w.sync()
	if got := g[record.Google].subject("Ada"); got != "ada" {
		t.Errorf("google shows %q", got)
	}
	w.silent()
}

// People change photos on both sides, and calls fail before and after they took effect. When it heals both sides show the
// same, which is the last that a person gave on one of them.
func TestProperty_photos_come_to_agree(t *testing.T) {
	t.Parallel()
	names := []string{"Ada", "Bo", "Cy"}
	rapid.Check(t, func(rt *rapid.T) {
		w, g := newGallery(t)
		w.t = rt
		for i, name := range names {
			w.sides[record.Sides[i%2]].add(name, strings.ToLower(name)+"@example.com")
		}
		w.sync()
		n, last := 0, map[string]string{}
		for range rapid.IntRange(1, 3).Draw(rt, "rounds") {
			for range rapid.IntRange(0, 3).Draw(rt, "edits") {
				s := record.Sides[rapid.IntRange(0, 1).Draw(rt, "side")]
				name := rapid.SampledFrom(names).Draw(rt, "who")
				id := w.sides[s].id(name)
				n++
				picture := fmt.Sprintf("p%d", n)
				switch rapid.IntRange(0, 3).Draw(rt, "how") {
				case 0:
					picture = ""
				case 1:
					w.sides[s].edit(id, func(r *row) { r.fields.SetText(contact.Notes, picture) })
				}
				g[s].hang(id, picture)
				last[string(s)+name] = picture
			}
			failing := rapid.IntRange(0, 12).Draw(rt, "failing")
			fails := func(call string) error {
				if !strings.HasSuffix(call, "photo") {
					return nil
				}
				if failing--; failing == 0 {
					return errDied
				}
				return nil
			}
			if rapid.Bool().Draw(rt, "after") {
				w.after = fails
			} else {
				w.before = fails
			}
			w.run(syncer.TriggerSchedule)
			w.before, w.after = nil, nil
		}
		for range 3 {
			w.pass(25 * time.Hour)
			w.run(syncer.TriggerSchedule)
		}
		w.agree()
		for _, name := range names {
			if c, google := g[record.Creatio].subject(name), g[record.Google].subject(name); c != google {
				rt.Fatalf("of %s creatio shows %q and google %q", name, c, google)
			} else if c != last["creatio"+name] && c != last["google"+name] {
				rt.Fatalf("both show %q of %s, who was given %q last", c, name, last)
			}
		}
		w.silent()
	})
}

func TestUndo_leaves_a_photo_and_says_so(t *testing.T) {
	t.Parallel()
	w, galleries := newGallery(t)
	w.sides[record.Creatio].add("Ada", "ada@example.com")
	w.sync()
	w.setJob(record.Creatio, "Ada", "Clerk")
	galleries[record.Creatio].hang(w.sides[record.Creatio].id("Ada"), pictureHead+"smiling")
	r := w.sync()
	u := w.undo(r)
	if got := codes(u); got != "Ada photo-stays" {
		t.Errorf("reported %q after %+v", got, r.Changes)
	}
	wantJob(t, w, "Ada", " / ")
	w.silent()
}
