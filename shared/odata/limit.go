package odata

import (
	"context"
	"errors"
	"io"
)

// limit is how much a reply may have: so many bytes, and so many values. Many values cost far more memory than bytes.
type limit struct {
	bytes  int64
	values int
}

var (
	// pageLimit is that of a batch of pages of records.
	pageLimit = limit{bytes: 30 << 20, values: 500_000}
	// smallLimit is that of a list of a few names.
	smallLimit = limit{bytes: 2 << 20, values: 50_000}
)

type smallKey struct{}

// Small has the replies to requests be small: what is asked for are a few names, as for somebody who waits on a page.
func Small(ctx context.Context) context.Context { return context.WithValue(ctx, smallKey{}, true) }

func limitOf(ctx context.Context) limit {
	if small, _ := ctx.Value(smallKey{}).(bool); small {
		return smallLimit
	}
	return pageLimit
}

var errTooLarge = errors.New("the reply is larger than what was asked for can be")

// bounded reads JSON up to a limit, and counts its values as they come, so that nothing has to be held of a reply with too
// many.
type bounded struct {
	from io.Reader
	left limit
	// text says that a text goes on, escaped that its next byte stands for itself.
	text, escaped bool
}

func (b *bounded) Read(p []byte) (int, error) {
	n, err := b.from.Read(p)
	if b.left.bytes -= int64(n); b.left.bytes < 0 {
		return 0, errTooLarge
	}
	for _, c := range p[:n] {
		switch {
		case b.escaped:
			b.escaped = false
		case b.text && c == '\\':
			b.escaped = true
		case c == '"':
			b.text = !b.text
		case !b.text && (c == ',' || c == '[' || c == '{'):
			b.left.values--
		}
	}
	if b.left.values < 0 {
		return 0, errTooLarge
	}
	return n, err
}
