package firestore

import (
	"context"
	"errors"
	"fmt"
	"iter"
	"slices"
	"strings"
	"time"

	"cloud.google.com/go/firestore"

	"github.com/tandem-sync/tandem/shared/fault"
	"github.com/tandem-sync/tandem/shared/record"
	"github.com/tandem-sync/tandem/shared/store"
	"github.com/tandem-sync/tandem/shared/store/internal/document"
)

// A blob is cut into pieces of what fits into a document. The first one is the head; the others lie below it, in a slot that
// the head names. A blob that takes several transactions goes into another slot than the former one, and its head is
// written in the last of them, with which the former pieces go: whoever reads finds the one blob or the other. What a writer
// left behind that died is in the slot that the next one takes. A blob that fits into its head takes one write, and leaves
// the pieces of a longer one before it to the next longer one.

// blobHead is the head of a blob. All pieces carry the version of the whole, a hash.
type blobHead struct {
	Doc     []byte `firestore:"doc"`
	Version string `firestore:"version"`
	Parts   int    `firestore:"parts"`
	// Slot is where the other pieces are, and where Tail documents are in any case.
	Slot string `firestore:"slot"`
	Tail int    `firestore:"tail"`
}

// Slots for the pieces of a blob: those of runs take turns, and a migration has one of its own.
const (
	firstSlot, secondSlot = "a", "b"
	movedSlot             = "m"
)

func (h blobHead) nextSlot() string {
	if h.Slot == firstSlot {
		return secondSlot
	}
	return firstSlot
}

// blobKey is the key of a blob's head. No id has a dot.
func blobKey(name string) string { return strings.ReplaceAll(name, "/", ".") }

func (u *user) blobs(t record.Type) *firestore.CollectionRef { return u.syncRef(t).Collection("blobs") }

func pieceRef(head *firestore.DocumentRef, slot string, n int) *firestore.DocumentRef {
	return head.Collection("pieces").Doc(fmt.Sprintf("%s-%06d", slot, n))
}

func headOf(snap *firestore.DocumentSnapshot) (blobHead, error) {
	var h blobHead
	if !snap.Exists() {
		return h, store.ErrNotFound
	}
	if err := snap.DataTo(&h); err != nil {
		return h, fault.New(fault.Bug, document.Side, "decode", err)
	}
	return h, nil
}

// Blob costs 1 read for every 900 kB; for a member set that is not there 1 more, until they are moved.
func (u *user) Blob(ctx context.Context, t record.Type, name string) ([]byte, error) {
	data, err := u.readBlob(ctx, t, name)
	return data, wrap("read blob", err)
}

func (u *user) readBlob(ctx context.Context, t record.Type, name string) ([]byte, error) {
	if err := document.ToRead(u.id, string(t)); err != nil {
		return nil, err
	}
	if err := document.BlobToRead(name); err != nil {
		return nil, err
	}
	// A blob may be replaced while it is read.
	const attempts = 5
	ref, torn := u.blobs(t).Doc(blobKey(name)), time.Time{}
	for range attempts {
		snap, err := u.s.get(ctx, ref)
		if err != nil {
			return nil, err
		}
		head, err := headOf(snap)
		if side, is := store.IsMembersBlob(name); is && errors.Is(err, store.ErrNotFound) && u.s.version.Load() < moved {
			return u.formerMemberSet(ctx, t, string(side))
		}
		if err != nil {
			return nil, err
		}
		data, whole, err := u.readPieces(ctx, ref, head)
		if whole || err != nil {
			return data, err
		}
		if torn.Equal(snap.UpdateTime) {
			// Nobody replaced it, and nothing can put it together again.
			return nil, store.ErrNotFound
		}
		torn = snap.UpdateTime
	}
	return nil, fault.Errorf(fault.Retry, document.Side, "busy", "the blob %s keeps changing", name)
}

// readPieces puts a blob together; false where a piece is missing.
func (u *user) readPieces(ctx context.Context, ref *firestore.DocumentRef, head blobHead) (data []byte, whole bool, err error) {
	const atOnce = 10
	var refs []*firestore.DocumentRef
	for n := 1; n < head.Parts; n++ {
		refs = append(refs, pieceRef(ref, head.Slot, n))
	}
	data = head.Doc
	for some := range slices.Chunk(refs, atOnce) {
		snaps, err := u.s.getAll(ctx, some)
		if err != nil {
			return nil, false, err
		}
		for _, snap := range snaps {
			p, err := headOf(snap)
			if errors.Is(err, store.ErrNotFound) || err == nil && p.Version != head.Version {
				return nil, false, nil
			}
			if err != nil {
				return nil, false, err
			}
			data = append(data, p.Doc...)
		}
	}
	return data, true, nil
}

// Blobs costs 1 read for each blob and 1 for every 900 kB, at least 2.
func (u *user) Blobs(ctx context.Context, t record.Type) iter.Seq2[store.Blob, error] {
	return func(yield func(store.Blob, error) bool) {
		names, err := u.blobNames(ctx, t)
		if err != nil {
			yield(store.Blob{}, wrap("list blobs", err))
			return
		}
		for _, name := range names {
			data, err := u.Blob(ctx, t, name)
			if errors.Is(err, store.ErrNotFound) {
				// It was removed meanwhile.
				continue
			}
			if !yield(store.Blob{Name: name, Data: data}, err) || err != nil {
				return
			}
		}
	}
}

