package people

import (
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"google.golang.org/api/people/v1"

	"github.com/tandem-sync/tandem/shared/contact"
	"github.com/tandem-sync/tandem/shared/fault"
	"github.com/tandem-sync/tandem/shared/google"
	"github.com/tandem-sync/tandem/shared/httpx"
	"github.com/tandem-sync/tandem/shared/record"
)

func creation(i int, given string) record.Operation {
	return record.Operation{
		Action: record.Create, Link: fmt.Sprintf("L%d", i), Join: true, Before: record.Fields{}, After: record.Fields{contact.GivenName: text(given)},
		Changed: []string{contact.GivenName},
	}
}

func fetched(t *testing.T, c *Side, id string) record.Record {
	t.Helper()
	got, err := c.Fetch(t.Context(), []string{id})
	if err != nil || len(got) != 1 {
		t.Fatalf("got %v, %v", got, err)
	}
	return got[0]
}

// rename is an operation that gives a contact another name.
func rename(r record.Record, given string) record.Operation {
	after := r.Fields.Clone()
	after.SetText(contact.GivenName, given)
	op := change(r, after)
	return op
}

func mustApply(t *testing.T, c *Side, ops ...record.Operation) []record.Result {
	t.Helper()
	results, err := apply(t, c, ops...)
	if err != nil || len(results) != len(ops) {
		t.Fatalf("got %d results, %v", len(results), err)
	}
	return results
}

func TestTwo_hundred_creations_are_one_request(t *testing.T) {
	t.Parallel()
	s := newService(t)
	c := s.open(Options{Group: testGroup})
	var ops []record.Operation
	for i := range 201 {
		ops = append(ops, creation(i, fmt.Sprintf("N%d", i)))
	}
	results := mustApply(t, c, ops...)
	if got := s.called(); len(got) != 2 {
		t.Errorf("got calls %v, want two batches", got)
	}
	for i, r := range results {
		if r.Err != nil || r.Record.Mark != ops[i].Link || r.Record.Fields.Text(contact.GivenName) != fmt.Sprintf("N%d", i) || !r.Record.Member {
			t.Fatalf("result %d is %+v", i, r)
		}
		p := s.people[r.Record.ID]
		if !memberOf(p, testGroup) || !memberOf(p, myContacts) {
			t.Errorf("%s is not in both groups", r.Record.ID)
		}
	}
	// What came back is enough to write again.
	r := results[5].Record
	if again := mustApply(t, c, rename(r, "Again")); again[0].Err != nil {
		t.Error(again[0].Err)
	}
}

func TestNo_request_holds_more_than_the_service_takes(t *testing.T) {
	t.Parallel()
	s := newService(t)
	var names []string
	for i := range 1001 {
		names = append(names, fmt.Sprintf("people/p%04d", i))
		s.put(names[i], named(fmt.Sprintf("N%d", i)), testGroup, myContacts)
	}
	c := s.open(Options{Group: testGroup, PageSize: 5000})
	if d := mustScan(t, c, nil); len(d.Members) != len(names) {
		t.Fatalf("listed %d of %d", len(d.Members), len(names))
	}
	found, err := c.Fetch(t.Context(), names)
	if err != nil || len(found) != len(names) {
		t.Fatalf("got %d of %d, %v", len(found), len(names), err)
	}
	renames, leaves := make([]record.Operation, len(found)), make([]record.Operation, len(found))
	for i, r := range found {
		renames[i] = rename(r, "Again")
		leaves[i] = record.Operation{Action: record.Unlink, ID: r.ID, AdapterState: r.AdapterState, Before: r.Fields, After: r.Fields}
	}
	s.called()
	for _, tc := range []struct {
		what string
		ops  []record.Operation
		want int
	}{{"changes", renames, 6}, {"members who leave", leaves, 2}} {
		for i, r := range mustApply(t, c, tc.ops...) {
			if r.Err != nil {
				t.Fatalf("%s: %d: %v", tc.what, i, r.Err)
			}
		}
		if got := s.called(); len(got) != tc.want {
			t.Errorf("%s took %d requests, want %d", tc.what, len(got), tc.want)
		}
	}
}

