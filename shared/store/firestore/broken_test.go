package firestore_test

import (
	"bytes"
	"context"
	"crypto/sha256"
	"errors"
	"fmt"
	"maps"
	"strings"
	"testing"
	"time"

	api "cloud.google.com/go/firestore"
	"github.com/google/go-cmp/cmp"
	"google.golang.org/grpc/codes"

	"github.com/tandem-sync/tandem/shared/fault"
	"github.com/tandem-sync/tandem/shared/record"
	"github.com/tandem-sync/tandem/shared/store"
	"github.com/tandem-sync/tandem/shared/store/firestore"
	"github.com/tandem-sync/tandem/shared/store/storetest"
)

// change is something that a store writes, and what has to be there before.
type change struct {
	prepare func(ctx context.Context, s *firestore.Store) error
	do      func(ctx context.Context, s *firestore.Store) error
	// unseen says that it takes several requests, and what those before the last wrote is not seen until it is repeated.
	unseen bool
}

var (
	begun = time.Date(2026, time.March, 2, 12, 0, 0, 0, time.UTC)
	// leased is the lease that leases acquires for a new user.
	leased = store.Lease{Owner: "run1", Fence: 1}
)

func leases(ctx context.Context, s *firestore.Store) error {
	_, _, err := s.User("ada").Acquire(ctx, record.Contacts, "run1", begun, time.Minute)
	return err
}

