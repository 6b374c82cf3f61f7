package creatio

import (
	"cmp"
	"net/http"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"time"
)

// expr is a node of a filter. Its value for a row is nil where the database's would be null, so that and, or and not
// know three values.
type expr struct {
	// of is the Edm type, "null" for the literal null.
	of    string
	value func(row) any
	nodes int
	// ids are what an indexed column equals, for what is true of no other row.
	column string
	ids    []string
	// also are other expressions of which the same is true.
	also []*expr
}

type lexeme struct{ kind, text string }

var lexemes = regexp.MustCompile(`(?i)^(?:` +
	`(?P<string>'(?:[^']|'')*')|` +
	`(?P<guid>[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12})|` +
	`(?P<instant>\d{4}-\d\d-\d\dT\d\d:\d\d(?::\d\d(?:\.\d+)?)?(?:Z|[+-]\d\d:\d\d)?)|` +
	`(?P<date>\d{4}-\d\d-\d\d)|` +
	`(?P<number>-?\d+)|` +
	`(?P<name>[a-z_]\w*(?:/[a-z_]\w*)*)|` +
	`(?P<sign>[(),:]))`)

func lex(s string) ([]lexeme, error) {
	var out []lexeme
	for s = strings.TrimSpace(s); s != ""; s = strings.TrimSpace(s) {
		m := lexemes.FindStringSubmatch(s)
		if m == nil {
			return nil, badRequest("Syntax error: a character is not valid in '%s'.", s)
		}
		for i, name := range lexemes.SubexpNames() {
			if i > 0 && m[i] != "" {
				out = append(out, lexeme{name, m[i]})
			}
		}
		s = s[len(m[0]):]
	}
	return out, nil
}

// parser reads a filter by the precedences of OData: not, comparisons, and, or.
type parser struct {
	s    *Server
	by   actor
	e    *entity
	rest []lexeme
	deep int
	// variable names the rows of e within any; empty outside of it.
	variable string
}

// parseFilter compiles a filter for rows of an entity, of which somebody sees what they may see.
func (s *Server) parseFilter(by actor, e *entity, source string) (*expr, error) {
	rest, err := lex(source)
	if err != nil {
		return nil, err
	}
	p := &parser{s: s, by: by, e: e, rest: rest}
	x, err := p.or()
	switch {
	case err != nil:
		return nil, err
	case len(p.rest) > 0:
		return nil, badRequest("Syntax error at '%s'.", p.rest[0].text)
	case x.of != "Edm.Boolean":
		return nil, badRequest("The $filter expression must evaluate to a single boolean value.")
	case s.o.MaxNodes > 0 && x.nodes > s.o.MaxNodes:
		return nil, badRequest("The node count limit of '%d' has been exceeded. To increase the limit, set the 'MaxNodeCount' property "+
			"on EnableQueryAttribute or ODataValidationSettings.", s.o.MaxNodes)
	}
	return x, nil
}

func (p *parser) peek() string {
	if len(p.rest) == 0 {
		return ""
	}
	if p.rest[0].kind == "string" {
		return "'"
	}
	return p.rest[0].text
}

func (p *parser) accept(word string) bool {
	if p.peek() != word {
		return false
	}
	p.rest = p.rest[1:]
	return true
}

func (p *parser) or() (*expr, error) {
	left, err := p.and()
	for err == nil && p.accept("or") {
		var right *expr
		if right, err = p.and(); err == nil {
			left, err = logical(left, right, true)
		}
	}
	return left, err
}

func (p *parser) and() (*expr, error) {
	left, err := p.unary()
	for err == nil && p.accept("and") {
		var right *expr
		if right, err = p.unary(); err == nil {
			left, err = logical(left, right, false)
		}
	}
	return left, err
}

// logical is a or b where decisive is true, else a and b: a decisive value of one decides, whatever the other.
func logical(a, b *expr, decisive bool) (*expr, error) {
	if a.of != "Edm.Boolean" || b.of != "Edm.Boolean" {
		return nil, badRequest("A binary operator with incompatible types was detected. Found operand types '%s' and '%s'.", a.of, b.of)
	}
	x := &expr{of: "Edm.Boolean", nodes: a.nodes + b.nodes + 1, value: func(r row) any {
		left := a.value(r)
		if left == decisive {
			return decisive
		}
		right := b.value(r)
		if right == decisive || left == nil {
			if right == decisive {
				return decisive
			}
			return nil
		}
		return right
	}}
	switch {
	case decisive && a.column != "" && a.column == b.column:
		x.column, x.ids = a.column, slices.Concat(a.ids, b.ids)
	case !decisive && a.column != "":
		x.column, x.ids = a.column, a.ids
		x.also = slices.Concat(a.also, []*expr{b}, b.also)
	case !decisive:
		x.column, x.ids, x.also = b.column, b.ids, b.also
	}
	return x, nil
}

