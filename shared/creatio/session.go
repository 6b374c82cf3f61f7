package creatio

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/http/cookiejar"
	"net/url"
	"strings"

	"github.com/tandem-sync/tandem/shared/fault"
	"github.com/tandem-sync/tandem/shared/httpx"
)

// maxLoginReply is how much of the reply to a login is read.
const maxLoginReply = 1 << 20

// maxWasted is the number of consecutive logins without effect after which no more are tried.
const maxWasted = 2

// SessionTransport sends requests in a session of Creatio that it opens with a user's name and password. It is for sites
// without user consent (before 8.3). It logs in at the first request, and again after a session has ended.
//
// A wrong password is tried only once, because Creatio locks accounts. Then every request fails with kind
// fault.Reconnect.
func SessionTransport(base http.RoundTripper, site, user, password string) http.RoundTripper {
	if base == nil {
		base = http.DefaultTransport
	}
	return &session{base: base, site: strings.TrimRight(site, "/"), user: user, password: password, mutex: make(chan struct{}, 1)}
}

// SignIn tries a name and a password once.
func SignIn(ctx context.Context, base http.RoundTripper, site, user, password string) error {
	s := SessionTransport(base, site, user, password).(*session)
	_, err := s.current(ctx)
	if f, ok := errors.AsType[*fault.Error](err); ok && f.Code == notAnswered {
		// Nobody has signed in at this address before, so it may not be that of a site.
		return notCreatio(f.Err)
	}
	return err
}

// session is one user's session. mutex guards the fields below it.
type session struct {
	base           http.RoundTripper
	site           string
	user, password string

	mutex chan struct{}
	now   *login
	// wasted counts logins since one had an effect.
	wasted int
	// refused is the error of a refused login, after which no other is tried.
	refused error
}

// login is one successful login.
type login struct{ cookies *cookiejar.Jar }

// RoundTrip sends the request in the session.
func (s *session) RoundTrip(req *http.Request) (*http.Response, error) {
	body, err := repeatable(req)
	if err != nil {
		return nil, err
	}
	in, err := s.current(req.Context())
	if err != nil {
		return nil, err
	}
	resp, err := s.send(req, body, in)
	if err != nil {
		return nil, err
	}
	if !httpx.WantsSignIn(req, resp) {
		return resp, nil
	}
	next, err := s.renew(req.Context(), in)
	if err != nil {
		_ = resp.Body.Close()
		return nil, err
	}
	if next == nil {
		return resp, nil
	}
	_ = resp.Body.Close()
	resp, err = s.send(req, body, next)
	if err == nil && !httpx.WantsSignIn(req, resp) {
		s.helped()
	}
	return resp, err
}

// repeatable returns a function that returns the request's body any number of times.
func repeatable(req *http.Request) (func() (io.ReadCloser, error), error) {
	if req.Body == nil || req.Body == http.NoBody {
		return func() (io.ReadCloser, error) { return http.NoBody, nil }, nil
	}
	defer req.Body.Close()
	if req.GetBody != nil {
		return req.GetBody, nil
	}
	content, err := io.ReadAll(req.Body)
	if err != nil {
		return nil, fault.Errorf(fault.Retry, Side, "request-body", "read request body: %w", err)
	}
	return func() (io.ReadCloser, error) { return io.NopCloser(bytes.NewReader(content)), nil }, nil
}

func (s *session) send(req *http.Request, body func() (io.ReadCloser, error), in *login) (*http.Response, error) {
	content, err := body()
	if err != nil {
		return nil, fault.Errorf(fault.Retry, Side, "request-body", "read request body: %w", err)
	}
	r := req.Clone(req.Context())
	r.Body = content
	r.Header.Set("ForceUseSession", "true")
	for _, c := range in.cookies.Cookies(r.URL) {
		r.AddCookie(c)
		// The value of this cookie has to be sent as a header too, or Creatio answers 403.
		if c.Name == "BPMCSRF" || c.Name == "CRT_CSRF" {
			r.Header.Set(c.Name, c.Value)
		}
	}
	resp, err := s.base.RoundTrip(r)
	if err != nil {
		return nil, err
	}
	in.cookies.SetCookies(r.URL, resp.Cookies())
	return resp, nil
}

func (s *session) lock(ctx context.Context) error {
	select {
	case s.mutex <- struct{}{}:
		return nil
	case <-ctx.Done():
		return fault.New(fault.Retry, Side, "canceled", ctx.Err())
	}
}

func (s *session) unlock() { <-s.mutex }

// current returns the login in use. The first caller logs in, concurrent ones wait.
func (s *session) current(ctx context.Context) (*login, error) {
	if err := s.lock(ctx); err != nil {
		return nil, err
	}
	defer s.unlock()
	if s.now == nil {
		return s.login(ctx)
	}
	return s.now, nil
}

