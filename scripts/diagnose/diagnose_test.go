package main

import (
	"context"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"testing"

	"golang.org/x/oauth2"

	creatiobox "github.com/tandem-sync/tandem/shared/sandbox/creatio"
	googlebox "github.com/tandem-sync/tandem/shared/sandbox/google"
)

const (
	ada      = "ada@example.com"
	callback = "http://127.0.0.1/callback"
	password = "not-a-secret"
)

// site is a simulated Creatio with one user, who has a private tag.
func newSite(t *testing.T, o creatiobox.Options) (*creatiobox.Server, map[string]string) {
	t.Helper()
	box := creatiobox.New(o)
	server := httptest.NewServer(box)
	t.Cleanup(server.Close)
	box.AddUser(creatiobox.User{Name: "ada", Password: password, ContactName: "Ada Lovelace", Email: ada, TimeZone: "W. Europe Standard Time", Active: true})
	if _, err := box.As("ada").Insert("ContactTag", map[string]any{"Name": "Mine", "TypeId": privateTags}); err != nil {
		t.Fatal(err)
	}
	return box, map[string]string{"CREATIO_URL": server.URL, "CREATIO_USERNAME": "ada", "CREATIO_PASSWORD": password}
}

// google is a simulated account, and a token for it.
func newGoogle(t *testing.T, scopes ...string) (*googlebox.Server, map[string]string) {
	t.Helper()
	box := googlebox.New(googlebox.Options{})
	server := httptest.NewServer(box)
	t.Cleanup(server.Close)
	box.SetIssuerURL(server.URL)
	box.AddClient("tandem", "secret", callback)
	box.AddUser(googlebox.User{Email: ada, Name: "Ada", EmailVerified: true})
	box.AutoConsent(ada)
	c := oauth2.Config{
		ClientID: "tandem", ClientSecret: "secret", RedirectURL: callback, Scopes: append([]string{"openid", "email"}, scopes...),
		Endpoint: oauth2.Endpoint{AuthURL: server.URL + "/o/oauth2/v2/auth", TokenURL: server.URL + "/token", AuthStyle: oauth2.AuthStyleInParams},
	}
	browser := &http.Client{CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }}
	req, err := http.NewRequestWithContext(t.Context(), http.MethodGet, c.AuthCodeURL("state", oauth2.AccessTypeOffline), nil)
	if err != nil {
		t.Fatal(err)
	}
	resp, err := browser.Do(req)
	if err != nil {
		t.Fatal(err)
	}
	_ = resp.Body.Close()
	back, err := url.Parse(resp.Header.Get("Location"))
	if err != nil {
		t.Fatal(err)
	}
	token, err := c.Exchange(t.Context(), back.Query().Get("code"))
	if err != nil {
		t.Fatalf("sign in: %v (%d %s)", err, resp.StatusCode, back)
	}
	return box, map[string]string{"GOOGLE_ENDPOINT": server.URL, "GOOGLE_ACCESS_TOKEN": token.AccessToken}
}

const (
	contactsScope = "https://www.googleapis.com/auth/contacts"
	eventsScope   = "https://www.googleapis.com/auth/calendar.events"
)

func run(t *testing.T, env map[string]string) (*report, string, error) {
	t.Helper()
	var out strings.Builder
	r := &report{out: &out}
	err := diagnose(context.Background(), r, func(name string) string { return env[name] })
	return r, out.String(), err
}

func wantAnswers(t *testing.T, r *report, out string, want map[string]string) {
	t.Helper()
	for question, answer := range want {
		if r.answers[question] != answer {
			t.Errorf("%s: got %q, want %q", question, r.answers[question], answer)
		}
	}
	if t.Failed() {
		t.Log(out)
	}
}

func TestA_site_is_asked_everything_and_keeps_nothing(t *testing.T) {
	t.Parallel()
	box, env := newSite(t, creatiobox.Options{})
	before := len(box.System().Rows("Contact", nil))
	r, out, err := run(t, env)
	if err != nil {
		t.Error(err)
	}
	wantAnswers(t, r, out, map[string]string{
		"May users sign in with name and password?":                         "yes",
		"Is its OData service below /0 (.NET Framework)?":                   "yes",
		"May the user read Contact?":                                        "yes",
		"Does the user see private tags?":                                   "yes",
		"Does the site tell users' time zones?":                             "yes",
		"Is $count the same as what the user may read?":                     "yes",
		"Does a batch take 100 parts?":                                      "yes",
		"Does a batch take 101 parts?":                                      "no",
		"Do the other parts of a batch go on after one that fails?":         "yes",
		"Can ids be compared (Id gt …), as pages need it?":                  "yes",
		"Does a creation keep the id that it is given?":                     "yes",
		"Is a second creation with the same id refused?":                    "yes",
		"Is a phone number kept as it is written (no mask)?":                "yes",
		"Does a list that the site cuts off name its next page (nextLink)?": "?",
		"Does the site answer 429 when it is asked too much?":               "?",
		"Is the scratch contact removed?":                                   "yes",
	})
	if after := len(box.System().Rows("Contact", nil)); after != before {
		t.Errorf("%d contacts were there, and %d are", before, after)
	}
	if rows := box.System().Rows("ContactCommunication", nil); len(rows) > 1 {
		t.Errorf("a number of the scratch contact is left: %v", rows)
	}
}

func TestA_site_without_the_prefix_and_a_user_who_may_not_write_are_told_apart(t *testing.T) {
	t.Parallel()
	box, env := newSite(t, creatiobox.Options{Layout: creatiobox.Core})
	box.Deny("ada", "Contact", "insert")
	r, out, err := run(t, env)
	if err != nil {
		t.Error(err)
	}
	wantAnswers(t, r, out, map[string]string{
		"Is its OData service below /0 (.NET Framework)?": "no",
		"May the user create a contact?":                  "no",
	})
}

