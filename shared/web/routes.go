package web

import (
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
type visit struct{ user string }

type serve func(http.ResponseWriter, *http.Request, visit) error

// route is one line of the table. A segment of path in braces stands for an id.
type route struct {
	method, path string
	access       access
	serve        serve
}

// table is every route of the settings function.
func (s *Site) table() []route {
	return []route{
		{"GET", "/", visitor, s.home},
		{"GET", "/sign-in", anyone, s.signIn},
		{"POST", "/sign-out", visitor, s.signOut},
		{"GET", "/link/creatio", member, s.linkCreatio},
		{"POST", "/link/creatio", member, s.linkPassword},
		{"POST", "/unlink/{side}", member, s.unlink},
		{"POST", "/contacts", member, s.saveContacts},
		{"POST", "/contacts/sync", member, s.syncNow(record.Contacts)},
		{"POST", "/contacts/preview", member, s.preview(record.Contacts)},
		{"POST", "/contacts/pairs", member, s.settle(record.Contacts)},
		{"POST", "/activities", member, s.saveActivities},
		{"POST", "/activities/sync", member, s.syncNow(record.Activities)},
		{"POST", "/activities/preview", member, s.preview(record.Activities)},
		{"POST", "/activities/pairs", member, s.settle(record.Activities)},
		{"GET", "/runs", member, s.history},
		{"GET", "/runs/{run}", member, s.oneRun},
		{"POST", "/runs/{run}/approve", member, s.approve},
		{"POST", "/runs/{run}/reject", member, s.reject},
		{"POST", "/runs/{run}/undo", member, s.undo},
		{"GET", "/admin", member, s.admin},
		{"POST", "/admin/{type}/{order}", member, s.order},
		{"GET", "/healthz", anyone, s.health},
		{"GET", "/static/{name}", anyone, s.static},

		{"GET", "/api/v1/account", script, s.getAccount},
		{"GET", "/api/v1/tags", script, s.getTags},
		{"PUT", "/api/v1/contacts", script, s.putContacts},
		{"POST", "/api/v1/contacts/sync", script, s.postSync(record.Contacts)},
		{"GET", "/api/v1/contacts/pairs", script, s.getPairs(record.Contacts)},
		{"POST", "/api/v1/contacts/pairs", script, s.postPair(record.Contacts)},
		{"PUT", "/api/v1/activities", script, s.putActivities},
		{"POST", "/api/v1/activities/sync", script, s.postSync(record.Activities)},
		{"GET", "/api/v1/activities/pairs", script, s.getPairs(record.Activities)},
		{"POST", "/api/v1/activities/pairs", script, s.postPair(record.Activities)},
		{"GET", "/api/v1/export", script, s.getExport},
		{"DELETE", "/api/v1/google", script, s.deleteGoogle},
		{"DELETE", "/api/v1/creatio", script, s.deleteCreatio},
		{"DELETE", "/api/v1/account", script, s.deleteAccount},
		{"POST", "/api/v1/contacts/preview", script, s.postPreview(record.Contacts)},
		{"POST", "/api/v1/activities/preview", script, s.postPreview(record.Activities)},
		{"GET", "/api/v1/runs", script, s.getRuns},
		{"GET", "/api/v1/runs/{run}", script, s.getRun},
		{"GET", "/api/v1/runs/{run}/changes", script, s.getChanges},
		{"POST", "/api/v1/runs/{run}/approve", script, s.postApprove},
		{"POST", "/api/v1/runs/{run}/reject", script, s.postReject},
		{"POST", "/api/v1/runs/{run}/undo", script, s.postUndo},
		{"GET", "/api/v1/admin", script, s.getAdmin},
		{"POST", "/api/v1/admin/{type}/{order}", script, s.postOrder},
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
		if rt.method == r.Method || rt.method == http.MethodGet && r.Method == http.MethodHead {
			return s.enter(w, r, rt)
		}
		allow = append(allow, rt.method)
		if rt.method == http.MethodGet {
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
	user, err := s.session(w, r)
	if err != nil {
		return err
	}
	if user == "" && rt.access == member {
		return s.see(w, s.root)
	}
	if user == "" && rt.access == script {
		w.Header().Set("WWW-Authenticate", `Cookie realm="Tandem"`) // RFC 9110, 15.5.2: a 401 names a way in
		return refuse(http.StatusUnauthorized, "signed-out", "There is no session.", "Sign in on the settings page.")
	}
	return rt.serve(w, r, visit{user: user})
}

func notAllowed(w http.ResponseWriter, methods ...string) error {
	w.Header().Set("Allow", strings.Join(methods, ", "))
	return refuse(http.StatusMethodNotAllowed, "method-not-allowed", "This address does not take that kind of request.", "Go to the settings page and start from there.")
}
