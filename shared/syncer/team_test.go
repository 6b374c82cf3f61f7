package syncer_test

import (
	"context"
	"fmt"
	"maps"
	"slices"
	"strings"
	"testing"

	"pgregory.net/rapid"

	"github.com/tandem-sync/tandem/shared/contact"
	"github.com/tandem-sync/tandem/shared/record"
	"github.com/tandem-sync/tandem/shared/store"
)

// team is a world in step with some people who are clerks.
func team(t *testing.T, names ...string) *world {
	t.Helper()
	w := newWorld(t)
	for _, n := range names {
		w.sides[record.Creatio].add(n, strings.ToLower(n)+"@example.com")
		w.setJob(record.Creatio, n, "Clerk")
	}
	w.sync()
	w.silent()
	return w
}

func (w *world) setJob(s record.Side, name, job string) {
	w.sides[s].edit(w.sides[s].id(name), func(r *row) { r.fields.SetText(contact.JobTitle, job) })
}

func (w *world) text(s record.Side, name string) string {
	h := w.sides[s]
	id := h.id(name)
	h.mu.Lock()
	defer h.mu.Unlock()
	return h.rows[id].fields.Text(contact.JobTitle)
}

// job is what each side shows as the job title of somebody.
func (w *world) job(name string) string {
	w.t.Helper()
	return w.text(record.Creatio, name) + " / " + w.text(record.Google, name)
}

func wantJob(t *testing.T, w *world, name, want string) {
	t.Helper()
	if got := w.job(name); got != want {
		t.Errorf("%s is %q, want %q", name, got, want)
	}
}

// many adds so many people to a side, N0 and so on.
func (h *half) many(n int) {
	for i := range n {
		h.add(fmt.Sprintf("N%d", i), fmt.Sprintf("n%d@example.com", i))
	}
}

// leaving is how a record leaves the scope.
var leaving = map[string]func(*row){
	"out of scope": func(r *row) { r.member = false },
	"deleted":      func(r *row) { r.gone = true },
}

// kept is what the store has of the sync.
func (w *world) kept() store.Sync {
	w.t.Helper()
	d, err := w.user.Sync(context.Background(), record.Contacts)
	if err != nil {
		w.t.Fatal(err)
	}
	return d
}

// failAt has the n-th call of a name fail after it took effect.
func failAt(w *world, name string, n int) {
	calls := 0
	w.after = func(call string) error {
		if call == name {
			if calls++; calls == n {
				return errDied
			}
		}
		return nil
	}
}

// failing has the n-th call of all fail, before or after it took effect, and counts them.
func failing(w *world, n int, late bool) (calls *int) {
	calls = new(int)
	fail := func(string) error {
		if *calls++; *calls == n {
			return errDied
		}
		return nil
	}
	if late {
		w.after = fail
	} else {
		w.before = fail
	}
	return calls
}

// act is a person who does something on one of the sides; n makes what is new differ from all before.
func act(rt *rapid.T, w *world, n int) {
	h := w.sides[rapid.SampledFrom(record.Sides[:]).Draw(rt, "side")]
	ids := slices.Sorted(maps.Keys(h.rows))
	ids = slices.DeleteFunc(ids, func(id string) bool { return h.rows[id].gone })
	kind := rapid.IntRange(0, 5).Draw(rt, "kind")
	if len(ids) == 0 || kind == 0 {
		rt.Logf("%s adds P%d", h.side, n)
		h.add(fmt.Sprintf("P%d", n), fmt.Sprintf("p%d@example.com", n))
		return
	}
	id := rapid.SampledFrom(ids).Draw(rt, "id")
	rt.Logf("%s edits %s, kind %d", h.side, id, kind)
	h.edit(id, func(r *row) {
		switch kind {
		case 1:
			r.member = !r.member
		case 2:
			r.fields[contact.Phones] = append(slices.Clone(r.fields[contact.Phones]), record.Entry{Kind: "work", Text: fmt.Sprintf("+1 202 555 %04d", n)})
		case 3:
			r.fields[contact.Phones] = nil
		default:
			r.fields.SetText(contact.JobTitle, fmt.Sprint("job", n))
		}
	})
}
