package bolt

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"

	"go.etcd.io/bbolt"
)

// Backup writes the documents as they are now to a file, in place of an older backup there. The file is a whole database at any time:
// a copy of the store's own file would not be, while somebody writes to it. Others read and write meanwhile.
func (s *Store) Backup(ctx context.Context, path string) error {
	if err := os.MkdirAll(filepath.Dir(path), 0o700); err != nil {
		return fmt.Errorf("back up store: %w", classify(err))
	}
	// Only the owner may read what CreateTemp makes.
	next, err := os.CreateTemp(filepath.Dir(path), filepath.Base(path)+".*")
	if err != nil {
		return fmt.Errorf("back up store: %w", classify(err))
	}
	err = s.view(ctx, "back up store", func(tx *bbolt.Tx) error {
		_, err := tx.WriteTo(next)
		return errors.Join(err, next.Sync())
	})
	if closed := next.Close(); err == nil && closed != nil {
		err = fmt.Errorf("back up store: %w", classify(closed))
	}
	if err == nil {
		if err = os.Rename(next.Name(), path); err == nil {
			return nil
		}
		err = fmt.Errorf("back up store: %w", classify(err))
	}
	return errors.Join(err, os.Remove(next.Name()))
}
