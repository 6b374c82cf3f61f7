package odata

import (
	"fmt"
	"regexp"
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

// In matches records whose property equals one of the literals; without literals it matches none. It becomes a chain of or,
// because OData 4.0 has no operator in. Microsoft's library allows 100 nodes in a filter by default, so split long lists
// into several queries of about 20.
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
	for _, f := range filters {
		out.err = firstError(out.err, f.err)
		switch f.kind {
		case matchesNothing:
			out.kind = matchesNothing
		case matchesSome:
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
	return out
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
		}
	}
	if out.kind == matchesNothing && len(texts) > 0 {
		out.kind, out.text, out.or = matchesSome, strings.Join(texts, " or "), out.or || len(texts) > 1
	}
	return out
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
