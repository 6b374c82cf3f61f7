package observe

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"runtime/debug"
	"strconv"
	"strings"
	"time"

	"go.opentelemetry.io/otel/trace"

	"github.com/tandem-sync/tandem/shared/fault"
)

// requestGroup is what Cloud Logging shows of a request
// (https://cloud.google.com/logging/docs/reference/v2/rest/v2/LogEntry#HttpRequest).
const requestGroup = "httpRequest"

// maxAgent is as much of a User-Agent as a line shows.
const maxAgent = 200

// Middleware logs one line per request, ties all lines of a request to its trace, and turns a panic into an answer 500
// and a critical line. Queries do not show: they carry the codes of a sign-in.
func Middleware(logger *slog.Logger, next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		start := time.Now()
		if at, ok := readTrace(r.Header); ok {
			r = r.WithContext(trace.ContextWithRemoteSpanContext(r.Context(), at))
		}
		answer := &recorder{ResponseWriter: w}
		defer func() {
			cut := settlePanic(logger, answer, r, recover())
			logRequest(logger, answer, r, time.Since(start))
			if cut {
				// The server closes the connection, so that nobody takes half an answer for a whole one.
				panic(http.ErrAbortHandler)
			}
		}()
		next.ServeHTTP(answer, r)
	})
}

// settlePanic logs a panic and answers for it. It reports whether the answer had begun and must be cut off.
func settlePanic(logger *slog.Logger, w *recorder, r *http.Request, cause any) (cut bool) {
	if cause == nil {
		return false
	}
	if err, ok := cause.(error); ok && errors.Is(err, http.ErrAbortHandler) {
		return true
	}
	// Error Reporting reads a stack as Go prints one, the panic's own line included.
	stack := fmt.Sprintf("panic: %v\n\n%s", cause, debug.Stack())
	logger.LogAttrs(r.Context(), LevelCritical, "panic while answering a request",
		slog.String("panic", fmt.Sprint(cause)), slog.String("stack_trace", stack))
	if w.status != 0 {
		return true
	}
	internalError(w, r)
	return false
}

// internalError answers as the caller reads: a program gets a problem of RFC 9457, a person a sentence.
func internalError(w http.ResponseWriter, r *http.Request) {
	say := fault.Explain(fault.New(fault.Bug, "", "internal", nil))
	clear(w.Header())
	w.Header().Set("Cache-Control", "no-store")
	w.Header().Set("X-Content-Type-Options", "nosniff")
	if strings.Contains(r.Header.Get("Accept"), "text/html") && !strings.Contains(r.URL.Path, "/api/") {
		w.Header().Set("Content-Type", "text/plain; charset=utf-8")
		w.WriteHeader(http.StatusInternalServerError)
		_, _ = io.WriteString(w, say.Message+"\n"+say.Action+"\n")
		return
	}
	w.Header().Set("Content-Type", "application/problem+json")
	w.WriteHeader(http.StatusInternalServerError)
	_ = json.NewEncoder(w).Encode(map[string]any{
		"title": http.StatusText(http.StatusInternalServerError), "status": http.StatusInternalServerError,
		"code": say.Code, "detail": say.Message + " " + say.Action,
	})
}

// logRequest writes the request's line. A 5xx is a warning here: whoever answered so logged the error.
func logRequest(logger *slog.Logger, w *recorder, r *http.Request, took time.Duration) {
	status := w.status
	if status == 0 {
		status = http.StatusOK // What net/http answers for a handler that wrote nothing.
	}
	level := slog.LevelInfo
	if status >= http.StatusInternalServerError {
		level = slog.LevelWarn
	}
	path := r.URL.EscapedPath()
	agent := r.UserAgent()
	logger.LogAttrs(r.Context(), level, r.Method+" "+path,
		slog.String("method", r.Method), slog.String("path", path), slog.Int("status", status), slog.Duration("latency", took),
		slog.Group(requestGroup,
			slog.String("requestMethod", r.Method), slog.String("requestUrl", path), slog.Int("status", status),
			slog.String("responseSize", strconv.FormatInt(w.written, 10)), slog.String("userAgent", agent[:min(len(agent), maxAgent)]),
			slog.String("latency", strconv.FormatFloat(took.Seconds(), 'f', 6, 64)+"s")))
}

// recorder remembers what was answered. http.ResponseController finds the writer below it.
type recorder struct {
	http.ResponseWriter
	status  int
	written int64
}

func (w *recorder) WriteHeader(status int) {
	// 1xx are before the answer (RFC 9110, section 15.2), but for a switch of protocols, which ends it.
	if w.status == 0 && (status >= http.StatusOK || status == http.StatusSwitchingProtocols) {
		w.status = status
	}
	w.ResponseWriter.WriteHeader(status)
}

func (w *recorder) Write(p []byte) (int, error) {
	if w.status == 0 {
		w.status = http.StatusOK
	}
	n, err := w.ResponseWriter.Write(p)
	w.written += int64(n)
	return n, err
}

// Unwrap is for http.ResponseController.
func (w *recorder) Unwrap() http.ResponseWriter { return w.ResponseWriter }
