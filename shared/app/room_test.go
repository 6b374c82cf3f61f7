package app_test

import (
	"fmt"
	"slices"
	"strings"
	"testing"

	"google.golang.org/api/people/v1"

	"github.com/tandem-sync/tandem/shared/store"
)

// overfull makes a contact in Creatio with more than one in Google can hold.
func (w *world) overfull(tag, name string, notes, numbers, addresses int) string {
	w.t.Helper()
	id := w.row("Ada", "Contact", map[string]any{"Name": name, "Notes": strings.Repeat("é note. ", notes/9)})
	for i := range numbers {
		w.row("Ada", "ContactCommunication", map[string]any{"ContactId": id, "CommunicationTypeId": "3dddb3cc-53ee-49c4-a71f-e9e257f59e49", "Number": fmt.Sprintf("+1 202 555 %04d", i)})
	}
	for i := range addresses {
		w.row("Ada", "ContactAddress", map[string]any{"ContactId": id, "AddressTypeId": "4f8b2d67-71d0-45fb-897e-cd4a308a97c0", "Address": fmt.Sprintf("%d %s", i, strings.Repeat("Long Street ", 35))})
	}
	w.tagged(tag, id)
	return id
}

// problemsOf are the problems of a run, in the order of the alphabet.
func problemsOf(run store.Run) (codes []string) {
	for _, p := range run.Problems {
		codes = append(codes, p.Record+" "+p.Code)
	}
	slices.Sort(codes)
	return codes
}

func TestA_contact_has_in_Google_what_there_is_room_for_and_all_of_it_in_Creatio(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	tag := w.tag("Ada", private)
	w.overfull(tag, "Notes Numbers", 200_000, 200, 0)
	w.overfull(tag, "Notes Addresses", 90_000, 10, 80)
	w.overfull(tag, "Some Ada", 60_000, 20, 5)
	w.link()
	w.choose(tag)
	before := w.rowsOf("ContactCommunication", "ContactAddress", "Contact")
	run := w.sync("done")
	if got, want := fmt.Sprint(problemsOf(run)), "[Notes Addresses cut Notes Numbers cut]"; got != want {
		t.Errorf("told %s, want %s", got, want)
	}
	if got, want := w.crowd(), "Ada: 20 numbers, 5 addresses, 59 kB of notes; Addresses: 10 numbers, 80 addresses, 68 kB of notes; Numbers: 200 numbers, 0 addresses, 90 kB of notes"; got != want {
		t.Errorf("Google has %s\nwant %s", got, want)
	}
	w.silent()
	for _, p := range w.google.Account(ada).People() {
		w.google.Account(ada).Edit(p.ResourceName, func(p *people.Person) { p.Nicknames = []*people.Nickname{{Value: "Nick"}} })
	}
	w.silent()
	if after := w.rowsOf("ContactCommunication", "ContactAddress", "Contact"); after != before {
		t.Error("something else is in Creatio than before")
	}
	// More addresses find no room beside notes that are there.
	id := w.creatio.System().Rows("Contact", map[string]any{"Name": "Notes Addresses"})[0]["Id"].(string)
	for i := range 3 {
		w.row("Ada", "ContactAddress", map[string]any{"ContactId": id, "AddressTypeId": "4f8b2d67-71d0-45fb-897e-cd4a308a97c0", "Address": fmt.Sprintf("9%d %s", i, strings.Repeat("Long Street ", 35))})
	}
	if got := fmt.Sprint(problemsOf(w.sync("done"))); got != "[Notes Addresses too-many]" {
		t.Errorf("told %s", got)
	}
	w.silent()
}

// crowd is how much the contacts in Google have.
func (w *world) crowd() string {
	var out []string
	for _, p := range w.google.Account(ada).People() {
		notes := 0
		for _, n := range p.Biographies {
			notes += len(n.Value)
		}
		out = append(out, fmt.Sprintf("%s: %d numbers, %d addresses, %d kB of notes", p.Names[0].FamilyName, len(p.PhoneNumbers), len(p.Addresses), notes/1000))
	}
	slices.Sort(out)
	return strings.Join(out, "; ")
}

// rowsOf are rows of the site, as one text.
func (w *world) rowsOf(sets ...string) string {
	var b strings.Builder
	for _, set := range sets {
		for _, r := range w.creatio.System().Rows(set, nil) {
			fmt.Fprintln(&b, set, r["Id"], r["Number"], r["Address"], r["Notes"], r["Name"])
		}
	}
	return b.String()
}
