package bolt

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"maps"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strings"
	"syscall"
	"testing"
	"time"
	"unsafe"

	"github.com/google/go-cmp/cmp"
	"go.etcd.io/bbolt"
	"go.uber.org/goleak"

	"github.com/tandem-sync/tandem/shared/contact"
	"github.com/tandem-sync/tandem/shared/record"
	"github.com/tandem-sync/tandem/shared/store"
)

// written are writes of every kind, one after the other, over the store of a former version. They write the same on every run.
var written = []func(ctx context.Context, s *Store) error{
	func(ctx context.Context, s *Store) error {
		return s.User("dan").UpdateProfile(ctx, func(p *store.Profile) error {
			p.CreatedAt = formerNoon
			return nil
		})
	},
	func(ctx context.Context, s *Store) error {
		return s.User("dan").PutToken(ctx, record.Google, store.Token{Version: "one", Sealed: bytes.Repeat([]byte("s"), 3000)})
	},
	func(ctx context.Context, s *Store) error { return s.UseState(ctx, "state", formerNoon) },
	func(ctx context.Context, s *Store) error {
		_, _, err := s.User("dan").Acquire(ctx, record.Contacts, "run1", formerNoon, time.Minute)
		return err
	},
	func(ctx context.Context, s *Store) error {
		b := store.Batch{Notes: []store.WriteNote{{Site: "site", Record: "r1", Until: formerNoon.Add(time.Hour)}}}
		for n := range 40 {
			id := fmt.Sprint("l", n)
			b.Links = append(b.Links, store.Link{ID: id, CreatioID: "c" + id, GoogleID: "people/" + id, Name: strings.Repeat("Ada ", 100), UpdatedAt: formerNoon})
			b.Claims = append(b.Claims, store.Claim{Site: "site", Key: id, RecordID: id, Link: id, Until: formerNoon.Add(time.Hour)})
			b.Pairs = append(b.Pairs, store.Pair{ID: id, CreatioID: "c" + id, GoogleID: "people/" + id, State: store.StateDoubt})
		}
		_, err := s.User("dan").PutBatch(ctx, record.Contacts, itsLease, formerNoon, b)
		return err
	},
	func(ctx context.Context, s *Store) error {
		return s.User("dan").PutBlob(ctx, record.Contacts, itsLease, "members/google", bytes.Repeat([]byte("member"), 30_000))
	},
	func(ctx context.Context, s *Store) error {
		return s.User("dan").AddChanges(ctx, "run1", 0, []store.Change{{Record: "Ada", Fields: []store.FieldChange{{Field: contact.Notes, After: strings.Repeat("long ", 5000)}}}})
	},
	func(ctx context.Context, s *Store) error {
		return s.User("dan").Commit(ctx, record.Contacts, itsLease, store.Run{ID: "run1", Status: "done", StartedAt: formerNoon}, func(d *store.Sync) error {
			d.Due = formerNoon.Add(time.Hour)
			return nil
		})
	},
	func(ctx context.Context, s *Store) error {
		_, err := s.MoveMemberSets(ctx, "", 10)
		return err
	},
	func(ctx context.Context, s *Store) error {
		_, err := s.Reindex(ctx, "", 10)
		return err
	},
	func(ctx context.Context, s *Store) error {
		return s.UpdateSchema(ctx, func(s *store.Schema) error {
			s.Version++
			return nil
		})
	},
	func(ctx context.Context, s *Store) error { return s.User("ada").Erase(ctx) },
}

var itsLease = store.Lease{Owner: "run1", Fence: 1}

// TestMain is the process that is killed, where this program is started as that.
func TestMain(m *testing.M) {
	switch path, kind := os.Getenv("TANDEM_TEST_FILE"), os.Getenv("TANDEM_TEST_PROCESS"); kind {
	case "":
		goleak.VerifyTestMain(m)
	case "writes":
		exit(writeAll(path))
	case "fills":
		exit(fill(path))
	}
}

func exit(err error) {
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
	os.Exit(0)
}

// writeAll prints a sign for each write that it was told is done.
func writeAll(path string) error {
	s, err := Open(path)
	if err != nil {
		return err
	}
	s.db.NoSync = true
	for _, write := range written {
		if err := write(context.Background(), s); err != nil {
			return err
		}
		if _, err := os.Stdout.WriteString("+"); err != nil {
			return err
		}
	}
	return s.Close()
}

// lacks leaves a test out for what the machine does not have; where CI=true nothing may be missing.
func lacks(t *testing.T, what string) {
	t.Helper()
	if os.Getenv("CI") == "true" {
		t.Fatal(what)
	}
	t.Skip(what)
}

