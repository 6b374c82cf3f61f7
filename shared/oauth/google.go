package oauth

import (
	"context"
	"crypto/sha256"
	"encoding/base32"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/coreos/go-oidc/v3/oidc"
	"golang.org/x/oauth2"

	"github.com/tandem-sync/tandem/shared/fault"
	"github.com/tandem-sync/tandem/shared/record"
	"github.com/tandem-sync/tandem/shared/store"
)

// identity is the user that an ID token names.
type identity struct {
	subject  string
	nonce    string
	Email    string `json:"email"`
	Verified bool   `json:"email_verified"`
	Name     string `json:"name"`
	// Domain is the Google Workspace domain of the account.
	Domain string `json:"hd"`
	Party  string `json:"azp"`
}

// UserID derives a user's id from the subject of the Google account. Unlike the e-mail address, the subject never changes.
func UserID(subject string) string {
	sum := sha256.Sum256([]byte("google:" + subject))
	return strings.ToLower(base32.StdEncoding.WithPadding(base32.NoPadding).EncodeToString(sum[:15]))
}

// finishGoogle signs the user in and links the account.
func (l *Linker) finishGoogle(ctx context.Context, browser string, s linking, t *oauth2.Token, c credentials) (Outcome, error) {
	who, err := l.identify(ctx, s, t)
	if err != nil {
		return Outcome{}, err
	}
	account := store.GoogleAccount{Subject: who.subject, Email: who.Email, HostedDomain: who.Domain, HostedDomainKnown: true, Name: who.Name, Linked: true}
	if !who.Verified || !l.Allowed(account) {
		l.discard(ctx, record.Google, c)
		return Outcome{}, ErrNotAllowed
	}
	out := Outcome{User: UserID(who.subject), Side: record.Google}
	var scopes []string
	scopes, out.MissingScopes = grantedScopes(t)
	account.Scopes = scopes
	saved, err := l.saveGoogle(ctx, out.User, c, scopes)
	if err != nil {
		return Outcome{}, fmt.Errorf("sign in: %w", err)
	}
	if !saved {
		return Outcome{}, l.consent(ctx, browser, s, who)
	}
	err = l.changeProfile(ctx, out.User, func(p *store.Profile) {
		out.NewUser = p.Google.Subject == ""
		if p.Session == "" {
			p.Session = secret()
		}
		p.Google = account
		relinked(p)
		out.Session = p.Session
	})
	if err != nil {
		return Outcome{}, fmt.Errorf("sign in: %w", err)
	}
	return out, nil
}

// saveGoogle stores the tokens. If Google returned no refresh token, it uses the stored one. It returns false if there is
// none for these scopes: a refresh token remains limited to the scopes that were granted with it.
func (l *Linker) saveGoogle(ctx context.Context, user string, c credentials, scopes []string) (bool, error) {
	if c.Refresh != "" {
		if err := l.enroll(ctx, user); err != nil {
			return false, err
		}
		return true, l.put(ctx, user, record.Google, c)
	}
	u := l.o.Store.User(user)
	for {
		p, err := u.Profile(ctx)
		if errors.Is(err, store.ErrNotFound) {
			return false, nil
		}
		if err != nil {
			return false, fmt.Errorf("read profile: %w", err)
		}
		wider := slices.ContainsFunc(scopes, func(scope string) bool { return !slices.Contains(p.Google.Scopes, scope) })
		if !p.Google.Linked || p.Google.Reconnect || wider {
			return false, nil
		}
		old, err := l.load(ctx, user, record.Google)
		if fault.Is(err, fault.Reconnect) || err == nil && old.Refresh == "" {
			return false, nil
		}
		if err != nil {
			return false, err
		}
		c.Refresh = old.Refresh
		doc, err := l.seal(user, record.Google, c)
		if err != nil {
			return false, err
		}
		swapped, err := u.SwapToken(ctx, record.Google, old.doc, doc)
		if err != nil {
			return false, fmt.Errorf("store token: %w", err)
		}
		if swapped {
			return true, nil
		}
	}
}

// erasingFor is longer than any request takes that erases a user.
const erasingFor = time.Hour

// enroll makes the profile of a user who signs in for the first time: no other document may come before it. If the user is being
// erased, the error is of kind Retry; if that was cut off, it is done first.
func (l *Linker) enroll(ctx context.Context, user string) error {
	u, now := l.o.Store.User(user), l.o.Now().UTC()
	p, err := u.Profile(ctx)
	if err == nil && !p.Erasing.IsZero() && now.Sub(p.Erasing) > erasingFor {
		err = u.Erase(ctx)
	}
	if err != nil && !errors.Is(err, store.ErrNotFound) {
		return fmt.Errorf("enroll user: %w", err)
	}
	return u.UpdateProfile(ctx, func(p *store.Profile) error {
		switch {
		case !p.Erasing.IsZero():
			return fault.New(fault.Retry, "", "erasing", errors.New("enroll user: the account is being erased"))
		case p.CreatedAt.IsZero():
			p.CreatedAt = now
		}
		return nil
	})
}

