package creatio

import (
	"bytes"
	"errors"
	"io"
	"net/http"
	"sync/atomic"
	"testing"
	"time"

	"github.com/tandem-sync/tandem/shared/contact"
	"github.com/tandem-sync/tandem/shared/fault"
	"github.com/tandem-sync/tandem/shared/record"
	box "github.com/tandem-sync/tandem/shared/sandbox/creatio"
)

// change is an operation that gives a contact a title and a number.
func change(r record.Record, title, number string) record.Operation {
	after := r.Fields.Clone()
	after.SetText(contact.JobTitle, title)
	after[contact.Phones] = []record.Entry{{Kind: contact.KindMobile, Text: number}}
	return record.Operation{
		Action: record.Update, ID: r.ID, AdapterState: r.AdapterState, Before: r.Fields, After: after, Changed: []string{contact.JobTitle, contact.Phones},
	}
}

func (s *site) apply(ops ...record.Operation) []record.Result {
	s.t.Helper()
	results, err := s.contacts[Classic].Apply(s.t.Context(), ops)
	s.must(err)
	return results
}

func TestA_contact_and_its_details_change_together_or_not_at_all(t *testing.T) {
	t.Parallel()
	s := newSite(t)
	barred := s.row("Contact", map[string]any{"Name": "Grace Hopper", "JobTitle": "Admiral"})
	free := s.row("Contact", map[string]any{"Name": "Ada Lovelace", "JobTitle": "Countess", "MobilePhone": "+12025550100"})
	s.tag(Classic, barred)
	s.tag(Classic, free)
	ops := []record.Operation{
		change(s.read(Classic, barred), "Programmer", "+12025550101"),
		// A number that is there already is changed, and none is inserted.
		change(s.read(Classic, free), "Mathematician", "+12025550102"),
		{
			Action: record.Create, ID: "aaaaaaaa-0000-4000-8000-000000000001", Join: true, Before: record.Fields{},
			After: record.Fields{
				contact.GivenName: {{Text: "Emmy"}}, contact.Surname: {{Text: "Noether"}},
				contact.Phones: {{Kind: contact.KindMobile, Text: "+12025550103"}},
			},
			Changed: []string{contact.GivenName, contact.Surname, contact.Phones},
		},
	}
	// A right that is missing has the last row of a contact refused, behind others that were written.
	s.box.Deny("Ada", "ContactCommunication", box.Insert)
	results := s.apply(ops...)
	for i, failed := range []bool{true, false, true} {
		if (results[i].Err != nil) != failed {
			t.Errorf("%d: got %v", i, results[i].Err)
		}
	}
	// What is told is why the row was refused, and not that others were not written because of it.
	for _, i := range []int{0, 2} {
		if f, ok := errors.AsType[*fault.Error](results[i].Err); !ok || f.Kind != fault.ReadOnly || f.Code != "forbidden" {
			t.Errorf("%d: the reason is told as %v", i, results[i].Err)
		}
	}
	if title := s.box.As("Ada").Get("Contact", barred)["JobTitle"]; title != "Admiral" {
		t.Errorf("the contact whose number was refused has become %v", title)
	}
	if made := s.box.System().Get("Contact", ops[2].ID); made != nil {
		t.Errorf("the contact whose number was refused is there: %v", made["Name"])
	}
	if is := s.box.As("Ada").Get("Contact", free); is["JobTitle"] != "Mathematician" || is["MobilePhone"] != "+12025550102" {
		t.Errorf("another contact of the batch has become %v, %v", is["JobTitle"], is["MobilePhone"])
	}
}

