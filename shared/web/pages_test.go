package web

import (
	"errors"
	"fmt"
	"net/http"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/tandem-sync/tandem/shared/fault"
	"github.com/tandem-sync/tandem/shared/record"
	"github.com/tandem-sync/tandem/shared/store"
)

var tag = regexp.MustCompile(`\.[0-9a-f]{12}\.`)

// everyPage is each page in each of its shapes.
var everyPage = map[string]struct {
	method, path, body string
	nobody             bool
	change             func(*fakeService)
}{
	"welcome":         {"GET", "", "", true, nil},
	"welcome-refused": {"GET", "?problem=consent-denied", "", true, nil},
	"settings":        {"GET", "", "", false, nil},
	"settings-saved":  {"GET", "?done=saved", "", false, nil},
	"settings-new": {"GET", "", "", false, func(f *fakeService) {
		f.account.Creatio, f.account.Contacts = CreatioAccount{}, Contacts{State: State{Status: "never"}}
	}},
	"settings-password": {"GET", "", "", false, func(f *fakeService) {
		f.account.Creatio, f.account.CreatioAuth = CreatioAccount{}, "password"
	}},
	"settings-client": {"GET", "", "", false, func(f *fakeService) {
		f.account.Creatio, f.account.CreatioAuth = CreatioAccount{}, "client"
	}},
	"settings-reconnect": {"GET", "", "", false, func(f *fakeService) {
		f.account.Google.Reconnect, f.account.Creatio.Reconnect = true, true
		e := fault.New(fault.Reconnect, "creatio", "unauthorized", nil)
		p := fault.Explain(e)
		f.account.Contacts.State = State{Status: "reconnect", Failing: 1, Problem: &p}
		f.errs["Tags"] = e
	}},
	"settings-no-access": {"GET", "", "", false, func(f *fakeService) {
		e := fault.New(fault.Misconfigured, "creatio", "no-access", nil)
		p := fault.Explain(e)
		f.account.Contacts.State = State{Status: "failing", Failing: 2, Problem: &p, LastSync: noon.Add(-time.Hour), NextSync: noon}
		f.errs["Tags"] = e
	}},
	"settings-held": {"GET", "", "", false, func(f *fakeService) {
		f.account.Contacts.State = State{Status: "held", HeldRun: "run-1", LastSync: noon}
	}},
	"settings-tag-gone": {"GET", "", "", false, func(f *fakeService) { f.tags = f.tags[1:] }},
	"settings-no-tags": {"GET", "", "", false, func(f *fakeService) {
		f.tags, f.account.Contacts.TagID = nil, ""
	}},
	"settings-doubts": {"GET", "?done=said", "", false, doubtful},
	"settings-many-doubts": {"GET", "", "", false, func(f *fakeService) {
		doubtful(f)
		f.account.Contacts.State.Doubts = 500
	}},
	"run-match": {"GET", "/runs/run-4", "", false, func(f *fakeService) {
		match := func(before, after, rule string) store.Change {
			return store.Change{Side: record.Google, Action: "match", Record: "Anna Test", CreatioID: "c1", GoogleID: "people/1", Link: "l1", Fields: []store.FieldChange{
				{Field: "match", Before: before, After: after, Rule: rule},
			}}
		}
		f.runs = append(f.runs, store.Run{
			ID: "run-4", Type: record.Contacts, Trigger: "user", Status: "done", StartedAt: noon,
			Changes: []store.Change{match("", "Anna Test", "same-e-mail"), match("", "Anna Test", "user"), match("Anna Test", "", "user"), match("Anna Test", "", "undo")},
		})
	}},
	"tokens":       {"GET", "/tokens", "", false, nil},
	"tokens-none":  {"GET", "/tokens?done=revoked", "", false, func(f *fakeService) { f.tokens = nil }},
	"tokens-made":  {"POST", "/tokens", "name=Backup&scope=full&days=30", false, nil},
	"tokens-422":   {"POST", "/tokens", "name=&scope=full&days=9", false, nil},
	"settings-422": {"POST", "/contacts", "intervalMinutes=7&tagId=x&direction=both", false, nil},
	"password":     {"GET", "/link/creatio", "", false, func(f *fakeService) { f.account.CreatioAuth = "password" }},
	"password-422": {"POST", "/link/creatio", "username=%22anna%22", false, func(f *fakeService) { f.account.CreatioAuth = "password" }},
	"password-wrong": {"POST", "/link/creatio", "username=anna&password=no", false, func(f *fakeService) {
		f.account.CreatioAuth = "password"
	}},
	"runs":         {"GET", "/runs", "", false, nil},
	"runs-empty":   {"GET", "/runs", "", false, func(f *fakeService) { f.runs = nil }},
	"run":          {"GET", "/runs/run-2", "", false, nil},
	"run-queued":   {"GET", "/runs/run-3", "", false, nil},
	"run-held":     {"GET", "/runs/run-1", "", false, nil},
	"run-replaced": {"GET", "/runs/run-0", "", false, nil},
	"run-split": {"GET", "/runs/run-2", "", false, func(f *fakeService) {
		f.runs[1].Changes[0].Link, f.runs[1].Changes[2].Link = "L2", "L4"
		f.split = map[string]record.Side{"L2": record.Creatio, "L4": record.Google}
	}},
	"run-undo": {"GET", "/runs/run-4", "", false, func(f *fakeService) {
		f.runs = append(f.runs, store.Run{
			ID: "run-4", Type: record.Contacts, Trigger: "undo", Status: "partial", StartedAt: noon, Undoes: &store.Undo{Run: "run-2", GoogleID: "people/3"},
		})
	}},
	"confirm-undo":    {"GET", "/runs/run-2/undo", "", false, nil},
	"confirm-approve": {"GET", "/runs/run-1/approve", "", false, nil},
	"confirm-reject":  {"GET", "/runs/run-1/reject", "", false, nil},
	"runs-search":     {"GET", "/runs?q=Clara", "", false, nil},
	"run-conflicts":   {"GET", "/runs/run-2?show=conflicts", "", false, nil},
	"run-activities":  {"GET", "/runs/run-5", "", false, meetings},
	"run-series": {"GET", "/runs/run-8", "", false, func(f *fakeService) {
		run := store.Run{ID: "run-8", Type: record.Activities, Trigger: "user", Status: "done", StartedAt: noon, FinishedAt: noon, Counts: store.Counts{Creatio: store.SideCounts{Created: 3}}}
		for day := range 3 {
			at := noon.AddDate(0, 0, day)
			run.Changes = append(run.Changes, store.Change{
				Side: record.Creatio, Action: "create", Record: "Stand-up", CreatioID: fmt.Sprint("a", day), GoogleID: "series_" + at.Format("20060102T150405Z"), Link: fmt.Sprint("l", day),
				Fields: []store.FieldChange{{Field: "when", After: at.Format(time.RFC3339) + "/" + at.Add(time.Hour).Format(time.RFC3339), Rule: "created"}},
			})
		}
		f.runs = append(f.runs, run)
	}},
	"run-activities-held":    {"GET", "/runs/run-6", "", false, meetings},
	"run-activities-preview": {"GET", "/runs/run-7", "", false, meetings},
	"settings-meetings": {"GET", "", "", false, func(f *fakeService) {
		doubtful(f)
		f.doubts = f.doubts[:1]
		f.account.Google.Scopes = []string{"contacts", "calendar"}
		f.account.Contacts.State.Doubts = 0
		f.account.Activities.State = State{Status: "ok", LastSync: noon.Add(-time.Minute), NextSync: noon.Add(time.Hour), Doubts: 1}
	}},
	"undo-409": {"POST", "/runs/run-3/undo", "", false, nil},
	"admin":    {"GET", "/admin", "", false, func(f *fakeService) { f.account.Admin = true }},
	"admin-second": {"GET", "/admin?type=contacts&after=6+ada&done=job-run", "", false, func(f *fakeService) {
		f.account.Admin = true
		f.overview.Types = append(f.overview.Types, record.Activities)
		f.overview.Users, f.overview.Next = nil, ""
		f.overview.Job = Job{Known: true, Interval: time.Hour, Problem: &fault.Sentence{Code: "unreachable", Message: "No answer.", Action: "Try again."}}
	}},
	"admin-alone": {"GET", "/admin", "", false, func(f *fakeService) {
		f.account.Admin = true
		f.overview = Overview{Type: record.Contacts, Types: []record.Type{record.Contacts}}
	}},
	"not-found": {"GET", "/nowhere", "", false, nil},
}

