package app_test

import (
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/tandem-sync/tandem/shared/activity"
	"github.com/tandem-sync/tandem/shared/contact"
	"github.com/tandem-sync/tandem/shared/reconcile"
)

// chapter is the part of functions/README.md that tells what is synchronized.
const chapter = "## What is synchronized"

// tables are the rows of a chapter's tables by the first cell of their header.
func tables(t *testing.T, chapter string) map[string][][]string {
	t.Helper()
	raw, err := os.ReadFile("../../functions/README.md")
	if err != nil {
		t.Fatal(err)
	}
	_, text, found := strings.Cut(string(raw), chapter+"\n")
	if !found {
		t.Fatalf("the README has no chapter %q", chapter)
	}
	text, _, _ = strings.Cut(text, "\n## ")
	out := map[string][][]string{}
	name := ""
	for line := range strings.Lines(text) {
		line = strings.TrimSpace(line)
		if !strings.HasPrefix(line, "|") {
			name = ""
			continue
		}
		var cells []string
		for cell := range strings.SplitSeq(strings.Trim(line, "|"), "|") {
			cells = append(cells, strings.TrimSpace(cell))
		}
		switch {
		case name == "":
			name = cells[0]
		case strings.HasPrefix(cells[0], "---"):
		default:
			out[name] = append(out[name], cells)
		}
	}
	return out
}

var linked = regexp.MustCompile(`\[([^\]]+)\]\(\.\./shared/app/testdata/scenarios/([^)]+)\.txtar\)`)

func scenarios(t *testing.T) map[string]string {
	t.Helper()
	files, err := filepath.Glob("testdata/scenarios/*.txtar")
	if err != nil {
		t.Fatal(err)
	}
	out := map[string]string{}
	for _, file := range files {
		raw, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		out[strings.TrimSuffix(filepath.Base(file), ".txtar")] = string(raw)
	}
	return out
}

func TestReadme_has_one_row_for_every_field(t *testing.T) {
	t.Parallel()
	rows := map[string]int{}
	for _, row := range tables(t, chapter)["field"] {
		rows[row[0]]++
	}
	// A photo is carried beside the schema (.github/adr/0005-photos.md).
	labels := []string{"Photo"}
	for _, f := range contact.Schema {
		labels = append(labels, f.Label)
	}
	for _, label := range labels {
		if rows[label] != 1 {
			t.Errorf("%s: the README has %d rows for the field, not one; its row begins with the field's label", label, rows[label])
		}
		delete(rows, label)
	}
	for label := range rows {
		t.Errorf("the README has a row for %q, which is no field", label)
	}
}

var quoted = regexp.MustCompile("`([^`]+)`")

func TestReadme_names_columns_and_fields_that_the_code_knows(t *testing.T) {
	t.Parallel()
	namesKnown(t, tables(t, chapter)["field"], map[int]string{1: source(t, "../creatio/contacts"), 2: source(t, "../google/people")})
}

// namesKnown holds what cells of a table quote against code that has to know it.
func namesKnown(t *testing.T, rows [][]string, sources map[int]string) {
	t.Helper()
	for _, row := range rows {
		for cell, code := range sources {
			names := quoted.FindAllStringSubmatch(row[cell], -1)
			if len(names) == 0 {
				t.Errorf("%s: cell %d names no column", row[0], cell+1)
			}
			for _, m := range names {
				for word := range strings.SplitSeq(m[1], ".") {
					if !strings.Contains(code, strings.ToLower(word)) {
						t.Errorf("%s: nothing in the code is called %s", row[0], word)
					}
				}
			}
		}
	}
}

// source is the code of a package, in lower case.
func source(t *testing.T, dir string) string {
	t.Helper()
	files, err := filepath.Glob(filepath.Join(dir, "*.go"))
	if err != nil || len(files) == 0 {
		t.Fatalf("no code in %s: %v", dir, err)
	}
	var b strings.Builder
	for _, file := range files {
		if strings.HasSuffix(file, "_test.go") {
			continue
		}
		raw, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		b.Write(raw)
	}
	return strings.ToLower(b.String())
}

