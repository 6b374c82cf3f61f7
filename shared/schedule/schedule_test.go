package schedule_test

import (
	"encoding/json"
	"fmt"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"
	"golang.org/x/oauth2"
	"google.golang.org/api/option"

	"github.com/tandem-sync/tandem/shared/fault"
	"github.com/tandem-sync/tandem/shared/record"
	"github.com/tandem-sync/tandem/shared/schedule"
)

const (
	location    = "projects/acme-crm/locations/europe-west3"
	contactsJob = location + "/jobs/sync-contacts"
)

// noon is when the clock of a bubble of testing/synctest begins.
var noon = time.Date(2000, 1, 1, 0, 0, 0, 0, time.UTC)

// job is a job as Cloud Scheduler keeps it.
type job struct {
	Name            string          `json:"name"`
	Schedule        string          `json:"schedule"`
	TimeZone        string          `json:"timeZone"`
	State           string          `json:"state"`
	LastAttemptTime string          `json:"lastAttemptTime,omitempty"`
	ScheduleTime    string          `json:"scheduleTime,omitempty"`
	Status          json.RawMessage `json:"status,omitempty"`
}

// cloudScheduler is Cloud Scheduler as far as the jobs are concerned. It refuses what the real one refuses.
type cloudScheduler struct {
	mu    sync.Mutex
	jobs  map[string]*job
	calls []string
	runs  int
	token string
	// before is called with each call before it takes effect; what it returns is the answer, if it is one.
	before func(call string) *answer
	// after is the same after it took effect.
	after func(call string) *answer
}

type answer struct {
	status int
	header map[string]string
	body   string
}

func refusal(code int, status, message string, details ...string) *answer {
	return &answer{status: code, body: fmt.Sprintf(`{"error":{"code":%d,"message":%q,"status":%q,"details":[%s]}}`,
		code, message, status, strings.Join(details, ","))}
}

// scheduler has both jobs, as Terraform makes them.
func scheduler(state, cron string) *cloudScheduler {
	c := &cloudScheduler{jobs: map[string]*job{}}
	for _, name := range []string{contactsJob, location + "/jobs/sync-activities"} {
		c.jobs[name] = &job{Name: name, Schedule: cron, TimeZone: "Etc/UTC", State: state}
	}
	return c
}

func (c *cloudScheduler) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	c.mu.Lock()
	defer c.mu.Unlock()
	name, verb := split(r)
	call := verb + " " + name[strings.LastIndex(name, "/")+1:]
	c.calls = append(c.calls, call)
	a := hook(c.before, call)
	if a == nil {
		a = c.serve(r, name, verb)
		if late := hook(c.after, call); late != nil {
			a = late
		}
	}
	w.Header().Set("Content-Type", "application/json; charset=UTF-8")
	for key, value := range a.header {
		w.Header().Set(key, value)
	}
	w.WriteHeader(a.status)
	_, _ = w.Write([]byte(a.body))
}

func hook(f func(string) *answer, call string) *answer {
	if f == nil {
		return nil
	}
	return f(call)
}

// split tells the job's name and what is asked for.
func split(r *http.Request) (name, verb string) {
	name, action, _ := strings.Cut(strings.TrimPrefix(r.URL.Path, "/v1/"), ":")
	return name, map[string]string{"GET ": "get", "PATCH ": "patch", "POST pause": "pause", "POST resume": "resume", "POST run": "run"}[r.Method+" "+action]
}

func (c *cloudScheduler) serve(r *http.Request, name, verb string) *answer {
	if c.token != "" && r.Header.Get("Authorization") != "Bearer "+c.token {
		return refusal(401, "UNAUTHENTICATED", "no token")
	}
	j := c.jobs[name]
	if j == nil {
		return refusal(404, "NOT_FOUND", "Job not found.")
	}
	query := url.Values{"alt": {"json"}, "prettyPrint": {"false"}, "fields": {"state"}}
	var sent map[string]string
	if verb != "get" {
		if err := json.NewDecoder(r.Body).Decode(&sent); err != nil {
			return refusal(400, "INVALID_ARGUMENT", "no body")
		}
	}
	want := map[string]string{}
	switch verb {
	case "get":
		query.Set("fields", "schedule,timeZone,state,lastAttemptTime,scheduleTime,status")
		want = nil
	case "patch":
		query.Set("updateMask", "schedule")
		want["name"], want["schedule"] = name, sent["schedule"]
	case "":
		return refusal(404, "NOT_FOUND", "no such method")
	}
	if diff := cmp.Diff(query, r.URL.Query()) + cmp.Diff(want, sent); diff != "" {
		return refusal(400, "INVALID_ARGUMENT", diff)
	}
	if refused := c.change(j, verb, sent["schedule"]); refused != nil {
		return refused
	}
	body, _ := json.Marshal(j)
	return &answer{status: 200, body: string(body)}
}