// changes are one of each kind of write that the store knows: a change of one document that compares its time, a write without a
// condition, a creation, a deletion, a transaction, and writes in several requests.
var changes = map[string]change{
	"a profile is created": {do: func(ctx context.Context, s *firestore.Store) error {
		return s.User("ada").UpdateProfile(ctx, func(p *store.Profile) error {
			p.Session += "+"
			return nil
		})
	}},
	"a profile is changed": {
		prepare: func(ctx context.Context, s *firestore.Store) error {
			return s.User("ada").UpdateProfile(ctx, func(p *store.Profile) error {
				p.Session = "+"
				return nil
			})
		},
		do: func(ctx context.Context, s *firestore.Store) error {
			return s.User("ada").UpdateProfile(ctx, func(p *store.Profile) error {
				p.Google.Linked = true
				return nil
			})
		},
	},
	"a state is used": {do: func(ctx context.Context, s *firestore.Store) error {
		return s.UseState(ctx, "state", begun)
	}},
	"a seat is taken": {do: func(ctx context.Context, s *firestore.Store) error {
		holder, err := s.TakeSeat(ctx, "seat", "ada")
		if err == nil && holder != "ada" {
			return fmt.Errorf("%q has the seat", holder)
		}
		return err
	}},
	"a seat is left": {
		prepare: func(ctx context.Context, s *firestore.Store) error {
			_, err := s.TakeSeat(ctx, "seat", "ada")
			return err
		},
		do: func(ctx context.Context, s *firestore.Store) error { return s.LeaveSeat(ctx, "seat", "ada") },
	},
	"a token is swapped": {
		prepare: func(ctx context.Context, s *firestore.Store) error {
			return s.User("ada").PutToken(ctx, record.Google, store.Token{Version: "one"})
		},
		do: func(ctx context.Context, s *firestore.Store) error {
			swapped, err := s.User("ada").SwapToken(ctx, record.Google, store.Token{Version: "one"}, store.Token{Version: "two", Sealed: []byte("secret")})
			if err == nil && !swapped {
				return errors.New("it says that another one was there")
			}
			return err
		},
	},
	"a token is removed": {
		prepare: func(ctx context.Context, s *firestore.Store) error {
			return s.User("ada").PutToken(ctx, record.Google, store.Token{Version: "one"})
		},
		do: func(ctx context.Context, s *firestore.Store) error {
			return s.User("ada").DeleteToken(ctx, record.Google)
		},
	},
	"a lease is acquired": {do: leases},
	"a lease is renewed": {prepare: leases, do: func(ctx context.Context, s *firestore.Store) error {
		return s.User("ada").Renew(ctx, record.Contacts, leased, begun.Add(time.Second), time.Minute)
	}},
	"a lease is given up": {prepare: leases, do: func(ctx context.Context, s *firestore.Store) error {
		return s.User("ada").Release(ctx, record.Contacts, leased)
	}},
	"a batch is written": {prepare: leases, do: func(ctx context.Context, s *firestore.Store) error {
		b := claiming("l1", "r1", "grace@example.com")
		b.Notes = []store.WriteNote{{Site: site, Record: "r1", Until: begun}}
		b.Pairs = []store.Pair{{ID: "p1", CreatioID: "c2", GoogleID: "people/g2", State: "doubt"}}
		refused, err := s.User("ada").PutBatch(ctx, record.Contacts, leased, begun, b)
		if err == nil && len(refused) > 0 {
			return fmt.Errorf("refused are %v", refused)
		}
		return err
	}},
	"a run is committed": {prepare: leases, do: func(ctx context.Context, s *firestore.Store) error {
		return s.User("ada").Commit(ctx, record.Contacts, leased, store.Run{ID: "run1", Status: "done"}, func(d *store.Sync) error {
			d.LastSync = begun
			return nil
		})
	}},
	"a long blob is written": {prepare: leases, unseen: true, do: func(ctx context.Context, s *firestore.Store) error {
		return s.User("ada").PutBlob(ctx, record.Contacts, leased, "members/google", make([]byte, 4_000_000))
	}},
	"changes of a run are added": {unseen: true, do: func(ctx context.Context, s *firestore.Store) error {
		long := string(make([]byte, 200_000))
		return s.User("ada").AddChanges(ctx, "run1", 0, []store.Change{{Record: "Ada", Fields: []store.FieldChange{{Field: "notes", After: long}}}})
	}},
	"a user is erased": {
		prepare: func(ctx context.Context, s *firestore.Store) error {
			u := s.User("ada")
			return errors.Join(leases(ctx, s), u.PutToken(ctx, record.Google, store.Token{Version: "one"}), u.PutRun(ctx, store.Run{ID: "run1"}))
		},
		unseen: true,
		do:     func(ctx context.Context, s *firestore.Store) error { return s.User("ada").Erase(ctx) },
	},
	"the schema is changed": {do: func(ctx context.Context, s *firestore.Store) error {
		return s.UpdateSchema(ctx, func(s *store.Schema) error {
			s.Version++
			return nil
		})
	}},
}

// A network that fails before a write leaves everything as it was, and one that fails after it, all of it: never half. Nobody is told
// that somebody else came first where the one who came first was this very request, and what is repeated takes effect once.
func TestWhatever_breaks_at_a_write_it_took_effect_once_or_not_at_all(t *testing.T) {
	t.Parallel()
	storetest.NeedEmulator(t, missing)
	for name, c := range changes {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			whole := c.made(t, breakage{call: -1}, true)
			must(t, whole.err)
			for call, method := range whole.calls {
				broken := breakages(call, method)
				t.Attr("faults", fmt.Sprint(len(broken)))
				for _, b := range broken {
					t.Run(fmt.Sprintf("%s %d %s after %t", method, call, b.code, b.after), func(t *testing.T) {
						t.Parallel()
						c.survives(t, b, whole)
					})
				}
			}
		})
	}
}

// breakages are those that a call of the method may meet. Only a commit changes anything.
func breakages(call int, method string) []breakage {
	if method != "Commit" {
		return []breakage{{call, codes.Unavailable, false}}
	}
	return []breakage{
		{call, codes.Aborted, false},
		{call, codes.Unavailable, false},
		{call, codes.DeadlineExceeded, false},
		{call, codes.Unavailable, true},
		{call, codes.DeadlineExceeded, true},
	}
}

