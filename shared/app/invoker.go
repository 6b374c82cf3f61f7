package app

import (
	"context"
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
	email, issuer, publicURL string
	client                   *http.Client
	now                      func() time.Time

	mu       sync.Mutex
	provider *oidc.Provider
}

// check is nil where the platform alone decides who may call.
func (i *invoker) check(r *http.Request, function string) error {
	if i.email == "" {
		return nil
	}
	raw, found := strings.CutPrefix(r.Header.Get("Authorization"), "Bearer ")
	if !found || raw == "" {
		return web.ErrNoCaller
	}
	provider, err := i.discover(r.Context())
	if err != nil {
		return err
	}
	token, err := provider.Verifier(&oidc.Config{
		ClientID: i.publicURL + "/" + function, SupportedSigningAlgs: []string{oidc.RS256}, Now: i.now,
	}).Verify(oidc.ClientContext(r.Context(), i.client), raw)
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

// discover finds the issuer's keys, once. A failure is tried again with the next request.
func (i *invoker) discover(ctx context.Context) (*oidc.Provider, error) {
	i.mu.Lock()
	defer i.mu.Unlock()
	if i.provider != nil {
		return i.provider, nil
	}
	// The provider keeps the context for reading keys later on, so it may not end with this request.
	provider, err := oidc.NewProvider(oidc.ClientContext(context.WithoutCancel(ctx), i.client), i.issuer)
	if err != nil {
		return nil, fault.New(fault.Retry, "google", "issuer", fmt.Errorf("find the issuer of identity tokens: %w", err))
	}
	i.provider = provider
	return provider, nil
}
