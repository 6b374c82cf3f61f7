package app_test

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"net/http/cookiejar"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/sethvargo/go-envconfig"

	"go.uber.org/goleak"

	"github.com/tandem-sync/tandem/shared/app"
	"github.com/tandem-sync/tandem/shared/config"
	"github.com/tandem-sync/tandem/shared/observe"
	creatiobox "github.com/tandem-sync/tandem/shared/sandbox/creatio"
	googlebox "github.com/tandem-sync/tandem/shared/sandbox/google"
	"github.com/tandem-sync/tandem/shared/store"
	"github.com/tandem-sync/tandem/shared/store/storetest"
)

// How long after a write Google's lists and its reads show what was before. Tandem does not read these.
const (
	listsLag = "TEST_LISTS_LAG"
	readsLag = "TEST_READS_LAG"
	// groupsLag is the same of who is in a group.
	groupsLag = "TEST_GROUPS_LAG"
	// refused is a text of which a contact in Google may have nothing.
	refused = "TEST_REFUSED"
)

const (
	clientID     = "client"
	clientSecret = "client-secret"
	ada          = "ada@example.com"
)

var emulatorMissing error

func TestMain(m *testing.M) {
	if os.Getenv(workerMark) != "" {
		if err := serveWorker(); err != nil {
			fmt.Fprintln(os.Stderr, err)
			os.Exit(1)
		}
		return
	}
	host, stop, err := storetest.Emulator()
	emulatorMissing = err
	if err == nil {
		_ = os.Setenv("FIRESTORE_EMULATOR_HOST", host)
	}
	code := m.Run()
	if stop != nil {
		stop()
	}
	if err := goleak.Find(); code == 0 && err != nil {
		fmt.Fprintln(os.Stderr, "goroutines are left behind:", err)
		code = 1
	}
	os.Exit(code)
}

// world is Tandem with both services, as a person with a browser sees it, with a clock that the test turns.
type world struct {
	t       *testing.T
	google  *googlebox.Server
	creatio *creatiobox.Server
	app     *app.App
	url     string
	browser *http.Client
	env     map[string]string
	clock   atomic.Int64
	// takes is how long each request to a service takes by that clock.
	takes   atomic.Int64
	log     *logBuffer
	options app.Options
	// worker is the process that serves Tandem, where it is not this one.
	worker *worker
	// tandem serves what the App serves; id is the user's, once linked.
	tandem http.Handler
	id     string
	// rows are those of the site when it was last looked at.
	rows string
}

// logBuffer keeps what was logged, to be shown when a test fails and searched for secrets.
type logBuffer struct {
	mu sync.Mutex
	b  bytes.Buffer
}

func (l *logBuffer) Write(p []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.b.Write(p)
}

func (l *logBuffer) String() string {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.b.String()
}

type change func(env map[string]string, creatio *creatiobox.Options, o *app.Options)

func onFirestore(t *testing.T) change {
	storetest.NeedEmulator(t, emulatorMissing)
	return func(env map[string]string, _ *creatiobox.Options, _ *app.Options) {
		env["STORE"] = "firestore:" + storetest.Project() + "/(default)"
	}
}

func with(name, value string) change {
	return func(env map[string]string, _ *creatiobox.Options, _ *app.Options) { env[name] = value }
}

func layout(l string) change {
	return func(_ map[string]string, o *creatiobox.Options, _ *app.Options) { o.Layout = l }
}

// began is when the tests take place.
var began = time.Date(2026, 3, 2, 9, 0, 0, 0, time.UTC)

func (w *world) now() time.Time {
	if w.env[workerMark] != "" {
		// The clock of another process is nobody's to turn; that of the services runs as far ahead of it as the test lets pass.
		return time.Now().UTC().Add(time.Unix(0, w.clock.Load()).Sub(began))
	}
	return time.Unix(0, w.clock.Load()).UTC()
}

func (w *world) pass(d time.Duration) { w.clock.Add(int64(d)) }

