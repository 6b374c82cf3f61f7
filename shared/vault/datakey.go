package vault

import (
	"encoding/binary"
	"fmt"
	"sync"
	"time"

	"github.com/tink-crypto/tink-go/v2/aead"
	"github.com/tink-crypto/tink-go/v2/core/registry"
	"github.com/tink-crypto/tink-go/v2/tink"
)

const (
	// keptFor is how long a data key stays in memory. For so long a value can be opened after the key in KMS was disabled or the
	// role was withdrawn.
	keptFor = 5 * time.Minute
	// mostKept bounds the data keys in memory.
	mostKept = 10_000
)

// dataKeys is an envelope AEAD in Tink's format that seals with the same data key for some minutes, and keeps data keys that KMS has
// opened for as long. So KMS is called a few times in that time and not twice a run, however many users there are.
type dataKeys struct {
	kms      tink.AEAD
	envelope tink.AEAD
	now      func() time.Time

	mu      sync.Mutex
	sealing sealingKey
	opened  map[string]openedKey
}

type sealingKey struct {
	primitive tink.AEAD
	wrapped   []byte
	until     time.Time
}

type openedKey struct {
	key   []byte
	until time.Time
}

var _ tink.AEAD = (*dataKeys)(nil)

func newDataKeys(kms tink.AEAD, now func() time.Time) *dataKeys {
	d := &dataKeys{kms: kms, now: now, opened: map[string]openedKey{}}
	d.envelope = aead.NewKMSEnvelopeAEAD2(aead.AES256GCMKeyTemplate(), opener{d})
	return d
}

// Encrypt writes the envelope as Tink does: the length of the wrapped key, the wrapped key, the text.
func (d *dataKeys) Encrypt(plain, associated []byte) ([]byte, error) {
	key, err := d.sealingKey()
	if err != nil {
		return nil, err
	}
	text, err := key.primitive.Encrypt(plain, associated)
	if err != nil {
		return nil, err
	}
	out := binary.BigEndian.AppendUint32(nil, uint32(len(key.wrapped)))
	return append(append(out, key.wrapped...), text...), nil
}

func (d *dataKeys) Decrypt(sealed, associated []byte) ([]byte, error) {
	return d.envelope.Decrypt(sealed, associated)
}

// sealingKey is the data key of these minutes. Several callers may make one at the same time; the last one stays.
func (d *dataKeys) sealingKey() (sealingKey, error) {
	now := d.now()
	d.mu.Lock()
	key := d.sealing
	d.mu.Unlock()
	if now.Before(key.until) {
		return key, nil
	}
	template := aead.AES256GCMKeyTemplate()
	data, err := registry.NewKeyData(template)
	if err != nil {
		return sealingKey{}, fmt.Errorf("make a data key: %w", err)
	}
	if key.wrapped, err = d.kms.Encrypt(data.GetValue(), nil); err != nil {
		return sealingKey{}, err
	}
	made, err := registry.Primitive(template.GetTypeUrl(), data.GetValue())
	if err != nil {
		return sealingKey{}, fmt.Errorf("use a data key: %w", err)
	}
	primitive, ok := made.(tink.AEAD)
	if !ok {
		return sealingKey{}, fmt.Errorf("use a data key: a %T is no AEAD", made)
	}
	key.primitive, key.until = primitive, now.Add(keptFor)
	d.mu.Lock()
	defer d.mu.Unlock()
	d.sealing = key
	d.keep(string(key.wrapped), data.GetValue(), now)
	return key, nil
}

// keep remembers an opened data key. The caller holds the lock.
func (d *dataKeys) keep(wrapped string, key []byte, now time.Time) {
	if len(d.opened) >= mostKept {
		for w, k := range d.opened {
			if !now.Before(k.until) {
				delete(d.opened, w)
			}
		}
	}
	if len(d.opened) < mostKept {
		d.opened[wrapped] = openedKey{key, now.Add(keptFor)}
	}
}

// opener opens data keys, with KMS where it does not have them.
type opener struct{ keys *dataKeys }

func (o opener) Encrypt(plain, associated []byte) ([]byte, error) {
	return o.keys.kms.Encrypt(plain, associated)
}

func (o opener) Decrypt(wrapped, associated []byte) ([]byte, error) {
	d, now := o.keys, o.keys.now()
	d.mu.Lock()
	kept, ok := d.opened[string(wrapped)]
	if ok && !now.Before(kept.until) {
		delete(d.opened, string(wrapped))
		ok = false
	}
	d.mu.Unlock()
	if ok {
		return kept.key, nil
	}
	key, err := d.kms.Decrypt(wrapped, associated)
	if err != nil {
		return nil, err
	}
	d.mu.Lock()
	defer d.mu.Unlock()
	d.keep(string(wrapped), key, now)
	return key, nil
}
