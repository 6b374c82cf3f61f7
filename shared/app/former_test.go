package app_test

import (
	"archive/zip"
	"encoding/json"
	"io"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	gocmp "github.com/google/go-cmp/cmp"
	"go.etcd.io/bbolt"
	"golang.org/x/tools/txtar"

	creatiobox "github.com/tandem-sync/tandem/shared/sandbox/creatio"
	"github.com/tandem-sync/tandem/shared/store/bolt"
	"github.com/tandem-sync/tandem/shared/store/migrate"
)

// The archives of testdata/former are what the version before the journal of intents kept, beside the state of both services at
// that moment: tandem.db is its store, google.json and creatio.json are what the simulated services saved, world.json says
// when and at which addresses that was. That version wrote them by playing one story: a first synchronization with a pair
// that meets, a cut and an unknown value, values that are left alone and a contact that Google refuses; an undo of a creation;
// an edit. Then, by the archive's name:
//
//	creating-in-creatio   the process died once its first creations took effect in Creatio
//	creating-in-google    the same in Google
//	carrying-photos       the process died once the first photo was written to Google
//	held                  twelve of fifteen further contacts were untagged, and the run waits for the user
//
// This version cannot write such stores. The story of the same name tells how it goes on from there.
// former is a world that goes on from an archive, after some migrations.
func former(t *testing.T, name string, migrations ...migrate.Migration) *story {
	t.Helper()
	archive, err := zip.OpenReader("testdata/former/" + name + ".zip")
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = archive.Close() }()
	read := func(name string) []byte {
		f, err := archive.Open(name)
		if err != nil {
			t.Fatal(err)
		}
		defer func() { _ = f.Close() }()
		data, err := io.ReadAll(f)
		if err != nil {
			t.Fatal(err)
		}
		return data
	}
	var at struct {
		Tandem, Google, Creatio, User string
		Now                           time.Time
	}
	if err := json.Unmarshal(read("world.json"), &at); err != nil {
		t.Fatal(err)
	}
	w := newWorld(t, unhurried)
	w.stop()
	moved := strings.NewReplacer(at.Tandem, w.url, at.Google, w.env["GOOGLE_ENDPOINT"], at.Creatio, w.env["CREATIO_URL"])
	if err := w.google.Load(strings.NewReader(moved.Replace(string(read("google.json"))))); err != nil {
		t.Fatal(err)
	}
	if err := w.creatio.Load(strings.NewReader(moved.Replace(string(read("creatio.json"))))); err != nil {
		t.Fatal(err)
	}
	w.creatio.AddOAuthClient(creatiobox.OAuthClient{
		ID: clientID, Secret: clientSecret, Kind: w.kind(), RedirectURIs: []string{w.url + "/oauth-callback/creatio"}, TechnicalUser: "Ada",
	})
	path := strings.TrimPrefix(w.env["STORE"], "bolt:")
	if err := os.WriteFile(path, read("tandem.db"), 0o600); err != nil {
		t.Fatal(err)
	}
	move(t, path, moved)
	migrated(t, path, migrations)
	w.clock.Store(at.Now.Add(10 * time.Minute).UnixNano())
	w.start()
	// The tokens are sealed with a key that is in no archive.
	w.link()
	return &story{world: w, apart: 5 * time.Minute, user: at.User}
}

// move replaces addresses in all values of a store.
func move(t *testing.T, path string, moved *strings.Replacer) {
	t.Helper()
	db, err := bbolt.Open(path, 0o600, nil)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = db.Close() }()
	var walk func(b *bbolt.Bucket) error
	walk = func(b *bbolt.Bucket) error {
		changed := map[string]string{}
		err := b.ForEach(func(k, v []byte) error {
			if v == nil {
				return walk(b.Bucket(k))
			}
			if is := moved.Replace(string(v)); is != string(v) {
				changed[string(k)] = is
			}
			return nil
		})
		for k, v := range changed {
			if err == nil {
				err = b.Put([]byte(k), []byte(v))
			}
		}
		return err
	}
	err = db.Update(func(tx *bbolt.Tx) error {
		return tx.ForEach(func(_ []byte, b *bbolt.Bucket) error { return walk(b) })
	})
	if err != nil {
		t.Fatal(err)
	}
}

