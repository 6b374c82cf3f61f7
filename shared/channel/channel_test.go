package channel_test

import (
	"context"
	"errors"
	"log/slog"
	"maps"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/tandem-sync/tandem/shared/channel"
	"github.com/tandem-sync/tandem/shared/fault"
	"github.com/tandem-sync/tandem/shared/record"
	"github.com/tandem-sync/tandem/shared/store"
	"github.com/tandem-sync/tandem/shared/store/bolt"
)

const address = "https://tandem.example.com/calendar-push"

var noon = time.Date(2026, time.March, 2, 12, 0, 0, 0, time.UTC)

// service is the calendar service, as far as it knows channels.
type service struct {
	now   func() time.Time
	gives time.Duration

	mu    sync.Mutex
	calls int
	open  map[string]opened
	// fails decides what goes wrong with a call: nothing, the call itself, or only its answer.
	fails func(call string) (err error, after bool)
}

type opened struct {
	token   string
	expires time.Time
}

func (s *service) call(name string, do func() error) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.calls++
	err, after := s.fails(name)
	if err != nil && !after {
		return err
	}
	return errors.Join(do(), err)
}

func (s *service) Watch(_ context.Context, id, token, to string, lifetime time.Duration) (string, time.Time, error) {
	if to != address {
		return "", time.Time{}, fault.Errorf(fault.Bug, "google", "address", "the address is %q", to)
	}
	expires := s.now().Add(min(lifetime, s.gives))
	err := s.call("watch", func() error {
		s.open[id] = opened{token, expires}
		return nil
	})
	return "calendar of ada", expires, err
}

func (s *service) Stop(_ context.Context, id, resource string) error {
	return s.call("stop", func() error {
		if _, there := s.open[id]; !there || resource != "calendar of ada" {
			return fault.New(fault.Gone, "google", "not-found", errors.New("no such channel"))
		}
		delete(s.open, id)
		return nil
	})
}

// ids are those of the channels that have not ended.
func (s *service) ids() (out []string) {
	for _, id := range slices.Sorted(maps.Keys(s.open)) {
		if s.now().Before(s.open[id].expires) {
			out = append(out, id)
		}
	}
	return out
}

// world is a user whose activities are synchronized, with a clock that the test turns.
type world struct {
	*channel.Keeper
	t       *testing.T
	service *service
	clock   time.Time
	granted bool
	log     strings.Builder
}

func newWorld(t *testing.T) *world {
	t.Helper()
	s, err := bolt.Open(filepath.Join(t.TempDir(), "tandem.db"))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = s.Close() })
	w := &world{t: t, clock: noon, granted: true}
	now := func() time.Time { return w.clock }
	w.service = &service{now: now, gives: 7 * 24 * time.Hour, open: map[string]opened{}, fails: func(string) (error, bool) { return nil, false }}
	w.Keeper = &channel.Keeper{Store: s, Open: w.open, Type: record.Activities, Scope: "calendar", Address: address, Now: now, Logger: slog.New(slog.NewTextHandler(&w.log, nil))}
	must(t, s.User("ada").UpdateProfile(t.Context(), func(p *store.Profile) error {
		p.Google.Linked, p.Google.Scopes, p.Creatio.Linked = true, []string{"contacts", "calendar"}, true
		return nil
	}))
	w.automatic(true)
	return w
}

func (w *world) open(context.Context, string) (channel.Calendar, error) {
	if !w.granted {
		return nil, fault.New(fault.Reconnect, "google", "reconnect", errors.New("no grant"))
	}
	return w.service, nil
}

func (w *world) automatic(on bool) {
	w.t.Helper()
	must(w.t, w.Store.User("ada").UpdateSync(w.t.Context(), record.Activities, func(d *store.Sync) error {
		d.Settings.Automatic = on
		return nil
	}))
}

// due is what a run asks that has read the user's documents.
func (w *world) due() bool {
	w.t.Helper()
	p, err := w.Store.User("ada").Profile(w.t.Context())
	must(w.t, err)
	d, err := w.Store.User("ada").Sync(w.t.Context(), record.Activities)
	must(w.t, err)
	return w.Due(p, d)
}

