package google

import (
	"bufio"
	"encoding/json"
	"fmt"
	"io"
	"mime"
	"mime/multipart"
	"net/http"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"google.golang.org/api/people/v1"
)

func TestAGroupIsMadeOnlyWithFieldsThatItsMethodShows(t *testing.T) {
	t.Parallel()
	w := newWorld(t, Options{})
	api := w.people()
	create := func(fields string) (*people.ContactGroup, error) {
		return api.ContactGroups.Create(&people.CreateContactGroupRequest{
			ContactGroup: &people.ContactGroup{Name: "Creatio"}, ReadGroupFields: fields,
		}).Do()
	}
	_, err := create("groupType,memberCount,metadata,name")
	wantRefusal(t, err, 400, "INVALID_ARGUMENT", "Invalid readGroupFields mask path: ", "member_count", "contactGroups/create")
	if got := w.Account(ann).Groups(); len(got) != 0 {
		t.Errorf("a request that was refused made %v", got)
	}
	if got := w.Violations(); len(got) != 1 || !strings.Contains(got[0], "people.contactGroups.create was refused") {
		t.Errorf("got violations %q", got)
	}
	if made := must(create("groupType,metadata,name"))(t); made.Name != "Creatio" || made.GroupType != "USER_CONTACT_GROUP" {
		t.Errorf("made %+v", made)
	}
}

func TestARefusalTellsOfEverythingThatIsWrong(t *testing.T) {
	t.Parallel()
	w := newWorld(t, Options{})
	status, body := w.call(w.link(contacts), "POST", "/v1/contactGroups?colour=1", `{"contactGroup":{"title":"A"}}`)
	var got struct {
		Error struct {
			Code            int
			Status, Message string
			Errors          []struct{ Reason string }
			Details         []struct {
				FieldViolations []struct{ Field, Description string }
			}
		}
	}
	if err := json.Unmarshal([]byte(body), &got); err != nil {
		t.Fatal(err)
	}
	const parameter = `Invalid JSON payload received. Unknown name "colour": Cannot bind query parameter. Field 'colour' could not be found in request message.`
	const field = `Invalid JSON payload received. Unknown name "title" at 'contact_group': Cannot find field.`
	e := got.Error
	if status != 400 || e.Code != 400 || e.Status != "INVALID_ARGUMENT" || e.Message != parameter+"\n"+field || e.Errors[0].Reason != "invalid" {
		t.Errorf("got %d %s", status, body)
	}
	if diff := cmp.Diff([]struct{ Field, Description string }{{"", parameter}, {"contact_group", field}}, e.Details[0].FieldViolations); diff != "" {
		t.Error(diff)
	}
}

func TestAReadOnlyFieldIsIgnoredAndNoted(t *testing.T) {
	t.Parallel()
	w := newWorld(t, Options{})
	made := must(w.people().ContactGroups.Create(&people.CreateContactGroupRequest{
		ContactGroup: &people.ContactGroup{Name: "Team", FormattedName: "Foes"},
	}).Do())(t)
	if made.FormattedName != "Team" {
		t.Errorf("made %+v", made)
	}
	if diff := cmp.Diff([]string{"people.contactGroups.create was sent contact_group.formatted_name, which is read-only"}, w.Violations()); diff != "" {
		t.Error(diff)
	}
}

func TestMethodsThatAreNotSimulatedAreJudgedToo(t *testing.T) {
	t.Parallel()
	w := newWorld(t, Options{})
	token := w.link(contacts, scopePrefix+"calendar")
	for _, c := range []struct {
		verb, path, body string
		status           int
		says             string
	}{
		{"POST", "/v1/otherContacts/c1:copyOtherContactToMyContactsGroup", `{"copyMask":"names"}`, 501, "copyOtherContactToMyContactsGroup"},
		{"POST", "/v1/otherContacts/c1:copyOtherContactToMyContactsGroup", `{"copyMask":"urls"}`, 400, "Invalid copyMask mask path"},
		{"GET", "/calendar/v3/users/me/calendarList?maxResults=10", "", 501, "calendar.calendarList.list"},
		{"GET", "/calendar/v3/calendars/primary/events?maxResult=10", "", 400, "maxResult"},
		{"POST", "/calendar/v3/calendars/primary/events", `{"start":{"date":"2026-03-01"}}`, 400, "Required field: end"},
		{"PATCH", "/calendar/v3/calendars/primary/event/x", "{}", 404, "Error 404"},
	} {
		if status, body := w.call(token, c.verb, c.path, c.body); status != c.status || !strings.Contains(body, c.says) {
			t.Errorf("%s %s: got %d %s", c.verb, c.path, status, body)
		}
	}
	if got := len(w.Violations()); got != 4 {
		t.Errorf("got %d violations: %q", got, w.Violations())
	}
}

