package web

import (
	"bytes"
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"maps"
	"net/http"
	"net/http/httptest"
	"net/url"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/tandem-sync/tandem/shared/contact"
	"github.com/tandem-sync/tandem/shared/fault"
	"github.com/tandem-sync/tandem/shared/record"
	"github.com/tandem-sync/tandem/shared/store"
)

var update = flag.Bool("update", false, "write the golden files")

const (
	public  = "https://tandem.example.com"
	secret  = "what-the-browser-keeps"
	goodTag = "0b5b0a1e-6f0c-4b53-9d3c-7f1f4f1f0a01"
)

var noon = time.Date(2026, 3, 4, 12, 0, 0, 0, time.UTC)

// fakeService is one user, "anna", and notes what was asked of it.
type fakeService struct {
	account Account
	tags    []Tag
	runs    []store.Run
	session string
	outcome Outcome
	// side is where the last linking came back to.
	side record.Side
	// overview is what anna sees while she is an administrator.
	overview Overview

	// errs are the errors of the calls, by name.
	errs  map[string]error
	calls []string
	saved ContactsSettings
	// split is the side that an undo split off, by link.
	split map[string]record.Side
	// undone are what was asked to be undone.
	undone []store.Undo
	// doubts are what waits for anna's word, said what she said, settled of which types.
	doubts  []Doubt
	said    []Verdict
	settled []record.Type
	// tokens are anna's access tokens, by their secret.
	tokens map[string]AccessToken
}

func (f *fakeService) call(name, user string) error {
	f.calls = append(f.calls, name)
	if user != "anna" && name != "BeginGoogle" && name != "FinishLink" {
		return store.ErrNotFound
	}
	return f.errs[name]
}

func (f *fakeService) BeginGoogle(_ context.Context, browser string) (Begun, error) {
	return Begun{"https://accounts.example.com/consent", browser + "+google"}, f.call("BeginGoogle", "")
}

func (f *fakeService) AgainGoogle(_ context.Context, user, browser string) (Begun, error) {
	return Begun{"https://accounts.example.com/consent?login_hint=anna", browser + "+google"}, f.call("AgainGoogle", user)
}

func (f *fakeService) BeginCreatio(_ context.Context, user, browser string) (Begun, error) {
	return Begun{"https://creatio.example.com/consent", browser + "+creatio"}, f.call("BeginCreatio", user)
}

func (f *fakeService) LinkPassword(_ context.Context, user, username, password string) error {
	if err := f.call("LinkPassword", user); err != nil {
		return err
	}
	if username != "anna.example" || password != "right" {
		return fault.New(fault.Reconnect, "creatio", "wrong-password", errors.New("log in: code 1"))
	}
	return nil
}

func (f *fakeService) FinishLink(_ context.Context, side record.Side, browser string, query url.Values) (Outcome, error) {
	f.side = side
	if err := f.call("FinishLink", ""); err != nil {
		return Outcome{}, err
	}
	if browser != secret || query.Get("state") != "known" {
		return Outcome{}, ErrState
	}
	return f.outcome, nil
}

func (f *fakeService) Session(_ context.Context, user string) (string, error) {
	return f.session, f.call("Session", user)
}

func (f *fakeService) SignOut(_ context.Context, user string) error {
	f.session += "+"
	return f.call("SignOut", user)
}

func (f *fakeService) Account(_ context.Context, user string) (Account, error) {
	return f.account, f.call("Account", user)
}

func (f *fakeService) Tags(_ context.Context, user string) ([]Tag, error) {
	return f.tags, f.call("Tags", user)
}

func (f *fakeService) PutContacts(_ context.Context, user string, s ContactsSettings, only Precondition[ContactsSettings]) (Account, error) {
	if only != nil && !only(f.account.Contacts.ContactsSettings) {
		return Account{}, ErrChanged
	}
	if err := f.call("PutContacts", user); err != nil {
		return Account{}, err
	}
	f.saved, f.account.Contacts.ContactsSettings = s, s
	return f.account, nil
}

