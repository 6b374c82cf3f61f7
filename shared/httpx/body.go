package httpx

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"

	"github.com/tandem-sync/tandem/shared/fault"
)

// replay provides the body of a request for each attempt. It owns the original body and closes it, as a round tripper must.
type replay struct {
	get      func() (io.ReadCloser, error)
	once     io.ReadCloser
	original io.Closer
}

func newReplay(req *http.Request) (*replay, error) {
	switch {
	case req.Body == nil || req.Body == http.NoBody:
		return &replay{get: func() (io.ReadCloser, error) { return req.Body, nil }}, nil
	case req.GetBody != nil:
		return &replay{get: req.GetBody, original: req.Body}, nil
	}
	head, err := io.ReadAll(io.LimitReader(req.Body, maxBuffered+1))
	if err != nil {
		return nil, errors.Join(fmt.Errorf("read request body: %w", err), req.Body.Close())
	}
	if len(head) > maxBuffered {
		whole := struct {
			io.Reader
			io.Closer
		}{io.MultiReader(bytes.NewReader(head), req.Body), req.Body}
		return &replay{once: whole}, nil
	}
	get := func() (io.ReadCloser, error) { return io.NopCloser(bytes.NewReader(head)), nil }
	return &replay{get: get, original: req.Body}, nil
}

func (r *replay) next() (io.ReadCloser, error) {
	if r.get != nil {
		return r.get()
	}
	return r.once, nil
}

// repeatable is false for a body that is too large to buffer.
func (r *replay) repeatable() bool { return r.get != nil }

func (r *replay) close() {
	if r.original != nil {
		_ = r.original.Close()
	}
}

// boundedBody is the body of a reply. It cancels the attempt's timeout at its end, fails beyond the size limit and returns
// its errors as faults.
type boundedBody struct {
	inner     io.ReadCloser
	left      int64
	t         *transport
	ctx       context.Context
	cancel    context.CancelFunc
	ambiguous bool
}

func (b *boundedBody) Read(p []byte) (int, error) {
	if b.left < 0 {
		return 0, b.tooLarge()
	}
	// One more byte than allowed distinguishes a reply of exactly the limit from a larger one.
	if int64(len(p)) > b.left+1 {
		p = p[:b.left+1]
	}
	n, err := b.inner.Read(p)
	b.left -= int64(n)
	if b.left < 0 {
		return n - 1, b.tooLarge()
	}
	switch {
	case err == nil:
		return n, nil
	case errors.Is(err, io.EOF):
		b.cancel()
		return n, io.EOF
	}
	return n, b.lost(err)
}

func (b *boundedBody) tooLarge() error {
	return b.t.fault(fault.Bug, "reply-too-large", fmt.Errorf("reply larger than %d bytes", b.t.MaxBody))
}

func (b *boundedBody) lost(err error) error {
	f := b.t.fault(fault.Retry, "connection-lost", fmt.Errorf("read reply: %w", err))
	if cause := context.Cause(b.ctx); cause != nil {
		f = b.t.interrupted(cause)
		if errors.Is(cause, errAttemptTimeout) {
			f.Code = "timeout"
		}
	}
	f.Ambiguous = b.ambiguous
	return f
}

func (b *boundedBody) Close() error {
	err := b.inner.Close()
	b.cancel()
	return err
}

// discard reads the rest of a reply, up to maxDrained, so that the connection can be reused.
func discard(resp *http.Response) {
	_, _ = io.CopyN(io.Discard, resp.Body, maxDrained)
	_ = resp.Body.Close()
}
