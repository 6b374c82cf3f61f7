package queue

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"net"
	"net/url"
	"regexp"
	"strings"
	"time"

	cloudtasks "cloud.google.com/go/cloudtasks/apiv2"
	"cloud.google.com/go/cloudtasks/apiv2/cloudtaskspb"
	"google.golang.org/api/option"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"
	"google.golang.org/protobuf/types/known/durationpb"
	"google.golang.org/protobuf/types/known/timestamppb"

	"github.com/tandem-sync/tandem/shared/cloud"
	"github.com/tandem-sync/tandem/shared/fault"
	"github.com/tandem-sync/tandem/shared/observe"
)

// The headers in which a task of Cloud Tasks carries what its body may not contain.
const (
	// HeaderRun carries Task.Run; it is absent if that is empty.
	HeaderRun = "Tandem-Run"
	// HeaderTrigger carries Task.Trigger; it is absent for the trigger "schedule".
	HeaderTrigger = "Tandem-Trigger"
)

// triggerSchedule is the trigger of a request without HeaderTrigger.
const triggerSchedule = "schedule"

// tasksAPI says what the errors of Cloud Tasks mean. Cloud Tasks reports a missing queue with either code.
var tasksAPI = cloud.API{
	Side: side, Codes: map[codes.Code]string{codes.NotFound: "queue-missing", codes.FailedPrecondition: "queue-missing"},
	Hints: map[string]string{"queue-missing": "there is no such queue; apply the terraform configuration, which makes it, or correct QUEUE"},
}

// The limits of Cloud Tasks (https://cloud.google.com/tasks/docs/quotas and
// https://cloud.google.com/tasks/docs/reference/rest/v2/projects.locations.queues.tasks).
const (
	// dispatchDeadline is the longest that Cloud Tasks allows. With a shorter one it would deliver the task of a long run
	// a second time during the run. A function with a shorter timeout ends before, by itself or by the platform.
	dispatchDeadline = 30 * time.Minute
	// maxScheduleAhead is how far ahead a task may be scheduled.
	maxScheduleAhead = 30 * 24 * time.Hour
)

// TasksOptions are the settings of a queue of Cloud Tasks.
type TasksOptions struct {
	// Queue is "projects/P/locations/L/queues/Q". Terraform makes it.
	Queue string
	// PublicURL is the address to which the name of a function is appended.
	PublicURL string
	// Invoker is the service account with which the function is called; empty if calls carry no token.
	Invoker string
	// Audience returns the audience of that token for the deployed name of a function; default the address of the call.
	Audience func(function string) string
	// Client are options for the Cloud Tasks client, such as endpoint and credentials; default those of the environment.
	Client []option.ClientOption
	// Now is the clock; default time.Now.
	Now func() time.Time
}

// Tasks adds tasks to a queue of Cloud Tasks, which posts each one to the function of its sync type. It is safe for
// concurrent use.
type Tasks struct {
	options TasksOptions
	client  *cloud.Client[*cloudtasks.Client]
}

var _ Queue = (*Tasks)(nil)

// queueName is the form of a queue's name. The host name of a regional endpoint contains the location as well.
var queueName = regexp.MustCompile(`^projects/[A-Za-z0-9.:-]+/locations/[a-z0-9-]+/queues/[A-Za-z0-9-]{1,100}$`)

// NewTasks returns a queue whose client is created at the first call. Every error is of kind Misconfigured.
func NewTasks(o TasksOptions) (*Tasks, error) {
	const op = "open queue"
	if !queueName.MatchString(o.Queue) {
		return nil, fault.Errorf(fault.Misconfigured, side, "bad-queue", `%s: %q is not "projects/P/locations/L/queues/Q"`, op, o.Queue)
	}
	if err := checkTarget(o.PublicURL, o.Invoker); err != nil {
		return nil, fault.Errorf(fault.Misconfigured, side, "bad-url", "%s: %w", op, err)
	}
	o.PublicURL = strings.TrimRight(o.PublicURL, "/")
	if o.Audience == nil {
		o.Audience = func(function string) string { return o.PublicURL + "/" + function }
	}
	if o.Now == nil {
		o.Now = time.Now
	}
	return &Tasks{options: o, client: cloud.NewClient(cloudtasks.NewClient, o.Client)}, nil
}

// Close closes the connections to Cloud Tasks.
func (q *Tasks) Close() error { return q.client.Close() }

// checkTarget rejects an address that Cloud Tasks cannot call, or to which it would send a token unencrypted.
func checkTarget(publicURL, invoker string) error {
	u, err := url.Parse(publicURL)
	if err != nil || u.Host == "" || (u.Scheme != "http" && u.Scheme != "https") || u.User != nil || u.RawQuery != "" || u.Fragment != "" {
		return errors.New("the public address is no http address")
	}
	if ip := net.ParseIP(u.Hostname()); invoker != "" && u.Scheme == "http" && u.Hostname() != "localhost" && !ip.IsLoopback() {
		return errors.New("the public address has to begin with https:// where functions are called with a token")
	}
	return nil
}

