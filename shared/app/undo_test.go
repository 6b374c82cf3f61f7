package app_test

import (
	"net/http"
	"slices"
	"strings"
	"testing"
	"time"

	"google.golang.org/api/people/v1"

	creatiobox "github.com/tandem-sync/tandem/shared/sandbox/creatio"
	googlebox "github.com/tandem-sync/tandem/shared/sandbox/google"
	"github.com/tandem-sync/tandem/shared/store"
)

// undo asks for the undo of a run and gives what came of it. The body may name one record.
func (w *world) undo(run store.Run, body any) store.Run {
	w.t.Helper()
	w.pass(5 * time.Minute)
	var next struct{ Run string }
	w.call(http.MethodPost, "/runs/"+run.ID+"/undo", body, 202, &next)
	w.settle()
	out := w.kept(next.Run)
	if out.Status != "done" || out.Trigger != "undo" || out.Undoes == nil || out.Undoes.Run != run.ID {
		w.t.Fatalf("the undo is %+v", out)
	}
	return out
}

func (w *world) setTitle(contact, title string) {
	w.t.Helper()
	if err := w.creatio.As("Ada").Update("Contact", contact, map[string]any{"JobTitle": title}); err != nil {
		w.t.Fatal(err)
	}
}

// titles are what Creatio and Google show as the job title.
func (w *world) titles(contact, family string) string {
	w.t.Helper()
	title := ""
	if o := w.found(family).Organizations; len(o) > 0 {
		title = o[0].Title
	}
	in, _ := w.creatio.As("Ada").Get("Contact", contact)["JobTitle"].(string)
	return in + " / " + title
}

func wantTitles(t *testing.T, w *world, contact, family, want string) {
	t.Helper()
	if got := w.titles(contact, family); got != want {
		t.Errorf("the titles of %s are %q, want %q", family, got, want)
	}
}

func TestUndo_brings_edits_of_both_sides_back_to_what_they_were(t *testing.T) {
	t.Parallel()
	for name, changes := range map[string][]change{"bolt": nil, "firestore": {onFirestore(t)}} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			w := newWorld(t, changes...)
			tag := w.tag("Ada", private)
			hopper, turing := w.contact("Grace Hopper", "grace@example.com"), w.contact("Alan Turing", "alan@example.com")
			for _, id := range []string{hopper, turing} {
				w.setTitle(id, "Clerk")
				w.tagged(tag, id)
			}
			w.link()
			w.choose(tag)
			w.sync("done")
			w.silent()

			w.setTitle(hopper, "Rear admiral")
			w.google.Account(ada).Edit(w.found("Turing").ResourceName, func(p *people.Person) {
				p.Organizations[0].Title = "Reader"
				p.PhoneNumbers = []*people.PhoneNumber{{Value: "+44 20 7946 0123", Type: "mobile"}}
				p.Biographies = []*people.Biography{{Value: "Machines\nthat think", ContentType: "TEXT_PLAIN"}}
			})
			run := w.sync("done")
			wantTitles(t, w, hopper, "Hopper", "Rear admiral / Rear admiral")
			wantTitles(t, w, turing, "Turing", "Reader / Reader")

			one := w.undo(run, map[string]string{"creatioId": strings.ToUpper(turing)})
			wantTitles(t, w, turing, "Turing", "Clerk / Clerk")
			wantTitles(t, w, hopper, "Hopper", "Rear admiral / Rear admiral")
			if row := w.creatio.As("Ada").Get("Contact", turing); row["MobilePhone"] != "" || row["Notes"] != "" || len(w.found("Turing").PhoneNumbers) > 0 {
				t.Errorf("creatio still has %+v, google %+v", row, w.found("Turing").PhoneNumbers)
			}
			w.silent()

			all := w.undo(run, nil)
			wantTitles(t, w, hopper, "Hopper", "Clerk / Clerk")
			if got := len(all.Changes); got != 2 || len(all.Problems) > 0 {
				t.Errorf("the second undo changed %d with %+v", got, all.Problems)
			}
			w.silent()
			w.writes()
			if again := w.undo(run, nil); len(again.Changes)+len(again.Problems)+len(w.writes()) > 0 {
				t.Errorf("undone once more: %+v", again)
			}

			w.undo(one, nil)
			wantTitles(t, w, turing, "Turing", "Reader / Reader")
			if row := w.creatio.As("Ada").Get("Contact", turing); row["MobilePhone"] != "+44 20 7946 0123" || len(w.found("Turing").PhoneNumbers) != 1 {
				t.Errorf("the undo was undone, and creatio has %+v, google %+v", row, w.found("Turing").PhoneNumbers)
			}
			w.silent()
			w.clean()
		})
	}
}