// meetings are runs of activities.
func meetings(f *fakeService) {
	const lunch = "2026-03-05T12:00:00Z/2026-03-05T13:30:00Z"
	change := func(side record.Side, action string, fields ...store.FieldChange) store.Change {
		return store.Change{Side: side, Action: action, Record: "Lunch", CreatioID: "a1", GoogleID: "e1", Link: "l1", Fields: fields}
	}
	waits := change(record.Creatio, "cancel", store.FieldChange{Field: "when", Before: lunch, Rule: "left"})
	waits.Waits = true
	f.split = map[string]record.Side{"l9": record.Google}
	made := change(record.Google, "create", store.FieldChange{Field: "title", After: "Lunch", Rule: "created"}, store.FieldChange{Field: "when", After: lunch, Rule: "created"})
	made.Link = "l9"
	match := change(record.Google, "match", store.FieldChange{Field: "match", After: "Lunch", Rule: "same-title-and-time"})
	f.runs = append(f.runs, store.Run{
		ID: "run-5", Type: record.Activities, Trigger: "push", Status: "done", StartedAt: noon, FinishedAt: noon,
		Changes: []store.Change{
			made, match,
			change(
				record.Creatio, "update", store.FieldChange{Field: "when", Before: lunch, After: "2026-03-05/2026-03-07 (all day)", Rule: "latest"},
				store.FieldChange{Field: "reminder", Before: "90", After: "", Rule: "changed"},
				store.FieldChange{Field: "answer", Before: "", After: "tentative", Rule: "changed"},
				store.FieldChange{Field: "attendees", Before: "", After: "ada@example.com (accepted); bo@example.com", Rule: "changed"},
				store.FieldChange{Field: "membership", After: "calendar", Rule: "came-back"},
			),
			change(record.Creatio, "cancel", store.FieldChange{Field: "when", Before: lunch, Rule: "left"}),
			change(record.Google, "delete", store.FieldChange{Field: "when", Before: "2026-03-05/2026-03-06 (all day)", Rule: "left"}),
		},
		Problems: []store.Problem{{
			Side: record.Google, Record: "Lunch", CreatioID: "a1", GoogleID: "e1", Fields: []store.FieldValue{{Field: "when", Value: lunch}}, Code: "read-only",
			Message: "What you changed in Creatio stays there.", Action: "Ask the organizer to change it.",
		}},
	}, store.Run{
		ID: "run-6", Type: record.Activities, Trigger: "schedule", Status: "held", StartedAt: noon, FinishedAt: noon, Changes: []store.Change{waits},
	}, store.Run{
		ID: "run-7", Type: record.Activities, Trigger: "preview", Status: "preview", StartedAt: noon, FinishedAt: noon, Changes: []store.Change{made, match},
	})
}

