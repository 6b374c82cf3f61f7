package web

import (
	"encoding/json"
	"net/http"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

const (
	goodActivitiesJSON = `{"automatic":true,"intervalMinutes":15,"syncFrom":"2026-02-01","direction":"both","conflicts":"creatio",` +
		`"deletions":"keep","privateEvents":"full","monthsAhead":12,"guests":"invited"}`
	goodActivitiesForm = "automatic=on&intervalMinutes=15&syncFrom=2026-02-01&direction=both&conflicts=creatio&deletions=keep&privateEvents=full&monthsAhead=12&guests=invited"
)

var goodActivities = ActivitiesSettings{
	Automatic: true, IntervalMinutes: 15, SyncFrom: "2026-02-01", Direction: "both", Conflicts: "creatio",
	Deletions: "keep", PrivateEvents: "full", MonthsAhead: 12, Guests: "invited",
}

func TestSettingsOfActivitiesThatAreNotRightAreToldFieldByField(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		change func(*ActivitiesSettings)
		want   []string
	}{
		"all right":              {func(*ActivitiesSettings) {}, nil},
		"the first day there is": {func(s *ActivitiesSettings) { s.SyncFrom = "1970-01-01" }, nil},
		"a day before it":        {func(s *ActivitiesSettings) { s.SyncFrom = "1969-12-31" }, []string{"syncFrom"}},
		"no day of a calendar":   {func(s *ActivitiesSettings) { s.SyncFrom = "2026-02-30" }, []string{"syncFrom"}},
		"a time":                 {func(s *ActivitiesSettings) { s.SyncFrom = "2026-02-01T00:00:00Z" }, []string{"syncFrom"}},
		"no day":                 {func(s *ActivitiesSettings) { s.SyncFrom = "" }, []string{"syncFrom"}},
		"no month ahead":         {func(s *ActivitiesSettings) { s.MonthsAhead = 0 }, []string{"monthsAhead"}},
		"more than a year ahead": {func(s *ActivitiesSettings) { s.MonthsAhead = 13 }, []string{"monthsAhead"}},
		"an interval of seven":   {func(s *ActivitiesSettings) { s.IntervalMinutes = 7 }, []string{"intervalMinutes"}},
		"nothing at all": {
			func(s *ActivitiesSettings) { *s = ActivitiesSettings{} },
			[]string{"intervalMinutes", "syncFrom", "direction", "conflicts", "deletions", "privateEvents", "monthsAhead", "guests"},
		},
	} {
		s := goodActivities
		c.change(&s)
		var got []string
		for _, e := range s.Validate() {
			got = append(got, e.Field)
		}
		if diff := cmp.Diff(c.want, got); diff != "" {
			t.Errorf("%s (-want +got):\n%s", name, diff)
		}
	}
}

func TestSettingsOfActivitiesAreSavedByFormAndByAPI(t *testing.T) {
	t.Parallel()
	for name, save := range map[string]func(c client){
		"form": func(c client) {
			wantSeeOther(t, c.do("POST", "/settings/activities", goodActivitiesForm, c.signedIn), "/settings?done=saved")
		},
		"API": func(c client) {
			wantStatus(t, c.do("PUT", "/settings/api/v1/activities", goodActivitiesJSON, c.signedIn), http.StatusOK)
		},
	} {
		c := newClient(t)
		save(c)
		if got := c.fake.account.Activities.ActivitiesSettings; got != goodActivities {
			t.Errorf("%s: saved %+v, want %+v", name, got, goodActivities)
		}
	}
}

func TestWhatTheAccountSaysOfActivitiesCanBeSentBack(t *testing.T) {
	t.Parallel()
	c := newClient(t)
	c.fake.account.Activities.ActivitiesSettings = goodActivities
	var got struct{ Activities json.RawMessage }
	if err := json.Unmarshal([]byte(body(t, c.do("GET", "/settings/api/v1/account", "", c.signedIn))), &got); err != nil {
		t.Fatal(err)
	}
	wantStatus(t, c.do("PUT", "/settings/api/v1/activities", string(got.Activities), c.signedIn), http.StatusOK)
}

func TestAFormOfActivitiesThatIsNotRightKeepsWhatWasEntered(t *testing.T) {
	t.Parallel()
	c := newClient(t)
	r := c.do("POST", "/settings/activities", strings.Replace(goodActivitiesForm, "2026-02-01", "1890-01-01", 1), c.signedIn)
	wantStatus(t, r, http.StatusUnprocessableEntity)
	page := body(t, r)
	for _, want := range []string{`value="1890-01-01"`, `href="#activities-syncFrom"`, "Choose a day from 1 January 1970"} {
		if !strings.Contains(page, want) {
			t.Errorf("the page has no %s", want)
		}
	}
	if slices.Contains(c.fake.calls, "PutActivities") {
		t.Error("it was saved")
	}
}

func TestAGrantThatIsMissingIsNamed(t *testing.T) {
	t.Parallel()
	for _, c := range []struct{ scopes, want string }{
		{"contacts calendar", ""},
		{"contacts", "your calendar yet"},
		{"calendar", "your contacts yet"},
		{"", "neither your contacts nor your calendar"},
	} {
		got := english.grantWords(GoogleAccount{Linked: true, Scopes: strings.Fields(c.scopes)})
		if (got == "") != (c.want == "") || !strings.Contains(got, c.want) {
			t.Errorf("with %q: %q, want %q in it", c.scopes, got, c.want)
		}
	}
}
