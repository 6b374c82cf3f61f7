package contacts

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"net/http"
	"slices"
	"strings"
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
	results, err := s.contacts[Classic].Apply(s.t.Context(), s.plan(ops...))
	s.must(err)
	return results
}

func (s *site) plan(ops ...record.Operation) []record.Plan {
	s.t.Helper()
	plans, err := s.contacts[Classic].Plan(s.t.Context(), ops)
	s.must(err)
	return plans
}

// Where a site undoes what a group did before it failed, nothing has changed. Elsewhere it stays, and that is told.
func TestA_contact_of_which_a_row_is_refused_is_told_as_it_is(t *testing.T) {
	t.Parallel()
	for _, undone := range []bool{true, false} {
		t.Run(fmt.Sprint(undone), func(t *testing.T) {
			t.Parallel()
			s := newSiteOf(t, box.Options{Transactions: undone})
			barred := s.row("Contact", map[string]any{"Name": "Grace Hopper", "JobTitle": "Admiral"})
			free := s.row("Contact", map[string]any{"Name": "Ada Lovelace", "JobTitle": "Countess", "MobilePhone": "+12025550100"})
			s.tag(Classic, barred)
			s.tag(Classic, free)
			ops := []record.Operation{
				change(s.read(Classic, barred), "Programmer", "+12025550101"),
				// A number that is there already is changed, and none is inserted.
				change(s.read(Classic, free), "Mathematician", "+12025550102"),
				s.creation("Emmy"),
			}
			// A right that is missing has a row refused: in front of the columns of a contact, and behind a contact that is new.
			s.box.Deny("Ada", "ContactCommunication", box.Insert)
			results := s.apply(ops...)
			if results[1].Err != nil {
				t.Error(results[1].Err)
			}
			// What is told is why the row was refused, and not that others were not written because of it.
			if f, ok := errors.AsType[*fault.Error](results[0].Err); !ok || f.Kind != fault.ReadOnly || f.Code != "forbidden" || f.Ambiguous {
				t.Errorf("the reason is told as %v", results[0].Err)
			}
			if title := s.box.As("Ada").Get("Contact", barred)["JobTitle"]; title != "Admiral" {
				t.Errorf("the contact whose number was refused has become %v", title)
			}
			made := s.box.System().Get("Contact", ops[2].ID)
			want := fault.Conflict
			if undone {
				want = fault.ReadOnly
			}
			if made != nil == undone || !fault.Is(results[2].Err, want) || fault.Ambiguous(results[2].Err) == undone {
				t.Errorf("made %v, and told %v", made, results[2].Err)
			}
			if is := s.box.As("Ada").Get("Contact", free); is["JobTitle"] != "Mathematician" || is["MobilePhone"] != "+12025550102" {
				t.Errorf("another contact of the batch has become %v, %v", is["JobTitle"], is["MobilePhone"])
			}
		})
	}
}

// A group whose first write took effect and whose second was refused has changed the contact: what it shows now must not count
// as the edit of somebody.
func TestWhat_a_refused_change_left_behind_is_told_as_its_own(t *testing.T) {
	t.Parallel()
	s := newSite(t)
	id := s.row("Contact", map[string]any{"Name": "Grace Hopper", "JobTitle": "Admiral", "MobilePhone": "+12025550100"})
	s.tag(Classic, id)
	op := change(s.read(Classic, id), "Programmer", "+12025550101")
	s.box.SetPartFault(func(method, url string) *box.Fault {
		if method == http.MethodPatch && strings.HasPrefix(url, "Contact(") {
			return &box.Fault{Status: http.StatusBadRequest, Body: `{"error":{"code":"","message":"The title is not allowed."}}`}
		}
		return nil
	})
	r := s.apply(op)[0]
	if is := s.box.As("Ada").Get("Contact", id); is["MobilePhone"] != "+12025550101" || is["JobTitle"] != "Admiral" {
		t.Fatalf("the contact has become %v, %v", is["JobTitle"], is["MobilePhone"])
	}
	if !fault.Is(r.Err, fault.Conflict) || !fault.Ambiguous(r.Err) {
		t.Errorf("got %v, want a conflict that tells that some was written", r.Err)
	}
}