func TestEveryPageIsAsItWas(t *testing.T) {
	t.Parallel()
	for name, tc := range everyPage {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			c := newClient(t)
			if tc.change != nil {
				tc.change(c.fake)
			}
			var opts []option
			if !tc.nobody {
				opts = append(opts, c.signedIn)
			}
			r := c.do(tc.method, "/settings"+tc.path, tc.body, opts...)
			text := body(t, r)
			checkHTML(t, text)
			golden(t, name+".html", tag.ReplaceAllString(text, ".HASH."))
		})
	}
}

func TestPagesSayWhatWasNotGivenInHTML(t *testing.T) {
	t.Parallel()
	c := newClient(t)
	text := body(t, c.do("GET", "/settings/runs/run-2", "", c.signedIn))
	if strings.Contains(text, "<b>Clara") || !strings.Contains(text, "&lt;b&gt;Clara") {
		t.Error("a record's name is taken for HTML")
	}
}

func TestTheSettingsPageIsThereWhenTheTagsAreNot(t *testing.T) {
	t.Parallel()
	for name, err := range map[string]error{
		"out of reach": fault.New(fault.Retry, "creatio", "unreachable", nil),
		"not linked":   ErrNotReady,
		"a bug":        errors.New("odd"),
	} {
		c := newClient(t)
		c.fake.errs["Tags"] = err
		r := c.do("GET", "/settings", "", c.signedIn)
		wantStatus(t, r, http.StatusOK)
		text := body(t, r)
		checkHTML(t, text)
		if !strings.Contains(text, `<option value="`+goodTag+`" selected>The tag that you chose</option>`) {
			t.Errorf("%s: saving the form would lose the tag", name)
		}
	}
}

