// Package vault seals and opens what must not be readable in the database: tokens, passwords, code verifiers. It is for
// whoever keeps them and for nobody else.
//
// The key is one in Cloud KMS, or a keyset in a local file. With KMS each value is sealed under a data key of its own,
// which KMS encrypts (envelope encryption): what is kept can be opened only by who may call KMS, and each opening is in
// its audit log.
//
// Invariants: a sealed value opens only under the context it was sealed with (the user's id, as associated data of the
// AEAD), so that one user's token, moved into another user's document, is nothing; plain text is never kept, logged or
// part of an error.
package vault

import (
	"context"
	"errors"
	"fmt"
	"strings"

	"github.com/tink-crypto/tink-go/v2/tink"
	"google.golang.org/api/option"

	"github.com/tandem-sync/tandem/shared/fault"
)

// The two kinds of key that Open takes, by the beginning of their names.
const (
	kmsPrefix  = "gcp-kms://"
	filePrefix = "file:"
)

// side is what faults of the vault name: neither of the two services.
const side = "vault"

// Vault seals and opens. It may be used from many goroutines at once.
type Vault struct {
	aead tink.AEAD
}

// Option changes how a vault is opened.
type Option func(*options)

type options struct {
	client []option.ClientOption
}

// WithClientOptions are options of the client of Cloud KMS, as an endpoint or credentials.
func WithClientOptions(o ...option.ClientOption) Option {
	return func(all *options) { all.client = append(all.client, o...) }
}

// Open makes a vault over the key that spec names: "gcp-kms://projects/…/cryptoKeys/…", or "file:PATH" for a keyset
// that is made on first use. Every error is a fault of kind Misconfigured. Cloud KMS is not called before the first
// value is sealed or opened.
func Open(ctx context.Context, spec string, opts ...Option) (*Vault, error) {
	var o options
	for _, opt := range opts {
		opt(&o)
	}
	switch {
	case strings.HasPrefix(spec, kmsPrefix) && len(spec) > len(kmsPrefix):
		return openKMS(ctx, spec, o.client)
	case strings.HasPrefix(spec, filePrefix) && len(spec) > len(filePrefix):
		return openFile(strings.TrimPrefix(spec, filePrefix))
	default:
		// The value is not repeated: it may be a key that somebody pasted here.
		return nil, fault.New(fault.Misconfigured, side, "bad-key-name",
			errors.New(`open vault: the key is neither "gcp-kms://projects/…/cryptoKeys/…" nor "file:PATH"`))
	}
}

// Seal encrypts plain so that only Open with the same context reads it. Where Cloud KMS cannot be reached the error is
// of kind Retry; where it refuses, Misconfigured.
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

// Open decrypts what Seal made under the same context. Where it was sealed with another key or under another context,
// or was damaged, the error is of kind Reconnect with the code "unreadable-token": no repetition helps, only a new
// token does. Trouble with Cloud KMS itself is Retry or Misconfigured, as in Seal.
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

// failed gives err the kind, unless the key's service already gave it one.
func failed(op string, kind fault.Kind, code string, err error) error {
	if _, classified := errors.AsType[*fault.Error](err); classified {
		return fmt.Errorf("%s: %w", op, err)
	}
	return fault.Errorf(kind, side, code, "%s: %w", op, err)
}

func noContext(op string) error {
	return fault.New(fault.Bug, side, "no-context", errors.New(op+": the context is empty"))
}
