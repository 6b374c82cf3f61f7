package worldtest

import (
	"bufio"
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"hash/fnv"
	"io"
	"mime"
	"mime/multipart"
	"net/http"
	"net/http/httptest"
	"regexp"
	"slices"
	"strings"
	"time"

	"github.com/tandem-sync/tandem/shared/record"
)

// request is one that a service answered, alone or as a part of a batch.
type request struct {
	at             time.Time
	side           record.Side
	process        string
	method, path   string
	status         int
	parts          int
	write, refused bool
	says           string
}

func (r request) String() string {
	return fmt.Sprintf("%s %s: %s %s -> %d (%d parts) %s", r.process, r.side, r.method, r.path, r.status, r.parts, r.says)
}

// wire carries the requests of a process to a service: as the bytes that they are, in a time of their own, and with
// whatever the script has happen to them.
type wire struct {
	p    *process
	side record.Side
}

var (
	errLost = errors.New("the connection was lost")
	errDead = errors.New("the process has died")
)

func (x *wire) RoundTrip(req *http.Request) (*http.Response, error) {
	p := x.p
	at := p.place(string(x.side))
	if err := x.pass(req, at, "there"); err != nil {
		return nil, err
	}
	happens := p.happens(at)
	sent := written(req)
	if sent != "" {
		if nth := p.place(string(x.side) + writes); happens == "" {
			happens = p.happens(nth)
		}
	}
	if err := p.before(req.Context(), at, happens); err != nil {
		return nil, err
	}
	p.drag(req.Context(), x.side)
	if err := req.Context().Err(); err != nil {
		return nil, err
	}
	if r := x.instead(req, happens); r != nil {
		return r, nil
	}
	resp, err := x.deliver(req)
	if err != nil {
		return nil, err
	}
	if sent != "" && happens.unheard() {
		p.w.mu.Lock()
		p.unheard = true
		p.w.mu.Unlock()
		p.w.folk.unheard(x.side, req.URL.Path+sent)
	}
	if err := p.after(req.Context(), at, happens); err != nil {
		return nil, err
	}
	if happens == brokenAfter {
		return x.answer(req, http.StatusServiceUnavailable, ""), nil
	}
	if happens == late {
		// Longer than an attempt may take.
		time.Sleep(31 * time.Second)
	}
	if err := x.pass(req, at, "back"); err != nil {
		return nil, err
	}
	return resp, nil
}

// writes is in the name of places that count the writes to a side alone.
const writes = " write"

// written is what a request writes; empty where it only asks.
func written(req *http.Request) string {
	to := func(part string) bool { return strings.Contains(req.URL.Path, part) }
	if req.GetBody == nil || req.Method == http.MethodGet || !to("/v1/") && !to("/odata/") && !to("/$batch") && !to(calendarPath) {
		return ""
	}
	body, err := req.GetBody()
	if err != nil {
		return ""
	}
	sent, err := io.ReadAll(body)
	if err != nil || to("/$batch") && !writesRows.Match(sent) || to(calendarBatch) && !writesEvents.Match(sent) {
		return ""
	}
	return string(sent)
}

// What of a batch writes.
var (
	writesRows   = regexp.MustCompile(`"(POST|PATCH|DELETE)"`)
	writesEvents = regexp.MustCompile(`(?m)^(POST|PATCH|PUT|DELETE) /`)
)

// The paths of requests to the calendar, and of batches of them.
const (
	calendarPath  = "/calendar/v3"
	calendarBatch = "/batch/calendar/v3"
)

// pass takes the time of the way. No two ways take the same, so that what happens at once always happens in one order.
func (x *wire) pass(req *http.Request, at place, way string) error {
	h := fnv.New64a()
	fmt.Fprintf(h, "%d %s %s %d %s", x.p.w.seed, x.p.name, at.side, at.n, way)
	timer := time.NewTimer(10*time.Millisecond + time.Duration(h.Sum64()%50_000_000))
	defer timer.Stop()
	select {
	case <-timer.C:
	case <-req.Context().Done():
		return req.Context().Err()
	}
	return x.p.gate(string(x.side))
}

