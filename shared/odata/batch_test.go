package odata_test

import (
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"slices"
	"strings"
	"testing"

	"github.com/tandem-sync/tandem/shared/fault"
	"github.com/tandem-sync/tandem/shared/odata"
)

type sentPart struct {
	ID, Method, URL string
	Group           string `json:"atomicityGroup"`
	Headers         map[string]string
	Body            map[string]any
}

// batchSite answers each part with a function; an empty reply omits the part.
func batchSite(t *testing.T, answer func(sentPart) string) (*site, *odata.Client) {
	t.Helper()
	return newSite(t, func(w http.ResponseWriter, r *http.Request) {
		var sent struct{ Requests []sentPart }
		_ = json.NewDecoder(r.Body).Decode(&sent)
		var out []string
		for _, p := range sent.Requests {
			if a := answer(p); a != "" {
				out = append(out, fmt.Sprintf(`{"id":%q,%s}`, p.ID, a))
			}
		}
		// Answers may come in any order.
		slices.Reverse(out)
		answers(200, jsonMedia, `{"responses":[`+strings.Join(out, ",")+`]}`)(w, r)
	})
}

func TestEach_part_of_a_batch_has_its_own_reply(t *testing.T) {
	t.Parallel()
	s, c := batchSite(t, func(p sentPart) string {
		switch {
		case strings.HasPrefix(p.URL, "Lost"):
			return ""
		case p.Method == "POST":
			return `"status":201,"headers":{"content-type":"application/json"},"body":{"Id":"` + id1 + `"}`
		case p.Method == "PATCH":
			return `"status":204`
		case p.Method == "DELETE":
			return `"status":500,"body":` + oData("23503: violates foreign key")
		case strings.HasPrefix(p.URL, "Tag"):
			return `"status":200,"headers":{"content-type":"text/html"},"body":"<html><title>Log in</title></html>"`
		case strings.Contains(p.URL, "("):
			return `"status":404,"body":null`
		}
		return `"status":200,"body":{"@odata.count":1,"value":[{"Id":"` + id2 + `"}]}`
	})
	replies, err := c.Batch(t.Context(), []odata.Part{
		{Method: "POST", Path: "Contact", Body: odata.Values{"Name": "Ann"}},
		{Method: "PATCH", Path: odata.EntityPath("Contact", id1), Body: odata.Values{"OwnerId": odata.Null}},
		{Method: "DELETE", Path: odata.EntityPath("Contact", id1)},
		{Method: "GET", Path: odata.Query{Set: "Contact", Count: true}.Path()},
		{Method: "GET", Path: odata.EntityPath("Contact", id2)},
		{Method: "GET", Path: "Tag"},
		{Method: "POST", Path: "Lost", Body: odata.Values{}},
		{Method: "GET", Path: "Lost"},
	})
	if err != nil || len(replies) != 8 {
		t.Fatalf("got %v, %v", replies, err)
	}
	for i, want := range []struct {
		kind      fault.Kind
		code      string
		ambiguous bool
	}{
		{},
		{},
		{fault.BadRecord, "foreign-key", false},
		{},
		{fault.Gone, "not-found", false},
		{fault.Retry, "signed-out", false},
		{fault.Retry, "no-answer", true},
		{fault.Retry, "no-answer", false},
	} {
		if want.code == "" {
			if replies[i].Err != nil {
				t.Errorf("part %d: got %v", i+1, replies[i].Err)
			}
			continue
		}
		f, ok := errors.AsType[*fault.Error](replies[i].Err)
		if !ok || f.Kind != want.kind || f.Code != want.code || f.Ambiguous != want.ambiguous {
			t.Errorf("part %d: got %#v, want %v", i+1, f, want)
		}
	}
	if replies[0].Row.Lookup("Id") != id1 || replies[0].Status != 201 || replies[3].Rows[0].Lookup("Id") != id2 || replies[3].Count != 1 {
		t.Errorf("contents: %+v", replies)
	}
	r := s.requests[0]
	if s.calls() != 1 || r.method != "POST" || r.uri != "/0/odata/$batch" || r.header.Get("Prefer") != "continue-on-error" {
		t.Errorf("asked %v", s.requests)
	}
}