func TestOne_bad_record_never_stops_the_others(t *testing.T) {
	t.Parallel()
	s := newService(t)
	c := s.open(Options{Group: testGroup})
	var ops []record.Operation
	for i := range 50 {
		ops = append(ops, creation(i, map[bool]string{true: bad, false: "Good"}[i == 13 || i == 40]))
	}
	check := func(what string, results []record.Result) {
		for i, r := range results {
			if i == 13 || i == 40 {
				f := wantFault(t, r.Err, fault.BadRecord, "refused")
				if strings.Contains(f.Error(), "A value is not valid.") {
					t.Errorf("%s: %v carries what Google wrote", what, f)
				}
			} else if r.Err != nil {
				t.Errorf("%s %d: %v", what, i, r.Err)
			}
		}
	}
	results := mustApply(t, c, ops...)
	check("create", results)
	if len(s.people) != 48 {
		t.Errorf("%d people were made, want each good one once", len(s.people))
	}
	if got := s.called(); len(got) > 30 {
		t.Errorf("%d calls to find two records", len(got))
	}
	var changes []record.Operation
	for i := range 50 {
		name := fmt.Sprintf("people/u%d", i)
		s.put(name, named("Was"), testGroup)
		changes = append(changes, rename(fetched(t, c, name), ops[i].After.Text(contact.GivenName)))
	}
	check("update", mustApply(t, c, changes...))
	if got := s.people["people/u0"].Names[0].GivenName; got != "Good" {
		t.Errorf("a good one was not written: %q", got)
	}
}

func TestA_contact_that_may_not_be_changed_stops_nobody_elses_change(t *testing.T) {
	t.Parallel()
	s := newService(t)
	c := s.open(Options{Group: testGroup})
	var ops []record.Operation
	for i := range 20 {
		name := fmt.Sprintf("people/u%02d", i)
		s.put(name, named("Was"), testGroup)
		ops = append(ops, rename(fetched(t, c, name), map[bool]string{true: locked, false: "Is"}[i == 5]))
	}
	for i, r := range mustApply(t, c, ops...) {
		if i == 5 {
			wantFault(t, r.Err, fault.ReadOnly, "forbidden")
		} else if r.Err != nil || r.Record.Fields.Text(contact.GivenName) != "Is" {
			t.Errorf("%d: got %+v", i, r)
		}
	}
}

func TestBatches_that_Google_refuses_again_and_again_are_not_split_for_ever(t *testing.T) {
	t.Parallel()
	s := newService(t)
	c := s.open(Options{Group: testGroup})
	var ops []record.Operation
	for i := range 1000 {
		ops = append(ops, creation(i, bad))
	}
	results, err := apply(t, c, ops...)
	wantFault(t, err, fault.Retry, "many-refused")
	refused, left := 0, 0
	for _, r := range results {
		switch {
		case fault.Is(r.Err, fault.BadRecord):
			refused++
		case fault.Is(r.Err, fault.Retry) && !fault.Ambiguous(r.Err):
			left++
		}
	}
	if refused == 0 || left == 0 || refused+left != len(ops) {
		t.Errorf("%d are refused and %d left for later, of %d", refused, left, len(ops))
	}
	if n := len(s.called()); n > 2*200+10 {
		t.Errorf("that took %d requests", n)
	}
}

func TestA_stale_version_is_a_conflict_of_that_record_only(t *testing.T) {
	t.Parallel()
	s := newService(t)
	c := s.open(Options{Group: testGroup})
	var ops []record.Operation
	for i := range 20 {
		name := fmt.Sprintf("people/u%02d", i)
		s.put(name, named("Was"), testGroup)
		ops = append(ops, rename(fetched(t, c, name), "Is"))
	}
	s.put("people/u03", named("Somebody's"), testGroup)
	s.remove("people/u07")
	s.called()
	results := mustApply(t, c, ops...)
	for i, r := range results {
		switch i {
		case 3:
			wantFault(t, r.Err, fault.Conflict, "changed-meanwhile")
		case 7:
			wantFault(t, r.Err, fault.Gone, "not-found")
		default:
			if r.Err != nil || r.Record.Fields.Text(contact.GivenName) != "Is" {
				t.Errorf("%d: got %+v", i, r)
			}
		}
	}
	if diff := cmp.Diff([]string{"POST people:batchUpdateContacts", "GET people:batchGet", "POST people:batchUpdateContacts"}, s.called()); diff != "" {
		t.Error(diff)
	}
	if got := s.people["people/u03"].Names[0].GivenName; got != "Somebody's" {
		t.Errorf("somebody's change was written over with %q", got)
	}
}

