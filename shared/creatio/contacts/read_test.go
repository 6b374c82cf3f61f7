package contacts

import (
	"fmt"
	"io"
	"net/http"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/tandem-sync/tandem/shared/contact"
	"github.com/tandem-sync/tandem/shared/fault"
	"github.com/tandem-sync/tandem/shared/record"
	box "github.com/tandem-sync/tandem/shared/sandbox/creatio"
)

func TestA_site_that_cuts_its_replies_without_a_word_is_read_to_the_end(t *testing.T) {
	t.Parallel()
	for _, kind := range []string{Classic, Freedom} {
		t.Run(kind, func(t *testing.T) {
			t.Parallel()
			s := newSiteOf(t, box.Options{MaxRows: 3})
			var ids []string
			numbers := 0
			for i := range 20 {
				id := s.row("Contact", map[string]any{"Name": fmt.Sprintf("Grace Hopper %d", i)})
				for n := range 4 {
					numbers++
					s.row("ContactCommunication", map[string]any{
						"ContactId": id, "CommunicationTypeId": phoneOther, "Number": fmt.Sprintf("+1202555%02d%02d", i, n),
					})
				}
				s.tag(kind, id)
				ids = append(ids, id)
			}
			slices.Sort(ids)
			delta, err := s.contacts[kind].Scan(t.Context(), nil)
			s.must(err)
			if !slices.Equal(slices.Sorted(slices.Values(delta.Members)), ids) {
				t.Errorf("listed %d of %d members", len(delta.Members), len(ids))
			}
			read := 0
			for _, r := range record.UnpackAll(delta.Records) {
				read += len(r.Fields[contact.Phones])
			}
			if read != numbers {
				t.Errorf("read %d of %d numbers", read, numbers)
			}

			s.pass(time.Hour)
			for _, id := range ids {
				s.must(s.box.As("Ada").Update("Contact", id, map[string]any{"JobTitle": "Admiral"}))
			}
			next := s.row("Contact", map[string]any{"Name": "Ada Lovelace"})
			s.tag(kind, next)
			delta, err = s.contacts[kind].Scan(t.Context(), delta.Cursor)
			s.must(err)
			if len(delta.Members) != len(ids)+1 || len(delta.Touched) < len(ids)+1 {
				t.Errorf("a window tells of %d members and %d changes, want %d", len(delta.Members), len(delta.Touched), len(ids)+1)
			}
		})
	}
}

// A list of which the site says that there is more, and of which it gives no more, is not a shorter list.
func TestA_list_that_ends_before_its_count_is_an_error(t *testing.T) {
	t.Parallel()
	for name, page := range map[string]string{
		"rows are counted and not given":       `{"@odata.context":"x","@odata.count":2,"value":[]}`,
		"an empty page says that it goes on":   `{"@odata.context":"x","value":[],"@odata.nextLink":"http://crm.example.com/odata/ContactInTag?$skiptoken=3"}`,
		"an empty page counts, and it goes on": `{"@odata.context":"x","@odata.count":1,"value":[],"@odata.nextLink":"http://crm.example.com/odata/ContactInTag?$skiptoken=3"}`,
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s := newSite(t)
			s.tag(Classic, s.row("Contact", map[string]any{"Name": "Grace Hopper"}))
			whole, err := s.contacts[Classic].Scan(t.Context(), nil)
			s.must(err)
			s.tag(Classic, s.row("Contact", map[string]any{"Name": "Ada Lovelace"}))
			s.box.SetFault(func(r *http.Request) *box.Fault {
				sent, _ := io.ReadAll(r.Body)
				// The list of members is the one request of a batch that asks for nothing else.
				if !strings.HasSuffix(r.URL.Path, "$batch") || strings.Count(string(sent), `"url"`) != 1 {
					return nil
				}
				return &box.Fault{Status: http.StatusOK, Body: `{"responses":[{"id":"1","status":200,"body":` + page + `}]}`}
			})
			delta, err := s.contacts[Classic].Scan(t.Context(), whole.Cursor)
			if !fault.Is(err, fault.Retry) {
				t.Errorf("got the members %q and %v, want an error that a later run may not meet", delta.Members, err)
			}
		})
	}
}