// Add creates the task. Cloud Tasks reserves a name for up to 24 hours after its task ended. If the reply to the first
// attempt was lost, the second one finds the name in use and Add returns false; the task is in the queue all the same.
//
// An error is of kind Misconfigured if the queue is missing or may not be used, and of kind Retry if the failure may be
// temporary. After a Retry the task may be in the queue; it is safe to add it again.
func (q *Tasks) Add(ctx context.Context, t Task) (bool, error) {
	task, err := q.task(t, observe.Traceparent(ctx))
	if err != nil {
		return false, err
	}
	client, err := q.client.Get(ctx)
	if err != nil {
		return false, fault.Errorf(fault.Misconfigured, side, "tasks-client", "add task: make the client of cloud tasks: %w", err)
	}
	ctx, cancel := context.WithTimeout(ctx, cloud.CallTimeout)
	defer cancel()
	// The call may be retried: the name prevents a second task.
	_, err = client.CreateTask(ctx, &cloudtaskspb.CreateTaskRequest{Parent: q.options.Queue, Task: task}, cloud.Repeat())
	switch {
	case err == nil:
		return true, nil
	case status.Code(err) == codes.AlreadyExists:
		return false, nil
	}
	return false, tasksAPI.Classify("add task", err)
}

// task converts a task to the type of Cloud Tasks.
func (q *Tasks) task(t Task, trace string) (*cloudtaskspb.Task, error) {
	if err := t.check(); err != nil {
		return nil, err
	}
	request, err := q.request(t, trace)
	if err != nil {
		return nil, err
	}
	task := &cloudtaskspb.Task{
		Name:             q.options.Queue + "/tasks/" + taskID(t.Name),
		DispatchDeadline: durationpb.New(dispatchDeadline),
		MessageType:      &cloudtaskspb.Task_HttpRequest{HttpRequest: request},
	}
	switch wait := t.NotBefore.Sub(q.options.Now()); {
	case wait > maxScheduleAhead:
		return nil, fault.Errorf(fault.Bug, side, "bad-task", "add task: its time is in %v, further ahead than the queue accepts", wait)
	case wait > 0:
		task.ScheduleTime = timestamppb.New(t.NotBefore)
	}
	return task, nil
}

// request is the call that Cloud Tasks makes. The function rejects a body that holds more than the user, when it was due, or the page, so
// the run id and the trigger go into headers. A header also carries the trace of the caller of Add, which the run
// continues.
func (q *Tasks) request(t Task, trace string) (*cloudtaskspb.HttpRequest, error) {
	for _, word := range []string{string(t.Type), t.After, t.Run, t.Trigger} {
		if strings.Map(nameChar, word) != word {
			return nil, fault.Errorf(fault.Bug, side, "bad-task", "add task: the type, page, run or trigger %.40q is not of [A-Za-z0-9_-]", word)
		}
	}
	content := map[string]string{"user": t.User}
	if !t.Due.IsZero() {
		content["due"] = t.Due.UTC().Format(time.RFC3339Nano)
	}
	if t.After != "" {
		content = map[string]string{"after": t.After}
	}
	body, err := json.Marshal(content)
	if err != nil {
		return nil, fault.Errorf(fault.Bug, side, "bad-task", "add task: encode the body: %w", err)
	}
	function := "sync-" + string(t.Type)
	r := &cloudtaskspb.HttpRequest{
		HttpMethod: cloudtaskspb.HttpMethod_POST,
		Url:        q.options.PublicURL + "/" + function,
		Headers:    map[string]string{"Content-Type": "application/json"},
		Body:       body,
	}
	if trace != "" {
		r.Headers["Traceparent"] = trace
	}
	if t.Run != "" {
		r.Headers[HeaderRun] = t.Run
	}
	if t.Trigger != "" && t.Trigger != triggerSchedule {
		r.Headers[HeaderTrigger] = t.Trigger
	}
	if q.options.Invoker != "" {
		r.AuthorizationHeader = &cloudtaskspb.HttpRequest_OidcToken{OidcToken: &cloudtaskspb.OidcToken{
			ServiceAccountEmail: q.options.Invoker, Audience: q.options.Audience(function),
		}}
	}
	return r, nil
}

// taskID is the id of a task in Cloud Tasks. It always begins with a hash: sequential ids, such as names of runs that
// users started, slow down every command of the queue
// (https://cloud.google.com/tasks/docs/reference/rest/v2/projects.locations.queues.tasks/create). If hash and name
// together are too long, the id is a hash alone.
func taskID(name string) string {
	sum := sha256.Sum256([]byte(name))
	if id := hex.EncodeToString(sum[:4]) + "-" + name; len(id) <= maxName {
		return id
	}
	return hex.EncodeToString(sum[:])
}