func TestWhat_somebody_changed_since_it_was_read_is_not_written_over(t *testing.T) {
	t.Parallel()
	s := newSite(t)
	id := s.row("Contact", map[string]any{"Name": "Grace Hopper", "JobTitle": "Admiral"})
	s.tag(Classic, id)
	op := change(s.read(Classic, id), "Programmer", "+12025550101")
	s.pass(time.Minute)
	s.must(s.box.As("Ada").Update("Contact", id, map[string]any{"JobTitle": "Rear admiral"}))
	if r := s.apply(op)[0]; !fault.Is(r.Err, fault.Conflict) {
		t.Errorf("got %v, want a conflict", r.Err)
	}
	if is := s.box.As("Ada").Get("Contact", id); is["JobTitle"] != "Rear admiral" || is["MobilePhone"] != "" {
		t.Errorf("the contact has become %v, %v", is["JobTitle"], is["MobilePhone"])
	}
	// What somebody changed besides is left as it is, and is told of.
	op = change(s.read(Classic, id), "Programmer", "+12025550101")
	s.must(s.box.As("Ada").Update("Contact", id, map[string]any{"Skype": "grace.hopper"}))
	r := s.apply(op)[0]
	if is := s.box.As("Ada").Get("Contact", id); r.Err != nil || is["JobTitle"] != "Programmer" || is["Skype"] != "grace.hopper" {
		t.Errorf("the contact has become %v, %v: %v", is["JobTitle"], is["Skype"], r.Err)
	}
	if r.Record.Fields.Text(contact.Skype) != "grace.hopper" {
		t.Errorf("the change is told of as %v", r.Record.Fields)
	}
}

// A write whose answer is lost may have taken effect or not, and before the site is asked somebody may change what was written.
func TestAfter_a_lost_answer_what_somebody_wrote_meanwhile_stays(t *testing.T) {
	t.Parallel()
	for name, took := range map[string]bool{"the write took effect": true, "the write did not come": false} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s := newSite(t)
			id := s.row("Contact", map[string]any{"Name": "Grace Hopper", "JobTitle": "Admiral"})
			s.tag(Classic, id)
			op := change(s.read(Classic, id), "Programmer", "+12025550101")
			var lost, writes atomic.Int64
			s.box.SetFault(func(r *http.Request) *box.Fault {
				sent, _ := io.ReadAll(r.Body)
				if bytes.Contains(sent, []byte(`"PATCH"`)) {
					writes.Add(1)
					if lost.CompareAndSwap(0, 1) {
						return &box.Fault{Drop: true, After: took}
					}
				} else if lost.CompareAndSwap(1, 2) {
					// The first question after the lost answer.
					_ = s.box.As("Ada").Update("Contact", id, map[string]any{"JobTitle": "Rear admiral"})
				}
				return nil
			})
			result := s.apply(op)[0]
			s.box.SetFault(nil)
			if !fault.Is(result.Err, fault.Conflict) {
				t.Errorf("got %v, want a conflict", result.Err)
			}
			if title := s.box.As("Ada").Get("Contact", id)["JobTitle"]; title != "Rear admiral" || writes.Load() != 1 {
				t.Errorf("after %d writes the contact has become %v", writes.Load(), title)
			}
			if v := s.box.Violations(); len(v) > 0 {
				t.Errorf("what no client may do: %q", v)
			}
		})
	}
}

// The id of a new row is derived from what the row is. Where such a row went to another contact, a new one gets another id.
func TestA_row_whose_id_is_taken_elsewhere_is_made_all_the_same(t *testing.T) {
	t.Parallel()
	s := newSite(t)
	id := s.row("Contact", map[string]any{"Name": "Grace Hopper"})
	other := s.row("Contact", map[string]any{"Name": "Ada Lovelace"})
	s.tag(Classic, id)
	numbers := func(contact string) (out []string) {
		for _, r := range s.box.As("Ada").Rows("ContactCommunication", map[string]any{"ContactId": contact}) {
			out = append(out, r["Id"].(string))
		}
		return out
	}
	op := change(s.read(Classic, id), "Admiral", "+12025550101")
	if r := s.apply(op)[0]; r.Err != nil || len(numbers(id)) != 1 {
		t.Fatalf("got %v", r.Err)
	}
	s.must(s.box.As("Ada").Update("ContactCommunication", numbers(id)[0], map[string]any{"ContactId": other}))
	op = change(s.read(Classic, id), "Rear admiral", "+12025550101")
	r := s.apply(op)[0]
	if mine, theirs := numbers(id), numbers(other); r.Err != nil || len(mine) != 1 || len(theirs) != 1 || mine[0] == theirs[0] {
		t.Errorf("got the numbers %q and %q, %v", mine, theirs, r.Err)
	}
}
