package queue_test

import (
	"context"
	"encoding/json"
	"regexp"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"cloud.google.com/go/cloudtasks/apiv2/cloudtaskspb"
	"github.com/google/go-cmp/cmp"
	"golang.org/x/oauth2"
	"google.golang.org/api/option"
	"google.golang.org/genproto/googleapis/rpc/errdetails"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"
	"google.golang.org/protobuf/protoadapt"
	"google.golang.org/protobuf/testing/protocmp"
	"google.golang.org/protobuf/types/known/durationpb"

	"github.com/tandem-sync/tandem/shared/fault"
	"github.com/tandem-sync/tandem/shared/observe"
	"github.com/tandem-sync/tandem/shared/queue"
	"github.com/tandem-sync/tandem/shared/record"
	cloudbox "github.com/tandem-sync/tandem/shared/sandbox/cloud"
)

const (
	queuePath = "projects/acme-crm/locations/europe-west3/queues/tandem-sync"
	publicURL = "https://tandem.example.com"
	invoker   = "tandem-invoker@acme-crm.iam.gserviceaccount.com"
)

// tasksOver makes a queue on a Cloud Tasks server of its own, on which the queue exists.
func tasksOver(t *testing.T, change ...func(*queue.TasksOptions)) (*queue.Tasks, *cloudbox.Server) {
	t.Helper()
	c := cloudbox.Start()
	t.Cleanup(c.Stop)
	c.Tasks.AddQueue(queuePath)
	o := queue.TasksOptions{Queue: queuePath, PublicURL: publicURL, Invoker: invoker, Client: c.Options()}
	for _, f := range change {
		f(&o)
	}
	q, err := queue.NewTasks(o)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = q.Close() })
	return q, c
}

// want checks the number of calls and of tasks.
func want(t *testing.T, c *cloudbox.Server, calls, tasks int) {
	t.Helper()
	if gotCalls, gotTasks := len(c.Calls()), len(c.Tasks.Taken()); gotCalls != calls || gotTasks != tasks {
		t.Errorf("got %d calls and %d tasks, want %d and %d", gotCalls, gotTasks, calls, tasks)
	}
}

// request is the call that the newest task makes.
func request(c *cloudbox.Server) *cloudtaskspb.HttpRequest {
	taken := c.Tasks.Taken()
	return taken[len(taken)-1].GetHttpRequest()
}

// refusal is an error of the service, with its details.
func refusal(code codes.Code, message string, details ...protoadapt.MessageV1) error {
	s, err := status.New(code, message).WithDetails(details...)
	if err != nil {
		panic(err)
	}
	return s.Err()
}

// failNext makes the next calls fail, each with one of the faults.
func failNext(c *cloudbox.Server, faults ...cloudbox.Fault) {
	c.SetFault(func(cloudbox.Call) *cloudbox.Fault {
		if len(faults) == 0 {
			return nil
		}
		next := faults[0]
		faults = faults[1:]
		return &next
	})
}

// failAlways makes every call fail.
func failAlways(c *cloudbox.Server, f cloudbox.Fault) {
	c.SetFault(func(cloudbox.Call) *cloudbox.Fault { return &f })
}

func TestA_task_becomes_one_call_of_the_types_function_with_the_users_id_alone(t *testing.T) {
	t.Parallel()
	q, c := tasksOver(t)
	add(t, q, true, queue.Task{Name: "abc", Type: record.Activities, User: `ada "the <first>"`, Trigger: "schedule"})
	want(t, c, 1, 1)
	wantTask := &cloudtaskspb.Task{
		Name: queuePath + "/tasks/ba7816bf-abc", DispatchDeadline: durationpb.New(30 * time.Minute),
		MessageType: &cloudtaskspb.Task_HttpRequest{HttpRequest: &cloudtaskspb.HttpRequest{
			Url: publicURL + "/sync-activities", HttpMethod: cloudtaskspb.HttpMethod_POST, Headers: map[string]string{"Content-Type": "application/json"},
			AuthorizationHeader: &cloudtaskspb.HttpRequest_OidcToken{OidcToken: &cloudtaskspb.OidcToken{
				ServiceAccountEmail: invoker, Audience: publicURL + "/sync-activities",
			}},
		}},
	}
	got := c.Tasks.Taken()[0]
	body := got.GetHttpRequest().GetBody()
	got.GetHttpRequest().Body = nil
	if diff := cmp.Diff(wantTask, got, protocmp.Transform()); diff != "" {
		t.Errorf("task (-want +got):\n%s", diff)
	}
	var fields map[string]string
	if err := json.Unmarshal(body, &fields); err != nil {
		t.Error(err)
	}
	if diff := cmp.Diff(map[string]string{"user": `ada "the <first>"`}, fields); diff != "" {
		t.Errorf("body %s (-want +got):\n%s", body, diff)
	}
}

