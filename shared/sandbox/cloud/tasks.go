package cloud

import (
	"context"
	"net/url"
	"regexp"
	"slices"
	"strings"
	"sync"
	"time"

	"cloud.google.com/go/cloudtasks/apiv2/cloudtaskspb"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"
	"google.golang.org/protobuf/proto"
)

// Tasks is Cloud Tasks as far as tasks are created. It hands none of them out by itself.
type Tasks struct {
	cloudtaskspb.UnimplementedCloudTasksServer

	mu     sync.Mutex
	queues []string
	names  map[string]bool
	taken  []*cloudtaskspb.Task
	now    func() time.Time
}

// AddQueue makes a queue, "projects/P/locations/L/queues/Q".
func (s *Tasks) AddQueue(name string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.queues = append(s.queues, name)
}

// SetNow turns the clock that times are held against; default time.Now.
func (s *Tasks) SetNow(now func() time.Time) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.now = now
}

// Taken are the tasks that were created, in their order.
func (s *Tasks) Taken() []*cloudtaskspb.Task {
	s.mu.Lock()
	defer s.mu.Unlock()
	return slices.Clone(s.taken)
}

// What a task may be (https://cloud.google.com/tasks/docs/quotas and
// https://cloud.google.com/tasks/docs/reference/rpc/google.cloud.tasks.v2#task).
const (
	maxTask     = 1 << 20
	minDeadline = 15 * time.Second
	maxDeadline = 30 * time.Minute
	farthest    = 30 * 24 * time.Hour
)

var (
	queueName = regexp.MustCompile(`^projects/([A-Za-z0-9.:-]+)/locations/[a-z0-9-]+/queues/[A-Za-z0-9-]{1,100}$`)
	taskName  = regexp.MustCompile(`^[A-Za-z0-9_-]{1,500}$`)
)

// CreateTask takes a task. A name is not free again when its task ended.
func (s *Tasks) CreateTask(_ context.Context, r *cloudtaskspb.CreateTaskRequest) (*cloudtaskspb.Task, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	task := proto.CloneOf(r.GetTask())
	place := queueName.FindStringSubmatch(r.GetParent())
	if place == nil {
		return nil, status.Error(codes.InvalidArgument, "Queue name must be formatted: projects/P/locations/L/queues/Q.")
	}
	if !slices.Contains(s.queues, r.GetParent()) {
		return nil, status.Error(codes.NotFound, "Queue does not exist.")
	}
	if problem := s.problem(task, r.GetParent(), place[1]); problem != "" {
		return nil, status.Error(codes.InvalidArgument, problem)
	}
	if s.names[task.GetName()] {
		return nil, status.Error(codes.AlreadyExists, "Requested entity already exists")
	}
	s.names[task.GetName()] = true
	s.taken = append(s.taken, task)
	return proto.CloneOf(task), nil
}

// problem is what is wrong with a task; empty for nothing.
func (s *Tasks) problem(task *cloudtaskspb.Task, queue, project string) string {
	now := time.Now
	if s.now != nil {
		now = s.now
	}
	request := task.GetHttpRequest()
	id, inQueue := strings.CutPrefix(task.GetName(), queue+"/tasks/")
	address, err := url.Parse(request.GetUrl())
	deadline := task.GetDispatchDeadline()
	token := request.GetOidcToken()
	switch {
	case !inQueue || !taskName.MatchString(id):
		return "Task name does not match the queue, or holds other characters than [A-Za-z0-9_-]."
	case request == nil || err != nil || address.Host == "" || address.Scheme != "https" && address.Scheme != "http":
		return "HttpRequest.url must begin with http:// or https://."
	case request.GetHttpMethod() != cloudtaskspb.HttpMethod_POST && len(request.GetBody()) > 0:
		return "HttpRequest.body is not allowed with this method."
	case deadline != nil && (deadline.AsDuration() < minDeadline || deadline.AsDuration() > maxDeadline):
		return "Task.dispatchDeadline must be between [15s, 30m]."
	case task.GetScheduleTime() != nil && task.GetScheduleTime().AsTime().Sub(now()) > farthest:
		return "Task.scheduleTime must be within 30 days."
	case token != nil && !strings.HasSuffix(token.GetServiceAccountEmail(), "@"+project+".iam.gserviceaccount.com"):
		return "The service account is not of the queue's project."
	case token != nil && address.Scheme != "https" && !loopback(address.Hostname()):
		return "HttpRequest.url must begin with https:// where a token is sent."
	case task.GetCreateTime() != nil || task.GetDispatchCount() != 0 || task.GetResponseCount() != 0 || task.GetView() != 0:
		return "A field that is output only was set."
	case proto.Size(task) > maxTask:
		return "Task size too large."
	}
	return ""
}

// loopback says whether a host is this machine, where tests are; the real service reaches none.
func loopback(host string) bool { return host == "127.0.0.1" || host == "localhost" }
