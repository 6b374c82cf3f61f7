package web

import (
	"strconv"

	"github.com/tandem-sync/tandem/shared/activity"
	"github.com/tandem-sync/tandem/shared/contact"
	"github.com/tandem-sync/tandem/shared/fault"
	"github.com/tandem-sync/tandem/shared/record"
	"github.com/tandem-sync/tandem/shared/store"
)

// actionWords says what was done to a record of a type.
func actionWords(t record.Type, c store.Change) string {
	side := sides[c.Side]
	switch c.Action {
	case "create":
		return "Created in " + side
	case "update":
		return "Changed in " + side
	case "unlink":
		return "Removed from " + scopeWords(t, c.Side)
	case "cancel":
		return "Canceled in " + side
	case "delete":
		return "Deleted in " + side
	case "match":
		if !isMatch(c) {
			return "No longer matched"
		}
		return "Matched with " + existing(t)
	}
	return c.Action + " in " + side
}

// waitingWords says what would be done to a record of a type: of a change that waits, and of a preview's.
func waitingWords(t record.Type, c store.Change) string {
	side := sides[c.Side]
	switch {
	case isMatch(c):
		return "Would be matched with " + existing(t)
	case c.Action == "match":
		return "Would no longer be matched"
	case c.Action == "create":
		return "Would be created in " + side
	case c.Action == "unlink":
		return "Would be removed from " + scopeWords(t, c.Side)
	case c.Action == "cancel":
		return "Would be canceled in " + side
	case c.Action == "delete":
		return "Would be deleted in " + side
	}
	return "Would change in " + side
}

// existing is the counterpart that a record of a type had already.
func existing(t record.Type) string {
	if t == record.Activities {
		return "an existing event"
	}
	return "an existing contact"
}

// scopeWords is what holds the synchronized records of a type on a side.
func scopeWords(t record.Type, s record.Side) string {
	switch {
	case t == record.Activities && s == record.Google:
		return "the calendar in Google"
	case t == record.Activities:
		return "the calendar in Creatio"
	case s == record.Google:
		return "the group in Google"
	}
	return "the tag in Creatio"
}

// decisionWords are the words for changes that wait, or waited, for the user's decision.
type decisionWords struct {
	// Explained says what the decision is about, or became. Approve and Reject are the buttons.
	Explained, Approve, Reject string
}

// decisionOn finds the words for the changes of a run that wait: whether they are only removals, only lost values, or both,
// decides what the buttons say.
func decisionOn(r store.Run, waiting []store.Change) decisionWords {
	var removals, values bool
	for _, c := range waiting {
		if c.Action == "update" {
			values = true
		} else {
			removals = true
		}
	}
	records := "contacts"
	if r.Type == record.Activities {
		records = "activities and events"
	}
	w := decisionWords{Approve: "Carry out these changes", Reject: "Put back what went missing"}
	switch {
	case removals && !values:
		w.Approve, w.Reject = "Remove them", "Keep the "+records
	case values && !removals:
		w.Approve, w.Reject = "Remove these values", "Keep the values"
	}
	switch r.Status {
	case "held":
		w.Explained = "“" + w.Approve + "” does what is listed here. “" + w.Reject + "” brings back, on the side where it went missing, what these changes would take away."
	case "approved":
		w.Explained = "You chose to carry them out. Whatever changed after that was left as it is."
	case "rejected":
		w.Explained = "You chose to keep what they would have taken away."
	case "preview":
		w.Explained = "A synchronization would ask you first."
	default:
		w.Explained = "They no longer wait, or they are part of another list. If a list waits now, the settings page leads to it."
	}
	return w
}

// isMatch reports whether a change matched two records, and did not end that.
func isMatch(c store.Change) bool {
	return c.Action == "match" && len(c.Fields) > 0 && c.Fields[0].After != "" && c.CreatioID != "" && c.GoogleID != ""
}

// differing is the button for two records of a type that are not the same, differingNamed its name for one pair of many.
func differing(t record.Type) string {
	if t == record.Activities {
		return "These are two meetings"
	}
	return "These are two people"
}

func differingNamed(t record.Type, name string) string {
	what := "two people"
	if t == record.Activities {
		what = "two meetings"
	}
	if name == "" {
		return "These are " + what
	}
	return "These are " + what + ": " + name
}

// doubtWords are the words for records of a type of which nobody knows whether they are the same.
type doubtWords struct {
	// Question is asked of each pair, Same and Different are the answers.
	Question, Same, Different string
	// Explained says what the doubt is, and what follows from either answer.
	Explained string
}

func doubtsOf(t record.Type, n int) doubtWords {
	w := doubtWords{Question: "One person, or two?", Same: "Same person", Different: "Two different people"}
	pairs, one, these, two := "pairs of contacts", "one person", "these two contacts are", "two"
	if t == record.Activities {
		w = doubtWords{Question: "One meeting, or two?", Same: "Same meeting", Different: "Two different meetings"}
		pairs, one, these = "pairs of an activity and an event", "one meeting", "this activity and this event are"
	}
	w.Explained = "Tandem does not know whether " + these + " " + one + ". Until you say it, neither is synchronized."
	if n > 1 {
		w.Explained = "Of " + strconv.Itoa(n) + " " + pairs + " Tandem does not know whether the two are " + one + ". Until you say it, neither of them is synchronized."
	}
	w.Explained += " If you say that they are " + two + ", each is synchronized by itself."
	return w
}

// splitLabel marks a record of a type that an undo took out of scope on a side.
func splitLabel(t record.Type, s record.Side) string {
	return "Not synced: removed from " + scopeWords(t, s) + " by an undo"
}

// splitWords says of records of a type that an undo took out of scope on a side what that means, and what to do.
func splitWords(t record.Type, s record.Side) fault.Sentence {
	if t == record.Activities {
		return fault.Sentence{
			Message: "Since an undo, what is marked “" + splitLabel(t, s) + "” is no longer in the calendar there.",
			Action:  "It stays in " + otherSide(s) + ", and nothing is synchronized between the two. To have it back, undo that undo; otherwise there is nothing to do.",
		}
	}
	out, in, back := "are out of the group there", "the tag in Creatio", "put them into the group in Google"
	if s == record.Creatio {
		out, in, back = "have lost the tag there", "their place in the group in Google", "give them the tag in Creatio"
	}
	return fault.Sentence{
		Message: "Since an undo, contacts marked “" + splitLabel(t, s) + "” " + out + ".",
		Action: "They keep " + in + ", and nothing is synchronized between the two. To synchronize them again, " + back +
			"; otherwise there is nothing to do.",
	}
}

// undoing is the button's name for one record of many.
func undoing(name string) string {
	if name == "" {
		return "Undo this record"
	}
	return "Undo this record: " + name
}

// fieldLabels are the words for what is not part of a record's content.
var fieldLabels = map[string]string{"match": "Matched with", record.Photo: record.PhotoField.Label}

func fieldWords(t record.Type, name string) string {
	schema, membership := contact.Schema, "Selected by"
	if t == record.Activities {
		schema, membership = activity.Schema, "Shown in"
	}
	if f, ok := schema.Field(name); ok {
		return f.Label
	}
	if name == "membership" {
		return membership
	}
	return known(fieldLabels, name)
}