// run does what a run of the user does at its end, some time after the last one.
func (w *world) run(after time.Duration) error {
	w.t.Helper()
	w.clock = w.clock.Add(after)
	if !w.due() {
		return nil
	}
	return w.Tend(w.t.Context(), "ada")
}

func (w *world) kept() []store.Channel {
	w.t.Helper()
	all, err := w.Store.User("ada").Channels(w.t.Context())
	must(w.t, err)
	return all
}

// one is the only channel there is, at the service and in the store, and the one that is in use.
func (w *world) one() string {
	w.t.Helper()
	d, err := w.Store.User("ada").Sync(w.t.Context(), record.Activities)
	must(w.t, err)
	kept, ids := w.kept(), w.service.ids()
	if len(kept) != 1 || len(ids) != 1 || kept[0].ID != ids[0] || kept[0].State != store.ChannelOpen || d.Push.Channel != ids[0] {
		w.t.Fatalf("there are %v, kept are %+v, in use is %q", ids, kept, d.Push.Channel)
	}
	return ids[0]
}

// none fails where there is any channel, at the service or in the store.
func (w *world) none() {
	w.t.Helper()
	if kept, ids := w.kept(), w.service.ids(); len(kept) > 0 || len(ids) > 0 {
		w.t.Fatalf("there are %v, kept are %+v", ids, kept)
	}
}

func must(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

func TestA_channel_is_replaced_before_it_ends_and_otherwise_left_alone(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	must(t, w.run(0))
	first := w.one()
	for range 5 {
		must(t, w.run(24*time.Hour))
		if w.one() != first {
			t.Fatal("the channel was replaced although it is good for days")
		}
	}
	if w.service.calls != 1 {
		t.Errorf("the service was called %d times", w.service.calls)
	}
	must(t, w.run(24*time.Hour))
	if w.one() == first {
		t.Error("the channel was not replaced a day before its end")
	}
}

func TestA_channel_that_ends_sooner_than_asked_for_is_replaced_in_time(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.service.gives = time.Hour
	must(t, w.run(0))
	first := w.one()
	must(t, w.run(29*time.Minute))
	if w.one() != first {
		t.Error("the channel was replaced too soon")
	}
	must(t, w.run(2*time.Minute))
	if w.one() == first {
		t.Error("the channel was not replaced")
	}
}

func TestAn_address_that_changed_gets_a_channel_of_its_own_at_once(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	must(t, w.Store.User("ada").UpdateSync(t.Context(), record.Activities, func(d *store.Sync) error {
		d.Push = store.Push{Channel: "former", Address: "https://former.example.com/calendar-push", Next: noon.Add(100 * time.Hour)}
		return nil
	}))
	must(t, w.run(0))
	w.one()
}

func TestNobody_gets_a_channel_who_is_not_to_have_one_and_whoever_ceases_to_loses_it(t *testing.T) {
	t.Parallel()
	profile := func(f func(*store.Profile)) func(*world) {
		return func(w *world) {
			must(w.t, w.Store.User("ada").UpdateProfile(w.t.Context(), func(p *store.Profile) error { f(p); return nil }))
		}
	}
	for name, cease := range map[string]func(*world){
		"not automatic":                func(w *world) { w.automatic(false) },
		"no address":                   func(w *world) { w.Address = "" },
		"no account at Google":         profile(func(p *store.Profile) { p.Google.Linked = false }),
		"no account in Creatio":        profile(func(p *store.Profile) { p.Creatio.Linked = false }),
		"Google has to be linked anew": profile(func(p *store.Profile) { p.Google.Reconnect = true }),
		"Creatio has to be":            profile(func(p *store.Profile) { p.Creatio.Reconnect = true }),
		"no permission":                profile(func(p *store.Profile) { p.Google.Scopes = []string{"contacts"} }),
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			never := newWorld(t)
			cease(never)
			must(t, never.run(0))
			if never.none(); never.service.calls > 0 {
				t.Error("the service was called")
			}
			w := newWorld(t)
			must(t, w.run(0))
			w.one()
			cease(w)
			must(t, w.run(time.Minute))
			w.none()
			must(t, w.run(24*time.Hour))
			w.none()
		})
	}
}

