package queue_test

import (
	"context"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"net/http"
	"net/http/httptest"
	"net/url"
	"regexp"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"
	"golang.org/x/oauth2"
	"google.golang.org/api/option"

	"github.com/tandem-sync/tandem/shared/fault"
	"github.com/tandem-sync/tandem/shared/observe"
	"github.com/tandem-sync/tandem/shared/queue"
	"github.com/tandem-sync/tandem/shared/record"
)

const (
	queuePath = "projects/acme-crm/locations/europe-west3/queues/tandem-sync"
	publicURL = "https://tandem.example.com"
	invoker   = "tandem-invoker@acme-crm.iam.gserviceaccount.com"
)

// cloudTask is the part of a task that Tandem may set. Anything else in a request is refused.
type cloudTask struct {
	Name             string `json:"name"`
	ScheduleTime     string `json:"scheduleTime"`
	DispatchDeadline string `json:"dispatchDeadline"`
	HTTPRequest      struct {
		URL        string            `json:"url"`
		HTTPMethod string            `json:"httpMethod"`
		Headers    map[string]string `json:"headers"`
		Body       string            `json:"body"`
		OIDCToken  *oidcToken        `json:"oidcToken"`
	} `json:"httpRequest"`
}

type oidcToken struct {
	ServiceAccountEmail string `json:"serviceAccountEmail"`
	Audience            string `json:"audience"`
}

// cloudTasks is Cloud Tasks as far as a queue is concerned. It refuses what the real one refuses, and answers with
// trouble first where there is some.
type cloudTasks struct {
	mu       sync.Mutex
	tasks    []cloudTask
	requests int
	trouble  []trouble
	token    string
}

type trouble struct {
	status int
	header map[string]string
	body   string
	// late says that the task is taken, and the trouble is with the answer only.
	late bool
}

var taskName = regexp.MustCompile(`^projects/[A-Za-z0-9.:-]+/locations/[a-z0-9-]+/queues/[A-Za-z0-9-]{1,100}/tasks/[A-Za-z0-9_-]{1,500}$`)

func (c *cloudTasks) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.requests++
	var bad *trouble
	if len(c.trouble) > 0 {
		bad, c.trouble = &c.trouble[0], c.trouble[1:]
	}
	if bad == nil || bad.late {
		if status, word, message := c.create(r); status != http.StatusOK && bad == nil {
			bad = &trouble{status: status, body: refusalBody(status, word, message)}
		}
	}
	w.Header().Set("Content-Type", "application/json; charset=UTF-8")
	if bad == nil {
		_ = json.NewEncoder(w).Encode(map[string]string{"name": c.tasks[len(c.tasks)-1].Name})
		return
	}
	for name, value := range bad.header {
		w.Header().Set(name, value)
	}
	w.WriteHeader(bad.status)
	_, _ = w.Write([]byte(bad.body))
}

func refusalBody(code int, status, message string, details ...string) string {
	return fmt.Sprintf(`{"error":{"code":%d,"message":%q,"status":%q,"details":[%s]}}`, code, message, status, strings.Join(details, ","))
}

