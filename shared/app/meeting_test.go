package app_test

import (
	"encoding/json"
	"net/http"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	gcal "google.golang.org/api/calendar/v3"

	creatiobox "github.com/tandem-sync/tandem/shared/sandbox/creatio"
	googlebox "github.com/tandem-sync/tandem/shared/sandbox/google"
	"github.com/tandem-sync/tandem/shared/store"
)

// office is a world in which Ada and Bo synchronize activities.
func office(t *testing.T) (w *world, a, b *colleague) {
	t.Helper()
	w = newWorld(t)
	w.google.AddUser(googlebox.User{Email: bo, Name: "Bo", EmailVerified: true, HostedDomain: "example.com"})
	a, b = &colleague{email: ada, login: "Ada"}, &colleague{email: bo, login: "Bo"}
	for _, c := range []*colleague{a, b} {
		c.browser = newBrowser(t)
		w.google.Calendar(c.email).SetTimeZone("Europe/London")
		w.as(c, func() {
			w.google.AutoConsent(c.email)
			w.creatio.AutoConsent(c.login)
			w.link()
			(&agenda{world: w}).put(nil)
			w.syncActivities("done")
		})
	}
	return w, a, b
}

func (w *world) syncActivities(want string) store.Run {
	w.t.Helper()
	w.pass(5 * time.Minute)
	got := w.do(http.MethodPost, "/sync-activities", map[string]string{"user": w.account().ID})
	var out struct{ Run, Status, Reason string }
	if err := json.Unmarshal([]byte(got.body), &out); err != nil || got.status != 200 {
		w.t.Fatalf("sync: got %d %s", got.status, got.body)
	}
	var run store.Run
	w.call(http.MethodGet, "/runs/"+out.Run, nil, 200, &run)
	if is := strings.Trim(out.Status+" "+out.Reason, " "); is != want {
		w.t.Fatalf("sync: got %s, want %s; %+v", is, want, run.Problems)
	}
	return run
}

// meets has Ada plan a meeting with Bo in Creatio.
func (w *world) meets(title string) (id string) {
	w.t.Helper()
	at := began.Add(48 * time.Hour).UTC().Truncate(time.Hour)
	id = w.row("Ada", "Activity", map[string]any{
		"Title": title, "StartDate": at.Format(time.RFC3339), "DueDate": at.Add(time.Hour).Format(time.RFC3339), "ShowInScheduler": true, "TypeId": typeTask,
	})
	contact := w.creatio.System().Rows("Contact", map[string]any{"Name": "Bo Example"})[0]["Id"]
	w.row("Ada", "ActivityParticipant", map[string]any{"ActivityId": id, "ParticipantId": contact})
	return id
}

// meetings counts the activities that are not canceled, and the events of each calendar, of a title.
func (w *world) meetings(title string) (activities, adas, bos int) {
	for _, r := range w.creatio.System().Rows("Activity", map[string]any{"Title": title}) {
		if r["StatusId"] != statusCanceled {
			activities++
		}
	}
	count := func(email string) (n int) {
		for _, e := range w.google.Calendar(email).Events() {
			if e.Summary == title && e.Status != "cancelled" {
				n++
			}
		}
		return n
	}
	return activities, count(ada), count(bo)
}

func (w *world) wantOneMeeting(title, when string) {
	w.t.Helper()
	if activities, adas, bos := w.meetings(title); activities != 1 || adas != 1 || bos != 1 {
		w.t.Fatalf("%s: %d activities, %d events of Ada's and %d of Bo's, want one of each", when, activities, adas, bos)
	}
}

func TestA_meeting_of_Creatio_is_one_event_in_each_calendar_whoever_comes_first(t *testing.T) {
	t.Parallel()
	for _, first := range []string{ada, bo} {
		t.Run(first+" first", func(t *testing.T) {
			t.Parallel()
			w, a, b := office(t)
			w.meets("Kickoff")
			order := []*colleague{a, b}
			if first == bo {
				order = []*colleague{b, a}
			}
			for range 3 {
				for _, c := range order {
					w.as(c, func() { w.syncActivities("done") })
				}
			}
			w.wantOneMeeting("Kickoff", "after three rounds")
		})
	}
}

func TestA_meeting_of_Google_is_one_activity_whoever_comes_first(t *testing.T) {
	t.Parallel()
	for _, first := range []string{ada, bo} {
		t.Run(first+" first", func(t *testing.T) {
			t.Parallel()
			w, a, b := office(t)
			e := event("Kickoff", 48)
			e.Attendees = []*gcal.EventAttendee{{Email: bo}}
			w.google.Calendar(ada).Add(e)
			order := []*colleague{a, b}
			if first == bo {
				order = []*colleague{b, a}
			}
			for range 3 {
				for _, c := range order {
					w.as(c, func() { w.syncActivities("done") })
				}
			}
			w.wantOneMeeting("Kickoff", "after three rounds")
		})
	}
}

