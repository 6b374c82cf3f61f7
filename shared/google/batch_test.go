package google

import (
	"bufio"
	"errors"
	"fmt"
	"io"
	"mime"
	"mime/multipart"
	"net/http"
	"net/http/httptest"
	"net/textproto"
	"strconv"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/tandem-sync/tandem/shared/fault"
)

// batchServer answers each part of a batch by a function, in the reverse of their order.
func batchServer(t *testing.T, answer func(r *http.Request) (status int, body string)) (c *Client, requests *int) {
	t.Helper()
	requests = new(int)
	s := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		*requests++
		if r.URL.Path != "/batch/calendar/v3" {
			t.Errorf("a request to %s", r.URL.Path)
		}
		_, params, err := mime.ParseMediaType(r.Header.Get("Content-Type"))
		if err != nil {
			t.Error(err)
		}
		type reply struct {
			id     string
			status int
			body   string
		}
		var replies []reply
		parts := multipart.NewReader(r.Body, params["boundary"])
		for {
			p, err := parts.NextPart()
			if err == io.EOF {
				break
			}
			if err != nil {
				t.Error(err)
				return
			}
			inner, err := http.ReadRequest(bufio.NewReader(p))
			if err != nil {
				t.Error(err)
				return
			}
			status, body := answer(inner)
			replies = append([]reply{{strings.Trim(p.Header.Get("Content-Id"), "<>"), status, body}}, replies...)
		}
		out := multipart.NewWriter(w)
		w.Header().Set("Content-Type", "multipart/mixed; boundary="+out.Boundary())
		for _, r := range replies {
			if r.status == 0 {
				continue
			}
			p, err := out.CreatePart(textproto.MIMEHeader{"Content-Type": {"application/http"}, "Content-ID": {"<response-" + r.id + ">"}})
			if err != nil {
				t.Error(err)
				return
			}
			fmt.Fprintf(p, "HTTP/1.1 %d X\r\nContent-Type: application/json\r\nContent-Length: %d\r\n\r\n%s", r.status, len(r.body), r.body)
		}
		if err := out.Close(); err != nil {
			t.Error(err)
		}
	}))
	t.Cleanup(s.Close)
	c, err := NewClient(Options{HTTP: s.Client(), Endpoint: s.URL})
	if err != nil {
		t.Fatal(err)
	}
	return c, requests
}

func TestEach_part_of_a_batch_gets_its_own_reply_in_order(t *testing.T) {
	t.Parallel()
	c, requests := batchServer(t, func(r *http.Request) (int, string) {
		body, _ := io.ReadAll(r.Body)
		return http.StatusOK, fmt.Sprintf("%q", r.Method+" "+r.URL.RequestURI()+" "+r.Header.Get("If-Match")+" "+string(body))
	})
	var parts []Part
	var want []string
	for i := range 2*MaxParts + 1 {
		path := "/calendar/v3/calendars/primary/events/e" + strconv.Itoa(i) + "?sendUpdates=none"
		parts = append(parts, Part{Method: http.MethodPatch, Path: path, Header: http.Header{"If-Match": {"v" + strconv.Itoa(i)}}, Body: map[string]int{"n": i}})
		want = append(want, fmt.Sprintf("%q", fmt.Sprintf(`PATCH %s v%d {"n":%d}`, path, i, i)))
	}
	replies, err := c.Batch(t.Context(), "write events", "calendar/v3", parts)
	if err != nil {
		t.Fatal(err)
	}
	var got []string
	for _, r := range replies {
		if r.Err != nil {
			t.Error(r.Err)
		}
		got = append(got, string(r.Body))
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
	if *requests != 3 {
		t.Errorf("%d requests, want 3", *requests)
	}
}

func TestA_part_that_fails_is_classified_by_itself(t *testing.T) {
	t.Parallel()
	refusals := map[string]struct {
		status int
		body   string
	}{
		"/a": {200, `{}`},
		"/b": {412, `{"error":{"code":412,"message":"Precondition Failed","errors":[{"reason":"conditionNotMet"}]}}`},
		"/c": {404, `{"error":{"code":404,"message":"Not Found","errors":[{"reason":"notFound"}]}}`},
		"/d": {403, `{"error":{"code":403,"message":"Rate Limit Exceeded","errors":[{"domain":"usageLimits","reason":"rateLimitExceeded"}]}}`},
		"/e": {0, ""},
		"/f": {204, ""},
	}
	c, _ := batchServer(t, func(r *http.Request) (int, string) { return refusals[r.URL.Path].status, refusals[r.URL.Path].body })
	var parts []Part
	for _, path := range []string{"/a", "/b", "/c", "/d", "/e", "/f"} {
		parts = append(parts, Part{Method: http.MethodDelete, Path: path})
	}
	replies, err := c.Batch(t.Context(), "delete events", "calendar/v3", parts)
	if err != nil {
		t.Fatal(err)
	}
	var got []string
	for _, r := range replies {
		f, _ := errors.AsType[*fault.Error](r.Err)
		switch {
		case f == nil:
			got = append(got, "done")
		default:
			got = append(got, fmt.Sprint(f.Kind, " ", f.Code, " ", f.Ambiguous))
		}
	}
	want := []string{"done", "conflict changed-meanwhile false", "gone not-found false", "retry quota false", "retry unanswered true", "done"}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
}

func TestA_batch_that_fails_as_a_whole_fails_its_parts_and_those_not_sent(t *testing.T) {
	t.Parallel()
	s := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Type", "application/json")
		w.WriteHeader(http.StatusInternalServerError)
		_, _ = io.WriteString(w, `{"error":{"code":500,"message":"Backend Error"}}`)
	}))
	t.Cleanup(s.Close)
	c, err := NewClient(Options{HTTP: s.Client(), Endpoint: s.URL})
	if err != nil {
		t.Fatal(err)
	}
	parts := make([]Part, MaxParts+1)
	for i := range parts {
		parts[i] = Part{Method: http.MethodPost, Path: "/x", Body: map[string]string{}}
	}
	parts[0] = Part{Method: http.MethodGet, Path: "/x"}
	replies, err := c.Batch(t.Context(), "write events", "calendar/v3", parts)
	if !fault.Is(err, fault.Retry) || len(replies) != len(parts) {
		t.Fatalf("%d replies, %v", len(replies), err)
	}
	for i, want := range map[int]bool{0: false, 1: true, MaxParts: false} {
		f, _ := errors.AsType[*fault.Error](replies[i].Err)
		if f == nil || f.Kind != fault.Retry || f.Ambiguous != want {
			t.Errorf("part %d: %+v, want ambiguous %t", i, f, want)
		}
	}
}
