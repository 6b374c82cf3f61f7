package firestore_test

import (
	"errors"
	"io"
	"net"
	"os"
	"strings"
	"sync"
	"testing"

	"google.golang.org/api/option"
	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/credentials/insecure"
	"google.golang.org/grpc/encoding"
	"google.golang.org/grpc/mem"
	"google.golang.org/grpc/metadata"
	"google.golang.org/grpc/status"

	"github.com/tandem-sync/tandem/shared/store/firestore"
)

// breakage is what goes wrong at one call of a client.
type breakage struct {
	// call is which one, from 0.
	call int
	code codes.Code
	// after says that the emulator did what it was asked before the client was told otherwise.
	after bool
}

// proxy stands between a client and the emulator, as a network does, and breaks one of the calls.
type proxy struct {
	emulator *grpc.ClientConn
	breaks   breakage
	mu       sync.Mutex
	// calls are the methods that were called, in their order.
	calls []string
}

// through is a client's connection by way of the proxy.
func (p *proxy) through(t *testing.T) option.ClientOption {
	t.Helper()
	dial := func(host string, opts ...grpc.DialOption) *grpc.ClientConn {
		conn, err := grpc.NewClient(host, append(opts, grpc.WithTransportCredentials(insecure.NewCredentials()))...)
		must(t, err)
		t.Cleanup(func() { conn.Close() })
		return conn
	}
	p.emulator = dial(os.Getenv("FIRESTORE_EMULATOR_HOST"))
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	must(t, err)
	server := grpc.NewServer(grpc.UnknownServiceHandler(p.handle), grpc.ForceServerCodecV2(opaque{}))
	served := make(chan error, 1)
	go func() { served <- server.Serve(listener) }()
	t.Cleanup(func() {
		server.Stop()
		<-served
	})
	return option.WithGRPCConn(dial(listener.Addr().String(), grpc.WithPerRPCCredentials(owner{}), firestore.DialOption))
}

func (p *proxy) handle(_ any, client grpc.ServerStream) error {
	full, _ := grpc.MethodFromServerStream(client)
	p.mu.Lock()
	broken := len(p.calls) == p.breaks.call
	p.calls = append(p.calls, full[strings.LastIndex(full, "/")+1:])
	p.mu.Unlock()
	failure := status.Error(p.breaks.code, "broken by the proxy")
	if broken && !p.breaks.after && p.breaks.code != codes.OK {
		return failure
	}
	incoming, _ := metadata.FromIncomingContext(client.Context())
	emulator, err := p.emulator.NewStream(metadata.NewOutgoingContext(client.Context(), incoming),
		&grpc.StreamDesc{ClientStreams: true, ServerStreams: true}, full, grpc.ForceCodecV2(opaque{}))
	if err != nil {
		return err
	}
	go func() {
		for {
			var m mem.BufferSlice
			if client.RecvMsg(&m) != nil {
				_ = emulator.CloseSend()
				return
			}
			if emulator.SendMsg(&m) != nil {
				return
			}
		}
	}()
	for {
		var m mem.BufferSlice
		err := emulator.RecvMsg(&m)
		switch {
		case errors.Is(err, io.EOF) && broken && p.breaks.code != codes.OK:
			return failure
		case errors.Is(err, io.EOF):
			return nil
		case err != nil:
			return err
		case broken && p.breaks.code != codes.OK:
			continue
		}
		if err := client.SendMsg(&m); err != nil {
			return err
		}
	}
}

// opaque passes messages on as they are.
type opaque struct{}

var _ encoding.CodecV2 = opaque{}

func (opaque) Name() string { return "opaque" }

func (opaque) Marshal(v any) (mem.BufferSlice, error) {
	b := *v.(*mem.BufferSlice)
	b.Ref()
	return b, nil
}

func (opaque) Unmarshal(data mem.BufferSlice, v any) error {
	data.Ref()
	*v.(*mem.BufferSlice) = data
	return nil
}
