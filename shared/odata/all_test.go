package odata_test

import (
	"cmp"
	"encoding/json"
	"fmt"
	"net/http"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/tandem-sync/tandem/shared/fault"
	"github.com/tandem-sync/tandem/shared/odata"
)

// table is a set that understands the conditions of a listing.
type table struct {
	rows []entry
	// most is the largest page, whatever was asked for; 0 is no bound.
	most int
	// silent leaves out the count; links splits replies by next links; deaf ignores the filter.
	silent, links, deaf bool
}

type entry struct {
	ID         string `json:"Id"`
	ModifiedOn string
}

func (tb *table) fill(n int, at func(int) time.Time) *table {
	for i := range n {
		tb.rows = append(tb.rows, entry{
			// The keys' order differs from the order of insertion.
			fmt.Sprintf("%08d-0000-4000-8000-%012d", (i*7919)%10007, i+1), at(i).UTC().Format("2006-01-02T15:04:05.9999999Z"),
		})
	}
	return tb
}

var conditionForm = regexp.MustCompile(`(Id|ModifiedOn) (ge|gt|lt) (\S+)`)

func (e entry) passes(filter string) bool {
	for _, m := range conditionForm.FindAllStringSubmatch(filter, -1) {
		order := cmp.Compare(e.ID, m[3])
		if m[1] == "ModifiedOn" {
			bound, _ := time.Parse(time.RFC3339Nano, m[3])
			at, _ := time.Parse(time.RFC3339Nano, e.ModifiedOn)
			order = at.Compare(bound)
		}
		if m[2] == "ge" && order < 0 || m[2] == "gt" && order <= 0 || m[2] == "lt" && order >= 0 {
			return false
		}
	}
	return true
}

func (tb *table) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	q := r.URL.Query()
	var rows []entry
	for _, e := range tb.rows {
		if tb.deaf || e.passes(q.Get("$filter")) {
			rows = append(rows, e)
		}
	}
	byTime := strings.HasPrefix(q.Get("$orderby"), "ModifiedOn")
	slices.SortFunc(rows, func(a, b entry) int {
		if byTime && a.ModifiedOn != b.ModifiedOn {
			x, _ := time.Parse(time.RFC3339Nano, a.ModifiedOn)
			y, _ := time.Parse(time.RFC3339Nano, b.ModifiedOn)
			return x.Compare(y)
		}
		return cmp.Compare(a.ID, b.ID)
	})
	reply := map[string]any{"@odata.context": "x"}
	if !tb.silent {
		reply["@odata.count"] = len(rows)
	}
	top, _ := strconv.Atoi(q.Get("$top"))
	rows = rows[:min(top, len(rows))]
	if from, err := strconv.Atoi(q.Get("$skiptoken")); err == nil {
		rows = rows[min(from, len(rows)):]
	}
	if tb.most > 0 && len(rows) > tb.most {
		rows = rows[:tb.most]
		if tb.links {
			from, _ := strconv.Atoi(q.Get("$skiptoken"))
			q.Set("$skiptoken", strconv.Itoa(from+tb.most))
			reply["@odata.nextLink"] = "http://internal.example.com/0/odata/Contact?" + q.Encode()
		}
	}
	reply["value"] = rows
	if rows == nil {
		reply["value"] = []entry{}
	}
	w.Header().Set("Content-Type", jsonMedia)
	_ = json.NewEncoder(w).Encode(reply)
}

