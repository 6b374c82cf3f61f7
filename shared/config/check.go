package config

import (
	"fmt"
	"net/mail"
	"net/netip"
	"net/url"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"time"

	"golang.org/x/net/idna"

	"github.com/tandem-sync/tandem/shared/fault"
)

// side names the configuration in faults, where the name of a service would be.
const side = "config"

// problems collects all problems of the environment, so that an operator reads them at once.
type problems []string

// add adds a problem. Its text quotes a value only if that cannot be a secret, such as a credential or an address with a
// password.
func (p *problems) add(name, format string, args ...any) {
	if line := name + ": " + fmt.Sprintf(format, args...); !slices.Contains(*p, line) {
		*p = append(*p, line)
	}
}

// err returns the problems as one error, or nil.
func (p *problems) err() error {
	if len(*p) == 0 {
		return nil
	}
	return fault.Errorf(fault.Misconfigured, side, "environment", "load configuration: %d wrong or missing:\n  %s",
		len(*p), strings.Join(*p, "\n  "))
}

const (
	writeStore = `write "bolt:PATH" or "firestore:PROJECT/DATABASE", as "firestore:acme-crm/(default)"`
	writeKey   = `write "gcp-kms://projects/P/locations/L/keyRings/R/cryptoKeys/K" or "file:PATH"`
	writeQueue = `write "inline" or "projects/P/locations/L/queues/Q"`

	googleClient  = "write what the Google Cloud console shows for the OAuth client"
	creatioClient = "write what Creatio shows for the OAuth application"
)

// The forms of Google Cloud's names. A project may have a domain, such as "example.com:acme"; a database is "(default)" or
// has 4 to 63 characters (https://cloud.google.com/firestore/docs/manage-databases).
var (
	firestoreName = regexp.MustCompile(`^([a-z0-9][a-z0-9.:-]*)/(\(default\)|[a-z][a-z0-9-]{2,61}[a-z0-9])$`)
	keyName       = regexp.MustCompile(`^gcp-kms://projects/[^/\s]+/locations/[^/\s]+/keyRings/[^/\s]+/cryptoKeys/[^/\s]+$`)
	queueName     = regexp.MustCompile(`^projects/[^/\s]+/locations/[^/\s]+/queues/[A-Za-z0-9-]+$`)
	locationName  = regexp.MustCompile(`^projects/([^/\s]+)/locations/([a-z0-9-]+)$`)
	domainName    = regexp.MustCompile(`^[a-z0-9-]+(\.[a-z0-9-]+)+$`)
)

func (p *problems) publicURL(env environment) string {
	const name = "PUBLIC_URL"
	if env.PublicURL == "" {
		if env.Scheduler != "" || strings.HasPrefix(env.Queue, "projects/") {
			p.add(name, `is missing, and SCHEDULER and QUEUE need it; write "https://REGION-PROJECT.cloudfunctions.net" or your own domain`)
		}
		return defaultPublicURL
	}
	address := p.address(name, env.PublicURL, "https://tandem.example.com")
	if u, err := url.Parse(address); err == nil && u.Path != "" {
		p.add(name, `has the path %q; write the address without it, as %q`, u.Path, u.Scheme+"://"+u.Host)
	}
	return address
}

func (p *problems) store(value string) Store {
	const name = "STORE"
	kind, rest, _ := strings.Cut(value, ":")
	switch {
	case value == "":
		p.add(name, "is missing; %s", writeStore)
	case kind == string(Bolt) && (rest == "" || strings.HasSuffix(rest, "/")):
		p.add(name, `%q names no file; write one, as "bolt:data/tandem.db"`, value)
	case kind == string(Bolt):
		return Store{Kind: Bolt, Path: rest}
	case kind == string(Firestore):
		if m := firestoreName.FindStringSubmatch(rest); m != nil {
			return Store{Kind: Firestore, Project: m[1], Database: m[2]}
		}
		p.add(name, "%q does not name a project and a database; %s", value, writeStore)
	default:
		p.add(name, "is of no known kind; %s", writeStore)
	}
	return Store{}
}

