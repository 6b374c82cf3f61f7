package web

import (
	"errors"
	"net/http"
	"net/url"
	"strings"

	"github.com/tandem-sync/tandem/shared/fault"
	"github.com/tandem-sync/tandem/shared/record"
)

// signIn leads to Google's consent page, which signs in and links Google in one step.
func (s *Site) signIn(w http.ResponseWriter, r *http.Request, _ visit) error {
	begun, err := s.service.BeginGoogle(r.Context(), s.browser(r))
	if err != nil {
		return err
	}
	return s.lead(w, begun)
}

// linkGoogle leads to Google's consent page for an account that is to be connected again.
func (s *Site) linkGoogle(w http.ResponseWriter, r *http.Request, v visit) error {
	begun, err := s.service.AgainGoogle(r.Context(), v.user, s.browser(r))
	if err != nil {
		return err
	}
	return s.lead(w, begun)
}

// linkCreatio leads to Creatio's consent page, or asks for name and password where that is how it is done.
func (s *Site) linkCreatio(w http.ResponseWriter, r *http.Request, v visit) error {
	a, err := s.service.Account(r.Context(), v.user)
	if err != nil {
		return err
	}
	switch a.CreatioAuth {
	case "password":
		return s.passwordPage(w, r, http.StatusOK, a, passwordForm{})
	case "client":
		return s.see(w, s.root) // nothing to do there; the settings page says how it comes about
	}
	begun, err := s.service.BeginCreatio(r.Context(), v.user, s.browser(r))
	if err != nil {
		return err
	}
	return s.lead(w, begun)
}

// passwordForm is what the page shows again after a wrong entry. The password is never among it.
type passwordForm struct {
	Username string
	Errors   []FieldError
	// Refused is what Creatio's answer means; nil where it was not asked.
	Refused *notice
}

func (s *Site) passwordPage(w http.ResponseWriter, r *http.Request, status int, a Account, f passwordForm) error {
	l := localeOf(r).in(a.Zone)
	p := s.accountPage(l, l.say("connect.creatio"), "", a)
	p.Failed = status != http.StatusOK
	p.Main = struct {
		Account
		Form passwordForm
	}{a, f}
	return s.render(w, status, "password.html", p)
}

// linkPassword tries name and password at once.
func (s *Site) linkPassword(w http.ResponseWriter, r *http.Request, v visit) error {
	if err := parseForm(r); err != nil {
		return err
	}
	a, err := s.service.Account(r.Context(), v.user)
	if err != nil {
		return err
	}
	if a.CreatioAuth != "password" {
		return refused(http.StatusConflict, "no-passwords")
	}
	l := localeOf(r)
	f := passwordForm{Username: strings.TrimSpace(r.PostForm.Get("username"))}
	password := r.PostForm.Get("password")
	if f.Username == "" {
		f.Errors = append(f.Errors, FieldError{"username", l.say("password.no-user")})
	}
	if password == "" {
		f.Errors = append(f.Errors, FieldError{"password", l.say("password.no-password")})
	}
	if f.Errors == nil {
		err = s.service.LinkPassword(r.Context(), v.user, f.Username, password)
		if err == nil {
			return s.see(w, s.root)
		}
		if wait, often := tooOften(err); often {
			n := wait.in(l)
			f.Refused = &n
			retryAfter(w, wait.after)
			return s.passwordPage(w, r, wait.status, a, f)
		}
		if !f.refused(l, err) {
			return err
		}
	}
	return s.passwordPage(w, r, http.StatusUnprocessableEntity, a, f)
}

// tooOften is what is answered where too many passwords were wrong.
func tooOften(err error) (*refusal, bool) {
	e := fault.Explain(err)
	if e.Code != "too-many-passwords" {
		return nil, false
	}
	r := refused(http.StatusTooManyRequests, e.Code, "wait", fault.After(err))
	r.after = fault.After(err)
	return r, true
}

// refused takes in an error that another entry may mend, and reports whether it is one.
func (f *passwordForm) refused(l locale, err error) bool {
	if e, ok := errors.AsType[*InvalidError](err); ok {
		f.Errors = l.inWords(e.Errors)
		return true
	}
	if !fault.Is(err, fault.Reconnect) && !fault.Is(err, fault.BadRecord) {
		return false
	}
	e := fault.Explain(err)
	n := notice{Message: l.told(e.Message).Text, Action: l.told(e.Action).Text}
	if key := "fail." + e.Code; l.has(key) {
		n = l.notice(key)
	} else if fault.Is(err, fault.Reconnect) {
		n = l.notice("fail.wrong-password")
	}
	f.Refused = &n
	return true
}

// finishLink ends a linking: the browser is back from a consent page, at the address of a side.
func (s *Site) finishLink(w http.ResponseWriter, r *http.Request, side record.Side) error {
	// The address holds the code; a page that is shown here must not hand it on.
	w.Header().Set("Referrer-Policy", "no-referrer")
	browser := s.browser(r)
	if browser == "" {
		return ErrState // begun elsewhere, and who began it can still end it
	}
	out, err := s.service.FinishLink(r.Context(), side, browser, r.URL.Query())
	switch {
	case errors.Is(err, ErrRefused):
		return s.see(w, s.root+"?problem=consent-denied")
	case errors.Is(err, ErrFailed):
		return s.see(w, s.root+"?problem=consent-failed")
	case err != nil:
		return linkFailure(err)
	}
	if out.Again.Redirect != "" {
		return s.lead(w, out.Again)
	}
	s.forget(w, linkCookie)
	if out.Session != "" {
		if err := s.begin(w, out.User, out.Session); err != nil {
			return err
		}
	}
	if out.Problem != "" {
		return s.see(w, s.root+"?"+url.Values{"problem": {out.Problem}}.Encode())
	}
	return s.see(w, s.asked(w, r))
}

// linkFailure is an error of a linking as an answer: what is neither the visitor's, nor ours to mend, nor likely to pass
// is the other service's.
func linkFailure(err error) error {
	e := explain(err)
	k := fault.KindOf(e.cause)
	foreign := e.status >= http.StatusInternalServerError && k != fault.Retry && k != fault.Misconfigured
	if foreign || e.status == statusOf(fault.Reconnect) {
		e.status = http.StatusBadGateway
	}
	return e
}

// unlink ends the use of one account, as DELETE of the API does.
func (s *Site) unlink(w http.ResponseWriter, r *http.Request, v visit) error {
	side := record.Side(r.PathValue("side"))
	if side != record.Google && side != record.Creatio {
		return notFound()
	}
	if err := s.service.Unlink(r.Context(), v.user, side); err != nil {
		return err
	}
	return s.see(w, s.root+"?done=unlinked")
}

// signOut ends the user's sessions, here and elsewhere.
func (s *Site) signOut(w http.ResponseWriter, r *http.Request, v visit) error {
	if v.user != "" {
		if err := s.service.SignOut(r.Context(), v.user); err != nil {
			return err
		}
	}
	s.forget(w, sessionCookie)
	s.forget(w, linkCookie)
	return s.see(w, s.root)
}
