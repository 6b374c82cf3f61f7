package storetest

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/tandem-sync/tandem/shared/contact"
	"github.com/tandem-sync/tandem/shared/record"
	"github.com/tandem-sync/tandem/shared/store"
)

// changes makes n changes whose names begin with prefix.
func changes(prefix string, n int) []store.Change {
	out := make([]store.Change, n)
	for i := range out {
		out[i] = store.Change{
			Side: record.Google, Action: "update", Record: fmt.Sprintf("%s %d", prefix, i), CreatioID: fmt.Sprint("c", i), GoogleID: fmt.Sprint("people/g", i),
			Fields: []store.FieldChange{{
				Field: contact.Notes, Before: "", After: "é🙂 " + strings.Repeat("x", 200), Rule: "creatio changed",
				Swaps: []record.Swap{{
					Before: record.Entry{Kind: "work", Parts: map[string]string{contact.City: "Ulm"}}, After: record.Entry{Text: "é🙂"},
					BeforeDisplayed: map[record.Side]record.Entry{record.Google: {}}, AfterDisplayed: &record.Entry{Text: "e"},
				}},
			}},
			Link: fmt.Sprint("l", i), First: i%2 == 0,
		}
	}
	return out
}

func wantChanges(t *testing.T, u store.User, run string, want []store.Change) {
	t.Helper()
	r, err := u.Run(t.Context(), run)
	must(t, err)
	same(t, "changes of "+run, r.Changes, want)
}

