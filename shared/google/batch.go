package google

import (
	"bufio"
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"mime"
	"mime/multipart"
	"net/http"
	"net/textproto"
	"slices"
	"strconv"
	"strings"

	"google.golang.org/api/googleapi"

	"github.com/tandem-sync/tandem/shared/fault"
	"github.com/tandem-sync/tandem/shared/httpx"
)

// MaxParts is the largest number of requests in a batch
// (https://developers.google.com/workspace/calendar/api/guides/batch names 50 as the limit of its clients).
const MaxParts = 50

// Part is one request of a batch.
type Part struct {
	Method string
	// Path is the path on Google's host with its query, as "/calendar/v3/calendars/primary/events".
	Path   string
	Header http.Header
	// Body is sent as JSON; nil for none.
	Body any
}

func (p Part) writes() bool { return p.Method != http.MethodGet }

// PartReply is the reply to one part.
type PartReply struct {
	// Body is what a part that succeeded was answered; empty for none.
	Body []byte
	// Err is the part's own fault, classified as that of a single call.
	Err error
}

const (
	googleHost = "https://www.googleapis.com"
	// maxBatchReply bounds what is read of the reply to a batch.
	maxBatchReply = 32 << 20
)

// Batch sends the parts to an API, in requests of at most MaxParts, and returns one reply for each part, in their order. api
// is the API's path of batches, as "calendar/v3"; what names the operation in errors. The service takes the parts in any
// order, and counts each as a request. Where it refuses a batch, the parts are sent one by one.
//
// The error is that of a whole request. Then the replies of its parts, and those of parts that were not sent because of it,
// have an error too.
func (c *Client) Batch(ctx context.Context, what, api string, parts []Part) ([]PartReply, error) {
	replies := make([]PartReply, 0, len(parts))
	for chunk := range slices.Chunk(parts, MaxParts) {
		out, err := c.batch(ctx, what, api, chunk)
		replies = append(replies, out...)
		if err != nil {
			for range parts[len(replies):] {
				replies = append(replies, PartReply{Err: fault.New(fault.Retry, Side, "not-sent", errors.New(what+": an earlier request failed"))})
			}
			return replies, err
		}
	}
	return replies, nil
}

// batch sends parts that fit into one request.
func (c *Client) batch(ctx context.Context, what, api string, parts []Part) ([]PartReply, error) {
	if c.single.Load() {
		return c.singly(ctx, what, parts)
	}
	replies := make([]PartReply, len(parts))
	writes := slices.ContainsFunc(parts, Part.writes)
	fail := func(err error) ([]PartReply, error) {
		for i, p := range parts {
			replies[i].Err = err
			if f, ok := errors.AsType[*fault.Error](err); ok && f.Ambiguous && !p.writes() {
				certain := *f
				certain.Ambiguous = false
				replies[i].Err = &certain
			}
		}
		return replies, err
	}
	batchCtx := httpx.WithCost(ctx, len(parts))
	if !writes {
		batchCtx = httpx.Idempotent(batchCtx)
	}
	req, err := c.batchRequest(batchCtx, api, parts)
	if err != nil {
		return fail(fault.Errorf(fault.Bug, Side, "batch", "%s: %w", what, err))
	}
	resp, err := c.HTTP.Do(req)
	if err != nil {
		return fail(c.Classify(what, err, writes))
	}
	defer resp.Body.Close()
	if err := googleapi.CheckResponse(resp); err != nil {
		if c.refusesBatch(err) {
			return c.singly(ctx, what, parts)
		}
		return fail(c.Classify(what, err, writes))
	}
	if err := c.readReplies(resp, what, parts, replies); err != nil {
		f := fault.Errorf(fault.Retry, Side, "malformed-reply", "%s: %w", what, httpx.Redact(err))
		f.Ambiguous = writes
		return fail(f)
	}
	for i, p := range parts {
		if replies[i].Err == nil && replies[i].Body == nil {
			f := fault.New(fault.Retry, Side, "unanswered", errors.New(what+": the reply lacks a part"))
			f.Ambiguous = p.writes()
			replies[i].Err = f
		}
	}
	return replies, nil
}