func (c *cloudTasks) create(r *http.Request) (status int, word, message string) {
	bad := func(message string, args ...any) (int, string, string) {
		return http.StatusBadRequest, "INVALID_ARGUMENT", fmt.Sprintf(message, args...)
	}
	if r.Method != http.MethodPost || r.URL.Path != "/v2/"+queuePath+"/tasks" {
		return http.StatusNotFound, "NOT_FOUND", "no method " + r.Method + " " + r.URL.Path
	}
	if c.token != "" && r.Header.Get("Authorization") != "Bearer "+c.token {
		return http.StatusUnauthorized, "UNAUTHENTICATED", "no token"
	}
	if diff := cmp.Diff(url.Values{"alt": {"json"}, "prettyPrint": {"false"}, "fields": {"name"}}, r.URL.Query()); diff != "" {
		return bad("query: %s", diff)
	}
	var body struct {
		Task *cloudTask `json:"task"`
	}
	d := json.NewDecoder(r.Body)
	d.DisallowUnknownFields()
	if err := d.Decode(&body); err != nil || body.Task == nil {
		return bad("body: %v", err)
	}
	t := *body.Task
	if !taskName.MatchString(t.Name) || !strings.HasPrefix(t.Name, queuePath+"/tasks/") {
		return bad("the name %q does not match the queue", t.Name)
	}
	if deadline, err := time.ParseDuration(t.DispatchDeadline); err != nil || deadline < 15*time.Second || deadline > 30*time.Minute {
		return bad("the deadline %q", t.DispatchDeadline)
	}
	if at, err := time.Parse(time.RFC3339Nano, t.ScheduleTime); t.ScheduleTime != "" && (err != nil || time.Until(at) > 30*24*time.Hour) {
		return bad("the time %q", t.ScheduleTime)
	}
	if o := t.HTTPRequest.OIDCToken; o != nil && !strings.HasSuffix(o.ServiceAccountEmail, "@acme-crm.iam.gserviceaccount.com") {
		return bad("the service account %q", o.ServiceAccountEmail)
	}
	for _, other := range c.tasks {
		if other.Name == t.Name {
			return http.StatusConflict, "ALREADY_EXISTS", "Requested entity already exists"
		}
	}
	c.tasks = append(c.tasks, t)
	return http.StatusOK, "", ""
}

// want checks the number of requests and of tasks.
func (c *cloudTasks) want(t *testing.T, requests, tasks int) {
	t.Helper()
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.requests != requests || len(c.tasks) != tasks {
		t.Errorf("got %d requests and %d tasks, want %d and %d", c.requests, len(c.tasks), requests, tasks)
	}
}

// RoundTrip serves without a network, for clocks of testing/synctest.
func (c *cloudTasks) RoundTrip(r *http.Request) (*http.Response, error) {
	w := httptest.NewRecorder()
	c.ServeHTTP(w, r)
	return w.Result(), nil
}

// tasksOver makes a queue on a server of its own.
func tasksOver(t *testing.T, c *cloudTasks, change ...func(*queue.TasksOptions)) *queue.Tasks {
	t.Helper()
	server := httptest.NewServer(c)
	t.Cleanup(server.Close)
	return newTasks(t, append([]func(*queue.TasksOptions){func(o *queue.TasksOptions) {
		o.Client = append(o.Client, option.WithEndpoint(server.URL+"/"))
	}}, change...)...)
}

func newTasks(t *testing.T, change ...func(*queue.TasksOptions)) *queue.Tasks {
	t.Helper()
	o := queue.TasksOptions{Queue: queuePath, PublicURL: publicURL, Invoker: invoker, Client: []option.ClientOption{option.WithoutAuthentication()}}
	for _, f := range change {
		f(&o)
	}
	q, err := queue.NewTasks(t.Context(), o)
	if err != nil {
		t.Fatal(err)
	}
	return q
}

func TestA_task_becomes_one_call_of_the_types_function_with_the_users_id_alone(t *testing.T) {
	t.Parallel()
	var c cloudTasks
	q := tasksOver(t, &c)
	add(t, q, true, queue.Task{Name: "abc", Type: record.Activities, User: `ada "the <first>"`, Trigger: "schedule"})
	c.want(t, 1, 1)
	want := cloudTask{Name: queuePath + "/tasks/ba7816bf-abc", DispatchDeadline: "1800s"}
	want.HTTPRequest.URL = publicURL + "/sync-activities"
	want.HTTPRequest.HTTPMethod = "POST"
	want.HTTPRequest.Headers = map[string]string{"Content-Type": "application/json"}
	want.HTTPRequest.OIDCToken = &oidcToken{ServiceAccountEmail: invoker, Audience: publicURL + "/sync-activities"}
	got := c.tasks[0]
	body, err := base64.StdEncoding.DecodeString(got.HTTPRequest.Body)
	got.HTTPRequest.Body = ""
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("task (-want +got):\n%s", diff)
	}
	var fields map[string]string
	if err := json.Unmarshal(body, &fields); err != nil {
		t.Error(err)
	}
	if diff := cmp.Diff(map[string]string{"user": `ada "the <first>"`}, fields); diff != "" || err != nil {
		t.Errorf("body %s, %v (-want +got):\n%s", body, err, diff)
	}
}