// renew logs in again after the site has refused a login. It returns nil if the last logins had no effect.
func (s *session) renew(ctx context.Context, old *login) (*login, error) {
	if err := s.lock(ctx); err != nil {
		return nil, err
	}
	defer s.unlock()
	switch {
	case s.now != old:
		return s.now, nil
	case s.wasted >= maxWasted:
		return nil, nil
	}
	s.wasted++
	return s.login(ctx)
}

// helped records that the site has accepted a new login.
func (s *session) helped() {
	s.mutex <- struct{}{}
	defer s.unlock()
	s.wasted = 0
}

// login opens a session. The caller holds the mutex.
func (s *session) login(ctx context.Context) (*login, error) {
	if s.refused != nil {
		return nil, s.refused
	}
	in, err := s.authenticate(ctx)
	if f, ok := errors.AsType[*fault.Error](err); ok && f.Code == notAnswered {
		in, err = s.authenticate(ctx)
	}
	if err != nil {
		if fault.Is(err, fault.Reconnect) {
			s.refused = err
		}
		return nil, err
	}
	s.now = in
	return in, nil
}

// authenticate posts the name and the password to AuthService.svc, which is at the root of the site in every version.
func (s *session) authenticate(ctx context.Context) (*login, error) {
	// TimeZoneOffset is the session's fallback time zone; without it some writes are in the server's.
	content, err := json.Marshal(map[string]any{"UserName": s.user, "UserPassword": s.password, "TimeZoneOffset": 0})
	if err != nil {
		return nil, fault.Errorf(fault.Bug, Side, "login", "encode login: %w", err)
	}
	address, err := url.Parse(s.site + "/ServiceModel/AuthService.svc/Login")
	if err != nil {
		return nil, fault.Errorf(fault.Misconfigured, Side, "bad-url", "parse site address: %w", err)
	}
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, address.String(), bytes.NewReader(content))
	if err != nil {
		return nil, fault.Errorf(fault.Misconfigured, Side, "bad-url", "make login request: %w", err)
	}
	req.Header.Set("Content-Type", "application/json; charset=utf-8")
	req.Header.Set("Accept", "application/json")
	req.Header.Set("ForceUseSession", "true")
	resp, err := s.base.RoundTrip(req)
	if err != nil {
		if _, classified := errors.AsType[*fault.Error](err); classified {
			return nil, fmt.Errorf("log in: %w", err)
		}
		return nil, fault.Errorf(fault.Retry, Side, "unreachable", "log in: %w", err)
	}
	defer resp.Body.Close()
	if err := loginOutcome(req, resp); err != nil {
		return nil, err
	}
	jar, err := cookiejar.New(nil)
	if err != nil {
		return nil, fault.Errorf(fault.Bug, Side, "login", "make cookie jar: %w", err)
	}
	jar.SetCookies(address, resp.Cookies())
	return &login{cookies: jar}, nil
}

// notAnswered is the code of a login that something else answered than the login service, as a site does that restarts.
// It says nothing about the password.
const notAnswered = "signed-out"

// notCreatio is the error of an address where no login service answers.
func notCreatio(cause error) error {
	return fault.New(fault.Misconfigured, Side, codeNotCreatio, cause)
}

// loginOutcome reads the reply to a login. Creatio answers a wrong password with status 200 and a code. The error does not
// quote the reply.
func loginOutcome(req *http.Request, resp *http.Response) error {
	answered := fmt.Errorf("log in: status %d, type %q", resp.StatusCode, resp.Header.Get("Content-Type"))
	switch {
	case resp.StatusCode >= 500 || resp.StatusCode == http.StatusTooManyRequests || resp.StatusCode == http.StatusRequestTimeout:
		return fault.Errorf(fault.Retry, Side, "unavailable", "log in: status %d", resp.StatusCode)
	case httpx.WantsSignIn(req, resp):
		return fault.New(fault.Retry, Side, notAnswered, answered)
	case resp.StatusCode != http.StatusOK:
		return notCreatio(answered)
	}
	var reply struct {
		Code              *int
		PasswordChangeURL string `json:"PasswordChangeUrl"`
	}
	content, err := io.ReadAll(io.LimitReader(resp.Body, maxLoginReply))
	if err != nil {
		return fault.Errorf(fault.Retry, Side, "connection-lost", "read login reply: %w", err)
	}
	if err := json.Unmarshal(content, &reply); err != nil || reply.Code == nil {
		return notCreatio(errors.New("log in: the reply is not from Creatio"))
	}
	switch {
	case *reply.Code == 0:
		return nil
	case reply.PasswordChangeURL != "":
		return fault.Errorf(fault.Reconnect, Side, "password-expired", "log in: code %d", *reply.Code)
	default:
		return fault.Errorf(fault.Reconnect, Side, "wrong-password", "log in: code %d", *reply.Code)
	}
}