// consent returns a *ConsentError with the address at which Google asks for consent again.
func (l *Linker) consent(ctx context.Context, browser string, s linking, who identity) error {
	if strings.HasPrefix(s.ID, consentAgain) {
		return fault.New(fault.Misconfigured, string(record.Google), "no-refresh-token", errors.New("sign in: consent brought no refresh token"))
	}
	begun, err := l.beginGoogle(ctx, browser, who.Email)
	if err != nil {
		return err
	}
	return &ConsentError{Begun: begun}
}

// identify verifies the ID token (https://openid.net/specs/openid-connect-core-1_0.html#IDTokenValidation).
func (l *Linker) identify(ctx context.Context, s linking, t *oauth2.Token) (identity, error) {
	raw, _ := t.Extra("id_token").(string)
	who, err := l.verify(ctx, raw, t.AccessToken)
	if err == nil && who.nonce != s.Nonce {
		return identity{}, fault.New(fault.Bug, string(record.Google), "bad-id-token", errors.New("verify id token: it belongs to another linking"))
	}
	return who, err
}

// verify verifies an ID token that came with an access token.
func (l *Linker) verify(ctx context.Context, raw, access string) (identity, error) {
	var who identity
	wrong := func(why error) (identity, error) {
		return identity{}, fault.New(fault.Bug, string(record.Google), "bad-id-token", fmt.Errorf("verify id token: %w", why))
	}
	if raw == "" {
		return wrong(errors.New("there is none"))
	}
	m, err := l.google.metadata(ctx)
	if err != nil {
		return who, err
	}
	keys := &keyring{KeySet: m.keys}
	verifier := oidc.NewVerifier(m.Issuer, keys, &oidc.Config{
		ClientID: l.google.id, SupportedSigningAlgs: []string{oidc.RS256, oidc.ES256}, Now: l.o.Now,
	})
	token, err := verifier.Verify(ctx, raw)
	if keys.unreachable != nil {
		return who, fault.New(fault.Retry, string(record.Google), "unreachable", errors.New("verify id token: the keys could not be read"))
	}
	if err != nil {
		return wrong(err)
	}
	if err := token.Claims(&who); err != nil {
		return wrong(errors.New("its claims are not of their types"))
	}
	who.subject, who.nonce = token.Subject, token.Nonce
	switch {
	case who.subject == "":
		return wrong(errors.New("it names nobody"))
	case len(token.Audience) > 1 && who.Party != l.google.id:
		return wrong(errors.New("it was made for another client"))
	case token.AccessTokenHash != "" && token.VerifyAccessToken(access) != nil:
		return wrong(errors.New("it belongs to another access token"))
	}
	return who, nil
}

// keyring records that the keys could not be read, which go-oidc's verifier reports only in its text.
type keyring struct {
	oidc.KeySet
	unreachable error
}

func (k *keyring) VerifySignature(ctx context.Context, jwt string) ([]byte, error) {
	payload, err := k.KeySet.VerifySignature(ctx, jwt)
	if err != nil && strings.HasPrefix(err.Error(), "fetching keys") {
		k.unreachable = err
	}
	return payload, err
}

// Allowed reports whether an account may use Tandem. A plain domain is the Workspace of the account: anybody can make a Google
// account with a private address of that ending. One that begins with "@" is the ending of the address. As long as the
// Workspace of an account is not known, the ending counts for both.
func (l *Linker) Allowed(a store.GoogleAccount) bool {
	at := strings.LastIndexByte(a.Email, '@')
	if at < 1 {
		return false
	}
	domain := a.Email[at+1:]
	return len(l.o.AllowedDomains) == 0 || slices.ContainsFunc(l.o.AllowedDomains, func(d string) bool {
		ending, isEnding := strings.CutPrefix(d, "@")
		if isEnding || !a.HostedDomainKnown && a.HostedDomain == "" {
			return strings.EqualFold(ending, domain)
		}
		return strings.EqualFold(d, a.HostedDomain)
	})
}

// learn stores the Workspace of an account that was linked before it was kept.
func (l *Linker) learn(ctx context.Context, user string, k credentials) {
	who, err := l.verify(ctx, k.idToken, k.Access)
	if err == nil {
		err = l.changeProfile(ctx, user, func(p *store.Profile) {
			if p.Google.Subject == who.subject {
				p.Google.HostedDomain, p.Google.HostedDomainKnown = who.Domain, true
			}
		})
	}
	if err != nil {
		l.o.Logger.WarnContext(ctx, "the Workspace of an account could not be learned", "kind", fault.KindOf(err).String())
	}
}

// grantedScopes returns the short names of the scopes that were granted and that were not. A reply without a scope grants
// all requested scopes (RFC 6749, section 5.1).
func grantedScopes(t *oauth2.Token) (has, missing []string) {
	scope, said := t.Extra("scope").(string)
	list := strings.Fields(scope)
	for _, g := range googleScopes {
		if !said || slices.Contains(list, g.scope) {
			has = append(has, g.short)
		} else {
			missing = append(missing, g.short)
		}
	}
	return has, missing
}
