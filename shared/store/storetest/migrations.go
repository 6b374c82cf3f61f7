package storetest

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"runtime"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/tandem-sync/tandem/shared/fault"
	"github.com/tandem-sync/tandem/shared/store"
	"github.com/tandem-sync/tandem/shared/store/migrate"
)

// history is a store that is migrated by programs of several versions, with a clock that the test turns.
type history struct {
	t     *testing.T
	store store.Store
	mu    sync.Mutex
	now   time.Time
	// pages are those that were migrated, as the migration's name and the user that the page came after.
	pages []string
	// on, if set, is called at every page.
	on func(page string) error
}

func newHistory(t *testing.T, s store.Store) *history { return &history{t: t, store: s, now: noon} }

func (h *history) clock() time.Time {
	h.mu.Lock()
	defer h.mu.Unlock()
	return h.now
}

func (h *history) pass(d time.Duration) {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.now = h.now.Add(d)
}

// done are the pages since the last time it was asked.
func (h *history) done() string {
	h.mu.Lock()
	defer h.mu.Unlock()
	defer func() { h.pages = nil }()
	return strings.Join(h.pages, " ")
}

// migration has three pages, which end with the users u1 and u2, and with nobody.
func (h *history) migration(name string, breaking bool) migrate.Migration {
	return migrate.Migration{Name: name, Breaking: breaking, Page: func(_ context.Context, _ store.Store, after string) (string, error) {
		page := name + ":" + after
		h.mu.Lock()
		h.pages = append(h.pages, page)
		on := h.on
		h.mu.Unlock()
		if on != nil {
			if err := on(page); err != nil {
				return "", err
			}
		}
		return map[string]string{"": "u1", "u1": "u2", "u2": ""}[after], nil
	}}
}

// program is a process of a version that knows so many migrations: the third one breaks what came before.
func (h *history) program(knows int) (*migrate.Migrator, error) {
	h.t.Helper()
	all := []migrate.Migration{h.migration("a", false), h.migration("b", false), h.migration("c", true)}[:knows]
	m := migrate.New(h.store, all, fmt.Sprintf("process-%p", all), h.clock, slog.New(slog.DiscardHandler))
	return m, m.Open(h.t.Context())
}

func (h *history) start(knows int) *migrate.Migrator {
	h.t.Helper()
	m, err := h.program(knows)
	must(h.t, err)
	return m
}

// tick lets a process migrate for as long as it likes.
func (h *history) tick(m *migrate.Migrator) {
	h.t.Helper()
	must(h.t, m.Advance(h.t.Context(), h.clock().Add(time.Minute)))
}

func (h *history) version() int {
	h.t.Helper()
	s, err := h.store.Schema(h.t.Context())
	must(h.t, err)
	return s.Version
}

const both = "a: a:u1 a:u2 b: b:u1 b:u2"