func (f *fakeService) PutActivities(_ context.Context, user string, s ActivitiesSettings, only Precondition[ActivitiesSettings]) (Account, error) {
	if only != nil && !only(f.account.Activities.ActivitiesSettings) {
		return Account{}, ErrChanged
	}
	if err := f.call("PutActivities", user); err != nil {
		return Account{}, err
	}
	f.account.Activities.ActivitiesSettings = s
	return f.account, nil
}

func (f *fakeService) SyncNow(_ context.Context, user string, _ record.Type) (string, error) {
	return "run-new", f.call("SyncNow", user)
}

func (f *fakeService) SyncPreview(_ context.Context, user string, _ record.Type, preview string) (string, error) {
	return "run-new", f.call("SyncPreview "+preview, user)
}

func (f *fakeService) Search(_ context.Context, user, name, _ string) (Found, error) {
	var out Found
	for _, r := range f.runs {
		r.Changes = slices.DeleteFunc(slices.Clone(r.Changes), func(c store.Change) bool { return !strings.Contains(c.Record, name) })
		if len(r.Changes) > 0 {
			out.Runs = append(out.Runs, r)
		}
	}
	return out, f.call("Search", user)
}

func (f *fakeService) Preview(_ context.Context, user string, t record.Type) (store.Run, error) {
	return store.Run{ID: "run-new", Type: t, Trigger: "preview", Status: "preview"}, f.call("Preview", user)
}

func (f *fakeService) Decide(_ context.Context, user, held string, _ bool) (string, error) {
	if held == "run-0" {
		return "", ErrReplaced
	}
	if held != "run-1" {
		return "", ErrNotHeld
	}
	return "run-new", f.call("Decide", user)
}

func (f *fakeService) Undo(_ context.Context, user string, what store.Undo) (string, error) {
	if what.Run == "run-3" {
		return "", ErrNotUndoable
	}
	if what.Run != "run-2" {
		return "", store.ErrNotFound
	}
	f.undone = append(f.undone, what)
	return "run-new", f.call("Undo", user)
}

func (f *fakeService) Doubts(_ context.Context, user string, _ record.Type, limit int) ([]Doubt, error) {
	return f.doubts[:min(limit, len(f.doubts))], f.call("Doubts", user)
}

func (f *fakeService) Settle(_ context.Context, user string, t record.Type, v Verdict) error {
	f.settled = append(f.settled, t)
	f.said = append(f.said, v)
	return f.call("Settle", user)
}

func (f *fakeService) Unlink(_ context.Context, user string, side record.Side) error {
	return f.call("Unlink "+string(side), user)
}

func (f *fakeService) Erase(_ context.Context, user string) error { return f.call("Erase", user) }

func (f *fakeService) Export(_ context.Context, user string) (any, error) {
	return map[string]any{"profile": f.account}, f.call("Export", user)
}

func (f *fakeService) Runs(_ context.Context, user string, _ record.Type, limit int, before string) ([]store.Run, error) {
	if err := f.call("Runs", user); err != nil {
		return nil, err
	}
	var out []store.Run
	for _, r := range f.runs {
		if (before == "" || r.ID < before) && len(out) < limit {
			r.Changes = nil
			out = append(out, r)
		}
	}
	return out, nil
}

func (f *fakeService) Run(_ context.Context, user, run string) (store.Run, error) {
	if err := f.call("Run", user); err != nil {
		return store.Run{}, err
	}
	for _, r := range f.runs {
		if r.ID == run {
			return r, nil
		}
	}
	return store.Run{}, store.ErrNotFound
}

func (f *fakeService) SplitByUndo(_ context.Context, user string, _ record.Type, changes []store.Change) (map[string]record.Side, error) {
	out := map[string]record.Side{}
	for _, c := range changes {
		if s := f.split[c.Link]; s != "" {
			out[c.Link] = s
		}
	}
	return out, f.call("SplitByUndo", user)
}

func (f *fakeService) Overview(_ context.Context, user string, t record.Type, after string) (Overview, error) {
	if err := f.call("Overview "+string(t)+" "+after, user); err != nil || !f.account.Admin {
		return Overview{}, errors.Join(err, store.ErrNotFound)
	}
	return f.overview, nil
}

