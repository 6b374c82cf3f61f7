package app_test

import (
	"encoding/base64"
	"encoding/json"
	"net/http"
	"strings"
	"testing"
	"time"

	"cloud.google.com/go/scheduler/apiv1/schedulerpb"

	cloudbox "github.com/tandem-sync/tandem/shared/sandbox/cloud"
	googlebox "github.com/tandem-sync/tandem/shared/sandbox/google"
)

// behindCloudRun lets nobody but the invoker call the sync function, as the deployed service does.
func (w *world) behindCloudRun(tandem http.Handler) http.Handler {
	mux := http.NewServeMux()
	mux.Handle("/", tandem)
	audience := w.env["INVOKER_AUDIENCE"]
	if audience == "" {
		audience = w.url + "/sync-contacts"
	}
	mux.Handle("/sync-contacts", &cloudbox.Gate{
		Issuer: w.env["GOOGLE_ENDPOINT"], Audience: audience, Caller: w.env["INVOKER"], Service: tandem, Now: w.now,
	})
	return mux
}

// call makes the call of a job, as Cloud Scheduler does.
func (w *world) callOf(job *schedulerpb.Job) answer {
	w.t.Helper()
	target := job.GetHttpTarget()
	return w.do(target.GetHttpMethod().String(), strings.TrimPrefix(target.GetUri(), w.url), string(target.GetBody()), func(r *http.Request) {
		w.authorize(r, target.GetOidcToken().GetServiceAccountEmail(), target.GetOidcToken().GetAudience())
	})
}

func TestTicks_and_tasks_are_served_where_cloud_run_has_verified_their_tokens(t *testing.T) {
	t.Parallel()
	for name, audience := range map[string]string{
		"at google's address": "", "at a domain of one's own": "https://europe-west1-p.cloudfunctions.net/sync-contacts",
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			q := newCloud(t)
			w := newWorld(t, onFirestore(t), onTasks(q), with("INVOKER_AUDIENCE", audience))
			w.link()
			w.choose(w.tag("Ada", private))
			if audience == "" {
				audience = w.url + "/sync-contacts"
			}
			job := contactsJob(schedulerpb.Job_ENABLED, "* * * * *")
			job.GetHttpTarget().Uri = w.url + "/sync-contacts"
			job.GetHttpTarget().AuthorizationHeader = &schedulerpb.HttpTarget_OidcToken{
				OidcToken: &schedulerpb.OidcToken{ServiceAccountEmail: invoker, Audience: audience},
			}
			if a := w.callOf(job); a.status != 200 || strings.TrimSpace(a.body) != `{"due":1,"queued":1}` {
				t.Fatalf("the tick: got %d %s", a.status, a.body)
			}
			task := q.Tasks.Taken()[0]
			if got := task.GetHttpRequest().GetOidcToken().GetAudience(); got != audience {
				t.Errorf("the task's token is for %s", got)
			}
			if status := w.deliver(task); status != "done" {
				t.Errorf("the task ended %s", status)
			}
		})
	}
}

// parts takes a token to pieces.
func parts(token string) (header, payload, signature string) {
	p := strings.Split(token, ".")
	return p[0], p[1], p[2]
}

func encoded(value any) string {
	raw, err := json.Marshal(value)
	if err != nil {
		panic(err)
	}
	return base64.RawURLEncoding.EncodeToString(raw)
}

