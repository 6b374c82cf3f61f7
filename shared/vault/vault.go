// Package vault seals and opens values that must not be readable in the database: tokens, passwords, code verifiers. It is
// for the packages that store them.
//
// The key is in Cloud KMS, or in a keyset in a local file. With KMS values are sealed with data keys, which KMS encrypts (envelope
// encryption): only callers with access to KMS can open a value. A data key stays in a process's memory for some minutes, and seals
// what the process seals meanwhile; the audit log has each opening of a data key.
//
// Invariants: a sealed value opens only with the context it was sealed with (the user's id, as associated data of the
// AEAD), so that a token that is moved into another user's document cannot be opened; plain text is never stored, logged or
// part of an error.
package vault

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/tink-crypto/tink-go/v2/tink"
	"google.golang.org/api/option"

	"github.com/tandem-sync/tandem/shared/fault"
)

// The prefixes of the two kinds of key that Open accepts.
const (
	kmsPrefix  = "gcp-kms://"
	filePrefix = "file:"
)

// side names the vault in faults, where the name of a service would be.
const side = "vault"

// Vault seals and opens values. It is safe for concurrent use.
type Vault struct {
	aead tink.AEAD
}

// Option changes how a vault is opened.
type Option func(*options)

type options struct {
	client []option.ClientOption
	now    func() time.Time
}

// WithNow sets the clock by which data keys leave the memory; default time.Now.
func WithNow(now func() time.Time) Option { return func(all *options) { all.now = now } }

// WithClientOptions adds options for the client of Cloud KMS, such as an endpoint or credentials.
func WithClientOptions(o ...option.ClientOption) Option {
	return func(all *options) { all.client = append(all.client, o...) }
}

// Open makes a vault with the key that spec names: "gcp-kms://projects/…/cryptoKeys/…", or "file:PATH" for a keyset
// that is made at the first use. Every error is a fault of kind Misconfigured. Cloud KMS is first called when a value is
// sealed or opened.
func Open(ctx context.Context, spec string, opts ...Option) (*Vault, error) {
	o := options{now: time.Now}
	for _, opt := range opts {
		opt(&o)
	}
	switch {
	case strings.HasPrefix(spec, kmsPrefix) && len(spec) > len(kmsPrefix):
		return openKMS(ctx, spec, o.now, o.client)
	case strings.HasPrefix(spec, filePrefix) && len(spec) > len(filePrefix):
		return openFile(strings.TrimPrefix(spec, filePrefix))
	default:
		// The value is not quoted: it may be the key itself, pasted by mistake.
		return nil, fault.New(fault.Misconfigured, side, "bad-key-name",
			errors.New(`open vault: the key is neither "gcp-kms://projects/…/cryptoKeys/…" nor "file:PATH"`))
	}
}

// Seal encrypts plain so that only Open with the same context can decrypt it. If Cloud KMS is unreachable, the error is of
// kind Retry; if it refuses, of kind Misconfigured.
func (v *Vault) Seal(plain []byte, context string) ([]byte, error) {
	if context == "" {
		return nil, noContext("seal")
	}
	sealed, err := v.aead.Encrypt(plain, []byte(context))
	if err != nil {
		return nil, failed("seal", fault.Bug, "seal", err)
	}
	return sealed, nil
}

// Open decrypts a value that Seal made with the same context. If the value was sealed with another key or context, or is
// corrupt, the error is of kind Reconnect with the code "unreadable-token": a retry does not help, only a new token does.
// Failures of Cloud KMS itself are Retry or Misconfigured, as in Seal.
func (v *Vault) Open(sealed []byte, context string) ([]byte, error) {
	if context == "" {
		return nil, noContext("open")
	}
	plain, err := v.aead.Decrypt(sealed, []byte(context))
	if err != nil {
		return nil, failed("open", fault.Reconnect, "unreadable-token", err)
	}
	return plain, nil
}

// failed makes err a fault of the kind, unless it is already classified.
func failed(op string, kind fault.Kind, code string, err error) error {
	if _, classified := errors.AsType[*fault.Error](err); classified {
		return fmt.Errorf("%s: %w", op, err)
	}
	return fault.Errorf(kind, side, code, "%s: %w", op, err)
}

func noContext(op string) error {
	return fault.New(fault.Bug, side, "no-context", errors.New(op+": the context is empty"))
}
