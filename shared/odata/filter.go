package odata

import (
	"fmt"
	"regexp"
	"slices"
	"strings"
)

// Filter is a condition on the records of a set. The zero Filter matches all. A lookup column is filtered by its
// navigation path, such as "Account/Id": in filters Creatio does not accept the name "AccountId" that payloads use.
type Filter struct {
	text string
	kind filterKind
	// or says that the condition needs parentheses within an and, which has the higher precedence (OData 4.0 URL
	// Conventions, section 5.1.1.9).
	or  bool
	err error
	// alternatives are those of an or; of an and, listed is the condition that has the most of them, and rest are the others.
	alternatives []Filter
	listed       *Filter
	rest         []Filter
}

type filterKind int

const (
	matchesAll filterKind = iota
	matchesSome
	matchesNothing
)

// String is the condition in OData syntax, unescaped; empty for the zero Filter.
func (f Filter) String() string {
	if f.kind == matchesNothing {
		return "false"
	}
	return f.text
}

// Eq matches records whose property equals the literal.
func Eq(path string, l Literal) Filter { return compare(path, "eq", l) }

// Ne matches records whose property differs from the literal.
func Ne(path string, l Literal) Filter { return compare(path, "ne", l) }

// Gt matches records whose property is greater than the literal.
func Gt(path string, l Literal) Filter { return compare(path, "gt", l) }

// Ge matches records whose property is greater than the literal or equal to it.
func Ge(path string, l Literal) Filter { return compare(path, "ge", l) }

// Lt matches records whose property is less than the literal.
func Lt(path string, l Literal) Filter { return compare(path, "lt", l) }

// Le matches records whose property is less than the literal or equal to it.
func Le(path string, l Literal) Filter { return compare(path, "le", l) }

// Contains matches records whose text property contains the literal.
func Contains(path string, l Literal) Filter { return call("contains", path, l) }

// StartsWith matches records whose text property starts with the literal.
func StartsWith(path string, l Literal) Filter { return call("startswith", path, l) }

// AnyEq matches records to which a collection has a record whose property equals the literal (OData 4.0 URL Conventions,
// section 5.1.1.10.1).
func AnyEq(collection, path string, l Literal) Filter {
	f := condition(collection, l, collection+"/any(x:x/"+path+" eq "+l.render()+")")
	f.err = firstError(f.err, checkPath(path))
	return f
}

// In matches records whose property equals one of the literals; without literals it matches none. It becomes a chain of or,
// because OData 4.0 has no operator in. Microsoft's library allows 100 nodes in a filter by default, so split long lists
// into several queries of about 10.
func In(path string, list []Literal) Filter {
	chain := make([]Filter, len(list))
	for i, l := range list {
		chain[i] = Eq(path, l)
	}
	return Or(chain...)
}

// And matches what all filters match; without filters it matches everything.
func And(filters ...Filter) Filter {
	out := Filter{kind: matchesAll}
	var texts []string
	longest := -1
	for i, f := range filters {
		out.err = firstError(out.err, f.err)
		switch f.kind {
		case matchesNothing:
			out.kind = matchesNothing
		case matchesSome:
			if f.Listed() > 1 && (longest < 0 || f.Listed() > filters[longest].Listed()) {
				longest = i
			}
			if f.or && len(filters) > 1 {
				f.text = "(" + f.text + ")"
			}
			texts = append(texts, f.text)
		}
	}
	if out.kind == matchesAll && len(texts) > 0 {
		out.kind, out.text = matchesSome, strings.Join(texts, " and ")
		out.or = len(filters) == 1 && filters[0].or
	}
	if longest >= 0 {
		list := filters[longest]
		out.listed, out.rest = &list, slices.Delete(slices.Clone(filters), longest, longest+1)
	}
	return out
}

// Listed is how many alternatives the longest list in the condition has; 1 for none.
func (f Filter) Listed() int {
	if f.listed != nil {
		return f.listed.Listed()
	}
	return max(1, len(f.alternatives))
}

// Halves are two conditions, at least one of which matches whatever the condition matches, with half of its longest list
// each. A condition without a list has none.
func (f Filter) Halves() []Filter {
	if f.listed != nil {
		var out []Filter
		for _, half := range f.listed.Halves() {
			out = append(out, And(append([]Filter{half}, f.rest...)...))
		}
		return out
	}
	if n := len(f.alternatives); n > 1 {
		return []Filter{Or(f.alternatives[:n/2]...), Or(f.alternatives[n/2:]...)}
	}
	return nil
}

// Or matches what at least one filter matches; without filters it matches nothing.
func Or(filters ...Filter) Filter {
	out := Filter{kind: matchesNothing}
	var texts []string
	for _, f := range filters {
		out.err = firstError(out.err, f.err)
		switch f.kind {
		case matchesAll:
			out.kind = matchesAll
		case matchesSome:
			texts = append(texts, f.text)
			out.or = out.or || f.or
			out.alternatives = append(out.alternatives, alternativesOf(f)...)
		}
	}
	if out.kind == matchesNothing && len(texts) > 0 {
		out.kind, out.text, out.or = matchesSome, strings.Join(texts, " or "), out.or || len(texts) > 1
	}
	return out
}

func alternativesOf(f Filter) []Filter {
	if len(f.alternatives) > 0 {
		return f.alternatives
	}
	return []Filter{f}
}

// Not matches what the filter does not match.
func Not(f Filter) Filter {
	switch f.kind {
	case matchesAll:
		return Filter{kind: matchesNothing, err: f.err}
	case matchesNothing:
		return Filter{kind: matchesAll, err: f.err}
	}
	return Filter{kind: matchesSome, text: "not (" + f.text + ")", err: f.err}
}

func compare(path, operator string, l Literal) Filter {
	return condition(path, l, path+" "+operator+" "+l.render())
}

func call(function, path string, l Literal) Filter {
	return condition(path, l, function+"("+path+","+l.render()+")")
}

func condition(path string, l Literal, text string) Filter {
	return Filter{kind: matchesSome, text: text, err: firstError(checkPath(path), l.check())}
}

func firstError(a, b error) error {
	if a != nil {
		return a
	}
	return b
}

var (
	nameForm = regexp.MustCompile(`^[A-Za-z_][A-Za-z0-9_]{0,127}$`)
	pathForm = regexp.MustCompile(`^[A-Za-z_][A-Za-z0-9_]*(/[A-Za-z_][A-Za-z0-9_]*)*$`)
)

func isName(s string) bool { return nameForm.MatchString(s) }

func checkPath(path string) error {
	if !pathForm.MatchString(path) {
		return fmt.Errorf("%q is no property path", path)
	}
	return nil
}
