package worldtest

import (
	"context"
	"fmt"
	"net/url"
	"testing"
	"time"

	gcal "google.golang.org/api/calendar/v3"

	"github.com/tandem-sync/tandem/shared/oauth"
	"github.com/tandem-sync/tandem/shared/record"
	"github.com/tandem-sync/tandem/shared/store"
	"github.com/tandem-sync/tandem/shared/syncer"
	"github.com/tandem-sync/tandem/shared/zone"
)

// clash is what two users' runs meet at the same moment.
type clash struct {
	name string
	// before is what both have synchronized by then; nil for nothing. Where first says so, nobody has synchronized anything.
	before func(*office, *meeting)
	first  bool
	// act is what people do then.
	act func(*office, *meeting)
	// undone says that the first user's run undoes the last one in place of going on.
	undone bool
	// amid happens to the first user while the runs go, and later once they have ended.
	amid, later func(*office)
	// look is asked in place of the usual questions.
	look func(*office, *meeting)
}

var clashes = []clash{
	{name: "planned in Creatio", act: wrote((*office).plans)},
	{name: "added to a calendar", act: wrote((*office).adds)},
	{name: "a series in a calendar", act: wrote((*office).addsSeries)},
	{name: "on both sides before anybody synchronized", first: true, act: (*office).isOnBothSides},
	{name: "reopened in Creatio", before: calledOff, act: func(o *office, m *meeting) {
		wrote((*office).reopens)(o, m)
		o.editsOne(m, "Title")
	}},
	{name: "canceled in Creatio", before: wrote((*office).plans), act: wrote((*office).cancels)},
	{name: "deleted in Creatio", before: wrote((*office).adds), act: wrote((*office).deletesInCreatio)},
	{name: "deleted in the calendar", before: wrote((*office).plans), act: wrote((*office).deletesInCalendar)},
	{name: "moved in the calendar", before: wrote((*office).plans), act: func(o *office, m *meeting) {
		o.moves(m)
		o.editsOne(m, "Notes")
	}},
	{name: "split in two", before: wrote((*office).addsSeries), act: splits(false)},
	{name: "split in two under a fresh id", before: wrote((*office).addsSeries), act: splits(true)},
	{name: "planned, and the run undone", before: wrote((*office).plans), act: unchanged, undone: true},
	{name: "added, and the run undone", before: wrote((*office).adds), act: unchanged, undone: true},
	{name: "planned, and the run undone before the colleague had one", act: brought((*office).plans), undone: true, look: (*office).plannedAtMostOnce},
	{name: "added, and the run undone before the colleague had one", act: brought((*office).adds), undone: true, look: (*office).addedAtMostOnce},
	{name: "planned, and one user erased", before: wrote((*office).plans), act: func(o *office, m *meeting) { o.editsOne(m, "Title") }, amid: (*office).erase, later: (*office).returns},
	{name: "added, and one user erased", before: wrote((*office).adds), act: func(o *office, m *meeting) { o.editsOne(m, "Title") }, amid: (*office).erase, later: (*office).returns},
	{name: "a series, and one user erased", before: wrote((*office).addsSeries), act: func(o *office, m *meeting) { o.editsOne(m, "Title") }, amid: (*office).erase, later: (*office).returns},
}

// Two users' runs meet one meeting at the same moment, and each is killed at any of its calls: there is one activity, and one event in
// each calendar; what people wrote is there; and both are at rest before each had a fourth run.
func TestTwo_runs_on_one_meeting_that_are_killed_at_any_call_keep_it_one(t *testing.T) {
	t.Parallel()
	places := 0
	for _, c := range clashes {
		for _, side := range []string{string(record.Creatio), string(record.Google), "store"} {
			for _, dies := range []mishap{diesBefore, diesAfter} {
				places++
				from := places
				t.Run(fmt.Sprintf("%s, %s %s", c.name, side, dies), func(t *testing.T) {
					t.Parallel()
					for n, last := 1, 0; n <= last+6 && !t.Failed(); n++ {
						for who := range 3 {
							if tried(from, n, who) && c.killed(t, place{side, n}, dies, who) {
								last = n
							}
						}
					}
				})
			}
		}
	}
}

