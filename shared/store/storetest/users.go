package storetest

import (
	"encoding/json"
	"fmt"
	"sync"
	"testing"
	"time"

	"github.com/tandem-sync/tandem/shared/fault"
	"github.com/tandem-sync/tandem/shared/record"
	"github.com/tandem-sync/tandem/shared/store"
)

var userTests = map[string]func(*testing.T, store.Store){
	"who never signed in has nothing": func(t *testing.T, s store.Store) {
		u := s.User("nobody")
		if u.ID() != "nobody" {
			t.Fatalf("id is %q", u.ID())
		}
		_, err := u.Profile(t.Context())
		wantError(t, err, store.ErrNotFound)
		_, err = u.Token(t.Context(), record.Google)
		wantError(t, err, store.ErrNotFound)
		must(t, u.DeleteToken(t.Context(), record.Google))
		must(t, u.Erase(t.Context()))
		same(t, "users", usersOf(t, s), []string(nil))
	},

	"a profile comes back as it was written": func(t *testing.T, s store.Store) {
		want := store.Profile{
			ID: "ada", CreatedAt: noon,
			Google:  store.GoogleAccount{Subject: "1234", Email: "ada@example.com", Name: "Ada 🧮 <&>", Linked: true, Scopes: []string{"contacts", "calendar"}},
			Creatio: store.CreatioAccount{URL: "https://acme.example.com", UserID: "u1", User: "ada", ContactID: "c1", TimeZone: "Europe/London", Linked: true, Reconnect: true},
			Session: "s3",
		}
		must(t, s.User("ada").UpdateProfile(t.Context(), func(p *store.Profile) error {
			same(t, "new profile", *p, store.Profile{ID: "ada"})
			*p = want
			p.ID = "somebody-else"
			p.CreatedAt = noon.Add(789 * time.Nanosecond).In(time.FixedZone("", 3600))
			return nil
		}))
		got, err := s.User("ada").Profile(t.Context())
		must(t, err)
		same(t, "profile", got, want)
		if got.CreatedAt.Location() != time.UTC {
			t.Errorf("time is in %s", got.CreatedAt.Location())
		}
	},

	"a refused change of a profile leaves everything as it was": func(t *testing.T, s store.Store) {
		u := s.User("ada")
		refuse := func(p *store.Profile) error {
			p.Session = "refused"
			return errRefused
		}
		wantError(t, u.UpdateProfile(t.Context(), refuse), errRefused)
		_, err := u.Profile(t.Context())
		wantError(t, err, store.ErrNotFound)
		must(t, profile(t.Context(), u))
		wantError(t, u.UpdateProfile(t.Context(), refuse), errRefused)
		p, err := u.Profile(t.Context())
		must(t, err)
		same(t, "profile", p, store.Profile{ID: "ada", CreatedAt: noon})
	},

	"changes of a profile at the same time are all kept": func(t *testing.T, s store.Store) {
		const writers = 8
		var wg sync.WaitGroup
		errs := make([]error, writers)
		for n := range writers {
			wg.Go(func() {
				errs[n] = s.User("ada").UpdateProfile(t.Context(), func(p *store.Profile) error {
					p.Session += "+"
					return nil
				})
			})
		}
		wg.Wait()
		for _, err := range errs {
			must(t, err)
		}
		p, err := s.User("ada").Profile(t.Context())
		must(t, err)
		if len(p.Session) != writers {
			t.Fatalf("%d of %d changes were kept", len(p.Session), writers)
		}
	},

	"tokens are kept for each side": func(t *testing.T, s store.Store) {
		u := signedIn(t, s, "ada")
		google := store.Token{Sealed: []byte{0, 255, 1, '"'}, Version: "g1", Revoke: noon}
		creatio := store.Token{Sealed: []byte("creatio"), Version: "c1"}
		must(t, u.PutToken(t.Context(), record.Google, google))
		must(t, u.PutToken(t.Context(), record.Creatio, creatio))
		got, err := u.Token(t.Context(), record.Google)
		must(t, err)
		same(t, "token", got, google)
		must(t, u.DeleteToken(t.Context(), record.Google))
		_, err = u.Token(t.Context(), record.Google)
		wantError(t, err, store.ErrNotFound)
		got, err = u.Token(t.Context(), record.Creatio)
		must(t, err)
		same(t, "token", got, creatio)
	},

	"a token is swapped only for the version that is kept": func(t *testing.T, s store.Store) {
		u := signedIn(t, s, "ada")
		first, second := store.Token{Sealed: []byte("1"), Version: "v1"}, store.Token{Sealed: []byte("2"), Version: "v2"}
		third := store.Token{Sealed: []byte("3"), Version: "v3"}
		swap := func(old, new store.Token, want bool) {
			t.Helper()
			got, err := u.SwapToken(t.Context(), record.Google, old, new)
			must(t, err)
			if got != want {
				t.Fatalf("swapped %s for %s: %t", old.Version, new.Version, got)
			}
		}
		swap(store.Token{}, first, false)
		_, err := u.Token(t.Context(), record.Google)
		wantError(t, err, store.ErrNotFound)
		must(t, u.PutToken(t.Context(), record.Google, first))
		swap(first, second, true)
		swap(first, third, false)
		got, err := u.Token(t.Context(), record.Google)
		must(t, err)
		same(t, "token", got, second)
	},

	"of two refreshes at once one swaps the token": func(t *testing.T, s store.Store) {
		u := signedIn(t, s, "ada")
		old := store.Token{Version: "v1"}
		must(t, u.PutToken(t.Context(), record.Google, old))
		var swapped [3]bool
		var errs [3]error
		var wg sync.WaitGroup
		for n := range swapped {
			wg.Go(func() {
				swapped[n], errs[n] = u.SwapToken(t.Context(), record.Google, old, store.Token{Version: fmt.Sprint("new", n)})
			})
		}
		wg.Wait()
		kept, err := u.Token(t.Context(), record.Google)
		must(t, err)
		winners := 0
		for n := range swapped {
			must(t, errs[n])
			if swapped[n] {
				winners++
				same(t, "kept version", kept.Version, fmt.Sprint("new", n))
			}
		}
		if winners != 1 {
			t.Fatalf("%d refreshes swapped the token", winners)
		}
	},

	"users are listed in the order of their ids, more than a page of them": func(t *testing.T, s store.Store) {
		const many = 310
		var want []string
		var wg sync.WaitGroup
		errs := make(chan error, many)
		slots := make(chan struct{}, 8)
		for n := range many {
			id := fmt.Sprintf("user-%04d", n)
			want = append(want, id)
			wg.Go(func() {
				slots <- struct{}{}
				errs <- profile(t.Context(), s.User(id))
				<-slots
			})
		}
		wg.Wait()
		close(errs)
		for err := range errs {
			must(t, err)
		}
		same(t, "users", usersOf(t, s), want)
	},

	"whoever lists users may stop, and write meanwhile": func(t *testing.T, s store.Store) {
		for _, id := range []string{"ada", "bob", "cyd"} {
			must(t, profile(t.Context(), s.User(id)))
		}
		var seen []string
		for p, err := range s.Users(t.Context()) {
			must(t, err)
			must(t, profile(t.Context(), s.User(p.ID)))
			if seen = append(seen, p.ID); len(seen) == 2 {
				break
			}
		}
		same(t, "users", seen, []string{"ada", "bob"})
	},

	"ids that cannot be keys are never found and never written": func(t *testing.T, s store.Store) {
		for _, id := range []string{"", "a/b", "..", "__reserved__", "é", "a b"} {
			_, err := s.User(id).Profile(t.Context())
			wantError(t, err, store.ErrNotFound)
			_, err = s.User("ada").Run(t.Context(), id)
			wantError(t, err, store.ErrNotFound)
			for _, err := range []error{
				profile(t.Context(), s.User(id)), s.UseState(t.Context(), id, noon), s.User("ada").PutRun(t.Context(), store.Run{ID: id}),
			} {
				if !fault.Is(err, fault.Bug) || err == nil {
					t.Fatalf("writing under the id %q: %v", id, err)
				}
			}
		}
	},

	"erasing removes all of a user and nothing of anybody else": func(t *testing.T, s store.Store) {
		for _, id := range []string{"ada", "bob"} {
			furnish(t, s.User(id))
		}
		must(t, s.User("ada").Erase(t.Context()))
		same(t, "users", usersOf(t, s), []string{"bob"})
		wantNothing(t, s.User("ada"))
		wantFurnished(t, s.User("bob"))
		for _, typ := range []record.Type{record.Contacts, record.Activities} {
			due, err := s.Due(t.Context(), typ, noon, store.Due{}, 10)
			must(t, err)
			same(t, "due", due, []store.Due{{User: "bob", At: noon}})
		}
		must(t, s.User("ada").Erase(t.Context()))

		// Whoever comes back starts anew, with nothing of the old in sight.
		must(t, profile(t.Context(), s.User("ada")))
		must(t, s.User("ada").PutRun(t.Context(), store.Run{ID: "run1"}))
		r, err := s.User("ada").Run(t.Context(), "run1")
		must(t, err)
		same(t, "changes", r.Changes, []store.Change(nil))
		same(t, "links", linksOf(t, s.User("ada")), []store.Link(nil))
	},

	"forgetting leaves who the user is, what was chosen and when it is due": func(t *testing.T, s store.Store) {
		for _, id := range []string{"ada", "bob"} {
			furnish(t, s.User(id))
		}
		ada, ctx := s.User("ada"), t.Context()
		leases := map[record.Type]store.Lease{}
		for _, typ := range []record.Type{record.Contacts, record.Activities} {
			must(t, ada.UpdateSync(ctx, typ, func(d *store.Sync) error {
				d.Settings.IntervalMinutes, d.Status, d.LastSync, d.Members = 15, "ok", noon, 3
				d.Cursors = map[record.Side]json.RawMessage{record.Google: json.RawMessage(`"c"`)}
				return nil
			}))
			_, l, err := ada.Acquire(ctx, typ, "forget", noon.Add(time.Hour), time.Minute)
			must(t, err)
			leases[typ] = l
		}
		lost := map[record.Type]store.Lease{record.Contacts: {Owner: "run1", Fence: 1}}
		wantError(t, ada.Forget(ctx, lost), store.ErrFenced)
		wantFurnished(t, ada)
		must(t, ada.Forget(ctx, leases))
		wantForgotten(t, ada)
		_, err := ada.Profile(ctx)
		must(t, err)
		_, err = ada.Token(ctx, record.Google)
		must(t, err)
		for typ, l := range leases {
			settings := store.DefaultSettings(typ)
			settings.IntervalMinutes = 15
			d, err := ada.Sync(ctx, typ)
			must(t, err)
			same(t, "sync", d, store.Sync{Type: typ, Settings: settings, Status: "never", Due: noon, Lease: l})
			due, err := s.Due(ctx, typ, noon, store.Due{}, 10)
			must(t, err)
			same(t, "due", due, []store.Due{{User: "ada", At: noon}, {User: "bob", At: noon}})
		}
		wantFurnished(t, s.User("bob"))
		must(t, ada.Forget(ctx, leases))
	},

	"a run under way is fenced off when its user is erased": func(t *testing.T, s store.Store) {
		u := s.User("ada")
		must(t, profile(t.Context(), u))
		l := acquire(t, u, "run1")
		must(t, u.Erase(t.Context()))
		wantError(t, putLinks(t.Context(), u, record.Contacts, l, []store.Link{{ID: "l1", GoogleID: "g1"}}), store.ErrFenced)
		wantError(t, u.Commit(t.Context(), record.Contacts, l, store.Run{ID: "run1"}, func(*store.Sync) error { return nil }), store.ErrFenced)
		wantNothing(t, u)
	},

	"a cancelled request is to be repeated": func(t *testing.T, s store.Store) {
		ctx := cancelled(t)
		_, err := s.User("ada").Profile(ctx)
		if err == nil || !fault.Is(err, fault.Retry) {
			t.Errorf("read: %v", err)
		}
		if err := profile(ctx, s.User("ada")); err == nil || !fault.Is(err, fault.Retry) {
			t.Errorf("write: %v", err)
		}
	},
}

