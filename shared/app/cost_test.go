package app_test

import (
	"fmt"
	"net/http"
	"testing"
	"time"
)

// However many links there are, a window in which nothing happened costs the store the same: the whole of it, with the
// tokens of both sides, from the request to its answer.
func TestA_window_without_a_change_costs_the_store_the_same_however_many_links_there_are(t *testing.T) {
	t.Parallel()
	for _, contacts := range []int{1, 200} {
		m := &meter{}
		w := newWorld(t, onFirestore(t), m.on())
		tag := w.tag("Ada", private)
		for i := range contacts {
			w.tagged(tag, w.contact(fmt.Sprintf("Grace Hopper %d", i), fmt.Sprintf("grace%d@example.com", i)))
		}
		w.link()
		w.choose(tag)
		w.sync("done")
		w.sync("done")
		id := w.account().ID
		w.pass(5 * time.Minute)
		m.take()
		if a := w.do(http.MethodPost, "/sync-contacts", map[string]string{"user": id}); a.status != http.StatusOK {
			t.Fatalf("got %d %s", a.status, a.body)
		}
		if got, want := m.take(), "8 reads, 3 writes"; got != want {
			t.Errorf("with %d links a window without a change costs %s, want %s", contacts, got, want)
		}
	}
}
