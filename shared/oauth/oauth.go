// Package oauth links a user's Google and Creatio accounts, and makes the HTTP clients that act for the user with the linked
// accounts. It is for shared/app, which passes the store, the vault and the calls to Creatio.
//
// A linking by consent is an authorization code flow with PKCE (RFC 7636). Its state is valid for ten minutes, for one use
// and in the browser that began it, which alone keeps it, sealed: nothing is stored before the browser comes back. Linking Google is also an OpenID Connect sign-in.
//
// Its invariants:
//
//   - A code is sent only to the service that issued it. Each service has its own redirect address and its own issuer. A
//     response is accepted only at the redirect address of the service that its state names, and not from another issuer
//     (RFC 9700, section 4.4.2; RFC 9207). A rejected response does not change the state.
//   - A token is stored before it is used. Creatio returns a new refresh token with each refresh and accepts the old one
//     once. So the instances of Tandem agree in the store on the one that refreshes, and a refresh runs to its end even if
//     its caller has disconnected.
//   - A user is disconnected only if the service says that the grant or the password is no longer valid, and only if
//     the refused credentials are still the stored ones. A failure that the operator has to fix disconnects no user.
//   - Credentials are stored sealed, under the user and the side. They are sent only to hosts of their service. No error
//     contains a token, a code or a password.
//
// If a process dies after a refresh and before it stores the result, Creatio's new refresh token is lost. The next refresh,
// a minute later at the earliest, sends the old one; if Creatio no longer accepts it, the user has to link the account
// again. The order of the two steps cannot prevent that: the service invalidates the old token before Tandem can store the
// new one. Google's refresh tokens do not change, so none is lost.
//
// Several users of Tandem may link the same Creatio account, such as a person with two Google accounts: each has proved
// access to it. If a technical user acts for all, no user has; then only one user is linked as each Creatio user.
package oauth

import (
	"context"
	"crypto/rand"
	"errors"
	"log/slog"
	"net/http"
	"net/url"
	"strings"
	"sync"
	"time"

	"golang.org/x/sync/singleflight"

	"github.com/tandem-sync/tandem/shared/fault"
	"github.com/tandem-sync/tandem/shared/httpx"
	"github.com/tandem-sync/tandem/shared/record"
	"github.com/tandem-sync/tandem/shared/store"
)

// The errors of a linking, besides faults.
var (
	// ErrState says that the linking is unknown, used, expired or of another browser, or that the response is not from the
	// service that was asked or has a code that it refuses.
	ErrState = errors.New("the answer belongs to no linking that is under way")
	// ErrRefused says that the user did not consent. Nothing was changed.
	ErrRefused = errors.New("the user did not consent")
	// ErrFailed says that the service did not ask for consent, because of an error of its own or in the question.
	ErrFailed = errors.New("the service did not ask for consent")
	// ErrNotAllowed says that the user's domain may not sign in, or that the e-mail address is not verified. Nothing was
	// stored.
	ErrNotAllowed = errors.New("the account may not sign in")
	// ErrNoRefresh says that Google returned no refresh token and none is stored. The error is a *ConsentError.
	ErrNoRefresh = errors.New("google gave no refresh token")
)

// ConsentError holds the linking with which the browser has to go on: Google returns another refresh token only after it has
// asked the user again.
type ConsentError struct{ Begun }

func (*ConsentError) Error() string { return ErrNoRefresh.Error() + ": ask for consent again" }

// Is reports whether target is ErrNoRefresh.
func (*ConsentError) Is(target error) bool { return target == ErrNoRefresh }

// Vault seals credentials. Open fails if the context is not that of Seal.
type Vault interface {
	Seal(plain []byte, context string) ([]byte, error)
	Open(sealed []byte, context string) ([]byte, error)
}

// CreatioUser is a user of the Creatio site.
type CreatioUser struct {
	ID        string
	Login     string
	ContactID string
	TimeZone  string
	Culture   string
}

// Google is the OAuth client at Google. Endpoint is the issuer to use instead of Google, or empty.
type Google struct {
	ClientID, ClientSecret, Endpoint string
}

// The ways to sign in to Creatio.
const (
	// AuthUser asks each user for consent.
	AuthUser = "user"
	// AuthPassword stores each user's name and password.
	AuthPassword = "password"
	// AuthClient uses one technical user's client credentials for all users.
	AuthClient = "client"
)

// Creatio is the site and how users sign in to it. If IdentityURL is empty, the site's OpenID discovery names it.
type Creatio struct {
	URL, Auth, IdentityURL, ClientID, ClientSecret string
}

