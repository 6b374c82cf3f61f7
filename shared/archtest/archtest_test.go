package archtest

import (
	"errors"
	"fmt"
	"go/ast"
	"go/parser"
	"go/token"
	"io/fs"
	"os"
	"path"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"
)

const module = "github.com/tandem-sync/tandem"

func TestEvery_package_imports_only_what_its_place_allows(t *testing.T) {
	t.Parallel()
	files := readFiles(t, os.DirFS(root(t)))
	for _, problem := range check(files) {
		t.Error(problem)
	}
}

func TestNothing_lies_at_the_top_that_does_not_belong_there(t *testing.T) {
	t.Parallel()
	entries, err := os.ReadDir(root(t))
	if err != nil {
		t.Fatal(err)
	}
	for _, entry := range entries {
		if name := entry.Name(); !strings.HasPrefix(name, ".") && !slices.Contains(top, name) {
			t.Errorf("%s lies at the top of the repository, where only %s and names with a dot belong: move it", name, strings.Join(top, ", "))
		}
	}
}

func TestEvery_rule_has_a_reason_and_names_places_of_the_table(t *testing.T) {
	t.Parallel()
	seen := map[string]bool{}
	for _, p := range places {
		if p.why == "" || p.layer == "" || seen[p.path] {
			t.Errorf("%s: its line is a second one, or lacks a layer or a reason", p.path)
		}
		seen[p.path] = true
		for _, target := range p.may {
			to, ok := placeOf(strings.TrimSuffix(target, "/..."))
			if !ok {
				t.Errorf("%s: may import %s, which has no line", p.path, target)
				continue
			}
			for _, rule := range never {
				if rule.broken(p, to) {
					t.Errorf("%s: the table lets it import %s, but %s", p.path, target, rule.why)
				}
			}
		}
	}
}

func TestWhat_rapid_draws_is_the_same_on_every_run(t *testing.T) {
	t.Parallel()
	draws, seeded := map[string]bool{}, map[string]bool{}
	for _, f := range readFiles(t, os.DirFS(root(t))) {
		if f.test() {
			draws[f.pkg] = draws[f.pkg] || slices.Contains(f.imports, "pgregory.net/rapid")
			seeded[f.pkg] = seeded[f.pkg] || slices.Contains(f.imports, module+"/shared/sandbox/seed")
		}
	}
	for pkg, uses := range draws {
		if uses && !seeded[pkg] {
			t.Errorf("%s: its tests use rapid and not shared/sandbox/seed, so they may fail on a change that is right", pkg)
		}
	}
}

// root is the directory of go.mod.
func root(t *testing.T) string {
	t.Helper()
	dir, err := filepath.Abs(".")
	if err != nil {
		t.Fatal(err)
	}
	for {
		if _, err := os.Stat(filepath.Join(dir, "go.mod")); err == nil {
			return dir
		} else if !errors.Is(err, fs.ErrNotExist) || dir == filepath.Dir(dir) {
			t.Fatalf("find go.mod: %v", err)
		}
		dir = filepath.Dir(dir)
	}
}

// file is one Go file: the package it is in, as the path of its directory, and what it uses.
type file struct {
	name, pkg string
	imports   []string
	// impure are names it uses that the table calls impure, as "time.Now".
	impure []string
}

func (f file) test() bool { return strings.HasSuffix(f.name, "_test.go") }

