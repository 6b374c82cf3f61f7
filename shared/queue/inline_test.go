package queue_test

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"slices"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/tandem-sync/tandem/shared/fault"
	"github.com/tandem-sync/tandem/shared/observe"
	"github.com/tandem-sync/tandem/shared/queue"
	"github.com/tandem-sync/tandem/shared/record"
)

// diary records what ran and how long after noon.
type diary struct {
	mu      sync.Mutex
	entries []string
	running int
	most    int
}

func (d *diary) note(format string, args ...any) {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.entries = append(d.entries, fmt.Sprintf("%v ", time.Since(noon))+fmt.Sprintf(format, args...))
}

func (d *diary) enter(n int) {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.running += n
	d.most = max(d.most, d.running)
}

// workFor is work of the given duration.
func (d *diary) workFor(long time.Duration) func(context.Context, queue.Task) error {
	return func(_ context.Context, t queue.Task) error {
		d.enter(1)
		defer d.enter(-1)
		d.note("%s begins", t.Name)
		time.Sleep(long)
		d.note("%s ends", t.Name)
		return nil
	}
}

func (d *diary) want(t *testing.T, want ...string) {
	t.Helper()
	d.mu.Lock()
	defer d.mu.Unlock()
	if diff := cmp.Diff(want, d.entries); diff != "" {
		t.Errorf("diary (-want +got):\n%s", diff)
	}
}

func contacts(name, user string) queue.Task {
	return queue.Task{Name: name, Type: record.Contacts, User: user, Trigger: "schedule"}
}

func add(t *testing.T, q queue.Queue, want bool, tasks ...queue.Task) {
	t.Helper()
	for _, task := range tasks {
		if got, err := q.Add(t.Context(), task); err != nil || got != want {
			t.Errorf("add %s: got %v, %v, want %v", task.Name, got, err, want)
		}
	}
}

func wait(t *testing.T, q *queue.Inline) {
	t.Helper()
	if err := q.Wait(t.Context()); err != nil {
		t.Error(err)
	}
}

func TestUsers_run_side_by_side_but_no_more_than_there_are_workers(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		var d diary
		q := queue.NewInline(t.Context(), 2, d.workFor(time.Second), nil, time.Now)
		add(t, q, true, contacts("a", "ada"), contacts("b", "alan"), contacts("c", "grace"))
		wait(t, q)
		if d.most != 2 || time.Since(noon) != 2*time.Second || len(d.entries) != 6 {
			t.Errorf("got %d at once, %v: %v", d.most, time.Since(noon), d.entries)
		}
	})
}

func TestOne_user_and_type_run_one_after_the_other_and_do_not_delay_others(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		var d diary
		q := queue.NewInline(t.Context(), 2, d.workFor(time.Second), nil, time.Now)
		add(t, q, true, contacts("a1", "ada"), contacts("a2", "ada"))
		time.Sleep(time.Millisecond)
		activities := contacts("a3", "ada")
		activities.Type = record.Activities
		add(t, q, true, activities)
		wait(t, q)
		d.want(t, "0s a1 begins", "1ms a3 begins", "1s a1 ends", "1s a2 begins", "1.001s a3 ends", "2s a2 ends")
	})
}

func TestA_name_is_in_use_while_its_task_waits_or_runs_and_for_some_minutes_after(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		var d diary
		q := queue.NewInline(t.Context(), 1, d.workFor(time.Minute), nil, time.Now)
		later := contacts("later", "grace")
		later.NotBefore = time.Now().Add(time.Hour)
		tasks := []queue.Task{contacts("runs", "ada"), contacts("waits", "alan"), later}
		add(t, q, true, tasks...)
		synctest.Wait()
		add(t, q, false, tasks...)
		wait(t, q)
		time.Sleep(8*time.Minute + 30*time.Second)
		add(t, q, false, tasks...)
		time.Sleep(2 * time.Minute)
		add(t, q, true, tasks[0], tasks[1])
		add(t, q, false, later)
		wait(t, q)
		if len(d.entries) != 8 {
			t.Errorf("got %v, want four runs", d.entries)
		}
	})
}

func TestA_task_does_not_run_before_its_time_and_Wait_does_not_wait_for_it(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		var d diary
		q := queue.NewInline(t.Context(), 1, d.workFor(0), nil, time.Now)
		later := contacts("later", "ada")
		later.NotBefore = noon.Add(time.Hour)
		past := contacts("past", "ada")
		past.NotBefore = noon.Add(-time.Hour)
		add(t, q, true, later, past)
		wait(t, q)
		d.want(t, "0s past begins", "0s past ends")
		time.Sleep(time.Hour)
		synctest.Wait()
		wait(t, q)
		d.want(t, "0s past begins", "0s past ends", "1h0m0s later begins", "1h0m0s later ends")
	})
}