func TestATagIsKnownInCapitalsToo(t *testing.T) {
	t.Parallel()
	c := newClient(t)
	c.fake.account.Contacts.TagID = strings.ToUpper(goodTag)
	text := body(t, c.do("GET", "/settings", "", c.signedIn))
	if !strings.Contains(text, `<option value="`+goodTag+`" selected>My clients</option>`) || strings.Contains(text, "is no longer in Creatio") {
		t.Error("the chosen tag is not found among the tags")
	}
}

func TestTheFormSavesSettings(t *testing.T) {
	t.Parallel()
	c := newClient(t)
	wantSeeOther(t, c.do("POST", "/settings/contacts", goodForm, c.signedIn), "/settings?done=saved")
	want := ContactsSettings{Automatic: true, IntervalMinutes: 5, Direction: "to-google", Conflicts: "google"}
	if diff := cmp.Diff(want, c.fake.saved); diff != "" {
		t.Errorf("saved (-want +got):\n%s", diff)
	}
	wantSeeOther(t, c.do("POST", "/settings/contacts", strings.TrimPrefix(goodForm, "automatic=on&"), c.signedIn), "/settings?done=saved")
	if c.fake.saved.Automatic {
		t.Error("a box that is not ticked was taken for ticked")
	}
}

func TestAFormThatIsNotRightKeepsWhatWasEntered(t *testing.T) {
	t.Parallel()
	c := newClient(t)
	c.fake.errs["PutContacts"] = &InvalidError{[]FieldError{{"tagId", "This tag is not one of your own."}}}
	r := c.do("POST", "/settings/contacts", goodForm, c.signedIn)
	wantStatus(t, r, http.StatusUnprocessableEntity)
	text := body(t, r)
	checkHTML(t, text)
	for _, want := range []string{
		`<a href="#tagId">This tag is not one of your own.</a>`, `id="tagId-wrong"`, "<title>Error: Settings",
		`<option value="to-google" selected>`, `<option value="google" selected>`, `<option value="5" selected>`,
	} {
		if !strings.Contains(text, want) {
			t.Errorf("the page lacks %s", want)
		}
	}
}

func TestSynchronizeNowLeadsToItsRun(t *testing.T) {
	t.Parallel()
	c := newClient(t)
	wantSeeOther(t, c.do("POST", "/settings/contacts/sync", "", c.signedIn), "/settings/runs/run-new")
	c.fake.errs["SyncNow"] = ErrNotReady
	wantSeeOther(t, c.do("POST", "/settings/contacts/sync", "", c.signedIn), "/settings?problem=not-ready")
}

func TestThePreviewLeadsToWhatARunWouldDo(t *testing.T) {
	t.Parallel()
	c := newClient(t)
	for _, kind := range []string{"contacts", "activities"} {
		wantSeeOther(t, c.do("POST", "/settings/"+kind+"/preview", "", c.signedIn), "/settings/runs/run-new")
	}
	c.fake.errs["Preview"] = ErrNotReady
	wantSeeOther(t, c.do("POST", "/settings/activities/preview", "", c.signedIn), "/settings?problem=not-ready-activities")
	c.fake.errs["Preview"] = fault.New(fault.Retry, "google", "unavailable", nil)
	wantStatus(t, c.do("POST", "/settings/activities/preview", "", c.signedIn), http.StatusServiceUnavailable)
}

func TestAnAnswerIsOneAboutTheTypeWhoseButtonWasPressed(t *testing.T) {
	t.Parallel()
	c := newClient(t)
	for _, target := range []string{"/settings/activities/pairs", "/settings/contacts/pairs"} {
		wantSeeOther(t, c.do("POST", target, "creatioId=a1&googleId=e1&same=false", c.signedIn), "/settings?done=said")
	}
	if want := []record.Type{record.Activities, record.Contacts}; !slices.Equal(c.fake.settled, want) {
		t.Errorf("settled were %v, want %v", c.fake.settled, want)
	}
}

