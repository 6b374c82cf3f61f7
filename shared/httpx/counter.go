package httpx

import (
	"context"
	"sync"
)

// Counter counts the attempts that were sent, for the report of a run. The zero value is ready to use.
type Counter struct {
	mu    sync.Mutex
	sides map[string]int
}

// WithCounter makes c count the context's requests.
func WithCounter(ctx context.Context, c *Counter) context.Context {
	return context.WithValue(ctx, counterKey, c)
}

// Calls is the number of attempts to all sides.
func (c *Counter) Calls() int {
	c.mu.Lock()
	defer c.mu.Unlock()
	n := 0
	for _, calls := range c.sides {
		n += calls
	}
	return n
}

// CallsTo is the number of attempts to one side.
func (c *Counter) CallsTo(side string) int {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.sides[side]
}

func count(ctx context.Context, side string) {
	c, _ := ctx.Value(counterKey).(*Counter)
	if c == nil {
		return
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.sides == nil {
		c.sides = map[string]int{}
	}
	c.sides[side]++
}
