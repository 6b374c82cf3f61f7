package odata

import (
	"fmt"
	"strconv"
	"strings"
)

// Query asks for records of a set.
type Query struct {
	Set     string
	Select  []string
	Expand  []Expand
	Filter  Filter
	OrderBy []Order
	// Top is the largest number of rows; 0 means no limit.
	Top int
	// Skip is the number of rows to skip. It is not for paging, because changes between two pages move rows.
	Skip int
	// Count asks for the number of rows without Top and Skip.
	Count bool
}

// Expand asks for the record of a lookup, or the records of a collection. Creatio allows two levels.
type Expand struct {
	Name   string
	Select []string
	Expand []Expand
}

// Order is one key to order by.
type Order struct {
	Path string
	Desc bool
}

// Path is the query as a URL relative to the service root. Equal queries have equal paths.
func (q Query) Path() string { return q.Set + q.options() }

func (q Query) options() string {
	var parts []string
	add := func(name, value string) {
		if value != "" {
			parts = append(parts, name+"="+escape(value))
		}
	}
	add("$select", strings.Join(q.Select, ","))
	add("$expand", renderExpand(q.Expand))
	add("$filter", q.Filter.String())
	add("$orderby", renderOrder(q.OrderBy))
	if q.Top > 0 {
		add("$top", strconv.Itoa(q.Top))
	}
	if q.Skip > 0 {
		add("$skip", strconv.Itoa(q.Skip))
	}
	if q.Count {
		add("$count", "true")
	}
	if len(parts) == 0 {
		return ""
	}
	return "?" + strings.Join(parts, "&")
}

func renderExpand(list []Expand) string {
	out := make([]string, len(list))
	for i, e := range list {
		var inner []string
		if len(e.Select) > 0 {
			inner = append(inner, "$select="+strings.Join(e.Select, ","))
		}
		if len(e.Expand) > 0 {
			inner = append(inner, "$expand="+renderExpand(e.Expand))
		}
		out[i] = e.Name
		if len(inner) > 0 {
			out[i] += "(" + strings.Join(inner, ";") + ")"
		}
	}
	return strings.Join(out, ",")
}

func renderOrder(list []Order) string {
	out := make([]string, len(list))
	for i, o := range list {
		out[i] = o.Path
		if o.Desc {
			out[i] += " desc"
		}
	}
	return strings.Join(out, ",")
}

// check rejects names that are invalid or would change the query.
func (q Query) check() error {
	if !isName(q.Set) {
		return fmt.Errorf("%q is no entity set", q.Set)
	}
	if q.Filter.err != nil {
		return fmt.Errorf("filter: %w", q.Filter.err)
	}
	if q.Top < 0 || q.Skip < 0 {
		return fmt.Errorf("top %d, skip %d", q.Top, q.Skip)
	}
	for _, name := range q.Select {
		if !isName(name) {
			return fmt.Errorf("%q is no property", name)
		}
	}
	for _, o := range q.OrderBy {
		if err := checkPath(o.Path); err != nil {
			return err
		}
	}
	return checkExpand(q.Expand, 1)
}

// maxExpand is Creatio's ODataMaxExpansionDepth.
const maxExpand = 2

func checkExpand(list []Expand, depth int) error {
	for _, e := range list {
		if depth > maxExpand {
			return fmt.Errorf("expand deeper than %d levels", maxExpand)
		}
		for _, name := range append([]string{e.Name}, e.Select...) {
			if !isName(name) {
				return fmt.Errorf("%q is no property", name)
			}
		}
		if err := checkExpand(e.Expand, depth+1); err != nil {
			return err
		}
	}
	return nil
}

// escape encodes a value for a query string. A space becomes %20, because "+" is a plus sign in OData. A semicolon is
// escaped because some servers split at it, a colon because what is before one may be read as a scheme where the path stands
// alone, as in a batch.
func escape(s string) string {
	const plain = "-._~$(),/'=@*!"
	var b strings.Builder
	for i := range len(s) {
		c := s[i]
		switch {
		case 'a' <= c && c <= 'z', 'A' <= c && c <= 'Z', '0' <= c && c <= '9', strings.IndexByte(plain, c) >= 0:
			b.WriteByte(c)
		default:
			fmt.Fprintf(&b, "%%%02X", c)
		}
	}
	return b.String()
}

// EntityPath is the path of one record, such as "Contact(0f8f…)", for a Part.
func EntityPath(set, id string) string {
	path, err := entityPath(set, id)
	if err != nil {
		return invalid
	}
	return path
}

func entityPath(set, id string) (string, error) {
	if !isName(set) {
		return "", fmt.Errorf("%q is no entity set", set)
	}
	if key := Guid(id); key.err != nil {
		return "", key.err
	}
	if id == zeroGUID {
		return "", fmt.Errorf("the zero GUID names no record")
	}
	return set + "(" + strings.ToLower(id) + ")", nil
}

// setOf returns the entity set with which a path begins.
func setOf(path string) string {
	if i := strings.IndexAny(path, "(?/"); i >= 0 {
		return path[:i]
	}
	return path
}
