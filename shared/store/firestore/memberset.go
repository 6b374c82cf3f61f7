package firestore

import (
	"context"
	"errors"
	"fmt"

	"cloud.google.com/go/firestore"

	"github.com/tandem-sync/tandem/shared/fault"
	"github.com/tandem-sync/tandem/shared/record"
	"github.com/tandem-sync/tandem/shared/store"
	"github.com/tandem-sync/tandem/shared/store/internal/document"
)

func (u *user) memberSetRef(t record.Type, side record.Side, n int) *firestore.DocumentRef {
	key := string(side)
	if n > 0 {
		key = fmt.Sprintf("%s-%06d", side, n)
	}
	return u.syncRef(t).Collection("rosters").Doc(key)
}

// MemberSet costs 1 read for every 900 kB. Tags of 40,000 contacts fit into one document.
func (u *user) MemberSet(ctx context.Context, t record.Type, side record.Side) (store.MemberSet, error) {
	r, err := u.readMemberSet(ctx, t, side)
	return r, wrap("read member set", err)
}

func (u *user) readMemberSet(ctx context.Context, t record.Type, side record.Side) (store.MemberSet, error) {
	if err := document.ToRead(u.id, string(t), string(side)); err != nil {
		return nil, err
	}
	head, err := u.memberSetPart(ctx, t, side, 0)
	if err != nil {
		return nil, err
	}
	doc := head.Doc
	for n := 1; n < head.Parts; n++ {
		p, err := u.memberSetPart(ctx, t, side, n)
		if err == nil && p.Version != head.Version {
			// Read while it was being replaced.
			err = store.ErrNotFound
		}
		if err != nil {
			return nil, err
		}
		doc = append(doc, p.Doc...)
	}
	return document.DecodeMemberSet(doc)
}

func (u *user) memberSetPart(ctx context.Context, t record.Type, side record.Side, n int) (part, error) {
	snap, err := u.s.get(ctx, u.memberSetRef(t, side, n))
	if err != nil {
		return part{}, err
	}
	if !snap.Exists() {
		return part{}, store.ErrNotFound
	}
	var p part
	if err := snap.DataTo(&p); err != nil {
		return part{}, fault.New(fault.Bug, document.Side, "decode", err)
	}
	return p, nil
}

// PutMemberSet costs 1 read, and 1 write for every 900 kB.
func (u *user) PutMemberSet(ctx context.Context, t record.Type, l store.Lease, side record.Side, r store.MemberSet) error {
	err := document.ToWrite(u.id, string(t), string(side))
	if err != nil {
		return wrap("put member set", err)
	}
	doc, err := document.EncodeMemberSet(r)
	if err != nil {
		return wrap("put member set", err)
	}
	parts := split(doc)
	return wrap("put member set", u.s.transact(ctx, func(get reader, tx *firestore.Transaction) (int, error) {
		if _, err := u.fenced(get, t, l); err != nil {
			return 0, err
		}
		var errs []error
		for n, p := range parts {
			errs = append(errs, tx.Set(u.memberSetRef(t, side, n), p.present()))
		}
		return len(parts), errors.Join(errs...)
	}))
}
