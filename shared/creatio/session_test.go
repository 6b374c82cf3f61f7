package creatio

import (
	"context"
	"encoding/json"
	"errors"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"sync/atomic"
	"testing"

	"github.com/tandem-sync/tandem/shared/fault"
)

// gate is a site with one user that can end sessions.
type gate struct {
	logins  atomic.Int32
	session atomic.Int32
	reply   string
	// page answers an ended session with the login page instead of 401.
	page bool
	// closed refuses every request, whatever its session.
	closed atomic.Bool
	bodies sync.Map
}

func (g *gate) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	if r.URL.Path == "/ServiceModel/AuthService.svc/Login" {
		g.logins.Add(1)
		var in map[string]any
		_ = json.NewDecoder(r.Body).Decode(&in)
		w.Header().Set("Content-Type", "application/json")
		switch {
		case g.reply != "":
			if strings.HasPrefix(g.reply, "<") {
				w.Header().Set("Content-Type", "text/html")
			}
			_, _ = io.WriteString(w, g.reply)
		case in["UserName"] != "jo" || in["UserPassword"] != "right" || in["TimeZoneOffset"] != 0.0 || r.Header.Get("ForceUseSession") != "true":
			_, _ = io.WriteString(w, `{"Code":1,"Message":"secret words","PasswordChangeUrl":null}`)
		default:
			n := string(rune('a' + g.session.Add(1)))
			http.SetCookie(w, &http.Cookie{Name: "BPMLOADER", Value: n, Path: "/"})
			http.SetCookie(w, &http.Cookie{Name: ".ASPXAUTH", Value: "x" + n, Path: "/"})
			http.SetCookie(w, &http.Cookie{Name: "BPMCSRF", Value: "csrf" + n, Path: "/"})
			_, _ = io.WriteString(w, `{"Code":0,"Message":""}`)
		}
		return
	}
	now := string(rune('a' + g.session.Load()))
	c, err := r.Cookie("BPMLOADER")
	if g.closed.Load() || err != nil || c.Value != now || r.Header.Get("BPMCSRF") != "csrf"+now {
		if g.page {
			w.Header().Set("Content-Type", "text/html")
			_, _ = io.WriteString(w, "<html>Login</html>")
			return
		}
		w.WriteHeader(http.StatusUnauthorized)
		return
	}
	body, _ := io.ReadAll(r.Body)
	g.bodies.Store(string(body), true)
	w.Header().Set("Content-Type", "application/json")
	_, _ = io.WriteString(w, `{}`)
}

func (g *gate) end() { g.session.Add(1) }

func open(t *testing.T, g *gate, password string) *http.Client {
	t.Helper()
	server := httptest.NewServer(g)
	t.Cleanup(server.Close)
	client := &http.Client{Transport: rooted{SessionTransport(nil, server.URL, "jo", password), server.URL}}
	return client
}

// rooted prepends a server's address to the path of every request.
type rooted struct {
	next http.RoundTripper
	root string
}

func (r rooted) RoundTrip(req *http.Request) (*http.Response, error) {
	out, err := http.NewRequestWithContext(req.Context(), req.Method, r.root+req.URL.Path, req.Body)
	if err != nil {
		return nil, err
	}
	out.GetBody = req.GetBody
	return r.next.RoundTrip(out)
}

func post(t *testing.T, c *http.Client, body string) (int, error) {
	t.Helper()
	req, err := http.NewRequestWithContext(t.Context(), http.MethodPost, "http://site/0/odata/Contact", strings.NewReader(body))
	if err != nil {
		t.Fatal(err)
	}
	resp, err := c.Do(req)
	if err != nil {
		return 0, err
	}
	defer resp.Body.Close()
	return resp.StatusCode, nil
}

func TestSession_logs_in_once_for_many_requests_at_the_same_time(t *testing.T) {
	t.Parallel()
	g := &gate{}
	c := open(t, g, "right")
	var wg sync.WaitGroup
	for range 8 {
		wg.Go(func() {
			if status, err := post(t, c, "x"); err != nil || status != http.StatusOK {
				t.Errorf("got %d, %v", status, err)
			}
		})
	}
	wg.Wait()
	if n := g.logins.Load(); n != 1 {
		t.Errorf("got %d logins, want 1", n)
	}
}

