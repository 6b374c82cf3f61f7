package odata

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"regexp"
	"slices"
	"strings"

	"github.com/tandem-sync/tandem/shared/fault"
	"github.com/tandem-sync/tandem/shared/httpx"
)

// classify returns the fault that a reply means, nil for a success.
func (c *Client) classify(r request, a answer) *fault.Error {
	html := isHTML(a, r.accept == xmlAccept || r.limit > 0)
	p := parseProblem(a.body, html)
	if a.status >= 200 && a.status < 300 && !html && !p.found {
		return nil
	}
	f := faultOf(r, a, p, html)
	f.Side = c.side
	if f.Err == nil {
		f.Err = fmt.Errorf("status %d: %s", a.status, p.message)
	}
	if wait, ok := httpx.RetryAfter(&http.Response{Header: a.header}, a.date); ok && f.Kind == fault.Retry {
		f.After = wait
	}
	return f
}

func faultOf(r request, a answer, p problem, html bool) *fault.Error {
	switch {
	case a.status == http.StatusUnauthorized:
		return signedOut()
	case a.status == http.StatusTooManyRequests:
		return &fault.Error{Kind: fault.Retry, Code: "quota"}
	case a.status >= 300 && a.status < 400:
		return redirected(a)
	case a.status == http.StatusForbidden && strings.Contains(p.text, "csrf"):
		return &fault.Error{Kind: fault.Retry, Code: "csrf"}
	case a.status == http.StatusRequestEntityTooLarge:
		// The web server or a proxy says so by a page.
		return &fault.Error{Kind: fault.BadRecord, Code: "too-large"}
	case html:
		return pageInstead(r, a)
	case r.target == listTarget && !r.writes() && (a.status == http.StatusNotFound && len(a.body) == 0 || invalidWhole(a, p)), r.target == serviceTarget && invalidWhole(a, p):
		// For minutes after a publication Creatio builds its entities anew. What it says of a whole batch is nobody's mistake either.
		return &fault.Error{Kind: fault.Retry, Code: "rebuilding"}
	case p.routing:
		return &fault.Error{Kind: fault.Misconfigured, Code: "unknown-set"}
	}
	if f := byStatus(r, a.status); f != nil {
		return f
	}
	if f := byText(p); f != nil {
		return f
	}
	switch {
	case a.status == http.StatusInternalServerError, a.status < 300:
		return &fault.Error{Kind: fault.Retry, Code: "server-error", Ambiguous: r.writes()}
	case a.status > http.StatusInternalServerError:
		// A 503 with Retry-After was not processed (RFC 9110, section 15.6.4).
		refused := a.status == http.StatusServiceUnavailable && a.header.Get("Retry-After") != ""
		return &fault.Error{Kind: fault.Retry, Code: "unavailable", Ambiguous: r.writes() && !refused}
	case r.writes() && r.target != serviceTarget && (a.status == http.StatusBadRequest || a.status == http.StatusUnprocessableEntity):
		if ownerWords.MatchString(p.text) {
			return &fault.Error{Kind: fault.BadRecord, Code: CodeOwner}
		}
		return &fault.Error{Kind: fault.BadRecord, Code: "refused"}
	}
	return &fault.Error{Kind: fault.Bug, Code: fmt.Sprintf("status-%d", a.status)}
}

// invalidWhole reports whether a reply says of no part of a request what is wrong with it.
func invalidWhole(a answer, p problem) bool {
	return a.status == http.StatusBadRequest && strings.Contains(p.text, "the request is invalid")
}

// signedOut is the fault of a reply that asks to sign in. It is temporary, such as during a restart of the site: if the
// access is really gone, the transport below fails first with a fault of its own.
func signedOut() *fault.Error { return &fault.Error{Kind: fault.Retry, Code: "signed-out"} }

// redirected classifies a redirect. API calls are not redirected, except to the login page after a session expired.
func redirected(a answer) *fault.Error {
	if loginWords.MatchString(a.header.Get("Location")) {
		return signedOut()
	}
	return fault.Errorf(fault.Misconfigured, "", "redirected", "status %d to another address", a.status)
}

// pageInstead classifies an HTML page: of the login, of a proxy in front of the site, or of a web server without such a
// site.
func pageInstead(r request, a answer) *fault.Error {
	const code = "html-instead-of-json"
	switch {
	case a.status < 300 && loginWords.Match(a.body):
		return signedOut()
	case a.status == http.StatusInternalServerError:
		return &fault.Error{Kind: fault.Retry, Code: "server-error", Ambiguous: r.writes()}
	case a.status < 300, a.status > http.StatusInternalServerError:
		return &fault.Error{Kind: fault.Retry, Code: code, Ambiguous: r.writes()}
	}
	return &fault.Error{Kind: fault.Misconfigured, Code: code}
}