func TestLarge_batches_are_split_but_never_inside_a_group(t *testing.T) {
	t.Parallel()
	var sizes []int
	_, c := newSite(t, func(w http.ResponseWriter, r *http.Request) {
		var sent struct{ Requests []sentPart }
		_ = json.NewDecoder(r.Body).Decode(&sent)
		sizes = append(sizes, len(sent.Requests))
		var out []string
		for _, p := range sent.Requests {
			out = append(out, fmt.Sprintf(`{"id":%q,"status":201,"body":{"Position":%v}}`, p.ID, p.Body["Position"]))
		}
		answers(200, jsonMedia, `{"responses":[`+strings.Join(out, ",")+`]}`)(w, r)
	})
	var parts []odata.Part
	for i := range 250 {
		p := odata.Part{Method: "POST", Path: "Contact", Body: odata.Values{"Position": i}}
		if i >= 95 && i < 110 {
			p.Group = "g1"
		}
		parts = append(parts, p)
	}
	replies, err := c.Batch(t.Context(), parts)
	if err != nil || !slices.Equal(sizes, []int{95, 100, 55}) {
		t.Fatalf("got requests of %v parts, %v", sizes, err)
	}
	for i, r := range replies {
		if r.Err != nil || r.Row.Int("Position") != int64(i) {
			t.Fatalf("part %d: got %+v", i, r)
		}
	}
}

func TestA_group_fails_as_a_whole(t *testing.T) {
	t.Parallel()
	_, c := batchSite(t, func(p sentPart) string {
		switch p.Body["Name"] {
		case "bad":
			return `"status":400,"body":` + oData("refused")
		case "unanswered":
			return ""
		}
		return `"status":201,"body":{}`
	})
	part := func(name, group string) odata.Part {
		return odata.Part{Method: "POST", Path: "Contact", Body: odata.Values{"Name": name}, Group: group}
	}
	replies, err := c.Batch(t.Context(), []odata.Part{part("good", "a"), part("bad", "a"), part("unanswered", "a"), part("good", "b")})
	if err != nil {
		t.Fatal(err)
	}
	if !fault.Ambiguous(replies[0].Err) || fault.KindOf(replies[1].Err) != fault.BadRecord || fault.KindOf(replies[2].Err) != fault.BadRecord ||
		fault.Ambiguous(replies[2].Err) || replies[3].Err != nil {
		t.Errorf("got %v", replies)
	}
}

func TestA_failed_request_ends_the_batch_and_marks_the_ambiguous_parts(t *testing.T) {
	t.Parallel()
	calls := 0
	s, c := newSite(t, func(w http.ResponseWriter, r *http.Request) {
		if calls++; calls == 2 {
			panic(http.ErrAbortHandler)
		}
		var sent struct{ Requests []sentPart }
		_ = json.NewDecoder(r.Body).Decode(&sent)
		var out []string
		for _, p := range sent.Requests {
			out = append(out, fmt.Sprintf(`{"id":%q,"status":204}`, p.ID))
		}
		answers(200, jsonMedia, `{"responses":[`+strings.Join(out, ",")+`]}`)(w, r)
	})
	var parts []odata.Part
	for i := range 250 {
		p := odata.Part{Method: "DELETE", Path: odata.EntityPath("Contact", id1)}
		if i == 150 {
			p = odata.Part{Method: "GET", Path: "Contact"}
		}
		parts = append(parts, p)
	}
	replies, err := c.Batch(t.Context(), parts)
	if fault.KindOf(err) != fault.Retry || len(replies) != 250 || s.calls() != 2 {
		t.Fatalf("got %v, %d replies after %d calls", err, len(replies), s.calls())
	}
	for i, want := range map[int]struct{ failed, doubt bool }{0: {}, 99: {}, 100: {true, true}, 150: {true, false}, 199: {true, true}, 200: {true, false}, 249: {true, false}} {
		if got := replies[i].Err; (got != nil) != want.failed || fault.Ambiguous(got) != want.doubt {
			t.Errorf("part %d: got %v, want %+v", i, got, want)
		}
	}
}

func TestAn_invalid_part_prevents_the_request(t *testing.T) {
	t.Parallel()
	s, c := batchSite(t, func(sentPart) string { return `"status":204` })
	many := slices.Repeat([]odata.Part{{Method: "DELETE", Path: odata.EntityPath("Contact", id1), Group: "g"}}, 101)
	for name, parts := range map[string][]odata.Part{
		"a group that is too large":    many,
		"a group that is interrupted":  {many[0], {Method: "GET", Path: "Contact"}, many[0]},
		"an invalid id":                {{Method: "DELETE", Path: odata.EntityPath("Contact", "x")}},
		"an absolute address":          {{Method: "GET", Path: "https://evil.example.com/x"}},
		"a body that is no properties": {{Method: "POST", Path: "Contact", Body: "x"}},
		"a zero GUID":                  {{Method: "POST", Path: "Contact", Body: odata.Values{"OwnerId": "00000000-0000-0000-0000-000000000000"}}},
	} {
		if _, err := c.Batch(t.Context(), parts); err == nil || fault.KindOf(err) != fault.Bug {
			t.Errorf("%s: got %v, want a bug", name, err)
		}
	}
	if replies, err := c.Batch(t.Context(), nil); err != nil || len(replies) != 0 || s.calls() != 0 {
		t.Errorf("no parts: got %v, %v after %d calls", replies, err, s.calls())
	}
}
