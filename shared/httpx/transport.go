// Package httpx is the only HTTP client of Tandem: every call to Creatio and to Google passes through it, whichever library
// makes the call. It limits the duration of an attempt, the size of a reply and the rate of calls, and retries requests.
//
// Its invariants:
//
//   - A request is retried only if it is idempotent by its method or its context (RFC 9110, section 9.2.2), or if it was
//     certainly not processed.
//   - A failure without a reply is a *fault.Error. It is Ambiguous unless the request changes nothing or certainly did
//     not reach the service.
//   - A reply is never turned into an error, except for one that asks for a delay longer than MaxWait. The adapter of the
//     API interprets the status.
//   - No query string and no body reaches a log or an observer.
package httpx

import (
	"bytes"
	"context"
	"errors"
	"io"
	"log/slog"
	"math/rand/v2"
	"net/http"
	"strings"
	"time"

	"golang.org/x/time/rate"

	"github.com/tandem-sync/tandem/shared/fault"
	"github.com/tandem-sync/tandem/shared/observe"
)

// Options are the settings of a transport. The zero value of each has a default.
type Options struct {
	// Side is "google" or "creatio", for errors.
	Side string
	// Base sends the requests; default NewBase. Clients of several users share one base and so its connections.
	Base http.RoundTripper
	// Logger logs retries at debug level; default none.
	Logger *slog.Logger
	// Now is the clock; default time.Now.
	Now func() time.Time
	// Sleep waits, or returns the context's error; default a timer.
	Sleep func(ctx context.Context, d time.Duration) error
	// Rand draws from [0,1) for the jitter; default math/rand/v2.
	Rand func() float64
	// AttemptTimeout ends one attempt, including the reading of its reply; default 30 s.
	AttemptTimeout time.Duration
	// Attempts is the largest number of attempts; default 4.
	Attempts int
	// MaxWait is the longest single wait; default 20 s. If a longer one is needed, the request fails at once with
	// fault.Retry and After.
	MaxWait time.Duration
	// Limiter limits the rate of attempts; default none.
	Limiter *rate.Limiter
	// MaxBody is the largest reply; reading past it is an error; default 32 MiB.
	MaxBody int64
	// Lasting tells by the beginning of a reply's body, of a reply that asks to wait, that it stays the same however long one waits;
	// default never.
	Lasting func(body []byte) bool
	// API names the API of the service that a request is for, by a word of a small set; default none.
	API func(req *http.Request) string
	// Observe is called after each attempt; default none.
	Observe func(ctx context.Context, info CallInfo)
	// CheckRedirect decides on redirects in a client of NewClient; default SameOrigin.
	CheckRedirect func(req *http.Request, via []*http.Request) error
}

// CallInfo describes one attempt. It contains no data of the user.
type CallInfo struct {
	Side, API, Method, Host string
	// Attempt counts from 1.
	Attempt int
	// Status is the status of the reply, 0 without a reply.
	Status int
	// Code is the fault code if there was no reply.
	Code string
	// Sent is false if the request certainly did not reach the service.
	Sent bool
	// Duration is the time to the reply's header or to the failure.
	Duration time.Duration
}

const (
	defaultAttemptTimeout = 30 * time.Second
	defaultAttempts       = 4
	defaultMaxWait        = 20 * time.Second
	defaultMaxBody        = 32 << 20
	backoffBase           = 500 * time.Millisecond
	maxBuffered           = 10 << 20
	maxDrained            = 64 << 10
)

// NewTransport makes the round tripper.
func NewTransport(o Options) http.RoundTripper {
	if o.Base == nil {
		o.Base = NewBase()
	}
	if o.Logger == nil {
		o.Logger = slog.New(slog.DiscardHandler)
	}
	if o.Now == nil {
		o.Now = time.Now
	}
	if o.Sleep == nil {
		o.Sleep = sleep
	}
	if o.Rand == nil {
		o.Rand = rand.Float64
	}
	if o.AttemptTimeout <= 0 {
		o.AttemptTimeout = defaultAttemptTimeout
	}
	if o.Attempts <= 0 {
		o.Attempts = defaultAttempts
	}
	if o.MaxWait <= 0 {
		o.MaxWait = defaultMaxWait
	}
	if o.API == nil {
		o.API = func(*http.Request) string { return "" }
	}
	if o.MaxBody <= 0 {
		o.MaxBody = defaultMaxBody
	}
	return &transport{o}
}

type transport struct{ Options }

