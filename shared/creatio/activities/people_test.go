package activities

import (
	"context"
	"slices"
	"testing"

	box "github.com/tandem-sync/tandem/shared/sandbox/creatio"
)

func TestColleagues_are_told_with_their_contacts_and_zones(t *testing.T) {
	t.Parallel()
	s := newSiteOf(t, box.Options{DefaultTimeZone: "UTC"})
	users, closed, err := s.side.Colleagues(t.Context())
	s.must(err)
	if closed || len(users) != 4 {
		t.Fatalf("told of %v, closed %v", users, closed)
	}
	bob, gus := users[s.contacts["Bob"]], users[s.contacts["Gus"]]
	if bob.Email != "bob@example.com" || bob.TimeZone != "Eastern Standard Time" || !bob.works() || !gus.Portal || gus.works() {
		t.Errorf("Bob is %+v, Gus %+v", bob, gus)
	}
	if zone, err := s.side.UserZone(t.Context()); err != nil || zone != "FLE Standard Time" {
		t.Errorf("Ada's zone is %q, %v", zone, err)
	}
	s.ada.ContactID = s.contacts["Gus"]
	s.begin()
	if zone, err := s.side.UserZone(t.Context()); err != nil || zone != "UTC" {
		t.Errorf("the zone of who has none is %q, %v", zone, err)
	}
}

func TestWhere_users_cannot_be_read_only_those_are_known_who_have_linked_an_account(t *testing.T) {
	t.Parallel()
	s := newSite(t)
	s.box.Deny("Ada", "SysAdminUnit", box.Read)
	id := s.meeting("Ada", nil)
	s.invite(id, "Bob", nil)
	if _, closed, err := s.side.Colleagues(t.Context()); !closed || err != nil {
		t.Errorf("closed %v, %v", closed, err)
	}
	r := s.read(id)
	if people(r) != "" || len(r.Untracked["attendees"]) != 1 {
		t.Errorf("shows %q, and %v", people(r), r.Untracked)
	}
	s.begin()
	s.side.o.Accounts = linked(Account{s.contacts["Bob"], "bob.private@example.com"})
	if got := people(s.read(id)); got != "bob.private@example.com tentative" {
		t.Errorf("shows %q", got)
	}
}

func TestOlder_sites_and_others_do_the_same(t *testing.T) {
	t.Parallel()
	for _, version := range []string{"7.16.1", "7.18.5", "8.1.0"} {
		s := newSiteOf(t, box.Options{Version: version})
		s.applyOne(create(guests("bob@example.com accepted")))
		op := update(s.read(newID), guests("bob@example.com declined"))
		s.applyOne(op)
		if p := s.participation(newID, "Bob"); p["InviteResponseId"] != responseDeclined {
			t.Errorf("%s: he takes part as %v", version, p)
		}
		delta, _ := s.scan(nil)
		if s.titles(recordIDs(delta)) != "Kick-off" {
			t.Errorf("%s: reads %s", version, s.titles(recordIDs(delta)))
		}
	}
}

// linked are accounts as Tandem finds them.
func linked(accounts ...Account) func(context.Context, []string, []string) ([]Account, error) {
	return func(_ context.Context, contacts, addresses []string) ([]Account, error) {
		return slices.DeleteFunc(slices.Clone(accounts), func(a Account) bool {
			return !slices.Contains(contacts, a.Contact) && !slices.Contains(addresses, a.Email)
		}), nil
	}
}
