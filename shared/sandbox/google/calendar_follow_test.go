package google

import (
	"fmt"
	"slices"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	gcal "google.golang.org/api/calendar/v3"
	"pgregory.net/rapid"

	"github.com/tandem-sync/tandem/shared/sandbox/google/calendar"
	_ "github.com/tandem-sync/tandem/shared/sandbox/seed"
)

// follower is a client that keeps a copy of a calendar by sync tokens.
type follower struct {
	api   *gcal.Service
	token string
	have  map[string]string
}

// read takes in what a list says, page by page.
func (f *follower) read(t *rapid.T) {
	page := ""
	for {
		call := f.api.Events.List("primary").MaxResults(3)
		if f.token != "" {
			call.SyncToken(f.token)
		}
		if page != "" {
			call.PageToken(page)
		}
		got, err := call.Do()
		if err != nil {
			t.Fatal(err)
		}
		for _, e := range got.Items {
			if e.Status == "cancelled" && e.RecurringEventId == "" {
				delete(f.have, e.Id)
			} else {
				f.have[e.Id] = known(e)
			}
		}
		if page = got.NextPageToken; page == "" {
			f.token = got.NextSyncToken
			return
		}
	}
}

// known is what a client compares of an event.
func known(e *gcal.Event) string {
	if e.Status == "cancelled" {
		return "cancelled in " + e.RecurringEventId
	}
	return fmt.Sprintf("%s %s in %q, %q, %v", e.Summary, e.Start.DateTime+e.Start.Date, e.RecurringEventId, e.Recurrence, replies(e))
}

// without leaves out deleted instances of series that are not there: a full list does not tell of them.
func without(have map[string]string) map[string]string {
	out := map[string]string{}
	for id, what := range have {
		var series string
		if n, _ := fmt.Sscanf(what, "cancelled in %s", &series); n == 1 && have[series] == "" {
			continue
		}
		out[id] = what
	}
	return out
}

// visitors is people who do things in their calendars.
type visitors struct {
	w   *world
	t   *rapid.T
	ids []string
}

// any is an event of a person, or an instance of one, and the empty text where there is none.
func (p *visitors) any(who *calendar.Person) string {
	var ids []string
	for _, e := range who.Events() {
		ids = append(ids, e.Id)
		if e.Recurrence != nil {
			for _, i := range who.Instances(e.Id) {
				ids = append(ids, i.Id)
			}
		}
	}
	if len(ids) == 0 {
		return ""
	}
	return rapid.SampledFrom(ids).Draw(p.t, "event")
}

// step is one thing that somebody does.
func (p *visitors) step() {
	everybody := []string{ann, bob, cleo}
	who := p.w.Calendar(rapid.SampledFrom(everybody).Draw(p.t, "who"))
	id := p.any(who)
	switch rapid.IntRange(0, 10).Draw(p.t, "what") {
	case 0:
		p.ids = append(p.ids, who.Add(meeting("single", "2026-03-02T09:00", "2026-03-02T10:00", p.guests()...)))
	case 1:
		// A series that was split and restored would have its instances twice.
		who.Add(daily("series", "RRULE:FREQ=DAILY;COUNT=5", p.guests()...))
	case 2:
		who.Edit(id, func(e *gcal.Event) { e.Summary += "'" })
	case 3:
		start := time.Date(2026, 3, 2+rapid.IntRange(0, 20).Draw(p.t, "day"), 12, 0, 0, 0, time.UTC)
		who.Move(id, start, start.Add(time.Hour))
	case 4:
		who.Delete(id)
	case 5:
		who.Answer(id, rapid.SampledFrom([]string{"accepted", "declined", "tentative"}).Draw(p.t, "answer"))
	case 6:
		who.Split(id, rapid.Bool().Draw(p.t, "fresh"), func(e *gcal.Event) { e.Summary += "+" })
	case 7:
		who.Truncate(id)
	case 8:
		if len(p.ids) > 0 {
			who.Restore(rapid.SampledFrom(p.ids).Draw(p.t, "restored"))
		}
	case 9:
		who.Edit(id, func(e *gcal.Event) {
			e.Attendees = nil
			for _, g := range p.guests() {
				e.Attendees = append(e.Attendees, &gcal.EventAttendee{Email: g})
			}
		})
	default:
		p.w.clock.pass(time.Second)
	}
}

