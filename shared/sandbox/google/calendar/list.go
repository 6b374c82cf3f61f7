package calendar

import (
	"encoding/base64"
	"encoding/json"
	"fmt"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"time"
)

const (
	// tokenLifetime is how long a sync token lives, and as long a deleted event is told of. The real service promises no
	// time.
	tokenLifetime = 28 * 24 * time.Hour
	// pageRows and maxPageRows are how many events a page has (https://developers.google.com/workspace/calendar/api/v3/reference/events/list).
	pageRows    = 250
	maxPageRows = 2500
)

// notWithToken are the parameters that may not come with a sync token, and unsynced those whose lists give none.
var (
	notWithToken = []string{"iCalUID", "orderBy", "privateExtendedProperty", "q", "sharedExtendedProperty", "timeMin", "timeMax", "updatedMin"}
	unsynced     = []string{"iCalUID", "orderBy", "privateExtendedProperty", "q", "sharedExtendedProperty", "updatedMin"}
)

// cursor is what a page token or a sync token says. Clients cannot look into it.
type cursor struct {
	Kind string
	// Of is the calendar, and Bound the parameters, to which it belongs.
	Of, Bound string
	// Since is the change after which changes are wanted; 0 for a full list. UpTo is the last change that the list shows.
	Since, UpTo int64
	// After is the sorting key of the last event of the page before, and Nth counts the pages.
	After string
	Nth   int
	Given time.Time
	Epoch int
}

func (c cursor) encode() string {
	raw, err := json.Marshal(c)
	if err != nil {
		panic(fmt.Sprintf("encode cursor: %v", err))
	}
	return base64.RawURLEncoding.EncodeToString(raw)
}

// listed is one event in a list, with the key by which the list is sorted.
type listed struct {
	id     string
	stored *event
	at     version
	key    string
}

// filter is what a list is to have.
type filter struct {
	deleted, single, sync bool
	from, to, updated     time.Time
	types                 []string
	order                 string
}

// list is events.list.
func (k *call) list() (any, *Refusal) {
	f, wrong := k.filter()
	if wrong != nil {
		return nil, wrong
	}
	from, wrong := k.position(f)
	if wrong != nil {
		return nil, wrong
	}
	token := !slices.ContainsFunc(unsynced, k.Query.Has)
	return k.page(k.listed(f, from), from, token, k.bound(false)), nil
}

func (k *call) filter() (filter, *Refusal) {
	f := filter{
		deleted: k.Query.Get("showDeleted") == "true", single: k.Query.Get("singleEvents") == "true", sync: k.Query.Has("syncToken"),
		types: k.Query["eventTypes"], order: k.Query.Get("orderBy"),
	}
	for name, into := range map[string]*time.Time{"timeMin": &f.from, "timeMax": &f.to, "updatedMin": &f.updated} {
		if v := k.Query.Get(name); v != "" {
			// What was judged before is a time.
			at, _ := time.Parse(time.RFC3339, v)
			*into = at.Truncate(time.Second)
		}
	}
	switch {
	case f.order == "startTime" && !f.single:
		return f, refuse("global", "badRequest", "The requested ordering is not available for the particular query.")
	case !f.from.IsZero() && !f.to.IsZero() && !f.from.Before(f.to):
		return f, refuse("calendar", "timeRangeEmpty", "The specified time range is empty.")
	case !f.updated.IsZero() && f.updated.Before(k.s.o.Now().Add(-tokenLifetime)):
		return f, &Refusal{
			Code: http.StatusGone, Domain: "calendar", Reason: "updatedMinTooLongAgo", Location: "updatedMin", LocationType: "parameter",
			Message: "The requested minimum modification time lies too far in the past.",
		}
	}
	if !f.sync {
		return f, nil
	}
	for _, name := range notWithToken {
		if k.Query.Has(name) {
			k.s.o.Violate("a list with a sync token was asked for with %s", name)
			return f, invalid("syncToken", "Sync token cannot be used with the parameter %s.", name)
		}
	}
	if k.Query.Get("showDeleted") == "false" {
		return f, invalid("showDeleted", "Deleted events are always part of a list with a sync token.")
	}
	f.deleted = true
	return f, nil
}

