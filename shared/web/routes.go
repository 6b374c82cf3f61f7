package web

import (
	"cmp"
	"errors"
	"net/http"
	"slices"
	"strings"

	"github.com/tandem-sync/tandem/shared/record"
)

// access says who may use a route.
type access int

const (
	// anyone: the session is not looked at.
	anyone access = iota
	// visitor: with a session or without.
	visitor
	// member: a page for users; others are led to the settings page.
	member
	// script: the JSON API; without a session 401.
	script
)

// visit is one request as a handler gets it: whose it is. user is empty without a session.
type visit struct {
	user string
	// fresh says that the user signed in just now.
	fresh bool
}

type serve func(http.ResponseWriter, *http.Request, visit) error

// route is one line of the table. A segment of path in braces stands for an id.
type route struct {
	method, path string
	access       access
	serve        serve
	// noHead says that a HEAD is refused: it would do what a GET does.
	noHead bool
	// query are the parameters that a route of the API takes. Another one, or one that comes twice, is refused.
	query []string
	// noToken says that it is for a session alone, and for no access token.
	noToken bool
	// ends says that it is also for a session that is good for nothing else any more.
	ends bool
	// cost is what a request takes from its user's allowance; cheap where it is zero.
	cost int
}

// table is every route of the settings function.
func (s *Site) table() []route {
	return []route{
		{method: "GET", path: "/", access: visitor, serve: s.home, cost: calling},
		{method: "GET", path: "/sign-in", access: anyone, serve: s.signIn, noHead: true},
		{method: "POST", path: "/sign-out", access: visitor, serve: s.signOut, ends: true},
		{method: "GET", path: "/link/google", access: member, serve: s.linkGoogle, noHead: true, cost: calling},
		{method: "GET", path: "/link/creatio", access: member, serve: s.linkCreatio, noHead: true, cost: calling},
		{method: "POST", path: "/link/creatio", access: member, serve: s.linkPassword, cost: calling},
		{method: "POST", path: "/unlink/{side}", access: member, serve: s.unlink, cost: calling},
		{method: "GET", path: "/export", access: member, serve: s.download, cost: heavy},
		{method: "GET", path: "/erase", access: member, serve: s.confirmErase},
		{method: "POST", path: "/erase", access: member, serve: s.erase, cost: calling},
		{method: "POST", path: "/contacts", access: member, serve: s.saveContacts, cost: calling},
		{method: "POST", path: "/contacts/sync", access: member, serve: s.syncNow(record.Contacts)},
		{method: "POST", path: "/contacts/preview", access: member, serve: s.preview(record.Contacts), cost: heavy},
		{method: "POST", path: "/contacts/pairs", access: member, serve: s.settle(record.Contacts), cost: calling},
		{method: "POST", path: "/activities", access: member, serve: s.saveActivities, cost: calling},
		{method: "POST", path: "/activities/sync", access: member, serve: s.syncNow(record.Activities)},
		{method: "POST", path: "/activities/preview", access: member, serve: s.preview(record.Activities), cost: heavy},
		{method: "POST", path: "/activities/pairs", access: member, serve: s.settle(record.Activities), cost: calling},
		{method: "GET", path: "/runs", access: member, serve: s.history},
		{method: "GET", path: "/runs/{run}", access: member, serve: s.oneRun},
		{method: "POST", path: "/runs/{run}/run", access: member, serve: s.runPreview, cost: calling},
		{method: "GET", path: "/runs/{run}/approve", access: member, serve: s.confirm("approve")},
		{method: "GET", path: "/runs/{run}/reject", access: member, serve: s.confirm("reject")},
		{method: "GET", path: "/runs/{run}/undo", access: member, serve: s.confirm("undo")},
		{method: "POST", path: "/runs/{run}/approve", access: member, serve: s.approve, cost: calling},
		{method: "POST", path: "/runs/{run}/reject", access: member, serve: s.reject, cost: calling},
		{method: "POST", path: "/runs/{run}/undo", access: member, serve: s.undo, cost: calling},
		{method: "GET", path: "/admin", access: member, serve: s.admin, cost: calling},
		{method: "POST", path: "/admin/{type}/{order}", access: member, serve: s.order, cost: calling},
		{method: "POST", path: "/admin/users/{user}/{order}", access: member, serve: s.orderUser, cost: calling},
		{method: "GET", path: "/privacy", access: visitor, serve: s.privacyPage},
		{method: "GET", path: "/tokens", access: member, serve: s.accessTokens},
		{method: "POST", path: "/tokens", access: member, serve: s.makeToken},
		{method: "POST", path: "/tokens/{id}/revoke", access: member, serve: s.revokeToken},
		{method: "GET", path: "/healthz", access: anyone, serve: s.health},
		{method: "GET", path: "/static/{name}", access: anyone, serve: s.static},

		{method: "GET", path: "/api/v1/account", access: script, serve: s.getAccount},
		{method: "GET", path: "/api/v1/tags", access: script, serve: s.getTags, cost: calling},
		{method: "PUT", path: "/api/v1/contacts", access: script, serve: s.putContacts, cost: calling},
		{method: "POST", path: "/api/v1/contacts/sync", access: script, serve: s.postSync(record.Contacts)},
		{method: "GET", path: "/api/v1/contacts/pairs", access: script, serve: s.getPairs(record.Contacts)},
		{method: "POST", path: "/api/v1/contacts/pairs", access: script, serve: s.postPair(record.Contacts), cost: calling},
		{method: "PUT", path: "/api/v1/activities", access: script, serve: s.putActivities, cost: calling},
		{method: "POST", path: "/api/v1/activities/sync", access: script, serve: s.postSync(record.Activities)},
		{method: "GET", path: "/api/v1/activities/pairs", access: script, serve: s.getPairs(record.Activities)},
		{method: "POST", path: "/api/v1/activities/pairs", access: script, serve: s.postPair(record.Activities), cost: calling},
		{method: "GET", path: "/api/v1/export", access: script, serve: s.getExport, cost: heavy},
		{method: "DELETE", path: "/api/v1/google", access: script, serve: s.deleteGoogle, cost: calling},
		{method: "DELETE", path: "/api/v1/creatio", access: script, serve: s.deleteCreatio, cost: calling},
		{method: "DELETE", path: "/api/v1/account", access: script, serve: s.deleteAccount, cost: calling},
		{method: "POST", path: "/api/v1/contacts/preview", access: script, serve: s.postPreview(record.Contacts), cost: heavy},
		{method: "POST", path: "/api/v1/activities/preview", access: script, serve: s.postPreview(record.Activities), cost: heavy},
		{method: "GET", path: "/api/v1/runs", access: script, serve: s.getRuns, query: []string{"type", "limit", "before"}},
		{method: "GET", path: "/api/v1/runs/{run}", access: script, serve: s.getRun},
		{method: "GET", path: "/api/v1/runs/{run}/changes", access: script, serve: s.getChanges, query: []string{"limit", "after"}},
		{method: "POST", path: "/api/v1/runs/{run}/approve", access: script, serve: s.postApprove, cost: calling},
		{method: "POST", path: "/api/v1/runs/{run}/reject", access: script, serve: s.postReject, cost: calling},
		{method: "POST", path: "/api/v1/runs/{run}/undo", access: script, serve: s.postUndo, cost: calling},
		{method: "GET", path: "/api/v1/tokens", access: script, serve: s.getTokens, noToken: true},
		{method: "POST", path: "/api/v1/tokens", access: script, serve: s.postToken, noToken: true},
		{method: "DELETE", path: "/api/v1/tokens/{id}", access: script, serve: s.deleteToken, noToken: true},
		{method: "GET", path: "/api/v1/openapi.json", access: anyone, serve: s.openAPI},
		{method: "GET", path: "/api/v1/admin", access: script, serve: s.getAdmin, query: []string{"type", "after"}, cost: calling},
		{method: "POST", path: "/api/v1/admin/{type}/{order}", access: script, serve: s.postOrder, cost: calling},
		{method: "POST", path: "/api/v1/admin/users/{user}/{order}", access: script, serve: s.postUserOrder, cost: calling},
	}
}

