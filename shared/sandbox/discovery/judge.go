package discovery

import (
	"fmt"
	"maps"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"time"
	"unicode"
)

// Judgement is what the description says of a request.
type Judgement struct {
	// Refusals are why the service refuses the request; none where it takes it.
	Refusals []Refusal
	// ReadOnly are fields in the body that the service ignores, as it makes them itself.
	ReadOnly []string
}

// Refusal is one reason for which a service refuses a request.
type Refusal struct {
	// Reason is what programs read: invalid, parseError, badRequest, required or invalidParameter.
	Reason string
	// Field is the name as Google's messages spell it; empty where they name none.
	Field string
	// Message is in Google's words as far as they are known.
	Message string
}

// Judge compares a request with the description.
func (m *Method) Judge(query url.Values, body []byte) Judgement {
	j := &judge{method: m}
	for _, name := range slices.Sorted(maps.Keys(query)) {
		j.parameter(name, query[name])
	}
	for _, name := range slices.Sorted(maps.Keys(m.Parameters)) {
		if p := m.Parameters[name]; p.Required && p.Location == "query" && query.Get(name) == "" {
			j.refuse("required", Snake(name), "Required parameter: %s", name)
		}
	}
	j.body(body)
	if len(j.unread) > 0 {
		// What cannot be read is refused before anybody looks at what it says.
		j.out.Refusals = j.unread
	}
	return j.out
}

// judge collects what is to be said of one request.
type judge struct {
	method *Method
	out    Judgement
	// unread are refusals of what cannot be read as the messages that the service takes.
	unread []Refusal
}

func (j *judge) refuse(reason, field, format string, args ...any) {
	j.out.Refusals = append(j.out.Refusals, Refusal{reason, field, fmt.Sprintf(format, args...)})
}

// unreadable refuses what is not of the form that the service takes.
func (j *judge) unreadable(field, format string, args ...any) {
	j.unread = append(j.unread, Refusal{"invalid", field, fmt.Sprintf(format, args...)})
}

// parameter judges one parameter of the query.
func (j *judge) parameter(name string, values []string) {
	p := j.method.Parameters[name]
	if p == nil || p.Location != "query" {
		p = j.method.api.Parameters[name]
	}
	switch {
	case p == nil:
		j.unreadable("", "Invalid JSON payload received. Unknown name %q: Cannot bind query parameter. "+
			"Field '%s' could not be found in request message.", name, name)
		return
	case len(values) > 1 && !p.Repeated:
		j.unreadable("", "Invalid JSON payload received. Unknown name %q: Proto field is not repeating, cannot start list.", name)
		return
	}
	for i, value := range values {
		field := Snake(name)
		if p.Repeated {
			field = fmt.Sprintf("%s[%d]", field, i)
			if len(p.Enum) > 0 {
				// The descriptions of sources spell a list of them with commas.
				for one := range strings.SplitSeq(value, ",") {
					j.text(p, field, name, one)
				}
				continue
			}
		}
		j.text(p, field, name, value)
	}
}

// text judges a value that is written as text.
func (j *judge) text(p *Value, field, name, value string) {
	switch p.Type {
	case "integer":
		n, err := strconv.ParseInt(value, 10, 32)
		if err != nil {
			j.unreadable(field, "Invalid value at '%s' (TYPE_INT32), %q", field, value)
			return
		}
		j.bounds(p, field, n)
	case "boolean":
		if value != "true" && value != "false" {
			j.unreadable(field, "Invalid value at '%s' (TYPE_BOOL), %q", field, value)
		}
	default:
		j.string(p, field, name, value)
	}
}

func (j *judge) bounds(p *Value, field string, n int64) {
	low, high := int64(0), int64(1<<31-1)
	if p.Minimum != nil {
		low = *p.Minimum
	}
	if p.Maximum != nil {
		high = *p.Maximum
	}
	bounded := p.Minimum != nil || p.Maximum != nil
	if bounded && (n < low || n > high) && !(n == 0 && p.ZeroDefault) {
		j.refuse("invalidParameter", field, "Invalid value '%d'. Values must be within the range: [%d, %d]", n, low, high)
	}
}

// string judges a text by its enum, its format and its mask.
func (j *judge) string(p *Value, field, name, value string) {
	switch {
	case len(p.Enum) > 0 && !slices.Contains(p.Enum, value):
		j.unreadable(field, "Invalid value at '%s' (TYPE_ENUM), %q", field, value)
	case p.Format == "byte" && anyBase64(value) != nil:
		j.unreadable(field, "Invalid value at '%s' (TYPE_BYTES), Base64 decoding failed for %q", field, value)
	case !formatted(p, value):
		j.unreadable(field, "Invalid value at '%s' (%s), %q", field, formatNames[p.Format], value)
	case len(p.Mask) > 0:
		j.mask(p, name, value)
	}
}

// formatNames are what Google's messages call the formats of texts.
var formatNames = map[string]string{
	"byte": "TYPE_BYTES", "int64": "TYPE_INT64", "date": "date", "date-time": "date-time", "google-datetime": "type.googleapis.com/google.protobuf.Timestamp",
}

// formatted reports whether a text is of its format. An empty one is the default.
func formatted(p *Value, value string) bool {
	if value == "" {
		return true
	}
	var err error
	switch p.Format {
	case "int64":
		_, err = strconv.ParseInt(value, 10, 64)
	case "date":
		_, err = time.Parse(time.DateOnly, value)
	case "date-time", "google-datetime":
		if _, err = time.Parse(time.RFC3339, value); err != nil && p.Location == "" {
			// In a body the offset may be missing, since a time zone may be named beside the time.
			_, err = time.Parse("2006-01-02T15:04:05", value)
		}
	}
	return err == nil
}

// mask judges the paths of a field mask.
func (j *judge) mask(p *Value, name, value string) {
	for path := range strings.SplitSeq(value, ",") {
		if path = strings.TrimSpace(path); path != "" && !slices.Contains(p.Mask, path) {
			j.refuse("badRequest", "", "Invalid %s mask path: \"%s\". Valid paths are documented at "+
				"https://developers.google.com/%s/api/rest/%s/%s.", name, Snake(path), j.method.api.Name, j.method.api.Version, j.method.Reference())
		}
	}
}

// Snake writes a name as Google's messages do.
func Snake(name string) string {
	var b strings.Builder
	for _, r := range name {
		if unicode.IsUpper(r) {
			b.WriteByte('_')
			r = unicode.ToLower(r)
		}
		b.WriteRune(r)
	}
	return b.String()
}
