package odata_test

import (
	"bytes"
	"compress/gzip"
	"errors"
	"io"
	"net/http"
	"runtime"
	"strings"
	"testing"

	"github.com/tandem-sync/tandem/shared/fault"
	"github.com/tandem-sync/tandem/shared/odata"
)

// repeated is a list of one row again and again, compressed: a small reply that grows to so many bytes.
func repeated(t *testing.T, prefix, row, suffix string, size int) []byte {
	t.Helper()
	var b bytes.Buffer
	z := gzip.NewWriter(&b)
	_, _ = io.WriteString(z, prefix+row)
	many := []byte(strings.Repeat(","+row, 1+(1<<16)/len(row)))
	for written := 0; written < size; written += len(many) {
		if _, err := z.Write(many); err != nil {
			t.Fatal(err)
		}
	}
	_, _ = io.WriteString(z, suffix)
	if err := z.Close(); err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}

// A hostile site must not use up the memory of a process that others share. This test measures, so nothing runs beside it.
func TestA_reply_costs_no_more_memory_than_its_kind_may(t *testing.T) {
	const batch, list = `{"responses":[{"id":"1","status":200,"body":{"value":[`, `{"value":[`
	for name, tc := range map[string]struct {
		prefix, row, suffix string
		size                int
		// small is the most of a small reply, page that of any.
		small, page uint64
	}{
		"many empty rows":            {list, "{}", "]}", 31 << 20, 16 << 20, 100 << 20},
		"many rows with a column":    {list, `{"a":1}`, "]}", 31 << 20, 16 << 20, 100 << 20},
		"a row with many columns":    {list + `{"x":1`, `"a":1`, "}]}", 31 << 20, 16 << 20, 100 << 20},
		"many lists in a column":     {list + `{"x":[0`, "[]", "]}]}", 31 << 20, 16 << 20, 100 << 20},
		"more than a reply may have": {list, `{"a":"` + strings.Repeat("x", 1000) + `"}`, "]}", 64 << 20, 16 << 20, 200 << 20},
		"many rows in a batch":       {batch, "{}", "]}}]}", 31 << 20, 16 << 20, 100 << 20},
		"many replies in a batch":    {`{"responses":[`, `{}`, "]}", 31 << 20, 16 << 20, 100 << 20},
		"an error of many":           {`{"error":{"code":[0`, `{}`, "]}}", 31 << 20, 16 << 20, 100 << 20},
	} {
		body := repeated(t, tc.prefix, tc.row, tc.suffix, tc.size)
		_, c := newSite(t, func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("Content-Type", jsonMedia)
			w.Header().Set("Content-Encoding", "gzip")
			_, _ = w.Write(body)
		})
		for kind, most := range map[string]uint64{"small": tc.small, "page": tc.page} {
			ctx := t.Context()
			if kind == "small" {
				ctx = odata.Small(ctx)
			}
			var before, after runtime.MemStats
			runtime.ReadMemStats(&before)
			var err error
			if strings.HasPrefix(tc.prefix, `{"responses`) {
				_, err = c.Batch(ctx, []odata.Part{{Method: "GET", Path: "Tag?$top=10", Top: 10}})
			} else {
				_, err = c.Get(ctx, odata.Query{Set: "Tag", Top: 10})
			}
			runtime.ReadMemStats(&after)
			if f, ok := errors.AsType[*fault.Error](err); !ok || f.Kind != fault.Misconfigured || f.Code != "reply-too-large" {
				t.Errorf("%s, %s: got %v", name, kind, err)
			}
			// What was allocated in all is more than what was in use at any time.
			if got := after.TotalAlloc - before.TotalAlloc; got > most {
				t.Errorf("%s, %s: %d KiB of a reply took %d MiB, more than %d", name, kind, len(body)>>10, got>>20, most>>20)
			}
		}
	}
}

func TestMore_rows_than_were_asked_for_are_an_error(t *testing.T) {
	t.Parallel()
	_, c := newSite(t, answers(200, jsonMedia, `{"value":[{"Id":"1"},{"Id":"2"},{"Id":"3"}]}`))
	if _, err := c.Get(t.Context(), odata.Query{Set: "Tag", Top: 3}); err != nil {
		t.Error(err)
	}
	_, err := c.Get(t.Context(), odata.Query{Set: "Tag", Top: 2})
	if f, ok := errors.AsType[*fault.Error](err); !ok || f.Kind != fault.Misconfigured || f.Code != "too-many-rows" {
		t.Errorf("got %v", err)
	}
	_, c = batchSite(t, func(sentPart) string { return `"status":200,"body":{"value":[{},{},{}]}` })
	replies, err := c.Batch(t.Context(), []odata.Part{{Method: "GET", Path: "Tag?$top=2", Top: 2}, {Method: "GET", Path: "Tag?$top=3", Top: 3}})
	if f, ok := errors.AsType[*fault.Error](replies[0].Err); err != nil || !ok || f.Code != "too-many-rows" || len(replies[0].Rows) > 0 || replies[1].Err != nil {
		t.Errorf("got %+v, %v", replies, err)
	}
}
