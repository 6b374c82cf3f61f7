package google

import (
	"encoding/json"
	"errors"
	"net/http"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"golang.org/x/oauth2"
	gcal "google.golang.org/api/calendar/v3"
	"google.golang.org/api/googleapi"
	"google.golang.org/api/option"
)

const (
	bob    = "bob@example.com"
	cleo   = "cleo@example.com"
	events = scopePrefix + "calendar.events"
)

// newCalendars is a simulated Google with three users, whose calendars are Berlin's.
func newCalendars(t *testing.T, o Options) *world {
	t.Helper()
	w := newWorld(t, o)
	w.AddUser(User{Email: bob, Name: "Bob Stone", HostedDomain: "example.com", EmailVerified: true})
	w.AddUser(User{Email: cleo, Name: "Cleo Marsh", HostedDomain: "example.com", EmailVerified: true})
	for _, email := range []string{ann, bob, cleo} {
		w.Calendar(email).SetTimeZone("Europe/Berlin")
	}
	return w
}

// signIn signs somebody in.
func (w *world) signIn(email string, scopes ...string) *oauth2.Token {
	w.t.Helper()
	w.AutoConsent(email)
	c := w.config(scopes...)
	code := w.open(c.AuthCodeURL("state", oauth2.AccessTypeOffline, oauth2.ApprovalForce)).Get("code")
	token, err := c.Exchange(w.context(), code)
	if err != nil {
		w.t.Fatal(err)
	}
	return token
}

// events is Google's own client library, signed in as somebody.
func (w *world) events(email string) *gcal.Service {
	w.t.Helper()
	client := w.config().Client(w.context(), w.signIn(email, events))
	api, err := gcal.NewService(w.t.Context(), option.WithHTTPClient(client), option.WithEndpoint(w.url+"/calendar/v3/"))
	if err != nil {
		w.t.Fatal(err)
	}
	return api
}

// at is a time in Berlin, as a client writes one.
func at(text string) *gcal.EventDateTime {
	return &gcal.EventDateTime{DateTime: text + ":00", TimeZone: "Europe/Berlin"}
}

func on(date string) *gcal.EventDateTime { return &gcal.EventDateTime{Date: date} }

func meeting(title, start, end string, guests ...string) *gcal.Event {
	e := &gcal.Event{Summary: title, Start: at(start), End: at(end)}
	for _, g := range guests {
		e.Attendees = append(e.Attendees, &gcal.EventAttendee{Email: g})
	}
	return e
}

// wantReason checks what a refusal of the Calendar API says.
func wantReason(t *testing.T, err error, code int, domain, reason string) {
	t.Helper()
	e, ok := errors.AsType[*googleapi.Error](err)
	if !ok {
		t.Errorf("got %v, want status %d", err, code)
		return
	}
	var body struct {
		Error struct {
			Code   int
			Errors []struct{ Domain, Reason string }
		}
	}
	if json.Unmarshal([]byte(e.Body), &body) != nil || e.Code != code || len(body.Error.Errors) != 1 ||
		body.Error.Errors[0].Domain != domain || body.Error.Errors[0].Reason != reason {
		t.Errorf("got %d %s, want %d %s %s", e.Code, e.Body, code, domain, reason)
	}
}

func TestAnEventIsMadeAndRead(t *testing.T) {
	t.Parallel()
	w := newCalendars(t, Options{})
	api := w.events(ann)
	made := must(api.Events.Insert("primary", &gcal.Event{
		Id: "abc123", Summary: "Review", Location: "Room 4", Start: at("2026-03-02T09:00"), End: at("2026-03-02T10:00"),
	}).SendUpdates("none").Do())(t)
	if made.ICalUID != "abc123@google.com" || made.Status != "confirmed" || made.EventType != "default" || made.Sequence != 0 || !made.Reminders.UseDefault ||
		!made.Organizer.Self || made.Creator.Email != ann || made.Start.DateTime != "2026-03-02T09:00:00+01:00" || made.Start.TimeZone != "Europe/Berlin" ||
		made.Etag == "" || made.HtmlLink == "" || made.Created == "" || made.Updated == "" {
		t.Errorf("made %s", encode(made))
	}
	for _, calendar := range []string{"primary", ann} {
		if got := must(api.Events.Get(calendar, "abc123").Do())(t); got.Etag != made.Etag {
			t.Errorf("in %s, got %s", calendar, encode(got))
		}
	}
	if got := must(api.Events.Get("primary", "abc123").TimeZone("America/New_York").Do())(t); got.Start.DateTime != "2026-03-02T03:00:00-05:00" {
		t.Errorf("in New York, it starts at %s", got.Start.DateTime)
	}
	if got := must(api.Events.Get("primary", "abc123").Fields("id", "start/dateTime").Do())(t); got.Summary != "" || got.Start.DateTime == "" || got.Start.TimeZone != "" {
		t.Errorf("of two fields, got %s", encode(got))
	}
	_, err := api.Events.Get("primary", "abc123").IfNoneMatch(made.Etag).Do()
	if !googleapi.IsNotModified(err) {
		t.Errorf("unchanged, got %v", err)
	}
	_, err = api.Events.Get(bob, "abc123").Do()
	wantReason(t, err, 404, "global", "notFound")
	_, err = w.events(bob).Events.Get("primary", "abc123").Do()
	wantReason(t, err, 404, "global", "notFound")
	if got := w.Violations(); len(got) > 0 {
		t.Error(got)
	}
}

