package vault

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"runtime"
	"syscall"

	"github.com/tink-crypto/tink-go/v2/aead"
	"github.com/tink-crypto/tink-go/v2/insecurecleartextkeyset"
	"github.com/tink-crypto/tink-go/v2/keyset"

	"github.com/tandem-sync/tandem/shared/fault"
)

// maxKeyset is more than the size of any keyset; a larger file cannot be one.
const maxKeyset = 1 << 20

// openFile opens the keyset in the file. If there is no file, it makes both.
func openFile(path string) (*Vault, error) {
	if err := checkDirectory(filepath.Dir(path)); err != nil {
		return nil, unusable(path, err)
	}
	handle, err := readKeyset(path)
	if errors.Is(err, fs.ErrNotExist) {
		if err = makeKeyset(path); err == nil {
			handle, err = readKeyset(path)
		}
	}
	if err != nil {
		return nil, unusable(path, err)
	}
	primitive, err := aead.New(handle)
	if err != nil {
		return nil, unusable(path, err)
	}
	return &Vault{aead: primitive}, nil
}

// checkDirectory rejects a directory in which others could put another key in the place of the file.
func checkDirectory(dir string) error {
	info, err := os.Stat(dir)
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return nil // It is made together with the file.
	case err != nil:
		return err
	case runtime.GOOS != "windows" && info.Mode().Perm()&0o022 != 0:
		return fmt.Errorf("others may write into its directory (mode %04o); run: chmod go-w %s", info.Mode().Perm(), dir)
	}
	return nil
}

// readKeyset checks the open file and not the path, so that it reads the file that it checked.
func readKeyset(path string) (*keyset.Handle, error) {
	f, err := os.Open(path)
	if err != nil {
		return nil, err
	}
	defer func() { _ = f.Close() }()
	info, err := f.Stat()
	switch {
	case err != nil:
		return nil, err
	case !info.Mode().IsRegular():
		return nil, errors.New("it is not a regular file")
	case info.Size() > maxKeyset:
		return nil, errors.New("it is too large for a keyset; name another file")
	case othersMayRead(info.Mode()):
		return nil, fmt.Errorf("others may read or write it (mode %04o); run: chmod 600 %s", info.Mode().Perm(), path)
	}
	data, err := io.ReadAll(io.LimitReader(f, maxKeyset))
	if err != nil {
		return nil, err
	}
	handle, err := insecurecleartextkeyset.Read(keyset.NewJSONReader(bytes.NewReader(data)))
	if err != nil {
		// The cause is omitted because it may quote the file.
		return nil, errors.New("it holds no keyset; restore it from a backup, or name a new file and have every user link again")
	}
	return handle, nil
}

// othersMayRead reports whether anybody but the owner has access to the file. Windows has no such bits.
func othersMayRead(mode fs.FileMode) bool {
	return runtime.GOOS != "windows" && mode.Perm()&0o077 != 0
}

// makeKeyset writes a new keyset to the path, unless another process has written one first. It writes to a temporary name
// and links the complete file to the path, so that no process reads half of a keyset.
func makeKeyset(path string) (err error) {
	dir := filepath.Dir(path)
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return err
	}
	handle, err := keyset.NewHandle(aead.AES256GCMKeyTemplate())
	if err != nil {
		return err
	}
	// CreateTemp opens with O_EXCL and mode 0600.
	f, err := os.CreateTemp(dir, "."+filepath.Base(path)+"-*")
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, os.Remove(f.Name())) }()
	err = insecurecleartextkeyset.Write(handle, keyset.NewJSONWriter(f))
	if err := errors.Join(err, f.Sync(), f.Close()); err != nil {
		return err
	}
	if err := os.Link(f.Name(), path); err != nil && !errors.Is(err, fs.ErrExist) {
		return err
	}
	return syncDirectory(dir)
}

// syncDirectory makes the new name durable: without the key all tokens are lost.
func syncDirectory(dir string) error {
	if runtime.GOOS == "windows" {
		return nil
	}
	d, err := os.Open(dir)
	if err != nil {
		return err
	}
	err = d.Sync()
	if errors.Is(err, syscall.EINVAL) || errors.Is(err, errors.ErrUnsupported) {
		err = nil // Some file systems, such as those of containers, cannot sync a directory.
	}
	return errors.Join(err, d.Close())
}

func unusable(path string, err error) error {
	return fault.Errorf(fault.Misconfigured, side, "key-file", "open vault: key file %s: %w", path, err)
}
