package app_test

import (
	"fmt"
	"net/http"
	"strings"
	"testing"
	"time"

	googlebox "github.com/tandem-sync/tandem/shared/sandbox/google"
)

func TestA_Google_account_without_room_is_said_so_and_tried_again_daily(t *testing.T) {
	t.Parallel()
	for _, status := range []int{400, 403, 429} {
		t.Run(fmt.Sprint(status), func(t *testing.T) {
			t.Parallel()
			w, tag, _ := twins(t, "Hopper")
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
			for range 2 {
				w.pass(6 * time.Hour)
				w.tick()
			}
			if asked != 1 {
				t.Errorf("Google was asked %d times within half a day", asked)
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