// encryptionKey never quotes the value, which may be the key itself, pasted by mistake.
func (p *problems) encryptionKey(value string) string {
	const name = "ENCRYPTION_KEY"
	path, isFile := strings.CutPrefix(value, "file:")
	switch {
	case value == "":
		p.add(name, "is missing; %s", writeKey)
	case isFile && (path == "" || strings.HasSuffix(path, "/")):
		p.add(name, `names no file; write one, as "file:data/key.json"`)
	case !isFile && !keyName.MatchString(value):
		p.add(name, "names no key, and is not the place for the key itself; %s", writeKey)
	}
	return value
}

func (p *problems) creatio(env environment) Creatio {
	c := Creatio{
		URL:         p.address("CREATIO_URL", env.CreatioURL, "https://acme.creatio.com"),
		Auth:        CreatioAuth(env.CreatioAuth),
		IdentityURL: p.address("CREATIO_IDENTITY_URL", env.CreatioIdentityURL, "https://acme-is.creatio.com"),
	}
	if env.CreatioURL == "" {
		p.add("CREATIO_URL", `is missing; write the site's address, as "https://acme.creatio.com"`)
	}
	if site, _, inside := strings.Cut(c.URL+"/", "/0/"); inside {
		// A site on .NET Framework has its pages and services below /0, but its sign-in at the root.
		p.add("CREATIO_URL", "leads inside the site; write the site's own address, as %q", site)
	}
	switch c.Auth {
	case AuthUser, AuthClient:
		c.ClientID = p.credential("CREATIO_CLIENT_ID", env.CreatioClientID, creatioClient)
		c.ClientSecret = NewSecret(p.credential("CREATIO_CLIENT_SECRET", env.CreatioClientSecret, creatioClient))
	case AuthPassword:
		c.IdentityURL = ""
		if u, err := url.Parse(env.PublicURL); env.AllowedDomains == "" && env.PublicURL != "" && (err != nil || !loopback(u.Hostname())) {
			p.add("ALLOWED_DOMAINS", `is missing, so that everybody with a Google account could try passwords of Creatio users; write the domains of your users, as "example.com"`)
		}
	default:
		p.add("CREATIO_AUTH", `names no way to sign in; write "user", "password" or "client"`)
	}
	return c
}

// credential checks an id or a secret. It quotes neither, because they are easily swapped by mistake.
func (p *problems) credential(name, value, write string) string {
	switch {
	case value == "":
		p.add(name, "is missing; %s", write)
	case strings.ContainsFunc(value, func(r rune) bool { return r <= ' ' || r == 0x7f }):
		p.add(name, "has a space or a line break inside; %s, in one piece", write)
	}
	return value
}

// address checks a base URL and returns it without the trailing slash. Unencrypted http is only allowed to this machine,
// because tokens are sent to the address. An invalid value is not quoted, because it may hold a password.
func (p *problems) address(name, value, example string) string {
	if value == "" {
		return ""
	}
	u, err := url.Parse(value)
	if err != nil || u.Hostname() == "" || u.Opaque != "" {
		p.add(name, "is not the address of a web site; write it in full, as %q", example)
		return ""
	}
	shown := u.Scheme + "://" + u.Host + u.EscapedPath()
	switch {
	case u.User != nil:
		p.add(name, "holds a name or a password; write the address without them, as %q", shown)
	case u.RawQuery != "" || u.ForceQuery || u.Fragment != "" || strings.Contains(value, "#"):
		p.add(name, `has something after "?" or "#"; write the address without it, as %q`, shown)
	case u.Scheme != "https" && u.Scheme != "http":
		p.add(name, "%q is not the address of a web site; write one, as %q", shown, example)
	case u.Scheme == "http" && !loopback(u.Hostname()):
		p.add(name, `%q is not encrypted, which only this machine's own addresses may be; write "https://%s"`, shown, u.Host+u.EscapedPath())
	case !validPort(u):
		p.add(name, "%q names no port between 1 and 65535; correct it, or leave it out", shown)
	default:
		return strings.TrimRight(shown, "/")
	}
	return ""
}

func validPort(u *url.URL) bool {
	if strings.HasSuffix(u.Host, ":") {
		return false
	}
	if u.Port() == "" {
		return true
	}
	n, err := strconv.ParseUint(u.Port(), 10, 16)
	return err == nil && n > 0
}

