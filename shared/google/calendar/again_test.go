package calendar

import (
	"encoding/json"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	gcal "google.golang.org/api/calendar/v3"

	"github.com/tandem-sync/tandem/shared/google"
)

// What the service shows of an event that was deleted is its id, and it may keep no more than that.
func TestAn_event_that_is_there_again_has_its_guests_whatever_Google_kept_of_them(t *testing.T) {
	t.Parallel()
	for name, row := range map[string]struct {
		kept    string
		patches int
		want    string
	}{
		"all":     {`[{"email":"ada@example.com","self":true,"responseStatus":"accepted"},{"email":"bo@example.com","responseStatus":"declined"}]`, 1, "bo@example.com declined"},
		"nothing": {`[]`, 2, "bo@example.com needsAction"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			var guests []*gcal.EventAttendee
			if err := json.Unmarshal([]byte(row.kept), &guests); err != nil {
				t.Fatal(err)
			}
			var versions []string
			server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
				w.Header().Set("Content-Type", "application/json")
				switch {
				case strings.HasPrefix(r.URL.Path, "/batch"):
					w.WriteHeader(http.StatusNotFound)
				case r.Method == http.MethodGet:
					_, _ = io.WriteString(w, `{"id":"one","status":"cancelled","etag":"\"v0\""}`)
				case r.Method == http.MethodPatch:
					versions = append(versions, r.Header.Get("If-Match"))
					var e gcal.Event
					if err := json.NewDecoder(r.Body).Decode(&e); err != nil {
						t.Error(err)
					}
					if e.Attendees != nil {
						guests = e.Attendees
					}
					_ = json.NewEncoder(w).Encode(gcal.Event{
						Id: "one", Etag: `"v1"`, Status: "confirmed", Attendees: guests, Summary: "Kickoff",
						Start: &gcal.EventDateTime{DateTime: "2026-03-02T09:00:00Z"}, End: &gcal.EventDateTime{DateTime: "2026-03-02T10:00:00Z"},
					})
				}
			}))
			t.Cleanup(server.Close)
			client, err := google.NewClient(google.Options{HTTP: server.Client(), Endpoint: server.URL})
			if err != nil {
				t.Fatal(err)
			}
			list := []*gcal.EventAttendee{{Email: "ada@example.com", ResponseStatus: "accepted"}, {Email: "bo@example.com", ResponseStatus: "needsAction"}}
			p := &planner{have: state{Attendees: list}, event: &gcal.Event{Summary: "Kickoff", Attendees: list}}
			j := &job{planned: planned{method: http.MethodPost, event: p.event, former: "one", again: p.again("one")}}
			s := &Side{api: client, o: Options{Zone: time.UTC}}
			if err := s.apply(t.Context(), []*job{j}); err != nil || j.result == nil || j.result.Err != nil {
				t.Fatalf("%v: %+v", err, j.result)
			}
			got := ""
			for _, g := range guests {
				if g.Email != "ada@example.com" {
					got += g.Email + " " + g.ResponseStatus
				}
			}
			if got != row.want || len(versions) != row.patches || versions[0] != `"v0"` {
				t.Errorf("the guests are %q, want %q; the versions written are %q", got, row.want, versions)
			}
		})
	}
}
