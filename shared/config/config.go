// Package config reads Tandem's environment once, at the start, into values that are known to be right. It is for
// shared/app and the scripts, which hand each part its own values on.
//
// Invariants: a Config that Load returned without an error needs no further look; a wrong environment is one error
// that names every problem with its variable and says what to write; no secret shows in a Config that is printed,
// logged or marshaled, nor in an error.
package config

import (
	"context"
	"reflect"
	"strings"

	"github.com/sethvargo/go-envconfig"

	"github.com/tandem-sync/tandem/shared/fault"
)

// Config is everything that is decided outside of the program.
type Config struct {
	// PublicURL is what stands before "/settings" and the names of the other functions. It has no slash at its end.
	PublicURL string
	Store     Store
	// EncryptionKey names the key that package vault opens: "gcp-kms://…" or "file:PATH".
	EncryptionKey string
	Google        Google
	Creatio       Creatio
	// AllowedDomains may sign in, in lower case and ASCII; nobody is kept out where it is empty.
	AllowedDomains []string
	// AdminEmails are the addresses of who sees every user's state, in lower case.
	AdminEmails []string
	Queue       Queue
	// Scheduler is "projects/P/locations/L", where the jobs are that follow the settings, or empty.
	Scheduler string
	// Telemetry is where traces and metrics go.
	Telemetry Telemetry
	// Invoker is the service account that Cloud Scheduler and Cloud Tasks call with; empty where the platform alone
	// decides who may call.
	Invoker string
	// InvokerVerifiedBy says who checks the signature of its tokens.
	InvokerVerifiedBy Verifier
	// InvokerAudience is whom its tokens are for, where that is not the public address of the function; see Audience.
	InvokerAudience string
	// Port is where a server listens.
	Port int
}

// StoreKind is where documents are kept.
type StoreKind string

// The kinds of store.
const (
	Bolt      StoreKind = "bolt"
	Firestore StoreKind = "firestore"
)

// Store is where documents are kept: Path for Bolt, Project and Database for Firestore.
type Store struct {
	Kind     StoreKind
	Path     string
	Project  string
	Database string
}

// Google is the OAuth client, and one base URL in place of every Google host, or empty.
type Google struct {
	ClientID     string
	ClientSecret Secret
	Endpoint     string
}

// CreatioAuth is how users sign in to Creatio.
type CreatioAuth string

// The ways to sign in to Creatio.
const (
	// AuthUser asks each user's consent.
	AuthUser CreatioAuth = "user"
	// AuthPassword takes each user's name and password.
	AuthPassword CreatioAuth = "password"
	// AuthClient uses the credentials of one technical user.
	AuthClient CreatioAuth = "client"
)

// Creatio is the site. IdentityURL, ClientID and ClientSecret are empty with AuthPassword, which uses none of them;
// IdentityURL is empty too where the site's OpenID discovery shall be asked. The addresses have no slash at their end.
type Creatio struct {
	URL          string
	Auth         CreatioAuth
	IdentityURL  string
	ClientID     string
	ClientSecret Secret
}

// QueueKind is what runs the users that are due.
type QueueKind string

// The kinds of queue.
const (
	QueueInline QueueKind = "inline"
	QueueTasks  QueueKind = "tasks"
)

// Queue is what runs the users that are due. Name is "projects/P/locations/L/queues/Q" for QueueTasks.
type Queue struct {
	Kind QueueKind
	Name string
}

// Telemetry is where traces and metrics go: to Google Cloud, or to a collector at an address; nowhere where it is empty.
type Telemetry struct {
	Project, Location string
	Endpoint          string
}

// Verifier is who checks the signature of a token that a function is called with.
type Verifier string

// The verifiers.
const (
	// VerifiedBySignature has the function check it, with the keys of the issuer.
	VerifiedBySignature Verifier = "signature"
	// VerifiedByPlatform relies on Cloud Run, which checks it before the request reaches the function, where nobody may call
	// the function without one (https://cloud.google.com/run/docs/authenticating/service-to-service).
	VerifiedByPlatform Verifier = "platform"
)

// functionMark stands for a function's deployed name in InvokerAudience.
const functionMark = "{function}"

// Audience is whom a token has to be for with which the function of that deployed name is called.
func (c Config) Audience(function string) string {
	if c.InvokerAudience == "" {
		return c.PublicURL + "/" + function
	}
	return strings.ReplaceAll(c.InvokerAudience, functionMark, function)
}

// environment is the variables as they stand, without the white space around them: it comes along when a value is
// pasted, or a secret is made of a file.
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
	Queue               string `env:"QUEUE, default=inline"`
	Scheduler           string `env:"SCHEDULER"`
	Telemetry           string `env:"TELEMETRY"`
	Invoker             string `env:"INVOKER"`
	InvokerVerifiedBy   string `env:"INVOKER_VERIFIED_BY, default=signature"`
	InvokerAudience     string `env:"INVOKER_AUDIENCE"`
	Port                string `env:"PORT, default=8080"`
}

// cloudRun is a variable that Cloud Run sets, and nothing else (https://cloud.google.com/run/docs/container-contract#env-vars).
const cloudRun = "K_SERVICE"

// defaultPublicURL is where the local server answers.
const defaultPublicURL = "http://127.0.0.1:8080"

// Load reads and checks the environment. A variable that is empty, or white space, counts as not set. The error is of
// kind Misconfigured.
func Load(ctx context.Context, lookuper envconfig.Lookuper) (Config, error) {
	var env environment
	lookuper = trimmed(lookuper)
	err := envconfig.ProcessWith(ctx, &envconfig.Config{Target: &env, Lookuper: lookuper})
	if err != nil {
		return Config{}, fault.Errorf(fault.Misconfigured, side, "environment", "load configuration: %w", err)
	}
	_, onCloudRun := lookuper.Lookup(cloudRun)
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
		AdminEmails:       p.emails("ADMIN_EMAILS", env.AdminEmails),
		Queue:             p.queue(env.Queue),
		Scheduler:         p.scheduler(env.Scheduler),
		Telemetry:         p.telemetry(env.Telemetry),
		Invoker:           p.invoker(env.Invoker),
		InvokerVerifiedBy: p.verifier(env.InvokerVerifiedBy, onCloudRun),
		InvokerAudience:   p.audience(env.InvokerAudience),
		Port:              p.port(env.Port),
	}
	if err := p.err(); err != nil {
		return Config{}, err
	}
	return c, nil
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
