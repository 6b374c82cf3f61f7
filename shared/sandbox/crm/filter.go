package creatio

import (
	"net/http"
	"strconv"
	"strings"
	"time"
)

// condition decides about a row.
type condition func(row) bool

// parser reads a $filter.
type parser struct {
	t    *tables
	set  string
	rest []string
}

// parseFilter reads a filter as the site does: lookups by their navigation path, ids and times without quotes.
func (t *tables) parseFilter(set, text string) (condition, error) {
	if text == "" {
		return func(row) bool { return true }, nil
	}
	tokens, err := tokenize(text)
	if err != nil {
		return nil, err
	}
	p := &parser{t: t, set: set, rest: tokens}
	c, err := p.or()
	if err == nil && len(p.rest) > 0 {
		err = syntax(p.rest[0])
	}
	return c, err
}

func syntax(at string) error {
	return refuse(http.StatusBadRequest, "The query specified in the URI is not valid. Syntax error at '%s'.", at)
}

func tokenize(text string) ([]string, error) {
	var out []string
	for i := 0; i < len(text); {
		switch c := text[i]; {
		case c == ' ':
			i++
		case c == '(' || c == ')' || c == ',':
			out = append(out, string(c))
			i++
		case c == '\'':
			var b strings.Builder
			for i++; ; i++ {
				if i >= len(text) {
					return nil, syntax(text)
				}
				if text[i] == '\'' {
					if i+1 < len(text) && text[i+1] == '\'' {
						i++
					} else {
						break
					}
				}
				b.WriteByte(text[i])
			}
			i++
			out = append(out, "'"+b.String())
		default:
			end := i
			for end < len(text) && !strings.ContainsRune(" (),'", rune(text[end])) {
				end++
			}
			out = append(out, text[i:end])
			i = end
		}
	}
	return out, nil
}

func (p *parser) peek() string {
	if len(p.rest) == 0 {
		return ""
	}
	return p.rest[0]
}

func (p *parser) next() string {
	t := p.peek()
	if len(p.rest) > 0 {
		p.rest = p.rest[1:]
	}
	return t
}

func (p *parser) expect(want string) error {
	if got := p.next(); got != want {
		return syntax(got)
	}
	return nil
}

func (p *parser) or() (condition, error) {
	left, err := p.and()
	for err == nil && p.peek() == "or" {
		p.next()
		var right condition
		if right, err = p.and(); err == nil {
			l := left
			left = func(r row) bool { return l(r) || right(r) }
		}
	}
	return left, err
}

func (p *parser) and() (condition, error) {
	left, err := p.not()
	for err == nil && p.peek() == "and" {
		p.next()
		var right condition
		if right, err = p.not(); err == nil {
			l := left
			left = func(r row) bool { return l(r) && right(r) }
		}
	}
	return left, err
}

func (p *parser) not() (condition, error) {
	if p.peek() != "not" {
		return p.primary()
	}
	p.next()
	c, err := p.primary()
	return func(r row) bool { return !c(r) }, err
}

func (p *parser) primary() (condition, error) {
	switch word := p.peek(); word {
	case "(":
		p.next()
		c, err := p.or()
		if err != nil {
			return nil, err
		}
		return c, p.expect(")")
	case "true", "false":
		p.next()
		return func(row) bool { return word == "true" }, nil
	case "contains", "startswith", "endswith":
		return p.function(p.next())
	default:
		return p.comparison()
	}
}

func (p *parser) function(name string) (condition, error) {
	if err := p.expect("("); err != nil {
		return nil, err
	}
	read, c, err := p.path(p.next())
	if err != nil {
		return nil, err
	}
	if err := p.expect(","); err != nil {
		return nil, err
	}
	literal := p.next()
	if c.kind != text || !strings.HasPrefix(literal, "'") {
		return nil, refuse(http.StatusBadRequest, "The function '%s' takes texts.", name)
	}
	// The database compares without regard to case.
	want := strings.ToLower(literal[1:])
	has := map[string]func(s, part string) bool{"contains": strings.Contains, "startswith": strings.HasPrefix, "endswith": strings.HasSuffix}[name]
	return func(r row) bool {
		s, _ := read(r).(string)
		return has(strings.ToLower(s), want)
	}, p.expect(")")
}

