package app_test

import (
	"fmt"
	"net/http"
	"strconv"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	creatiobox "github.com/tandem-sync/tandem/shared/sandbox/creatio"
)

// signedOut are the ways in which a Creatio site says that a request needs a sign-in.
var signedOut = map[string]creatiobox.Fault{
	"the login page":              {Status: 200, Body: `<!DOCTYPE html><html><head><title>Log in to Creatio</title></head><body><input type="password"></body></html>`},
	"a way to the login page":     {Status: 302, Header: http.Header{"Location": {"/Login/Login.html?ReturnUrl=%2fodata"}}},
	"that nobody is signed in":    {Status: 401},
	"a page of a proxy before it": {Status: 200, Body: `<!DOCTYPE html><html><head><title>One moment</title></head><body></body></html>`},
}

// asksToSignIn has the site answer its data calls so, the first few times.
func (w *world) asksToSignIn(f creatiobox.Fault, times int64) (asked *atomic.Int64) {
	return w.asksInPlaceOf("/odata", f, times)
}

// asksInPlaceOf has the site answer calls of a path so, which is a part of theirs.
func (w *world) asksInPlaceOf(path string, f creatiobox.Fault, times int64) (asked *atomic.Int64) {
	asked = &atomic.Int64{}
	w.creatio.SetFault(func(r *http.Request) *creatiobox.Fault {
		if !strings.Contains(r.URL.Path, path) || asked.Add(1) > times {
			return nil
		}
		own := f
		return &own
	})
	return asked
}

func TestA_site_that_asks_once_to_sign_in_is_asked_again_with_another_token(t *testing.T) {
	t.Parallel()
	for _, auth := range []string{"user", "password", "client"} {
		for name, f := range signedOut {
			t.Run(auth+", "+name, func(t *testing.T) {
				t.Parallel()
				w := newWorld(t, with("CREATIO_AUTH", auth))
				w.connect()
				w.choose(w.tag("Ada", private))
				w.sync("done")
				signIns := func() (n int) {
					for _, r := range w.creatio.Requests() {
						if r.Path == "/connect/token" || strings.HasSuffix(r.Path, "/AuthService.svc/Login") {
							n++
						}
					}
					return n
				}
				asked := w.asksToSignIn(f, 1)
				w.creatio.ResetRequests()
				w.sync("done")
				if asked.Load() < 2 {
					t.Errorf("the call was not repeated: %d", asked.Load())
				}
				// With a password each run begins with a session of its own.
				if want := map[string]int{"user": 1, "password": 2, "client": 1}[auth]; signIns() != want {
					t.Errorf("signed in %d times, want %d", signIns(), want)
				}
			})
		}
	}
}

func TestA_site_that_keeps_asking_to_sign_in_although_the_access_is_good_is_tried_again(t *testing.T) {
	t.Parallel()
	for _, auth := range []string{"user", "password", "client"} {
		for name, f := range signedOut {
			t.Run(auth+", "+name, func(t *testing.T) {
				t.Parallel()
				w := newWorld(t, with("CREATIO_AUTH", auth))
				w.connect()
				w.choose(w.tag("Ada", private))
				w.sync("done")
				id := w.account().ID
				w.asksToSignIn(f, 1_000)
				a := w.post(`{"user":"` + id + `"}`)
				if a.status != 503 || !strings.Contains(a.body, `"status":"retry"`) || a.header.Get("Retry-After") == "" {
					t.Errorf("the queue is answered %d %s", a.status, a.body)
				}
				got := w.account()
				if got.Creatio.Reconnect || !got.Creatio.Linked || got.Contacts.State.Status != "failing" || got.Contacts.State.NextSync == nil {
					t.Errorf("the account is %+v", got)
				}
				if strings.Contains(got.Contacts.State.Problem.Action, "Connect") {
					t.Errorf("the user reads %+v", got.Contacts.State.Problem)
				}
				if a := w.visit("/settings"); strings.Contains(a.body, "Connect Creatio again") {
					t.Errorf("the settings page asks to connect again")
				}
				w.creatio.SetFault(nil)
				w.pass(time.Hour)
				w.sync("done")
			})
		}
	}
}

func TestOnly_who_gives_access_can_take_it_away(t *testing.T) {
	t.Parallel()
	for auth, takeAway := range map[string]func(w *world){
		"user": func(w *world) { w.creatio.RevokeGrant("Ada") },
		"password": func(w *world) {
			w.creatio.AddUser(creatiobox.User{Name: "Ada", Password: "another", ContactName: "Ada Example", Email: ada, TimeZone: "Europe/London", Active: true})
			w.creatio.ExpireSessions()
		},
	} {
		t.Run(auth, func(t *testing.T) {
			t.Parallel()
			w := newWorld(t, with("CREATIO_AUTH", auth))
			w.connect()
			w.choose(w.tag("Ada", private))
			w.sync("done")
			takeAway(w)
			w.sync("reconnect")
			if got := w.account(); !got.Creatio.Reconnect || got.Contacts.State.Status != "reconnect" || got.Contacts.State.NextSync != nil {
				t.Errorf("the account is %+v", got)
			}
		})
	}
}

// A session begins with a sign-in, which a site that restarts answers with a page as well.
func TestA_page_in_place_of_the_sign_in_service_refuses_no_password(t *testing.T) {
	t.Parallel()
	for name, f := range signedOut {
		for times, want := range map[int64]string{1: `200 "status":"done"`, 1_000: `503 "status":"retry"`} {
			t.Run(fmt.Sprintf("%s, %d times", name, times), func(t *testing.T) {
				t.Parallel()
				w := newWorld(t, with("CREATIO_AUTH", "password"))
				w.connect()
				w.choose(w.tag("Ada", private))
				w.sync("done")
				id := w.account().ID
				w.asksInPlaceOf("/AuthService.svc/Login", f, times)
				a := w.post(`{"user":"` + id + `"}`)
				if status, says, _ := strings.Cut(want, " "); strconv.Itoa(a.status) != status || !strings.Contains(a.body, says) {
					t.Errorf("the queue is answered %d %s, want %s", a.status, a.body, want)
				}
				if got := w.account(); !got.Creatio.Linked || got.Creatio.Reconnect {
					t.Errorf("the account is %+v", got)
				}
				if got := w.log.String(); strings.Contains(got, "level=ERROR") {
					t.Errorf("the log tells\n%s", got)
				}
				w.creatio.SetFault(nil)
				w.pass(time.Hour)
				w.sync("done")
			})
		}
	}
}
