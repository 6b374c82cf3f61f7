package firestore

import (
	"context"
	"crypto/rand"
	"errors"
	"sync"

	"cloud.google.com/go/firestore"

	"github.com/tandem-sync/tandem/shared/store"
	"github.com/tandem-sync/tandem/shared/store/internal/document"
)

// hashes has the key of the hashes, once this process has read it.
type hashes struct {
	mu  sync.Mutex
	key document.HashKey
}

// hashKey is the key of the hashes, made where there is none. 1 read for each process, and 1 write for each database.
func (s *Store) hashKey(ctx context.Context) (document.HashKey, error) {
	s.hashes.mu.Lock()
	defer s.hashes.mu.Unlock()
	if len(s.hashes.key.Key) > 0 {
		return s.hashes.key, nil
	}
	var key document.HashKey
	// Of two processes that make one at once, the second finds the first one's.
	err := s.change(ctx, s.client.Collection("meta").Doc("hashes"), func(snap *firestore.DocumentSnapshot) (fields, error) {
		var err error
		if key, err = content[document.HashKey](snap); !errors.Is(err, store.ErrNotFound) {
			return nil, err
		}
		key.Key = make([]byte, document.HashKeySize)
		// It never fails.
		_, _ = rand.Read(key.Key)
		return plain(key)
	})
	if err != nil {
		return document.HashKey{}, err
	}
	s.hashes.key = key
	return key, nil
}