// Options are the settings and the dependencies of a Linker.
type Options struct {
	Store store.Store
	Vault Vault
	// Browser seals the linkings in progress, which browsers keep.
	Browser Vault
	// HTTP sends requests to Google's identity service, CreatioHTTP those to Creatio's and, during a linking, to the site.
	// Default: clients of package httpx.
	HTTP, CreatioHTTP http.RoundTripper
	// PublicURL is the address before "/oauth-callback".
	PublicURL string
	Google    Google
	Creatio   Creatio
	// AllowedDomains are the domains whose users may sign in, in lower case; empty: any.
	AllowedDomains []string
	// Now, Sleep and Logger have defaults: the clock, a timer, no logs.
	Now    func() time.Time
	Sleep  func(ctx context.Context, d time.Duration) error
	Logger *slog.Logger

	// CreatioUser asks the site for the client's user.
	CreatioUser func(ctx context.Context, client *http.Client) (CreatioUser, error)
	// CreatioFind finds the one active user with an e-mail address; BadRecord if there is none, or several. Required with
	// AuthClient.
	CreatioFind func(ctx context.Context, client *http.Client, email string) (CreatioUser, error)
	// CreatioSession sends requests in a session of a name and a password. Required with AuthPassword.
	CreatioSession func(base http.RoundTripper, user, password string) http.RoundTripper
	// CreatioSignIn tries a name and a password once. Required with AuthPassword.
	CreatioSignIn func(ctx context.Context, base http.RoundTripper, user, password string) error
}

// Linker links accounts and makes clients for them. It is safe for concurrent use.
type Linker struct {
	o       Options
	google  *provider
	creatio *provider

	// refreshes merges concurrent refreshes of the same token into one.
	refreshes singleflight.Group
	technical *technical

	held held

	mu sync.Mutex
	// unsaved are refreshed credentials that could not be stored yet.
	unsaved map[string]unsaved
}

// New makes a Linker. It makes no calls.
func New(o Options) (*Linker, error) {
	if err := o.check(); err != nil {
		return nil, fault.New(fault.Misconfigured, "", "linking", err)
	}
	if o.Now == nil {
		o.Now = time.Now
	}
	if o.Sleep == nil {
		o.Sleep = sleep
	}
	if o.Logger == nil {
		o.Logger = slog.New(slog.DiscardHandler)
	}
	if o.HTTP == nil {
		o.HTTP = httpx.NewTransport(httpx.Options{Side: string(record.Google), Logger: o.Logger, Now: o.Now})
	}
	if o.CreatioHTTP == nil {
		o.CreatioHTTP = httpx.NewTransport(httpx.Options{Side: string(record.Creatio), Logger: o.Logger, Now: o.Now})
	}
	o.PublicURL = strings.TrimRight(o.PublicURL, "/")
	o.Creatio.URL = strings.TrimRight(o.Creatio.URL, "/")
	o.Creatio.IdentityURL = strings.TrimRight(o.Creatio.IdentityURL, "/")
	o.Google.Endpoint = strings.TrimRight(o.Google.Endpoint, "/")
	l := &Linker{o: o, unsaved: map[string]unsaved{}}
	l.google, l.creatio = l.newGoogle(), l.newCreatio()
	l.technical = &technical{l: l}
	return l, nil
}

func (o *Options) check() error {
	missing := func(name string, is bool) error {
		if is {
			return errors.New("make linker: " + name + " is missing")
		}
		return nil
	}
	password, client := o.Creatio.Auth == AuthPassword, o.Creatio.Auth == AuthClient
	known := password || client || o.Creatio.Auth == AuthUser
	site, err := url.Parse(o.Creatio.URL)
	return errors.Join(
		missing("the store", o.Store == nil), missing("the vault", o.Vault == nil), missing("the vault of browsers", o.Browser == nil), missing("the public address", o.PublicURL == ""),
		missing("Google's client id", o.Google.ClientID == ""),
		missing("the site's address", err != nil || site.Host == ""),
		missing("a known way to sign in to Creatio", !known),
		missing("Creatio's client id", !password && o.Creatio.ClientID == ""),
		missing("CreatioUser", !client && o.CreatioUser == nil), missing("CreatioFind", client && o.CreatioFind == nil),
		missing("CreatioSession", password && o.CreatioSession == nil), missing("CreatioSignIn", password && o.CreatioSignIn == nil),
	)
}

// redirectURI is the address to which a service sends the browser back.
func (l *Linker) redirectURI(side record.Side) string {
	if side == record.Creatio {
		return l.o.PublicURL + "/oauth-callback/creatio"
	}
	return l.o.PublicURL + "/oauth-callback"
}

// provider is the identity service of a side.
func (l *Linker) provider(side record.Side) *provider {
	if side == record.Google {
		return l.google
	}
	return l.creatio
}

// base is the transport for calls to a side's identity service.
func (l *Linker) base(side record.Side) http.RoundTripper {
	if side == record.Google {
		return l.o.HTTP
	}
	return l.o.CreatioHTTP
}

// changeProfile changes the profile of an existing user.
func (l *Linker) changeProfile(ctx context.Context, user string, f func(*store.Profile)) error {
	return l.o.Store.User(user).UpdateProfile(ctx, func(p *store.Profile) error {
		if p.CreatedAt.IsZero() {
			return store.ErrNotFound
		}
		f(p)
		return nil
	})
}

// relinked ends the time in which an account is missing, once both are linked.
func relinked(p *store.Profile) {
	if p.Google.Linked && p.Creatio.Linked {
		p.UnlinkedAt = time.Time{}
	}
}

// secret is a new random string of 130 bits, in the alphabet of the store's keys.
func secret() string { return rand.Text() }

func sleep(ctx context.Context, d time.Duration) error {
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-timer.C:
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}