func TestIDsOfEvents(t *testing.T) {
	t.Parallel()
	w := newCalendars(t, Options{})
	api := w.events(ann)
	insert := func(id string) error {
		e := meeting("Review", "2026-03-02T09:00", "2026-03-02T10:00")
		e.Id = id
		_, err := api.Events.Insert("primary", e).Do()
		return err
	}
	for _, id := range []string{"abcd", "abcdz", "ABCDE", "abc_de", strings.Repeat("a", 1025)} {
		wantReason(t, insert(id), 400, "global", "invalid")
	}
	if err := insert("abc123"); err != nil {
		t.Fatal(err)
	}
	wantReason(t, insert("abc123"), 409, "global", "duplicate")
	if err := api.Events.Delete("primary", "abc123").Do(); err != nil {
		t.Fatal(err)
	}
	wantReason(t, insert("abc123"), 409, "global", "duplicate")
	wantReason(t, api.Events.Delete("primary", "abc123").Do(), 410, "global", "deleted")
	wantReason(t, api.Events.Delete("primary", "never1").Do(), 404, "global", "notFound")
	if got := must(api.Events.Get("primary", "abc123").Do())(t); got.Status != "cancelled" || got.Summary != "" {
		t.Errorf("deleted, got %s", encode(got))
	}
	w.Calendar(ann).Purge("abc123")
	wantReason(t, insert("abc123"), 409, "global", "duplicate")
	_, err := api.Events.Get("primary", "abc123").Do()
	wantReason(t, err, 404, "global", "notFound")
}

func TestADeletedEventComesBackWithAllItHad(t *testing.T) {
	t.Parallel()
	w := newCalendars(t, Options{})
	api := w.events(ann)
	e := meeting("Review", "2026-03-02T09:00", "2026-03-02T10:00", bob)
	e.ConferenceData = &gcal.ConferenceData{CreateRequest: &gcal.CreateConferenceRequest{RequestId: "r1"}}
	made := must(api.Events.Insert("primary", e).ConferenceDataVersion(1).Do())(t)
	if made.HangoutLink == "" {
		t.Error("no link to meet was made")
	}
	if err := api.Events.Delete("primary", made.Id).Do(); err != nil {
		t.Fatal(err)
	}
	if w.Calendar(bob).Event(made.Id) != nil {
		t.Error("the guest still has the event")
	}
	_, err := api.Events.Patch("primary", made.Id, &gcal.Event{Summary: "Retro"}).Do()
	wantReason(t, err, 403, "global", "forbidden")
	back := must(api.Events.Patch("primary", made.Id, &gcal.Event{Status: "confirmed"}).Do())(t)
	if back.HangoutLink != made.HangoutLink || len(back.Attendees) != 1 || w.Calendar(bob).Event(made.Id) == nil {
		t.Errorf("came back as %s", encode(back))
	}
}

