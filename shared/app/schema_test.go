package app_test

import (
	"context"
	"log/slog"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/sethvargo/go-envconfig"

	"github.com/tandem-sync/tandem/shared/app"
	"github.com/tandem-sync/tandem/shared/config"
	"github.com/tandem-sync/tandem/shared/fault"
	"github.com/tandem-sync/tandem/shared/observe"
	"github.com/tandem-sync/tandem/shared/store"
	"github.com/tandem-sync/tandem/shared/store/bolt"
	"github.com/tandem-sync/tandem/shared/store/migrate"
)

// compose makes an App of the world's configuration, beside the one there is.
func (w *world) compose(ctx context.Context) (*app.App, error) {
	w.t.Helper()
	c, err := config.Load(w.t.Context(), envconfig.MapLookuper(w.env))
	if err != nil {
		w.t.Fatal(err)
	}
	return app.New(ctx, c, app.Options{Now: w.now, Logger: observe.NewTextLogger(w.log, slog.LevelInfo)})
}

// later makes the documents those of a version that no program of this one can work with.
func later(t *testing.T, s store.Store) {
	t.Helper()
	err := s.UpdateSchema(t.Context(), func(s *store.Schema) error {
		s.Version, s.Known, s.Needs = 900, 901, 900
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
}

func TestNo_program_starts_on_documents_that_it_is_too_old_for(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.stop()
	s, err := bolt.Open(strings.TrimPrefix(w.env["STORE"], "bolt:"))
	if err != nil {
		t.Fatal(err)
	}
	later(t, s)
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
	a, err := w.compose(t.Context())
	if a != nil || !fault.Is(err, fault.Misconfigured) || !strings.Contains(err.Error(), "written by a later version of Tandem") {
		t.Errorf("got %v", err)
	}
}

func TestA_program_that_could_not_look_when_it_started_looks_before_it_serves(t *testing.T) {
	t.Parallel()
	w := newWorld(t, onFirestore(t))
	unreachable, cancel := context.WithCancel(t.Context())
	cancel()
	a, err := w.compose(unreachable)
	if err != nil {
		t.Fatalf("a store that cannot be reached keeps it from starting: %v", err)
	}
	t.Cleanup(func() { _ = a.Close(t.Context()) })
	w.tandem = a.Handler()
	later(t, w.firestore())
	for _, path := range []string{"/settings", "/sync-contacts", "/oauth-callback"} {
		if got := w.do(http.MethodPost, path, ""); got.status != 500 || !strings.Contains(got.body, "Ask your administrator") {
			t.Errorf("%s: got %d %s", path, got.status, got.body)
		}
	}
	if err := w.firestore().UpdateSchema(t.Context(), func(s *store.Schema) error { *s = store.Schema{}; return nil }); err != nil {
		t.Fatal(err)
	}
	if got := w.do(http.MethodGet, "/settings", nil); got.status != 200 {
		t.Errorf("got %d %s", got.status, got.body)
	}
}

func TestTicks_migrate_and_cost_nothing_more_before_and_after(t *testing.T) {
	t.Parallel()
	var m meter
	w := newWorld(t, onFirestore(t), m.on())
	if got := m.take(); got != "1 reads, 0 writes" {
		t.Errorf("a start costs %s", got)
	}
	w.link()
	w.choose(w.tag("Ada", private))
	w.sync("done")
	for _, step := range []struct {
		what string
		pass time.Duration
		cost string
	}{
		{"the first tick tells that there is something to migrate", 0, "2 reads, 1 writes"},
		{"the next ones wait", time.Minute, "1 reads, 0 writes"},
		{"until no older program is left", time.Hour, "24 reads, 11 writes"},
		{"and then it is done", time.Minute, "1 reads, 0 writes"},
	} {
		w.pass(step.pass)
		// Nobody is due at any of them.
		if err := w.firestore().User(w.id).UpdateSync(t.Context(), "contacts", func(d *store.Sync) error {
			d.Due = w.now().Add(time.Hour)
			return nil
		}); err != nil {
			t.Fatal(err)
		}
		m.take()
		w.ask("")
		if got := m.take(); got != step.cost {
			t.Errorf("%s: it costs %s, want %s", step.what, got, step.cost)
		}
	}
	s, err := w.firestore().Schema(t.Context())
	if err != nil || s.Version != len(migrate.All) || s.Needs != 0 || s.Lease.Owner != "" {
		t.Errorf("got %+v, %v", s, err)
	}
}
