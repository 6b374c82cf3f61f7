package web

import (
	"net/url"
	"strconv"
	"strings"

	"github.com/tandem-sync/tandem/shared/record"
	"github.com/tandem-sync/tandem/shared/store"
)

// choice is one option of a form, or one mark and its color, with the word for it.
type choice struct{ Value, Label string }

// tagKinds are the kinds of tags, in the order in which the page offers them.
var tagKinds = []string{"freedom", "classic"}

// notice is one message above the page.
type notice struct {
	// Good says that something was done; else something was not.
	Good            bool
	Message, Action string
}

// notice is the message under a key, with what to do.
func (l locale) notice(key string, pairs ...any) notice {
	n := notice{Message: l.say(key, pairs...)}
	if l.has(key + ".then") {
		n.Action = l.say(key+".then", pairs...)
	}
	return n
}

// said is what the query of the settings page tells. A code that is not known is a problem nobody has words for.
func (l locale) said(q url.Values) []notice {
	var out []notice
	if code := q.Get("done"); !strings.HasSuffix(code, ".then") && l.has("notice."+code) {
		n := l.notice("notice." + code)
		n.Good = true
		out = append(out, n)
	}
	if code := q.Get("problem"); code != "" {
		if strings.HasSuffix(code, ".then") || !l.has("fail."+code) {
			code = "other"
		}
		out = append(out, l.notice("fail."+code))
	}
	return out
}

// guessed tells administrators of wrong passwords.
func (l locale) guessed(list []WrongPasswords) []notice {
	var out []notice
	for _, g := range list {
		by := l.say("guessed.gone")
		if len(g.By) > 0 {
			by = strings.Join(g.By, ", ")
		}
		out = append(out, l.notice("guessed", "login", g.Login, "times", l.count("times", g.Count), "time", g.Last, "by", by))
	}
	return out
}

// warned tells a user of wrong passwords that others entered for the Creatio user.
func (l locale) warned(g *WrongPasswords) []notice {
	if g == nil {
		return nil
	}
	return []notice{l.notice("guessed.yours", "login", g.Login, "times", l.count("times", g.Count), "time", g.Last)}
}

// sides are the names of the two services.
var sides = map[record.Side]string{record.Creatio: "Creatio", record.Google: "Google"}

// otherSide is the name of the service across from the given one.
func otherSide(s record.Side) string { return sides[s.Other()] }

// stateWords says how a sync type goes.
func (l locale) stateWords(s State) string { return l.stateOf("state.ok", s) }

// stateOf is stateWords with words of its own for what is in sync.
func (l locale) stateOf(ok string, s State) string {
	switch {
	case s.Status == "ok":
		return l.say(ok, "except", l.exceptions(s))
	case s.Status == "failing" && s.Failing > 1:
		return l.count("state.failing", s.Failing)
	case s.Status == "failing":
		return l.say("state.failing.once")
	}
	return l.known("state.", s.Status)
}

// exceptions are what is not in sync although everything was done.
func (l locale) exceptions(s State) string {
	var parts []string
	if s.Doubts > 0 {
		parts = append(parts, l.say("state.except.doubts"))
	}
	if s.Split > 0 {
		parts = append(parts, l.count("state.except.split", s.Split))
	}
	if parts == nil {
		return ""
	}
	return l.say("state.except", "what", l.list(parts))
}

// stateMark is the one word beside it, and how it is colored.
func (l locale) stateMark(s State) choice {
	switch s.Status {
	case "ok":
		if s.Doubts > 0 {
			return choice{"warn", l.say("decision.needs")}
		}
		return choice{"good", l.say("in-sync")}
	case "queued":
		return choice{"calm", l.say("mark.queued")}
	case "running":
		return choice{"calm", l.say("admin.running")}
	case "late":
		return choice{"warn", l.say("admin.late")}
	case "partial":
		return choice{"warn", l.say("mark.partial")}
	case "held":
		return choice{"warn", l.say("decision.needs")}
	case "reconnect":
		return choice{"bad", l.say("mark.reconnect")}
	case "failing":
		return choice{"bad", l.say("admin.failing")}
	case "off":
		return choice{"calm", l.say("mark.off")}
	}
	return choice{"calm", l.say("runs.not-started")}
}

// runMarks are the color of each status of a run, and the key of its word.
var runMarks = map[string]choice{
	"queued": {"calm", "mark.queued"}, "running": {"calm", "admin.running"}, "done": {"good", "done"},
	"partial": {"warn", "admin.partial"}, "held": {"warn", "decision.needs"}, "approved": {"good", "run.mark.approved"},
	"rejected": {"calm", "run.mark.rejected"}, "replaced": {"calm", "run.mark.replaced"}, "failed": {"bad", "run.mark.failed"}, "preview": {"calm", "preview"},
}

func (l locale) runMark(r store.Run) choice {
	if c, ok := runMarks[r.Status]; ok {
		return choice{c.Value, l.say(c.Label)}
	}
	return choice{"calm", r.Status}
}

// runWords says what a run's status means, where its one word is not enough.
func (l locale) runWords(r store.Run) string {
	key := "run.says." + r.Status
	if undo := "run.says.undo-" + r.Status; r.Undoes != nil && l.has(undo) {
		key = undo
	}
	if !l.has(key) {
		return ""
	}
	return l.say(key)
}

// googleMark is the one word beside the Google account.
func (l locale) googleMark(a GoogleAccount) choice {
	switch {
	case a.Reconnect:
		return choice{"warn", l.say("connect.again")}
	case !a.Linked:
		return choice{"warn", l.say("connect.no")}
	case l.grantWords(a) != "":
		return choice{"warn", l.say("connect.permission")}
	}
	return choice{"good", l.say("admin.linked")}
}

// grantWords says what Tandem may not use of a connected Google account; empty where it may use all it needs.
func (l locale) grantWords(a GoogleAccount) string {
	contacts, calendar := a.Grants("contacts"), a.Grants("calendar")
	switch {
	case contacts && calendar:
		return ""
	case contacts:
		return l.say("grants.contacts")
	case calendar:
		return l.say("grants.calendar")
	default:
		return l.say("grants.none")
	}
}

func (l locale) triggerWords(t string) string { return l.known("trigger.", t) }

func (l locale) typeWords(t record.Type) string { return l.known("type.", string(t)) }

// nameOf is what a record is called.
func (l locale) nameOf(name string) string {
	if name == "" {
		return l.say("no-name")
	}
	return name
}

// undoWords says what the button does, before it is pressed, for a run of a type.
func (l locale) undoWords(t record.Type) []string {
	values := l.say("undo.says.values")
	if t == record.Activities {
		return []string{values, l.say("undo.says.activities.created"), l.say("undo.says.activities.matched", "button", l.differing(t))}
	}
	return []string{values + " " + l.say("undo.says.photos"), l.say("undo.says.contacts.matched"), l.say("undo.says.contacts.deleted")}
}

// touched counts what a run did on one side.
func touched(c store.SideCounts) int {
	return c.Created + c.Updated + c.Unlinked + c.Cancelled + c.Deleted
}

// intervalChoices are how often a type may be synchronized.
func (l locale) intervalChoices() []choice {
	values := make([]string, len(intervals))
	for i, n := range intervals {
		values[i] = strconv.Itoa(n)
	}
	return l.choices("interval.", values...)
}