func TestAnEventIsChangedOnlyInTheVersionThatWasRead(t *testing.T) {
	t.Parallel()
	w := newCalendars(t, Options{})
	api := w.events(ann)
	made := must(api.Events.Insert("primary", meeting("Review", "2026-03-02T09:00", "2026-03-02T10:00")).Do())(t)
	w.clock.pass(time.Minute)
	w.Calendar(ann).Edit(made.Id, func(e *gcal.Event) { e.Location = "Room 4" })
	patch := api.Events.Patch("primary", made.Id, &gcal.Event{Summary: "Retro"})
	patch.Header().Set("If-Match", made.Etag)
	_, err := patch.Do()
	wantReason(t, err, 412, "global", "conditionNotMet")
	remove := api.Events.Delete("primary", made.Id)
	remove.Header().Set("If-Match", made.Etag)
	wantReason(t, remove.Do(), 412, "global", "conditionNotMet")
	now := must(api.Events.Get("primary", made.Id).Do())(t)
	if now.Updated == made.Updated || now.Sequence != 0 {
		t.Errorf("edited, got %s", encode(now))
	}
	patch.Header().Set("If-Match", now.Etag)
	if got := must(patch.Do())(t); got.Summary != "Retro" || got.Location != "Room 4" || got.Etag == now.Etag {
		t.Errorf("patched, got %s", encode(got))
	}
}

func TestATimeAndADateTakeTurns(t *testing.T) {
	t.Parallel()
	w := newCalendars(t, Options{})
	api := w.events(ann)
	made := must(api.Events.Insert("primary", meeting("Trip", "2026-03-02T09:00", "2026-03-02T10:00")).Do())(t)
	patch := func(start, end *gcal.EventDateTime) (*gcal.Event, error) {
		return api.Events.Patch("primary", made.Id, &gcal.Event{Start: start, End: end}).Do()
	}
	_, err := patch(on("2026-03-02"), on("2026-03-03"))
	wantReason(t, err, 400, "global", "invalid")
	day := func(date string) *gcal.EventDateTime {
		return &gcal.EventDateTime{Date: date, NullFields: []string{"DateTime", "TimeZone"}}
	}
	if got := must(patch(day("2026-03-02"), day("2026-03-03")))(t); got.Start.Date != "2026-03-02" || got.Start.DateTime != "" || got.Sequence != 1 {
		t.Errorf("all day, got %s", encode(got))
	}
	_, err = patch(at("2026-03-02T09:00"), nil)
	wantReason(t, err, 400, "global", "invalid")
	timed := func(text string) *gcal.EventDateTime {
		e := at(text)
		e.NullFields = []string{"Date"}
		return e
	}
	_, err = patch(timed("2026-03-02T09:00"), nil)
	wantReason(t, err, 400, "global", "invalid")
	if got := must(patch(timed("2026-03-02T09:00"), timed("2026-03-02T10:00")))(t); got.Start.DateTime != "2026-03-02T09:00:00+01:00" || got.Start.Date != "" {
		t.Errorf("timed again, got %s", encode(got))
	}
}

func TestTimesThatAreNone(t *testing.T) {
	t.Parallel()
	w := newCalendars(t, Options{})
	api := w.events(ann)
	insert := func(start, end *gcal.EventDateTime, recurrence ...string) (*gcal.Event, error) {
		return api.Events.Insert("primary", &gcal.Event{Summary: "Review", Start: start, End: end, Recurrence: recurrence}).Do()
	}
	nine, ten := at("2026-03-02T09:00"), at("2026-03-02T10:00")
	bare := &gcal.EventDateTime{DateTime: "2026-03-02T09:00:00Z"}
	_, err := insert(ten, nine)
	wantReason(t, err, 400, "calendar", "timeRangeEmpty")
	_, err = insert(nine, on("2026-03-02"))
	wantReason(t, err, 400, "global", "invalid")
	_, err = insert(&gcal.EventDateTime{DateTime: "2026-03-02T09:00:00"}, ten)
	wantReason(t, err, 400, "global", "required")
	_, err = insert(&gcal.EventDateTime{DateTime: "2026-03-02T09:00:00", TimeZone: "Mars/Olympus"}, ten)
	wantReason(t, err, 400, "global", "invalid")
	_, err = insert(bare, bare, "RRULE:FREQ=DAILY")
	wantReason(t, err, 400, "global", "required")
	_, err = insert(nine, ten, "RRULE:FREQ=HOURLY")
	wantReason(t, err, 400, "global", "invalid")
	_, err = insert(nine, ten, "FREQ=DAILY")
	wantReason(t, err, 400, "global", "invalid")
	if got := must(insert(bare, bare))(t); got.Start.TimeZone != "Europe/Berlin" || got.Start.DateTime != "2026-03-02T10:00:00+01:00" {
		t.Errorf("without a zone, got %s", encode(got.Start))
	}
	if got := must(insert(on("2022-05-17"), on("2022-05-17")))(t); got.End.Date != "2022-05-17" {
		t.Errorf("of one day, got %s", encode(got))
	}
	list := must(api.Events.List("primary").TimeMin("2022-05-17T10:00:00Z").TimeMax("2022-05-17T11:00:00Z").Do())(t)
	if len(list.Items) != 1 {
		t.Errorf("that day has %d events", len(list.Items))
	}
}

