package web

import (
	"bytes"
	"encoding/json"
	"fmt"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/tandem-sync/tandem/shared/record"
	"github.com/tandem-sync/tandem/shared/store"
)

// goldenJSON compares a JSON answer, indented for the reader.
func goldenJSON(t *testing.T, name string, r *http.Response) {
	t.Helper()
	var b bytes.Buffer
	if err := json.Indent(&b, []byte(body(t, r)), "", "  "); err != nil {
		t.Fatalf("answer is no JSON: %v", err)
	}
	golden(t, name, b.String())
}

func TestAnswersOfTheAPIKeepTheirShape(t *testing.T) {
	t.Parallel()
	for name, tc := range map[string]struct {
		method, path, body string
		change             func(*fakeService)
	}{
		"account":       {"GET", "account", "", nil},
		"account-empty": {"GET", "account", "", func(f *fakeService) { f.account = Account{ID: "anna"} }},
		"account-held": {"GET", "account", "", func(f *fakeService) {
			p := explain(ErrNotReady).Sentence
			f.account.Contacts.State = State{Status: "held", HeldRun: "run-1", Failing: 2, Problem: &p}
		}},
		"tags":          {"GET", "tags", "", nil},
		"tags-empty":    {"GET", "tags", "", func(f *fakeService) { f.tags = nil }},
		"contacts":      {"PUT", "contacts", goodJSON, nil},
		"contacts-422":  {"PUT", "contacts", `{"automatic":"yes","intervalMinutes":7,"tagId":"My clients","direction":null,"color":1}`, nil},
		"contacts-400":  {"PUT", "contacts", `{"automatic":`, nil},
		"sync":          {"POST", "contacts/sync", "", nil},
		"sync-notready": {"POST", "contacts/sync", "", func(f *fakeService) { f.errs["SyncNow"] = ErrNotReady; f.account.Contacts.TagID = "" }},
		"runs":          {"GET", "runs", "", nil},
		"runs-before":   {"GET", "runs?type=contacts&limit=1&before=run-2", "", nil},
		"runs-empty":    {"GET", "runs", "", func(f *fakeService) { f.runs = nil }},
		"runs-422":      {"GET", "runs?type=mails&limit=101", "", nil},
		"run":           {"GET", "runs/run-2", "", nil},
		"run-queued":    {"GET", "runs/run-3", "", nil},
		"run-404":       {"GET", "runs/run-9", "", nil},
		"run-held":      {"GET", "runs/run-1", "", nil},
		"changes":       {"GET", "runs/run-2/changes", "", nil},
		"changes-next":  {"GET", "runs/run-2/changes?limit=1&after=", "", nil},
		"changes-422":   {"GET", "runs/run-2/changes?limit=1001&after=run-1", "", nil},
		"changes-404":   {"GET", "runs/run-9/changes", "", nil},
		"approve":       {"POST", "runs/run-1/approve", "", nil},
		"approve-409":   {"POST", "runs/run-0/approve", "", nil},
		"run-undo": {"GET", "runs/run-4", "", func(f *fakeService) {
			f.runs = append(f.runs, store.Run{
				ID: "run-4", Type: record.Contacts, Trigger: "undo", Status: "done", Undoes: &store.Undo{Run: "run-2", GoogleID: "people/3"},
			})
		}},
		"pairs":          {"GET", "contacts/pairs", "", doubtful},
		"pairs-empty":    {"GET", "contacts/pairs", "", nil},
		"pair-404":       {"POST", "contacts/pairs", goodPair, func(f *fakeService) { f.errs["Settle"] = store.ErrNotFound }},
		"pair-409":       {"POST", "contacts/pairs", goodPair, func(f *fakeService) { f.errs["Settle"] = ErrNoPair }},
		"pair-elsewhere": {"POST", "contacts/pairs", goodPair, func(f *fakeService) { f.errs["Settle"] = ErrLinkedElsewhere }},
		"pair-422":       {"POST", "contacts/pairs", `{"creatioId":"","same":"yes","name":"Anna"}`, nil},
		"undo":           {"POST", "runs/run-2/undo", "", nil},
		"undo-409":       {"POST", "runs/run-3/undo", "", nil},
		"undo-422":       {"POST", "runs/run-2/undo", `{"googleId":"","creatioId":7,"name":"Clara"}`, nil},
		"tokens":         {"GET", "tokens", "", nil},
		"token":          {"POST", "tokens", goodToken, nil},
		"runs-unknown":   {"GET", "runs?color=red&limit=1&limit=2", "", nil},
		"sync-unknown":   {"POST", "contacts/sync", `{"color":"red"}`, nil},
		"admin":          {"GET", "admin?type=contacts", "", func(f *fakeService) { f.account.Admin = true }},
		"admin-alone": {"GET", "admin", "", func(f *fakeService) {
			f.account.Admin, f.overview = true, Overview{Type: "contacts"}
		}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			c := newClient(t)
			if tc.change != nil {
				tc.change(c.fake)
			}
			goldenJSON(t, name+".json", c.do(tc.method, "/settings/api/v1/"+tc.path, tc.body, c.signedIn))
		})
	}
	c := newClient(t)
	goldenJSON(t, "signed-out.json", account(c))
	goldenJSON(t, "healthz.json", c.do("GET", "/settings/healthz", ""))
}