func TestA_page_of_users_becomes_a_call_with_its_place_alone(t *testing.T) {
	t.Parallel()
	var c cloudTasks
	add(t, tasksOver(t, &c), true, queue.Task{Name: "page", Type: record.Contacts, After: "eyJ9_-"})
	got := c.tasks[0].HTTPRequest
	body, err := base64.StdEncoding.DecodeString(got.Body)
	if string(body) != `{"after":"eyJ9_-"}` || err != nil || got.URL != publicURL+"/sync-contacts" || len(got.Headers) != 1 {
		t.Errorf("got %s to %s with %v, %v", body, got.URL, got.Headers, err)
	}
}

func TestA_promised_run_and_what_wants_it_travel_in_headers(t *testing.T) {
	t.Parallel()
	for name, tc := range map[string]struct {
		task queue.Task
		want map[string]string
	}{
		"promised":  {queue.Task{Run: "20000101-120000-000000-abcdefgh", Trigger: "undo"}, map[string]string{"Tandem-Run": "20000101-120000-000000-abcdefgh", "Tandem-Trigger": "undo"}},
		"pushed":    {queue.Task{Trigger: "push"}, map[string]string{"Tandem-Trigger": "push"}},
		"scheduled": {queue.Task{Trigger: "schedule"}, map[string]string{}},
		"unsaid":    {queue.Task{}, map[string]string{}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			var c cloudTasks
			tc.task.Name, tc.task.Type, tc.task.User = "run-1", record.Contacts, "ada"
			add(t, tasksOver(t, &c), true, tc.task)
			tc.want["Content-Type"] = "application/json"
			if diff := cmp.Diff(tc.want, c.tasks[0].HTTPRequest.Headers); diff != "" {
				t.Errorf("headers (-want +got):\n%s", diff)
			}
		})
	}
}

func TestA_task_carries_the_trace_of_who_added_it(t *testing.T) {
	t.Parallel()
	const parent = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"
	var c cloudTasks
	task := queue.Task{Name: "run-1", Type: record.Contacts, User: "ada"}
	if _, err := tasksOver(t, &c).Add(observe.Continue(t.Context(), parent), task); err != nil {
		t.Fatal(err)
	}
	if got := c.tasks[0].HTTPRequest.Headers["Traceparent"]; got != parent {
		t.Errorf("got the trace %q, want %q", got, parent)
	}
}

func TestWithout_an_invoker_a_call_carries_no_token(t *testing.T) {
	t.Parallel()
	var c cloudTasks
	q := tasksOver(t, &c, func(o *queue.TasksOptions) { o.Invoker, o.PublicURL = "", "http://tandem.example.com/" })
	add(t, q, true, contacts("a", "ada"))
	if got := c.tasks[0].HTTPRequest; got.OIDCToken != nil || got.URL != "http://tandem.example.com/sync-contacts" {
		t.Errorf("got %+v", got)
	}
}

func TestCalls_of_the_queue_carry_the_credentials_of_the_process(t *testing.T) {
	t.Parallel()
	c := cloudTasks{token: "process-token"}
	q := tasksOver(t, &c, func(o *queue.TasksOptions) {
		o.Client = append(o.Client[1:], option.WithTokenSource(oauth2.StaticTokenSource(&oauth2.Token{AccessToken: "process-token"})))
	})
	add(t, q, true, contacts("a", "ada"))
	c.want(t, 1, 1)
}

func TestA_name_that_is_taken_is_no_error(t *testing.T) {
	t.Parallel()
	var c cloudTasks
	q := tasksOver(t, &c)
	slot := queue.Name("ada", record.Contacts, noon)
	add(t, q, true, contacts(slot, "ada"))
	add(t, q, false, contacts(slot, "ada"))
	add(t, q, true, contacts(queue.Name("ada", record.Contacts, noon.Add(time.Minute)), "ada"))
	c.want(t, 3, 2)
}

