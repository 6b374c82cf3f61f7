package google

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"io"
	"net/http"
	"slices"
	"strings"
	"sync"

	"google.golang.org/api/googleapi"

	"github.com/tandem-sync/tandem/shared/fault"
	"github.com/tandem-sync/tandem/shared/httpx"
)

// concurrency is how many requests are under way at once where batches are refused.
const concurrency = 4

// noBatches are the answers of a service that has no batches, thisBatch those that may be about one of them. After either nothing of
// the batch was done.
var (
	noBatches = []int{http.StatusNotFound, http.StatusMethodNotAllowed, http.StatusNotImplemented}
	thisBatch = []int{http.StatusBadRequest, http.StatusLengthRequired, http.StatusRequestEntityTooLarge, http.StatusUnsupportedMediaType}
)

// refusesBatch reports whether the service refused a batch as such, and remembers that it has none.
func (c *Client) refusesBatch(err error) bool {
	answer, is := errors.AsType[*googleapi.Error](err)
	if !is {
		return false
	}
	if slices.Contains(noBatches, answer.Code) {
		c.single.Store(true)
		return true
	}
	return slices.Contains(thisBatch, answer.Code)
}

// singly sends parts as requests of their own. After one that got no answer no others are sent.
func (c *Client) singly(ctx context.Context, what string, parts []Part) ([]PartReply, error) {
	replies := make([]PartReply, len(parts))
	places := make(chan int)
	ctx, stop := context.WithCancelCause(ctx)
	defer stop(nil)
	var senders sync.WaitGroup
	for range min(concurrency, len(parts)) {
		senders.Go(func() {
			for i := range places {
				var answered bool
				if replies[i], answered = c.sendOne(ctx, what, parts[i]); !answered {
					stop(replies[i].Err)
				}
			}
		})
	}
	for i := range parts {
		select {
		case places <- i:
		case <-ctx.Done():
			replies[i].Err = fault.New(fault.Retry, Side, "not-sent", errors.New(what+": an earlier request failed"))
		}
	}
	close(places)
	senders.Wait()
	return replies, context.Cause(ctx)
}

// sendOne sends one part, and reports whether it was answered.
func (c *Client) sendOne(ctx context.Context, what string, p Part) (reply PartReply, answered bool) {
	req, err := c.singleRequest(ctx, p)
	if err != nil {
		return PartReply{Err: fault.Errorf(fault.Bug, Side, "request", "%s: %w", what, err)}, true
	}
	resp, err := c.HTTP.Do(req)
	if err != nil {
		return PartReply{Err: c.Classify(what, err, p.writes())}, false
	}
	defer resp.Body.Close()
	if err := googleapi.CheckResponse(resp); err != nil {
		return PartReply{Err: c.Classify(what, err, p.writes())}, true
	}
	body, err := io.ReadAll(io.LimitReader(resp.Body, maxBatchReply))
	if err != nil {
		f := fault.Errorf(fault.Retry, Side, "malformed-reply", "%s: %w", what, httpx.Redact(err))
		f.Ambiguous = p.writes()
		return PartReply{Err: f}, false
	}
	return PartReply{Body: body}, true
}

func (c *Client) singleRequest(ctx context.Context, p Part) (*http.Request, error) {
	var content io.Reader
	if p.Body != nil {
		b, err := json.Marshal(p.Body)
		if err != nil {
			return nil, err
		}
		content = bytes.NewReader(b)
	}
	if !strings.HasPrefix(p.Path, "/") {
		return nil, errors.New("no path on the host")
	}
	if !p.writes() {
		ctx = httpx.Idempotent(ctx)
	}
	req, err := http.NewRequestWithContext(ctx, p.Method, c.host()+p.Path, content)
	if err != nil {
		return nil, err
	}
	if p.Header != nil {
		req.Header = p.Header.Clone()
	}
	if p.Body != nil {
		req.Header.Set("Content-Type", "application/json")
	}
	return req, nil
}