func TestA_change_whose_answer_was_lost_is_found_done(t *testing.T) {
	t.Parallel()
	s := newService(t)
	s.put("people/a", named("Was"), testGroup)
	c := s.open(Options{Group: testGroup})
	op := rename(fetched(t, c, "people/a"), "Is")
	lose := true
	s.after = func(call string) bool {
		lost := lose && call == "POST people:batchUpdateContacts"
		lose = lose && !lost
		return lost
	}
	first := mustApply(t, c, op)
	if !fault.Ambiguous(first[0].Err) || !fault.Is(first[0].Err, fault.Retry) {
		t.Fatalf("got %v, want an ambiguous retry", first[0].Err)
	}
	if second := mustApply(t, c, op); second[0].Err != nil || second[0].Record.Fields.Text(contact.GivenName) != "Is" {
		t.Errorf("got %+v, want it done", second[0])
	}
}

func TestA_change_whose_answer_was_lost_and_that_somebody_wrote_over_is_in_doubt(t *testing.T) {
	t.Parallel()
	s := newService(t)
	s.put("people/a", named("Was"), testGroup)
	s.put("people/b", named("Was"), testGroup)
	server := httptest.NewServer(s)
	t.Cleanup(server.Close)
	atOnce := func(context.Context, time.Duration) error { return nil }
	c := open(t, google.Options{HTTP: httpx.NewClient(httpx.Options{Side: google.Side, Sleep: atOnce}), Endpoint: server.URL}, Options{Group: testGroup})
	lost := rename(fetched(t, c, "people/a"), "Is")
	writes := 0
	s.after = func(call string) bool {
		if call != "POST people:batchUpdateContacts" {
			return false
		}
		if writes++; writes == 1 {
			other := named("Somebody's")
			s.store("people/a", &other)
		}
		return writes == 1
	}
	if f := wantFault(t, mustApply(t, c, lost)[0].Err, fault.Conflict, "changed-meanwhile"); !f.Ambiguous {
		t.Error("the value that was written first and the one it replaced may be gone, and nobody says so")
	}
	stale := rename(fetched(t, c, "people/b"), "Is")
	s.put("people/b", named("Somebody's"), testGroup)
	if f := wantFault(t, mustApply(t, c, stale)[0].Err, fault.Conflict, "changed-meanwhile"); f.Ambiguous {
		t.Error("what was refused at once is not in doubt")
	}
}

func TestA_creation_whose_answer_was_lost_is_ambiguous_and_carries_its_mark(t *testing.T) {
	t.Parallel()
	s := newService(t)
	c := s.open(Options{Group: testGroup})
	first := mustScan(t, c, nil)
	s.after = func(call string) bool { return call == "POST people:batchCreateContacts" }
	results := mustApply(t, c, creation(1, "Ada"))
	if f := wantFault(t, results[0].Err, fault.Retry, ""); !f.Ambiguous {
		t.Errorf("%v is not ambiguous", f)
	}
	d := mustScan(t, c, first.Cursor)
	if len(d.Records) != 1 || d.Records[0].Unpack().Mark != "L1" || !d.Records[0].Unpack().Member {
		t.Errorf("got %+v, want the contact with its mark", record.UnpackAll(d.Records))
	}
	var ops []record.Operation
	for i := range 450 {
		ops = append(ops, creation(i, "N"))
	}
	s.called()
	results, err := apply(t, c, ops...)
	if !fault.Is(err, fault.Retry) || len(s.called()) != 2 {
		t.Errorf("got %v, want it to give up after two lost answers", err)
	}
	if !fault.Ambiguous(results[399].Err) || fault.Ambiguous(results[400].Err) || google.Code(results[400].Err) != "not-done" {
		t.Errorf("got %v and %v, want doubt only about what was sent", results[399].Err, results[400].Err)
	}
}

func TestBeing_asked_to_wait_ends_the_writing(t *testing.T) {
	t.Parallel()
	for name, ask := range map[string]func(http.ResponseWriter){
		"in the header": func(w http.ResponseWriter) {
			w.Header().Set("Retry-After", "30")
			apiError{429, "RESOURCE_EXHAUSTED", "Quota exceeded.", "RATE_LIMIT_EXCEEDED"}.write(w)
		},
		// https://github.com/googleapis/googleapis/blob/master/google/rpc/error_details.proto
		"in the details": func(w http.ResponseWriter) {
			w.WriteHeader(http.StatusTooManyRequests)
			_, _ = w.Write([]byte(`{"error":{"code":429,"status":"RESOURCE_EXHAUSTED","message":"Quota exceeded.",
				"details":[{"@type":"type.googleapis.com/google.rpc.RetryInfo","retryDelay":"30s"}]}}`))
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s := newService(t)
			c := s.open(Options{Group: testGroup})
			s.before = func(_ string, w http.ResponseWriter, _ []byte) bool {
				ask(w)
				return true
			}
			results, err := apply(t, c, creation(1, "Ada"), creation(2, "Bob"))
			if f := wantFault(t, err, fault.Retry, "quota"); f.After.Seconds() != 30 || f.Ambiguous {
				t.Errorf("got after %v, ambiguous %v", f.After, f.Ambiguous)
			}
			for _, r := range results {
				if f := wantFault(t, r.Err, fault.Retry, "not-done"); f.Ambiguous {
					t.Error("nothing was done, and that is certain")
				}
			}
			if got := s.called(); len(got) != 1 {
				t.Errorf("got calls %v after the answer to wait", got)
			}
		})
	}
}

