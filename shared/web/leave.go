package web

import (
	"net/http"
	"net/url"
	"strings"
	"time"
)

// The ways to take along, or to have erased, what Tandem keeps. Both need somebody who signed in just now.

// download is everything that is kept about the user, as a file.
func (s *Site) download(w http.ResponseWriter, r *http.Request, v visit) error {
	if !v.fresh {
		s.remember(w, r)
		return s.see(w, s.root+"?problem=sign-in-again")
	}
	return s.getExport(w, r, v)
}

// confirmErase asks once more.
func (s *Site) confirmErase(w http.ResponseWriter, r *http.Request, v visit) error {
	if !v.fresh {
		s.remember(w, r)
		return s.see(w, s.root+"?problem=sign-in-again")
	}
	a, err := s.service.Account(r.Context(), v.user)
	if err != nil {
		return err
	}
	l := localeOf(r).in(a.Zone)
	p := s.accountPage(l, l.say("erase.page"), "", a)
	p.Main = a
	return s.render(w, http.StatusOK, "erase.html", p)
}

func (s *Site) erase(w http.ResponseWriter, r *http.Request, v visit) error {
	if !v.fresh {
		return signInAgain()
	}
	if err := s.service.Erase(r.Context(), v.user); err != nil {
		return err
	}
	s.forget(w, sessionCookie)
	return s.see(w, s.root+"?done=erased")
}

const (
	// nextCookie is the page that was asked for before anybody was signed in; nextAge is how long that is remembered.
	nextCookie = "tandem-next"
	nextAge    = 10 * time.Minute
)

// remember has the browser come back to the page that was asked for, once somebody is signed in.
func (s *Site) remember(w http.ResponseWriter, r *http.Request) {
	if path := s.trim(r.URL.Path, "settings"); r.Method == http.MethodGet && !strings.HasPrefix(path, "/link/") {
		s.keep(w, nextCookie, url.QueryEscape((&url.URL{Path: path, RawQuery: r.URL.RawQuery}).RequestURI()), nextAge)
	}
}

// asked is the page that was asked for before the sign-in; the settings page where none was.
func (s *Site) asked(w http.ResponseWriter, r *http.Request) string {
	c, err := r.Cookie(s.cookieName(nextCookie))
	if err != nil {
		return s.root
	}
	s.forget(w, nextCookie)
	next, err := url.QueryUnescape(c.Value)
	if err != nil || len(next) > maxCookie {
		return s.root
	}
	u, err := url.Parse(next)
	if err != nil || u.Scheme != "" || u.Host != "" || !strings.HasPrefix(u.Path, "/") || strings.HasPrefix(u.Path, "//") || strings.Contains(next, "\\") {
		return s.root
	}
	return s.link(u.RequestURI())
}
