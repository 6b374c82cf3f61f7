// Package config reads and checks Tandem's environment once, at the start. It is for shared/app and the scripts, which pass
// the values to the other packages.
//
// Invariants: a Config that Load returns without an error is valid; a wrong environment is one error that names every
// problem with its variable and says what to write; a Config that is printed, logged or marshaled shows no secret, and
// neither does an error.
package config

import (
	"context"
	"reflect"
	"strings"
	"time"

	"github.com/sethvargo/go-envconfig"

	"github.com/tandem-sync/tandem/shared/fault"
)

// Config is the configuration of Tandem.
type Config struct {
	// PublicURL is the address to which "/settings" and the names of the other functions are appended. It has no trailing
	// slash.
	PublicURL string
	Store     Store
	// EncryptionKey names the key that package vault opens: "gcp-kms://…" or "file:PATH".
	EncryptionKey string
	Google        Google
	Creatio       Creatio
	// AllowedDomains are the Google Workspace domains whose users may sign in, and with "@" before them the endings of e-mail
	// addresses, in lower case and ASCII; if it is empty, all may.
	AllowedDomains []string
	// PrivacyURL is the address of the team's privacy policy; empty if there is none.
	PrivacyURL string
	// AdminEmails are the addresses of the administrators, who see every user's state, in lower case.
	AdminEmails []string
	Queue       Queue
	// Scheduler is "projects/P/locations/L", the location of the jobs that are adjusted to the settings, or empty.
	Scheduler string
	// Telemetry is the destination of traces and metrics.
	Telemetry Telemetry
	// Invoker is the service account of Cloud Scheduler and Cloud Tasks; empty if the platform alone decides who may call.
	Invoker string
	// InvokerVerifiedBy says what verifies the signature of its tokens.
	InvokerVerifiedBy Verifier
	// CalendarPush says that Google may be asked to tell of changes of calendars; see PushAddress.
	CalendarPush bool
	// History is how long runs and their changes are kept.
	History time.Duration
	// Unlinked is how long links and history are kept after an account was unlinked.
	Unlinked time.Duration
	// InvokerAudience is the audience of its tokens if that is not the public address of the function; see Audience.
	InvokerAudience string
	// Notices is where people are told that somebody is needed.
	Notices Notices
	// Port is the port on which a server listens.
	Port int
}

// StoreKind is the kind of the database.
type StoreKind string

// The kinds of store.
const (
	Bolt      StoreKind = "bolt"
	Firestore StoreKind = "firestore"
)

// Store is the database: Path for Bolt, Project and Database for Firestore.
type Store struct {
	Kind     StoreKind
	Path     string
	Project  string
	Database string
}

// Google is the OAuth client. Endpoint is one base URL that replaces every Google host, or empty.
type Google struct {
	ClientID     string
	ClientSecret Secret
	Endpoint     string
}

// CreatioAuth is how users sign in to Creatio.
type CreatioAuth string

// The ways to sign in to Creatio.
const (
	// AuthUser asks each user for consent.
	AuthUser CreatioAuth = "user"
	// AuthPassword uses each user's name and password.
	AuthPassword CreatioAuth = "password"
	// AuthClient uses the credentials of one technical user.
	AuthClient CreatioAuth = "client"
)

// Creatio is the site. With AuthPassword, IdentityURL, ClientID and ClientSecret are unused and empty. If IdentityURL is
// empty otherwise, the site's OpenID discovery names it. The addresses have no trailing slash.
type Creatio struct {
	URL          string
	Auth         CreatioAuth
	IdentityURL  string
	ClientID     string
	ClientSecret Secret
}

// QueueKind is the kind of queue that runs due users.
type QueueKind string

// The kinds of queue.
const (
	QueueInline QueueKind = "inline"
	QueueTasks  QueueKind = "tasks"
)

// Queue is the queue that runs due users. Name is "projects/P/locations/L/queues/Q" for QueueTasks.
type Queue struct {
	Kind QueueKind
	Name string
}

// Notices are ways to tell people that somebody is needed; empty where there is none.
type Notices struct {
	Mail Mail
	// Webhook is the address of an incoming webhook of Slack or Google Chat. Who knows it can write there.
	Webhook Secret
}

