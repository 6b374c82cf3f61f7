package calendar

import (
	"cmp"
	"encoding/json"
	"net/http"
	"net/mail"
	"reflect"
	"regexp"
	"slices"
	"strings"
	"unicode/utf8"

	"github.com/tandem-sync/tandem/shared/sandbox/google/calendar/rule"
)

const (
	// maxDescription, maxReminders, maxMinutes and maxAttachments are limits of an event.
	maxDescription = 8192
	maxReminders   = 5
	maxMinutes     = 40320
	maxAttachments = 25
	// maxKey, maxValue, maxProperties and maxPropertyBytes are limits of extended properties: longer keys are dropped,
	// longer values cut, more of them refused (https://developers.google.com/workspace/calendar/api/guides/extended-properties).
	maxKey           = 44
	maxValue         = 1024
	maxProperties    = 300
	maxPropertyBytes = 32 << 10
	// maxRecurrence is how many lines of recurrence, and how many bytes of them, an event has.
	maxRecurrence      = 500
	maxRecurrenceBytes = 16 << 10
)

// clientID is the form of ids that clients choose, in base32hex.
var clientID = regexp.MustCompile(`^[a-v0-9]+$`)

func validID(id string) bool { return len(id) >= 5 && len(id) <= 1024 && clientID.MatchString(id) }

// values are those that a field of text may have. The discovery document lists them in prose alone.
var values = map[string][]string{
	"status":       {"confirmed", "tentative", "cancelled"},
	"visibility":   {"default", "public", "private", "confidential"},
	"transparency": {"opaque", "transparent"},
	"eventType":    {"default", "birthday", "focusTime", "fromGmail", "outOfOffice", "workingLocation"},
	"colorId":      {"1", "2", "3", "4", "5", "6", "7", "8", "9", "10", "11"},
}

// made are fields that the service makes, or that no request changes. What a request has there is ignored.
var made = []string{
	"kind", "etag", "id", "htmlLink", "created", "updated", "creator", "organizer", "hangoutLink", "locked", "iCalUID", "sequence",
	"recurringEventId", "originalStartTime", "attendeesOmitted",
}

// body reads the event in a request.
func (k *call) body() (content, *Refusal) {
	var out content
	if err := json.Unmarshal(k.Body, &out); err != nil || out == nil {
		return nil, refuse("global", "parseError", "Parse Error")
	}
	if k.Query.Get("supportsAttachments") != "true" {
		delete(out, "attachments")
	}
	if k.Query.Get("conferenceDataVersion") != "1" {
		delete(out, "conferenceData")
	}
	return out, nil
}

// normal brings an event that was written into the form in which it is stored, or refuses it.
func (c *calendar) normal(event content) *Refusal {
	for _, check := range []func(*calendar, content) *Refusal{
		(*calendar).checkValues, (*calendar).checkTimes, (*calendar).checkGuests, (*calendar).checkReminders, (*calendar).checkProperties,
	} {
		if f := check(c, event); f != nil {
			return f
		}
	}
	return nil
}

func (c *calendar) checkValues(event content) *Refusal {
	for name, known := range values {
		if v, is := event[name].(string); is && !slices.Contains(known, v) {
			return invalid(name, "Invalid value for: %s is not a valid value", v)
		}
	}
	for _, one := range []struct{ name, otherwise string }{{"visibility", "default"}, {"transparency", "opaque"}} {
		if event[one.name] == one.otherwise {
			delete(event, one.name)
		}
	}
	for _, name := range []string{"summary", "description", "location", "colorId"} {
		if event[name] == "" {
			delete(event, name)
		}
	}
	list, _ := event["attachments"].([]any)
	if len(list) == 0 {
		delete(event, "attachments")
	}
	if utf8.RuneCountInString(text(event, "description")) > maxDescription || len(list) > maxAttachments {
		return tooLarge()
	}
	if create := object(object(event, "conferenceData"), "createRequest"); create != nil {
		event["conferenceData"] = conference(text(create, "requestId"))
	}
	return nil
}

// conference is a Meet link, as a client asks for one.
func conference(request string) content {
	code := []byte("abc-defg-hij")
	for i, n := 0, hash64("meet", request); i < len(code); i, n = i+1, n/26 {
		if code[i] != '-' {
			code[i] = byte('a' + n%26)
		}
	}
	return content{
		"conferenceId":       string(code),
		"conferenceSolution": content{"key": content{"type": "hangoutsMeet"}, "name": "Google Meet"},
		"createRequest": content{
			"requestId": request, "conferenceSolutionKey": content{"type": "hangoutsMeet"}, "status": content{"statusCode": "success"},
		},
		"entryPoints": []any{content{"entryPointType": "video", "uri": "https://meet.google.com/" + string(code), "label": "meet.google.com/" + string(code)}},
	}
}

func (c *calendar) checkTimes(event content) *Refusal {
	lines, _ := event["recurrence"].([]any)
	if len(lines) == 0 {
		delete(event, "recurrence")
	}
	for _, name := range []string{"start", "end"} {
		when, f := c.when(name, object(event, name), len(lines) > 0)
		if f != nil {
			return f
		}
		event[name] = when
	}
	if f := c.check(event); f != nil || len(lines) == 0 {
		return f
	}
	if event["recurringEventId"] != nil {
		return refuse("calendar", "cannotChangeInstanceRecurrence", "An instance of a recurring event cannot recur itself.")
	}
	var read []string
	size := 0
	for _, line := range lines {
		s, _ := line.(string)
		read = append(read, s)
		size += len(s)
	}
	if len(read) > maxRecurrence || size > maxRecurrenceBytes {
		return tooLarge()
	}
	if _, err := rule.Parse(read); err != nil {
		return refuse("global", "invalid", "Invalid recurrence rule.")
	}
	return nil
}

