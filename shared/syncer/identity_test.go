package syncer_test

import (
	"context"
	"encoding/json"
	"strconv"
	"testing"

	"github.com/tandem-sync/tandem/shared/record"
	"github.com/tandem-sync/tandem/shared/store"
	"github.com/tandem-sync/tandem/shared/syncer"
)

// copiedDiary is a diary whose visits others have copies of: visits of one title are one.
type copiedDiary struct{ *diary }

func (d copiedDiary) Identity(state json.RawMessage) string {
	d.mu.Lock()
	defer d.mu.Unlock()
	for _, v := range d.visits {
		if strconv.Itoa(v.version) == string(state) {
			return v.fields.Text("title")
		}
	}
	return ""
}

func (copiedDiary) Copied(json.RawMessage) bool { return true }

func TestOne_visit_that_two_users_have_copies_of_is_made_once_whoever_runs_first(t *testing.T) {
	t.Parallel()
	ada, bo := newVisitWorld(t, cancelOrDelete), newVisitWorld(t, cancelOrDelete)
	bo.creatio = ada.creatio
	for _, w := range []*visitWorld{ada, bo} {
		// Nothing but where it comes from tells that a visit is another one's counterpart.
		w.engine.Match.Levels = nil
		w.engine.Open = func(context.Context, store.Profile, store.Sync) (map[record.Side]syncer.Side, error) {
			return map[record.Side]syncer.Side{record.Creatio: w.creatio, record.Google: copiedDiary{w.google}}, nil
		}
	}
	bo.google.add("Board", 2)
	for _, w := range []*visitWorld{ada, bo} {
		w.google.add("Clinic", 3)
	}
	ada.sync()
	bo.sync()
	ada.sync()
	if got := ada.creatio.shows(); got != "Board, Clinic" {
		t.Errorf("creatio has %s", got)
	}
	for name, w := range map[string]*visitWorld{"ada": ada, "bo": bo} {
		if got := w.google.shows(); got != "Board, Clinic" {
			t.Errorf("%s has %s in google", name, got)
		}
		w.silent()
	}
}