// Mail is a mail server, and the address that mail comes from. It is empty without a Host. Implicit says that the connection is
// encrypted from its first byte on, and Local that the server is on this machine.
type Mail struct {
	Host, Port string
	Implicit   bool
	Local      bool
	User       string
	Password   Secret
	From       string
}

// Telemetry is the destination of traces and metrics: Google Cloud, or a collector at an address. If it is empty, none are
// sent.
type Telemetry struct {
	Project, Location string
	Endpoint          string
}

// Verifier is what verifies the signature of a token with which a function is called.
type Verifier string

// The verifiers.
const (
	// VerifiedBySignature means that the function verifies it with the keys of the issuer.
	VerifiedBySignature Verifier = "signature"
	// VerifiedByPlatform means that Cloud Run has verified it before. Cloud Run does so if only callers with a token may
	// call the function (https://cloud.google.com/run/docs/authenticating/service-to-service).
	VerifiedByPlatform Verifier = "platform"
)

// functionMark stands for a function's deployed name in InvokerAudience.
const functionMark = "{function}"

// Audience is the audience that a token must have for the function with the deployed name.
func (c Config) Audience(function string) string {
	if c.InvokerAudience == "" {
		return c.PublicURL + "/" + function
	}
	return strings.ReplaceAll(c.InvokerAudience, functionMark, function)
}

// PushFunction is the deployed name of the function that Google calls when a calendar changed.
const PushFunction = "calendar-push"

// PushAddress is where Google is asked to tell of changes of calendars; empty if it is not asked. Google calls only encrypted
// addresses (https://developers.google.com/workspace/calendar/api/guides/push#requirements), and a stand-in any.
func (c Config) PushAddress() string {
	if !c.CalendarPush || !strings.HasPrefix(c.PublicURL, "https://") && c.Google.Endpoint == "" {
		return ""
	}
	return c.PublicURL + "/" + PushFunction
}

// environment holds the variables without leading and trailing white space, which often remains when a value is pasted or
// a secret is made from a file.
type environment struct {
	PublicURL           string `env:"PUBLIC_URL"`
	Store               string `env:"STORE"`
	EncryptionKey       string `env:"ENCRYPTION_KEY"`
	GoogleClientID      string `env:"GOOGLE_CLIENT_ID"`
	GoogleClientSecret  string `env:"GOOGLE_CLIENT_SECRET"`
	GoogleEndpoint      string `env:"GOOGLE_ENDPOINT"`
	CreatioURL          string `env:"CREATIO_URL"`
	CreatioAuth         string `env:"CREATIO_AUTH, default=user"`
	CreatioIdentityURL  string `env:"CREATIO_IDENTITY_URL"`
	CreatioClientID     string `env:"CREATIO_CLIENT_ID"`
	CreatioClientSecret string `env:"CREATIO_CLIENT_SECRET"`
	AllowedDomains      string `env:"ALLOWED_DOMAINS"`
	AdminEmails         string `env:"ADMIN_EMAILS"`
	PrivacyURL          string `env:"PRIVACY_URL"`
	Queue               string `env:"QUEUE, default=inline"`
	Scheduler           string `env:"SCHEDULER"`
	Telemetry           string `env:"TELEMETRY"`
	Invoker             string `env:"INVOKER"`
	InvokerVerifiedBy   string `env:"INVOKER_VERIFIED_BY, default=signature"`
	InvokerAudience     string `env:"INVOKER_AUDIENCE"`
	CalendarPush        string `env:"CALENDAR_PUSH, default=on"`
	HistoryDays         string `env:"HISTORY_DAYS, default=400"`
	UnlinkedDays        string `env:"UNLINKED_DAYS, default=90"`
	NoticeSMTP          string `env:"NOTICE_SMTP"`
	NoticeWebhook       string `env:"NOTICE_WEBHOOK"`
	Port                string `env:"PORT, default=8080"`
}

// cloudRun is a variable that only Cloud Run sets (https://cloud.google.com/run/docs/container-contract#env-vars).
const cloudRun = "K_SERVICE"

// defaultPublicURL is the address of the local server.
const defaultPublicURL = "http://127.0.0.1:8080"