// Settings serves everything under /settings, with that name in the path or without.
func (s *Site) Settings() http.Handler { return s.guarded("settings", s.dispatch) }

// callbacks are the paths below /oauth-callback to which the services send browsers back.
var callbacks = map[string]record.Side{"/": record.Google, "/creatio": record.Creatio}

// Callback serves /oauth-callback. Only a GET of it does anything: a HEAD would use the code up.
func (s *Site) Callback() http.Handler {
	return s.guarded("oauth-callback", func(w http.ResponseWriter, r *http.Request, path string) error {
		side, known := callbacks[path]
		switch {
		case !known:
			return notFound()
		case r.Method != http.MethodGet:
			return notAllowed(w, http.MethodGet)
		}
		return s.finishLink(w, r, side)
	})
}

// trim takes the deployed name off a path, where it is there. Nothing below it has the same name.
func (s *Site) trim(path, name string) string {
	for _, prefix := range []string{s.base + "/" + name, "/" + name} {
		if rest, ok := strings.CutPrefix(path, prefix); ok && (rest == "" || rest[0] == '/') {
			path = rest
			break
		}
	}
	if path == "" {
		return "/"
	}
	return path
}

func (s *Site) dispatch(w http.ResponseWriter, r *http.Request, path string) error {
	var allow []string
	for _, rt := range s.routes {
		if !rt.matches(r, path) {
			continue
		}
		if rt.method == r.Method || rt.method == http.MethodGet && r.Method == http.MethodHead && !rt.noHead {
			return s.enter(w, r, rt)
		}
		allow = append(allow, rt.method)
		if rt.method == http.MethodGet && !rt.noHead {
			allow = append(allow, http.MethodHead)
		}
	}
	if allow == nil {
		return notFound()
	}
	slices.Sort(allow)
	return notAllowed(w, allow...)
}

