package app_test

import (
	"net/http"
	"strings"
	"testing"
	"time"

	gcal "google.golang.org/api/calendar/v3"

	creatiobox "github.com/tandem-sync/tandem/shared/sandbox/creatio"
)

// Creatio takes the rows of a contact one by one: what came before a row that it refuses stays. What was begun is finished,
// however often and wherever it ended.
func TestA_contact_that_was_made_in_part_is_finished_and_never_made_twice(t *testing.T) {
	t.Parallel()
	const refused, broken = `{"error":{"code":"","message":"Not now."}}`, ""
	const twice = `{"error":{"code":"","message":"An error has occurred.","innererror":{"message":"23505: duplicate key value violates unique constraint \"PKContact\"","type":"Npgsql.PostgresException"}}}`
	for name, tc := range map[string]struct {
		// set is that of the part that fails, for so many times with an answer, which may come after it took effect.
		set    string
		times  int
		status int
		body   string
		after  bool
		// partial is how many runs end before the contact is whole.
		partial int
	}{
		"a number is refused once":         {"ContactCommunication", 1, 400, refused, false, 0},
		"a number is refused for a while":  {"ContactCommunication", 3, 400, refused, false, 2},
		"the tag is refused once":          {"ContactInTag", 1, 400, refused, false, 0},
		"the site breaks down over a row":  {"ContactCommunication", 1, 500, broken, false, 0},
		"a row is made and then refused":   {"ContactCommunication", 1, 500, refused, true, 0},
		"the tag is set, and then refused": {"ContactInTag", 1, 500, broken, true, 0},
		"a contact is made, and refused":   {"Contact", 1, 500, refused, true, 0},
		"a contact is said to be twice":    {"Contact", 1, 500, twice, true, 0},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			w := newWorld(t)
			tag := w.tag("Ada", private)
			w.tagged(tag, w.contact("Grace Hopper", "grace@example.com"))
			w.link()
			w.choose(tag)
			w.sync("done")
			w.person("Emmy", "Noether", "emmy@example.com", w.group())
			left := tc.times
			w.takes.Store(int64(20 * time.Millisecond))
			w.creatio.SetPartFault(func(method, url string) *creatiobox.Fault {
				if method != http.MethodPost || !strings.HasPrefix(url, tc.set) || left == 0 {
					return nil
				}
				left--
				return &creatiobox.Fault{Status: tc.status, Body: tc.body, Bare: tc.body == "", After: tc.after}
			})
			for range tc.partial {
				w.sync("partial")
				w.pass(3 * time.Hour)
			}
			w.sync("done")
			contacts := w.creatio.System().Rows("Contact", map[string]any{"Name": "Emmy Noether"})
			if left > 0 || len(contacts) != 1 {
				t.Fatalf("creatio has %d contacts, and %d failures are left", len(contacts), left)
			}
			for _, set := range []string{"ContactInTag", "ContactCommunication"} {
				column := map[string]string{"ContactInTag": "EntityId", "ContactCommunication": "ContactId"}[set]
				if rows := w.creatio.System().Rows(set, map[string]any{column: contacts[0]["Id"]}); len(rows) != 1 {
					t.Errorf("the contact has %d rows of %s", len(rows), set)
				}
			}
			if n := len(w.google.Account(ada).People()); n != 2 {
				t.Errorf("google has %d people", n)
			}
			if s := w.account().Contacts.State; s.Status != "ok" || s.Failing != 0 {
				t.Errorf("the settings page shows %+v", s)
			}
			w.sync("done")
			w.silent()
		})
	}
}

// Many sites keep the table of users closed, and a batch may tell that by 500 and no body.
func TestActivities_go_to_Google_where_the_site_keeps_its_users_closed(t *testing.T) {
	t.Parallel()
	a := newAgenda(t)
	a.creatio.SetPartFault(func(_, url string) *creatiobox.Fault {
		if strings.HasPrefix(url, "SysAdminUnit") {
			return &creatiobox.Fault{Status: http.StatusInternalServerError, Bare: true}
		}
		return nil
	})
	a.creatio.Deny("Ada", "SysAdminUnit", creatiobox.Read)
	a.activity("Audit", 24)
	a.run("done")
	if n := len(a.calendar.Agenda(time.Time{}, time.Time{})); n != 1 {
		t.Errorf("google has %d events", n)
	}
}

