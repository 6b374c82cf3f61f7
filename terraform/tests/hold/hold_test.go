// Package hold holds the Terraform files against the code that they deploy: what one of them names, the other has. The
// files are read as text, in the form that terraform fmt gives them.
package hold

import (
	"maps"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/tandem-sync/tandem/shared/config"
	"github.com/tandem-sync/tandem/shared/store/firestore"
)

// root is the directory of go.mod, from here.
const root = "../../.."

// read is the text of files below the root, in their order.
func read(t *testing.T, patterns ...string) string {
	t.Helper()
	var text strings.Builder
	for _, pattern := range patterns {
		names, err := filepath.Glob(filepath.Join(root, pattern))
		if err != nil || len(names) == 0 {
			t.Fatalf("find %s: %v", pattern, err)
		}
		for _, name := range names {
			content, err := os.ReadFile(name)
			if err != nil {
				t.Fatal(err)
			}
			text.Write(content)
			text.WriteByte('\n')
		}
	}
	return text.String()
}

// code is the text of a package, without its tests.
func code(t *testing.T, dir string) string {
	t.Helper()
	var text strings.Builder
	for _, name := range must(filepath.Glob(filepath.Join(root, dir, "*.go")))(t) {
		if !strings.HasSuffix(name, "_test.go") {
			text.Write(must(os.ReadFile(name))(t))
		}
	}
	if text.Len() == 0 {
		t.Fatalf("there is no code in %s", dir)
	}
	return text.String()
}

// groups are what a pattern with one or more groups finds, a row for each match.
func groups(pattern, text string) [][]string {
	var rows [][]string
	for _, m := range regexp.MustCompile("(?m)"+pattern).FindAllStringSubmatch(text, -1) {
		rows = append(rows, m[1:])
	}
	return rows
}

// column is one group of each row, sorted.
func column(rows [][]string, n int) []string {
	out := []string{}
	for _, row := range rows {
		out = append(out, row[n])
	}
	slices.Sort(out)
	return out
}

// between is what stands between two texts; the test fails where they are not there.
func between(t *testing.T, text, from, to string) string {
	t.Helper()
	_, rest, found := strings.Cut(text, from)
	inside, _, closed := strings.Cut(rest, to)
	if !found || !closed {
		t.Fatalf("there is no text between %q and %q", from, to)
	}
	return inside
}

type deployed struct{ name, folder, entryPoint, caller, queue, schedules, accounts string }

// table is the table of functions of functions.tf.
func table(t *testing.T) []deployed {
	t.Helper()
	var out []deployed
	for _, row := range groups(`^ +([a-z-]+) += { package = "([a-z]+)", entry_point = "([A-Za-z]+)", caller = "([a-z]+)", queue = "([a-z]*)", schedules = (true|false), accounts = (true|false) }$`,
		read(t, "terraform/functions.tf")) {
		out = append(out, deployed{row[0], row[1], row[2], row[3], row[4], row[5], row[6]})
	}
	if len(out) == 0 {
		t.Fatal("terraform/functions.tf has no table of functions")
	}
	return out
}

func TestEvery_folder_of_functions_is_deployed_under_the_name_it_registers(t *testing.T) {
	t.Parallel()
	var folders, listed []string
	for _, entry := range must(os.ReadDir(filepath.Join(root, "functions")))(t) {
		if entry.IsDir() {
			folders = append(folders, entry.Name())
		}
	}
	for _, f := range table(t) {
		listed = append(listed, f.folder)
		if registered := column(groups(`functions\.HTTP\("([A-Za-z]+)"`, read(t, "functions/"+f.folder+"/*.go")), 0); !slices.Equal(registered, []string{f.entryPoint}) {
			t.Errorf("functions/%s registers %q, and is deployed with the entry point %s", f.folder, registered, f.entryPoint)
		}
		if kebab := strings.ToLower(regexp.MustCompile(`\B([A-Z][a-z])`).ReplaceAllString(f.entryPoint, "-$1")); strings.ReplaceAll(kebab, "o-auth", "oauth") != f.name {
			t.Errorf("the entry point %s is deployed as %s", f.entryPoint, f.name)
		}
	}
	slices.Sort(listed)
	if diff := cmp.Diff(folders, listed); diff != "" {
		t.Errorf("terraform/functions.tf does not list the folders under functions/ (-folders +listed):\n%s", diff)
	}
}