func TestWhatWaitsStandsApartFromWhatWasDone(t *testing.T) {
	t.Parallel()
	c := newClient(t)
	page := body(t, c.do("GET", "/settings/runs/run-1", "", c.signedIn))
	waits, done, _ := strings.Cut(page, `<h2 id="changes">`)
	for _, name := range []string{"Bert Test", "Clara Test"} {
		if !strings.Contains(waits, name) || strings.Contains(done, name) {
			t.Errorf("%s waits, and is shown elsewhere", name)
		}
	}
	if strings.Contains(waits, "Anna Test") || !strings.Contains(done, `aria-label="Undo this record: Anna Test"`) {
		t.Error("what was done is not shown as done")
	}
	if !strings.Contains(page, "/runs/run-1/approve") || !strings.Contains(page, "/runs/run-1/reject") {
		t.Error("the list that waits cannot be decided about")
	}
	if page := body(t, c.do("GET", "/settings/runs/run-0", "", c.signedIn)); strings.Contains(page, "/approve") || strings.Contains(page, "/reject") {
		t.Error("a list that was replaced can be decided about")
	}
	page = body(t, c.do("POST", "/settings/runs/run-0/approve", "", c.signedIn))
	if !strings.Contains(page, "This list does not stand any more") {
		t.Errorf("got %s", page)
	}
}

func TestUndoIsForTheWholeRunOrForTheRecordWhoseButtonWasPressed(t *testing.T) {
	t.Parallel()
	c := newClient(t)
	page := body(t, c.do("GET", "/settings/runs/run-2", "", c.signedIn))
	for _, want := range []string{
		`<a class="button second" href="/settings/runs/run-2/undo">Undo this run</a>`,
		`name="creatioId" value="c3" aria-label="Undo this record: &lt;b&gt;Clara&lt;/b&gt;">Undo this record</button>`,
	} {
		if !strings.Contains(page, want) {
			t.Errorf("the page lacks %s", want)
		}
	}
	for _, id := range []string{"run-0", "run-3"} {
		if page := body(t, c.do("GET", "/settings/runs/"+id, "", c.signedIn)); strings.Contains(page, "/undo") {
			t.Errorf("%s did nothing yet, and can be undone", id)
		}
	}
	for _, form := range []string{"", "creatioId=c3", "googleId=people%2F3"} {
		wantSeeOther(t, c.do("POST", "/settings/runs/run-2/undo", form, c.signedIn), "/settings/runs/run-new")
	}
	for _, sent := range []string{"", " ", "{}", `{"creatioId":"c3"}`, `{"googleId":"people/3","creatioId":"c3"}`} {
		wantStatus(t, c.do("POST", "/settings/api/v1/runs/run-2/undo", sent, c.signedIn), http.StatusAccepted)
	}
	whole, clara := store.Undo{Run: "run-2"}, store.Undo{Run: "run-2", CreatioID: "c3"}
	want := []store.Undo{whole, clara, {Run: "run-2", GoogleID: "people/3"}, whole, whole, whole, clara, {Run: "run-2", CreatioID: "c3", GoogleID: "people/3"}}
	if diff := cmp.Diff(want, c.fake.undone); diff != "" {
		t.Errorf("undone (-want +got):\n%s", diff)
	}
	for sent, status := range map[string]int{"[]": 400, `{"creatioId":`: 400, `{"creatioId":null}`: 422, `{"creatioID":"c3"}`: 422, `{"googleId":""}`: 422} {
		wantStatus(t, c.do("POST", "/settings/api/v1/runs/run-2/undo", sent, c.signedIn), status)
	}
	if len(c.fake.undone) != len(want) {
		t.Error("what was refused was undone")
	}
}

func TestTheHistorySaysWhatIsOneRunAndHowLongItIsKept(t *testing.T) {
	t.Parallel()
	c := newClient(t, func(o *Options) { o.History, o.Unlinked = 400*24*time.Hour, 90*24*time.Hour })
	c.fake.runs = []store.Run{{ID: "run-1", Type: record.Contacts, Trigger: "schedule", Status: "done", StartedAt: noon.Add(-5 * time.Hour), FinishedAt: noon, Repeats: 5}}
	for target, wants := range map[string][]string{
		"/settings/runs": {"and 5 more, until", "kept for 400 days", "disconnected for 90 days"}, "/settings": {"within 90 days"}, "/settings/runs/run-1": {"5 times, and nothing had changed"},
	} {
		text := body(t, c.do("GET", target, "", c.signedIn))
		checkHTML(t, text)
		for _, want := range wants {
			if !strings.Contains(text, want) {
				t.Errorf("%s does not say %q", target, want)
			}
		}
	}
}

