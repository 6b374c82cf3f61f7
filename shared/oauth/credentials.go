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

// credentials are what is sealed in a store.Token: the tokens of a grant, or a name and a password.
type credentials struct {
	Access  string `json:"access,omitempty"`
	Refresh string `json:"refresh,omitempty"`
	// Expiry is when the access token ends; Renew is when it is better refreshed.
	Expiry time.Time `json:"expiry,omitzero"`
	Renew  time.Time `json:"renew,omitzero"`

	Username string `json:"username,omitempty"`
	Password string `json:"password,omitempty"`

	// Site is the Creatio site that they are for, so that another one, set later, never sees them.
	Site string `json:"site,omitempty"`
}

// kept are credentials as the store has them.
type kept struct {
	credentials
	doc store.Token
}

// usable says whether the access token is good for a request that is sent now.
func (c credentials) usable(now time.Time) bool {
	return c.Access != "" && now.Add(transit).Before(c.Expiry)
}

// fresh says whether the access token need not be refreshed yet.
func (c credentials) fresh(now time.Time) bool {
	return c.Access != "" && now.Before(c.Renew)
}

// load reads and opens the credentials of a side. Those that are being revoked are none.
func (l *Linker) load(ctx context.Context, user string, side record.Side) (kept, error) {
	doc, err := l.o.Store.User(user).Token(ctx, side)
	switch {
	case errors.Is(err, store.ErrNotFound), err == nil && !doc.Revoke.IsZero():
		return kept{}, notLinked(side)
	case err != nil:
		return kept{}, fmt.Errorf("read token: %w", err)
	}
	c, err := l.open(user, side, doc)
	if err != nil {
		return kept{}, err
	}
	if side == record.Creatio && c.Site != l.o.Creatio.URL {
		return kept{}, notLinked(side)
	}
	return kept{credentials: c, doc: doc}, nil
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

// seal makes the document of credentials, with a version of its own.
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

// put keeps credentials in place of all others.
func (l *Linker) put(ctx context.Context, user string, side record.Side, c credentials) error {
	doc, err := l.seal(user, side, c)
	if err != nil {
		return err
	}
	if err := l.o.Store.User(user).PutToken(ctx, side, doc); err != nil {
		return fmt.Errorf("keep token: %w", err)
	}
	return nil
}

func sealContext(user string, side record.Side) string { return "user/" + user + "/" + string(side) }

func notLinked(side record.Side) error {
	return fault.New(fault.Reconnect, string(side), "not-linked", errors.New("no account is linked"))
}

// onSide gives a vault's error the side that it concerns, which it cannot know.
func onSide(side record.Side, op string, err error) error {
	if f, ok := errors.AsType[*fault.Error](err); ok {
		named := *f
		named.Side, named.Err = string(side), fmt.Errorf("%s: %w", op, err)
		return &named
	}
	return fmt.Errorf("%s: %w", op, err)
}

// A refresh that is under way is claimed in the version of the token, which everybody may change and nobody reads
// otherwise: the random part, then the time at which the claim ends.

func claim(until time.Time) string {
	return secret() + "." + strconv.FormatInt(until.UnixMilli(), 10)
}

// claimed is until when somebody refreshes this token; zero where nobody does.
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
