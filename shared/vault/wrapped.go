package vault

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"sync"
	"time"

	"github.com/tink-crypto/tink-go/v2/aead/subtle"
	"github.com/tink-crypto/tink-go/v2/tink"

	"github.com/tandem-sync/tandem/shared/fault"
)

const (
	// wrapContext is what the key of a Wrapped is sealed with.
	wrapContext = "wrapped-key"
	// unwrapTime is how long reading and unwrapping the key may take.
	unwrapTime = 30 * time.Second
	// unwrapPause is how long a failed unwrapping is not repeated.
	unwrapPause = 5 * time.Second
)

// Wrapped seals and opens values with one key that a Vault has sealed, and that is unwrapped once for each process. So what
// strangers send costs no call of Cloud KMS. It is for cookies; what the database keeps is sealed by the Vault itself. It is
// safe for concurrent use.
type Wrapped struct {
	outer *Vault
	keep  Keep
	now   func() time.Time

	mu   sync.Mutex
	aead tink.AEAD
	// failure is why the key could not be unwrapped, until retry.
	failure error
	retry   time.Time
}

// Keep returns the sealed key that all processes share. If there is none, it stores the one that create makes.
type Keep func(ctx context.Context, create func() ([]byte, error)) ([]byte, error)

// NewWrapped makes a Wrapped. It calls nothing until a value is sealed or opened.
func NewWrapped(outer *Vault, keep Keep, now func() time.Time) *Wrapped {
	return &Wrapped{outer: outer, keep: keep, now: now}
}

// Seal encrypts plain so that only Open with the same context can decrypt it.
func (w *Wrapped) Seal(plain []byte, context string) ([]byte, error) {
	v, err := w.vault()
	if err != nil {
		return nil, err
	}
	return v.Seal(plain, context)
}

// Open decrypts a value that Seal made with the same context. Its errors are those of Vault.
func (w *Wrapped) Open(sealed []byte, context string) ([]byte, error) {
	v, err := w.vault()
	if err != nil {
		return nil, err
	}
	return v.Open(sealed, context)
}

// vault seals with the unwrapped key.
func (w *Wrapped) vault() (*Vault, error) {
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.aead != nil {
		return &Vault{aead: w.aead}, nil
	}
	if w.now().Before(w.retry) {
		return nil, w.failure
	}
	aead, err := w.unwrap()
	if err != nil {
		w.failure, w.retry = err, w.now().Add(unwrapPause)
		return nil, err
	}
	w.aead = aead
	return &Vault{aead: aead}, nil
}

func (w *Wrapped) unwrap() (tink.AEAD, error) {
	ctx, cancel := context.WithTimeout(context.Background(), unwrapTime)
	defer cancel()
	sealed, err := w.keep(ctx, func() ([]byte, error) {
		key := make([]byte, 32)
		_, _ = rand.Read(key) // It never fails.
		return w.outer.Seal(key, wrapContext)
	})
	if err != nil {
		return nil, fmt.Errorf("read wrapped key: %w", err)
	}
	key, err := w.outer.Open(sealed, wrapContext)
	if fault.Is(err, fault.Reconnect) {
		// Nobody can link that again: the key that wraps it is another one.
		return nil, fault.New(fault.Misconfigured, side, "wrapped-key", errors.New("open wrapped key: it was sealed with another key"))
	}
	if err != nil {
		return nil, fmt.Errorf("open wrapped key: %w", err)
	}
	return subtle.NewXChaCha20Poly1305(key)
}
