package creatio

import (
	"bytes"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"maps"
	"math"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"time"
)

func lower(s string) string { return strings.ToLower(s) }

func copyOf(r row) map[string]any { return maps.Clone(map[string]any(r)) }

// decodeBody reads a request's body.
func decodeBody(body []byte) (map[string]any, error) {
	var values map[string]any
	d := json.NewDecoder(bytes.NewReader(bytes.TrimPrefix(body, []byte("\xEF\xBB\xBF"))))
	d.UseNumber()
	if err := d.Decode(&values); err != nil || values == nil {
		return nil, badBody("The payload cannot be read as an entity.")
	}
	return values, nil
}

// payload makes columns of what a client wrote. Older sites do not mind what they do not know in a change.
func (s *Server) payload(e *entity, body []byte, insert bool) (row, error) {
	values, err := decodeBody(body)
	if err != nil {
		return nil, err
	}
	for _, name := range sortedKeys(values) {
		annotation := strings.Contains(name, "@")
		// Navigation properties are ignored: a lookup is written by its id.
		if annotation || e.follow(name) != nil {
			delete(values, name)
			continue
		}
		if c := e.find(name); c != nil {
			if values[name] == nil && c.kind == text {
				return nil, badBody("A null value was found for the property named '%s', which has the expected type 'Edm.String[Nullable=False]'. "+
					"The expected type 'Edm.String[Nullable=False]' does not allow null values.", name)
			}
			continue
		}
		if !insert && !s.strict() {
			return row{}, nil
		}
		return nil, badBody("The property '%s' does not exist on type '%s%s'. Make sure to only use property names that are defined by the type.",
			name, namespace, e.name)
	}
	return s.decode(e, values, insert)
}

// strict reports whether the site refuses what older ones silently dropped.
func (s *Server) strict() bool { return s.atLeast(8, 3) }

// typed makes columns of what somebody filled in on a page.
func (s *Server) typed(e *entity, values map[string]any, insert bool) (row, error) {
	raw, err := json.Marshal(values)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", e.name, err)
	}
	if len(values) == 0 {
		return row{}, nil
	}
	plain, err := decodeBody(raw)
	if err != nil {
		return nil, err
	}
	for name := range plain {
		if e.find(name) == nil {
			return nil, fmt.Errorf("%s has no column %q", e.name, name)
		}
	}
	return s.decode(e, plain, insert)
}

func (s *Server) decode(e *entity, values map[string]any, insert bool) (row, error) {
	out := row{}
	for _, name := range sortedKeys(values) {
		c := e.find(name)
		v, keep, err := s.value(c, values[name], insert)
		if err != nil {
			return nil, err
		}
		if keep {
			out[name] = v
		}
	}
	return out, nil
}

// value reads one value. An empty GUID is dropped: only null empties a lookup.
func (s *Server) value(c *column, v any, insert bool) (value any, keep bool, err error) {
	mismatch := badBody("Cannot convert a value of the property '%s' to the expected type '%s'.", c.name, edm[c.kind])
	if v == nil {
		return c.kind.zero(), !insert || c.initial != nil, nil
	}
	written, isText := v.(string)
	digits, isNumber := v.(json.Number)
	switch c.kind {
	case text:
		return written, true, unless(isText, mismatch)
	case guid, lookup:
		id := lower(written)
		return id, id != emptyGUID, unless(isText && guidForm.MatchString(id), mismatch)
	case flag:
		b, ok := v.(bool)
		return b, true, unless(ok, mismatch)
	case number:
		n, err := strconv.ParseInt(string(digits), 10, 64)
		return n, true, unless(isNumber && err == nil && n >= math.MinInt32 && n <= math.MaxInt32, mismatch)
	case binary:
		content, err := base64.StdEncoding.DecodeString(written)
		return content, true, unless(isText && err == nil, mismatch)
	}
	at, err := s.instant(written)
	if err != nil || !isText {
		return nil, false, mismatch
	}
	return at, true, nil
}

func unless(ok bool, err error) error {
	if ok {
		return nil
	}
	return err
}

var (
	dateForm  = regexp.MustCompile(`^\d{4}-\d\d-\d\d$`)
	localForm = regexp.MustCompile(`^\d{4}-\d\d-\d\dT\d\d:\d\d(:\d\d(\.\d+)?)?$`)
)

// instant reads a time. A date is midnight in the server's zone; a time without a zone is refused, or on older sites
// stored as none.
func (s *Server) instant(written string) (time.Time, error) {
	if dateForm.MatchString(written) {
		at, err := time.ParseInLocation(time.DateOnly, written, s.o.Zone)
		return at.UTC(), err
	}
	if localForm.MatchString(written) && !s.strict() {
		return time.Time{}, nil
	}
	at, err := time.Parse(time.RFC3339Nano, written)
	return at.UTC().Truncate(time.Microsecond), err
}

const timeLayout = "2006-01-02T15:04:05.9999999Z"

// encode is a value as the site writes it: it has no null.
func encode(c *column, v any) any {
	switch v := v.(type) {
	case string:
		if v == "" && c.kind != text {
			return emptyGUID
		}
	case time.Time:
		return v.UTC().Format(timeLayout)
	}
	return v
}

// write makes a row's JSON: the columns that were selected, all of them where none were.
func (q *query) write(r row) map[string]any {
	out := map[string]any{}
	for i := range q.e.columns {
		c := &q.e.columns[i]
		if len(q.selected) > 0 && !slices.Contains(q.selected, c.name) {
			continue
		}
		if c.kind == binary {
			at := q.e.name + "(" + r.text("Id") + ")/" + c.name
			out[c.name+"@odata.mediaEditLink"], out[c.name+"@odata.mediaReadLink"] = at, at
			out[c.name+"@odata.mediaContentType"] = "application/octet-stream"
			continue
		}
		out[c.name] = encode(c, r[c.name])
	}
	for _, x := range q.expanded {
		out[x.name] = q.follow(r, x)
	}
	return out
}

// follow writes what is behind a navigation property.
func (q *query) follow(r row, x expansion) any {
	set := q.s.state.table(x.q.e.name)
	if x.back == nil {
		if other := set.Rows[r.text(x.column)]; q.s.sees(q.by, x.q.e, other) {
			return x.q.write(other)
		}
		return nil
	}
	rows := []any{}
	for _, id := range sortedKeys(set.index[x.back.name][r.text("Id")]) {
		if q.s.sees(q.by, x.q.e, set.Rows[id]) {
			rows = append(rows, x.q.write(set.Rows[id]))
		}
	}
	return rows
}

// matches reports whether a row's columns have values.
func matches(r, want row) bool {
	for name, v := range want {
		if differ(row{"": r[name]}, row{"": v}) {
			return false
		}
	}
	return true
}

// sorted are the rows that somebody sees, the oldest first.
func (s *Server) sorted(a actor, e *entity) []row {
	var out []row
	for _, r := range s.state.table(e.name).Rows {
		if s.sees(a, e, r) {
			out = append(out, r)
		}
	}
	slices.SortFunc(out, oldest)
	return out
}