// Bo's run begins at any request of Ada's run to Creatio, and ends before that is answered.
func TestTwo_runs_on_one_new_meeting_make_one_event_in_each_calendar(t *testing.T) {
	t.Parallel()
	for n, reached := int64(1), true; reached; n++ {
		w, a, b := office(t)
		w.meets("Kickoff")
		var at atomic.Int64
		w.creatio.SetFault(func(*http.Request) *creatiobox.Fault {
			if at.Add(1) == n {
				w.as(b, func() { w.syncActivities("done") })
			}
			return nil
		})
		w.as(a, func() { w.do(http.MethodPost, "/sync-activities", map[string]string{"user": w.account().ID}) })
		w.creatio.SetFault(nil)
		reached = at.Load() >= n
		for range 9 {
			for _, c := range []*colleague{a, b} {
				w.as(c, func() { w.syncActivities("done") })
			}
		}
		w.wantOneMeeting("Kickoff", "with the other run in the middle")
	}
}

// canceled reports whether the activity of a title is canceled, and what Bo's part in it says.
func (w *world) fate(id string) (canceled bool, bosAnswer any) {
	w.t.Helper()
	row := w.creatio.System().Get("Activity", id)
	contact := w.creatio.System().Rows("Contact", map[string]any{"Name": "Bo Example"})[0]["Id"]
	for _, r := range w.creatio.System().Rows("ActivityParticipant", map[string]any{"ActivityId": id, "ParticipantId": contact}) {
		bosAnswer = r["InviteResponseId"]
	}
	return row["StatusId"] == statusCanceled, bosAnswer
}

func TestA_guest_who_deletes_a_copy_declines_and_the_meeting_goes_on(t *testing.T) {
	t.Parallel()
	w, a, b := office(t)
	id := w.meets("Kickoff")
	for _, c := range []*colleague{a, b, a, b} {
		w.as(c, func() { w.syncActivities("done") })
	}
	_, before := w.fate(id)
	for _, e := range w.google.Calendar(bo).Events() {
		if e.Summary == "Kickoff" {
			w.google.Calendar(bo).Delete(e.Id)
		}
	}
	for range 3 {
		for _, c := range []*colleague{b, a} {
			w.as(c, func() { w.syncActivities("done") })
		}
	}
	canceled, answer := w.fate(id)
	if activities, adas, bos := w.meetings("Kickoff"); canceled || activities != 1 || adas != 1 || bos != 0 {
		t.Errorf("canceled %t: %d activities, %d events of Ada's and %d of Bo's", canceled, activities, adas, bos)
	}
	if answer == before || answer == nil {
		t.Errorf("bo's answer is %v, was %v", answer, before)
	}
}

func TestA_guest_whose_answer_could_not_be_written_at_first_still_declines_alone(t *testing.T) {
	t.Parallel()
	w, a, b := office(t)
	id := w.meets("Kickoff")
	for _, c := range []*colleague{a, b, a, b} {
		w.as(c, func() { w.syncActivities("done") })
	}
	for _, e := range w.google.Calendar(bo).Events() {
		w.google.Calendar(bo).Delete(e.Id)
	}
	w.creatio.DenyRecord("Bo", "Activity", id, creatiobox.Update)
	w.as(b, func() { w.syncActivities("partial") })
	w.creatio.AllowRecord("Bo", "Activity", id, creatiobox.Update)
	w.pass(24 * time.Hour)
	for range 2 {
		for _, c := range []*colleague{b, a} {
			w.as(c, func() { w.syncActivities("done") })
		}
	}
	canceled, answer := w.fate(id)
	if activities, adas, bos := w.meetings("Kickoff"); canceled || activities != 1 || adas != 1 || bos != 0 {
		t.Errorf("canceled %t: %d activities, %d events of Ada's and %d of Bo's; bo answered %v", canceled, activities, adas, bos, answer)
	}
}

func TestA_guest_s_run_takes_nothing_back_that_was_edited_since(t *testing.T) {
	t.Parallel()
	w, a, b := office(t)
	e := event("Kickoff", 48)
	e.Attendees = []*gcal.EventAttendee{{Email: bo}}
	id := w.google.Calendar(ada).Add(e)
	for _, c := range []*colleague{a, b, a, b} {
		w.as(c, func() { w.syncActivities("done") })
	}
	w.google.Calendar(ada).Edit(id, func(e *gcal.Event) { e.Location = "Hall" })
	w.as(a, func() { w.syncActivities("done") })
	row := w.creatio.System().Rows("Activity", map[string]any{"Title": "Kickoff"})[0]
	if err := w.creatio.As("Ada").Update("Activity", row["Id"].(string), map[string]any{"Location": "Garden"}); err != nil {
		t.Fatal(err)
	}
	// Bo's copy shows the hall, which is news to Bo's run.
	for _, c := range []*colleague{b, a, b, a} {
		w.as(c, func() { w.syncActivities("done") })
	}
	is := w.creatio.System().Get("Activity", row["Id"].(string))["Location"]
	if google := w.google.Calendar(ada).Event(id).Location; is != "Garden" || google != "Garden" {
		t.Errorf("the place is %q in Creatio and %q in Google", is, google)
	}
}