func TestTheChangesOfALongRunComeInPages(t *testing.T) {
	t.Parallel()
	c := newClient(t)
	const all = 2345
	c.fake.runs[1].Changes = nil
	for i := range all {
		c.fake.runs[1].Changes = append(c.fake.runs[1].Changes, store.Change{Side: record.Google, Action: "create", Record: fmt.Sprint("Person ", i)})
	}
	type page struct {
		Changes []struct{ Record string }
		More    bool
		Next    string
	}
	read := func(path string) (p page) {
		t.Helper()
		if err := json.Unmarshal([]byte(body(t, c.do("GET", "/settings/api/v1/runs/run-2"+path, "", c.signedIn))), &p); err != nil {
			t.Fatal(err)
		}
		return p
	}
	if p := read(""); len(p.Changes) != 1000 || !p.More || p.Next != "1000" {
		t.Errorf("the run has %d changes, more: %v, next: %q", len(p.Changes), p.More, p.Next)
	}
	for _, limit := range []int{1, 999, 1000} {
		p := read(fmt.Sprintf("/changes?limit=%d", limit))
		if len(p.Changes) != limit || !p.More {
			t.Errorf("of %d changes there are %d, more: %v", limit, len(p.Changes), p.More)
		}
	}
	// A run and the pages after it have every change once, in the order of the run.
	p := read("")
	for n := 0; ; {
		for _, change := range p.Changes {
			if want := fmt.Sprint("Person ", n); change.Record != want {
				t.Fatalf("got %s, want %s", change.Record, want)
			}
			n++
		}
		if p.More != (n < all) || p.More != (p.Next != "") {
			t.Fatalf("after %d of %d changes more is %v, next %q", n, all, p.More, p.Next)
		}
		if !p.More {
			break
		}
		p = read("/changes?limit=600&after=" + p.Next)
	}
	if p := read("/changes?after=99999"); len(p.Changes) != 0 || p.More {
		t.Errorf("after the last change there are %d, more: %v", len(p.Changes), p.More)
	}
}

const goodPair = `{"creatioId":"c1","googleId":"people/1","same":true}`

// doubtful has two pairs of contacts wait for anna's word.
func doubtful(f *fakeService) {
	f.doubts = []Doubt{
		{CreatioID: "c1", GoogleID: "people/1", Creatio: "Anna Test", Google: "Bert <Test>", Since: noon},
		{CreatioID: "c2", GoogleID: "people/2", Creatio: "Bruno Sample", Google: "Bruno Sample", Since: noon.Add(-time.Hour)},
	}
	f.account.Contacts.State.Doubts = len(f.doubts)
}

func TestAWordOnAPairReachesTheService(t *testing.T) {
	t.Parallel()
	want := []Verdict{{CreatioID: "c1", GoogleID: "people/1", Same: true}, {CreatioID: "c1", GoogleID: "people/1"}}
	c := newClient(t)
	wantStatus(t, c.do("POST", "/settings/api/v1/contacts/pairs", goodPair, c.signedIn), http.StatusNoContent)
	wantStatus(t, c.do("POST", "/settings/api/v1/contacts/pairs", strings.Replace(goodPair, "true", "false", 1), c.signedIn), http.StatusNoContent)
	if diff := cmp.Diff(want, c.fake.said); diff != "" {
		t.Errorf("said by a script (-want +got):\n%s", diff)
	}
	c = newClient(t)
	for _, same := range []string{"true", "false"} {
		wantSeeOther(t, c.do("POST", "/settings/contacts/pairs", "creatioId=c1&googleId=people%2F1&same="+same, c.signedIn), "/settings?done=said")
	}
	for _, wrong := range []string{"", "creatioId=c1&googleId=g", "creatioId=c1&same=true", "googleId=g&same=false", "creatioId=c1&googleId=g&same=perhaps"} {
		wantStatus(t, c.do("POST", "/settings/contacts/pairs", wrong, c.signedIn), http.StatusUnprocessableEntity)
	}
	if diff := cmp.Diff(want, c.fake.said); diff != "" {
		t.Errorf("said on the page (-want +got):\n%s", diff)
	}
}

