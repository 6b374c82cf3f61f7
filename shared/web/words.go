package web

import (
	"fmt"
	"net/url"
	"strconv"
	"strings"
	"time"

	"github.com/tandem-sync/tandem/shared/fault"
	"github.com/tandem-sync/tandem/shared/record"
	"github.com/tandem-sync/tandem/shared/store"
)

// choice is one option of a form, with the word for it.
type choice struct{ Value, Label string }

var (
	intervalChoices = []choice{
		{"1", "Every minute"},
		{"5", "Every 5 minutes"},
		{"10", "Every 10 minutes"},
		{"15", "Every 15 minutes"},
		{"30", "Every 30 minutes"},
		{"60", "Every hour"},
		{"240", "Every 4 hours"},
		{"1440", "Once a day"},
	}
	directionChoices = []choice{
		{"both", "Both ways"}, {"to-google", "From Creatio to Google only"}, {"to-creatio", "From Google to Creatio only"},
	}
	conflictChoices = []choice{
		{"latest", "The latest change wins"}, {"creatio", "Creatio wins"}, {"google", "Google wins"},
	}
	tagKinds = []choice{{"freedom", "Tags of the Freedom UI"}, {"classic", "Tags of the classic interface"}}
)

// notice is one message above the page.
type notice struct {
	// Good says that something was done; else something was not.
	Good            bool
	Message, Action string
}

func (n notice) sentence(code string) fault.Sentence {
	return fault.Sentence{Code: code, Message: n.Message, Action: n.Action}
}

// done are messages by the code that a form leads back with.
var done = map[string]notice{
	"saved":      {Good: true, Message: "Your settings are saved."},
	"unlinked":   {Good: true, Message: "The account is disconnected, and automatic synchronization is off.", Action: "Connect it again whenever you want."},
	"job-pause":  {Good: true, Message: "Nobody is synchronized by schedule any more.", Action: "Users can still synchronize by hand. Resume it here."},
	"job-resume": {Good: true, Message: "The schedule follows the settings again."},
	"job-run":    {Good: true, Message: "The schedule runs once, now.", Action: "Reload to see how it went."},
	"said":       {Good: true, Message: "Your answer is noted.", Action: "The synchronization that follows it starts in a moment."},
	"queued":     {Good: true, Message: "The synchronization starts in a moment.", Action: "Reload to see how it went."},
}

// notices are messages by the code of what did not work.
var notices = map[string]notice{
	"consent-denied":       {Message: "You did not give your consent, so nothing was connected.", Action: "Try again, and allow access when you are asked."},
	"consent-failed":       {Message: "The service did not ask for your consent, so nothing was connected.", Action: "Try again. If it keeps happening, ask your administrator."},
	"scope-missing":        {Message: "Google is connected, but Tandem may not use your contacts.", Action: "Connect Google again and tick the box for contacts."},
	"not-ready":            {Message: "Tandem cannot synchronize yet.", Action: "Do first what is listed under Contacts."},
	"not-ready-activities": {Message: "Tandem cannot synchronize yet.", Action: "Do first what is listed under Activities."},
	"wrong-password":       {Message: "Creatio does not accept this user name and password.", Action: "Check both and try again. Creatio may lock your user after several wrong tries."},
	"password-expired":     {Message: "Your password in Creatio has expired.", Action: "Sign in to Creatio in your browser, set a new password, and enter it here."},
	"no-creatio-user":      {Message: "Tandem could not find your Creatio user by your e-mail address, so Creatio is not connected yet.", Action: "Ask your administrator to enter your e-mail address with your Creatio user, then sign in again."},
	"no-user":              {Message: "No active Creatio user has your e-mail address.", Action: "Ask your administrator to enter it with your Creatio user, then sign in again."},
	"ambiguous-user":       {Message: "Several Creatio users have your e-mail address, so Tandem does not know which one is yours.", Action: "Ask your administrator to leave it with one of them, then sign in again."},
	"no-contact":           {Message: "Your Creatio user has no contact.", Action: "Ask your administrator to connect your Creatio user with a contact, then connect Creatio again."},
	"job":                  {Message: "The schedule has not taken this up yet.", Action: "What you decided stands, and Tandem tries again by itself. See below how the schedule is; the log says what is in the way."},
	"job-run":              {Message: "The schedule could not be run now.", Action: "See below how it is, and try again in a few minutes; the log says what is in the way."},
	"no-workspace":         {Message: "Your Google account is not one of an organization, so Creatio is not connected.", Action: "Sign in with the Google account that your organization gave you."},
	"users-closed":         {Message: "Creatio does not let Tandem look up its users, so Creatio is not connected yet.", Action: "Ask your administrator to let Tandem's user read the system users (SysAdminUnit) through OData, then sign in again."},
	"other-account":        {Message: "Your Creatio user is already connected with another Google account, so it is not connected with this one.", Action: "Sign in with that account. If you do not know it, tell your administrator."},
	"unreachable":          {Message: "Creatio could not be reached, so it is not connected yet.", Action: "Try again in a few minutes."},
	"":                     {Message: "The account could not be connected.", Action: "Try again; if it stays, tell your administrator the time at which it happened."},
}

