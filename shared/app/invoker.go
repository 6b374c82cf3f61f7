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

// invoker checks that a request comes from the service account of Cloud Scheduler and Cloud Tasks.
type invoker struct {
	email, issuer string
	// audience returns the audience that a token must have for a function.
	audience func(function string) string
	// behindPlatform says that Cloud Run has verified the token of a request before.
	behindPlatform bool
	client         *http.Client
	now            func() time.Time

	mu sync.Mutex
	// known are the issuer's keys, nil until they are discovered.
	known oidc.KeySet
}

// check returns nil if the caller is the invoker, or if no invoker is configured and the platform alone decides.
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

// serverless is the header that Cloud Run checks first. If it is present, Cloud Run does not verify a token in
// Authorization (https://cloud.google.com/run/docs/authenticating/service-to-service).
const serverless = "X-Serverless-Authorization"

// bearer returns the token of a request: behind the platform, the token that the platform verified.
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

// keys returns the keys that verify the signature of a token.
func (i *invoker) keys(ctx context.Context, raw string) (*keySet, error) {
	if _, stripped := payload(raw); stripped && i.behindPlatform {
		return &keySet{KeySet: platformKeys{}}, nil
	}
	found, err := i.discover(ctx)
	return &keySet{KeySet: found}, err
}

// keySet remembers an error of reading the keys, which is no verdict on the token.
type keySet struct {
	oidc.KeySet
	unread error
}

// VerifySignature calls that of the keys.
func (k *keySet) VerifySignature(ctx context.Context, raw string) ([]byte, error) {
	payload, err := k.KeySet.VerifySignature(ctx, raw)
	if err != nil && strings.HasPrefix(err.Error(), "fetching keys") {
		k.unread = err
	}
	return payload, err
}

// removed is what Cloud Run writes in place of the signature of a token that it verified
// (https://cloud.google.com/run/docs/troubleshooting#signature-removed).
const removed = "SIGNATURE_REMOVED_BY_GOOGLE"

// payload returns the payload of a token whose signature the platform removed; stripped reports whether it was removed.
func payload(raw string) (encoded string, stripped bool) {
	parts := strings.Split(raw, ".")
	if len(parts) != 3 || parts[2] != removed {
		return "", false
	}
	return parts[1], true
}

// platformKeys accept a token that the platform verified, and no other.
type platformKeys struct{}

var _ oidc.KeySet = platformKeys{}

// VerifySignature returns the payload of a token whose signature the platform removed.
func (platformKeys) VerifySignature(_ context.Context, raw string) ([]byte, error) {
	encoded, stripped := payload(raw)
	if !stripped {
		return nil, errors.New("the platform did not verify the token")
	}
	return base64.RawURLEncoding.Strict().DecodeString(encoded)
}

// discover finds the issuer's keys once. After a failure the next request tries again.
func (i *invoker) discover(ctx context.Context) (oidc.KeySet, error) {
	i.mu.Lock()
	defer i.mu.Unlock()
	if i.known != nil {
		return i.known, nil
	}
	// Later requests read the keys with this context, so it may not end with this request.
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
