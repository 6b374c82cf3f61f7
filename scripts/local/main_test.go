package main

import (
	"bufio"
	"bytes"
	"context"
	"errors"
	"flag"
	"io"
	"net/http"
	"net/http/cookiejar"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"go.uber.org/goleak"

	"github.com/tandem-sync/tandem/shared/sandbox/sample"
)

// bare is an environment in which nothing is set but the port, which is any free one.
func bare(name string) (string, bool) { return "0", name == "PORT" }

func TestOnce_synchronizes_twice_and_finds_both_sides_agreeing(t *testing.T) {
	t.Parallel()
	var out bytes.Buffer
	if err := serve(t.Context(), options{demo: true, once: true, data: t.TempDir(), env: bare}, &out); err != nil {
		t.Fatalf("%v\n%s", err, out.String())
	}
	for _, want := range []string{
		"signing in", "contacts, first run", "contacts, second run", "contacts under the tag", "activities, first run", "activities, second run",
		"activities in these weeks", "\nready http://127.0.0.1:",
	} {
		if !strings.Contains(out.String(), want) {
			t.Errorf("%q is not in\n%s", want, out.String())
		}
	}
}

// running starts the server and gives its address and what ends it.
func running(t *testing.T, o options) (settings string, end func() error) {
	t.Helper()
	ctx, cancel := context.WithCancel(t.Context())
	r, w := io.Pipe()
	done := make(chan error, 1)
	go func() {
		err := serve(ctx, o, w)
		_ = w.Close()
		done <- err
	}()
	lines := bufio.NewScanner(r)
	for lines.Scan() {
		if address, ok := strings.CutPrefix(lines.Text(), "ready "); ok {
			settings = address
			break
		}
	}
	go func() { _, _ = io.Copy(io.Discard, r) }()
	return settings, func() error {
		cancel()
		return <-done
	}
}

func TestIt_serves_until_it_is_told_to_end_and_goes_on_from_there(t *testing.T) {
	t.Parallel()
	o := options{demo: true, data: t.TempDir(), tick: 10 * time.Millisecond, env: bare}
	for range 2 {
		settings, end := running(t, o)
		if settings == "" {
			t.Fatal(end())
		}
		for path, want := range map[string]int{"": 200, "/healthz": 200, "/api/v1/account": 401} {
			resp, err := http.Get(settings + path)
			if err != nil {
				t.Fatal(err)
			}
			_ = resp.Body.Close()
			if resp.StatusCode != want {
				t.Errorf("%s: got %d, want %d", path, resp.StatusCode, want)
			}
		}
		if err := end(); err != nil {
			t.Fatal(err)
		}
		// The second time it finds everything where the first one left it, and nothing to do.
		o.once = false
	}
}

func TestA_wrong_environment_is_told_at_once(t *testing.T) {
	t.Parallel()
	env := func(name string) (string, bool) {
		v, ok := map[string]string{"PORT": "0", "CREATIO_URL": "acme", "CREATIO_AUTH": "magic", "QUEUE": "somewhere"}[name]
		return v, ok
	}
	err := serve(t.Context(), options{data: t.TempDir(), env: env}, io.Discard)
	if err == nil {
		t.Fatal("it started")
	}
	for _, name := range []string{"CREATIO_URL", "CREATIO_AUTH", "QUEUE"} {
		if !strings.Contains(err.Error(), name) {
			t.Errorf("%s is not named in %q", name, err)
		}
	}
}

// with is an environment in which one more variable is set.
func with(name, value string) func(string) (string, bool) {
	return func(asked string) (string, bool) {
		if asked == name {
			return value, true
		}
		return bare(asked)
	}
}

func TestEvery_way_to_connect_Creatio_can_be_tried_and_names_its_credentials(t *testing.T) {
	t.Parallel()
	for auth, named := range map[string]string{"password": sample.UserPassword, "client": clientSecret} {
		t.Run(auth, func(t *testing.T) {
			t.Parallel()
			var out bytes.Buffer
			if err := serve(t.Context(), options{demo: true, once: true, data: t.TempDir(), env: with("CREATIO_AUTH", auth)}, &out); err != nil {
				t.Fatalf("%v\n%s", err, out.String())
			}
			if !strings.Contains(out.String(), named) || !strings.Contains(out.String(), "both sides agree") {
				t.Errorf("got\n%s", out.String())
			}
		})
	}
}

