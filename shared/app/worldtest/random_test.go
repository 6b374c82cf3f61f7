package worldtest

import (
	"flag"
	"fmt"
	"maps"
	"math/rand/v2"
	"os"
	"runtime"
	"slices"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/tandem-sync/tandem/shared/record"
	creatiobox "github.com/tandem-sync/tandem/shared/sandbox/creatio"
	googlebox "github.com/tandem-sync/tandem/shared/sandbox/google"
	"github.com/tandem-sync/tandem/shared/syncer"
)

var (
	worlds = flag.Int("worlds", usual(), "how many random worlds are made; of those with two users and of address books a tenth, of offices a twentieth")
	only   = flag.Uint64("seed", 0, "make the random world of this seed alone")
)

// usual is how many worlds are made where nobody says: as many as there is time for, and more by scripts/test --long, as before a
// change lands.
func usual() int {
	if long() {
		return 1000
	}
	return 60
}

func long() bool { return os.Getenv("LONG_TESTS") != "" }

// maxFailures is how many worlds may fail before the others are left out.
const maxFailures = 5

// People edit on both sides between runs and during them, calls go wrong in any way, and in the end nobody can have
// anything against what is there.
func TestAny_world_comes_to_a_good_end(t *testing.T) {
	t.Parallel()
	t.Cleanup(func() {
		tallies.Lock()
		defer tallies.Unlock()
		t.Attr("faults", fmt.Sprint(tallies.mishaps))
		for _, what := range slices.Sorted(maps.Keys(tallies.worlds)) {
			t.Logf("%d worlds of %d had %s", tallies.worlds[what], *worlds, what)
		}
	})
	seeds(t, *worlds, "TestAny_world_comes", anyWorld)
}

// seeds makes so many worlds, or the one that is asked for alone.
func seeds(t *testing.T, worlds int, name string, world func(*testing.T, uint64)) {
	t.Helper()
	if *only != 0 {
		world(t, *only)
		return
	}
	var next, failed atomic.Uint64
	for i := range 2 * runtime.GOMAXPROCS(0) {
		t.Run(fmt.Sprint(i), func(t *testing.T) {
			t.Parallel()
			for failed.Load() < maxFailures {
				seed := next.Add(1)
				if seed > uint64(worlds) {
					return
				}
				if !t.Run(fmt.Sprint(seed), func(t *testing.T) { world(t, seed) }) {
					failed.Add(1)
					t.Logf("once more: go test ./shared/app/worldtest -run %s -seed=%d", name, seed)
				}
			}
		})
	}
}

// writesUnheard has a write of the run take effect of which the run does not hear, mostly one that changes what it is given.
func (w *world) writesUnheard(script map[place]mishap) {
	ways := []mishap{diesAfter, diesAfter, lostAfter, brokenAfter, frozeAfter}
	side := record.Sides[w.rng.IntN(2)]
	script[place{string(side) + writes, 1 + w.rng.IntN(2)}] = ways[w.rng.IntN(len(ways))]
	acts := oddInCreatio
	if side == record.Creatio {
		acts = oddInGoogle
	}
	for range 2 {
		a := acts[1+w.rng.IntN(len(acts)-1)]
		w.write("somebody: %s %s", a.name, a.do(w.folk, w.rng))
	}
}

// tallies count the worlds in which something happened.
var tallies struct {
	sync.Mutex
	worlds map[string]int
	// mishaps are how many calls went wrong.
	mishaps int
}

// counts notes that something happened in the world.
func (w *world) counts(what string) {
	if w.happened == nil {
		w.happened = map[string]bool{}
	}
	w.happened[what] = true
}

func (w *world) countOutcome() {
	tallies.Lock()
	defer tallies.Unlock()
	if tallies.worlds == nil {
		tallies.worlds = map[string]int{}
	}
	tallies.mishaps += w.mishaps
	for what := range w.happened {
		tallies.worlds[what]++
	}
}