func TestSettingsArePutAsTheyAre(t *testing.T) {
	t.Parallel()
	c := newClient(t)
	wantStatus(t, c.do("PUT", "/settings/api/v1/contacts", goodJSON, c.signedIn), http.StatusOK)
	want := ContactsSettings{Automatic: true, IntervalMinutes: 5, Direction: "to-google", Conflicts: "google"}
	if diff := cmp.Diff(want, c.fake.saved); diff != "" {
		t.Errorf("saved (-want +got):\n%s", diff)
	}
}

func TestWhatTheAccountShowsCanBeSentBack(t *testing.T) {
	t.Parallel()
	c := newClient(t)
	var got struct{ Contacts json.RawMessage }
	if err := json.Unmarshal([]byte(body(t, account(c, c.signedIn))), &got); err != nil {
		t.Fatal(err)
	}
	wantStatus(t, c.do("PUT", "/settings/api/v1/contacts", string(got.Contacts), c.signedIn), http.StatusOK)
}

func TestInputThatIsNotRightChangesNothing(t *testing.T) {
	t.Parallel()
	for input, want := range map[string]int{
		"":                 400,
		"null":             400,
		"[]":               400,
		`"text"`:           400,
		goodJSON + "{}":    400,
		goodJSON + "x":     400,
		goodJSON[:30]:      400,
		"\xff" + goodJSON:  400,
		"{}":               422,
		`{"automatic":1}`:  422,
		goodJSON + " \n\t": 200,
		strings.Replace(goodJSON, "{", `{"automatic":false,`, 1):      400,
		strings.Replace(goodJSON, "automatic", "Automatic", 1):        422,
		strings.Replace(goodJSON, "{", `{"extra":[1,{"a":2}],`, 1):    422,
		strings.Replace(goodJSON, ":5,", `:5.5,`, 1):                  422,
		strings.Replace(goodJSON, ":5,", `:"5",`, 1):                  422,
		strings.Replace(goodJSON, ":5,", `:99999999999999999999,`, 1): 422,
		strings.Replace(goodJSON, ":5,", `:null,`, 1):                 422,
		strings.Replace(goodJSON, `""`, `"not a guid"`, 1):            422,
		strings.Replace(goodJSON, "to-google", "sideways", 1):         422,
	} {
		c := newClient(t)
		r := c.do("PUT", "/settings/api/v1/contacts", input, c.signedIn)
		if r.StatusCode != want {
			t.Errorf("%q: status %d, want %d", input, r.StatusCode, want)
		}
		if changed := c.fake.writes() > 0; changed != (want == 200) {
			t.Errorf("%q: changed = %t", input, changed)
		}
		if text := body(t, r); want == 422 && !strings.Contains(text, `"errors":[{"field":`) {
			t.Errorf("%q: no field in %s", input, text)
		}
	}
}

func TestTheServicesWordOnAFieldReachesTheScript(t *testing.T) {
	t.Parallel()
	c := newClient(t)
	c.fake.errs["PutContacts"] = &InvalidError{[]FieldError{{"tagId", "This tag is not one of your own."}}}
	r := c.do("PUT", "/settings/api/v1/contacts", goodJSON, c.signedIn)
	wantStatus(t, r, http.StatusUnprocessableEntity)
	if text := body(t, r); !strings.Contains(text, `"errors":[{"field":"tagId","message":"This tag is not one of your own."}]`) {
		t.Error(text)
	}
}

func TestLimitsOfTheListOfRuns(t *testing.T) {
	t.Parallel()
	for query, want := range map[string]int{
		"": 200, "limit=1": 200, "limit=100": 200, "type=activities": 200,
		"limit=0": 422, "limit=101": 422, "limit=": 422, "limit=ten": 422, "limit=-1": 422, "type=Contacts": 422,
	} {
		c := newClient(t)
		if r := c.do("GET", "/settings/api/v1/runs?"+query, "", c.signedIn); r.StatusCode != want {
			t.Errorf("%s: status %d, want %d", query, r.StatusCode, want)
		}
	}
}