// furnish gives a user one of everything.
func furnish(t *testing.T, u store.User) {
	t.Helper()
	ctx := t.Context()
	must(t, profile(ctx, u))
	for _, side := range record.Sides {
		must(t, u.PutToken(ctx, side, store.Token{Version: "v1"}))
	}
	for _, typ := range []record.Type{record.Contacts, record.Activities} {
		_, l, err := u.Acquire(ctx, typ, "run1", noon, time.Minute)
		must(t, err)
		must(t, putLinks(ctx, u, typ, l, []store.Link{
			{ID: "l1", CreatioID: "c1", GoogleID: "people/g1"},
			{ID: "l2", GoogleID: "people/g2", Pending: record.Creatio},
		}))
		b := creation("l3", "r-"+u.ID(), "mail of "+u.ID())
		b.Notes = []store.WriteNote{{Site: site, Record: "c-" + u.ID(), Modified: noon, Edited: noon, Until: noon.Add(time.Hour)}}
		b.Pairs = []store.Pair{pair("c1", "people/g1", store.StateDoubt)}
		refused, err := u.PutBatch(ctx, typ, l, noon, b)
		must(t, err)
		same(t, "refused claims", refused, []store.Claim(nil))
		must(t, u.PutBlob(ctx, typ, l, "series/1", noise(1, 1_000_000)))
		setDue(t, u, typ, noon)
	}
	must(t, u.PutRun(ctx, store.Run{ID: "run1", Type: record.Contacts}))
	must(t, u.AddChanges(ctx, "run1", 0, []store.Change{{Record: u.ID()}}))
	must(t, u.AddChanges(ctx, "run-without-summary", 0, []store.Change{{Record: u.ID()}}))
}

