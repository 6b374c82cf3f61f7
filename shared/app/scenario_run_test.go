package app_test

import (
	"encoding/json"
	"fmt"
	"net/http"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"github.com/tandem-sync/tandem/shared/contact"
	"github.com/tandem-sync/tandem/shared/record"
	"github.com/tandem-sync/tandem/shared/store"
)

// inTandem is what the user does on the settings page, and what happens to Tandem itself.
func (s *story) inTandem(st statement) {
	s.t.Helper()
	s.begun()
	switch st.text {
	case "disconnect Creatio":
		s.call(http.MethodDelete, "/creatio", nil, 204, nil)
	case "disconnect Google":
		s.call(http.MethodDelete, "/google", nil, 204, nil)
	case "erase everything":
		s.visit("/settings/sign-in")
		s.call(http.MethodDelete, "/account", nil, 204, nil)
	case "connect again":
		s.connected()
	case "the database is lost":
		s.lose()
	default:
		s.t.Fatalf("nobody does this in Tandem: %s", st.text)
	}
}

// lose has Tandem begin with an empty database.
func (s *story) lose() {
	s.t.Helper()
	s.stop()
	s.env["STORE"] = "bolt:" + filepath.Join(s.t.TempDir(), "tandem.db")
	s.start()
	s.browser = newBrowser(s.t)
}

// run makes the user's next window as Cloud Tasks would, and gives how it ended.
func (s *story) run() (status string, run store.Run) {
	s.t.Helper()
	s.begun()
	s.revive()
	if s.cut.everyRun() && !s.undoes {
		s.interrupted(func() {
			s.pass(s.apart)
			s.do(http.MethodPost, "/sync-contacts", map[string]string{"user": s.user})
		})
	}
	s.pass(s.apart)
	a := s.do(http.MethodPost, "/sync-contacts", map[string]string{"user": s.user})
	var out struct{ Run, Status, Reason string }
	if err := json.Unmarshal([]byte(a.body), &out); err != nil || (a.status != 200 && a.status != 503) {
		s.t.Fatalf("sync: got %d %s", a.status, a.body)
	}
	if out.Run != "" {
		s.call(http.MethodGet, "/runs/"+out.Run, nil, 200, &run)
	}
	return strings.TrimSpace(out.Status + " " + out.Reason), run
}

func (s *story) synchronize() string {
	s.t.Helper()
	return s.tells(s.run())
}

func (s *story) synchronizeNow() string {
	s.t.Helper()
	s.begun()
	s.pass(s.apart)
	return s.tells(s.queued("/contacts/sync"))
}

// queued asks for a run and waits for it.
func (s *story) queued(path string) (status string, run store.Run) {
	s.t.Helper()
	var next struct{ Run string }
	s.call(http.MethodPost, path, nil, 202, &next)
	if err := s.app.Wait(s.t.Context()); err != nil {
		s.t.Fatal(err)
	}
	s.call(http.MethodGet, "/runs/"+next.Run, nil, 200, &run)
	return run.Status, run
}

func (s *story) decide(word string) string {
	s.t.Helper()
	held := s.account().Contacts.State.HeldRun
	if held == nil {
		s.t.Fatal("no run is held")
	}
	return s.tells(s.queued("/runs/" + *held + "/" + word))
}

// approveFormer approves the list whose place another one took last, or of which nothing waits any more.
func (s *story) approveFormer() string {
	s.t.Helper()
	var runs []store.Run
	s.call(http.MethodGet, "/runs?limit=100", nil, 200, &runs)
	for _, r := range runs {
		if r.Status == "replaced" {
			var refused struct{ Code, Detail string }
			s.call(http.MethodPost, "/runs/"+r.ID+"/approve", nil, 409, &refused)
			return refused.Code + "\n"
		}
	}
	s.t.Fatal("no list was replaced")
	return ""
}

// undoLatest undoes the run that is the newest in the history.
func (s *story) undoLatest() string {
	s.t.Helper()
	s.pass(5 * time.Minute)
	var runs []store.Run
	s.call(http.MethodGet, "/runs?limit=1", nil, 200, &runs)
	if len(runs) == 0 {
		s.t.Fatal("there is no run to undo")
	}
	undo := "/runs/" + runs[0].ID + "/undo"
	if s.cut.everyRun() {
		var run store.Run
		if s.interrupted(func() { _, run = s.queued(undo) }); run.Status == "done" {
			return ""
		}
	}
	return s.tells(s.queued(undo))
}

// say is the user's word on a contact of each side, and the run that follows it.
func (s *story) say(st statement, same bool) {
	s.t.Helper()
	creatio, google, ok := strings.Cut(st.text, " = ")
	if !ok {
		s.t.Fatalf("%q names no two contacts", st.text)
	}
	s.pass(5 * time.Minute)
	s.call(http.MethodPost, "/contacts/pairs", map[string]any{"creatioId": s.contactNamed(creatio), "googleId": s.personNamed(google), "same": same}, 204, nil)
	if err := s.app.Wait(s.t.Context()); err != nil {
		s.t.Fatal(err)
	}
}

func (s *story) latestRun() string {
	s.t.Helper()
	var runs []store.Run
	s.call(http.MethodGet, "/runs?limit=1", nil, 200, &runs)
	if len(runs) == 0 {
		s.t.Fatal("there is no run")
	}
	var run store.Run
	s.call(http.MethodGet, "/runs/"+runs[0].ID, nil, 200, &run)
	return s.tells(run.Status, run)
}

