package oauth

import (
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"strings"
	"time"

	"github.com/coreos/go-oidc/v3/oidc"
	"golang.org/x/oauth2"

	"github.com/tandem-sync/tandem/shared/fault"
	"github.com/tandem-sync/tandem/shared/httpx"
	"github.com/tandem-sync/tandem/shared/record"
)

const (
	// callTimeout ends one call to an identity service.
	callTimeout = 30 * time.Second
	// maxReply is how much of an identity service's reply is read.
	maxReply = 1 << 20
	// googleIssuer is the issuer in https://accounts.google.com/.well-known/openid-configuration.
	googleIssuer = "https://accounts.google.com"
)

// provider is an identity service: its discovery document, which is read once, and a client for it.
type provider struct {
	side   record.Side
	client *http.Client
	id     string
	secret string
	now    func() time.Time
	// issuer is the expected issuer, set for Google only.
	issuer string
	// discover reads the metadata; a failure is not cached.
	discover func(ctx context.Context) (*metadata, error)

	lock  chan struct{}
	known *metadata
}

// metadata holds the needed fields of a discovery document
// (https://openid.net/specs/openid-connect-discovery-1_0.html#ProviderMetadata).
type metadata struct {
	Issuer     string `json:"issuer"`
	Authorize  string `json:"authorization_endpoint"`
	Token      string `json:"token_endpoint"`
	Revocation string `json:"revocation_endpoint"`
	Keys       string `json:"jwks_uri"`
	// SendsIssuer says that every authorization response names the issuer (RFC 9207, section 3).
	SendsIssuer bool `json:"authorization_response_iss_parameter_supported"`

	// keys verify ID tokens; nil if the service is not used for sign-in.
	keys oidc.KeySet
}

// mismatch says why an authorization response cannot be from this service; empty if it can (RFC 9207, section 2.4; no
// parameter may occur twice, RFC 6749, section 3.1).
func (m *metadata) mismatch(response url.Values) string {
	for _, name := range []string{"state", "code", "error", "iss"} {
		if len(response[name]) > 1 {
			return "a parameter occurs twice"
		}
	}
	switch {
	case response.Has("iss") && response.Get("iss") != m.Issuer:
		return "it names another issuer"
	case m.SendsIssuer && !response.Has("iss"):
		return "it names no issuer, which this service always does"
	}
	return ""
}

func (l *Linker) newProvider(side record.Side, id, secret string) *provider {
	return &provider{
		side: side, id: id, secret: secret, now: l.o.Now, lock: make(chan struct{}, 1),
		client: &http.Client{Transport: bounded{l.base(side)}, CheckRedirect: httpx.SameOrigin, Timeout: callTimeout},
	}
}

func (l *Linker) newGoogle() *provider {
	p := l.newProvider(record.Google, l.o.Google.ClientID, l.o.Google.ClientSecret)
	p.issuer = cmp.Or(l.o.Google.Endpoint, googleIssuer)
	p.discover = func(ctx context.Context) (*metadata, error) {
		m, err := p.read(ctx, p.issuer)
		if err != nil {
			return nil, err
		}
		if m.Issuer != p.issuer || m.Authorize == "" || m.Keys == "" {
			return nil, p.unknown("the service at the issuer's address is another")
		}
		// The key set uses only the client of the context.
		m.keys = oidc.NewRemoteKeySet(p.withClient(context.Background()), m.Keys)
		return m, nil
	}
	return p
}

// newCreatio makes the provider of Creatio. Its identity service is at the configured address. If none is configured, the
// site's own discovery document names it: under /0 on the .NET Framework, at the root on .NET.
func (l *Linker) newCreatio() *provider {
	p := l.newProvider(record.Creatio, l.o.Creatio.ClientID, l.o.Creatio.ClientSecret)
	identity := l.o.Creatio.IdentityURL
	places := []string{l.o.Creatio.URL + "/0", l.o.Creatio.URL}
	if identity != "" {
		places = []string{identity}
	}
	p.discover = func(ctx context.Context) (*metadata, error) {
		for _, place := range places {
			m, err := p.read(ctx, place)
			if err == nil && m.Issuer == l.google.issuer {
				// Responses of the two services could not be distinguished (RFC 9207, section 2.4).
				return nil, p.unknown("it names Google's issuer as its own")
			}
			if err == nil || fault.KindOf(err) != fault.Misconfigured {
				return m, err
			}
		}
		if identity == "" {
			return nil, p.unknown("the site names no identity service; CREATIO_IDENTITY_URL can")
		}
		// The addresses of Creatio's identity service if its discovery document is not available.
		return &metadata{
			Issuer: identity, Authorize: identity + "/connect/authorize", Token: identity + "/connect/token", Revocation: identity + "/connect/revocation",
		}, nil
	}
	return p
}