func TestA_temporary_failure_is_retried_with_backoff_before_any_other_task_of_the_user(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		var began []time.Duration
		var order []string
		q := queue.NewInline(t.Context(), 1, func(_ context.Context, task queue.Task) error {
			order = append(order, task.Name)
			if task.Name != "fails" {
				return nil
			}
			began = append(began, time.Since(noon))
			return fault.New(fault.Retry, "google", "unreachable", nil)
		}, nil, time.Now)
		add(t, q, true, contacts("fails", "ada"), contacts("next", "ada"), contacts("other", "alan"))
		wait(t, q)
		if len(began) != 6 {
			t.Fatalf("got attempts at %v, want 6", began)
		}
		for i, low := range []time.Duration{5 * time.Second, 10 * time.Second, 20 * time.Second, 40 * time.Second, 80 * time.Second} {
			if got := began[i+1] - began[i]; got < low || got > low+low/5 {
				t.Errorf("backoff %d: got %v, want %v and up to a fifth more", i, got, low)
			}
		}
		if want := []string{"fails", "other", "fails", "fails", "fails", "fails", "fails", "next"}; !slices.Equal(order, want) {
			t.Errorf("got order %v, want %v", order, want)
		}
	})
}

func TestA_retry_runs_before_tasks_that_have_not_begun(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		var order []string
		q := queue.NewInline(t.Context(), 1, func(_ context.Context, task queue.Task) error {
			order = append(order, task.Name)
			if len(order) == 1 {
				return fault.New(fault.Retry, "google", "unreachable", nil)
			}
			time.Sleep(time.Minute)
			return nil
		}, nil, time.Now)
		add(t, q, true, contacts("fails", "ada"), contacts("long", "alan"), contacts("next", "grace"))
		wait(t, q)
		if want := []string{"fails", "long", "fails", "next"}; !slices.Equal(order, want) {
			t.Errorf("got order %v, want %v", order, want)
		}
	})
}

func TestA_task_is_not_retried_before_the_time_that_the_service_asked_for(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		var d diary
		first := true
		q := queue.NewInline(t.Context(), 1, func(_ context.Context, task queue.Task) error {
			d.note("%s", task.Name)
			if first {
				first = false
				return fmt.Errorf("run: %w", &fault.Error{Kind: fault.Retry, Side: "google", Code: "quota", After: time.Hour})
			}
			return nil
		}, nil, time.Now)
		add(t, q, true, contacts("a", "ada"))
		wait(t, q)
		d.want(t, "0s a", "1h0m0s a")
	})
}

func TestA_permanent_failure_is_tried_once_and_never_stops_the_queue(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		var log strings.Builder
		logger := observe.NewTextLogger(&log, slog.LevelInfo)
		failures := map[string]func() error{
			"reconnect": func() error { return fault.New(fault.Reconnect, "google", "invalid-grant", nil) },
			"unknown":   func() error { return errors.New("boom") },
			"panic":     func() error { panic("boom") },
			"fine":      func() error { return nil },
		}
		runs := map[string]int{}
		q := queue.NewInline(t.Context(), 1, func(_ context.Context, task queue.Task) error {
			runs[task.Name]++
			return failures[task.Name]()
		}, logger, time.Now)
		for name := range failures {
			add(t, q, true, contacts(name, "ada"))
		}
		wait(t, q)
		if diff := cmp.Diff(map[string]int{"reconnect": 1, "unknown": 1, "panic": 1, "fine": 1}, runs); diff != "" {
			t.Errorf("runs (-want +got):\n%s", diff)
		}
		for want, n := range map[string]int{"level=ERROR": 3, "level=CRITICAL": 1, "user=" + observe.User("ada"): 4, "kind=reconnect": 1} {
			if got := strings.Count(log.String(), want); got != n {
				t.Errorf("got %q %d times, want %d, in\n%s", want, got, n, log.String())
			}
		}
	})
}

