// Package cloud is what the clients of Google Cloud's gRPC APIs have in common: how they are made, how long a call may
// take, what is repeated, and what kind of error a call ended with. It is for the adapters that make such calls, and
// knows none of the APIs itself.
//
// Invariants: a client is made with its first call, not at the start; a call is repeated only where its adapter says
// that making it twice is the same as making it once; every call ends, whatever the service does; no error holds a
// credential.
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

// A call is made while somebody waits, or while many calls are to be made: what does not work within these is for the
// next time.
const (
	// CallTimeout bounds a call with its repetitions.
	CallTimeout    = 30 * time.Second
	attemptTimeout = 10 * time.Second
	attempts       = 3
	longestWait    = 5 * time.Second
	firstWait      = 500 * time.Millisecond
)

// Client makes a client when it is first asked for, and keeps it: making one looks for credentials, which a function
// that makes no call does without. It may be used from many goroutines.
type Client[C io.Closer] struct {
	make    func(context.Context, ...option.ClientOption) (C, error)
	options []option.ClientOption

	mu     sync.Mutex
	client C
	made   bool
}

// NewClient prepares a client that make makes. The options are those of the client, as an endpoint and credentials; none
// are the environment's.
func NewClient[C io.Closer](make func(context.Context, ...option.ClientOption) (C, error), options []option.ClientOption) *Client[C] {
	return &Client[C]{make: make, options: options}
}

// Get is the client. A failure to make it is tried again with the next call.
func (c *Client[C]) Get(ctx context.Context) (C, error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.made {
		return c.client, nil
	}
	var none C
	options := []option.ClientOption{
		// The client would log whole requests where the environment asks for it.
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
	// The client outlives the context it is made with, which is that of a first request.
	client, err := c.make(context.WithoutCancel(ctx), append(options, c.options...)...)
	if err != nil {
		return none, err
	}
	c.client, c.made = client, true
	return client, nil
}

// Close ends the client's connections, if it was made.
func (c *Client[C]) Close() error {
	c.mu.Lock()
	defer c.mu.Unlock()
	if !c.made {
		return nil
	}
	c.made = false
	return c.client.Close()
}

// limit bounds one attempt of a call. The client bounds the call as a whole only, and one attempt without an answer would
// leave no time for another.
func limit(ctx context.Context, method string, request, reply any, conn *grpc.ClientConn, invoke grpc.UnaryInvoker, options ...grpc.CallOption) error {
	ctx, cancel := context.WithTimeout(ctx, attemptTimeout)
	defer cancel()
	return invoke(ctx, method, request, reply, conn, options...)
}