var migrationTests = map[string]func(*testing.T, store.Store){
	"migrations run once and in their order, when older programs are gone": func(t *testing.T, s store.Store) {
		h := newHistory(t, s)
		m := h.start(2)
		h.tick(m)
		h.pass(59 * time.Minute)
		h.tick(m)
		same(t, "pages within the hour", h.done(), "")
		h.pass(time.Minute)
		h.tick(m)
		same(t, "pages after the hour", h.done(), both)
		same(t, "version", h.version(), 2)
		for _, again := range []*migrate.Migrator{m, h.start(2)} {
			h.pass(time.Hour)
			h.tick(again)
		}
		same(t, "pages afterwards", h.done(), "")
	},

	"of processes that migrate at the same time one does": func(t *testing.T, s store.Store) {
		h := newHistory(t, s)
		processes := []*migrate.Migrator{h.start(2), h.start(2), h.start(2)}
		h.tick(processes[0])
		h.pass(time.Hour)
		var wg sync.WaitGroup
		errs := make([]error, len(processes))
		for n, m := range processes {
			wg.Go(func() { errs[n] = m.Advance(t.Context(), h.clock().Add(time.Minute)) })
		}
		wg.Wait()
		for _, err := range errs {
			must(t, err)
		}
		same(t, "pages", h.done(), both)
		same(t, "version", h.version(), 2)
	},

	"a process whose time is over stops at a page, and any goes on there": func(t *testing.T, s store.Store) {
		h := newHistory(t, s)
		first, second := h.start(2), h.start(2)
		h.tick(first)
		h.pass(time.Hour)
		h.on = func(string) error { h.pass(40 * time.Second); return nil }
		h.tick(first)
		same(t, "pages of the first", h.done(), "a: a:u1")
		h.tick(second)
		same(t, "pages of the second", h.done(), "a:u2 b:")
		h.tick(first)
		same(t, "pages of the first again", h.done(), "b:u1 b:u2")
		same(t, "version", h.version(), 2)
	},

	"what a killed process was at is done again, and nothing before": func(t *testing.T, s store.Store) {
		h := newHistory(t, s)
		m, next := h.start(2), h.start(2)
		h.tick(m)
		h.pass(time.Hour)
		h.on = func(page string) error {
			if page == "a:u2" {
				runtime.Goexit()
			}
			return nil
		}
		var killed sync.WaitGroup
		killed.Go(func() { _ = m.Advance(t.Context(), h.clock().Add(time.Minute)) })
		killed.Wait()
		h.on = nil
		same(t, "pages of the killed process", h.done(), "a: a:u1 a:u2")
		h.tick(next)
		same(t, "pages while its lease lasts", h.done(), "")
		h.pass(2 * time.Minute)
		h.tick(next)
		same(t, "pages of the next process", h.done(), "a:u2 b: b:u1 b:u2")
		same(t, "version", h.version(), 2)
	},

	"a process that lost its lease writes nothing down any more": func(t *testing.T, s store.Store) {
		h := newHistory(t, s)
		slow, fast := h.start(2), h.start(2)
		h.tick(slow)
		h.pass(time.Hour)
		h.on = func(string) error {
			h.on = nil
			h.pass(3 * time.Minute)
			h.tick(fast)
			return nil
		}
		must(t, slow.Advance(t.Context(), h.clock().Add(time.Hour)))
		same(t, "pages", h.done(), "a: "+both)
		same(t, "version", h.version(), 2)
	},

	"a page that fails is repeated": func(t *testing.T, s store.Store) {
		h := newHistory(t, s)
		m := h.start(1)
		h.tick(m)
		h.pass(time.Hour)
		h.on = func(page string) error {
			if page == "a:u1" {
				return errRefused
			}
			return nil
		}
		wantError(t, m.Advance(t.Context(), h.clock().Add(time.Minute)), errRefused)
		h.on = nil
		h.tick(m)
		same(t, "pages", h.done(), "a: a:u1 a:u1 a:u2")
	},

	"an older program that starts meanwhile begins the wait again": func(t *testing.T, s store.Store) {
		h := newHistory(t, s)
		h.tick(h.start(1))
		h.pass(time.Hour)
		h.tick(h.start(2))
		h.pass(50 * time.Minute)
		h.start(1)
		h.pass(10 * time.Minute)
		h.tick(h.start(2))
		same(t, "pages an hour after the new program", h.done(), "")
		h.pass(time.Hour)
		h.tick(h.start(2))
		same(t, "pages an hour after the old program", h.done(), both)
	},

	"what an older program writes after a way back is migrated again": func(t *testing.T, s store.Store) {
		h := newHistory(t, s)
		h.tick(h.start(2))
		h.pass(time.Hour)
		h.tick(h.start(2))
		same(t, "pages on the way forward", h.done(), both)
		h.start(1)
		same(t, "version of the way back", h.version(), 1)
		h.tick(h.start(2))
		h.pass(time.Hour)
		h.tick(h.start(2))
		same(t, "pages when it goes forward again", h.done(), "b: b:u1 b:u2")
		same(t, "version", h.version(), 2)
	},

	"a program refuses documents that it cannot work with, from the first page on": func(t *testing.T, s store.Store) {
		h := newHistory(t, s)
		h.tick(h.start(3))
		h.pass(time.Hour)
		wantRefused := func() {
			_, err := h.program(2)
			f, ok := errors.AsType[*fault.Error](err)
			if !ok || f.Kind != fault.Misconfigured || f.Code != migrate.Newer || !strings.Contains(err.Error(), "needs version 3, this program knows 2") {
				t.Errorf("the older program starts with %v", err)
			}
		}
		h.on = func(page string) error {
			if strings.HasPrefix(page, "c:") {
				wantRefused()
			}
			return nil
		}
		h.tick(h.start(3))
		same(t, "pages", h.done(), both+" c: c:u1 c:u2")
		wantRefused()
		same(t, "version", h.version(), 3)
	},
}
