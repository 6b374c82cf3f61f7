package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
)

// mutant is a defence that is taken out: a patch, and what is known of it.
type mutant struct {
	name string
	// defence is what it takes out; pkg is the package whose tests have to notice, each of which fails without it.
	defence, pkg string
	tests        []string
	// files are those that it changes.
	files []string
	path  string
}

// mutantDir has the patches. Each begins with lines that say what it takes out and who notices.
const mutantDir = "scripts/proof/testdata/mutants"

// mutants reads all patches below a root.
func mutants(root string) ([]mutant, error) {
	paths, err := filepath.Glob(filepath.Join(root, mutantDir, "*.patch"))
	if err == nil && len(paths) == 0 {
		err = errors.New("read mutants: there are none in " + mutantDir)
	}
	if err != nil {
		return nil, err
	}
	var all []mutant
	for _, path := range paths {
		text, err := os.ReadFile(path)
		if err != nil {
			return nil, fmt.Errorf("read mutant: %w", err)
		}
		m := mutant{name: strings.TrimSuffix(filepath.Base(path), ".patch"), path: path}
		for line := range strings.Lines(string(text)) {
			line = strings.TrimSpace(line)
			if value, ok := strings.CutPrefix(line, "Defence: "); ok {
				m.defence = value
			} else if value, ok := strings.CutPrefix(line, "Package: "); ok {
				m.pkg = value
			} else if value, ok := strings.CutPrefix(line, "Noticed by: "); ok {
				m.tests = strings.Split(value, ", ")
			} else if value, ok := strings.CutPrefix(line, "+++ b/"); ok {
				m.files = append(m.files, value)
			}
		}
		if m.defence == "" || m.pkg == "" || len(m.tests) == 0 || len(m.files) == 0 {
			return nil, fmt.Errorf("read mutant %s: it does not say what it takes out, where, and who notices", m.name)
		}
		all = append(all, m)
	}
	return all, nil
}

// killAll takes out one defence after the other. The error names those that nobody noticed.
func killAll(ctx context.Context, only string, out io.Writer) (killed int, err error) {
	all, err := mutants(".")
	if err != nil {
		return 0, err
	}
	var failures []error
	for _, m := range all {
		if only != "" && m.name != only {
			continue
		}
		if err := m.kill(ctx); err != nil {
			failures = append(failures, fmt.Errorf("%s (%s): %w", m.name, m.defence, err))
			fmt.Fprintf(out, "NOT NOTICED %s: %v\n", m.name, err)
			continue
		}
		killed++
		fmt.Fprintf(out, "noticed %s: %s\n", m.name, m.defence)
	}
	if killed+len(failures) == 0 {
		failures = append(failures, fmt.Errorf("no mutant has the name %q", only))
	}
	return killed, errors.Join(failures...)
}

// kill runs the tests without the defence. Nil is that each of them failed.
func (m mutant) kill(ctx context.Context) error {
	dir, err := os.MkdirTemp("", "mutant-")
	if err != nil {
		return err
	}
	defer os.RemoveAll(dir)
	overlay, err := m.overlay(ctx, ".", dir)
	if err != nil {
		return err
	}
	cmd := exec.CommandContext(ctx, "go", "test", "-json", "-count=1", "-timeout=3m", "-overlay="+overlay, "-run=^("+strings.Join(m.tests, "|")+")$", m.pkg)
	said, err := cmd.Output()
	if _, failed := errors.AsType[*exec.ExitError](err); err != nil && !failed {
		return err
	}
	results := resultsOf(said)
	for _, test := range m.tests {
		switch results[test] {
		case "fail":
		case "":
			return fmt.Errorf("%s did not run: %s", test, last(said))
		default:
			return fmt.Errorf("%s passes without it (%s)", test, results[test])
		}
	}
	return nil
}

// overlay applies the patch to copies of its files below dir, and writes for the compiler which file is in whose place.
func (m mutant) overlay(ctx context.Context, root, dir string) (string, error) {
	replace := map[string]string{}
	for _, file := range m.files {
		source, err := os.ReadFile(filepath.Join(root, file))
		if err != nil {
			return "", err
		}
		to := filepath.Join(dir, file)
		from, err := filepath.Abs(filepath.Join(root, file))
		if err := errors.Join(err, os.MkdirAll(filepath.Dir(to), 0o700), os.WriteFile(to, source, 0o600)); err != nil {
			return "", err
		}
		replace[from] = to
	}
	patch, err := filepath.Abs(m.path)
	if err != nil {
		return "", err
	}
	cmd := exec.CommandContext(ctx, "git", "apply", "--recount", patch)
	// Within a repository git would leave out what does not belong to it.
	cmd.Dir, cmd.Env = dir, append(os.Environ(), "GIT_CEILING_DIRECTORIES="+filepath.Dir(dir))
	if said, err := cmd.CombinedOutput(); err != nil {
		return "", fmt.Errorf("the patch does not fit any more: %w: %s", err, said)
	}
	content, err := json.Marshal(map[string]any{"Replace": replace})
	if err != nil {
		return "", err
	}
	path := filepath.Join(dir, "overlay.json")
	return path, os.WriteFile(path, content, 0o600)
}

// event is a line of go test -json.
type event struct {
	Action, Package, Test, Output, Key, Value string
}

func events(said []byte) (all []event) {
	for line := range strings.Lines(string(said)) {
		var e event
		if json.Unmarshal([]byte(line), &e) == nil {
			all = append(all, e)
		}
	}
	return all
}

// resultsOf is how each test ended, by its name.
func resultsOf(said []byte) map[string]string {
	out := map[string]string{}
	for _, e := range events(said) {
		if e.Test != "" && (e.Action == "pass" || e.Action == "fail" || e.Action == "skip") {
			out[e.Test] = e.Action
		}
	}
	return out
}

// last is what was printed last, where a build failed or nothing ran.
func last(said []byte) string {
	var text strings.Builder
	for _, e := range events(said) {
		text.WriteString(e.Output)
	}
	const enough = 600
	return text.String()[max(0, text.Len()-enough):]
}