func TestA_wrong_password_is_tried_once(t *testing.T) {
	t.Parallel()
	box, env := newSite(t, creatiobox.Options{})
	env["CREATIO_PASSWORD"] = "wrong"
	_, _, err := run(t, env)
	if err == nil || strings.Contains(err.Error(), "wrong ") {
		t.Errorf("the error is %v", err)
	}
	logins := 0
	for _, r := range box.Requests() {
		if strings.HasSuffix(r.Path, "/AuthService.svc/Login") {
			logins++
		}
	}
	if logins != 1 {
		t.Errorf("it was tried %d times", logins)
	}
}

func TestAn_account_is_asked_everything_and_keeps_nothing(t *testing.T) {
	t.Parallel()
	box, env := newGoogle(t, contactsScope, eventsScope)
	function := httptest.NewServer(http.NotFoundHandler())
	t.Cleanup(function.Close)
	env["PUBLIC_URL"] = function.URL
	r, out, err := run(t, env)
	if err != nil {
		t.Error(err)
	}
	wantAnswers(t, r, out, map[string]string{
		"May the account's contacts be read?":                  "yes",
		"May its contact groups be read?":                      "yes",
		"May the account's calendar be read?":                  "yes",
		"Does the calendar tell its time zone?":                "yes",
		"Does a batch of the calendar take 50 parts?":          "yes",
		"May an event be created?":                             "yes",
		"Does an event keep the id that it is given?":          "yes",
		"Is a second event with the same id refused?":          "yes",
		"Is the scratch event removed?":                        "yes",
		"Is a deleted event still told of, as cancelled?":      "yes",
		"Can calendar-push be reached?":                        "yes",
		"Does the list of contacts end with a sync token?":     "yes",
		"May a contact be created?":                            "yes",
		"Does a contact keep the clientData that it is given?": "yes",
		askedDelta: "yes", askedGroup: "yes", askedBatch: "yes", askedClientData: "?", askedQuota: "?",
		"Is the scratch contact removed?": "yes",
		"Is the scratch group removed?":   "yes",
	})
	if left := box.Account(ada).People(); len(left) != 0 {
		t.Errorf("%d people are left", len(left))
	}
	if strings.Contains(out, "?  ") && !strings.Contains(out, "GOOGLE_OTHER_ACCESS_TOKEN") {
		t.Errorf("what is not answered is not explained: %s", out)
	}
	for _, req := range box.Requests() {
		if req.Status >= 500 {
			t.Errorf("%s %s was answered %d", req.Method, req.Path, req.Status)
		}
	}
}

func TestAn_account_without_the_calendar_is_told_so(t *testing.T) {
	t.Parallel()
	_, env := newGoogle(t, contactsScope)
	r, out, err := run(t, env)
	if err != nil {
		t.Error(err)
	}
	wantAnswers(t, r, out, map[string]string{"May the account's contacts be read?": "yes", "May the account's calendar be read?": "no", "May an event be created?": ""})
}

func TestNothing_to_ask_and_a_dead_site_are_errors(t *testing.T) {
	t.Parallel()
	if _, _, err := run(t, nil); err == nil {
		t.Error("nobody is asked, and all is well")
	}
	server := httptest.NewServer(http.NotFoundHandler())
	server.Close()
	if _, _, err := run(t, map[string]string{"CREATIO_URL": server.URL, "CREATIO_ACCESS_TOKEN": "a-token"}); err == nil || strings.Contains(err.Error(), "a-token") {
		t.Errorf("a site that does not answer: %v", err)
	}
}

// What one client of the account cannot tell is answered by another one, and by the project.
func TestWhat_another_client_and_the_project_can_tell_is_asked_of_them(t *testing.T) {
	t.Parallel()
	box, env := newGoogle(t, contactsScope, eventsScope)
	door := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if strings.HasPrefix(r.URL.Path, "/v1beta1/projects/p/services/people.googleapis.com/") {
			w.Header().Set("Content-Type", "application/json")
			_, _ = w.Write([]byte(`{"metrics":[{"displayName":"Read requests","consumerQuotaLimits":[{"unit":"1/min/{project}","quotaBuckets":[{"effectiveLimit":"2400"}]}]}]}`))
			return
		}
		box.ServeHTTP(w, r)
	}))
	t.Cleanup(door.Close)
	env["GOOGLE_ENDPOINT"] = door.URL
	env["GOOGLE_OTHER_ACCESS_TOKEN"] = env["GOOGLE_ACCESS_TOKEN"]
	env["GOOGLE_CLOUD_PROJECT"], env["GOOGLE_CLOUD_ACCESS_TOKEN"] = "p", "cloud-token"
	r, out, err := run(t, env)
	if err != nil {
		t.Error(err)
	}
	wantAnswers(t, r, out, map[string]string{askedClientData: "yes", askedQuota: "yes"})
	if !strings.Contains(out, "Read requests per 1/min/{project}: 2400") || strings.Contains(out, "cloud-token") {
		t.Errorf("it prints %s", out)
	}
	env["GOOGLE_OTHER_ACCESS_TOKEN"], env["GOOGLE_CLOUD_PROJECT"] = "of-nobody", "another"
	r, out, err = run(t, env)
	if err != nil {
		t.Error(err)
	}
	wantAnswers(t, r, out, map[string]string{askedClientData: "?", askedQuota: "no"})
	if n := len(box.Account(ada).People()); n != 0 {
		t.Errorf("%d people are left", n)
	}
}
