package storetest

import (
	"fmt"
	"slices"
	"testing"
	"time"

	"github.com/tandem-sync/tandem/shared/fault"
	"github.com/tandem-sync/tandem/shared/record"
	"github.com/tandem-sync/tandem/shared/store"
)

var standingTests = map[string]func(*testing.T, store.Store){
	"the shortest interval is that of whoever is due some time": func(t *testing.T, s store.Store) {
		wantShortest(t, s, 0)
		every := func(user string, minutes int, due time.Time) {
			t.Helper()
			must(t, signedIn(t, s, user).UpdateSync(t.Context(), record.Contacts, func(d *store.Sync) error {
				d.Settings.Automatic, d.Settings.IntervalMinutes, d.Due = minutes > 0, minutes, due
				return nil
			}))
		}
		every("ada", 240, noon)
		wantShortest(t, s, 4*time.Hour)
		every("bob", 15, noon.Add(-time.Hour))
		wantShortest(t, s, 15*time.Minute)
		every("cyd", 5, time.Time{})
		wantShortest(t, s, 15*time.Minute)
		every("bob", 15, time.Time{})
		wantShortest(t, s, 4*time.Hour)
		// Whoever synchronizes by hand alone has something left to be done once an hour.
		every("dan", 0, noon)
		wantShortest(t, s, store.Errands)
		must(t, s.User("dan").Erase(t.Context()))
		every("ada", 240, time.Time{})
		wantShortest(t, s, 0)
		setDue(t, signedIn(t, s, "eve"), record.Activities, noon)
		wantShortest(t, s, 0)
	},

	"the end of a run and the lease keep the interval": func(t *testing.T, s store.Store) {
		u := signedIn(t, s, "ada")
		l := acquire(t, u, "run1")
		wantShortest(t, s, 0)
		must(t, u.Commit(t.Context(), record.Contacts, l, store.Run{ID: "run1"}, func(d *store.Sync) error {
			d.Settings.Automatic, d.Settings.IntervalMinutes, d.Due = true, 10, noon
			return nil
		}))
		wantShortest(t, s, 10*time.Minute)
		acquire(t, u, "run2")
		wantShortest(t, s, 10*time.Minute)
	},

	"syncs stand in the order in which somebody should look at them": func(t *testing.T, s store.Store) {
		// The ids are in the opposite order, so that they decide nothing but between equals.
		for i, d := range []store.Sync{
			{Status: "never"},
			{Status: "off"},
			{Status: "ok"},
			{Status: "never", Due: noon.Add(time.Hour)},
			{Status: "ok", Due: noon.Add(time.Microsecond)},
			{Status: "off", Due: noon.Add(-time.Hour)},
			{Status: "ok", Due: noon.Add(-24 * time.Hour)},
			{Status: "partial", Due: noon.Add(-48 * time.Hour)},
			{Status: "reconnect"},
			{Status: "held"},
			{Status: "failing"},
			{Status: "failing", Failing: 7},
		} {
			stand(t, signedIn(t, s, fmt.Sprint("user-", 'z'-i)), d)
		}
		_, _, err := signedIn(t, s, "user-runs").Acquire(t.Context(), record.Contacts, "run1", noon, time.Minute)
		must(t, err)
		must(t, signedIn(t, s, "of-activities").UpdateSync(t.Context(), record.Activities, func(d *store.Sync) error { d.Status = "failing"; return nil }))

		var got []string
		for _, status := range statuses(t, s, 100) {
			got = append(got, fmt.Sprint(status.Sync.Status, " ", since(status.Sync.Due)))
		}
		same(t, "statuses", got, []string{
			"failing none", "failing none", "held none", "reconnect none", "partial -48h0m0s", "never none",
			"ok -24h0m0s", "ok 1µs", "never 1h0m0s", "ok none", "off -1h0m0s", "off none", "never none",
		})
	},

	"statuses come page by page, with the profiles": func(t *testing.T, s store.Store) {
		const many = 23
		var want []string
		for n := range many {
			u := signedIn(t, s, fmt.Sprintf("user-%02d", n))
			want = append(want, u.ID()+"@example.com")
			must(t, u.UpdateProfile(t.Context(), func(p *store.Profile) error { p.Google.Email = u.ID() + "@example.com"; return nil }))
			stand(t, u, store.Sync{Status: "ok"})
		}
		for _, size := range []int{1, 5, 23, 100} {
			var got []string
			for _, status := range statuses(t, s, size) {
				got = append(got, status.Profile.Google.Email)
			}
			same(t, fmt.Sprint("pages of ", size), got, want)
		}
		none, err := s.SyncStatuses(t.Context(), record.Contacts, "", 0)
		must(t, err)
		same(t, "no statuses", none, []store.SyncStatus(nil))
		// Whatever was typed into an address is a place.
		for _, after := range []string{"\xff", "~", "0", "nobody's"} {
			_, err := s.SyncStatuses(t.Context(), record.Contacts, after, 5)
			must(t, err)
		}
	},

	"who was erased stands nowhere any more": func(t *testing.T, s store.Store) {
		stand(t, signedIn(t, s, "ada"), store.Sync{Status: "ok"})
		got := statuses(t, s, 10)
		if len(got) != 1 || got[0].Profile.ID != "ada" || got[0].Place == "" {
			t.Fatalf("statuses are %+v", got)
		}
		must(t, s.User("ada").Erase(t.Context()))
		if got := statuses(t, s, 10); len(got) != 0 {
			t.Fatalf("statuses are %+v", got)
		}
	},

	"everybody is counted once": func(t *testing.T, s store.Store) {
		counts, err := s.CountStatuses(t.Context(), record.Contacts, noon)
		must(t, err)
		same(t, "counts of nobody", counts, store.StatusCounts{})
		late := noon.Add(-30 * time.Minute)
		for i, d := range []store.Sync{
			{Status: "failing", Due: noon.Add(-time.Hour), LastSync: noon.Add(-5 * time.Hour)},
			{Status: "failing"},
			{Status: "held"},
			{Status: "reconnect", LastSync: noon.Add(-2 * time.Hour)},
			{Status: "partial"},
			{Status: "partial"},
			{Status: "ok", Due: late},
			{Status: "never", Due: late.Add(-time.Hour)},
			{Status: "ok", Due: late.Add(time.Microsecond), LastSync: noon.Add(-3 * time.Hour)},
			{Status: "ok"},
			{Status: "off"},
			{Status: "never"},
		} {
			u := signedIn(t, s, fmt.Sprint("user-", i))
			stand(t, u, d)
			must(t, u.UpdateProfile(t.Context(), func(p *store.Profile) error {
				p.Google.Linked, p.Creatio.Linked = i%2 == 0, i%3 == 0
				return nil
			}))
		}
		_, _, err = signedIn(t, s, "runs").Acquire(t.Context(), record.Contacts, "run1", noon, time.Minute)
		must(t, err)
		must(t, signedIn(t, s, "of-activities").UpdateSync(t.Context(), record.Activities, func(d *store.Sync) error {
			d.Status, d.LastSync = "failing", noon
			return nil
		}))
		counts, err = s.CountStatuses(t.Context(), record.Contacts, late)
		must(t, err)
		same(t, "counts", counts, store.StatusCounts{
			Users: 14, Linked: 2, Failing: 2, Held: 1, Reconnect: 1, Partial: 2, Running: 1, Late: 2, LastSync: noon.Add(-2 * time.Hour),
		})
	},

	"what was decided about a schedule is kept for its type": func(t *testing.T, s store.Store) {
		got, err := s.Schedule(t.Context(), record.Contacts)
		must(t, err)
		same(t, "schedule", got, store.Schedule{Type: record.Contacts})
		want := store.Schedule{Type: record.Contacts, Paused: noon}
		must(t, s.PutSchedule(t.Context(), store.Schedule{Type: record.Contacts, Paused: noon.Add(999 * time.Nanosecond)}))
		got, err = s.Schedule(t.Context(), record.Contacts)
		must(t, err)
		same(t, "schedule", got, want)
		other, err := s.Schedule(t.Context(), record.Activities)
		must(t, err)
		same(t, "schedule", other, store.Schedule{Type: record.Activities})
		must(t, s.PutSchedule(t.Context(), store.Schedule{Type: record.Contacts}))
		got, err = s.Schedule(t.Context(), record.Contacts)
		must(t, err)
		same(t, "schedule", got, store.Schedule{Type: record.Contacts})
		if err := s.PutSchedule(t.Context(), store.Schedule{Type: "a/b"}); err == nil || !fault.Is(err, fault.Bug) {
			t.Fatalf("an impossible type: %v", err)
		}
	},
}