// doubts are the contacts that wait for the user's word, as the API and the settings page tell.
func (s *story) doubts() string {
	s.t.Helper()
	var doubts []struct{ Creatio, Google string }
	s.call(http.MethodGet, "/contacts/pairs", nil, 200, &doubts)
	page := s.do(http.MethodGet, "/settings", nil).body
	if n := strings.Count(page, ">Same person</button>"); n != len(doubts) {
		s.t.Errorf("the settings page asks %d times, and not %d", n, len(doubts))
	}
	var lines []string
	for _, d := range doubts {
		lines = append(lines, d.Creatio+" = "+d.Google+"\n")
	}
	if len(lines) == 0 {
		return "nobody\n"
	}
	slices.Sort(lines)
	return strings.Join(lines, "")
}

func (s *story) preview() string {
	s.t.Helper()
	s.begun()
	s.pass(5 * time.Minute)
	before := s.picture()
	s.google.ResetRequests()
	var run store.Run
	s.call(http.MethodPost, "/contacts/preview", nil, 200, &run)
	if s.picture() != before {
		s.t.Error("the preview changed something")
	}
	for _, r := range s.google.Requests() {
		if r.Method != http.MethodGet && strings.HasPrefix(r.Path, "/v1/") {
			s.t.Errorf("the preview wrote to google: %s %s", r.Method, r.Path)
		}
	}
	return s.tells(run.Status, run)
}

// picture is all that both sides show.
func (s *story) picture() string {
	s.t.Helper()
	return s.creatioShows() + "\n" + s.googleShows()
}

// settled makes one more run, which may change nothing.
func (s *story) settled() {
	s.t.Helper()
	if s.user == "" {
		s.t.Fatal("nothing was synchronized")
	}
	if s.do(http.MethodGet, "/settings/api/v1/account", nil).status == http.StatusOK {
		before := s.picture()
		status, run := s.run()
		if after := s.picture(); after != before || len(run.Changes) > 0 {
			s.t.Errorf("the story is over, and yet one more run changed something: %s\nbefore:\n%s\nafter:\n%s", s.tells(status, run), before, after)
		}
	}
	s.clean()
}

// tells is what the history and the settings page say of a run.
func (s *story) tells(status string, run store.Run) string {
	s.t.Helper()
	var b strings.Builder
	b.WriteString(status)
	if n := run.Counts.Conflicts; n > 0 {
		fmt.Fprintf(&b, ", %d conflict", n)
		if n > 1 {
			b.WriteString("s")
		}
	}
	b.WriteString("\n")
	for _, line := range changeLines(run.Changes) {
		b.WriteString(line)
	}
	var problems []string
	for _, p := range run.Problems {
		where := strings.Trim(sideName(p.Side)+", "+p.Record, ", ")
		if where != "" {
			where = " (" + where + ")"
		}
		problems = append(problems, fmt.Sprintf("problem%s: %s %s\n", where, p.Message, p.Action))
	}
	slices.Sort(problems)
	b.WriteString(strings.Join(problems, ""))
	if p := s.account().Contacts.State.Problem; p != nil && (len(run.Problems) == 0 || p.Message != run.Problems[len(run.Problems)-1].Message) {
		fmt.Fprintf(&b, "settings page: %s %s\n", p.Message, p.Action)
	}
	return b.String()
}

func sideName(side record.Side) string {
	return map[record.Side]string{record.Creatio: "Creatio", record.Google: "Google"}[side]
}

// changeLines are the changes of a run for a person to read: those without values by what was done, the others one by one.
func changeLines(changes []store.Change) []string {
	alike := map[string][]string{}
	var updates []string
	for _, c := range changes {
		rule := ""
		var fields []string
		for _, f := range c.Fields {
			if f.Field == "match" || f.Field == "membership" {
				rule = f.Rule
				continue
			}
			label := f.Field
			if known, ok := contact.Schema.Field(f.Field); ok {
				label = known.Label
			}
			fields = append(fields, fmt.Sprintf("  %s: %s => %s [%s]\n", label, asTold(f.Before), asTold(f.After), f.Rule))
		}
		said := map[string]string{
			"match": "matched, " + rule, "create": sideName(c.Side) + " created", "unlink": sideName(c.Side) + " took out, " + rule,
			"update": sideName(c.Side) + " updated",
		}[c.Action]
		if c.Action == "update" && rule != "" {
			said = sideName(c.Side) + " took in, " + rule
		}
		if c.Waits {
			said = "waits: " + said
		}
		if c.Action == "update" && len(fields) > 0 {
			slices.Sort(fields)
			updates = append(updates, said+": "+c.Record+"\n"+strings.Join(fields, ""))
			continue
		}
		alike[said] = append(alike[said], c.Record)
	}
	var out []string
	for said, names := range alike {
		slices.Sort(names)
		out = append(out, said+": "+strings.Join(names, ", ")+"\n")
	}
	slices.Sort(out)
	slices.Sort(updates)
	return append(out, updates...)
}

// asTold is a value as the history has it; the entries of a set in a lasting order.
func asTold(s string) string {
	if s == "" {
		return "nothing"
	}
	entries := strings.Split(shown(s), "; ")
	slices.Sort(entries)
	return strings.Join(entries, "; ")
}
