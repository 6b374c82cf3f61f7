package hold

import (
	"bufio"
	"bytes"
	"encoding/json"
	"flag"
	"fmt"
	"maps"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

var update = flag.Bool("update", false, "write the plans of the examples anew")

// Whoever reviews a change of the Terraform files sees here what it does to a deployment.
func TestThe_plans_of_the_examples_are_those_that_were_reviewed(t *testing.T) {
	t.Parallel()
	missing := func(what string) {
		if os.Getenv("CI") == "true" {
			t.Fatal(what)
		}
		t.Skip(what)
	}
	if _, err := exec.LookPath("terraform"); err != nil {
		missing("terraform is not installed")
	}
	if _, err := os.Stat(filepath.Join(root, "terraform/.terraform/providers")); err != nil {
		missing("terraform init has not been run: the providers are missing")
	}
	if out, err := exec.CommandContext(t.Context(), filepath.Join(root, "scripts/bundle")).CombinedOutput(); err != nil {
		t.Fatalf("lay out the bundles: %v\n%s", err, out)
	}
	// A result that go test has cached is valid as long as these are the same.
	read(t, "terraform/*.tf", "terraform/modules/*/*.tf", "terraform/examples/*/*.tf", "terraform/tests/plans.tftest.hcl")
	test := exec.CommandContext(t.Context(), "terraform", "test", "-json", "-verbose", "-filter=tests/plans.tftest.hcl")
	test.Dir = filepath.Join(root, "terraform")
	out, err := test.Output()
	if err != nil {
		t.Fatalf("plan the examples: %v\n%s", err, out)
	}
	plans := plansOf(t, out)
	for _, name := range []string{"minimal", "complete"} {
		file := filepath.Join("testdata", name+".plan.txt")
		if *update {
			if err := os.WriteFile(file, []byte(plans[name]), 0o600); err != nil {
				t.Fatal(err)
			}
		}
		if diff := cmp.Diff(string(must(os.ReadFile(file))(t)), plans[name]); diff != "" || plans[name] == "" {
			t.Errorf("the plan of examples/%s is another; if it should be, run go test ./terraform/tests/hold -update (-kept +planned):\n%s", name, diff)
		}
	}
}

// plansOf are the plans in what terraform test prints, as text, by the runs' names.
func plansOf(t *testing.T, out []byte) map[string]string {
	t.Helper()
	plans := map[string]string{}
	lines := bufio.NewScanner(bytes.NewReader(out))
	lines.Buffer(nil, 64<<20)
	for lines.Scan() {
		var line struct {
			Run  string `json:"@testrun"`
			Plan struct {
				Changes []struct {
					Address string `json:"address"`
					Change  struct {
						Actions []string `json:"actions"`
						After   any      `json:"after"`
					} `json:"change"`
				} `json:"resource_changes"`
			} `json:"test_plan"`
		}
		if err := json.Unmarshal(lines.Bytes(), &line); err != nil {
			t.Fatal(err)
		}
		var blocks []string
		for _, c := range line.Plan.Changes {
			block := append([]string{strings.Join(c.Change.Actions, ", ") + " " + c.Address}, values("", c.Change.After)...)
			blocks = append(blocks, strings.Join(block, "\n")+"\n")
		}
		if len(blocks) > 0 {
			slices.Sort(blocks)
			plans[line.Run] = strings.Join(blocks, "\n")
		}
	}
	if err := lines.Err(); err != nil {
		t.Fatal(err)
	}
	return plans
}

// values are the values of a resource that say something, a line each. Those that are known only after the apply are left
// out.
func values(path string, v any) (out []string) {
	switch v := v.(type) {
	case nil:
	case map[string]any:
		for _, key := range slices.Sorted(maps.Keys(v)) {
			out = append(out, values(strings.TrimPrefix(path+"."+key, "."), v[key])...)
		}
	case []any:
		for i, item := range v {
			out = append(out, values(fmt.Sprintf("%s[%d]", path, i), item)...)
		}
	case string:
		out = append(out, fmt.Sprintf("  %s = %q", path, v))
	default:
		out = append(out, fmt.Sprintf("  %s = %v", path, v))
	}
	return out
}
