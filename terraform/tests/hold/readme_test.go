package hold

import (
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// variable is one row of README.md's tables.
type variable struct{ Name, Description, Default string }

// section is a section of README.md, by its title.
func section(t *testing.T, title string) string {
	t.Helper()
	return between(t, read(t, "terraform/README.md")+"\n## ", "\n## "+title+"\n", "\n## ")
}

// rows are the cells of a table, without its head.
func rows(text string) [][]string {
	var out [][]string
	for line := range strings.Lines(text) {
		line = strings.TrimSpace(line)
		if !strings.HasPrefix(line, "| ") || strings.HasPrefix(line, "| ---") {
			continue
		}
		cells := strings.Split(strings.Trim(line, "|"), " | ")
		for i := range cells {
			cells[i] = strings.Trim(strings.TrimSpace(cells[i]), "`")
		}
		out = append(out, cells)
	}
	return out[min(1, len(out)):]
}

// blocks are the blocks of a kind in a file, by their names in the order of the file.
func blocks(kind, text string) [][]string {
	return groups(`^`+kind+` "([a-z_]+)" {\n((?:  .*\n|\n)*)}`, text)
}

// description is a block's, as a table shows it.
func description(body string) string {
	found := groups(`^  description += "(.*)"$`, body)
	if len(found) == 0 {
		return ""
	}
	return strings.ReplaceAll(found[0][0], `\"`, `"`)
}

// defaultOf is the default of a variable; "required" where it has none. One of several lines is left to the reader.
func defaultOf(body string) string {
	found := groups(`^  default += (.*)$`, body)
	if len(found) == 0 {
		return "required"
	}
	return found[0][0]
}

func TestThe_readme_lists_every_variable_as_it_is(t *testing.T) {
	t.Parallel()
	var want, got []variable
	for _, b := range blocks("variable", read(t, "terraform/variables.tf")) {
		want = append(want, variable{b[0], description(b[1]), defaultOf(b[1])})
	}
	for _, row := range rows(section(t, "Variables")) {
		if len(row) != 3 {
			t.Fatalf("a row of the table has %d cells: %q", len(row), row)
		}
		got = append(got, variable{row[0], row[1], row[2]})
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("README.md differs from variables.tf (-variables.tf +README.md):\n%s", diff)
	}
	if !slices.IsSortedFunc(want, func(a, b variable) int { return strings.Compare(a.Name, b.Name) }) {
		t.Error("variables.tf is not in alphabetical order")
	}
}

func TestThe_readme_lists_every_output_as_it_is(t *testing.T) {
	t.Parallel()
	var want, got []variable
	for _, b := range blocks("output", read(t, "terraform/outputs.tf")) {
		want = append(want, variable{Name: b[0], Description: description(b[1])})
	}
	for _, row := range rows(section(t, "Outputs")) {
		got = append(got, variable{Name: row[0], Description: row[1]})
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("README.md differs from outputs.tf (-outputs.tf +README.md):\n%s", diff)
	}
}

func TestThe_readme_lists_every_metric_with_its_labels(t *testing.T) {
	t.Parallel()
	source := code(t, "shared/observe")
	var want, got []string
	for _, row := range groups(`^\s+Metric[A-Za-z]+ += "(tandem_[a-z_]+)"$`, source) {
		want = append(want, row[0])
	}
	for _, row := range rows(section(t, "Traces and metrics")) {
		if len(row) != 3 || row[2] == "" {
			t.Fatalf("a row of the table lacks a cell: %q", row)
		}
		got = append(got, row[0])
		for label := range strings.SplitSeq(row[1], ", ") {
			if !strings.Contains(source, `"`+label+`", `) {
				t.Errorf("README.md gives %s the label %s, which no metric has", row[0], label)
			}
		}
	}
	if diff := cmp.Diff(want, got); diff != "" || len(want) == 0 {
		t.Errorf("README.md differs from shared/observe (-sent +listed):\n%s", diff)
	}
}

func TestThe_readme_gives_a_reason_for_every_role(t *testing.T) {
	t.Parallel()
	granted := slices.Compact(column(groups(`"(roles/[A-Za-z.]+)"`, read(t, "terraform/*.tf", "terraform/modules/*/*.tf")), 0))
	told := []string{"_scheduler"}
	granted = append(granted, "_scheduler") // The one that is made here.
	for _, row := range rows(section(t, "Roles")) {
		if len(row) != 4 || row[3] == "" {
			t.Errorf("a row of roles lacks a cell: %q", row)
			continue
		}
		if role := strings.Trim(row[1], "`"); strings.HasPrefix(role, "roles/") {
			told = append(told, role)
		}
	}
	slices.Sort(told)
	slices.Sort(granted)
	if diff := cmp.Diff(granted, slices.Compact(told)); diff != "" {
		t.Errorf("README.md tells of other roles than are granted (-granted +told):\n%s", diff)
	}
	for _, role := range granted {
		if slices.Contains([]string{"roles/owner", "roles/editor", "roles/viewer"}, role) {
			t.Errorf("%s is over the whole project", role)
		}
	}
}

func TestThe_readme_says_what_to_do_at_every_alarm(t *testing.T) {
	t.Parallel()
	source := read(t, "terraform/modules/monitoring/alerts.tf")
	want := append(column(groups(`^    ([a-z]+) = {\n      on `, source), 0), column(groups(`^resource "google_monitoring_alert_policy" "([a-z]+)" {$`, source), 0)...)
	want = slices.DeleteFunc(want, func(name string) bool { return name == "this" })
	var got []string
	for _, row := range rows(section(t, "Alarms")) {
		if len(row) != 4 || slices.Contains(row, "") {
			t.Fatalf("a row of the table lacks a cell: %q", row)
		}
		got = append(got, row[0])
		if !strings.Contains(read(t, "terraform/variables.tf"), "    "+row[2]+" ") {
			t.Errorf("README.md gives %s the threshold %s, which alerts does not have", row[0], row[2])
		}
	}
	slices.Sort(want)
	slices.Sort(got)
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("README.md has other alarms than alerts.tf (-made +listed):\n%s", diff)
	}
}

func TestEvery_secret_stays_out_of_the_state(t *testing.T) {
	t.Parallel()
	var names []string
	err := filepath.WalkDir(filepath.Join(root, "terraform"), func(name string, entry os.DirEntry, err error) error {
		if err == nil && !entry.IsDir() && filepath.Ext(name) == ".tf" && !strings.Contains(name, ".terraform") {
			names = append(names, name)
		}
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	kept := regexp.MustCompile(`(?m)^\s+secret_data\s+=`)
	for _, name := range names {
		content, err := os.ReadFile(name)
		if err != nil {
			t.Fatal(err)
		}
		if kept.Match(content) {
			t.Errorf("%s sets secret_data, which a state keeps; set secret_data_wo", name)
		}
	}
	for _, b := range blocks("variable", read(t, "terraform/variables.tf")) {
		if strings.HasSuffix(b[0], "_secret") && !strings.Contains(b[1], "sensitive   = true") {
			t.Errorf("the variable %s is shown in a plan", b[0])
		}
	}
}