// A process is killed right before each system call by which it would write to the file or lengthen it.
//
// It runs before the tests that run in parallel: it waits for any child of this process, and would take theirs for its own.
func TestA_process_that_is_killed_at_any_write_leaves_all_of_a_change_or_nothing(t *testing.T) {
	begin, states := recorded(t)
	for at := 0; ; at++ {
		path := filepath.Join(t.TempDir(), "tandem.db")
		must(t, os.WriteFile(path, begin, 0o600))
		told, killed, err := runUntil(t.TempDir(), path, at)
		if errors.Is(err, syscall.EPERM) || errors.Is(err, syscall.ENOSYS) {
			lacks(t, fmt.Sprint("this machine lets nobody trace a process: ", err))
		}
		must(t, err)
		if !killed && told != len(written) {
			t.Fatalf("the process ended after %d of %d writes", told, len(written))
		}
		is := stateOf(t, path)
		before, after := states[told], states[min(told+1, len(written))]
		if !maps.Equal(is, before) && !maps.Equal(is, after) {
			t.Errorf("killed at write %d, after %d changes, the file has neither all of the next one nor nothing (-before +now):\n%s", at, told, cmp.Diff(before, is))
		}
		if !killed {
			if at < 2*len(written) {
				t.Errorf("the process was killed at %d writes only", at)
			}
			t.Attr("faults", fmt.Sprint(at))
			return
		}
	}
}

// recorded is a file, and what is in it before the writes and after each of them.
func recorded(t *testing.T) (begin []byte, states []map[string]string) {
	t.Helper()
	s := openFormer(t)
	s.db.NoSync = true
	// The key of the hashes is random.
	_, err := s.NewChannelID(t.Context())
	must(t, err)
	var file bytes.Buffer
	must(t, s.db.View(func(tx *bbolt.Tx) error {
		_, err := tx.WriteTo(&file)
		return err
	}))
	states = append(states, contents(t, s.db))
	for _, write := range written {
		must(t, write(t.Context(), s))
		states = append(states, contents(t, s.db))
	}
	return file.Bytes(), states
}

// runUntil starts this program as a process that writes, and kills it at a write. It returns how many changes the process was told
// are done.
func runUntil(dir, path string, at int) (told int, killed bool, err error) {
	out, err := os.Create(filepath.Join(dir, "told"))
	if err != nil {
		return 0, false, err
	}
	defer out.Close()
	cmd := exec.Command(os.Args[0])
	cmd.Env = append(os.Environ(), "TANDEM_TEST_PROCESS=writes", "TANDEM_TEST_FILE="+path)
	cmd.Stdout, cmd.Stderr = out, out
	done := make(chan struct{})
	go func() {
		defer close(done)
		// Whoever traces is a thread, which ends with the goroutine.
		runtime.LockOSThread()
		killed, err = trace(cmd, at)
	}()
	<-done
	if err != nil {
		return 0, false, err
	}
	said, err := os.ReadFile(out.Name())
	if rest := strings.TrimLeft(string(said), "+"); rest != "" {
		return 0, false, errors.New(rest)
	}
	return len(said), killed, err
}

// What package syscall does not name, from ptrace(2) and waitpid(2).
const (
	exitKill       = 0x100000 // PTRACE_O_EXITKILL
	sysGood        = 0x1      // PTRACE_O_TRACESYSGOOD
	getSyscallInfo = 0x420e   // PTRACE_GET_SYSCALL_INFO
	ofThread       = 0x20000000 | 0x40000000
	syscallStop    = syscall.SIGTRAP | 0x80
)

// trace follows all threads of a process from system call to system call, and kills it when it is about to write for the at-th time,
// counted from 0.
func trace(cmd *exec.Cmd, at int) (killed bool, err error) {
	cmd.SysProcAttr = &syscall.SysProcAttr{Ptrace: true}
	if err := cmd.Start(); err != nil {
		return false, err
	}
	main := cmd.Process.Pid
	defer func() { err = errors.Join(err, cmd.Process.Release()) }()
	begun, writes := map[int]bool{main: true}, 0
	for first := true; ; first = false {
		var status syscall.WaitStatus
		thread, err := syscall.Wait4(-1, &status, ofThread, nil)
		if err != nil {
			return false, err
		}
		if status.Exited() || status.Signaled() {
			if thread == main {
				return killed, nil
			}
			continue
		}
		deliver := 0
		switch sig := status.StopSignal(); {
		case first:
			if err := syscall.PtraceSetOptions(main, exitKill|sysGood|syscall.PTRACE_O_TRACECLONE); err != nil {
				return false, err
			}
		case sig == syscallStop:
			if !writesNext(thread) {
				break
			}
			if writes == at {
				killed = true
				_ = syscall.Kill(main, syscall.SIGKILL)
			}
			writes++
		case sig == syscall.SIGTRAP, sig == syscall.SIGSTOP && !begun[thread]:
			begun[thread] = true
		default:
			deliver = int(sig)
		}
		// A thread of a process that was killed may be gone.
		if err := syscall.PtraceSyscall(thread, deliver); err != nil && !errors.Is(err, syscall.ESRCH) {
			return false, err
		}
	}
}

// writesNext reports whether a thread is about to write at a place of a file, or to set a file's length.
func writesNext(thread int) bool {
	// struct ptrace_syscall_info, as ptrace(2) has it.
	var info struct {
		op       uint8
		_        [3]uint8
		arch     uint32
		ip, sp   uint64
		nr       uint64
		args     [6]uint64
		leftover [2]uint64
	}
	_, _, errno := syscall.RawSyscall6(syscall.SYS_PTRACE, getSyscallInfo, uintptr(thread), unsafe.Sizeof(info), uintptr(unsafe.Pointer(&info)), 0, 0)
	const entry = 1 // PTRACE_SYSCALL_INFO_ENTRY
	return errno == 0 && info.op == entry && (info.nr == syscall.SYS_PWRITE64 || info.nr == syscall.SYS_FTRUNCATE)
}
