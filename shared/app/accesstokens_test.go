package app_test

import (
	"net/http"
	"strings"
	"testing"
	"time"
)

// newToken makes an access token as the signed-in user, and gives its id and its secret.
func (w *world) newToken(scope string, life time.Duration) (id, secret string) {
	w.t.Helper()
	var made struct{ ID, Secret string }
	w.call(http.MethodPost, "/tokens", map[string]any{"name": "Script", "scope": scope, "expiresAt": w.now().Add(life).Format(time.RFC3339)}, 201, &made)
	return made.ID, made.Secret
}

// asScript is what a script with a token, and without a session, is answered.
func (w *world) asScript(secret, method, path string, body any) answer {
	w.t.Helper()
	was := w.browser
	defer func() { w.browser = was }()
	w.browser = newBrowser(w.t)
	return w.do(method, "/settings/api/v1"+path, body, func(r *http.Request) { r.Header.Set("Authorization", "Bearer "+secret) })
}

func (w *world) wantScript(secret, method, path string, body any, status int) {
	w.t.Helper()
	if a := w.asScript(secret, method, path, body); a.status != status {
		w.t.Errorf("%s %s: got %d %s, want %d", method, path, a.status, a.body, status)
	}
}

func TestA_token_is_good_for_its_user_until_it_expires_or_is_revoked(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.link()
	_, reading := w.newToken("read", 24*time.Hour)
	w.pass(time.Minute) // the list is in the order in which they were made
	id, changing := w.newToken("full", 48*time.Hour)
	settings := map[string]any{"automatic": false, "intervalMinutes": 30, "tagId": "", "direction": "both", "conflicts": "latest"}
	w.wantScript(reading, http.MethodGet, "/account", nil, 200)
	w.wantScript(reading, http.MethodPut, "/contacts", settings, 403)
	w.wantScript(changing, http.MethodPut, "/contacts", settings, 200)
	var got struct{ Contacts struct{ IntervalMinutes int } }
	if w.call(http.MethodGet, "/account", nil, 200, &got); got.Contacts.IntervalMinutes != 30 {
		t.Errorf("the script changed nothing: %+v", got)
	}
	// What is part of another secret, or made up, opens nothing.
	for _, wrong := range []string{"", "tandem_", "x", changing + "x", changing[:len(changing)-1], strings.Replace(changing, w.id, "somebody", 1), strings.Replace(changing, id, "../"+id, 1)} {
		w.wantScript(wrong, http.MethodGet, "/account", nil, 401)
	}
	var tokens []struct {
		ID     string
		UsedAt *time.Time
	}
	w.call(http.MethodGet, "/tokens", nil, 200, &tokens)
	if len(tokens) != 2 || tokens[1].ID != id || tokens[1].UsedAt == nil {
		t.Errorf("tokens: %+v", tokens)
	}
	// The session ends; the token does not.
	w.do(http.MethodPost, "/settings/sign-out", nil)
	w.pass(24 * time.Hour)
	w.wantScript(reading, http.MethodGet, "/account", nil, 401)
	w.wantScript(changing, http.MethodGet, "/account", nil, 200)
	w.visit("/settings/sign-in")
	w.call(http.MethodDelete, "/tokens/"+id, nil, 204, nil)
	w.call(http.MethodDelete, "/tokens/"+id, nil, 404, nil)
	w.wantScript(changing, http.MethodGet, "/account", nil, 401)
	for _, secret := range []string{reading, changing} {
		if strings.Contains(w.log.String(), secret) {
			t.Error("the log has the secret of a token")
		}
	}
}

func TestA_token_ends_with_its_users_right_to_sign_in_and_is_in_no_export(t *testing.T) {
	t.Parallel()
	w := newWorld(t, onFirestore(t))
	w.link()
	_, secret := w.newToken("full", 24*time.Hour)
	export := w.do(http.MethodGet, "/settings/api/v1/export", nil)
	random := secret[strings.LastIndex(secret, ".")+1:]
	if export.status != 200 || !strings.Contains(export.body, `"accessTokens":[{"id":`) || strings.Contains(export.body, random) || strings.Contains(export.body, `"hash"`) {
		t.Errorf("the export is %d %s", export.status, export.body)
	}
	w.wantScript(secret, http.MethodDelete, "/account", nil, 403)
	w.stop()
	w.env["ALLOWED_DOMAINS"] = "other.example.com"
	w.start()
	w.wantScript(secret, http.MethodGet, "/account", nil, 403)
	w.stop()
	delete(w.env, "ALLOWED_DOMAINS")
	w.start()
	w.wantScript(secret, http.MethodGet, "/account", nil, 200)
	w.visit("/settings/sign-in")
	w.call(http.MethodDelete, "/account", nil, 204, nil)
	w.wantScript(secret, http.MethodGet, "/account", nil, 401)
}
