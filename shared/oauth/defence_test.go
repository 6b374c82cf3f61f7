package oauth

import (
	"io"
	"net/http"
	"net/http/httptest"
	"sync/atomic"
	"testing"
	"time"

	"github.com/tandem-sync/tandem/shared/fault"
	"github.com/tandem-sync/tandem/shared/record"
)

// endless is a body without an end. most is what was read of any of them.
type endless struct {
	read int64
	most *atomic.Int64
}

func (e *endless) Read(p []byte) (int, error) {
	e.read += int64(len(p))
	e.most.Store(max(e.most.Load(), e.read))
	if e.read > 8*maxReply {
		return 0, io.ErrUnexpectedEOF
	}
	for i := range p {
		p[i] = ' '
	}
	return len(p), nil
}

func (*endless) Close() error { return nil }

func TestNoReplyOfAnIdentityServiceIsReadWithoutEnd(t *testing.T) {
	t.Parallel()
	for _, path := range []string{"/.well-known/openid-configuration", "/token", "/keys", "/revoke"} {
		t.Run(path, func(t *testing.T) {
			t.Parallel()
			w := newWorld(t, AuthUser)
			user := w.olena()
			var most atomic.Int64
			w.options.HTTP = roundTripper(func(req *http.Request) (*http.Response, error) {
				resp, err := http.DefaultTransport.RoundTrip(req)
				if err == nil && req.URL.Path == path {
					_ = resp.Body.Close()
					resp.Body = &endless{most: &most}
				}
				return resp, err
			})
			w.linker = w.another()
			w.clock.pass(2 * time.Hour)
			_, _ = w.call(w.client(w.linker, user, record.Google), record.Google)
			_, _ = w.linker.verify(t.Context(), sign(w.claims(nil)), "")
			_ = w.linker.Unlink(t.Context(), user, record.Google)
			if got := most.Load(); got == 0 || got > 2*maxReply {
				t.Errorf("%d bytes were read, the bound is %d", got, maxReply)
			}
		})
	}
}

// elsewhere is another host, which counts what is sent to it.
func elsewhere(t *testing.T) (url string, asked *atomic.Int64) {
	asked = new(atomic.Int64)
	s := httptest.NewServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) { asked.Add(1) }))
	t.Cleanup(s.Close)
	return s.URL, asked
}

// redirecting sends requests of a path on to another address.
func redirecting(path, to string) roundTripper {
	return func(req *http.Request) (*http.Response, error) {
		if req.URL.Path != path {
			return http.DefaultTransport.RoundTrip(req)
		}
		return &http.Response{
			StatusCode: http.StatusTemporaryRedirect, Header: http.Header{"Location": {to}}, Body: http.NoBody, Request: req, ProtoMajor: 1, ProtoMinor: 1,
		}, nil
	}
}

func TestAnIdentityServiceSendsNoSecretToAnotherHost(t *testing.T) {
	t.Parallel()
	for _, path := range []string{"/.well-known/openid-configuration", "/token", "/revoke"} {
		t.Run(path, func(t *testing.T) {
			t.Parallel()
			w := newWorld(t, AuthUser)
			user := w.olena()
			to, asked := elsewhere(t)
			w.options.HTTP = redirecting(path, to)
			w.linker = w.another()
			w.clock.pass(2 * time.Hour)
			_, _ = w.call(w.client(w.linker, user, record.Google), record.Google)
			if err := w.linker.Unlink(t.Context(), user, record.Google); err != nil {
				t.Error(err)
			}
			if got := asked.Load(); got > 0 {
				t.Errorf("the other host was asked %d times", got)
			}
		})
	}
}

func TestAnAPIThatRedirectsToAnotherHostIsNotFollowed(t *testing.T) {
	t.Parallel()
	w := newWorld(t, AuthUser)
	user := w.olena()
	to, asked := elsewhere(t)
	client, err := w.linker.Client(t.Context(), user, record.Google, redirecting("/api", to))
	if err != nil {
		t.Fatal(err)
	}
	// The redirect itself is the answer: following it would be a mistake of ours, which is another kind of error.
	status, err := w.call(client, record.Google)
	if status != http.StatusTemporaryRedirect || fault.Is(err, fault.Bug) && err != nil {
		t.Errorf("call = %d, %v", status, err)
	}
	if got := asked.Load(); got > 0 {
		t.Errorf("the other host was asked %d times", got)
	}
}
