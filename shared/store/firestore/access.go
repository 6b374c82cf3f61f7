package firestore

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"sync/atomic"
	"time"

	"cloud.google.com/go/firestore"
	"github.com/googleapis/gax-go/v2"
	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"

	"github.com/tandem-sync/tandem/shared/fault"
	"github.com/tandem-sync/tandem/shared/store"
	"github.com/tandem-sync/tandem/shared/store/internal/document"
)

// get reads a document, which may be missing.
func (s *Store) get(ctx context.Context, ref *firestore.DocumentRef) (*firestore.DocumentSnapshot, error) {
	snaps, err := s.getAll(ctx, []*firestore.DocumentRef{ref})
	if err != nil {
		return nil, err
	}
	return snaps[0], nil
}

// getAll reads documents, which may be missing: GetAll tells that apart from a missing database, for which Firestore's
// answer is NotFound as well.
func (s *Store) getAll(ctx context.Context, refs []*firestore.DocumentRef) ([]*firestore.DocumentSnapshot, error) {
	snaps, err := s.client.GetAll(ctx, refs)
	if err != nil {
		return nil, classify(err, false)
	}
	s.observe(len(refs), 0)
	return snaps, nil
}

// query reads documents.
func (s *Store) query(ctx context.Context, q firestore.Query) ([]*firestore.DocumentSnapshot, error) {
	snaps, err := q.Documents(ctx).GetAll()
	if err != nil {
		return nil, classify(err, false)
	}
	s.observe(max(1, len(snaps)), 0)
	return snaps, nil
}

// set writes a document in place of what there is.
func (s *Store) set(ctx context.Context, ref *firestore.DocumentRef, f fields) error {
	if _, err := ref.Set(ctx, f.present()); err != nil {
		return classify(err, true)
	}
	s.observe(0, 1)
	return nil
}

// content decodes a document; ErrNotFound where it is missing.
func content[D document.Document](snap *firestore.DocumentSnapshot) (D, error) {
	var none D
	if !snap.Exists() {
		return none, store.ErrNotFound
	}
	doc, ok := snap.Data()["doc"].([]byte)
	if !ok {
		return none, fault.Errorf(fault.Bug, document.Side, "decode", "%s has no content", snap.Ref.Path)
	}
	return document.Decode[D](doc)
}

// change reads a document, which may be missing, and writes what f makes of it if nobody else wrote in between; else
// it starts again. f returns nil fields for nothing to write. 1 read and 1 write for each attempt that gets so far.
func (s *Store) change(ctx context.Context, ref *firestore.DocumentRef, f func(*firestore.DocumentSnapshot) (fields, error)) error {
	const attempts = 20
	pause := gax.Backoff{Initial: 10 * time.Millisecond, Max: 500 * time.Millisecond, Multiplier: 2}
	ctx, lost := listen(ctx)
	var wrote fields
	for range attempts {
		snap, err := s.get(ctx, ref)
		if err != nil {
			return err
		}
		if lost.Load() && wrote.in(snap) {
			return nil
		}
		next, err := f(snap)
		if err != nil || next == nil {
			return err
		}
		wrote = next
		if snap.Exists() {
			var updates []firestore.Update
			for path, value := range next {
				updates = append(updates, firestore.Update{Path: path, Value: value})
			}
			_, err = ref.Update(ctx, updates, firestore.LastUpdateTime(snap.UpdateTime))
		} else {
			_, err = ref.Create(ctx, next.present())
		}
		switch {
		case err == nil:
			s.observe(0, 1)
			return nil
		case !outrun(err):
			return classify(err, true)
		}
		if err := gax.Sleep(ctx, pause.Pause()); err != nil {
			return classify(err, false)
		}
	}
	return fault.New(fault.Retry, document.Side, "busy", errBusy)
}

// errBusy says that others changed the document again and again.
var errBusy = errors.New("the document keeps changing")

// outrun reports whether a write with a condition came too late: the document changed, appeared or went.
func outrun(err error) bool {
	switch status.Code(err) {
	case codes.FailedPrecondition, codes.AlreadyExists, codes.NotFound, codes.Aborted:
		return true
	}
	return false
}

// reader reads documents in a transaction, in one request.
type reader func(...*firestore.DocumentRef) ([]*firestore.DocumentSnapshot, error)

// listening is the key of what noteLost tells in a context.
type listening struct{}

// listen makes a context in which lost becomes true where a commit had no answer: it may have taken effect. The client
// repeats such a commit by itself, and Firestore then answers as if somebody else had come first, or as if the transaction
// were none.
func listen(ctx context.Context) (_ context.Context, lost *atomic.Bool) {
	lost = new(atomic.Bool)
	return context.WithValue(ctx, listening{}, lost), lost
}