func TestReadme_names_a_scenario_for_every_row_and_a_row_for_every_scenario(t *testing.T) {
	t.Parallel()
	all := scenarios(t)
	named := map[string]bool{}
	for table, rows := range tables(t, chapter) {
		for _, row := range rows {
			links := linked.FindAllStringSubmatch(row[len(row)-1], -1)
			if len(links) == 0 {
				t.Errorf("%s %q names no scenario in its last cell", table, row[0])
			}
			for _, m := range links {
				if m[1] != m[2] {
					t.Errorf("%s %q calls the scenario %s by another name: %s", table, row[0], m[2], m[1])
				}
				if _, there := all[m[2]]; !there {
					t.Errorf("%s %q names the scenario %s, which is not there", table, row[0], m[2])
				}
				named[m[2]] = true
			}
		}
	}
	for name := range all {
		if !named[name] {
			t.Errorf("no row of the README names the scenario %s", name)
		}
	}
}

func TestEvery_rule_that_the_history_names_is_played(t *testing.T) {
	t.Parallel()
	var played []string
	for _, text := range scenarios(t) {
		played = append(played, text)
	}
	for _, rule := range []string{
		reconcile.RuleChanged, reconcile.RuleFirst, reconcile.RuleLatest, reconcile.RuleCreatio, reconcile.RuleGoogle, reconcile.RuleDirection,
		reconcile.RuleEditKept, reconcile.RuleLeft, reconcile.RuleCameBack, "made-from-it", "same-e-mail", "same-phone", "same-name-and-company",
	} {
		said := regexp.MustCompile(`(?m)(\[` + rule + `\]$|, ` + rule + `: )`)
		if !slices.ContainsFunc(played, said.MatchString) {
			t.Errorf("no scenario shows the rule %s", rule)
		}
	}
}

// activitiesChapter is the part of functions/README.md that tells what is synchronized of activities.
const activitiesChapter = "## What is synchronized of activities"

func TestReadme_has_one_row_for_every_field_of_activities_in_their_order(t *testing.T) {
	t.Parallel()
	var named, fields []string
	for _, row := range tables(t, activitiesChapter)["field of an activity"] {
		named = append(named, row[0])
	}
	for _, f := range activity.Schema {
		fields = append(fields, f.Label)
	}
	if !slices.Equal(named, fields) {
		t.Errorf("the README names %q, the schema has %q", named, fields)
	}
}

func TestReadme_names_columns_and_fields_of_activities_that_the_code_knows(t *testing.T) {
	t.Parallel()
	namesKnown(t, tables(t, activitiesChapter)["field of an activity"], map[int]string{1: source(t, "../creatio/activities"), 2: source(t, "../google/calendar")})
}

var testLink = regexp.MustCompile(`\[([^\]]+)\]\(\.\./(shared/app/[a-z_]+_test\.go)\)`)

func TestReadme_names_a_story_of_activities_in_every_row_that_is_played(t *testing.T) {
	t.Parallel()
	for table, rows := range tables(t, activitiesChapter) {
		for _, row := range rows {
			stories := testLink.FindAllStringSubmatch(row[len(row)-1], -1)
			if len(stories) == 0 {
				t.Errorf("%s %q names no story in its last cell", table, row[0])
			}
			for _, m := range stories {
				raw, err := os.ReadFile(filepath.Join("../..", m[2]))
				if err != nil {
					t.Errorf("%s %q: %v", table, row[0], err)
				}
				if name := "func Test" + strings.ReplaceAll(m[1], " ", "_") + "("; !strings.Contains(string(raw), name) {
					t.Errorf("%s %q names the story %q, which is not in %s", table, row[0], m[1], m[2])
				}
			}
		}
	}
}