func TestWithout_a_grant_channels_wait_to_be_stopped_and_count_no_more(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	must(t, w.run(0))
	first := w.one()
	w.granted = false
	must(t, w.Close(t.Context(), "ada"))
	if kept := w.kept(); len(kept) != 1 || kept[0].State != store.ChannelClosing || !kept[0].Due.Equal(kept[0].Expires) {
		t.Fatalf("kept are %+v", kept)
	}
	// Linked again, the user gets another one, and the one that was left is stopped.
	w.granted = true
	w.clock = noon.Add(6 * 24 * time.Hour)
	must(t, w.Tend(t.Context(), "ada"))
	if w.one() == first {
		t.Error("a channel that was closed came back")
	}
}

func TestA_channel_that_cannot_be_stopped_is_tried_again_and_forgotten_once_it_ended(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	must(t, w.run(0))
	w.automatic(false)
	for n, kind := range []fault.Kind{fault.Retry, fault.Retry, fault.Misconfigured} {
		w.service.fails = func(string) (error, bool) { return fault.New(kind, "google", "no", errors.New("no")), false }
		if err := w.Close(t.Context(), "ada"); !fault.Is(err, kind) {
			t.Fatalf("got %v, want %v", err, kind)
		}
		kept := w.kept()
		if len(kept) != 1 || kept[0].State != store.ChannelClosing || kept[0].Failed != n+1 || !kept[0].Due.After(w.clock) {
			t.Fatalf("kept are %+v", kept)
		}
		w.clock = kept[0].Due
		due, err := w.Store.DueChannels(t.Context(), w.clock, 10)
		if err != nil || len(due) != 1 {
			t.Fatalf("due are %v, %v", due, err)
		}
	}
	w.clock = noon.Add(7 * 24 * time.Hour)
	must(t, w.Tend(t.Context(), "ada"))
	w.none()
}

func TestWhat_the_service_refuses_is_told_once_and_tried_ever_more_seldom(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.service.fails = func(string) (error, bool) {
		return fault.New(fault.Misconfigured, "google", "push-refused", errors.New("unauthorized WebHook callback")), false
	}
	for range 60 * 4 {
		// A run asks first whether it is time, and a task does not.
		_ = w.run(6 * time.Hour)
		_ = w.Tend(t.Context(), "ada")
	}
	if w.none(); w.service.calls > 12 {
		t.Errorf("within 60 days the service was asked %d times", w.service.calls)
	}
	if n := strings.Count(w.log.String(), "\n"); n != 1 || !strings.Contains(w.log.String(), "unauthorized WebHook") {
		t.Errorf("logged %q", w.log.String())
	}
	w.service.fails = func(string) (error, bool) { return nil, false }
	must(t, w.run(7*24*time.Hour))
	w.one()
}

func TestTrouble_of_the_service_passes_without_a_word_and_leaves_the_former_channel(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	must(t, w.run(0))
	first := w.one()
	w.service.fails = func(string) (error, bool) {
		return fault.New(fault.Retry, "google", "unavailable", errors.New("unavailable")), false
	}
	if err := w.run(6 * 24 * time.Hour); !fault.Is(err, fault.Retry) || w.one() != first {
		t.Errorf("got %v", err)
	}
	w.service.fails = func(string) (error, bool) { return nil, false }
	must(t, w.run(10*time.Minute))
	if w.one() == first || w.log.Len() > 0 {
		t.Errorf("the channel was not replaced, or logged is %q", w.log.String())
	}
}

func TestA_channel_whose_opening_was_not_answered_is_stopped(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	lost := fault.New(fault.Retry, "google", "unreachable", errors.New("no answer"))
	lost.Ambiguous = true
	w.service.fails = func(string) (error, bool) { return lost, true }
	if err := w.run(0); !fault.Is(err, fault.Retry) {
		t.Fatalf("got %v", err)
	}
	orphan := w.service.ids()
	w.service.fails = func(string) (error, bool) { return nil, false }
	must(t, w.run(10*time.Minute))
	if w.one() == orphan[0] {
		t.Error("the orphan is in use")
	}
}

