package firestore

import (
	"context"
	"fmt"
	"hash/fnv"
	"slices"
	"strings"
	"time"

	"cloud.google.com/go/firestore"

	"github.com/tandem-sync/tandem/shared/fault"
	"github.com/tandem-sync/tandem/shared/record"
	"github.com/tandem-sync/tandem/shared/store"
	"github.com/tandem-sync/tandem/shared/store/internal/document"
)

// longestDoc stays below the 1 MiB that Firestore allows for a document
// (https://cloud.google.com/firestore/quotas#collections_documents_and_fields), the other fields included.
const longestDoc = 1_000_000

func (u *user) runRef(id string) *firestore.DocumentRef { return u.ref().Collection("runs").Doc(id) }

// runFields are the fields of a run, read from snap where it was read.
func (u *user) runFields(snap *firestore.DocumentSnapshot, r store.Run) (fields, error) {
	f, err := over(snap, r)
	if err != nil {
		return nil, err
	}
	f["id"], f["type"], f["expires"] = r.ID, string(r.Type), any(firestore.Delete)
	if until := r.Expires(u.s.history); !until.IsZero() {
		f["expires"] = document.Time(until)
	}
	return f, nil
}

// AddRun costs 2 reads, and 1 write where there is no such run.
func (u *user) AddRun(ctx context.Context, r store.Run) (added bool, err error) {
	if err := document.ToWrite(u.id, r.ID); err != nil {
		return false, wrap("add run", err)
	}
	f, err := u.runFields(nil, r)
	if err != nil {
		return false, wrap("add run", err)
	}
	err = u.s.transact(ctx, func(get reader, tx *firestore.Transaction) (int, error) {
		snaps, err := u.there(get, u.runRef(r.ID))
		if added = err == nil && !snaps[0].Exists(); !added {
			return 0, err
		}
		return 1, tx.Create(u.runRef(r.ID), f.present())
	})
	return added && err == nil, wrap("add run", err)
}

// PutRun costs 1 read and 1 write.
func (u *user) PutRun(ctx context.Context, r store.Run) error {
	if err := document.ToWrite(u.id, r.ID); err != nil {
		return wrap("put run", err)
	}
	f, err := u.runFields(nil, r)
	if err == nil {
		err = u.begin(ctx, u.runRef(r.ID), f)
	}
	return wrap("put run", err)
}

// UpdateRun costs 1 read and 1 write; both again where somebody else changed it at the same time.
func (u *user) UpdateRun(ctx context.Context, id string, f func(*store.Run) error) error {
	if err := document.ToRead(u.id, id); err != nil {
		return wrap("update run", err)
	}
	return wrap("update run", u.s.change(ctx, u.runRef(id), func(snap *firestore.DocumentSnapshot) (fields, error) {
		r, err := content[store.Run](snap)
		if err != nil {
			return nil, err
		}
		if err := f(&r); err != nil {
			return nil, callerError{err}
		}
		r.ID = id
		return u.runFields(snap, r)
	}))
}

// AddChanges costs 1 read and 1 write for every 900 kB.
//
// The piece's JSON is cut into parts of that size: the head, whose key is seq, and its tail, whose keys are seq and the
// part's number. All carry the same version, a hash of the whole, and the head says how many there are. It is written
// last, so that a piece is there as a whole or not at all; parts that a longer piece of the same seq left behind are of
// another version, and ignored.
func (u *user) AddChanges(ctx context.Context, run string, seq int, changes []store.Change) error {
	if seq < 0 {
		return fault.Errorf(fault.Bug, document.Side, "invalid-seq", "add changes: seq %d is below zero", seq)
	}
	if err := document.ToWrite(u.id, run); err != nil {
		return wrap("add changes", err)
	}
	doc, err := document.Encode(changes)
	if err != nil {
		return wrap("add changes", err)
	}
	for n, part := range slices.Backward(split(doc)) {
		if u.s.history > 0 {
			// Changes are written while their run goes on.
			part["expires"] = document.Time(time.Now().Add(u.s.history))
		}
		if err := u.begin(ctx, u.changes(run).Doc(partKey(seq, n)), part); err != nil {
			return wrap("add changes", err)
		}
	}
	return nil
}