// instead is an answer that does not come from the service.
func (x *wire) instead(req *http.Request, happens mishap) *http.Response {
	switch happens {
	case busy:
		return x.answer(req, http.StatusTooManyRequests, "2")
	case busyLong:
		return x.answer(req, http.StatusTooManyRequests, "600")
	case broken:
		return x.answer(req, http.StatusServiceUnavailable, "")
	case brokenBadly:
		return x.answer(req, http.StatusInternalServerError, "")
	}
	return nil
}

func (x *wire) answer(req *http.Request, status int, after string) *http.Response {
	body := `{"error":{"code":` + fmt.Sprint(status) + `,"message":"simulated"}}`
	r := &http.Response{
		StatusCode: status, Proto: "HTTP/1.1", ProtoMajor: 1, ProtoMinor: 1, Header: http.Header{"Content-Type": {"application/json"}},
		Body: io.NopCloser(strings.NewReader(body)), ContentLength: int64(len(body)), Request: req,
	}
	r.Header.Set("Date", time.Now().UTC().Format(http.TimeFormat))
	if after != "" {
		r.Header.Set("Retry-After", after)
	}
	return r
}

// deliver has the service answer.
func (x *wire) deliver(req *http.Request) (*http.Response, error) {
	var sent bytes.Buffer
	if err := req.Write(&sent); err != nil {
		return nil, err
	}
	got, err := http.ReadRequest(bufio.NewReader(&sent))
	if err != nil {
		return nil, err
	}
	content, err := io.ReadAll(got.Body)
	if err != nil {
		return nil, err
	}
	got.Body = io.NopCloser(bytes.NewReader(content))
	rec := httptest.NewRecorder()
	x.p.w.services[x.side].ServeHTTP(rec, got)
	var back bytes.Buffer
	if err := rec.Result().Write(&back); err != nil {
		return nil, err
	}
	x.p.w.note(x.p, x.side, got, content, rec)
	return http.ReadResponse(bufio.NewReader(&back), req)
}

// note writes down what a service was asked and what it refused.
func (w *world) note(p *process, side record.Side, r *http.Request, sent []byte, rec *httptest.ResponseRecorder) {
	q := request{at: time.Now(), side: side, process: p.name, method: r.Method, path: r.URL.Path, status: rec.Code, refused: rec.Code >= 400}
	if q.refused {
		q.says = rec.Body.String()
	}
	if side == record.Google {
		q.write = r.Method != http.MethodGet && (strings.HasPrefix(r.URL.Path, "/v1/") || strings.HasPrefix(r.URL.Path, calendarPath))
	}
	list := []request{q}
	if r.URL.Path == calendarBatch {
		list = append(list, eventsOf(q, r, sent, rec)...)
		list[0].parts = len(list) - 1
		list[0].write = slices.ContainsFunc(list[1:], func(r request) bool { return r.write })
	} else if strings.HasSuffix(r.URL.Path, "/$batch") {
		list = append(list, partsOf(q, sent, rec.Body.Bytes())...)
		list[0].parts = len(list) - 1
		list[0].write = slices.ContainsFunc(list[1:], func(r request) bool { return r.write })
	} else if strings.Contains(r.URL.Path, "/odata/") {
		list[0].write = r.Method != http.MethodGet
	}
	w.mu.Lock()
	defer w.mu.Unlock()
	if list[0].write && p.leased && !q.at.Before(p.until) {
		w.t.Errorf("%s writes %s after its lease has ended: %s", p.name, q.at.Sub(p.until), list[0])
	}
	w.requests = append(w.requests, list...)
}

