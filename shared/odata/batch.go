package odata

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"strconv"
	"strings"

	"github.com/tandem-sync/tandem/shared/fault"
	"github.com/tandem-sync/tandem/shared/httpx"
)

// maxParts is the largest number of requests in a batch (Creatio, "Batch request examples").
const maxParts = 100

// Part is one request of a batch.
type Part struct {
	Method string
	// Path is relative to the service root: Query.Path, EntityPath, or the name of a set.
	Path string
	// Body are Values, or nil.
	Body any
	// Group names an atomicity group: either all of its parts take effect or none. Its parts have to be adjacent.
	Group string
	// Top is how many rows the path asks for at most; 0 for any number.
	Top int
}

// Reply is the reply to one part. Status is 0 if there was none.
type Reply struct {
	Status int
	// Body is the reply's body as it was sent.
	Body json.RawMessage
	// Row is the record of a reply that holds one.
	Row Row
	// Rows, Count and NextLink are those of a list. A NextLink means that Rows is incomplete.
	Rows     []Row
	Count    int64
	NextLink string
	// Err is the part's own fault, nil if the part succeeded.
	Err error
}

// Batch sends the parts in as few requests as possible and returns one reply per part, in their order. A part that fails
// does not stop the others. The returned error is that of a whole request. Then the replies of its parts, and of parts
// that were not sent because of it, have an error too.
func (c *Client) Batch(ctx context.Context, parts []Part) ([]Reply, error) {
	replies := make([]Reply, len(parts))
	chunks, err := split(parts)
	if err != nil {
		return nil, c.bug("batch", err)
	}
	encoded, err := encodeParts(parts)
	if err != nil {
		return nil, c.bug("batch", err)
	}
	for n, chunk := range chunks {
		if err := c.send(ctx, parts, encoded, replies, chunk); err != nil {
			for _, unsent := range chunks[n+1:] {
				for i := unsent.from; i < unsent.to; i++ {
					replies[i].Err = fault.New(fault.Retry, c.side, "not-sent", errors.New("an earlier request of the batch failed"))
				}
			}
			return replies, err
		}
	}
	return replies, nil
}

// span is a range of parts; to is exclusive.
type span struct{ from, to int }

// split divides the parts into spans that fit into a request. It does not divide a group.
func split(parts []Part) ([]span, error) {
	var units []span
	closed := map[string]bool{}
	for i := 0; i < len(parts); {
		unit := span{i, i + 1}
		if group := parts[i].Group; group != "" {
			if closed[group] {
				return nil, fmt.Errorf("the parts of group %q are not adjacent", group)
			}
			closed[group] = true
			for unit.to < len(parts) && parts[unit.to].Group == group {
				unit.to++
			}
			if unit.to-unit.from > maxParts {
				return nil, fmt.Errorf("group %q has more than %d parts", group, maxParts)
			}
		}
		units = append(units, unit)
		i = unit.to
	}
	var chunks []span
	for _, unit := range units {
		if n := len(chunks) - 1; n >= 0 && unit.to-chunks[n].from <= maxParts {
			chunks[n].to = unit.to
			continue
		}
		chunks = append(chunks, unit)
	}
	return chunks, nil
}

// wirePart is a request of a JSON batch (OData JSON Format 4.01, section 19.1, which Creatio accepts since 7.16.1).
type wirePart struct {
	ID      string            `json:"id"`
	Group   string            `json:"atomicityGroup,omitempty"`
	Method  string            `json:"method"`
	URL     string            `json:"url"`
	Headers map[string]string `json:"headers"`
	Body    json.RawMessage   `json:"body,omitempty"`
}

