package worldtest

import (
	"context"
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"
	"time"

	gcal "google.golang.org/api/calendar/v3"

	"github.com/tandem-sync/tandem/shared/google/calendar"
	"github.com/tandem-sync/tandem/shared/record"
	creatiobox "github.com/tandem-sync/tandem/shared/sandbox/creatio"
	googlebox "github.com/tandem-sync/tandem/shared/sandbox/google"
	"github.com/tandem-sync/tandem/shared/store"
	"github.com/tandem-sync/tandem/shared/syncer"
	"github.com/tandem-sync/tandem/shared/zone"
)

// office is a world with two users in two time zones who meet: activities of one Creatio, events of two calendars. Each round
// people edit on all sides, both users' runs go wrong in any way, one after the other or at once, and then the world comes to
// rest and is looked at.
type office struct {
	*world
	meetings []*meeting
	outsides []*outside
	secrets  []*secretly
	// private is what each user shows of private events.
	private [2]calendar.Private
	made    int
	// edits are what people wrote since the world was last at rest.
	edits []edit
	// from is the first instant of the range.
	from time.Time
	// died says that a process did.
	died    bool
	agendas map[int][]*gcal.Event
}

// meeting is what people made as one, in whatever way they made it: by its key, with which every title of it begins.
type meeting struct {
	key string
	// organizer is the user in whose calendar it is edited, who may be another one than who planned it in Creatio. guest says that
	// the other user takes part too, and declined that the latter removed the event from the own calendar.
	organizer int
	guest     bool
	declined  bool
	// again says that it took place no more for some time. Then who had declined may be invited once more.
	again  bool
	series bool
	alive  bool
	// class is what kind of act has been done to it in this round.
	class string
	// instances are those of a series that are there, by the ids of the organizer's calendar.
	instances map[string]bool
}

func TestAny_office_comes_to_a_good_end(t *testing.T) {
	t.Parallel()
	seeds(t, max(1, *worlds/20), "TestAny_office_comes", anyOffice)
}

func anyOffice(t *testing.T, seed uint64) {
	r := rand.New(rand.NewPCG(seed, 7))
	pick := func(n ...int) int { return n[r.IntN(len(n))] }
	s := setup{
		chunk:   pick(1, 2, 5, 200),
		google:  googlebox.Options{WriteVisibility: time.Duration(pick(0, 0, 0, 30)) * time.Second},
		creatio: creatiobox.Options{PageRows: pick(0, 0, 4), StillParticipants: r.IntN(4) == 0},
	}
	if r.IntN(4) == 0 {
		cut := rand.New(rand.NewPCG(seed, 8))
		s.google.PageRows = func(asked int) int { return cut.IntN(min(asked, 6) + 1) }
	}
	inWorld(t, seed, s, func(w *world) {
		o := &office{world: w}
		o.begin()
		for range 3 + o.rng.IntN(4) {
			o.round()
		}
	})
}

func (o *office) users() []member { return []member{o.member, o.second} }

func (o *office) calendar(user int) calendarOf {
	return calendarOf{o.google.Calendar(o.users()[user].email)}
}

// place is the time zone of a user in Creatio, which is also that of the calendar.
func (o *office) place(user int) *time.Location {
	loc, known := zone.Load(o.users()[user].zone)
	if !known {
		o.t.Fatalf("there is no zone %q", o.users()[user].zone)
	}
	return loc
}

// begin goes to some weeks before clocks change, and has meetings that are there before the first run.
func (o *office) begin() {
	start := time.Date(2000, 3, 1, 12, 0, 0, 0, time.UTC)
	if o.rng.IntN(2) == 0 {
		start = time.Date(2000, 10, 1, 12, 0, 0, 0, time.UTC)
	}
	o.open(start.AddDate(0, 0, o.rng.IntN(28)))
	o.choosesPrivacy()
	for range 1 + o.rng.IntN(4) {
		o.act(makes)
	}
	if o.rng.IntN(3) == 0 {
		o.sameOnBothSides()
	}
	o.runs(nil)
	o.rest()
}

