package vault

import (
	"net"
	"testing"
	"time"

	"google.golang.org/api/option"
	"google.golang.org/grpc"
	"google.golang.org/grpc/credentials/insecure"

	kms "cloud.google.com/go/kms/apiv1"

	"github.com/tandem-sync/tandem/shared/fault"
)

func TestOpen_gives_up_on_a_kms_that_never_answers(t *testing.T) {
	t.Parallel()
	// The system accepts connections, but nothing reads from them.
	silent, err := (&net.ListenConfig{}).Listen(t.Context(), "tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = silent.Close() })
	client, err := kms.NewKeyManagementClient(t.Context(), option.WithEndpoint(silent.Addr().String()), option.WithoutAuthentication(),
		option.WithGRPCDialOption(grpc.WithTransportCredentials(insecure.NewCredentials())))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = client.Close() })
	key := &kmsKey{client: client, name: "projects/p/locations/l/keyRings/r/cryptoKeys/k", timeout: 50 * time.Millisecond}
	_, sealing := key.Encrypt([]byte("plain"), nil)
	_, opening := key.Decrypt([]byte("sealed"), nil)
	for op, err := range map[string]error{"seal": sealing, "open": opening} {
		if !fault.Is(err, fault.Retry) {
			t.Errorf("%s: got %v, want an error of kind retry", op, err)
		}
	}
}
