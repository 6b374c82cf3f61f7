package worldtest

import (
	"fmt"
	"slices"
	"testing"
	"time"

	"github.com/tandem-sync/tandem/shared/record"
	creatiobox "github.com/tandem-sync/tandem/shared/sandbox/creatio"
	googlebox "github.com/tandem-sync/tandem/shared/sandbox/google"
	"github.com/tandem-sync/tandem/shared/syncer"
)

// However the services cut their lists into pages, a first synchronization and the windows after it come to the same end.
func TestPages_of_any_size_come_to_the_same_end(t *testing.T) {
	t.Parallel()
	sized := func(n int) setup {
		return setup{pages: map[record.Side]int{record.Creatio: n, record.Google: n}}
	}
	short := sized(7)
	turn := 0
	short.google = googlebox.Options{PageRows: func(asked int) int {
		turn++
		return []int{0, 1, asked, 0, 0, asked - 1}[turn%6]
	}}
	short.creatio = creatiobox.Options{PageRows: 3}
	// A site whose replies have a bound of its own, of which it says nothing.
	all := map[string]setup{"short and empty": short, "cut without a word": {creatio: creatiobox.Options{MaxRows: 5}}}
	for _, n := range []int{1, 2, 7, 100, 1000} {
		all[fmt.Sprint(n)] = sized(n)
	}
	ends := map[string][]string{}
	for name, s := range all {
		inWorld(t, 1, s, func(w *world) { ends[name] = w.lived() })
	}
	for name, end := range ends {
		if want := ends["1000"]; !slices.Equal(end, want) {
			t.Errorf("pages of %s: the world ends as\n%q\nand of 1000 as\n%q", name, end, want)
		}
	}
	if n := len(ends["1000"]); n < 60 {
		t.Errorf("the world is too small to need pages: %d", n)
	}
}

// lived is a world after a first synchronization and windows with everything in them.
func (w *world) lived() []string {
	f := w.folk
	g := w.google.Account(ada).CreateGroup("Creatio")
	for range 12 {
		f.inCreatio(true)
		f.inGoogle(g)
		name, email := f.family(), fmt.Sprintf("both%04d@example.com", f.made)
		f.namedInCreatio(name, email, true)
		time.Sleep(time.Second)
		f.namedInGoogle(name, email, "")
	}
	for range 4 {
		if _, out, _ := w.sync(syncer.TriggerSchedule, nil); out.Status == syncer.Held {
			w.sync(syncer.TriggerReject, nil)
		}
		for range 25 {
			time.Sleep(time.Second)
			f.act(w.rng)
		}
	}
	w.heal()
	w.look()
	return append(w.scope(record.Creatio), w.scope(record.Google)...)
}