func TestNobody_but_the_invoker_runs_the_synchronization(t *testing.T) {
	t.Parallel()
	const removed = "SIGNATURE_REMOVED_BY_GOOGLE"
	both := map[string]int{"signature": 401, "platform": 401}
	for verifier, changes := range map[string][]change{
		"signature": {with("INVOKER", invoker)},
		"platform":  {with("INVOKER", invoker), with("INVOKER_VERIFIED_BY", "platform"), with("K_SERVICE", "sync-contacts")},
	} {
		w := newWorld(t, changes...)
		// What comes here has passed the platform, or found a way around it.
		w.tandem = w.app.Handler()
		audience := w.url + "/sync-contacts"
		issue := func(change func(claims map[string]any)) string {
			return w.google.IssueServiceToken(invoker, audience, change)
		}
		set := func(name string, value any) string {
			return issue(func(claims map[string]any) { claims[name] = value })
		}
		strip := func(token string) string { return token[:strings.LastIndex(token, ".")+1] + removed }
		genuine := issue(func(map[string]any) {})
		header, payload, signature := parts(genuine)
		otherHeader := func(alg string) string {
			return encoded(map[string]string{"alg": alg, "typ": "JWT"}) + "." + payload + "."
		}
		type call struct {
			token string
			want  map[string]int
		}
		calls := map[string]call{
			"a genuine token":                {genuine, map[string]int{"signature": 200, "platform": 200}},
			"a stripped token":               {strip(genuine), map[string]int{"signature": 401, "platform": 200}},
			"no token":                       {"", both},
			"garbage":                        {"garbage", both},
			"three words":                    {"x.y.z", both},
			"three words, stripped":          {"x.y." + removed, both},
			"a payload that is none":         {header + ".e30x." + removed, both},
			"a payload with padding":         {header + "." + payload + "==." + removed, both},
			"an empty payload":               {header + ".." + removed, both},
			"another signature":              {header + "." + payload + "." + signature[:len(signature)-8] + "AAAAAAAA", both},
			"no signature":                   {header + "." + payload + ".", both},
			"two parts":                      {header + "." + payload, both},
			"a fourth part":                  {strip(genuine) + ".x", both},
			"a part in between":              {header + "." + payload + ".x." + removed, both},
			"a signature that was not taken": {header + "." + payload + "." + strings.ToLower(removed), both},
			"one that has more":              {strip(genuine) + "=", both},
			"a blank before it":              {header + "." + payload + ". " + removed, both},
			"unsigned":                       {otherHeader("none"), both},
			"unsigned, stripped":             {otherHeader("none") + removed, both},
			"a shared secret":                {otherHeader("HS256") + signature, both},
			"a shared secret, stripped":      {otherHeader("HS256") + removed, both},
			"as JSON":                        {`{"protected":"` + header + `","payload":"` + payload + `","signature":"` + removed + `"}`, both},
		}
		for what, tc := range map[string]struct {
			token string
			want  int
		}{
			"another audience":     {set("aud", w.url+"/settings"), 401},
			"no audience":          {set("aud", ""), 401},
			"another issuer":       {set("iss", "https://accounts.example.com"), 401},
			"an expired one":       {set("exp", w.now().Add(-time.Second).Unix()), 401},
			"one without an end":   {issue(func(claims map[string]any) { delete(claims, "exp") }), 401},
			"one of the future":    {set("nbf", w.now().Add(time.Hour).Unix()), 401},
			"another account":      {set("email", "other@p.iam.gserviceaccount.com"), 403},
			"no account":           {issue(func(claims map[string]any) { delete(claims, "email") }), 403},
			"an unverified e-mail": {set("email_verified", false), 403},
			"nothing of an e-mail": {issue(func(claims map[string]any) { delete(claims, "email_verified") }), 403},
		} {
			calls[what] = call{tc.token, map[string]int{"signature": tc.want, "platform": tc.want}}
			calls[what+", stripped"] = call{strip(tc.token), map[string]int{"signature": 401, "platform": tc.want}}
		}
		for what, c := range calls {
			a := w.do(http.MethodPost, "/sync-contacts", "{}", func(r *http.Request) {
				if c.token != "" {
					r.Header.Set("Authorization", "Bearer "+c.token)
				}
			})
			if a.status != c.want[verifier] {
				t.Errorf("%s with %s: got %d %s, want %d", verifier, what, a.status, a.body, c.want[verifier])
			}
		}
	}
}

func TestOf_several_tokens_the_one_counts_that_the_platform_verified(t *testing.T) {
	t.Parallel()
	w := newWorld(t, with("INVOKER", invoker), with("INVOKER_VERIFIED_BY", "platform"), with("K_SERVICE", "sync-contacts"))
	w.tandem = w.app.Handler()
	token := func(account string) string {
		raw := w.google.IssueServiceToken(account, w.url+"/sync-contacts")
		return "Bearer " + raw[:strings.LastIndex(raw, ".")+1] + "SIGNATURE_REMOVED_BY_GOOGLE"
	}
	own, other := token(invoker), token("other@p.iam.gserviceaccount.com")
	const serverless = "X-Serverless-Authorization"
	for name, tc := range map[string]struct {
		header http.Header
		want   int
	}{
		"the invoker's":                    {http.Header{serverless: {own}}, 200},
		"the invoker's beside another one": {http.Header{serverless: {own}, "Authorization": {other}}, 200},
		"another one beside a forged one":  {http.Header{serverless: {other}, "Authorization": {own}}, 403},
		"two of them":                      {http.Header{"Authorization": {own, own}}, 401},
	} {
		a := w.do(http.MethodPost, "/sync-contacts", "{}", func(r *http.Request) { r.Header = tc.header })
		if a.status != tc.want {
			t.Errorf("%s: got %d %s, want %d", name, a.status, a.body, tc.want)
		}
	}
}

func TestWhile_the_keys_of_the_issuer_cannot_be_read_nobody_is_called_a_stranger(t *testing.T) {
	t.Parallel()
	for _, path := range []string{"/.well-known/openid-configuration", "/oauth2/v3/certs"} {
		w := newWorld(t, with("INVOKER", invoker))
		w.google.SetFault(func(r *http.Request) *googlebox.Fault {
			if r.URL.Path == path {
				return &googlebox.Fault{Status: 404}
			}
			return nil
		})
		if a := w.do(http.MethodPost, "/sync-contacts", "{}", w.asInvoker); a.status != 503 || a.header.Get("Retry-After") == "" {
			t.Errorf("without %s: got %d %s", path, a.status, a.body)
		}
		w.google.SetFault(nil)
		if a := w.do(http.MethodPost, "/sync-contacts", "{}", w.asInvoker); a.status != 200 {
			t.Errorf("with %s again: got %d %s", path, a.status, a.body)
		}
	}
}
