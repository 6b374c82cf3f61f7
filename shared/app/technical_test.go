package app_test

import (
	"strings"
	"testing"

	"github.com/tandem-sync/tandem/shared/app"
	creatiobox "github.com/tandem-sync/tandem/shared/sandbox/creatio"
	googlebox "github.com/tandem-sync/tandem/shared/sandbox/google"
)

const (
	mallory = "mallory@example.net"
)

// technical is a world in which one technical user acts for all. Bo and Mallory have Google accounts, too.
func technical(t *testing.T, changes ...change) *world {
	w := newWorld(t, append(changes, with("CREATIO_AUTH", "client"))...)
	w.google.AddUser(googlebox.User{Email: bo, Name: "Bo", EmailVerified: true, HostedDomain: "example.com"})
	w.google.AddUser(googlebox.User{Email: mallory, Name: "Mallory", EmailVerified: true, HostedDomain: "example.net"})
	return w
}

// signsIn has somebody sign in with a browser of their own, and gives where that ended.
func (w *world) signsIn(email string) answer {
	w.t.Helper()
	w.browser = newBrowser(w.t)
	w.google.AutoConsent(email)
	a := w.visit("/settings/sign-in")
	if a.status != 200 {
		w.t.Fatalf("%s ends at %s with %d %s", email, a.url, a.status, a.body)
	}
	return a
}

// unit is the row of a user of the site.
func (w *world) unit(login string) map[string]any {
	w.t.Helper()
	rows := w.creatio.System().Rows("SysAdminUnit", map[string]any{"Name": login})
	if len(rows) != 1 {
		w.t.Fatalf("%s has %d rows", login, len(rows))
	}
	return rows[0]
}

func (w *world) setUnit(login string, values map[string]any) {
	w.t.Helper()
	if err := w.creatio.System().Update("SysAdminUnit", w.unit(login)["Id"].(string), values); err != nil {
		w.t.Fatal(err)
	}
}

// refusedAs wants that somebody who signed in is linked as nobody, and reads why.
func (w *world) refusedAs(a answer, code, says string) {
	w.t.Helper()
	if !strings.Contains(a.url, "problem="+code) || !strings.Contains(a.body, says) {
		w.t.Errorf("ended at %s, without %q", a.url, says)
	}
	if got := w.account(); !got.Google.Linked || got.Creatio.Linked {
		w.t.Errorf("linked: %+v", got)
	}
}

func TestAn_address_on_a_colleagues_contact_card_makes_nobody_that_colleague(t *testing.T) {
	t.Parallel()
	w := technical(t)
	card := w.unit("Bo")["ContactId"]
	w.row("Ada", "ContactCommunication", map[string]any{
		"ContactId": card, "CommunicationTypeId": "ee1c85c3-cfcb-df11-9b2a-001d60e938c6", "Number": mallory,
	})
	w.refusedAs(w.signsIn(mallory), "no-user", "No active Creatio user has your e-mail address.")
	w.signsIn(bo)
	if a := w.account(); !a.Creatio.Linked || a.Creatio.User != "Bo" || a.Creatio.ContactID != card {
		t.Errorf("Bo is linked as %+v", a.Creatio)
	}
}