func TestNames_that_follow_one_another_are_far_apart_in_the_queue(t *testing.T) {
	t.Parallel()
	var c cloudTasks
	q := tasksOver(t, &c)
	long := strings.Repeat("x", 499)
	names := []string{"run-20000101-1", "run-20000101-2", long + "1", long + "2"}
	first := map[string]bool{}
	for _, name := range names {
		add(t, q, true, contacts(name, "ada"))
		id := strings.TrimPrefix(c.tasks[len(c.tasks)-1].Name, queuePath+"/tasks/")
		if first[id[:4]] || !regexp.MustCompile(`^[0-9a-f]{8}`).MatchString(id) {
			t.Errorf("the id %q begins as another one, or with no hash", id)
		}
		first[id[:4]] = true
	}
	c.want(t, 4, 4)
}

func TestA_task_is_scheduled_only_where_its_time_is_to_come(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		var c cloudTasks
		q := newTasks(t, func(o *queue.TasksOptions) { o.Base = &c })
		zone := time.FixedZone("", 3600)
		for name, at := range map[string]time.Time{
			"zero": {}, "past": noon.Add(-time.Hour), "now": noon, "later": noon.Add(1500 * time.Millisecond).In(zone),
			"last": noon.Add(30 * 24 * time.Hour),
		} {
			task := contacts(name, "ada")
			task.NotBefore = at
			add(t, q, true, task)
		}
		got := map[string]string{}
		for _, task := range c.tasks {
			got[task.Name[len(task.Name)-4:]] = task.ScheduleTime
		}
		want := map[string]string{"zero": "", "past": "", "-now": "", "ater": "2000-01-01T00:00:01.5Z", "last": "2000-01-31T00:00:00Z"}
		if diff := cmp.Diff(want, got); diff != "" {
			t.Errorf("times (-want +got):\n%s", diff)
		}
		c.want(t, 5, 5)
	})
}

func TestWhat_cloud_tasks_could_not_carry_is_a_bug_and_no_call(t *testing.T) {
	t.Parallel()
	var c cloudTasks
	q := tasksOver(t, &c)
	for what, task := range map[string]queue.Task{
		"no name":     {Type: record.Contacts, User: "ada"},
		"no user":     {Name: "a", Type: record.Contacts},
		"type":        {Name: "a", Type: "contacts/../settings", User: "ada"},
		"run":         {Name: "a", Type: record.Contacts, User: "ada", Run: "r\r\nAuthorization: x"},
		"page":        {Name: "a", Type: record.Contacts, After: "x/y"},
		"trigger":     {Name: "a", Type: record.Contacts, User: "ada", Trigger: "a b"},
		"far too far": {Name: "a", Type: record.Contacts, User: "ada", NotBefore: time.Now().Add(31 * 24 * time.Hour)},
	} {
		if added, err := q.Add(t.Context(), task); added || !fault.Is(err, fault.Bug) {
			t.Errorf("%s: got %v, %v", what, added, err)
		}
	}
	c.want(t, 0, 0)
}