// newWorld starts both services and Tandem. Ada has an account with each; so has Bo, a colleague in Creatio.
func newWorld(t *testing.T, changes ...change) *world {
	t.Helper()
	w := &world{t: t, log: &logBuffer{}, options: app.Options{Patience: time.Hour}}
	w.clock.Store(began.UnixNano())
	t.Cleanup(func() {
		if t.Failed() {
			t.Log(w.log.String())
		}
	})
	dir := t.TempDir()
	w.env = map[string]string{
		"STORE": "bolt:" + filepath.Join(dir, "tandem.db"), "ENCRYPTION_KEY": "file:" + filepath.Join(dir, "key", "key.json"),
		"GOOGLE_CLIENT_ID": clientID, "GOOGLE_CLIENT_SECRET": clientSecret,
		"CREATIO_CLIENT_ID": clientID, "CREATIO_CLIENT_SECRET": clientSecret,
	}
	site := creatiobox.Options{Now: w.now, Layout: "core"}
	for _, c := range changes {
		c(w.env, &site, &w.options)
	}

	// Handlers come later than addresses: each of the three has to know where the others are.
	var google, creatio http.Handler
	serve := func(h *http.Handler) string {
		s := httptest.NewServer(http.HandlerFunc(func(rw http.ResponseWriter, r *http.Request) {
			(*h).ServeHTTP(rw, r)
			if h != &w.tandem {
				w.pass(time.Duration(w.takes.Load()))
			}
		}))
		t.Cleanup(s.Close)
		return s.URL
	}
	w.url = serve(&w.tandem)
	w.env["PUBLIC_URL"], w.env["GOOGLE_ENDPOINT"], w.env["CREATIO_URL"] = w.url, serve(&google), serve(&creatio)

	options := googlebox.Options{Now: w.now, IssuerURL: w.env["GOOGLE_ENDPOINT"]}
	options.WriteVisibility, _ = time.ParseDuration(w.env[listsLag])
	options.StaleGroups, _ = time.ParseDuration(w.env[groupsLag])
	options.StaleReads, _ = time.ParseDuration(w.env[readsLag])
	options.Refused = w.env[refused]
	w.google = googlebox.New(options)
	w.google.AddClient(clientID, clientSecret, w.url+"/oauth-callback")
	w.google.AddUser(googlebox.User{Email: ada, Name: "Ada", EmailVerified: true, HostedDomain: "example.com"})
	w.google.AutoConsent(ada)
	google = w.google

	site.URL = w.env["CREATIO_URL"]
	w.creatio = creatiobox.New(site)
	w.creatio.AddUser(creatiobox.User{Name: "Ada", Password: "right", ContactName: "Ada Example", Email: ada, TimeZone: "Europe/London", Active: true})
	w.creatio.AddUser(creatiobox.User{Name: "Bo", Password: "right too", ContactName: "Bo Example", Email: "bo@example.com", Active: true})
	w.creatio.AddOAuthClient(creatiobox.OAuthClient{
		ID: clientID, Secret: clientSecret, Kind: w.kind(), RedirectURIs: []string{w.url + "/oauth-callback/creatio"}, TechnicalUser: "Ada",
	})
	w.creatio.AutoConsent("Ada")
	creatio = w.creatio

	w.start()
	t.Cleanup(func() {
		if w.app != nil {
			_ = w.app.Close(t.Context())
		}
		w.clean()
	})
	w.browser = newBrowser(t)
	return w
}

func (w *world) kind() string {
	if auth := w.env["CREATIO_AUTH"]; auth != "" {
		return auth
	}
	return "user"
}

// stop ends the process that Tandem runs in; start begins another one.
func (w *world) stop() {
	w.t.Helper()
	if err := w.app.Close(w.t.Context()); err != nil {
		w.t.Fatal(err)
	}
	w.app = nil
}

func (w *world) start() {
	w.t.Helper()
	if w.env[workerMark] != "" {
		w.tandem = w.startWorker()
		return
	}
	c, err := config.Load(w.t.Context(), envconfig.MapLookuper(w.env))
	if err != nil {
		w.t.Fatal(err)
	}
	w.options.Now, w.options.Logger = w.now, observe.NewTextLogger(w.log, slog.LevelInfo)
	a, err := app.New(w.t.Context(), c, w.options)
	if err != nil {
		w.t.Fatal(err)
	}
	w.app, w.tandem = a, a.Handler()
	if c.InvokerVerifiedBy == config.VerifiedByPlatform {
		w.tandem = w.behindCloudRun(w.tandem)
	}
}

func newBrowser(t *testing.T) *http.Client {
	jar, err := cookiejar.New(nil)
	if err != nil {
		t.Fatal(err)
	}
	return &http.Client{Jar: jar}
}

// answer is a response, read to its end.
type answer struct {
	status int
	body   string
	url    string
	header http.Header
}

func (w *world) do(method, path string, body any, edit ...func(*http.Request)) answer {
	w.t.Helper()
	var r io.Reader
	switch b := body.(type) {
	case nil:
	case string:
		r = strings.NewReader(b)
	default:
		raw, err := json.Marshal(b)
		if err != nil {
			w.t.Fatal(err)
		}
		r = bytes.NewReader(raw)
	}
	req, err := http.NewRequestWithContext(w.t.Context(), method, w.url+path, r)
	if err != nil {
		w.t.Fatal(err)
	}
	for _, f := range edit {
		f(req)
	}
	resp, err := w.browser.Do(req)
	if err != nil {
		w.t.Fatal(err)
	}
	defer func() { _ = resp.Body.Close() }()
	raw, err := io.ReadAll(resp.Body)
	if err != nil {
		w.t.Fatal(err)
	}
	return answer{resp.StatusCode, string(raw), resp.Request.URL.String(), resp.Header}
}