// made is a change that was made by way of a proxy, from an empty database on.
type made struct {
	err           error
	calls         []string
	before, after map[string]any
}

func (c change) made(t *testing.T, b breakage, from bool) made {
	t.Helper()
	ctx, project := t.Context(), storetest.Project()
	direct, err := api.NewClient(ctx, project)
	must(t, err)
	t.Cleanup(func() { direct.Close() })
	p := &proxy{breaks: breakage{call: -1}}
	s, err := firestore.Open(ctx, project, "", p.through(t))
	must(t, err)
	t.Cleanup(func() { s.Close() })
	// The key of the hashes is made once for all.
	_, err = s.NewChannelID(ctx)
	must(t, err)
	must(t, s.User("ada").UpdateProfile(ctx, func(*store.Profile) error { return nil }))
	if c.prepare != nil {
		must(t, c.prepare(ctx, s))
	}
	var m made
	if from {
		m.before = everything(t, direct)
	}
	p.mu.Lock()
	p.breaks, p.calls = b, nil
	p.mu.Unlock()
	m.err = c.do(ctx, s)
	p.mu.Lock()
	m.calls = p.calls
	p.mu.Unlock()
	m.after = everything(t, direct)
	return m
}

func (c change) survives(t *testing.T, b breakage, whole made) {
	t.Helper()
	m := c.made(t, b, false)
	if m.err == nil {
		if diff := cmp.Diff(whole.after, m.after); diff != "" {
			t.Errorf("it says that it is done, but (-want +got):\n%s", diff)
		}
		return
	}
	if !fault.Is(m.err, fault.Retry) {
		t.Errorf("the error is %v, which is nothing to repeat", m.err)
	}
	if e, ok := errors.AsType[*fault.Error](m.err); ok && b.after && !e.Ambiguous {
		t.Errorf("the error %v says that nothing took effect", m.err)
	}
	if !c.unseen && !cmp.Equal(m.after, whole.before) && !cmp.Equal(m.after, whole.after) {
		t.Errorf("what is there is neither what was before nor what was to be (-before +now):\n%s", cmp.Diff(whole.before, m.after))
	}
}

// everything is all documents of a database, by their paths, but for the key of the hashes and what depends on it.
func everything(t *testing.T, client *api.Client) map[string]any {
	t.Helper()
	out := map[string]any{}
	roots, err := client.Collections(t.Context()).GetAll()
	must(t, err)
	for _, c := range roots {
		maps.Copy(out, within(t, c))
	}
	delete(out, "meta/hashes")
	return out
}

func within(t *testing.T, c *api.CollectionRef) map[string]any {
	t.Helper()
	out := map[string]any{}
	refs, err := c.DocumentRefs(t.Context()).GetAll()
	must(t, err)
	hashed := 0
	for _, ref := range refs {
		snap, _ := ref.Get(t.Context())
		if snap == nil {
			t.Fatal("no answer")
		}
		_, name, _ := strings.Cut(ref.Path, "/documents/")
		if c.ID == "claims" || c.ID == "notes" {
			name, hashed = fmt.Sprint(c.ID, hashed), hashed+1
		}
		if !snap.Exists() {
			// It only has documents below it.
			out[name] = nil
		} else {
			out[name] = told(c.ID, snap.Data())
		}
		below, err := ref.Collections(t.Context()).GetAll()
		must(t, err)
		for _, c := range below {
			maps.Copy(out, within(t, c))
		}
	}
	return out
}

// told are the fields of a document. Who used a state is random; of what is long a digest tells enough.
func told(collection string, fields map[string]any) map[string]any {
	doc, _ := fields["doc"].([]byte)
	if collection == "states" {
		doc, _, _ = bytes.Cut(doc, []byte(`,"by"`))
	}
	fields["doc"] = string(doc)
	if len(doc) > 10_000 {
		fields["doc"] = sha256.Sum256(doc)
	}
	return fields
}
