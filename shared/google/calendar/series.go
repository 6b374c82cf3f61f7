package calendar

import (
	"regexp"
	"slices"
	"strings"
	"time"

	gcal "google.golang.org/api/calendar/v3"

	"github.com/tandem-sync/tandem/shared/activity"
	"github.com/tandem-sync/tandem/shared/recurrence"
	"github.com/tandem-sync/tandem/shared/zone"
)

// continued finds, for the instances of recurring events that changed, the ids that they had before somebody changed "this and
// following" instances: Google ends the series there and makes a new one of the rest. The engine follows those ids as it
// follows any other that was changed.
//
// A series is continued by the one with the same organizer, and the same title or guests, that starts after its new end. Where two
// would do, none does: their instances are new then, and those of the old one are gone.
func (s *Side) continued(masters []*gcal.Event, instances []*gcal.Event) map[string][]string {
	former := map[string][]string{}
	for _, ended := range masters {
		kept, tail := s.tail(ended)
		if len(kept) == 0 || len(tail) == 0 {
			continue
		}
		var next []*gcal.Event
		for _, m := range masters {
			if m.Id != ended.Id && continues(m, ended) && startOf(m, s.o.Zone).After(kept[len(kept)-1]) {
				next = append(next, m)
			}
		}
		if len(next) != 1 {
			continue
		}
		for i, start := range s.positions(next[0], tail) {
			for _, e := range instances {
				if e.RecurringEventId == next[0].Id && originalStart(e, s.o.Zone).Equal(start) {
					former[e.Id] = append(former[e.Id], instanceID(ended, tail[i], s.o.Zone))
				}
			}
		}
	}
	return former
}

// tail are the original starts of a series: those that it still has, and those that it would have if its rule did not end.
func (s *Side) tail(e *gcal.Event) (kept, tail []time.Time) {
	rule, ok := seriesOf(e, s.o.Zone)
	if !ok {
		return nil, nil
	}
	kept, err := expand(rule, s.o.To)
	if err != nil || len(kept) == 0 {
		return nil, nil
	}
	endless := rule
	endless.Lines = nil
	for _, line := range rule.Lines {
		endless.Lines = append(endless.Lines, ending.ReplaceAllString(line, ""))
	}
	all, err := expand(endless, s.o.To)
	if err != nil {
		return nil, nil
	}
	for _, at := range all {
		if at.After(kept[len(kept)-1]) {
			tail = append(tail, at)
		}
	}
	return kept, tail
}

// ending are the parts of a rule that say when it ends.
var ending = regexp.MustCompile(`(?i);?(?:UNTIL|COUNT)=[^;]*`)

// positions are the original starts of a series in the order of the starts of a tail that it continues: the same where it has
// the same, else by their place.
func (s *Side) positions(e *gcal.Event, tail []time.Time) map[int]time.Time {
	rule, ok := seriesOf(e, s.o.Zone)
	if !ok {
		return nil
	}
	starts, err := expand(rule, s.o.To)
	if err != nil {
		return nil
	}
	out := map[int]time.Time{}
	same := !slices.ContainsFunc(starts, func(at time.Time) bool { return !slices.ContainsFunc(tail, at.Equal) })
	for i, at := range starts {
		if same {
			i = slices.IndexFunc(tail, at.Equal)
		}
		if i < len(tail) {
			out[i] = at
		}
	}
	return out
}

// expand gives the instants at which the instances of a series start.
func expand(series recurrence.Series, before time.Time) ([]time.Time, error) {
	starts, err := recurrence.Expand(series, before)
	out := make([]time.Time, len(starts))
	for i, at := range starts {
		if series.AllDay {
			out[i] = zone.DateOf(at, time.UTC).Start(series.Zone)
		} else {
			out[i] = zone.Instant(at, series.Zone)
		}
	}
	return out, err
}

// seriesOf is a recurring event as its rule is read.
func seriesOf(e *gcal.Event, fallback *time.Location) (recurrence.Series, bool) {
	m, ok := momentOf(e)
	if !ok || len(e.Recurrence) == 0 {
		return recurrence.Series{}, false
	}
	out := recurrence.Series{AllDay: m.AllDay, Zone: fallback, Lines: e.Recurrence}
	if m.AllDay {
		out.Start = m.First.Start(time.UTC)
		return out, true
	}
	if out.Zone, ok = zone.Load(e.Start.TimeZone); !ok {
		return recurrence.Series{}, false
	}
	out.Start = m.Start.In(out.Zone)
	return out, true
}

// continues reports whether a series may be what became of the rest of another one.
func continues(next, ended *gcal.Event) bool {
	if strings.HasPrefix(next.Id, baseID(ended.Id)+"_R") {
		return true
	}
	if organizerOf(next) != organizerOf(ended) {
		return false
	}
	return next.Summary != "" && next.Summary == ended.Summary || len(next.Attendees) > 0 && slices.Equal(guests(next), guests(ended))
}

func organizerOf(e *gcal.Event) string {
	if e.Organizer == nil {
		return ""
	}
	return activity.AddressKey(e.Organizer.Email)
}

func guests(e *gcal.Event) []string {
	out := make([]string, 0, len(e.Attendees))
	for _, a := range e.Attendees {
		out = append(out, activity.AddressKey(a.Email))
	}
	slices.Sort(out)
	return out
}

// baseID is the id of the series that another one was split from.
func baseID(id string) string {
	base, _, _ := strings.Cut(id, "_R")
	return base
}

// instanceID is the id that an instance had that started originally at a time. It only serves to find a link that has it.
func instanceID(series *gcal.Event, at time.Time, fallback *time.Location) string {
	if series.Start.Date != "" {
		return baseID(series.Id) + "_" + strings.ReplaceAll(zone.DateOf(at, fallback).String(), "-", "")
	}
	return baseID(series.Id) + "_" + at.UTC().Format("20060102T150405Z")
}

func startOf(e *gcal.Event, fallback *time.Location) time.Time {
	m, _ := momentOf(e)
	start, _ := m.In(fallback)
	return start
}

// originalStart is when an instance started before anybody moved it.
func originalStart(e *gcal.Event, fallback *time.Location) time.Time {
	if e.OriginalStartTime == nil {
		return time.Time{}
	}
	return startOf(&gcal.Event{Start: e.OriginalStartTime, End: e.OriginalStartTime}, fallback)
}
