package discovery

import (
	"bytes"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"maps"
	"math"
	"slices"
	"strconv"
	"strings"
)

// body judges the body of a request.
func (j *judge) body(raw []byte) {
	if j.method.Body == "" && len(bytes.TrimSpace(raw)) == 0 {
		return
	}
	d := json.NewDecoder(bytes.NewReader(raw))
	d.UseNumber()
	var body any
	if err := d.Decode(&body); err != nil {
		message := "Unexpected token."
		if errors.Is(err, io.ErrUnexpectedEOF) || errors.Is(err, io.EOF) {
			message = "Unexpected end of string."
		}
		j.unread = append(j.unread, Refusal{"parseError", "", "Invalid JSON payload received. " + message})
		return
	}
	if _, err := d.Token(); err != io.EOF {
		j.unread = append(j.unread, Refusal{"parseError", "", "Invalid JSON payload received. Unexpected token."})
		return
	}
	object, is := body.(map[string]any)
	if !is {
		j.unreadable("", "Invalid JSON payload received. Unknown name \"\": Root element must be a message.")
		return
	}
	var fields map[string]*Value
	if j.method.Body != "" {
		fields = j.method.api.Schemas[j.method.Body].Fields
	}
	j.object(fields, object, "")
}

// object judges an object of known names.
func (j *judge) object(fields map[string]*Value, object map[string]any, at string) {
	for _, name := range slices.Sorted(maps.Keys(object)) {
		p := fields[name]
		where := strings.TrimPrefix(at+"."+Snake(name), ".")
		switch {
		case p == nil:
			j.misplaced(name, at, "Cannot find field.")
		case object[name] == nil:
			// The default, as if it were not there (https://protobuf.dev/programming-guides/json/).
		default:
			if p.ReadOnly {
				j.out.ReadOnly = append(j.out.ReadOnly, where)
			}
			j.value(p, object[name], where, name)
		}
	}
	for _, name := range slices.Sorted(maps.Keys(fields)) {
		if slices.Contains(fields[name].RequiredBy, j.method.ID) && object[name] == nil {
			j.refuse("required", strings.TrimPrefix(at+"."+Snake(name), "."), "Required field: %s", name)
		}
	}
}

// value judges a value of a body.
func (j *judge) value(p *Value, value any, at, name string) {
	if p.Ref != "" {
		p = j.method.api.Schemas[p.Ref]
	}
	switch v := value.(type) {
	case map[string]any:
		j.message(p, v, at)
	case []any:
		j.list(p, v, at, name)
	case string:
		j.scalar(p, v, at, name)
	case json.Number:
		j.number(p, at, v)
	case bool:
		if p.Type != "boolean" {
			j.mistyped(p, at, v)
		}
	}
}

// list judges an array.
func (j *judge) list(p *Value, list []any, at, name string) {
	if p.Type != "array" {
		if p.Type != "any" {
			j.misplaced(name, strings.TrimSuffix(strings.TrimSuffix(at, Snake(name)), "."), "Proto field is not repeating, cannot start list.")
		}
		return
	}
	for i, item := range list {
		if item != nil {
			j.value(p.Items, item, fmt.Sprintf("%s[%d]", at, i), name)
		}
	}
}

// message judges an object.
func (j *judge) message(p *Value, object map[string]any, at string) {
	switch {
	case p.Type != "object":
		if p.Type != "any" {
			j.unreadable(at, "Invalid value at '%s' (%s), Starting an object on a scalar field", at, typeName(p))
		}
	case p.Values != nil:
		// Messages count the entries of a map, and call what an entry holds its value.
		for i, key := range slices.Sorted(maps.Keys(object)) {
			if object[key] != nil {
				j.value(p.Values, object[key], fmt.Sprintf("%s[%d].value", at, i), key)
			}
		}
	default:
		j.object(p.Fields, object, at)
	}
}

// scalar judges a text of a body. Numbers may be written as text, but not the other way round.
func (j *judge) scalar(p *Value, v, at, name string) {
	switch p.Type {
	case "string":
		j.string(p, at, name, v)
	case "integer", "number":
		j.number(p, at, json.Number(v))
	case "any":
	default:
		j.mistyped(p, at, v)
	}
}

func (j *judge) number(p *Value, at string, v json.Number) {
	n, err := strconv.ParseFloat(v.String(), 64)
	whole := err == nil && n == math.Trunc(n)
	switch {
	case p.Type == "any", p.Type == "number" && err == nil, p.Type == "string" && p.Format == "int64" && whole:
	case p.Type == "integer" && whole && math.Abs(n) <= math.MaxInt32:
		j.bounds(p, at, int64(n))
	default:
		j.mistyped(p, at, v)
	}
}

func (j *judge) mistyped(p *Value, at string, value any) {
	if p.Type == "any" {
		return
	}
	text, is := value.(string)
	if is {
		text = strconv.Quote(text)
	} else {
		text = fmt.Sprint(value)
	}
	j.unreadable(at, "Invalid value at '%s' (%s), %s", at, typeName(p), text)
}

// typeName is what Google's messages call a type.
func typeName(p *Value) string {
	switch {
	case p.Type == "string" && formatNames[p.Format] != "":
		return formatNames[p.Format]
	case len(p.Enum) > 0:
		return "TYPE_ENUM"
	}
	switch p.Type {
	case "integer":
		return "TYPE_INT32"
	case "boolean":
		return "TYPE_BOOL"
	case "number":
		return "TYPE_DOUBLE"
	case "string":
		return "TYPE_STRING"
	default:
		return "TYPE_MESSAGE"
	}
}

// misplaced refuses a name that the message at a path does not have, or not in this form.
func (j *judge) misplaced(name, at, why string) {
	if at == "" {
		j.unreadable("", "Invalid JSON payload received. Unknown name %q: %s", name, why)
		return
	}
	j.unreadable(at, "Invalid JSON payload received. Unknown name %q at '%s': %s", name, at, why)
}

// anyBase64 is the error of bytes in JSON, which come in either alphabet and with or without padding
// (https://protobuf.dev/programming-guides/json/).
func anyBase64(text string) error {
	text = strings.NewReplacer("-", "+", "_", "/").Replace(strings.TrimRight(text, "="))
	_, err := base64.RawStdEncoding.DecodeString(text)
	return err
}