func TestA_page_of_users_becomes_a_call_with_its_place_alone(t *testing.T) {
	t.Parallel()
	q, c := tasksOver(t)
	add(t, q, true, queue.Task{Name: "page", Type: record.Contacts, After: "eyJ9_-"})
	if got := request(c); string(got.GetBody()) != `{"after":"eyJ9_-"}` || got.GetUrl() != publicURL+"/sync-contacts" || len(got.GetHeaders()) != 1 {
		t.Errorf("got %v", got)
	}
}

func TestThe_run_id_and_the_trigger_travel_in_headers(t *testing.T) {
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
			q, c := tasksOver(t)
			tc.task.Name, tc.task.Type, tc.task.User = "run-1", record.Contacts, "ada"
			add(t, q, true, tc.task)
			tc.want["Content-Type"] = "application/json"
			if diff := cmp.Diff(tc.want, request(c).GetHeaders()); diff != "" {
				t.Errorf("headers (-want +got):\n%s", diff)
			}
		})
	}
}

func TestA_task_carries_the_trace_of_the_caller_that_added_it(t *testing.T) {
	t.Parallel()
	const parent = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"
	q, c := tasksOver(t)
	task := queue.Task{Name: "run-1", Type: record.Contacts, User: "ada"}
	if _, err := q.Add(observe.Continue(t.Context(), parent), task); err != nil {
		t.Fatal(err)
	}
	if got := request(c).GetHeaders()["Traceparent"]; got != parent {
		t.Errorf("got the trace %q, want %q", got, parent)
	}
}

func TestWithout_an_invoker_a_call_carries_no_token(t *testing.T) {
	t.Parallel()
	q, c := tasksOver(t, func(o *queue.TasksOptions) { o.Invoker, o.PublicURL = "", "http://tandem.example.com/" })
	add(t, q, true, contacts("a", "ada"))
	if got := request(c); got.GetOidcToken() != nil || got.GetUrl() != "http://tandem.example.com/sync-contacts" {
		t.Errorf("got %v", got)
	}
}

func TestA_token_is_for_the_audience_that_the_function_expects(t *testing.T) {
	t.Parallel()
	q, c := tasksOver(t, func(o *queue.TasksOptions) {
		o.Audience = func(function string) string { return "https://run.example.com/" + function }
	})
	for kind, audience := range map[record.Type]string{
		record.Contacts: "https://run.example.com/sync-contacts", record.Activities: "https://run.example.com/sync-activities",
	} {
		add(t, q, true, queue.Task{Name: string(kind), Type: kind, User: "ada"})
		if got := request(c); got.GetOidcToken().GetAudience() != audience || got.GetUrl() != publicURL+"/sync-"+string(kind) {
			t.Errorf("%s: got %v", kind, got)
		}
	}
}

func TestCalls_of_the_queue_carry_the_credentials_of_the_process(t *testing.T) {
	t.Parallel()
	var server *cloudbox.Server
	q, c := tasksOver(t, func(o *queue.TasksOptions) {
		server = cloudbox.Start()
		t.Cleanup(server.Stop)
		server.Tasks.AddQueue(queuePath)
		server.WantToken("process-token")
		o.Client = append(server.Address(), option.WithTokenSource(oauth2.StaticTokenSource(&oauth2.Token{AccessToken: "process-token"})))
	})
	add(t, q, true, contacts("a", "ada"))
	want(t, server, 1, 1)
	want(t, c, 0, 0)
}

func TestA_name_in_use_is_no_error(t *testing.T) {
	t.Parallel()
	q, c := tasksOver(t)
	slot := queue.Name("ada", record.Contacts, noon)
	add(t, q, true, contacts(slot, "ada"))
	add(t, q, false, contacts(slot, "ada"))
	add(t, q, true, contacts(queue.Name("ada", record.Contacts, noon.Add(time.Minute)), "ada"))
	want(t, c, 3, 2)
}

func TestSequential_names_get_ids_that_are_not_sequential(t *testing.T) {
	t.Parallel()
	q, c := tasksOver(t)
	long := strings.Repeat("x", 499)
	first := map[string]bool{}
	for n, name := range []string{"run-20000101-1", "run-20000101-2", long + "1", long + "2"} {
		add(t, q, true, contacts(name, "ada"))
		id := strings.TrimPrefix(c.Tasks.Taken()[n].GetName(), queuePath+"/tasks/")
		if first[id[:4]] || !regexp.MustCompile(`^[0-9a-f]{8}`).MatchString(id) {
			t.Errorf("the id %q begins as another one, or with no hash", id)
		}
		first[id[:4]] = true
	}
	want(t, c, 4, 4)
}

