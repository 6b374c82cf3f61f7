package firestore_test

import (
	"bytes"
	"context"
	"errors"
	"testing"
	"time"

	"github.com/tandem-sync/tandem/shared/record"
	"github.com/tandem-sync/tandem/shared/store"
	"github.com/tandem-sync/tandem/shared/store/firestore"
)

func TestABlobWhoseWriterDiedIsTheFormerOne(t *testing.T) {
	t.Parallel()
	s, client := openBoth(t)
	u, ctx := signedIn(t, s, "ada"), t.Context()
	_, lease, err := u.Acquire(ctx, record.Contacts, "run1", time.Unix(1, 0), time.Minute)
	must(t, err)
	put := func(s *firestore.Store, ctx context.Context, fill string, size int) error {
		return s.User("ada").PutBlob(ctx, record.Contacts, lease, "b", bytes.Repeat([]byte(fill), size))
	}
	must(t, put(s, ctx, "a", 5_000_000))
	for at := 1; at < 6; at += 3 {
		dying, cancel := context.WithCancel(ctx)
		writes := 0
		mortal := s.WithObserver(func(_, written int) {
			if writes += written; writes >= at {
				cancel()
			}
		})
		if err := put(mortal, dying, "b", 6_000_000); err == nil {
			t.Fatal("it did not die")
		}
		cancel()
		got, err := u.Blob(ctx, record.Contacts, "b")
		must(t, err)
		if !bytes.Equal(got, bytes.Repeat([]byte("a"), 5_000_000)) {
			t.Fatalf("the blob is another one, of %d bytes", len(got))
		}
	}
	must(t, put(s, ctx, "c", 7_000_000))
	if n := left(t, client, "pieces"); n != 7 {
		t.Errorf("a blob of 8 pieces has %d below its head", n)
	}
}

func TestABlobThatComesAndGoesWhileItIsReadIsThereStill(t *testing.T) {
	t.Parallel()
	s, _ := openBoth(t)
	u, ctx := signedIn(t, s, "ada"), t.Context()
	_, lease, err := u.Acquire(ctx, record.Contacts, "run1", time.Unix(1, 0), time.Minute)
	must(t, err)
	put := func(fill string) {
		must(t, u.PutBlob(ctx, record.Contacts, lease, "b", bytes.Repeat([]byte(fill), 1_000_000)))
	}
	put("a")
	// Another one takes its place after its head was read, and it is back before the head is read again: twice.
	requests := 0
	slow := s.WithObserver(func(int, int) {
		switch requests++; requests {
		case 1, 3:
			put("b")
		case 2, 4:
			put("a")
		}
	})
	got, err := slow.User("ada").Blob(ctx, record.Contacts, "b")
	must(t, err)
	if !bytes.Equal(got, bytes.Repeat([]byte("a"), 1_000_000)) {
		t.Errorf("it has %d bytes, or is another one", len(got))
	}
}

func TestABlobThatLacksAPieceIsNone(t *testing.T) {
	t.Parallel()
	s, client := openBoth(t)
	u, ctx := signedIn(t, s, "ada"), t.Context()
	_, lease, err := u.Acquire(ctx, record.Contacts, "run1", time.Unix(1, 0), time.Minute)
	must(t, err)
	must(t, u.PutBlob(ctx, record.Contacts, lease, "b", bytes.Repeat([]byte("a"), 1_000_000)))
	pieces, err := client.CollectionGroup("pieces").Documents(ctx).GetAll()
	must(t, err)
	_, err = pieces[0].Ref.Delete(ctx)
	must(t, err)
	if _, err := u.Blob(ctx, record.Contacts, "b"); !errors.Is(err, store.ErrNotFound) {
		t.Errorf("error is %v", err)
	}
}