func anyWorld(t *testing.T, seed uint64) {
	r := rand.New(rand.NewPCG(seed, 3))
	pick := func(n ...int) int { return n[r.IntN(len(n))] }
	s := setup{
		chunk: pick(1, 2, 3, 5, 200),
		pages: map[record.Side]int{record.Creatio: pick(0, 0, 1, 3, 7), record.Google: pick(0, 0, 1, 3, 7)},
		google: googlebox.Options{
			WriteVisibility: time.Duration(pick(0, 0, 0, 30, 90)) * time.Second, StaleReads: time.Duration(pick(0, 0, 0, 10)) * time.Second,
		},
		creatio: creatiobox.Options{PageRows: pick(0, 0, 0, 4)},
	}
	if r.IntN(4) == 0 {
		cut := rand.New(rand.NewPCG(seed, 4))
		s.google.PageRows = func(asked int) int { return cut.IntN(asked + 1) }
	}
	if r.IntN(5) == 0 {
		// Lists and single reads both trail, as long as the adapter says that they may.
		s.google.WriteVisibility, s.google.StaleReads = 10*time.Minute, 10*time.Minute
	}
	// So do groups, at times.
	if r.IntN(2) == 0 {
		s.google.StaleGroups = s.google.WriteVisibility
	}
	inWorld(t, seed, s, func(w *world) {
		w.folk.words = map[string]map[string]*word{}
		defer w.countOutcome()
		w.begin()
		for range 2 + w.rng.IntN(3) {
			w.round()
		}
		w.heal()
		w.look()
	})
}

// begin is what there is before the first run.
func (w *world) begin() {
	f := w.folk
	f.stranger()
	for range 1 + w.rng.IntN(4) {
		f.inCreatio(w.rng.IntN(5) > 0)
	}
	for range w.rng.IntN(3) {
		name, email := f.family(), fmt.Sprintf("both%04d@example.com", f.made)
		f.namedInCreatio(name, email, true)
		f.namedInGoogle(name, email, "")
		// Until a run has seen both, somebody may edit what they have in common.
		f.somebody(name).twice = map[record.Side]int{record.Creatio: 1, record.Google: 1}
	}
	if w.rng.IntN(3) == 0 {
		g := w.google.Account(ada).CreateGroup("Creatio")
		for range w.rng.IntN(4) {
			f.inGoogle(g)
		}
	}
	// Lists show by now what there was before.
	time.Sleep(2*time.Minute + w.stale)
	if w.rng.IntN(2) == 0 {
		if _, out, _ := w.sync(syncer.TriggerSchedule, nil); out.Status == syncer.Done {
			for _, s := range f.about {
				clear(s.twice)
			}
		}
	}
}

// round is a while in which people edit, and a run in which things happen.
func (w *world) round() {
	for range w.rng.IntN(6) {
		w.folk.act(w.rng)
	}
	script := map[place]mishap{}
	happens := func(how int, ways ...mishap) {
		for range w.rng.IntN(how) {
			at := place{string(record.Sides[w.rng.IntN(2)]), 1 + w.rng.IntN(10)}
			script[at] = ways[w.rng.IntN(len(ways))]
		}
	}
	happens(3, onServices...)
	happens(3, edits)
	if w.rng.IntN(3) == 0 {
		script[place{"store", 1 + w.rng.IntN(25)}] = onStore[w.rng.IntN(len(onStore))]
	}
	if w.rng.IntN(3) == 0 {
		w.writesUnheard(script)
	}
	p, out, _ := w.sync(syncer.TriggerSchedule, script)
	if p.unheard && w.rng.IntN(3) > 0 {
		for range 1 + w.rng.IntN(3) {
			if what := w.folk.thinksBetter(w.rng, true); what != "" {
				w.write("somebody sets back %s", what)
			}
		}
	}
	if out.Status == syncer.Held {
		trigger := []string{syncer.TriggerApprove, syncer.TriggerReject, syncer.TriggerSchedule}[w.rng.IntN(3)]
		if trigger == syncer.TriggerReject {
			// What left comes back.
			w.folk.unsay(slices.Collect(maps.Keys(w.folk.words))...)
		}
		w.sync(trigger, nil)
	}
	time.Sleep([]time.Duration{time.Second, time.Minute, 5 * time.Minute, 20 * time.Minute, 3 * time.Hour, 30 * time.Hour}[w.rng.IntN(6)])
}
