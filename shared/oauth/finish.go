package oauth

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"net/url"

	"golang.org/x/oauth2"

	"github.com/tandem-sync/tandem/shared/fault"
	"github.com/tandem-sync/tandem/shared/record"
	"github.com/tandem-sync/tandem/shared/store"
)

// Outcome is the result of a linking: the user, and the linked account.
type Outcome struct {
	User string
	Side record.Side
	// Session is what the user's sessions name. Only a sign-in begins one.
	Session string
	// MissingScopes are the short names of the scopes that the user did not grant.
	MissingScopes []string
	// NewUser says that the user has signed in for the first time.
	NewUser bool
}

// Finish completes a linking that BeginGoogle or BeginCreatio began. query is the authorization response that the browser
// brought to the redirect address of a side. Besides faults, the error is ErrState, ErrRefused, ErrNotAllowed or a
// *ConsentError; in each case nothing was linked.
func (l *Linker) Finish(ctx context.Context, side record.Side, browser string, query url.Values) (Outcome, error) {
	s, err := l.resume(ctx, side, browser, query)
	if err != nil {
		return Outcome{}, err
	}
	if code := query.Get("error"); code != "" {
		return Outcome{}, l.denied(ctx, s.Side, code)
	}
	code := query.Get("code")
	if code == "" {
		return Outcome{}, ErrState
	}
	t, c, err := l.exchange(ctx, s, code)
	if err != nil {
		return Outcome{}, err
	}
	if s.Side == record.Google {
		return l.finishGoogle(ctx, browser, s, t, c)
	}
	return l.finishCreatio(ctx, s, c)
}

// denied is the error of an authorization that the service did not give (RFC 6749, section 4.1.2.1). The visitor can write any
// code into the address, so no code is a failure of Tandem; it is logged if it is a known one.
func (l *Linker) denied(ctx context.Context, side record.Side, code string) error {
	switch code {
	case "access_denied", "consent_required", "interaction_required":
		return ErrRefused
	}
	if _, known := errorKinds[code]; !known {
		code = "unknown"
	}
	l.o.Logger.WarnContext(ctx, "a service did not ask for consent", "side", string(side), "code", code)
	return ErrFailed
}

// exchange exchanges the code for tokens. It continues if the browser disconnects, because a code is valid once.
func (l *Linker) exchange(ctx context.Context, s linking, code string) (*oauth2.Token, credentials, error) {
	if s.Side == record.Creatio {
		if err := l.only(AuthUser); err != nil {
			return nil, credentials{}, err
		}
	}
	p := l.provider(s.Side)
	m, err := p.metadata(ctx)
	if err != nil {
		return nil, credentials{}, err
	}
	config := p.config(m)
	config.RedirectURL = l.redirectURI(s.Side)
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), callTimeout)
	defer cancel()
	before := l.o.Now()
	t, err := config.Exchange(p.withClient(ctx), code, oauth2.VerifierOption(s.Verifier))
	if err == nil {
		return t, granted(t, before), nil
	}
	useless := p.refusesCode(err)
	err = p.tokenError("exchange code", err)
	if useless {
		l.o.Logger.WarnContext(ctx, "a code was refused", "side", string(s.Side), "error", err.Error())
		return nil, credentials{}, ErrState
	}
	return nil, credentials{}, err
}

// finishCreatio links the account of the user who consented.
func (l *Linker) finishCreatio(ctx context.Context, s linking, c credentials) (Outcome, error) {
	if c.Refresh == "" {
		return Outcome{}, fault.New(fault.Misconfigured, string(record.Creatio), "no-refresh-token",
			errors.New("link account: the identity service gave no refresh token; its client needs the scope offline_access"))
	}
	who, err := l.creatioUser(ctx, l.client(record.Creatio, l.o.CreatioHTTP, fixedToken(c.Access)))
	if err != nil {
		l.discard(ctx, record.Creatio, c)
		return Outcome{}, err
	}
	if err := l.linkCreatio(ctx, s.User, who, &c); err != nil {
		return Outcome{}, err
	}
	return Outcome{User: s.User, Side: record.Creatio}, nil
}

// creatioUser asks the site for the client's user.
func (l *Linker) creatioUser(ctx context.Context, client *http.Client) (CreatioUser, error) {
	who, err := l.o.CreatioUser(ctx, client)
	if err != nil {
		return who, fmt.Errorf("link account: %w", err)
	}
	return who, requireContact(who)
}

// requireContact rejects a user without a contact: contacts and activities belong to a contact.
func requireContact(who CreatioUser) error {
	if who.ContactID == "" {
		return fault.New(fault.BadRecord, string(record.Creatio), "no-contact", errors.New("link account: the user has no contact"))
	}
	return nil
}

// linkCreatio stores the credentials, if there are any, and then the user's Creatio account.
func (l *Linker) linkCreatio(ctx context.Context, user string, who CreatioUser, c *credentials) error {
	if _, err := l.o.Store.User(user).Profile(ctx); err != nil {
		return fmt.Errorf("link account: %w", err)
	}
	if c != nil {
		c.Site, c.Owner = l.o.Creatio.URL, who.ID
		if err := l.put(ctx, user, record.Creatio, *c); err != nil {
			return fmt.Errorf("link account: %w", err)
		}
	}
	err := l.changeProfile(ctx, user, func(p *store.Profile) {
		p.Creatio = store.CreatioAccount{
			URL: l.o.Creatio.URL, UserID: who.ID, User: who.Login, ContactID: who.ContactID, TimeZone: who.TimeZone, Culture: who.Culture, Linked: true,
		}
		relinked(p)
	})
	if err != nil {
		return fmt.Errorf("link account: %w", err)
	}
	return nil
}

// LinkPassword links a Creatio account by name and password, and tries them at once. If they are wrong, the error is of
// kind Reconnect and nothing is stored; if too many were wrong lately, it is of kind Retry, with code "too-many-passwords".
func (l *Linker) LinkPassword(ctx context.Context, user, username, password string) error {
	if err := l.only(AuthPassword); err != nil {
		return err
	}
	err := l.guarded(ctx, user, username, func() error { return l.o.CreatioSignIn(ctx, l.o.CreatioHTTP, username, password) })
	if err != nil {
		return fmt.Errorf("link account: %w", err)
	}
	who, err := l.creatioUser(ctx, newClient(l.o.CreatioSession(l.o.CreatioHTTP, username, password)))
	if err != nil {
		return err
	}
	return l.linkCreatio(ctx, user, who, &credentials{Username: username, Password: password})
}
