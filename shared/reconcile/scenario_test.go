package reconcile

import (
	"bytes"
	"cmp"
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	gocmp "github.com/google/go-cmp/cmp"
	"golang.org/x/tools/txtar"

	"github.com/tandem-sync/tandem/shared/contact"
	"github.com/tandem-sync/tandem/shared/record"
)

var update = flag.Bool("update", false, "write the plans of testdata anew")

// TestScenarios decides the pairs of testdata. Each file tells a story and has these sections:
//
//	base     what both sides last agreed on, a line "field: value" for each value
//	creatio  what Creatio shows; "@id", "@member", "@gone", "@modified", "@locked field", "@shown field: is => as"
//	         and "@kept field: value" tell the rest
//	google   what Google shows
//	policy   "direction", "conflicts", and "first", "detached" or "parted" on a side where the pair is
//	plan     what is to be done about it
func TestScenarios(t *testing.T) {
	t.Parallel()
	files, err := filepath.Glob("testdata/*.txtar")
	if err != nil || len(files) == 0 {
		t.Fatalf("no scenarios: %v", err)
	}
	for _, file := range files {
		t.Run(strings.TrimSuffix(filepath.Base(file), ".txtar"), func(t *testing.T) {
			t.Parallel()
			archive, err := txtar.ParseFile(file)
			if err != nil {
				t.Fatalf("read scenario: %v", err)
			}
			sections := map[string]string{}
			for _, f := range archive.Files {
				sections[f.Name] = string(f.Data)
			}
			got := play(t, sections)
			if *update {
				write(t, file, archive, got)
				return
			}
			if diff := gocmp.Diff(sections["plan"], got); diff != "" {
				t.Errorf("plan (-want +got):\n%s", diff)
			}
		})
	}
}

func write(t *testing.T, file string, archive *txtar.Archive, plan string) {
	t.Helper()
	archive.Files = slices.DeleteFunc(archive.Files, func(f txtar.File) bool { return f.Name == "plan" })
	archive.Files = append(archive.Files, txtar.File{Name: "plan", Data: []byte(plan)})
	if err := os.WriteFile(file, txtar.Format(archive), 0o600); err != nil {
		t.Fatalf("write scenario: %v", err)
	}
}

// play decides a scenario's pair.
func play(t *testing.T, sections map[string]string) string {
	t.Helper()
	p := Pair{
		Link: "link-1", Active: true, NewIDs: map[record.Side]string{record.Creatio: "new-contact"}, Base: parseRecord(t, sections["base"]).Fields,
		Sides: map[record.Side]Now{
			record.Creatio: parseRecord(t, sections["creatio"]), record.Google: parseRecord(t, sections["google"]),
		},
	}
	var policy Policy
	for line := range lines(sections["policy"]) {
		name, value, _ := strings.Cut(line, " ")
		switch name {
		case "direction":
			policy.Direction = Direction(value)
		case "conflicts":
			policy.Conflicts = Conflicts(value)
		case "first":
			p.First, p.Active = true, false
		case "detached":
			p.Active = false
		case "parted":
			p.Active, p.SplitSide = false, record.Side(value)
		default:
			t.Fatalf("unknown policy %q", line)
		}
	}
	return printDecision(Decide(contact.Schema, p, policy))
}

func lines(s string) func(func(string) bool) {
	return func(yield func(string) bool) {
		for line := range strings.Lines(s) {
			if line = strings.TrimSpace(line); line != "" && !yield(line) {
				return
			}
		}
	}
}

// parseRecord reads what a side shows.
func parseRecord(t *testing.T, section string) Now {
	t.Helper()
	n := Now{View: View{Fields: record.Fields{}}}
	for line := range lines(section) {
		word, rest, _ := strings.Cut(line, " ")
		switch word {
		case "@id":
			n.ID = rest
		case "@member":
			n.Member = true
		case "@gone":
			n.Gone = true
		case "@locked":
			n.Locked = append(n.Locked, rest)
		case "@kept":
			field, value, _ := strings.Cut(rest, ": ")
			if n.Untracked == nil {
				n.Untracked = record.Fields{}
			}
			n.Untracked[field] = append(n.Untracked[field], parseEntry(field, value))
		case "@modified":
			at, err := time.Parse(time.RFC3339, rest)
			if err != nil {
				t.Fatalf("%q: %v", line, err)
			}
			n.Modified = at
		case "@shown":
			field, values, _ := strings.Cut(rest, ": ")
			is, as, ok := strings.Cut(values, " =>")
			if !ok {
				t.Fatalf("%q shows nothing", line)
			}
			n.Projections = append(n.Projections, record.Projection{Field: field, Canonical: parseEntry(field, is), Displayed: parseEntry(field, strings.TrimSpace(as))})
		default:
			field, value, ok := strings.Cut(line, ": ")
			if _, known := contact.Schema.Field(field); !ok || !known {
				t.Fatalf("%q is no value of a field", line)
			}
			n.Fields[field] = append(n.Fields[field], parseEntry(field, value))
		}
	}
	return n
}

