package web

import (
	"slices"

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
func (s *Site) card(l locale, a Account) statusCard {
	t := record.Contacts
	other := record.Activities
	if used(a, other) && (!used(a, t) || worse(a.state(other), a.state(t))) {
		t, other = other, t
	}
	state := a.state(t)
	c := statusCard{Sentence: l.stateWords(state), Mark: l.stateMark(state), Contacts: a.Contacts.State.Members, Problems: problemsIn(a.Contacts.State) + problemsIn(a.Activities.State)}
	switch {
	case used(a, other) && a.state(other).Status == "ok" && state.Status == "ok":
		both := State{Status: "ok", Doubts: state.Doubts + a.state(other).Doubts, Split: state.Split + a.state(other).Split}
		c.Sentence, c.Mark = l.stateOf("state.ok.both", both), l.stateMark(both)
	case state.Status == "ok":
		c.Sentence = l.stateOf("state.ok."+string(t), state)
	case used(a, other):
		c.Sentence = l.say("state.of", "type", l.typeWords(t), "state", c.Sentence)
	}
	c.Steps = []setupStep{
		{l.say("connect.google"), a.Google.Linked && !a.Google.Reconnect},
		{l.say("connect.creatio"), a.Creatio.Linked && !a.Creatio.Reconnect},
		{l.say("go.choose"), a.Contacts.TagID != "" || used(a, record.Activities)},
	}
	c.Next = s.next(l, a, t)
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
func (s *Site) next(l locale, a Account, t record.Type) nextStep {
	state := a.state(t)
	now := "/" + string(t)
	switch {
	case a.Paused:
		return nextStep{Label: l.say("go.history"), Link: s.link("/runs")}
	case !a.Google.Linked:
		return nextStep{Label: l.say("connect.google"), Link: s.link("/sign-in")}
	case a.Google.Reconnect:
		return nextStep{Label: l.say("connect.google.again"), Link: s.link("/link/google")}
	case !a.Creatio.Linked || a.Creatio.Reconnect:
		key := "connect.creatio"
		if a.Creatio.Reconnect {
			key = "connect.creatio.again"
		}
		if a.CreatioAuth == "client" {
			return nextStep{Label: l.say("sign-in.again"), Link: s.link("/sign-in")}
		}
		return nextStep{Label: l.say(key), Link: s.link("/link/creatio")}
	case !a.Google.Grants(map[record.Type]string{record.Contacts: "contacts", record.Activities: "calendar"}[t]):
		return nextStep{Label: l.say("connect.google.again"), Link: s.link("/link/google")}
	case t == record.Contacts && a.Contacts.TagID == "":
		return nextStep{Label: l.say("go.choose"), Link: "#tagId"}
	case state.Status == "held" && state.HeldRun != "":
		return nextStep{Label: l.say("review"), Link: s.link("/runs/" + state.HeldRun)}
	case state.Doubts > 0:
		return nextStep{Label: l.say("go.decide"), Link: "#" + string(t) + "-doubts"}
	case state.Run != "":
		return nextStep{Label: l.say("go.see"), Link: s.link("/runs/" + state.Run)}
	case state.LastSync.IsZero():
		return nextStep{Label: l.say("go.preview"), Link: s.link(now + "/preview"), Post: true}
	}
	return nextStep{Label: l.say("go.now." + string(t)), Link: s.link(now + "/sync"), Post: true}
}

// inWords has the form say what is wrong with a field as people read it. The API names the values themselves.
func (l locale) inWords(errs []FieldError) []FieldError {
	out := slices.Clone(errs)
	for i, e := range out {
		if key := "wrong." + e.Field; e.Field != "tagId" && l.has(key) {
			out[i].Message = l.say(key)
		} else {
			out[i].Message = l.told(e.Message).Text
		}
	}
	return out
}
