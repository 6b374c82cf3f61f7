package oauth

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"strings"
	"sync/atomic"

	"github.com/tandem-sync/tandem/shared/fault"
	"github.com/tandem-sync/tandem/shared/httpx"
	"github.com/tandem-sync/tandem/shared/record"
	"github.com/tandem-sync/tandem/shared/store"
)

// Client makes a client that acts for the user on a side. It sends requests over base, with the user's credentials, and
// only to hosts of the side. If no account is linked, or the account has to be linked again, the error is of kind
// Reconnect, with code "not-linked" or "reconnect".
func (l *Linker) Client(ctx context.Context, user string, side record.Side, base http.RoundTripper) (*http.Client, error) {
	p, err := l.o.Store.User(user).Profile(ctx)
	if err != nil {
		return nil, fmt.Errorf("make client: %w", err)
	}
	return l.ClientOf(ctx, p, side, base)
}

// ClientOf is Client for a user whose profile was just read.
func (l *Linker) ClientOf(ctx context.Context, p store.Profile, side record.Side, base http.RoundTripper) (*http.Client, error) {
	if base == nil {
		base = l.base(side)
	}
	linked, reconnect := p.Google.Linked, p.Google.Reconnect
	if side == record.Creatio {
		linked, reconnect = p.Creatio.Linked && p.Creatio.URL == l.o.Creatio.URL, p.Creatio.Reconnect
	}
	switch {
	case !linked:
		return nil, notLinked(side)
	case reconnect:
		return nil, fault.New(fault.Reconnect, string(side), "reconnect", errors.New("the account has to be linked again"))
	case side == record.Creatio && l.o.Creatio.Auth == AuthClient:
		if seated, err := l.hasSeat(ctx, p); err != nil {
			return nil, fmt.Errorf("make client: %w", err)
		} else if !seated {
			return nil, notLinked(side)
		}
		return l.client(side, base, l.technical), nil
	}
	who := holderOf(p, side)
	k, found := l.held.of(who, l.o.Now())
	if !found {
		var err error
		if k, err = l.load(ctx, p.ID, side); err != nil {
			return nil, err
		}
		if side == record.Creatio && k.Owner != "" && k.Owner != p.Creatio.UserID {
			return nil, fault.New(fault.Retry, string(side), "token-changed", errors.New("make client: somebody links another user at this moment"))
		}
	}
	if side == record.Creatio && l.o.Creatio.Auth == AuthPassword {
		if k.Password == "" {
			return nil, notLinked(side)
		}
		session := l.o.CreatioSession(base, k.Username, k.Password)
		return newClient(&passwordTransport{session: session, l: l, user: p.ID, password: k.Password, home: l.host(side)}), nil
	}
	if k.Access == "" {
		return nil, notLinked(side)
	}
	if !found {
		l.held.keep(who, k, l.o.Now())
	}
	return l.client(side, base, &source{l: l, user: p.ID, side: side, who: who, now: k, learns: side == record.Google && !p.Google.HostedDomainKnown}), nil
}

// tokens provides access tokens.
type tokens interface {
	// token returns an access token for a request.
	token(ctx context.Context) (string, error)
	// replace returns another token after the service refused one; the same token if there is no other.
	replace(ctx context.Context, refused string) (string, error)
}

func (l *Linker) client(side record.Side, base http.RoundTripper, t tokens) *http.Client {
	return newClient(&bearerTransport{base: base, tokens: t, side: side, home: l.host(side)})
}

func newClient(t http.RoundTripper) *http.Client {
	return &http.Client{Transport: t, CheckRedirect: httpx.SameOrigin}
}

// host returns a function that reports whether an address belongs to a side.
func (l *Linker) host(side record.Side) func(*url.URL) bool {
	home := l.o.Creatio.URL
	if side == record.Google {
		home = l.o.Google.Endpoint
	}
	if home == "" {
		return func(u *url.URL) bool { return u.Scheme == "https" && strings.HasSuffix(u.Host, ".googleapis.com") }
	}
	at, err := url.Parse(home)
	return func(u *url.URL) bool {
		return err == nil && u.Scheme == at.Scheme && strings.EqualFold(u.Host, at.Host)
	}
}