// batch sends requests as one.
func (w *world) batch(path, kind string, parts ...string) (int, []*http.Response, string) {
	w.t.Helper()
	token := w.link(contacts)
	var b strings.Builder
	for i, part := range parts {
		fmt.Fprintf(&b, "--limit\r\nContent-Type: application/http\r\nContent-ID: <%d>\r\n\r\n%s\r\n", i, part)
	}
	b.WriteString("--limit--\r\n")
	req, err := http.NewRequestWithContext(w.t.Context(), http.MethodPost, w.url+path, strings.NewReader(b.String()))
	if err != nil {
		w.t.Fatal(err)
	}
	token.SetAuthHeader(req)
	req.Header.Set("Content-Type", kind)
	status, header, body := w.send(req)
	if status != http.StatusOK {
		return status, nil, body
	}
	return status, w.answers(header, body), body
}

// answers are those in the answer to a batch.
func (w *world) answers(header http.Header, body string) []*http.Response {
	w.t.Helper()
	_, params, err := mime.ParseMediaType(header.Get("Content-Type"))
	if err != nil {
		w.t.Fatal(err)
	}
	var out []*http.Response
	for mixed := multipart.NewReader(strings.NewReader(body), params["boundary"]); ; {
		part, err := mixed.NextPart()
		if err == io.EOF {
			return out
		}
		if err != nil {
			w.t.Fatal(err)
		}
		answer, err := http.ReadResponse(bufio.NewReader(part), nil)
		if err != nil {
			w.t.Fatal(err)
		}
		text, err := io.ReadAll(answer.Body)
		if err != nil {
			w.t.Fatal(err)
		}
		answer.Body = io.NopCloser(strings.NewReader(string(text)))
		if want := fmt.Sprintf("<response-%d>", len(out)); part.Header.Get("Content-ID") != want {
			w.t.Errorf("an answer is to %q, want %q", part.Header.Get("Content-ID"), want)
		}
		out = append(out, answer)
	}
}

func TestEachRequestOfABatchIsJudged(t *testing.T) {
	t.Parallel()
	w := newWorld(t, Options{})
	_, answers, _ := w.batch("/batch", "multipart/mixed; boundary=limit",
		"POST /v1/contactGroups HTTP/1.1\r\nContent-Type: application/json\r\n\r\n"+`{"contactGroup":{"name":"A"}}`,
		"POST /v1/contactGroups HTTP/1.1\r\nContent-Type: application/json\r\n\r\n"+`{"contactGroup":{"title":"B"}}`,
		"GET /v1/contactGroups?groupFields=name HTTP/1.1\r\n\r\n",
		"GET /v1/groups HTTP/1.1\r\n\r\n",
		"GET /calendar/v3/calendars/primary HTTP/1.1\r\n\r\n",
		"GET /v1/contactGroups HTTP/1.1\r\nAuthorization: Bearer guess\r\n\r\n",
	)
	var got []int
	for _, a := range answers {
		got = append(got, a.StatusCode)
	}
	if diff := cmp.Diff([]int{200, 400, 200, 404, 404, 401}, got); diff != "" {
		t.Error(diff)
	}
	if groups := w.Account(ann).Groups(); len(groups) != 1 || groups[0].Name != "A" {
		t.Errorf("got groups %v", groups)
	}
	if got := w.Violations(); len(got) != 3 {
		t.Errorf("got violations %q", got)
	}
}

func TestABatchThatIsNoneIsRefused(t *testing.T) {
	t.Parallel()
	w := newWorld(t, Options{})
	const list = "GET /calendar/v3/users/me/calendarList HTTP/1.1\r\n\r\n"
	for name, c := range map[string]struct {
		path, kind string
		parts      []string
		status     int
	}{
		"another kind of content":    {"/batch", "application/json", []string{list}, 400},
		"no requests":                {"/batch", "multipart/mixed; boundary=limit", nil, 400},
		"a request that is none":     {"/batch", "multipart/mixed; boundary=limit", []string{"Hello"}, 400},
		"more than the calendar has": {"/batch/calendar/v3", "multipart/mixed; boundary=limit", slices.Repeat([]string{list}, 51), 400},
		"no service's":               {"/batch/drive/v3", "multipart/mixed; boundary=limit", []string{list}, 404},
	} {
		if status, _, body := w.batch(c.path, c.kind, c.parts...); status != c.status {
			t.Errorf("%s: got %d %s", name, status, body)
		}
	}
}