// bound is what of the parameters belongs to a token: to a page token all, to a sync token those that may come with one.
// Deleted events are always part of the list that a sync token begins.
func (k *call) bound(page bool) string {
	var parts []string
	for _, name := range sortedKeys(k.Query) {
		switch {
		case slices.Contains([]string{"pageToken", "syncToken", "alt", "prettyPrint", "key", "quotaUser", "fields"}, name):
		case !page && (name == "showDeleted" || slices.Contains(notWithToken, name)):
		case slices.Equal(k.Query[name], []string{"false"}):
		default:
			values := slices.Sorted(slices.Values(k.Query[name]))
			parts = append(parts, name+"="+strings.Join(values, ","))
		}
	}
	if page {
		parts = append(parts, "syncToken="+k.Query.Get("syncToken"), k.Path["eventId"])
	}
	return strconv.FormatUint(hash64(parts...), 16)
}

// position is where a page begins: at a page token, at a sync token, or at the beginning.
func (k *call) position(f filter) (cursor, *Refusal) {
	now := k.s.o.Now()
	first := cursor{
		Kind: "page", Of: k.c.Email, Bound: k.bound(true), Given: now, Epoch: k.c.Epoch, UpTo: k.c.shown(now.Add(-k.s.o.Visibility)),
	}
	if raw := k.Query.Get("pageToken"); raw != "" {
		c, ok := k.read(raw, "page")
		if !ok || c.Bound != first.Bound {
			return c, invalid("pageToken", "Invalid page token value.")
		}
		return c, k.lives(c, raw)
	}
	if !f.sync {
		return first, nil
	}
	raw := k.Query.Get("syncToken")
	c, ok := k.read(raw, "sync")
	switch {
	case !ok:
		return c, invalid("syncToken", "Invalid sync token value.")
	case c.Bound != k.bound(false):
		k.s.o.Violate("a sync token came with other parameters than the list that gave it")
		return c, invalid("syncToken", "The sync token belongs to a list with other parameters.")
	}
	first.Since, first.UpTo = c.UpTo, max(c.UpTo, first.UpTo)
	return first, k.lives(c, raw)
}

func (k *call) read(raw, kind string) (cursor, bool) {
	var c cursor
	text, err := base64.RawURLEncoding.DecodeString(raw)
	ok := err == nil && json.Unmarshal(text, &c) == nil && c.Kind == kind && c.Of == k.c.Email
	return c, ok
}

// lives refuses a token that has expired.
func (k *call) lives(c cursor, raw string) *Refusal {
	if c.Epoch == k.c.Epoch && k.s.o.Now().Before(c.Given.Add(tokenLifetime)) {
		return nil
	}
	if k.s.spent[raw] {
		k.s.o.Violate("an expired sync token of the calendar was used again")
	}
	k.s.spent[raw] = true
	return &Refusal{
		Code: http.StatusGone, Domain: "calendar", Reason: "fullSyncRequired", Location: "syncToken", LocationType: "parameter",
		Message: "Sync token is no longer valid, a full sync is required.",
	}
}

// listed are the events that a list has, sorted.
func (k *call) listed(f filter, from cursor) []listed {
	var out []listed
	for _, id := range sortedKeys(k.c.Events) {
		e := k.c.Events[id]
		at, there := e.upTo(from.UpTo)
		switch {
		case !there, at.Seq <= from.Since, cancelled(at.Content) && k.forgotten(at):
		case f.single && at.Content["recurrence"] != nil:
			for _, i := range k.c.instancesOf(e, from.UpTo, f.from, f.to) {
				if i.Content["recurringEventId"] != nil && k.c.Events[i.id] == nil {
					out = append(out, listed{id: i.id, at: i.version})
				}
			}
		default:
			out = append(out, listed{id: id, stored: e, at: at})
		}
	}
	out = slices.DeleteFunc(out, func(l listed) bool { return !k.wanted(f, l) })
	for i := range out {
		out[i].key = k.sortKey(f.order, out[i])
	}
	slices.SortFunc(out, func(x, y listed) int { return strings.Compare(x.key, y.key) })
	return out
}

