package worldtest

import (
	"fmt"
	"slices"
	"testing"

	"google.golang.org/api/people/v1"

	"github.com/tandem-sync/tandem/shared/record"
	"github.com/tandem-sync/tandem/shared/syncer"
)

// Every call of a run to either service and to the store goes wrong in every way; the runs after it come to an end that
// nobody can have anything against.
func TestInterrupted_at_any_call_in_any_way_the_next_runs_come_to_a_good_end(t *testing.T) {
	t.Parallel()
	calls := map[string]int{}
	inWorld(t, 1, setup{chunk: 3}, func(w *world) {
		w.scene()
		p, out, _ := w.sync(syncer.TriggerSchedule, nil)
		if out.Status != syncer.Done {
			t.Errorf("without a mishap the run ends %s", out.Status)
		}
		calls = p.calls
		w.heal()
		w.look()
	})
	t.Attr("faults", fmt.Sprint(len(onServices)*(calls[string(record.Creatio)]+calls[string(record.Google)])+len(onStore)*calls["store"]))
	for _, side := range []string{string(record.Creatio), string(record.Google), "store"} {
		ways := onServices
		if side == "store" {
			ways = onStore
		}
		for n := 1; n <= calls[side]; n++ {
			for _, m := range ways {
				at := place{side, n}
				t.Run(fmt.Sprintf("%s/%s", at, m), func(t *testing.T) {
					t.Parallel()
					inWorld(t, 1, setup{chunk: 3}, func(w *world) {
						w.scene()
						p, _, _ := w.sync(syncer.TriggerSchedule, map[place]mishap{at: m})
						if len(p.met) == 0 {
							t.Errorf("there is no %s", at)
						}
						w.heal()
						w.look()
					})
				})
			}
		}
	}
}

// scene is a window in which a run has something of everything to do.
func (w *world) scene() {
	f := w.folk
	site, account := w.creatio.As("Ada"), w.google.Account(ada)
	f.stranger()
	var creatio []string
	for range 8 {
		creatio = append(creatio, f.inCreatio(true))
	}
	f.give(record.Creatio, creatio[2])
	f.give(record.Creatio, creatio[7])
	if _, out, _ := w.sync(syncer.TriggerSchedule, nil); out.Status != syncer.Done {
		w.t.Fatalf("the first run ended %s", out.Status)
	}
	google := map[string]string{}
	for _, p := range account.People() {
		google[nameInGoogle(p)] = p.ResourceName
	}
	twin := func(i int) string { return google[f.nameInCreatio(creatio[i])] }

	// New contacts on both sides, and one that is new on both.
	for range 2 {
		f.inCreatio(true)
		f.inGoogle(f.group())
	}
	both := f.family()
	f.namedInCreatio(both, "both@example.com", true)
	f.namedInGoogle(both, "both@example.com", f.group())

	// Of whom a value is, is not noted.
	f.whom = ""

	// A change on one side, on the other, on both, and of the same value on both.
	f.over(fmt.Sprint(site.Get("Contact", creatio[0])["JobTitle"]))
	f.must("", site.Update("Contact", creatio[0], map[string]any{"JobTitle": f.value("Job %04d"), "BirthDate": f.day()}))
	f.insert("ContactAddress", map[string]any{"ContactId": creatio[0], "AddressTypeId": addressTypes["home"], "Address": f.value("%04d Elm Street")})
	account.Edit(twin(1), func(p *people.Person) {
		f.over(p.Names[0].GivenName)
		p.Names[0].GivenName = f.given()
		p.PhoneNumbers = append(p.PhoneNumbers, &people.PhoneNumber{Value: f.value("+1202555%04d"), Type: "work"}, &people.PhoneNumber{Value: f.value("+1202555%04d"), Type: "yacht"})
		p.Addresses = append(p.Addresses, &people.Address{Type: "work", StreetAddress: f.value("%04d Elm Street"), Country: "Norway"})
	})
	f.insert("ContactCommunication", map[string]any{"ContactId": creatio[2], "CommunicationTypeId": phoneTypes["home"], "Number": f.value("+1202555%04d")})
	account.Edit(twin(2), func(p *people.Person) {
		p.EmailAddresses = append(p.EmailAddresses, &people.EmailAddress{Value: f.value("p%04d@example.com"), Type: "home"})
	})
	f.over(fmt.Sprint(site.Get("Contact", creatio[3])["JobTitle"]))
	f.must("", site.Update("Contact", creatio[3], map[string]any{"JobTitle": f.value("Job %04d"), "Notes": f.value("note %04d")}))
	account.Edit(twin(3), func(p *people.Person) {
		organization(p).Title = f.value("Job %04d")
		p.Biographies = []*people.Biography{{Value: f.value("note %04d"), ContentType: "TEXT_PLAIN"}}
	})

	f.sitting(creatio, twin)

	// Some leave.
	for _, l := range f.tagged(creatio[4]) {
		f.must("", site.Delete("ContactInTag", fmt.Sprint(l["Id"])))
	}
	account.RemoveFromGroup(twin(5), f.group())
	f.over(f.shown(record.Google, twin(6)))
	account.Delete(twin(6))
	for _, i := range []int{4, 5, 6} {
		f.somebody(f.nameInCreatio(creatio[i])).out = true
	}
	slices.Sort(creatio)
}