var runTests = map[string]func(*testing.T, store.Store){
	"an unknown run is not found": func(t *testing.T, s store.Store) {
		u := signedIn(t, s, "ada")
		_, err := u.Run(t.Context(), "run1")
		wantError(t, err, store.ErrNotFound)
		wantError(t, u.UpdateRun(t.Context(), "run1", func(*store.Run) error { return nil }), store.ErrNotFound)
		runs, err := u.Runs(t.Context(), "", 10, "")
		must(t, err)
		same(t, "runs", runs, []store.Run(nil))
	},

	"a run's summary is written and changed without its changes": func(t *testing.T, s store.Store) {
		u := signedIn(t, s, "ada")
		want := store.Run{
			ID: "run1", Type: record.Contacts, Trigger: "schedule", Status: "running", StartedAt: noon,
			Counts:   store.Counts{Creatio: store.SideCounts{Created: 1, Updated: 2, Unlinked: 3, Cancelled: 4, Deleted: 5}, Failed: 6},
			Undoes:   &store.Undo{Run: "run0", CreatioID: "c1", GoogleID: "people/g1"},
			Problems: []store.Problem{{Side: record.Creatio, Record: "Zoë", CreatioID: "c1", Code: "read-only", Message: "m", Action: "a"}},
		}
		given := want
		given.Changes = changes("not to be written", 1)
		must(t, u.PutRun(t.Context(), given))
		got, err := u.Run(t.Context(), "run1")
		must(t, err)
		same(t, "run", got, want)

		must(t, u.AddChanges(t.Context(), "run1", 0, changes("a", 2)))
		wantError(t, u.UpdateRun(t.Context(), "run1", func(r *store.Run) error {
			r.Status = "failed"
			return errRefused
		}), errRefused)
		must(t, u.UpdateRun(t.Context(), "run1", func(r *store.Run) error {
			same(t, "run to change", *r, want)
			r.ID, r.Status, r.Changes = "run2", "partial", changes("not to be written", 3)
			return nil
		}))
		want.Status, want.Changes = "partial", changes("a", 2)
		got, err = u.Run(t.Context(), "run1")
		must(t, err)
		same(t, "changed run", got, want)
		_, err = u.Run(t.Context(), "run2")
		wantError(t, err, store.ErrNotFound)

		want.Status, want.FinishedAt = "done", noon.Add(time.Second)
		must(t, u.PutRun(t.Context(), want))
		got, err = u.Run(t.Context(), "run1")
		must(t, err)
		same(t, "run written again", got, want)
	},

	"a run is added once, and one that is there stays as it is": func(t *testing.T, s store.Store) {
		u := signedIn(t, s, "ada")
		want := store.Run{ID: "run1", Type: record.Contacts, Status: "queued"}
		added, err := u.AddRun(t.Context(), want)
		must(t, err)
		same(t, "added", added, true)
		got, err := u.Run(t.Context(), "run1")
		must(t, err)
		same(t, "added run", got, want)
		want.Status = "running"
		must(t, u.PutRun(t.Context(), want))
		added, err = u.AddRun(t.Context(), store.Run{ID: "run1", Type: record.Contacts, Status: "queued"})
		must(t, err)
		same(t, "added again", added, false)
		got, err = u.Run(t.Context(), "run1")
		must(t, err)
		same(t, "run that was there", got, want)
	},

	"changes are in the order of their pieces, and a piece is replaced by its number": func(t *testing.T, s store.Store) {
		u := signedIn(t, s, "ada")
		must(t, u.PutRun(t.Context(), store.Run{ID: "run1"}))
		for _, seq := range []int{10, 2, 0, 1000000} {
			must(t, u.AddChanges(t.Context(), "run1", seq, changes(fmt.Sprint("piece ", seq), 2)))
		}
		must(t, u.AddChanges(t.Context(), "run1", 2, changes("again", 1)))
		must(t, u.AddChanges(t.Context(), "run1", 3, nil))
		must(t, u.AddChanges(t.Context(), "run-other", 0, changes("other", 1)))
		var want []store.Change
		for _, piece := range [][]store.Change{changes("piece 0", 2), changes("again", 1), changes("piece 10", 2), changes("piece 1000000", 2)} {
			want = append(want, piece...)
		}
		wantChanges(t, u, "run1", want)
	},

	"what a held run of a former version lists did not happen": func(t *testing.T, s store.Store) {
		u := signedIn(t, s, "ada")
		for status, waits := range map[string]bool{"held": true, "approved": true, "rejected": true, "replaced": true, "done": false, "running": false} {
			must(t, u.PutRun(t.Context(), store.Run{ID: status, Status: status}))
			must(t, u.AddChanges(t.Context(), status, 0, changes("a", 2)))
			want := changes("a", 2)
			for i := range want {
				want[i].Waits = waits
			}
			wantChanges(t, u, status, want)
		}
		// One of this version says itself what waits.
		must(t, u.PutRun(t.Context(), store.Run{ID: "own", Status: "held"}))
		want := changes("a", 2)
		want[1].Waits = true
		must(t, u.AddChanges(t.Context(), "own", 0, want))
		wantChanges(t, u, "own", want)
	},

	"a run may have many changes, in one piece as well": func(t *testing.T, s store.Store) {
		u := signedIn(t, s, "ada")
		must(t, u.PutRun(t.Context(), store.Run{ID: "run1"}))
		big := changes("big", 5000)
		must(t, u.AddChanges(t.Context(), "run1", 0, big))
		must(t, u.AddChanges(t.Context(), "run1", 1, changes("small", 1)))
		wantChanges(t, u, "run1", append(big, changes("small", 1)...))
		must(t, u.AddChanges(t.Context(), "run1", 0, changes("shorter", 1)))
		wantChanges(t, u, "run1", append(changes("shorter", 1), changes("small", 1)...))
	},

	"runs are listed newest first, page by page": func(t *testing.T, s store.Store) {
		u := signedIn(t, s, "ada")
		for n := range 7 {
			typ := record.Contacts
			if n%3 == 0 {
				typ = record.Activities
			}
			must(t, u.PutRun(t.Context(), store.Run{ID: fmt.Sprint("run", n), Type: typ}))
		}
		must(t, u.AddChanges(t.Context(), "run6", 0, changes("a", 1)))
		for _, c := range []struct {
			typ    record.Type
			limit  int
			before string
			want   string
		}{
			{"", 10, "", "6543210"},
			{"", 3, "", "654"},
			{"", 3, "run4", "321"},
			{"", 3, "run0", ""},
			{"", 2, "run", ""},
			{"", 2, "zzz", "65"},
			{"", 2, "\xff", "65"},
			{"", 0, "", ""},
			{record.Contacts, 10, "", "5421"},
			{record.Contacts, 2, "run5", "42"},
			{record.Activities, 10, "run6", "30"},
			{"unknown", 10, "", ""},
		} {
			runs, err := u.Runs(t.Context(), c.typ, c.limit, c.before)
			must(t, err)
			got := ""
			for _, r := range runs {
				got += strings.TrimPrefix(r.ID, "run")
				same(t, "changes in a listing", r.Changes, []store.Change(nil))
			}
			same(t, fmt.Sprintf("runs of type %q, %d before %q", c.typ, c.limit, c.before), got, c.want)
		}
	},

	"another user's runs are not found": func(t *testing.T, s store.Store) {
		ada, bob := signedIn(t, s, "ada"), signedIn(t, s, "bob")
		must(t, ada.PutRun(t.Context(), store.Run{ID: "run1"}))
		must(t, ada.AddChanges(t.Context(), "run1", 0, changes("a", 1)))
		_, err := bob.Run(t.Context(), "run1")
		wantError(t, err, store.ErrNotFound)
		wantError(t, bob.UpdateRun(t.Context(), "run1", func(*store.Run) error { return nil }), store.ErrNotFound)
		runs, err := bob.Runs(t.Context(), "", 10, "")
		must(t, err)
		same(t, "runs", runs, []store.Run(nil))
	},
}
