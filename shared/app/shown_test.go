package app_test

import (
	"net/http"
	"strings"
	"testing"
	"time"
)

// press sends a form of a page, as its button does, and gives the page that follows once everything queued is done.
func (w *world) press(target, form string) answer {
	w.t.Helper()
	a := w.do(http.MethodPost, target, form, func(r *http.Request) { r.Header.Set("Content-Type", "application/x-www-form-urlencoded") })
	if err := w.app.Wait(w.t.Context()); err != nil {
		w.t.Fatal(err)
	}
	return a
}

// A person looks at what would happen, has exactly that done, and undoes it; the pages say at each step what is true.
func TestA_preview_is_run_as_it_was_shown_or_shows_what_changed(t *testing.T) {
	t.Parallel()
	w, _, contacts := twins(t, "Hopper", "Turing")
	w.setTitle(contacts["Hopper"], "Clerk")
	shown := w.press("/settings/contacts/preview", "")
	if !strings.Contains(shown.body, "Would be done in Google") || !strings.Contains(shown.body, ">Run it<") || strings.Contains(shown.body, "Done in Google") {
		t.Fatalf("the preview says\n%s", shown.body)
	}
	preview := shown.url[strings.LastIndex(shown.url, "/"):]
	w.setTitle(contacts["Turing"], "Head")
	changed := w.press("/settings/runs"+preview+"/run", "")
	if !strings.Contains(changed.body, "There is something else to do now") || !strings.Contains(changed.body, "Head") || !strings.Contains(changed.body, ">Run it<") {
		t.Fatalf("what changed since is not shown:\n%s", changed.body)
	}
	wantTitles(t, w, contacts["Hopper"], "Hopper", "Clerk / ")
	preview, _, _ = strings.Cut(changed.url[strings.LastIndex(changed.url, "/"):], "?")
	ran := w.press("/settings/runs"+preview+"/run", "")
	wantTitles(t, w, contacts["Hopper"], "Hopper", "Clerk / Clerk")
	wantTitles(t, w, contacts["Turing"], "Turing", "Head / Head")
	run := ran.url[strings.LastIndex(ran.url, "/"):]

	w.pass(time.Minute)
	if ask := w.visit("/settings/runs" + run + "/undo").body; !strings.Contains(ask, "This puts back 2 values.") {
		t.Errorf("the question is\n%s", ask)
	}
	undo := w.press("/settings/runs"+run+"/undo", "")
	wantTitles(t, w, contacts["Hopper"], "Hopper", " / ")
	if page := w.visit("/settings/runs" + run).body; !strings.Contains(page, "This run was undone") || strings.Contains(page, run+"/undo") {
		t.Errorf("the page of what was undone says\n%s", page)
	}
	// An undo that is undone itself counts no more.
	w.pass(time.Minute)
	w.press("/settings/runs"+undo.url[strings.LastIndex(undo.url, "/"):]+"/undo", "")
	wantTitles(t, w, contacts["Hopper"], "Hopper", "Clerk / Clerk")
	if page := w.visit("/settings/runs" + run).body; strings.Contains(page, "This run was undone") || !strings.Contains(page, run+"/undo") {
		t.Errorf("after the undo of the undo the page says\n%s", page)
	}

	found := w.visit("/settings/runs?q=turing").body
	if !strings.Contains(found, "Turing") || strings.Contains(found, "<h3>Grace Hopper") || !strings.Contains(found, "Head") {
		t.Errorf("the search finds\n%s", found)
	}
}

// Without a script a person sees what waits, is asked with numbers, decides, and reads what was done.
func TestWhat_waits_is_decided_about_on_the_pages(t *testing.T) {
	t.Parallel()
	for decision, row := range map[string]struct {
		asked, told string
		left        int
	}{
		"approve": {"removes 3 contacts", "You chose to carry out changes", 0},
		"reject":  {"brings back 3 contacts", "You chose to keep records", 3},
	} {
		t.Run(decision, func(t *testing.T) {
			t.Parallel()
			w := linkedWorld(t)
			for _, family := range []string{"Lovelace", "Turing"} {
				w.tagged(w.account().Contacts.TagID, w.contact("Some "+family, family+"@example.com"))
			}
			w.whole()
			for _, p := range w.google.Account(ada).People() {
				w.google.Account(ada).RemoveFromGroup(p.ResourceName, w.group())
			}
			w.pass(time.Hour)
			held := w.sync("held")
			home := w.visit("/settings").body
			if !strings.Contains(home, "In sync, except for changes that would take away a lot.") || !strings.Contains(home, `/runs/`+held.ID+`">Review the changes</a>`) {
				t.Errorf("the settings page says\n%s", home)
			}
			page := "/settings/runs/" + held.ID
			waits := w.visit(page).body
			if strings.Contains(waits, "Done in") || !strings.Contains(waits, "Waits in Creatio") || !strings.Contains(waits, "Would be removed from the tag in Creatio") {
				t.Errorf("the run that is held says\n%s", waits)
			}
			if ask := w.visit(page + "/" + decision).body; !strings.Contains(ask, row.asked) {
				t.Errorf("the question is\n%s", ask)
			}
			w.pass(time.Minute)
			after := w.press(page+"/"+decision, "")
			if !strings.Contains(after.body, row.told) {
				t.Errorf("the run that follows says\n%s", after.body)
			}
			if got := w.members(); len(got) != row.left {
				t.Errorf("in the group are %q", got)
			}
			if was := w.visit(page).body; strings.Contains(was, page+"/approve") || !strings.Contains(was, "Waited in Creatio") {
				t.Errorf("the run that was held says\n%s", was)
			}
			if s := w.account().Contacts.State.Status; s != "ok" {
				t.Errorf("the state is %s", s)
			}
		})
	}
}
