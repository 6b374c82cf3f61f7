package worldtest

import (
	"strings"
	"testing"
	"time"

	"github.com/tandem-sync/tandem/shared/store"
	"github.com/tandem-sync/tandem/shared/syncer"
)

// Google's sync tokens live for a week after the reading of everything, and what leaves no trace in Creatio is found by a
// reading of everything once a day. Who synchronizes all the time never meets the one, and never waits longer for the other.
func TestWeeks_of_runs_with_nothing_to_do_never_meet_an_expired_token_and_read_all_details_every_day(t *testing.T) {
	t.Parallel()
	for seed := uint64(1); seed <= 3; seed++ {
		inWorld(t, seed, setup{}, func(w *world) {
			const pause, days = 2 * time.Hour, 22
			for range 3 {
				w.folk.inCreatio(true)
			}
			if _, out, _ := w.sync(syncer.TriggerSchedule, nil); out.Status != syncer.Done {
				t.Fatalf("the first run ended %s", out.Status)
			}
			time.Sleep(pause)
			w.sync(syncer.TriggerSchedule, nil)

			began, thorough, last := w.wholes(), 0, time.Now()
			idle := store.Calls{Google: 2, Creatio: 1}
			for range days * 24 / int(pause/time.Hour) {
				time.Sleep(pause)
				_, out, r := w.sync(syncer.TriggerSchedule, nil)
				if out.Status != syncer.Done || len(r.Changes) > 0 {
					t.Fatalf("a run with nothing to do ended %s with %+v", out.Status, r.Changes)
				}
				calls := r.Counts.Calls
				if calls.Creatio > idle.Creatio {
					thorough++
					if since := time.Since(last); since > 24*time.Hour+pause {
						t.Errorf("all details were read again only after %v", since)
					}
					last = time.Now()
				}
				// All details: the members, and the contacts by 15 in 5 queries of one batch. Everybody in Google is one page.
				if calls.Google != idle.Google || calls.Creatio != idle.Creatio && calls.Creatio != idle.Creatio+2 {
					t.Errorf("a run with nothing to do made %+v calls", calls)
				}
			}
			if whole := w.wholes() - began; whole < days/7 || whole > days/5 {
				t.Errorf("in %d days everything was read %d times in Google", days, whole)
			}
			if thorough < days-1 || thorough > days*24/18+1 {
				t.Errorf("in %d days all details were read %d times in Creatio", days, thorough)
			}
			for _, q := range w.requests {
				if strings.Contains(q.says, "EXPIRED_SYNC_TOKEN") {
					t.Errorf("a token was used beyond its time: %s", q)
				}
			}
			w.look()
		})
	}
}

// wholes counts how often the reading of everybody in Google was begun.
func (w *world) wholes() (n int) {
	for _, q := range w.google.Requests() {
		if strings.HasSuffix(q.Path, "/connections") && !q.Query.Has("syncToken") && !q.Query.Has("pageToken") {
			n++
		}
	}
	return n
}