func (c *cloudScheduler) change(j *job, verb, cron string) *answer {
	wrongState := func(want string) *answer {
		return refusal(400, "FAILED_PRECONDITION", "Job.state must be "+want+".")
	}
	switch verb {
	case "patch":
		if len(strings.Fields(cron)) != 5 {
			return refusal(400, "INVALID_ARGUMENT", "Schedule or time zone is invalid.")
		}
		if j.State == "PAUSED" || j.State == "DISABLED" {
			return wrongState("ENABLED")
		}
		j.State, j.Schedule = "ENABLED", cron
	case "pause":
		if j.State != "ENABLED" {
			return wrongState("ENABLED")
		}
		j.State = "PAUSED"
	case "resume":
		if j.State != "PAUSED" {
			return wrongState("PAUSED")
		}
		j.State = "ENABLED"
	case "run":
		c.runs++
	}
	return nil
}

// want checks the calls, and the state of the job of contacts; the other one is never touched.
func (c *cloudScheduler) want(t *testing.T, state, cron string, calls ...string) {
	t.Helper()
	c.mu.Lock()
	defer c.mu.Unlock()
	for i, verb := range calls {
		calls[i] = verb + " sync-contacts"
	}
	if diff := cmp.Diff(calls, c.calls); diff != "" {
		t.Errorf("calls (-want +got):\n%s", diff)
	}
	if j := c.jobs[contactsJob]; j.State != state || j.Schedule != cron {
		t.Errorf("got the job %+v, want %s, %s", *j, state, cron)
	}
}

// RoundTrip serves without a network, for clocks of testing/synctest.
func (c *cloudScheduler) RoundTrip(r *http.Request) (*http.Response, error) {
	w := httptest.NewRecorder()
	c.ServeHTTP(w, r)
	return w.Result(), nil
}

// jobsOver speaks to a server of its own.
func jobsOver(t *testing.T, c *cloudScheduler) *schedule.Jobs {
	t.Helper()
	server := httptest.NewServer(c)
	t.Cleanup(server.Close)
	credentials := option.WithoutAuthentication()
	if c.token != "" {
		credentials = option.WithTokenSource(oauth2.StaticTokenSource(&oauth2.Token{AccessToken: c.token}))
	}
	return newJobs(t, schedule.Options{Client: []option.ClientOption{option.WithEndpoint(server.URL + "/"), credentials}})
}

func newJobs(t *testing.T, o schedule.Options) *schedule.Jobs {
	t.Helper()
	o.Location = location
	if o.Client == nil {
		o.Client = []option.ClientOption{option.WithoutAuthentication()}
	}
	j, err := schedule.New(t.Context(), o)
	if err != nil {
		t.Fatal(err)
	}
	return j
}

const hourly = "0 * * * *"