// loopback reports by its name whether a host is this machine. RFC 6761, section 6.3, reserves localhost for it.
func loopback(host string) bool {
	host = strings.ToLower(strings.TrimSuffix(host, "."))
	if host == "localhost" || strings.HasSuffix(host, ".localhost") {
		return true
	}
	ip, err := netip.ParseAddr(host)
	return err == nil && ip.Unmap().IsLoopback()
}

// domains rejects empty items: a list of commas alone would allow every user to sign in.
func (p *problems) domains(value string) []string {
	var out []string
	for item := range items(value) {
		name, ending := strings.CutPrefix(strings.ToLower(item), "@")
		ascii, err := idna.Lookup.ToASCII(name)
		if err == nil && ascii == "gmail.com" && !ending {
			p.add("ALLOWED_DOMAINS", `"gmail.com" is no Google Workspace; write "@gmail.com" to let in whoever has such an address`)
			continue
		}
		if err != nil || !domainName.MatchString(ascii) {
			p.add("ALLOWED_DOMAINS", `%q is not a domain; write domains with commas between them, as "example.com,@example.org"`, item)
			continue
		}
		if ending {
			ascii = "@" + ascii
		}
		if !slices.Contains(out, ascii) {
			out = append(out, ascii)
		}
	}
	return out
}

func (p *problems) emails(name, value string) []string {
	var out []string
	for item := range items(value) {
		if !isEmail(item) {
			p.add(name, `%q is not an e-mail address; write addresses with commas between them, as "ada@example.com,alan@example.com"`, item)
			continue
		}
		if lower := strings.ToLower(item); !slices.Contains(out, lower) {
			out = append(out, lower)
		}
	}
	return out
}

// items iterates over a comma-separated list. An empty text has no items.
func items(value string) func(yield func(string) bool) {
	return func(yield func(string) bool) {
		if value == "" {
			return
		}
		for item := range strings.SplitSeq(value, ",") {
			if !yield(strings.TrimSpace(item)) {
				return
			}
		}
	}
}

func isEmail(text string) bool {
	a, err := mail.ParseAddress(text)
	return err == nil && a.Address == text && a.Name == ""
}

func (p *problems) queue(value string) Queue {
	switch {
	case value == string(QueueInline):
		return Queue{Kind: QueueInline}
	case queueName.MatchString(value):
		return Queue{Kind: QueueTasks, Name: value}
	}
	p.add("QUEUE", "names no queue; %s", writeQueue)
	return Queue{}
}

func (p *problems) scheduler(value string) string {
	if value != "" && !locationName.MatchString(value) {
		p.add("SCHEDULER", `%q is no location; write "projects/P/locations/L", or nothing`, value)
	}
	return value
}

// telemetry is a location of Google Cloud, or the address of a collector without a path.
func (p *problems) telemetry(value string) Telemetry {
	const name = "TELEMETRY"
	if m := locationName.FindStringSubmatch(value); m != nil {
		return Telemetry{Project: m[1], Location: m[2]}
	}
	if strings.HasPrefix(value, "projects/") {
		p.add(name, `%q is no location; write "projects/P/locations/L", the address of a collector, or nothing`, value)
		return Telemetry{}
	}
	address := p.address(name, value, "https://collector.example.com:4317")
	if u, err := url.Parse(address); err == nil && u.Path != "" {
		p.add(name, `has the path %q; write the address without it, as %q`, u.Path, u.Scheme+"://"+u.Host)
	}
	return Telemetry{Endpoint: address}
}

func (p *problems) invoker(value string) string {
	if value != "" && !isEmail(value) {
		p.add("INVOKER", `%q is not an e-mail address; write the service account's, as "tandem-invoker@acme.iam.gserviceaccount.com"`, value)
	}
	return value
}

// verifier rejects "platform" outside of Cloud Run: there nothing verifies the signature, and anybody could forge a token.
func (p *problems) verifier(value string, onCloudRun bool) Verifier {
	const name = "INVOKER_VERIFIED_BY"
	switch v := Verifier(value); {
	case v == VerifiedByPlatform && !onCloudRun:
		p.add(name, `is "platform", and nothing verifies tokens before they come here: %s is not set, which Cloud Run sets; write "signature"`, cloudRun)
	case v == VerifiedByPlatform || v == VerifiedBySignature:
		return v
	default:
		p.add(name, `names no verifier; write "signature" or "platform"`)
	}
	return VerifiedBySignature
}

