// Package odata is a client for OData 4 over HTTP: queries, literals, paging, $batch and errors. It knows no entities. It is
// made for the dialect of Creatio, as documented at academy.creatio.com (Development, Integrations and API, OData), and
// otherwise follows OASIS OData 4.0: Protocol, URL Conventions and JSON Format.
//
// Its invariants:
//
//   - Text gets into a URL only as an escaped literal, and an invalid literal makes its query fail before it is sent.
//   - Every failure is a *fault.Error. It quotes the service only for the log: shortened, and without stack traces and
//     values of the database.
//   - A reply that is not from the service, such as a login page, is always an error.
//
// The transport of the HTTP client adds the authorization.
package odata

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"net/url"
	"strings"
	"sync/atomic"
	"time"

	"github.com/tandem-sync/tandem/shared/fault"
	"github.com/tandem-sync/tandem/shared/httpx"
)

// Options are the settings of a client.
type Options struct {
	// HTTP sends the requests, with authorization; default a client of httpx. Its CheckRedirect is ignored: redirects are
	// not followed.
	HTTP *http.Client
	// Root is the service root, such as "https://acme.example.com/0/odata".
	Root string
	// Side names the side in errors; default "creatio".
	Side string
	// Logger logs refused requests at debug level; default none.
	Logger *slog.Logger
}

// Client is a client of one service root. It is safe for concurrent use.
type Client struct {
	http  *http.Client
	root  string
	side  string
	log   *slog.Logger
	clock atomic.Pointer[time.Time]
}

// New makes a client.
func New(o Options) *Client {
	c := &Client{root: strings.TrimRight(o.Root, "/"), side: o.Side, log: o.Logger}
	if c.side == "" {
		c.side = "creatio"
	}
	if c.log == nil {
		c.log = slog.New(slog.DiscardHandler)
	}
	base := o.HTTP
	if base == nil {
		base = httpx.NewClient(httpx.Options{Side: c.side})
	}
	own := *base
	own.CheckRedirect = httpx.NoRedirect
	c.http = &own
	return c
}

// Clock returns the service's time according to its last reply; zero before the first one.
func (c *Client) Clock() time.Time {
	if t := c.clock.Load(); t != nil {
		return *t
	}
	return time.Time{}
}

// Page is one reply to a query.
type Page struct {
	Rows []Row
	// Count is the number of rows without Top and Skip if the query asked for it, else -1.
	Count int64
	// NextLink is set if the service split the reply. All follows it.
	NextLink string
	// Date is the service's clock when it answered.
	Date time.Time
}

// Get reads one page. If a row lacks a selected property, that is an error: an absent value must not look like an empty
// one.
func (c *Client) Get(ctx context.Context, q Query) (Page, error) {
	if err := q.check(); err != nil {
		return Page{}, c.bug("list "+q.Set, err)
	}
	if q.Filter.kind == matchesNothing {
		return Page{Date: c.Clock()}, nil
	}
	return c.page(ctx, q, q.Path())
}

func (c *Client) page(ctx context.Context, q Query, path string) (Page, error) {
	op := "list " + q.Set
	a, err := c.read(ctx, request{op: op, method: http.MethodGet, path: path, target: listTarget})
	if err != nil {
		return Page{}, err
	}
	p, err := decodePage(a.body, q.Top)
	if err != nil {
		return Page{}, c.unreadable(op, a, false, err)
	}
	p.Date = a.date
	if err := checkRows(p.Rows, q.Select); err != nil {
		return Page{}, c.fail(op, fault.New(fault.Misconfigured, c.side, "missing-column", err))
	}
	return p, nil
}

// Entity reads the named properties of a record, or all of them. If it does not exist, the error is fault.Gone.
func (c *Client) Entity(ctx context.Context, set, id string, sel ...string) (Row, error) {
	op := "read " + set
	key, err := entityPath(set, id)
	if err != nil {
		return nil, c.bug(op, err)
	}
	q := Query{Set: set, Select: sel}
	if err := q.check(); err != nil {
		return nil, c.bug(op, err)
	}
	a, err := c.read(ctx, request{op: op, method: http.MethodGet, path: key + q.options(), target: entityTarget})
	if err != nil {
		return nil, err
	}
	// The reply for a null entity may be a 204 (OData 4.0 Protocol, section 11.2.2).
	if len(a.body) == 0 {
		return nil, c.fail(op, fault.Errorf(fault.Gone, c.side, "not-found", "empty reply"))
	}
	row, err := decodeRow(a.body)
	if err != nil {
		return nil, c.unreadable(op, a, false, err)
	}
	if err := checkRows([]Row{row}, sel); err != nil {
		return nil, c.fail(op, fault.New(fault.Misconfigured, c.side, "missing-column", err))
	}
	return row, nil
}

