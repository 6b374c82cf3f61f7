package vault_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
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

func TestKms_is_called_once_in_some_minutes_however_many_values_are_sealed_and_opened(t *testing.T) {
	t.Parallel()
	kms := startKMS(t)
	now := time.Date(2026, 3, 4, 10, 0, 0, 0, time.UTC)
	clock := vault.WithNow(func() time.Time { return now })
	v := open(t, "gcp-kms://"+key, kms.options(), clock)
	var sealed [][]byte
	for i := range 100 {
		sealed = append(sealed, seal(t, v, token, fmt.Sprint("user-", i)))
	}
	// Another process opens what this one has sealed, with its own call.
	other := open(t, "gcp-kms://"+key, kms.options(), clock)
	for i, value := range sealed {
		for _, v := range []*vault.Vault{v, other} {
			if plain, err := v.Open(value, fmt.Sprint("user-", i)); err != nil || string(plain) != token {
				t.Fatalf("got %q, %v", plain, err)
			}
		}
		_, err := other.Open(value, "somebody else")
		wantFault(t, "another user", err, fault.Reconnect, "unreadable-token")
	}
	if calls := kms.calls.Load(); calls != 2 {
		t.Errorf("kms was called %d times for 100 values, want twice", calls)
	}
	now = now.Add(6 * time.Minute)
	if _, err := v.Open(sealed[0], "user-0"); err != nil || kms.calls.Load() != 3 {
		t.Errorf("after some minutes kms was called %d times, %v", kms.calls.Load(), err)
	}
	seal(t, v, token, "user-1")
	if calls := kms.calls.Load(); calls != 4 {
		t.Errorf("the same data key seals for longer: %d calls", calls)
	}
}

func TestWhoever_loses_the_right_opens_nothing_after_some_minutes(t *testing.T) {
	t.Parallel()
	kms := startKMS(t)
	now := time.Date(2026, 3, 4, 10, 0, 0, 0, time.UTC)
	v := open(t, "gcp-kms://"+key, kms.options(), vault.WithNow(func() time.Time { return now }))
	sealed := seal(t, v, token, "user-1")
	kms.refuse.Store(int32(codes.PermissionDenied))
	now = now.Add(5 * time.Minute)
	_, err := v.Open(sealed, "user-1")
	wantFault(t, "open", err, fault.Misconfigured, "kms-denied")
	_, err = v.Seal([]byte(token), "user-1")
	wantFault(t, "seal", err, fault.Misconfigured, "kms-denied")
}

func TestA_failure_of_kms_never_disconnects_a_user(t *testing.T) {
	t.Parallel()
	kms := startKMS(t)
	v := open(t, "gcp-kms://"+key, kms.options(), forgetful())
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
	v := open(t, "gcp-kms://"+key, kms.options(), forgetful())
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
		clock := func() time.Time { return now }
		return vault.NewWrapped(open(t, "gcp-kms://"+key, kms.options(), vault.WithNow(clock)), keep, clock)
	}
	sealed, err := wrapped().Seal([]byte("cookie"), "session")
	if err != nil || bytes.Contains(kept, sealed) {
		t.Fatalf("seal: %v", err)
	}
	w := wrapped()
	kms.calls.Store(0)
	for range 100 {
		// Data keys are forgotten meanwhile.
		now = now.Add(time.Minute)
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

// forgetful has each call come when the data keys of the one before have left the memory.
func forgetful() vault.Option {
	var calls atomic.Int64
	return vault.WithNow(func() time.Time { return time.Unix(0, 0).Add(time.Duration(calls.Add(1)) * time.Hour) })
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