// readFiles reads every Go file below a root, as the go command finds them, but whatever its build tags are.
func readFiles(t *testing.T, tree fs.FS) []file {
	t.Helper()
	var files []file
	err := fs.WalkDir(tree, ".", func(name string, entry fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		base := entry.Name()
		if hidden := name != "." && strings.ContainsAny(base[:1], "._"); hidden || entry.IsDir() && (base == "testdata" || base == "vendor") {
			if entry.IsDir() {
				return fs.SkipDir
			}
			return nil
		}
		if entry.IsDir() || path.Ext(name) != ".go" {
			return nil
		}
		source, err := fs.ReadFile(tree, name)
		if err != nil {
			return err
		}
		f, err := parse(name, source)
		files = append(files, f)
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	return files
}

func parse(name string, source []byte) (file, error) {
	f := file{name: name, pkg: path.Dir(name)}
	// A file that is being written must not hide the others: what could be read of it is enough for the imports.
	tree, err := parser.ParseFile(token.NewFileSet(), name, source, parser.SkipObjectResolution)
	if tree == nil {
		return f, err
	}
	local := map[string]string{}
	for _, spec := range tree.Imports {
		target, err := strconv.Unquote(spec.Path.Value)
		if err != nil {
			return f, fmt.Errorf("%s: %w", name, err)
		}
		f.imports = append(f.imports, target)
		alias := path.Base(target)
		if spec.Name != nil {
			alias = spec.Name.Name
		}
		local[alias] = target
		if alias == "." && len(impure[target]) > 0 {
			f.impure = append(f.impure, "all names of "+target)
		}
	}
	ast.Inspect(tree, func(n ast.Node) bool {
		if s, ok := n.(*ast.SelectorExpr); ok {
			if x, ok := s.X.(*ast.Ident); ok && slices.Contains(impure[local[x.Name]], s.Sel.Name) {
				f.impure = append(f.impure, x.Name+"."+s.Sel.Name)
			}
		}
		return true
	})
	return f, nil
}

// check says what is wrong, a sentence each, with the reason and what to do.
func check(files []file) []string {
	var problems []string
	for _, f := range files {
		from, ok := placeOf(f.pkg)
		if !ok {
			problems = append(problems, fmt.Sprintf("%s: %s has no place yet: add a line for it to places in shared/archtest/rules_test.go, "+
				"with its layer, what it may import and the reason", f.name, f.pkg))
			continue
		}
		for _, target := range f.imports {
			if say := checkImport(f, from, target); say != "" {
				problems = append(problems, fmt.Sprintf("%s imports %s: %s", f.name, target, say))
			}
		}
		if from.layer == pure && !f.test() {
			for _, name := range f.impure {
				problems = append(problems, fmt.Sprintf("%s uses %s: %s is pure; take the value as an argument", f.name, name, f.pkg))
			}
		}
	}
	return problems
}

// checkImport says why an import is wrong, or nothing. Tests may import whom they like, but functions.
func checkImport(f file, from place, target string) string {
	inside, own := strings.CutPrefix(target, module+"/")
	switch {
	case own && f.test():
		if to, ok := placeOf(inside); ok && to.layer == entry && inside != f.pkg {
			return never[0].why
		}
		return ""
	case f.test():
		return ""
	case !own && from.layer == pure && !within(target, pureImports) && pureExceptions[from.path][target] == "":
		return from.path + " is pure, and this may do more than compute; let the caller do it, " +
			"or add it to pureImports in shared/archtest/rules_test.go where it only computes"
	case !own && from.layer == entry && !standard(target) && !within(target, entryImports):
		return "functions import shared/app, the functions framework and the standard library alone; move the work to shared/app"
	case !own:
		return ""
	}
	to, ok := placeOf(inside)
	if !ok {
		return "" // Its own line is missing, which is said already.
	}
	for _, rule := range never {
		if rule.broken(from, to) {
			return rule.why
		}
	}
	if !within(inside, from.may) {
		return fmt.Sprintf("%s may import only %s of this module: %s. Declare a small interface for what it needs and let shared/app connect both, "+
			"or change its line in shared/archtest/rules_test.go", from.path, list(from.may), from.why)
	}
	return ""
}

// placeOf is the line of a package: its own, or that of the nearest directory above that stands for all below.
func placeOf(pkg string) (place, bool) {
	best, found := place{}, false
	for _, p := range places {
		if p.path == pkg {
			return p, true
		}
		if within(pkg, []string{p.path}) && len(p.path) > len(best.path) {
			best, found = p, true
		}
	}
	return best, found
}

// within tells whether a path is one of the list, or below one that ends in "/...".
func within(target string, allowed []string) bool {
	return slices.ContainsFunc(allowed, func(a string) bool {
		base, tree := strings.CutSuffix(a, "/...")
		return target == base || tree && strings.HasPrefix(target, base+"/")
	})
}

// standard tells whether an import is of the standard library: no dot in its first part.
func standard(target string) bool {
	first, _, _ := strings.Cut(target, "/")
	return !strings.Contains(first, ".")
}

func list(may []string) string {
	if len(may) == 0 {
		return "nothing"
	}
	return strings.Join(may, ", ")
}