// bearerTransport adds an access token to requests. If the service refuses the token, it sends the request once more with
// another one.
type bearerTransport struct {
	base   http.RoundTripper
	tokens tokens
	side   record.Side
	home   func(*url.URL) bool
	// futile says that the service refused the last replacement too; another one would only cost a call.
	futile atomic.Bool
}

func (b *bearerTransport) RoundTrip(req *http.Request) (*http.Response, error) {
	body, err := bodyOf(req, b.side)
	if err != nil {
		return nil, err
	}
	if !b.home(req.URL) {
		return nil, foreignHost(b.side)
	}
	access, err := b.tokens.token(req.Context())
	if err != nil {
		return nil, err
	}
	resp, err := b.send(req, body, access)
	if err != nil {
		return nil, err
	}
	if !b.refused(req, resp) {
		b.futile.Store(false)
		return resp, nil
	}
	if b.futile.Load() {
		return resp, nil
	}
	next, err := b.tokens.replace(req.Context(), access)
	if err == nil && next == access {
		return resp, nil
	}
	_ = resp.Body.Close()
	if err != nil {
		return nil, err
	}
	resp, err = b.send(req, body, next)
	if err == nil {
		b.futile.Store(b.refused(req, resp))
	}
	return resp, err
}

func (b *bearerTransport) send(req *http.Request, body func() (io.ReadCloser, error), access string) (*http.Response, error) {
	content, err := body()
	if err != nil {
		return nil, fault.Errorf(fault.Retry, string(b.side), "request-body", "read request body: %w", err)
	}
	r := req.Clone(req.Context())
	r.Body = content
	r.Header.Set("Authorization", "Bearer "+access)
	return b.base.RoundTrip(r)
}

// refused reports whether the service refused the token. Creatio may also redirect to its login page, or send it.
func (b *bearerTransport) refused(req *http.Request, resp *http.Response) bool {
	if b.side == record.Creatio {
		return httpx.WantsSignIn(req, resp)
	}
	return resp.StatusCode == http.StatusUnauthorized
}

// bodyOf returns a function that returns the request's body any number of times, and closes the original.
func bodyOf(req *http.Request, side record.Side) (func() (io.ReadCloser, error), error) {
	if req.Body == nil || req.Body == http.NoBody {
		return func() (io.ReadCloser, error) { return http.NoBody, nil }, nil
	}
	defer req.Body.Close()
	if req.GetBody != nil {
		return req.GetBody, nil
	}
	content, err := io.ReadAll(req.Body)
	if err != nil {
		return nil, fault.Errorf(fault.Retry, string(side), "request-body", "read request body: %w", err)
	}
	return func() (io.ReadCloser, error) { return io.NopCloser(bytes.NewReader(content)), nil }, nil
}

// passwordTransport sends requests in a session of the user's name and password. If the site refuses these, it marks the
// account to be linked again.
type passwordTransport struct {
	session        http.RoundTripper
	l              *Linker
	user, password string
	home           func(*url.URL) bool
}

func (p *passwordTransport) RoundTrip(req *http.Request) (*http.Response, error) {
	if !p.home(req.URL) {
		if req.Body != nil {
			_ = req.Body.Close()
		}
		return nil, foreignHost(record.Creatio)
	}
	resp, err := p.session.RoundTrip(req)
	if fault.Is(err, fault.Reconnect) {
		p.l.disconnect(req.Context(), p.user, record.Creatio, p.password)
	}
	return resp, err
}

func foreignHost(side record.Side) error {
	return fault.New(fault.Bug, string(side), "foreign-host", errors.New("send request: the address is none of the service's"))
}
