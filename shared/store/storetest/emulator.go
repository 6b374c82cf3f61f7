package storetest

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"testing"
	"time"
)

// ErrNoEmulator says that this machine has no Firestore emulator; the message names what is missing.
var ErrNoEmulator = errors.New("no Firestore emulator")

// Emulator finds or starts Google's Firestore emulator and returns its host:port. stop, which is never nil, ends one
// that was started here. It belongs in TestMain, one for each test process:
//
//	func TestMain(m *testing.M) {
//		host, stop, err := storetest.Emulator()
//		if err == nil {
//			os.Setenv("FIRESTORE_EMULATOR_HOST", host)
//		}
//		missing = err
//		code := m.Run()
//		stop()
//		os.Exit(code)
//	}
//
// and each test that needs it calls NeedEmulator(t, missing) and takes a project of its own, as Project makes them.
func Emulator() (host string, stop func(), err error) {
	if host := os.Getenv("FIRESTORE_EMULATOR_HOST"); host != "" {
		return host, func() {}, nil
	}
	program, err := findEmulator()
	if err != nil {
		return "", func() {}, err
	}
	return startEmulator(program)
}

// NeedEmulator skips the test where missing, the error of Emulator, is not nil; with CI=true it fails it.
func NeedEmulator(t testing.TB, missing error) {
	t.Helper()
	switch {
	case missing == nil:
	case os.Getenv("CI") == "true" || !errors.Is(missing, ErrNoEmulator):
		t.Fatal(missing)
	default:
		t.Skip(missing)
	}
}

// findEmulator looks where the packages of Google Cloud put it, and beside the gcloud on the path.
func findEmulator() (string, error) {
	const inSDK = "platform/cloud-firestore-emulator/cloud_firestore_emulator"
	roots := []string{"/usr/lib/google-cloud-sdk"}
	if gcloud, err := exec.LookPath("gcloud"); err == nil {
		if gcloud, err = filepath.EvalSymlinks(gcloud); err == nil {
			roots = append(roots, filepath.Dir(filepath.Dir(gcloud)))
		}
	}
	for _, root := range roots {
		program := filepath.Join(root, filepath.FromSlash(inSDK))
		if _, err := os.Stat(program); err != nil {
			continue
		}
		for _, needed := range []string{"java", "sh"} {
			if _, err := exec.LookPath(needed); err != nil {
				return "", fmt.Errorf("%w: it needs %s, which is not on the path", ErrNoEmulator, needed)
			}
		}
		return program, nil
	}
	return "", fmt.Errorf("%w: install the package google-cloud-cli-firestore-emulator or run `gcloud components install "+
		"cloud-firestore-emulator`, or set FIRESTORE_EMULATOR_HOST to a running one", ErrNoEmulator)
}

// keeper starts the emulator and ends it when its own standard input ends, as it does when the test process is gone
// for whatever reason. The emulator's script runs ${JAVA} as a command, so the process it starts becomes Java itself.
const keeper = `JAVA="exec ${JAVA:-java}" "$0" "$@" </dev/null & read -r _; kill $! 2>/dev/null; wait`

// startTimeout is far more than the few seconds that the start takes on an idle machine.
const startTimeout = 90 * time.Second

func startEmulator(program string) (host string, stop func(), err error) {
	nothing := func() {}
	port, err := freePort()
	if err != nil {
		return "", nothing, fmt.Errorf("start Firestore emulator: %w", err)
	}
	log, err := os.CreateTemp("", "firestore-emulator-*.log")
	if err != nil {
		return "", nothing, fmt.Errorf("start Firestore emulator: %w", err)
	}
	cmd := exec.Command("sh", "-c", keeper, program, "start", "--host=127.0.0.1", "--port="+strconv.Itoa(port))
	cmd.Stdout, cmd.Stderr = log, log
	// The log is for the error of a failed start only. Without a name, it is gone with the process.
	if err := os.Remove(log.Name()); err != nil {
		return "", nothing, errors.Join(fmt.Errorf("start Firestore emulator: %w", err), log.Close())
	}
	in, err := cmd.StdinPipe()
	if err == nil {
		err = cmd.Start()
	}
	if err != nil {
		return "", nothing, errors.Join(fmt.Errorf("start Firestore emulator: %w", err), log.Close())
	}
	host = net.JoinHostPort("127.0.0.1", strconv.Itoa(port))
	stop = func() { stopEmulator(cmd, in, host, log) }
	if err := await(host); err != nil {
		said, _ := io.ReadAll(io.NewSectionReader(log, 0, 1<<16))
		stop()
		return "", nothing, fmt.Errorf("start Firestore emulator: %w\n%s", err, said)
	}
	return host, stop, nil
}

// stopEmulator asks the emulator to end, then has its keeper end it, then ends the keeper.
func stopEmulator(cmd *exec.Cmd, in io.Closer, host string, log *os.File) {
	const patience = 10 * time.Second
	ctx, cancel := context.WithTimeout(context.Background(), patience)
	defer cancel()
	if req, err := http.NewRequestWithContext(ctx, http.MethodPost, "http://"+host+"/shutdown", nil); err == nil {
		if resp, err := http.DefaultClient.Do(req); err == nil {
			resp.Body.Close()
		}
	}
	in.Close()
	kill := time.AfterFunc(patience, func() { _ = cmd.Process.Kill() })
	_ = cmd.Wait()
	kill.Stop()
	log.Close()
}

func freePort() (int, error) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return 0, err
	}
	defer l.Close()
	return l.Addr().(*net.TCPAddr).Port, nil
}

// await asks the emulator until it answers.
func await(host string) error {
	ctx, cancel := context.WithTimeout(context.Background(), startTimeout)
	defer cancel()
	tick := time.NewTicker(50 * time.Millisecond)
	defer tick.Stop()
	for {
		req, err := http.NewRequestWithContext(ctx, http.MethodGet, "http://"+host+"/", nil)
		if err != nil {
			return err
		}
		resp, err := http.DefaultClient.Do(req)
		if err == nil {
			resp.Body.Close()
			if resp.StatusCode == http.StatusOK {
				return nil
			}
			err = errors.New(resp.Status)
		}
		select {
		case <-ctx.Done():
			return fmt.Errorf("no answer within %s: %w", startTimeout, err)
		case <-tick.C:
		}
	}
}