// partsOf are the parts of a batch with their answers.
func partsOf(of request, sent, answered []byte) []request {
	var in struct {
		Requests []struct{ ID, Method, URL string }
	}
	var out struct {
		Responses []struct {
			ID     string
			Status int
			Body   json.RawMessage
		}
	}
	_ = json.Unmarshal(sent, &in) // what cannot be read has no parts
	_ = json.Unmarshal(answered, &out)
	var parts []request
	for _, r := range in.Requests {
		q := of
		q.method, q.path, q.says, q.refused, q.write = r.Method, "part "+r.URL, "", false, r.Method != http.MethodGet
		for _, a := range out.Responses {
			if a.ID == r.ID {
				if q.status = a.Status; a.Status >= 400 {
					q.refused, q.says = true, string(a.Body)
				}
			}
		}
		parts = append(parts, q)
	}
	return parts
}

// eventsOf are the parts of a batch to the calendar with their answers.
func eventsOf(of request, r *http.Request, sent []byte, rec *httptest.ResponseRecorder) []request {
	var parts []request
	asked, answered := mixed(r.Header, sent), mixed(rec.Header(), rec.Body.Bytes())
	for i, raw := range asked {
		in, err := http.ReadRequest(bufio.NewReader(bytes.NewReader(raw)))
		if err != nil {
			continue // what cannot be read has no parts
		}
		q := of
		q.method, q.path, q.says, q.refused, q.write = in.Method, "part "+in.URL.RequestURI(), "", false, in.Method != http.MethodGet
		if i < len(answered) {
			if a, err := http.ReadResponse(bufio.NewReader(bytes.NewReader(answered[i])), in); err == nil {
				if q.status = a.StatusCode; q.status >= 400 {
					says, _ := io.ReadAll(a.Body)
					q.refused, q.says = true, string(says)
				}
				_ = a.Body.Close()
			}
		}
		parts = append(parts, q)
	}
	return parts
}

// mixed are the parts of a body.
func mixed(header http.Header, body []byte) (parts [][]byte) {
	_, params, err := mime.ParseMediaType(header.Get("Content-Type"))
	if err != nil {
		return nil
	}
	for r := multipart.NewReader(bytes.NewReader(body), params["boundary"]); ; {
		part, err := r.NextRawPart()
		if err != nil {
			return parts
		}
		raw, _ := io.ReadAll(part)
		parts = append(parts, raw)
	}
}

// expected reports whether a service may refuse that where people edit and requests are lost.
func (r request) expected() bool {
	says := func(words ...string) bool {
		return slices.ContainsFunc(words, func(w string) bool { return strings.Contains(r.says, w) })
	}
	switch {
	case r.status == http.StatusUnauthorized, strings.HasSuffix(r.path, "/.well-known/openid-configuration"), says("invalid_grant"):
		return true
	case strings.Contains(r.path, calendarPath):
		return r.refusedEvent()
	case r.photo():
		return r.refusedPhoto()
	case r.side == record.Google && r.status == http.StatusBadRequest:
		return says("EXPIRED_SYNC_TOKEN", "etag is different", "The contact group", "contact_errors", "contactErrors")
	case r.side == record.Google && r.status == http.StatusNotFound:
		return strings.Contains(r.path, "/contactGroups/") || strings.HasSuffix(r.path, ":batchUpdateContacts")
	case r.side == record.Google && r.status == http.StatusConflict:
		return strings.HasSuffix(r.path, "/contactGroups")
	case r.side == record.Creatio && strings.HasPrefix(r.path, "part "):
		return r.write && (says("23505", "23503", "Item not found") || r.status == http.StatusFailedDependency)
	}
	return false
}

// refusedEvent reports whether a calendar may refuse that: a token that ended, an event that was changed, made or deleted since
// it was read.
func (r request) refusedEvent() bool {
	switch r.status {
	case http.StatusGone:
		return true
	case http.StatusPreconditionFailed, http.StatusConflict:
		return r.write
	case http.StatusNotFound:
		return strings.HasPrefix(r.path, "part ")
	}
	return false
}
