package google

import (
	"encoding/json"
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"
	"unicode/utf16"

	"google.golang.org/api/people/v1"

	"github.com/tandem-sync/tandem/shared/sandbox/discovery"
)

// item is one entry of a field, as JSON; content is the entries by field, without those of groups.
type (
	item    = map[string]any
	content map[string][]item
)

var (
	// readable are the fields that may be asked for (https://developers.google.com/people/api/rest/v1/people/get).
	readable = strings.Fields(`addresses ageRanges biographies birthdays calendarUrls clientData coverPhotos emailAddresses events
		externalIds genders imClients interests locales locations memberships metadata miscKeywords names nicknames occupations
		organizations phoneNumbers photos relations sipAddresses skills urls userDefined`)
	// writable are those that may be written (https://developers.google.com/people/api/rest/v1/people/updateContact).
	writable = strings.Fields(`addresses biographies birthdays calendarUrls clientData emailAddresses events externalIds genders
		imClients interests locales locations memberships miscKeywords names nicknames occupations organizations phoneNumbers
		relations sipAddresses urls userDefined`)
	// singletons are those of which a contact has one entry.
	singletons = []string{"biographies", "birthdays", "genders", "names"}
)

const (
	// maxText, maxEntries and maxBytes are the limits of a contact; notes have none of their own.
	maxText    = 1024
	maxEntries = 500
	maxBytes   = 128 << 10
	// maxListed is how many e-mail addresses and numbers of a person a list shows.
	maxListed = 100
)

// contentOf reads a person: the entries that are the contact's own, and the groups. What Google makes itself is left out.
func contentOf(p *people.Person) (content, []string) {
	var raw map[string]any
	// The generated types always encode.
	_ = json.Unmarshal([]byte(encode(p)), &raw)
	fields, groups := content{}, []string(nil)
	for _, name := range readable {
		list, _ := raw[name].([]any)
		for _, entry := range list {
			it, ok := entry.(map[string]any)
			if !ok || !own(it) {
				continue
			}
			if name == "memberships" {
				m, _ := it["contactGroupMembership"].(map[string]any)
				if g, _ := m["contactGroupResourceName"].(string); g != "" && !slices.Contains(groups, g) {
					groups = append(groups, g)
				}
			} else if it = clean(name, it); it != nil {
				fields[name] = append(fields[name], it)
			}
		}
	}
	return fields, groups
}

// own reports whether an entry is not of another source than the contact.
func own(it item) bool {
	m, _ := it["metadata"].(map[string]any)
	source, _ := m["source"].(map[string]any)
	kind, _ := source["type"].(string)
	return kind == "" || kind == "CONTACT"
}

// clean leaves out of an entry what is output only, and what is empty; nil where nothing is left.
func clean(field string, it item) item {
	meta, _ := it["metadata"].(map[string]any)
	primary, _ := meta["sourcePrimary"].(bool)
	it = maps.Clone(it)
	for _, name := range []string{"metadata", "formattedType", "formattedProtocol", "canonicalForm"} {
		delete(it, name)
	}
	switch field {
	case "names":
		delete(it, "displayName")
		delete(it, "displayNameLastFirst")
		if joined(it, nameParts...) != "" {
			delete(it, "unstructuredName")
		}
	case "genders":
		delete(it, "formattedValue")
	case "addresses":
		if joined(it, addressParts...) != "" {
			delete(it, "formattedValue")
		}
	}
	maps.DeleteFunc(it, func(_ string, v any) bool { return v == nil || v == "" })
	if len(it) == 0 || len(it) == 1 && it["type"] != nil {
		return nil
	}
	if primary {
		it["metadata"] = item{"sourcePrimary": true}
	}
	return it
}

var (
	nameParts    = []string{"honorificPrefix", "givenName", "middleName", "familyName", "honorificSuffix"}
	addressParts = []string{"streetAddress", "extendedAddress", "poBox", "city", "region", "postalCode", "country"}
)

// joined are the parts of an entry that are there.
func joined(it item, parts ...string) string {
	var out []string
	for _, part := range parts {
		if s, _ := it[part].(string); s != "" {
			out = append(out, s)
		}
	}
	return strings.Join(out, " ")
}