func TestOnly_sync_functions_are_private_and_have_a_queue_of_their_type(t *testing.T) {
	t.Parallel()
	for _, f := range table(t) {
		kind, isSync := strings.CutPrefix(f.name, "sync-")
		if isSync != (f.caller == "invoker") || (!isSync && f.caller != "anyone") {
			t.Errorf("%s may be called by %q", f.name, f.caller)
		}
		if isSync && f.queue != kind {
			t.Errorf("%s fills the queue %q, want %q", f.name, f.queue, kind)
		}
		// Who sends messages of channels is known only by what they say.
		if (f.accounts == "true") != (f.name != config.PushFunction) {
			t.Errorf("%s may open accounts: %s", f.name, f.accounts)
		}
	}
}

// unset are variables that a deployed function does not have, and why.
var unset = map[string]string{
	"GOOGLE_ENDPOINT": "it puts a stand-in in the place of Google",
	"PORT":            "the platform sets it",
}

// platform are variables for others than shared/config.
var platform = []string{
	"CLOUD_RUN_TIMEOUT_SECONDS", // The functions framework.
	"GOMEMLIMIT",                // The Go runtime.
	"GOOGLE_CLOUD_PROJECT",      // shared/app, for its logs.
	"LOG_EXECUTION_ID",          // The functions framework.
}

func TestEvery_variable_of_the_configuration_is_set_or_left_out_on_purpose(t *testing.T) {
	t.Parallel()
	text := read(t, "terraform/functions.tf")
	got := column(groups(`^ +([A-Z][A-Z_]+) += `, between(t, text, "  environment = {", "  repo_root = ")), 0)
	got = append(got, column(groups(`variable = "([A-Z_]+)"`, read(t, "terraform/secrets.tf")), 0)...)
	want := slices.Concat(platform, slices.DeleteFunc(config.Names(), func(name string) bool { return unset[name] != "" }))
	slices.Sort(got)
	slices.Sort(want)
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("functions have other variables than shared/config reads (-read +set):\n%s", diff)
	}
	for name := range unset {
		if !slices.Contains(config.Names(), name) {
			t.Errorf("%s is left out on purpose, and nobody reads it", name)
		}
	}
}

func TestThe_database_has_the_indexes_that_queries_need(t *testing.T) {
	t.Parallel()
	text := read(t, "terraform/firestore.tf")
	var got []firestore.Index
	for _, row := range groups(`^ +[a-z_]+ += { collection = "([a-z]+)", scope = "([A-Z_]+)", fields = \[(.+)\] }$`, text) {
		index := firestore.Index{Collection: row[0], Scope: row[1]}
		for _, field := range groups(`\["([A-Za-z]+)", "([A-Z]+)"\]`, row[2]) {
			index.Fields = append(index.Fields, firestore.IndexField{Path: field[0], Order: field[1]})
		}
		got = append(got, index)
	}
	order := func(a, b firestore.Index) int { return strings.Compare(a.Collection, b.Collection) }
	want := slices.SortedStableFunc(slices.Values(firestore.Indexes), order)
	slices.SortStableFunc(got, order)
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("indexes differ from shared/store/firestore (-needed +made):\n%s", diff)
	}
}