// byStatus classifies the statuses whose meaning does not depend on the text.
func byStatus(r request, status int) *fault.Error {
	switch status {
	case http.StatusForbidden:
		return &fault.Error{Kind: fault.ReadOnly, Code: "forbidden"}
	case http.StatusNotFound, http.StatusGone:
		if r.target == entityTarget {
			return &fault.Error{Kind: fault.Gone, Code: "not-found"}
		}
		return &fault.Error{Kind: fault.Misconfigured, Code: "unknown-set"}
	case http.StatusConflict, http.StatusPreconditionFailed:
		return &fault.Error{Kind: fault.Conflict, Code: "conflict"}
	case http.StatusRequestTimeout, http.StatusTooEarly:
		return &fault.Error{Kind: fault.Retry, Code: "timeout", Ambiguous: r.writes()}
	case http.StatusFailedDependency:
		return &fault.Error{Kind: fault.Retry, Code: "group-failed"}
	case http.StatusPreconditionRequired:
		// The site wants every write to name the version that it changes, which Creatio's OData does not tell.
		return &fault.Error{Kind: fault.Misconfigured, Code: "precondition-required"}
	}
	return nil
}

// textRule recognizes the cause in a message of the database or of Microsoft's OData library. Messages of PostgreSQL are
// recognized by SQLSTATE, which npgsql puts first, or by their English text; those of SQL Server by their English text; those
// of Oracle, on which Creatio ran up to 8.0, by their number.
type textRule struct {
	words *regexp.Regexp
	kind  fault.Kind
	code  string
}

var textRules = []textRule{
	{
		regexp.MustCompile(`\b23505:|\bora-00001:|duplicate key|violation of (primary|unique) key|\b(error|number|msg)\W{1,2}(2627|2601)\b`),
		fault.BadRecord, "duplicate",
	},
	{
		regexp.MustCompile(`\b23503:|\bora-0229[12]:|violates foreign key|conflicted with the (same table )?(foreign key|reference)|\b(error|number|msg)\W{1,2}547\b`),
		fault.BadRecord, "foreign-key",
	},
	{
		regexp.MustCompile(`\b23502:|\bora-014(00|07):|violates not-null|cannot insert the value null|\b(error|number|msg)\W{1,2}515\b`),
		fault.BadRecord, "required",
	},
	{
		regexp.MustCompile(`\b22001:|\bora-(12899|01461):|value too long for type|would be truncated`),
		fault.BadRecord, "too-long",
	},
	{
		regexp.MustCompile(`\b40p01:|\b40001:|\bora-(00060|08177):|deadlock`),
		fault.Retry, "deadlock",
	},
	{
		regexp.MustCompile(`securityexception|unauthorizedaccess`),
		fault.ReadOnly, "forbidden",
	},
	{
		regexp.MustCompile(`column by path .*not found|could not find a property named|the property '[^']*' does not exist on type`),
		fault.Misconfigured, "unknown-column",
	},
	{
		// Microsoft.AspNet.OData, FilterQueryValidator.
		regexp.MustCompile(`node count limit of`),
		fault.Bug, "too-many-nodes",
	},
}

func byText(p problem) *fault.Error {
	for _, rule := range textRules {
		if rule.words.MatchString(p.text) {
			return &fault.Error{Kind: rule.kind, Code: rule.code}
		}
	}
	return nil
}

// problem is the content of an error body.
type problem struct {
	found bool
	// routing says that ASP.NET's routing wrote the body: there is no such address.
	routing bool
	// text is the whole text in lower case, in which textRules search.
	text string
	// message is the part of it that may be logged.
	message string
}

// innerProblem is OData's innererror or ASP.NET's InnerException; encoding/json ignores the case of names.
type innerProblem struct {
	Message           string        `json:"message"`
	Type              string        `json:"type"`
	ExceptionMessage  string        `json:"exceptionMessage"`
	ExceptionType     string        `json:"exceptionType"`
	InternalException *innerProblem `json:"internalexception"`
	InnerException    *innerProblem `json:"innerException"`
	InnerError        *innerProblem `json:"innererror"`
}

