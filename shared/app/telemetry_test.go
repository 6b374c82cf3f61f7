package app_test

import (
	"maps"
	"net/http"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"golang.org/x/time/rate"

	"github.com/tandem-sync/tandem/shared/app"
	"github.com/tandem-sync/tandem/shared/observe"
	"github.com/tandem-sync/tandem/shared/sandbox/collector"
	creatiobox "github.com/tandem-sync/tandem/shared/sandbox/creatio"
)

func newCollector(t *testing.T) *collector.Collector {
	t.Helper()
	c, err := collector.Start(false)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(c.Stop)
	return c
}

// measured has traces and metrics sent to a collector.
func measured(c *collector.Collector) change {
	return func(env map[string]string, _ *creatiobox.Options, o *app.Options) {
		env["TELEMETRY"] = c.URL()
		o.Traces = rate.NewLimiter(rate.Inf, 0)
	}
}

// linkedWorld is a world in which Ada chose a tag with one contact under it.
func linkedWorld(t *testing.T, changes ...change) *world {
	t.Helper()
	w := newWorld(t, changes...)
	tag := w.tag("Ada", private)
	w.tagged(tag, w.contact("Grace Hopper", "grace@example.com"))
	w.link()
	w.choose(tag)
	return w
}

// end closes Tandem, as an instance that the platform takes away.
func (w *world) end() {
	w.t.Helper()
	if err := w.app.Close(w.t.Context()); err != nil {
		w.t.Fatal(err)
	}
	w.app = nil
}

// below are the names of the spans of the latest trace with a span of that name, as paths from it.
func below(spans []collector.Span, root string) []string {
	i := slices.IndexFunc(spans, func(s collector.Span) bool { return s.Name == root })
	if i < 0 {
		return nil
	}
	paths := map[string]string{spans[i].ID: root}
	for range spans { // A child ends, and comes, before its parent.
		for _, s := range spans {
			if path, known := paths[s.Parent]; known {
				paths[s.ID] = path + " > " + s.Name
			}
		}
	}
	return slices.Compact(slices.Sorted(maps.Values(paths)))
}

func TestA_run_is_a_trace_from_the_request_to_the_calls(t *testing.T) {
	t.Parallel()
	c := newCollector(t)
	w := linkedWorld(t, measured(c))
	before := len(c.Spans())
	w.sync("done")
	spans := c.Spans()[before:]
	got := below(spans, "sync-contacts")
	for _, want := range []string{
		"sync-contacts",
		"sync-contacts > run",
		"sync-contacts > run > open",
		"sync-contacts > run > scan > scan creatio > creatio batch",
		"sync-contacts > run > scan > scan google > google people",
		"sync-contacts > run > load",
		"sync-contacts > run > match",
		"sync-contacts > run > plan",
		"sync-contacts > run > apply > google people",
		"sync-contacts > run > commit",
	} {
		if !slices.Contains(got, want) {
			t.Errorf("there is no span %s in\n%s", want, strings.Join(got, "\n"))
		}
	}
	run := spans[slices.IndexFunc(spans, func(s collector.Span) bool { return s.Name == "run" })]
	id := w.account().ID
	for key, want := range map[string]string{"user": observe.User(id), "type": "contacts", "trigger": "schedule", "status": "done"} {
		if run.Attributes[key] != want {
			t.Errorf("the run's %s is %q, want %q", key, run.Attributes[key], want)
		}
	}
	if run.Status != "" {
		t.Errorf("a run that went well is shown as %q", run.Status)
	}
}

func TestRuns_are_measured(t *testing.T) {
	t.Parallel()
	c := newCollector(t)
	w := linkedWorld(t, measured(c))
	w.sync("done")
	w.google.RevokeGrant(ada)
	w.sync("reconnect")
	w.do(http.MethodPost, "/sync-contacts", "{}")
	w.end()

	sum := func(metric string, labels ...string) (total float64) {
		for _, p := range c.Points(metric) {
			matches := true
			for i := 0; i < len(labels); i += 2 {
				matches = matches && p.Attributes[labels[i]] == labels[i+1]
			}
			if matches {
				total += p.Value
			}
		}
		return total
	}
	for _, tc := range []struct {
		metric string
		labels []string
		want   float64
	}{
		{observe.MetricRuns, []string{"type", "contacts", "trigger", "schedule", "status", "done"}, 1},
		{observe.MetricRuns, []string{"type", "contacts", "status", "reconnect"}, 1},
		{observe.MetricDuration, []string{"status", "done"}, 1},
		{observe.MetricWait, []string{"type", "contacts"}, 2},
		{observe.MetricAge, []string{"type", "contacts"}, 1}, // The first run followed no other.
		{observe.MetricChanges, []string{"side", "google", "action", "create"}, 1},
		{observe.MetricChanges, nil, 1},
		{observe.MetricFailures, []string{"side", "google", "kind", "reconnect"}, 1},
		{observe.MetricFailures, nil, 1},
	} {
		if got := sum(tc.metric, tc.labels...); got != tc.want {
			t.Errorf("%s %q: got %v, want %v", tc.metric, tc.labels, got, tc.want)
		}
	}
	for _, labels := range [][]string{
		{"side", "google", "api", "people", "class", "2xx"},
		{"side", "google", "api", "oauth", "class", "4xx"},
		{"side", "creatio", "api", "odata", "class", "2xx"},
		{"side", "creatio", "api", "oauth", "class", "2xx"},
	} {
		if sum(observe.MetricCalls, labels...) == 0 {
			t.Errorf("no calls %q in %+v", labels, c.Points(observe.MetricCalls))
		}
	}
	if ages := c.Points(observe.MetricAge); len(ages) != 1 || ages[0].Sum != (5*time.Minute).Seconds() {
		t.Errorf("got the ages %+v, want the five minutes between the runs", ages)
	}
	if late := c.Points(observe.MetricOverdue); len(late) != 1 {
		t.Errorf("got %+v, want how late the tick found the user", late)
	}
}