func TestA_group_deleted_meanwhile_is_no_records_fault(t *testing.T) {
	t.Parallel()
	s := newService(t)
	s.put("people/a", named("A"), testGroup, myContacts)
	s.put("people/b", named("B"), myContacts)
	c := s.open(Options{Group: testGroup})
	a, b := fetched(t, c, "people/a"), fetched(t, c, "people/b")
	delete(s.groups, testGroup)
	results, err := apply(t, c, creation(1, "Ada"), creation(2, "Bob"))
	wantFault(t, err, fault.Retry, "group-gone")
	if len(s.people) != 2 || results[0].Err == nil {
		t.Errorf("got %v", results)
	}
	results, err = apply(t, c,
		record.Operation{Action: record.Unlink, ID: a.ID, AdapterState: a.AdapterState, Before: a.Fields, After: a.Fields},
		record.Operation{Action: record.Update, ID: b.ID, AdapterState: b.AdapterState, Before: b.Fields, After: b.Fields, Join: true},
	)
	wantFault(t, err, fault.Retry, "group-gone")
	if results[0].Err != nil || results[1].Err == nil {
		t.Errorf("got %v and %v, want who was to leave to have left", results[0].Err, results[1].Err)
	}
}

func TestWhat_was_written_before_somebody_deleted_it_is_not_called_undone(t *testing.T) {
	t.Parallel()
	s := newService(t)
	s.put("people/a", named("A"), myContacts)
	c := s.open(Options{Group: testGroup})
	op := rename(fetched(t, c, "people/a"), "B")
	op.Join = true
	s.before = func(call string, _ http.ResponseWriter, _ []byte) bool {
		if strings.HasSuffix(call, ":modify") {
			delete(s.people, "people/a")
		}
		return false
	}
	if f := wantFault(t, mustApply(t, c, op)[0].Err, fault.Gone, "not-found"); !f.Ambiguous {
		t.Error("the name was written, and the error says that nothing was")
	}
}

func TestWhat_was_written_before_the_group_could_not_be_joined_is_not_called_undone(t *testing.T) {
	t.Parallel()
	s := newService(t)
	s.put("people/a", named("A"), myContacts)
	s.put("people/b", named("B"), myContacts)
	c := s.open(Options{Group: testGroup})
	both := rename(fetched(t, c, "people/a"), "C")
	both.Join = true
	r := fetched(t, c, "people/b")
	only := record.Operation{Action: record.Update, ID: r.ID, AdapterState: r.AdapterState, Before: r.Fields, After: r.Fields, Join: true}
	s.before = func(call string, w http.ResponseWriter, _ []byte) bool {
		if !strings.HasSuffix(call, ":modify") {
			return false
		}
		apiError{429, "RESOURCE_EXHAUSTED", "Quota exceeded.", "RATE_LIMIT_EXCEEDED"}.write(w)
		return true
	}
	results, err := apply(t, c, both, only)
	wantFault(t, err, fault.Retry, "quota")
	if f := wantFault(t, results[0].Err, fault.Retry, "quota"); !f.Ambiguous {
		t.Error("the name was written, and the error says that nothing was")
	}
	if f := wantFault(t, results[1].Err, fault.Retry, ""); f.Ambiguous {
		t.Error("nothing was written, and the error says that something may have been")
	}
}

