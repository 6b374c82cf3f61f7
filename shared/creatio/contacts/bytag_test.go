package contacts

import (
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/tandem-sync/tandem/shared/record"
	box "github.com/tandem-sync/tandem/shared/sandbox/creatio"
)

// Everybody is read whatever the site makes of a question for all contacts under a tag.
func TestContacts_are_read_by_their_tag_or_else_by_their_ids(t *testing.T) {
	t.Parallel()
	const many = 30
	byTag := func(answer *box.Fault) func(method, url string) *box.Fault {
		return func(_, url string) *box.Fault {
			if strings.HasPrefix(url, "ContactCommunication") && strings.Contains(url, "/any(") {
				return answer
			}
			return nil
		}
	}
	for name, tc := range map[string]struct {
		options box.Options
		fault   *box.Fault
		// batches is how many requests the reading takes, with that for the links.
		batches int
	}{
		"a site that takes the lambda":            {batches: 2},
		"a site that refuses it":                  {options: box.Options{NoLambda: true}, batches: 3},
		"a site that breaks down over it":         {fault: &box.Fault{Status: 500, Bare: true}, batches: 3},
		"a site that finds nothing by it":         {fault: &box.Fault{Status: 200, Body: `{"value":[]}`}, batches: 3},
		"a site that cuts its replies after four": {options: box.Options{MaxRows: 4}, batches: 100},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s := newSiteOf(t, tc.options)
			s.box.SetPartFault(byTag(tc.fault))
			var want []string
			for i := range many {
				id := s.row("Contact", map[string]any{"Name": fmt.Sprintf("Grace Hopper %d", i), "BirthDate": "1980-01-02T00:00:00Z"})
				s.row("ContactCommunication", map[string]any{"ContactId": id, "CommunicationTypeId": phoneOther, "Number": fmt.Sprintf("+12025550%03d", i)})
				s.row("ContactAddress", map[string]any{"ContactId": id, "AddressTypeId": addressHome, "Address": fmt.Sprintf("%d Main St", i)})
				s.tag(Classic, id)
				want = append(want, id)
			}
			// Others have details too.
			s.row("ContactCommunication", map[string]any{"ContactId": s.row("Contact", map[string]any{"Name": "Alan Turing"}), "CommunicationTypeId": phoneOther, "Number": "1"})
			s.box.ResetRequests()
			delta, err := s.contacts[Classic].Scan(t.Context(), nil)
			s.must(err)
			if n := len(s.box.Requests()); n > tc.batches {
				t.Errorf("the reading took %d requests, want %d", n, tc.batches)
			}
			got := map[string]record.Record{}
			for _, r := range record.UnpackAll(delta.Records) {
				got[r.ID] = r
			}
			if len(delta.Records) != many || len(got) != many {
				t.Errorf("read %d records of %d contacts, want %d", len(delta.Records), len(got), many)
			}
			each, err := s.contacts[Classic].Fetch(t.Context(), want)
			s.must(err)
			slices.Sort(want)
			for _, r := range each {
				if fmt.Sprint(got[r.ID]) != fmt.Sprint(r) {
					t.Errorf("scanned %+v\nfetched %+v", got[r.ID], r)
				}
			}
		})
	}
}
