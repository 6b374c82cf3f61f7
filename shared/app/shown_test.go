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