func TestFollow_writes_only_what_differs(t *testing.T) {
	t.Parallel()
	for name, tc := range map[string]struct {
		state, cron string
		shortest    time.Duration
		calls       []string
		wantState   string
		wantCron    string
	}{
		"runs as it should":         {"ENABLED", hourly, time.Hour, []string{"get"}, "ENABLED", hourly},
		"with other blanks":         {"ENABLED", " 0  * * * * ", time.Hour, []string{"get"}, "ENABLED", " 0  * * * * "},
		"another interval":          {"ENABLED", hourly, 5 * time.Minute, []string{"get", "patch"}, "ENABLED", "*/5 * * * *"},
		"nobody any more":           {"ENABLED", hourly, 0, []string{"get", "pause"}, "PAUSED", hourly},
		"still nobody":              {"PAUSED", hourly, 0, []string{"get"}, "PAUSED", hourly},
		"somebody again":            {"PAUSED", hourly, time.Hour, []string{"get", "resume"}, "ENABLED", hourly},
		"somebody, otherwise":       {"PAUSED", hourly, time.Minute, []string{"get", "resume", "patch"}, "ENABLED", "* * * * *"},
		"failed update is mended":   {"UPDATE_FAILED", hourly, time.Hour, []string{"get", "patch"}, "ENABLED", hourly},
		"failed update, and nobody": {"UPDATE_FAILED", hourly, 0, []string{"get"}, "UPDATE_FAILED", hourly},
		"switched off, and nobody":  {"DISABLED", hourly, 0, []string{"get"}, "DISABLED", hourly},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			c := scheduler(tc.state, tc.cron)
			if err := jobsOver(t, c).Follow(t.Context(), record.Contacts, tc.shortest); err != nil {
				t.Error(err)
			}
			c.want(t, tc.wantState, tc.wantCron, tc.calls...)
			if other := c.jobs[location+"/jobs/sync-activities"]; other.State != tc.state || other.Schedule != tc.cron {
				t.Errorf("the other job became %+v", *other)
			}
		})
	}
}

func TestFollowing_twice_is_following_once(t *testing.T) {
	t.Parallel()
	c := scheduler("PAUSED", hourly)
	j := jobsOver(t, c)
	for range 2 {
		if err := j.Follow(t.Context(), record.Contacts, 15*time.Minute); err != nil {
			t.Error(err)
		}
	}
	c.want(t, "ENABLED", "*/15 * * * *", "get", "resume", "patch", "get")
}

func TestEach_sync_type_has_its_job(t *testing.T) {
	t.Parallel()
	c := scheduler("ENABLED", hourly)
	j := jobsOver(t, c)
	if err := j.Follow(t.Context(), record.Activities, 0); err != nil {
		t.Error(err)
	}
	if diff := cmp.Diff([]string{"get sync-activities", "pause sync-activities"}, c.calls); diff != "" {
		t.Errorf("calls (-want +got):\n%s", diff)
	}
}

func TestEvery_interval_that_users_can_choose_has_its_cron_text(t *testing.T) {
	t.Parallel()
	got := map[int]string{}
	for _, minutes := range []int{1, 5, 10, 15, 30, 60, 240, 1440} {
		got[minutes] = schedule.Cron(time.Duration(minutes) * time.Minute)
	}
	want := map[int]string{
		1: "* * * * *", 5: "*/5 * * * *", 10: "*/10 * * * *", 15: "*/15 * * * *", 30: "*/30 * * * *",
		60: "0 * * * *", 240: "0 */4 * * *", 1440: "0 3 * * *",
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("cron texts (-want +got):\n%s", diff)
	}
}

func TestAn_interval_between_two_is_served_as_the_shorter_one(t *testing.T) {
	t.Parallel()
	for interval, want := range map[time.Duration]string{
		time.Second: "* * * * *", 4 * time.Minute: "* * * * *", 7 * time.Minute: "*/5 * * * *", 59 * time.Minute: "*/30 * * * *",
		23 * time.Hour: "0 */4 * * *", 72 * time.Hour: "0 3 * * *",
	} {
		if got := schedule.Cron(interval); got != want {
			t.Errorf("%v: got %q, want %q", interval, got, want)
		}
	}
}

func TestThe_period_of_a_job_is_that_of_its_cron_text(t *testing.T) {
	t.Parallel()
	for interval, want := range map[time.Duration]time.Duration{
		0: time.Minute, time.Minute: time.Minute, 7 * time.Minute: 5 * time.Minute, time.Hour: time.Hour, 5 * time.Hour: 4 * time.Hour, 72 * time.Hour: 24 * time.Hour,
	} {
		if got := schedule.Period(interval); got != want {
			t.Errorf("%v: got %v, want %v", interval, got, want)
		}
	}
}