func TestAPatchLeavesTheRest(t *testing.T) {
	t.Parallel()
	w := newCalendars(t, Options{})
	api := w.events(ann)
	id := w.Calendar(ann).Add(&gcal.Event{
		Summary: "Review", Start: at("2026-03-02T09:00"), End: at("2026-03-02T10:00"), ColorId: "5", Visibility: "private", Transparency: "transparent",
		Attendees:   []*gcal.EventAttendee{{Email: "room@resource.example.com", Resource: true, ResponseStatus: "accepted"}, {Email: bob}},
		Attachments: []*gcal.EventAttachment{{FileUrl: "https://drive.example.com/1", Title: "Agenda"}},
		ConferenceData: &gcal.ConferenceData{
			ConferenceId: "c1", EntryPoints: []*gcal.EntryPoint{{EntryPointType: "video", Uri: "https://meet.example.com/c1"}},
		},
		ExtendedProperties: &gcal.EventExtendedProperties{Private: map[string]string{"a": "1", "b": "2"}, Shared: map[string]string{"c": "3"}},
		Source:             &gcal.EventSource{Title: "Page", Url: "https://www.example.com"},
	})
	before := w.Calendar(ann).Event(id)
	if len(before.Attendees) != 3 || !before.Attendees[0].Self || !before.Attendees[0].Organizer {
		t.Errorf("the pages made %s", encode(before))
	}
	patch := &gcal.Event{
		Summary: "Retro", Attachments: []*gcal.EventAttachment{}, ForceSendFields: []string{"Attachments"},
		ExtendedProperties: &gcal.EventExtendedProperties{Private: map[string]string{"d": "4"}, NullFields: []string{"Private.a"}},
		NullFields:         []string{"ConferenceData"},
	}
	if _, err := api.Events.Patch("primary", id, patch).Do(); err != nil {
		t.Fatal(err)
	}
	after := w.Calendar(ann).Event(id)
	want := *before
	want.Summary, want.Etag, want.ExtendedProperties = "Retro", after.Etag, after.ExtendedProperties
	if diff := cmp.Diff(encode(&want), encode(after)); diff != "" {
		t.Error(diff)
	}
	if diff := cmp.Diff(map[string]string{"b": "2", "d": "4"}, after.ExtendedProperties.Private); diff != "" || after.ExtendedProperties.Shared["c"] != "3" {
		t.Error(diff)
	}
	if got := must(api.Events.Patch("primary", id, patch).SupportsAttachments(true).ConferenceDataVersion(1).Do())(t); got.Attachments != nil || got.ConferenceData != nil {
		t.Errorf("with support for them, got %s", encode(got))
	}
	updated := must(api.Events.Update("primary", id, meeting("New", "2026-03-02T09:00", "2026-03-02T10:00")).Do())(t)
	if updated.ColorId != "" || updated.Attendees != nil || updated.ExtendedProperties != nil || updated.ICalUID != before.ICalUID {
		t.Errorf("updated, got %s", encode(updated))
	}
	_, err := api.Events.Update("primary", id, &gcal.Event{Summary: "X", Sequence: -1, Start: at("2026-03-02T09:00"), End: at("2026-03-02T10:00")}).Do()
	wantReason(t, err, 400, "global", "invalid")
}