func (f *fakeService) FindUsers(_ context.Context, user string, _ record.Type, address string) ([]UserStatus, error) {
	if !f.account.Admin {
		return nil, store.ErrNotFound
	}
	return slices.DeleteFunc(slices.Clone(f.overview.Users), func(u UserStatus) bool { return u.Email != address }), f.call("FindUsers", user)
}

func (f *fakeService) PauseUser(_ context.Context, admin, user string, pause bool) error {
	if !f.account.Admin {
		return store.ErrNotFound
	}
	return f.call(fmt.Sprintf("PauseUser %s %t", user, pause), admin)
}

func (f *fakeService) Order(_ context.Context, user string, t record.Type, o Order) error {
	if !f.account.Admin || t != record.Contacts {
		return store.ErrNotFound
	}
	return f.call("Order "+string(o), user)
}

// writes counts the calls that change something.
func (f *fakeService) writes() int {
	n := 0
	for _, c := range f.calls {
		switch strings.TrimSuffix(c, " run-2") {
		case "SyncPreview", "LinkPassword", "SignOut", "PutContacts", "PutActivities", "SyncNow", "Decide", "Undo", "Settle", "Unlink google", "Unlink creatio", "Erase",
			"MakeAccessToken", "RevokeAccessToken", "PauseUser anna true", "PauseUser anna false", "Order pause", "Order resume", "Order run":
			n++
		}
	}
	return n
}

// plainSealer marks what it seals with its context, and opens nothing else.
type plainSealer struct{ err error }

func (p plainSealer) Seal(plain []byte, context string) ([]byte, error) {
	return append([]byte("sealed:"+context+":"), plain...), p.err
}

func (p plainSealer) Open(sealed []byte, context string) ([]byte, error) {
	plain, ok := bytes.CutPrefix(sealed, []byte("sealed:"+context+":"))
	if !ok && p.err == nil {
		return nil, errors.New("open: message authentication failed")
	}
	return plain, p.err
}

func newFake() *fakeService {
	return &fakeService{
		tokens: map[string]AccessToken{
			"tandem_secret-1": {ID: "t1", Name: "Nightly backup", Scope: ScopeRead, CreatedAt: noon.Add(-time.Hour), ExpiresAt: noon.Add(24 * time.Hour), UsedAt: noon.Add(-time.Minute)},
			"tandem_secret-2": {ID: "t2", Name: "Deploy <script>", Scope: ScopeFull, CreatedAt: noon.Add(-time.Minute), ExpiresAt: noon.Add(48 * time.Hour)},
		},
		session: "s3", errs: map[string]error{}, outcome: Outcome{User: "anna", Session: "s3"},
		account: Account{
			ID:          "anna",
			Google:      GoogleAccount{Linked: true, Email: "anna@example.com", Scopes: []string{"contacts"}},
			Creatio:     CreatioAccount{Linked: true, URL: "https://creatio.example.com", User: "Anna Example", ContactID: "c1"},
			CreatioAuth: "user",
			Contacts: Contacts{
				ContactsSettings: ContactsSettings{Automatic: true, IntervalMinutes: 60, TagID: goodTag, Direction: "both", Conflicts: "latest"},
				State:            State{Status: "ok", LastSync: noon.Add(-time.Hour), NextSync: noon},
			},
			Activities: Activities{
				ActivitiesSettings: ActivitiesSettings{IntervalMinutes: 60, SyncFrom: "2026-02-25", Direction: "both", Conflicts: "latest", Deletions: "cancel", PrivateEvents: "busy", MonthsAhead: 3, Guests: "colleagues"},
				State:              State{Status: "never"},
			},
		},
		tags:     []Tag{{goodTag, "My clients", "freedom"}, {"0b5b0a1e-6f0c-4b53-9d3c-7f1f4f1f0a02", "Friends & family", "classic"}},
		runs:     sampleRuns(),
		overview: sampleOverview(),
	}
}

