package people

import (
	"encoding/json"
	"hash/fnv"
	"io"
	"math"
	"time"
)

// cursor is where the next window starts: the sync token, and the parameters of the list that gave it. Google refuses
// a token with others (https://developers.google.com/people/api/rest/v1/people.connections/list).
type cursor struct {
	Token    string `json:"token"`
	Group    string `json:"group"`
	Fields   string `json:"fields"`
	Source   string `json:"source"`
	PageSize int    `json:"pageSize"`
	// Count is the number of the group's members: who leaves may take minutes to show among the changes.
	Count int64 `json:"count"`
	// Renew is when everything is to be read anew, well before the token's time is over.
	Renew time.Time `json:"renew,omitzero"`
}

func (s *Side) cursor(token, group string, count int64, renew time.Time) cursor {
	return cursor{
		Token: token, Group: group, Fields: personFields, Source: contactSource, PageSize: s.options.PageSize, Count: count,
		Renew: renew.UTC().Truncate(time.Second),
	}
}

// fits reports whether a cursor is one of these parameters.
func (s *Side) fits(from cursor, group string) bool {
	return from.Token != "" && from.Group != "" && from == s.cursor(from.Token, group, from.Count, from.Renew)
}

const (
	// A sync token is good for seven days after the reading of everything that began it, and what it is traded for no longer
	// (https://developers.google.com/people/api/rest/v1/people.connections/list). So everything is read anew five to six and
	// a half days later; not at once for all who began together, since the first page of such a reading has a quota of its own.
	renewAfter  = 5 * 24 * time.Hour
	renewSpread = 36 * time.Hour
	// renewPause is how long a reading that the quota did not let in is put off, while the token is good.
	renewPause = 2 * time.Hour
)

// renewal is when a token that begins now is to be renewed.
func (s *Side) renewal(token string) time.Time {
	return s.api.Now().Add(renewAfter + spread(token, renewSpread))
}

// spread is a duration up to a bound, a different one for every text.
func spread(text string, bound time.Duration) time.Duration {
	h := fnv.New32a()
	_, _ = io.WriteString(h, text)
	return time.Duration(float64(bound) * float64(h.Sum32()) / math.MaxUint32)
}

func (c cursor) encode() json.RawMessage {
	// Strings and a number always encode.
	raw, _ := json.Marshal(c)
	return raw
}
