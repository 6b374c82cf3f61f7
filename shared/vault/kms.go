package vault

import (
	"context"
	"errors"
	"fmt"
	"hash/crc32"
	"strings"
	"time"

	kms "cloud.google.com/go/kms/apiv1"
	"cloud.google.com/go/kms/apiv1/kmspb"
	"github.com/tink-crypto/tink-go/v2/tink"
	"google.golang.org/api/option"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"
	"google.golang.org/protobuf/types/known/wrapperspb"

	"github.com/tandem-sync/tandem/shared/fault"
)

// callTimeout bounds one call of Cloud KMS with the retries that its client makes on Unavailable.
const callTimeout = 20 * time.Second

func openKMS(ctx context.Context, uri string, now func() time.Time, options []option.ClientOption) (*Vault, error) {
	// The client outlives the context, which may be that of the first request.
	client, err := kms.NewKeyManagementClient(context.WithoutCancel(ctx), options...)
	if err != nil {
		return nil, fault.Errorf(fault.Misconfigured, side, "kms-client", "open vault: make the client of Cloud KMS: %w", err)
	}
	key := &kmsKey{client: client, name: strings.TrimPrefix(uri, kmsPrefix), timeout: callTimeout}
	return &Vault{aead: newDataKeys(key, now)}, nil
}

// kmsKey is a key in Cloud KMS that encrypts the data keys. Tink's own client of Cloud KMS cannot be used: the tests of its
// module need a package that no longer exists, so "go mod tidy" fails, which builds of Cloud Functions run.
type kmsKey struct {
	client  *kms.KeyManagementClient
	name    string
	timeout time.Duration
}

var _ tink.AEAD = (*kmsKey)(nil)

// errDamaged says that data was corrupted in transit (https://cloud.google.com/kms/docs/data-integrity-guidelines).
var errDamaged = errors.New("the checksum does not match")

func (k *kmsKey) Encrypt(plain, associated []byte) ([]byte, error) {
	ctx, cancel := context.WithTimeout(context.Background(), k.timeout)
	defer cancel()
	reply, err := k.client.Encrypt(ctx, &kmspb.EncryptRequest{
		Name: k.name, Plaintext: plain, PlaintextCrc32C: checksum(plain),
		AdditionalAuthenticatedData: associated, AdditionalAuthenticatedDataCrc32C: checksum(associated),
	})
	if err == nil && (!reply.GetVerifiedPlaintextCrc32C() || !reply.GetVerifiedAdditionalAuthenticatedDataCrc32C() ||
		!checksumMatches(reply.GetCiphertext(), reply.GetCiphertextCrc32C())) {
		err = errDamaged
	}
	if err != nil {
		return nil, classify("encrypt", err)
	}
	return reply.GetCiphertext(), nil
}

func (k *kmsKey) Decrypt(sealed, associated []byte) ([]byte, error) {
	ctx, cancel := context.WithTimeout(context.Background(), k.timeout)
	defer cancel()
	reply, err := k.client.Decrypt(ctx, &kmspb.DecryptRequest{
		Name: k.name, Ciphertext: sealed, CiphertextCrc32C: checksum(sealed),
		AdditionalAuthenticatedData: associated, AdditionalAuthenticatedDataCrc32C: checksum(associated),
	})
	if err == nil && !checksumMatches(reply.GetPlaintext(), reply.GetPlaintextCrc32C()) {
		err = errDamaged
	}
	switch {
	case status.Code(err) == codes.InvalidArgument:
		// KMS returns this code if the text was not encrypted with this key
		// (https://cloud.google.com/kms/docs/reference/rest/v1/projects.locations.keyRings.cryptoKeys/decrypt).
		return nil, fault.Errorf(fault.Reconnect, side, "unreadable-token", "decrypt with cloud kms: %w", err)
	case err != nil:
		return nil, classify("decrypt", err)
	}
	return reply.GetPlaintext(), nil
}

var castagnoli = crc32.MakeTable(crc32.Castagnoli)

func checksum(data []byte) *wrapperspb.Int64Value {
	return wrapperspb.Int64(int64(crc32.Checksum(data, castagnoli)))
}

func checksumMatches(data []byte, sum *wrapperspb.Int64Value) bool {
	return sum.GetValue() == checksum(data).GetValue()
}

// classify distinguishes errors that the operator has to fix from temporary ones. An error without a status is a reply that
// was corrupted in transit.
func classify(op string, err error) error {
	kind, code := fault.Retry, "kms-unreachable"
	switch status.Code(err) {
	case codes.PermissionDenied, codes.Unauthenticated:
		kind, code = fault.Misconfigured, "kms-denied"
	case codes.NotFound, codes.FailedPrecondition, codes.InvalidArgument, codes.OutOfRange, codes.Unimplemented:
		// FailedPrecondition: the key's version is disabled or destroyed.
		kind, code = fault.Misconfigured, "kms-key"
	default:
	}
	return fault.New(kind, side, code, fmt.Errorf("%s with cloud kms: %w", op, err))
}