func wantFurnished(t *testing.T, u store.User) {
	t.Helper()
	_, err := u.Profile(t.Context())
	must(t, err)
	_, err = u.Token(t.Context(), record.Creatio)
	must(t, err)
	if n := len(linksOf(t, u)); n != 3 {
		t.Fatalf("%d links are left", n)
	}
	found, err := u.LinksBy(t.Context(), record.Contacts, record.Google, []string{"people/g1"})
	must(t, err)
	if len(found) != 1 {
		t.Fatalf("%d links are found", len(found))
	}
	r, err := u.Run(t.Context(), "run1")
	must(t, err)
	same(t, "changes", r.Changes, []store.Change{{Record: u.ID()}})
	same(t, "claims", len(claimsOf(t, u)), 2)
	same(t, "notes", len(notesOf(t, u, "c-"+u.ID())), 1)
	same(t, "pairs", len(pairsOf(t, u)), 1)
	same(t, "blobs", blobNames(t, u), []string{"series/1"})
}

func wantNothing(t *testing.T, u store.User) {
	t.Helper()
	ctx := t.Context()
	_, err := u.Profile(ctx)
	wantError(t, err, store.ErrNotFound)
	for _, side := range record.Sides {
		_, err = u.Token(ctx, side)
		wantError(t, err, store.ErrNotFound)
	}
	wantForgotten(t, u)
	sync, err := u.Sync(ctx, record.Contacts)
	must(t, err)
	if sync.Lease.Fence != 0 || !sync.Due.IsZero() {
		t.Fatalf("sync is left: %+v", sync)
	}
}

// wantForgotten wants nothing of what runs found and did.
func wantForgotten(t *testing.T, u store.User) {
	t.Helper()
	ctx := t.Context()
	for _, side := range record.Sides {
		found, err := u.LinksBy(ctx, record.Contacts, side, []string{"c1", "people/g1"})
		must(t, err)
		same(t, "links by "+string(side), found, []store.Link(nil))
	}
	same(t, "links", linksOf(t, u), []store.Link(nil))
	same(t, "claims", claimsOf(t, u), []store.Claim(nil))
	same(t, "notes", notesOf(t, u, "c-"+u.ID()), map[string]store.WriteNote{})
	same(t, "pairs", pairsOf(t, u), []store.Pair(nil))
	same(t, "blobs", blobNames(t, u), []string(nil))
	same(t, "pending links", collect(t, u.PendingLinks(ctx, record.Activities)), []store.Link(nil))
	for _, id := range []string{"run1", "run-without-summary"} {
		_, err := u.Run(ctx, id)
		wantError(t, err, store.ErrNotFound)
	}
	runs, err := u.Runs(ctx, "", 10, "")
	must(t, err)
	same(t, "runs", runs, []store.Run(nil))
}