// open goes to a time, from which on both users synchronize what there is a week before.
func (o *office) open(start time.Time) {
	time.Sleep(time.Until(start))
	first := zone.DateOf(time.Now().AddDate(0, 0, -7), time.UTC)
	o.from = first.Start(time.UTC).Add(24 * time.Hour)
	for i, m := range o.users() {
		o.calendar(i).SetTimeZone(o.place(i).String())
		o.calendar(i).SetDefaultReminders()
		err := o.store.User(m.user).UpdateSync(context.Background(), record.Activities, func(d *store.Sync) error {
			d.Settings.SyncFrom = first.String()
			return nil
		})
		if err != nil {
			o.t.Fatal(err)
		}
	}
}

// round is a while in which people edit, and runs of both users.
func (o *office) round() {
	for range 1 + o.rng.IntN(6) {
		o.act(acts)
		if o.rng.IntN(4) == 0 {
			o.actOutside()
		}
		if o.rng.IntN(5) == 0 {
			o.actSecretly()
		}
		time.Sleep(time.Duration(1+o.rng.IntN(7)) * time.Minute)
		if o.rng.IntN(4) == 0 {
			o.run(o.rng.IntN(2), o.script())
		}
	}
	if o.rng.IntN(4) == 0 {
		o.away()
	}
	for range 1 + o.rng.IntN(2) {
		o.runs(o.script())
		time.Sleep([]time.Duration{time.Second, 2 * time.Minute, 11 * time.Minute, 26 * time.Hour, 9 * 24 * time.Hour}[o.rng.IntN(5)])
	}
	o.rest()
}

// runs are one of each user, one after the other or at once.
func (o *office) runs(script map[place]mishap) {
	first := o.rng.IntN(2)
	if o.rng.IntN(2) == 0 {
		later, other := time.Duration(o.rng.IntN(1500))*time.Millisecond, o.script()
		o.aside.Go(func() {
			time.Sleep(later)
			o.run(1-first, other)
		})
	}
	o.run(first, script)
	o.aside.Wait()
}

func (o *office) script() map[place]mishap {
	script := map[place]mishap{}
	for range o.rng.IntN(3) {
		ways := []mishap{
			lostBefore, lostAfter, late, diesBefore, diesAfter, downFrom, busy, busyLong, broken, brokenBadly, brokenAfter, expired, forgotten,
		}
		name, m := string(record.Sides[o.rng.IntN(2)]), ways[o.rng.IntN(len(ways))]
		switch o.rng.IntN(4) {
		case 0, 1:
			name += writes
		case 2:
			name, m = "store", []mishap{lostBefore, lostAfter, diesBefore, diesAfter}[o.rng.IntN(4)]
		}
		script[place{name, 1 + o.rng.IntN(5)}] = m
	}
	return script
}

// run makes one run of a user.
func (o *office) run(user int, script map[place]mishap) (syncer.Outcome, store.Run) {
	return o.runFor(user, script, syncer.TriggerSchedule)
}

func (o *office) runFor(user int, script map[place]mishap, trigger string) (syncer.Outcome, store.Run) {
	return o.runAs(user, script, syncer.Request{Trigger: trigger})
}

// runAs makes the run that somebody asked for.
func (o *office) runAs(user int, script map[place]mishap, request syncer.Request) (syncer.Outcome, store.Run) {
	m := o.users()[user]
	p := o.newProcess(script)
	p.who, p.kind = m, record.Activities
	o.write("%s begins a run of %s; planned %v", p.name, m.login, script)
	out, err := p.runAs(request)
	o.died = o.died || p.dead
	r, _ := o.store.User(m.user).Run(context.Background(), out.Run)
	o.write("%s ends %s %s: %v; met %v; changes %s; problems %+v", p.name, out.Status, out.Reason, err, p.met, told(r.Changes), r.Problems)
	if out.Status == syncer.Reconnect {
		o.relink(m)
	}
	return out, r
}