// forgotten reports whether a deleted event is not told of any more. One that was deleted since the list before always is, also
// where it was not there yet then (https://developers.google.com/workspace/calendar/api/v3/reference/events/list, syncToken).
func (k *call) forgotten(at version) bool {
	return text(at.Content, "recurringEventId") == "" && k.s.o.Now().Sub(at.At) >= tokenLifetime
}

// sortKey orders a list. The order that nobody asked for has nothing to do with what is in the calendar.
func (k *call) sortKey(order string, l listed) string {
	switch order {
	case "startTime":
		start, _ := k.c.span(l.at.Content)
		return start.Format(time.RFC3339) + l.id
	case "updated":
		return l.at.Updated.UTC().Format("2006-01-02T15:04:05.000000000") + l.id
	default:
		return fmt.Sprintf("%016x", hash64(l.id)) + l.id
	}
}

// page is the part of a list that follows a cursor.
func (k *call) page(rest []listed, from cursor, token bool, bound string) content {
	if from.After != "" {
		at := slices.IndexFunc(rest, func(l listed) bool { return l.key > from.After })
		if at < 0 {
			at = len(rest)
		}
		rest = rest[at:]
	}
	size, err := strconv.Atoi(k.Query.Get("maxResults"))
	if err != nil || size < 1 {
		size = pageRows
	}
	size = min(size, maxPageRows)
	size = max(min(size, k.s.o.PageRows(size)), 0)
	items := []any{}
	for _, l := range rest[:min(size, len(rest))] {
		items = append(items, k.show(l.id, l.stored, l.at))
		from.After = l.key
	}
	out := content{
		"kind": "calendar#events", "etag": k.c.etag(), "summary": k.c.Email, "description": "", "updated": stampOf(k.c.Changed),
		"timeZone": k.zone.String(), "accessRole": "owner", "defaultReminders": k.c.Reminders, "items": items,
	}
	switch {
	case len(rest) > size:
		from.Nth++
		out["nextPageToken"] = from.encode()
	case token:
		next := cursor{Kind: "sync", Of: from.Of, Bound: bound, UpTo: from.UpTo, Given: k.s.o.Now(), Epoch: from.Epoch}
		out["nextSyncToken"] = next.encode()
	}
	return out
}

// instances is events.instances.
func (k *call) instances() (any, *Refusal) {
	f, wrong := k.filter()
	if wrong != nil {
		return nil, wrong
	}
	master := k.c.Events[k.Path["eventId"]]
	switch {
	case master == nil:
		return nil, notFound()
	case cancelled(master.now().Content):
		return nil, deleted()
	case master.now().Content["recurrence"] == nil:
		return nil, invalid("eventId", "The event is not recurring.")
	}
	from, wrong := k.position(f)
	if wrong != nil {
		return nil, wrong
	}
	only := k.Query.Get("originalStart")
	if only != "" {
		if at, err := time.Parse(time.RFC3339, only); err == nil {
			only = at.UTC().Format("20060102T150405Z")
		} else if at, err := time.Parse(time.DateOnly, only); err == nil {
			only = at.Format("20060102")
		} else {
			return nil, invalid("originalStart", "Invalid value for: originalStart")
		}
	}
	var out []listed
	for n, i := range k.c.instancesOf(master, from.UpTo, f.from, f.to) {
		if cancelled(i.Content) && !f.deleted || only != "" && startKey(object(i.Content, "originalStartTime")) != only {
			continue
		}
		out = append(out, listed{i.id, k.c.Events[i.id], i.version, fmt.Sprintf("%08d", n)})
	}
	return k.page(out, from, false, ""), nil
}