// Count is the number of records that match the filter.
func (c *Client) Count(ctx context.Context, set string, f Filter) (int64, error) {
	op := "count " + set
	q := Query{Set: set, Filter: f, Count: true}
	if err := q.check(); err != nil {
		return 0, c.bug(op, err)
	}
	if f.kind == matchesNothing {
		return 0, nil
	}
	// $top=0 keeps the answer in JSON, where an error page cannot be mistaken for it.
	a, err := c.read(ctx, request{op: op, method: http.MethodGet, path: q.Path() + "&$top=0", target: listTarget})
	if err != nil {
		return 0, err
	}
	p, err := decodePage(a.body, 1)
	if err == nil && p.Count < 0 {
		err = errors.New("no @odata.count in the reply")
	}
	if err != nil {
		return 0, c.unreadable(op, a, false, err)
	}
	return p.Count, nil
}

// Insert creates a record and returns it as the service stored it. If body has an Id, the record gets that Id, and a second
// Insert with the same Id fails with the code "duplicate".
func (c *Client) Insert(ctx context.Context, set string, body Values) (Row, error) {
	op := "insert " + set
	if !isName(set) {
		return nil, c.bug(op, fmt.Errorf("%q is no entity set", set))
	}
	a, err := c.write(ctx, op, http.MethodPost, set, listTarget, body)
	if err != nil {
		return nil, err
	}
	if len(a.body) == 0 {
		return Row{}, nil
	}
	row, err := decodeRow(a.body)
	if err != nil {
		return nil, c.unreadable(op, a, true, err)
	}
	return row, nil
}

// Update changes the named properties of a record.
func (c *Client) Update(ctx context.Context, set, id string, body Values) error {
	op := "update " + set
	path, err := entityPath(set, id)
	if err != nil {
		return c.bug(op, err)
	}
	_, err = c.write(ctx, op, http.MethodPatch, path, entityTarget, body)
	return err
}

// Delete removes a record. If it does not exist, the error is fault.Gone.
func (c *Client) Delete(ctx context.Context, set, id string) error {
	op := "delete " + set
	path, err := entityPath(set, id)
	if err != nil {
		return c.bug(op, err)
	}
	_, err = c.do(ctx, request{op: op, method: http.MethodDelete, path: path, target: entityTarget})
	return err
}

// PutStream stores a binary property, such as "SysImage(id)/Data" (Creatio's OData examples, "Add data to a field of type
// Image").
func (c *Client) PutStream(ctx context.Context, path, contentType string, data []byte) error {
	_, err := c.do(ctx, request{
		op: "store " + setOf(path), method: http.MethodPut, path: path, target: entityTarget, body: data, contentType: contentType,
	})
	return err
}

// Stream reads a binary property, such as "SysImage(id)/Data", to its end or to one byte beyond the limit. If the property
// is empty, it returns nothing.
func (c *Client) Stream(ctx context.Context, path string, limit int64) ([]byte, error) {
	a, err := c.do(ctx, request{
		op: "read " + setOf(path), method: http.MethodGet, path: path, target: entityTarget, accept: streamAccept, limit: limit,
	})
	return a.body, err
}

func (c *Client) write(ctx context.Context, op, method, path string, to target, body Values) (answer, error) {
	content, err := encode(body)
	if err != nil {
		return answer{}, c.bug(op, err)
	}
	return c.do(ctx, request{op: op, method: method, path: path, target: to, body: content, contentType: jsonType})
}

// target is the kind of resource that a request names. The meaning of a 404 depends on it.
type target int

const (
	listTarget target = iota
	entityTarget
	serviceTarget
)

type request struct {
	op, method, path string
	target           target
	body             []byte
	contentType      string
	accept           string
	prefer           string
	// readOnly says that the request changes nothing although its method could.
	readOnly bool
	// limit, if not zero, says that the reply is binary and read to one byte beyond the limit.
	limit int64
}

// answer is a successful reply, read to its end.
type answer struct {
	status int
	header http.Header
	body   []byte
	date   time.Time
}

const (
	jsonAccept = "application/json"
	// streamAccept includes JSON, the form of errors.
	streamAccept = "application/octet-stream, application/json;q=0.5"
	// jsonType is what Creatio's documentation requires. With IEEE754Compatible, 64-bit integers and decimals are sent as text
	// (OData JSON Format 4.0, section 3.2).
	jsonType = "application/json; charset=utf-8; IEEE754Compatible=true"
	// maxPath keeps a URL within the default limit of IIS: 2,048 characters of query.
	maxPath = 1900
)