// For minutes after a publication Creatio builds its entities anew, and does not know them meanwhile.
func TestA_site_that_is_being_rebuilt_takes_nobodys_tag_away(t *testing.T) {
	t.Parallel()
	for name, answer := range map[string]creatiobox.Fault{
		"an empty 404":          {Status: http.StatusNotFound, Bare: true},
		"a page":                {Status: http.StatusNotFound},
		"no route":              {Status: http.StatusNotFound, Body: `{"Message":"No HTTP resource was found that matches the request URI.","MessageDetail":"No route providing a controller name was found."}`},
		"an invalid request":    {Status: http.StatusBadRequest, Body: `{"Message":"The request is invalid."}`},
		"no route, told by 200": {Status: http.StatusOK, Body: `{"Message":"No HTTP resource was found that matches the request URI.","MessageDetail":"No route providing a controller name was found."}`},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			w := newWorld(t)
			tag := w.tag("Ada", private)
			w.tagged(tag, w.contact("Grace Hopper", "grace@example.com"))
			w.link()
			w.choose(tag)
			w.sync("done")
			for _, set := range []string{"ContactTag", "ContactInTag", "ContactAddress"} {
				w.creatio.SetPartFault(func(_, url string) *creatiobox.Fault {
					if strings.HasPrefix(url, set+"?") {
						return &answer
					}
					return nil
				})
				w.pass(20 * time.Minute)
				a := w.do(http.MethodPost, "/sync-contacts", map[string]string{"user": w.id})
				if a.status != http.StatusServiceUnavailable {
					t.Errorf("%s: the queue is answered %d %s", set, a.status, a.body)
				}
				if s := w.account().Contacts; s.State.Problem != nil && (s.State.Problem.Code == "no-tag" || strings.Contains(s.State.Problem.Action, "tag")) {
					t.Errorf("%s: the user reads %+v", set, s.State.Problem)
				}
				if n := w.inGroup(); n != 1 {
					t.Fatalf("%s: %d are in the group", set, n)
				}
			}
			w.creatio.SetPartFault(nil)
			w.sync("done")
			w.silent()
		})
	}
}

// What passes within minutes after a publication, and does not pass, is for the administrator to mend.
func TestA_site_that_never_shows_what_Tandem_needs_is_told_of_and_left_alone(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	tag := w.tag("Ada", private)
	w.tagged(tag, w.contact("Grace Hopper", "grace@example.com"))
	w.link()
	w.every(tag, 5)
	gone := func(_, url string) *creatiobox.Fault {
		if strings.HasPrefix(url, "ContactTag?") {
			return &creatiobox.Fault{Status: http.StatusNotFound, Bare: true}
		}
		return nil
	}
	w.creatio.SetPartFault(gone)
	run := func(want int) {
		t.Helper()
		w.pass(5 * time.Minute)
		if a := w.do(http.MethodPost, "/sync-contacts", map[string]string{"user": w.id}); a.status != want {
			t.Fatalf("the queue is answered %d %s", a.status, a.body)
		}
	}
	for range 24 {
		run(http.StatusServiceUnavailable)
	}
	if p := w.account().Contacts.State.Problem; p == nil || p.Code != "rebuilding" {
		t.Errorf("the user reads %+v", p)
	}
	for range 3 {
		run(http.StatusOK)
	}
	s := w.account().Contacts.State
	if s.Problem == nil || s.Problem.Code != "set-missing" || s.Status != "failing" {
		t.Errorf("the user reads %+v", s)
	}
	if s.NextSync == nil || s.NextSync.Sub(w.now()) < 50*time.Minute {
		t.Errorf("the next synchronization is at %v, and it is %v", s.NextSync, w.now())
	}
	w.creatio.SetPartFault(nil)
	w.sync("done")
	// The next publication is nobody's fault again.
	w.creatio.SetPartFault(gone)
	run(http.StatusServiceUnavailable)
}

