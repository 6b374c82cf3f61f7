package web

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"maps"
	"net/http"
	"net/http/httptest"
	"os"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/pb33f/libopenapi"
	validator "github.com/pb33f/libopenapi-validator"

	"github.com/tandem-sync/tandem/shared/fault"
	"github.com/tandem-sync/tandem/shared/store"
)

const apiPath = "/settings/api/v1"

// description is the part of the document that says which answers there are.
type description struct {
	Paths map[string]map[string]struct {
		Responses map[string]json.RawMessage
	}
}

func describe(t *testing.T) (description, validator.Validator) {
	t.Helper()
	var d description
	if err := json.Unmarshal(openAPIDocument, &d); err != nil {
		t.Fatal(err)
	}
	doc, err := libopenapi.NewDocument(openAPIDocument)
	if err != nil {
		t.Fatal(err)
	}
	v, errs := validator.NewValidator(doc)
	if len(errs) > 0 {
		t.Fatal(errs)
	}
	if valid, errs := v.ValidateDocument(); !valid {
		for _, e := range errs {
			t.Error(e)
		}
		t.Fatal("the document is not OpenAPI 3.1")
	}
	return d, v
}

func TestEveryRouteOfTheAPIIsDescribedAndNoOther(t *testing.T) {
	t.Parallel()
	d, _ := describe(t)
	described := map[string]bool{}
	for path, methods := range d.Paths {
		for method := range methods {
			described[strings.ToUpper(method)+" "+path] = true
		}
	}
	for _, rt := range newClient(t).routes {
		path, api := strings.CutPrefix(rt.path, "/api/v1")
		if !api {
			continue
		}
		if name := rt.method + " " + path; !described[name] {
			t.Errorf("%s is not described: add it to openapi.json", name)
		} else {
			delete(described, name)
		}
	}
	for name := range described {
		t.Errorf("%s is described, and there is no such route", name)
	}
}

func TestEveryCallOfTheAPIHasItsRowInTheManual(t *testing.T) {
	t.Parallel()
	manual, err := os.ReadFile("../../functions/README.md")
	if err != nil {
		t.Fatal(err)
	}
	_, chapter, _ := strings.Cut(string(manual), "\n## API\n")
	chapter, _, _ = strings.Cut(chapter, "\n## ")
	rows := map[string]int{}
	for line := range strings.Lines(chapter) {
		if cells := strings.Split(line, "|"); len(cells) > 2 && strings.Contains(cells[1], "`") {
			rows[strings.Trim(cells[1], " `")]++
		}
	}
	d, _ := describe(t)
	for path, methods := range d.Paths {
		for method := range methods {
			name := strings.ToUpper(method) + " " + path
			if rows[name] != 1 {
				t.Errorf("%s has %d rows in functions/README.md, not one", name, rows[name])
			}
			delete(rows, name)
		}
	}
	for name := range rows {
		t.Errorf("functions/README.md has a row for %s, which is no call", name)
	}
}

// apiCall is one request to the API whose answer has to be as it is described.
type apiCall struct {
	method, path, body string
	change             func(*fakeService)
	opts               func(client) []option
}