func sampleRuns() []store.Run {
	return []store.Run{
		{ID: "run-3", Type: record.Contacts, Trigger: "user", Status: "queued"},
		{
			ID: "run-2", Type: record.Contacts, Trigger: "schedule", Status: "partial",
			StartedAt: noon.Add(-time.Hour), FinishedAt: noon.Add(-time.Hour + 4*time.Second),
			Counts: store.Counts{
				Creatio: store.SideCounts{Created: 1}, Google: store.SideCounts{Updated: 1, Unlinked: 1},
				Conflicts: 1, Failed: 1, Calls: store.Calls{Creatio: 7, Google: 3},
			},
			Changes: []store.Change{
				{Side: record.Creatio, Action: "create", Record: "Bruno Sample", CreatioID: "c2", GoogleID: "people/2", Fields: []store.FieldChange{
					{Field: contact.GivenName, After: "Bruno", Rule: "created"},
					{Field: contact.Phones, After: "+1 202 555 0123 (mobile)", Rule: "created"},
				}},
				{Side: record.Google, Action: "update", Record: "<b>Clara</b>", CreatioID: "c3", GoogleID: "people/3", Fields: []store.FieldChange{
					{Field: contact.JobTitle, Before: "Clerk", After: "Head", Rule: "latest"},
					{Field: contact.Notes, Before: "two\nlines", Rule: "edit-kept"},
				}},
				{Side: record.Google, Action: "unlink", CreatioID: "c4", GoogleID: "people/4"},
			},
			Problems: []store.Problem{{
				Side: record.Google, Record: "Dora Test", CreatioID: "c5", GoogleID: "people/5",
				Code: "bad-record", Message: "Google refused this record as it is.", Action: "Open the record, correct it and save it; the other records are not affected.",
			}},
		},
		{
			ID: "run-1", Type: record.Contacts, Trigger: "schedule", Status: "held", StartedAt: noon.Add(-2 * time.Hour), FinishedAt: noon.Add(-2 * time.Hour),
			Counts: store.Counts{Creatio: store.SideCounts{Updated: 1}},
			Changes: []store.Change{
				{Side: record.Creatio, Action: "update", Record: "Anna Test", CreatioID: "c1", GoogleID: "people/1", Link: "l1", Fields: []store.FieldChange{
					{Field: contact.JobTitle, Before: "Clerk", After: "Head", Rule: "changed"},
				}},
				{Side: record.Google, Action: "unlink", Record: "Bert Test", CreatioID: "c2", GoogleID: "people/2", Waits: true, Fields: []store.FieldChange{
					{Field: "membership", Before: "group", Rule: "left"},
				}},
				{Side: record.Google, Action: "update", Record: "Clara Test", CreatioID: "c3", GoogleID: "people/3", Waits: true, Fields: []store.FieldChange{
					{Field: contact.JobTitle, Before: "Head", Rule: "changed"},
				}},
			},
			Problems: []store.Problem{{Code: "held-many", Message: "1 contact would leave the synchronization, and 1 contact would lose values, so Tandem asks you first. All other changes went ahead.", Action: "Review the changes: carry them out if that is what you want, or get back what went missing."}},
		},
		{
			ID: "run-0", Type: record.Contacts, Trigger: "schedule", Status: "replaced", StartedAt: noon.Add(-3 * time.Hour), FinishedAt: noon.Add(-3 * time.Hour),
			Changes: []store.Change{
				{Side: record.Creatio, Action: "unlink", Record: "Bert Test", CreatioID: "c2", GoogleID: "people/2", Waits: true, Fields: []store.FieldChange{
					{Field: "membership", Before: "private tag", Rule: "left"},
				}},
			},
		},
	}
}

// client sends requests to a site.
type client struct {
	*Site
	fake *fakeService
}

func newClient(t *testing.T, change ...func(*Options)) client {
	t.Helper()
	fake := newFake()
	o := Options{Service: fake, Sealer: plainSealer{}, PublicURL: public, Version: "1.2.3", Now: func() time.Time { return noon }}
	for _, f := range change {
		f(&o)
	}
	return client{New(o), fake}
}

