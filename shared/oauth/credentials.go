package oauth

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"strconv"
	"strings"
	"time"

	"github.com/tandem-sync/tandem/shared/fault"
	"github.com/tandem-sync/tandem/shared/record"
	"github.com/tandem-sync/tandem/shared/store"
)

// credentials are the sealed content of a store.Token: the tokens of a grant, or a name and a password.
type credentials struct {
	Access  string `json:"access,omitempty"`
	Refresh string `json:"refresh,omitempty"`
	// Expiry is when the access token expires; Renew is when to refresh it.
	Expiry time.Time `json:"expiry,omitzero"`
	Renew  time.Time `json:"renew,omitzero"`

	Username string `json:"username,omitempty"`
	Password string `json:"password,omitempty"`

	// idToken is the ID token that came with the access token. It is not stored.
	idToken string

	// Site is the Creatio site of the credentials. They are never sent to a site that is configured later.
	Site string `json:"site,omitempty"`
	// Owner is the Creatio user that the credentials are of; empty in those of former versions.
	Owner string `json:"owner,omitempty"`
}

// stored are credentials with the document that holds them in the store.
type stored struct {
	credentials
	doc store.Token
	// read is when they were read from the store; zero if they were written.
	read time.Time
}

// usable reports whether the access token is valid long enough for a request that is sent now.
func (c credentials) usable(now time.Time) bool {
	return c.Access != "" && now.Add(transit).Before(c.Expiry)
}

// upToDate reports whether the access token need not be refreshed yet.
func (c credentials) upToDate(now time.Time) bool {
	return c.Access != "" && now.Before(c.Renew)
}

// load reads and unseals the credentials of a side. If they are being revoked, the account is not linked.
func (l *Linker) load(ctx context.Context, user string, side record.Side) (stored, error) {
	doc, err := l.o.Store.User(user).Token(ctx, side)
	switch {
	case errors.Is(err, store.ErrNotFound), err == nil && !doc.Revoke.IsZero():
		return stored{}, notLinked(side)
	case err != nil:
		return stored{}, fmt.Errorf("read token: %w", err)
	}
	c, err := l.open(user, side, doc)
	if err != nil {
		return stored{}, err
	}
	if side == record.Creatio && c.Site != l.o.Creatio.URL {
		return stored{}, notLinked(side)
	}
	return stored{credentials: c, doc: doc, read: l.o.Now()}, nil
}

func (l *Linker) open(user string, side record.Side, doc store.Token) (credentials, error) {
	plain, err := l.o.Vault.Open(doc.Sealed, sealContext(user, side))
	if err != nil {
		return credentials{}, onSide(side, "open token", err)
	}
	var c credentials
	if err := json.Unmarshal(plain, &c); err != nil {
		return credentials{}, fault.New(fault.Reconnect, string(side), "unreadable-token", errors.New("open token: not one of this version"))
	}
	return c, nil
}

// seal makes the document of credentials, with a new version.
func (l *Linker) seal(user string, side record.Side, c credentials) (store.Token, error) {
	plain, err := json.Marshal(c)
	if err != nil {
		return store.Token{}, fault.New(fault.Bug, string(side), "seal", errors.New("encode token"))
	}
	sealed, err := l.o.Vault.Seal(plain, sealContext(user, side))
	if err != nil {
		return store.Token{}, onSide(side, "seal token", err)
	}
	return store.Token{Sealed: sealed, Version: secret()}, nil
}

// put stores credentials and replaces all others.
func (l *Linker) put(ctx context.Context, user string, side record.Side, c credentials) error {
	doc, err := l.seal(user, side, c)
	if err != nil {
		return err
	}
	defer l.held.drop(user, side)
	if err := l.o.Store.User(user).PutToken(ctx, side, doc); err != nil {
		return fmt.Errorf("store token: %w", err)
	}
	return nil
}

func sealContext(user string, side record.Side) string { return "user/" + user + "/" + string(side) }

func notLinked(side record.Side) error {
	return fault.New(fault.Reconnect, string(side), "not-linked", errors.New("no account is linked"))
}

// onSide adds the side to an error of the vault, which does not know it.
func onSide(side record.Side, op string, err error) error {
	if f, ok := errors.AsType[*fault.Error](err); ok {
		named := *f
		named.Side, named.Err = string(side), fmt.Errorf("%s: %w", op, err)
		return &named
	}
	return fmt.Errorf("%s: %w", op, err)
}

// claim makes a token version that claims the refresh: a random part, then the time at which the claim expires. The version
// has no other meaning than to detect changes.
func claim(until time.Time) string {
	return secret() + "." + strconv.FormatInt(until.UnixMilli(), 10)
}

// claimed returns the time until which a refresh of this token is claimed; zero if it is not.
func claimed(doc store.Token) time.Time {
	_, end, found := strings.Cut(doc.Version, ".")
	if !found {
		return time.Time{}
	}
	ms, err := strconv.ParseInt(end, 10, 64)
	if err != nil {
		return time.Time{}
	}
	return time.UnixMilli(ms)
}