// tried says whether one of the runs dies at a call, or both do: all of them where more worlds than usual are asked for, else every
// other call, and by turns the first, the second or both.
func tried(from, n, who int) bool {
	switch {
	case *worlds > usual():
		return true
	case *worlds < usual():
		return (from+n)%4 == 0 && who == n/4%3
	default:
		return (from+n)%2 == 0 && who == n/2%3
	}
}

// killed has a run die at a call, or both of them, and reports whether there is such a call.
func (c clash) killed(t *testing.T, at place, dies mishap, who int) (reached bool) {
	inWorld(t, uint64(at.n), setup{chunk: 1 + at.n%3}, func(w *world) {
		o := &office{world: w}
		o.open(time.Date(2000, 3, 20, 12, 0, 0, 0, time.UTC))
		m := c.begin(o)
		request := syncer.Request{Trigger: syncer.TriggerSchedule}
		if c.undone {
			request = o.undoing()
		}
		scripts := [2]map[place]mishap{{at: dies}, {at: dies}}
		if who < 2 {
			scripts[1-who] = nil
		}
		o.aside.Go(func() { o.runAs(0, scripts[0], request) })
		time.Sleep(time.Duration(at.n) * 40 * time.Millisecond)
		if c.amid != nil {
			c.amid(o)
		}
		o.run(1, scripts[1])
		o.aside.Wait()
		reached = o.died
		if c.undone {
			// The queue brings it again.
			time.Sleep(10 * time.Minute)
			o.runAs(0, nil, request)
		}
		if c.later != nil {
			c.later(o)
		}
		look := (*office).look
		if c.look != nil {
			look = func(o *office) { c.look(o, m) }
		}
		if rounds := o.restAndLook(look); rounds > 3 {
			t.Errorf("each had %d runs before they were at rest", rounds)
		}
	})
	return reached
}

// begin makes the meeting, and has people do what both runs will meet.
func (c clash) begin(o *office) *meeting {
	if !c.first && c.before == nil {
		o.rest()
	}
	m := o.add()
	m.guest = true
	if c.before != nil {
		c.before(o, m)
		o.rest()
	}
	c.act(o, m)
	return m
}

// wrote is something that somebody does, and that is written down.
func wrote(do func(*office, *meeting) string) func(*office, *meeting) {
	return func(o *office, m *meeting) { o.write("somebody: %s", do(o, m)) }
}

func unchanged(*office, *meeting) {}

// brought is something that the first user makes and brings to the other side.
func brought(do func(*office, *meeting) string) func(*office, *meeting) {
	return func(o *office, m *meeting) {
		m.organizer = 0
		wrote(do)(o, m)
		o.run(0, nil)
	}
}

// calledOff is a meeting that was planned and canceled.
func calledOff(o *office, m *meeting) {
	wrote((*office).plans)(o, m)
	o.rest()
	wrote((*office).cancels)(o, m)
}

// isOnBothSides has a meeting in Creatio and in the calendars before any run.
func (o *office) isOnBothSides(m *meeting) {
	wrote((*office).plans)(o, m)
	row := o.row(m)
	o.must("", o.creatio.As(o.users()[m.organizer].login).Update("Activity", row["Id"].(string), o.timed()))
	row = o.row(m)
	o.calendar(m.organizer).Add(&gcal.Event{
		Summary: row["Title"].(string), Attendees: []*gcal.EventAttendee{{Email: o.users()[1-m.organizer].email}},
		Start: &gcal.EventDateTime{DateTime: timeOf(row, "StartDate").Format(time.RFC3339)}, End: &gcal.EventDateTime{DateTime: timeOf(row, "DueDate").Format(time.RFC3339)},
	})
}

// timed are the columns of a time that is no day.
func (o *office) timed() map[string]any {
	start, end := o.time()
	return map[string]any{"StartDate": start.Format(time.RFC3339), "DueDate": end.Format(time.RFC3339)}
}

// editsOne has somebody write a column of one of the activities of a meeting.
func (o *office) editsOne(m *meeting, column string) {
	time.Sleep(time.Minute)
	row := o.row(m)
	id, value := row["Id"].(string), o.value(column)
	if column == "Title" {
		value = m.key + " " + value
	}
	o.must("", o.creatio.As(o.users()[o.rng.IntN(2)].login).Update("Activity", id, map[string]any{column: value}))
	o.says(inCreatioID(id), ofRow(row), ofRow(o.creatio.System().Get("Activity", id)))
	o.write("somebody changes %s of %s to %q", column, id, value)
}

