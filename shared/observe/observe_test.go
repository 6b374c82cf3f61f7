package observe_test

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"log/slog"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/tandem-sync/tandem/shared/observe"
)

// lines reads what a logger for Cloud Logging wrote, without times and source locations, which vary.
func lines(t *testing.T, log *bytes.Buffer) []map[string]any {
	t.Helper()
	var out []map[string]any
	for line := range strings.Lines(log.String()) {
		var fields map[string]any
		if err := json.Unmarshal([]byte(line), &fields); err != nil {
			t.Fatalf("line %q: %v", line, err)
		}
		delete(fields, "time")
		delete(fields, "logging.googleapis.com/sourceLocation")
		out = append(out, fields)
	}
	return out
}

func TestEach_level_has_its_severity_and_errors_are_reported(t *testing.T) {
	t.Parallel()
	var log bytes.Buffer
	logger := observe.NewLogger(&log, observe.Options{Level: slog.LevelDebug})
	for _, level := range []slog.Level{slog.LevelDebug, slog.LevelInfo, observe.LevelNotice, slog.LevelWarn, slog.LevelError, observe.LevelCritical} {
		logger.Log(t.Context(), level, "hello")
	}
	const reported = "type.googleapis.com/google.devtools.clouderrorreporting.v1beta1.ReportedErrorEvent"
	want := []map[string]any{
		{"severity": "DEBUG", "message": "hello"},
		{"severity": "INFO", "message": "hello"},
		{"severity": "NOTICE", "message": "hello"},
		{"severity": "WARNING", "message": "hello"},
		{"severity": "ERROR", "message": "hello", "@type": reported},
		{"severity": "CRITICAL", "message": "hello", "@type": reported},
	}
	if diff := cmp.Diff(want, lines(t, &log)); diff != "" {
		t.Errorf("lines (-want +got):\n%s", diff)
	}
}

func TestA_line_says_when_and_where_it_was_written(t *testing.T) {
	t.Parallel()
	var log bytes.Buffer
	observe.NewLogger(&log, observe.Options{}).Info("hello")
	var line struct {
		Time   string `json:"time"`
		Source struct {
			File, Line, Function string
		} `json:"logging.googleapis.com/sourceLocation"`
	}
	if err := json.Unmarshal(log.Bytes(), &line); err != nil {
		t.Fatal(err)
	}
	if line.Time == "" || !strings.HasSuffix(line.Source.File, "observe_test.go") || line.Source.Line == "" ||
		!strings.HasSuffix(line.Source.Function, "TestA_line_says_when_and_where_it_was_written") {
		t.Errorf("got %+v from %s", line, log.String())
	}
}

func TestThe_attributes_of_a_context_are_labels_of_every_line(t *testing.T) {
	t.Parallel()
	var log bytes.Buffer
	logger := observe.NewLogger(&log, observe.Options{}).With("step", 1).WithGroup("plan")
	outer := observe.With(t.Context(), "user", "u-1", slog.Int("attempt", 1))
	inner := observe.With(outer, slog.Int("attempt", 2), slog.Any("sides", []string{"creatio"}), slog.Attr{})
	logger.InfoContext(inner, "planned", "operations", 3)
	logger.InfoContext(outer, "done")
	want := []map[string]any{
		{
			"severity": "INFO", "message": "planned", "step": 1.0, "plan": map[string]any{"operations": 3.0},
			"logging.googleapis.com/labels": map[string]any{"user": "u-1", "attempt": "2", "sides": `["creatio"]`},
		},
		{
			"severity": "INFO", "message": "done", "step": 1.0,
			"logging.googleapis.com/labels": map[string]any{"user": "u-1", "attempt": "1"},
		},
	}
	if diff := cmp.Diff(want, lines(t, &log)); diff != "" {
		t.Errorf("lines (-want +got):\n%s", diff)
	}
}

func TestAttributes_never_overwrite_the_fields_of_cloud_logging(t *testing.T) {
	t.Parallel()
	var log bytes.Buffer
	logger := observe.NewLogger(&log, observe.Options{})
	logger.Info("hello", "message", "a", "severity", "b", "time", "c", "msg", "d", slog.Group("", slog.String("level", "e")),
		slog.Group("in", slog.String("message", "f"), slog.String("level", "g")))
	want := []map[string]any{{
		"severity": "INFO", "message": "hello", "message_": "a", "severity_": "b", "time_": "c", "msg_": "d", "level_": "e",
		"in": map[string]any{"message": "f", "level": "g"},
	}}
	if diff := cmp.Diff(want, lines(t, &log)); diff != "" {
		t.Errorf("lines (-want +got):\n%s", diff)
	}
	if n := strings.Count(log.String(), `"time"`); n != 1 {
		t.Errorf("got %d times in %s", n, log.String())
	}
}

func TestLines_below_the_level_are_not_written(t *testing.T) {
	t.Parallel()
	var log bytes.Buffer
	observe.NewLogger(&log, observe.Options{}).Debug("hello")
	observe.NewLogger(&log, observe.Options{Level: slog.LevelError}).Warn("hello")
	observe.NewTextLogger(&log, slog.LevelWarn).Info("hello")
	if log.Len() != 0 {
		t.Errorf("got %s", log.String())
	}
}

func TestText_is_short_and_has_the_contexts_attributes(t *testing.T) {
	t.Parallel()
	var log bytes.Buffer
	ctx := observe.With(t.Context(), slog.String("user", "u-1"))
	observe.NewTextLogger(&log, slog.LevelInfo).With("step", 1).ErrorContext(ctx, "run failed", "error", errors.New("boom"))
	_, got, _ := strings.Cut(log.String(), " ")
	if want := "level=ERROR msg=\"run failed\" step=1 error=boom user=u-1\n"; got != want {
		t.Errorf("got %q, want %q", got, want)
	}
}

func TestA_user_is_a_short_hash_that_stays_the_same(t *testing.T) {
	t.Parallel()
	a, again, b := observe.User("ada"), observe.User("ada"), observe.User("alan")
	if a != again || a == b || len(a) != 14 || strings.Contains(a, "ada") {
		t.Errorf("got %q, %q and %q", a, again, b)
	}
}

func TestLoggers_work_without_a_context(t *testing.T) {
	t.Parallel()
	var log bytes.Buffer
	var none context.Context
	observe.NewLogger(&log, observe.Options{Project: "acme"}).InfoContext(none, "hello")
	observe.NewTextLogger(&log, nil).InfoContext(none, "hello")
	if strings.Count(log.String(), "hello") != 2 {
		t.Errorf("got %s", log.String())
	}
}
