package calendar

import (
	"cmp"
	"maps"
	"slices"
	"strings"
	"time"

	gcal "google.golang.org/api/calendar/v3"

	"github.com/tandem-sync/tandem/shared/activity"
)

// ended is a series that ended earlier than before, or altogether.
type ended struct {
	Series    string   `json:"series"`
	Organizer string   `json:"organizer,omitempty"`
	Title     string   `json:"title,omitempty"`
	Guests    []string `json:"guests,omitempty"`
	// Last is the last original start that is left; empty where none is.
	Last string `json:"last,omitempty"`
	// Tail are those that are gone.
	Tail []string  `json:"tail"`
	At   time.Time `json:"at"`
}

// former finds, for instances of series that changed, the ids that they had before, by their new ones: the engine follows those as
// it follows any other that was changed.
//
// Instances get other ids where a whole series moves to another time, where a single event begins to recur or does so no more,
// and where somebody changes "this and following" instances: the service ends the series there then, and makes a new one of the
// rest. It may tell of that one in a later run.
func (s *Side) former(was, now *kept, changed []string) map[string]string {
	out := map[string]string{}
	var fresh []string
	for _, id := range changed {
		before, after := was.master(id), now.master(id)
		switch {
		case before == nil && after != nil:
			fresh = append(fresh, id)
			if keys := s.startsOf(now, id); len(keys) > 0 {
				// It may have been a single event.
				out[baseID(id)+"_"+keys[0]] = id
			}
		case before != nil:
			s.moved(was, now, before, out)
		}
	}
	now.Ended = slices.DeleteFunc(now.Ended, func(e ended) bool { return e.At.Add(keptTime).Before(s.api.Now()) })
	claimed := map[string]int{}
	found := make([][]string, len(now.Ended))
	for i, e := range now.Ended {
		found[i] = s.continuing(now, e, fresh)
		for _, id := range found[i] {
			claimed[id]++
		}
	}
	var open []ended
	for i, e := range now.Ended {
		if len(found[i]) == 0 {
			open = append(open, e)
			continue
		}
		// Where two would do, none does: their instances are new then, and those of the old one are gone. Of several that follow
		// each other each goes on with a part.
		unsure := slices.DeleteFunc(slices.Clone(found[i]), func(id string) bool { return splitFrom(id, e.Series) })
		if len(unsure) > 0 && (!s.inTurn(now, found[i]) || slices.ContainsFunc(unsure, func(id string) bool { return claimed[id] > 1 })) {
			continue
		}
		done := 0
		for _, id := range found[i] {
			keys := s.startsOf(now, id)
			takeOver(out, baseID(e.Series), e.Tail, min(done, len(e.Tail)), baseID(id), keys)
			done += len(keys)
		}
	}
	now.Ended = open
	return out
}

// inTurn reports whether each of some series begins when the one before it is over.
func (s *Side) inTurn(now *kept, series []string) bool {
	last := ""
	for _, id := range series {
		keys := s.startsOf(now, id)
		if len(keys) == 0 {
			continue
		}
		if last != "" && !readKey(keys[0], s.o.Zone).After(readKey(last, s.o.Zone)) {
			return false
		}
		last = keys[len(keys)-1]
	}
	return true
}

// moved looks at what became of the instances of a series. Those that it lost at its end are remembered.
func (s *Side) moved(was, now *kept, before *gcal.Event, into map[string]string) {
	id := before.Id
	if same(before, now.master(id)) {
		return
	}
	old, fresh := s.startsOf(was, id), s.startsOf(now, id)
	if len(old) == 0 {
		return
	}
	if now.single[id] {
		into[id] = baseID(id) + "_" + old[0]
		return
	}
	if after := now.master(id); after != nil && slices.Equal(before.Recurrence, after.Recurrence) {
		// The whole series moved, or its clock is another one: in summer, say, and not in winter.
		moveEach(into, baseID(id), old, fresh)
		return
	}
	left := 0
	for i, key := range old {
		if slices.Contains(fresh, key) {
			left = i + 1
		}
	}
	switch {
	case left == 0 && len(fresh) > 0:
		takeOver(into, baseID(id), old, 0, baseID(id), fresh)
	case left < len(old):
		e := ended{Series: id, Organizer: organizerOf(before), Title: before.Summary, Guests: guests(before), Tail: old[left:], At: s.api.Now().UTC()}
		if left > 0 {
			e.Last = old[left-1]
		}
		now.Ended = append(now.Ended, e)
	}
}

