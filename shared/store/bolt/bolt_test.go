package bolt

import (
	"bytes"
	"errors"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"go.etcd.io/bbolt"

	"github.com/tandem-sync/tandem/shared/fault"
	"github.com/tandem-sync/tandem/shared/record"
	"github.com/tandem-sync/tandem/shared/store"
	"github.com/tandem-sync/tandem/shared/store/storetest"
)

func openNew(t *testing.T) store.Store {
	t.Helper()
	s, err := Open(filepath.Join(t.TempDir(), "tandem.db"))
	if err != nil {
		t.Fatal(err)
	}
	// What a crash of the machine would lose does not matter here, and the tests share its disk.
	s.db.NoSync = true
	t.Cleanup(func() {
		if err := s.Close(); err != nil {
			t.Error(err)
		}
	})
	return s
}

func TestStore(t *testing.T) {
	t.Parallel()
	storetest.Run(t, openNew)
}

func TestOnlyTheOwnerReadsTheFile(t *testing.T) {
	t.Parallel()
	dir := filepath.Join(t.TempDir(), "new", "tandem")
	path := filepath.Join(dir, "tandem.db")
	for range 2 {
		s, err := Open(path)
		if err != nil {
			t.Fatal(err)
		}
		wantMode(t, dir, 0o700)
		wantMode(t, path, 0o600)
		if err := s.Close(); err != nil {
			t.Fatal(err)
		}
		// A file that others could read is closed to them when it is opened.
		if err := os.Chmod(path, 0o644); err != nil {
			t.Fatal(err)
		}
	}
}

func wantMode(t *testing.T, path string, want os.FileMode) {
	t.Helper()
	info, err := os.Stat(path)
	if err != nil {
		t.Fatal(err)
	}
	if got := info.Mode().Perm(); got != want {
		t.Errorf("%s has mode %o, want %o", path, got, want)
	}
}

func TestTheDueIndexIsBuiltAnewFromTheDocuments(t *testing.T) {
	t.Parallel()
	s := openNew(t).(*Store)
	noon := time.Date(2026, time.March, 2, 12, 0, 0, 0, time.UTC)
	var want []store.Due
	for n, user := range []string{"ada", "bob", "cyd"} {
		want = append(want, store.Due{User: user, At: noon.Add(time.Duration(n) * time.Minute)})
		must(t, s.User(user).UpdateProfile(t.Context(), func(*store.Profile) error { return nil }))
		if err := s.User(user).UpdateSync(t.Context(), record.Contacts, func(d *store.Sync) error {
			d.Due = want[n].At
			return nil
		}); err != nil {
			t.Fatal(err)
		}
	}
	// Bob's entry is missing, Cyd has one too many, and somebody is in the index who is no user.
	err := s.db.Update(func(tx *bbolt.Tx) error {
		due := find(tx, "due", "contacts")
		return errors.Join(due.Delete(dueKey(want[1].At, "bob")), due.Put(dueKey(noon, "cyd"), nil), due.Put(dueKey(noon, "dan"), nil))
	})
	if err != nil {
		t.Fatal(err)
	}
	if last, err := s.Reindex(t.Context(), "", 1); last != "" || err != nil {
		t.Fatalf("got %q, %v", last, err)
	}
	got, err := s.Due(t.Context(), record.Contacts, noon.Add(time.Hour), store.Due{}, 10)
	if diff := cmp.Diff(want, got); diff != "" || err != nil {
		t.Errorf("due users (-want +got), %v:\n%s", err, diff)
	}
}

func TestWhatALaterVersionWroteStays(t *testing.T) {
	t.Parallel()
	s := openNew(t).(*Store)
	storetest.Later(t, s, func(key string, f func([]byte) []byte) {
		if key == "users/ada" {
			key += "/profile"
		}
		path := strings.Split(key, "/")
		err := s.db.Update(func(tx *bbolt.Tx) error {
			b, name := find(tx, path[:len(path)-1]...), []byte(path[len(path)-1])
			return b.Put(name, f(bytes.Clone(b.Get(name))))
		})
		if err != nil {
			t.Fatal(err)
		}
	})
}

func TestOnlyOneProcessOpensTheFile(t *testing.T) {
	t.Parallel()
	path := filepath.Join(t.TempDir(), "tandem.db")
	first, err := Open(path)
	if err != nil {
		t.Fatal(err)
	}
	_, err = open(path, 10*time.Millisecond)
	if !fault.Is(err, fault.Misconfigured) || !strings.Contains(err.Error(), "another process has it open") {
		t.Errorf("second open: %v", err)
	}
	if err := first.Close(); err != nil {
		t.Fatal(err)
	}
	again, err := open(path, 10*time.Millisecond)
	if err != nil {
		t.Fatalf("open after close: %v", err)
	}
	again.Close()
}

