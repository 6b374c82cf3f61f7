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

// The headers in which a task of Cloud Tasks tells its function what the body has no room for.
const (
	// HeaderRun carries Task.Run; a task without a promised run has none.
	HeaderRun = "Tandem-Run"
	// HeaderTrigger carries Task.Trigger; a task of the schedule has none.
	HeaderTrigger = "Tandem-Trigger"
)

// scheduled is the trigger that a request without HeaderTrigger has.
const scheduled = "schedule"

// tasksAPI says what errors of Cloud Tasks mean. A queue that does not exist is told of in both ways.
var tasksAPI = cloud.API{
	Side: side, Codes: map[codes.Code]string{codes.NotFound: "queue-missing", codes.FailedPrecondition: "queue-missing"},
	Hints: map[string]string{"queue-missing": "there is no such queue; apply the terraform configuration, which makes it, or correct QUEUE"},
}

// What Cloud Tasks takes (https://cloud.google.com/tasks/docs/quotas and
// https://cloud.google.com/tasks/docs/reference/rest/v2/projects.locations.queues.tasks).
const (
	// dispatchDeadline is the longest there is. With a shorter one a long run would be delivered a second time while
	// it goes on; a function whose own time-out is shorter answers, or is answered for, before.
	dispatchDeadline = 30 * time.Minute
	// farthest is how far ahead a task may be scheduled.
	farthest = 30 * 24 * time.Hour
)

// TasksOptions are the settings of a queue of Cloud Tasks.
type TasksOptions struct {
	// Queue is "projects/P/locations/L/queues/Q". Terraform makes it.
	Queue string
	// PublicURL is what stands before the names of the functions.
	PublicURL string
	// Invoker is the service account that the function is called with; empty where calls carry no token.
	Invoker string
	// Audience is whom that token is for, by the deployed name of the function; default the address that is called.
	Audience func(function string) string
	// Client are options of the client of Cloud Tasks, as an endpoint and credentials; default the environment's.
	Client []option.ClientOption
	// Now is the clock; default time.Now.
	Now func() time.Time
}

// Tasks hands tasks to Cloud Tasks, which posts each to the function of its sync type. It may be used from many
// goroutines.
type Tasks struct {
	options TasksOptions
	client  *cloud.Client[*cloudtasks.Client]
}

var _ Queue = (*Tasks)(nil)

// queueName is the form of a queue's name; the location is in the host name of a regional endpoint as well.
var queueName = regexp.MustCompile(`^projects/[A-Za-z0-9.:-]+/locations/[a-z0-9-]+/queues/[A-Za-z0-9-]{1,100}$`)

// NewTasks prepares the client of a queue, which is made with its first call. Every error is of kind Misconfigured.
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

// Close ends the connections to Cloud Tasks.
func (q *Tasks) Close() error { return q.client.Close() }

// checkTarget refuses an address that Cloud Tasks could not call, or to which it would carry a token in the clear.
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

// Add hands a task over. Cloud Tasks keeps a name for up to 24 hours after its task ended. Where the answer to a first
// attempt was lost and the second one finds the name taken, it reports false: the task is in the queue all the same.
//
// An error is of kind Misconfigured where the queue is missing or may not be used, of kind Retry where that may pass
// by itself; a task may then have been taken, and adding it again is safe.
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
	// The name makes it one task, however often it is created.
	_, err = client.CreateTask(ctx, &cloudtaskspb.CreateTaskRequest{Parent: q.options.Queue, Task: task}, cloud.Repeat())
	switch {
	case err == nil:
		return true, nil
	case status.Code(err) == codes.AlreadyExists:
		return false, nil
	}
	return false, tasksAPI.Classify("add task", err)
}

// task is the task in the words of Cloud Tasks.
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
	case wait > farthest:
		return nil, fault.Errorf(fault.Bug, side, "bad-task", "add task: it may run in %v only, and the queue keeps none for so long", wait)
	case wait > 0:
		task.ScheduleTime = timestamppb.New(t.NotBefore)
	}
	return task, nil
}

// request is the call that Cloud Tasks makes. The function refuses a body with anything but the user or the page in it,
// so the promised run and its trigger go into headers. So does the trace of who adds the task: its run is a part of it.
func (q *Tasks) request(t Task, trace string) (*cloudtaskspb.HttpRequest, error) {
	for _, word := range []string{string(t.Type), t.After, t.Run, t.Trigger} {
		if strings.Map(nameChar, word) != word {
			return nil, fault.Errorf(fault.Bug, side, "bad-task", "add task: the type, page, run or trigger %.40q is not of [A-Za-z0-9_-]", word)
		}
	}
	content := map[string]string{"user": t.User}
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
	if t.Trigger != "" && t.Trigger != scheduled {
		r.Headers[HeaderTrigger] = t.Trigger
	}
	if q.options.Invoker != "" {
		r.AuthorizationHeader = &cloudtaskspb.HttpRequest_OidcToken{OidcToken: &cloudtaskspb.OidcToken{
			ServiceAccountEmail: q.options.Invoker, Audience: q.options.Audience(function),
		}}
	}
	return r, nil
}

// taskID is the name under which Cloud Tasks knows a task. It begins with a hash, whatever the name begins with: names
// that follow one another, as those of promised runs do, slow every command of the queue
// (https://cloud.google.com/tasks/docs/reference/rest/v2/projects.locations.queues.tasks/create). A name that would
// become too long that way is its hash alone.
func taskID(name string) string {
	sum := sha256.Sum256([]byte(name))
	if id := hex.EncodeToString(sum[:4]) + "-" + name; len(id) <= maxName {
		return id
	}
	return hex.EncodeToString(sum[:])
}
