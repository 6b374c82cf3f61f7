package calendar

import (
	"context"
	"net/http"
	"net/http/httptest"
	"net/url"
	"slices"
	"testing"
	"time"

	"golang.org/x/oauth2"
	gcal "google.golang.org/api/calendar/v3"

	"github.com/tandem-sync/tandem/shared/activity"
	"github.com/tandem-sync/tandem/shared/google"
	"github.com/tandem-sync/tandem/shared/record"
	box "github.com/tandem-sync/tandem/shared/sandbox/google"
	"github.com/tandem-sync/tandem/shared/sandbox/google/calendar"
	"github.com/tandem-sync/tandem/shared/zone"
)

const (
	ada = "ada@example.com"
	bob = "bob@example.com"
)

// diary is Ada's calendar in a simulated Google, in which Bob has one too.
type diary struct {
	*calendar.Person
	t      *testing.T
	google *box.Server
	client google.Options
	side   *Side
	// rows says how many events a page has; nil for as many as were asked for.
	rows func(asked int) int
	// kept is what the last scan gave to be kept.
	kept []byte
}

var firstDay = time.Date(2026, 3, 2, 0, 0, 0, 0, time.UTC)

func newDiary(t *testing.T, change ...func(*Options)) *diary {
	t.Helper()
	now := firstDay.Add(8 * time.Hour)
	d := &diary{}
	b := box.New(box.Options{Now: func() time.Time { return now }, PageRows: func(asked int) int {
		if d.rows == nil {
			return asked
		}
		return d.rows(asked)
	}})
	const secret, callback = "not a secret", "https://tandem.example.com/oauth-callback"
	b.AddClient("client", secret, callback)
	for _, email := range []string{ada, bob} {
		b.AddUser(box.User{Email: email, Name: email, EmailVerified: true})
		b.AutoConsent(email)
		b.Calendar(email).SetTimeZone("Europe/Berlin")
	}
	b.AutoConsent(ada)
	server := httptest.NewServer(b)
	t.Cleanup(server.Close)
	plain := &http.Client{CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }}
	ctx := context.WithValue(t.Context(), oauth2.HTTPClient, plain)
	c := &oauth2.Config{
		ClientID: "client", ClientSecret: secret, RedirectURL: callback, Scopes: []string{"openid", "email", "https://www.googleapis.com/auth/calendar.events"},
		Endpoint: oauth2.Endpoint{AuthURL: server.URL + "/o/oauth2/v2/auth", TokenURL: server.URL + "/token", AuthStyle: oauth2.AuthStyleInParams},
	}
	resp, err := plain.Get(c.AuthCodeURL("state"))
	must(t, err)
	must(t, resp.Body.Close())
	back, err := url.Parse(resp.Header.Get("Location"))
	must(t, err)
	token, err := c.Exchange(ctx, back.Query().Get("code"))
	must(t, err)
	d.Person, d.t, d.google = b.Calendar(ada), t, b
	d.client = google.Options{
		HTTP: oauth2.NewClient(t.Context(), oauth2.StaticTokenSource(token)), Endpoint: server.URL, Now: func() time.Time { return now },
	}
	d.open(change...)
	t.Cleanup(func() {
		if v := b.Violations(); len(v) > 0 {
			t.Errorf("violations: %q", v)
		}
		if m := b.Calendars().Mails(); len(m) > 0 {
			t.Errorf("mails were sent: %+v", m)
		}
	})
	b.ResetRequests()
	return d
}

// open opens the side anew, as the next run does.
func (d *diary) open(change ...func(*Options)) {
	d.t.Helper()
	berlin, _ := zone.Load("Europe/Berlin")
	kept := d.kept
	o := Options{From: firstDay, To: firstDay.AddDate(0, 3, 0), Zone: berlin, Retained: func(context.Context) ([]byte, error) { return kept, nil }}
	for _, f := range change {
		f(&o)
	}
	client, err := google.NewClient(d.client)
	must(d.t, err)
	d.side, err = New(client, o)
	must(d.t, err)
}

func must(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

// timed is an event at an hour of a day in March, of an hour.
func timed(title string, day, hour int) *gcal.Event {
	at := time.Date(2026, 3, day, hour, 0, 0, 0, time.UTC)
	return &gcal.Event{
		Summary: title, Start: &gcal.EventDateTime{DateTime: at.Format(time.RFC3339), TimeZone: "Europe/Berlin"},
		End: &gcal.EventDateTime{DateTime: at.Add(time.Hour).Format(time.RFC3339), TimeZone: "Europe/Berlin"},
	}
}

// scan reads a window, and keeps what the side wants to have again.
func (d *diary) scan(cursor []byte) record.Delta {
	d.t.Helper()
	delta, err := d.side.Scan(d.t.Context(), cursor)
	must(d.t, err)
	if delta.Retained != nil {
		d.kept = delta.Retained
	}
	return delta
}

// scanned are the records of a scan by their names, and where the next one starts.
func (d *diary) scanned(cursor []byte) (map[string]record.Record, record.Delta) {
	d.t.Helper()
	delta := d.scan(cursor)
	out := map[string]record.Record{}
	for _, p := range delta.Records {
		r := p.Unpack()
		name := activity.Name(r.Fields)
		if r.Gone {
			name = r.ID
		}
		for out[name].ID != "" {
			name += "'"
		}
		out[name] = r
	}
	return out, delta
}

// only is the record of the one event with a title.
func (d *diary) only(title string) record.Record {
	d.t.Helper()
	found, _ := d.scanned(nil)
	r, ok := found[title]
	if !ok {
		d.t.Fatalf("no event %q among %v", title, found)
	}
	return r
}

// write plans and applies one operation.
func (d *diary) write(op record.Operation) (record.Plan, record.Result) {
	d.t.Helper()
	plans, err := d.side.Plan(d.t.Context(), []record.Operation{op})
	must(d.t, err)
	must(d.t, plans[0].Err)
	results, err := d.side.Apply(d.t.Context(), plans)
	must(d.t, err)
	return plans[0], results[0]
}

// change is an operation that sets fields of a record.
func change(r record.Record, set record.Fields) record.Operation {
	op := record.Operation{Action: record.Update, Link: "L1", ID: r.ID, AdapterState: r.AdapterState, Before: r.Fields, After: r.Fields.Clone()}
	for _, name := range activity.Schema.Names() {
		if value, ok := set[name]; ok {
			op.Changed = append(op.Changed, name)
			if delete(op.After, name); len(value) > 0 {
				op.After[name] = value
			}
		}
	}
	return op
}

func creation(fields record.Fields) record.Operation {
	return record.Operation{Action: record.Create, Link: "L1", Before: record.Fields{}, After: fields, Changed: activity.Schema.Names(), Join: true}
}

// count counts the members of a window by their titles.
func (d *diary) count(members []string, found map[string]record.Record) map[string]int {
	d.t.Helper()
	out := map[string]int{}
	for _, id := range members {
		if r, there := found[id]; !there {
			d.t.Errorf("the window has no record %s", id)
		} else if !r.Passive {
			out[activity.Name(r.Fields)]++
		}
	}
	return out
}

// ids are those of records that are there, in order.
func ids(found map[string]record.Record) []string {
	var out []string
	for id, r := range found {
		if !r.Gone {
			out = append(out, id)
		}
	}
	slices.Sort(out)
	return out
}