// checkPerson refuses what a contact cannot hold. It looks at the person as sent: even entries of other sources count
// where only one is allowed.
func checkPerson(p *people.Person, mask []string) *failure {
	counts := map[string]int{"biographies": len(p.Biographies), "birthdays": len(p.Birthdays), "genders": len(p.Genders), "names": len(p.Names)}
	for _, name := range singletons {
		if counts[name] > 1 && slices.Contains(mask, name) {
			return invalid("Cannot have more than one person.%s per source.", name)
		}
	}
	fields, _ := contentOf(p)
	entries := 0
	for _, name := range mask {
		entries += len(fields[name])
		for i, it := range fields[name] {
			if where := tooLong(name, it); where != "" {
				return invalidField(fmt.Sprintf("person.%s[%d].%s", discovery.Snake(name), i, discovery.Snake(where)), "The value is too long.")
			}
			for _, key := range []string{"date", "startDate", "endDate"} {
				if d, is := it[key].(map[string]any); is && !possible(d) {
					return invalidField(fmt.Sprintf("person.%s[%d].%s", discovery.Snake(name), i, discovery.Snake(key)), "The date is invalid.")
				}
			}
		}
	}
	if entries > maxEntries || len(encode(fields)) > maxBytes {
		return invalidField("person", "The contact is too large.")
	}
	return nil
}

// tooLong is the part of an entry that is longer than a contact's may be.
func tooLong(field string, it item) string {
	for key, v := range it {
		if s, is := v.(string); is && field != "biographies" && len(utf16.Encode([]rune(s))) > maxText {
			return key
		}
	}
	return ""
}

// possible reports whether there is such a date. A year, or a month and a day, may be missing
// (https://github.com/googleapis/googleapis/blob/master/google/type/date.proto).
func possible(d map[string]any) bool {
	part := func(name string) int { f, _ := d[name].(float64); return int(f) }
	y, m, day := part("year"), part("month"), part("day")
	if y < 0 || y > 9999 || m < 0 || m > 12 || day < 0 || day > 31 || day > 0 && m == 0 || y == 0 && day == 0 {
		return false
	}
	if y == 0 {
		y = 2000
	}
	return m == 0 || day == 0 || time.Date(y, time.Month(m), day, 0, 0, 0, 0, time.UTC).Day() == day
}

// view is how a person is to be shown.
type view struct {
	mask     []string
	sources  []string
	language string
	// base is the base URL of the server, for what is served apart.
	base string
	// list cuts long fields; sync shows former names.
	list, sync bool
}

func (v view) shows(source string) bool {
	return len(v.sources) == 0 || slices.Contains(v.sources, "READ_SOURCE_TYPE_"+source)
}

// render shows a version of a contact.
func (c *contact) render(at version, v view) map[string]any {
	out := map[string]any{"resourceName": c.Name, "etag": c.etag(at)}
	for _, name := range v.mask {
		switch name {
		case "metadata":
			out[name] = c.metadata(at, v)
		case "photos":
			if list := c.photos(at, v); len(list) > 0 && !at.Deleted {
				out[name] = list
			}
		case "memberships":
			if list := c.memberships(at); len(list) > 0 && v.shows("CONTACT") && !at.Deleted {
				out[name] = list
			}
		default:
			if list := c.entries(name, at, v); len(list) > 0 && !at.Deleted {
				out[name] = list
			}
		}
	}
	return out
}

func (c *contact) metadata(at version, v view) map[string]any {
	var list []any
	if v.shows("CONTACT") {
		list = append(list, map[string]any{"type": "CONTACT", "id": c.Source, "etag": sourceEtag(at), "updateTime": stamp(at.At)})
	}
	if len(c.Profile) > 0 && v.shows("PROFILE") {
		list = append(list, map[string]any{
			"type": "PROFILE", "id": c.profileID(), "etag": tag('#', c.ProfileSeq, 1),
			"profileMetadata": map[string]any{"objectType": "PERSON", "userTypes": []string{"GOOGLE_USER"}},
		})
	}
	out := map[string]any{"objectType": "PERSON", "sources": list}
	if at.Deleted {
		out["deleted"] = true
	}
	if v.sync && len(c.Previous) > 0 {
		out["previousResourceNames"] = c.Previous
	}
	return out
}