func TestThe_consent_pages_have_the_sample_user_chosen(t *testing.T) {
	t.Parallel()
	settings, end := running(t, options{data: t.TempDir(), env: bare})
	defer func() { _ = end() }()
	jar, err := cookiejar.New(nil)
	if err != nil {
		t.Fatal(err)
	}
	resp, err := (&http.Client{Jar: jar}).Get(settings + "/sign-in")
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = resp.Body.Close() }()
	page, err := io.ReadAll(resp.Body)
	if err != nil {
		t.Fatal(err)
	}
	if want := `value="` + sample.UserEmail + `" required checked`; strings.Count(string(page), " required checked") != 1 || !strings.Contains(string(page), want) {
		t.Errorf("%s is not chosen in %s", sample.UserEmail, page)
	}
}

func TestA_second_copy_on_one_directory_touches_nothing(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	settings, end := running(t, options{data: dir, env: bare})
	before, err := os.ReadDir(dir)
	if err != nil {
		t.Fatal(err)
	}
	err = serve(t.Context(), options{data: dir, env: bare}, io.Discard)
	if err == nil || !strings.Contains(err.Error(), "another copy") || !strings.Contains(err.Error(), dir) {
		t.Errorf("the second copy ended with %v", err)
	}
	after, err := os.ReadDir(dir)
	if err != nil || len(after) != len(before) {
		t.Errorf("before %v, after %v, %v", before, after, err)
	}
	resp, err := http.Get(settings + "/healthz")
	if err != nil {
		t.Fatal(err)
	}
	_ = resp.Body.Close()
	if err := end(); err != nil {
		t.Fatal(err)
	}
	_, end = running(t, options{data: dir, env: bare})
	if err := end(); err != nil {
		t.Errorf("a copy after the first one: %v", err)
	}
}

func TestWhat_is_wrong_with_an_option_is_one_sentence(t *testing.T) {
	t.Parallel()
	for _, args := range [][]string{{"--nonsense"}, {"--tick", "soon"}, {"--tick", "-1s"}, {"--tick"}, {"now"}, {"--once"}, {"--demo=maybe"}} {
		var shown bytes.Buffer
		_, err := parse(args, &shown)
		if err == nil || shown.Len() > 0 || strings.Contains(err.Error(), "\n") || len(err.Error()) > 160 {
			t.Errorf("%v: %v, and shown:\n%s", args, err, shown.String())
		}
	}
	var shown bytes.Buffer
	if _, err := parse([]string{"--help"}, &shown); !errors.Is(err, flag.ErrHelp) || !strings.Contains(shown.String(), "-tick") {
		t.Errorf("help: %v\n%s", err, shown.String())
	}
}

// asProgram has the test binary be the program.
const asProgram = "TEST_AS_PROGRAM"

func TestMain(m *testing.M) {
	if os.Getenv(asProgram) != "" {
		os.Args = append(os.Args[:1], "--demo", "--data", os.Getenv(asProgram))
		main()
		return
	}
	goleak.VerifyTestMain(m)
}

func TestControl_C_ends_it_while_it_synchronizes_and_the_next_start_goes_on(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	program := exec.CommandContext(t.Context(), os.Args[0])
	program.Env = append(os.Environ(), asProgram+"="+dir, "PORT=0", "GOOGLE_CLIENT_ID=", "GOOGLE_ENDPOINT=", "CREATIO_URL=", "CREATIO_AUTH=")
	said := &bytes.Buffer{}
	program.Stderr = said
	out, err := program.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := program.Start(); err != nil {
		t.Fatal(err)
	}
	for lines := bufio.NewScanner(out); lines.Scan(); {
		if strings.Contains(lines.Text(), "synchronizing contacts, first run") {
			break
		}
	}
	if err := program.Process.Signal(os.Interrupt); err != nil {
		t.Fatal(err)
	}
	_, _ = io.Copy(io.Discard, out)
	if err := program.Wait(); err != nil || !strings.Contains(said.String(), "ending: ") {
		t.Fatalf("it ended with %v and said %s", err, said.String())
	}
	var again bytes.Buffer
	if err := serve(t.Context(), options{demo: true, once: true, data: dir, env: bare}, &again); err != nil {
		t.Errorf("the next start: %v\n%s", err, again.String())
	}
}

func TestA_backup_takes_the_place_of_the_database(t *testing.T) {
	t.Parallel()
	o := options{demo: true, data: t.TempDir(), backup: filepath.Join(t.TempDir(), "tandem.db"), env: bare}
	_, end := running(t, o)
	if err := end(); err != nil {
		t.Fatal(err)
	}
	if err := os.Rename(o.backup, filepath.Join(o.data, "tandem.db")); err != nil {
		t.Fatal(err)
	}
	var out bytes.Buffer
	o.once = true
	if err := serve(t.Context(), o, &out); err != nil {
		t.Errorf("with the backup both sides do not agree: %v\n%s", err, out.String())
	}
}
