package app_test

import (
	"errors"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/tandem-sync/tandem/shared/record"
	googlebox "github.com/tandem-sync/tandem/shared/sandbox/google"
	"github.com/tandem-sync/tandem/shared/store"
	"github.com/tandem-sync/tandem/shared/store/bolt"
)

// atRevocation looks at what is kept at the moment in which Google is asked to revoke a grant: a process may end there.
func (w *world) atRevocation(look func()) (asked func() bool) {
	seen := false
	w.google.SetFault(func(r *http.Request) *googlebox.Fault {
		if strings.Contains(r.URL.Path, "revoke") {
			seen = true
			look()
		}
		return nil
	})
	return func() bool { return seen }
}

func TestAn_account_whose_unlinking_is_cut_off_is_not_synchronized_when_it_is_linked_again(t *testing.T) {
	t.Parallel()
	p := newPromises(t, "hopper")
	automatic := map[string]any{"automatic": true, "intervalMinutes": 60, "direction": "both", "conflicts": "latest"}
	p.call(http.MethodPut, "/activities", map[string]any{
		"automatic": true, "intervalMinutes": 60, "syncFrom": "2026-03-01", "direction": "both", "conflicts": "latest", "deletions": "cancel",
		"privateEvents": "busy", "monthsAhead": 3, "guests": "colleagues",
	}, 200, nil)
	automatic["tagId"] = p.tag("Ada", private)
	p.call(http.MethodPut, "/contacts", automatic, 200, nil)
	asked := p.atRevocation(func() {
		for _, kind := range []record.Type{record.Contacts, record.Activities} {
			d, err := p.data.Sync(t.Context(), kind)
			if err != nil || d.Settings.Automatic || kind == record.Contacts && d.Due.IsZero() {
				t.Errorf("%s: automatic %t, due %s, %v", kind, d.Settings.Automatic, d.Due, err)
			}
		}
	})
	p.call(http.MethodDelete, "/google", nil, 204, nil)
	if !asked() {
		t.Error("no grant was revoked")
	}
}

func TestAn_erasure_that_is_cut_off_is_ended_by_a_task(t *testing.T) {
	t.Parallel()
	p := newPromises(t, "hopper")
	p.visit("/settings/sign-in")
	var left store.Profile
	asked := p.atRevocation(func() {
		var err error
		if left, err = p.data.Profile(t.Context()); err != nil {
			t.Error(err)
		}
	})
	before := len(p.queue.Tasks.Taken())
	p.call(http.MethodDelete, "/account", nil, 204, nil)
	tasks := p.queue.Tasks.Taken()[before:]
	if !asked() || left.Erasing.IsZero() || len(tasks) != 1 {
		t.Fatalf("cut off while Google was asked, it leaves %+v and %d tasks", left, len(tasks))
	}

	// Who links again at once has nothing to do with the task.
	p.google.SetFault(nil)
	p.link()
	p.deliver(tasks[0])
	if _, err := p.data.Profile(t.Context()); err != nil {
		t.Errorf("the task erased somebody else: %v", err)
	}
	if err := p.data.UpdateProfile(t.Context(), func(d *store.Profile) error { d.Erasing = p.now(); return nil }); err != nil {
		t.Fatal(err)
	}
	p.deliver(tasks[0])
	if _, err := p.data.Profile(t.Context()); !errors.Is(err, store.ErrNotFound) {
		t.Errorf("of the erasure that was cut off is left: %v", err)
	}
}

func TestAn_erasure_that_is_cut_off_is_ended_by_the_next_start(t *testing.T) {
	t.Parallel()
	w, _, _ := twins(t, "Hopper")
	id := w.account().ID
	w.stop()
	change := func(do func(u store.User) error) {
		t.Helper()
		s, err := bolt.Open(strings.TrimPrefix(w.env["STORE"], "bolt:"))
		if err != nil {
			t.Fatal(err)
		}
		if err := errors.Join(do(s.User(id)), s.Close()); err != nil {
			t.Fatal(err)
		}
	}
	change(func(u store.User) error {
		return u.UpdateProfile(t.Context(), func(d *store.Profile) error { d.Erasing = w.now().Add(-time.Minute); return nil })
	})
	w.start()
	w.call(http.MethodGet, "/account", nil, 401, nil)
	w.stop()
	change(func(u store.User) error {
		if _, err := u.Profile(t.Context()); !errors.Is(err, store.ErrNotFound) {
			t.Errorf("of the erasure is left: %v", err)
		}
		return nil
	})
	w.start()
}
