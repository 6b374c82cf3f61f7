package creatio

import (
	"net/url"
	"slices"
	"strconv"
	"strings"
)

const (
	namespace = "Terrasoft.Configuration.OData."
	// maxExpand is ODataMaxExpansionDepth.
	maxExpand = 2
)

// query is what a request asks for of one entity, as somebody may see it.
type query struct {
	s        *Server
	by       actor
	e        *entity
	selected []string
	expanded []expansion
	filter   *expr
	order    []sortKey
	// top is -1 for no bound.
	top, skip int
	// token is how many rows earlier pages of the reply had.
	token int
	count bool
}

// expansion is a navigation property to follow: a lookup's column, or the column that points back.
type expansion struct {
	name, column string
	back         *column
	q            *query
}

type sortKey struct {
	by   *expr
	desc bool
}

// parseQuery reads the options of a request.
func (s *Server) parseQuery(by actor, e *entity, options url.Values) (*query, error) {
	q := &query{s: s, by: by, e: e, top: -1}
	for _, name := range sortedKeys(options) {
		value := options.Get(name)
		var err error
		switch name {
		case "$select":
			err = q.parseSelect(value)
		case "$expand":
			err = q.parseExpand(value, 1)
		case "$filter":
			q.filter, err = s.parseFilter(by, e, value)
		case "$orderby":
			err = q.parseOrder(value)
		case "$top":
			q.top, err = natural(name, value)
		case "$skip":
			q.skip, err = natural(name, value)
		case "$skiptoken":
			q.token, err = natural(name, value)
		case "$count":
			q.count = value == "true"
			if value != "true" && value != "false" {
				err = badRequest("Invalid value '%s' for $count query option found. Valid values are 'true' and 'false'.", value)
			}
		case "$format":
		default:
			if strings.HasPrefix(name, "$") {
				err = badRequest("The query parameter '%s' is not supported.", name)
			}
		}
		if err != nil {
			return nil, err
		}
	}
	return q, nil
}

func natural(name, value string) (int, error) {
	n, err := strconv.Atoi(value)
	if err != nil || n < 0 {
		return 0, badRequest("Invalid value '%s' for %s query option found. The %s query option requires a non-negative integer value.", value, name, name)
	}
	return n, nil
}

func (q *query) parseSelect(value string) error {
	for name := range strings.SplitSeq(value, ",") {
		name = strings.TrimSpace(name)
		switch {
		case name == "*":
			q.selected = nil
			return nil
		case q.e.find(name) != nil:
			q.selected = append(q.selected, name)
		case q.e.follow(name) == nil:
			return unknownProperty(q.e, name)
		}
	}
	return nil
}

// parseExpand reads a list of navigation properties with options of their own.
func (q *query) parseExpand(value string, depth int) error {
	if depth > maxExpand {
		return badRequest("The request includes a $expand path which is too deep. The maximum depth allowed is %d.", maxExpand)
	}
	for _, item := range splitOutside(value, ',') {
		name, inner, nested := strings.Cut(strings.TrimSpace(item), "(")
		x, err := q.expansion(name)
		if err != nil {
			return err
		}
		if nested {
			inner, closed := strings.CutSuffix(inner, ")")
			if !closed {
				return badRequest("Syntax error in $expand.")
			}
			for _, option := range splitOutside(inner, ';') {
				switch key, v, _ := strings.Cut(option, "="); key {
				case "$select":
					err = x.q.parseSelect(v)
				case "$expand":
					err = x.q.parseExpand(v, depth+1)
				default:
					err = badRequest("The option '%s' is not supported in $expand.", key)
				}
				if err != nil {
					return err
				}
			}
		}
		q.expanded = append(q.expanded, x)
	}
	return nil
}

func (q *query) expansion(name string) (expansion, error) {
	x := expansion{name: name}
	if c := q.e.follow(name); c != nil {
		x.column, x.q = c.name, &query{s: q.s, by: q.by, e: q.s.schema[c.to], top: -1}
	} else if e, back := q.s.collection(q.e, name); back != nil {
		x.back, x.q = back, &query{s: q.s, by: q.by, e: e, top: -1}
	}
	if x.q == nil {
		return x, unknownProperty(q.e, name)
	}
	if !q.s.may(q.by, x.q.e, Read) {
		return x, forbidden("read", x.q.e)
	}
	return x, nil
}

// splitOutside splits at a sign outside of parentheses.
func splitOutside(s string, at rune) []string {
	var out []string
	depth, from := 0, 0
	for i, r := range s {
		switch {
		case r == '(':
			depth++
		case r == ')':
			depth--
		case r == at && depth == 0:
			out, from = append(out, s[from:i]), i+1
		}
	}
	return append(out, s[from:])
}

func (q *query) parseOrder(value string) error {
	for item := range strings.SplitSeq(value, ",") {
		words := strings.Fields(item)
		if len(words) == 0 || len(words) > 2 || len(words) == 2 && words[1] != "asc" && words[1] != "desc" {
			return badRequest("Syntax error in $orderby at '%s'.", item)
		}
		by, err := q.s.path(q.e, words[0])
		if err != nil {
			return err
		}
		q.order = append(q.order, sortKey{by, len(words) == 2 && words[1] == "desc"})
	}
	return nil
}

// run gives the rows of the query, and how many there are without top and skip.
func (q *query) run() (rows []row, total int) {
	for _, r := range q.candidates() {
		if q.s.sees(q.by, q.e, r) && (q.filter == nil || q.filter.value(r) == true) {
			rows = append(rows, r)
		}
	}
	slices.SortFunc(rows, func(a, b row) int {
		for _, key := range q.order {
			o := orderNull(key.by.value(a), key.by.value(b))
			if key.desc {
				o = -o
			}
			if o != 0 {
				return o
			}
		}
		return oldest(a, b)
	})
	total = len(rows)
	rows = rows[min(q.skip, total):]
	limit := q.s.o.MaxRows
	if q.top >= 0 {
		limit = min(limit, q.top)
	}
	return rows[:min(limit, len(rows))], total
}

// orderNull puts null last, as PostgreSQL does.
func orderNull(a, b any) int {
	switch {
	case a == nil && b == nil:
		return 0
	case a == nil:
		return 1
	case b == nil:
		return -1
	}
	return order(a, b)
}

// candidates are all rows that the filter can let through, and maybe more.
func (q *query) candidates() []row {
	set := q.s.state.table(q.e.name)
	var out []row
	if q.filter == nil || q.filter.column == "" {
		for _, r := range set.Rows {
			out = append(out, r)
		}
		return out
	}
	narrowest := q.filter
	for _, x := range q.filter.also {
		if x.column != "" && set.count(x) < set.count(narrowest) {
			narrowest = x
		}
	}
	seen := map[string]bool{}
	add := func(id string) {
		if r := set.Rows[id]; r != nil && !seen[id] {
			seen[id], out = true, append(out, r)
		}
	}
	for _, id := range narrowest.ids {
		if narrowest.column == "Id" {
			add(id)
			continue
		}
		for other := range set.index[narrowest.column][id] {
			add(other)
		}
	}
	return out
}