func TestA_listing_gives_every_row_once(t *testing.T) {
	t.Parallel()
	start := time.Date(2026, 3, 1, 0, 0, 0, 0, time.UTC)
	distinct := func(i int) time.Time { return start.Add(time.Duration(i) * time.Second) }
	same := func(int) time.Time { return start.Add(1234500 * time.Nanosecond) }
	crowded := func(i int) time.Time { return start.Add(time.Duration(i/25) * time.Second) }
	fine := func(i int) time.Time { return start.Add(time.Duration(i) * 100 * time.Nanosecond) }
	byTime := []odata.Order{{Path: "ModifiedOn"}, {Path: "Id"}}
	for name, tc := range map[string]struct {
		table *table
		order []odata.Order
		rows  int
		calls int
	}{
		"nothing":                            {new(table), nil, 0, 1},
		"by Id":                              {new(table).fill(35, distinct), nil, 35, 4},
		"by Id, full pages to the end":       {new(table).fill(30, distinct), nil, 30, 3},
		"by Id, uncounted":                   {(&table{silent: true}).fill(35, distinct), nil, 35, 4},
		"by Id, uncounted, full to the end":  {(&table{silent: true}).fill(30, distinct), nil, 30, 4},
		"by Id, replies cut without a word":  {(&table{most: 7}).fill(35, distinct), nil, 35, 5},
		"by Id, replies split by links":      {(&table{most: 4, links: true}).fill(25, distinct), nil, 25, 8},
		"by time":                            {new(table).fill(35, distinct), byTime, 35, 4},
		"by time, uncounted":                 {(&table{silent: true}).fill(35, distinct), byTime, 35, 4},
		"by time, all of one moment":         {new(table).fill(35, same), byTime, 35, 6},
		"by time, moments larger than pages": {new(table).fill(75, crowded), byTime, 75, 13},
		"by time, finer than a microsecond":  {new(table).fill(35, fine), byTime, 35, -1},
		"by time, split by links":            {(&table{most: 4, links: true}).fill(35, crowded), byTime, 35, -1},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s, c := newSite(t, tc.table.ServeHTTP)
			got := map[string]int{}
			for row, err := range c.All(t.Context(), odata.Query{Set: "Contact", Select: []string{"Id", "ModifiedOn"}, OrderBy: tc.order}, 10) {
				if err != nil {
					t.Fatal(err)
				}
				got[row.Lookup("Id")]++
			}
			for id, n := range got {
				if n != 1 {
					t.Errorf("%s came %d times", id, n)
				}
			}
			if len(got) != tc.rows || tc.calls >= 0 && s.calls() != tc.calls {
				t.Errorf("got %d rows in %d calls, want %d in %d", len(got), s.calls(), tc.rows, tc.calls)
			}
			for _, r := range s.requests {
				if strings.Contains(r.uri, "$skip=") {
					t.Errorf("asked %s", r.uri)
				}
			}
		})
	}
}

func TestA_listing_that_is_not_whole_is_an_error(t *testing.T) {
	t.Parallel()
	start := time.Date(2026, 3, 1, 0, 0, 0, 0, time.UTC)
	distinct := func(i int) time.Time { return start.Add(time.Duration(i) * time.Second) }
	good := new(table).fill(35, distinct)
	byTime := []odata.Order{{Path: "ModifiedOn"}}
	for name, tc := range map[string]struct {
		site  http.HandlerFunc
		order []odata.Order
		kind  fault.Kind
		rows  int
		calls int
	}{
		"the filter is ignored, by Id":   {(&table{deaf: true}).fill(35, distinct).ServeHTTP, nil, fault.Retry, 10, 2},
		"the filter is ignored, by time": {(&table{deaf: true}).fill(35, distinct).ServeHTTP, byTime, fault.Retry, 10, 2},
		"a page fails": {func(w http.ResponseWriter, r *http.Request) {
			if strings.Contains(r.URL.RawQuery, "gt") {
				answers(500, jsonMedia, oData("boom"))(w, r)
				return
			}
			good.ServeHTTP(w, r)
		}, nil, fault.Retry, 10, 2},
		"rows are counted but not given":  {answers(200, jsonMedia, `{"@odata.count":3,"value":[]}`), nil, fault.Retry, 0, 1},
		"a row has no Id":                 {answers(200, jsonMedia, `{"@odata.count":3,"value":[{"Id":""}]}`), nil, fault.Retry, 0, 1},
		"a next link leads elsewhere":     {answers(200, jsonMedia, `{"value":[],"@odata.nextLink":"https://evil.example.com/steal?x=1"}`), nil, fault.Misconfigured, 0, 1},
		"a next link leads back":          {answers(200, jsonMedia, `{"value":[],"@odata.nextLink":"Contact?$skiptoken=1"}`), nil, fault.Retry, 0, 2},
		"an order that cannot be resumed": {good.ServeHTTP, []odata.Order{{Path: "Name"}}, fault.Bug, 0, 0},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s, c := newSite(t, tc.site)
			rows := 0
			var last error
			for _, err := range c.All(t.Context(), odata.Query{Set: "Contact", OrderBy: tc.order}, 10) {
				if last = err; err == nil {
					rows++
				}
			}
			if last == nil || fault.KindOf(last) != tc.kind || rows != tc.rows || s.calls() != tc.calls {
				t.Errorf("got %v after %d rows in %d calls, want %v after %d in %d", last, rows, s.calls(), tc.kind, tc.rows, tc.calls)
			}
		})
	}
}

func TestA_listing_that_is_left_asks_no_further(t *testing.T) {
	t.Parallel()
	s, c := newSite(t, new(table).fill(35, func(int) time.Time { return time.Unix(1772323200, 0) }).ServeHTTP)
	for range c.All(t.Context(), odata.Query{Set: "Contact"}, 10) {
		break
	}
	if s.calls() != 1 {
		t.Errorf("got %d calls, want 1", s.calls())
	}
}
