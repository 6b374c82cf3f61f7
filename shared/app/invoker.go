package app

import (
	"context"
	"encoding/base64"
	"errors"
	"fmt"
	"net/http"
	"strings"
	"sync"
	"time"

	"github.com/coreos/go-oidc/v3/oidc"

	"github.com/tandem-sync/tandem/shared/fault"
	"github.com/tandem-sync/tandem/shared/web"
)

// googleIssuer signs the tokens of service accounts (https://cloud.google.com/run/docs/authenticating/service-to-service).
const googleIssuer = "https://accounts.google.com"

// invoker checks that a request comes from the service account that Cloud Scheduler and Cloud Tasks call with.
type invoker struct {
	email, issuer string
	// audience is whom a token has to be for with which a function is called.
	audience func(function string) string
	// behindPlatform says that Cloud Run verified the token before the request came here.
	behindPlatform bool
	client         *http.Client
	now            func() time.Time

	mu sync.Mutex
	// known are the issuer's keys, once it was asked where they are.
	known oidc.KeySet
}

// check is nil where the platform alone decides who may call.
func (i *invoker) check(r *http.Request, function string) error {
	if i.email == "" {
		return nil
	}
	raw, err := i.bearer(r.Header)
	if err != nil {
		return err
	}
	keys, err := i.keys(r.Context(), raw)
	if err != nil {
		return err
	}
	token, err := oidc.NewVerifier(i.issuer, keys, &oidc.Config{
		ClientID: i.audience(function), SupportedSigningAlgs: []string{oidc.RS256}, Now: i.now,
	}).Verify(r.Context(), raw)
	if unread := keys.unread; unread != nil {
		return fault.Errorf(fault.Retry, "google", "issuer", "read the keys of the issuer of identity tokens: %w", unread)
	}
	if err != nil {
		return fmt.Errorf("%w: %w", web.ErrNoCaller, err)
	}
	var claims struct {
		Email    string `json:"email"`
		Verified bool   `json:"email_verified"`
	}
	if err := token.Claims(&claims); err != nil {
		return fmt.Errorf("%w: %w", web.ErrNoCaller, err)
	}
	if !claims.Verified || !strings.EqualFold(claims.Email, i.email) {
		return web.ErrWrongCaller
	}
	return nil
}

// serverless is the header that Cloud Run looks at before all others. A token in another one is then anybody's
// (https://cloud.google.com/run/docs/authenticating/service-to-service).
const serverless = "X-Serverless-Authorization"

// bearer is the token of a request: behind the platform, the one that the platform verified.
func (i *invoker) bearer(h http.Header) (string, error) {
	values := h.Values("Authorization")
	if i.behindPlatform && len(h.Values(serverless)) > 0 {
		values = h.Values(serverless)
	}
	if len(values) != 1 {
		return "", web.ErrNoCaller
	}
	raw, found := strings.CutPrefix(values[0], "Bearer ")
	if !found || raw == "" {
		return "", web.ErrNoCaller
	}
	return raw, nil
}

// keys are what the signature of a token is checked with.
func (i *invoker) keys(ctx context.Context, raw string) (*keySet, error) {
	if _, stripped := payload(raw); stripped && i.behindPlatform {
		return &keySet{KeySet: platformKeys{}}, nil
	}
	found, err := i.discover(ctx)
	return &keySet{KeySet: found}, err
}

// keySet notes why it could not read keys, which says nothing of the token.
type keySet struct {
	oidc.KeySet
	unread error
}

// VerifySignature is that of the keys.
func (k *keySet) VerifySignature(ctx context.Context, raw string) ([]byte, error) {
	payload, err := k.KeySet.VerifySignature(ctx, raw)
	if err != nil && strings.HasPrefix(err.Error(), "fetching keys") {
		k.unread = err
	}
	return payload, err
}

// removed is what Cloud Run writes in the place of the signature of a token that it verified
// (https://cloud.google.com/run/docs/troubleshooting#signature-removed).
const removed = "SIGNATURE_REMOVED_BY_GOOGLE"

// payload is the middle part of a token whose signature the platform removed; stripped says whether it is such a token.
func payload(raw string) (encoded string, stripped bool) {
	parts := strings.Split(raw, ".")
	if len(parts) != 3 || parts[2] != removed {
		return "", false
	}
	return parts[1], true
}

// platformKeys take for verified what the platform verified, and nothing else.
type platformKeys struct{}

var _ oidc.KeySet = platformKeys{}

// VerifySignature gives the payload of a token whose signature the platform removed.
func (platformKeys) VerifySignature(_ context.Context, raw string) ([]byte, error) {
	encoded, stripped := payload(raw)
	if !stripped {
		return nil, errors.New("the platform did not verify the token")
	}
	return base64.RawURLEncoding.Strict().DecodeString(encoded)
}

// discover finds the issuer's keys, once. A failure is tried again with the next request.
func (i *invoker) discover(ctx context.Context) (oidc.KeySet, error) {
	i.mu.Lock()
	defer i.mu.Unlock()
	if i.known != nil {
		return i.known, nil
	}
	// The keys are read with this context later on, so it may not end with this request.
	ctx = oidc.ClientContext(context.WithoutCancel(ctx), i.client)
	provider, err := oidc.NewProvider(ctx, i.issuer)
	var found struct {
		Keys string `json:"jwks_uri"`
	}
	if err == nil {
		err = provider.Claims(&found)
	}
	if err != nil {
		return nil, fault.New(fault.Retry, "google", "issuer", fmt.Errorf("find the issuer of identity tokens: %w", err))
	}
	i.known = oidc.NewRemoteKeySet(ctx, found.Keys)
	return i.known, nil
}