// Load reads and checks the environment. A variable that is empty or white space counts as missing. The error is of kind
// Misconfigured.
func Load(ctx context.Context, lookuper envconfig.Lookuper) (Config, error) {
	env, onCloudRun, err := read(ctx, lookuper)
	if err != nil {
		return Config{}, err
	}
	var p problems
	c := Config{
		PublicURL:     p.publicURL(env),
		Store:         p.store(env.Store),
		EncryptionKey: p.encryptionKey(env.EncryptionKey),
		Google: Google{
			ClientID:     p.credential("GOOGLE_CLIENT_ID", env.GoogleClientID, googleClient),
			ClientSecret: NewSecret(p.credential("GOOGLE_CLIENT_SECRET", env.GoogleClientSecret, googleClient)),
			Endpoint:     p.address("GOOGLE_ENDPOINT", env.GoogleEndpoint, "https://google.example.com"),
		},
		Creatio:           p.creatio(env),
		AllowedDomains:    p.domains(env.AllowedDomains),
		PrivacyURL:        p.address("PRIVACY_URL", env.PrivacyURL, "https://www.example.com/privacy"),
		AdminEmails:       p.emails("ADMIN_EMAILS", env.AdminEmails),
		Queue:             p.queue(env.Queue),
		Scheduler:         p.scheduler(env.Scheduler),
		Telemetry:         p.telemetry(env.Telemetry),
		Invoker:           p.invoker(env.Invoker),
		InvokerVerifiedBy: p.verifier(env.InvokerVerifiedBy, onCloudRun),
		InvokerAudience:   p.audience(env.InvokerAudience),
		CalendarPush:      p.calendarPush(env.CalendarPush),
		History:           p.days("HISTORY_DAYS", env.HistoryDays),
		Unlinked:          p.days("UNLINKED_DAYS", env.UnlinkedDays),
		Notices:           Notices{Mail: p.mail(env.NoticeSMTP), Webhook: p.webhook(env.NoticeWebhook)},
		Port:              p.port(env.Port),
	}
	if err := p.err(); err != nil {
		return Config{}, err
	}
	return c, nil
}

// LoadReceiver is Load for a process that serves nothing but PushFunction. It hands what it is told to the queue of Cloud Tasks
// and opens no account, so it needs neither the key nor a secret, and reads none.
func LoadReceiver(ctx context.Context, lookuper envconfig.Lookuper) (Config, error) {
	env, _, err := read(ctx, lookuper)
	if err != nil {
		return Config{}, err
	}
	var p problems
	c := Config{
		PublicURL:       p.publicURL(env),
		Store:           p.store(env.Store),
		Queue:           p.queue(env.Queue),
		Telemetry:       p.telemetry(env.Telemetry),
		Invoker:         p.invoker(env.Invoker),
		InvokerAudience: p.audience(env.InvokerAudience),
		CalendarPush:    p.calendarPush(env.CalendarPush),
		Port:            p.port(env.Port),
	}
	if c.Queue.Kind == QueueInline {
		p.add("QUEUE", `is "inline" or missing, and this function runs nothing itself; write "projects/P/locations/L/queues/Q"`)
	}
	if err := p.err(); err != nil {
		return Config{}, err
	}
	return c, nil
}

// read reads the environment.
func read(ctx context.Context, lookuper envconfig.Lookuper) (env environment, onCloudRun bool, err error) {
	lookuper = trimmed(lookuper)
	if err := envconfig.ProcessWith(ctx, &envconfig.Config{Target: &env, Lookuper: lookuper}); err != nil {
		return env, false, fault.Errorf(fault.Misconfigured, side, "environment", "load configuration: %w", err)
	}
	_, onCloudRun = lookuper.Lookup(cloudRun)
	return env, onCloudRun, nil
}

// Names lists every variable that Load reads.
func Names() []string {
	var names []string
	for field := range reflect.TypeFor[environment]().Fields() {
		name, _, _ := strings.Cut(field.Tag.Get("env"), ",")
		names = append(names, name)
	}
	return names
}

func trimmed(lookuper envconfig.Lookuper) envconfig.Lookuper {
	return envconfig.LookuperFunc(func(name string) (string, bool) {
		value, _ := lookuper.Lookup(name)
		value = strings.TrimSpace(value)
		return value, value != ""
	})
}