func TestA_task_is_scheduled_only_if_its_time_is_in_the_future(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		q, c := tasksOver(t)
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
		for _, task := range c.Tasks.Taken() {
			at := ""
			if task.GetScheduleTime() != nil {
				at = task.GetScheduleTime().AsTime().Format(time.RFC3339Nano)
			}
			got[task.GetName()[len(task.GetName())-4:]] = at
		}
		wantTimes := map[string]string{"zero": "", "past": "", "-now": "", "ater": "2000-01-01T00:00:01.5Z", "last": "2000-01-31T00:00:00Z"}
		if diff := cmp.Diff(wantTimes, got); diff != "" {
			t.Errorf("times (-want +got):\n%s", diff)
		}
		want(t, c, 5, 5)
	})
}

func TestA_task_that_cloud_tasks_cannot_carry_is_a_bug_and_no_call(t *testing.T) {
	t.Parallel()
	q, c := tasksOver(t)
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
	want(t, c, 0, 0)
}

func TestAn_error_of_cloud_tasks_is_misconfigured_or_temporary(t *testing.T) {
	t.Parallel()
	for name, tc := range map[string]struct {
		err   error
		kind  fault.Kind
		code  string
		calls int
	}{
		"no permission":    {refusal(codes.PermissionDenied, "no cloudtasks.tasks.create"), fault.Misconfigured, "denied", 1},
		"api is off":       {refusal(codes.PermissionDenied, "off", &errdetails.ErrorInfo{Reason: "SERVICE_DISABLED"}), fault.Misconfigured, "api-disabled", 1},
		"no credentials":   {refusal(codes.Unauthenticated, "who"), fault.Misconfigured, "credentials", 1},
		"no queue":         {refusal(codes.NotFound, "Queue does not exist."), fault.Misconfigured, "queue-missing", 1},
		"a disabled queue": {refusal(codes.FailedPrecondition, "Queue is disabled."), fault.Misconfigured, "queue-missing", 1},
		"bad account":      {refusal(codes.InvalidArgument, "account"), fault.Misconfigured, "refused", 1},
		"rate as denial":   {refusal(codes.PermissionDenied, "fast", &errdetails.ErrorInfo{Reason: "RATE_LIMIT_EXCEEDED"}), fault.Retry, "quota", 1},
		"aborted":          {refusal(codes.Aborted, "met another"), fault.Retry, "unavailable", 1},
		"an accident":      {refusal(codes.Internal, "internal"), fault.Retry, "unavailable", 1},
		"out of reach":     {refusal(codes.Unavailable, strings.Repeat("bad gateway ", 1000)), fault.Retry, "unavailable", 3},
		"too slow":         {refusal(codes.DeadlineExceeded, "slow"), fault.Retry, "interrupted", 3},
		"quota":            {refusal(codes.ResourceExhausted, "quota"), fault.Retry, "quota", 3},
		"another service":  {refusal(codes.Unimplemented, "unknown service"), fault.Misconfigured, "refused", 1},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				q, c := tasksOver(t)
				failAlways(c, cloudbox.Fault{Err: tc.err})
				added, err := q.Add(t.Context(), contacts("a", "ada"))
				f := asFault(t, err)
				if added || f.Kind != tc.kind || f.Code != tc.code || f.Side != "queue" || !strings.Contains(err.Error(), "add task: ") || len(err.Error()) > 500 {
					t.Errorf("got %v, %v, want kind %v, code %s", added, err, tc.kind, tc.code)
				}
				want(t, c, tc.calls, 0)
			})
		})
	}
}

func TestThe_error_for_a_missing_queue_says_what_to_do(t *testing.T) {
	t.Parallel()
	q, c := tasksOver(t, func(o *queue.TasksOptions) { o.Queue += "-2" })
	_, err := q.Add(t.Context(), contacts("a", "ada"))
	if f := asFault(t, err); f.Kind != fault.Misconfigured || f.Code != "queue-missing" || !strings.Contains(err.Error(), "terraform") {
		t.Errorf("got %v", err)
	}
	want(t, c, 1, 0)
}

func asFault(t *testing.T, err error) *fault.Error {
	t.Helper()
	f, ok := err.(*fault.Error)
	if !ok {
		t.Fatalf("got %T %v, want a fault", err, err)
	}
	return f
}