func TestTheHistoryIsPaged(t *testing.T) {
	t.Parallel()
	c := newClient(t)
	c.fake.runs = nil
	for i := range 45 {
		c.fake.runs = append(c.fake.runs, store.Run{ID: fmt.Sprintf("run-%02d", 99-i), Type: record.Contacts, Status: "done", StartedAt: noon.Add(-time.Duration(i) * time.Hour)})
	}
	older := regexp.MustCompile(`href="([^"]+)">Older<`)
	target, seen := "/settings/runs", 0
	for range 3 {
		text := body(t, c.do("GET", target, "", c.signedIn))
		checkHTML(t, text)
		seen += strings.Count(text, "/settings/runs/run-")
		m := older.FindStringSubmatch(text)
		if m == nil {
			break
		}
		target = m[1]
	}
	if seen != 45 || target != "/settings/runs?before=run-60" {
		t.Errorf("saw %d runs, the last page is %s", seen, target)
	}
}

func TestALongRunIsPaged(t *testing.T) {
	t.Parallel()
	c := newClient(t)
	c.fake.runs[1].Changes = nil
	for i := range 250 {
		c.fake.runs[1].Changes = append(c.fake.runs[1].Changes, store.Change{Side: record.Google, Action: "create", Record: fmt.Sprintf("Person %03d", i+1)})
	}
	for query, want := range map[string][3]any{
		"":          {"Person 001", "Person 025", "Records 1 to 25 of 250"},
		"?from=101": {"Person 101", "Person 125", "Records 101 to 125 of 250"},
		"?from=230": {"Person 226", "Person 250", "Records 226 to 250 of 250"},
		"?from=0":   {"Person 001", "Person 025", "Records 1 to 25 of 250"},
		"?from=999": {"Person 001", "Person 025", "Records 1 to 25 of 250"},
		"?from=x":   {"Person 001", "Person 025", "Records 1 to 25 of 250"},
	} {
		text := body(t, c.do("GET", "/settings/runs/run-2"+query, "", c.signedIn))
		checkHTML(t, text)
		names := regexp.MustCompile(`Person \d+`).FindAllString(text, -1)
		caption := regexp.MustCompile(`Records \d+ to \d+ of \d+`).FindString(text)
		if diff := cmp.Diff(want, [3]any{names[0], names[len(names)-1], caption}); diff != "" {
			t.Errorf("%s: %s", query, diff)
		}
	}
}

func TestEveryStateHasItsWords(t *testing.T) {
	t.Parallel()
	seen := map[string]bool{}
	for _, status := range []string{"never", "ok", "queued", "running", "late", "partial", "held", "reconnect", "failing", "off"} {
		words := english.stateWords(State{Status: status})
		if words == status || seen[words] {
			t.Errorf("%s has no words of its own: %q", status, words)
		}
		seen[words] = true
		if mark := english.stateMark(State{Status: status}); (mark.Label == "Not started") != (status == "never") {
			t.Errorf("%s has the mark %q", status, mark.Label)
		}
	}
	for words, s := range map[string]State{
		"Everything is in sync, except for what needs your decision.":                                      {Status: "ok", Doubts: 2},
		"Everything is in sync, except for 1 record that an undo took out.":                                {Status: "ok", Split: 1},
		"Everything is in sync, except for what needs your decision and 71 records that an undo took out.": {Status: "ok", Doubts: 1, Split: 71},
	} {
		if got := english.stateWords(s); got != words {
			t.Errorf("%+v is told as %q, want %q", s, got, words)
		}
	}
	for _, rule := range []string{
		"changed", "first-meeting", "latest", "creatio-wins", "google-wins", "direction", "edit-kept", "created", "left", "came-back", "returned",
		"made-from-it", "same-e-mail", "same-phone", "same-name-and-company", "same-title-and-time", "locked", "undo", "user", "both-kept",
	} {
		for _, kind := range []record.Type{record.Contacts, record.Activities} {
			if english.reasonWords(kind, record.Google, rule, false) == "" {
				t.Errorf("rule %s of %s has no words", rule, kind)
			}
		}
	}
}

func TestTheHistoryCountsEverythingThatARunTellsOf(t *testing.T) {
	t.Parallel()
	c := newClient(t)
	c.fake.runs = []store.Run{{ID: "run-1", Type: record.Contacts, Trigger: "user", Status: "done", StartedAt: noon, Problems: make([]store.Problem, 7)}}
	if page := body(t, c.do("GET", "/settings/runs", "", c.signedIn)); !strings.Contains(page, `data-label="Problems">7</td>`) {
		t.Errorf("seven notes are not counted:\n%s", page)
	}
}