// parseEntry reads "text", or for phones, e-mails and addresses "kind text"; an address is "part=text; part=text".
func parseEntry(field, s string) record.Entry {
	e := record.Entry{Text: s}
	f, _ := contact.Schema.Field(field)
	if !f.Set || s == "" {
		return e
	}
	e.Kind, e.Text, _ = strings.Cut(s, " ")
	if e.Kind == "-" {
		e.Kind = ""
	}
	if field != contact.Addresses {
		return e
	}
	e.Parts = map[string]string{}
	for part := range strings.SplitSeq(e.Text, "; ") {
		name, text, _ := strings.Cut(part, "=")
		e.Parts[name] = text
	}
	e.Text = ""
	return e
}

func printEntry(field string, e record.Entry) string {
	f, _ := contact.Schema.Field(field)
	if f.Empty(e) {
		return "nothing"
	}
	text := e.Text
	if len(e.Parts) > 0 {
		var parts []string
		for _, name := range []string{contact.Street, contact.Zip, contact.City, contact.Region, contact.Country} {
			if v := e.Parts[name]; v != "" {
				parts = append(parts, name+"="+v)
			}
		}
		text = strings.Join(parts, "; ")
	}
	if f.Set {
		return cmp.Or(e.Kind, "-") + " " + text
	}
	return text
}

func printEntries(field string, entries []record.Entry) string {
	if len(entries) == 0 {
		return "nothing"
	}
	var out []string
	for _, e := range entries {
		out = append(out, printEntry(field, e))
	}
	return strings.Join(out, " | ")
}

// printDecision writes a decision down for a person to read.
func printDecision(d Decision) string {
	var b bytes.Buffer
	state := "active"
	switch {
	case d.Drop:
		state = "dropped"
	case d.SplitSide != "":
		state = "split by an undo in " + string(d.SplitSide)
	case !d.Active:
		state = "detached"
	}
	fmt.Fprintf(&b, "the pair is %s\n", state)
	for _, side := range record.Sides {
		op := d.Ops[side]
		if op == nil {
			fmt.Fprintf(&b, "%s: nothing to do\n", side)
			continue
		}
		fmt.Fprintf(&b, "%s: %s %s", side, op.Action, cmp.Or(op.ID, "a new one"))
		if op.Join {
			b.WriteString(" and bring it into scope")
		}
		fmt.Fprintf(&b, ", %s\n", cmp.Or(d.Rules[side], "no rule"))
		for _, c := range d.Changes[side] {
			fmt.Fprintf(&b, "\t%s: %s -> %s, %s\n", c.Field.Name, printEntries(c.Field.Name, c.Before), printEntries(c.Field.Name, c.After), c.Rule)
		}
	}
	for _, c := range d.Conflicts {
		fmt.Fprintf(&b, "conflict in %s: %s won, lost is %s\n", c.Field, c.Winner, printEntries(c.Field, c.Lost))
	}
	for _, side := range record.Sides {
		for _, s := range d.Projections[side] {
			as := printEntry(s.Field, s.Displayed)
			if s.Untracked {
				as = "a label of its own"
			}
			fmt.Fprintf(&b, "%s shows in %s: %s => %s\n", side, s.Field, printEntry(s.Field, s.Canonical), as)
		}
	}
	b.WriteString("agreed:\n")
	for _, f := range contact.Schema {
		for _, e := range d.Base[f.Name] {
			fmt.Fprintf(&b, "\t%s: %s\n", f.Name, printEntry(f.Name, e))
		}
	}
	return b.String()
}
