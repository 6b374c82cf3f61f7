package google

import (
	"crypto"
	"crypto/rand"
	"crypto/rsa"
	"crypto/sha256"
	"crypto/x509"
	"encoding/base64"
	"encoding/binary"
	"encoding/hex"
	"errors"
	"math/big"
	"net/http"
	"strings"
	"sync"
	"time"
)

// idLifetime is how long an ID token lives.
const idLifetime = time.Hour

// signingKey signs ID tokens.
type signingKey struct{ *rsa.PrivateKey }

// freshKey is made once in a process: making one takes long, and nobody depends on its being another one.
var freshKey = sync.OnceValues(func() (*rsa.PrivateKey, error) { return rsa.GenerateKey(rand.Reader, 2048) })

// signer is the key of the saved state, or a new one.
func (s *Server) signer() signingKey {
	if k, err := parseKey(s.state.Key); err == nil {
		return k
	}
	k, err := freshKey()
	if err != nil {
		// The system's randomness never fails in Go; see crypto/rand.
		panic("make signing key: " + err.Error())
	}
	return signingKey{k}
}

func parseKey(der []byte) (signingKey, error) {
	parsed, err := x509.ParsePKCS8PrivateKey(der)
	if err != nil {
		return signingKey{}, errors.New("read signing key: it is none")
	}
	k, ok := parsed.(*rsa.PrivateKey)
	if !ok {
		return signingKey{}, errors.New("read signing key: it is not an RSA key")
	}
	return signingKey{k}, nil
}

func (k signingKey) marshal() ([]byte, error) { return x509.MarshalPKCS8PrivateKey(k.PrivateKey) }

func (k signingKey) id() string {
	sum := sha256.Sum256(k.N.Bytes())
	return hex.EncodeToString(sum[:20])
}

// sign makes a JSON Web Token (RFC 7519).
func (k signingKey) sign(claims map[string]any) string {
	b64 := base64.RawURLEncoding
	text := b64.EncodeToString([]byte(encode(map[string]string{"alg": "RS256", "kid": k.id(), "typ": "JWT"}))) + "." +
		b64.EncodeToString([]byte(encode(claims)))
	sum := sha256.Sum256([]byte(text))
	signature, err := rsa.SignPKCS1v15(nil, k.PrivateKey, crypto.SHA256, sum[:])
	if err != nil {
		panic("sign token: " + err.Error())
	}
	return text + "." + b64.EncodeToString(signature)
}

// discovery is https://openid.net/specs/openid-connect-discovery-1_0.html#ProviderMetadata.
func (s *Server) discovery(w http.ResponseWriter, r *http.Request) {
	base := s.issuer(r)
	writeJSON(w, http.StatusOK, map[string]any{
		"issuer":                                base,
		"authorization_endpoint":                base + "/o/oauth2/v2/auth",
		"token_endpoint":                        base + "/token",
		"revocation_endpoint":                   base + "/revoke",
		"userinfo_endpoint":                     base + "/oauth2/v3/userinfo",
		"jwks_uri":                              base + "/oauth2/v3/certs",
		"response_types_supported":              []string{"code"},
		"response_modes_supported":              []string{"query"},
		"grant_types_supported":                 []string{"authorization_code", "refresh_token"},
		"subject_types_supported":               []string{"public"},
		"id_token_signing_alg_values_supported": []string{"RS256"},
		"scopes_supported":                      []string{"openid", "email", "profile"},
		"token_endpoint_auth_methods_supported": []string{"client_secret_post", "client_secret_basic"},
		"code_challenge_methods_supported":      []string{"plain", "S256"},
		"claims_supported": []string{
			"aud", "email", "email_verified", "exp", "family_name", "given_name", "hd", "iat", "iss", "name", "sub",
		},
		"authorization_response_iss_parameter_supported": true,
	})
}

// certs are the public keys (RFC 7517).
func (s *Server) certs(w http.ResponseWriter, _ *http.Request) {
	k := s.signer()
	b64 := base64.RawURLEncoding
	writeJSON(w, http.StatusOK, map[string]any{"keys": []any{map[string]string{
		"kty": "RSA", "alg": "RS256", "use": "sig", "kid": k.id(),
		"n": b64.EncodeToString(k.N.Bytes()), "e": b64.EncodeToString(big.NewInt(int64(k.E)).Bytes()),
	}}})
}

// idToken says who the user is (https://developers.google.com/identity/openid-connect/openid-connect#an-id-tokens-payload).
func (s *Server) idToken(issuer, audience, nonce, access string, a *account, scopes []string) string {
	claims := a.claims(scopes)
	now := s.o.Now()
	sum := sha256.Sum256([]byte(access))
	claims["iss"], claims["azp"], claims["aud"] = issuer, audience, audience
	claims["iat"], claims["exp"] = now.Unix(), now.Add(idLifetime).Unix()
	claims["at_hash"] = base64.RawURLEncoding.EncodeToString(sum[:16])
	if nonce != "" {
		claims["nonce"] = nonce
	}
	return s.signer().sign(claims)
}

// claims are what the scopes let be known of the user.
func (a *account) claims(scopes []string) map[string]any {
	claims := map[string]any{"sub": a.Subject}
	if a.HostedDomain != "" {
		claims["hd"] = a.HostedDomain
	}
	for _, scope := range scopes {
		switch scope {
		case emailScope:
			claims["email"], claims["email_verified"] = a.Email, a.EmailVerified
		case profileScope:
			claims["name"] = a.Name
			given, family, _ := strings.Cut(a.Name, " ")
			claims["given_name"] = given
			if family != "" {
				claims["family_name"] = family
			}
		}
	}
	return claims
}

// IssueServiceToken makes the ID token with which a service account calls: Cloud Scheduler and Cloud Tasks send such.
// Changes make one of it that is signed, and wrong.
func (s *Server) IssueServiceToken(email, audience string, changes ...func(claims map[string]any)) string {
	s.mu.Lock()
	defer s.mu.Unlock()
	issuer := s.o.IssuerURL
	if issuer == "" {
		issuer = s.base
	}
	now, subject := s.o.Now(), subjectOf(emailKey(email))
	claims := map[string]any{
		"iss": issuer, "aud": audience, "azp": subject, "sub": subject, "email": email, "email_verified": true,
		"iat": now.Unix(), "exp": now.Add(idLifetime).Unix(),
	}
	for _, change := range changes {
		change(claims)
	}
	return s.signer().sign(claims)
}

// userinfo is https://openid.net/specs/openid-connect-core-1_0.html#UserInfo.
func (s *Server) userinfo(w http.ResponseWriter, r *http.Request) {
	t, f := s.bearer(r)
	if f != nil {
		f.write(w)
		return
	}
	claims := s.state.Accounts[t.Email].claims(t.Scopes)
	writeJSON(w, http.StatusOK, claims)
}

// random is a secret.
func random(prefix string) string {
	var b [32]byte
	_, _ = rand.Read(b[:])
	return prefix + base64.RawURLEncoding.EncodeToString(b[:])
}

// hash64 is a number made out of texts.
func hash64(parts ...string) uint64 {
	sum := sha256.Sum256([]byte(strings.Join(parts, "\x00")))
	return binary.BigEndian.Uint64(sum[:8])
}
