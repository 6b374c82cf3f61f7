package vault_test

import (
	"bytes"
	"context"
	"errors"
	"hash/crc32"
	"net"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"cloud.google.com/go/kms/apiv1/kmspb"
	"google.golang.org/api/option"
	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/credentials/insecure"
	"google.golang.org/grpc/status"
	"google.golang.org/protobuf/types/known/wrapperspb"

	"github.com/tandem-sync/tandem/shared/fault"
	"github.com/tandem-sync/tandem/shared/vault"
)

const key = "projects/p/locations/europe-west1/keyRings/tandem/cryptoKeys/tokens"

func TestA_key_in_cloud_kms_seals_and_opens(t *testing.T) {
	t.Parallel()
	kms := startKMS(t)
	v := open(t, "gcp-kms://"+key, kms.options())
	if kms.calls.Load() != 0 {
		t.Error("got a call to kms before there was anything to seal")
	}
	sealed := seal(t, v, token, "user-1")
	if bytes.Contains(sealed, []byte("invented")) {
		t.Fatalf("got the plain text in %q", sealed)
	}
	plain, err := open(t, "gcp-kms://"+key, kms.options()).Open(sealed, "user-1")
	if err != nil || string(plain) != token {
		t.Errorf("got %q, %v, want %q", plain, err, token)
	}
	_, err = v.Open(sealed, "user-2")
	wantFault(t, "another user", err, fault.Reconnect, "unreadable-token")
}

func TestA_value_sealed_with_another_kms_key_requires_a_new_token(t *testing.T) {
	t.Parallel()
	kms := startKMS(t)
	sealed := seal(t, open(t, "gcp-kms://"+key+"-old", kms.options()), token, "user-1")
	_, err := open(t, "gcp-kms://"+key, kms.options()).Open(sealed, "user-1")
	wantFault(t, "another key", err, fault.Reconnect, "unreadable-token")
}

func TestEvery_opening_calls_kms(t *testing.T) {
	t.Parallel()
	kms := startKMS(t)
	v := open(t, "gcp-kms://"+key, kms.options())
	sealed := seal(t, v, token, "user-1")
	kms.refuse.Store(int32(codes.PermissionDenied))
	_, err := v.Open(sealed, "user-1")
	wantFault(t, "after the right was taken away", err, fault.Misconfigured, "kms-denied")
}

func TestA_failure_of_kms_never_disconnects_a_user(t *testing.T) {
	t.Parallel()
	kms := startKMS(t)
	v := open(t, "gcp-kms://"+key, kms.options())
	sealed := seal(t, v, token, "user-1")
	for refusal, want := range map[codes.Code]fault.Kind{
		codes.PermissionDenied:   fault.Misconfigured,
		codes.Unauthenticated:    fault.Misconfigured,
		codes.NotFound:           fault.Misconfigured,
		codes.FailedPrecondition: fault.Misconfigured,
		codes.ResourceExhausted:  fault.Retry,
		codes.Internal:           fault.Retry,
	} {
		kms.refuse.Store(int32(refusal))
		_, sealing := v.Seal([]byte(token), "user-1")
		_, opening := v.Open(sealed, "user-1")
		for op, err := range map[string]error{"seal": sealing, "open": opening} {
			if got := fault.KindOf(err); err == nil || got != want {
				t.Errorf("%s, %v: got kind %v (%v), want %v", op, refusal, got, err, want)
			}
			if err != nil && strings.Contains(err.Error(), "invented") {
				t.Errorf("%s: got the plain text in %q", op, err)
			}
		}
	}
}

func TestA_reply_that_was_corrupted_in_transit_is_retried_later(t *testing.T) {
	t.Parallel()
	kms := startKMS(t)
	v := open(t, "gcp-kms://"+key, kms.options())
	sealed := seal(t, v, token, "user-1")
	kms.damage.Store(true)
	_, err := v.Open(sealed, "user-1")
	wantFault(t, "open", err, fault.Retry, "kms-unreachable")
	_, err = v.Seal([]byte(token), "user-1")
	wantFault(t, "seal", err, fault.Retry, "kms-unreachable")
}