func TestSession_logs_in_again_when_the_session_has_ended_and_retries_the_request(t *testing.T) {
	t.Parallel()
	for name, page := range map[string]bool{"401": false, "login page": true} {
		g := &gate{page: page}
		c := open(t, g, "right")
		if _, err := post(t, c, "one"); err != nil {
			t.Fatal(err)
		}
		g.end()
		status, err := post(t, c, "two")
		if err != nil || status != http.StatusOK {
			t.Errorf("%s: got %d, %v", name, status, err)
		}
		if _, sent := g.bodies.Load("two"); !sent {
			t.Errorf("%s: the request's body is lost in the repetition", name)
		}
		if n := g.logins.Load(); n != 2 {
			t.Errorf("%s: got %d logins, want 2", name, n)
		}
	}
}

func TestSession_never_tries_a_wrong_password_twice(t *testing.T) {
	t.Parallel()
	g := &gate{}
	c := open(t, g, "wrong")
	for range 5 {
		_, err := post(t, c, "x")
		f, ok := errors.AsType[*fault.Error](err)
		if !ok || f.Kind != fault.Reconnect || f.Code != "wrong-password" {
			t.Fatalf("got %v, want reconnect with wrong-password", err)
		}
		if strings.Contains(err.Error(), "secret words") || strings.Contains(err.Error(), "wrong\"") {
			t.Errorf("the error tells too much: %v", err)
		}
	}
	if n := g.logins.Load(); n != 1 {
		t.Errorf("got %d logins, want 1", n)
	}
}

func TestSession_gives_up_on_a_site_that_refuses_every_session(t *testing.T) {
	t.Parallel()
	g := &gate{}
	g.closed.Store(true)
	c := open(t, g, "right")
	for range 5 {
		if status, err := post(t, c, "x"); err != nil || status != http.StatusUnauthorized {
			t.Fatalf("got %d, %v", status, err)
		}
	}
	if n := g.logins.Load(); n > 1+maxWasted {
		t.Errorf("a site that refuses every session got %d logins", n)
	}
	g.closed.Store(false)
	if _, err := post(t, c, "x"); err != nil {
		t.Fatal(err)
	}
	g.closed.Store(true)
	for range 9 {
		if status, err := post(t, c, "x"); err != nil || status != http.StatusUnauthorized {
			t.Fatalf("got %d, %v", status, err)
		}
	}
	if n := g.logins.Load(); n > 1+maxWasted {
		t.Errorf("got %d logins", n)
	}
}

func TestSignIn_reports_what_is_wrong(t *testing.T) {
	t.Parallel()
	for name, tc := range map[string]struct {
		reply, password string
		kind            fault.Kind
		code            string
	}{
		"right password":     {password: "right"},
		"wrong password":     {password: "wrong", kind: fault.Reconnect, code: "wrong-password"},
		"expired password":   {reply: `{"Code":2,"PasswordChangeUrl":"/change"}`, kind: fault.Reconnect, code: "password-expired"},
		"some other service": {reply: `{"ok":true}`, kind: fault.Misconfigured, code: "not-creatio"},
		"a page":             {reply: `<title>It works</title>`, kind: fault.Misconfigured, code: "not-creatio"},
		"no service at all":  {reply: `not found`, kind: fault.Misconfigured, code: "not-creatio"},
	} {
		server := httptest.NewServer(&gate{reply: tc.reply})
		err := SignIn(t.Context(), nil, server.URL+"/", "jo", tc.password)
		server.Close()
		if tc.code == "" {
			if err != nil {
				t.Errorf("%s: got %v", name, err)
			}
			continue
		}
		f, ok := errors.AsType[*fault.Error](err)
		if !ok || f.Kind != tc.kind || f.Code != tc.code {
			t.Errorf("%s: got %v, want %v %s", name, err, tc.kind, tc.code)
		}
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if err := SignIn(ctx, nil, "http://127.0.0.1:1", "jo", "x"); !fault.Is(err, fault.Retry) {
		t.Errorf("unreachable site: got %v, want retry", err)
	}
}
