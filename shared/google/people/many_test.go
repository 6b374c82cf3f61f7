package people

import (
	"fmt"
	"testing"

	"google.golang.org/api/people/v1"

	"github.com/tandem-sync/tandem/shared/contact"
	"github.com/tandem-sync/tandem/shared/record"
)

func TestRewrite_takes_a_step_or_two_for_each_of_ten_thousand_numbers(t *testing.T) {
	t.Parallel()
	const n = 10_000
	have := &people.Person{}
	for i := range n {
		have.PhoneNumbers = append(have.PhoneNumbers, &people.PhoneNumber{Type: "workFax", Value: fmt.Sprintf("+1 202 200 %04d", i)})
	}
	l := phoneList(have)
	count := 0
	key, alike, entry := l.field.Key, l.field.Alike, l.entry
	l.field.Key = func(e record.Entry) string { count++; return key(e) }
	l.field.Alike = func(a, b record.Entry) bool { count++; return alike(a, b) }
	l.entry = func(p *people.PhoneNumber) (record.Entry, bool) { count++; return entry(p) }
	var want []wanted
	for i := range n {
		e := record.Entry{Kind: contact.KindWork, Text: fmt.Sprintf("+1 202 200 %04d", n-1-i)}
		switch i % 4 {
		case 2:
			e.Text = "+1-" + e.Text[3:]
		case 3:
			e.Text = fmt.Sprintf("+44 20 7000 %04d", i)
		}
		want = append(want, wanted{e, e})
	}
	if got := l.rewrite(want); len(got) != n || got[0].Type != "workFax" {
		t.Errorf("%d numbers, the first is %+v", len(got), got[0])
	}
	if count > 20*n {
		t.Errorf("%d steps for %d numbers", count, n)
	}
}

func TestRewrite_keeps_the_other_entries_of_a_number_that_gets_another_label(t *testing.T) {
	t.Parallel()
	l := phoneList(&people.Person{PhoneNumbers: []*people.PhoneNumber{
		{Type: "work", Value: "+12025550101", Metadata: &people.FieldMetadata{SourcePrimary: true}}, {Type: "home", Value: "+1 202 555 0101"}, {Type: "mobile", Value: "+12025550101"},
	}})
	got := func(want record.Entry) (out string) {
		for _, n := range l.rewrite([]wanted{{want, want}}) {
			out += n.Type + " " + n.Value + "; "
		}
		return out
	}
	if is, want := got(record.Entry{Kind: contact.KindMobile, Text: "+12025550101"}), "mobile +12025550101; home +1 202 555 0101; "; is != want {
		t.Errorf("another label: %s, want %s", is, want)
	}
	if is, want := got(record.Entry{Kind: contact.KindWork, Text: "+12025550199"}), "work +12025550199; "; is != want {
		t.Errorf("another number: %s, want %s", is, want)
	}
	if is, want := got(record.Entry{Kind: contact.KindWork, Text: "+12025550101"}), "work +12025550101; home +1 202 555 0101; mobile +12025550101; "; is != want {
		t.Errorf("the same: %s, want %s", is, want)
	}
}