// said is what the query of the settings page tells. A code that is not known is a problem nobody has words for.
func said(q url.Values) []notice {
	var out []notice
	if n, ok := done[q.Get("done")]; ok {
		out = append(out, n)
	}
	if code := q.Get("problem"); code != "" {
		n, ok := notices[code]
		if !ok {
			n = notices[""]
		}
		out = append(out, n)
	}
	return out
}

// guessed tells administrators of wrong passwords.
func guessed(list []WrongPasswords) []notice {
	var out []notice
	for _, g := range list {
		by := "accounts that are not there any more"
		if len(g.By) > 0 {
			by = strings.Join(g.By, ", ")
		}
		out = append(out, notice{
			Message: fmt.Sprintf("Wrong passwords were entered for the Creatio user “%s”: %s, the last one on %s, by %s.", g.Login, times(g.Count), moments(g.Last), by),
			Action:  "Ask who it was. Each further try has to wait longer. If nobody knows of it, have the user's password changed in Creatio.",
		})
	}
	return out
}

// warned tells a user of wrong passwords that others entered for the Creatio user.
func warned(g *WrongPasswords) []notice {
	if g == nil {
		return nil
	}
	return []notice{{
		Message: fmt.Sprintf("Somebody else tried to connect your Creatio user “%s” and entered wrong passwords: %s, the last one on %s.", g.Login, times(g.Count), moments(g.Last)),
		Action:  "If you do not know who it was, tell your administrator, and change your password in Creatio if others may know it.",
	}}
}

func times(n int) string {
	if n == 1 {
		return "once"
	}
	return strconv.Itoa(n) + " times"
}

func moments(t time.Time) string { return t.UTC().Format("2 January 2006 at 15:04 UTC") }

// sides are the names of the two services.
var sides = map[record.Side]string{record.Creatio: "Creatio", record.Google: "Google"}

// otherSide is the name of the service across from the given one.
func otherSide(s record.Side) string { return sides[s.Other()] }

// stateWords says how a sync type goes.
func stateWords(s State) string {
	switch s.Status {
	case "never":
		return "Nothing has been synchronized yet."
	case "ok":
		return "Everything is in sync" + exceptions(s) + "."
	case "queued":
		return "A synchronization is queued and starts in a moment."
	case "running":
		return "A synchronization is under way."
	case "late":
		return "The synchronization is late. Tandem catches up by itself; if it does not, tell your administrator."
	case "partial":
		return "Synchronized, except for some records. The latest run in the history says which and why."
	case "held":
		return "In sync, except for changes that would take away a lot. They need your decision."
	case "reconnect":
		return "Tandem has stopped: one of your accounts has to be connected again."
	case "failing":
		if s.Failing > 1 {
			return "The last " + strconv.Itoa(s.Failing) + " synchronizations did not work. Tandem keeps trying."
		}
		return "The last synchronization did not work. Tandem tries again."
	case "off":
		return "Nothing is synchronized at the moment."
	}
	return s.Status
}

// exceptions are what is not in sync although everything was done.
func exceptions(s State) string {
	var parts []string
	if s.Doubts > 0 {
		parts = append(parts, "what needs your decision")
	}
	switch {
	case s.Split == 1:
		parts = append(parts, "1 record that an undo took out")
	case s.Split > 1:
		parts = append(parts, strconv.Itoa(s.Split)+" records that an undo took out")
	}
	if parts == nil {
		return ""
	}
	return ", except for " + strings.Join(parts, " and ")
}

// stateMark is the one word beside it, and how it is colored.
func stateMark(s State) choice {
	switch s.Status {
	case "ok":
		if s.Doubts > 0 {
			return choice{"warn", "Needs your decision"}
		}
		return choice{"good", "In sync"}
	case "queued":
		return choice{"calm", "Queued"}
	case "running":
		return choice{"calm", "Running"}
	case "late":
		return choice{"warn", "Late"}
	case "partial", "held":
		return choice{"warn", map[string]string{"partial": "Partly synchronized", "held": "Needs your decision"}[s.Status]}
	case "reconnect", "failing":
		return choice{"bad", map[string]string{"reconnect": "Stopped", "failing": "Not working"}[s.Status]}
	case "off":
		return choice{"calm", "Off"}
	}
	return choice{"calm", "Not started"}
}