func TestUndo_of_a_conflict_brings_the_losing_value_back(t *testing.T) {
	t.Parallel()
	w, _, contacts := twins(t, "Hopper")
	w.setTitle(contacts["Hopper"], "Rear admiral")
	w.pass(time.Minute)
	w.google.Account(ada).Edit(w.found("Hopper").ResourceName, func(p *people.Person) {
		p.Organizations = []*people.Organization{{Title: "Commodore"}}
	})
	run := w.sync("done")
	wantTitles(t, w, contacts["Hopper"], "Hopper", "Commodore / Commodore")
	if run.Counts.Conflicts != 1 {
		t.Errorf("got %d conflicts", run.Counts.Conflicts)
	}
	w.undo(run, nil)
	wantTitles(t, w, contacts["Hopper"], "Hopper", "Rear admiral / Rear admiral")
	w.silent()
	w.clean()
}

func TestUndo_of_creations_and_deselections_moves_tags_and_the_group(t *testing.T) {
	t.Parallel()
	w, tag, contacts := twins(t, "Hopper", "Turing", "Noether")
	w.tagged(tag, w.contact("Some Curie", "curie@example.com"))
	w.person("Ada", "Lovelace", "lovelace@example.com", w.group())
	w.google.Account(ada).RemoveFromGroup(w.found("Noether").ResourceName, w.group())
	run := w.sync("done")
	if got, want := summary(run), "creatio +1 ~0 -1 google +1 ~0 -0 matched 0 failed 0"; got != want {
		t.Fatalf("got %s, want %s", got, want)
	}
	lovelace := w.creatio.As("Ada").Rows("Contact", map[string]any{"Surname": "Lovelace"})[0]["Id"]
	isTagged := func(contact any) bool {
		return len(w.creatio.As("Ada").Rows("ContactInTag", map[string]any{"TagId": tag, "EntityId": contact})) > 0
	}

	undone := w.undo(run, nil)
	if got := w.members(); !slices.Equal(got, []string{"Hopper", "Lovelace", "Noether", "Turing"}) {
		t.Errorf("the group has %q", got)
	}
	if isTagged(lovelace) || !isTagged(contacts["Noether"]) {
		t.Errorf("Lovelace tagged %t, Noether %t", isTagged(lovelace), isTagged(contacts["Noether"]))
	}
	if len(w.google.Account(ada).People()) != 5 || w.creatio.As("Ada").Get("Contact", lovelace.(string)) == nil {
		t.Error("somebody was deleted")
	}
	w.silent()
	w.tagged(tag, w.contact("Some Franklin", "franklin@example.com"))
	if run := w.sync("done"); summary(run) != "creatio +0 ~0 -0 google +1 ~0 -0 matched 0 failed 0" {
		t.Errorf("with somebody new a run did %s", summary(run))
	}
	w.silent()

	w.undo(undone, nil)
	if got := w.members(); !slices.Equal(got, []string{"Curie", "Franklin", "Hopper", "Lovelace", "Turing"}) || !isTagged(lovelace) {
		t.Errorf("the undo was undone, and the group has %q", got)
	}
	w.silent()
	w.clean()
}

func TestWho_is_split_by_an_undo_is_marked_until_somebody_selects_the_copy(t *testing.T) {
	t.Parallel()
	w, _, _ := twins(t, "Hopper", "Turing")
	w.person("Emmy", "Noether", "emmy@example.com", w.group())
	run := w.sync("done")
	for _, undone := range []store.Run{run, w.first()} {
		w.undo(undone, nil)
	}
	marks := func(id string) (creatio, google int) {
		t.Helper()
		page := w.visit("/settings/runs/" + id).body
		inCreatio, inGoogle := "Not synced: removed from the tag in Creatio by an undo", "Not synced: removed from the group in Google by an undo"
		for _, label := range []string{inCreatio, inGoogle} {
			if strings.Contains(page, ">"+label+"<") != strings.Contains(page, "contacts marked “"+label+"”") {
				t.Errorf("the page marks somebody and does not say why, or the other way round:\n%s", page)
			}
		}
		return strings.Count(page, ">"+inCreatio+"<"), strings.Count(page, ">"+inGoogle+"<")
	}
	want := func(when, id string, creatio, google int) {
		t.Helper()
		if c, g := marks(id); c != creatio || g != google {
			t.Errorf("%s: %d are split in Creatio and %d in Google, want %d and %d", when, c, g, creatio, google)
		}
	}
	var runs []store.Run
	w.call(http.MethodGet, "/runs?limit=2", nil, 200, &runs)
	want("on the page of the run", run.ID, 1, 0)
	want("on the page of its undo", runs[1].ID, 1, 0)
	want("on the page of the other undo", runs[0].ID, 0, 2)

	p := w.found("Hopper")
	w.google.Account(ada).AddToGroup(p.ResourceName, w.group())
	w.sync("done")
	want("with one selected again", runs[0].ID, 0, 1)
	w.silent()
}

