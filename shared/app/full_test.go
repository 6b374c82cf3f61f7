package app_test

import (
	"fmt"
	"net/http"
	"strings"
	"testing"
	"time"

	"google.golang.org/api/people/v1"

	googlebox "github.com/tandem-sync/tandem/shared/sandbox/google"
)

func TestA_Google_account_without_room_is_said_so_and_tried_again_daily(t *testing.T) {
	t.Parallel()
	for _, status := range []int{400, 403, 429} {
		t.Run(fmt.Sprint(status), func(t *testing.T) {
			t.Parallel()
			w, tag, contacts := twins(t, "Hopper")
			for _, name := range []string{"Emmy", "Grace"} {
				w.tagged(tag, w.contact("Some "+name, strings.ToLower(name)+"@example.com"))
			}
			asked := 0
			body := fmt.Sprintf(`{"error":{"code":%d,"status":"RESOURCE_EXHAUSTED","message":"Request failed.","details":[{"@type":"type.googleapis.com/google.rpc.ErrorInfo","reason":"MY_CONTACTS_OVERFLOW_COUNT","domain":"people.googleapis.com"}]}}`, status)
			w.google.SetFault(func(q *http.Request) *googlebox.Fault {
				if !strings.Contains(q.URL.Path, "reateContact") {
					return nil
				}
				asked++
				return &googlebox.Fault{Status: status, Body: body, Header: http.Header{"Content-Type": {"application/json"}}}
			})
			run := w.sync("partial")
			if asked != 1 {
				t.Errorf("Google was asked %d times at once", asked)
			}
			told := 0
			for _, p := range run.Problems {
				if strings.Contains(p.Message, "25,000") && strings.Contains(p.Message, "bin") && strings.Contains(p.Action, "empty the bin") {
					told++
				}
			}
			if told == 0 || told != len(run.Problems) {
				t.Errorf("the user is told %+v", run.Problems)
			}
			// Who is there already goes on.
			if err := w.creatio.As("Ada").Update("Contact", contacts["Hopper"], map[string]any{"JobTitle": "Rear admiral"}); err != nil {
				t.Fatal(err)
			}
			for range 2 {
				w.pass(6 * time.Hour)
				w.tick()
			}
			if asked != 1 {
				t.Errorf("Google was asked %d times within half a day", asked)
			}
			if o := w.found("Hopper").Organizations; len(o) != 1 || o[0].Title != "Rear admiral" {
				t.Errorf("an edit of one who was there has not come: %+v", o)
			}
			w.google.Account(ada).Edit(w.found("Hopper").ResourceName, func(p *people.Person) { p.Organizations[0].Title = "Commodore" })
			w.tick()
			w.pass(20 * time.Minute)
			w.tick()
			if title := w.creatio.System().Get("Contact", contacts["Hopper"])["JobTitle"]; title != "Commodore" || asked != 1 {
				t.Errorf("an edit in Google came as %v, and Google was asked %d times", title, asked)
			}
			// Once a day everything is looked at in any case, at an hour of its own.
			w.pass(13 * time.Hour)
			w.tick()
			if asked != 2 {
				t.Errorf("Google was asked %d times after a day", asked)
			}
			w.google.SetFault(nil)
			w.pass(25 * time.Hour)
			w.tick()
			if s := w.account().Contacts.State; s.Status != "ok" || s.Failing != 0 {
				t.Errorf("with room it is %+v", s)
			}
		})
	}
}
