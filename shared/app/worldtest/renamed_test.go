package worldtest

import (
	"net/http"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/tandem-sync/tandem/shared/record"
	googlebox "github.com/tandem-sync/tandem/shared/sandbox/google"
	"github.com/tandem-sync/tandem/shared/syncer"
)

// The list tells of a new contact by the id that it had, the group by the one that it has since.
func TestOne_who_is_new_and_gets_another_id_while_it_is_read_is_made_once(t *testing.T) {
	t.Parallel()
	inWorld(t, 1, setup{}, func(w *world) {
		w.folk.inCreatio(true)
		for range 3 {
			w.sync(syncer.TriggerSchedule, nil)
			time.Sleep(time.Hour)
		}
		id := w.folk.inGoogle(w.folk.group())
		rename := sync.OnceFunc(func() { w.google.Account(ada).Rename(id) })
		w.google.SetFault(func(r *http.Request) *googlebox.Fault {
			if strings.HasPrefix(r.URL.Path, "/v1/contactGroups/") {
				rename()
			}
			return nil
		})
		_, out, r := w.sync(syncer.TriggerSchedule, nil)
		if out.Status != syncer.Done || r.Counts.Creatio.Created != 1 || len(w.names(record.Creatio)) != 2 {
			t.Errorf("ended %s with %+v; creatio has %v", out.Status, r.Changes, w.names(record.Creatio))
		}
		w.heal()
		w.look()
	})
}

// One who left comes back by another id, of which the list does not tell yet. The contact in Creatio is the one that it was.
func TestOne_who_comes_back_by_another_id_meets_the_former_counterpart(t *testing.T) {
	t.Parallel()
	inWorld(t, 1, setup{google: googlebox.Options{WriteVisibility: 10 * time.Minute}}, func(w *world) {
		w.folk.inCreatio(true)
		rest := func() {
			for range 2 {
				w.sync(syncer.TriggerSchedule, nil)
				time.Sleep(30 * time.Minute)
			}
		}
		rest()
		account, group, id := w.google.Account(ada), w.folk.group(), w.folk.people()[0]
		w.folk.somebody(nameInGoogle(account.Person(id))).out = true
		account.RemoveFromGroup(id, group)
		w.sync(syncer.TriggerSchedule, nil)
		w.sync(syncer.TriggerApprove, nil)
		time.Sleep(30 * time.Minute)
		rest()
		account.AddToGroup(id, group)
		account.Rename(id)
		rest()
		if n := w.names(record.Creatio); len(n) != 1 || len(w.folk.holders(record.Creatio, nameInGoogle(account.People()[0]))) != 1 {
			t.Errorf("creatio has %v", n)
		}
		w.heal()
		w.look()
	})
}
