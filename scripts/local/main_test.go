package main

import (
	"bufio"
	"bytes"
	"context"
	"io"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"
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