// told are changes in a line.
func told(changes []store.Change) string {
	var b strings.Builder
	for _, c := range changes {
		fmt.Fprintf(&b, "[%s %s %q %s %s", c.Side, c.Action, c.Record, c.CreatioID, c.GoogleID)
		for _, f := range c.Fields {
			fmt.Fprintf(&b, " %s: %q -> %q (%s)", f.Field, f.Before, f.After, f.Rule)
		}
		b.WriteString("] ")
	}
	return b.String()
}

// rest lets runs of both users follow each other until neither has anything to do, and looks at what there is. They begin at noon,
// when both users are in the same day.
func (o *office) rest() { o.restAndLook((*office).look) }

// restAndLook says how many runs each user had until the last one that had something to do.
func (o *office) restAndLook(look func(*office)) (runs int) {
	trigger := map[int]string{}
	for i, quiet := 0, 0; quiet < 4; i++ {
		time.Sleep(31 * time.Minute)
		if i == 1 {
			now := time.Now().UTC()
			time.Sleep(time.Date(now.Year(), now.Month(), now.Day()+1, 12, 0, 0, 0, time.UTC).Sub(now))
		}
		quiet++
		for user := range o.users() {
			before := len(o.requests)
			how := trigger[user]
			if how == "" {
				how = syncer.TriggerSchedule
			}
			out, r := o.runFor(user, nil, how)
			delete(trigger, user)
			if o.waits(user) {
				trigger[user], quiet = syncer.TriggerApprove, 0
			}
			if out.Status != syncer.Done || len(r.Changes) > 0 {
				quiet = 0
			} else if quiet > 2 {
				o.wroteNothing(o.requests[before:])
			}
		}
		if quiet == 0 {
			runs = i + 1
		}
		if i == 14 {
			o.t.Fatalf("after %d runs of both the office is not at rest", i)
		}
	}
	o.agendas = map[int][]*gcal.Event{}
	for _, m := range o.meetings {
		o.carried(m)
	}
	look(o)
	o.agendas = nil
	o.edits = nil
	for _, m := range o.meetings {
		m.class = ""
	}
	return runs
}

// carried finds in whose calendar a meeting is: who plans one in Creatio does not say.
func (o *office) carried(m *meeting) {
	for user := range o.users() {
		for _, e := range o.events(user, m.key) {
			if e.Organizer.Self {
				m.organizer = user
			}
		}
	}
}

// waits reports whether something waits for a user, whatever the last run ended with.
func (o *office) waits(user int) bool {
	d, err := o.store.User(o.users()[user].user).Sync(context.Background(), record.Activities)
	return err == nil && d.HeldRun != ""
}

func (o *office) wroteNothing(requests []request) {
	for _, q := range requests {
		if q.write || q.refused && !strings.Contains(q.path, "/.well-known/") {
			o.t.Errorf("a run with nothing to do asked %s", q)
		}
	}
}

// events are what a calendar shows of a meeting, single events or instances in their series' place.
func (o *office) events(user int, key string) []*gcal.Event {
	return slices.DeleteFunc(o.agenda(user), func(e *gcal.Event) bool { return keyOf(e.Summary) != key })
}

// agenda is all that a calendar shows. It is known as long as the world is looked at.
func (o *office) agenda(user int) []*gcal.Event {
	if o.agendas != nil && o.agendas[user] != nil {
		return slices.Clone(o.agendas[user])
	}
	all := o.calendar(user).Agenda(o.from.AddDate(0, -2, 0), time.Now().AddDate(1, 0, 0))
	if o.agendas != nil {
		o.agendas[user] = all
	}
	return slices.Clone(all)
}

// rows are the activities of a meeting that are not canceled.
func (o *office) rows(key string) []map[string]any {
	var out []map[string]any
	for _, r := range o.creatio.System().Rows("Activity", nil) {
		if keyOf(fmt.Sprint(r["Title"])) == key && r["StatusId"] != statusCanceled {
			out = append(out, r)
		}
	}
	return out
}

// keyOf is the key with which a title begins.
func keyOf(title string) string {
	key, _, _ := strings.Cut(title, " ")
	return key
}
