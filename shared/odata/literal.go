package odata

import (
	"errors"
	"fmt"
	"regexp"
	"strconv"
	"strings"
	"time"
)

// Literal is a value in a filter. Only the functions below make one, so no unescaped text can get into a query.
type Literal struct {
	text string
	err  error
}

// invalid replaces a literal that could not be made. The client does not send a query with it. In a part of a batch the
// service refuses it, because it is neither a literal nor a property.
const invalid = "invalid-literal"

var errNoLiteral = errors.New("empty literal")

func (l Literal) render() string {
	if l.check() != nil {
		return invalid
	}
	return l.text
}

func (l Literal) check() error {
	if l.err == nil && l.text == "" {
		return errNoLiteral
	}
	return l.err
}

var guidForm = regexp.MustCompile(`^[0-9A-Fa-f]{8}(-[0-9A-Fa-f]{4}){3}-[0-9A-Fa-f]{12}$`)

// zeroGUID is the value that Creatio sends for an empty lookup.
const zeroGUID = "00000000-0000-0000-0000-000000000000"

// Guid is an Edm.Guid, without quotes (OData 4.0 ABNF, guidValue).
func Guid(id string) Literal {
	if !guidForm.MatchString(id) {
		return Literal{err: fmt.Errorf("%q is no GUID", id)}
	}
	return Literal{text: strings.ToLower(id)}
}

// String is an Edm.String: in quotes, with quotes in the text doubled (OData 4.0 URL Conventions, section 5.1.1.6.1).
func String(s string) Literal {
	return Literal{text: "'" + strings.ReplaceAll(strings.ToValidUTF8(s, "\uFFFD"), "'", "''") + "'"}
}

// DateTime is an Edm.DateTimeOffset, without quotes. It is truncated to microseconds, the precision of PostgreSQL, and
// always in UTC with Z: Creatio rejects or misreads a time without a zone.
func DateTime(t time.Time) Literal {
	if y := t.UTC().Year(); y < 1 || y > 9999 {
		return Literal{err: fmt.Errorf("the year %d is out of range", y)}
	}
	return Literal{text: formatTime(t)}
}

func formatTime(t time.Time) string {
	return t.UTC().Truncate(time.Microsecond).Format("2006-01-02T15:04:05.999999Z")
}

// Bool is an Edm.Boolean.
func Bool(b bool) Literal { return Literal{text: strconv.FormatBool(b)} }

// Int is an integer.
func Int(n int64) Literal { return Literal{text: strconv.FormatInt(n, 10)} }

// NullLiteral is the literal null, as in "Email eq null".
func NullLiteral() Literal { return Literal{text: "null"} }
