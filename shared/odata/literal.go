package odata

import (
	"errors"
	"fmt"
	"regexp"
	"strconv"
	"strings"
	"time"
)

// Literal is a value in a filter. Only the functions below make one, so that no unescaped text can be part of a query.
type Literal struct {
	text string
	err  error
}

// invalid stands where a literal could not be made. The client does not send a query with it; were it sent in a part of
// a batch, the service would refuse it, since the word is neither a literal nor a property.
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

// zeroGUID is what Creatio answers for an empty lookup.
const zeroGUID = "00000000-0000-0000-0000-000000000000"

// Guid is an Edm.Guid, which stands without quotes (OData 4.0 ABNF, guidValue).
func Guid(id string) Literal {
	if !guidForm.MatchString(id) {
		return Literal{err: fmt.Errorf("%q is no GUID", id)}
	}
	return Literal{text: strings.ToLower(id)}
}

// String is an Edm.String: in quotes, a quote within doubled (OData 4.0 URL Conventions, section 5.1.1.6.1).
func String(s string) Literal {
	return Literal{text: "'" + strings.ReplaceAll(strings.ToValidUTF8(s, "\uFFFD"), "'", "''") + "'"}
}

// DateTime is an Edm.DateTimeOffset, without quotes. It is cut to microseconds, the precision of PostgreSQL, and always
// in UTC with Z: Creatio refuses a time without a zone or takes it for another one.
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

// NullLiteral is the null of a comparison, as in "Email eq null".
func NullLiteral() Literal { return Literal{text: "null"} }
