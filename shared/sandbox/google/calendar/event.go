package calendar

import (
	"encoding/json"
	"fmt"
	"hash/fnv"
	"maps"
	"reflect"
	"slices"
	"strings"
	"time"
)

// content is an event as JSON, with what is stored of it. What a version holds is never changed in place.
type content = map[string]any

// calendar is a user's primary calendar.
type calendar struct {
	Email, Name, TimeZone string
	// Aliases are other addresses of the user.
	Aliases []string `json:",omitempty"`
	// Reminders are the default ones.
	Reminders []any
	// Seq is the number of the last change; Made counts what got an id or an etag.
	Seq, Made int64
	Changed   time.Time
	Events    map[string]*event // by id
	// Taken are the ids of events that are gone for good.
	Taken []string `json:",omitempty"`
	// Epoch ends sync tokens of earlier ones.
	Epoch int
	// Reluctant says that invitations without a mail give the user no copy.
	Reluctant bool       `json:",omitempty"`
	Channels  []*channel `json:",omitempty"`

	// violate hears of what no client may do.
	violate func(format string, args ...any)
	calls   []time.Time
	// exceptions are the stored instances by the id of their series, and families the ids of series that were one once.
	exceptions map[string]map[string]*event
	families   map[string][]string
}

// event is one event, series, or instance that differs from its series, with as much of its past as may still be shown.
type event struct {
	ID string
	// Born is the number of the change that made it.
	Born     int64
	Created  time.Time
	Versions []version
	// Left says that the guest removed this copy, so that it does not come back with the organizer's next change.
	Left bool `json:",omitempty"`
}

// version is an event after a change.
type version struct {
	Seq, Tag    int64
	At, Updated time.Time
	Sequence    int
	Content     content
	// Edited are the fields in which an instance has left its series.
	Edited []string `json:",omitempty"`
}

func (e *event) now() version { return e.Versions[len(e.Versions)-1] }

// upTo is the event after the change of that number. Of a past that is not known any more the oldest is shown.
func (e *event) upTo(seq int64) (version, bool) {
	if e.Born > seq {
		return version{}, false
	}
	for _, v := range slices.Backward(e.Versions) {
		if v.Seq <= seq {
			return v, true
		}
	}
	return e.Versions[0], true
}

func (v version) etag() string { return fmt.Sprintf(`"%016d"`, 3_000_000_000_000_000+v.Tag) }

func (c *calendar) etag() string { return fmt.Sprintf(`"p%015d"`, c.Seq) }

// is reports whether an address is the user's.
func (c *calendar) is(email string) bool {
	key := emailKey(email)
	return key == c.Email || slices.Contains(c.Aliases, key)
}

// index finds instances by their series, and series by the one they were split from.
func (c *calendar) index() {
	c.exceptions, c.families = map[string]map[string]*event{}, map[string][]string{}
	for _, e := range c.Events {
		c.note(e, nil)
	}
}

// note takes an event into the indexes.
func (c *calendar) note(e *event, before content) {
	if former := text(before, "recurringEventId"); former != "" {
		delete(c.exceptions[former], e.ID)
	}
	now := e.now().Content
	if series := text(now, "recurringEventId"); series != "" {
		if c.exceptions[series] == nil {
			c.exceptions[series] = map[string]*event{}
		}
		c.exceptions[series][e.ID] = e
	}
	if base := baseOf(e.ID); now["recurrence"] != nil && !slices.Contains(c.families[base], e.ID) {
		c.families[base] = append(c.families[base], e.ID)
		slices.Sort(c.families[base])
	}
}

// shown is the number of the last change that was made before a time.
func (c *calendar) shown(before time.Time) int64 {
	last := c.Seq
	for _, e := range c.Events {
		for _, v := range e.Versions {
			if v.At.After(before) {
				last = min(last, v.Seq-1)
			}
		}
	}
	return last
}

// id makes one that looks like Google's.
func (c *calendar) id() string {
	for {
		c.Made++
		const digits = "0123456789abcdefghijklmnopqrstuv"
		var b strings.Builder
		for i := range 2 {
			for n := hash64(c.Email, fmt.Sprint(c.Made, i)); b.Len() < 13*(i+1); n /= 32 {
				b.WriteByte(digits[n%32])
			}
		}
		if id := b.String(); c.Events[id] == nil && !slices.Contains(c.Taken, id) {
			return id
		}
	}
}

