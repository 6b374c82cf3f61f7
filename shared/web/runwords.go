package web

import (
	"strings"

	"github.com/tandem-sync/tandem/shared/record"
	"github.com/tandem-sync/tandem/shared/store"
)

// runTitle says what a run is.
func (l locale) runTitle(r store.Run) string {
	what := "sync."
	switch {
	case r.Status == "preview":
		what = "preview."
	case r.Undoes != nil:
		what = "undo."
	}
	return l.say("run.title." + what + string(r.Type))
}

// doneWords says in one line what was done on a side.
func (l locale) doneWords(t record.Type, s record.Side, c store.SideCounts) string {
	left := "did.group"
	if t == record.Activities {
		left = "did.calendar"
	} else if s == record.Creatio {
		left = "did.tag"
	}
	var parts []string
	for _, p := range []struct {
		n   int
		key string
	}{{c.Created, "did.created"}, {c.Updated, "did.changed"}, {c.Unlinked, left}, {c.Cancelled, "did.canceled"}, {c.Deleted, "did.deleted"}} {
		if p.n > 0 {
			parts = append(parts, l.count(p.key, p.n))
		}
	}
	return strings.Join(parts, ", ")
}

// sumsOf says what a run did and what of it waits, or what it would do. What waits was not done.
func (l locale) sumsOf(r store.Run, waiting []store.Change) []sum {
	did, match := "sum.done", "sum.matched"
	if r.Status == "preview" {
		did, match = "sum.would", "sum.matched.would"
	}
	waits := store.Run{Changes: make([]store.Change, len(waiting))}
	for i, c := range waiting {
		c.Waits = false
		waits.Changes[i] = c
	}
	held := waits.Recorded()
	wait := "sum.waits"
	switch r.Status {
	case "approved", "rejected", "replaced":
		wait = "sum.waited"
	case "preview":
		wait = "sum.waits.would"
	}
	var out []sum
	add := func(key string, side record.Side, c store.SideCounts) {
		if text := l.doneWords(r.Type, side, c); text != "" {
			out = append(out, sum{l.say(key, "side", sides[side]), text})
		}
	}
	addNumber := func(key string, n int) {
		if n > 0 {
			out = append(out, sum{l.say(key), l.number(n)})
		}
	}
	add(did, record.Creatio, r.Counts.Creatio)
	add(did, record.Google, r.Counts.Google)
	addNumber(match, r.Counts.Matched)
	addNumber("sum.conflicts", r.Counts.Conflicts)
	add(wait, record.Creatio, held.Creatio)
	add(wait, record.Google, held.Google)
	addNumber("sum.failed", r.Counts.Failed)
	return out
}

// progressWords says how far a run is.
func (l locale) progressWords(r store.Run) string {
	p := r.Progress
	if p == nil || !l.has("progress."+p.Phase) {
		return ""
	}
	if of := "progress." + p.Phase + ".of"; p.Total > 0 && l.has(of) {
		return l.say(of, "done", p.Done, "total", p.Total)
	}
	return l.say("progress." + p.Phase)
}

// reasonWords says why a value became another one. first says that the two records met for the first time: then neither side has
// changed anything.
func (l locale) reasonWords(t record.Type, side record.Side, rule string, first bool) string {
	key := "reason." + rule
	if met := "reason.first." + rule; first && l.has(met) {
		key = met
	}
	if rule == "" || !l.has(key) {
		return ""
	}
	return l.say(key, "other", otherSide(side), "from", l.from(t, side.Other()), "in", l.say("in."+string(t)+"."+string(side.Other())))
}

// effect counts what changes put in the place of other values, and what they did besides.
type effect struct{ values, created, removed, matched int }

func effectOf(changes []store.Change) (n effect) {
	for _, c := range changes {
		switch c.Action {
		case "create":
			n.created++
		case "unlink", "cancel", "delete":
			n.removed++
		case "match":
			if isMatch(c) {
				n.matched++
			}
		default:
			n.values += len(c.Fields)
		}
	}
	return n
}

// undoNumbers says how much an undo puts back.
func (l locale) undoNumbers(t record.Type, made []store.Change) string {
	n := effectOf(made)
	kind := "undo.n." + string(t)
	parts := l.counted(nil, "undo.n.values", n.values)
	parts = l.counted(parts, kind+".created", n.created)
	parts = l.counted(parts, kind+".removed", n.removed)
	if t != record.Activities {
		parts = l.counted(parts, kind+".matched", n.matched)
	}
	if parts == nil {
		return l.say("undo.n.none")
	}
	return l.say("this-does", "what", l.list(parts))
}

// counted adds a part of a sentence, where there is something to count.
func (l locale) counted(parts []string, key string, n int) []string {
	if n == 0 {
		return parts
	}
	return append(parts, l.count(key, n))
}

// losses counts, by what would become of them, the records of which changes wait.
func losses(waiting []store.Change) (removals, values int) {
	for _, c := range waiting {
		if c.Action == "update" {
			values++
		} else {
			removals++
		}
	}
	return removals, values
}

func (l locale) approveNumbers(t record.Type, waiting []store.Change) string {
	return l.decisionNumbers("approve.n.", t, waiting) + " " + l.say("approve.since")
}

func (l locale) rejectNumbers(t record.Type, waiting []store.Change) string {
	return l.decisionNumbers("reject.n.", t, waiting)
}

func (l locale) decisionNumbers(prefix string, t record.Type, waiting []store.Change) string {
	removals, values := losses(waiting)
	parts := l.counted(nil, prefix+string(t), removals)
	parts = l.counted(parts, prefix+"values."+string(t), values)
	return l.say("this-does", "what", l.list(parts))
}