func TestOf_several_who_tend_at_once_one_opens_a_channel(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	var all sync.WaitGroup
	for range 8 {
		all.Go(func() {
			if err := w.Tend(t.Context(), "ada"); err != nil {
				t.Error(err)
			}
		})
	}
	all.Wait()
	w.one()
}

func TestA_channel_that_is_opened_while_the_user_ends_it_all_is_stopped_at_once(t *testing.T) {
	t.Parallel()
	for name, end := range map[string]func(*world){
		"automatic off": func(w *world) { w.automatic(false); must(w.t, w.Close(w.t.Context(), "ada")) },
		"erased":        func(w *world) { must(w.t, w.Store.User("ada").Erase(w.t.Context())) },
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			w := newWorld(t)
			w.service.fails = func(call string) (error, bool) {
				if call == "watch" {
					w.service.fails = func(string) (error, bool) { return nil, false }
					w.service.mu.Unlock()
					end(w)
					w.service.mu.Lock()
				}
				return nil, false
			}
			_ = w.Tend(t.Context(), "ada")
			w.none()
			if left, err := w.Store.SyncStatuses(t.Context(), record.Activities, "", 10); name == "erased" && len(left) > 0 || err != nil {
				t.Errorf("left of the user is %+v, %v", left, err)
			}
		})
	}
}

func TestAn_erased_user_opens_no_channel_again(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	must(t, w.run(0))
	left := w.kept()[0]
	must(t, w.Store.User("ada").Erase(t.Context()))
	if err := w.Store.User("ada").PutChannel(t.Context(), left); !errors.Is(err, store.ErrNotFound) {
		t.Errorf("error is %v", err)
	}
	must(t, w.Tend(t.Context(), "ada"))
	if kept := w.kept(); len(kept) > 0 {
		t.Errorf("kept are %+v", kept)
	}
}

// errDied is what everything answers to a process that is dead.
var errDied = fault.New(fault.Retry, "", "died", errors.New("the process is dead"))

func TestWherever_the_process_dies_one_channel_is_left_in_the_end(t *testing.T) {
	t.Parallel()
	for _, situation := range []string{"first", "renewal", "end"} {
		for _, late := range []bool{false, true} {
			for n := 1; ; n++ {
				w := newWorld(t)
				if situation != "first" {
					must(t, w.run(0))
					w.clock = w.clock.Add(6 * 24 * time.Hour)
				}
				if situation == "end" {
					w.automatic(false)
				}
				finished := !w.tendAndDie(n, late)
				// The next process finds the user by a run, or by the channels that are due.
				for range 3 {
					w.clock = w.clock.Add(10 * time.Minute)
					due, err := w.Store.DueChannels(t.Context(), w.clock, 10)
					must(t, err)
					if w.due() || len(due) > 0 {
						must(t, w.Tend(t.Context(), "ada"))
					}
				}
				if situation == "end" {
					w.none()
				} else {
					w.one()
				}
				if t.Failed() || finished {
					if n < 5 {
						t.Errorf("%s: it was over after %d calls", situation, n)
					}
					break
				}
			}
		}
	}
}

// tendAndDie tends in a process that dies at its nth call, before that takes effect or after it; false where it made fewer.
func (w *world) tendAndDie(n int, late bool) (died bool) {
	w.t.Helper()
	d := &dying{n: n, late: late}
	k := *w.Keeper
	k.Store = dyingStore{w.Store, d}
	k.Open = func(context.Context, string) (channel.Calendar, error) { return dyingCalendar{w.service, d}, nil }
	err := k.Tend(w.t.Context(), "ada")
	if !d.dead {
		must(w.t, err)
	}
	return d.dead
}

type dying struct {
	n, calls int
	late     bool
	dead     bool
}

func (d *dying) call(do func() error) error {
	d.calls++
	d.dead = d.dead || d.calls == d.n && !d.late
	if d.dead {
		return errDied
	}
	err := do()
	if d.dead = d.calls == d.n; d.dead {
		return errDied
	}
	return err
}

