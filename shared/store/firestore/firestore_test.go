package firestore_test

import (
	"bytes"
	"encoding/hex"
	"fmt"
	"math/rand/v2"
	"os"
	"strings"
	"testing"
	"time"

	api "cloud.google.com/go/firestore"

	"github.com/tandem-sync/tandem/shared/fault"
	"github.com/tandem-sync/tandem/shared/record"
	"github.com/tandem-sync/tandem/shared/store"
	"github.com/tandem-sync/tandem/shared/store/firestore"
	"github.com/tandem-sync/tandem/shared/store/storetest"
)

// missing is why there is no emulator; nil where there is one.
var missing error

func TestMain(m *testing.M) {
	host, stop, err := storetest.Emulator()
	if err == nil {
		os.Setenv("FIRESTORE_EMULATOR_HOST", host)
	}
	missing = err
	code := m.Run()
	stop()
	os.Exit(code)
}

func open(t *testing.T) *firestore.Store {
	t.Helper()
	s, _ := openBoth(t)
	return s
}

// openBoth opens a new project's database as a store and as what it is.
func openBoth(t *testing.T) (*firestore.Store, *api.Client) {
	t.Helper()
	storetest.NeedEmulator(t, missing)
	project := storetest.Project()
	s, err := firestore.Open(t.Context(), project, "")
	if err != nil {
		t.Fatal(err)
	}
	client, err := api.NewClient(t.Context(), project)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		client.Close()
		if err := s.Close(); err != nil {
			t.Error(err)
		}
	})
	return s, client
}

// signedIn is a user who has a profile.
func signedIn(t *testing.T, s *firestore.Store, id string) store.User {
	t.Helper()
	must(t, s.User(id).UpdateProfile(t.Context(), func(*store.Profile) error { return nil }))
	return s.User(id)
}

