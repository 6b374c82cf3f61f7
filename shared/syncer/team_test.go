package syncer_test

import (
	"strings"
	"testing"

	"github.com/tandem-sync/tandem/shared/record"
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
	w.sides[s].edit(w.sides[s].id(name), func(r *row) { r.fields.SetText(record.JobTitle, job) })
}

func (w *world) text(s record.Side, name string) string {
	h := w.sides[s]
	id := h.id(name)
	h.mu.Lock()
	defer h.mu.Unlock()
	return h.rows[id].fields.Text(record.JobTitle)
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