func (u *user) blobNames(ctx context.Context, t record.Type) ([]string, error) {
	if document.ToRead(u.id, string(t)) != nil {
		return nil, nil
	}
	heads, err := u.s.query(ctx, u.blobs(t).Select())
	if err != nil {
		return nil, err
	}
	var names []string
	for _, snap := range heads {
		names = append(names, strings.ReplaceAll(snap.Ref.ID, ".", "/"))
	}
	former, err := u.formerMemberSets(ctx, t)
	for _, ref := range former {
		if isHead(ref.ID) {
			names = append(names, store.MembersBlob(record.Side(ref.ID)))
		}
	}
	slices.Sort(names)
	return slices.Compact(names), err
}

// PutBlob costs 1 read, and 1 write; for a blob of more than 900 kB, 1 read and 1 more for every 2.7 MB, and 1 write for every
// 900 kB and for every piece below the former head.
func (u *user) PutBlob(ctx context.Context, t record.Type, l store.Lease, name string, data []byte) error {
	if err := document.ToWrite(u.id, string(t)); err != nil {
		return wrap("put blob", err)
	}
	if err := document.BlobToWrite(name); err != nil {
		return wrap("put blob", err)
	}
	w := blobWrite{ref: u.blobs(t).Doc(blobKey(name)), parts: split(data), slot: blobHead.nextSlot}
	if side, is := store.IsMembersBlob(name); is && len(data) == 0 {
		w.gone = []*firestore.DocumentRef{u.formerMemberSetRef(t, string(side), 0)}
	}
	may := func(get reader, others ...*firestore.DocumentRef) ([]*firestore.DocumentSnapshot, error) {
		return u.fenced(get, t, l, others...)
	}
	if len(w.parts) == 1 {
		return wrap("put blob", w.putHead(ctx, u.s, may))
	}
	return wrap("put blob", w.put(ctx, u.s, may))
}

// blobWrite is a blob that is to be written.
type blobWrite struct {
	ref   *firestore.DocumentRef
	parts []fields
	// slot chooses where the pieces go, by the head that there is, which may be none.
	slot func(blobHead) string
	// once says that a blob that is there already stays.
	once bool
	// gone are documents to be removed with it.
	gone []*firestore.DocumentRef
}

// guard makes sure in a transaction that a blob may be written, and reads other documents with what says so.
type guard func(get reader, others ...*firestore.DocumentRef) ([]*firestore.DocumentSnapshot, error)

// errThere says that a blob that was to be written once is there already.
var errThere = errors.New("the blob is there already")

// putHead writes a blob that is nothing but its head, over whatever there is.
func (w blobWrite) putHead(ctx context.Context, s *Store, may guard) error {
	return s.transact(ctx, func(get reader, tx *firestore.Transaction) (int, error) {
		if _, err := may(get); err != nil {
			return 0, err
		}
		return 1, tx.Set(w.ref, w.parts[0].present(), firestore.MergeAll)
	})
}

// put writes a blob of any length.
func (w blobWrite) put(ctx context.Context, s *Store, may guard) error {
	// So many stay below batchBytes.
	const atOnce = 3
	tail := max(0, len(w.parts)-1)
	var former blobHead
	var slot string
	for at := 0; ; {
		n := min(atOnce, tail-at)
		last := at+n == tail && n < atOnce
		err := s.transact(ctx, func(get reader, tx *firestore.Transaction) (int, error) {
			var others []*firestore.DocumentRef
			if at == 0 || w.once {
				others = append(others, w.ref)
			}
			snaps, err := may(get, others...)
			if err != nil {
				return 0, err
			}
			if len(snaps) > 0 {
				if former, err = headOf(snaps[0]); err != nil && !errors.Is(err, store.ErrNotFound) {
					return 0, err
				}
				if w.once && snaps[0].Exists() {
					return 0, errThere
				}
			}
			if at == 0 {
				slot = w.slot(former)
			}
			for i := range n {
				if err := tx.Set(pieceRef(w.ref, slot, at+i+1), w.parts[at+i+1].present()); err != nil {
					return 0, err
				}
			}
			if !last {
				return n, nil
			}
			writes, err := w.finish(tx, former, slot)
			return n + writes, err
		})
		if err != nil || last {
			return err
		}
		at += n
	}
}

// finish writes the head, with which the blob is there, and removes what the former one leaves.
func (w blobWrite) finish(tx *firestore.Transaction, former blobHead, slot string) (writes int, err error) {
	gone := slices.Clone(w.gone)
	for n := 1; n <= former.Tail; n++ {
		if former.Slot != slot || n >= len(w.parts) {
			gone = append(gone, pieceRef(w.ref, former.Slot, n))
		}
	}
	if len(w.parts) == 0 {
		gone = append(gone, w.ref)
	}
	for _, ref := range gone {
		if err := tx.Delete(ref); err != nil {
			return 0, err
		}
	}
	if len(w.parts) == 0 {
		return len(gone), nil
	}
	head := w.parts[0]
	head["slot"], head["tail"] = slot, len(w.parts)-1
	return len(gone) + 1, tx.Set(w.ref, head.present())
}
