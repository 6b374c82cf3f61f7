package httpx

import (
	"context"
	"crypto/tls"
	"errors"
	"net"
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"sync/atomic"
	"time"

	"golang.org/x/time/rate"
)

// NewClient makes a client on NewTransport. It sets no timeout for the whole request: each attempt has a timeout, and the
// context bounds the request.
func NewClient(o Options) *http.Client {
	check := o.CheckRedirect
	if check == nil {
		check = SameOrigin
	}
	return &http.Client{Transport: NewTransport(o), CheckRedirect: check}
}

// NewBase makes the transport that sends the requests. Every phase in which a peer may not answer has a timeout.
func NewBase() *http.Transport {
	dialer := &net.Dialer{Timeout: 10 * time.Second, KeepAlive: 30 * time.Second}
	return &http.Transport{
		Proxy:                  http.ProxyFromEnvironment,
		DialContext:            dialer.DialContext,
		TLSClientConfig:        &tls.Config{MinVersion: tls.VersionTLS12},
		TLSHandshakeTimeout:    10 * time.Second,
		ExpectContinueTimeout:  time.Second,
		IdleConnTimeout:        90 * time.Second,
		MaxIdleConns:           100,
		MaxIdleConnsPerHost:    16,
		MaxResponseHeaderBytes: 1 << 20,
		ForceAttemptHTTP2:      true,
	}
}

// maxRedirects is enough for a site that normalizes its addresses.
const maxRedirects = 5

// SameOrigin follows a redirect only to the scheme and host of the first request; any other redirect is returned to the
// caller as a reply. http.Client drops an Authorization header on a redirect to another host, but a transport that adds
// the header, such as that of golang.org/x/oauth2, adds it there too.
func SameOrigin(req *http.Request, via []*http.Request) error {
	first := via[0].URL
	if len(via) >= maxRedirects || req.URL.Scheme != first.Scheme || req.URL.Host != first.Host {
		return http.ErrUseLastResponse
	}
	return nil
}

// NoRedirect returns every redirect to the caller as a reply.
func NoRedirect(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }

type contextKey int

const (
	idempotentKey contextKey = iota
	finalKey
	counterKey
	doubtKey
	costKey
)

// Idempotent marks the context's requests as idempotent, whatever their method.
func Idempotent(ctx context.Context) context.Context {
	return context.WithValue(ctx, idempotentKey, true)
}

// Doubt records that an attempt was retried although it may have taken effect. If a request requires a version, the retry
// may then fail because the first attempt has changed it.
type Doubt struct{ raised atomic.Bool }

// Any reports whether there was such an attempt.
func (d *Doubt) Any() bool { return d.raised.Load() }

// WithDoubt makes the context's requests record their doubts in d.
func WithDoubt(ctx context.Context, d *Doubt) context.Context {
	return context.WithValue(ctx, doubtKey, d)
}

func raise(ctx context.Context) {
	if d, ok := ctx.Value(doubtKey).(*Doubt); ok {
		d.raised.Store(true)
	}
}

// FinalStatus names statuses that the context's requests do not retry, because they are an answer of the service and not
// a failure of it.
func FinalStatus(ctx context.Context, statuses ...int) context.Context {
	return context.WithValue(ctx, finalKey, statuses)
}

// limiterKey is the context's key of a side's limiter.
type limiterKey struct{ side string }

// WithLimiter limits the rate of the context's requests to a side, in addition to the transport's limiter: one client
// serves many users, and a quota may be per user.
func WithLimiter(ctx context.Context, side string, l *rate.Limiter) context.Context {
	return context.WithValue(ctx, limiterKey{side}, l)
}

func limiterOf(ctx context.Context, side string) *rate.Limiter {
	l, _ := ctx.Value(limiterKey{side}).(*rate.Limiter)
	return l
}

// WithCost makes each of the context's requests count as n with the limiters, as a batch does with a service that counts
// its parts.
func WithCost(ctx context.Context, n int) context.Context {
	return context.WithValue(ctx, costKey, n)
}

func costOf(ctx context.Context) int {
	if n, ok := ctx.Value(costKey).(int); ok && n > 0 {
		return n
	}
	return 1
}

func isFinal(ctx context.Context, status int) bool {
	statuses, _ := ctx.Value(finalKey).([]int)
	for _, s := range statuses {
		if s == status {
			return true
		}
	}
	return false
}

// safe reports whether the request changes nothing (RFC 9110, section 9.2.1).
func safe(req *http.Request) bool {
	switch req.Method {
	case "", http.MethodGet, http.MethodHead, http.MethodOptions:
		return true
	}
	return false
}

// idempotent reports whether the request is idempotent, by its method (RFC 9110, section 9.2.2) or its context.
func idempotent(req *http.Request) bool {
	if marked, _ := req.Context().Value(idempotentKey).(bool); marked {
		return true
	}
	return safe(req) || req.Method == http.MethodPut || req.Method == http.MethodDelete
}

// RetryAfter returns the delay that a reply asks for (RFC 9110, section 10.2.3). A date is compared with the reply's own
// Date, so that a wrong clock on either side does not matter. If the reply has no Date, it is compared with now. A delay of
// more than an hour counts as an hour.
func RetryAfter(resp *http.Response, now time.Time) (time.Duration, bool) {
	value := strings.TrimSpace(resp.Header.Get("Retry-After"))
	if value == "" {
		return 0, false
	}
	if seconds, err := strconv.ParseInt(value, 10, 64); err == nil {
		if seconds < 0 {
			return 0, false
		}
		return time.Duration(min(seconds, int64(maxRetryAfter/time.Second))) * time.Second, true
	}
	until, err := http.ParseTime(value)
	if err != nil {
		return 0, false
	}
	if date, err := http.ParseTime(resp.Header.Get("Date")); err == nil {
		now = date
	}
	return min(max(until.Sub(now), 0), maxRetryAfter), true
}

// maxRetryAfter is the longest delay that counts: nobody is kept from their own data for longer by one reply.
const maxRetryAfter = time.Hour

// Redact removes the query string and the user info of a URL from the text of err: the error of an http.Client quotes the
// whole URL. The result wraps err, so that its kind is still found.
func Redact(err error) error {
	u, ok := errors.AsType[*url.Error](err)
	if !ok {
		return err
	}
	bare := bareURL(u.URL)
	text := strings.ReplaceAll(err.Error(), strconv.Quote(u.URL), strconv.Quote(bare))
	return &redacted{err: err, text: strings.ReplaceAll(text, u.URL, bare)}
}

func bareURL(raw string) string {
	u, err := url.Parse(raw)
	if err != nil {
		return "an address"
	}
	return (&url.URL{Scheme: u.Scheme, Host: u.Host, Path: u.Path}).String()
}

type redacted struct {
	err  error
	text string
}

func (r *redacted) Error() string { return r.text }
func (r *redacted) Unwrap() error { return r.err }