type option func(*http.Request)

func (c client) do(method, target, body string, opts ...option) *http.Response {
	r := httptest.NewRequest(method, target, strings.NewReader(body))
	if method == http.MethodPost && !strings.Contains(target, "/api/") {
		r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	}
	for _, f := range opts {
		f(r)
	}
	w := httptest.NewRecorder()
	if strings.Contains(target, "oauth-callback") {
		c.Callback().ServeHTTP(w, r)
	} else {
		c.Settings().ServeHTTP(w, r)
	}
	return w.Result()
}

// signedIn makes the request one of anna's.
func (c client) signedIn(r *http.Request) {
	c.with(ticket{"anna", "s3", noon.Add(-5 * time.Minute), noon.Add(-5 * time.Minute)})(r)
}

// with gives the request a session of one's own making.
func (c client) with(t ticket) option {
	return func(r *http.Request) {
		w := httptest.NewRecorder()
		if err := c.carry(w, t); err != nil {
			panic(err)
		}
		for _, k := range w.Result().Cookies() {
			r.AddCookie(k)
		}
	}
}

func header(name, value string) option {
	return func(r *http.Request) { r.Header.Set(name, value) }
}

func cookie(name, value string) option {
	return func(r *http.Request) { r.AddCookie(&http.Cookie{Name: name, Value: value}) }
}

func body(t *testing.T, r *http.Response) string {
	t.Helper()
	b, err := io.ReadAll(r.Body)
	if err != nil {
		t.Fatalf("read body: %v", err)
	}
	return string(b)
}

func wantStatus(t *testing.T, r *http.Response, want int) {
	t.Helper()
	if r.StatusCode != want {
		t.Fatalf("status = %d, want %d; body:\n%s", r.StatusCode, want, body(t, r))
	}
}

func wantSeeOther(t *testing.T, r *http.Response, want string) {
	t.Helper()
	wantStatus(t, r, http.StatusSeeOther)
	if got := r.Header.Get("Location"); got != want {
		t.Errorf("Location = %q, want %q", got, want)
	}
}

// golden compares with a file of testdata.
func golden(t *testing.T, name, got string) {
	t.Helper()
	path := filepath.Join("testdata", name)
	if *update {
		if err := os.WriteFile(path, []byte(got), 0o644); err != nil {
			t.Fatal(err)
		}
		return
	}
	want, err := os.ReadFile(path)
	if err != nil {
		t.Fatalf("%v (run the tests with -update to write it)", err)
	}
	if diff := cmp.Diff(string(want), got); diff != "" {
		t.Errorf("%s (-want +got):\n%s", name, diff)
	}
}

func (f *fakeService) Bearer(_ context.Context, secret string) (Bearer, error) {
	t, known := f.tokens[secret]
	if !known {
		return Bearer{}, store.ErrNotFound
	}
	return Bearer{"anna", t.Scope}, f.call("Bearer", "anna")
}

func (f *fakeService) AccessTokens(_ context.Context, user string) (out []AccessToken, err error) {
	for _, secret := range slices.Sorted(maps.Keys(f.tokens)) {
		out = append(out, f.tokens[secret])
	}
	return out, f.call("AccessTokens", user)
}

func (f *fakeService) MakeAccessToken(_ context.Context, user string, r TokenRequest) (AccessToken, string, error) {
	t := AccessToken{ID: "t3", Name: r.Name, Scope: r.Scope, CreatedAt: noon, ExpiresAt: r.ExpiresAt}
	if err := f.call("MakeAccessToken", user); err != nil {
		return AccessToken{}, "", err
	}
	f.tokens["tandem_secret-3"] = t
	return t, "tandem_secret-3", nil
}

func (f *fakeService) RevokeAccessToken(_ context.Context, user, id string) error {
	for secret, t := range f.tokens {
		if t.ID == id {
			delete(f.tokens, secret)
			return f.call("RevokeAccessToken", user)
		}
	}
	return store.ErrNotFound
}