func encodeParts(parts []Part) ([]wirePart, error) {
	out := make([]wirePart, len(parts))
	for i, p := range parts {
		if !isName(setOf(p.Path)) || strings.ContainsAny(p.Path, " \r\n#") {
			return nil, fmt.Errorf("part %d: no path under the service root", i+1)
		}
		w := wirePart{
			ID: strconv.Itoa(i + 1), Group: p.Group, Method: p.Method, URL: p.Path,
			Headers: map[string]string{"Accept": jsonAccept, "Content-Type": jsonType},
		}
		if p.Body != nil {
			values, ok := p.Body.(Values)
			if !ok {
				return nil, fmt.Errorf("part %d: a body of type %T", i+1, p.Body)
			}
			body, err := encode(values)
			if err != nil {
				return nil, fmt.Errorf("part %d: %w", i+1, err)
			}
			w.Body = body
		}
		out[i] = w
	}
	return out, nil
}

// send sends the parts of one span and fills in their replies.
func (c *Client) send(ctx context.Context, parts []Part, encoded []wirePart, replies []Reply, s span) error {
	body, err := json.Marshal(map[string]any{"requests": encoded[s.from:s.to]})
	if err != nil {
		return c.bug("batch", err)
	}
	r := request{
		op: "batch", method: http.MethodPost, path: "$batch", target: serviceTarget,
		body: body, contentType: jsonType, prefer: "continue-on-error",
	}
	if !anyWrites(parts[s.from:s.to]) {
		ctx, r.readOnly = httpx.Idempotent(ctx), true
	}
	a, err := c.do(ctx, r)
	if err == nil {
		err = c.distribute(a, parts, replies, s)
	}
	if err != nil {
		for i := s.from; i < s.to; i++ {
			replies[i].Err = partFault(err, parts[i])
		}
	}
	return err
}

// distribute matches the replies to the parts by id and classifies each one.
func (c *Client) distribute(a answer, parts []Part, replies []Reply, s span) error {
	if err := c.readParts(a, parts, replies, s); err != nil {
		f := fault.New(fault.Retry, c.side, "unreadable-reply", errNotOData)
		f.Ambiguous = anyWrites(parts[s.from:s.to])
		return c.fail("batch", f)
	}
	for i := s.from; i < s.to; i++ {
		if replies[i].Status == 0 {
			replies[i].Err = c.unanswered(parts, replies, i)
		}
	}
	c.failGroups(parts, replies, s)
	return nil
}

// readParts reads the replies that a reply to a batch has.
func (c *Client) readParts(a answer, parts []Part, replies []Reply, s span) error {
	if !json.Valid(a.body) {
		return errNotOData
	}
	n, listed := names{}, false
	read := func(response json.RawMessage) error {
		var id, status, headers, body json.RawMessage
		into := map[string]*json.RawMessage{"id": &id, "status": &status, "headers": &headers, "body": &body}
		err := n.eachMember(response, func(name string, value json.RawMessage) error {
			if to := into[name]; to != nil {
				*to = value
			}
			return nil
		})
		if err != nil {
			return err
		}
		number, err := strconv.Atoi(strings.Trim(string(id), `"`))
		if i := number - 1; err == nil && i >= s.from && i < s.to && replies[i].Status == 0 {
			part := answer{header: headerOf(headers), body: content(body), date: a.date}
			if part.status, err = strconv.Atoi(string(status)); err != nil {
				return errNotOData
			}
			replies[i] = c.partReply(parts[i], i, part)
		}
		return nil
	}
	err := n.eachMember(a.body, func(name string, value json.RawMessage) error {
		if name != "responses" {
			return nil
		}
		listed = true
		return eachElement(value, read)
	})
	if err == nil && !listed {
		err = errNotOData
	}
	return err
}

// headerOf are the headers of a part. Names may be in lower case.
func headerOf(raw json.RawMessage) http.Header {
	var values map[string]any
	if len(raw) > maxHead || json.Unmarshal(raw, &values) != nil {
		return http.Header{}
	}
	h := http.Header{}
	for name, value := range values {
		h.Set(name, fmt.Sprint(value))
	}
	return h
}