// split cuts what may be longer than a document into parts. All carry the same version, a hash of the whole.
func split(doc []byte) []fields {
	const partSize = 900_000
	h := fnv.New64a()
	h.Write(doc)
	version := fmt.Sprintf("%016x", h.Sum64())
	chunks := slices.Collect(slices.Chunk(doc, partSize))
	parts := make([]fields, len(chunks))
	for n, chunk := range chunks {
		parts[n] = fields{"doc": chunk, "version": version, "parts": len(chunks)}
	}
	return parts
}

func (u *user) changes(run string) *firestore.CollectionRef {
	return u.runRef(run).Collection("changes")
}

// partKey sorts parts in their order: a head comes before its tail, and both before the next head.
func partKey(seq, n int) string {
	if n == 0 {
		return fmt.Sprintf("%019d", seq)
	}
	return fmt.Sprintf("%019d-%06d", seq, n)
}

// Run costs 1 read, and 1 for each part of its changes, at least 1.
func (u *user) Run(ctx context.Context, id string) (store.Run, error) {
	r, err := read[store.Run](ctx, u, func() *firestore.DocumentRef { return u.runRef(id) }, u.id, id)
	if err != nil {
		return store.Run{}, wrap("read run", err)
	}
	r.Changes, err = u.readChanges(ctx, id)
	r.MarkWaiting()
	return r, wrap("read run", err)
}

// readChanges puts the pieces together. One whose replacement was cut off is left out.
func (u *user) readChanges(ctx context.Context, run string) ([]store.Change, error) {
	snaps, err := u.s.query(ctx, u.changes(run).OrderBy(firestore.DocumentID, firestore.Asc))
	if err != nil {
		return nil, err
	}
	parts := make(map[string]part, len(snaps))
	for _, snap := range snaps {
		var p part
		if err := snap.DataTo(&p); err != nil {
			return nil, fault.New(fault.Bug, document.Side, "decode", err)
		}
		parts[snap.Ref.ID] = p
	}
	var out []store.Change
	for _, snap := range snaps {
		head := snap.Ref.ID
		if strings.Contains(head, "-") {
			continue
		}
		doc, whole := parts[head].Doc, true
		for n := 1; n < parts[head].Parts; n++ {
			p := parts[fmt.Sprintf("%s-%06d", head, n)]
			doc, whole = append(doc, p.Doc...), whole && p.Version == parts[head].Version
		}
		if !whole {
			continue
		}
		piece, err := document.Decode[[]store.Change](doc)
		if err != nil {
			return nil, err
		}
		out = append(out, piece...)
	}
	return out, nil
}

// part is a document of the changes.
type part struct {
	Doc     []byte `firestore:"doc"`
	Version string `firestore:"version"`
	Parts   int    `firestore:"parts"`
}

// valid is what may be what somebody typed into an address, in the form that Firestore takes.
func valid(text string) string { return strings.ToValidUTF8(text, "\uFFFD") }

// Runs costs 1 read for each, at least 1.
func (u *user) Runs(ctx context.Context, t record.Type, limit int, before string) ([]store.Run, error) {
	if limit <= 0 || document.ToRead(u.id) != nil {
		return nil, nil
	}
	q := u.ref().Collection("runs").OrderBy("id", firestore.Desc).Limit(limit)
	if t != "" {
		q = q.Where("type", "==", string(t))
	}
	if before != "" {
		q = q.Where("id", "<", valid(before))
	}
	snaps, err := u.s.query(ctx, q)
	if err != nil {
		return nil, wrap("list runs", err)
	}
	runs := make([]store.Run, len(snaps))
	for i, snap := range snaps {
		if runs[i], err = content[store.Run](snap); err != nil {
			return nil, wrap("list runs", err)
		}
	}
	return runs, nil
}
