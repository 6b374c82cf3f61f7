package creatio_test

import (
	"encoding/json"
	"errors"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"
	"time"

	client "github.com/tandem-sync/tandem/shared/creatio"
	"github.com/tandem-sync/tandem/shared/fault"
	"github.com/tandem-sync/tandem/shared/odata"
	"github.com/tandem-sync/tandem/shared/sandbox/creatio"
)

const (
	email    = "ee1c85c3-cfcb-df11-9b2a-001d60e938c6"
	work     = "3dddb3cc-53ee-49c4-a71f-e9e257f59e49"
	mobile   = "d4a2dc80-30ca-df11-9b2a-001d60e938c6"
	homeAddr = "4f8b2d67-71d0-45fb-897e-cd4a308a97c0"
	birthday = "173d56d2-fdca-df11-9b2a-001d60e938c6"
	private  = "8d7f6d6c-4ca5-4b43-bdd9-a5e01a582260"
	public   = "d6fb4de6-0809-41fe-a84f-6d245cbc5f32"
)

type clock struct {
	mu sync.Mutex
	at time.Time
}

func (c *clock) now() time.Time {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.at
}

func (c *clock) pass(d time.Duration) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.at = c.at.Add(d)
}

// world is a site with two users, and how to reach it.
type world struct {
	t     *testing.T
	clock *clock
	box   *creatio.Server
	url   string
	// contact is that of the user "ann".
	contact string
}

func newWorld(t *testing.T, o creatio.Options) *world {
	t.Helper()
	w := &world{t: t, clock: &clock{at: time.Date(2026, 3, 1, 12, 0, 0, 123456700, time.UTC)}}
	o.Now = w.clock.now
	w.box = creatio.New(o)
	server := httptest.NewServer(w.box)
	t.Cleanup(server.Close)
	w.url = server.URL
	_, w.contact = w.box.AddUser(creatio.User{
		Name: "ann", Password: "right", ContactName: "Ann Abel", Email: "ann@example.com", TimeZone: "Europe/London", Active: true,
	})
	w.box.AddUser(creatio.User{Name: "bob", Password: "bob's", ContactName: "Bob Byte", Email: "bob@example.com", Active: true})
	w.box.AddOAuthClient(creatio.OAuthClient{ID: "robot", Secret: "hidden", Kind: "client", TechnicalUser: "bob"})
	return w
}

// session is an HTTP client in a session of a user.
func (w *world) session(user, password string) *http.Client {
	return &http.Client{Transport: client.SessionTransport(nil, w.url, user, password), CheckRedirect: func(*http.Request, []*http.Request) error {
		return http.ErrUseLastResponse
	}}
}

func (w *world) ann() *http.Client { return w.session("ann", "right") }

func (w *world) odata(h *http.Client) *odata.Client {
	return odata.New(odata.Options{HTTP: h, Root: w.url + "/0/odata"})
}

func (w *world) insert(entity string, values map[string]any) string {
	w.t.Helper()
	id, err := w.box.As("ann").Insert(entity, values)
	if err != nil {
		w.t.Fatalf("insert %s: %v", entity, err)
	}
	return id
}

func (w *world) update(entity, id string, values map[string]any) {
	w.t.Helper()
	if err := w.box.As("ann").Update(entity, id, values); err != nil {
		w.t.Fatalf("update %s: %v", entity, err)
	}
}

func (w *world) get(entity, id string) map[string]any { return w.box.As("ann").Get(entity, id) }

type answer struct {
	status int
	header http.Header
	body   string
	json   map[string]any
}

// send makes one request; headers are pairs.
func (w *world) send(h *http.Client, method, path, body string, headers ...string) answer {
	w.t.Helper()
	req, err := http.NewRequestWithContext(w.t.Context(), method, w.url+path, strings.NewReader(body))
	if err != nil {
		w.t.Fatal(err)
	}
	if strings.HasPrefix(body, "{") {
		req.Header.Set("Content-Type", "application/json; charset=utf-8; IEEE754Compatible=true")
	}
	for i := 0; i < len(headers); i += 2 {
		req.Header.Set(headers[i], headers[i+1])
	}
	resp, err := h.Do(req)
	if err != nil {
		w.t.Fatal(err)
	}
	defer resp.Body.Close()
	content, err := io.ReadAll(resp.Body)
	if err != nil {
		w.t.Fatal(err)
	}
	a := answer{status: resp.StatusCode, header: resp.Header, body: string(content)}
	_ = json.Unmarshal(content, &a.json)
	return a
}

func errorAs(err error) (*fault.Error, bool) { return errors.AsType[*fault.Error](err) }