func TestA_refusal_is_the_operators_to_mend_or_passes_by_itself(t *testing.T) {
	t.Parallel()
	info := `{"@type":"type.googleapis.com/google.rpc.ErrorInfo","reason":%q}`
	for name, tc := range map[string]struct {
		trouble  trouble
		kind     fault.Kind
		code     string
		requests int
	}{
		"no permission":   {trouble{status: 403, body: refusalBody(403, "PERMISSION_DENIED", "no cloudtasks.tasks.create")}, fault.Misconfigured, "denied", 1},
		"api is off":      {trouble{status: 403, body: refusalBody(403, "PERMISSION_DENIED", "off", fmt.Sprintf(info, "SERVICE_DISABLED"))}, fault.Misconfigured, "api-disabled", 1},
		"no credentials":  {trouble{status: 401, body: refusalBody(401, "UNAUTHENTICATED", "who")}, fault.Misconfigured, "credentials", 1},
		"no location":     {trouble{status: 404, body: refusalBody(404, "NOT_FOUND", "Requested entity was not found.")}, fault.Misconfigured, "queue-missing", 1},
		"no queue":        {trouble{status: 400, body: refusalBody(400, "FAILED_PRECONDITION", "Queue does not exist.")}, fault.Misconfigured, "queue-missing", 1},
		"bad account":     {trouble{status: 400, body: refusalBody(400, "INVALID_ARGUMENT", "account")}, fault.Misconfigured, "refused", 1},
		"rate as 403":     {trouble{status: 403, body: refusalBody(403, "PERMISSION_DENIED", "fast", fmt.Sprintf(info, "RATE_LIMIT_EXCEEDED"))}, fault.Retry, "quota", 1},
		"aborted":         {trouble{status: 409, body: refusalBody(409, "ABORTED", "met another")}, fault.Retry, "unavailable", 1},
		"page of a proxy": {trouble{status: 502, body: "<html>" + strings.Repeat("bad gateway ", 1000)}, fault.Retry, "unavailable", 3},
		"busy":            {trouble{status: 503, body: refusalBody(503, "UNAVAILABLE", "busy")}, fault.Retry, "unavailable", 3},
		"quota":           {trouble{status: 429, body: refusalBody(429, "RESOURCE_EXHAUSTED", "quota")}, fault.Retry, "quota", 3},
		"redirect":        {trouble{status: 302, header: map[string]string{"Location": "https://elsewhere.example.com/"}}, fault.Misconfigured, "refused", 1},
		"no JSON":         {trouble{status: 200, body: "{"}, fault.Retry, "malformed-reply", 1},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				c := cloudTasks{trouble: []trouble{tc.trouble, tc.trouble, tc.trouble, tc.trouble}}
				added, err := newTasks(t, func(o *queue.TasksOptions) { o.Base = &c }).Add(t.Context(), contacts("a", "ada"))
				f := asFault(t, err)
				if added || f.Kind != tc.kind || f.Code != tc.code || f.Side != "queue" || !strings.Contains(err.Error(), "add task: ") || len(err.Error()) > 500 {
					t.Errorf("got %v, %v, want kind %v, code %s", added, err, tc.kind, tc.code)
				}
				c.want(t, tc.requests, 0)
			})
		})
	}
}

func asFault(t *testing.T, err error) *fault.Error {
	t.Helper()
	f, ok := err.(*fault.Error)
	if !ok {
		t.Fatalf("got %T %v, want a fault", err, err)
	}
	return f
}

func TestWho_is_asked_to_wait_is_told_how_long(t *testing.T) {
	t.Parallel()
	delay := `{"@type":"type.googleapis.com/google.rpc.RetryInfo","retryDelay":"37.5s"}`
	for name, tc := range map[string]struct {
		trouble  trouble
		want     time.Duration
		requests int
	}{
		"in a header": {trouble{status: 429, header: map[string]string{"Retry-After": "90"}, body: refusalBody(429, "RESOURCE_EXHAUSTED", "quota")}, 90 * time.Second, 1},
		"in the body": {trouble{status: 429, body: refusalBody(429, "RESOURCE_EXHAUSTED", "quota", delay)}, 37500 * time.Millisecond, 3},
		"unavailable": {trouble{status: 503, header: map[string]string{"Retry-After": "60"}}, time.Minute, 1},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				c := cloudTasks{trouble: []trouble{tc.trouble, tc.trouble, tc.trouble}}
				_, err := newTasks(t, func(o *queue.TasksOptions) { o.Base = &c }).Add(t.Context(), contacts("a", "ada"))
				if !fault.Is(err, fault.Retry) || fault.After(err) != tc.want {
					t.Errorf("got %v after %v, want %v", err, fault.After(err), tc.want)
				}
				c.want(t, tc.requests, 0)
			})
		})
	}
}

func TestA_short_trouble_is_waited_out(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		c := cloudTasks{trouble: []trouble{{status: 503}, {status: 429, header: map[string]string{"Retry-After": "2"}}}}
		add(t, newTasks(t, func(o *queue.TasksOptions) { o.Base = &c }), true, contacts("a", "ada"))
		c.want(t, 3, 1)
		if passed := time.Since(noon); passed < 2*time.Second || passed > 3*time.Second {
			t.Errorf("waited %v", passed)
		}
	})
}

func TestA_task_whose_answer_was_lost_is_in_the_queue_once(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		c := cloudTasks{trouble: []trouble{{status: 504, late: true}}}
		add(t, newTasks(t, func(o *queue.TasksOptions) { o.Base = &c }), false, contacts("a", "ada"))
		c.want(t, 2, 1)
	})
}

