package observe

import (
	"context"
	"fmt"
	"net/http"
	"regexp"
	"strconv"
	"strings"
)

// trace ties the lines of one request together, and to what the platform logs of it.
type trace struct {
	id, span string
	sampled  bool
}

// The two headers: https://www.w3.org/TR/trace-context/#traceparent-header, of which later versions may have more at
// the end, and Google's older one with a decimal span (https://cloud.google.com/trace/docs/trace-context).
var (
	traceparent  = regexp.MustCompile(`^([0-9a-f]{2})-([0-9a-f]{32})-([0-9a-f]{16})-([0-9a-f]{2})(-.*)?$`)
	cloudContext = regexp.MustCompile(`^([0-9a-fA-F]{32})(?:/([0-9]+))?(?:;o=([0-9]+))?$`)
)

// readTrace is the trace that the caller of a request says, if it says one.
func readTrace(h http.Header) (trace, bool) {
	if m := traceparent.FindStringSubmatch(h.Get("Traceparent")); m != nil {
		flags, err := strconv.ParseUint(m[4], 16, 8)
		// Version ff and ids of zeros are forbidden; version 00 has nothing at its end.
		if err == nil && m[1] != "ff" && !zeros(m[2]) && !zeros(m[3]) && (m[1] != "00" || m[5] == "") {
			return trace{id: m[2], span: m[3], sampled: flags&1 == 1}, true
		}
	}
	m := cloudContext.FindStringSubmatch(h.Get("X-Cloud-Trace-Context"))
	if m == nil || zeros(m[1]) {
		return trace{}, false
	}
	t := trace{id: strings.ToLower(m[1]), sampled: m[3] == "1"}
	if span, err := strconv.ParseUint(m[2], 10, 64); err == nil && span != 0 {
		t.span = fmt.Sprintf("%016x", span)
	}
	return t, true
}

func zeros(id string) bool { return strings.Trim(id, "0") == "" }

func traceOf(ctx context.Context) (trace, bool) {
	if ctx == nil {
		return trace{}, false
	}
	t, ok := ctx.Value(traceKey).(trace)
	return t, ok
}