// moves has the organizer move a meeting in the calendar.
func (o *office) moves(m *meeting) {
	e := o.one(m)
	before := ofEvent(e)
	o.calendar(m.organizer).Edit(e.Id, func(e *gcal.Event) { o.when(m.organizer, e) })
	o.says(inGoogleID(m.organizer, e.Id), before, ofEvent(o.calendar(m.organizer).Event(e.Id)))
	o.write("somebody moves %s", e.Id)
}

// splits has the organizer edit this and the following ones of a series, and somebody one of its activities.
func splits(fresh bool) func(*office, *meeting) {
	return func(o *office, m *meeting) {
		wrote(func(o *office, m *meeting) string { return o.editsFollowingAs(m, fresh) })(o, m)
		o.editsOne(m, "Notes")
	}
}

// undoing asks for the first user's last run that changed something to be undone.
func (o *office) undoing() syncer.Request {
	ctx, u := context.Background(), o.store.User(o.member.user)
	runs, err := u.Runs(ctx, record.Activities, 20, "")
	if err != nil {
		o.t.Fatal(err)
	}
	for _, r := range runs {
		if whole, err := u.Run(ctx, r.ID); err != nil || len(whole.Changes) == 0 {
			continue
		}
		undo := store.Run{ID: syncer.NewRunID(time.Now()), Type: record.Activities, Trigger: syncer.TriggerUndo, Status: "queued", Undoes: &store.Undo{Run: r.ID}}
		o.must("", u.PutRun(ctx, undo))
		return syncer.Request{Type: record.Activities, Run: undo.ID, Trigger: syncer.TriggerUndo}
	}
	o.t.Fatal("no run changed anything")
	return syncer.Request{}
}

// erase has the first user erase the account.
func (o *office) erase() {
	o.write("%s erases the account", o.member.login)
	l, _ := o.linker(o.newProcess(nil))
	ctx := context.Background()
	for _, side := range record.Sides {
		o.must("", l.Unlink(ctx, o.member.user, side))
	}
	o.must("", o.store.User(o.member.user).Erase(ctx))
}

// returns has the first user sign in anew, once the other one had two more runs, of which the second one has nothing to do.
func (o *office) returns() {
	for range 2 {
		time.Sleep(31 * time.Minute)
		o.run(1, nil)
	}
	o.google.AutoConsent(o.member.email)
	ctx := context.Background()
	l, _ := o.linker(o.newProcess(nil))
	var b oauth.Begun
	begin := func() (_ string, err error) {
		b, err = l.BeginGoogle(ctx, "")
		return b.Redirect, err
	}
	finish := func(q url.Values) error {
		out, err := l.Finish(ctx, record.Google, b.Browser, q)
		o.member.user = out.User
		return err
	}
	if err := o.consent(record.Google, begin, finish); err != nil {
		o.t.Fatalf("nobody can sign in: %v", err)
	}
	o.relink(o.member)
	err := o.store.User(o.member.user).UpdateSync(ctx, record.Activities, func(d *store.Sync) error {
		d.Settings.SyncFrom = zone.DateOf(o.from, time.UTC).Add(-1).String()
		return nil
	})
	o.must("", err)
}

// plannedAtMostOnce looks at an activity whose event may have been undone.
func (o *office) plannedAtMostOnce(m *meeting) {
	if rows, mine, theirs := len(o.rows(m.key)), len(o.events(0, m.key)), len(o.events(1, m.key)); rows != 1 || mine != theirs || mine > 1 {
		o.t.Errorf("there are %d activities, %d and %d events", rows, mine, theirs)
	}
}

// addedAtMostOnce looks at an event whose activity may have been undone.
func (o *office) addedAtMostOnce(m *meeting) {
	if rows, mine, theirs := len(o.rows(m.key)), len(o.events(0, m.key)), len(o.events(1, m.key)); rows > 1 || mine != 1 || theirs != 1 {
		o.t.Errorf("there are %d activities, %d and %d events", rows, mine, theirs)
	}
}
