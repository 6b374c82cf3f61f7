package bolt

import (
	"crypto/sha256"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"go.etcd.io/bbolt"

	"github.com/tandem-sync/tandem/shared/fault"
	"github.com/tandem-sync/tandem/shared/store"
)

func TestA_backup_taken_while_others_write_is_a_whole_database(t *testing.T) {
	t.Parallel()
	s := openNew(t).(*Store)
	path := filepath.Join(t.TempDir(), "backups", "tandem.db")
	write := func(n int) error {
		return s.User(fmt.Sprint("user", n)).UpdateProfile(t.Context(), func(p *store.Profile) error {
			p.Session = strings.Repeat("x", 10_000)
			return nil
		})
	}
	must(t, write(0))
	done := make(chan error)
	go func() {
		var err error
		for n := 1; n < 200 && err == nil; n++ {
			err = write(n)
		}
		done <- err
	}()
	for range 5 {
		must(t, s.Backup(t.Context(), path))
		wantMode(t, path, 0o600)
		if is := stateOf(t, path); is[`users/"user0"/"profile"`] == "" {
			t.Errorf("what was written before is not there: %v", is)
		}
	}
	must(t, <-done)
	if files, err := os.ReadDir(filepath.Dir(path)); err != nil || len(files) != 1 {
		t.Errorf("beside the backup there are %v, %v", files, err)
	}
}

func TestABackupThatCannotBeWrittenLeavesTheFormerOne(t *testing.T) {
	t.Parallel()
	s := openNew(t).(*Store)
	file := filepath.Join(t.TempDir(), "notes")
	must(t, os.WriteFile(file, []byte("kept"), 0o600))
	if err := s.Backup(t.Context(), filepath.Join(file, "tandem.db")); !fault.Is(err, fault.Misconfigured) {
		t.Errorf("a backup below a file: %v", err)
	}
	if is, err := os.ReadFile(file); err != nil || string(is) != "kept" {
		t.Errorf("the file is %q, %v", is, err)
	}
}

// stateOf opens a file anew, makes sure that it is in order, and tells what is in it.
func stateOf(t *testing.T, path string) map[string]string {
	t.Helper()
	s, err := Open(path)
	must(t, err)
	defer s.Close()
	must(t, s.db.View(func(tx *bbolt.Tx) error {
		var errs []error
		for err := range tx.Check() {
			errs = append(errs, err)
		}
		return errors.Join(errs...)
	}))
	return contents(t, s.db)
}

// contents are digests of all values, by their paths.
func contents(t *testing.T, db *bbolt.DB) map[string]string {
	t.Helper()
	out := map[string]string{}
	var walk func(path string, b *bbolt.Bucket) error
	walk = func(path string, b *bbolt.Bucket) error {
		return b.ForEach(func(k, v []byte) error {
			at := fmt.Sprintf("%s/%q", path, k)
			if inner := b.Bucket(k); inner != nil {
				return walk(at, inner)
			}
			out[at] = fmt.Sprintf("%x", sha256.Sum256(v))
			return nil
		})
	}
	must(t, db.View(func(tx *bbolt.Tx) error {
		return tx.ForEach(func(name []byte, b *bbolt.Bucket) error { return walk(string(name), b) })
	}))
	return out
}
