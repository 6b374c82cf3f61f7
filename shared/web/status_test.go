package web

import (
	"net/http"
	"strings"
	"testing"

	"github.com/tandem-sync/tandem/shared/fault"
	"github.com/tandem-sync/tandem/shared/store"
)

// What the settings page says first is true of both types together, and its button is the most useful thing to do.
func TestTheStatusCardSaysTheWorstThatIsTrueAndWhatToDoNext(t *testing.T) {
	t.Parallel()
	problem := &fault.Sentence{Code: "c", Message: "m"}
	for name, row := range map[string]struct {
		change                 func(*Account)
		sentence, mark, button string
		problems               int
	}{
		"all is well":         {func(*Account) {}, "Contacts are in sync.", "In sync", "Synchronize contacts now", 0},
		"both types are well": {func(a *Account) { a.Activities.State = State{Status: "ok", LastSync: noon} }, "Contacts and activities are in sync.", "In sync", "Synchronize contacts now", 0},
		"nobody was connected": {func(a *Account) {
			*a = Account{Contacts: Contacts{State: State{Status: "never"}}, Activities: a.Activities}
		}, "Nothing has been synchronized yet.", "Not started", "Connect Google", 0},
		"Creatio is missing": {func(a *Account) {
			a.Creatio, a.Contacts = CreatioAccount{}, Contacts{State: State{Status: "never"}}
		}, "Nothing has been synchronized yet.", "Not started", "Connect Creatio", 0},
		"no tag is chosen": {func(a *Account) { a.Contacts = Contacts{State: State{Status: "never"}} }, "Nothing has been synchronized yet.", "Not started", "Choose what to synchronize", 0},
		"a tag is chosen":  {func(a *Account) { a.Contacts.State = State{Status: "never"} }, "Nothing has been synchronized yet.", "Not started", "Preview the first synchronization", 0},
		"Google is to be connected again": {func(a *Account) {
			a.Google.Reconnect, a.Contacts.State = true, State{Status: "reconnect", LastSync: noon, Problem: problem}
		}, "Tandem has stopped: one of your accounts has to be connected again.", "Stopped", "Connect Google again", 1},
		"a list waits": {func(a *Account) {
			a.Contacts.State = State{Status: "held", HeldRun: "run-1", LastSync: noon, Problem: problem}
		}, "In sync, except for changes that would take away a lot. They need your decision.", "Needs your decision", "Review the changes", 1},
		"activities are worse than contacts": {func(a *Account) {
			a.Google.Scopes = append(a.Google.Scopes, "calendar")
			a.Activities.State = State{Status: "failing", Failing: 1, LastSync: noon, Problem: problem}
		}, "Activities: The last synchronization did not work. Tandem tries again.", "Not working", "Synchronize activities now", 1},
		"some records failed": {func(a *Account) {
			latest := store.Run{Counts: store.Counts{Failed: 2}, Problems: []store.Problem{{}, {}, {Note: true, More: 7}}}
			a.Contacts.State = State{Status: "partial", LastSync: noon, Problem: problem, Latest: &latest}
		}, "Synchronized, except for some records. The latest run in the history says which and why.", "Partly synchronized", "Synchronize contacts now", 2},
		"pairs are in doubt": {func(a *Account) { a.Contacts.State.Doubts = 3 }, "Contacts are in sync, except for what needs your decision.", "Needs your decision", "Decide", 3},
		"an administrator paused it": {func(a *Account) {
			a.Paused, a.Contacts.State = true, State{Status: "off", LastSync: noon, Problem: problem}
		}, "Nothing is synchronized at the moment.", "Off", "See the history", 1},
		"a run is queued": {func(a *Account) { a.Contacts.State = State{Status: "queued", Run: "run-3", LastSync: noon} }, "A synchronization is queued and starts in a moment.", "Queued", "See how it goes", 0},
	} {
		c := newClient(t)
		row.change(&c.fake.account)
		got := c.card(english, c.fake.account)
		if got.Sentence != row.sentence || got.Mark.Label != row.mark || got.Next.Label != row.button || got.Problems != row.problems {
			t.Errorf("%s: got %+v, want %+v", name, got, row)
		}
	}
}

func TestWhoSignsInComesBackToThePageThatWasAskedFor(t *testing.T) {
	t.Parallel()
	c := newClient(t)
	asked := c.do("GET", "/settings/runs/run-2?show=created", "")
	wantSeeOther(t, asked, "/settings")
	var next string
	for _, k := range asked.Cookies() {
		if k.Name == "__Host-tandem-next" {
			next = k.Value
		}
	}
	back := func(next string) *http.Response {
		return c.do("GET", "/oauth-callback?state=known&code=1", "", cookie("__Host-tandem-link", secret), cookie("__Host-tandem-next", next))
	}
	wantSeeOther(t, back(next), "/settings/runs/run-2?show=created")
	for _, evil := range []string{"https%3A%2F%2Fevil.example.com", "%2F%2Fevil.example.com", "%2F%5Cevil.example.com", "%", "javascript%3Aalert(1)"} {
		if to := back(evil).Header.Get("Location"); to != "/settings" {
			t.Errorf("%s leads to %s", evil, to)
		}
	}
}

func TestAPageThatIsNotThereKeepsTheSession(t *testing.T) {
	t.Parallel()
	c := newClient(t)
	page := body(t, c.do("GET", "/settings/nowhere", "", c.signedIn))
	if !strings.Contains(page, "anna@example.com") || !strings.Contains(page, "Sign out") {
		t.Errorf("the page does not know who is there:\n%s", page)
	}
}

func TestWhatEndsAnAccountNeedsSomebodyWhoSignedInJustNow(t *testing.T) {
	t.Parallel()
	c := newClient(t)
	old := c.with(ticket{"anna", "s3", noon.Add(-freshAge - 1), noon})
	for _, path := range []string{"/settings/export", "/settings/erase"} {
		wantSeeOther(t, c.do("GET", path, "", old), "/settings?problem=sign-in-again")
	}
	wantStatus(t, c.do("POST", "/settings/erase", "", old), http.StatusForbidden)
	if c.fake.writes() != 0 {
		t.Error("it was done all the same")
	}
	wantSeeOther(t, c.do("POST", "/settings/erase", "", c.signedIn), "/settings?done=erased")
}

// 500 equal notes are one line with a count, and what needs somebody stands apart from them.
func TestEqualNotesAreOneLine(t *testing.T) {
	t.Parallel()
	c := newClient(t)
	note := store.Problem{Side: "google", Record: "Dora Test", Message: "Google has no place for it.", Action: "Nothing to do.", Note: true}
	c.fake.runs[1].Problems = append(c.fake.runs[1].Problems, store.Problem{Message: "Needs you.", Action: "Do it."})
	for range 499 {
		c.fake.runs[1].Problems = append(c.fake.runs[1].Problems, note)
	}
	note.More = 1000
	c.fake.runs[1].Problems = append(c.fake.runs[1].Problems, note)
	page := body(t, c.do("GET", "/settings/runs/run-2", "", c.signedIn))
	checkHTML(t, page)
	problems, notes, _ := strings.Cut(page, `<h2 id="notes">`)
	if strings.Count(page, note.Message) != 1 || strings.Contains(problems, note.Message) || !strings.Contains(notes, "1,500") || !strings.Contains(notes, "1,000 more") {
		t.Errorf("the page says\n%s", page)
	}
	if list := body(t, c.do("GET", "/settings/runs", "", c.signedIn)); !strings.Contains(list, "1,500 notes") || !strings.Contains(list, `data-label="Problems">2<`) {
		t.Errorf("the history says\n%s", list)
	}
}
