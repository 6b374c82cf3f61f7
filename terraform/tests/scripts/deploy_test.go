// Package scripts tests scripts/deploy with programs in the place of terraform, gcloud and curl: what it asks, what it
// refuses, and what it says. It calls no cloud.
package scripts

import (
	"cmp"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"testing"
)

const planned = `{"planned_values":{"outputs":{"cpus":{"sensitive":false,"type":"number","value":20}},"root_module":{"resources":[{"values":{"member":"allUsers"}}]}},` +
	`"resource_changes":[{"address":"google_firestore_database.this","mode":"managed","change":{"actions":["no-op"],"before":null}}]}`

// usual are the answers of a project in which all is well: patterns of command lines, and what is printed for them. A text
// that begins with "fail" ends the program with an error. The first pattern that fits counts, so more come first.
func usual(more ...[2]string) [][2]string {
	return append(more, [][2]string{
		{`terraform .* show -json`, planned},
		{`terraform .* output -raw settings_url`, "https://europe-west1-acme-tandem.cloudfunctions.net/settings"},
		{`terraform .* output -raw invoker`, "tandem-invoker@acme-tandem.iam.gserviceaccount.com"},
		{`gcloud resource-manager`, "\tALLOW"},
		{`gcloud beta quotas`, "20000\teurope-west1;us-central1"},
		{`gcloud scheduler jobs describe`, "ENABLED"},
		{`gcloud logging read .*value\(timestamp\)`, "2026-01-31T09:00:00Z"},
		{`gcloud logging read .*timestamp>"2026-01-31T09:00:00Z"`, "200"},
		{`gcloud auth print-identity-token`, "a-token"},
		{`curl .*/healthz`, `{"status":"ok","version":"0123456789ab"}`},
		{`curl .*-X POST`, "200"},
	}...)
}

// program answers like the case, and writes its command line down.
const program = `#!/bin/sh
line="$(basename "$0") $*"
echo "$line" >>"$STAGE/calls"
i=1
while [ -e "$STAGE/answers/$i" ]; do
  if [ ! -e "$STAGE/answers/$i.used" ] && echo "$line" | grep -Eq -f "$STAGE/answers/$i"; then
    case $(cat "$STAGE/answers/$i.out") in *once*) touch "$STAGE/answers/$i.used" ;; esac
    case $(cat "$STAGE/answers/$i.out") in fail*) exit 1 ;; esac
    cat "$STAGE/answers/$i.out"
    exit 0
  fi
  i=$((i + 1))
done
`

func write(t *testing.T, name, content string, mode os.FileMode) {
	t.Helper()
	if err := os.MkdirAll(filepath.Dir(name), 0o700); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(name, []byte(content), mode); err != nil {
		t.Fatal(err)
	}
}

// deploy runs the script, and returns what it printed, what it called, and whether it succeeded.
func deploy(t *testing.T, answers [][2]string, args ...string) (printed, called string, ok bool) {
	t.Helper()
	dir := t.TempDir()
	script, err := os.ReadFile("../../../scripts/deploy")
	if err != nil {
		t.Fatal(err)
	}
	write(t, filepath.Join(dir, "scripts/deploy"), string(script), 0o700)
	write(t, filepath.Join(dir, "scripts/bundle"), "#!/bin/sh\n", 0o700)
	write(t, filepath.Join(dir, "terraform/terraform.tfvars"), "project = \"acme-tandem\"\nregion  = \"europe-west1\"\n", 0o600)
	for _, name := range []string{"terraform", "gcloud", "curl"} {
		write(t, filepath.Join(dir, "bin", name), program, 0o700)
	}
	for i, a := range answers {
		file := filepath.Join(dir, "answers", strconv.Itoa(i+1))
		write(t, file, a[0]+"\n", 0o600)
		write(t, file+".out", a[1], 0o600)
	}
	cmd := exec.CommandContext(t.Context(), cmp.Or(os.Getenv("OPERATOR_BASH"), "bash"), append([]string{filepath.Join(dir, "scripts/deploy")}, args...)...)
	cmd.Env = []string{"PATH=" + filepath.Join(dir, "bin") + ":/usr/bin:/bin", "STAGE=" + dir, "HOME=" + dir, "TANDEM_DEPLOY_PAUSE=0", "TANDEM_DEPLOY_SETTLE=0"}
	out, err := cmd.CombinedOutput()
	calls, _ := os.ReadFile(filepath.Join(dir, "calls"))
	return string(out), string(calls), err == nil
}

func TestA_deployment_ends_when_both_functions_have_accepted_a_tick(t *testing.T) {
	t.Parallel()
	printed, called, ok := deploy(t, usual(), "--yes")
	if !ok {
		t.Fatalf("it failed: %s", printed)
	}
	for _, want := range []string{"sync-contacts accepted a tick", "sync-activities accepted a tick", `"version":"0123456789ab"`} {
		if !strings.Contains(printed, want) {
			t.Errorf("it does not say %q: %s", want, printed)
		}
	}
	for _, want := range []string{"gcloud scheduler jobs run sync-contacts", "gcloud scheduler jobs run sync-activities"} {
		if !strings.Contains(called, want) {
			t.Errorf("it did not call %q: %s", want, called)
		}
	}
}