// same reports whether a series still has the instances that it had.
func same(before, after *gcal.Event) bool {
	return after != nil && slices.Equal(before.Recurrence, after.Recurrence) && startKey(before.Start) == startKey(after.Start) &&
		startKey(before.End) == startKey(after.End) && before.Start.TimeZone == after.Start.TimeZone
}

// moveEach notes that each instance of a series goes on at its place, unless it stays or another one comes to be where it was.
func moveEach(into map[string]string, base string, old, fresh []string) {
	for i := range min(len(old), len(fresh)) {
		if !slices.Contains(fresh, old[i]) && !slices.Contains(old, fresh[i]) {
			into[base+"_"+fresh[i]] = base + "_" + old[i]
		}
	}
}

// takeOver notes which instances go on in which: those of the same original start, or, where there is none of those, of the same
// position from some place on.
func takeOver(into map[string]string, base string, old []string, place int, newBase string, fresh []string) {
	same := slices.ContainsFunc(fresh, func(key string) bool { return slices.Contains(old, key) })
	for i, key := range fresh {
		from := key
		if !same {
			if place+i >= len(old) {
				return
			}
			from = old[place+i]
		} else if !slices.Contains(old, key) {
			continue
		}
		if was, is := base+"_"+from, newBase+"_"+key; was != is {
			into[is] = was
		}
	}
}

// continuing are the new series that may be what became of the rest of one that ended: of the same organizer, with the same title
// or guests, and starting after what is left of it, in the order in which they start. One whose id says so is the one; if that has
// fewer instances than are gone, others may follow it.
func (s *Side) continuing(now *kept, e ended, fresh []string) []string {
	var out, split []string
	for _, id := range fresh {
		next := now.master(id)
		start := s.startOf(next)
		switch {
		case id == e.Series, e.Last != "" && !start.After(readKey(e.Last, s.o.Zone)):
		case splitFrom(id, e.Series):
			split = append(split, id)
		case e.Last == "" && start.Sub(readKey(e.Tail[0], s.o.Zone)).Abs() > near:
			// Nothing is left of the old one that says where this one would begin.
		case organizerOf(next) != e.Organizer:
		case next.Summary != "" && next.Summary == e.Title, len(next.Attendees) > 0 && slices.Equal(guests(next), e.Guests):
			out = append(out, id)
		}
	}
	byStart := func(a, b string) int {
		return cmp.Or(s.startOf(now.master(a)).Compare(s.startOf(now.master(b))), cmp.Compare(a, b))
	}
	slices.SortFunc(split, byStart)
	slices.SortFunc(out, byStart)
	if len(split) == 0 {
		return out
	}
	count := 0
	for _, id := range split {
		count += len(s.startsOf(now, id))
	}
	if all := slices.Concat(split, out); count < len(e.Tail) && s.inTurn(now, all) {
		return all
	}
	return split
}

// near is how far a series may be from the start of one that it takes the place of as a whole.
const near = 7 * 24 * time.Hour

// splitFrom reports whether the id of a series says that it was split from another one.
func splitFrom(id, series string) bool {
	return id != series && strings.HasPrefix(id, baseID(series)+"_R") && baseID(id) == baseID(series)
}

func organizerOf(e *gcal.Event) string {
	if e.Organizer == nil {
		return ""
	}
	return activity.AddressKey(e.Organizer.Email)
}

func guests(e *gcal.Event) []string {
	distinct := map[string]bool{}
	for _, a := range e.Attendees {
		distinct[activity.AddressKey(a.Email)] = true
	}
	return slices.Sorted(maps.Keys(distinct))
}