func TestMembers_join_and_leave_and_nobody_is_deleted(t *testing.T) {
	t.Parallel()
	s := newService(t)
	s.put("people/join", named("Was"), myContacts)
	s.put("people/only", named("Same"), myContacts)
	s.put("people/leave", named("Leave"), testGroup, myContacts)
	s.put("people/last", named("Last"), testGroup)
	s.put("people/lost", named("Lost"), myContacts)
	c := s.open(Options{Group: testGroup})
	var r []record.Record
	for _, name := range []string{"join", "only", "leave", "last", "lost"} {
		r = append(r, fetched(t, c, "people/"+name))
	}
	s.remove("people/lost")
	join := rename(r[0], "Is")
	join.Join = true
	s.called()
	results := mustApply(t, c, join,
		record.Operation{Action: record.Update, ID: r[1].ID, AdapterState: r[1].AdapterState, Before: r[1].Fields, After: r[1].Fields, Join: true},
		record.Operation{Action: record.Unlink, ID: r[2].ID, AdapterState: r[2].AdapterState, Before: r[2].Fields, After: r[2].Fields},
		record.Operation{Action: record.Unlink, ID: r[3].ID, AdapterState: r[3].AdapterState, Before: r[3].Fields, After: r[3].Fields},
		record.Operation{Action: record.Update, ID: r[4].ID, AdapterState: r[4].AdapterState, Before: r[4].Fields, After: r[4].Fields, Join: true},
		record.Operation{Action: record.Unlink, ID: "people/never"},
	)
	wantFault(t, results[4].Err, fault.Gone, "")
	for i, member := range []bool{true, true, false, false} {
		if results[i].Err != nil || results[i].Record.Member != member || results[i].Record.ID != r[i].ID {
			t.Errorf("%d: got %+v", i, results[i])
		}
		if p := s.people[r[i].ID]; memberOf(p, testGroup) != member || !memberOf(p, myContacts) {
			t.Errorf("%s is in %v", r[i].ID, p.Memberships)
		}
	}
	if results[5].Err != nil {
		t.Errorf("got %v, want one who is not there to have left", results[5].Err)
	}
	if got := s.people["people/join"].Names[0].GivenName; got != "Is" {
		t.Errorf("the content was not written: %q", got)
	}
	// Joining makes another version; what came back is that one.
	for i := range 2 {
		if again := mustApply(t, c, rename(results[i].Record, "Again")); again[0].Err != nil {
			t.Errorf("%d: %v", i, again[0].Err)
		}
	}
	if calls := s.called(); slices.Contains(calls, "DELETE people/lost") {
		t.Error("somebody was deleted")
	}
}

func TestAn_operation_that_cannot_be_carried_out_says_so(t *testing.T) {
	t.Parallel()
	s := newService(t)
	c := s.open(Options{Group: testGroup})
	results := mustApply(t, c,
		record.Operation{Action: record.Update, ID: "people/a", Changed: []string{contact.Notes}, After: record.Fields{contact.Notes: text("x")}},
		record.Operation{Action: record.Update, ID: "people/a", AdapterState: json.RawMessage(`"other"`)},
		record.Operation{Action: "delete", ID: "people/a"},
		record.Operation{Action: record.Unlink},
		record.Operation{Action: record.Update, ID: "people/a", Before: record.Fields{contact.GivenName: text("A")}},
	)
	for i, kind := range []fault.Kind{fault.Conflict, fault.Conflict, fault.Bug, fault.Bug} {
		wantFault(t, results[i].Err, kind, "")
	}
	if results[4].Err != nil || results[4].Record.Fields.Text(contact.GivenName) != "A" {
		t.Errorf("got %+v, want nothing to have been left to do", results[4])
	}
	if got := s.called(); len(got) != 0 {
		t.Errorf("got calls %v for nothing", got)
	}
	if _, err := apply(t, s.open(Options{}), creation(1, "A")); !fault.Is(err, fault.Bug) {
		t.Errorf("got %v, want it to insist on a group", err)
	}
}

func TestForeign_entries_survive_a_write(t *testing.T) {
	t.Parallel()
	s := newService(t)
	p := foreign()
	p.Names = []*people.Name{{GivenName: "Ada"}}
	p.ClientData = []*people.ClientData{{Key: "theirs", Value: "x"}}
	s.put("people/a", p, testGroup, "contactGroups/theirs")
	c := s.open(Options{Group: testGroup})
	r := fetched(t, c, "people/a")
	after := r.Fields.Clone()
	after[contact.Phones] = []record.Entry{{Kind: "work", Text: "+1 202 555 0123"}}
	op := change(r, after)
	// What is kept of the record goes through the store.
	if res := mustApply(t, c, op); res[0].Err != nil || len(res[0].Projections) != 0 {
		t.Fatalf("got %+v", res[0])
	}
	got := s.people["people/a"]
	want := append(foreign().PhoneNumbers, &people.PhoneNumber{Value: "+1 202 555 0123", Type: "work"})
	if diff := cmp.Diff(asJSON(t, want), asJSON(t, got.PhoneNumbers)); diff != "" {
		t.Error(diff)
	}
	if len(got.ClientData) != 1 || len(got.Memberships) != 2 || len(got.Organizations) != 1 || len(got.Addresses) != 1 {
		t.Errorf("something else was written: %s", asJSON(t, got))
	}
}
