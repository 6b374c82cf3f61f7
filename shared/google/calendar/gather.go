package calendar

import (
	"context"
	"maps"
	"slices"
	"time"

	gcal "google.golang.org/api/calendar/v3"

	"github.com/tandem-sync/tandem/shared/record"
)

// gathering is what a window is made of, each record once, as it was told last.
type gathering struct {
	side *Side
	// was and now are what was kept before the window, and with it.
	was, now *kept
	// changed are the series of which the window tells.
	changed map[string]bool
	found   map[string]found
	order   []string
	extents []record.Extent
	// later are the ends from which on series were read that have more instances than are shown.
	later   map[string]time.Time
	notices []record.Notice
	// unread are series that the service was asked for and that it does not know any more.
	unread map[string]bool
	// former are the ids that instances had before, by those that they have.
	former map[string]string
}

func newGathering(s *Side, was, now *kept) *gathering {
	return &gathering{side: s, was: was, now: now, changed: map[string]bool{}, found: map[string]found{}, later: map[string]time.Time{}, unread: map[string]bool{}}
}

// found is a record that was gathered.
type found struct {
	packed record.Packed
	series string
	gone   bool
	member bool
}

func (g *gathering) add(id string, e *gcal.Event) {
	r := g.side.record(e)
	r.ID = id
	if _, again := g.found[id]; !again {
		g.order = append(g.order, id)
	}
	g.found[id] = found{packed: record.Pack(r), series: e.RecurringEventId, gone: r.Gone, member: r.Member && !r.Gone}
}

// live reports whether a record is gathered that is not gone.
func (g *gathering) live(id string) bool {
	f, there := g.found[id]
	return there && !f.gone
}

// exception adds an instance that differs from its series. One that goes by the id of another one that is there has left it.
func (g *gathering) exception(e *gcal.Event) {
	if id := recordID(e); e.Status != statusCancelled || !g.live(id) {
		g.add(id, e)
	}
}

// packed are the records of what was gathered.
func (g *gathering) packed() []record.Packed {
	out := make([]record.Packed, 0, len(g.order))
	for _, id := range g.order {
		packed := g.found[id].packed
		if former := g.former[id]; former != "" && !g.live(former) {
			r := packed.Unpack()
			r.Aliases = []string{former}
			packed = record.Pack(r)
		}
		out = append(out, packed)
	}
	return out
}

// members are the ids in scope.
func (g *gathering) members() []string {
	out := []string{}
	for _, id := range g.order {
		if g.found[id].member {
			out = append(out, id)
		}
	}
	return out
}

// series adds the instances of the series that changed, and of those that were one with them once.
func (g *gathering) series(ctx context.Context) error {
	if len(g.changed) == 0 {
		return nil
	}
	families, of := g.now.families(), map[string]bool{}
	for id := range g.changed {
		of[baseID(id)] = true
	}
	keys, err := g.starts(ctx, families, of)
	if err != nil {
		return err
	}
	exceptions := g.now.exceptions()
	for _, base := range slices.Sorted(maps.Keys(of)) {
		for _, id := range families[base] {
			for _, e := range exceptions[id] {
				g.kept(e)
			}
		}
		for _, id := range families[base] {
			if series := g.now.master(id); series != nil && g.unread[id] {
				g.later[id] = g.side.o.To
			} else if series != nil {
				g.expand(series, keys[id], exceptions[id])
			}
		}
	}
	changed := slices.Sorted(maps.Keys(g.changed))
	g.former = g.side.former(g.was, g.now, changed)
	g.leave(changed)
	for _, id := range changed {
		if series := g.now.master(id); series != nil && g.was.master(id) == nil && !g.goesOn(id) {
			// If it was a single event, none of its instances is that.
			g.add(id, series)
		}
	}
	return nil
}

// goesOn reports whether a record goes on in another one that is gathered.
func (g *gathering) goesOn(id string) bool {
	for is, was := range g.former {
		if was == id && g.live(is) {
			return true
		}
	}
	return false
}

// kept adds an instance that differs, or that is cancelled, unless it is long over.
func (g *gathering) kept(e *gcal.Event) {
	if g.side.inRange(e) || !readKey(startKey(e.OriginalStartTime), g.side.o.Zone).Before(g.side.o.From) {
		g.exception(e)
	}
}

// expand adds the instances of a series that are as the series has them.
func (g *gathering) expand(series *gcal.Event, keys []string, exceptions []*gcal.Event) {
	differ := map[string]bool{}
	for _, e := range exceptions {
		differ[startKey(e.OriginalStartTime)] = true
	}
	keys = slices.DeleteFunc(slices.Clone(keys), func(key string) bool { return differ[key] })
	keys, more := g.side.newest(series, keys)
	for _, key := range keys {
		e := instance(series, key)
		id := e.Id
		if g.live(id) && g.found[id].series != series.Id {
			// Another part of the family has one at the same time.
			id = series.Id + "_" + key
		}
		g.add(id, e)
	}
	from := g.side.o.From
	if more {
		from = g.side.endOf(instance(series, keys[0]))
		g.later[series.Id] = from
		g.tell(series, "many-instances", "This series has more than 1,000 occurrences in the time that is synchronized. The oldest ones are left out.",
			"Choose a later day to synchronize from, or leave it.")
	}
	g.extents = append(g.extents, record.Extent{Parent: series.Id, From: from, To: g.side.o.To})
}

// tell tells the user something about a series, once.
func (g *gathering) tell(series *gcal.Event, code, message, action string) {
	if g.now.Told[series.Id] == code {
		return
	}
	g.now.Told[series.Id] = code
	title := series.Summary
	if g.side.hidden(series) {
		title = busyTitle
	}
	g.notices = append(g.notices, record.Notice{ID: series.Id, Name: title, Note: record.Note{Code: code, Message: message, Action: action}})
}

// leave tells of the instances that a series had and has no more, but for those that go on in others.
func (g *gathering) leave(changed []string) {
	goesOn := map[string]bool{}
	for is, was := range g.former {
		goesOn[was] = g.live(is)
	}
	for _, series := range changed {
		before := g.was.master(series)
		if before == nil || g.unread[series] || same(before, g.now.master(series)) {
			continue
		}
		keys, _ := g.side.newest(before, g.side.startsOf(g.was, series))
		for _, key := range keys {
			id := baseID(series) + "_" + key
			if _, there := g.found[id]; !there && !goesOn[id] {
				g.add(id, cancelled(instance(before, key)))
			}
		}
	}
}
