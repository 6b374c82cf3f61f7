package activities

import (
	"io"
	"net/http"
	"strings"
	"testing"

	"github.com/tandem-sync/tandem/shared/activity"
	"github.com/tandem-sync/tandem/shared/fault"
	"github.com/tandem-sync/tandem/shared/record"
	box "github.com/tandem-sync/tandem/shared/sandbox/creatio"
)

// loseWrite has the answer to the first request that writes be lost, after it took effect or before.
func (s *site) loseWrite(after bool) {
	lost := false
	s.box.SetFault(func(r *http.Request) *box.Fault {
		sent, _ := io.ReadAll(r.Body)
		writes := strings.Contains(string(sent), `"PATCH"`) || strings.Contains(string(sent), `"POST"`) || strings.Contains(string(sent), `"DELETE"`)
		if lost || !writes || !strings.HasSuffix(r.URL.Path, "$batch") {
			return nil
		}
		lost = true
		return &box.Fault{Drop: true, After: after}
	})
}

func TestA_lost_answer_is_settled_without_doing_anything_twice(t *testing.T) {
	t.Parallel()
	for _, after := range []bool{false, true} {
		for name, do := range map[string]func(s *site) (record.Operation, func() bool){
			"create": func(s *site) (record.Operation, func() bool) {
				return create(guests("bob@example.com accepted")), func() bool {
					return s.get(newID) != nil && s.participation(newID, "Bob")["InviteResponseId"] == responseConfirmed && s.participation(newID, "Ada") != nil
				}
			},
			"update": func(s *site) (record.Operation, func() bool) {
				id := s.meeting("Ada", nil)
				fields := guests("bob@example.com accepted")
				fields[activity.Title] = text("Retro")
				return update(s.read(id), fields), func() bool {
					return s.get(id)["Title"] == "Retro" && s.participation(id, "Bob") != nil
				}
			},
			"cancel": func(s *site) (record.Operation, func() bool) {
				id := s.meeting("Ada", nil)
				return act(s.read(id), record.Cancel), func() bool { return s.get(id)["StatusId"] == statusCanceled }
			},
			"decline": func(s *site) (record.Operation, func() bool) {
				id := s.meeting("Bob", nil)
				s.invite(id, "Ada", nil)
				return act(s.read(id), record.Unlink), func() bool { return s.participation(id, "Ada")["InviteResponseId"] == responseDeclined }
			},
			"delete": func(s *site) (record.Operation, func() bool) {
				id := s.meeting("Ada", nil)
				return act(s.read(id), record.Delete), func() bool { return s.get(id) == nil }
			},
		} {
			s := newSite(t)
			op, done := do(s)
			s.loseWrite(after)
			if r := s.apply(op)[0]; r.Err != nil || !done() {
				t.Errorf("%s, lost after it took effect %v: %v, done %v", name, after, r.Err, done())
			}
		}
	}
}

func TestOne_that_was_made_between_plan_and_write_is_told(t *testing.T) {
	t.Parallel()
	s := newSite(t)
	plans := s.plan(create(nil))
	s.meeting("Bob", map[string]any{"Id": newID, "Title": "Bob's own words"})
	results, err := s.side.Apply(t.Context(), plans)
	if s.must(err); !fault.Is(results[0].Err, fault.Conflict) || s.get(newID)["Title"] != "Bob's own words" {
		t.Errorf("got %v", results[0].Err)
	}
	// The next plan takes it over.
	s.applyOne(create(nil))
}

func TestWhat_is_gone_before_it_is_written_is_told(t *testing.T) {
	t.Parallel()
	s := newSite(t)
	id := s.meeting("Ada", nil)
	r := s.read(id)
	plans := s.plan(update(r, record.Fields{activity.Title: text("Retro")}))
	s.must(s.box.As("Ada").Delete("Activity", id))
	results, err := s.side.Apply(t.Context(), plans)
	if s.must(err); !fault.Is(results[0].Err, fault.Gone) {
		t.Errorf("gone after the plan: %v", results[0].Err)
	}
	if p := s.plan(update(r, record.Fields{activity.Title: text("Retro")}))[0]; !fault.Is(p.Err, fault.Gone) {
		t.Errorf("gone before the plan: %v", p.Err)
	}
	if results := s.apply(act(r, record.Delete)); !fault.Is(results[0].Err, fault.Gone) {
		t.Errorf("deleted twice: %v", results[0].Err)
	}
}

func TestAn_id_that_another_row_has_is_given_up_for_another_one(t *testing.T) {
	t.Parallel()
	s := newSite(t)
	id, other := s.meeting("Ada", nil), s.meeting("Ada", nil)
	op := update(s.read(id), guests("bob@example.com accepted"))
	taken := s.plan(op)[0].Rows[activity.Attendees][0]
	s.row("ActivityParticipant", map[string]any{"Id": taken, "ActivityId": other, "ParticipantId": s.contacts["Cleo"]})
	if r := s.apply(op)[0]; !fault.Is(r.Err, fault.Conflict) {
		t.Errorf("the first attempt ended with %v", r.Err)
	}
	r := s.applyOne(op)
	if p := s.participation(id, "Bob"); p == nil || p["Id"] == taken || !s.side.HasRow(r.Record.AdapterState, p["Id"].(string)) || s.side.HasRow(r.Record.AdapterState, taken) {
		t.Errorf("he takes part as %v", p)
	}
}

func TestA_login_page_in_the_place_of_an_answer_loses_nothing(t *testing.T) {
	t.Parallel()
	s := newSite(t)
	id := s.meeting("Ada", nil)
	op := update(s.read(id), record.Fields{activity.Title: text("Retro")})
	plans := s.plan(op)
	s.box.ExpireSessions()
	results, err := s.side.Apply(t.Context(), plans)
	if s.must(err); results[0].Err != nil || s.get(id)["Title"] != "Retro" {
		t.Errorf("got %v", results[0].Err)
	}
}
