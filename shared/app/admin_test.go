package app_test

import (
	"net/http"
	"strings"
	"testing"
	"time"

	creatiobox "github.com/tandem-sync/tandem/shared/sandbox/creatio"
	googlebox "github.com/tandem-sync/tandem/shared/sandbox/google"
)

const bo = "bo@example.com"

// overview is what administrators see over the API.
type overview struct {
	Type   string
	Totals struct {
		Users, Linked, Failing, Held, Reconnect, Partial, Running, Late int
		LastSync                                                        *time.Time
	}
	Job *struct {
		PausedSince     *time.Time
		IntervalMinutes int
		Schedule        string
		Paused          bool
		Problem         *struct{ Code string }
	}
	Users []struct {
		ID, Email string
		State     struct {
			Status  string
			Failing int
			Problem *struct{ Code, Message, Action string }
		}
		Late bool
	}
	Next *string
}

func (w *world) overview() (o overview) {
	w.t.Helper()
	w.call(http.MethodGet, "/admin", nil, 200, &o)
	return o
}

// asBo signs in the colleague, in a browser of his own, and gives what puts Ada's back.
func (w *world) asBo() (back func()) {
	w.t.Helper()
	adas := w.browser
	w.browser = newBrowser(w.t)
	w.google.AddUser(googlebox.User{Email: bo, Name: "Bo", EmailVerified: true, HostedDomain: "example.com"})
	w.google.AutoConsent(bo)
	w.creatio.AutoConsent("Bo")
	w.link()
	w.google.AutoConsent(ada)
	w.creatio.AutoConsent("Ada")
	return func() { w.browser = adas }
}

func TestAdministrators_see_how_it_goes_for_everybody_who_fails_first(t *testing.T) {
	t.Parallel()
	for name, changes := range map[string][]change{"bolt": nil, "firestore": {onFirestore(t)}} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			w := newWorld(t, append(changes, with("ADMIN_EMAILS", "BO@example.com"))...)
			tag := w.tag("Ada", private)
			w.tagged(tag, w.contact("Grace Hopper", "grace@example.com"))
			w.link()
			w.choose(tag)
			w.sync("done")
			w.creatio.SetFault(func(*http.Request) *creatiobox.Fault { return &creatiobox.Fault{Status: 503} })
			w.post(`{"user":"` + w.account().ID + `"}`)
			w.creatio.SetFault(nil)

			// To Ada, who is no administrator, the page is not there.
			w.call(http.MethodGet, "/admin", nil, 404, nil)
			if a := w.visit("/settings/admin"); a.status != 404 || strings.Contains(a.body, bo) {
				t.Errorf("somebody else sees %d %s", a.status, a.body)
			}
			w.call(http.MethodPost, "/admin/contacts/pause", nil, 404, nil)

			w.asBo()
			o := w.overview()
			if len(o.Users) != 2 || o.Users[0].Email != ada || o.Users[0].State.Status != "failing" || o.Users[0].State.Failing != 1 ||
				o.Users[0].State.Problem == nil || o.Users[1].Email != bo || o.Users[1].State.Status != "never" || o.Next != nil {
				t.Errorf("users are %+v", o.Users)
			}
			if n := o.Totals; n.Users != 2 || n.Linked != 2 || n.Failing != 1 || n.Late != 0 || n.LastSync == nil || o.Job != nil {
				t.Errorf("totals are %+v, the job %+v", n, o.Job)
			}
			w.call(http.MethodPost, "/admin/contacts/pause", nil, 409, nil)
			w.call(http.MethodPost, "/admin/activities/pause", nil, 409, nil)
			w.call(http.MethodGet, "/admin?type=activities", nil, 200, nil)
			w.call(http.MethodPost, "/admin/events/pause", nil, 404, nil)
			w.call(http.MethodGet, "/admin?type=events", nil, 404, nil)
			page := w.visit("/settings/admin")
			if page.status != 200 || !strings.Contains(page.body, ada) || !strings.Contains(page.body, "SCHEDULER is not set") {
				t.Errorf("the page is %d %s", page.status, page.body)
			}
			for _, secret := range []string{"Hopper", "grace@example.com"} {
				if strings.Contains(page.body+w.do(http.MethodGet, "/settings/api/v1/admin", nil).body, secret) {
					t.Errorf("administrators see %s", secret)
				}
			}
			// Whoever unlinks Google has no address any more that anybody confirmed.
			w.call(http.MethodDelete, "/google", nil, 204, nil)
			w.call(http.MethodGet, "/admin", nil, 404, nil)
		})
	}
}

