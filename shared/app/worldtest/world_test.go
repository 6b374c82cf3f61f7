// Package worldtest proves that synchronization is safe against every interruption, of contacts and, in offices, of activities of
// two users who meet: it has people edit in
// a simulated Google and a simulated Creatio, has every call of a run go wrong in every way, and looks at what is left
// when the world has come to rest. Engine, adapters, sign-in and store are the real ones.
//
// Time is that of a testing/synctest bubble, and every call takes a time of its own, so a world goes the same way whenever
// it is made of the same seed.
package worldtest

import (
	"bytes"
	"context"
	"errors"
	"flag"
	"fmt"
	"log/slog"
	"math/rand/v2"
	"net/http"
	"net/http/httptest"
	"net/url"
	"os"
	"path/filepath"
	"runtime/debug"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/tandem-sync/tandem/shared/record"
	creatiobox "github.com/tandem-sync/tandem/shared/sandbox/creatio"
	googlebox "github.com/tandem-sync/tandem/shared/sandbox/google"
	"github.com/tandem-sync/tandem/shared/store"
	"github.com/tandem-sync/tandem/shared/store/bolt"
	"github.com/tandem-sync/tandem/shared/syncer"
	"github.com/tandem-sync/tandem/shared/vault"
)

const (
	clientID, clientSecret = "client", "client-secret"
	googleURL, creatioURL  = "http://google.example.com", "http://creatio.example.com"
	ada, ben               = "ada@example.com", "ben@example.com"
	privateTag             = "8d7f6d6c-4ca5-4b43-bdd9-a5e01a582260"
)

var tell = flag.Bool("tell", false, "tell what happens in each world")

// TestMain has the garbage of worlds lie longer: they end soon, and a quarter of the time would go into collecting it.
func TestMain(m *testing.M) {
	debug.SetGCPercent(400)
	os.Exit(m.Run())
}

// world is one user with both services, the store, and everybody who has to do with them.
type world struct {
	t    testing.TB
	seed uint64
	rng  *rand.Rand

	google   *googlebox.Server
	creatio  *creatiobox.Server
	services map[record.Side]http.Handler
	store    *bolt.Store
	file     string
	vault    *vault.Vault
	// member is the user of whom the world is; second is another user of the same Creatio.
	member
	second member

	// pages are the page sizes of both sides, 0 for their own; chunk is the engine's. stale is how long Google may show a
	// contact as it was.
	pages     map[record.Side]int
	chunk     int
	stale     time.Duration
	processes int
	aside     sync.WaitGroup
	folk      *folk
	// happened is what is counted of the world.
	happened map[string]bool

	mu       sync.Mutex
	requests []request
	diary    []string
	// taken is what the store had when a run had taken over from another one.
	taken string
	// former is the history of a database that a backup has taken the place of.
	former string
	// mishaps are how many calls went wrong.
	mishaps int
}

// setup is what worlds differ in before anything happens in them.
type setup struct {
	google  googlebox.Options
	creatio creatiobox.Options
	pages   map[record.Side]int
	chunk   int
}

// linked is a world in which the user has linked both accounts and nothing else has happened, as it is written down.
type linked struct {
	google, creatio, store []byte
	first, second          member
	vault                  *vault.Vault
	err                    error
}

var once struct {
	sync.Once
	linked
}

// inWorld makes a world and has something happen in it.
func inWorld(t *testing.T, seed uint64, s setup, do func(*world)) {
	t.Helper()
	once.Do(func() { link(t) })
	if once.err != nil {
		t.Fatal(once.err)
	}
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t, seed, s, once.store)
		defer w.close()
		w.member, w.second, w.vault = once.first, once.second, once.vault
		if err := errors.Join(w.google.Load(bytes.NewReader(once.google)), w.creatio.Load(bytes.NewReader(once.creatio))); err != nil {
			t.Fatal(err)
		}
		do(w)
	})
}

