package observe_test

import (
	"bytes"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"net/url"
	"strings"
	"testing"

	"github.com/tandem-sync/tandem/shared/config"
	"github.com/tandem-sync/tandem/shared/observe"
)

// canary is the secret in every test, long enough for every form of a token.
const canary = "hunter2-hunter2-hunter2-hunter2-hunter2-hunter2"

func TestTexts_lose_their_secrets_and_keep_the_rest(t *testing.T) {
	t.Parallel()
	for in, want := range map[string]string{
		"get: Bearer ya29." + canary + " refused":                                      "get: Bearer [redacted] refused",
		"token ya29." + canary + " expired":                                            "token [redacted] expired",
		"refresh 1//0" + canary + " failed":                                            "refresh [redacted] failed",
		"refresh 1/" + canary + " failed":                                              "refresh [redacted] failed",
		"exchange 4/0" + canary + " failed":                                            "exchange [redacted] failed",
		"GET /oauth-callback?state=" + canary + "&code=" + canary:                      "GET /oauth-callback?state=[redacted]&code=[redacted]",
		"body grant_type=refresh_token&refresh_token=" + canary:                        "body grant_type=refresh_token&refresh_token=[redacted]",
		"client_secret=GOCSPX-" + canary + "&x=1":                                      "client_secret=[redacted]&x=1",
		"secret GOCSPX-" + canary:                                                      "secret [redacted]",
		`{"access_token":"` + canary + `","token_type":"Bearer"}`:                      `{"access_token":"[redacted]","token_type":"Bearer"}`,
		`{"UserName":"ada","UserPassword":"` + canary + `\"` + canary + `"}`:           `{"UserName":"ada","UserPassword":"[redacted]"}`,
		`"{\"refresh_token\":\"` + canary + `\",\"n\":1}"`:                             `"{\"refresh_token\":\"[redacted]\",\"n\":1}"`,
		`{"Cookie":["` + canary + `","` + canary + `"],"n":1}`:                         `{"Cookie":"[redacted]","n":1}`,
		"Cookie: .ASPXAUTH=" + canary + "; BPMCSRF=" + canary + "\nnext":               "Cookie: [redacted]\nnext",
		"Authorization: Basic " + canary:                                               "Authorization: [redacted]",
		"map[Authorization:[Negotiate " + canary + "]]":                                "map[Authorization:[redacted]]",
		"proxy said Basic aHVudGVyMjpodW50ZXIy!":                                       "proxy said Basic [redacted]!",
		"{Name:ada Password:" + canary + "}":                                           "{Name:ada Password:[redacted]}",
		"https://ada:" + canary + "@acme.example.com/x":                                "https://[redacted]@acme.example.com/x",
		"jwt eyJhbGciOiJ.eyJodW50ZXIy." + canary + " expired":                          "jwt [redacted] expired",
		"-----BEGIN PRIVATE KEY-----\n" + canary + "\n-----END PRIVATE KEY-----\nnext": "[redacted]\nnext",
	} {
		if got := observe.Scrub(in); got != want {
			t.Errorf("scrub %q:\ngot  %q\nwant %q", in, got, want)
		}
	}
}

func TestSentences_about_secrets_stay_readable(t *testing.T) {
	t.Parallel()
	for _, text := range []string{
		"oauth2: cannot fetch token: 400 Bad Request",
		"google reconnect: invalid-grant: refresh token: expired",
		"the site wants basic authentication", "bearer authentication failed",
		"POST https://people.googleapis.com/v1/people:batchUpdate?personFields=names",
		"code=quota state=running ada@example.com", "contact 1/2 of 4/0", "token_type=Bearer",
		`{"code":"quota","state":"ok"}`, "",
	} {
		if got := observe.Scrub(text); got != text {
			t.Errorf("got %q, want it as it was: %q", got, text)
		}
	}
}

// credentials is a struct that is logged as a whole.
type credentials struct {
	User     string
	Password string
	Next     *url.URL
}

type broken struct{ name string }

func (b *broken) Error() string { return b.name }

func TestNo_kind_of_attribute_brings_a_secret_into_a_log(t *testing.T) {
	t.Parallel()
	redirect, err := url.Parse("https://ada:" + canary + "@acme.example.com/?x=1&code=" + canary)
	if err != nil {
		t.Fatal(err)
	}
	header := http.Header{"Authorization": {"Bearer " + canary}, "Set-Cookie": {"a=" + canary, "b=" + canary}, "X-Goog-Channel-Token": {canary}}
	attrs := []slog.Attr{
		slog.String("refresh_token", canary),
		slog.String("creatio.password", canary),
		slog.Any("Secret", []string{canary}),
		slog.String("body", "client_secret="+canary),
		slog.Any("error", fmt.Errorf("refresh: %w", errors.New("refresh_token="+canary))),
		slog.Any("nil error", (*broken)(nil)),
		slog.Any("secret value", config.NewSecret(canary)),
		slog.Any("config", config.Config{Google: config.Google{ClientSecret: config.NewSecret(canary)}}),
		slog.Any("credentials", credentials{User: "ada", Password: canary, Next: redirect}),
		slog.Any("pointer", &credentials{Password: canary}),
		slog.Any("url", redirect),
		slog.Any("header", header),
		slog.Any("wrapped header", struct{ Header http.Header }{header}),
		slog.Any("form", url.Values{"code": {canary}, "password": {canary}, "n": {"1"}}),
		slog.Any("bytes", []byte("Bearer "+canary)),
		slog.Any("map", map[string]any{"id_token": canary, "deep": map[string]string{"password": canary}}),
		slog.Any("unmarshalable", map[string]any{"token": canary, "f": func() {}}),
		slog.Group("group", slog.Group("deeper", slog.String("password", canary)), slog.String("x", "Bearer "+canary)),
	}
	var log bytes.Buffer
	for _, logger := range []*slog.Logger{observe.NewLogger(&log, observe.Options{}), observe.NewTextLogger(&log, nil)} {
		for _, a := range attrs {
			before := log.Len()
			logger.LogAttrs(observe.With(t.Context(), a), slog.LevelInfo, "Bearer "+canary, a)
			slog.New(logger.Handler().WithGroup("in").WithAttrs([]slog.Attr{a})).Info("hello")
			line := log.String()[before:]
			if strings.Contains(line, "hunter2") {
				t.Errorf("%s: got the secret in %s", a.Key, line)
			}
			if !strings.Contains(line, "hello") {
				t.Errorf("%s: the line is missing in %q", a.Key, line)
			}
		}
	}
	for _, kept := range []string{`"User":"ada"`, `"n":"1"`, "acme.example.com", "(*observe_test.broken that cannot be written)"} {
		if !strings.Contains(log.String(), kept) {
			t.Errorf("%q is gone from the log", kept)
		}
	}
}
