package cloud

import (
	"context"
	"net/http"
	"strings"
	"time"

	"github.com/coreos/go-oidc/v3/oidc"
)

// removed is what Cloud Run writes in a signature's place (https://cloud.google.com/run/docs/troubleshooting#signature-removed).
const removed = "SIGNATURE_REMOVED_BY_GOOGLE"

// Gate stands where Cloud Run does before a service that requires IAM: nobody but one account passes, with a token that
// its issuer signed for this service; and it hands the token on without its signature
// (https://cloud.google.com/run/docs/authenticating/service-to-service).
type Gate struct {
	// Issuer signs the tokens; its discovery document says where its keys are.
	Issuer string
	// Audience is whom a token has to be for: the address of the service.
	Audience string
	// Caller is the account that has the role run.invoker.
	Caller string
	// Service answers who passes.
	Service http.Handler
	// Now is the clock.
	Now func() time.Time
}

// ServeHTTP checks one header alone: X-Serverless-Authorization where it is there, Authorization otherwise.
func (g *Gate) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	name := "Authorization"
	if r.Header.Get("X-Serverless-Authorization") != "" {
		name = "X-Serverless-Authorization"
	}
	raw, found := strings.CutPrefix(r.Header.Get(name), "Bearer ")
	if !found {
		http.Error(w, "Forbidden", http.StatusForbidden)
		return
	}
	email, err := g.verify(r.Context(), raw)
	if err != nil {
		http.Error(w, "Unauthorized", http.StatusUnauthorized)
		return
	}
	if email != g.Caller {
		http.Error(w, "Forbidden", http.StatusForbidden)
		return
	}
	r = r.Clone(r.Context())
	r.Header.Set(name, "Bearer "+raw[:strings.LastIndex(raw, ".")+1]+removed)
	g.Service.ServeHTTP(w, r)
}

func (g *Gate) verify(ctx context.Context, raw string) (email string, err error) {
	provider, err := oidc.NewProvider(ctx, g.Issuer)
	if err != nil {
		return "", err
	}
	token, err := provider.VerifierContext(ctx, &oidc.Config{ClientID: g.Audience, Now: g.Now}).Verify(ctx, raw)
	if err != nil {
		return "", err
	}
	var claims struct{ Email string }
	err = token.Claims(&claims)
	return claims.Email, err
}
