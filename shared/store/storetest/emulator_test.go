package storetest_test

import (
	"errors"
	"fmt"
	"testing"

	"github.com/tandem-sync/tandem/shared/store/storetest"
)

// recorder is a test that notes how it ended.
type recorder struct {
	testing.TB
	end string
}

func (r *recorder) Helper()     {}
func (r *recorder) Skip(...any) { r.end = "skipped" }
func (r *recorder) Fatal(...any) {
	r.end = "failed"
}

func TestAMissingEmulatorSkipsATestButFailsItInCI(t *testing.T) {
	missing := fmt.Errorf("%w: nothing is installed", storetest.ErrNoEmulator)
	for _, c := range []struct {
		ci   string
		err  error
		want string
	}{
		{"", nil, ""},
		{"true", nil, ""},
		{"", missing, "skipped"},
		{"true", missing, "failed"},
		{"", errors.New("the emulator did not start"), "failed"},
	} {
		t.Setenv("CI", c.ci)
		r := &recorder{}
		storetest.NeedEmulator(r, c.err)
		if r.end != c.want {
			t.Errorf("CI=%q, %v: %q, want %q", c.ci, c.err, r.end, c.want)
		}
	}
}

func TestARunningEmulatorIsTakenAsItIs(t *testing.T) {
	t.Setenv("FIRESTORE_EMULATOR_HOST", "127.0.0.1:1")
	host, stop, err := storetest.Emulator()
	if err != nil || host != "127.0.0.1:1" {
		t.Fatalf("host %q, error %v", host, err)
	}
	stop()
}
