package storetest

import (
	"encoding/json"
	"fmt"
	"math/rand/v2"
	"sync"
	"testing"
	"time"

	"github.com/tandem-sync/tandem/shared/record"
	"github.com/tandem-sync/tandem/shared/store"
)

var stateTests = map[string]func(*testing.T, store.Store){
	"a state is used once": func(t *testing.T, s store.Store) {
		must(t, s.UseState(t.Context(), "state_1-A", noon.Add(10*time.Minute)))
		wantError(t, s.UseState(t.Context(), "state_1-A", noon.Add(10*time.Minute)), store.ErrUsed)
		must(t, s.UseState(t.Context(), "state_1-B", noon.Add(10*time.Minute)))
	},
	"states that expire at other times do not disturb each other": func(t *testing.T, s store.Store) {
		for _, n := range []int{2, 0, 1} {
			must(t, s.UseState(t.Context(), fmt.Sprint("state", n), noon.Add(time.Duration(n)*10*time.Hour)))
		}
		for n := range 3 {
			wantError(t, s.UseState(t.Context(), fmt.Sprint("state", n), noon.Add(time.Duration(n)*10*time.Hour)), store.ErrUsed)
		}
		must(t, s.UseState(t.Context(), "later", noon.Add(1000*time.Hour)))
	},
	"of two who use a state one wins": func(t *testing.T, s store.Store) {
		var errs [2]error
		var wg sync.WaitGroup
		for n := range errs {
			wg.Go(func() { errs[n] = s.UseState(t.Context(), "state", noon.Add(time.Minute)) })
		}
		wg.Wait()
		loser := errs[0]
		if loser == nil {
			loser = errs[1]
		} else {
			must(t, errs[1])
		}
		wantError(t, loser, store.ErrUsed)
	},
	"a secret is made once, and is the same for everybody": func(t *testing.T, s store.Store) {
		var got [3][]byte
		var errs [3]error
		var wg sync.WaitGroup
		for n := range got {
			wg.Go(func() {
				got[n], errs[n] = s.Secret(t.Context(), "sessions", func() ([]byte, error) { return fmt.Append(nil, n), nil })
			})
		}
		wg.Wait()
		for n := range got {
			must(t, errs[n])
			same(t, "secret", got[n], got[0])
		}
		again, err := s.Secret(t.Context(), "sessions", func() ([]byte, error) { return nil, errRefused })
		must(t, err)
		same(t, "secret", again, got[0])
		_, err = s.Secret(t.Context(), "other", func() ([]byte, error) { return nil, errRefused })
		wantError(t, err, errRefused)
	},
}

