package firestore

import (
	"context"
	"errors"
	"maps"
	"slices"
	"time"

	"cloud.google.com/go/firestore"

	"github.com/tandem-sync/tandem/shared/record"
	"github.com/tandem-sync/tandem/shared/store"
	"github.com/tandem-sync/tandem/shared/store/internal/document"
)

// What one transaction of PutBatch writes at most. Firestore takes requests of 10 MiB
// (https://cloud.google.com/firestore/quotas#writes_and_transactions), but its emulator those of 4 MiB only, and the
// client repeats one that is refused for its size for a whole minute. A chunk of 200 ordinary links with a note each goes into
// one.
const (
	batchWrites = 500
	batchBytes  = 3 << 20
	// overhead is more than a document's key and queried fields take.
	overhead = 4 << 10
)

// step is a part of a batch that is written in one transaction or not at all.
type step struct {
	// reads are the documents that decide what is written, by their paths.
	reads map[string]*firestore.DocumentRef
	// writes and size are the most it writes.
	writes, size int
	// write does it. kept are the documents that were read, and what steps before have made of them.
	write func(tx *firestore.Transaction, kept *keptDocs) (writes int, err error)
}

// keptDocs are the documents that a transaction has read, as it is going to leave them.
type keptDocs struct {
	snaps  map[string]*firestore.DocumentSnapshot
	claims map[string]store.Claim
	notes  map[string]store.WriteNote
	pairs  map[string]store.Pair
	// refused are the links whose claims others hold.
	refused map[string]bool
}

// PutBatch costs 1 read for every 500 documents or 3 MiB, 1 write for each document, and 1 read for each claim, note and
// pair to be written and each claim to be released; for the first claim or note of a process 1 read more.
func (u *user) PutBatch(ctx context.Context, t record.Type, l store.Lease, now time.Time, b store.Batch) ([]store.Claim, error) {
	if err := document.ToWrite(u.id, string(t)); err != nil {
		return nil, wrap("put batch", err)
	}
	if err := document.ToPut(b); err != nil {
		return nil, wrap("put batch", err)
	}
	steps, err := u.steps(ctx, t, now, b)
	if err != nil {
		return nil, wrap("put batch", err)
	}
	refused := map[string]bool{}
	// Without a step the fence is checked all the same.
	for first := true; first || len(steps) > 0; first = false {
		n := fitting(steps)
		found, err := u.transactSteps(ctx, t, l, steps[:n], refused)
		if err != nil {
			return nil, wrap("put batch", err)
		}
		maps.Copy(refused, found)
		steps = steps[n:]
	}
	return document.Refused(b, refused), nil
}

// transactSteps takes steps in one transaction, and returns the links that were refused until then.
func (u *user) transactSteps(ctx context.Context, t record.Type, l store.Lease, steps []step, refused map[string]bool) (map[string]bool, error) {
	reads := map[string]*firestore.DocumentRef{}
	for _, s := range steps {
		maps.Copy(reads, s.reads)
	}
	paths := slices.Sorted(maps.Keys(reads))
	refs := make([]*firestore.DocumentRef, len(paths))
	for n, path := range paths {
		refs[n] = reads[path]
	}
	var kept *keptDocs
	err := u.s.transact(ctx, func(get reader, tx *firestore.Transaction) (int, error) {
		snaps, err := u.fenced(get, t, l, refs...)
		if err != nil {
			return 0, err
		}
		kept = &keptDocs{
			snaps:  map[string]*firestore.DocumentSnapshot{},
			claims: map[string]store.Claim{}, notes: map[string]store.WriteNote{}, pairs: map[string]store.Pair{},
			refused: maps.Clone(refused),
		}
		for n, path := range paths {
			kept.snaps[path] = snaps[n]
		}
		writes := 0
		for _, s := range steps {
			n, err := s.write(tx, kept)
			if err != nil {
				return 0, err
			}
			writes += n
		}
		return writes, nil
	})
	if err != nil {
		return nil, err
	}
	return kept.refused, nil
}

