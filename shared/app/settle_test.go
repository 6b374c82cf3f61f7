package app

import (
	"bytes"
	"io"
	"log/slog"
	"net/http"
	"path/filepath"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"google.golang.org/api/option"

	"github.com/tandem-sync/tandem/shared/record"
	"github.com/tandem-sync/tandem/shared/schedule"
	"github.com/tandem-sync/tandem/shared/store"
	"github.com/tandem-sync/tandem/shared/store/bolt"
)

type roundTrip func(*http.Request) (*http.Response, error)

func (f roundTrip) RoundTrip(r *http.Request) (*http.Response, error) { return f(r) }

// following is a follower over a store of its own, whose job is reached through f.
func following(t *testing.T, f roundTrip) (*follower, store.Store) {
	t.Helper()
	s, err := bolt.Open(filepath.Join(t.TempDir(), "tandem.db"))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = s.Close() })
	jobs, err := schedule.New(t.Context(), schedule.Options{
		Location: "projects/p/locations/l", Base: f, Client: []option.ClientOption{option.WithoutAuthentication()},
	})
	if err != nil {
		t.Fatal(err)
	}
	return &follower{jobs: jobs, store: s, now: time.Now, logger: slog.New(slog.DiscardHandler), last: map[record.Type]followed{}}, s
}

// automatic has a user synchronize every so many minutes; never with zero.
func automatic(t *testing.T, s store.Store, user string, minutes int) {
	t.Helper()
	err := s.User(user).UpdateSync(t.Context(), record.Contacts, func(d *store.Sync) error {
		d.Settings.Automatic, d.Settings.IntervalMinutes, d.Due = minutes > 0, minutes, time.Time{}
		if minutes > 0 {
			d.Due = time.Now()
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
}

// one is a job that does what it is told.
type one struct{ state, cron string }

func (j *one) serve(r *http.Request) *http.Response {
	switch {
	case strings.HasSuffix(r.URL.Path, ":pause"):
		j.state = "PAUSED"
	case strings.HasSuffix(r.URL.Path, ":resume"):
		j.state = "ENABLED"
	case r.Method == http.MethodPatch:
		body, _ := io.ReadAll(r.Body)
		j.cron = string(body)
	}
	body := `{"state":"` + j.state + `","schedule":"0 * * * *","timeZone":"Etc/UTC"}`
	return &http.Response{StatusCode: 200, Header: http.Header{"Content-Type": {"application/json"}}, Body: io.NopCloser(bytes.NewBufferString(body)), Request: r}
}

func TestOf_two_who_save_at_once_the_job_follows_both(t *testing.T) {
	t.Parallel()
	job := &one{state: "ENABLED"}
	var f *follower
	var s store.Store
	var meanwhile func()
	f, s = following(t, func(r *http.Request) (*http.Response, error) {
		if do := meanwhile; do != nil && strings.HasSuffix(r.URL.Path, ":pause") {
			meanwhile = nil
			do()
		}
		return job.serve(r), nil
	})
	// The last who synchronizes automatically stops. Between what that user reads and the pause, another one begins and
	// finds the job running.
	automatic(t, s, "ada", 0)
	meanwhile = func() {
		automatic(t, s, "bob", 60)
		if pace := f.saved(t.Context(), record.Contacts); pace != time.Hour {
			t.Errorf("the other one finds a pace of %v", pace)
		}
	}
	if pace := f.saved(t.Context(), record.Contacts); pace != time.Hour || job.state != "ENABLED" {
		t.Errorf("in the end the pace is %v and the job %s", pace, job.state)
	}
}

func TestA_scheduler_that_does_not_answer_holds_up_a_save_for_a_moment_only(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		f, _ := following(t, func(r *http.Request) (*http.Response, error) {
			<-r.Context().Done()
			return nil, r.Context().Err()
		})
		began := time.Now()
		f.saved(t.Context(), record.Contacts)
		if took := time.Since(began); took > saveTime {
			t.Errorf("the save took %v", took)
		}
	})
}

func TestSettings_that_keep_changing_are_left_to_the_next_tick(t *testing.T) {
	t.Parallel()
	var s store.Store
	minutes := 0
	job := &one{state: "ENABLED"}
	var f *follower
	f, s = following(t, func(r *http.Request) (*http.Response, error) {
		minutes++
		automatic(t, s, "ada", minutes)
		return job.serve(r), nil
	})
	if _, err := f.follow(t.Context(), record.Contacts); err == nil || !strings.Contains(err.Error(), "keep changing") {
		t.Errorf("error is %v", err)
	}
}