const maxDeep = 100

func (p *parser) unary() (*expr, error) {
	if p.deep++; p.deep > maxDeep {
		return nil, badRequest("The filter is nested too deeply.")
	}
	defer func() { p.deep-- }()
	if !p.accept("not") {
		return p.comparison()
	}
	x, err := p.unary()
	if err != nil {
		return nil, err
	}
	if x.of != "Edm.Boolean" {
		return nil, badRequest("A unary operator with an incompatible type was detected. Found operand type '%s' for operator kind 'Not'.", x.of)
	}
	return &expr{of: x.of, nodes: x.nodes + 1, value: func(r row) any {
		if b, ok := x.value(r).(bool); ok {
			return !b
		}
		return nil
	}}, nil
}

var comparisons = map[string]struct {
	name  string
	holds func(order int) bool
}{
	"eq": {"Equal", func(o int) bool { return o == 0 }}, "ne": {"NotEqual", func(o int) bool { return o != 0 }},
	"gt": {"GreaterThan", func(o int) bool { return o > 0 }}, "ge": {"GreaterThanOrEqual", func(o int) bool { return o >= 0 }},
	"lt": {"LessThan", func(o int) bool { return o < 0 }}, "le": {"LessThanOrEqual", func(o int) bool { return o <= 0 }},
}

func (p *parser) comparison() (*expr, error) {
	left, err := p.operand()
	if err != nil {
		return nil, err
	}
	if p.accept("in") {
		return p.in(left)
	}
	operator := p.peek()
	if _, known := comparisons[operator]; !known {
		return left, nil
	}
	p.rest = p.rest[1:]
	right, err := p.operand()
	if err != nil {
		return nil, err
	}
	if p.s.o.NoIDOrder && left.of == "Edm.Guid" && right.of == "Edm.Guid" && operator != "eq" && operator != "ne" {
		// System.Guid has no such operator before .NET 7.
		return nil, &refusal{
			http.StatusBadRequest, "The query specified in the URI is not valid.",
			"The binary operator " + comparisons[operator].name + " is not defined for the types 'System.Nullable`1[System.Guid]' and 'System.Nullable`1[System.Guid]'.",
			"System.InvalidOperationException",
		}
	}
	return compare(left, right, operator)
}

// nullable are the types whose columns may be null in the model of a site.
var nullable = map[string]bool{"Edm.Guid": true, "Edm.DateTimeOffset": true, "Edm.Int32": true, "Edm.Boolean": true}

func compare(a, b *expr, operator string) (*expr, error) {
	c := comparisons[operator]
	if a.of != b.of && a.of != "null" && b.of != "null" {
		return nil, badRequest("A binary operator with incompatible types was detected. Found operand types '%s' and '%s' for operator kind '%s'.",
			a.of, b.of, c.name)
	}
	x := &expr{of: "Edm.Boolean", nodes: a.nodes + b.nodes + 1}
	if nullable[a.of] && a.of == b.of {
		// The constant is converted to the type of a column that may be null, which is a node (Microsoft.OData.UriParser).
		x.nodes++
	}
	if a.of == "null" || b.of == "null" {
		other := a
		if a.of == "null" {
			other = b
		}
		x.value = func(r row) any {
			return c.holds(cmp.Compare(emptiness(other.value(r)), 0)) && (operator == "eq" || operator == "ne")
		}
		return x, nil
	}
	x.value = func(r row) any {
		left, right := a.value(r), b.value(r)
		if left == nil || right == nil {
			return nil
		}
		return c.holds(order(left, right))
	}
	if operator == "eq" && a.column != "" && b.value != nil && b.nodes == 1 {
		if id, ok := b.value(nil).(string); ok {
			x.column, x.ids = a.column, []string{id}
		}
	}
	return x, nil
}

// emptiness is 0 for what eq null finds: an empty text is one to the site's filters.
func emptiness(v any) int {
	if v == nil || v == "" {
		return 0
	}
	return 1
}

// order compares values of one type.
func order(a, b any) int {
	switch a := a.(type) {
	case string:
		return cmp.Compare(a, b.(string))
	case int64:
		return cmp.Compare(a, b.(int64))
	case time.Time:
		return a.Compare(b.(time.Time))
	case bool:
		toInt := func(b bool) int {
			if b {
				return 1
			}
			return 0
		}
		return cmp.Compare(toInt(a), toInt(b.(bool)))
	}
	return 0
}