func TestA_task_belongs_to_the_trace_that_asked_for_it(t *testing.T) {
	t.Parallel()
	for _, name := range []string{"inline", "cloud tasks"} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			c, q := newCollector(t), newCloud(t)
			changes := []change{measured(c)}
			if name == "cloud tasks" {
				changes = append(changes, onTasks(q))
			}
			w := linkedWorld(t, changes...)
			before := len(c.Spans())
			w.call(http.MethodPost, "/contacts/sync", nil, 202, nil)
			for _, task := range q.Tasks.Taken() {
				w.deliver(task)
			}
			if err := w.app.Wait(t.Context()); err != nil {
				t.Fatal(err)
			}
			w.end()
			asked, run := "", "none"
			for _, s := range c.Spans()[before:] {
				switch {
				case s.Name == "run":
					run = s.Trace
				case s.Name == "settings" && s.Attributes["status"] == "202":
					asked = s.Trace
				}
			}
			if asked != run {
				t.Errorf("the request is in the trace %q, its run in %q", asked, run)
			}
		})
	}
}

// personal is what tells of a person, whatever it says.
var personal = regexp.MustCompile(`(?i)[a-z0-9._%+-]+@[a-z0-9-]+\.[a-z.]+|[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}|people/|bearer|ya29`)

// instance is the one random id that is sent: that of the process.
var instance = regexp.MustCompile(`"service\.instance\.id",\s*"value":\s*\{\s*"stringValue":\s*"[^"]+"`)

func TestNothing_personal_is_sent(t *testing.T) {
	t.Parallel()
	c := newCollector(t)
	w := linkedWorld(t, measured(c))
	run := w.sync("done")
	w.google.Account(ada).AddToGroup(w.person("Alan", "Turing", "alan@example.com"), w.group())
	w.sync("done")
	w.visit("/settings/runs/" + run.ID)
	w.call(http.MethodPost, "/contacts/preview", nil, 200, nil)
	w.google.RevokeGrant(ada)
	w.sync("reconnect")
	account := w.account()
	secrets := []string{
		account.ID, account.Creatio.ContactID, account.Contacts.TagID, run.ID, clientSecret, w.found("Hopper").ResourceName,
		"ada@", "Grace", "Hopper", "Turing", "Alan",
	}
	w.end()

	raw := instance.ReplaceAllString(strings.Join(c.Raw(), "\n"), "")
	if len(c.Spans()) < 50 || len(c.Points(observe.MetricCalls)) == 0 {
		t.Fatalf("only %d spans were sent", len(c.Spans()))
	}
	for _, secret := range secrets {
		if secret == "" || strings.Contains(raw, secret) {
			t.Errorf("%q was sent", secret)
		}
	}
	if found := personal.FindAllString(raw, 5); len(found) > 0 {
		t.Errorf("%q was sent", found)
	}
}

func TestWithout_configuration_nothing_is_sent(t *testing.T) {
	t.Parallel()
	q := newCloud(t)
	w := linkedWorld(t, onTasks(q))
	w.call(http.MethodPost, "/contacts/sync", nil, 202, nil)
	w.deliver(q.Tasks.Taken()[0])
	w.end()
	if got := q.Tasks.Taken()[0].GetHttpRequest().GetHeaders()["Traceparent"]; got != "" {
		t.Errorf("there is a trace, %s", got)
	}
}

func TestA_collector_that_is_not_there_changes_nothing(t *testing.T) {
	t.Parallel()
	c := newCollector(t)
	c.Stop()
	w := linkedWorld(t, measured(c))
	if run := w.sync("done"); run.Counts.Google.Created != 1 {
		t.Errorf("got %+v", run.Counts)
	}
	w.silent()
	if got := strings.Count(w.log.String(), "cannot be sent"); got != 1 {
		t.Errorf("got %d lines about it, want 1", got)
	}
}
