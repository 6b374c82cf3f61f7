package vault

import (
	"context"
	"testing"
	"testing/synctest"

	"github.com/tandem-sync/tandem/shared/fault"
)

// silent is a key whose service never answers.
type silent struct{}

func (silent) EncryptWithContext(ctx context.Context, _, _ []byte) ([]byte, error) {
	<-ctx.Done()
	return nil, ctx.Err()
}

func (silent) DecryptWithContext(ctx context.Context, _, _ []byte) ([]byte, error) {
	<-ctx.Done()
	return nil, ctx.Err()
}

func TestA_kms_that_never_answers_is_given_up(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		k := &kmsKey{key: silent{}, timeout: callTimeout}
		_, sealing := k.Encrypt(nil, nil)
		_, opening := k.Decrypt(nil, nil)
		if !fault.Is(sealing, fault.Retry) || !fault.Is(opening, fault.Retry) {
			t.Errorf("got %v and %v, want faults of kind retry", sealing, opening)
		}
	})
}