// path is how to read a property, over a lookup or its own.
func (p *parser) path(name string) (func(row) any, column, error) {
	set := p.set
	segments := strings.Split(name, "/")
	steps := segments[:len(segments)-1]
	for _, step := range steps {
		c, ok := schemas[set][step+"Id"]
		if !ok || c.kind != lookup {
			return nil, column{}, refuse(http.StatusBadRequest, "Could not find a property named '%s' on type 'Terrasoft.Configuration.OData.%s'.", step, set)
		}
		set = c.target
	}
	last := segments[len(segments)-1]
	c, ok := schemas[set][last]
	switch {
	case !ok:
		return nil, column{}, refuse(http.StatusBadRequest, "Could not find a property named '%s' on type 'Terrasoft.Configuration.OData.%s'.", last, set)
	case c.kind == lookup:
		return nil, column{}, dbError("Item of collection with name \"%s\" not found. Column by path %s not found in schema %s.", last, last, set)
	}
	from := p.set
	return func(r row) any {
		at := from
		for _, step := range steps {
			id := r.text(step + "Id")
			at = schemas[at][step+"Id"].target
			if r = p.t.rows[at][id]; r == nil {
				return nil
			}
		}
		return r[last]
	}, c, nil
}

func (p *parser) comparison() (condition, error) {
	read, c, err := p.path(p.next())
	if err != nil {
		return nil, err
	}
	op, literal := p.next(), p.next()
	want, err := constant(c, literal)
	if err != nil {
		return nil, err
	}
	return func(r row) bool {
		order, comparable := compare(c, read(r), want)
		switch op {
		case "eq":
			return comparable && order == 0
		case "ne":
			return !comparable || order != 0
		case "gt":
			return comparable && order > 0
		case "ge":
			return comparable && order >= 0
		case "lt":
			return comparable && order < 0
		default:
			return comparable && order <= 0
		}
	}, known(op)
}

func known(op string) error {
	switch op {
	case "eq", "ne", "gt", "ge", "lt", "le":
		return nil
	}
	return syntax(op)
}

// constant reads a literal of a column's type.
func constant(c column, literal string) (any, error) {
	wrong := refuse(http.StatusBadRequest, "A binary operator with incompatible types was detected at '%s'.", literal)
	if literal == "null" {
		return nil, nil
	}
	quoted := strings.HasPrefix(literal, "'")
	switch c.kind {
	case text:
		if !quoted {
			return nil, wrong
		}
		return literal[1:], nil
	case guid, lookup:
		if quoted || len(literal) != len(noGUID) {
			return nil, wrong
		}
		return strings.ToLower(literal), nil
	case moment:
		at, err := time.Parse(time.RFC3339Nano, literal)
		if quoted || err != nil {
			return nil, wrong
		}
		return stamp(at), nil
	case flag:
		if literal != "true" && literal != "false" {
			return nil, wrong
		}
		return literal == "true", nil
	default:
		n, err := strconv.ParseFloat(literal, 64)
		if err != nil {
			return nil, wrong
		}
		return n, nil
	}
}

// compare orders two values of a column. Text is compared without regard to case; what is empty equals only null, and an
// empty text.
func compare(c column, a, b any) (order int, comparable bool) {
	if c.kind == text {
		x, _ := a.(string)
		y, isText := b.(string)
		if b == nil {
			y, isText = "", true
		}
		return strings.Compare(strings.ToLower(x), strings.ToLower(y)), isText
	}
	if c.kind == flag && a == nil {
		a = false
	}
	if a == nil || b == nil {
		return 0, a == nil && b == nil
	}
	switch x := a.(type) {
	case string:
		y, ok := b.(string)
		return strings.Compare(x, y), ok
	case bool:
		y, ok := b.(bool)
		if x == y {
			return 0, ok
		}
		return 1, ok
	case float64:
		y, ok := b.(float64)
		switch {
		case x < y:
			return -1, ok
		case x > y:
			return 1, ok
		}
		return 0, ok
	}
	return 0, false
}
