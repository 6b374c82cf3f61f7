package queue

import (
	"context"
	"crypto/sha256"
	"encoding/base64"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/http"
	"net/url"
	"regexp"
	"strings"
	"time"

	"google.golang.org/api/cloudtasks/v2"
	"google.golang.org/api/option"
	transport "google.golang.org/api/transport/http"

	"github.com/tandem-sync/tandem/shared/cloud"
	"github.com/tandem-sync/tandem/shared/fault"
	"github.com/tandem-sync/tandem/shared/httpx"
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
var tasksAPI = cloud.API{Side: side, Codes: map[string]string{"NOT_FOUND": "queue-missing", "FAILED_PRECONDITION": "queue-missing"}}

// What Cloud Tasks takes (https://cloud.google.com/tasks/docs/quotas and
// https://cloud.google.com/tasks/docs/reference/rest/v2/projects.locations.queues.tasks).
const (
	// dispatchDeadline is the longest there is. With a shorter one a long run would be delivered a second time while
	// it goes on; a function whose own time-out is shorter answers, or is answered for, before.
	dispatchDeadline = 30 * time.Minute
	// farthest is how far ahead a task may be scheduled.
	farthest = 30 * 24 * time.Hour
)

// A task is created while somebody waits, or while many are to be created: what does not work within these is tried
// again by the next tick, or by the user.
const (
	attemptTimeout = 10 * time.Second
	callAttempts   = 3
	longestWait    = 5 * time.Second
	callTimeout    = 30 * time.Second
)

// TasksOptions are the settings of a queue of Cloud Tasks.
type TasksOptions struct {
	// Queue is "projects/P/locations/L/queues/Q". Terraform makes it.
	Queue string
	// PublicURL is what stands before the names of the functions.
	PublicURL string
	// Invoker is the service account that the function is called with; empty where calls carry no token.
	Invoker string
	// Base carries the calls to Cloud Tasks, below their credentials; default httpx.NewBase.
	Base http.RoundTripper
	// Client are options of the client of Cloud Tasks, as an endpoint or credentials; default the environment's.
	Client []option.ClientOption
	// Now is the clock; default time.Now.
	Now func() time.Time
	// Logger hears of calls that are repeated; default silent.
	Logger *slog.Logger
}

// Tasks hands tasks to Cloud Tasks, which posts each to the function of its sync type. It may be used from many
// goroutines.
type Tasks struct {
	options TasksOptions
	api     *cloudtasks.Service
}

var _ Queue = (*Tasks)(nil)

// queueName is the form of a queue's name; the location is in the host name of a regional endpoint as well.
var queueName = regexp.MustCompile(`^projects/[A-Za-z0-9.:-]+/locations/[a-z0-9-]+/queues/[A-Za-z0-9-]{1,100}$`)

// NewTasks makes the client of a queue; it does not call it. Every error is of kind Misconfigured.
func NewTasks(ctx context.Context, o TasksOptions) (*Tasks, error) {
	const op = "open queue"
	if !queueName.MatchString(o.Queue) {
		return nil, fault.Errorf(fault.Misconfigured, side, "bad-queue", `%s: %q is not "projects/P/locations/L/queues/Q"`, op, o.Queue)
	}
	if err := checkTarget(o.PublicURL, o.Invoker); err != nil {
		return nil, fault.Errorf(fault.Misconfigured, side, "bad-url", "%s: %w", op, err)
	}
	o.PublicURL = strings.TrimRight(o.PublicURL, "/")
	if o.Logger == nil {
		o.Logger = slog.New(slog.DiscardHandler)
	}
	if o.Now == nil {
		o.Now = time.Now
	}
	// The client outlives the context it is made with, which may be that of a first request.
	api, err := newClient(context.WithoutCancel(ctx), o)
	if err != nil {
		return nil, fault.Errorf(fault.Misconfigured, side, "tasks-client", "%s: make the client of cloud tasks: %w", op, err)
	}
	return &Tasks{options: o, api: api}, nil
}

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

// newClient makes a client whose calls pass through httpx: the generated one would neither bound nor repeat them.
func newClient(ctx context.Context, o TasksOptions) (*cloudtasks.Service, error) {
	// The generated client would log whole requests where the environment asks for it.
	options := append([]option.ClientOption{
		option.WithScopes(cloudtasks.CloudPlatformScope), option.WithLogger(slog.New(slog.DiscardHandler)),
	}, o.Client...)
	signed, err := transport.NewTransport(ctx, httpx.NewTransport(httpx.Options{
		Side: side, Base: o.Base, Logger: o.Logger, Now: o.Now,
		AttemptTimeout: attemptTimeout, Attempts: callAttempts, MaxWait: longestWait,
	}), options...)
	if err != nil {
		return nil, err
	}
	return cloudtasks.NewService(ctx, append(options, option.WithHTTPClient(&http.Client{
		Transport: signed, CheckRedirect: httpx.NoRedirect,
	}))...)
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
	ctx, cancel := context.WithTimeout(httpx.Idempotent(ctx), callTimeout)
	defer cancel()
	_, err = q.api.Projects.Locations.Queues.Tasks.
		Create(q.options.Queue, &cloudtasks.CreateTaskRequest{Task: task}).Fields("name").Context(ctx).Do()
	switch {
	case err == nil:
		return true, nil
	case cloud.StatusOf(err) == "ALREADY_EXISTS":
		return false, nil
	}
	return false, tasksAPI.Classify("add task", err, q.options.Now())
}

// task is the task in the words of Cloud Tasks.
func (q *Tasks) task(t Task, trace string) (*cloudtasks.Task, error) {
	if err := t.check(); err != nil {
		return nil, err
	}
	request, err := q.request(t, trace)
	if err != nil {
		return nil, err
	}
	task := &cloudtasks.Task{
		Name:             q.options.Queue + "/tasks/" + taskID(t.Name),
		DispatchDeadline: fmt.Sprintf("%ds", int(dispatchDeadline.Seconds())),
		HttpRequest:      request,
	}
	switch wait := t.NotBefore.Sub(q.options.Now()); {
	case wait > farthest:
		return nil, fault.Errorf(fault.Bug, side, "bad-task", "add task: it may run in %v only, and the queue keeps none for so long", wait)
	case wait > 0:
		task.ScheduleTime = t.NotBefore.UTC().Format(time.RFC3339Nano)
	}
	return task, nil
}

// request is the call that Cloud Tasks makes. The function refuses a body with anything but the user or the page in it,
// so the promised run and its trigger go into headers. So does the trace of who adds the task: its run is a part of it.
func (q *Tasks) request(t Task, trace string) (*cloudtasks.HttpRequest, error) {
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
	target := q.options.PublicURL + "/sync-" + string(t.Type)
	r := &cloudtasks.HttpRequest{
		HttpMethod: http.MethodPost,
		Url:        target,
		Headers:    map[string]string{"Content-Type": "application/json"},
		Body:       base64.StdEncoding.EncodeToString(body),
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
		r.OidcToken = &cloudtasks.OidcToken{ServiceAccountEmail: q.options.Invoker, Audience: target}
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
