package app_test

import "testing"

// An answer that came between the organizer's last run and the cancellation is known to nobody but Google.
func TestWho_answered_a_meeting_has_answered_it_also_when_it_is_called_off_and_on_again(t *testing.T) {
	t.Parallel()
	w, a, b := office(t)
	id := w.meets("Kickoff")
	w.rounds(2, a, b)
	w.google.Calendar(bo).Answer(w.copyOf(bo, "Kickoff").Id, "accepted")
	w.rounds(1, b)
	w.change(id, map[string]any{"StatusId": statusCanceled})
	w.rounds(1, a, b)
	w.change(id, map[string]any{"StatusId": "384d4b84-58e6-df11-971b-001d60e938c6"})
	w.rounds(2, a, b)
	if got := guestsOf(w.copyOf(ada, "Kickoff")); got != ada+" accepted, "+bo+" accepted" {
		t.Errorf("the guests are %s", got)
	}
	if got := w.answers(id)["Bo Example"]; got != "accepted" {
		t.Errorf("Creatio has Bo's answer as %q", got)
	}
	w.wantOneMeeting("Kickoff", "in the end")
}