func TestWhat_a_second_copy_did_a_moment_before_is_no_error(t *testing.T) {
	t.Parallel()
	for verb, tc := range map[string]struct {
		from, to string
		shortest time.Duration
	}{
		"pause":  {"ENABLED", "PAUSED", 0},
		"resume": {"PAUSED", "ENABLED", time.Hour},
	} {
		c := scheduler(tc.from, hourly)
		c.before = func(call string) *answer {
			if strings.HasPrefix(call, verb) {
				c.jobs[contactsJob].State = tc.to
			}
			return nil
		}
		if err := jobsOver(t, c).Follow(t.Context(), record.Contacts, tc.shortest); err != nil {
			t.Errorf("%s: %v", verb, err)
		}
		c.want(t, tc.to, hourly, "get", verb, "get")
	}
}

func TestA_job_that_is_paused_just_before_its_update_is_followed_again_later(t *testing.T) {
	t.Parallel()
	c := scheduler("ENABLED", hourly)
	c.before = func(call string) *answer {
		if strings.HasPrefix(call, "patch") {
			c.jobs[contactsJob].State = "PAUSED"
		}
		return nil
	}
	if err := jobsOver(t, c).Follow(t.Context(), record.Contacts, time.Minute); !fault.Is(err, fault.Retry) {
		t.Errorf("got %v", err)
	}
	c.want(t, "PAUSED", hourly, "get", "patch")
}

func TestAn_update_that_brings_a_job_back_to_its_pause_is_followed_by_its_start(t *testing.T) {
	t.Parallel()
	c := scheduler("UPDATE_FAILED", hourly)
	c.after = func(call string) *answer {
		if !strings.HasPrefix(call, "patch") {
			return nil
		}
		c.jobs[contactsJob].State = "PAUSED"
		return &answer{status: 200, body: `{"state":"PAUSED"}`}
	}
	if err := jobsOver(t, c).Follow(t.Context(), record.Contacts, time.Hour); err != nil {
		t.Error(err)
	}
	c.want(t, "ENABLED", hourly, "get", "patch", "resume")
}

func TestAn_update_that_cloud_scheduler_does_not_carry_out_is_tried_again_later(t *testing.T) {
	t.Parallel()
	c := scheduler("ENABLED", hourly)
	c.after = func(call string) *answer {
		if !strings.HasPrefix(call, "patch") {
			return nil
		}
		return &answer{status: 200, body: `{"state":"UPDATE_FAILED"}`}
	}
	if err := jobsOver(t, c).Follow(t.Context(), record.Contacts, time.Minute); !fault.Is(err, fault.Retry) {
		t.Errorf("got %v", err)
	}
}

func TestA_job_that_is_missing_or_switched_off_says_what_to_do(t *testing.T) {
	t.Parallel()
	missing := scheduler("ENABLED", hourly)
	missing.jobs = nil
	for code, c := range map[string]*cloudScheduler{"job-missing": missing, "job-disabled": scheduler("DISABLED", hourly)} {
		err := jobsOver(t, c).Follow(t.Context(), record.Contacts, time.Hour)
		f, ok := err.(*fault.Error)
		if !ok || f.Kind != fault.Misconfigured || f.Code != code || f.Side != "schedule" || !strings.Contains(err.Error(), contactsJob) || !strings.Contains(err.Error(), "terraform") {
			t.Errorf("%s: got %v", code, err)
		}
		if len(c.calls) != 1 {
			t.Errorf("%s: got calls %v", code, c.calls)
		}
	}
}

func TestAn_administrator_pauses_resumes_and_runs_a_job(t *testing.T) {
	t.Parallel()
	c := scheduler("ENABLED", hourly)
	c.token = "process-token"
	j := jobsOver(t, c)
	for _, step := range []error{
		j.Pause(t.Context(), record.Contacts), j.Pause(t.Context(), record.Contacts), j.Resume(t.Context(), record.Contacts),
		j.Resume(t.Context(), record.Contacts), j.Run(t.Context(), record.Contacts),
	} {
		if step != nil {
			t.Error(step)
		}
	}
	c.want(t, "ENABLED", hourly, "pause", "pause", "get", "resume", "resume", "get", "run")
	if c.runs != 1 {
		t.Errorf("ran %d times", c.runs)
	}
}

