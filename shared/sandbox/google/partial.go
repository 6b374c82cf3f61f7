package google

import (
	"encoding/json"
	"strings"
)

// partial is what of an answer was asked for, as in items(id,start/date),nextPageToken
// (https://developers.google.com/workspace/calendar/api/guides/performance#partial). What is not named is not there.
func partial(answer any, fields string) any {
	if fields == "" {
		return answer
	}
	var whole any
	// What is answered was made to be encoded.
	_ = json.Unmarshal([]byte(encode(answer)), &whole)
	return readSelection(&fields).of(whole)
}

// selection are the fields that are wanted, each with those below it; one without any is wanted whole.
type selection map[string]selection

// readSelection reads a list of fields up to its end, or up to the bracket that closes it.
func readSelection(rest *string) selection {
	out := selection{}
	for *rest != "" {
		end := strings.IndexAny(*rest, ",()")
		if end < 0 {
			end = len(*rest)
		}
		at := out
		path := strings.Split(strings.TrimSpace((*rest)[:end]), "/")
		for _, name := range path[:len(path)-1] {
			if at[name] == nil {
				at[name] = selection{}
			}
			at = at[name]
		}
		last := path[len(path)-1]
		if last != "" && at[last] == nil {
			at[last] = selection{}
		}
		*rest = (*rest)[end:]
		if strings.HasPrefix(*rest, "(") {
			*rest = (*rest)[1:]
			at[last] = readSelection(rest)
		}
		if strings.HasPrefix(*rest, ")") {
			*rest = (*rest)[1:]
			return out
		}
		*rest = strings.TrimPrefix(*rest, ",")
	}
	return out
}

// of is the part of a value that is wanted.
func (s selection) of(v any) any {
	if len(s) == 0 || s["*"] != nil {
		return v
	}
	switch v := v.(type) {
	case []any:
		out := make([]any, len(v))
		for i, one := range v {
			out[i] = s.of(one)
		}
		return out
	case map[string]any:
		out := map[string]any{}
		for name, below := range s {
			if one, there := v[name]; there {
				out[name] = below.of(one)
			}
		}
		return out
	}
	return v
}