func TestAn_error_carries_the_delay_that_the_service_asked_for(t *testing.T) {
	t.Parallel()
	for name, tc := range map[string]struct {
		code  codes.Code
		wait  time.Duration
		calls int
	}{
		"too long a wait":   {codes.ResourceExhausted, 37500 * time.Millisecond, 1},
		"a bearable wait":   {codes.ResourceExhausted, 4 * time.Second, 3},
		"while unavailable": {codes.Unavailable, time.Minute, 1},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				q, c := tasksOver(t)
				failAlways(c, cloudbox.Fault{Err: refusal(tc.code, "wait", &errdetails.RetryInfo{RetryDelay: durationpb.New(tc.wait)})})
				_, err := q.Add(t.Context(), contacts("a", "ada"))
				if !fault.Is(err, fault.Retry) || fault.After(err) != tc.wait {
					t.Errorf("got %v after %v, want %v", err, fault.After(err), tc.wait)
				}
				want(t, c, tc.calls, 0)
			})
		})
	}
}

func TestA_short_outage_is_waited_out(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		q, c := tasksOver(t)
		failNext(c, cloudbox.Fault{Err: refusal(codes.Unavailable, "busy")},
			cloudbox.Fault{Err: refusal(codes.ResourceExhausted, "quota", &errdetails.RetryInfo{RetryDelay: durationpb.New(2 * time.Second)})})
		add(t, q, true, contacts("a", "ada"))
		want(t, c, 3, 1)
		if passed := time.Since(noon); passed < 2*time.Second || passed > 3*time.Second {
			t.Errorf("waited %v", passed)
		}
	})
}

func TestA_task_whose_answer_was_lost_is_in_the_queue_once(t *testing.T) {
	t.Parallel()
	for how, lost := range map[string]error{"unavailable": refusal(codes.Unavailable, "lost"), "no answer": nil} {
		t.Run(how, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				q, c := tasksOver(t)
				failNext(c, cloudbox.Fault{After: true, Err: lost})
				add(t, q, false, contacts("a", "ada"))
				want(t, c, 2, 1)
			})
		})
	}
}

func TestAdd_gives_up_on_a_queue_that_never_answers(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		q, c := tasksOver(t)
		failAlways(c, cloudbox.Fault{})
		added, err := q.Add(t.Context(), contacts("a", "ada"))
		if added || !fault.Is(err, fault.Retry) || !fault.Ambiguous(err) || time.Since(noon) > 30*time.Second {
			t.Errorf("got %v, %v after %v", added, err, time.Since(noon))
		}
	})
}

func TestAdd_ends_with_its_context(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		q, c := tasksOver(t)
		failAlways(c, cloudbox.Fault{})
		ctx, cancel := context.WithTimeout(t.Context(), time.Second)
		defer cancel()
		if added, err := q.Add(ctx, contacts("a", "ada")); added || !fault.Is(err, fault.Retry) || time.Since(noon) != time.Second {
			t.Errorf("got %v, %v after %v", added, err, time.Since(noon))
		}
	})
}

func TestAn_unusable_queue_is_rejected_at_the_start_or_at_the_first_call(t *testing.T) {
	t.Parallel()
	for name, o := range map[string]queue.TasksOptions{
		"no queue":         {PublicURL: publicURL},
		"not a queue":      {Queue: "inline", PublicURL: publicURL},
		"a task":           {Queue: queuePath + "/tasks/a", PublicURL: publicURL},
		"no address":       {Queue: queuePath},
		"no http address":  {Queue: queuePath, PublicURL: "ftp://tandem.example.com"},
		"a query":          {Queue: queuePath, PublicURL: publicURL + "?a=b"},
		"a token in clear": {Queue: queuePath, PublicURL: "http://tandem.example.com", Invoker: invoker},
	} {
		if q, err := queue.NewTasks(o); q != nil || !fault.Is(err, fault.Misconfigured) || !strings.Contains(err.Error(), "open queue: ") {
			t.Errorf("%s: got %v", name, err)
		}
	}
	q, _ := tasksOver(t, func(o *queue.TasksOptions) { o.Client = append(o.Client, option.WithAPIKey("key")) })
	if added, err := q.Add(t.Context(), contacts("a", "ada")); added || !fault.Is(err, fault.Misconfigured) || !strings.Contains(err.Error(), "make the client") {
		t.Errorf("with options that clash: got %v", err)
	}
}

func TestMany_may_add_at_once_and_one_of_the_same_name_wins(t *testing.T) {
	t.Parallel()
	q, c := tasksOver(t)
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
	want(t, c, 8, 1)
}