// noteLost is on the connection of every client.
func noteLost(ctx context.Context, method string, req, reply any, conn *grpc.ClientConn, invoke grpc.UnaryInvoker, opts ...grpc.CallOption) error {
	err := invoke(ctx, method, req, reply, conn, opts...)
	if lost, listens := ctx.Value(listening{}).(*atomic.Bool); listens && strings.HasSuffix(method, "/Commit") && status.Code(err) == codes.Unavailable {
		lost.Store(true)
	}
	return err
}

// in reports whether a document has the content that was written.
func (f fields) in(snap *firestore.DocumentSnapshot) bool {
	wrote, _ := f["doc"].([]byte)
	has, _ := snap.Data()["doc"].([]byte)
	return wrote != nil && bytes.Equal(wrote, has)
}

// transact runs a transaction, which the client repeats while it is Aborted, five times at most. f reads through get,
// and returns what it wrote for the observer.
func (s *Store) transact(ctx context.Context, f func(get reader, tx *firestore.Transaction) (writes int, err error)) error {
	written := 0
	ctx, lost := listen(ctx)
	err := s.client.RunTransaction(ctx, func(_ context.Context, tx *firestore.Transaction) error {
		get := func(refs ...*firestore.DocumentRef) ([]*firestore.DocumentSnapshot, error) {
			snaps, err := tx.GetAll(refs)
			if err != nil {
				return nil, err
			}
			s.observe(len(refs), 0)
			return snaps, nil
		}
		var err error
		written, err = f(get, tx)
		return err
	})
	if _, own := errors.AsType[callerError](err); lost.Load() && err != nil && !own {
		e := fault.New(fault.Retry, document.Side, "unreachable", err)
		e.Ambiguous = true
		return e
	}
	if err != nil {
		return classify(err, true)
	}
	s.observe(0, written)
	return nil
}

// callerError carries an error of the function that a caller gave to an update. It has no Unwrap, so that nobody on
// its way takes what is inside for Firestore's.
type callerError struct{ err error }

func (e callerError) Error() string { return e.err.Error() }

// wrap names the operation. An error of the caller's own function passes as it is.
func wrap(op string, err error) error {
	if err == nil {
		return nil
	}
	if own, ok := errors.AsType[callerError](err); ok {
		return own.err
	}
	return fmt.Errorf("%s: %w", op, err)
}

// classify decides the kind of an error of Firestore, and leaves what is classified already. write says that the
// failed request was one, so that without an answer it may have taken effect.
func classify(err error, write bool) error {
	if ours(err) {
		return err
	}
	kind, code, lost := fault.Bug, "firestore", false
	switch status.Code(err) {
	case codes.Unavailable:
		kind, code, lost = fault.Retry, "unreachable", true
	case codes.DeadlineExceeded, codes.Canceled:
		kind, code, lost = fault.Retry, "cancelled", true
	case codes.Internal:
		// Broken streams come as Internal too.
		kind, code, lost = fault.Retry, "internal", true
	case codes.Aborted:
		kind, code = fault.Retry, "busy"
	case codes.ResourceExhausted:
		kind, code = fault.Retry, "quota"
	case codes.PermissionDenied, codes.Unauthenticated:
		kind, code = fault.Misconfigured, "permission"
	case codes.FailedPrecondition:
		kind, code = fault.Misconfigured, "index"
	case codes.NotFound:
		// Documents that are missing never come as an error here.
		kind, code = fault.Misconfigured, "database"
	}
	if errors.Is(err, context.Canceled) || errors.Is(err, context.DeadlineExceeded) {
		kind, code, lost = fault.Retry, "cancelled", true
	}
	e := fault.New(kind, document.Side, code, err)
	e.Ambiguous = write && lost
	return e
}

// ours reports whether err says all it has to.
func ours(err error) bool {
	if _, ok := errors.AsType[*fault.Error](err); ok {
		return true
	}
	if _, ok := errors.AsType[callerError](err); ok {
		return true
	}
	return errors.Is(err, store.ErrNotFound) || errors.Is(err, store.ErrLeased) || errors.Is(err, store.ErrFenced)
}

// refs lists the keys of a collection, those of missing documents that have documents below them too.
func (s *Store) refs(ctx context.Context, c *firestore.CollectionRef) ([]*firestore.DocumentRef, error) {
	refs, err := c.DocumentRefs(ctx).GetAll()
	if err != nil {
		return nil, classify(err, false)
	}
	s.observe(max(1, len(refs)), 0)
	return refs, nil
}

// remove deletes documents, which may be missing.
func (s *Store) remove(ctx context.Context, refs []*firestore.DocumentRef) error {
	for piece := range slices.Chunk(refs, pageSize) {
		err := s.transact(ctx, func(_ reader, tx *firestore.Transaction) (int, error) {
			for _, ref := range piece {
				if err := tx.Delete(ref); err != nil {
					return 0, err
				}
			}
			return len(piece), nil
		})
		if err != nil {
			return err
		}
	}
	return nil
}