// read sends a request that changes nothing. If it is too long for a URL, it is sent in a $batch.
func (c *Client) read(ctx context.Context, r request) (answer, error) {
	if len(r.path) <= maxPath {
		return c.do(ctx, r)
	}
	replies, err := c.Batch(ctx, []Part{{Method: http.MethodGet, Path: r.path}})
	if err != nil {
		return answer{}, err
	}
	if replies[0].Err != nil {
		return answer{}, replies[0].Err
	}
	return answer{status: replies[0].Status, body: replies[0].Body, date: c.Clock()}, nil
}

// do sends one request and classifies a failure.
func (c *Client) do(ctx context.Context, r request) (answer, error) {
	// Creatio reports wrong data and wrong queries with 500. A retry would not help.
	ctx = httpx.FinalStatus(ctx, http.StatusInternalServerError)
	req, err := c.request(ctx, r)
	if err != nil {
		return answer{}, c.bug(r.op, err)
	}
	resp, err := c.http.Do(req)
	if err != nil {
		return answer{}, c.fail(r.op, c.transportFault(r, err))
	}
	defer func() { _ = resp.Body.Close() }()
	a := answer{status: resp.StatusCode, header: resp.Header}
	if date, err := http.ParseTime(resp.Header.Get("Date")); err == nil {
		date = date.UTC()
		a.date = date
		c.clock.Store(&date)
	}
	content := io.Reader(&bounded{from: resp.Body, left: limitOf(ctx)})
	if r.limit > 0 {
		content = io.LimitReader(resp.Body, r.limit+1)
	}
	body, err := io.ReadAll(content)
	if errors.Is(err, errTooLarge) {
		f := fault.New(fault.Misconfigured, c.side, "reply-too-large", err)
		f.Ambiguous = r.writes()
		return answer{}, c.fail(r.op, f)
	}
	if err != nil {
		return answer{}, c.fail(r.op, c.transportFault(r, err))
	}
	if a.body = body; r.limit == 0 || a.status >= http.StatusMultipleChoices {
		a.body = trim(body)
	}
	if f := c.classify(r, a); f != nil {
		c.log.LogAttrs(ctx, slog.LevelDebug, "request refused",
			slog.String("op", r.op), slog.Int("status", a.status), slog.String("kind", f.Kind.String()), slog.String("code", f.Code))
		return answer{}, c.fail(r.op, f)
	}
	return a, nil
}

func (c *Client) request(ctx context.Context, r request) (*http.Request, error) {
	var body io.Reader
	if r.body != nil {
		body = strings.NewReader(string(r.body))
	}
	req, err := http.NewRequestWithContext(ctx, r.method, c.root+"/"+r.path, body)
	if err != nil {
		// The error quotes the URL, which may contain users' data.
		return nil, errors.New("invalid address")
	}
	req.Header.Set("Accept", jsonAccept)
	if r.accept != "" {
		req.Header.Set("Accept", r.accept)
	}
	if r.contentType != "" {
		req.Header.Set("Content-Type", r.contentType)
	}
	if r.prefer != "" {
		req.Header.Set("Prefer", r.prefer)
	}
	// Without it an expired session is answered by a redirect to the login page (Creatio, "Authentication basics").
	req.Header.Set("ForceUseSession", "true")
	return req, nil
}

// transportFault returns the fault of the transport below, or makes one, without the URL that http.Client adds.
func (c *Client) transportFault(r request, err error) *fault.Error {
	if f, ok := errors.AsType[*fault.Error](err); ok {
		return f
	}
	if u, ok := errors.AsType[*url.Error](err); ok {
		err = u.Err
	}
	f := fault.New(fault.Retry, c.side, "unreachable", err)
	f.Ambiguous = r.writes()
	return f
}

func (r request) writes() bool { return r.method != http.MethodGet && !r.readOnly }

func (c *Client) fail(op string, f *fault.Error) error { return fmt.Errorf("%s: %w", op, f) }

// bug is the error of an invalid request that was not sent.
func (c *Client) bug(op string, err error) error {
	return c.fail(op, fault.New(fault.Bug, c.side, "invalid-request", err))
}

// unreadable is the error of a successful reply that violates the protocol. The record may have been written.
func (c *Client) unreadable(op string, a answer, written bool, err error) error {
	if errors.Is(err, errTooManyRows) {
		return c.fail(op, fault.New(fault.Misconfigured, c.side, "too-many-rows", err))
	}
	f := fault.Errorf(fault.Retry, c.side, "unreadable-reply", "status %d, %d bytes: %w", a.status, len(a.body), err)
	f.Ambiguous = written
	return c.fail(op, f)
}
