package web

import (
	"github.com/tandem-sync/tandem/shared/record"
	"github.com/tandem-sync/tandem/shared/store"
)

// actionWords says what was done to a record of a type.
func (l locale) actionWords(t record.Type, c store.Change) string { return l.happenedTo("did.", t, c) }

// waitingWords says what would be done to a record of a type: of a change that waits, and of a preview's.
func (l locale) waitingWords(t record.Type, c store.Change) string {
	return l.happenedTo("would.", t, c)
}

func (l locale) happenedTo(prefix string, t record.Type, c store.Change) string {
	switch {
	case isMatch(c):
		return l.say(prefix + "match." + string(t))
	case c.Action == "match":
		return l.say(prefix + "unmatch")
	}
	return l.say(prefix+"in."+c.Action, "side", sides[c.Side], "from", l.from(t, c.Side))
}

// from says out of what a record of a type goes that is no longer synchronized.
func (l locale) from(t record.Type, s record.Side) string {
	return l.say("from." + string(t) + "." + string(s))
}

// decisionWords are the words for changes that wait, or waited, for the user's decision.
type decisionWords struct {
	// Explained says what the decision is about, or became. Approve and Reject are the buttons.
	Explained, Approve, Reject string
}

// decisionOn finds the words for the changes of a run that wait: whether they are only removals, only lost values, or both,
// decides what the buttons say.
func (l locale) decisionOn(r store.Run, waiting []store.Change) decisionWords {
	removals, values := losses(waiting)
	approve, reject := "decision.approve", "decision.reject"
	switch {
	case removals > 0 && values == 0:
		approve, reject = "decision.approve.removals", "decision.reject."+string(r.Type)
	case values > 0 && removals == 0:
		approve, reject = "decision.approve.values", "decision.reject.values"
	}
	w := decisionWords{Approve: l.say(approve), Reject: l.say(reject)}
	switch r.Status {
	case "held", "approved", "rejected", "preview":
		w.Explained = l.say("decision."+r.Status, "approve", w.Approve, "reject", w.Reject)
	default:
		w.Explained = l.say("decision.other")
	}
	return w
}

// isMatch reports whether a change matched two records, and did not end that.
func isMatch(c store.Change) bool {
	return c.Action == "match" && len(c.Fields) > 0 && c.Fields[0].After != "" && c.CreatioID != "" && c.GoogleID != ""
}

// differing is the button for two records of a type that are not the same, differingNamed its name for one pair of many.
func (l locale) differing(t record.Type) string { return l.say("differ." + string(t)) }

func (l locale) differingNamed(t record.Type, name string) string {
	if name == "" {
		return l.differing(t)
	}
	return l.say("differ."+string(t)+".named", "name", name)
}

// doubtWords are the words for records of a type of which nobody knows whether they are the same.
type doubtWords struct {
	// Question is asked of each pair, Same and Different are the answers.
	Question, Same, Different string
	// Explained says what the doubt is, and what follows from either answer.
	Explained string
}

func (l locale) doubtsOf(t record.Type, n int) doubtWords {
	key := "doubt." + string(t)
	w := doubtWords{Question: l.say(key + ".question"), Same: l.say(key + ".same"), Different: l.say(key + ".different"), Explained: l.say(key + ".one")}
	if n > 1 {
		w.Explained = l.count(key+".many", n)
	}
	return w
}

// splitLabel marks a record of a type that an undo took out of scope on a side.
func (l locale) splitLabel(t record.Type, s record.Side) string {
	return l.say("split.label", "from", l.from(t, s))
}

// splitWords says of records of a type that an undo took out of scope on a side what that means, and what to do.
func (l locale) splitWords(t record.Type, s record.Side) notice {
	key := "split." + string(t)
	if t == record.Contacts {
		key += "." + string(s)
	}
	return l.notice(key, "label", l.splitLabel(t, s), "other", otherSide(s))
}

// undoing is the button's name for one record of many.
func (l locale) undoing(name string) string {
	if name == "" {
		return l.say("card.undo")
	}
	return l.say("card.undo.named", "name", name)
}

// fieldWords names a field of records of a type, and what is not part of their content.
func (l locale) fieldWords(t record.Type, name string) string {
	if key := "field." + string(t) + "." + name; l.has(key) {
		return l.say(key)
	}
	return l.known("field.", name)
}
