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

func TestA_kms_that_never_answers_is_given_up(t *testing.T) {
	t.Parallel()
	// The system takes connections for it, and nobody reads what comes.
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