// outcome is the result of an attempt: a reply or a fault.
type outcome struct {
	resp  *http.Response
	fault *fault.Error
	// unsent says that the request certainly did not reach the service.
	unsent bool
	// final says that a retry would fail the same way, or that the base has retried already.
	final bool
}

// RoundTrip sends the request and retries it if that is safe and may help.
func (t *transport) RoundTrip(req *http.Request) (*http.Response, error) {
	ctx := req.Context()
	body, err := newReplay(req)
	if err != nil {
		return nil, t.fault(fault.Retry, "request-body", err)
	}
	defer body.close()
	ambiguous := false
	for attempt := 1; ; attempt++ {
		if f := t.admit(ctx); f != nil {
			f.Ambiguous = ambiguous
			return nil, f
		}
		content, err := body.next()
		if err != nil {
			f := t.fault(fault.Retry, "request-body", err)
			f.Ambiguous = ambiguous
			return nil, f
		}
		out := t.attempt(req, content, attempt)
		if out.fault != nil {
			// An earlier attempt may have taken effect even if a later one did not reach the service.
			ambiguous = ambiguous || (!out.unsent && !safe(req))
			out.fault.Ambiguous = out.fault.Ambiguous || ambiguous
		} else {
			ambiguous = ambiguous || (!safe(req) && !t.refused(out.resp))
		}
		again, wait := t.retry(req, out, attempt)
		if !again || !body.repeatable() {
			return out.result()
		}
		asked, explicit := t.retryAfter(out)
		if explicit {
			wait = max(asked, 0)
		}
		if wait > t.MaxWait || t.pastDeadline(ctx, wait) {
			if out.resp != nil && explicit {
				discard(out.resp)
				f := t.fault(fault.Retry, waitCode(out.resp.StatusCode), errAskedToWait)
				f.After, f.Ambiguous = wait, ambiguous
				return nil, f
			}
			return out.result()
		}
		t.logRetry(req, out, attempt, wait)
		if out.resp != nil {
			discard(out.resp)
		}
		if ambiguous {
			raise(ctx)
		}
		if err := t.Sleep(ctx, wait); err != nil {
			f := t.interrupted(err)
			f.Ambiguous = ambiguous
			return nil, f
		}
	}
}

func (o outcome) result() (*http.Response, error) {
	if o.fault != nil {
		return nil, o.fault
	}
	return o.resp, nil
}

// attempt sends the request once.
func (t *transport) attempt(req *http.Request, content io.ReadCloser, n int) outcome {
	ctx, cancel := context.WithTimeoutCause(req.Context(), t.AttemptTimeout, errAttemptTimeout)
	trace := &trace{}
	info := CallInfo{Side: t.Side, API: t.API(req), Method: req.Method, Host: req.URL.Host, Attempt: n, Sent: true}
	inner, span := observe.Begin(trace.attach(ctx), strings.TrimSpace(t.Side+" "+info.API), slog.String("method", req.Method), slog.Int("attempt", n))
	r := req.Clone(inner)
	r.Body = content
	start := t.Now()
	resp, err := t.Base.RoundTrip(r)
	info.Duration = t.Now().Sub(start)
	var out outcome
	if err != nil {
		out = t.failure(ctx, req, trace, err)
		cancel()
		info.Sent, info.Code = !out.unsent, out.fault.Code
	} else {
		if resp.Body == nil {
			resp.Body = http.NoBody
		}
		resp.Body = &boundedBody{
			inner: resp.Body, left: t.MaxBody, t: t, ctx: ctx, cancel: cancel, ambiguous: !safe(req),
		}
		resp.Request = req
		out.resp, info.Status = resp, resp.StatusCode
	}
	if info.Sent {
		count(req.Context(), t.Side)
	}
	if t.Observe != nil {
		t.Observe(req.Context(), info)
	}
	span.Set(slog.Int("status", info.Status), slog.String("class", observe.StatusClass(info.Status)))
	if out.fault != nil {
		span.End(out.fault)
		return out
	}
	span.End(nil)
	return out
}

// retry reports whether to make another attempt, and the delay to use if the service names none.
func (t *transport) retry(req *http.Request, out outcome, attempt int) (bool, time.Duration) {
	if out.final || attempt >= t.Attempts || req.Context().Err() != nil {
		return false, 0
	}
	if out.resp != nil && !t.worthRetrying(req, out.resp) {
		return false, 0
	}
	if out.resp == nil && !out.unsent && !idempotent(req) {
		return false, 0
	}
	return true, t.backoff(attempt)
}

