package web

import (
	"errors"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/tandem-sync/tandem/shared/fault"
	"github.com/tandem-sync/tandem/shared/record"
)

func sampleOverview() Overview {
	told := fault.Explain(fault.New(fault.Retry, "creatio", "unreachable", nil))
	return Overview{
		Type: record.Contacts, Types: []record.Type{record.Contacts},
		Totals: Totals{Users: 205, Linked: 201, Failing: 1, Held: 1, Reconnect: 1, Partial: 2, Running: 1, Late: 3, LastSync: noon.Add(-time.Minute)},
		Job: Job{
			Known: true, Interval: 5 * time.Minute, Schedule: "*/5 * * * *", TimeZone: "Etc/UTC",
			Last: noon.Add(-time.Minute), Next: noon.Add(4 * time.Minute), Failure: "Unavailable",
		},
		Users: []UserStatus{
			{ID: "bruno", Email: "bruno@example.com", Google: true, Creatio: true, State: State{Status: "failing", Failing: 4, NextSync: noon.Add(-time.Hour), Problem: &told}, Late: true},
			{ID: "clara", Email: "clara@example.com", Google: true, Creatio: true, State: State{Status: "held", HeldRun: "run-7", LastSync: noon.Add(-time.Hour)}},
			{ID: "dora", Email: "<b>dora</b>@example.com", Creatio: true, State: State{Status: "reconnect", Failing: 1}},
			{ID: "emil", Google: true, State: State{Status: "ok", LastSync: noon, NextSync: noon.Add(time.Hour)}},
			{ID: "frida", Email: "frida@example.com", State: State{Status: "never"}},
		},
		Next: "6 frida",
	}
}

func (c client) asAdmin() client {
	c.fake.account.Admin = true
	return c
}

func TestOnlyAdministratorsAreLedToTheirPage(t *testing.T) {
	t.Parallel()
	for _, path := range []string{"", "/runs", "/runs/run-2"} {
		c := newClient(t)
		if strings.Contains(body(t, c.do("GET", "/settings"+path, "", c.signedIn)), "/settings/admin") {
			t.Errorf("%s: somebody else is led there", path)
		}
		if !strings.Contains(body(t, c.asAdmin().do("GET", "/settings"+path, "", c.signedIn)), `href="/settings/admin"`) {
			t.Errorf("%s: an administrator is not led there", path)
		}
	}
}

func TestWhoeverIsNoAdministratorSeesWhatIsSeenOfAPageThatIsNotThere(t *testing.T) {
	t.Parallel()
	c := newClient(t)
	nowhere := body(t, c.do("GET", "/settings/nowhere", "", c.signedIn))
	for _, r := range []*http.Response{
		c.do("GET", "/settings/admin", "", c.signedIn), c.do("GET", "/settings/admin?type=contacts&after=x", "", c.signedIn),
		c.do("POST", "/settings/admin/contacts/run", "", c.signedIn), c.do("POST", "/settings/admin/activities/run", "", c.signedIn),
	} {
		if got := body(t, r); r.StatusCode != http.StatusNotFound || got != nowhere {
			t.Errorf("the answer is %d %s", r.StatusCode, got)
		}
	}
}

func TestThePageOfTheAdministratorsAsksForThePlaceInItsAddress(t *testing.T) {
	t.Parallel()
	c := newClient(t).asAdmin()
	text := body(t, c.do("GET", "/settings/admin", "", c.signedIn))
	if !strings.Contains(text, `href="/settings/admin?after=6&#43;frida&amp;type=contacts"`) {
		t.Errorf("there is no further page:\n%s", text)
	}
	c.do("GET", "/settings/admin?after=6+frida&type=contacts", "", c.signedIn)
	if got := strings.Join(c.fake.calls, ", "); !strings.Contains(got, "Overview contacts 6 frida") {
		t.Errorf("calls are %s", got)
	}
}

func TestAnOrderLeadsBackToThePage(t *testing.T) {
	t.Parallel()
	c := newClient(t).asAdmin()
	for _, o := range orders {
		wantSeeOther(t, c.do("POST", "/settings/admin/contacts/"+string(o), "", c.signedIn), "/settings/admin?done=job-"+string(o)+"&type=contacts")
		wantStatus(t, c.do("POST", "/settings/api/v1/admin/contacts/"+string(o), "", c.signedIn), http.StatusNoContent)
	}
	c.fake.errs["Order pause"] = fault.New(fault.Retry, "schedule", "unreachable", errors.New("hunter2"))
	wantSeeOther(t, c.do("POST", "/settings/admin/contacts/pause", "", c.signedIn), "/settings/admin?problem=job&type=contacts")
	wantStatus(t, c.do("POST", "/settings/api/v1/admin/contacts/pause", "", c.signedIn), http.StatusServiceUnavailable)
	c.fake.errs["Order run"] = ErrNoJob
	r := c.do("POST", "/settings/admin/contacts/run", "", c.signedIn)
	wantStatus(t, r, http.StatusConflict)
}

func TestEveryStateOfAScheduleHasItsWords(t *testing.T) {
	t.Parallel()
	seen := map[string]string{}
	for name, j := range map[string]Job{
		"none": {}, "running": {Known: true, Interval: time.Hour}, "at rest": {Known: true, Paused: true},
		"decided": {Known: true, Paused: true, Decided: noon}, "foreign": {Known: true, Paused: true, Interval: time.Hour},
		"broken": {Known: true, Broken: true}, "unknown": {Known: true, Problem: &fault.Sentence{}}, "failing": {Known: true, Failure: "Unavailable"},
	} {
		if words := english.jobWords(j); seen[words] != "" {
			t.Errorf("%s and %s are told apart by nothing", name, seen[words])
		} else {
			seen[words] = name
		}
		if (english.jobMark(j) == nil) != !j.Known {
			t.Errorf("%s: the mark is %v", name, english.jobMark(j))
		}
	}
	for d, want := range map[time.Duration]string{0: "Nobody synchronizes automatically", time.Minute: "Every minute", 24 * time.Hour: "Once a day", 7 * time.Minute: "Every 7 minutes"} {
		if got := english.intervalWords(d); got != want {
			t.Errorf("%v is %q, want %q", d, got, want)
		}
	}
}