func TestThe_database_exempts_and_expires_the_fields_that_the_store_says(t *testing.T) {
	t.Parallel()
	text := read(t, "terraform/firestore.tf")
	for name, fields := range map[string][][2]string{"unindexed": firestore.Unindexed, "expiring": firestore.Expiring} {
		want := []string{}
		for _, f := range fields {
			want = append(want, f[0]+"/"+f[1])
		}
		slices.Sort(want)
		got := column(groups(`"([A-Za-z]+/[A-Za-z]+)"`, between(t, text, "  "+name, "]")), 0)
		if diff := cmp.Diff(want, got); diff != "" {
			t.Errorf("%s fields differ from shared/store/firestore (-wanted +made):\n%s", name, diff)
		}
	}
}

// calls are the clients of Google Cloud, the role or permission that their calls need, and the resource of iam.tf that
// grants it.
var calls = map[string]struct{ role, grant string }{
	"cloud.google.com/go/firestore/apiv1":  {"roles/datastore.user", "store"},
	"google.golang.org/api/cloudkms/v1":    {"roles/cloudkms.cryptoKeyEncrypterDecrypter", "seal"},
	"cloud.google.com/go/kms/apiv1":        {"roles/cloudkms.cryptoKeyEncrypterDecrypter", "seal"},
	"cloud.google.com/go/cloudtasks/apiv2": {"roles/cloudtasks.enqueuer", "enqueue"},
	"cloud.google.com/go/scheduler/apiv1":  {"cloudscheduler.jobs.update", "scheduler"},

	"go.opentelemetry.io/otel/exporters/otlp/otlptrace/otlptracegrpc":   {"roles/telemetry.tracesWriter", "telemetry"},
	"go.opentelemetry.io/otel/exporters/otlp/otlpmetric/otlpmetricgrpc": {"roles/telemetry.metricsWriter", "telemetry"},
}

// withOAuth are Google's interfaces that are called with a user's own token: no role is needed.
var withOAuth = []string{"google.golang.org/api/people/v1", "google.golang.org/api/calendar/v3", "google.golang.org/api/oauth2/v2"}

func TestEvery_client_of_google_cloud_has_the_role_that_its_calls_need(t *testing.T) {
	t.Parallel()
	client := regexp.MustCompile(`^(cloud\.google\.com/go/[a-z]+/apiv[0-9]+(/v[0-9]+)?|google\.golang\.org/api/[a-z0-9]+/v[0-9a-z]+|go\.opentelemetry\.io/otel/exporters/otlp/[a-z]+/[a-z]+(grpc|http))$`)
	iam := read(t, "terraform/iam.tf")
	used := map[string]bool{}
	for _, f := range table(t) {
		list := exec.CommandContext(t.Context(), "go", "list", "-deps", "./functions/"+f.folder)
		list.Dir = root
		out, err := list.Output()
		if err != nil {
			t.Fatalf("list what functions/%s imports: %v", f.folder, err)
		}
		for pkg := range strings.FieldsSeq(string(out)) {
			if client.MatchString(pkg) && !slices.Contains(withOAuth, pkg) {
				used[pkg] = true
			}
		}
	}
	for _, pkg := range slices.Sorted(maps.Keys(used)) {
		call, known := calls[pkg]
		switch {
		case !known:
			t.Errorf("%s is called, and nobody says which role its calls need: add it to calls, and its role to terraform/iam.tf and README.md", pkg)
		case !strings.Contains(iam, `"`+call.role+`"`):
			t.Errorf("%s needs %s, which terraform/iam.tf grants nobody", pkg, call.role)
		case !regexp.MustCompile(`(?m)^resource "google_[a-z_]+" "` + call.grant + `" {`).MatchString(iam):
			t.Errorf("%s needs %s from the resource %q, which terraform/iam.tf does not have", pkg, call.role, call.grant)
		}
	}
	if len(used) == 0 {
		t.Error("no function imports a client of Google Cloud: the pattern of this test is wrong")
	}
}