type silence struct{}

func (silence) RoundTrip(r *http.Request) (*http.Response, error) {
	<-r.Context().Done()
	return nil, r.Context().Err()
}

func TestA_queue_that_never_answers_is_given_up(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		q := newTasks(t, func(o *queue.TasksOptions) { o.Base = silence{} })
		added, err := q.Add(t.Context(), contacts("a", "ada"))
		if added || !fault.Is(err, fault.Retry) || !fault.Ambiguous(err) || time.Since(noon) > 30*time.Second {
			t.Errorf("got %v, %v after %v", added, err, time.Since(noon))
		}
	})
}

func TestWho_goes_away_is_not_waited_for(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		q := newTasks(t, func(o *queue.TasksOptions) { o.Base = silence{} })
		ctx, cancel := context.WithTimeout(t.Context(), time.Second)
		defer cancel()
		if added, err := q.Add(ctx, contacts("a", "ada")); added || !fault.Is(err, fault.Retry) || time.Since(noon) != time.Second {
			t.Errorf("got %v, %v after %v", added, err, time.Since(noon))
		}
	})
}

// refusedToken is a token service that answers, but gives none.
type refusedToken int

func (status refusedToken) Token() (*oauth2.Token, error) {
	return nil, &oauth2.RetrieveError{
		Response: &http.Response{StatusCode: int(status), Status: "status"}, Body: []byte("what nobody shall read"), ErrorCode: "invalid_grant",
	}
}

func TestCredentials_that_are_refused_are_the_operators_to_mend_and_show_nothing(t *testing.T) {
	t.Parallel()
	for status, kind := range map[refusedToken]fault.Kind{400: fault.Misconfigured, 403: fault.Misconfigured, 429: fault.Retry, 503: fault.Retry} {
		var c cloudTasks
		q := tasksOver(t, &c, func(o *queue.TasksOptions) {
			o.Client = append(o.Client[1:], option.WithTokenSource(status))
		})
		_, err := q.Add(t.Context(), contacts("a", "ada"))
		if !fault.Is(err, kind) || kind == fault.Misconfigured && strings.Contains(err.Error(), "nobody") {
			t.Errorf("status %d: got %v, want kind %v", status, err, kind)
		}
		c.want(t, 0, 0)
	}
}

func TestA_queue_that_cannot_work_is_refused_at_the_start(t *testing.T) {
	t.Parallel()
	for name, o := range map[string]queue.TasksOptions{
		"no queue":           {PublicURL: publicURL},
		"not a queue":        {Queue: "inline", PublicURL: publicURL},
		"a task":             {Queue: queuePath + "/tasks/a", PublicURL: publicURL},
		"no address":         {Queue: queuePath},
		"no http address":    {Queue: queuePath, PublicURL: "ftp://tandem.example.com"},
		"a query":            {Queue: queuePath, PublicURL: publicURL + "?a=b"},
		"a token in clear":   {Queue: queuePath, PublicURL: "http://tandem.example.com", Invoker: invoker},
		"options that clash": {Queue: queuePath, PublicURL: publicURL, Client: []option.ClientOption{option.WithAPIKey("key")}},
	} {
		o.Client = append(o.Client, option.WithoutAuthentication())
		if q, err := queue.NewTasks(t.Context(), o); q != nil || !fault.Is(err, fault.Misconfigured) || !strings.Contains(err.Error(), "open queue: ") {
			t.Errorf("%s: got %v", name, err)
		}
	}
}

func TestMany_may_add_at_once_and_one_of_the_same_name_wins(t *testing.T) {
	t.Parallel()
	var c cloudTasks
	q := tasksOver(t, &c)
	var wg sync.WaitGroup
	var mu sync.Mutex
	won := 0
	for range 8 {
		wg.Go(func() {
			added, err := q.Add(t.Context(), contacts("a", "ada"))
			mu.Lock()
			defer mu.Unlock()
			if err != nil {
				t.Error(err)
			}
			if added {
				won++
			}
		})
	}
	wg.Wait()
	if won != 1 {
		t.Errorf("%d took the name", won)
	}
	c.want(t, 8, 1)
}