// A site may answer with an error after it has written.
func TestWhat_was_written_although_the_site_answered_with_an_error_counts_as_written(t *testing.T) {
	t.Parallel()
	s := newSite(t)
	id := s.row("Contact", map[string]any{"Name": "Grace Hopper"})
	s.tag(Classic, id)
	read := s.read(Classic, id)
	op := record.Operation{Action: record.Update, ID: id, AdapterState: read.AdapterState, Before: read.Fields, After: read.Fields.Clone(), Changed: []string{contact.JobTitle}}
	op.After.SetText(contact.JobTitle, "Admiral")
	writes := 0
	s.box.SetPartFault(func(method, _ string) *box.Fault {
		if method == http.MethodGet {
			return nil
		}
		writes++
		return &box.Fault{Status: http.StatusInternalServerError, After: true, Body: `{"error":{"code":"","message":"23502: null value violates not-null constraint"}}`}
	})
	if r := s.apply(op)[0]; r.Err != nil || writes != 1 {
		t.Errorf("got %v after %d writes, want that the contact shows it", r.Err, writes)
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

// The id of a new row is derived from what the row is. Where such a row went to another contact, a new one needs another id,
// and so another plan.
func TestA_row_whose_id_is_taken_elsewhere_is_planned_with_another_one(t *testing.T) {
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
	first := s.plan(op)[0].Rows[contact.Phones]
	if r := s.apply(op)[0]; r.Err != nil || !slices.Equal(numbers(id), first) {
		t.Fatalf("got %v, planned the rows %q and made %q", r.Err, first, numbers(id))
	}
	s.must(s.box.As("Ada").Update("ContactCommunication", first[0], map[string]any{"ContactId": other}))
	op = change(s.read(Classic, id), "Rear admiral", "+12025550101")
	if r := s.apply(op)[0]; !fault.Is(r.Err, fault.Conflict) || fault.Ambiguous(r.Err) {
		t.Errorf("got %v, want that another plan is needed", r.Err)
	}
	if title := s.box.As("Ada").Get("Contact", id)["JobTitle"]; title != "Admiral" {
		t.Errorf("what was planned otherwise was written in part: %v", title)
	}
	second := s.plan(op)[0].Rows[contact.Phones]
	r := s.apply(op)[0]
	if mine, theirs := numbers(id), numbers(other); r.Err != nil || !slices.Equal(mine, second) || !slices.Equal(theirs, first) || mine[0] == theirs[0] {
		t.Errorf("planned %q, got the numbers %q and %q, %v", second, mine, theirs, r.Err)
	}
}

// creation is an operation that makes a contact of a name, under an id that is chosen for it.
func (s *site) creation(given string) record.Operation {
	return record.Operation{
		Action: record.Create, Link: "link", ID: s.contacts[Classic].NewID("Ada\x00people/c1"), Join: true, Before: record.Fields{},
		After: record.Fields{contact.GivenName: {{Text: given}}, contact.Phones: {{Kind: contact.KindMobile, Text: "+12025550103"}}}, Changed: []string{contact.GivenName, contact.Phones},
	}
}

func TestA_creation_that_is_repeated_makes_nothing_twice_and_writes_over_nothing(t *testing.T) {
	t.Parallel()
	s := newSite(t)
	op := s.creation("Emmy")
	for _, attempt := range []string{"first", "second"} {
		r := s.apply(op)[0]
		if rows := s.box.As("Ada").Rows("ContactCommunication", map[string]any{"ContactId": op.ID}); r.Err != nil || len(rows) != 1 || !r.Record.Member {
			t.Errorf("the %s time: %d numbers, %+v", attempt, len(rows), r)
		}
	}
	// Somebody renames the contact before an attempt that knows nothing of it.
	s.must(s.box.As("Ada").Update("Contact", op.ID, map[string]any{"GivenName": "Amalie"}))
	if r := s.apply(op)[0]; !fault.Is(r.Err, fault.Conflict) || !fault.Ambiguous(r.Err) {
		t.Errorf("got %v, want a conflict that tells that the contact may be there", r.Err)
	}
	if is := s.read(Classic, op.ID); is.Fields.Text(contact.GivenName) != "Amalie" {
		t.Errorf("the contact has become %v", is.Fields)
	}
}

// A contact is written as it was planned or not at all: where somebody changed what the plan was made from, though not what it
// changes, it is planned anew.
func TestA_contact_whose_rows_are_others_by_now_is_planned_anew(t *testing.T) {
	t.Parallel()
	s := newSite(t)
	id := s.row("Contact", map[string]any{"Name": "Grace Hopper"})
	s.tag(Classic, id)
	row := s.row("ContactCommunication", map[string]any{"ContactId": id, "CommunicationTypeId": phoneMobile, "Number": "+12025550100"})
	op := change(s.read(Classic, id), "Admiral", "+12025550101")
	// The same number, in another row.
	s.must(s.box.As("Ada").Delete("ContactCommunication", row))
	s.row("ContactCommunication", map[string]any{"ContactId": id, "CommunicationTypeId": phoneMobile, "Number": "+12025550100"})
	if r := s.apply(op)[0]; !fault.Is(r.Err, fault.Conflict) {
		t.Errorf("got %v, want a conflict", r.Err)
	}
	if is := s.box.As("Ada").Get("Contact", id); is["JobTitle"] != "" || is["MobilePhone"] != "+12025550100" {
		t.Errorf("the contact has become %v, %v", is["JobTitle"], is["MobilePhone"])
	}
}

func TestAn_operation_that_cannot_be_planned_says_so_and_stops_no_other(t *testing.T) {
	t.Parallel()
	s := newSite(t)
	id := s.row("Contact", map[string]any{"Name": "Grace Hopper"})
	s.tag(Classic, id)
	read := s.read(Classic, id)
	unread, nameless, strange := change(read, "Admiral", "+12025550101"), s.creation("Emmy"), change(read, "Admiral", "+12025550101")
	unread.AdapterState, nameless.ID, strange.Action = nil, "", "delete"
	results := s.apply(unread, nameless, strange, change(read, "Admiral", "+12025550101"))
	for i, want := range []fault.Kind{fault.Conflict, fault.Bug, fault.Bug} {
		if !fault.Is(results[i].Err, want) {
			t.Errorf("%d: got %v, want %s", i, results[i].Err, want)
		}
	}
	if results[3].Err != nil || s.read(Classic, id).Fields.Text(contact.JobTitle) != "Admiral" {
		t.Errorf("got %v", results[3].Err)
	}
}

// A site may insist on being told who owns a new contact. That shows nowhere, so the plan stays what it was.
func TestWhere_a_site_insists_on_an_owner_the_user_owns_what_is_made(t *testing.T) {
	t.Parallel()
	s := newSite(t)
	s.box.SetFault(func(r *http.Request) *box.Fault {
		sent, _ := io.ReadAll(r.Body)
		if !bytes.Contains(sent, []byte(`"POST"`)) || bytes.Contains(sent, []byte("OwnerId")) {
			return nil
		}
		return &box.Fault{Status: http.StatusOK, Body: `{"responses":[{"id":"1","status":400,"body":{"error":{"code":"","message":"Owner: the field is required."}}}]}`}
	})
	op := s.creation("Emmy")
	plan := s.plan(op)[0]
	r := s.apply(op)[0]
	if is := s.box.System().Get("Contact", op.ID); r.Err != nil || is == nil || is["OwnerId"] != s.user.ContactID {
		t.Errorf("got %v, made %v", r.Err, is)
	}
	if !contact.Schema.Equal(plan.Displayed, s.read(Classic, op.ID).Fields) {
		t.Errorf("planned %v, shows %v", plan.Displayed, s.read(Classic, op.ID).Fields)
	}
}

// A part that fails behind a batch without a reason is told by itself why.
func TestWhat_is_refused_without_a_reason_is_sent_again_alone_and_told_why(t *testing.T) {
	t.Parallel()
	s := newSite(t)
	id, other := s.row("Contact", map[string]any{"Name": "Grace Hopper"}), s.row("Contact", map[string]any{"Name": "Ada Lovelace"})
	s.tag(Classic, id)
	s.tag(Classic, other)
	ops := []record.Operation{change(s.read(Classic, id), "Admiral", "+12025550101"), change(s.read(Classic, other), "Countess", "+12025550102")}
	s.box.DenyRecord("Ada", "Contact", id, box.Update)
	s.box.SetPartFault(func(method, _ string) *box.Fault {
		if method == http.MethodGet {
			return nil
		}
		return &box.Fault{Status: http.StatusInternalServerError, Bare: true}
	})
	results := s.apply(ops...)
	if f, ok := errors.AsType[*fault.Error](results[0].Err); !ok || f.Kind != fault.ReadOnly || f.Code != "forbidden" {
		t.Errorf("got %v, want that the right is missing", results[0].Err)
	}
	if results[1].Err != nil || s.read(Classic, other).Fields.Text(contact.JobTitle) != "Countess" {
		t.Errorf("got %v, want that the other one is written", results[1].Err)
	}
}

func TestA_batch_that_is_refused_as_a_whole_is_halved_until_only_what_is_at_fault_fails(t *testing.T) {
	t.Parallel()
	for name, answer := range map[string]box.Fault{
		"too large, told by a page": {Status: http.StatusRequestEntityTooLarge},
		"unreadable":                {Status: http.StatusBadRequest, Body: `{"error":{"code":"","message":"The batch cannot be read."}}`},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s := newSite(t)
			var ops []record.Operation
			for i := range 9 {
				op := s.creation(fmt.Sprintf("Emmy %d", i))
				op.ID, op.Link = s.contacts[Classic].NewID(fmt.Sprint(i)), fmt.Sprint(i)
				ops = append(ops, op)
			}
			const wrong = 4
			s.box.SetFault(func(r *http.Request) *box.Fault {
				sent, _ := io.ReadAll(r.Body)
				if r.Method == http.MethodPost && bytes.Contains(sent, []byte("Emmy 4")) {
					return &answer
				}
				return nil
			})
			for i, r := range s.apply(ops...) {
				if (r.Err != nil) != (i == wrong) {
					t.Errorf("%d: got %v", i, r.Err)
				}
			}
			if n := len(s.box.System().Rows("ContactInTag", nil)); n != len(ops)-1 {
				t.Errorf("%d contacts are under the tag", n)
			}
		})
	}
}

// A site that refuses whatever is sent has nothing against a record.
func TestA_site_that_refuses_every_batch_blames_no_record(t *testing.T) {
	t.Parallel()
	s := newSite(t)
	var ops []record.Operation
	for i := range 9 {
		op := s.creation(fmt.Sprintf("Emmy %d", i))
		op.ID, op.Link = s.contacts[Classic].NewID(fmt.Sprint(i)), fmt.Sprint(i)
		ops = append(ops, op)
	}
	plans := s.plan(ops...)
	s.box.SetFault(func(r *http.Request) *box.Fault {
		if strings.HasSuffix(r.URL.Path, "$batch") {
			return &box.Fault{Status: http.StatusBadRequest, Body: `{"error":{"code":"","message":"The batch cannot be read."}}`}
		}
		return nil
	})
	results, err := s.contacts[Classic].Apply(t.Context(), plans)
	if !fault.Is(err, fault.Bug) {
		t.Errorf("got %v, want that the run ends", err)
	}
	for i, r := range results {
		if fault.Is(r.Err, fault.BadRecord) || r.Err == nil {
			t.Errorf("%d: got %v", i, r.Err)
		}
	}
}
