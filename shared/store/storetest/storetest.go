// Package storetest holds every backend of package store to the same rules, for the backends' own tests. It also runs
// Google's Firestore emulator for whoever tests above that backend.
//
// Run is the reference of how a store behaves: each sentence of the interface's comments has a test here. The product
// never imports this package.
package storetest

import (
	"context"
	"encoding/json"
	"errors"
	"iter"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"
	"github.com/google/uuid"

	"github.com/tandem-sync/tandem/shared/record"
	"github.com/tandem-sync/tandem/shared/store"
)

// Run runs the suite. open makes an empty store for one test, and ends it with the test.
func Run(t *testing.T, open func(t *testing.T) store.Store) {
	t.Helper()
	for group, tests := range map[string]map[string]func(*testing.T, store.Store){
		"users": userTests, "states": stateTests, "seats": seatTests, "guesses": guessTests, "channels": channelTests, "access tokens": accessTokenTests, "erasing": erasingTests, "syncs": syncTests, "statuses": standingTests, "leases": leaseTests, "links": linkTests, "runs": runTests,
		"batches": batchTests, "pairs": pairTests, "blobs": blobTests, "schema": schemaTests, "migrations": migrationTests, "others": otherTests,
	} {
		t.Run(group, func(t *testing.T) {
			t.Parallel()
			for name, test := range tests {
				t.Run(name, func(t *testing.T) {
					t.Parallel()
					test(t, open(t))
				})
			}
		})
	}
}

// Project is the id of a project that no other test uses.
func Project() string { return "test-" + strings.ReplaceAll(uuid.NewString(), "-", "")[:20] }

// noon is when the tests take place.
var noon = time.Date(2026, time.March, 2, 12, 0, 0, 0, time.UTC)

var errRefused = errors.New("refused by the test")

func must(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatalf("unexpected error: %v", err)
	}
}

func wantError(t *testing.T, got, want error) {
	t.Helper()
	if !errors.Is(got, want) {
		t.Fatalf("error is %v, want %v", got, want)
	}
}

// same compares documents as a caller sees them: no map is an empty map, and JSON is what it says.
func same(t *testing.T, what string, got, want any) {
	t.Helper()
	isJSON := func(a, b json.RawMessage) bool { return json.Valid(a) && json.Valid(b) }
	meaning := func(m json.RawMessage) (v any) {
		if err := json.Unmarshal(m, &v); err != nil {
			return err
		}
		return v
	}
	if diff := cmp.Diff(want, got, cmpopts.EquateEmpty(), cmp.FilterValues(isJSON, cmp.Transformer("json", meaning))); diff != "" {
		t.Fatalf("%s differs (-want +got):\n%s", what, diff)
	}
}

// acquire takes the lease of the contacts and must get it.
func acquire(t *testing.T, u store.User, owner string) store.Lease {
	t.Helper()
	_, l, err := u.Acquire(t.Context(), record.Contacts, owner, noon, time.Minute)
	must(t, err)
	return l
}

// setDue makes a sync due.
func setDue(t *testing.T, u store.User, typ record.Type, due time.Time) {
	t.Helper()
	must(t, u.UpdateSync(t.Context(), typ, func(s *store.Sync) error {
		s.Due = due
		return nil
	}))
}

// linksOf lists all links of the contacts.
func linksOf(t *testing.T, u store.User) []store.Link {
	t.Helper()
	return collect(t, u.Links(t.Context(), record.Contacts))
}

func collect(t *testing.T, links iter.Seq2[store.Link, error]) []store.Link {
	t.Helper()
	var out []store.Link
	for l, err := range links {
		must(t, err)
		out = append(out, l)
	}
	return out
}

func usersOf(t *testing.T, s store.Store) []string {
	t.Helper()
	var out []string
	for p, err := range s.Users(t.Context()) {
		must(t, err)
		out = append(out, p.ID)
	}
	return out
}

func profile(ctx context.Context, u store.User) error {
	return u.UpdateProfile(ctx, func(p *store.Profile) error {
		p.CreatedAt = noon
		return nil
	})
}

// putLinks writes links alone.
func putLinks(ctx context.Context, u store.User, typ record.Type, l store.Lease, links []store.Link) error {
	_, err := u.PutBatch(ctx, typ, l, noon, store.Batch{Links: links})
	return err
}

// sorted brings links into the order of their ids.
func sorted(links []store.Link) []store.Link {
	slices.SortFunc(links, func(a, b store.Link) int { return strings.Compare(a.ID, b.ID) })
	return links
}

// cancelled is the context of a request that nobody waits for any more.
func cancelled(t *testing.T) context.Context {
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	return ctx
}

// signedIn is a user who has a profile.
func signedIn(t *testing.T, s store.Store, id string) store.User {
	t.Helper()
	must(t, profile(t.Context(), s.User(id)))
	return s.User(id)
}
