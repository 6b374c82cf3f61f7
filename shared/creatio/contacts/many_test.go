package contacts

import (
	"fmt"
	"testing"

	"github.com/tandem-sync/tandem/shared/contact"
	"github.com/tandem-sync/tandem/shared/creatio"
	"github.com/tandem-sync/tandem/shared/record"
)

// manyNumbers are n numbers of an office, all of one kind.
func manyNumbers(n, from int) []record.Entry {
	out := make([]record.Entry, n)
	for i := range out {
		out[i] = record.Entry{Kind: contact.KindWork, Text: fmt.Sprintf("+1 202 %03d %04d", 200+(from+i)/10000, (from+i)%10000)}
	}
	return out
}

// steps is how often the identities and the likeness of entries are asked for while n rows come to hold n other values.
func steps(n int) int {
	f, _ := contact.Schema.Field(contact.Phones)
	count := 0
	key, alike := f.Key, f.Alike
	f.Key = func(e record.Entry) string { count++; return key(e) }
	f.Alike = func(a, b record.Entry) bool { count++; return alike(a, b) }
	rows, want := make([]row, n), make([]wanted, n)
	for i, e := range manyNumbers(n, 0) {
		rows[i] = row{ID: fmt.Sprint(i), Kind: e.Kind, Text: e.Text}
	}
	// A half stays, a fourth is respelled, a fourth is replaced.
	for i, e := range manyNumbers(n, 0) {
		switch i % 4 {
		case 2:
			e.Text = e.Text[:len(e.Text)-4] + "-" + e.Text[len(e.Text)-4:]
		case 3:
			e.Text = fmt.Sprintf("+44 20 7%03d %04d", i/10000, i%10000)
		}
		want[n-1-i] = wanted{e, e}
	}
	p := pair(f, rows, want)
	if len(p.keep) != n/2 || len(p.change) != n/2 || len(p.insert)+len(p.remove)+len(p.beside) > 0 {
		panic(fmt.Sprintf("%d kept, %d changed", len(p.keep), len(p.change)))
	}
	return count
}

func TestPair_takes_a_step_or_two_for_each_of_ten_thousand_numbers(t *testing.T) {
	t.Parallel()
	const n = 10_000
	if got := steps(n); got > 10*n {
		t.Errorf("%d steps for %d numbers", got, n)
	}
}

// A plan that looked at every value for every other one would allocate four times as much for twice the values.
func TestPlan_of_twice_the_numbers_and_addresses_takes_twice_the_room(t *testing.T) {
	plan := func(n int) float64 {
		var addresses []record.Entry
		for i := range n {
			addresses = append(addresses, record.Entry{Kind: contact.KindHome, Parts: map[string]string{contact.Street: fmt.Sprintf("%d High St", i)}})
		}
		op := record.Operation{
			Action: record.Update, ID: "p", Changed: []string{contact.Phones, contact.Addresses},
			Before: record.Fields{contact.Phones: manyNumbers(n, 0), contact.Addresses: addresses},
			After:  record.Fields{contact.Phones: manyNumbers(2*n, n/2), contact.Addresses: addresses[n/2:]},
		}
		var have state
		for i, e := range op.Before[contact.Phones] {
			have.Communications = append(have.Communications, row{ID: fmt.Sprint("n", i), Kind: e.Kind, Text: e.Text})
		}
		for i, e := range addresses {
			have.Addresses = append(have.Addresses, row{ID: fmt.Sprint("a", i), Kind: e.Kind, Parts: e.Parts})
		}
		return testing.AllocsPerRun(1, func() {
			questions([]record.Operation{op})
			planContact(op, have, creatio.Names{}, nil)
		})
	}
	if once, twice := plan(100), plan(200); twice > 2.5*once {
		t.Errorf("%.0f allocations for 100, %.0f for 200", once, twice)
	}
}

func TestPair_keeps_the_other_rows_of_a_number_that_gets_another_label(t *testing.T) {
	t.Parallel()
	f, _ := contact.Schema.Field(contact.Phones)
	rows := []row{{ID: "1", Kind: "work", Text: "+12025550101"}, {ID: "2", Kind: "home", Text: "+1 202 555 0101"}, {ID: "3", Kind: "mobile", Text: "+12025550101"}}
	p := pair(f, rows, []wanted{{displayed: phone("mobile", "+12025550101")}})
	if len(p.change) != 1 || p.change[0].row.ID != "1" || len(p.beside) != 1 || p.beside[0].ID != "2" || len(p.remove) != 1 || p.remove[0].ID != "3" {
		t.Errorf("got %+v", p)
	}
	other := pair(f, rows, []wanted{{displayed: phone("work", "+12025550199")}})
	if len(other.change) != 1 || len(other.beside) > 0 || len(other.remove) != 2 {
		t.Errorf("another number: got %+v", other)
	}
}