func TestA_site_that_moves_to_another_layout_is_found_again(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	tag := w.tag("Ada", private)
	w.tagged(tag, w.contact("Grace Hopper", "grace@example.com"))
	w.link()
	w.choose(tag)
	w.sync("done")
	w.creatio.SetLayout(creatiobox.Core)
	w.pass(5 * time.Minute)
	w.do(http.MethodPost, "/sync-contacts", map[string]string{"user": w.id})
	w.sync("done")
	w.silent()
	if n := w.inGroup(); n != 1 {
		t.Errorf("%d are in the group", n)
	}
	// While nothing answers at either place, the site is where it was.
	w.creatio.SetFault(func(*http.Request) *creatiobox.Fault {
		return &creatiobox.Fault{Status: http.StatusNotFound, Bare: true}
	})
	for range 2 {
		w.pass(5 * time.Minute)
		if a := w.do(http.MethodPost, "/sync-contacts", map[string]string{"user": w.id}); a.status != http.StatusServiceUnavailable {
			t.Errorf("the queue is answered %d %s: %+v", a.status, a.body, w.account().Contacts.State.Problem)
		}
	}
	w.creatio.SetFault(nil)
	w.sync("done")
}

// A site that is hostile, or broken, costs one user an answer, and nobody else the process.
func TestAn_endless_list_of_tags_is_an_error_that_is_told(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.tag("Ada", private)
	w.link()
	w.creatio.SetPartFault(func(_, url string) *creatiobox.Fault {
		if strings.HasPrefix(url, "ContactTag") {
			return &creatiobox.Fault{Status: http.StatusOK, Body: `{"value":[{}` + strings.Repeat(",{}", 1<<18) + `]}`}
		}
		return nil
	})
	if a := w.do(http.MethodGet, "/settings/api/v1/tags", nil); a.status == http.StatusOK || !strings.Contains(a.body, "Creatio") {
		t.Errorf("got %d %.300s", a.status, a.body)
	}
	w.creatio.SetPartFault(nil)
	if a := w.do(http.MethodGet, "/settings/api/v1/tags", nil); a.status != http.StatusOK {
		t.Errorf("later: got %d %.300s", a.status, a.body)
	}
}

// The same holds for an activity and its participants.
func TestAn_activity_that_was_made_in_part_is_finished_and_never_made_twice(t *testing.T) {
	t.Parallel()
	for name, fault := range map[string]creatiobox.Fault{
		"a participant is refused":                  {Status: http.StatusBadRequest, Body: `{"error":{"code":"","message":"Not now."}}`},
		"the site breaks down over a participant":   {Status: http.StatusInternalServerError, Bare: true},
		"a participant is made, and then refused":   {Status: http.StatusInternalServerError, Body: `{"error":{"code":"","message":"Not now."}}`, After: true},
		"the answer about a participant is missing": {Drop: true},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			a := newAgenda(t)
			grace := a.contact("Grace Hopper", "grace@example.com")
			e := event("Visit", 24)
			e.Attendees = []*gcal.EventAttendee{{Email: ada}, {Email: "grace@example.com"}}
			a.calendar.Add(e)
			once := true
			a.creatio.SetPartFault(func(method, url string) *creatiobox.Fault {
				if method != http.MethodPost || !strings.HasPrefix(url, "ActivityParticipant") || !once {
					return nil
				}
				once = false
				return &fault
			})
			a.run("done")
			rows := a.creatio.System().Rows("Activity", nil)
			if once || len(rows) != 1 {
				t.Fatalf("creatio has %d activities", len(rows))
			}
			if n := len(a.creatio.System().Rows("ActivityParticipant", map[string]any{"ParticipantId": grace})); n != 1 {
				t.Errorf("Grace takes part %d times", n)
			}
			a.run("done")
			a.quiet()
			if n := len(a.calendar.Agenda(time.Time{}, time.Time{})); n != 1 {
				t.Errorf("google has %d events", n)
			}
		})
	}
}
