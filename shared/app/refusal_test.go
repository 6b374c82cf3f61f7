package app_test

import (
	"net/http"
	"strings"
	"testing"
	"time"

	creatiobox "github.com/tandem-sync/tandem/shared/sandbox/creatio"
	googlebox "github.com/tandem-sync/tandem/shared/sandbox/google"
)

// refusal is an answer of one of the services that stays the same however often one asks.
type refusal struct {
	side string
	// method and path, a part of it, name the requests that are refused.
	method, path string
	status       int
	body         string
	// reason is the run's; says is a part of what the user reads.
	reason, says string
	// first has the group not be there yet.
	first bool
}

const (
	googleSays  = `{"error":{"code":400,"status":"INVALID_ARGUMENT","message":"Request contains an invalid argument."}}`
	creatioSays = `{"error":{"code":"","message":"An error has occurred."}}`
	page        = "<!DOCTYPE html><html><head><title>Error</title></head><body></body></html>"
	wrong       = "Something went wrong inside Tandem."
)

var forGood = map[string]refusal{
	"the group cannot be made":      {"google", "POST", "/v1/contactGroups", 400, googleSays, "bug", wrong, true},
	"the groups cannot be listed":   {"google", "GET", "/v1/contactGroups", 400, googleSays, "bug", wrong, true},
	"the group cannot be read":      {"google", "GET", "/v1/contactGroups", 422, googleSays, "bug", wrong, false},
	"a status that nobody knows":    {"google", "GET", "/v1/", 451, googleSays, "bug", wrong, false},
	"a page in Google's place":      {"google", "GET", "/v1/", 404, page, "misconfigured", "set-up for Google", false},
	"a proxy that asks to log in":   {"google", "GET", "/v1/", 407, "", "bug", wrong, false},
	"a batch that is none":          {"creatio", "POST", "/odata/$batch", 400, creatioSays, "bug", wrong, false},
	"a method that is not let pass": {"creatio", "POST", "/odata/$batch", 405, creatioSays, "bug", wrong, false},
	"a status of its own":           {"creatio", "POST", "/odata/$batch", 418, creatioSays, "bug", wrong, false},
	"a conflict about nothing":      {"creatio", "POST", "/odata/$batch", 409, creatioSays, "bug", wrong, false},
	"no right to anything":          {"creatio", "POST", "/odata/$batch", 403, creatioSays, "misconfigured", "Creatio does not let you read", false},
}

func (r refusal) hits(q *http.Request) bool {
	return q.Method == r.method && strings.Contains(q.URL.Path, r.path)
}

func (r refusal) begin(w *world) {
	header := http.Header{"Content-Type": {"application/json"}}
	if strings.HasPrefix(r.body, "<") {
		header.Set("Content-Type", "text/html")
	}
	if r.side == "google" {
		w.google.SetFault(func(q *http.Request) *googlebox.Fault {
			if !r.hits(q) {
				return nil
			}
			return &googlebox.Fault{Status: r.status, Body: r.body, Header: header}
		})
		return
	}
	w.creatio.SetFault(func(q *http.Request) *creatiobox.Fault {
		if !r.hits(q) {
			return nil
		}
		return &creatiobox.Fault{Status: r.status, Body: r.body, Header: header}
	})
}

func TestWhat_a_service_refuses_for_good_is_not_repeated_but_by_schedule_and_told_once(t *testing.T) {
	t.Parallel()
	for name, r := range forGood {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			w := newWorld(t)
			w.link()
			w.choose(w.tag("Ada", private))
			if !r.first {
				w.sync("done")
			}
			id := w.account().ID
			r.begin(w)
			before := time.Duration(0)
			for n := range 4 {
				a := w.post(`{"user":"` + id + `"}`)
				if a.status != 200 || !strings.Contains(a.body, `"status":"skipped","reason":"`+r.reason+`"`) {
					t.Fatalf("run %d: the queue is answered %d %s", n, a.status, a.body)
				}
				s := w.account().Contacts.State
				if s.Status != "failing" || s.Problem == nil || s.NextSync == nil || !strings.Contains(s.Problem.Message, r.says) || s.Problem.Action == "" {
					t.Fatalf("run %d: the settings page shows %+v, %+v", n, s, s.Problem)
				}
				wait := s.NextSync.Sub(w.now())
				if n > 0 && n < 3 && wait < before {
					t.Errorf("run %d waits %s, the one before %s", n, wait, before)
				}
				before = wait
			}
			if n := strings.Count(w.log.String(), "level=ERROR"); n != 1 {
				t.Errorf("the log has %d errors", n)
			}
			w.google.SetFault(nil)
			w.creatio.SetFault(nil)
			w.pass(2 * time.Hour)
			if got := w.tick(); got != `{"due":1,"queued":1}` {
				t.Errorf("the tick finds %s", got)
			}
			if s := w.account().Contacts.State; s.Status != "ok" || s.Failing != 0 || s.Problem != nil {
				t.Errorf("once it is mended: %+v", s)
			}
			w.silent()
		})
	}
}

func TestA_run_by_hand_that_is_refused_for_good_ends_and_says_so(t *testing.T) {
	t.Parallel()
	w, _, _ := twins(t, "Hopper")
	forGood["a status that nobody knows"].begin(w)
	id := w.promise("/contacts/sync")
	w.settle()
	run := w.kept(id)
	if run.Status != "failed" || len(run.Problems) != 1 || run.Problems[0].Message != wrong || run.Problems[0].Side != "google" {
		t.Errorf("the run is %+v", run)
	}
	w.google.SetFault(nil)
	w.sync("done")
}
