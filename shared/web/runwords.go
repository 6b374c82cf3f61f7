package web

import (
	"strconv"
	"strings"
	"time"

	"github.com/tandem-sync/tandem/shared/record"
	"github.com/tandem-sync/tandem/shared/store"
)

// number writes a number as people read it: with a comma before each three digits.
func number(n int) string {
	text := strconv.Itoa(n)
	for i := len(text) - 3; i > 0 && text[i-1] != '-'; i -= 3 {
		text = text[:i] + "," + text[i:]
	}
	return text
}

// several is a number with its word.
func several(n int, one, many string) string {
	if n == 1 {
		return "1 " + one
	}
	return number(n) + " " + many
}

// recordWords are what the records of a type are called.
func recordWords(t record.Type) (one, many string) {
	if t == record.Activities {
		return "activity", "activities"
	}
	return "contact", "contacts"
}

// runTitle says what a run is.
func runTitle(r store.Run) string {
	switch {
	case r.Status == "preview":
		return "Preview: " + strings.ToLower(typeWords(r.Type))
	case r.Undoes != nil:
		return "Undo: " + strings.ToLower(typeWords(r.Type))
	}
	return "Synchronization of " + strings.ToLower(typeWords(r.Type))
}

// doneWords says in one line what was done on a side.
func doneWords(t record.Type, s record.Side, c store.SideCounts) string {
	left := "removed from the group"
	if t == record.Activities {
		left = "removed from the calendar"
	} else if s == record.Creatio {
		left = "lost the tag"
	}
	var parts []string
	for _, p := range []struct {
		n    int
		word string
	}{{c.Created, "created"}, {c.Updated, "changed"}, {c.Unlinked, left}, {c.Cancelled, "canceled"}, {c.Deleted, "deleted"}} {
		if p.n > 0 {
			parts = append(parts, number(p.n)+" "+p.word)
		}
	}
	return strings.Join(parts, ", ")
}

// sumsOf says what a run did and what of it waits, or what it would do. What waits was not done.
func sumsOf(r store.Run, waiting []store.Change) []sum {
	did, match := "Done in ", "Matched"
	if r.Status == "preview" {
		did, match = "Would be done in ", "Would be matched"
	}
	waits := store.Run{Changes: make([]store.Change, len(waiting))}
	for i, c := range waiting {
		c.Waits = false
		waits.Changes[i] = c
	}
	held := waits.Recorded()
	wait := "Waits in "
	switch r.Status {
	case "approved", "rejected", "replaced":
		wait = "Waited in "
	case "preview":
		wait = "Would wait in "
	}
	var out []sum
	add := func(label, text string) {
		if text != "" {
			out = append(out, sum{label, text})
		}
	}
	add(did+"Creatio", doneWords(r.Type, record.Creatio, r.Counts.Creatio))
	add(did+"Google", doneWords(r.Type, record.Google, r.Counts.Google))
	if r.Counts.Matched > 0 {
		add(match, number(r.Counts.Matched))
	}
	if r.Counts.Conflicts > 0 {
		add("Conflicts", number(r.Counts.Conflicts))
	}
	add(wait+"Creatio", doneWords(r.Type, record.Creatio, held.Creatio))
	add(wait+"Google", doneWords(r.Type, record.Google, held.Google))
	if r.Counts.Failed > 0 {
		add("Not synchronized", number(r.Counts.Failed))
	}
	return out
}

// progressWords says how far a run is.
func progressWords(r store.Run) string {
	p := r.Progress
	if p == nil {
		return ""
	}
	of := ""
	if p.Total > 0 {
		of = ": " + number(p.Done) + " of " + number(p.Total)
	}
	switch p.Phase {
	case "read":
		return "Reading what changed in Creatio and in Google."
	case "compare":
		return "Comparing both sides."
	case "write":
		return "Carrying out the changes" + of + "."
	case "photos":
		return "Carrying photos" + of + "."
	}
	return ""
}

