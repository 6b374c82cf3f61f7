package app_test

import (
	"bytes"
	"flag"
	"fmt"
	"hash/fnv"
	"io"
	"net/http"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"sync"
	"testing"
	"time"

	"golang.org/x/tools/txtar"

	"github.com/tandem-sync/tandem/shared/app"
	"github.com/tandem-sync/tandem/shared/record"
	creatiobox "github.com/tandem-sync/tandem/shared/sandbox/creatio"
	googlebox "github.com/tandem-sync/tandem/shared/sandbox/google"
	"github.com/tandem-sync/tandem/shared/syncer"
)

// cut is how a run is cut off at one of its writes.
type cut string

const (
	// answerLost lets the write take effect, loses its answer, and lets the run go on.
	answerLost cut = "the answer is lost"
	// connectionBroken lets the write take effect and nothing after it come through to either side.
	connectionBroken cut = "the connection breaks"
	// processDied is the same, and nothing after it is written to the store.
	processDied cut = "the process dies"
)

// breakage is a cut at the n-th write to a side; without a side at the n-th request to either.
type breakage struct {
	world *world
	how   cut
	side  record.Side
	n     int
	// without says that the write does not take effect.
	without bool

	mu     sync.Mutex
	writes int
	// happened says that the write came, stored is what the store had at that time.
	happened bool
	stored   []byte
}

// cutOff does something that has a run be made, which is cut off at its n-th write to a side; without a side at its n-th request to
// either. It is false where the run had fewer.
// A process that died is to be started again.
func (w *world) cutOff(how cut, side record.Side, n int, do func()) bool {
	w.t.Helper()
	return w.breakAt(&breakage{world: w, how: how, side: side, n: n}, do)
}

func (w *world) breakAt(b *breakage, do func()) bool {
	w.t.Helper()
	w.google.SetFault(func(r *http.Request) *googlebox.Fault {
		f, drops := b.at(record.Google, r, strings.HasPrefix(r.URL.Path, "/v1/") && r.Method != http.MethodGet)
		if !f {
			return nil
		}
		return &googlebox.Fault{Drop: drops, After: drops && !b.without, Header: http.Header{"Retry-After": {"120"}}}
	})
	w.creatio.SetFault(func(r *http.Request) *creatiobox.Fault {
		f, drops := b.at(record.Creatio, r, writesToCreatio(r))
		if !f {
			return nil
		}
		return &creatiobox.Fault{Drop: drops, After: drops && !b.without, Header: http.Header{"Retry-After": {"120"}}}
	})
	do()
	w.google.SetFault(nil)
	w.creatio.SetFault(nil)
	if b.stored != nil {
		w.stop()
		if err := os.WriteFile(strings.TrimPrefix(w.env["STORE"], "bolt:"), b.stored, 0o600); err != nil {
			w.t.Fatal(err)
		}
	}
	return b.happened
}

// revive starts a process that died, once the lease of its run has ended. It goes on by itself with what was under way.
func (w *world) revive() {
	w.t.Helper()
	if w.app != nil {
		return
	}
	w.pass(2 * time.Minute)
	w.start()
	if err := w.app.Wait(w.t.Context()); err != nil {
		w.t.Fatal(err)
	}
}

// at tells whether a request goes wrong, and whether it is the one that takes effect and gets no answer.
func (b *breakage) at(side record.Side, r *http.Request, writes bool) (fails, drops bool) {
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.happened {
		return b.how != answerLost, false
	}
	if b.side != "" && (side != b.side || !writes) {
		return false, false
	}
	if b.writes++; b.writes < b.n {
		return false, false
	}
	b.happened = true
	if b.how == processDied {
		// Nobody writes to the store while a side is written to; see unhurried.
		kept, err := os.ReadFile(strings.TrimPrefix(b.world.env["STORE"], "bolt:"))
		if err != nil {
			b.world.t.Error(err)
		}
		b.stored = kept
	}
	return true, true
}

var writingPart = regexp.MustCompile(`"method":\s*"(POST|PATCH|PUT|DELETE)"`)

// writesToCreatio reports whether a request, or a part of it, changes something.
func writesToCreatio(r *http.Request) bool {
	if !strings.Contains(r.URL.Path, "/odata/") && !strings.Contains(r.URL.Path, "/rest/") {
		return false
	}
	if !strings.HasSuffix(r.URL.Path, "$batch") {
		return r.Method != http.MethodGet
	}
	raw, err := io.ReadAll(r.Body)
	if err != nil {
		return false
	}
	r.Body = io.NopCloser(bytes.NewReader(raw))
	return writingPart.Match(raw)
}

// cutting is how runs of a story are cut off: every one of them at a write to a side, or without a side those of which the
// story says so.
type cutting struct {
	how  cut
	side record.Side
	n    int
}

func (c *cutting) everyRun() bool { return c != nil && c.side != "" }