func TestA_job_that_cloud_scheduler_switched_off_cannot_be_resumed(t *testing.T) {
	t.Parallel()
	c := scheduler("DISABLED", hourly)
	if err := jobsOver(t, c).Resume(t.Context(), record.Contacts); !fault.Is(err, fault.Misconfigured) {
		t.Errorf("got %v", err)
	}
	c.want(t, "DISABLED", hourly, "resume", "get")
}

func TestState_tells_what_an_administrator_wants_to_know(t *testing.T) {
	t.Parallel()
	last, next := noon.Add(time.Hour), noon.Add(2*time.Hour)
	for name, tc := range map[string]struct {
		job  job
		want schedule.State
	}{
		"runs": {
			job{State: "ENABLED", LastAttemptTime: "2000-01-01T02:00:00.000000+01:00", ScheduleTime: "2000-01-01T02:00:00Z", Status: json.RawMessage(`{}`)},
			schedule.State{Last: last, Next: next},
		},
		"never ran":   {job{State: "ENABLED", ScheduleTime: "2000-01-01T02:00:00Z"}, schedule.State{Next: next}},
		"failed":      {job{State: "ENABLED", LastAttemptTime: "2000-01-01T01:00:00Z", Status: json.RawMessage(`{"code":14,"message":"x"}`)}, schedule.State{Last: last, Failure: "Unavailable"}},
		"paused":      {job{State: "PAUSED", ScheduleTime: "2000-01-01T02:00:00Z"}, schedule.State{Paused: true}},
		"disabled":    {job{State: "DISABLED"}, schedule.State{Broken: true}},
		"not updated": {job{State: "UPDATE_FAILED"}, schedule.State{Broken: true}},
	} {
		c := scheduler("ENABLED", hourly)
		tc.job.Schedule, tc.job.TimeZone = hourly, "Etc/UTC"
		tc.want.Schedule, tc.want.TimeZone = hourly, "Etc/UTC"
		c.jobs[contactsJob] = &tc.job
		got, err := jobsOver(t, c).State(t.Context(), record.Contacts)
		if diff := cmp.Diff(tc.want, got); diff != "" || err != nil {
			t.Errorf("%s: %v (-want +got):\n%s", name, err, diff)
		}
		c.want(t, tc.job.State, hourly, "get")
	}
}

func TestA_state_that_cannot_be_read_is_no_state(t *testing.T) {
	t.Parallel()
	c := scheduler("ENABLED", hourly)
	c.jobs[contactsJob].LastAttemptTime = "yesterday"
	if s, err := jobsOver(t, c).State(t.Context(), record.Contacts); s != (schedule.State{}) || !fault.Is(err, fault.Retry) {
		t.Errorf("got %+v, %v", s, err)
	}
}

func TestA_refusal_is_the_operators_to_mend_or_passes_by_itself(t *testing.T) {
	t.Parallel()
	for name, tc := range map[string]struct {
		answer *answer
		kind   fault.Kind
		code   string
		calls  int
		after  time.Duration
	}{
		"no permission":  {refusal(403, "PERMISSION_DENIED", "no cloudscheduler.jobs.get"), fault.Misconfigured, "denied", 1, 0},
		"api is off":     {refusal(403, "PERMISSION_DENIED", "off", `{"reason":"SERVICE_DISABLED"}`), fault.Misconfigured, "api-disabled", 1, 0},
		"no credentials": {refusal(401, "UNAUTHENTICATED", "who"), fault.Misconfigured, "credentials", 1, 0},
		"bad location":   {refusal(400, "INVALID_ARGUMENT", "location"), fault.Misconfigured, "refused", 1, 0},
		"quota":          {refusal(429, "RESOURCE_EXHAUSTED", "quota", `{"retryDelay":"40s"}`), fault.Retry, "quota", 3, 40 * time.Second},
		"wait":           {&answer{status: 503, header: map[string]string{"Retry-After": "90"}}, fault.Retry, "unavailable", 1, 90 * time.Second},
		"page of proxy":  {&answer{status: 502, body: "<html>" + strings.Repeat("bad gateway ", 1000)}, fault.Retry, "unavailable", 3, 0},
		"no JSON":        {&answer{status: 200, body: "{"}, fault.Retry, "malformed-reply", 1, 0},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				c := scheduler("ENABLED", hourly)
				c.before = func(string) *answer { return tc.answer }
				err := newJobs(t, schedule.Options{Base: c}).Follow(t.Context(), record.Contacts, time.Minute)
				f, ok := err.(*fault.Error)
				if !ok || f.Kind != tc.kind || f.Code != tc.code || f.After != tc.after || len(err.Error()) > 500 {
					t.Errorf("got %v after %v, want kind %v, code %s", err, fault.After(err), tc.kind, tc.code)
				}
				if len(c.calls) != tc.calls {
					t.Errorf("got %v, want %d calls", c.calls, tc.calls)
				}
			})
		})
	}
}

