package main

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"maps"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"time"
)

// A test that breaks things says how many it broke by the attribute faultsKey.
const faultsKey = "faults"

// tell runs what attacks and breaks Tandem, and prints what was tried, from what ran.
func tell(ctx context.Context, each time.Duration, out io.Writer) error {
	attacks, err := attacks(".")
	if err != nil {
		return err
	}
	breaking, err := breaking(".")
	if err != nil {
		return err
	}
	attacked, attackErr := ran(ctx, attacks)
	broken, breakErr := ran(ctx, breaking)
	inputs, fuzzErr := fuzzAll(ctx, cmp.Or(each, 5*time.Second), out)
	killed, killErr := killAll(ctx, "", out)
	fmt.Fprintf(out, "attacks tried: %d, in %d tests of the threat model; %d did not hold\n", attacked.cases, attacked.tests, attacked.failed)
	fmt.Fprintf(out, "faults injected: %d, in %d tests; %d tests failed\n", broken.faults, broken.tests, broken.failed)
	fmt.Fprintf(out, "inputs fuzzed: %d\n", inputs)
	fmt.Fprintf(out, "mutants of defences killed: %d\n", killed)
	return errors.Join(attackErr, breakErr, fuzzErr, killErr)
}

// tests are names of tests by the directories of their packages.
type tests map[string][]string

var function = regexp.MustCompile(`(?m)^func (Test\w+)\(t \*testing\.T\) \{\n((?:[^}].*\n|\n)*)\}`)

// testsThat are the tests of a tree for which is holds, given their names and bodies.
func testsThat(root string, is func(name, body string) bool) (tests, error) {
	out := tests{}
	err := filepath.WalkDir(root, func(path string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() || !strings.HasSuffix(path, "_test.go") {
			return err
		}
		source, err := os.ReadFile(path)
		for _, m := range function.FindAllStringSubmatch(string(source), -1) {
			if is(m[1], m[2]) {
				dir := "./" + filepath.ToSlash(filepath.Dir(path))
				out[dir] = append(out[dir], m[1])
			}
		}
		return err
	})
	return out, err
}

// attacks are the tests that the threat model names.
func attacks(root string) (tests, error) {
	model, err := os.ReadFile(filepath.Join(root, ".github", "SECURITY.md"))
	if err != nil {
		return nil, err
	}
	return testsThat(root, func(name, _ string) bool { return strings.Contains(string(model), "`"+name+"`") })
}

// breaking are the tests that tell how many faults they injected.
func breaking(root string) (tests, error) {
	return testsThat(root, func(_, body string) bool { return strings.Contains(body, `Attr("`+faultsKey+`"`) })
}

// tally is what ran.
type tally struct {
	// cases are tests and their subtests that have none of their own.
	tests, cases, failed, faults int
}

// ran runs tests and counts.
func ran(ctx context.Context, which tests) (all tally, err error) {
	var failures []error
	for _, dir := range slices.Sorted(maps.Keys(which)) {
		args := []string{"test", "-json", "-count=1", "-timeout=20m", "-run=^(" + strings.Join(which[dir], "|") + ")$", dir}
		if strings.HasSuffix(dir, "/worldtest") {
			args = append(args, "-worlds=60")
		}
		said, err := exec.CommandContext(ctx, "go", args...).Output()
		if err != nil {
			failures = append(failures, fmt.Errorf("%s: %w: %s", dir, err, last(said)))
		}
		all.add(said)
	}
	return all, errors.Join(failures...)
}

func (t *tally) add(said []byte) {
	results := resultsOf(said)
	parents := map[string]bool{}
	for name := range results {
		if cut := strings.LastIndex(name, "/"); cut >= 0 {
			parents[name[:cut]] = true
		}
	}
	for name, result := range results {
		if result == "skip" {
			continue
		}
		if !strings.Contains(name, "/") {
			t.tests++
		}
		if !parents[name] {
			t.cases++
			if result == "fail" {
				t.failed++
			}
		}
	}
	for _, e := range events(said) {
		if e.Action == "attr" && e.Key == faultsKey {
			n, _ := strconv.Atoi(e.Value)
			t.faults += n
		}
	}
}