func formerStories(t *testing.T) map[string]*txtar.Archive {
	t.Helper()
	files, err := filepath.Glob("testdata/former/*.txtar")
	if err != nil || len(files) == 0 {
		t.Fatalf("no stories: %v", err)
	}
	out := map[string]*txtar.Archive{}
	for _, file := range files {
		if out[strings.TrimSuffix(filepath.Base(file), ".txtar")], err = txtar.ParseFile(file); err != nil {
			t.Fatal(err)
		}
	}
	return out
}

func TestThis_version_goes_on_from_what_the_former_one_kept(t *testing.T) {
	t.Parallel()
	for name, archive := range formerStories(t) {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s := former(t, name)
			s.play(archive)
			if *update {
				if err := os.WriteFile("testdata/former/"+name+".txtar", txtar.Format(archive), 0o600); err != nil {
					t.Fatal(err)
				}
			}
			for range 3 {
				s.pass(90 * time.Minute)
				s.do(http.MethodPost, "/sync-contacts", map[string]string{})
				if err := s.app.Wait(t.Context()); err != nil {
					t.Fatal(err)
				}
			}
			if !strings.Contains(s.log.String(), "documents are migrated") {
				t.Error("no document was migrated")
			}
			s.settled()
		})
	}
}

// The first run of this version dies at any of its requests, and so between any two of its writes to the store that a request lies
// between. It comes to the same end, whether the documents are moved before or after.
func TestThis_version_goes_on_from_what_the_former_one_kept_although_it_is_cut_off(t *testing.T) {
	t.Parallel()
	for name := range formerStories(t) {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			whole := former(t, name)
			whole.synchronize()
			want := whole.picture()
			for n := 1; ; n++ {
				s := former(t, name, migrate.All[:n%(len(migrate.All)+1)]...)
				s.pass(5 * time.Minute)
				cut := s.cutOff(processDied, "", n, func() { s.do(http.MethodPost, "/sync-contacts", map[string]string{"user": s.user}) })
				if !cut {
					break
				}
				s.revive()
				s.pass(20 * time.Minute)
				s.synchronize()
				if got := s.picture(); got != want {
					t.Errorf("cut off at request %d (-want +got):\n%s", n, gocmp.Diff(want, got))
				}
				s.settled()
			}
		})
	}
}

// migrated carries out the first migrations of documents in a store.
func migrated(t *testing.T, path string, all []migrate.Migration) {
	t.Helper()
	s, err := bolt.Open(path)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = s.Close() }()
	for _, m := range all {
		for after := ""; ; {
			if after, err = m.Page(t.Context(), s, after); err != nil {
				t.Fatalf("%s: %v", m.Name, err)
			}
			if after == "" {
				break
			}
		}
	}
}

// The list of a run that the former version held is not one that this version could check, so it asks once more. Nothing of it was
// done, and so there is nothing to undo.
func TestTo_approve_what_the_former_version_held_takes_nothing_away_unseen(t *testing.T) {
	t.Parallel()
	s := former(t, "held")
	before := s.groupNames()
	first := *s.account().Contacts.State.HeldRun
	if page := s.visit("/settings/runs/" + first).body; !strings.Contains(page, "12 contacts") || strings.Contains(page, "Undo this run") {
		t.Errorf("the page of the former list says\n%s", page)
	}
	s.call(http.MethodPost, "/runs/"+first+"/undo", nil, 409, nil)
	if status, _ := s.queued("/runs/" + first + "/approve"); status != "held" {
		t.Errorf("the run that follows is %s", status)
	}
	// The former version left out who has more notes than Google takes; they are cut now.
	if got := s.groupNames(); got != strings.TrimSuffix(before, "\n")+", Notes Refused\n" {
		t.Errorf("in the group are %s, before %s", got, before)
	}
	// The list of this version is good.
	if got := s.decide("approve"); !strings.Contains(got, "Google took out") || strings.Contains(s.groupNames(), "Colleague 12") {
		t.Errorf("approved, it tells %s, and in the group are %s", got, s.groupNames())
	}
	s.settled()
}