// audience does not quote the value, which may be an address with a password.
func (p *problems) audience(value string) string {
	const name = "INVOKER_AUDIENCE"
	u, err := url.Parse(strings.ReplaceAll(value, functionMark, "function"))
	switch {
	case strings.ContainsFunc(value, func(r rune) bool { return r <= ' ' || r == 0x7f }):
		p.add(name, "has a space or a line break inside; write the audience in one piece")
	case err != nil || u.User != nil || strings.ContainsAny(u.Path, "{}"):
		p.add(name, `is no audience; write the function's address, as "https://REGION-PROJECT.cloudfunctions.net/sync-contacts", in which %q may stand for its name`, functionMark)
	}
	return value
}

func (p *problems) calendarPush(value string) bool {
	if value != "on" && value != "off" {
		p.add("CALENDAR_PUSH", `is neither "on" nor "off"; write one of them`)
	}
	return value == "on"
}

// days is a number of days of at most ten years.
func (p *problems) days(name, value string) time.Duration {
	n, err := strconv.Atoi(value)
	if err != nil || n < 1 || n > 3650 {
		p.add(name, `is no number of days; write one between 1 and 3650, as "90"`)
	}
	return time.Duration(n) * 24 * time.Hour
}

// mail never quotes the value, which has a password in it.
func (p *problems) mail(value string) Mail {
	const name, example = "NOTICE_SMTP", `write "smtps://NAME:PASSWORD@HOST:465?from=ADDRESS", with %-escapes in the name and the password`
	if value == "" {
		return Mail{}
	}
	u, err := url.Parse(value)
	if err != nil || u.Hostname() == "" || u.Opaque != "" || u.Scheme != "smtps" && u.Scheme != "smtp" {
		p.add(name, "is not the address of a mail server; %s", example)
		return Mail{}
	}
	m := Mail{Host: u.Hostname(), Port: u.Port(), Implicit: u.Scheme == "smtps", Local: loopback(u.Hostname()), User: u.User.Username()}
	password, _ := u.User.Password()
	m.Password = NewSecret(password)
	if m.Port == "" {
		m.Port = map[string]string{"smtps": "465", "smtp": "587"}[u.Scheme]
	}
	q, err := url.ParseQuery(u.RawQuery)
	m.From = q.Get("from")
	switch {
	case !validPort(u):
		p.add(name, "names no port between 1 and 65535; %s", example)
	case u.Path != "" && u.Path != "/" || u.Fragment != "" || err != nil || len(q) != 1 || len(q["from"]) != 1 || !isEmail(m.From):
		p.add(name, "has to end in ?from=ADDRESS, the address that mail comes from, and nothing else; %s", example)
	case (m.User == "") != (password == ""):
		p.add(name, "has a name without a password, or a password without a name; %s", example)
	}
	return m
}

// webhook never quotes the value: who knows it can write to the chat.
func (p *problems) webhook(value string) Secret {
	const name = "NOTICE_WEBHOOK"
	if value == "" {
		return Secret{}
	}
	u, err := url.Parse(value)
	switch {
	case err != nil || u.Hostname() == "" || u.Opaque != "" || u.User != nil || u.Fragment != "" || !validPort(u):
		p.add(name, `is not the address of a webhook; write what Slack or Google Chat shows for an incoming webhook, as "https://chat.googleapis.com/v1/spaces/…"`)
	case u.Scheme != "https" && !(u.Scheme == "http" && loopback(u.Hostname())):
		p.add(name, `is not encrypted, which only this machine's own addresses may be; write the https address that Slack or Google Chat shows`)
	}
	return NewSecret(value)
}

func (p *problems) port(value string) int {
	n, err := strconv.Atoi(value)
	if err != nil || n < 1 || n > 65535 {
		p.add("PORT", `%q is no port; write a number between 1 and 65535, as "8080"`, value)
	}
	return n
}
