// Package cloud is a stand-in for Cloud Scheduler and Cloud Tasks, as gRPC servers in this process, and for the check
// that Cloud Run makes of who calls a function. It is for tests and for the local server.
//
// It refuses what the services refuse, with their codes. What goes wrong beside that a test says with SetFault: a call
// may fail before it takes effect, or after.
package cloud

import (
	"context"
	"net"
	"slices"
	"strings"
	"sync"

	"cloud.google.com/go/cloudtasks/apiv2/cloudtaskspb"
	"cloud.google.com/go/scheduler/apiv1/schedulerpb"
	"google.golang.org/api/option"
	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/credentials/insecure"
	"google.golang.org/grpc/metadata"
	"google.golang.org/grpc/status"
	"google.golang.org/grpc/test/bufconn"
	"google.golang.org/protobuf/proto"
)

// Fault is what goes wrong with a call.
type Fault struct {
	// Err is what is answered; nil is no answer at all.
	Err error
	// After says that the call takes effect first.
	After bool
}

// Call is a call that came in.
type Call struct {
	// Method is its name, as "PauseJob".
	Method  string
	Request proto.Message
}

// String is the method, and what it is for, without the place where that is.
func (c Call) String() string {
	var name string
	switch r := c.Request.(type) {
	case interface{ GetName() string }:
		name = r.GetName()
	case *schedulerpb.UpdateJobRequest:
		name = r.GetJob().GetName()
	case *cloudtaskspb.CreateTaskRequest:
		name = r.GetTask().GetName()
	}
	return c.Method + " " + name[strings.LastIndex(name, "/")+1:]
}

// Server serves both services. It may be used from many goroutines.
type Server struct {
	// Scheduler and Tasks are the two services.
	Scheduler *Scheduler
	Tasks     *Tasks

	listen *bufconn.Listener
	server *grpc.Server

	mu    sync.Mutex
	calls []string
	fault func(Call) *Fault
	token string
}

// buffer is how much of a connection is under way.
const buffer = 1 << 16

// Start starts both services, without a network: they may be used in a bubble of testing/synctest.
func Start() *Server {
	s := &Server{Scheduler: &Scheduler{jobs: map[string]*schedulerpb.Job{}, updated: schedulerpb.Job_ENABLED}, Tasks: &Tasks{names: map[string]bool{}}, listen: bufconn.Listen(buffer)}
	s.server = grpc.NewServer(grpc.UnaryInterceptor(s.serve))
	schedulerpb.RegisterCloudSchedulerServer(s.server, s.Scheduler)
	cloudtaskspb.RegisterCloudTasksServer(s.server, s.Tasks)
	go func() { _ = s.server.Serve(s.listen) }()
	return s
}

// Stop ends the services.
func (s *Server) Stop() { s.server.Stop() }

// Options lead a client here. It needs no credentials, unless a token is wanted.
func (s *Server) Options() []option.ClientOption {
	return append(s.Address(), option.WithoutAuthentication())
}

// Address leads a client here, with whatever credentials it has.
func (s *Server) Address() []option.ClientOption {
	return []option.ClientOption{
		option.WithEndpoint("passthrough:///sandbox"),
		option.WithGRPCDialOption(grpc.WithTransportCredentials(insecure.NewCredentials())),
		option.WithGRPCDialOption(grpc.WithContextDialer(func(ctx context.Context, _ string) (net.Conn, error) { return s.listen.DialContext(ctx) })),
	}
}

// SetFault lets a function decide what goes wrong with each call; nil for a call, or for the function, is nothing. It may
// be called for several calls at a time.
func (s *Server) SetFault(fault func(Call) *Fault) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.fault = fault
}

// WantToken has every call refused that does not carry this access token.
func (s *Server) WantToken(token string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.token = token
}

// Calls are the calls since the last time it was asked, as "PauseJob sync-contacts".
func (s *Server) Calls() []string {
	s.mu.Lock()
	defer s.mu.Unlock()
	calls := s.calls
	s.calls = nil
	return calls
}

func (s *Server) serve(ctx context.Context, request any, info *grpc.UnaryServerInfo, handle grpc.UnaryHandler) (any, error) {
	call := Call{Method: info.FullMethod[strings.LastIndex(info.FullMethod, "/")+1:]}
	call.Request, _ = request.(proto.Message)
	fault, err := s.note(ctx, call)
	if err != nil {
		return nil, err
	}
	if fault == nil || fault.After {
		reply, err := handle(ctx, request)
		if fault == nil || err != nil {
			return reply, err
		}
	}
	if fault.Err == nil {
		<-ctx.Done()
		return nil, ctx.Err()
	}
	return nil, fault.Err
}

// note keeps a call, and says what goes wrong with it.
func (s *Server) note(ctx context.Context, call Call) (*Fault, error) {
	s.mu.Lock()
	s.calls = append(s.calls, call.String())
	decide, token := s.fault, s.token
	s.mu.Unlock()
	sent, _ := metadata.FromIncomingContext(ctx)
	if token != "" && !slices.Equal(sent.Get("authorization"), []string{"Bearer " + token}) {
		return nil, status.Error(codes.Unauthenticated, "Request had invalid authentication credentials.")
	}
	if decide == nil {
		return nil, nil
	}
	return decide(call), nil
}
