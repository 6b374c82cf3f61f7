package vault

import (
	"context"
	"fmt"
	"time"

	"github.com/tink-crypto/tink-go-gcpkms/v2/integration/gcpkms"
	"github.com/tink-crypto/tink-go/v2/aead"
	"github.com/tink-crypto/tink-go/v2/tink"
	"google.golang.org/api/option"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"

	"github.com/tandem-sync/tandem/shared/fault"
)

// callTimeout bounds one call of Cloud KMS with the repetitions that its client makes on Unavailable.
const callTimeout = 20 * time.Second

func openKMS(ctx context.Context, uri string, client []option.ClientOption) (*Vault, error) {
	// The client outlives the context it is made with, which may be that of a first request.
	key, err := gcpkms.GetAEADWithContext(context.WithoutCancel(ctx), uri, gcpkms.WithGoogleAPIClientOptions(client...))
	if err != nil {
		return nil, fault.Errorf(fault.Misconfigured, side, "kms-client", "open vault: make the client of Cloud KMS: %w", err)
	}
	return &Vault{aead: aead.NewKMSEnvelopeAEAD2(aead.AES256GCMKeyTemplate(), &kmsKey{key: key, timeout: callTimeout})}, nil
}

// kmsKey is a key in Cloud KMS. It encrypts the data keys.
type kmsKey struct {
	key     tink.AEADWithContext
	timeout time.Duration
}

var _ tink.AEAD = (*kmsKey)(nil)

func (k *kmsKey) Encrypt(plain, associated []byte) ([]byte, error) {
	ctx, cancel := context.WithTimeout(context.Background(), k.timeout)
	defer cancel()
	sealed, err := k.key.EncryptWithContext(ctx, plain, associated)
	if err != nil {
		return nil, classify("encrypt", err)
	}
	return sealed, nil
}

func (k *kmsKey) Decrypt(sealed, associated []byte) ([]byte, error) {
	ctx, cancel := context.WithTimeout(context.Background(), k.timeout)
	defer cancel()
	plain, err := k.key.DecryptWithContext(ctx, sealed, associated)
	switch {
	case status.Code(err) == codes.InvalidArgument:
		// KMS says so where the text was not encrypted with this key
		// (https://cloud.google.com/kms/docs/reference/rest/v1/projects.locations.keyRings.cryptoKeys/decrypt).
		return nil, fault.Errorf(fault.Reconnect, side, "unreadable-token", "decrypt with cloud kms: %w", err)
	case err != nil:
		return nil, classify("decrypt", err)
	}
	return plain, nil
}

// classify tells what the operator has to mend from what passes. An error without a status is a reply that was damaged
// on its way.
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
