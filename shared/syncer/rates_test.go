package syncer_test

import (
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"net/http/httptest"
	"sync/atomic"
	"testing"
	"time"

	"github.com/tandem-sync/tandem/shared/fault"
	"github.com/tandem-sync/tandem/shared/httpx"
	"github.com/tandem-sync/tandem/shared/record"
	"github.com/tandem-sync/tandem/shared/store"
	"github.com/tandem-sync/tandem/shared/syncer"
)

// chatty is a side that makes some requests for every scan.
type chatty struct {
	syncer.Side
	client   *http.Client
	url      string
	requests int
}

func (c chatty) Scan(ctx context.Context, cursor json.RawMessage) (record.Delta, error) {
	for range c.requests {
		req, err := http.NewRequestWithContext(ctx, http.MethodGet, c.url, nil)
		if err != nil {
			return record.Delta{}, err
		}
		resp, err := c.client.Do(req)
		if err != nil {
			return record.Delta{}, err
		}
		_ = resp.Body.Close()
	}
	return c.Side.Scan(ctx, cursor)
}

// pacedWorld is a world whose Google side makes n requests a run, each of which the server answers with status.
func pacedWorld(t *testing.T, n int, status *atomic.Int64) (w *world, asked *atomic.Int64) {
	t.Helper()
	w, asked = newWorld(t), &atomic.Int64{}
	server := httptest.NewServer(http.HandlerFunc(func(rw http.ResponseWriter, _ *http.Request) {
		asked.Add(1)
		if status.Load() == http.StatusTooManyRequests {
			rw.Header().Set("Retry-After", "600")
		}
		rw.WriteHeader(int(status.Load()))
	}))
	t.Cleanup(server.Close)
	client := httpx.NewClient(httpx.Options{Side: string(record.Google), Now: w.now, Sleep: func(ctx context.Context, d time.Duration) error {
		w.pass(d)
		return ctx.Err()
	}})
	open := w.engine.Open
	w.engine.Rates = map[record.Side]syncer.Rate{record.Google: {PerSecond: 0.01, Burst: 10}}
	w.engine.Open = func(ctx context.Context, p store.Profile, s store.Sync) (map[record.Side]syncer.Side, error) {
		sides, err := open(ctx, p, s)
		sides[record.Google] = chatty{sides[record.Google], client, server.URL, n}
		return sides, err
	}
	return w, asked
}

func TestRuns_share_what_is_left_of_a_users_requests(t *testing.T) {
	t.Parallel()
	status := &atomic.Int64{}
	status.Store(http.StatusOK)
	w, asked := pacedWorld(t, 4, status)
	w.sync()
	w.sync()
	out, err := w.run(syncer.TriggerSchedule)
	if out.Status != syncer.Retry || out.After <= 0 || asked.Load() > 11 {
		t.Fatalf("the third run ended %+v, %+v after %d requests", out, err.Problems, asked.Load())
	}
	w.pass(time.Hour)
	w.sync()
}

func TestA_run_that_died_has_spent_nobody_knows_what(t *testing.T) {
	t.Parallel()
	status := &atomic.Int64{}
	status.Store(http.StatusOK)
	w, _ := pacedWorld(t, 2, status)
	w.sync()
	_, _, err := w.user.Acquire(t.Context(), record.Contacts, "died", w.now(), time.Minute)
	must(t, err)
	w.pass(2 * time.Minute)
	if out, _ := w.run(syncer.TriggerSchedule); out.Status != syncer.Retry {
		t.Fatalf("the run after it ended %+v", out)
	}
	w.pass(time.Hour)
	w.sync()
}

func TestA_side_that_asked_to_be_left_alone_is(t *testing.T) {
	t.Parallel()
	status := &atomic.Int64{}
	status.Store(http.StatusTooManyRequests)
	w, asked := pacedWorld(t, 1, status)
	must(t, w.user.UpdateSync(t.Context(), record.Contacts, func(d *store.Sync) error {
		d.Settings.Automatic, d.Settings.IntervalMinutes = true, 1
		return nil
	}))
	start := w.now()
	if out, _ := w.run(syncer.TriggerSchedule); out.Status != syncer.Retry || out.After != 600*time.Second {
		t.Fatalf("the run ended %+v", out)
	}
	doc, err := w.user.Sync(t.Context(), record.Contacts)
	must(t, err)
	if doc.Due.Before(start.Add(600 * time.Second)) {
		t.Errorf("the next run is due at %v, %v after the start", doc.Due, doc.Due.Sub(start))
	}
	status.Store(http.StatusOK)
	was := asked.Load()
	out, cause := w.engine.Run(t.Context(), w.user, syncer.Request{Type: record.Contacts, Trigger: syncer.TriggerSchedule})
	if out.Status != syncer.Retry || !fault.Is(cause, fault.Retry) || asked.Load() != was {
		t.Fatalf("a run in between ended %+v, %v after %d requests", out, cause, asked.Load()-was)
	}
	if out.After <= 0 || out.After > 600*time.Second {
		t.Errorf("it is to be repeated after %v", out.After)
	}
	// Who asks for a run finds out that the side is there again.
	if out, cause := w.engine.Run(t.Context(), w.user, syncer.Request{Type: record.Contacts, Trigger: syncer.TriggerUser}); out.Status != syncer.Done || asked.Load() == was {
		t.Errorf("a run that somebody asked for ended %+v, %v after %d requests", out, cause, asked.Load()-was)
	}
	w.pass(10 * time.Minute)
	w.sync()
	if doc, err := w.user.Sync(t.Context(), record.Contacts); err != nil || !doc.Rates[record.Google].Until.IsZero() {
		t.Errorf("%v; rates are %s", err, fmt.Sprint(doc.Rates))
	}
}

func TestA_note_to_leave_a_side_alone_for_weeks_is_none(t *testing.T) {
	t.Parallel()
	status := &atomic.Int64{}
	status.Store(http.StatusOK)
	w, _ := pacedWorld(t, 1, status)
	must(t, w.user.UpdateSync(t.Context(), record.Contacts, func(d *store.Sync) error {
		d.Rates = map[record.Side]store.Rate{record.Google: {Until: w.now().Add(30 * 24 * time.Hour)}}
		return nil
	}))
	w.sync()
}