func TestDocumentsSurviveReopening(t *testing.T) {
	t.Parallel()
	path := filepath.Join(t.TempDir(), "tandem.db")
	for want := range 2 {
		s, err := Open(path)
		if err != nil {
			t.Fatal(err)
		}
		err = s.User("ada").UpdateProfile(t.Context(), func(p *store.Profile) error {
			if len(p.Session) != want {
				t.Errorf("session is %q, want %d signs", p.Session, want)
			}
			p.Session += "+"
			return nil
		})
		if err != nil {
			t.Fatal(err)
		}
		s.Close()
	}
}

func TestErrorsOfTheFileAreOfAKind(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	if _, err := Open(dir); !fault.Is(err, fault.Misconfigured) {
		t.Errorf("open of a directory: %v", err)
	}
	file := filepath.Join(dir, "notes.txt")
	if err := os.WriteFile(file, []byte(strings.Repeat("not a database\n", 1000)), 0o600); err != nil {
		t.Fatal(err)
	}
	if _, err := Open(file); err == nil || !fault.Is(err, fault.Bug) {
		t.Errorf("open of another file: %v", err)
	}
	if _, err := Open(filepath.Join(file, "tandem.db")); !fault.Is(err, fault.Misconfigured) {
		t.Errorf("open below a file: %v", err)
	}
	s, err := Open(filepath.Join(dir, "tandem.db"))
	if err != nil {
		t.Fatal(err)
	}
	s.Close()
	if _, err := s.User("ada").Profile(t.Context()); err == nil || !fault.Is(err, fault.Bug) {
		t.Errorf("read after close: %v", err)
	}
}

func TestRunsAndTheirChangesGoWhenTheirTimeIsOver(t *testing.T) {
	t.Parallel()
	s := openNew(t).(*Store).WithHistory(30 * 24 * time.Hour)
	u, ctx := s.User("ada"), t.Context()
	day := func(n int) time.Time { return time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC).AddDate(0, 0, n) }
	must(t, u.UpdateProfile(ctx, func(*store.Profile) error { return nil }))
	for id, r := range map[string]store.Run{"r1": {Status: "held"}, "r2": {Status: "done"}, "r3": {Status: "partial"}} {
		r.ID, r.StartedAt, r.FinishedAt = id, day(0), day(0)
		must(t, u.PutRun(ctx, r))
		must(t, u.AddChanges(ctx, id, 0, []store.Change{{Record: "Ada"}}))
	}
	must(t, u.UpdateRun(ctx, "r3", func(r *store.Run) error {
		r.FinishedAt = day(20)
		return nil
	}))
	left := func() (ids []string) {
		runs, err := u.Runs(ctx, "", 10, "")
		must(t, err)
		for _, r := range runs {
			ids = append(ids, r.ID)
		}
		return ids
	}
	must(t, u.PutRun(ctx, store.Run{ID: "r4", Status: "done", FinishedAt: day(29)}))
	if got := left(); len(got) != 4 {
		t.Errorf("after 29 days there are %v", got)
	}
	must(t, u.PutRun(ctx, store.Run{ID: "r5", Status: "done", FinishedAt: day(31)}))
	if got := left(); !slices.Equal(got, []string{"r5", "r4", "r3", "r1"}) {
		t.Errorf("after 31 days there are %v: the run that ended lately and the one that waits stay", got)
	}
	r, err := u.Run(ctx, "r1")
	if must(t, err); len(r.Changes) != 1 {
		t.Errorf("the run that waits has the changes %v", r.Changes)
	}
	must(t, u.PutRun(ctx, store.Run{ID: "r2", Status: "done", FinishedAt: day(31)}))
	if r, err := u.Run(ctx, "r2"); err != nil || len(r.Changes) > 0 {
		t.Errorf("the changes of a run that went are still there: %v, %v", r.Changes, err)
	}
}

func TestWhatAFormerVersionWroteAfterAnErasureIsRemoved(t *testing.T) {
	t.Parallel()
	s := openNew(t).(*Store)
	storetest.Furnish(t, s, "ada")
	must(t, s.db.Update(func(tx *bbolt.Tx) error { return find(tx, "users", "ada").Delete([]byte("profile")) }))
	must(t, s.User("ada").EraseRemains(t.Context()))
	storetest.WantErased(t, s, "ada")
}