// matches compares segment by segment and keeps the ids in the request.
func (rt route) matches(r *http.Request, path string) bool {
	want, got := strings.Split(rt.path, "/"), strings.Split(path, "/")
	if len(want) != len(got) {
		return false
	}
	for i, segment := range want {
		name, isID := strings.CutPrefix(segment, "{")
		switch {
		case isID && got[i] != "":
			r.SetPathValue(strings.TrimSuffix(name, "}"), got[i])
		case segment != got[i]:
			return false
		}
	}
	return true
}

// enter lets a request into a route that its session is good for.
func (s *Site) enter(w http.ResponseWriter, r *http.Request, rt route) error {
	if rt.access == anyone {
		return rt.serve(w, r, visit{})
	}
	if rt.access == script {
		serve := rt.serve
		rt.serve = func(w http.ResponseWriter, r *http.Request, v visit) error {
			if err := checkQuery(r.URL.RawQuery, rt.query); err != nil {
				return err
			}
			return serve(w, r, v)
		}
		if secret, sent := bearer(r); sent {
			return s.enterAsScript(w, r, rt, secret)
		}
	}
	t, err := s.session(w, r)
	if err != nil && !(errors.Is(err, ErrNotAllowed) && rt.ends) {
		return err
	}
	if t != nil {
		return s.admit(w, r, rt, visit{user: t.User, fresh: s.now().Sub(t.Issued) <= freshAge})
	}
	if rt.access == member {
		s.remember(w, r)
		return s.see(w, s.root)
	}
	if rt.access == script {
		w.Header().Set("WWW-Authenticate", `Bearer realm="Tandem"`) // RFC 9110, 15.5.2: a 401 names a way in
		return refuse(http.StatusUnauthorized, "signed-out", "There is no session.", "Sign in on the settings page.")
	}
	return rt.serve(w, r, visit{})
}

// admit serves a user's request within the user's allowance, whether a session or an access token said whose it is.
func (s *Site) admit(w http.ResponseWriter, r *http.Request, rt route, v visit) error {
	if wait := s.allowances.spend(v.user, cmp.Or(rt.cost, cheap), s.now()); wait > 0 && !rt.ends {
		return tooMany(wait)
	}
	if rt.cost == heavy {
		if err := s.queue.enter(r.Context()); err != nil {
			return err
		}
		defer s.queue.leave()
	}
	return rt.serve(w, r, v)
}

func notAllowed(w http.ResponseWriter, methods ...string) error {
	w.Header().Set("Allow", strings.Join(methods, ", "))
	return refused(http.StatusMethodNotAllowed, "method-not-allowed")
}