// refused reports whether the request was certainly not processed. A 429 says so, and a 503 with Retry-After (RFC 6585,
// section 4; RFC 9110, section 15.6.4).
func (t *transport) refused(resp *http.Response) bool {
	if resp.StatusCode == http.StatusTooManyRequests {
		return true
	}
	_, named := RetryAfter(resp, t.Now())
	return named && resp.StatusCode == http.StatusServiceUnavailable
}

// worthRetrying reports whether a retry after a reply of this status may succeed and is safe.
func (t *transport) worthRetrying(req *http.Request, resp *http.Response) bool {
	if isFinal(req.Context(), resp.StatusCode) {
		return false
	}
	switch resp.StatusCode {
	case http.StatusTooManyRequests, http.StatusServiceUnavailable:
		return (t.refused(resp) || idempotent(req)) && !t.lasts(resp)
	case http.StatusRequestTimeout, http.StatusInternalServerError, http.StatusBadGateway, http.StatusGatewayTimeout:
		return idempotent(req)
	}
	return false
}

// lasts reports whether a reply stays the same however long one waits. What was read of its body can be read again.
func (t *transport) lasts(resp *http.Response) bool {
	if t.Lasting == nil {
		return false
	}
	begins, err := io.ReadAll(io.LimitReader(resp.Body, maxDrained))
	if err != nil {
		return false
	}
	resp.Body = struct {
		io.Reader
		io.Closer
	}{io.MultiReader(bytes.NewReader(begins), resp.Body), resp.Body}
	return t.Lasting(begins)
}

// retryAfter is the delay that a reply asks for.
func (t *transport) retryAfter(out outcome) (time.Duration, bool) {
	if out.resp == nil {
		return 0, false
	}
	d, ok := RetryAfter(out.resp, t.Now())
	return d, ok && d > 0
}

// backoff is exponential with full jitter, which spreads clients that failed together.
func (t *transport) backoff(attempt int) time.Duration {
	ceiling := t.MaxWait
	if shift := attempt - 1; shift < 16 {
		ceiling = min(ceiling, backoffBase<<shift)
	}
	return time.Duration(t.Rand() * float64(ceiling))
}

// admit waits until the limiters of the transport and of the context allow a request.
func (t *transport) admit(ctx context.Context) *fault.Error {
	if err := ctx.Err(); err != nil {
		return t.interrupted(err)
	}
	for _, l := range []*rate.Limiter{t.Limiter, limiterOf(ctx, t.Side)} {
		if l == nil {
			continue
		}
		if f := t.wait(ctx, l); f != nil {
			return f
		}
	}
	return nil
}

// wait waits until a limiter allows a request. It fails at once if that takes too long.
func (t *transport) wait(ctx context.Context, l *rate.Limiter) *fault.Error {
	now := t.Now()
	r := l.ReserveN(now, min(costOf(ctx), l.Burst()))
	if !r.OK() {
		return t.fault(fault.Misconfigured, "quota", errors.New("the limiter admits nothing"))
	}
	wait := r.DelayFrom(now)
	if wait <= 0 {
		return nil
	}
	if wait > t.MaxWait || t.pastDeadline(ctx, wait) {
		r.CancelAt(now)
		f := t.fault(fault.Retry, "quota", errOwnLimit)
		f.After = wait
		return f
	}
	if err := t.Sleep(ctx, wait); err != nil {
		r.CancelAt(t.Now())
		return t.interrupted(err)
	}
	return nil
}

func (t *transport) pastDeadline(ctx context.Context, wait time.Duration) bool {
	deadline, ok := ctx.Deadline()
	return ok && deadline.Sub(t.Now()) <= wait
}

func (t *transport) logRetry(req *http.Request, out outcome, attempt int, wait time.Duration) {
	attrs := []slog.Attr{
		slog.String("side", t.Side), slog.String("method", req.Method), slog.String("host", req.URL.Host),
		slog.Int("attempt", attempt), slog.Duration("wait", wait),
	}
	if out.resp != nil {
		attrs = append(attrs, slog.Int("status", out.resp.StatusCode))
	} else {
		attrs = append(attrs, slog.String("code", out.fault.Code), slog.Any("error", out.fault.Err))
	}
	t.Logger.LogAttrs(req.Context(), slog.LevelDebug, "request repeated", attrs...)
}

// CloseIdleConnections calls that of the base, as http.Client does.
func (t *transport) CloseIdleConnections() {
	if c, ok := t.Base.(interface{ CloseIdleConnections() }); ok {
		c.CloseIdleConnections()
	}
}

func sleep(ctx context.Context, d time.Duration) error {
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-timer.C:
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}