// fitting is how many of the steps go into one transaction.
func fitting(steps []step) int {
	writes, size := 0, 0
	for n, s := range steps {
		writes, size = writes+s.writes, size+s.size
		if n > 0 && (writes > batchWrites || size > batchBytes) {
			return n
		}
	}
	return len(steps)
}

// steps are those of a batch, in their order.
func (u *user) steps(ctx context.Context, t record.Type, now time.Time, b store.Batch) ([]step, error) {
	var key document.HashKey
	if len(b.Notes) > 0 || len(b.Claims) > 0 || len(b.Released) > 0 {
		var err error
		if key, err = u.s.hashKey(ctx); err != nil {
			return nil, err
		}
	}
	steps := make([]step, 0, len(b.Notes)+len(b.Pairs)+len(b.Links)+len(b.SettledPairs))
	for _, n := range b.Notes {
		steps = append(steps, u.noteStep(key.NoteID(n.Site, n.Record), n))
	}
	for _, p := range b.Pairs {
		s, err := u.doubtStep(t, p)
		if err != nil {
			return nil, err
		}
		steps = append(steps, s)
	}
	claims := key.ClaimsByLink(u.id, t, b)
	for _, link := range b.Links {
		s, err := u.linkStep(t, now, link, claims[link.ID])
		if err != nil {
			return nil, err
		}
		steps = append(steps, s)
		// The same link again hangs on the claims of the first one.
		delete(claims, link.ID)
	}
	for _, c := range b.Released {
		c.User, c.Type = u.id, t
		steps = append(steps, u.releaseStep(key.ClaimID(c), c))
	}
	for _, id := range b.SettledPairs {
		ref := u.pairs(t).Doc(id)
		steps = append(steps, step{writes: 1, size: overhead, write: func(tx *firestore.Transaction, _ *keptDocs) (int, error) {
			return 1, tx.Delete(ref)
		}})
	}
	return steps, nil
}

func reading(refs ...*firestore.DocumentRef) map[string]*firestore.DocumentRef {
	out := make(map[string]*firestore.DocumentRef, len(refs))
	for _, ref := range refs {
		out[ref.Path] = ref
	}
	return out
}

// known is a document that a transaction has read, as the steps before left it; none where there is none.
func known[D document.Document](kept *keptDocs, now map[string]D, ref *firestore.DocumentRef) (D, error) {
	if d, changed := now[ref.Path]; changed {
		return d, nil
	}
	d, err := content[D](kept.snaps[ref.Path])
	if errors.Is(err, store.ErrNotFound) {
		err = nil
	}
	return d, err
}

func (u *user) noteStep(id string, n store.WriteNote) step {
	n.User = u.id
	ref := u.s.client.Collection("notes").Doc(id)
	return step{reads: reading(ref), writes: 1, size: overhead, write: func(tx *firestore.Transaction, kept *keptDocs) (int, error) {
		was, err := known(kept, kept.notes, ref)
		if err != nil {
			return 0, err
		}
		next := document.Noted(was, n)
		f, err := plain(next)
		if err != nil {
			return 0, err
		}
		f["user"], f["until"] = next.User, document.Time(next.Until)
		kept.notes[ref.Path] = next
		return 1, tx.Set(ref, f.present())
	}}
}

// doubtStep writes a pair unless a person has decided about it.
func (u *user) doubtStep(t record.Type, p store.Pair) (step, error) {
	ref := u.pairs(t).Doc(p.ID)
	f, err := pairFields(p)
	if err != nil {
		return step{}, err
	}
	size := overhead + len(f["doc"].([]byte))
	return step{reads: reading(ref), writes: 1, size: size, write: func(tx *firestore.Transaction, kept *keptDocs) (int, error) {
		was, err := known(kept, kept.pairs, ref)
		if err != nil || document.Stands(was, p) {
			return 0, err
		}
		kept.pairs[ref.Path] = p
		return 1, tx.Set(ref, f.present())
	}}, nil
}