// call uses the API and wants a status.
func (w *world) call(method, path string, body any, status int, into any) {
	w.t.Helper()
	a := w.do(method, "/settings/api/v1"+path, body)
	if a.status != status {
		w.t.Fatalf("%s %s: got %d %s, want %d", method, path, a.status, a.body, status)
	}
	if into != nil {
		if err := json.Unmarshal([]byte(a.body), into); err != nil {
			w.t.Fatalf("%s %s: %v in %s", method, path, err, a.body)
		}
	}
}

// visit opens a page and follows where it leads.
func (w *world) visit(path string) answer {
	w.t.Helper()
	return w.do(http.MethodGet, path, nil)
}

type account struct {
	ID     string
	Google struct {
		Linked, Reconnect bool
		Email             string
		Scopes            []string
	}
	Creatio struct {
		Linked, Reconnect    bool
		User, ContactID, URL string
	}
	Contacts struct {
		TagID string
		State sectionState
	}
	Activities struct {
		SyncFrom string
		State    sectionState
	}
}

// sectionState is how a sync type goes.
type sectionState struct {
	Status   string
	LastSync *time.Time
	NextSync *time.Time
	HeldRun  *string
	Failing  int
	Problem  *struct{ Code, Message, Action string }
}

func (w *world) account() (a account) {
	w.t.Helper()
	w.call(http.MethodGet, "/account", nil, 200, &a)
	return a
}

// link signs in and connects Creatio.
func (w *world) link() {
	w.t.Helper()
	for _, page := range []string{"/settings/sign-in", "/settings/link/creatio"} {
		if a := w.visit(page); a.status != 200 || strings.Contains(a.url, "problem") {
			w.t.Fatalf("%s ended at %s with %d\n%s", page, a.url, a.status, a.body)
		}
	}
	a := w.account()
	if !a.Google.Linked || !a.Creatio.Linked {
		w.t.Fatalf("not linked: %+v", a)
	}
	w.id = a.ID
}

// choose takes a tag.
func (w *world) choose(tag string) {
	w.t.Helper()
	w.call(http.MethodPut, "/contacts", map[string]any{
		"automatic": true, "intervalMinutes": 15, "tagId": tag, "direction": "both", "conflicts": "latest",
	}, 200, nil)
}

// sync runs the user's window as Cloud Tasks would, and gives the run.
func (w *world) sync(want string) store.Run {
	w.t.Helper()
	w.pass(5 * time.Minute)
	id := w.account().ID
	a := w.do(http.MethodPost, "/sync-contacts", map[string]string{"user": id})
	var out struct{ User, Run, Status, Reason string }
	if err := json.Unmarshal([]byte(a.body), &out); err != nil || a.status != 200 || out.User != id {
		w.t.Fatalf("sync: got %d %s", a.status, a.body)
	}
	if got := strings.Trim(out.Status+" "+out.Reason, " "); got != want {
		w.t.Fatalf("sync: got %s, want %s; %+v", got, want, w.account().Contacts.State.Problem)
	}
	var run store.Run
	if out.Run != "" && out.Reason != "lease" {
		w.call(http.MethodGet, "/runs/"+out.Run, nil, 200, &run)
	}
	return run
}

// writes are the requests that changed something on either side since the last time it was asked.
func (w *world) writes() []string {
	var out []string
	for _, r := range w.google.Requests() {
		if r.Method != http.MethodGet && strings.HasPrefix(r.Path, "/v1/") {
			out = append(out, "google "+r.Method+" "+r.Path)
		}
	}
	rows := map[string]any{}
	for _, set := range []string{"Contact", "ContactCommunication", "ContactAddress", "ContactAnniversary", "ContactTag", "ContactInTag", "Tag", "TagInRecord", "Account"} {
		rows[set] = w.creatio.System().Rows(set, nil)
	}
	raw, err := json.Marshal(rows)
	if err != nil {
		w.t.Fatal(err)
	}
	if string(raw) != w.rows {
		out = append(out, "creatio has other rows")
	}
	w.rows = string(raw)
	w.google.ResetRequests()
	w.creatio.ResetRequests()
	return out
}

// silent makes a run that may write nothing.
func (w *world) silent() {
	w.t.Helper()
	w.writes()
	run := w.sync("done")
	if got := w.writes(); len(got) > 0 || len(run.Changes) > 0 {
		w.t.Fatalf("a run with nothing to do wrote %q and changed %+v", got, run.Changes)
	}
}

func summary(run store.Run) string {
	c := run.Counts
	return fmt.Sprintf("creatio +%d ~%d -%d google +%d ~%d -%d matched %d failed %d", c.Creatio.Created, c.Creatio.Updated, c.Creatio.Unlinked,
		c.Google.Created, c.Google.Updated, c.Google.Unlinked, c.Matched, c.Failed)
}