type dyingStore struct {
	store.Store
	d *dying
}

func (s dyingStore) User(id string) store.User { return dyingUser{s.Store.User(id), s.d} }

type dyingUser struct {
	store.User
	d *dying
}

func (u dyingUser) UpdateSync(ctx context.Context, t record.Type, f func(*store.Sync) error) error {
	return u.d.call(func() error { return u.User.UpdateSync(ctx, t, f) })
}

func (u dyingUser) PutChannel(ctx context.Context, c store.Channel) error {
	return u.d.call(func() error { return u.User.PutChannel(ctx, c) })
}

func (u dyingUser) UpdateChannel(ctx context.Context, id string, f func(*store.Channel) error) error {
	return u.d.call(func() error { return u.User.UpdateChannel(ctx, id, f) })
}

func (u dyingUser) DeleteChannel(ctx context.Context, id string) error {
	return u.d.call(func() error { return u.User.DeleteChannel(ctx, id) })
}

type dyingCalendar struct {
	*service
	d *dying
}

func (c dyingCalendar) Watch(ctx context.Context, id, token, to string, lifetime time.Duration) (resource string, expires time.Time, err error) {
	err = c.d.call(func() (err error) {
		resource, expires, err = c.service.Watch(ctx, id, token, to, lifetime)
		return err
	})
	if err != nil {
		err = fault.InPart(err)
	}
	return resource, expires, err
}

func (c dyingCalendar) Stop(ctx context.Context, id, resource string) error {
	return c.d.call(func() error { return c.service.Stop(ctx, id, resource) })
}

func TestA_message_counts_only_with_the_secret_of_an_open_channel(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	must(t, w.run(0))
	id := w.one()
	good := channel.Message{Channel: id, Token: w.service.open[id].token, Resource: "calendar of ada", State: "exists"}
	if user, err := channel.User(t.Context(), w.Store, good, w.clock); err != nil || user != "ada" {
		t.Fatalf("got %q, %v", user, err)
	}
	for name, change := range map[string]func(*channel.Message){
		"no channel":       func(m *channel.Message) { m.Channel = "" },
		"another channel":  func(m *channel.Message) { m.Channel, _ = w.Store.NewChannelID(t.Context()) },
		"invented":         func(m *channel.Message) { m.Channel = strings.Repeat("0", len(id)) },
		"no token":         func(m *channel.Message) { m.Token = "" },
		"another token":    func(m *channel.Message) { m.Token += "x" },
		"no resource":      func(m *channel.Message) { m.Resource = "" },
		"another resource": func(m *channel.Message) { m.Resource = "calendar of bob" },
	} {
		m := good
		change(&m)
		if user, err := channel.User(t.Context(), w.Store, m, w.clock); !errors.Is(err, store.ErrNotFound) {
			t.Errorf("%s: got %q, %v", name, user, err)
		}
	}
	if user, err := channel.User(t.Context(), w.Store, good, noon.Add(7*24*time.Hour)); !errors.Is(err, store.ErrNotFound) {
		t.Errorf("expired: got %q, %v", user, err)
	}
	w.granted = false
	must(t, w.Close(t.Context(), "ada"))
	if user, err := channel.User(t.Context(), w.Store, good, w.clock); !errors.Is(err, store.ErrNotFound) {
		t.Errorf("closed: got %q, %v", user, err)
	}
}

func TestA_message_tells_what_an_orphan_watches_so_that_it_can_be_stopped(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.tendAndDie(3, true)
	ids := w.service.ids()
	if len(ids) != 1 || w.kept()[0].ResourceID != "" {
		t.Fatalf("there are %v, kept are %+v", ids, w.kept())
	}
	m := channel.Message{Channel: ids[0], Token: w.service.open[ids[0]].token, Resource: "calendar of ada", State: channel.Opened}
	if user, err := channel.User(t.Context(), w.Store, m, w.clock); err != nil || user != "ada" {
		t.Fatalf("got %q, %v", user, err)
	}
	w.automatic(false)
	must(t, w.Close(t.Context(), "ada"))
	w.none()
}