// parseProblem reads the forms of errors: OData's (JSON Format 4.0, section 19), ASP.NET's exceptions and routing errors,
// and HTML pages. The last three may also have status 200.
func parseProblem(body []byte, html bool) problem {
	if html {
		return problem{found: true, text: head(body), message: "a page"}
	}
	if bytes.Contains(body[:min(len(body), 256)], []byte(`"@odata.context"`)) {
		return problem{}
	}
	if len(body) == 0 || body[0] != '{' {
		return problem{text: head(body), message: "a text of no known form"}
	}
	var reply struct {
		Error json.RawMessage `json:"error"`
		// MessageDetail comes from routing.
		MessageDetail string `json:"messageDetail"`
		innerProblem
	}
	if json.Unmarshal(body, &reply) != nil {
		return problem{text: head(body), message: "an error of an unknown form"}
	}
	var texts []string
	p := problem{}
	if len(reply.Error) > 0 && !bytes.Equal(reply.Error, []byte("null")) {
		p.found = true
		texts = oDataTexts(reply.Error)
	}
	// An entity can have a property Message, too, but it has others.
	if reply.Message != "" && (reply.MessageDetail+reply.ExceptionMessage+reply.ExceptionType != "" || isBare(body)) {
		p.found = true
	}
	texts = append(texts, reply.innerProblem.texts()...)
	texts = append(texts, reply.MessageDetail)
	p.text = strings.ToLower(strings.Join(texts, " "))
	p.message = namesOf(append(codesOf(reply.Error), reply.names()...))
	p.routing = routingWords.MatchString(p.text)
	return p
}

// isBare reports whether a reply has one property.
func isBare(body []byte) bool {
	count := 0
	return json.Valid(body) && names{}.eachMember(body, func(string, json.RawMessage) error {
		if count++; count > 1 {
			return errNotOData
		}
		return nil
	}) == nil
}

// head is the beginning of a body in lower case.
func head(body []byte) string { return strings.ToLower(string(body[:min(len(body), maxHead)])) }

const maxHead = 16 << 10

func oDataTexts(raw json.RawMessage) []string {
	var e struct {
		Code       json.RawMessage `json:"code"`
		Message    json.RawMessage `json:"message"`
		InnerError *innerProblem   `json:"innererror"`
	}
	if json.Unmarshal(raw, &e) != nil {
		return []string{string(raw)}
	}
	message := string(e.Message)
	var plain string
	var localized struct{ Value string }
	if json.Unmarshal(e.Message, &plain) == nil {
		message = plain
	} else if json.Unmarshal(e.Message, &localized) == nil {
		message = localized.Value
	}
	code := strings.Trim(string(e.Code), `"`)
	return append([]string{code, message}, e.InnerError.texts()...)
}

func (p *innerProblem) texts() []string {
	if p == nil {
		return nil
	}
	out := []string{p.Message, p.ExceptionMessage, p.Type, p.ExceptionType}
	out = append(out, p.InternalException.texts()...)
	out = append(out, p.InnerException.texts()...)
	return append(out, p.InnerError.texts()...)
}

// CodeOwner is the code of a refusal whose text names the owner of a record: some sites insist on being told who that is.
const CodeOwner = "owner"

var (
	ownerWords   = regexp.MustCompile(`\bowner(id)?\b`)
	loginWords   = regexp.MustCompile(`(?i)log[- ]?in|sign[- ]?in|password|returnurl`)
	routingWords = regexp.MustCompile(`(?i)no http resource was found|no route providing a controller|resource not found for the segment`)
)

// name is the form of codes and of the names of exception types. Whatever else a service writes may quote what people
// entered, or hold a secret, so it is in no error.
var name = regexp.MustCompile(`^[A-Za-z][A-Za-z0-9_.-]{0,79}$`)

// namesOf joins those of the texts that are names.
func namesOf(texts []string) string {
	var out []string
	for _, t := range texts {
		if name.MatchString(t) && !slices.Contains(out, t) && len(out) < 5 {
			out = append(out, t)
		}
	}
	if out == nil {
		return "an error without a name"
	}
	return strings.Join(out, " ")
}

// codesOf is the code of an OData error.
func codesOf(raw json.RawMessage) []string {
	var e struct {
		Code       string        `json:"code"`
		InnerError *innerProblem `json:"innererror"`
	}
	if json.Unmarshal(raw, &e) != nil {
		return nil
	}
	return append([]string{e.Code}, e.InnerError.names()...)
}

// names are the types of the exceptions.
func (p *innerProblem) names() []string {
	if p == nil {
		return nil
	}
	out := []string{p.Type, p.ExceptionType}
	out = append(out, p.InternalException.names()...)
	out = append(out, p.InnerException.names()...)
	return append(out, p.InnerError.names()...)
}

// isHTML reports whether a reply is an HTML page, by its type or by its beginning: proxies often send a wrong type. markup
// says that a valid reply may begin with "<" as well.
func isHTML(a answer, markup bool) bool {
	if strings.Contains(strings.ToLower(a.header.Get("Content-Type")), "html") {
		return true
	}
	start := strings.ToLower(string(a.body[:min(len(a.body), 64)]))
	if markup {
		return strings.HasPrefix(start, "<!doctype html") || strings.HasPrefix(start, "<html")
	}
	return strings.HasPrefix(start, "<")
}

// trim removes white space and the byte order mark that .NET writes.
func trim(body []byte) []byte {
	return bytes.TrimSpace(bytes.TrimPrefix(body, []byte("\xEF\xBB\xBF")))
}

var errNoAnswer = errors.New("the batch's reply has no answer to this part")