// in is a chain of eq and or with the left side named once.
func (p *parser) in(left *expr) (*expr, error) {
	if !p.accept("(") {
		return nil, badRequest("Syntax error: 'in' needs a list.")
	}
	var out *expr
	for {
		right, err := p.operand()
		if err != nil {
			return nil, err
		}
		one, err := compare(left, right, "eq")
		if err != nil {
			return nil, err
		}
		if out == nil {
			out = one
		} else {
			nodes := out.nodes + 1
			if out, err = logical(out, one, true); err != nil {
				return nil, err
			}
			out.nodes = nodes
		}
		if p.accept(")") {
			return out, nil
		}
		if !p.accept(",") {
			return nil, badRequest("Syntax error in the list of 'in'.")
		}
	}
}

// textFunctions are the functions of two texts.
var textFunctions = map[string]func(s, part string) bool{
	"contains": strings.Contains, "startswith": strings.HasPrefix, "endswith": strings.HasSuffix,
}

func (p *parser) operand() (*expr, error) {
	if len(p.rest) == 0 {
		return nil, badRequest("Syntax error: the expression ends too early.")
	}
	next := p.rest[0]
	p.rest = p.rest[1:]
	switch next.kind {
	case "sign":
		if next.text != "(" {
			return nil, badRequest("Syntax error at '%s'.", next.text)
		}
		x, err := p.or()
		if err == nil && !p.accept(")") {
			err = badRequest("Syntax error: ')' expected.")
		}
		return x, err
	case "name":
		return p.named(next.text)
	}
	return literal(next)
}

func literal(l lexeme) (*expr, error) {
	constant := func(of string, v any) (*expr, error) {
		return &expr{of: of, nodes: 1, value: func(row) any { return v }}, nil
	}
	switch l.kind {
	case "string":
		return constant("Edm.String", strings.ReplaceAll(l.text[1:len(l.text)-1], "''", "'"))
	case "guid":
		return constant("Edm.Guid", lower(l.text))
	case "date":
		return constant("Edm.Date", l.text)
	case "instant":
		at, err := time.Parse(time.RFC3339Nano, strings.ToUpper(l.text))
		if err != nil {
			return nil, badRequest("Unrecognized 'Edm.DateTimeOffset' literal '%s'.", l.text)
		}
		return constant("Edm.DateTimeOffset", at.UTC())
	}
	n, err := strconv.ParseInt(l.text, 10, 64)
	if err != nil {
		return nil, badRequest("Unrecognized literal '%s'.", l.text)
	}
	return constant("Edm.Int32", n)
}

func (p *parser) named(name string) (*expr, error) {
	switch name {
	case "null":
		return &expr{of: "null", nodes: 1, value: func(row) any { return nil }}, nil
	case "true", "false":
		return &expr{of: "Edm.Boolean", nodes: 1, value: func(row) any { return name == "true" }}, nil
	}
	if collection, lambda := strings.CutSuffix(name, "/any"); lambda && p.peek() == "(" {
		return p.any(collection)
	}
	if p.peek() == "(" {
		return p.call(name)
	}
	if p.variable != "" {
		inner, ok := strings.CutPrefix(name, p.variable+"/")
		if !ok {
			return nil, unknownProperty(p.e, name)
		}
		name = inner
	}
	return p.s.path(p.e, name)
}

// any is true of a row if what it says within holds of one row of a collection that the row has.
func (p *parser) any(path string) (*expr, error) {
	if p.s.o.NoLambda {
		return nil, badRequest("The function 'any' is not supported.")
	}
	names := strings.Split(path, "/")
	last := names[len(names)-1]
	at, through, err := p.s.through(p.e, names[:len(names)-1])
	if err != nil {
		return nil, err
	}
	e, back := p.s.collection(at, last)
	if back == nil || p.variable != "" {
		return nil, unknownProperty(at, last)
	}
	if !p.s.may(p.by, e, Read) {
		return nil, forbidden("read", e)
	}
	p.accept("(")
	variable := p.peek()
	p.rest = p.rest[min(1, len(p.rest)):]
	if !p.accept(":") {
		return nil, badRequest("Syntax error in the arguments of 'any'.")
	}
	outer := p.e
	p.e, p.variable = e, variable
	inner, err := p.or()
	p.e, p.variable = outer, ""
	switch {
	case err != nil:
		return nil, err
	case !p.accept(")"):
		return nil, badRequest("Syntax error in the arguments of 'any'.")
	}
	return &expr{of: "Edm.Boolean", nodes: inner.nodes + len(names) + 2, value: func(r row) any {
		if r = p.s.follow(r, through); r == nil {
			return false
		}
		set := p.s.state.table(e.name)
		for id := range set.index[back.name][r.text("Id")] {
			if one := set.Rows[id]; p.s.sees(p.by, e, one) && inner.value(one) == true {
				return true
			}
		}
		return false
	}}, nil
}