// jobCalls are the methods of Cloud Scheduler, and the permission that each needs
// (https://cloud.google.com/scheduler/docs/access-control).
var jobCalls = map[string]string{
	"Create": "cloudscheduler.jobs.create", "Delete": "cloudscheduler.jobs.delete", "Get": "cloudscheduler.jobs.get",
	"List": "cloudscheduler.jobs.list", "Update": "cloudscheduler.jobs.update", "Pause": "cloudscheduler.jobs.pause",
	"Resume": "cloudscheduler.jobs.enable", "Run": "cloudscheduler.jobs.run",
}

func TestThe_role_for_jobs_permits_what_is_called_and_nothing_else(t *testing.T) {
	t.Parallel()
	var want []string
	for _, method := range slices.Compact(column(groups(`\bapi\.([A-Z][a-z]+)Jobs?\(`, code(t, "shared/schedule")), 0)) {
		permission, known := jobCalls[method]
		if !known {
			t.Errorf("nobody says which permission %s needs: add it to jobCalls", method)
		}
		want = append(want, permission)
	}
	slices.Sort(want)
	got := column(groups(`"(cloudscheduler\.jobs\.[a-z]+)"`, read(t, "terraform/iam.tf")), 0)
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("the role for jobs differs from what shared/schedule calls (-called +permitted):\n%s", diff)
	}
}

func TestThe_alarms_and_the_dashboard_ask_for_metrics_that_the_program_sends(t *testing.T) {
	t.Parallel()
	sent := column(groups(`^\s+Metric[A-Za-z]+ += "(tandem_[a-z_]+)"$`, read(t, "shared/observe/metrics.go")), 0)
	asked := slices.Compact(column(groups(`\b(tandem_[a-z_]+?)(?:_bucket)?\b`, read(t, "terraform/modules/monitoring/*.tf")), 0))
	if diff := cmp.Diff(slices.DeleteFunc(sent, func(name string) bool { return name == "tandem_runs" }), asked); diff != "" {
		t.Errorf("metrics (-sent +asked for):\n%s", diff) // Runs are counted by the log, which needs no telemetry.
	}
	labels := column(groups(`"([a-z]+)", r?\.?[A-Za-z]`, read(t, "shared/observe/metrics.go")), 0)
	for _, by := range column(groups(`by \(([a-z, ]+)\) \((?:increase|rate|max_over_time)?\(?tandem_`, read(t, "terraform/modules/monitoring/*.tf")), 0) {
		for label := range strings.SplitSeq(by, ", ") {
			if label != "le" && !slices.Contains(labels, label) {
				t.Errorf("the dashboard tells %s apart, and no metric has that label", label)
			}
		}
	}
}

func TestThe_alarms_count_lines_that_the_program_writes(t *testing.T) {
	t.Parallel()
	written := code(t, "shared/app")
	for _, message := range column(groups(`\\"(run [a-z ]+)\\"`, read(t, "terraform/modules/monitoring/metrics.tf")), 0) {
		if !strings.Contains(written, `"`+message+`"`) {
			t.Errorf("metrics.tf counts the line %q, which shared/app does not write", message)
		}
	}
	statuses := code(t, "shared/syncer")
	asked := column(groups(`status=~?\\"([a-z|]+)\\"`, read(t, "terraform/modules/monitoring/alerts.tf")), 0)
	if len(asked) == 0 {
		t.Error("alerts.tf asks for no status")
	}
	for _, group := range asked {
		for status := range strings.SplitSeq(group, "|") {
			if !regexp.MustCompile(`Status = "` + status + `"`).MatchString(statuses) {
				t.Errorf("alerts.tf asks for runs that end as %q, and none does", status)
			}
		}
	}
	for _, field := range column(groups(`EXTRACT\(([A-Za-z.]+)\)`, read(t, "terraform/modules/monitoring/metrics.tf")), 0) {
		_, key, _ := strings.Cut(field, ".")
		if !strings.Contains(written, `"`+key+`"`) {
			t.Errorf("metrics.tf takes %s out of a line, and shared/app does not write it", field)
		}
	}
}

// must turns a result with an error into one without.
func must[T any](value T, err error) func(*testing.T) T {
	return func(t *testing.T) T {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
		return value
	}
}
