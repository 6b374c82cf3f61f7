package cloud

import (
	"context"
	"errors"

	"cloud.google.com/go/auth"
	"cloud.google.com/go/auth/credentials"
	"google.golang.org/api/option"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"
)

// scope lets the roles of the service account decide.
const scope = "https://www.googleapis.com/auth/cloud-platform"

// environment returns the credentials of the process (https://cloud.google.com/docs/authentication/application-default-credentials).
func environment() (option.ClientOption, error) {
	found, err := credentials.DetectDefault(&credentials.DetectOptions{Scopes: []string{scope}})
	if err != nil {
		return nil, err
	}
	return option.WithAuthCredentials(Credentials(found)), nil
}

// Credentials wraps credentials so that their errors carry a status that says whether they may be temporary. gRPC returns
// an error with a status as it is. It reports any other error as a refusal by the service, and includes the whole reply
// of the token service.
func Credentials(c *auth.Credentials) *auth.Credentials {
	return auth.NewCredentials(&auth.CredentialsOptions{
		TokenProvider:          tokens{c},
		JSON:                   c.JSON(),
		ProjectIDProvider:      auth.CredentialsPropertyFunc(c.ProjectID),
		QuotaProjectIDProvider: auth.CredentialsPropertyFunc(c.QuotaProjectID),
		UniverseDomainProvider: auth.CredentialsPropertyFunc(c.UniverseDomain),
	})
}

type tokens struct{ auth.TokenProvider }

// Token returns a token, or an error with a status.
func (t tokens) Token(ctx context.Context) (*auth.Token, error) {
	token, err := t.TokenProvider.Token(ctx)
	if err == nil {
		return token, nil
	}
	refused, ok := errors.AsType[*auth.Error](err)
	if !ok || refused.Response == nil {
		return nil, status.Error(codes.Unavailable, "no token for this process: its token service did not answer")
	}
	code := codes.Unauthenticated
	if s := refused.Response.StatusCode; s >= 500 || s == 429 || s == 408 {
		code = codes.Unavailable
	}
	return nil, status.Errorf(code, "no token for this process: its token service answered %d", refused.Response.StatusCode)
}
