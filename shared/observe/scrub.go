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

// redacted stands where a secret was.
const redacted = "[redacted]"

// secretNames are names whose value is a secret, in queries, forms, JSON, headers and as keys of attributes. "code" and
// "state" are not among them: they are secrets in the query of a redirect only, and good names elsewhere.
const secretNames = `access_?token|refresh_?token|id_?token|token|client_?secret|code_?verifier|assertion|password|passwd|` +
	`userpassword|secret|authorization|proxy-authorization|cookie|set-cookie|session|api_?key|bpmcsrf|\.aspxauth|bpmloader|` +
	`x-goog-channel-token`

// rule replaces what it finds, keeping the parts before and after the secret.
type rule struct {
	find    *regexp.Regexp
	replace string
}

// rules know secrets by the name before them, and by their form. The forms of Google's tokens are those of
// https://cloud.google.com/docs/authentication/token-types and of what its clients receive.
var rules = []rule{
	// JSON, with a text or a list; and JSON as a text inside of JSON.
	{regexp.MustCompile(`(?i)("(?:` + secretNames + `)"\s*:\s*")(?:[^"\\]|\\.)+`), `${1}` + redacted},
	{regexp.MustCompile(`(?i)("(?:` + secretNames + `)"\s*:\s*)\[[^\]]*\]`), `${1}"` + redacted + `"`},
	{regexp.MustCompile(`(?i)(\\"(?:` + secretNames + `)\\"\s*:\s*\\")(?:[^"\\]|\\\\\\"|\\[^"])+`), `${1}` + redacted},
	// A header goes to the end of its line.
	{regexp.MustCompile(`(?im)\b((?:proxy-)?authorization|(?:set-)?cookie)([:=]\s*)\[?[^\s"\[{][^\r\n"]*`), `${1}${2}` + redacted},
	// A pair of a query, a form, a cookie or a printed struct. A blank after the colon makes it a sentence, as in
	// "cannot fetch token: 400 Bad Request".
	{regexp.MustCompile(`(?i)(^|[^A-Za-z0-9])(` + secretNames + `)(=|:)["']?[^\s"'&;,})\]\\]+`), `${1}${2}${3}` + redacted},
	{regexp.MustCompile(`(?i)([?&](?:code|state)=)[^\s"'&#]+`), `${1}` + redacted},
	// The name and the password of an address.
	{regexp.MustCompile(`(://)[^/\s"'@?#]+@`), `${1}` + redacted + `@`},
	// A word in small letters after the scheme belongs to a sentence.
	{regexp.MustCompile(`\b((?i:bearer|basic|digest))\s+[a-z]*[A-Z0-9._~+/=-][A-Za-z0-9._~+/=-]{5,}`), `${1} ` + redacted},
	{regexp.MustCompile(`\bya29\.[A-Za-z0-9._-]{8,}`), redacted},
	{regexp.MustCompile(`\b[14]//?0[A-Za-z0-9_-]{20,}`), redacted},
	{regexp.MustCompile(`\b1/[A-Za-z0-9_-]{40,}`), redacted},
	{regexp.MustCompile(`\bGOCSPX-[A-Za-z0-9_-]{8,}`), redacted},
	{regexp.MustCompile(`\beyJ[A-Za-z0-9_-]{8,}\.[A-Za-z0-9_-]{8,}(\.[A-Za-z0-9_-]*)*`), redacted},
	{regexp.MustCompile(`(?s)-----BEGIN [A-Z ]*PRIVATE KEY-----.*?(-----END [A-Z ]*PRIVATE KEY-----|$)`), redacted},
}

var secretKey = regexp.MustCompile(`(?i)(?:^|[._-])(?:` + secretNames + `)$`)

// Scrub replaces what looks like a secret in a text.
func Scrub(text string) string {
	for _, r := range rules {
		text = r.find.ReplaceAllString(text, r.replace)
	}
	return text
}

// scrubber takes secrets out of messages and attributes before any other handler sees them.
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
	default: // Numbers, times and truths hold no secret.
	}
	return a
}

// scrubAny turns a value into the text or the JSON that would be written, and scrubs that. A value whose methods panic,
// as a nil pointer in an interface does, must not take the log down.
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
	e.SetEscapeHTML(false) // An escaped & would hide where a parameter begins.
	if err := e.Encode(v); err != nil {
		return slog.StringValue(Scrub(fmt.Sprintf("%+v", v)))
	}
	clean := Scrub(strings.TrimSuffix(b.String(), "\n"))
	if json.Valid([]byte(clean)) {
		return slog.AnyValue(json.RawMessage(clean))
	}
	return slog.StringValue(clean)
}

// pairs are the values of headers or of a form, by name; those of a redirect's query among them.
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
