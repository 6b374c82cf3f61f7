package syncer

import (
	"slices"
	"time"

	"github.com/tandem-sync/tandem/shared/reconcile"
	"github.com/tandem-sync/tandem/shared/record"
	"github.com/tandem-sync/tandem/shared/store"
)

const (
	// formerMemory is how long a link remembers a value that it agreed on no more, maxFormer how many of them.
	formerMemory = 30 * 24 * time.Hour
	maxFormer    = 20
)

// rememberFormer notes on a link the single values that it agreed on and agrees on no more.
func (s *session) rememberFormer(l *store.Link, now record.Fields) {
	var former []store.Former
	for _, f := range s.engine.Schema {
		if was := l.Base.One(f.Name); !f.Set && !f.Empty(was) && !f.Same(was, now.One(f.Name)) {
			former = append(former, store.Former{Field: f.Name, Hash: reconcile.ValueHash(f, was), Until: s.start.Add(formerMemory)})
		}
	}
	if len(former) == 0 {
		return
	}
	for _, old := range l.Former {
		again := func(f store.Former) bool { return f.Field == old.Field && f.Hash == old.Hash }
		if old.Until.After(s.start) && len(former) < maxFormer && !slices.ContainsFunc(former, again) {
			former = append(former, old)
		}
	}
	l.Former = former
}

// agreedBefore tells whether a link agreed on a value until not long ago.
func (s *session) agreedBefore(l store.Link) func(field, hash string) bool {
	return func(field, hash string) bool {
		return slices.ContainsFunc(l.Former, func(f store.Former) bool {
			return f.Field == field && f.Hash == hash && f.Until.After(s.start)
		})
	}
}