// answers are those that a guest may give.
var answers = []string{"needsAction", "declined", "tentative", "accepted"}

func (c *calendar) checkGuests(event content) *Refusal {
	if event["attendees"] == nil {
		return nil
	}
	var out []any
	seen := map[string]bool{}
	for _, a := range objects(event, "attendees") {
		email := emailKey(text(a, "email"))
		if email == "" {
			return refuse("global", "required", "Missing attendee email.")
		}
		if parsed, err := mail.ParseAddress(email); err != nil || parsed.Address != email {
			return refuse("global", "invalid", "Invalid attendee email.")
		}
		if status := text(a, "responseStatus"); status != "" && !slices.Contains(answers, status) {
			return invalid("attendees.responseStatus", "Invalid value for: %s is not a valid value", status)
		}
		if seen[email] {
			continue
		}
		seen[email] = true
		one := content{"email": email, "responseStatus": "needsAction"}
		for _, name := range []string{"displayName", "optional", "resource", "responseStatus", "comment", "additionalGuests"} {
			if v := a[name]; v != nil && v != "" && v != false && v != 0.0 {
				one[name] = v
			}
		}
		out = append(out, one)
	}
	if event["attendees"] = out; len(out) == 0 {
		delete(event, "attendees")
	}
	return nil
}

func (c *calendar) checkReminders(event content) *Refusal {
	r := object(event, "reminders")
	if r == nil {
		event["reminders"] = content{"useDefault": true}
		return nil
	}
	if r["useDefault"] == nil {
		// What is not said is the default, as clients that leave out false learn.
		r["useDefault"] = true
	}
	overrides := objects(r, "overrides")
	switch {
	case r["useDefault"] == true && len(overrides) > 0:
		return refuse("calendar", "cannotUseDefaultRemindersAndSpecifyOverride",
			"Cannot specify both default reminders and overrides at the same time.")
	case len(overrides) > maxReminders:
		return refuse("calendar", "eventRemindersCountExceedsLimit", "The event exceeds the allowed maximum number of reminders.")
	}
	event["reminders"] = content{"useDefault": r["useDefault"]}
	if kept := c.kept(overrides); len(kept) > 0 {
		object(event, "reminders")["overrides"] = kept
	}
	return nil
}

// kept is what the service makes of reminders: it corrects what is out of bounds, drops what it does not know and what is
// there twice, and keeps no order. Users of the service report that it does so without a word.
func (c *calendar) kept(overrides []content) []any {
	var out []content
	for _, one := range overrides {
		minutes, _ := one["minutes"].(float64)
		fixed := content{"method": text(one, "method"), "minutes": min(max(minutes, 0), maxMinutes)}
		known := fixed["method"] == "popup" || fixed["method"] == "email"
		if !known || minutes != fixed["minutes"] {
			c.violate("a reminder was sent that the calendar does not keep: %s, %v minutes", text(one, "method"), minutes)
		}
		if known && !slices.ContainsFunc(out, func(have content) bool { return reflect.DeepEqual(have, fixed) }) {
			out = append(out, fixed)
		}
	}
	slices.SortFunc(out, func(a, b content) int {
		return cmp.Or(cmp.Compare(b["minutes"].(float64), a["minutes"].(float64)), cmp.Compare(text(a, "method"), text(b, "method")))
	})
	var list []any
	for _, one := range out {
		list = append(list, one)
	}
	return list
}

func (c *calendar) checkProperties(event content) *Refusal {
	properties := object(event, "extendedProperties")
	count, size := 0, 0
	for _, kind := range []string{"private", "shared"} {
		list := object(properties, kind)
		for key, v := range list {
			value, _ := v.(string)
			if len(key) > maxKey {
				delete(list, key)
				continue
			}
			if len(value) > maxValue {
				value = strings.ToValidUTF8(value[:maxValue], "")
				list[key] = value
			}
			count++
			size += len(key) + len(value)
		}
		if len(list) == 0 {
			delete(properties, kind)
		}
	}
	if len(properties) == 0 {
		delete(event, "extendedProperties")
	}
	if count > maxProperties || size > maxPropertyBytes {
		return tooLarge()
	}
	return nil
}

// restricted are the fields of an event of a special type that a client may change.
var restricted = map[string][]string{
	"birthday":  {"colorId", "summary", "reminders"},
	"fromGmail": {"colorId", "reminders", "visibility", "transparency", "status", "extendedProperties"},
}

// typed refuses a change that the type of an event does not allow
// (https://developers.google.com/workspace/calendar/api/guides/event-types).
func typed(before content, diff []string) *Refusal {
	kind := text(before, "eventType")
	allowed, special := restricted[kind]
	for _, name := range diff {
		if name == "eventType" {
			return refuse("calendar", "eventTypeRestriction", "Event type cannot be changed.")
		}
		if special && !slices.Contains(allowed, name) {
			return refuse("calendar", "eventTypeRestriction",
				"Attempt made to modify '%s' event in a way that is not valid for this event type.", kind)
		}
	}
	return nil
}

// locked are the fields of a locked event that nobody changes.
var locked = []string{"summary", "description", "location", "start", "end", "recurrence"}

// unlocked refuses to change what is locked.
func unlocked(before content, diff []string) *Refusal {
	if before["locked"] == true && slices.ContainsFunc(diff, func(name string) bool { return slices.Contains(locked, name) }) {
		return &Refusal{Code: http.StatusForbidden, Domain: "global", Reason: "forbidden", Message: "The event is locked."}
	}
	return nil
}
