package app_test

import (
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/tandem-sync/tandem/shared/observe"
	creatiobox "github.com/tandem-sync/tandem/shared/sandbox/creatio"
)

func TestWhat_only_an_administrator_can_mend_is_not_hammered_and_goes_on_by_itself(t *testing.T) {
	t.Parallel()
	c := newCollector(t)
	w := linkedWorld(t, measured(c), with("ADMIN_EMAILS", ada))
	w.sync("done")
	w.creatio.Deny("Ada", "Contact", creatiobox.Read)
	w.tagged(w.account().Contacts.TagID, w.contact("Some Turing", "turing@example.com"))

	w.pass(5 * time.Minute)
	a := w.post(`{"user":"` + w.id + `"}`)
	if a.status != 200 || !strings.Contains(a.body, `"status":"skipped","reason":"misconfigured"`) {
		t.Errorf("the queue is answered %d %s", a.status, a.body)
	}
	var waits []time.Duration
	for range 4 {
		s := w.account().Contacts.State
		if s.Status != "failing" || s.Problem == nil || s.Problem.Code != "no-access" || s.NextSync == nil {
			t.Fatalf("the settings page shows %+v", s)
		}
		waits = append(waits, s.NextSync.Sub(w.now()).Round(time.Minute))
		w.pass(waits[len(waits)-1] + time.Minute)
		if got := w.tick(); got != `{"due":1,"queued":1}` {
			t.Fatalf("after %s the tick finds %s", waits, got)
		}
	}
	for i, most := range []time.Duration{20 * time.Minute, 40 * time.Minute, 80 * time.Minute, 80 * time.Minute} {
		if waits[i] < most/2-10*time.Minute || waits[i] > most {
			t.Errorf("runs wait %s", waits)
			break
		}
	}
	o := w.overview()
	if o.Totals.Failing != 1 || o.Users[0].State.Problem == nil || !strings.Contains(o.Users[0].State.Problem.Action, "right to read") {
		t.Errorf("administrators see %+v", o)
	}
	if got := w.log.String(); !strings.Contains(got, `level=ERROR msg="run failed" status=skipped kind=misconfigured`) {
		t.Errorf("the log tells\n%s", got)
	}

	w.creatio.Allow("Ada", "Contact", creatiobox.Read)
	w.pass(90 * time.Minute)
	w.tick()
	if s := w.account().Contacts.State; s.Status != "ok" || s.Failing != 0 || s.Problem != nil || len(w.members()) != 2 {
		t.Errorf("with the right given back: %+v, in the group %q", s, w.members())
	}
	w.silent()
	w.end()
	failures, skipped := 0.0, 0.0
	for _, p := range c.Points(observe.MetricFailures) {
		if p.Attributes["kind"] == "misconfigured" && p.Attributes["side"] == "creatio" {
			failures += p.Value
		}
	}
	for _, p := range c.Points(observe.MetricRuns) {
		if p.Attributes["status"] == "skipped" {
			skipped += p.Value
		}
	}
	if failures != 5 || skipped != 5 {
		t.Errorf("measured %v failures and %v runs, want 5", failures, skipped)
	}
}

func TestA_preview_and_a_run_by_hand_say_which_right_is_missing(t *testing.T) {
	t.Parallel()
	w, _, _ := twins(t, "Hopper")
	w.creatio.Deny("Ada", "ContactTag", creatiobox.Read)
	a := w.do(http.MethodPost, "/settings/api/v1/contacts/preview", "")
	if a.status != 500 || !strings.Contains(a.body, `"code":"no-access"`) {
		t.Errorf("the preview is answered %d %s", a.status, a.body)
	}
	if a := w.visit("/settings"); !strings.Contains(a.body, "Your tags could not be read from Creatio. Creatio does not let you read what Tandem needs.") {
		t.Errorf("the settings page says\n%s", a.body)
	}
	id := w.promise("/contacts/sync")
	w.settle()
	run := w.kept(id)
	if run.Status != "failed" || len(run.Problems) != 1 || run.Problems[0].Code != "no-access" {
		t.Errorf("the run is %+v", run)
	}
	w.creatio.Allow("Ada", "ContactTag", creatiobox.Read)
	w.silent()
}

func TestA_permission_that_was_taken_back_alone_asks_to_connect_that_account_again(t *testing.T) {
	t.Parallel()
	w, tag, _ := twins(t, "Hopper")
	w.tagged(tag, w.contact("Some Turing", "turing@example.com"))
	w.google.SetFault(refusing(refusals["Ada withdraws the permission for contacts"]))
	w.sync("reconnect")
	if a := w.account(); !a.Google.Reconnect || a.Creatio.Reconnect || a.Contacts.State.Problem == nil {
		t.Errorf("got %+v", a)
	}
	if a := w.visit("/settings"); !strings.Contains(a.body, "Connect Google again</a>") {
		t.Errorf("the settings page says\n%s", a.body)
	}
	w.google.SetFault(nil)
	w.link()
	if a := w.account(); a.Google.Reconnect || a.Contacts.State.Status != "ok" || a.Contacts.State.Problem != nil {
		t.Errorf("connected again: %+v", a)
	}
	w.sync("done")
	w.silent()
}
