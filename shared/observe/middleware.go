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

// requestGroup is the group that Cloud Logging shows as an HTTP request
// (https://cloud.google.com/logging/docs/reference/v2/rest/v2/LogEntry#HttpRequest).
const requestGroup = "httpRequest"

// maxAgent is the length to which a line cuts a User-Agent.
const maxAgent = 200

// Middleware logs one line per request, connects all lines of a request with its trace, and turns a panic into a 500
// response and a critical line. It does not log queries: they carry the codes of a sign-in.
func Middleware(logger *slog.Logger, next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		start := time.Now()
		if at, ok := readTrace(r.Header); ok {
			r = r.WithContext(trace.ContextWithRemoteSpanContext(r.Context(), at))
		}
		answer := &recorder{ResponseWriter: w}
		defer func() {
			abort := handlePanic(logger, answer, r, recover())
			logRequest(logger, answer, r, time.Since(start))
			if abort {
				// The server closes the connection, so that the client does not mistake half a response for a whole one.
				panic(http.ErrAbortHandler)
			}
		}()
		next.ServeHTTP(answer, r)
	})
}

// handlePanic logs a panic and writes an error response. If a response has already begun, it reports that it must be
// aborted.
func handlePanic(logger *slog.Logger, w *recorder, r *http.Request, cause any) (abort bool) {
	if cause == nil {
		return false
	}
	if err, ok := cause.(error); ok && errors.Is(err, http.ErrAbortHandler) {
		return true
	}
	// Error Reporting reads a stack in the form in which Go prints it, with the panic's own line.
	stack := fmt.Sprintf("panic: %v\n\n%s", cause, debug.Stack())
	logger.LogAttrs(r.Context(), LevelCritical, "panic while answering a request",
		slog.String("panic", fmt.Sprint(cause)), slog.String("stack_trace", stack))
	if w.status != 0 {
		return true
	}
	internalError(w, r)
	return false
}

// internalError answers a program with a problem of RFC 9457, and a browser with sentences.
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

// logRequest writes the request's line. A 5xx is only a warning here: its handler has logged the error.
func logRequest(logger *slog.Logger, w *recorder, r *http.Request, took time.Duration) {
	status := w.status
	if status == 0 {
		status = http.StatusOK // net/http answers so for a handler that wrote nothing.
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

// recorder records the status and the size of a response. http.ResponseController finds the writer below it.
type recorder struct {
	http.ResponseWriter
	status  int
	written int64
}

func (w *recorder) WriteHeader(status int) {
	// A 1xx precedes the final response (RFC 9110, section 15.2), except for a switch of protocols, which is final.
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
