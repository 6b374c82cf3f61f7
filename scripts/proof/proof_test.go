package main

import (
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

const root = "../.."

func TestEvery_mutant_fits_the_code_and_names_tests_that_are_there(t *testing.T) {
	t.Parallel()
	all, err := mutants(root)
	if err != nil {
		t.Fatal(err)
	}
	for _, m := range all {
		t.Run(m.name, func(t *testing.T) {
			t.Parallel()
			if _, err := m.overlay(t.Context(), root, t.TempDir()); err != nil {
				t.Error(err)
			}
			there, err := testsThat(filepath.Join(root, m.pkg), func(name, _ string) bool { return slices.Contains(m.tests, name) })
			if err != nil {
				t.Fatal(err)
			}
			found := 0
			for _, names := range there {
				found += len(names)
			}
			if found != len(m.tests) {
				t.Errorf("of the tests %v there are %v", m.tests, there)
			}
		})
	}
}

func TestEvery_line_of_the_threat_model_has_a_mutant(t *testing.T) {
	t.Parallel()
	all, err := mutants(root)
	if err != nil {
		t.Fatal(err)
	}
	model, err := os.ReadFile(filepath.Join(root, ".github", "SECURITY.md"))
	if err != nil {
		t.Fatal(err)
	}
	lines := 0
	for line := range strings.Lines(string(model)) {
		if !strings.HasPrefix(line, "| ") || strings.HasPrefix(line, "| ---") || strings.HasPrefix(line, "| attacker") {
			continue
		}
		lines++
		noticed := func(m mutant) bool {
			return slices.ContainsFunc(m.tests, func(test string) bool { return strings.Contains(line, "`"+test+"`") })
		}
		if !slices.ContainsFunc(all, noticed) {
			t.Errorf("no mutant takes out the defence of: %s", line)
		}
	}
	if lines == 0 {
		t.Error("the threat model has no lines")
	}
}

func TestAReportCountsWhatRan(t *testing.T) {
	t.Parallel()
	said := `{"Action":"attr","Test":"TestA/x","Key":"faults","Value":"3"}
{"Action":"attr","Test":"TestA","Key":"faults","Value":"4"}
{"Action":"attr","Test":"TestA","Key":"other","Value":"5"}
{"Action":"pass","Test":"TestA/x"}
{"Action":"fail","Test":"TestA/y"}
{"Action":"fail","Test":"TestA"}
{"Action":"skip","Test":"TestB"}
{"Action":"pass","Test":"TestC"}
{"Action":"fail","Package":"p"}
no JSON
`
	var got tally
	got.add([]byte(said))
	if want := (tally{tests: 2, cases: 3, failed: 1, faults: 7}); got != want {
		t.Errorf("got %+v, want %+v", got, want)
	}
}