func TestThe_function_of_a_paused_job_is_called_with_the_invokers_token(t *testing.T) {
	t.Parallel()
	printed, called, ok := deploy(t, usual([2]string{`gcloud scheduler jobs describe`, "PAUSED"}), "--yes")
	if !ok || strings.Contains(called, "jobs run") {
		t.Fatalf("it failed, or ran a paused job: %s", printed)
	}
	for _, want := range []string{
		"--impersonate-service-account=tandem-invoker@acme-tandem.iam.gserviceaccount.com --audiences=https://europe-west1-acme-tandem.cloudfunctions.net/sync-contacts",
		"-H Authorization: Bearer a-token -H Content-Type: application/json -d {} https://europe-west1-acme-tandem.cloudfunctions.net/sync-activities",
	} {
		if !strings.Contains(called, want) {
			t.Errorf("it did not call %q: %s", want, called)
		}
	}
}

func TestA_deployment_that_nobody_is_synchronized_by_is_no_success(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		answer [2]string
		says   string
	}{
		"refused":   {[2]string{`gcloud logging read .*httpRequest`, "403"}, "sync-contacts did not accept a tick (403)"},
		"no call":   {[2]string{`gcloud logging read .*httpRequest`, ""}, "no call was logged"},
		"unhealthy": {[2]string{`curl .*/healthz`, "fail"}, "/settings/healthz does not answer"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			printed, _, ok := deploy(t, usual(c.answer), "--yes")
			if ok || !strings.Contains(printed, c.says) {
				t.Errorf("success: %v; it said: %s", ok, printed)
			}
		})
	}
}

func TestA_plan_that_would_fail_or_do_harm_is_refused_before_anything_changes(t *testing.T) {
	t.Parallel()
	replaced := strings.Replace(planned, `["no-op"]`, `["delete","create"]`, 1)
	forbidden := [2]string{`gcloud resource-manager`, "C0123abcd\t"}
	for name, c := range map[string]struct {
		answer    [2]string
		says      string
		unchecked bool // Whether --unchecked goes on.
	}{
		"the database is replaced": {[2]string{`terraform .* show -json`, replaced}, "deletes the database with all documents", false},
		"sharing is restricted":    {forbidden, "members of C0123abcd", true},
		"too little quota":         {[2]string{`gcloud beta quotas`, "10000\teurope-west1"}, "may use 20 CPUs, and this project has 10 in europe-west1", true},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			printed, called, ok := deploy(t, usual(c.answer), "--yes")
			if ok || !strings.Contains(printed, c.says) || strings.Contains(called, " apply ") {
				t.Errorf("success: %v; it said: %s", ok, printed)
			}
			if printed, _, ok := deploy(t, usual(c.answer), "--yes", "--unchecked"); ok != c.unchecked {
				t.Errorf("with --unchecked success: %v; it said: %s", ok, printed)
			}
		})
	}
	t.Run("the plan after an apply that failed", func(t *testing.T) {
		t.Parallel()
		failing, harmless := [2]string{`terraform .* apply`, "fail once"}, [2]string{`terraform .* show -json`, planned + " once"}
		printed, called, ok := deploy(t, usual(failing, harmless, [2]string{`terraform .* show -json`, replaced}), "--yes")
		if ok || !strings.Contains(printed, "deletes the database with all documents") || strings.Count(called, " apply ") != 1 {
			t.Errorf("success: %v; it said: %s", ok, printed)
		}
		if printed, called, ok := deploy(t, usual(failing), "--yes"); !ok || strings.Count(called, " apply ") != 2 {
			t.Errorf("of an apply that succeeds the second time: %v; it said: %s", ok, printed)
		}
	})
	t.Run("functions that are not public need no exception", func(t *testing.T) {
		t.Parallel()
		printed, called, ok := deploy(t, usual(forbidden, [2]string{`terraform .* show -json`, strings.Replace(planned, "allUsers", "serviceAccount:a", 1)}), "--yes")
		if !ok || strings.Contains(called, "healthz") {
			t.Errorf("success: %v; it said: %s", ok, printed)
		}
	})
}

// later are constructs that bash 3.2, the one of macOS, does not know, or fails at under set -u.
var later = regexp.MustCompile(`mapfile|readarray|(declare|local|typeset) -[a-zA-Z]*[Agn]|\$\{[A-Za-z_]+(,|\^|@[A-Za-z]\})|\[-[0-9]+\]\}|-v [A-Za-z_]+ \]\]|;;&|;&|wait -n|read -[a-z]*N|\{[0-9]+\.\.[0-9]+\.\.|printf '%\(|exec \{|EPOCH(SECONDS|REALTIME)|globstar|lastpipe|inherit_errexit|&>>|\|&|(^|[^+])"\$\{(options)\[@\]\}"|\bcoproc\b|sed -r|grep -P|readlink -f`)

func TestWhat_an_operator_runs_runs_on_the_bash_of_a_mac(t *testing.T) {
	t.Parallel()
	for _, name := range []string{"deploy", "destroy", "bundle", "doctor", "bench"} {
		content, err := os.ReadFile("../../../scripts/" + name)
		if err != nil {
			t.Fatal(err)
		}
		if found := later.FindString(string(content)); found != "" {
			t.Errorf("scripts/%s uses %q, which bash 3.2 does not know", name, found)
		}
	}
}
