package google

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"reflect"
	"strings"
	"unicode"
)

// decode reads a body as Google does: a name that is not known, a value that is not of its type, and text after the end
// are refused.
func (c *call) decode(into any) *failure {
	d := json.NewDecoder(bytes.NewReader(c.body))
	d.UseNumber()
	var raw any
	if err := d.Decode(&raw); err != nil {
		return invalid("Invalid JSON payload received. %s", "Unexpected end of string.")
	}
	if _, err := d.Token(); err != io.EOF {
		return invalid("Invalid JSON payload received. Unexpected token.")
	}
	if f := known(raw, reflect.TypeOf(into).Elem(), ""); f != nil {
		return f
	}
	if err := json.Unmarshal(c.body, into); err != nil {
		return invalid("Invalid JSON payload received. %v", err)
	}
	return nil
}

// known compares a JSON value with the type that is to take it.
func known(raw any, t reflect.Type, path string) *failure {
	for t.Kind() == reflect.Pointer {
		t = t.Elem()
	}
	wrong := func(kind string) *failure { return invalid("Invalid value at '%s' (%s), %v", snake(path), kind, raw) }
	switch v := raw.(type) {
	case nil:
		return nil
	case map[string]any:
		if t.Kind() == reflect.Map {
			for name, value := range v {
				if f := known(value, t.Elem(), fmt.Sprintf("%s[%q]", path, name)); f != nil {
					return f
				}
			}
			return nil
		}
		if t.Kind() != reflect.Struct {
			return wrong("TYPE_STRING")
		}
		return knownFields(v, t, path)
	case []any:
		if t.Kind() != reflect.Slice {
			return invalid("Invalid JSON payload received. Unknown name %q at '%s': Proto field is not repeating, cannot start list.",
				path[strings.LastIndex(path, ".")+1:], snake(path))
		}
		for i, value := range v {
			if f := known(value, t.Elem(), fmt.Sprintf("%s[%d]", path, i)); f != nil {
				return f
			}
		}
	case string:
		if t.Kind() != reflect.String {
			return wrong("TYPE_" + strings.ToUpper(t.Kind().String()))
		}
	case bool:
		if t.Kind() != reflect.Bool {
			return wrong("TYPE_" + strings.ToUpper(t.Kind().String()))
		}
	case json.Number:
		if t.Kind() != reflect.Int64 && t.Kind() != reflect.Float64 {
			return wrong("TYPE_" + strings.ToUpper(t.Kind().String()))
		}
	}
	return nil
}

func knownFields(v map[string]any, t reflect.Type, path string) *failure {
	types := map[string]reflect.Type{}
	for i := range t.NumField() {
		name, _, _ := strings.Cut(t.Field(i).Tag.Get("json"), ",")
		if name != "-" && name != "" {
			types[name] = t.Field(i).Type
		}
	}
	for name, value := range v {
		inner, found := types[name]
		if !found {
			if path == "" {
				return invalid("Invalid JSON payload received. Unknown name %q: Cannot find field.", name)
			}
			return invalid("Invalid JSON payload received. Unknown name %q at '%s': Cannot find field.", name, snake(path))
		}
		if f := known(value, inner, strings.TrimPrefix(path+"."+name, ".")); f != nil {
			return f
		}
	}
	return nil
}

// snake writes a path as Google's messages do.
func snake(path string) string {
	var b strings.Builder
	for _, r := range path {
		if unicode.IsUpper(r) {
			b.WriteByte('_')
			r = unicode.ToLower(r)
		}
		b.WriteRune(r)
	}
	return b.String()
}