// Bo's run sees the invitation before Ada's run has brought it to Creatio, where nothing tells that Bo takes part.
func TestWho_is_invited_in_Google_to_what_a_colleague_planned_alone_meets_it_once(t *testing.T) {
	t.Parallel()
	for _, edited := range []bool{false, true} {
		w, a, b := office(t)
		at := began.Add(48 * time.Hour).UTC().Truncate(time.Hour)
		id := w.row("Ada", "Activity", map[string]any{
			"Title": "Kickoff", "StartDate": at.Format(time.RFC3339), "DueDate": at.Add(time.Hour).Format(time.RFC3339), "ShowInScheduler": true, "TypeId": typeTask,
		})
		for range 2 {
			w.as(a, func() { w.syncActivities("done") })
		}
		events := w.google.Calendar(ada).Events()
		w.google.Calendar(ada).Edit(events[0].Id, func(e *gcal.Event) { e.Attendees = append(e.Attendees, &gcal.EventAttendee{Email: bo}) })
		if edited {
			// By its time nobody finds it either.
			later := map[string]any{"StartDate": at.Add(time.Hour).Format(time.RFC3339), "DueDate": at.Add(2 * time.Hour).Format(time.RFC3339)}
			if err := w.creatio.As("Ada").Update("Activity", id, later); err != nil {
				t.Fatal(err)
			}
		}
		for range 3 {
			for _, c := range []*colleague{b, a} {
				w.as(c, func() { w.syncActivities("done") })
			}
		}
		w.wantOneMeeting("Kickoff", "after three rounds")
		if _, answer := w.fate(id); answer == nil {
			t.Error("bo takes no part in Creatio")
		}
	}
}

func TestA_meeting_that_comes_back_after_its_activity_was_deleted_comes_back_once(t *testing.T) {
	t.Parallel()
	for _, first := range []string{ada, bo} {
		w, a, b := office(t)
		order := []*colleague{a, b}
		if first == bo {
			order = []*colleague{b, a}
		}
		id := w.meets("Kickoff")
		rounds := func() {
			for range 3 {
				for _, c := range order {
					w.as(c, func() { w.syncActivities("done") })
				}
			}
		}
		rounds()
		event := w.google.Calendar(ada).Events()[0].Id
		if err := w.creatio.As("Ada").Delete("Activity", id); err != nil {
			t.Fatal(err)
		}
		rounds()
		if !w.google.Calendar(ada).Restore(event) {
			t.Fatal("the event cannot be restored")
		}
		rounds()
		w.wantOneMeeting("Kickoff", "after it came back, "+first+" first")
	}
}

func TestA_meeting_lives_on_when_the_one_whose_calendar_carries_it_leaves(t *testing.T) {
	t.Parallel()
	w, a, b := office(t)
	id := w.meets("Kickoff")
	for _, c := range []*colleague{a, b, a, b} {
		w.as(c, func() { w.syncActivities("done") })
	}
	contact := func(name string) any {
		return w.creatio.System().Rows("Contact", map[string]any{"Name": name})[0]["Id"]
	}
	if err := w.creatio.System().Update("Activity", id, map[string]any{"OwnerId": contact("Bo Example")}); err != nil {
		t.Fatal(err)
	}
	for _, r := range w.creatio.System().Rows("ActivityParticipant", map[string]any{"ActivityId": id, "ParticipantId": contact("Ada Example")}) {
		if err := w.creatio.System().Delete("ActivityParticipant", r["Id"].(string)); err != nil {
			t.Fatal(err)
		}
	}
	for range 3 {
		for _, c := range []*colleague{a, b} {
			w.as(c, func() { w.syncActivities("done") })
		}
	}
	canceled, _ := w.fate(id)
	if activities, adas, bos := w.meetings("Kickoff"); canceled || activities != 1 || adas != 0 || bos != 1 {
		t.Errorf("canceled %t: %d activities, %d events of Ada's and %d of Bo's", canceled, activities, adas, bos)
	}
}

func TestAn_organizer_who_deletes_a_meeting_cancels_it_for_all(t *testing.T) {
	t.Parallel()
	w, a, b := office(t)
	id := w.meets("Kickoff")
	for _, c := range []*colleague{a, b, a, b} {
		w.as(c, func() { w.syncActivities("done") })
	}
	for _, e := range w.google.Calendar(ada).Events() {
		if e.Summary == "Kickoff" {
			w.google.Calendar(ada).Delete(e.Id)
		}
	}
	for range 3 {
		for _, c := range []*colleague{b, a} {
			w.as(c, func() { w.syncActivities("done") })
		}
	}
	canceled, _ := w.fate(id)
	if activities, adas, bos := w.meetings("Kickoff"); !canceled || activities != 0 || adas != 0 || bos != 0 {
		t.Errorf("canceled %t: %d activities, %d events of Ada's and %d of Bo's", canceled, activities, adas, bos)
	}
}
