package google

import (
	"encoding/json"
	"io"
	"net/http"
	"net/http/httptest"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	gcal "google.golang.org/api/calendar/v3"

	"github.com/tandem-sync/tandem/shared/sandbox/google/calendar"
)

// receiver is where notifications go.
type receiver struct {
	*httptest.Server
	mu     sync.Mutex
	got    []http.Header
	status int
}

func newReceiver(t *testing.T) *receiver {
	t.Helper()
	r := &receiver{status: http.StatusNoContent}
	r.Server = httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, req *http.Request) {
		r.mu.Lock()
		defer r.mu.Unlock()
		r.got = append(r.got, req.Header)
		w.WriteHeader(r.status)
	}))
	t.Cleanup(r.Close)
	return r
}

// states are those of the messages that came.
func (r *receiver) states() string {
	r.mu.Lock()
	defer r.mu.Unlock()
	var out []string
	for _, h := range r.got {
		out = append(out, h.Get("X-Goog-Message-Number")+h.Get("X-Goog-Resource-State"))
	}
	return strings.Join(out, " ")
}

func TestAChannelTellsOfChanges(t *testing.T) {
	t.Parallel()
	w, r := newCalendars(t, Options{}), newReceiver(t)
	api := w.events(ann)
	ch := must(api.Events.Watch("primary", &gcal.Channel{
		Id: "one", Type: "web_hook", Address: r.URL, Token: "hush", Params: map[string]string{"ttl": "3600"},
	}).Do())(t)
	if want := w.clock.Now().Add(time.Hour).UnixMilli(); ch.ResourceId == "" || ch.ResourceUri == "" || ch.Expiration != want {
		t.Errorf("opened %s", encode(ch))
	}
	if _, err := w.Calendars().DeliverNotifications(t.Context(), r.Client()); err != nil || r.states() != "1sync" {
		t.Errorf("first came %q, %v", r.states(), err)
	}
	id := w.Calendar(bob).Add(meeting("Review", "2026-03-02T09:00", "2026-03-02T10:00", ann))
	w.Calendar(ann).Answer(id, "accepted")
	r.status = http.StatusServiceUnavailable
	if n, err := w.Calendars().DeliverNotifications(t.Context(), r.Client()); n != 0 || err == nil {
		t.Errorf("in trouble, %d were taken: %v", n, err)
	}
	r.status = http.StatusOK
	if n, err := w.Calendars().DeliverNotifications(t.Context(), r.Client()); n != 2 || err != nil || !strings.HasSuffix(r.states(), "exists 5exists") {
		t.Errorf("then, %d were taken, %v: %s", n, err, r.states())
	}
	h := r.got[len(r.got)-1]
	want := []string{"one", "hush", ch.ResourceId, w.clock.Now().Add(time.Hour).Format(http.TimeFormat)}
	if diff := cmp.Diff(want, []string{
		h.Get("X-Goog-Channel-ID"), h.Get("X-Goog-Channel-Token"), h.Get("X-Goog-Resource-ID"), h.Get("X-Goog-Channel-Expiration"),
	}); diff != "" {
		t.Error(diff)
	}
	w.Calendar(ann).Delete(id)
	w.Calendars().LoseNotifications()
	if n, err := w.Calendars().DeliverNotifications(t.Context(), r.Client()); n != 0 || err != nil {
		t.Errorf("of lost ones, %d came: %v", n, err)
	}
	if err := api.Channels.Stop(&gcal.Channel{Id: "one", ResourceId: "other"}).Do(); err != nil {
		wantReason(t, err, 404, "global", "notFound")
	}
	if err := api.Channels.Stop(&gcal.Channel{Id: "one", ResourceId: ch.ResourceId}).Do(); err != nil {
		t.Error(err)
	}
	if got := w.Calendars().Channels(ann); len(got) != 0 {
		t.Errorf("stopped, there are %v", got)
	}
	wantReason(t, api.Channels.Stop(&gcal.Channel{Id: "one", ResourceId: ch.ResourceId}).Do(), 404, "global", "notFound")
}

