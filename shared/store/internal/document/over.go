package document

import (
	"bytes"
	"encoding/json"
	"fmt"
	"reflect"
	"strings"
	"time"

	"github.com/tandem-sync/tandem/shared/fault"
)

// Over writes a document in place of the one it was read from, of which there may be none. What a later version keeps in
// it, and this one does not know, stays: an older program serves on for a while when a newer one is rolled out, and must
// not lose what users told that one.
func Over[D Document](kept []byte, d D) ([]byte, error) {
	next, err := Encode(d)
	if err != nil || kept == nil {
		return next, err
	}
	if next, err = carry(reflect.TypeFor[D](), kept, next); err != nil {
		return nil, fault.New(fault.Bug, Side, "encode", fmt.Errorf("encode %T over another: %w", d, err))
	}
	return next, nil
}

// carry puts into next, the JSON of a t, the fields of kept that t does not have. It looks into the structs of a struct;
// what is in lists, maps and pointers belongs to its entry, which may be another one now.
func carry(t reflect.Type, kept, next []byte) ([]byte, error) {
	var before, after map[string]json.RawMessage
	if err := json.Unmarshal(kept, &before); err != nil {
		return nil, err
	}
	if err := json.Unmarshal(next, &after); err != nil {
		return nil, err
	}
	known := fieldsOf(t)
	carried := false
	for name, value := range before {
		field, knows := known[name]
		switch {
		case !knows:
			after[name], carried = value, true
		case field.Kind() == reflect.Struct && field != reflect.TypeFor[time.Time]() && after[name] != nil:
			inner, err := carry(field, value, after[name])
			if err != nil {
				return nil, err
			}
			carried = carried || !bytes.Equal(inner, after[name])
			after[name] = inner
		}
	}
	if !carried {
		return next, nil
	}
	return encode(after)
}

// fieldsOf are the types of a struct's fields by their names in JSON.
func fieldsOf(t reflect.Type) map[string]reflect.Type {
	out := map[string]reflect.Type{}
	for f := range t.Fields() {
		name, _, _ := strings.Cut(f.Tag.Get("json"), ",")
		out[name] = f.Type
	}
	return out
}
