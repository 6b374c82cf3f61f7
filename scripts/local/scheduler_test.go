package main

import (
	"log/slog"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/tandem-sync/tandem/shared/app"
	"github.com/tandem-sync/tandem/shared/config"
)

func TestA_tick_calls_as_the_deployed_job_does(t *testing.T) {
	t.Parallel()
	for verifier, invoker := range map[string]string{"": "", "signature": "invoker@p.iam.gserviceaccount.com", "platform": "invoker@p.iam.gserviceaccount.com"} {
		var handler http.Handler
		server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) { handler.ServeHTTP(w, r) }))
		t.Cleanup(server.Close)
		dir := t.TempDir()
		env := map[string]string{
			"PUBLIC_URL": server.URL, "STORE": "bolt:" + dir + "/tandem.db", "ENCRYPTION_KEY": "file:" + dir + "/key/key.json",
			"INVOKER": invoker, "INVOKER_VERIFIED_BY": verifier, "K_SERVICE": "local",
		}
		logger := slog.New(slog.DiscardHandler)
		services, err := startServices(func(string) (string, bool) { return "", false }, dir, server.URL, logger)
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { _ = services.close() })
		c, err := config.Load(t.Context(), environment(func(string) (string, bool) { return "", false }, services.env, env))
		if err != nil {
			t.Fatal(err)
		}
		a, err := app.New(t.Context(), c, app.Options{})
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { _ = a.Close(t.Context()) })
		s := scheduler{config: c, app: a, google: services.google}
		handler = s.handler()
		if err := s.tick(t.Context()); err != nil {
			t.Errorf("verified by %q: %v", verifier, err)
		}
		if invoker == "" {
			continue
		}
		token := services.google.IssueServiceToken(invoker, server.URL+"/sync-contacts")
		r := httptest.NewRequestWithContext(t.Context(), http.MethodPost, "/sync-contacts", strings.NewReader("{}"))
		r.Header.Set("Authorization", "Bearer "+token[:strings.LastIndex(token, ".")+1]+"SIGNATURE_REMOVED_BY_GOOGLE")
		w := httptest.NewRecorder()
		handler.ServeHTTP(w, r)
		if w.Code != http.StatusUnauthorized {
			t.Errorf("verified by %q: a token without its signature is answered %d", verifier, w.Code)
		}
	}
}
