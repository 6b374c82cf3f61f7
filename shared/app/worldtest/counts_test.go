package worldtest

import (
	"fmt"
	"testing"
	"time"

	"google.golang.org/api/people/v1"

	"github.com/tandem-sync/tandem/shared/record"
	googlebox "github.com/tandem-sync/tandem/shared/sandbox/google"
	"github.com/tandem-sync/tandem/shared/store"
	"github.com/tandem-sync/tandem/shared/syncer"
)

// What a run asks of each service depends on what changed, and not on how much there is.
func TestA_run_asks_exactly_what_it_has_to(t *testing.T) {
	t.Parallel()
	for _, tc := range []struct {
		contacts int
		// first is the calls of the first run, of all contacts.
		//
		// Google: the list of groups, the group made, one page of people, the group; creations by 200.
		// Creatio: the tag with the first page of its links, each further page of 1,000; the contacts and their details by the
		// tag, in pages of 1,000.
		first store.Calls
	}{
		{100, store.Calls{Google: 4 + 1, Creatio: 1 + 1}},
		{3000, store.Calls{Google: 4 + 15, Creatio: 3 + 3}},
	} {
		t.Run(fmt.Sprint(tc.contacts), func(t *testing.T) {
			t.Parallel()
			inWorld(t, 1, setup{}, func(w *world) {
				ids := w.folk.many(tc.contacts)
				w.asks("a first run", tc.first)

				// Nothing changed: the changes and the group; the window.
				idle := store.Calls{Google: 2, Creatio: 1}
				// The run before made new contacts in Google, and they are among its changes once, by pages of 1,000;
				// who is in the group by now is asked once more.
				w.asks("a run after nothing but itself", store.Calls{Google: up(tc.contacts, 1000) + 2, Creatio: 1})
				w.asks("an idle run", idle)

				// Some changed in Creatio: their contents by 10 in 5 requests, 100 of those in a batch; changes in Google by 200.
				some := min(250, tc.contacts)
				for _, id := range ids[:some] {
					w.folk.must("", w.creatio.As("Ada").Update("Contact", id, map[string]any{"JobTitle": w.folk.value("Job %04d")}))
				}
				w.asks("a run after changes in Creatio", store.Calls{Google: 2 + up(some, 200), Creatio: 1 + up(5*up(some, 10), 100)})

				w.asks("a run after nothing but itself", idle)

				// Some changed in Google: by 200 contacts, one look at those in Creatio and their changes by 100;
				// names that Creatio looks up in a list of its own, as a job's, would be one request more.
				for _, p := range w.google.Account(ada).People()[:some] {
					w.google.Account(ada).Edit(p.ResourceName, func(p *people.Person) { p.Names[0].GivenName = w.folk.value("Given%04d") })
				}
				chunks := up(some, 200)
				w.asks("a run after changes in Google", store.Calls{Google: 2, Creatio: 1 + chunks + up(some, 100)})
				// What it wrote to Creatio is read there once more, and is no change.
				w.asks("a run after nothing but itself", store.Calls{Google: 2, Creatio: 1 + up(5*up(some, 10), 100)})
				w.asks("an idle run at the end", idle)
				w.tame()
			})
		})
	}
}

// many makes that many tagged contacts, without a look at those that are there.
func (f *folk) many(n int) (ids []string) {
	s := f.w.creatio.As("Ada")
	for i := range n {
		id := f.must(s.Insert("Contact", map[string]any{"Name": fmt.Sprintf("Given Many%04d", i), "JobTitle": "Job"}))
		f.insert("ContactCommunication", map[string]any{"ContactId": id, "CommunicationTypeId": emailType, "Number": fmt.Sprintf("many%04d@example.com", i)})
		f.insert("ContactInTag", map[string]any{"TagId": f.w.tag, "EntityId": id})
		ids = append(ids, id)
	}
	return ids
}

// up is how many of a size hold n.
func up(n, size int) int { return (n + size - 1) / size }

// asks makes a run, after all that a window looks back for, and wants its calls.
func (w *world) asks(what string, want store.Calls) {
	w.t.Helper()
	time.Sleep(10 * time.Minute)
	_, out, r := w.sync(syncer.TriggerSchedule, nil)
	if got := r.Counts.Calls; got != want || out.Status != syncer.Done {
		w.t.Errorf("%s made %+v calls and ended %s, want %+v", what, got, out.Status, want)
	}
}

// What a write says of the version that it made is kept, since lists show it only minutes later: the next change, which
// comes sooner, is written at once.
func TestA_change_right_after_another_is_written_without_a_refusal(t *testing.T) {
	t.Parallel()
	inWorld(t, 1, setup{google: googlebox.Options{WriteVisibility: 10 * time.Minute}}, func(w *world) {
		id := w.folk.many(1)[0]
		w.asks("a first run", store.Calls{Google: 4 + 1, Creatio: 1 + 1})
		w.asks("a run after nothing but itself", store.Calls{Google: 3, Creatio: 1})
		for range 4 {
			w.folk.must("", w.creatio.As("Ada").Update("Contact", id, map[string]any{"JobTitle": w.folk.value("Job %04d")}))
			time.Sleep(time.Minute)
			_, out, r := w.sync(syncer.TriggerSchedule, nil)
			if want := (store.Calls{Google: 2 + 1, Creatio: 1 + 1}); r.Counts.Calls != want || out.Status != syncer.Done {
				t.Errorf("a run after a change made %+v calls and ended %s, want %+v", r.Counts.Calls, out.Status, want)
			}
		}
		for _, q := range w.requests {
			if q.side == record.Google && q.refused {
				t.Errorf("refused: %s", q)
			}
		}
		w.heal()
		w.look()
	})
}