func TestClose_waits_for_running_tasks_and_drops_the_rest(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		var d diary
		q := queue.NewInline(t.Context(), 1, d.workFor(time.Minute), nil, time.Now)
		later := contacts("later", "grace")
		later.NotBefore = time.Now().Add(30 * time.Second)
		add(t, q, true, contacts("runs", "ada"), contacts("waits", "alan"), later)
		synctest.Wait()
		if err := q.Close(t.Context()); err != nil {
			t.Error(err)
		}
		d.want(t, "0s runs begins", "1m0s runs ends")
		if added, err := q.Add(t.Context(), contacts("late", "ada")); added || !fault.Is(err, fault.Retry) {
			t.Errorf("got %v, %v from a closed queue", added, err)
		}
		time.Sleep(time.Hour)
		if err := errors.Join(q.Close(t.Context()), q.Wait(t.Context())); err != nil {
			t.Errorf("got %v from a queue that is closed already", err)
		}
		if len(d.entries) != 2 {
			t.Errorf("got %v after closing", d.entries)
		}
	})
}

func TestClose_does_not_wait_for_another_attempt(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		var d diary
		q := queue.NewInline(t.Context(), 1, func(context.Context, queue.Task) error {
			d.note("attempt")
			return fault.New(fault.Retry, "google", "unreachable", nil)
		}, nil, time.Now)
		add(t, q, true, contacts("a", "ada"))
		synctest.Wait()
		if err := errors.Join(q.Close(t.Context()), q.Wait(t.Context())); err != nil || time.Since(noon) != 0 {
			t.Errorf("got %v after %v", err, time.Since(noon))
		}
		time.Sleep(time.Hour)
		d.want(t, "0s attempt")
	})
}

func TestClose_cancels_tasks_that_take_too_long_and_lets_them_end(t *testing.T) {
	t.Parallel()
	for needed, ends := range map[time.Duration]bool{time.Second: true, time.Minute: false} {
		synctest.Test(t, func(t *testing.T) {
			var d diary
			q := queue.NewInline(t.Context(), 1, func(ctx context.Context, _ queue.Task) error {
				<-ctx.Done()
				d.note("cut off")
				time.Sleep(needed)
				return ctx.Err()
			}, nil, time.Now)
			add(t, q, true, contacts("a", "ada"))
			ctx, cancel := context.WithTimeout(t.Context(), 3*time.Second)
			defer cancel()
			began := time.Now()
			err := q.Close(ctx)
			if ends && err != nil || !ends && (!fault.Is(err, fault.Retry) || !errors.Is(err, context.DeadlineExceeded)) {
				t.Errorf("a task that needs %s: %v", needed, err)
			}
			if took := time.Since(began); took >= 5*time.Second {
				t.Errorf("a task that needs %s: closing took %s", needed, took)
			}
			wait(t, q)
			d.want(t, "3s cut off")
		})
	}
}

func TestThe_end_of_the_process_ends_the_queue(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		var d diary
		ctx, cancel := context.WithCancel(t.Context())
		q := queue.NewInline(ctx, 1, func(ctx context.Context, task queue.Task) error {
			d.note("%s begins", task.Name)
			<-ctx.Done()
			return fmt.Errorf("run: %w", ctx.Err())
		}, nil, time.Now)
		add(t, q, true, contacts("a", "ada"), contacts("b", "alan"))
		synctest.Wait()
		cancel()
		if added, err := q.Add(t.Context(), contacts("c", "ada")); added || !fault.Is(err, fault.Retry) {
			t.Errorf("got %v, %v from a queue whose process ends", added, err)
		}
		wait(t, q)
		d.want(t, "0s a begins")
	})
}

func TestThe_work_outlives_the_request_that_added_it(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		var d diary
		q := queue.NewInline(t.Context(), 1, func(ctx context.Context, task queue.Task) error {
			time.Sleep(time.Second)
			d.note("%v", ctx.Err())
			return nil
		}, nil, time.Now)
		request, end := context.WithCancel(t.Context())
		if _, err := q.Add(request, contacts("a", "ada")); err != nil {
			t.Error(err)
		}
		end()
		wait(t, q)
		d.want(t, "1s <nil>")
		if added, err := q.Add(request, contacts("b", "ada")); added || !fault.Is(err, fault.Retry) {
			t.Errorf("got %v, %v for a request that is over", added, err)
		}
	})
}

func TestWait_gives_up_with_its_context(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		var d diary
		q := queue.NewInline(t.Context(), 1, d.workFor(time.Hour), nil, time.Now)
		add(t, q, true, contacts("a", "ada"))
		ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
		defer cancel()
		if err := q.Wait(ctx); !fault.Is(err, fault.Retry) || time.Since(noon) != time.Minute {
			t.Errorf("got %v after %v", err, time.Since(noon))
		}
		wait(t, q)
	})
}