// batchRequest is a multipart request whose parts are requests themselves.
func (c *Client) batchRequest(ctx context.Context, api string, parts []Part) (*http.Request, error) {
	var body bytes.Buffer
	w := multipart.NewWriter(&body)
	for i, p := range parts {
		head := textproto.MIMEHeader{"Content-Type": {"application/http"}, "Content-Id": {"<" + contentID(i) + ">"}}
		part, err := w.CreatePart(head)
		if err != nil {
			return nil, err
		}
		if err := writePart(part, p); err != nil {
			return nil, fmt.Errorf("part %d: %w", i+1, err)
		}
	}
	if err := w.Close(); err != nil {
		return nil, err
	}
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, c.host()+"/batch/"+api, bytes.NewReader(body.Bytes()))
	if err != nil {
		return nil, err
	}
	req.Header.Set("Content-Type", "multipart/mixed; boundary="+w.Boundary())
	return req, nil
}

// host is where the service is.
func (c *Client) host() string {
	if c.Endpoint != "" {
		return strings.TrimSuffix(c.Endpoint, "/")
	}
	return googleHost
}

func writePart(w io.Writer, p Part) error {
	if !strings.HasPrefix(p.Path, "/") || strings.ContainsAny(p.Path, " \r\n") {
		return errors.New("no path on the host")
	}
	var content []byte
	header := p.Header.Clone()
	if header == nil {
		header = http.Header{}
	}
	if p.Body != nil {
		var err error
		if content, err = json.Marshal(p.Body); err != nil {
			return err
		}
		header.Set("Content-Type", "application/json")
		header.Set("Content-Length", strconv.Itoa(len(content)))
	}
	var b bytes.Buffer
	fmt.Fprintf(&b, "%s %s HTTP/1.1\r\n", p.Method, p.Path)
	if err := header.Write(&b); err != nil {
		return err
	}
	b.WriteString("\r\n")
	b.Write(content)
	_, err := w.Write(b.Bytes())
	return err
}

// contentID is the id of a part; the reply to it has the same with "response-" in front.
func contentID(i int) string { return contentPrefix + strconv.Itoa(i) }

const contentPrefix = "part-"

// readReplies matches the replies to the parts by their ids.
func (c *Client) readReplies(resp *http.Response, what string, parts []Part, replies []PartReply) error {
	kind, params, err := mime.ParseMediaType(resp.Header.Get("Content-Type"))
	if err != nil || !strings.HasPrefix(kind, "multipart/") {
		return errors.New("the reply is no multipart document")
	}
	r := multipart.NewReader(io.LimitReader(resp.Body, maxBatchReply), params["boundary"])
	for {
		part, err := r.NextRawPart()
		if err == io.EOF {
			return nil
		}
		if err != nil {
			return err
		}
		id := strings.TrimPrefix(strings.TrimPrefix(strings.Trim(part.Header.Get("Content-Id"), "<>"), "response-"), contentPrefix)
		i, err := strconv.Atoi(id)
		if err != nil || i < 0 || i >= len(parts) {
			continue
		}
		if replies[i], err = c.readReply(part, what, parts[i]); err != nil {
			return err
		}
	}
}

func (c *Client) readReply(part io.Reader, what string, p Part) (PartReply, error) {
	resp, err := http.ReadResponse(bufio.NewReader(part), &http.Request{Method: p.Method})
	if err != nil {
		return PartReply{}, err
	}
	defer resp.Body.Close()
	if err := googleapi.CheckResponse(resp); err != nil {
		return PartReply{Err: c.Classify(what, err, p.writes())}, nil
	}
	body, err := io.ReadAll(resp.Body)
	if body == nil {
		body = []byte{}
	}
	return PartReply{Body: body}, err
}
