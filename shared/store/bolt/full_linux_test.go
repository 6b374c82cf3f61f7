package bolt

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"os/signal"
	"path/filepath"
	"strings"
	"syscall"
	"testing"

	"github.com/tandem-sync/tandem/shared/fault"
	"github.com/tandem-sync/tandem/shared/record"
	"github.com/tandem-sync/tandem/shared/store"
)

// A process that has no more room says so, keeps all that it said it had written, can still read it, and writes on when there is room
// again. Where the file cannot become longer the operating system refuses its new length; where the disk is full, it refuses what
// is written.
func TestA_full_disk_is_named_and_loses_nothing(t *testing.T) {
	t.Parallel()
	for name, prepare := range map[string]func(cmd *exec.Cmd, dir string){
		"the file may become no longer": func(cmd *exec.Cmd, _ string) { cmd.Env = append(cmd.Env, "TANDEM_TEST_LIMIT=file") },
		"the file system is full": func(cmd *exec.Cmd, dir string) {
			cmd.Env = append(cmd.Env, "TANDEM_TEST_LIMIT=disk", "TANDEM_TEST_DISK="+dir)
			own := []syscall.SysProcIDMap{{ContainerID: 0, HostID: os.Getuid(), Size: 1}}
			group := []syscall.SysProcIDMap{{ContainerID: 0, HostID: os.Getgid(), Size: 1}}
			cmd.SysProcAttr = &syscall.SysProcAttr{Cloneflags: syscall.CLONE_NEWUSER | syscall.CLONE_NEWNS, UidMappings: own, GidMappings: group}
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			path := filepath.Join(t.TempDir(), "tandem.db")
			cmd := exec.CommandContext(t.Context(), os.Args[0])
			cmd.Env = append(os.Environ(), "TANDEM_TEST_PROCESS=fills", "TANDEM_TEST_FILE="+path)
			prepare(cmd, t.TempDir())
			said, err := cmd.CombinedOutput()
			if errors.Is(err, syscall.EPERM) || strings.Contains(string(said), errNoDisk) {
				lacks(t, fmt.Sprintf("this machine lets nobody mount a file system: %v %s", err, said))
			}
			if err != nil {
				t.Fatalf("%v: %s", err, said)
			}
			t.Attr("faults", "1")
			kept := stateOf(t, path)
			for n := range strings.Count(string(said), "+") {
				if at := fmt.Sprintf(`users/"ada"/"blobs"/"contacts"/"b%d"`, n); kept[at] == "" {
					t.Errorf("%s was written, and is not there", at)
				}
			}
		})
	}
}

const errNoDisk = "mount a file system: "

// fill writes until it cannot, and then once more when it can again. It prints a sign for each write that it was told is done.
func fill(path string) error {
	const room = 1 << 20
	file, more := path, func() error { return nil }
	switch os.Getenv("TANDEM_TEST_LIMIT") {
	case "disk":
		dir := os.Getenv("TANDEM_TEST_DISK")
		if err := syscall.Mount("tmpfs", dir, "tmpfs", 0, fmt.Sprint("size=", room)); err != nil {
			return fmt.Errorf("%s%w", errNoDisk, err)
		}
		file = filepath.Join(dir, "tandem.db")
		more = func() error {
			return syscall.Mount("tmpfs", dir, "tmpfs", syscall.MS_REMOUNT, fmt.Sprint("size=", 16*room))
		}
	case "file":
		signal.Ignore(syscall.SIGXFSZ)
		var limit syscall.Rlimit
		if err := syscall.Getrlimit(syscall.RLIMIT_FSIZE, &limit); err != nil {
			return err
		}
		more = func() error { return syscall.Setrlimit(syscall.RLIMIT_FSIZE, &limit) }
		if err := syscall.Setrlimit(syscall.RLIMIT_FSIZE, &syscall.Rlimit{Cur: room, Max: limit.Max}); err != nil {
			return err
		}
	}
	if err := fillFile(file, more); err != nil || file == path {
		return err
	}
	// The test does not see the file system of this process.
	data, err := os.ReadFile(file)
	if err != nil {
		return err
	}
	return os.WriteFile(path, data, 0o600)
}

func fillFile(path string, more func() error) error {
	ctx := context.Background()
	s, err := Open(path)
	if err != nil {
		return err
	}
	u := s.User("ada")
	if err := u.UpdateProfile(ctx, func(*store.Profile) error { return nil }); err != nil {
		return err
	}
	_, lease, err := u.Acquire(ctx, record.Contacts, "run1", formerNoon, 0)
	if err != nil {
		return err
	}
	data := []byte(strings.Repeat("room", 10_000))
	put := func(n int) error { return u.PutBlob(ctx, record.Contacts, lease, fmt.Sprint("b", n), data) }
	n := 0
	for ; n < 1000; n++ {
		if err = put(n); err != nil {
			break
		}
		fmt.Print("+")
	}
	full, ok := errors.AsType[*fault.Error](err)
	if !ok || full.Kind != fault.Retry || full.Code != "full" {
		return fmt.Errorf("after %d writes the error is %v", n, err)
	}
	if put(n) == nil {
		return errors.New("the same write found room")
	}
	for i := range n {
		if _, err := u.Blob(ctx, record.Contacts, fmt.Sprint("b", i)); err != nil {
			return fmt.Errorf("blob %d of %d cannot be read any more: %w", i, n, err)
		}
	}
	if err := errors.Join(more(), put(n)); err != nil {
		return fmt.Errorf("with room again: %w", err)
	}
	fmt.Print("+")
	return s.Close()
}
