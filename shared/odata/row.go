package odata

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"strconv"
	"strings"
	"time"
)

// Row is one record as the service sent it. Most columns of Creatio have no null: an empty text is "", an empty lookup the
// zero GUID, an empty date the first day of the year 1. The accessors return Go's zero value for each of them and for null.
type Row map[string]json.RawMessage

// Has reports whether the service sent the property.
func (r Row) Has(name string) bool {
	_, ok := r[name]
	return ok
}

// Text returns a text property, or any other scalar as it was sent.
func (r Row) Text(name string) string {
	raw, ok := r.value(name)
	if !ok {
		return ""
	}
	var s string
	if json.Unmarshal(raw, &s) == nil {
		return s
	}
	return string(raw)
}

// Lookup returns the id in a lookup property, in lower case; "" for none.
func (r Row) Lookup(name string) string {
	id := strings.ToLower(r.Text(name))
	if id == zeroGUID || !guidForm.MatchString(id) {
		return ""
	}
	return id
}

// Time is a temporal property in UTC; the zero time for none.
func (r Row) Time(name string) time.Time {
	t, err := parseTime(r.Text(name))
	if err != nil {
		return time.Time{}
	}
	return t
}

// parseTime reads an Edm.DateTimeOffset. Creatio sends up to 7 digits of a second, always with Z.
func parseTime(s string) (time.Time, error) {
	t, err := time.Parse(time.RFC3339Nano, s)
	if err != nil {
		return time.Time{}, errors.New("no time with a zone")
	}
	return t.UTC(), nil
}

// Bool is a Boolean property.
func (r Row) Bool(name string) bool { return r.Text(name) == "true" }

// Int returns an integer property. A 64-bit integer may be sent as text.
func (r Row) Int(name string) int64 {
	n, err := strconv.ParseInt(r.Text(name), 10, 64)
	if err != nil {
		return 0
	}
	return n
}

// Rows are the records of an expanded collection.
func (r Row) Rows(name string) []Row {
	raw, ok := r.value(name)
	if !ok {
		return nil
	}
	rows, err := names{}.rows(raw, 0)
	if err != nil {
		return nil
	}
	return rows
}

// Nested is the record of an expanded lookup; nil for an empty one.
func (r Row) Nested(name string) Row {
	raw, ok := r.value(name)
	if !ok {
		return nil
	}
	row, err := names{}.row(raw)
	if err != nil || row.Lookup("Id") == "" && row.Has("Id") {
		return nil
	}
	return row
}

func (r Row) value(name string) (json.RawMessage, bool) {
	raw, ok := r[name]
	raw = bytes.TrimSpace(raw)
	return raw, ok && len(raw) > 0 && !bytes.Equal(raw, []byte("null"))
}

// checkRows finds a selected property that a row lacks. A binary property has only annotations (OData JSON Format 4.0,
// section 9).
func checkRows(rows []Row, names []string) error {
	for _, row := range rows {
		for _, name := range names {
			if !row.Has(name) && !row.Has(name+"@odata.mediaReadLink") && !row.Has(name+"@odata.mediaEditLink") {
				return fmt.Errorf("the reply lacks the selected property %s", name)
			}
		}
	}
	return nil
}