// partReply makes the reply of a part that was answered.
func (c *Client) partReply(p Part, i int, a answer) Reply {
	r := Reply{Status: a.status, Body: a.body, Count: -1}
	req := request{op: fmt.Sprintf("batch part %d, %s %s", i+1, p.Method, setOf(p.Path)), method: p.Method, path: p.Path}
	if names, _, _ := strings.Cut(p.Path, "?"); strings.Contains(names, "(") {
		req.target = entityTarget
	}
	if f := c.classify(req, a); f != nil {
		r.Err = c.fail(req.op, f)
		return r
	}
	if len(a.body) == 0 {
		if p.Method == http.MethodGet {
			r.Err = c.fail(req.op, fault.Errorf(fault.Gone, c.side, "not-found", "empty answer"))
		}
		return r
	}
	var err error
	if p.Method == http.MethodGet && req.target == listTarget {
		var page Page
		if page, err = decodePage(a.body, p.Top); err == nil {
			r.Rows, r.Count, r.NextLink = page.Rows, page.Count, page.NextLink
		}
	} else {
		r.Row, err = decodeRow(a.body)
	}
	if errors.Is(err, errTooManyRows) {
		r.Rows, r.Err = nil, c.fail(req.op, fault.New(fault.Misconfigured, c.side, "too-many-rows", err))
		return r
	}
	if err != nil {
		f := fault.New(fault.Retry, c.side, "unreadable-reply", errNotOData)
		f.Ambiguous = p.Method != http.MethodGet
		r.Err = c.fail(req.op, f)
	}
	return r
}

// unanswered is the fault of a part without a reply. If a part of its group failed, that reply stands for the whole group
// (OData 4.01 Protocol, section 11.7.4); else the result is ambiguous.
func (c *Client) unanswered(parts []Part, replies []Reply, i int) error {
	for j := range parts {
		if parts[i].Group != "" && parts[j].Group == parts[i].Group && replies[j].Status != 0 && replies[j].Err != nil {
			kind, code := fault.Retry, "group-failed"
			if f, ok := errors.AsType[*fault.Error](replies[j].Err); ok {
				kind = f.Kind
			}
			return fault.Errorf(kind, c.side, code, "batch part %d of its group: %w", j+1, replies[j].Err)
		}
	}
	f := fault.New(fault.Retry, c.side, "no-answer", errNoAnswer)
	f.Ambiguous = parts[i].Method != http.MethodGet
	return f
}

// failGroups turns the success of a part into an ambiguous failure if its group failed: the service should have undone the
// part, but does not say so.
func (c *Client) failGroups(parts []Part, replies []Reply, s span) {
	failed := map[string]error{}
	for i := s.from; i < s.to; i++ {
		if g := parts[i].Group; g != "" && replies[i].Err != nil && failed[g] == nil {
			failed[g] = replies[i].Err
		}
	}
	for i := s.from; i < s.to; i++ {
		if cause := failed[parts[i].Group]; cause != nil && replies[i].Err == nil {
			f := fault.New(fault.Retry, c.side, "group-failed", cause)
			f.Ambiguous = parts[i].Method != http.MethodGet
			replies[i].Err = f
		}
	}
}

// partFault is the fault of a whole request for one part. A part that only reads is not ambiguous.
func partFault(err error, p Part) error {
	f, ok := errors.AsType[*fault.Error](err)
	if !ok || !f.Ambiguous || p.Method != http.MethodGet {
		return err
	}
	own := *f
	own.Ambiguous = false
	return &own
}

func anyWrites(parts []Part) bool {
	for _, p := range parts {
		if p.Method != http.MethodGet {
			return true
		}
	}
	return false
}

// content is the body of a part's reply: JSON as it is, anything else decoded from the JSON text that contains it.
func content(body json.RawMessage) []byte {
	var text string
	switch {
	case len(body) == 0 || string(body) == "null":
		return nil
	case json.Unmarshal(body, &text) == nil:
		return []byte(text)
	}
	return body
}