func TestMessagesComeByThemselvesWhereSomebodyKeepsDelivering(t *testing.T) {
	t.Parallel()
	w := newCalendars(t, Options{})
	came := make(chan string, 10)
	r := httptest.NewServer(http.HandlerFunc(func(_ http.ResponseWriter, req *http.Request) { came <- req.Header.Get("X-Goog-Resource-State") }))
	t.Cleanup(r.Close)
	go w.Calendars().KeepDelivering(t.Context(), r.Client())
	must(w.events(ann).Events.Watch("primary", &gcal.Channel{Id: "one", Type: "web_hook", Address: r.URL}).Do())(t)
	if got := <-came; got != "sync" {
		t.Errorf("first came %q", got)
	}
	w.Calendar(ann).Add(meeting("Review", "2026-03-02T09:00", "2026-03-02T10:00"))
	if got := <-came; got != "exists" {
		t.Errorf("then came %q", got)
	}
}

func TestAChannelEnds(t *testing.T) {
	t.Parallel()
	w, r := newCalendars(t, Options{}), newReceiver(t)
	if _, err := w.events(ann).Events.Watch("primary", &gcal.Channel{Id: "one", Type: "web_hook", Address: r.URL}).Do(); err != nil {
		t.Fatal(err)
	}
	w.clock.pass(7*24*time.Hour - time.Second)
	if got := w.Calendars().Channels(ann); len(got) != 1 || got[0].Waiting != 1 {
		t.Errorf("before its end, there are %v", got)
	}
	w.clock.pass(time.Second)
	w.Calendar(ann).Add(meeting("Review", "2026-03-02T09:00", "2026-03-02T10:00"))
	if n, err := w.Calendars().DeliverNotifications(t.Context(), r.Client()); n != 0 || err != nil || len(w.Calendars().Channels(ann)) != 0 {
		t.Errorf("after its end, %d came: %v", n, err)
	}
}

func TestChannelsThatAreNone(t *testing.T) {
	t.Parallel()
	w := newCalendars(t, Options{})
	api := w.events(ann)
	open := func(email string, ch gcal.Channel) error {
		_, err := w.events(email).Events.Watch("primary", &ch).Do()
		return err
	}
	good := gcal.Channel{Id: "one", Type: "web_hook", Address: "https://tandem.example.com/calendar-push"}
	for reason, change := range map[string]func(*gcal.Channel){
		"invalid":                        func(ch *gcal.Channel) { ch.Type = "mail" },
		"channelIdInvalid":               func(ch *gcal.Channel) { ch.Id = strings.Repeat("a", 65) },
		"push.webhookUrlNoHostOrAddress": func(ch *gcal.Channel) { ch.Address = "calendar-push" },
		"push.webhookUrlNotHttps":        func(ch *gcal.Channel) { ch.Address = "http://tandem.example.com/calendar-push" },
		"channelTokenTooLong":            func(ch *gcal.Channel) { ch.Token = strings.Repeat("a", 257) },
	} {
		ch := good
		change(&ch)
		wantReason(t, open(ann, ch), 400, "global", reason)
	}
	if _, err := api.Events.Watch("primary", &good).Do(); err != nil {
		t.Fatal(err)
	}
	wantReason(t, open(bob, good), 400, "global", "channelIdNotUnique")
}

func TestAUserHasAQuota(t *testing.T) {
	t.Parallel()
	w := newCalendars(t, Options{EventCallsPerMinute: 3})
	api := w.events(ann)
	for range 3 {
		w.sync(api)
	}
	_, err := api.Events.List("primary").Do()
	wantReason(t, err, 403, "usageLimits", "rateLimitExceeded")
	w.sync(w.events(bob))
	w.clock.pass(time.Minute)
	w.sync(api)
	w.Calendars().SetPerMinute(0)
	for range 5 {
		w.sync(api)
	}
}

// eventBatch sends requests of the calendar as one, and gives the statuses and the bodies of the answers.
func (w *world) eventBatch(email string, parts ...string) (statuses []int, bodies []string) {
	w.t.Helper()
	var b strings.Builder
	for i, part := range parts {
		b.WriteString("--limit\r\nContent-Type: application/http\r\nContent-ID: <" + strconv.Itoa(i) + ">\r\n\r\n" + part + "\r\n")
	}
	b.WriteString("--limit--\r\n")
	req, err := http.NewRequestWithContext(w.t.Context(), http.MethodPost, w.url+"/batch/calendar/v3", strings.NewReader(b.String()))
	if err != nil {
		w.t.Fatal(err)
	}
	w.signIn(email, events).SetAuthHeader(req)
	req.Header.Set("Content-Type", "multipart/mixed; boundary=limit")
	status, header, body := w.send(req)
	if status != http.StatusOK {
		w.t.Fatalf("the batch is answered %d: %s", status, body)
	}
	for _, a := range w.answers(header, body) {
		text, err := io.ReadAll(a.Body)
		if err != nil {
			w.t.Fatal(err)
		}
		statuses, bodies = append(statuses, a.StatusCode), append(bodies, string(text))
	}
	return statuses, bodies
}

