package app

import (
	"cmp"
	"context"
	"errors"
	"log/slog"
	"net/http"
	"os"
	"strings"
	"time"

	"github.com/tandem-sync/tandem/shared/config"
	"github.com/tandem-sync/tandem/shared/fault"
	"github.com/tandem-sync/tandem/shared/httpx"
	"github.com/tandem-sync/tandem/shared/observe"
	"github.com/tandem-sync/tandem/shared/record"
	"github.com/tandem-sync/tandem/shared/store"
	"github.com/tandem-sync/tandem/shared/syncer"
)

// openTelemetry returns nil if the configuration names no destination.
func openTelemetry(c config.Telemetry, o Options, logger *slog.Logger) (*observe.Telemetry, error) {
	if c == (config.Telemetry{}) {
		return nil, nil
	}
	return observe.OpenTelemetry(observe.TelemetryOptions{
		Project: c.Project, Location: c.Location, Endpoint: c.Endpoint, Logger: logger, Traces: o.Traces, Version: Version(),
		// The platform names the function (https://cloud.google.com/run/docs/container-contract#services-env-vars).
		Service: cmp.Or(os.Getenv("K_SERVICE"), "tandem"),
	})
}

// apis name the API of each service that a request is for.
var apis = map[record.Side]func(*http.Request) string{
	record.Google: func(r *http.Request) string {
		switch path := r.URL.Path; {
		case strings.Contains(path, "/calendar/"):
			return "calendar"
		case strings.Contains(path, "/v1/people") || strings.Contains(path, "/v1/contactGroups"):
			return "people"
		default:
			return "oauth" // Discovery, keys, tokens.
		}
	},
	record.Creatio: func(r *http.Request) string {
		switch path := r.URL.Path; {
		case strings.HasSuffix(path, "/$batch"):
			return "batch"
		case strings.Contains(path, "/odata/"):
			return "odata"
		case strings.Contains(path, "/connect/") || strings.Contains(path, "/.well-known/"):
			return "oauth"
		default:
			return "service"
		}
	},
}

// measureCall counts a request to a service.
func (a *App) measureCall(ctx context.Context, call httpx.CallInfo) {
	if call.Sent {
		a.telemetry.Called(ctx, call.Side, call.API, call.Status)
	}
}

// measureRun measures a run. A run that continues in another attempt has a status of its own and is no failure.
func (a *App) measureRun(ctx context.Context, t record.Type, trigger string, took time.Duration, out syncer.Outcome, err error) {
	m := observe.Run{Type: string(t), Trigger: trigger, Status: string(out.Status), Took: took, Waited: out.Waited}
	if !out.LastSync.IsZero() {
		m.Age = a.now().Sub(out.LastSync)
	}
	if err != nil {
		m.Kind = fault.KindOf(err).String()
		var f *fault.Error
		if errors.As(err, &f) {
			m.Side = f.Side
		}
	}
	// The changes of a preview were not made.
	if out.Status != syncer.Preview {
		for side, c := range map[record.Side]store.SideCounts{record.Creatio: out.Counts.Creatio, record.Google: out.Counts.Google} {
			for action, n := range map[string]int{
				"create": c.Created, "update": c.Updated, "unlink": c.Unlinked, "cancel": c.Cancelled, "delete": c.Deleted,
			} {
				m.Changes = append(m.Changes, observe.Change{Side: string(side), Action: action, Count: n})
			}
		}
		m.Changes = append(m.Changes, observe.Change{Action: observe.Failed, Count: out.Counts.Failed})
	}
	a.telemetry.Ran(ctx, m)
}