// linkStep writes a link with its claims, by the keys of their documents.
func (u *user) linkStep(t record.Type, now time.Time, l store.Link, claims map[string]store.Claim) (step, error) {
	w, err := u.linkWrite(t, l)
	if err != nil {
		return step{}, err
	}
	refs := make(map[string]*firestore.DocumentRef, len(claims))
	for id := range claims {
		refs[id] = u.s.client.Collection("claims").Doc(id)
	}
	s := step{reads: reading(slices.Collect(maps.Values(refs))...), writes: w.writes() + len(refs), size: w.size + len(refs)*overhead}
	s.write = func(tx *firestore.Transaction, kept *keptDocs) (int, error) {
		if kept.refused[l.ID] {
			return 0, nil
		}
		taken := map[string]store.Claim{}
		for id, ref := range refs {
			var err error
			if taken[id], err = known(kept, kept.claims, ref); err != nil {
				return 0, err
			}
		}
		if !document.Take(taken, claims, now) {
			kept.refused[l.ID] = true
			return 0, nil
		}
		for id, ref := range refs {
			kept.claims[ref.Path] = taken[id]
			if err := setClaim(tx, ref, taken[id]); err != nil {
				return 0, err
			}
		}
		if n := max(len(w.pieces), w.former); n > 0 {
			u.s.pieces.Store(w.ref.Path, n)
		}
		return s.writes, w.add(tx)
	}
	return s, nil
}

// releaseStep ends a claim where it is still the released one.
func (u *user) releaseStep(id string, c store.Claim) step {
	ref := u.s.client.Collection("claims").Doc(id)
	return step{reads: reading(ref), writes: 1, size: overhead, write: func(tx *firestore.Transaction, kept *keptDocs) (int, error) {
		was, err := known(kept, kept.claims, ref)
		if err != nil {
			return 0, err
		}
		next, ends := document.Release(was, c)
		if !ends {
			return 0, nil
		}
		kept.claims[ref.Path] = next
		return 1, setClaim(tx, ref, next)
	}}
}

func setClaim(tx *firestore.Transaction, ref *firestore.DocumentRef, c store.Claim) error {
	f, err := plain(c)
	if err != nil {
		return err
	}
	f["user"], f["until"] = c.User, document.Time(c.Until)
	return tx.Set(ref, f.present())
}

// Claims costs 1 read for each, at least 1.
func (u *user) Claims(ctx context.Context) ([]store.Claim, error) {
	list, err := sharedDocs[store.Claim](ctx, u, "claims")
	return list, wrap("list claims", err)
}

// OwnWriteNotes costs 1 read for each, at least 1.
func (u *user) OwnWriteNotes(ctx context.Context) ([]store.WriteNote, error) {
	list, err := sharedDocs[store.WriteNote](ctx, u, "notes")
	return list, wrap("list write notes", err)
}

// sharedDocs are the user's documents in a collection of everybody's.
func sharedDocs[D document.Document](ctx context.Context, u *user, collection string) ([]D, error) {
	if document.ToRead(u.id) != nil {
		return nil, nil
	}
	return contents[D](ctx, u.s, u.shared(collection))
}

// WriteNotes costs 1 read for each record; for the first claim or note of a process 1 read more.
func (u *user) WriteNotes(ctx context.Context, site string, records []string) (map[string]store.WriteNote, error) {
	notes, err := u.writeNotes(ctx, site, records)
	return notes, wrap("read write notes", err)
}

func (u *user) writeNotes(ctx context.Context, site string, records []string) (map[string]store.WriteNote, error) {
	records = slices.Compact(slices.Sorted(slices.Values(records)))
	out := map[string]store.WriteNote{}
	if len(records) == 0 {
		return out, nil
	}
	key, err := u.s.hashKey(ctx)
	if err != nil {
		return nil, err
	}
	for piece := range slices.Chunk(records, pageSize) {
		refs := make([]*firestore.DocumentRef, len(piece))
		for n, id := range piece {
			refs[n] = u.s.client.Collection("notes").Doc(key.NoteID(site, id))
		}
		snaps, err := u.s.getAll(ctx, refs)
		if err != nil {
			return nil, err
		}
		for n, snap := range snaps {
			if !snap.Exists() {
				continue
			}
			note, err := content[store.WriteNote](snap)
			if err != nil {
				return nil, err
			}
			note.Site, note.Record = site, piece[n]
			out[piece[n]] = note
		}
	}
	return out, nil
}