func (p *visitors) guests() []string {
	return rapid.SliceOfNDistinct(rapid.SampledFrom([]string{ann, bob, cleo, "guest@elsewhere.example.net"}), 0, 3, rapid.ID).Draw(p.t, "guests")
}

func TestWhoFollowsSyncTokensHasTheCalendar(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(rt *rapid.T) {
		lag := rapid.SampledFrom([]time.Duration{0, 3 * time.Second}).Draw(rt, "lag")
		w := newCalendars(t, Options{EventVisibility: lag})
		var all []*follower
		for _, email := range []string{ann, bob, cleo} {
			all = append(all, &follower{api: w.events(email), have: map[string]string{}})
		}
		p := &visitors{w: w, t: rt}
		for range rapid.IntRange(1, 25).Draw(rt, "steps") {
			p.step()
			if rapid.IntRange(0, 3).Draw(rt, "reader") == 0 {
				rapid.SampledFrom(all).Draw(rt, "who reads").read(rt)
			}
		}
		w.clock.pass(lag)
		for _, f := range all {
			f.read(rt)
			fresh := &follower{api: f.api, have: map[string]string{}}
			fresh.read(rt)
			if diff := cmp.Diff(without(fresh.have), without(f.have)); diff != "" {
				rt.Fatalf("followed, it is another calendar (-full +followed): %s", diff)
			}
			p.agree(f.api)
		}
		p.copies()
		if got := w.Violations(); len(got) > 0 {
			rt.Fatal(got)
		}
	})
}

// agree checks that a list of single events is what the single events and the instances of each series are.
func (p *visitors) agree(api *gcal.Service) {
	var want []string
	list := must(api.Events.List("primary").MaxResults(2500).Do())(p.w.t)
	there := map[string]bool{}
	for _, e := range list.Items {
		there[e.Id] = true
	}
	for _, e := range list.Items {
		switch {
		case e.Recurrence != nil:
			for _, i := range must(api.Events.Instances("primary", e.Id).Do())(p.w.t).Items {
				want = append(want, i.Id+" "+known(i))
			}
		case e.Status != "cancelled" && !there[e.RecurringEventId]:
			want = append(want, e.Id+" "+known(e))
		}
	}
	var got []string
	for _, e := range must(api.Events.List("primary").SingleEvents(true).MaxResults(2500).Do())(p.w.t).Items {
		got = append(got, e.Id+" "+known(e))
		if read := must(api.Events.Get("primary", e.Id).Do())(p.w.t); read.Etag != e.Etag || known(read) != known(e) {
			p.t.Fatalf("%s is listed as %s, and read as %s", e.Id, known(e), known(read))
		}
	}
	slices.Sort(want)
	slices.Sort(got)
	if diff := cmp.Diff(want, got); diff != "" {
		p.t.Fatalf("single events are not what there is (-instances +single): %s", diff)
	}
}

// copies checks that every guest who has a meeting has the organizer's.
func (p *visitors) copies() {
	for _, email := range []string{ann, bob, cleo} {
		for _, mine := range p.w.Calendar(email).Agenda(time.Time{}, time.Time{}) {
			if mine.Organizer.Self {
				continue
			}
			theirs := p.w.Calendar(mine.Organizer.Email).Event(mine.Id)
			if theirs == nil || known(mine) != known(theirs) || replies(mine)[email] == "" {
				p.t.Fatalf("%s has %s %s, the organizer %s", email, mine.Id, known(mine), encode(theirs))
			}
		}
	}
}