// first is the oldest run of the history.
func (w *world) first() store.Run {
	w.t.Helper()
	var runs []store.Run
	w.call(http.MethodGet, "/runs?limit=100", nil, 200, &runs)
	return runs[len(runs)-1]
}

func TestUndo_of_a_first_meeting_gives_each_side_its_own_values_back(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	tag := w.tag("Ada", private)
	turing := w.contact("Alan Turing", "alan@example.com")
	w.setTitle(turing, "Reader")
	w.tagged(tag, turing)
	id := w.person("Alan", "Turing", "ALAN@example.com")
	w.google.Account(ada).Edit(id, func(p *people.Person) {
		p.PhoneNumbers = []*people.PhoneNumber{{Value: "+44 20 7946 0123", Type: "mobile"}}
	})
	w.link()
	w.choose(tag)
	run := w.sync("done")
	if run.Counts.Matched != 1 {
		t.Fatalf("got %s", summary(run))
	}
	undone := w.undo(run, nil)
	wantTitles(t, w, turing, "Turing", "Reader / ")
	if row := w.creatio.As("Ada").Get("Contact", turing); row["MobilePhone"] != "" || len(w.found("Turing").PhoneNumbers) != 1 || len(w.members()) != 0 {
		t.Errorf("creatio has %+v, google %+v, the group %q", row, w.found("Turing").PhoneNumbers, w.members())
	}
	w.silent()
	w.undo(undone, nil)
	wantTitles(t, w, turing, "Turing", "Reader / Reader")
	if got := w.members(); !slices.Equal(got, []string{"Turing"}) {
		t.Errorf("the group has %q", got)
	}
	w.silent()
	w.clean()
}

func TestUndo_leaves_what_was_edited_later_and_says_so(t *testing.T) {
	t.Parallel()
	w, _, contacts := twins(t, "Hopper", "Turing")
	for _, family := range []string{"Hopper", "Turing"} {
		w.setTitle(contacts[family], "Clerk")
	}
	run := w.sync("done")
	w.google.Account(ada).Edit(w.found("Hopper").ResourceName, func(p *people.Person) { p.Organizations[0].Title = "Commodore" })
	w.sync("done")
	undone := w.undo(run, nil)
	wantTitles(t, w, contacts["Hopper"], "Hopper", "Commodore / Commodore")
	wantTitles(t, w, contacts["Turing"], "Turing", " / ")
	if len(undone.Problems) != 1 || undone.Problems[0].Code != "changed-since" || undone.Problems[0].CreatioID != contacts["Hopper"] {
		t.Errorf("got problems %+v", undone.Problems)
	}
	w.silent()
	w.clean()
}

func TestUndo_that_meets_an_outage_goes_on_with_the_next_attempt(t *testing.T) {
	t.Parallel()
	q := newCloud(t)
	w := newWorld(t, onFirestore(t), onTasks(q))
	tag := w.tag("Ada", private)
	hopper := w.contact("Grace Hopper", "grace@example.com")
	w.tagged(tag, hopper)
	w.link()
	w.choose(tag)
	w.promise("/contacts/sync")
	w.deliver(q.Tasks.Taken()[0])
	w.setTitle(hopper, "Clerk")
	run := w.promise("/contacts/sync")
	w.deliver(q.Tasks.Taken()[1])
	wantTitles(t, w, hopper, "Hopper", "Clerk / Clerk")

	undo := w.promise("/runs/" + run + "/undo")
	w.call(http.MethodPost, "/runs/"+undo+"/undo", nil, 409, nil)
	w.google.SetFault(func(r *http.Request) *googlebox.Fault {
		if strings.HasSuffix(r.URL.Path, ":batchUpdateContacts") {
			return &googlebox.Fault{Drop: true, After: true}
		}
		return nil
	})
	w.creatio.SetFault(func(r *http.Request) *creatiobox.Fault {
		if r.Method == http.MethodPost && strings.HasSuffix(r.URL.Path, "$batch") {
			return &creatiobox.Fault{Status: 503, Header: http.Header{"Retry-After": {"120"}}}
		}
		return nil
	})
	first := w.answer(q.Tasks.Taken()[2])
	w.google.SetFault(nil)
	w.creatio.SetFault(nil)
	if first.status != http.StatusServiceUnavailable {
		t.Errorf("with both sides out of reach: %d %s", first.status, first.body)
	}
	w.pass(5 * time.Minute)
	for range 2 {
		if status := w.deliver(q.Tasks.Taken()[2]); status != "done" {
			t.Errorf("the next attempt ended %s", status)
		}
	}
	wantTitles(t, w, hopper, "Hopper", " / ")
	w.promise("/contacts/sync")
	w.writes()
	if status := w.deliver(q.Tasks.Taken()[3]); status != "done" || len(w.writes()) > 0 {
		t.Errorf("the run after it ended %s", status)
	}
	w.clean()
}

