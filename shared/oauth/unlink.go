package oauth

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"strings"
	"time"

	"github.com/tandem-sync/tandem/shared/fault"
	"github.com/tandem-sync/tandem/shared/record"
	"github.com/tandem-sync/tandem/shared/store"
)

// revokeFor is how long revoking a grant is retried.
const revokeFor = 24 * time.Hour

// Unlink unlinks an account: it revokes the grant if the service can, and deletes the credentials. If the service is
// unreachable, the account is unlinked all the same, and RevokePending may retry for a day. The profile still names the
// Google account, because links refer to it.
func (l *Linker) Unlink(ctx context.Context, user string, side record.Side) error {
	if side == record.Creatio {
		if err := l.leaveSeatOf(ctx, user); err != nil {
			return fmt.Errorf("unlink account: %w", err)
		}
	}
	// Whoever ends right after this leaves an account that has to be linked or unlinked again, and no credentials that nobody looks for.
	if _, _, err := l.retire(ctx, user, side); err != nil {
		return fmt.Errorf("unlink account: %w", err)
	}
	err := l.changeProfile(ctx, user, func(p *store.Profile) {
		was := side == record.Google && p.Google.Linked || side == record.Creatio && p.Creatio.Linked
		if was && p.UnlinkedAt.IsZero() {
			p.UnlinkedAt = l.o.Now().UTC()
		}
		if side == record.Google {
			p.Google.Linked, p.Google.Reconnect, p.Google.Scopes = false, false, nil
		} else {
			p.Creatio.Linked, p.Creatio.Reconnect = false, false
		}
	})
	if err != nil {
		return fmt.Errorf("unlink account: %w", err)
	}
	l.held.drop(user, side)
	// The account may have been linked again meanwhile.
	ending, found, err := l.retire(ctx, user, side)
	if err != nil {
		return fmt.Errorf("unlink account: %w", err)
	}
	if !found {
		return nil
	}
	return l.finishRevoking(ctx, user, side, ending)
}

// retire has the credentials of a side be used no more, not even by a refresh that is running, and be revoked. found is false where there
// are none.
func (l *Linker) retire(ctx context.Context, user string, side record.Side) (ending store.Token, found bool, err error) {
	u := l.o.Store.User(user)
	for {
		doc, err := u.Token(ctx, side)
		switch {
		case errors.Is(err, store.ErrNotFound):
			return store.Token{}, false, nil
		case err != nil:
			return store.Token{}, false, err
		case !doc.Revoke.IsZero():
			return doc, true, nil
		}
		ending := store.Token{Sealed: doc.Sealed, Version: secret(), Revoke: l.o.Now().UTC().Add(revokeFor)}
		swapped, err := u.SwapToken(ctx, side, doc, ending)
		if err != nil || swapped {
			return ending, swapped, err
		}
	}
}

// RevokePending retries to revoke the grants of accounts that were unlinked while their service was unreachable. It gives
// up a day after the unlinking. The error is of kind Retry if a revocation is still pending.
func (l *Linker) RevokePending(ctx context.Context, user string) error {
	var pending []error
	for _, side := range record.Sides {
		doc, err := l.o.Store.User(user).Token(ctx, side)
		switch {
		case errors.Is(err, store.ErrNotFound), err == nil && doc.Revoke.IsZero():
			continue
		case err != nil:
			return fmt.Errorf("read token: %w", err)
		}
		if err := l.finishRevoking(ctx, user, side, doc); err != nil {
			return err
		}
		if left, err := l.o.Store.User(user).Token(ctx, side); err == nil && !left.Revoke.IsZero() {
			pending = append(pending, fault.New(fault.Retry, string(side), "revocation-pending", errors.New("revoke grant: the service could not be reached")))
		}
	}
	return errors.Join(pending...)
}

// finishRevoking revokes and deletes the credentials. If they cannot be revoked yet, it leaves them for later.
func (l *Linker) finishRevoking(ctx context.Context, user string, side record.Side, doc store.Token) error {
	c, err := l.open(user, side, doc)
	if err == nil {
		err = l.revoke(ctx, side, c)
	}
	// Credentials that cannot be unsealed cannot be revoked, so they are deleted.
	if err != nil && !fault.Is(err, fault.Reconnect) && l.o.Now().Before(doc.Revoke) {
		l.o.Logger.WarnContext(ctx, "a grant could not be revoked yet", "side", string(side), "kind", fault.KindOf(err).String(), "error", err.Error())
		return nil
	}
	u := l.o.Store.User(user)
	now, err := u.Token(ctx, side)
	if errors.Is(err, store.ErrNotFound) || err == nil && now.Version != doc.Version {
		return nil // the account was linked again meanwhile
	}
	if err == nil {
		err = u.DeleteToken(ctx, side)
	}
	if err != nil {
		return fmt.Errorf("delete token: %w", err)
	}
	return nil
}

// discard revokes tokens that will not be stored. A failure is logged only.
func (l *Linker) discard(ctx context.Context, side record.Side, c credentials) {
	if err := l.revoke(context.WithoutCancel(ctx), side, c); err != nil {
		l.o.Logger.WarnContext(ctx, "a grant that is not stored could not be revoked", "side", string(side), "error", err.Error())
	}
}

// revoke revokes a grant (RFC 7009; https://developers.google.com/identity/protocols/oauth2/web-server#tokenrevoke). It
// returns nil if the service has no revocation endpoint or does not know the token.
func (l *Linker) revoke(ctx context.Context, side record.Side, c credentials) error {
	token, hint := c.Refresh, "refresh_token"
	if token == "" {
		token, hint = c.Access, "access_token"
	}
	if token == "" {
		return nil
	}
	if side == record.Creatio && c.Site != "" && c.Site != l.o.Creatio.URL {
		return nil // The grant is of another site, which is no longer configured.
	}
	ctx, cancel := context.WithTimeout(ctx, callTimeout)
	defer cancel()
	p := l.provider(side)
	m, err := p.metadata(ctx)
	if err != nil || m.Revocation == "" {
		return err
	}
	form := url.Values{"token": {token}}
	if side == record.Creatio {
		form.Set("token_type_hint", hint)
		form.Set("client_id", p.id)
		if p.secret != "" {
			form.Set("client_secret", p.secret)
		}
	}
	return p.revoke(ctx, m.Revocation, form)
}

func (p *provider) revoke(ctx context.Context, address string, form url.Values) error {
	const op = "revoke grant"
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, address, strings.NewReader(form.Encode()))
	if err != nil {
		return p.unknown("the revocation endpoint is no address")
	}
	req.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	resp, err := p.client.Do(req)
	if err != nil {
		return p.unreached(op, err)
	}
	defer resp.Body.Close()
	var answer struct {
		Error string `json:"error"`
	}
	content, _ := io.ReadAll(resp.Body) // The status is enough if the body cannot be read.
	_ = json.Unmarshal(content, &answer)
	switch {
	case temporary(resp.StatusCode):
		return p.retryLater(op, resp)
	case resp.StatusCode == http.StatusUnauthorized, resp.StatusCode == http.StatusForbidden,
		answer.Error == "invalid_client", answer.Error == "unauthorized_client":
		return fault.Errorf(fault.Misconfigured, string(p.side), "client-refused", "%s: status %d", op, resp.StatusCode)
	}
	// Any other refusal means that the token is not valid any more.
	return nil
}