// newWorld makes the services, and a store in a file in memory where the system has such files.
func newWorld(t testing.TB, seed uint64, s setup, kept []byte) *world {
	t.Helper()
	w := &world{t: t, seed: seed, rng: rand.New(rand.NewPCG(seed, 1)), pages: s.pages, chunk: s.chunk, stale: s.google.StaleReads}
	ids := rand.New(rand.NewPCG(seed, 2))
	s.creatio.Layout, s.creatio.URL = creatiobox.Core, creatioURL
	s.creatio.NewID = func() string {
		return fmt.Sprintf("%08x-0000-4000-8000-%012x", ids.Uint32(), ids.Uint64()>>16)
	}
	s.google.IssuerURL = googleURL
	w.google, w.creatio = googlebox.New(s.google), creatiobox.New(s.creatio)
	w.services = map[record.Side]http.Handler{record.Google: w.google, record.Creatio: w.creatio}
	w.folk = newFolk(w)
	dir, err := os.MkdirTemp(memory(), "world")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = os.RemoveAll(dir) })
	w.file = filepath.Join(dir, "tandem.db")
	if kept != nil {
		if err := os.WriteFile(w.file, kept, 0o600); err != nil {
			t.Fatal(err)
		}
	}
	if w.store, err = bolt.Open(w.file); err != nil {
		t.Fatal(err)
	}
	return w
}

func memory() string {
	const shared = "/dev/shm"
	if info, err := os.Stat(shared); err == nil && info.IsDir() {
		return shared
	}
	return ""
}

func (w *world) close() {
	w.aside.Wait()
	_ = w.store.Close()
	w.clean()
	if w.t.Failed() || *tell {
		for _, line := range w.diary {
			w.t.Log(line)
		}
		if *tell {
			for _, r := range w.requests {
				w.t.Log(r)
			}
		}
	}
}

// link has Ada sign in and link Creatio, once for all worlds.
func link(t *testing.T) {
	dir := t.TempDir()
	synctest.Test(t, func(t *testing.T) {
		// Tokens end only where a world has them end: refreshing them takes longer than all else.
		long := setup{google: googlebox.Options{TokenLifetime: 10_000 * time.Hour}, creatio: creatiobox.Options{TokenLifetime: 10_000 * time.Hour}}
		w := newWorld(t, 0, long, nil)
		once.err = errors.Join(w.link(t.Context(), dir), w.store.Close())
		kept, err := os.ReadFile(w.file)
		once.store, once.err = kept, errors.Join(once.err, err)
	})
}

func (w *world) link(ctx context.Context, dir string) (err error) {
	const back = "http://tandem.example.com/oauth-callback"
	w.google.AddClient(clientID, clientSecret, back)
	w.creatio.AddOAuthClient(creatiobox.OAuthClient{ID: clientID, Secret: clientSecret, Kind: creatiobox.KindUser, RedirectURIs: []string{back + "/creatio"}})
	w.lists()
	if w.vault, err = vault.Open(ctx, "file:"+filepath.Join(dir, "key", "key.json")); err != nil {
		return err
	}
	w.second = member{email: ben, login: "Ben", zone: "Eastern Standard Time"}
	w.member = member{email: ada, login: "Ada", zone: "FLE Standard Time"}
	if err := errors.Join(w.join(ctx, &w.second), w.join(ctx, &w.member)); err != nil {
		return err
	}
	var google, creatio bytes.Buffer
	if err := errors.Join(w.google.Save(&google), w.creatio.Save(&creatio)); err != nil {
		return err
	}
	once.google, once.creatio, once.vault = google.Bytes(), creatio.Bytes(), w.vault
	once.first, once.second = w.member, w.second
	return nil
}

// member is a user of Tandem: a Google account, a user of Creatio in a time zone, and a private tag.
type member struct{ email, login, zone, user, contact, tag string }