func TestWhat_cannot_be_undone_is_refused(t *testing.T) {
	t.Parallel()
	w, _, _ := twins(t, "Hopper", "Turing", "Noether")
	wants := func(path, body string, status int, code string) {
		t.Helper()
		var sent any
		if body != "" {
			sent = body
		}
		a := w.do(http.MethodPost, "/settings/api/v1/runs/"+path+"/undo", sent)
		if a.status != status || !strings.Contains(a.body, `"code":"`+code+`"`) {
			t.Errorf("%s %s: got %d %s", path, body, a.status, a.body)
		}
	}
	wants("nowhere", "", 404, "not-found")
	var preview store.Run
	w.call(http.MethodPost, "/contacts/preview", nil, 200, &preview)
	wants(preview.ID, "", 409, "not-undoable")
	w.google.Account(ada).DeleteGroup(w.group())
	held := w.sync("held")
	wants(held.ID, "", 409, "not-undoable")
	var runs []store.Run
	w.call(http.MethodGet, "/runs?limit=100", nil, 200, &runs)
	first := runs[len(runs)-1].ID
	wants(first, `{"creatioId":"nobody"}`, 404, "not-found")
	wants(first, `{"creatioId":""}`, 422, "invalid")
	w.call(http.MethodDelete, "/creatio", nil, 204, nil)
	wants(first, "", 409, "not-ready")
}

func TestUndo_works_on_the_page_without_a_script(t *testing.T) {
	t.Parallel()
	w, _, contacts := twins(t, "Hopper", "Turing")
	for _, family := range []string{"Hopper", "Turing"} {
		w.setTitle(contacts[family], "Clerk")
	}
	run := w.sync("done")
	page := w.visit("/settings/runs/" + run.ID)
	if !strings.Contains(page.body, ">Undo this run</a>") || !strings.Contains(page.body, `name="creatioId" value="`+contacts["Hopper"]+`"`) {
		t.Fatalf("the page has no buttons:\n%s", page.body)
	}
	form := func(r *http.Request) { r.Header.Set("Content-Type", "application/x-www-form-urlencoded") }
	if a := w.do(http.MethodPost, "/settings/runs/"+run.ID+"/undo", "creatioId="+contacts["Hopper"], form, func(r *http.Request) {
		r.Header.Set("Origin", "https://evil.example.com")
	}); a.status != 403 {
		t.Errorf("from another site: %d", a.status)
	}
	w.pass(time.Minute)
	a := w.do(http.MethodPost, "/settings/runs/"+run.ID+"/undo", "creatioId="+contacts["Hopper"], form)
	if err := w.app.Wait(t.Context()); err != nil {
		t.Fatal(err)
	}
	if a.status != 200 || !strings.Contains(a.url, "/settings/runs/") || strings.Contains(a.url, run.ID) || !strings.Contains(a.body, "You undid a run") {
		t.Errorf("got %d at %s\n%s", a.status, a.url, a.body)
	}
	wantTitles(t, w, contacts["Hopper"], "Hopper", " / ")
	wantTitles(t, w, contacts["Turing"], "Turing", "Clerk / Clerk")
	w.silent()
}

func TestAn_export_has_what_an_undo_needs_and_the_api_does_not(t *testing.T) {
	t.Parallel()
	w, _, contacts := twins(t, "Hopper")
	w.setTitle(contacts["Hopper"], "Clerk")
	run := w.sync("done")
	w.visit("/settings/sign-in")
	if a := w.do(http.MethodGet, "/settings/api/v1/export", nil); !strings.Contains(a.body, `"swaps":[{"is":{"text":"Clerk"}}]`) {
		t.Errorf("the export lacks the values: %s", a.body)
	}
	if a := w.do(http.MethodGet, "/settings/api/v1/runs/"+run.ID, nil); strings.Contains(a.body, "swaps") || strings.Contains(a.body, `"link"`) {
		t.Errorf("the API serves what nobody reads: %s", a.body)
	}
}
