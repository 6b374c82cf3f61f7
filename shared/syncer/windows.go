package syncer

import (
	"context"
	"encoding/json"
	"fmt"
	"slices"
	"sync"

	"golang.org/x/sync/errgroup"

	"github.com/tandem-sync/tandem/shared/fault"
	"github.com/tandem-sync/tandem/shared/reconcile"
	"github.com/tandem-sync/tandem/shared/record"
)

// reading is what both sides told of the run's window.
type reading struct {
	scopes map[record.Side]string
	deltas map[record.Side]record.Delta
	// recreate says that a group is made again that is gone, so that whoever is in scope on the other side comes back into it.
	recreate bool
	// ended are the sides whose scope is gone, and whose records are in scope no more, whatever a read says.
	ended map[record.Side]bool
}

// readWindows reads both sides' windows at the same time.
func (s *session) readWindows(ctx context.Context) (*reading, error) {
	rd := &reading{scopes: map[record.Side]string{}, deltas: map[record.Side]record.Delta{}, ended: map[record.Side]bool{}}
	var mu sync.Mutex
	g, gctx := errgroup.WithContext(ctx)
	for _, side := range record.Sides {
		g.Go(func() error {
			var w sideWindow
			err := phase(gctx, "scan "+string(side), func(ctx context.Context) (err error) {
				w, err = s.readWindow(ctx, side)
				return err
			})
			mu.Lock()
			defer mu.Unlock()
			rd.scopes[side], rd.deltas[side], rd.ended[side] = w.scope, w.delta, w.ended
			rd.recreate = rd.recreate || w.recreate
			return err
		})
	}
	if err := g.Wait(); err != nil {
		return nil, err
	}
	for _, side := range record.Sides {
		if rd.deltas[side].ScopeGone {
			return nil, skip{ReasonTagMissing}
		}
	}
	return rd, nil
}

// sideWindow is what one side told.
type sideWindow struct {
	scope    string
	delta    record.Delta
	recreate bool
	ended    bool
}

// readWindow reads one side's window. Where its cursor is no longer good, the window is everything.
func (s *session) readWindow(ctx context.Context, side record.Side) (w sideWindow, err error) {
	w.scope = s.doc.Scopes[side]
	cursor := s.doc.Cursors[side]
	if s.heldBack() {
		cursor = nil
	}
	if _, scoped := s.sides[side].(Scoped); scoped && w.scope == "" {
		if s.preview() {
			return s.previewWindow(ctx, side)
		}
		if w.scope, err = s.prepare(ctx, side); err != nil {
			return w, err
		}
		cursor = nil
	}
	w.delta, err = s.scan(ctx, side, cursor)
	if err != nil || !w.delta.ScopeGone || s.chosen(side) {
		return w, err
	}
	// A scope that Tandem made was deleted, as the group in Google. As long as nothing hangs on it, it is made again, and so where
	// the settings let nothing of that reach the other side; else everything in it has left, and the guard asks what that means.
	follows := s.policy().Direction.Takes(side.Other())
	w.scope, w.delta, w.ended = "", record.Delta{Members: []string{}}, true
	if s.doc.Members > 0 && s.trigger != TriggerReject && follows {
		return w, nil
	}
	w.recreate = true
	if s.preview() {
		return w, nil
	}
	if w.scope, err = s.prepare(ctx, side); err != nil {
		return w, err
	}
	w.delta, err = s.scan(ctx, side, nil)
	return w, err
}

// heldBack reports whether something may wait behind the cursors that the settings kept where it was, and now let go.
func (s *session) heldBack() bool {
	was := reconcile.Direction(s.doc.Direction)
	return was != "" && slices.ContainsFunc(record.Sides[:], func(side record.Side) bool {
		return s.policy().Direction.Takes(side) && !was.Takes(side)
	})
}

// previewWindow reads a side whose scope may not be there yet, and makes none.
func (s *session) previewWindow(ctx context.Context, side record.Side) (w sideWindow, err error) {
	w.delta, err = s.scan(ctx, side, nil)
	if w.delta.ScopeGone && !s.chosen(side) {
		w.delta = record.Delta{Members: []string{}}
	}
	return w, err
}

func (s *session) scan(ctx context.Context, side record.Side, cursor json.RawMessage) (record.Delta, error) {
	delta, err := s.sides[side].Scan(ctx, cursor)
	if fault.Is(err, fault.FullSync) && len(cursor) > 0 {
		s.engine.Logger.InfoContext(ctx, "reading everything again", "side", string(side))
		delta, err = s.sides[side].Scan(ctx, nil)
	}
	if err != nil {
		return delta, fmt.Errorf("scan %s: %w", side, err)
	}
	return delta, nil
}