func TestWho_is_found_by_an_address(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		// given changes what the site or Google has.
		given      func(w *world)
		code, says string
	}{
		"an account of no organization": {func(w *world) {
			w.google.AddUser(googlebox.User{Email: bo, Name: "Bo", EmailVerified: true})
		}, "no-workspace", "not one of an organization"},
		"two users with the address": {func(w *world) { w.setUnit("Ada", map[string]any{"Email": bo}) }, "ambiguous-user", "Several Creatio users"},
		"two users with the address, in another spelling": {func(w *world) {
			w.google.AddUser(googlebox.User{Email: "Bo@Example.com", Name: "Bo", EmailVerified: true, HostedDomain: "example.com"})
			w.setUnit("Ada", map[string]any{"Email": "Bo@Example.com"})
		}, "ambiguous-user", "Several Creatio users"},
		"a user of the portal has it, too": {func(w *world) {
			w.creatio.AddUser(creatiobox.User{Name: "Guest", Email: bo, Active: true})
			w.setUnit("Guest", map[string]any{"ConnectionType": 1})
		}, "ambiguous-user", "Several Creatio users"},
		"nobody but a user of the portal": {func(w *world) { w.setUnit("Bo", map[string]any{"ConnectionType": 1}) }, "no-user", "No active Creatio user"},
		"an inactive user":                {func(w *world) { w.setUnit("Bo", map[string]any{"Active": false}) }, "no-user", "No active Creatio user"},
		"a role":                          {func(w *world) { w.setUnit("Bo", map[string]any{"SysAdminUnitTypeValue": 6}) }, "no-user", "No active Creatio user"},
		"an address on the user's own card alone": {
			func(w *world) { w.setUnit("Bo", map[string]any{"Email": ""}) }, "no-user", "No active Creatio user",
		},
		"a user without a contact": {func(w *world) { w.setUnit("Bo", map[string]any{"ContactId": nil}) }, "no-contact", "has no contact"},
		"a site whose users are closed": {
			func(w *world) { w.creatio.Deny("Ada", "SysAdminUnit", creatiobox.Read) }, "users-closed", "does not let Tandem look up its users",
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			w := technical(t)
			c.given(w)
			w.refusedAs(w.signsIn(bo), c.code, c.says)
		})
	}
	for name, given := range map[string]func(w *world){
		"an inactive user has the address, too": func(w *world) {
			w.creatio.AddUser(creatiobox.User{Name: "Bo (left)", Email: bo})
		},
		"in another spelling": func(w *world) {
			w.google.AddUser(googlebox.User{Email: "Bo@Example.com", Name: "Bo", EmailVerified: true, HostedDomain: "example.com"})
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			w := technical(t)
			given(w)
			w.signsIn(bo)
			if a := w.account(); !a.Creatio.Linked || a.Creatio.User != "Bo" {
				t.Errorf("Bo is linked as %+v", a.Creatio)
			}
		})
	}
}

func TestNobody_is_linked_as_a_Creatio_user_as_whom_somebody_else_is_linked(t *testing.T) {
	t.Parallel()
	for name, store := range map[string]change{"bolt": func(map[string]string, *creatiobox.Options, *app.Options) {}, "firestore": onFirestore(t)} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			w := technical(t, store)
			w.signsIn(ada)
			if a := w.account(); !a.Creatio.Linked || a.Creatio.User != "Ada" {
				t.Fatalf("Ada is linked as %+v", a.Creatio)
			}
			adas := w.browser
			// Ada's address goes to Mallory's account.
			w.setUnit("Ada", map[string]any{"Email": mallory})
			a := w.signsIn(mallory)
			w.refusedAs(a, "other-account", "already connected with another")
			mallorys := w.browser
			if w.browser = adas; !w.account().Creatio.Linked {
				t.Errorf("Ada is linked no more")
			}
			// The seat is free once Ada has left it.
			w.call("DELETE", "/creatio", nil, 204, nil)
			w.browser = mallorys
			w.signsIn(mallory)
			if a := w.account(); !a.Creatio.Linked || a.Creatio.User != "Ada" {
				t.Errorf("Mallory is linked as %+v", a.Creatio)
			}
			w.refusedAs(w.signsIn(ada), "no-user", "No active Creatio user")
			w.setUnit("Ada", map[string]any{"Email": ada})
			w.refusedAs(w.signsIn(ada), "other-account", "already connected with another")
			// Who is found no more, or is erased, leaves the seat as well.
			w.browser = mallorys
			w.refusedAs(w.signsIn(mallory), "no-user", "No active Creatio user")
			w.signsIn(ada)
			if a := w.account(); !a.Creatio.Linked || a.Creatio.User != "Ada" {
				t.Errorf("Ada is linked as %+v", a.Creatio)
			}
			w.call("DELETE", "/account", nil, 204, nil)
			w.setUnit("Ada", map[string]any{"Email": bo})
			w.setUnit("Bo", map[string]any{"Email": ""})
			w.signsIn(bo)
			if a := w.account(); !a.Creatio.Linked || a.Creatio.User != "Ada" {
				t.Errorf("Bo is linked as %+v", a.Creatio)
			}
		})
	}
}