var runStatus = map[string]choice{
	"queued": {"calm", "Queued"}, "running": {"calm", "Running"}, "done": {"good", "Done"},
	"partial": {"warn", "Partly done"}, "held": {"warn", "Needs your decision"}, "approved": {"good", "Approved"},
	"rejected": {"calm", "Rejected"}, "replaced": {"calm", "Replaced"}, "failed": {"bad", "Failed"}, "preview": {"calm", "Preview"},
}

func runMark(r store.Run) choice {
	if c, ok := runStatus[r.Status]; ok {
		return c
	}
	return choice{"calm", r.Status}
}

// runWords says what a run's status means, where its one word is not enough.
func runWords(r store.Run) string {
	if r.Undoes != nil {
		switch r.Status {
		case "partial":
			return "Some records could not be put back. The others are. Undo the same run again to try the rest."
		case "failed":
			return "This undo ended before its work was done. What it put back stays. Undo the same run again for the rest."
		}
	}
	switch r.Status {
	case "queued":
		return "This run has not begun yet."
	case "running":
		return "This run is under way; what it has done so far may not be complete here."
	case "partial":
		return "Some records could not be synchronized. The others are."
	case "held":
		return "Some of these changes would take away a lot, so they need your decision. All others were made."
	case "approved":
		return "You chose to carry out the changes that waited here. Another run does that; what this run did itself stays."
	case "rejected":
		return "You chose to keep what the changes that waited here would have taken away. Another run brings back what went missing; what this run did itself stays."
	case "replaced":
		return "The changes that waited here no longer wait, or they are part of another list. What this run did itself stays."
	case "failed":
		return "This run ended before its work was done. Nothing is lost: the next run continues where it left off."
	case "preview":
		return "This is only what a run would do. Nothing was changed."
	}
	return ""
}

// googleMark is the one word beside the Google account.
func googleMark(a GoogleAccount) choice {
	switch {
	case a.Reconnect:
		return choice{"warn", "Connect again"}
	case !a.Linked:
		return choice{"warn", "Not connected"}
	case grantWords(a) != "":
		return choice{"warn", "Permission missing"}
	}
	return choice{"good", "Connected"}
}

// grantWords says what Tandem may not use of a connected Google account; empty where it may use all it needs.
func grantWords(a GoogleAccount) string {
	contacts, calendar := a.Grants("contacts"), a.Grants("calendar")
	switch {
	case contacts && calendar:
		return ""
	case contacts:
		return "Tandem may not use your calendar yet. Connect Google again and tick the box for events; contacts are synchronized meanwhile."
	case calendar:
		return "Tandem may not use your contacts yet. Connect Google again and tick the box for contacts; activities are synchronized meanwhile."
	default:
		return "Tandem may use neither your contacts nor your calendar yet. Connect Google again and tick both boxes."
	}
}

var triggers = map[string]string{
	"schedule": "On schedule", "user": "You asked for it", "push": "Google reported a change", "approve": "You chose to carry out changes",
	"reject": "You chose to keep records", "undo": "You undid a run", "preview": "You asked for a preview",
}

func triggerWords(t string) string { return known(triggers, t) }

func typeWords(t record.Type) string {
	return known(map[string]string{"contacts": "Contacts", "activities": "Activities"}, string(t))
}

// undoWords says what the button does, before it is pressed, for a run of a type.
func undoWords(t record.Type) []string {
	values := "Undo puts back, in Creatio and in Google, every value that this run wrote over. Where somebody has changed a value since, it stays as it is, and Tandem tells you."
	if t == record.Activities {
		return []string{
			values,
			"An event that this run created in Google is deleted there, an activity that it created in Creatio is canceled. What this run deleted or canceled comes back.",
			"What this run matched stays matched. If two of them are different meetings, press “" + differing(t) + "” beside them: each is then synchronized by itself.",
		}
	}
	return []string{
		values + " Photos stay too.",
		"Contacts that this run matched are two again. Tandem no longer matches them by itself, but asks you on the settings page whether they are one person.",
		"Nothing is deleted. A contact that this run created only leaves the group in Google, or loses the tag in Creatio. A contact that this run removed from the group or the tag gets it back on both sides.",
	}
}

// known is the word for a code, or the code itself.
func known(words map[string]string, code string) string {
	if w, ok := words[code]; ok {
		return w
	}
	return code
}

// touched counts what a run did on one side.
func touched(c store.SideCounts) int {
	return c.Created + c.Updated + c.Unlinked + c.Cancelled + c.Deleted
}