func TestLimitsOfAnEvent(t *testing.T) {
	t.Parallel()
	w := newCalendars(t, Options{})
	api := w.events(ann)
	insert := func(change func(*gcal.Event)) (*gcal.Event, error) {
		e := meeting("Review", "2026-03-02T09:00", "2026-03-02T10:00")
		change(e)
		return api.Events.Insert("primary", e).SupportsAttachments(true).Do()
	}
	for name, change := range map[string]func(*gcal.Event){
		"description": func(e *gcal.Event) { e.Description = strings.Repeat("é", 8193) },
		"attachments": func(e *gcal.Event) {
			e.Attachments = slices.Repeat([]*gcal.EventAttachment{{FileUrl: "https://www.example.com"}}, 26)
		},
		"exceptions": func(e *gcal.Event) { e.Recurrence = slices.Repeat([]string{"EXDATE:20260302T090000Z"}, 800) },
		"visibility": func(e *gcal.Event) { e.Visibility = "secret" },
		"color":      func(e *gcal.Event) { e.ColorId = "12" },
		"status":     func(e *gcal.Event) { e.Status = "cancelled" },
		"guest":      func(e *gcal.Event) { e.Attendees = []*gcal.EventAttendee{{Email: "nobody"}} },
		"answer":     func(e *gcal.Event) { e.Attendees = []*gcal.EventAttendee{{Email: bob, ResponseStatus: "perhaps"}} },
	} {
		_, err := insert(change)
		t.Run(name, func(t *testing.T) { wantReason(t, err, 400, "global", "invalid") })
	}
	properties := map[string]string{"k": strings.Repeat("v", 1100), strings.Repeat("k", 45): "dropped"}
	got := must(insert(func(e *gcal.Event) {
		e.Description = strings.Repeat("é", 8192)
		e.ExtendedProperties = &gcal.EventExtendedProperties{Private: properties}
	}))(t)
	if p := got.ExtendedProperties.Private; len(p) != 1 || len(p["k"]) != 1024 {
		t.Errorf("got properties %v", p)
	}
}

func TestTypesOfEvents(t *testing.T) {
	t.Parallel()
	w := newCalendars(t, Options{})
	api := w.events(ann)
	_, err := api.Events.Insert("primary", &gcal.Event{EventType: "fromGmail", Start: on("2026-03-02"), End: on("2026-03-03")}).Do()
	wantReason(t, err, 400, "calendar", "eventTypeRestriction")
	cal := w.Calendar(ann)
	mailed := cal.Add(&gcal.Event{Summary: "Flight", EventType: "fromGmail", Start: at("2026-03-02T09:00"), End: at("2026-03-02T10:00")})
	birthday := cal.Add(&gcal.Event{Summary: "Bob", EventType: "birthday", Recurrence: []string{"RRULE:FREQ=YEARLY"}, Start: on("2026-03-02"), End: on("2026-03-03")})
	focus := cal.Add(&gcal.Event{Summary: "Focus", EventType: "focusTime", Start: at("2026-03-02T09:00"), End: at("2026-03-02T10:00")})
	for _, id := range []string{mailed, birthday} {
		_, err = api.Events.Patch("primary", id, &gcal.Event{Description: "New"}).Do()
		wantReason(t, err, 400, "calendar", "eventTypeRestriction")
		if _, err := api.Events.Patch("primary", id, &gcal.Event{ColorId: "3"}).Do(); err != nil {
			t.Error(err)
		}
	}
	wantReason(t, api.Events.Delete("primary", birthday).Do(), 400, "calendar", "eventTypeRestriction")
	_, err = api.Events.Patch("primary", focus, &gcal.Event{EventType: "default"}).Do()
	wantReason(t, err, 400, "calendar", "eventTypeRestriction")
	list := must(api.Events.List("primary").EventTypes("focusTime", "birthday").Do())(t)
	if len(list.Items) != 2 {
		t.Errorf("of two types, got %s", encode(list.Items))
	}
	locked := cal.Add(&gcal.Event{Summary: "Locked", Locked: true, Start: at("2026-03-02T09:00"), End: at("2026-03-02T10:00")})
	_, err = api.Events.Patch("primary", locked, &gcal.Event{Summary: "Open"}).Do()
	wantReason(t, err, 403, "global", "forbidden")
}

func TestTheCalendarItself(t *testing.T) {
	t.Parallel()
	w := newCalendars(t, Options{})
	token := w.signIn(ann, scopePrefix+"calendar")
	for path, says := range map[string]string{
		"/calendars/primary": `"timeZone":"Europe/Berlin"`, "/users/me/calendarList/primary": `"accessRole":"owner"`,
		"/users/me/settings/timezone": `"value":"Europe/Berlin"`,
	} {
		if status, body := w.call(token, http.MethodGet, "/calendar/v3"+path, ""); status != http.StatusOK || !strings.Contains(body, says) {
			t.Errorf("%s: got %d %s", path, status, body)
		}
	}
	_, err := w.events(ann).Calendars.Get("primary").Do()
	wantReason(t, err, 403, "global", "insufficientPermissions")
}