// stand brings a sync of the contacts to where it goes as d says.
func stand(t *testing.T, u store.User, d store.Sync) {
	t.Helper()
	must(t, u.UpdateSync(t.Context(), record.Contacts, func(s *store.Sync) error {
		s.Status, s.Due, s.LastSync, s.Failing = d.Status, d.Due, d.LastSync, d.Failing
		return nil
	}))
}

// statuses lists all of them, in pages of a size.
func statuses(t *testing.T, s store.Store, size int) []store.SyncStatus {
	t.Helper()
	var all []store.SyncStatus
	for after := ""; ; {
		page, err := s.SyncStatuses(t.Context(), record.Contacts, after, size)
		must(t, err)
		all = append(all, page...)
		if len(page) < size {
			break
		}
		after = page[len(page)-1].Place
	}
	if !slices.IsSortedFunc(all, func(a, b store.SyncStatus) int {
		if a.Place < b.Place {
			return -1
		}
		return 1
	}) {
		t.Fatalf("places are not in order: %+v", all)
	}
	return all
}

func since(at time.Time) string {
	if at.IsZero() {
		return "none"
	}
	return at.Sub(noon).String()
}

func wantShortest(t *testing.T, s store.Store, want time.Duration) {
	t.Helper()
	got, err := s.Shortest(t.Context(), record.Contacts)
	must(t, err)
	if got != want {
		t.Fatalf("the shortest interval is %v, want %v", got, want)
	}
}