// collection is what a navigation property names that leads from a row to those that point to it; nil for none.
func (s *Server) collection(at *entity, name string) (*entity, *column) {
	other, by, found := strings.Cut(name, "CollectionBy")
	if e := s.schema[other]; found && e != nil {
		if back := e.follow(by); back != nil && back.to == at.name {
			return e, back
		}
	}
	return nil, nil
}

// through are the lookups that navigation properties name, and the entity at their end.
func (s *Server) through(at *entity, names []string) (*entity, []*column, error) {
	var out []*column
	for _, name := range names {
		c := at.follow(name)
		if c == nil {
			return nil, nil, unknownProperty(at, name)
		}
		out, at = append(out, c), s.schema[c.to]
	}
	return at, out, nil
}

// follow is the row to which lookups lead from a row; nil for none.
func (s *Server) follow(r row, through []*column) row {
	for _, link := range through {
		id := r.text(link.name)
		if id == "" {
			return nil
		}
		r = s.state.table(link.to).Rows[id]
	}
	return r
}

func (p *parser) call(name string) (*expr, error) {
	holds := textFunctions[name]
	if holds == nil && name != "tolower" && name != "toupper" {
		return nil, badRequest("An unknown function with name '%s' was found. This may also be a function import or a key lookup on a "+
			"navigation property, which is not allowed.", name)
	}
	p.accept("(")
	var arguments []*expr
	nodes := 1
	for {
		x, err := p.or()
		if err != nil {
			return nil, err
		}
		arguments, nodes = append(arguments, x), nodes+x.nodes
		if p.accept(")") {
			break
		}
		if !p.accept(",") {
			return nil, badRequest("Syntax error in the arguments of '%s'.", name)
		}
	}
	want := 1
	if holds != nil {
		want = 2
	}
	if len(arguments) != want || slices.ContainsFunc(arguments, func(x *expr) bool { return x.of != "Edm.String" }) {
		return nil, badRequest("No function signature for the function with name '%s' matches the specified arguments.", name)
	}
	if want == 1 {
		fold := map[string]func(string) string{"tolower": strings.ToLower, "toupper": strings.ToUpper}[name]
		return &expr{of: "Edm.String", nodes: nodes, value: func(r row) any {
			if v, ok := arguments[0].value(r).(string); ok {
				return fold(v)
			}
			return nil
		}}, nil
	}
	return &expr{of: "Edm.Boolean", nodes: nodes, value: func(r row) any {
		s, ok := arguments[0].value(r).(string)
		part, also := arguments[1].value(r).(string)
		if !ok || !also {
			return nil
		}
		return holds(s, part)
	}}, nil
}

// path compiles a property path. A lookup is named by the path to what it points to, not by its own column.
func (s *Server) path(e *entity, path string) (*expr, error) {
	names := strings.Split(path, "/")
	// The variable of the range and the property count, and every navigation between them.
	x := &expr{nodes: len(names) + 1}
	at, through, err := s.through(e, names[:len(names)-1])
	if err != nil {
		return nil, err
	}
	last := names[len(names)-1]
	c := at.find(last)
	switch {
	case c == nil && at.follow(last) == nil:
		return nil, unknownProperty(at, last)
	case c == nil, c.kind == binary:
		return nil, badRequest("The property '%s' cannot be used here.", last)
	case c.kind == lookup:
		message := "Column by path " + path + " not found in schema " + e.name + "."
		return nil, &refusal{http.StatusInternalServerError, "An error has occurred.", message, "Terrasoft.Common.ItemNotFoundException"}
	}
	x.of = edm[c.kind]
	switch {
	case len(through) == 0 && last == "Id":
		x.column = "Id"
	case len(through) == 1 && last == "Id":
		x.column = through[0].name
	}
	x.value = func(r row) any {
		if r = s.follow(r, through); r == nil {
			return nil
		}
		switch v := r[last].(type) {
		case time.Time:
			if v.IsZero() {
				return nil
			}
		case string:
			if v == "" && c.kind != text {
				return nil
			}
		}
		return r[last]
	}
	return x, nil
}

func unknownProperty(e *entity, name string) error {
	return badRequest("Could not find a property named '%s' on type '%s%s'.", name, namespace, e.name)
}