// cutOffAfter makes a run that is cut off once its first write to a side took effect. A process that died stays away until the
// next run.
func (s *story) cutOffAfter(side record.Side) string {
	s.t.Helper()
	return s.cutOffAt(&breakage{world: s.world, how: s.cut.how, side: side, n: 1})
}

// cutOffBefore makes a run that is cut off at its first write to a side, which does not take effect.
func (s *story) cutOffBefore(side record.Side) string {
	s.t.Helper()
	return s.cutOffAt(&breakage{world: s.world, how: s.cut.how, side: side, n: 1, without: true})
}

func (s *story) cutOffAt(b *breakage) string {
	s.t.Helper()
	s.begun()
	s.pass(s.apart)
	if !s.breakAt(b, func() { s.do(http.MethodPost, "/sync-contacts", map[string]string{"user": s.user}) }) {
		s.t.Errorf("nothing was written to %s", sideName(b.side))
	}
	return ""
}

// Every story of testdata/interrupted comes to the end that it tells, however its runs are cut off.
func TestRuns_that_are_cut_off_lose_nothing_and_make_nothing_twice(t *testing.T) {
	t.Parallel()
	files, err := filepath.Glob("testdata/interrupted/*.txtar")
	if err != nil || len(files) == 0 {
		t.Fatalf("no stories: %v", err)
	}
	for _, file := range files {
		for _, how := range []cut{connectionBroken, processDied, answerLost} {
			t.Run(fmt.Sprintf("%s/%s", strings.TrimSuffix(filepath.Base(file), ".txtar"), how), func(t *testing.T) {
				t.Parallel()
				archive, err := txtar.ParseFile(file)
				if err != nil {
					t.Fatalf("read story: %v", err)
				}
				tell(t, archive, &cutting{how: how})
				if *update && how == connectionBroken {
					if err := os.WriteFile(file, txtar.Format(archive), 0o600); err != nil {
						t.Errorf("write story: %v", err)
					}
				}
			})
		}
	}
}

// interrupted does something that has a run be made, which is cut off, and has the next one be made.
func (s *story) interrupted(do func()) {
	s.t.Helper()
	if s.cutOff(s.cut.how, s.cut.side, s.cut.n, do) {
		s.revive()
		s.pass(5 * time.Minute)
		if !s.undoes {
			s.do(http.MethodPost, "/sync-contacts", map[string]string{"user": s.user})
		}
		s.pass(10 * time.Minute)
	}
}

// Every story comes to the same end, however its runs are cut off. Each story is cut off at the first write to either side, in one
// way that its name chooses; with -every in all ways, at every write up to the one that -deep says.
func TestScenarios_come_to_the_same_end_where_runs_are_cut_off(t *testing.T) {
	t.Parallel()
	files, err := filepath.Glob("testdata/scenarios/*.txtar")
	if err != nil || len(files) == 0 {
		t.Fatalf("no scenarios: %v", err)
	}
	for _, file := range files {
		name := strings.TrimSuffix(filepath.Base(file), ".txtar")
		archive, err := txtar.ParseFile(file)
		if err != nil {
			t.Fatalf("read scenario: %v", err)
		}
		undoes := bytes.Contains(txtar.Format(archive), []byte("\n-- undo --\n"))
		for _, c := range cuts(name) {
			if undoes && c.how != answerLost {
				// An undo that ends early is called again by its queue, which is another test's.
				continue
			}
			t.Run(fmt.Sprintf("%s/%s, %s %d", name, c.how, c.side, c.n), func(t *testing.T) {
				t.Parallel()
				// Playing a story changes it.
				archive, err := txtar.ParseFile(file)
				if err != nil {
					t.Fatalf("read scenario: %v", err)
				}
				tell(t, archive, &c)
			})
		}
	}
}

// cuts are the ways in which a story is cut off: for each side one, which its name chooses.
func cuts(story string) []cutting {
	ways := []cut{answerLost, connectionBroken, processDied}
	h := fnv.New32a()
	h.Write([]byte(story))
	chosen := int(h.Sum32() % uint32(len(ways)))
	var out []cutting
	for i, side := range record.Sides {
		for k, how := range ways {
			for n := 1; n <= *deep; n++ {
				if *every || n == 1 && k == (chosen+i)%len(ways) {
					out = append(out, cutting{how: how, side: side, n: n})
				}
			}
		}
	}
	return out
}

var (
	every = flag.Bool("every", false, "cut every story off in every way")
	deep  = flag.Int("deep", 1, "up to which write")
)

// unhurried lets every run ask as much as it likes: after a run that died, nobody knows how much it asked. No token is renewed:
// a refresh token that Creatio replaces is lost with the process that was just about to keep the new one, and a person has to
// connect again.
func unhurried(_ map[string]string, site *creatiobox.Options, o *app.Options) {
	site.TokenLifetime = 30 * 24 * time.Hour
	o.Rates = map[record.Side]syncer.Rate{record.Google: {PerSecond: 1e6, Burst: 1e6}, record.Creatio: {PerSecond: 1e6, Burst: 1e6}}
}
