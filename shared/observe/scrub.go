package observe

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"log/slog"
	"net/http"
	"net/url"
	"regexp"
	"strings"
)

// redacted replaces a secret.
const redacted = "[redacted]"

// secretNames are names whose value is a secret, in queries, forms, JSON, headers and as keys of attributes. "code" and
// "state" are not among them: they are secrets only in the query of a redirect.
const secretNames = `access_?token|refresh_?token|id_?token|token|client_?secret|code_?verifier|assertion|password|passwd|` +
	`userpassword|secret|authorization|proxy-authorization|cookie|set-cookie|session|api_?key|bpmcsrf|\.aspxauth|bpmloader|` +
	`x-goog-channel-token`

// rule replaces the secret in what it finds, and preserves the parts before and after it.
type rule struct {
	find    *regexp.Regexp
	replace string
}

// rules recognize secrets by the name before them, or by their form. The forms of Google's tokens are those of
// https://cloud.google.com/docs/authentication/token-types and of tokens that its clients have received.
var rules = []rule{
	// JSON with a text or a list as value, and JSON that is quoted within JSON.
	{regexp.MustCompile(`(?i)("(?:` + secretNames + `)"\s*:\s*")(?:[^"\\]|\\.)+`), `${1}` + redacted},
	{regexp.MustCompile(`(?i)("(?:` + secretNames + `)"\s*:\s*)\[[^\]]*\]`), `${1}"` + redacted + `"`},
	{regexp.MustCompile(`(?i)(\\"(?:` + secretNames + `)\\"\s*:\s*\\")(?:[^"\\]|\\\\\\"|\\[^"])+`), `${1}` + redacted},
	// The value of a header extends to the end of its line.
	{regexp.MustCompile(`(?im)\b((?:proxy-)?authorization|(?:set-)?cookie)([:=]\s*)\[?[^\s"\[{][^\r\n"]*`), `${1}${2}` + redacted},
	// A pair of a query, a form, a cookie or a printed struct. If a space follows the colon it is a sentence, such as
	// "cannot fetch token: 400 Bad Request".
	{regexp.MustCompile(`(?i)(^|[^A-Za-z0-9])(` + secretNames + `)(=|:)["']?[^\s"'&;,})\]\\]+`), `${1}${2}${3}` + redacted},
	{regexp.MustCompile(`(?i)([?&](?:code|state)=)[^\s"'&#]+`), `${1}` + redacted},
	// The user name and the password of a URL.
	{regexp.MustCompile(`(://)[^/\s"'@?#]+@`), `${1}` + redacted + `@`},
	// If a word in small letters follows the scheme, it is a sentence.
	{regexp.MustCompile(`\b((?i:bearer|basic|digest))\s+[a-z]*[A-Z0-9._~+/=-][A-Za-z0-9._~+/=-]{5,}`), `${1} ` + redacted},
	{regexp.MustCompile(`\bya29\.[A-Za-z0-9._-]{8,}`), redacted},
	{regexp.MustCompile(`\b[14]//?0[A-Za-z0-9_-]{20,}`), redacted},
	{regexp.MustCompile(`\b1/[A-Za-z0-9_-]{40,}`), redacted},
	{regexp.MustCompile(`\bGOCSPX-[A-Za-z0-9_-]{8,}`), redacted},
	{regexp.MustCompile(`\beyJ[A-Za-z0-9_-]{8,}\.[A-Za-z0-9_-]{8,}(\.[A-Za-z0-9_-]*)*`), redacted},
	{regexp.MustCompile(`(?s)-----BEGIN [A-Z ]*PRIVATE KEY-----.*?(-----END [A-Z ]*PRIVATE KEY-----|$)`), redacted},
}

var secretKey = regexp.MustCompile(`(?i)(?:^|[._-])(?:` + secretNames + `)$`)

// Scrub replaces everything in a text that looks like a secret.
func Scrub(text string) string {
	for _, r := range rules {
		text = r.find.ReplaceAllString(text, r.replace)
	}
	return text
}

// scrubber removes secrets from messages and attributes before any other handler sees them.
type scrubber struct{ next slog.Handler }

func (h *scrubber) Enabled(ctx context.Context, l slog.Level) bool { return h.next.Enabled(ctx, l) }

func (h *scrubber) Handle(ctx context.Context, r slog.Record) error {
	clean := slog.NewRecord(r.Time, r.Level, Scrub(r.Message), r.PC)
	r.Attrs(func(a slog.Attr) bool {
		clean.AddAttrs(scrubAttr(a))
		return true
	})
	return h.next.Handle(ctx, clean)
}

func (h *scrubber) WithAttrs(attrs []slog.Attr) slog.Handler {
	return &scrubber{h.next.WithAttrs(scrubAttrs(attrs))}
}

func (h *scrubber) WithGroup(name string) slog.Handler { return &scrubber{h.next.WithGroup(name)} }

func scrubAttrs(attrs []slog.Attr) []slog.Attr {
	out := make([]slog.Attr, len(attrs))
	for i, a := range attrs {
		out[i] = scrubAttr(a)
	}
	return out
}

func scrubAttr(a slog.Attr) slog.Attr {
	a.Value = a.Value.Resolve()
	switch a.Value.Kind() {
	case slog.KindGroup:
		a.Value = slog.GroupValue(scrubAttrs(a.Value.Group())...)
	case slog.KindString:
		if secretKey.MatchString(a.Key) && a.Value.String() != "" {
			a.Value = slog.StringValue(redacted)
			break
		}
		a.Value = slog.StringValue(Scrub(a.Value.String()))
	case slog.KindAny:
		if secretKey.MatchString(a.Key) && a.Value.Any() != nil {
			a.Value = slog.StringValue(redacted)
			break
		}
		a.Value = scrubAny(a.Value.Any())
	default: // Numbers, times and booleans hold no secret.
	}
	return a
}

// scrubAny turns a value into the text or the JSON that would be logged, and scrubs it. It recovers if a method of the
// value panics, as one of a nil pointer in an interface may.
func scrubAny(v any) (out slog.Value) {
	defer func() {
		if r := recover(); r != nil {
			out = slog.StringValue(fmt.Sprintf("(%T that cannot be written)", v))
		}
	}()
	switch v := v.(type) {
	case nil:
		return slog.AnyValue(nil)
	case error:
		return slog.StringValue(Scrub(v.Error()))
	case []byte:
		return slog.StringValue(Scrub(string(v)))
	case http.Header:
		return slog.AnyValue(pairs(v))
	case url.Values:
		return slog.AnyValue(pairs(v))
	case json.Marshaler:
	case fmt.Stringer:
		return slog.StringValue(Scrub(v.String()))
	}
	var b bytes.Buffer
	e := json.NewEncoder(&b)
	e.SetEscapeHTML(false) // The rules would not recognize an escaped & before a parameter.
	if err := e.Encode(v); err != nil {
		return slog.StringValue(Scrub(fmt.Sprintf("%+v", v)))
	}
	clean := Scrub(strings.TrimSuffix(b.String(), "\n"))
	if json.Valid([]byte(clean)) {
		return slog.AnyValue(json.RawMessage(clean))
	}
	return slog.StringValue(clean)
}

// pairs scrubs the values of headers, of a form or of a query, by name.
func pairs(in map[string][]string) map[string]string {
	out := make(map[string]string, len(in))
	for name, values := range in {
		lower := strings.ToLower(name)
		if secretKey.MatchString(name) || lower == "code" || lower == "state" {
			out[name] = redacted
			continue
		}
		out[name] = Scrub(strings.Join(values, ", "))
	}
	return out
}
