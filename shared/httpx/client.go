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

// NewClient makes a client on NewTransport. It has no time-out of its own: the attempts have theirs, and the whole has
// the context's.
func NewClient(o Options) *http.Client {
	check := o.CheckRedirect
	if check == nil {
		check = SameOrigin
	}
	return &http.Client{Transport: NewTransport(o), CheckRedirect: check}
}

// NewBase makes the transport under all others, with bounds on every phase in which a peer can keep silent.
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

// SameOrigin follows a redirect only to the scheme and host that the first request named; another one is handed to the
// caller as a reply. http.Client drops an Authorization header on its way to another host, but a transport that adds
// the header, as that of golang.org/x/oauth2, adds it there too.
func SameOrigin(req *http.Request, via []*http.Request) error {
	first := via[0].URL
	if len(via) >= maxRedirects || req.URL.Scheme != first.Scheme || req.URL.Host != first.Host {
		return http.ErrUseLastResponse
	}
	return nil
}

// NoRedirect hands every redirect to the caller as a reply.
func NoRedirect(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }

type contextKey int

const (
	idempotentKey contextKey = iota
	finalKey
	counterKey
	doubtKey
)

// Idempotent marks the context's requests as safe to repeat, whatever their method: the caller knows that doing one
// twice is the same as doing it once.
func Idempotent(ctx context.Context) context.Context {
	return context.WithValue(ctx, idempotentKey, true)
}

// Doubt tells whether an attempt may have taken effect that was followed by another one: where a request writes over a
// version, the answer to the second attempt may be that the first one did.
type Doubt struct{ raised atomic.Bool }

// Any reports whether there was such an attempt.
func (d *Doubt) Any() bool { return d.raised.Load() }

// WithDoubt has the doubts about the context's requests be told.
func WithDoubt(ctx context.Context, d *Doubt) context.Context {
	return context.WithValue(ctx, doubtKey, d)
}

func raise(ctx context.Context) {
	if d, ok := ctx.Value(doubtKey).(*Doubt); ok {
		d.raised.Store(true)
	}
}

// FinalStatus names statuses that are the service's answer to the context's requests rather than its mishap, so that a
// repetition would only cost a call.
func FinalStatus(ctx context.Context, statuses ...int) context.Context {
	return context.WithValue(ctx, finalKey, statuses)
}

// limiterKey is the context's key of a side's limiter.
type limiterKey struct{ side string }

// WithLimiter spaces the context's requests to a side, beside the limiter of the transport: one client serves many users,
// and a quota may be each user's own.
func WithLimiter(ctx context.Context, side string, l *rate.Limiter) context.Context {
	return context.WithValue(ctx, limiterKey{side}, l)
}

func limiterOf(ctx context.Context, side string) *rate.Limiter {
	l, _ := ctx.Value(limiterKey{side}).(*rate.Limiter)
	return l
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

// safe says whether the request changes nothing (RFC 9110, section 9.2.1).
func safe(req *http.Request) bool {
	switch req.Method {
	case "", http.MethodGet, http.MethodHead, http.MethodOptions:
		return true
	}
	return false
}

// repeatable says whether doing the request twice is the same as doing it once (RFC 9110, section 9.2.2).
func repeatable(req *http.Request) bool {
	if marked, _ := req.Context().Value(idempotentKey).(bool); marked {
		return true
	}
	return safe(req) || req.Method == http.MethodPut || req.Method == http.MethodDelete
}

// RetryAfter is the wait that a reply names (RFC 9110, section 10.2.3). A date is measured by the reply's own Date, so
// that a clock which is wrong on either side does not matter; now serves where the reply has none.
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

// maxRetryAfter keeps a nonsensical number of seconds from overflowing a duration.
const maxRetryAfter = 30 * 24 * time.Hour

// Redact gives err a text without the query string and the user info of a URL in it: the error of an http.Client quotes
// the whole URL. The chain under it stays, so that kinds are still found.
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
