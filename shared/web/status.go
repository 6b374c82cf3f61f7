package web

import (
	"slices"
	"strings"

	"github.com/tandem-sync/tandem/shared/record"
)

// statusCard is what the settings page says first: one sentence, two numbers, and what to do next.
type statusCard struct {
	Sentence string
	Mark     choice
	// Contacts and Problems are the numbers.
	Contacts, Problems int
	Next               nextStep
	Steps              []setupStep
}

// nextStep is the main button: a link, or a form where Post is set.
type nextStep struct {
	Label, Link string
	Post        bool
}

// setupStep is one of the steps from the first visit to the first synchronization.
type setupStep struct {
	Label string
	Done  bool
}

// severity orders how a type may go, the worst first.
var severity = []string{"reconnect", "off", "held", "failing", "partial", "late", "running", "queued", "never", "ok"}

// card sums both types up. What was never begun is nothing to tell of while the other type is in sync.
func (s *Site) card(a Account) statusCard {
	t := record.Contacts
	other := record.Activities
	if used(a, other) && (!used(a, t) || worse(a.state(other), a.state(t))) {
		t, other = other, t
	}
	state := a.state(t)
	c := statusCard{Sentence: stateWords(state), Mark: stateMark(state), Contacts: a.Contacts.State.Members, Problems: problemsIn(a.Contacts.State) + problemsIn(a.Activities.State)}
	switch {
	case used(a, other) && a.state(other).Status == "ok" && state.Status == "ok":
		both := State{Status: "ok", Doubts: state.Doubts + a.state(other).Doubts, Split: state.Split + a.state(other).Split}
		c.Sentence, c.Mark = strings.Replace(stateWords(both), "Everything is", "Contacts and activities are", 1), stateMark(both)
	case state.Status == "ok":
		c.Sentence = strings.Replace(c.Sentence, "Everything is", typeWords(t)+" are", 1)
	case used(a, other):
		c.Sentence = typeWords(t) + ": " + c.Sentence
	}
	c.Steps = []setupStep{
		{"Connect Google", a.Google.Linked && !a.Google.Reconnect},
		{"Connect Creatio", a.Creatio.Linked && !a.Creatio.Reconnect},
		{"Choose what to synchronize", a.Contacts.TagID != "" || used(a, record.Activities)},
	}
	c.Next = s.next(a, t)
	return c
}

// used reports whether the user has made use of a type.
func used(a Account, t record.Type) bool {
	s := a.state(t)
	if t == record.Activities {
		return a.Activities.Automatic || !s.LastSync.IsZero() || s.Status != "never" && s.Status != "off"
	}
	return a.Contacts.TagID != "" || !s.LastSync.IsZero()
}

func worse(a, b State) bool {
	rank := func(s State) int {
		i := slices.Index(severity, s.Status)
		if s.Status == "ok" && s.Doubts > 0 {
			return slices.Index(severity, "late")
		}
		return i
	}
	return rank(a) < rank(b)
}

// problemsIn counts what of a type needs somebody.
func problemsIn(s State) int {
	n := s.Doubts
	if s.Latest != nil && s.Status == "partial" {
		failed, _ := countProblems(*s.Latest)
		return n + max(failed, 1)
	}
	if s.Problem != nil || s.Status == "held" {
		n++
	}
	return n
}

// next is the most useful thing that the user can do now about a type.
func (s *Site) next(a Account, t record.Type) nextStep {
	state := a.state(t)
	now := "/" + string(t)
	switch {
	case a.Paused:
		return nextStep{Label: "See the history", Link: s.link("/runs")}
	case !a.Google.Linked:
		return nextStep{Label: "Connect Google", Link: s.link("/sign-in")}
	case a.Google.Reconnect:
		return nextStep{Label: "Connect Google again", Link: s.link("/link/google")}
	case !a.Creatio.Linked || a.Creatio.Reconnect:
		again := ""
		if a.Creatio.Reconnect {
			again = " again"
		}
		if a.CreatioAuth == "client" {
			return nextStep{Label: "Sign in again", Link: s.link("/sign-in")}
		}
		return nextStep{Label: "Connect Creatio" + again, Link: s.link("/link/creatio")}
	case !a.Google.Grants(map[record.Type]string{record.Contacts: "contacts", record.Activities: "calendar"}[t]):
		return nextStep{Label: "Connect Google again", Link: s.link("/link/google")}
	case t == record.Contacts && a.Contacts.TagID == "":
		return nextStep{Label: "Choose what to synchronize", Link: "#tagId"}
	case state.Status == "held" && state.HeldRun != "":
		return nextStep{Label: "Review the changes", Link: s.link("/runs/" + state.HeldRun)}
	case state.Doubts > 0:
		return nextStep{Label: "Decide", Link: "#" + string(t) + "-doubts"}
	case state.Run != "":
		return nextStep{Label: "See how it goes", Link: s.link("/runs/" + state.Run)}
	case state.LastSync.IsZero():
		return nextStep{Label: "Preview the first synchronization", Link: s.link(now + "/preview"), Post: true}
	}
	return nextStep{Label: "Synchronize " + string(t) + " now", Link: s.link(now + "/sync"), Post: true}
}

// inWords has the form say what is wrong with a field as people read it. The API names the values themselves.
func inWords(errs []FieldError) []FieldError {
	out := slices.Clone(errs)
	for i, e := range out {
		if words, ok := formErrors[e.Field]; ok {
			out[i].Message = words
		}
	}
	return out
}

var formErrors = map[string]string{
	"intervalMinutes": "Choose from the list how often Tandem synchronizes.",
	"direction":       "Choose a direction from the list.",
	"conflicts":       "Choose from the list what happens if both sides changed the same value.",
	"syncFrom":        "Choose a day from 1 January 1970 to a year from today.",
	"deletions":       "Choose from the list what happens if an event is deleted in Google.",
	"privateEvents":   "Choose from the list what happens with private events.",
	"monthsAhead":     "Choose from the list how far ahead recurring events are synchronized.",
	"guests":          "Choose from the list who is invited in Google.",
}
