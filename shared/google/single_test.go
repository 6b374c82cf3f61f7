package google

import (
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/tandem-sync/tandem/shared/fault"
)

// refusingServer answers batches with a status, and single requests by a function.
func refusingServer(t *testing.T, status int, answer http.HandlerFunc) (c *Client, batches *atomic.Int64) {
	t.Helper()
	batches = &atomic.Int64{}
	s := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if !strings.HasPrefix(r.URL.Path, "/batch") {
			answer(w, r)
			return
		}
		batches.Add(1)
		w.Header().Set("Content-Type", "text/html")
		w.WriteHeader(status)
		_, _ = io.WriteString(w, "<html>no</html>")
	}))
	t.Cleanup(s.Close)
	c, err := NewClient(Options{HTTP: s.Client(), Endpoint: s.URL})
	if err != nil {
		t.Fatal(err)
	}
	return c, batches
}

func TestWhere_batches_are_refused_the_parts_are_sent_by_themselves(t *testing.T) {
	t.Parallel()
	for status, asked := range map[int]int64{400: 2, 404: 1, 405: 1, 413: 2, 501: 1} {
		var lock sync.Mutex
		under, most := 0, 0
		c, batches := refusingServer(t, status, func(w http.ResponseWriter, r *http.Request) {
			lock.Lock()
			under++
			most = max(most, under)
			lock.Unlock()
			body, _ := io.ReadAll(r.Body)
			lock.Lock()
			under--
			lock.Unlock()
			w.Header().Set("Content-Type", "application/json")
			if r.URL.Path == "/e7" {
				w.WriteHeader(http.StatusPreconditionFailed)
				_, _ = io.WriteString(w, `{"error":{"code":412,"message":"Precondition Failed","errors":[{"reason":"conditionNotMet"}]}}`)
				return
			}
			if r.Method == http.MethodDelete {
				w.WriteHeader(http.StatusNoContent)
				return
			}
			fmt.Fprintf(w, "%q", r.Method+" "+r.URL.RequestURI()+" "+r.Header.Get("If-Match")+" "+string(body))
		})
		parts := []Part{{Method: http.MethodDelete, Path: "/gone?sendUpdates=none"}}
		want := []string{""}
		for i := 1; i < 20; i++ {
			path := "/e" + strconv.Itoa(i)
			parts = append(parts, Part{Method: http.MethodPatch, Path: path, Header: http.Header{"If-Match": {"v" + strconv.Itoa(i)}}, Body: map[string]int{"n": i}})
			want = append(want, fmt.Sprintf("%q", fmt.Sprintf(`PATCH %s v%d {"n":%d}`, path, i, i)))
		}
		want[7] = "conflict changed-meanwhile"
		for range 2 {
			replies, err := c.Batch(t.Context(), "write events", "calendar/v3", parts)
			if err != nil {
				t.Fatal(err)
			}
			var got []string
			for _, r := range replies {
				if f, ok := errors.AsType[*fault.Error](r.Err); ok {
					got = append(got, fmt.Sprint(f.Kind, " ", f.Code))
				} else {
					got = append(got, string(r.Body))
				}
			}
			if diff := cmp.Diff(want, got); diff != "" {
				t.Errorf("%d: (-want +got):\n%s", status, diff)
			}
		}
		if batches.Load() != asked || most > concurrency {
			t.Errorf("%d: %d batches, want %d; %d requests at once", status, batches.Load(), asked, most)
		}
	}
}

func TestAfter_a_single_request_without_an_answer_no_others_are_sent(t *testing.T) {
	t.Parallel()
	var sent atomic.Int64
	c, _ := refusingServer(t, http.StatusNotFound, func(http.ResponseWriter, *http.Request) {
		sent.Add(1)
		panic(http.ErrAbortHandler)
	})
	parts := make([]Part, MaxParts)
	for i := range parts {
		parts[i] = Part{Method: http.MethodPost, Path: "/x", Body: map[string]string{}}
	}
	replies, err := c.Batch(t.Context(), "write events", "calendar/v3", parts)
	if !fault.Is(err, fault.Retry) || len(replies) != len(parts) || sent.Load() > 2*concurrency {
		t.Fatalf("%d replies, %d sent, %v", len(replies), sent.Load(), err)
	}
	for i, r := range replies {
		if !fault.Is(r.Err, fault.Retry) {
			t.Errorf("part %d: %v", i, r.Err)
		}
	}
}