func (c *contact) profileID() string { return subjectOf("profile " + c.Source) }

func (c *contact) memberships(at version) []any {
	var out []any
	for _, g := range rotated(at.Groups, at.Seq) {
		out = append(out, map[string]any{
			"metadata": map[string]any{"source": c.source("CONTACT")},
			"contactGroupMembership": map[string]any{
				"contactGroupId": strings.TrimPrefix(g, "contactGroups/"), "contactGroupResourceName": g,
			},
		})
	}
	return out
}

func (c *contact) source(kind string) map[string]any {
	if kind == "PROFILE" {
		return map[string]any{"type": kind, "id": c.profileID()}
	}
	return map[string]any{"type": kind, "id": c.Source}
}

// entries are those of one field, one of them primary, and in no order that may be relied on.
func (c *contact) entries(name string, at version, v view) []any {
	var out []any
	primary := false
	show := func(list []item, kind string) {
		if !v.shows(kind) {
			return
		}
		first := max(slices.IndexFunc(list, func(it item) bool { return it["metadata"] != nil }), 0)
		for i, it := range list {
			meta := map[string]any{"source": c.source(kind)}
			if i == first {
				meta["sourcePrimary"] = true
				if !primary {
					meta["primary"], primary = true, true
				}
			}
			shown := derived(name, maps.Clone(it), v.language)
			shown["metadata"] = meta
			out = append(out, shown)
		}
	}
	show(at.Content[name], "CONTACT")
	show(c.Profile[name], "PROFILE")
	out = rotated(out, at.Seq)
	if v.list && (name == "emailAddresses" || name == "phoneNumbers") && len(out) > maxListed {
		out = out[:maxListed]
	}
	return out
}

// rotated is a list in another order with each change.
func rotated[T any](list []T, seq int64) []T {
	if len(list) < 2 {
		return list
	}
	at := int(seq % int64(len(list)))
	return slices.Concat(list[at:], list[:at])
}

// derived adds what Google makes itself, in the language of the request.
func derived(field string, it item, language string) item {
	if kind, _ := it["type"].(string); kind != "" {
		it["formattedType"] = translated(kind, language)
	}
	switch field {
	case "names":
		full := joined(it, nameParts...)
		if text, _ := it["unstructuredName"].(string); full == "" {
			full = text
		}
		if full == "" {
			break
		}
		it["displayName"], it["unstructuredName"], it["displayNameLastFirst"] = full, full, full
		if family, _ := it["familyName"].(string); family != "" {
			if rest := joined(it, "honorificPrefix", "givenName", "middleName", "honorificSuffix"); rest != "" {
				it["displayNameLastFirst"] = family + ", " + rest
			}
		}
	case "addresses":
		if it["formattedValue"] == nil {
			var lines []string
			for _, part := range addressParts {
				if s, _ := it[part].(string); s != "" {
					lines = append(lines, s)
				}
			}
			it["formattedValue"] = strings.Join(lines, "\n")
		}
	case "phoneNumbers":
		if value, _ := it["value"].(string); strings.HasPrefix(strings.TrimSpace(value), "+") {
			it["canonicalForm"] = "+" + strings.Map(func(r rune) rune {
				if r < '0' || r > '9' {
					return -1
				}
				return r
			}, value)
		}
	case "imClients":
		it["formattedProtocol"] = it["protocol"]
	}
	return it
}

var german = map[string]string{"home": "Privat", "work": "Geschäftlich", "mobile": "Mobil", "other": "Sonstige", "main": "Haupt", "homePage": "Startseite"}

// translated names a type in the viewer's language.
func translated(kind, language string) string {
	if strings.HasPrefix(language, "de") && german[kind] != "" {
		return german[kind]
	}
	if kind[0] >= 'a' && kind[0] <= 'z' {
		return strings.ToUpper(kind[:1]) + kind[1:]
	}
	return kind
}