func hash64(parts ...string) uint64 {
	h := fnv.New64a()
	for _, p := range parts {
		_, _ = h.Write([]byte(p + "\x00"))
	}
	return h.Sum64()
}

// changes of these fields make the meeting another one to its guests, and count in its sequence.
var sequenced = []string{"start", "end", "recurrence", "status"}

// add makes an event.
func (s *Service) add(c *calendar, id string, now content, edited []string) *event {
	e := &event{ID: id, Born: c.Seq + 1, Created: s.o.Now()}
	s.put(c, e, now, edited)
	return e
}

// put makes a new version of an event, where it differs from the last one, and forgets versions that nobody can see any
// more.
func (s *Service) put(c *calendar, e *event, next content, edited []string) {
	now := s.o.Now()
	v := version{Seq: c.Seq + 1, At: now, Updated: now, Content: next, Edited: edited}
	var before content
	if len(e.Versions) > 0 {
		last := e.now()
		before = last.Content
		diff := changed(before, next)
		if len(diff) == 0 {
			e.Versions[len(e.Versions)-1].Edited = edited
			return
		}
		v.Sequence = last.Sequence
		if slices.ContainsFunc(diff, func(name string) bool { return slices.Contains(sequenced, name) }) {
			v.Sequence++
		}
		if slices.Equal(diff, []string{"reminders"}) {
			v.Updated = last.Updated
			if s.o.QuietReminders {
				v.Seq, v.At = last.Seq, last.At
				e.Versions = e.Versions[:len(e.Versions)-1]
			}
		}
	}
	c.Made++
	v.Tag = c.Made
	c.Seq = max(c.Seq, v.Seq)
	c.Changed = now
	seen := now.Add(-max(s.o.Visibility, s.o.StaleReads))
	for len(e.Versions) > 1 && !e.Versions[1].At.After(seen) {
		e.Versions = e.Versions[1:]
	}
	e.Versions = append(slices.Clone(e.Versions), v)
	c.Events[e.ID] = e
	c.note(e, before)
	s.announce(c)
}

// changed are the names of the fields in which two contents differ, sorted.
func changed(a, b content) []string {
	var out []string
	for name := range a {
		if !reflect.DeepEqual(a[name], b[name]) {
			out = append(out, name)
		}
	}
	for name := range b {
		if _, both := a[name]; !both {
			out = append(out, name)
		}
	}
	slices.Sort(out)
	return out
}

// clone copies content to its depth.
func clone(c content) content { return deep(c).(content) }

func deep(v any) any {
	switch v := v.(type) {
	case content:
		out := make(content, len(v))
		for name, one := range v {
			out[name] = deep(one)
		}
		return out
	case []any:
		out := make([]any, len(v))
		for i, one := range v {
			out[i] = deep(one)
		}
		return out
	}
	return v
}

// merged is content with a patch in it (RFC 7396): null deletes, objects merge, everything else is replaced.
func merged(now, patch content) content {
	out := maps.Clone(now)
	if out == nil {
		out = content{}
	}
	for name, v := range patch {
		switch v := v.(type) {
		case nil:
			delete(out, name)
		case content:
			have, _ := out[name].(content)
			out[name] = merged(have, v)
		default:
			out[name] = deep(v)
		}
	}
	return out
}

func text(c content, name string) string {
	s, _ := c[name].(string)
	return s
}

func object(c content, name string) content {
	o, _ := c[name].(content)
	return o
}

func objects(c content, name string) []content {
	list, _ := c[name].([]any)
	var out []content
	for _, one := range list {
		if o, is := one.(content); is {
			out = append(out, o)
		}
	}
	return out
}

func cancelled(c content) bool { return c["status"] == "cancelled" }

// jsonOf is a value as JSON of the kinds that content is made of.
func jsonOf(v any) content {
	raw, err := json.Marshal(v)
	if err != nil {
		panic(fmt.Sprintf("encode event: %v", err))
	}
	var out content
	if err := json.Unmarshal(raw, &out); err != nil {
		panic(fmt.Sprintf("decode event: %v", err))
	}
	return out
}