// apiCalls have every route give every answer that it is said to give.
func apiCalls() []apiCall {
	as := func(opts ...option) func(client) []option {
		return func(c client) []option { return append([]option{c.signedIn}, opts...) }
	}
	nobody := func(client) []option { return nil }
	tooLate := func(c client) []option {
		return []option{c.with(ticket{"anna", "s3", noon.Add(-time.Hour), noon.Add(-time.Hour)})}
	}
	exhausted := func(c client) []option {
		for _, cost := range []int{heavy, cheap} {
			for c.allowances.spend("anna", cost, noon) == 0 {
			}
		}
		return []option{c.signedIn}
	}
	admin := func(f *fakeService) { f.account.Admin = true }
	fails := func(call string, err error) func(*fakeService) { return func(f *fakeService) { f.errs[call] = err } }
	var out []apiCall
	for _, rt := range everyRoute {
		path, api := strings.CutPrefix(rt.path, "/api/v1")
		if !api || rt.nobody == 404 || rt.nobody == 405 {
			continue
		}
		out = append(out,
			apiCall{rt.method, path, rt.body, nil, as()}, apiCall{rt.method, path, rt.body, nil, nobody},
			apiCall{rt.method, path, rt.body, nil, as(header("Sec-Fetch-Site", "cross-site"))},
			apiCall{rt.method, path, rt.body, fails("Session", ErrNotAllowed), as()}, apiCall{rt.method, path, rt.body, nil, exhausted},
		)
		for _, kind := range []fault.Kind{fault.Retry, fault.Misconfigured, fault.Reconnect, fault.BadRecord} {
			out = append(out, apiCall{rt.method, path, rt.body, fails("Session", fault.New(kind, "creatio", "", errors.New("refused"))), as()})
		}
		if path == "/openapi.json" {
			continue
		}
		switch rt.method {
		case "GET":
			out = append(out, apiCall{rt.method, path + "?color=red", rt.body, nil, as()})
		case "DELETE":
			out = append(out, apiCall{rt.method, path, "", nil, as(header("If-Match", `"other"`))})
		default:
			for _, wrong := range []string{"{", `{"color":1}`, `{"color":"` + strings.Repeat("x", maxBody) + `"}`} {
				out = append(out, apiCall{rt.method, path, wrong, nil, as()})
			}
			out = append(out, apiCall{rt.method, path, rt.body, nil, as(header("If-Match", `"other"`))})
		}
	}
	for _, kind := range []string{"contacts", "activities"} {
		out = append(out, apiCall{"POST", "/" + kind + "/pairs", goodPair, fails("Settle", store.ErrNotFound), as()},
			apiCall{"GET", "/" + kind + "/pairs", "", doubtful, as()})
	}
	return append(out,
		apiCall{"GET", "/account", "", nil, func(c client) []option {
			return []option{c.signedIn, header("If-None-Match", account(c, c.signedIn).Header.Get("ETag"))}
		}},
		apiCall{"GET", "/account", "", func(f *fakeService) {
			p := explain(ErrNotReady).Sentence
			f.account.Contacts.State = State{Status: "held", HeldRun: "run-1", Failing: 2, Problem: &p}
		}, as()},
		apiCall{"GET", "/runs/run-1", "", nil, as()}, apiCall{"GET", "/runs/run-3", "", nil, as()},
		apiCall{"GET", "/runs?type=contacts&limit=1&before=run-2", "", nil, as()},
		apiCall{"POST", "/runs/of-somebody-else/approve", "", fails("Decide", store.ErrNotFound), as()},
		apiCall{"POST", "/runs/run-1/approve", "", fails("Decide", store.ErrNotFound), as()},
		apiCall{"POST", "/runs/run-1/reject", "", fails("Decide", store.ErrNotFound), as()},
		apiCall{"GET", "/admin?type=contacts", "", admin, as()},
		apiCall{"GET", "/admin", "", func(f *fakeService) { f.account.Admin, f.overview = true, Overview{Type: "contacts"} }, as()},
		apiCall{"POST", "/admin/contacts/pause", "", admin, as()},
		apiCall{"POST", "/admin/users/anna/pause", "", admin, as()},
		apiCall{"POST", "/contacts/sync", `{"preview":"run-2"}`, nil, as()},
		apiCall{"POST", "/contacts/sync", `{"preview":""}`, nil, as()},
		apiCall{"POST", "/contacts/sync", `{"preview":"run-2"}`, fails("SyncPreview run-2", &ChangedError{"run-3"}), as()},
		apiCall{"POST", "/contacts/sync", `{"preview":"run-9"}`, fails("SyncPreview run-9", store.ErrNotFound), as()},
		apiCall{"POST", "/activities/sync", `{"preview":"run-9"}`, fails("SyncPreview run-9", store.ErrNotFound), as()},
		apiCall{"GET", "/export", "", nil, tooLate}, apiCall{"POST", "/tokens", goodToken, nil, tooLate},
		apiCall{"DELETE", "/tokens/t9", "", nil, as()},
	)
}

func TestEveryAnswerOfTheAPIIsAsDescribed(t *testing.T) {
	t.Parallel()
	d, v := describe(t)
	missing := map[string]bool{}
	for path, methods := range d.Paths {
		for method, op := range methods {
			for status := range op.Responses {
				missing[strings.ToUpper(method)+" "+path+" "+status] = true
			}
		}
	}
	c := newClient(t)
	for _, call := range apiCalls() {
		*c.fake, c.allowances.byUser = *newFake(), nil
		if call.change != nil {
			call.change(c.fake)
		}
		opts := call.opts(c)
		got := c.do(call.method, apiPath+call.path, call.body, opts...)
		text := body(t, got)
		place := routeOf(t, c, call)
		described := fmt.Sprintf("%s %s %d", call.method, place, got.StatusCode)
		if _, known := d.Paths[place][strings.ToLower(call.method)].Responses[fmt.Sprint(got.StatusCode)]; !known {
			t.Errorf("%s %s answers %d, which is not described: %s", call.method, call.path, got.StatusCode, text)
			continue
		}
		delete(missing, described)
		request := httptest.NewRequest(call.method, public+apiPath+call.path, strings.NewReader(call.body))
		request.Header.Set("Content-Type", "application/json")
		got.Body = io.NopCloser(bytes.NewReader([]byte(text)))
		if valid, errs := v.ValidateHttpResponse(request, got); !valid {
			for _, e := range errs {
				t.Errorf("%s: %v\n%s", described, e, text)
			}
		}
		if got.StatusCode < 300 && call.method != http.MethodGet && call.method != http.MethodDelete && call.body != "" {
			request.Body = io.NopCloser(strings.NewReader(call.body))
			if valid, errs := v.GetRequestBodyValidator().ValidateRequestBody(request); !valid {
				t.Errorf("%s: the request is served but not described: %v", described, errs)
			}
		}
	}
	for _, described := range slices.Sorted(maps.Keys(missing)) {
		t.Errorf("%s is described and was not seen", described)
	}
}

// routeOf is the path in the table of routes that a call matches.
func routeOf(t *testing.T, c client, call apiCall) string {
	t.Helper()
	path, _, _ := strings.Cut(call.path, "?")
	r := httptest.NewRequest(call.method, "/", nil)
	for _, rt := range c.routes {
		if rt.method == call.method && rt.matches(r, "/api/v1"+path) {
			return strings.TrimPrefix(rt.path, "/api/v1")
		}
	}
	t.Fatalf("no route for %s %s", call.method, call.path)
	return ""
}

func TestTheDescriptionOfTheAPINamesItsOwnAddress(t *testing.T) {
	t.Parallel()
	c := newClient(t, func(o *Options) { o.PublicURL = "https://crm.example.com/sync" })
	text := body(t, c.do("GET", "/sync/settings/api/v1/openapi.json", ""))
	if !strings.Contains(text, `"https://crm.example.com/sync/settings/api/v1"`) || strings.Contains(text, describedAddress) {
		t.Errorf("servers: %.300s", text[strings.Index(text, "servers"):])
	}
}
