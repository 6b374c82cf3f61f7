// Package oauth links a user's Google and Creatio accounts, and makes the HTTP clients that act for the user with what
// was linked. It is for shared/app, which gives it the store, the vault and what it has to know of Creatio.
//
// A linking by consent is an authorization code flow with PKCE (RFC 7636). Its state is kept for ten minutes, is good for
// one use, and belongs to the browser that began it. Google's is an OpenID Connect sign-in at the same time.
//
// Its invariants:
//
//   - A code goes to no other service than the one that gave it. Each service has a redirect address of its own and an
//     issuer of its own; an answer counts only at the address of the service that its state names, and under no other
//     issuer (RFC 9700, section 4.4.2; RFC 9207). What does not count leaves the state as it was.
//   - A token is written before it is used. Creatio gives a new refresh token with each refresh and takes the old one
//     once, so the copies of this program agree in the store on who refreshes, and the refresh goes on to its end even
//     where who asked for it has left.
//   - A user is disconnected only by the word of the service that the grant or the password is no longer good, and only
//     if what failed is still what is kept. What the operator has to mend disconnects nobody.
//   - Credentials are kept sealed, under the user and the side. They are sent to the service that they belong to and to
//     no other host. No error holds a token, a code or a password.
//
// A process that dies between a refresh and its writing takes Creatio's new refresh token with it. The next refresh,
// a minute later at the earliest, shows the old one; where Creatio does not take it any more, the user has to link the
// account again. No order of the two steps avoids that: the service forgets the old token before anybody can keep the
// new one. Google's refresh tokens stay as they are, and nothing is lost there.
//
// Several users of Tandem may link the same Creatio account, as a person does who has two Google accounts: each has shown
// that the account is theirs. Where a technical user acts for all, nobody has, and one alone is linked as each Creatio user.
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

// What a linking may end with, besides faults.
var (
	// ErrState says that the linking is unknown, used, expired or another browser's, or that the service that was asked
	// does not recognize the answer to it.
	ErrState = errors.New("the answer belongs to no linking that is under way")
	// ErrRefused says that the user did not consent. Nothing was changed.
	ErrRefused = errors.New("the user did not consent")
	// ErrNotAllowed says that the user's domain may not sign in, or that the e-mail address is not verified. Nothing was
	// kept.
	ErrNotAllowed = errors.New("the account may not sign in")
	// ErrNoRefresh says that Google gave no refresh token and none is kept. The error is a *ConsentError.
	ErrNoRefresh = errors.New("google gave no refresh token")
)

// ConsentError says where the browser has to go on: Google gives another refresh token only when it asks the user again.
type ConsentError struct{ Redirect string }

func (*ConsentError) Error() string { return ErrNoRefresh.Error() + ": ask for consent again" }

// Is makes it ErrNoRefresh.
func (*ConsentError) Is(target error) bool { return target == ErrNoRefresh }

// Vault seals what is kept. What was sealed under one context opens under no other.
type Vault interface {
	Seal(plain []byte, context string) ([]byte, error)
	Open(sealed []byte, context string) ([]byte, error)
}

// CreatioUser is who the site says a user is.
type CreatioUser struct {
	ID        string
	Login     string
	ContactID string
	TimeZone  string
}

// Google is the OAuth client at Google. Endpoint is the issuer in Google's place, or empty.
type Google struct {
	ClientID, ClientSecret, Endpoint string
}

// The ways to sign in to Creatio.
const (
	// AuthUser asks each user's consent.
	AuthUser = "user"
	// AuthPassword keeps each user's name and password.
	AuthPassword = "password"
	// AuthClient uses one technical user's client credentials for everybody.
	AuthClient = "client"
)

// Creatio is the site and how users sign in to it. IdentityURL may be empty: the site's OpenID discovery is asked then.
type Creatio struct {
	URL, Auth, IdentityURL, ClientID, ClientSecret string
}

// Options are what a Linker is made of.
type Options struct {
	Store store.Store
	Vault Vault
	// HTTP sends requests to Google's identity service, CreatioHTTP those to Creatio's and, while an account is being
	// linked, to the site. Default: clients of package httpx.
	HTTP, CreatioHTTP http.RoundTripper
	// PublicURL is the address before "/oauth-callback".
	PublicURL string
	Google    Google
	Creatio   Creatio
	// AllowedDomains may sign in, in lower case; empty: any.
	AllowedDomains []string
	// Now, Sleep and Logger have defaults: the clock, a timer, silence.
	Now    func() time.Time
	Sleep  func(ctx context.Context, d time.Duration) error
	Logger *slog.Logger

	// CreatioUser asks the site who the client's user is.
	CreatioUser func(ctx context.Context, client *http.Client) (CreatioUser, error)
	// CreatioFind finds the one active user with an e-mail address; BadRecord where there is none, or several. Needed with
	// AuthClient.
	CreatioFind func(ctx context.Context, client *http.Client, email string) (CreatioUser, error)
	// CreatioSession sends requests in a session of a name and a password. Needed with AuthPassword.
	CreatioSession func(base http.RoundTripper, user, password string) http.RoundTripper
	// CreatioSignIn tries a name and a password once. Needed with AuthPassword.
	CreatioSignIn func(ctx context.Context, base http.RoundTripper, user, password string) error
}

// Linker links accounts and makes clients for them. It may be used from many goroutines.
type Linker struct {
	o       Options
	google  *provider
	creatio *provider

	// refreshes joins those who want the same token refreshed.
	refreshes singleflight.Group
	technical *technical

	mu sync.Mutex
	// unsaved are refreshed credentials that the store has not taken yet.
	unsaved map[string]unsaved
}

// New makes a Linker. It calls nobody.
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
		missing("the store", o.Store == nil), missing("the vault", o.Vault == nil), missing("the public address", o.PublicURL == ""),
		missing("Google's client id", o.Google.ClientID == ""),
		missing("the site's address", err != nil || site.Host == ""),
		missing("a known way to sign in to Creatio", !known),
		missing("Creatio's client id", !password && o.Creatio.ClientID == ""),
		missing("CreatioUser", !client && o.CreatioUser == nil), missing("CreatioFind", client && o.CreatioFind == nil),
		missing("CreatioSession", password && o.CreatioSession == nil), missing("CreatioSignIn", password && o.CreatioSignIn == nil),
	)
}

// redirectURI is where a service sends the browser back to.
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

// changeProfile changes the profile of a user who exists.
func (l *Linker) changeProfile(ctx context.Context, user string, f func(*store.Profile)) error {
	return l.o.Store.User(user).UpdateProfile(ctx, func(p *store.Profile) error {
		if p.CreatedAt.IsZero() {
			return store.ErrNotFound
		}
		f(p)
		return nil
	})
}

// secret is a fresh random string of 130 bits, in the alphabet of the store's keys.
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