var syncTests = map[string]func(*testing.T, store.Store){
	"a sync that nobody touched has its type and default settings": func(t *testing.T, s store.Store) {
		for _, typ := range []record.Type{record.Contacts, record.Activities} {
			want := store.Sync{Type: typ, Settings: store.DefaultSettings(typ), Status: "never"}
			got, err := signedIn(t, s, "ada").Sync(t.Context(), typ)
			must(t, err)
			same(t, "sync", got, want)
			must(t, signedIn(t, s, "ada").UpdateSync(t.Context(), typ, func(s *store.Sync) error {
				same(t, "sync to change", *s, want)
				return nil
			}))
		}
	},

	"a sync comes back as it was written": func(t *testing.T, s store.Store) {
		u := signedIn(t, s, "ada")
		want := store.Sync{
			Type:     record.Contacts,
			Settings: store.Settings{Automatic: true, IntervalMinutes: 5, TagID: "tag", TagKind: "freedom", Direction: "to-google", Conflicts: "creatio"},
			Status:   "failing", LastSync: noon.Add(123456 * time.Microsecond), Due: noon.Add(time.Hour), HeldRun: "run7", Failing: 2,
			Problem: &store.Problem{Side: record.Google, Code: "quota", Message: "<b>שלום</b> 🙂", Action: "wait"},
			Cursors: map[record.Side]json.RawMessage{record.Google: json.RawMessage(`{"token":"a<b>&c","n":[1,2.50,null]}`)},
			Scopes:  map[record.Side]string{record.Google: "contactGroups/1"},
			Members: 12,
			Pairs:   store.PairCounts{Known: 3, Doubts: 2}, DoubtsAt: noon.Add(time.Minute),
			Verdicts: []store.Verdict{{CreatioID: "c1", GoogleID: "people/g1", Same: true, At: noon.Add(time.Second)}},
		}
		must(t, u.UpdateSync(t.Context(), record.Contacts, func(s *store.Sync) error {
			*s = want
			s.Type = record.Activities
			s.Cursors = map[record.Side]json.RawMessage{record.Google: want.Cursors[record.Google], record.Creatio: nil}
			s.LastSync = want.LastSync.Add(999 * time.Nanosecond)
			return nil
		}))
		got, err := u.Sync(t.Context(), record.Contacts)
		must(t, err)
		same(t, "sync", got, want)
	},

	"a refused change of a sync leaves everything as it was": func(t *testing.T, s store.Store) {
		u := signedIn(t, s, "ada")
		setDue(t, u, record.Contacts, noon)
		wantError(t, u.UpdateSync(t.Context(), record.Contacts, func(s *store.Sync) error {
			s.Due, s.Status = time.Time{}, "off"
			return errRefused
		}), errRefused)
		got, err := u.Sync(t.Context(), record.Contacts)
		must(t, err)
		if !got.Due.Equal(noon) || got.Status != "never" {
			t.Fatalf("sync changed: %+v", got)
		}
		wantDue(t, s, record.Contacts, noon, 10, store.Due{User: "ada", At: noon})
	},

	"users are due in the order of time, at most as many as asked for": func(t *testing.T, s store.Store) {
		at := func(minutes int) time.Time { return noon.Add(time.Duration(minutes)*time.Minute + time.Microsecond) }
		setDue(t, signedIn(t, s, "cyd"), record.Contacts, at(-30))
		setDue(t, signedIn(t, s, "ada"), record.Contacts, at(-10))
		setDue(t, signedIn(t, s, "bob"), record.Contacts, at(-20))
		setDue(t, signedIn(t, s, "dan"), record.Contacts, at(+1))
		setDue(t, signedIn(t, s, "eve"), record.Contacts, time.Time{})
		setDue(t, signedIn(t, s, "fay"), record.Activities, at(-40))
		cyd, bob, ada := store.Due{User: "cyd", At: at(-30)}, store.Due{User: "bob", At: at(-20)}, store.Due{User: "ada", At: at(-10)}
		wantDue(t, s, record.Contacts, noon, 10, cyd, bob, ada)
		wantDue(t, s, record.Contacts, noon, 2, cyd, bob)
		wantDue(t, s, record.Contacts, noon, 0)
		wantDue(t, s, record.Contacts, at(-10), 10, cyd, bob, ada)
		wantDue(t, s, record.Contacts, at(-10).Add(-time.Microsecond), 10, cyd, bob)
		wantDue(t, s, record.Activities, noon, 10, store.Due{User: "fay", At: at(-40)})
		wantDue(t, s, "unknown", noon, 10)
	},

	"due users come page by page, each once": func(t *testing.T, s store.Store) {
		var want []store.Due
		for minute := range 3 {
			for _, user := range []string{"Bob", "ada-1", "ada", "cyd"} {
				want = append(want, store.Due{User: fmt.Sprint(user, minute), At: noon.Add(time.Duration(minute) * time.Minute)})
			}
		}
		// Several are due at the same instant; they are written in another order than they come.
		for _, n := range rand.Perm(len(want)) {
			setDue(t, signedIn(t, s, want[n].User), record.Contacts, want[n].At)
		}
		until := noon.Add(time.Hour)
		for _, limit := range []int{1, 5, len(want)} {
			var got []store.Due
			for after := (store.Due{}); ; after = got[len(got)-1] {
				page, err := s.Due(t.Context(), record.Contacts, until, after, limit)
				must(t, err)
				if got = append(got, page...); len(page) < limit {
					break
				}
			}
			same(t, fmt.Sprint("pages of ", limit), got, want)
		}
		// Whom the last page ended with may be due no more, or no user at all; what comes after stays the same.
		setDue(t, signedIn(t, s, "cyd1"), record.Contacts, until.Add(time.Hour))
		for _, after := range []store.Due{{User: "cyd1", At: noon.Add(time.Minute)}, {User: "zoe", At: noon.Add(time.Minute)}} {
			page, err := s.Due(t.Context(), record.Contacts, until, after, 1)
			must(t, err)
			same(t, "page after nobody", page, want[8:9])
		}
		page, err := s.Due(t.Context(), record.Contacts, until, store.Due{User: "zoe", At: until}, 10)
		must(t, err)
		same(t, "page after the last one", page, []store.Due(nil))
	},

	"the due list follows every change": func(t *testing.T, s store.Store) {
		u := signedIn(t, s, "ada")
		setDue(t, u, record.Contacts, noon)
		l := acquire(t, u, "run1")
		wantDue(t, s, record.Contacts, noon, 10, store.Due{User: "ada", At: noon})
		must(t, u.Commit(t.Context(), record.Contacts, l, store.Run{ID: "run1"}, func(s *store.Sync) error {
			s.Due = noon.Add(time.Hour)
			return nil
		}))
		wantDue(t, s, record.Contacts, noon, 10)
		wantDue(t, s, record.Contacts, noon.Add(time.Hour), 10, store.Due{User: "ada", At: noon.Add(time.Hour)})
		setDue(t, u, record.Contacts, noon.Add(-time.Hour))
		wantDue(t, s, record.Contacts, noon, 10, store.Due{User: "ada", At: noon.Add(-time.Hour)})
		setDue(t, u, record.Contacts, time.Time{})
		wantDue(t, s, record.Contacts, noon.Add(time.Hour), 10)
	},
}

func wantDue(t *testing.T, s store.Store, typ record.Type, now time.Time, limit int, want ...store.Due) {
	t.Helper()
	got, err := s.Due(t.Context(), typ, now, store.Due{}, limit)
	must(t, err)
	same(t, "due users", got, want)
}
