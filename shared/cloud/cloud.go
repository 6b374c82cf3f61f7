// Package cloud holds what the clients of Google Cloud's gRPC APIs share: their creation, the timeouts and retries of
// calls, and the classification of errors. It is for the adapters that make such calls, and depends on none of the APIs.
//
// Invariants: a client is created at the first call, not at the start of the process; a call is retried only if its
// adapter declares it idempotent; every call ends within CallTimeout; no error contains a credential.
package cloud

import (
	"context"
	"io"
	"log/slog"
	"sync"
	"time"

	"google.golang.org/api/option"
	"google.golang.org/grpc"
)

// The limits of a call. They are short because a user waits for the call, or because many more calls follow; the caller
// tries again later.
const (
	// CallTimeout bounds a call with its retries.
	CallTimeout    = 30 * time.Second
	attemptTimeout = 10 * time.Second
	maxAttempts    = 3
	maxBackoff     = 5 * time.Second
	firstBackoff   = 500 * time.Millisecond
)

// Client creates a client at the first Get and reuses it. Creating one looks up credentials, and a function that makes no
// call needs none. Client is safe for concurrent use.
type Client[C io.Closer] struct {
	make    func(context.Context, ...option.ClientOption) (C, error)
	options []option.ClientOption

	mu     sync.Mutex
	client C
	made   bool
}

// NewClient returns a Client that is created by make. The options are those of the client, such as endpoint and
// credentials; without options the credentials come from the environment.
func NewClient[C io.Closer](make func(context.Context, ...option.ClientOption) (C, error), options []option.ClientOption) *Client[C] {
	return &Client[C]{make: make, options: options}
}

// Get returns the client. If it cannot be created, the next Get tries again.
func (c *Client[C]) Get(ctx context.Context) (C, error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.made {
		return c.client, nil
	}
	var none C
	options := []option.ClientOption{
		// Without this the client logs whole requests if the environment asks for it.
		option.WithLogger(slog.New(slog.DiscardHandler)),
		option.WithGRPCDialOption(grpc.WithChainUnaryInterceptor(limit)),
	}
	if len(c.options) == 0 {
		own, err := environment()
		if err != nil {
			return none, err
		}
		options = append(options, own)
	}
	// The client outlives the first request, whose context this is.
	client, err := c.make(context.WithoutCancel(ctx), append(options, c.options...)...)
	if err != nil {
		return none, err
	}
	c.client, c.made = client, true
	return client, nil
}

// Close closes the client's connections, if it was created.
func (c *Client[C]) Close() error {
	c.mu.Lock()
	defer c.mu.Unlock()
	if !c.made {
		return nil
	}
	c.made = false
	return c.client.Close()
}

// limit bounds one attempt of a call. The client bounds only the whole call, so that one attempt without a reply would
// leave no time for a retry.
func limit(ctx context.Context, method string, request, reply any, conn *grpc.ClientConn, invoke grpc.UnaryInvoker, options ...grpc.CallOption) error {
	ctx, cancel := context.WithTimeout(ctx, attemptTimeout)
	defer cancel()
	return invoke(ctx, method, request, reply, conn, options...)
}