func must(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

func TestStore(t *testing.T) {
	t.Parallel()
	storetest.NeedEmulator(t, missing)
	var asked queries
	t.Run("suite", func(t *testing.T) {
		storetest.Run(t, func(t *testing.T) store.Store {
			s, err := firestore.Open(t.Context(), storetest.Project(), "", asked.overhear(t))
			must(t, err)
			t.Cleanup(func() {
				if err := s.Close(); err != nil {
					t.Error(err)
				}
			})
			return s
		})
	})
	asked.check(t)
}

func TestWhatALaterVersionWroteStays(t *testing.T) {
	t.Parallel()
	s, client := openBoth(t)
	storetest.Later(t, s, func(key string, f func([]byte) []byte) {
		doc, err := client.Doc(key).Get(t.Context())
		must(t, err)
		_, err = doc.Ref.Update(t.Context(), []api.Update{{Path: "doc", Value: f(doc.Data()["doc"].([]byte))}})
		must(t, err)
	})
}

func TestDatabasesOfAProjectAreApart(t *testing.T) {
	t.Parallel()
	storetest.NeedEmulator(t, missing)
	project := storetest.Project()
	for _, database := range []string{"(default)", "tandem"} {
		s, err := firestore.Open(t.Context(), project, database)
		must(t, err)
		defer s.Close()
		must(t, s.User("ada").UpdateProfile(t.Context(), func(p *store.Profile) error {
			p.Session += "+"
			return nil
		}))
		p, err := s.User("ada").Profile(t.Context())
		must(t, err)
		if p.Session != "+" {
			t.Errorf("database %s: session is %q", database, p.Session)
		}
	}
}

func TestErasingLeavesNoDocumentBehind(t *testing.T) {
	t.Parallel()
	s, client := openBoth(t)
	u, ctx := signedIn(t, s, "ada"), t.Context()
	furnish := func() {
		must(t, u.UpdateProfile(ctx, func(*store.Profile) error { return nil }))
		must(t, u.PutToken(ctx, record.Google, store.Token{}))
		_, lease, err := u.Acquire(ctx, record.Contacts, "run1", time.Unix(1, 0), time.Minute)
		must(t, err)
		b := claiming("l0009", "r9", "k1", "k2")
		b.Links, b.Notes, b.Pairs = append(b.Links, links(2, 0)...), notes(2), pairs(2, store.StateDoubt)
		noise := make([]byte, 1<<20)
		_, _ = rand.NewChaCha8([32]byte{}).Read(noise)
		b.Links = append(b.Links, store.Link{ID: "long", GoogleID: "g", Name: hex.EncodeToString(noise)})
		_, err = u.PutBatch(ctx, record.Contacts, lease, time.Unix(1, 0), b)
		must(t, err)
		must(t, u.PutBlob(ctx, record.Contacts, lease, "series/1", bytes.Repeat([]byte("x"), 2_000_000)))
		_, err = client.Doc("users/ada/sync/contacts/rosters/google").Set(ctx, map[string]any{"doc": []byte("x"), "version": "v", "parts": 1})
		must(t, err)
		must(t, u.PutRun(ctx, store.Run{ID: "run1"}))
		must(t, u.AddChanges(ctx, "run1", 0, nil))
		must(t, u.PutChannel(ctx, store.Channel{ID: "c1"}))
	}
	wantNone := func() {
		t.Helper()
		for _, c := range []string{
			"users", "tokens", "sync", "links", "runs", "changes", "pairs", "blobs", "pieces", "rosters", "claims", "notes", "channels",
		} {
			left, err := client.CollectionGroup(c).Documents(ctx).GetAll()
			must(t, err)
			for _, doc := range left {
				t.Errorf("%s is left", doc.Ref.Path)
			}
		}
	}
	furnish()
	must(t, u.Erase(ctx))
	wantNone()

	// The next one is cut off after it removed what links and changes hang on.
	furnish()
	for _, path := range []string{"users/ada/sync/contacts", "users/ada/runs/run1"} {
		_, err := client.Doc(path).Delete(ctx)
		must(t, err)
	}
	must(t, u.Erase(ctx))
	wantNone()
}

func TestAPieceOfChangesIsThereAsAWholeOrNotAtAll(t *testing.T) {
	t.Parallel()
	s, client := openBoth(t)
	u, ctx := signedIn(t, s, "ada"), t.Context()
	must(t, u.PutRun(ctx, store.Run{ID: "run1"}))
	must(t, u.AddChanges(ctx, "run1", 0, []store.Change{{Record: strings.Repeat("x", 1_000_000)}}))
	must(t, u.AddChanges(ctx, "run1", 1, []store.Change{{Record: "small"}}))
	tails := 0
	parts, err := client.Collection("users/ada/runs/run1/changes").DocumentRefs(ctx).GetAll()
	must(t, err)
	for _, part := range parts {
		if strings.Contains(part.ID, "-") {
			tails++
			_, err := part.Update(ctx, []api.Update{{Path: "version", Value: "of another piece"}})
			must(t, err)
		}
	}
	r, err := u.Run(ctx, "run1")
	must(t, err)
	if tails != 1 || len(r.Changes) != 1 || r.Changes[0].Record != "small" {
		t.Errorf("with %d tails broken, %d changes are read", tails, len(r.Changes))
	}
}

func TestWhatIsTooLargeForADocumentIsRefusedBeforeAnythingIsWritten(t *testing.T) {
	t.Parallel()
	s := open(t)
	u, ctx := signedIn(t, s, "ada"), t.Context()
	_, lease, err := u.Acquire(ctx, record.Contacts, "run1", time.Unix(1, 0), time.Minute)
	must(t, err)
	noise := make([]byte, 4<<20)
	_, _ = rand.NewChaCha8([32]byte{}).Read(noise)
	_, err = u.PutBatch(ctx, record.Contacts, lease, time.Unix(1, 0), store.Batch{
		Links: append(links(1, 0), store.Link{ID: "large", GoogleID: "g", Name: hex.EncodeToString(noise)}),
	})
	if err == nil || !fault.Is(err, fault.Bug) || !strings.Contains(err.Error(), "link large") {
		t.Errorf("error is %v", err)
	}
	for l := range u.Links(ctx, record.Contacts) {
		t.Errorf("link %s was written", l.ID)
	}
}

func TestWhatExpiresCarriesTheFieldOfItsTimeToLive(t *testing.T) {
	t.Parallel()
	s, client := openBoth(t)
	u, ctx := signedIn(t, s, "ada"), t.Context()
	b := claiming("l1", "r1", "k1")
	b.Notes = notes(1)
	want := b.Claims[0].Until
	must(t, s.UseState(ctx, "state", want))
	_, lease, err := u.Acquire(ctx, record.Contacts, "run1", time.Unix(1, 0), time.Minute)
	must(t, err)
	_, err = u.PutBatch(ctx, record.Contacts, lease, time.Unix(1, 0), b)
	must(t, err)
	must(t, u.PutChannel(ctx, store.Channel{ID: "c1", Expires: want}))
	must(t, s.UpdateGuesses(ctx, "k1", func(g *store.Guesses) error { g.Expires = want; return nil }))
	must(t, u.PutAccessToken(ctx, store.AccessToken{ID: "t1", ExpiresAt: want}))
	const history = 24 * time.Hour
	kept := s.WithHistory(history).User("ada")
	must(t, kept.PutRun(ctx, store.Run{ID: "run1", Status: "done", FinishedAt: want.Add(-history)}))
	must(t, kept.AddChanges(ctx, "run1", 0, []store.Change{{Record: "Ada"}}))
	changes, err := client.CollectionGroup("changes").Documents(ctx).GetAll()
	must(t, err)
	if until, ok := changes[0].Data()["expires"].(time.Time); !ok || until.Before(time.Now()) {
		t.Errorf("expires of changes is %v", changes[0].Data()["expires"])
	}
	for _, field := range firestore.Expiring {
		if field[0] == "changes" {
			continue
		}
		docs, err := client.CollectionGroup(field[0]).Documents(ctx).GetAll()
		must(t, err)
		if len(docs) != 1 {
			t.Fatalf("%s has %d documents", field[0], len(docs))
		}
		if got, ok := docs[0].Data()[field[1]].(time.Time); !ok || !got.Equal(want) {
			t.Errorf("%s of %s is %v", field[1], field[0], docs[0].Data()[field[1]])
		}
	}
}

func TestARunThatGoesOnOrWaitsDoesNotExpire(t *testing.T) {
	t.Parallel()
	s, client := openBoth(t)
	u, ctx := signedIn(t, s.WithHistory(time.Hour), "ada"), t.Context()
	must(t, u.PutRun(ctx, store.Run{ID: "run1", Status: "done", FinishedAt: time.Unix(1, 0)}))
	must(t, u.UpdateRun(ctx, "run1", func(r *store.Run) error {
		r.Status = "held"
		return nil
	}))
	doc, err := client.Collection("users").Doc("ada").Collection("runs").Doc("run1").Get(ctx)
	must(t, err)
	if until, has := doc.Data()["expires"]; has {
		t.Errorf("it expires at %v", until)
	}
}

func TestNeitherClaimsNorNotesTellWhatTheyAreOf(t *testing.T) {
	t.Parallel()
	s, client := openBoth(t)
	u, ctx := signedIn(t, s, "ada"), t.Context()
	_, lease, err := u.Acquire(ctx, record.Contacts, "run1", time.Unix(1, 0), time.Minute)
	must(t, err)
	b := claiming("l1", "r1", "grace@example.com")
	b.Notes = []store.WriteNote{{Site: site, Record: "0f7f1a3e-8a1c", Until: time.Unix(2, 0)}}
	_, err = u.PutBatch(ctx, record.Contacts, lease, time.Unix(1, 0), b)
	must(t, err)
	for _, collection := range []string{"claims", "notes"} {
		docs, err := client.Collection(collection).Documents(ctx).GetAll()
		must(t, err)
		for _, doc := range docs {
			told := fmt.Sprintf("%s %v %s", doc.Ref.ID, doc.Data(), doc.Data()["doc"])
			for _, secret := range []string{"grace", "0f7f1a3e", "acme"} {
				if strings.Contains(told, secret) {
					t.Errorf("%s tells %s: %s", collection, secret, told)
				}
			}
		}
	}
}

func TestWhoeverIsDueInADocumentOfAnOlderVersionIsLookedAtEveryMinute(t *testing.T) {
	t.Parallel()
	s, client := openBoth(t)
	must(t, signedIn(t, s, "ada").UpdateSync(t.Context(), record.Contacts, func(d *store.Sync) error {
		d.Settings.Automatic, d.Due = true, time.Unix(1, 0)
		return nil
	}))
	_, err := client.Doc("users/ada/sync/contacts").Update(t.Context(), []api.Update{{Path: "every", Value: api.Delete}})
	must(t, err)
	if got, err := s.Shortest(t.Context(), record.Contacts); err != nil || got != time.Minute {
		t.Errorf("the shortest interval is %v, error %v", got, err)
	}
}