func TestWho_waits_for_long_is_late_and_no_longer_when_done(t *testing.T) {
	t.Parallel()
	w := newWorld(t, with("ADMIN_EMAILS", ada))
	tag := w.tag("Ada", private)
	w.link()
	w.choose(tag)
	w.sync("done")
	for after, late := range map[time.Duration]bool{15 * time.Minute: false, 50 * time.Minute: true} {
		w.pass(after)
		if o := w.overview(); (o.Totals.Late == 1) != late || o.Users[0].Late != late {
			t.Errorf("after %v: %+v", after, o)
		}
		w.sync("done")
	}
}

func TestWhat_an_administrator_pauses_stays_paused_until_an_administrator_resumes_it(t *testing.T) {
	t.Parallel()
	for name, changes := range map[string][]change{"bolt": nil, "firestore": {onFirestore(t)}} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			j := newJobs(t)
			w := newWorld(t, append(changes, onScheduler(j), with("ADMIN_EMAILS", bo))...)
			tag := w.tag("Ada", private)
			w.link()
			w.every(tag, 15)
			asAda := w.asBo()
			asBo := func(b *http.Client) func() { return func() { w.browser = b } }(w.browser)

			order := func(o string) {
				t.Helper()
				asBo()
				w.call(http.MethodPost, "/admin/contacts/"+o, nil, 204, nil)
			}
			order("pause")
			j.want(t, "paused", "PAUSED * * * * *")
			if o := w.overview(); o.Job == nil || !o.Job.Paused || o.Job.PausedSince == nil || o.Job.IntervalMinutes != 15 {
				t.Errorf("the job shows as %+v", o.Job)
			}
			asAda()
			w.every(tag, 60)
			w.link()
			w.call(http.MethodPost, "/contacts/sync", nil, 202, nil)
			w.settle()
			j.want(t, "while users go on", "PAUSED * * * * *")
			order("run")
			w.tick()
			if runs := j.Scheduler.Runs(); runs != 1 {
				t.Errorf("the job ran %d times", runs)
			}
			j.want(t, "run once", "PAUSED * * * * *")
			order("pause")
			order("resume")
			j.want(t, "resumed", "ENABLED */5 * * * *")
			order("resume")

			// What Cloud Scheduler does not take up now, the next tick does.
			j.refuse(true)
			w.call(http.MethodPost, "/admin/contacts/pause", nil, 500, nil)
			if o := w.overview(); o.Job == nil || o.Job.Problem == nil || len(o.Users) != 2 {
				t.Errorf("without the scheduler there is %+v", o)
			}
			j.refuse(false)
			w.tick()
			j.want(t, "at the next tick", "PAUSED */5 * * * *")
		})
	}
}

// Whom an administrator paused is not synchronized, is told so, and goes on where it stopped.
func TestAn_administrator_pauses_a_user_and_has_them_go_on(t *testing.T) {
	t.Parallel()
	w := newWorld(t, with("ADMIN_EMAILS", bo))
	tag := w.tag("Ada", private)
	w.tagged(tag, w.contact("Grace Hopper", "grace@example.com"))
	w.link()
	w.choose(tag)
	w.sync("done")
	id := w.account().ID
	back := w.asBo()
	if list := w.visit("/settings/admin?q=" + ada).body; !strings.Contains(list, "Pause: "+ada) || strings.Contains(list, "Pause: "+bo) {
		t.Errorf("the search shows\n%s", list)
	}
	w.call(http.MethodPost, "/admin/users/"+id+"/pause", nil, 204, nil)
	w.call(http.MethodPost, "/admin/users/nobody/pause", nil, 404, nil)
	bos := w.browser
	back()
	if s := w.account().Contacts.State; s.Status != "off" || s.Problem == nil || s.Problem.Code != "paused" {
		t.Errorf("the state is %+v", s)
	}
	if page := w.visit("/settings").body; !strings.Contains(page, "An administrator has paused your synchronization") || strings.Contains(page, "/contacts/sync") {
		t.Errorf("the page says\n%s", page)
	}
	w.call(http.MethodPost, "/contacts/sync", nil, 409, nil)
	w.call(http.MethodPost, "/admin/users/"+id+"/resume", nil, 404, nil)
	adas := w.browser
	w.browser = bos
	w.call(http.MethodPost, "/admin/users/"+id+"/resume", nil, 204, nil)
	w.browser = adas
	if s := w.account().Contacts.State; s.Status != "ok" {
		t.Errorf("resumed, the state is %+v", s)
	}
	w.sync("done")
}