// join has somebody sign in, link Creatio and choose a tag.
func (w *world) join(ctx context.Context, m *member) (err error) {
	w.google.AddUser(googlebox.User{Email: m.email, Name: m.login, EmailVerified: true})
	w.google.AutoConsent(m.email)
	w.creatio.AddUser(creatiobox.User{
		Name: m.login, Password: "right", ContactName: m.login + " Example", Email: m.email, TimeZone: m.zone, Active: true,
	})
	if m.tag, err = w.creatio.As(m.login).Insert("ContactTag", map[string]any{"Name": "On my phone", "TypeId": privateTag}); err != nil {
		return err
	}
	l, _ := w.linker(w.newProcess(nil))
	browser := ""
	signIn := func() (string, error) {
		b, err := l.BeginGoogle(ctx, "")
		browser = b.Browser
		return b.Redirect, err
	}
	if err := w.consent(record.Google, signIn, func(q url.Values) error {
		out, err := l.Finish(ctx, record.Google, browser, q)
		m.user = out.User
		return err
	}); err != nil {
		return err
	}
	w.relink(*m)
	err = w.store.User(m.user).UpdateSync(ctx, record.Contacts, func(d *store.Sync) error {
		d.Settings.TagID, d.Settings.TagKind = m.tag, "classic"
		return nil
	})
	if err != nil {
		return err
	}
	p, err := w.store.User(m.user).Profile(ctx)
	m.contact = p.Creatio.ContactID
	return err
}

// consent goes to a service's consent page and back.
func (w *world) consent(side record.Side, begin func() (string, error), finish func(url.Values) error) error {
	page, err := begin()
	if err != nil {
		return err
	}
	rec := httptest.NewRecorder()
	w.services[side].ServeHTTP(rec, httptest.NewRequest(http.MethodGet, page, nil))
	to, err := url.Parse(rec.Header().Get("Location"))
	if err != nil {
		return err
	}
	return finish(to.Query())
}

func (w *world) logger(process string) *slog.Logger {
	if !*tell {
		return slog.New(slog.DiscardHandler)
	}
	return slog.New(slog.NewTextHandler(os.Stderr, nil)).With("process", process)
}

// write notes what happens, to be shown where the world fails.
func (w *world) write(format string, args ...any) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.diary = append(w.diary, time.Now().UTC().Format("01-02 15:04:05.000 ")+fmt.Sprintf(format, args...))
}

// sync makes one run with what happens in it, and waits until nobody is at work.
func (w *world) sync(trigger string, script map[place]mishap) (*process, syncer.Outcome, store.Run) {
	p := w.newProcess(script)
	w.folk.unheardMove = false
	w.write("%s begins a run, %s; planned %v", p.name, trigger, script)
	out, err := p.run(trigger)
	w.aside.Wait()
	r := w.history(out.Run)
	w.write("%s ends %s %s: %v; met %v; calls %v; changes %+v; problems %+v", p.name, out.Status, out.Reason, err, p.met, p.calls, r.Changes, r.Problems)
	w.fenced(p)
	w.folk.stand(fmt.Sprintf("after %s the", p.name))
	if out.Status == syncer.Reconnect {
		w.relink(w.member)
	}
	return p, out, r
}

// relink has somebody link Creatio again: a process that dies while it refreshes takes Creatio's new refresh token with it.
func (w *world) relink(m member) {
	w.write("%s links Creatio", m.login)
	w.creatio.AutoConsent(m.login)
	ctx := context.Background()
	l, _ := w.linker(w.newProcess(nil))
	browser := ""
	begin := func() (string, error) {
		b, err := l.BeginCreatio(ctx, m.user, "")
		browser = b.Browser
		return b.Redirect, err
	}
	if err := w.consent(record.Creatio, begin, func(q url.Values) error {
		_, err := l.Finish(ctx, record.Creatio, browser, q)
		return err
	}); err != nil {
		w.t.Errorf("creatio cannot be linked again: %v", err)
	}
}

// another makes a run beside the one that is under way.
func (w *world) another(takesOver bool) {
	p := w.newProcess(nil)
	w.write("%s begins a run beside", p.name)
	out, err := p.run(syncer.TriggerSchedule)
	w.write("%s ends %s %s: %v; changes %+v", p.name, out.Status, out.Reason, err, w.history(out.Run).Changes)
	if out.Status == syncer.Skipped {
		return
	}
	is := w.kept()
	w.mu.Lock()
	defer w.mu.Unlock()
	if takesOver || w.taken != "" {
		w.taken = is
	}
}

func (w *world) history(id string) store.Run {
	r, err := w.store.User(w.user).Run(context.Background(), id)
	if err != nil && !errors.Is(err, store.ErrNotFound) {
		w.t.Error(err)
	}
	return r
}