func insertion(id string) string {
	return "POST /calendar/v3/calendars/primary/events?sendUpdates=none HTTP/1.1\r\nContent-Type: application/json\r\n\r\n" +
		`{"id":"` + id + `","summary":"` + id + `","start":{"date":"2026-03-02"},"end":{"date":"2026-03-03"}}`
}

func TestABatchOfEvents(t *testing.T) {
	t.Parallel()
	w := newCalendars(t, Options{EventCallsPerMinute: 8})
	const path = "/calendar/v3/calendars/primary/events/"
	statuses, bodies := w.eventBatch(ann,
		insertion("abc11"), insertion("abc12"), insertion("abc11"),
		"GET "+path+"abc12 HTTP/1.1\r\n\r\n",
		"PATCH "+path+"abc12 HTTP/1.1\r\nContent-Type: application/json\r\nIf-Match: \"old\"\r\n\r\n{\"summary\":\"B\"}",
		"PATCH "+path+"abc12 HTTP/1.1\r\nContent-Type: application/json\r\n\r\n{\"title\":\"B\"}",
		"DELETE "+path+"abc11 HTTP/1.1\r\n\r\n",
		"GET "+path+"none1 HTTP/1.1\r\n\r\n",
		"GET "+path+"abc12 HTTP/1.1\r\n\r\n",
		"GET "+path+"abc12 HTTP/1.1\r\n\r\n",
	)
	if diff := cmp.Diff([]int{200, 200, 409, 200, 412, 400, 204, 404, 200, 403}, statuses); diff != "" {
		t.Errorf("%s: %q", diff, bodies)
	}
	if bodies[6] != "" {
		t.Errorf("a deletion is answered %q", bodies[6])
	}
	var read gcal.Event
	if err := json.Unmarshal([]byte(bodies[3]), &read); err != nil || read.Id != "abc12" {
		t.Errorf("read %q: %v", bodies[3], err)
	}
	if got := w.Violations(); len(got) != 1 || !strings.Contains(got[0], "title") {
		t.Errorf("got violations %q", got)
	}
}

func TestAPartOfABatchFails(t *testing.T) {
	t.Parallel()
	w := newCalendars(t, Options{})
	n := 0
	w.SetPartFault(func(*http.Request) *Fault {
		// A person may change something while a batch is under way.
		w.Calendar(bob).Events()
		if w.Account(ann) == nil {
			return nil
		}
		switch n++; n {
		case 1:
			return &Fault{Drop: true}
		case 2:
			return &Fault{Drop: true, After: true}
		case 3:
			return Refuse(calendar.RateLimited())
		case 4:
			return Refuse(calendar.Forbidden())
		}
		return nil
	})
	statuses, bodies := w.eventBatch(ann, insertion("abc11"), insertion("abc12"), insertion("abc13"), insertion("abc14"), insertion("abc15"))
	if diff := cmp.Diff([]int{503, 503, 403, 403, 200}, statuses); diff != "" {
		t.Error(diff)
	}
	if !strings.Contains(bodies[2], `"rateLimitExceeded"`) || !strings.Contains(bodies[3], `"forbidden"`) {
		t.Errorf("refused with %q", bodies)
	}
	if diff := cmp.Diff([]string{"abc12", "abc15"}, titles(w.Calendar(ann).Events())); diff != "" {
		t.Error(diff)
	}
}

func TestAFaultOfTheCalendar(t *testing.T) {
	t.Parallel()
	w := newCalendars(t, Options{})
	api := w.events(ann)
	e := meeting("Review", "2026-03-02T09:00", "2026-03-02T10:00")
	e.Id = "abc123"
	w.SetFault(func(r *http.Request) *Fault {
		if r.Method == http.MethodPost {
			return &Fault{Drop: true, After: true}
		}
		return nil
	})
	if _, err := api.Events.Insert("primary", e).Do(); err == nil {
		t.Error("the answer came")
	}
	w.SetFault(func(*http.Request) *Fault { return Refuse(calendar.UsageLimits()) })
	_, err := api.Events.List("primary").Do()
	wantReason(t, err, 403, "usageLimits", "quotaExceeded")
	w.SetFault(nil)
	if got := w.sync(api); len(got.Items) != 1 {
		t.Errorf("a write whose answer was lost left %q", titles(got.Items))
	}
}
