package activities

import (
	"encoding/json"
	"io"
	"maps"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/tandem-sync/tandem/shared/creatio"
	"github.com/tandem-sync/tandem/shared/httpx"
	"github.com/tandem-sync/tandem/shared/record"
	box "github.com/tandem-sync/tandem/shared/sandbox/creatio"
)

// site is a simulated site with two users, a portal user and a customer, and a clock that the test turns. Tandem acts for Ada.
type site struct {
	t     *testing.T
	box   *box.Server
	clock atomic.Int64
	open  *creatio.Site
	ada   creatio.User
	side  *Side
	// contacts are ids of contacts by first name.
	contacts map[string]string
}

// from is where the range begins in tests.
var from = time.Date(2026, 2, 23, 0, 0, 0, 0, time.UTC)

func newSite(t *testing.T) *site {
	t.Helper()
	return newSiteOf(t, box.Options{})
}

// newSiteOf is a site with settings of its own.
func newSiteOf(t *testing.T, o box.Options) *site {
	t.Helper()
	s := &site{t: t, contacts: map[string]string{}}
	s.clock.Store(time.Date(2026, 3, 2, 9, 0, 0, 0, time.UTC).UnixNano())
	o.Now, o.Layout = s.now, box.Core
	s.box = box.New(o)
	for _, u := range []box.User{
		{Name: "Ada", Password: "right", ContactName: "Ada Example", Email: "ada@example.com", TimeZone: "FLE Standard Time", Active: true},
		{Name: "Bob", ContactName: "Bob Example", Email: "bob@example.com", TimeZone: "Eastern Standard Time", Active: true},
		{Name: "Gus", ContactName: "Gus Guest", Email: "gus@example.com", Active: true, Portal: true},
	} {
		_, s.contacts[u.Name] = s.box.AddUser(u)
	}
	s.contacts["Cleo"] = s.row("Contact", map[string]any{"Name": "Cleo Customer", "Email": "cleo@example.com"})
	server := httptest.NewServer(s.box)
	t.Cleanup(server.Close)
	var err error
	s.open, err = creatio.Open(t.Context(), creatio.Options{
		HTTP: &http.Client{Transport: creatio.SessionTransport(httpx.NewTransport(httpx.Options{Side: creatio.Side, Attempts: 1}), server.URL, "Ada", "right")},
		URL:  server.URL, Layout: creatio.Core, Now: s.now,
	})
	s.must(err)
	s.ada, err = s.open.CurrentUser(t.Context())
	s.must(err)
	s.begin()
	return s
}

// begin opens the side anew, as every run does.
func (s *site) begin() { s.side = New(s.open, Options{User: s.ada, From: from}) }

func (s *site) must(err error) {
	s.t.Helper()
	if err != nil {
		s.t.Fatal(err)
	}
}

func (s *site) now() time.Time { return time.Unix(0, s.clock.Load()).UTC() }

func (s *site) pass(d time.Duration) { s.clock.Add(int64(d)) }

// row is a row that Ada makes on a page; rowBy is somebody else's.
func (s *site) row(entity string, values map[string]any) string {
	s.t.Helper()
	return s.rowBy("Ada", entity, values)
}

func (s *site) rowBy(user, entity string, values map[string]any) string {
	s.t.Helper()
	id, err := s.box.As(user).Insert(entity, values)
	s.must(err)
	return id
}

func (s *site) change(entity, id string, values map[string]any) {
	s.t.Helper()
	s.must(s.box.As("Ada").Update(entity, id, values))
}

// meeting is an activity of a user that lasts an hour on the third of March, with more values.
func (s *site) meeting(user string, more map[string]any) string {
	s.t.Helper()
	values := map[string]any{
		"Title": "Kick-off", "StartDate": "2026-03-03T09:00:00Z", "DueDate": "2026-03-03T10:00:00Z", "ShowInScheduler": true,
		"ActivityCategoryId": categoryMeeting,
	}
	maps.Copy(values, more)
	return s.rowBy(user, "Activity", values)
}

// invite has somebody take part in an activity.
func (s *site) invite(activity, name string, more map[string]any) string {
	s.t.Helper()
	values := map[string]any{"ActivityId": activity, "ParticipantId": s.contacts[name]}
	maps.Copy(values, more)
	return s.row("ActivityParticipant", values)
}

// participation is the row of somebody in an activity; nil for none.
func (s *site) participation(activity, name string) map[string]any {
	s.t.Helper()
	rows := s.box.System().Rows("ActivityParticipant", map[string]any{"ActivityId": activity, "ParticipantId": s.contacts[name]})
	if len(rows) > 1 {
		s.t.Fatalf("%s takes part %d times", name, len(rows))
	}
	if len(rows) == 0 {
		return nil
	}
	return rows[0]
}

// scan is one window, with the number of requests that it took.
func (s *site) scan(cursor []byte) (record.Delta, int) {
	s.t.Helper()
	s.begin()
	s.box.ResetRequests()
	delta, err := s.side.Scan(s.t.Context(), cursor)
	s.must(err)
	return delta, len(s.box.Requests())
}

// read is the activity as Fetch tells it.
func (s *site) read(id string) record.Record {
	s.t.Helper()
	records, err := s.side.Fetch(s.t.Context(), []string{id})
	s.must(err)
	if len(records) != 1 {
		s.t.Fatalf("got %d records", len(records))
	}
	return records[0]
}

// names are the titles of activities by id, as they were told.
func (s *site) titles(ids []string) string {
	var out []string
	for _, id := range ids {
		title := "gone"
		if a := s.box.System().Get("Activity", id); a != nil {
			title = a["Title"].(string)
		}
		out = append(out, title)
	}
	return strings.Join(sorted(out), ", ")
}

// refuse has the site refuse every part of a batch whose address has a word, as older versions do with what they do not know.
func (s *site) refuse(word string) {
	s.box.SetFault(func(r *http.Request) *box.Fault {
		var in struct {
			Requests []struct{ ID, URL string } `json:"requests"`
		}
		sent, _ := io.ReadAll(r.Body)
		if json.Unmarshal(sent, &in) != nil || !strings.Contains(string(sent), word) {
			return nil
		}
		type reply struct {
			ID     string `json:"id"`
			Status int    `json:"status"`
			Body   any    `json:"body"`
		}
		var out []reply
		for _, q := range in.Requests {
			a := reply{q.ID, http.StatusOK, map[string]any{"@odata.context": "x", "value": []any{}}}
			if strings.Contains(q.URL, word) {
				a.Status, a.Body = http.StatusBadRequest, map[string]any{"error": map[string]any{"message": "The query specified in the URI is not valid."}}
			}
			out = append(out, a)
		}
		body, err := json.Marshal(map[string]any{"responses": out})
		if err != nil {
			return nil
		}
		return &box.Fault{Status: http.StatusOK, Body: string(body)}
	})
}