// read reads the discovery document of an issuer. If the reply is something else, the error is Misconfigured.
func (p *provider) read(ctx context.Context, issuer string) (*metadata, error) {
	const op = "discover identity service"
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, issuer+"/.well-known/openid-configuration", nil)
	if err != nil {
		return nil, p.unknown("the address is none")
	}
	req.Header.Set("Accept", "application/json")
	resp, err := p.client.Do(req)
	if err != nil {
		return nil, p.unreached(op, err)
	}
	defer resp.Body.Close()
	switch {
	case temporary(resp.StatusCode):
		return nil, p.retryLater(op, resp)
	case resp.StatusCode != http.StatusOK:
		return nil, p.unknown(fmt.Sprintf("status %d", resp.StatusCode))
	}
	content, err := io.ReadAll(resp.Body)
	if err != nil {
		return nil, p.unreached(op, err)
	}
	var m metadata
	if json.Unmarshal(content, &m) != nil || m.Token == "" {
		return nil, p.unknown("the reply is no discovery document")
	}
	for _, endpoint := range []string{m.Authorize, m.Token, m.Revocation, m.Keys} {
		if endpoint != "" && !trustworthy(issuer, endpoint) {
			return nil, p.unknown("an endpoint is no address, or not an encrypted one")
		}
	}
	return &m, nil
}

func (p *provider) unknown(why string) error {
	return fault.New(fault.Misconfigured, string(p.side), "no-identity-service", errors.New("discover identity service: "+why))
}

// trustworthy reports whether secrets may be sent to an endpoint: it has to be encrypted if the issuer is.
func trustworthy(issuer, endpoint string) bool {
	u, err := url.Parse(endpoint)
	if err != nil || u.Host == "" {
		return false
	}
	return u.Scheme == "https" || u.Scheme == "http" && strings.HasPrefix(issuer, "http://")
}

// metadata returns the service's metadata. Concurrent callers wait for one request.
func (p *provider) metadata(ctx context.Context) (*metadata, error) {
	select {
	case p.lock <- struct{}{}:
	case <-ctx.Done():
		return nil, fault.New(fault.Retry, string(p.side), "canceled", ctx.Err())
	}
	defer func() { <-p.lock }()
	if p.known != nil {
		return p.known, nil
	}
	m, err := p.discover(ctx)
	if err != nil {
		return nil, err
	}
	p.known = m
	return m, nil
}

// config is the OAuth client for the service. Both services accept the client's secret in the form.
func (p *provider) config(m *metadata) *oauth2.Config {
	return &oauth2.Config{
		ClientID: p.id, ClientSecret: p.secret,
		Endpoint: oauth2.Endpoint{AuthURL: m.Authorize, TokenURL: m.Token, AuthStyle: oauth2.AuthStyleInParams},
	}
}

// withClient makes x/oauth2 and go-oidc call through the provider's client.
func (p *provider) withClient(ctx context.Context) context.Context {
	return oidc.ClientContext(ctx, p.client)
}

// granted returns the tokens of a reply. Their lifetime counts from the time before the request.
func granted(t *oauth2.Token, before time.Time) credentials {
	seconds := float64(t.ExpiresIn)
	if seconds <= 0 {
		// Package clientcredentials returns it only there.
		seconds, _ = t.Extra("expires_in").(float64)
	}
	lifetime := time.Duration(min(seconds, longestLifetime.Seconds())) * time.Second
	if lifetime <= 0 {
		lifetime = defaultLifetime
	}
	expiry := before.Add(lifetime)
	id, _ := t.Extra("id_token").(string)
	return credentials{idToken: id, Access: t.AccessToken, Refresh: t.RefreshToken, Expiry: expiry, Renew: expiry.Add(-min(early, lifetime/4))}
}

const (
	// defaultLifetime is for replies without the lifetime of the token, which Creatio may omit.
	defaultLifetime = 3 * time.Minute
	// longestLifetime prevents an absurd number of seconds from overflowing a duration.
	longestLifetime = 365 * 24 * time.Hour
	// early is how long before its expiry an access token is refreshed, so that a short outage of the service does not
	// matter.
	early = 2 * time.Minute
	// transit is the longest time in which a request reaches the service; the token has to be valid for that long.
	transit = 10 * time.Second
)

// bounded truncates replies. A truncated reply is no valid JSON.
type bounded struct{ base http.RoundTripper }

func (b bounded) RoundTrip(req *http.Request) (*http.Response, error) {
	resp, err := b.base.RoundTrip(req)
	if err != nil {
		return nil, err
	}
	resp.Body = struct {
		io.Reader
		io.Closer
	}{io.LimitReader(resp.Body, maxReply), resp.Body}
	return resp, nil
}