func TestWhat_strangers_invent_costs_no_call_of_kms(t *testing.T) {
	t.Parallel()
	kms := startKMS(t)
	var kept []byte
	keep := func(_ context.Context, create func() ([]byte, error)) (_ []byte, err error) {
		if kept == nil {
			kept, err = create()
		}
		return kept, err
	}
	now := time.Date(2026, 3, 4, 12, 0, 0, 0, time.UTC)
	wrapped := func() *vault.Wrapped {
		return vault.NewWrapped(open(t, "gcp-kms://"+key, kms.options()), keep, func() time.Time { return now })
	}
	sealed, err := wrapped().Seal([]byte("cookie"), "session")
	if err != nil || bytes.Contains(kept, sealed) {
		t.Fatalf("seal: %v", err)
	}
	w := wrapped()
	kms.calls.Store(0)
	for range 100 {
		_, err := w.Open([]byte("an invented cookie that nobody sealed, and that is long enough"), "session")
		wantFault(t, "an invented cookie", err, fault.Reconnect, "unreadable-token")
		_, err = w.Open(sealed, "linkings")
		wantFault(t, "a cookie of another use", err, fault.Reconnect, "unreadable-token")
		if plain, err := w.Open(sealed, "session"); err != nil || string(plain) != "cookie" {
			t.Fatalf("got %q, %v", plain, err)
		}
	}
	if n := kms.calls.Load(); n != 1 {
		t.Errorf("%d calls, want 1", n)
	}
	// While KMS refuses, it is not asked for every cookie either.
	w = wrapped()
	kms.refuse.Store(int32(codes.PermissionDenied))
	kms.calls.Store(0)
	for range 100 {
		_, err := w.Open(sealed, "session")
		wantFault(t, "while kms refuses", err, fault.Misconfigured, "kms-denied")
	}
	if n := kms.calls.Load(); n != 1 {
		t.Errorf("%d calls while kms refuses, want 1", n)
	}
	kms.refuse.Store(int32(codes.OK))
	now = now.Add(time.Minute)
	if _, err := w.Open(sealed, "session"); err != nil {
		t.Errorf("after kms was mended: %v", err)
	}
}

// fakeKMS encrypts by prepending the key's name, which is enough to distinguish keys.
type fakeKMS struct {
	kmspb.UnimplementedKeyManagementServiceServer
	address string
	calls   atomic.Int32
	refuse  atomic.Int32
	damage  atomic.Bool
}

func startKMS(t *testing.T) *fakeKMS {
	t.Helper()
	listener, err := (&net.ListenConfig{}).Listen(t.Context(), "tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	kms := &fakeKMS{address: listener.Addr().String()}
	server := grpc.NewServer()
	kmspb.RegisterKeyManagementServiceServer(server, kms)
	go func() { _ = server.Serve(listener) }()
	t.Cleanup(server.Stop)
	return kms
}

func (k *fakeKMS) options() vault.Option {
	return vault.WithClientOptions(option.WithEndpoint(k.address), option.WithoutAuthentication(),
		option.WithGRPCDialOption(grpc.WithTransportCredentials(insecure.NewCredentials())))
}

func (k *fakeKMS) Encrypt(_ context.Context, r *kmspb.EncryptRequest) (*kmspb.EncryptResponse, error) {
	if err := k.answer(); err != nil {
		return nil, err
	}
	sealed := append([]byte(r.GetName()+"|"), r.GetPlaintext()...)
	return &kmspb.EncryptResponse{
		Name: r.GetName() + "/cryptoKeyVersions/1", Ciphertext: sealed, CiphertextCrc32C: k.checksum(sealed),
		VerifiedPlaintextCrc32C:                   r.GetPlaintextCrc32C() != nil,
		VerifiedAdditionalAuthenticatedDataCrc32C: r.GetAdditionalAuthenticatedDataCrc32C() != nil,
	}, nil
}

func (k *fakeKMS) Decrypt(_ context.Context, r *kmspb.DecryptRequest) (*kmspb.DecryptResponse, error) {
	if err := k.answer(); err != nil {
		return nil, err
	}
	plain, found := bytes.CutPrefix(r.GetCiphertext(), []byte(r.GetName()+"|"))
	if !found {
		return nil, status.Error(codes.InvalidArgument, "Decryption failed: the ciphertext is invalid.")
	}
	return &kmspb.DecryptResponse{Plaintext: plain, PlaintextCrc32C: k.checksum(plain)}, nil
}

func (k *fakeKMS) answer() error {
	k.calls.Add(1)
	if code := codes.Code(k.refuse.Load()); code != codes.OK {
		return status.Error(code, "refused")
	}
	return nil
}

func (k *fakeKMS) checksum(data []byte) *wrapperspb.Int64Value {
	sum := int64(crc32.Checksum(data, crc32.MakeTable(crc32.Castagnoli)))
	if k.damage.Load() {
		sum++
	}
	return wrapperspb.Int64(sum)
}

func wantFault(t *testing.T, name string, err error, kind fault.Kind, code string) {
	t.Helper()
	f, ok := errors.AsType[*fault.Error](err)
	if !ok || f.Kind != kind || f.Code != code {
		t.Errorf("%s: got %v, want a fault of kind %v with code %q", name, err, kind, code)
	}
}
