package odata

import (
	"encoding/json"
	"errors"
	"fmt"
	"strconv"
	"time"
)

// Values are properties to write: text, bool, int, int64, float64, time.Time, Null, and lists and maps of these. An int
// is an Edm.Int32. An int64 and a float64 are sent as text, which IEEE754Compatible requires for Edm.Int64 and
// Edm.Decimal. A lookup X is written as "XId".
type Values = map[string]any

// NullValue is the type of Null.
type NullValue struct{}

// Null clears a property. A plain nil is rejected, because it is usually a mistake.
var Null NullValue

// MarshalJSON writes null.
func (NullValue) MarshalJSON() ([]byte, error) { return []byte("null"), nil }

// errZeroGUID rejects a value that Creatio ignores silently.
var errZeroGUID = errors.New("the zero GUID does not clear a lookup; Null does")

func encode(v Values) ([]byte, error) {
	if v == nil {
		return nil, errors.New("nothing to write")
	}
	plain, err := normalize(v)
	if err != nil {
		return nil, err
	}
	return json.Marshal(plain)
}

func normalize(v any) (any, error) {
	switch v := v.(type) {
	case string:
		if v == zeroGUID {
			return nil, errZeroGUID
		}
		return v, nil
	case bool, int, int32, NullValue:
		return v, nil
	case int64:
		return strconv.FormatInt(v, 10), nil
	case float64:
		return strconv.FormatFloat(v, 'f', -1, 64), nil
	case time.Time:
		if y := v.UTC().Year(); y < 1 || y > 9999 || v.IsZero() {
			return nil, errors.New("the zero time does not clear a date; Null does")
		}
		return formatTime(v), nil
	case map[string]any:
		out := make(map[string]any, len(v))
		for name, value := range v {
			plain, err := normalize(value)
			if err != nil {
				return nil, fmt.Errorf("%s: %w", name, err)
			}
			out[name] = plain
		}
		return out, nil
	case []any:
		out := make([]any, len(v))
		for i, value := range v {
			plain, err := normalize(value)
			if err != nil {
				return nil, err
			}
			out[i] = plain
		}
		return out, nil
	}
	return nil, fmt.Errorf("a %T cannot be written", v)
}