func TestA_change_whose_answer_was_lost_is_made_once(t *testing.T) {
	t.Parallel()
	for verb, tc := range map[string]struct {
		from, to, cron string
		shortest       time.Duration
		calls          []string
	}{
		"pause":  {"ENABLED", "PAUSED", hourly, 0, []string{"get", "pause", "pause", "get"}},
		"resume": {"PAUSED", "ENABLED", hourly, time.Hour, []string{"get", "resume", "resume", "get"}},
		"patch":  {"ENABLED", "ENABLED", "*/10 * * * *", 10 * time.Minute, []string{"get", "patch", "patch"}},
	} {
		t.Run(verb, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				c, lost := scheduler(tc.from, hourly), false
				c.after = func(call string) *answer {
					if lost || !strings.HasPrefix(call, verb) {
						return nil
					}
					lost = true
					return &answer{status: 504}
				}
				if err := newJobs(t, schedule.Options{Base: c}).Follow(t.Context(), record.Contacts, tc.shortest); err != nil {
					t.Error(err)
				}
				c.want(t, tc.to, tc.cron, tc.calls...)
			})
		})
	}
}

func TestA_job_is_not_run_a_second_time_where_the_first_may_have_begun(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		c := scheduler("ENABLED", hourly)
		c.after = func(string) *answer { return &answer{status: 504} }
		err := newJobs(t, schedule.Options{Base: c}).Run(t.Context(), record.Contacts)
		if !fault.Is(err, fault.Retry) || !fault.Ambiguous(err) || c.runs != 1 {
			t.Errorf("got %v and %d runs", err, c.runs)
		}
	})
}

type silence struct{}

func (silence) RoundTrip(r *http.Request) (*http.Response, error) {
	<-r.Context().Done()
	return nil, r.Context().Err()
}

func TestA_scheduler_that_never_answers_is_given_up(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		j := newJobs(t, schedule.Options{Base: silence{}})
		start := time.Now()
		if err := j.Follow(t.Context(), record.Contacts, time.Hour); !fault.Is(err, fault.Retry) || time.Since(start) > 30*time.Second {
			t.Errorf("got %v after %v", err, time.Since(start))
		}
	})
}

func TestWhat_no_job_stands_for_is_a_bug_and_no_call(t *testing.T) {
	t.Parallel()
	c := scheduler("ENABLED", hourly)
	j := jobsOver(t, c)
	_, state := j.State(t.Context(), "../other")
	for what, err := range map[string]error{
		"interval": j.Follow(t.Context(), record.Contacts, -time.Minute), "follow": j.Follow(t.Context(), "tasks", time.Hour),
		"pause": j.Pause(t.Context(), ""), "resume": j.Resume(t.Context(), "x"), "run": j.Run(t.Context(), "x"), "state": state,
	} {
		if !fault.Is(err, fault.Bug) {
			t.Errorf("%s: got %v", what, err)
		}
	}
	if len(c.calls) != 0 {
		t.Errorf("got calls %v", c.calls)
	}
}

func TestA_scheduler_that_cannot_work_is_refused_at_the_start(t *testing.T) {
	t.Parallel()
	for name, o := range map[string]schedule.Options{
		"no location":        {},
		"a job":              {Location: contactsJob},
		"options that clash": {Location: location, Client: []option.ClientOption{option.WithAPIKey("key"), option.WithoutAuthentication()}},
	} {
		if j, err := schedule.New(t.Context(), o); j != nil || !fault.Is(err, fault.Misconfigured) || !strings.Contains(err.Error(), "open scheduler: ") {
			t.Errorf("%s: got %v", name, err)
		}
	}
}