// reasonWords says why a value became another one, as what follows "because". first says that the two records met for the first
// time: then neither side has changed anything.
func reasonWords(t record.Type, side record.Side, rule string, first bool) string {
	other := otherSide(side)
	both := "both sides changed it"
	if first {
		both = "each side had another value"
	}
	switch rule {
	case "":
		return ""
	case "changed":
		if first {
			return "only " + other + " had a value"
		}
		return "it was changed in " + other
	case "first-meeting":
		return "only " + other + " had a value"
	case "latest":
		if first {
			return both + ", and the one in " + other + " was the latest"
		}
		return both + ", and the change in " + other + " was later"
	case "creatio-wins":
		return both + ", and you chose Creatio"
	case "google-wins":
		return both + ", and you chose Google"
	case "direction":
		return both + ", and your settings allow one direction"
	case "locked":
		return both + ", and you may not change it in " + other
	case "edit-kept":
		return "one side emptied it and the other changed it, and the change stays"
	case "created":
		return "it is new in " + other
	case "left":
		return "it was removed from " + scopeWords(t, side.Other())
	case "came-back":
		return "it is back in " + scopeWords(t, side.Other())
	case "returned":
		return "the one in whose place it was made is there again"
	case "made-from-it":
		return "one was made from the other"
	case "same-e-mail":
		return "both have the same e-mail address"
	case "same-phone":
		return "both have the same phone number"
	case "same-name-and-company":
		return "both have the same name and company"
	case "same-title-and-time":
		return "both have the same title and time"
	case "undo":
		return "you undid a run"
	case "user":
		return "you said so"
	}
	return ""
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
func undoNumbers(t record.Type, made []store.Change) string {
	n := effectOf(made)
	one, many := recordWords(t)
	var parts []string
	add := func(count int, text string) {
		if count > 0 {
			parts = append(parts, text)
		}
	}
	add(n.values, "puts back "+several(n.values, "value", "values"))
	if t == record.Activities {
		add(n.created, "cancels or deletes "+several(n.created, one, many)+" that this run created")
		add(n.removed, "brings back "+several(n.removed, one, many))
	} else {
		add(n.created, "takes "+several(n.created, one, many)+" that this run created out of the group or the tag")
		add(n.removed, "brings "+several(n.removed, one, many)+" back into the group or the tag")
		add(n.matched, "separates "+several(n.matched, "pair", "pairs")+" that this run matched")
	}
	if parts == nil {
		return "There is nothing that this undo would put back."
	}
	return "This " + listed(parts) + "."
}

// listed joins parts of a sentence.
func listed(parts []string) string {
	if len(parts) < 2 {
		return strings.Join(parts, "")
	}
	return strings.Join(parts[:len(parts)-1], ", ") + " and " + parts[len(parts)-1]
}

// losses counts, by what would become of them, the records of which changes wait.
func losses(t record.Type, waiting []store.Change) (removals, values int, one, many string) {
	for _, c := range waiting {
		if c.Action == "update" {
			values++
		} else {
			removals++
		}
	}
	one, many = recordWords(t)
	return removals, values, one, many
}

func approveNumbers(t record.Type, waiting []store.Change) string {
	removals, values, one, many := losses(t, waiting)
	var parts []string
	if removals > 0 {
		parts = append(parts, "removes "+several(removals, one, many)+" on the side where they are still there")
	}
	if values > 0 {
		parts = append(parts, "removes values of "+several(values, one, many))
	}
	return "This " + listed(parts) + ". What has changed since the list was made is left as it is."
}

func rejectNumbers(t record.Type, waiting []store.Change) string {
	removals, values, one, many := losses(t, waiting)
	var parts []string
	if removals > 0 {
		parts = append(parts, "brings back "+several(removals, one, many)+" on the side where they went missing")
	}
	if values > 0 {
		parts = append(parts, "puts back the values of "+several(values, one, many))
	}
	return "This " + listed(parts) + "."
}

// took is how long something went on.
func took(from, to time.Time) string {
	switch d := to.Sub(from).Round(time.Second); {
	case d < time.Second:
		return "Less than a second"
	case d < time.Minute:
		return several(int(d.Seconds()), "second", "seconds")
	case d < time.Hour:
		return several(int(d.Minutes()), "minute", "minutes")
	default:
		return several(int(d.Hours()), "hour", "hours")
	}
}
