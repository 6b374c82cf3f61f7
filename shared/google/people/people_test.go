package people

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"google.golang.org/api/people/v1"

	"github.com/tandem-sync/tandem/shared/contact"
	"github.com/tandem-sync/tandem/shared/fault"
	"github.com/tandem-sync/tandem/shared/record"
)

func named(given string) people.Person {
	return people.Person{Names: []*people.Name{{GivenName: given}}}
}

func ids(records []record.Record) []string {
	out := []string{}
	for _, r := range records {
		word := r.ID
		switch {
		case r.Gone:
			word += " gone"
		case !r.Member:
			word += " outside"
		}
		out = append(out, word)
	}
	slices.Sort(out)
	return out
}

func mustScan(t *testing.T, c *Side, cursor json.RawMessage) record.Delta {
	t.Helper()
	d, err := c.Scan(t.Context(), cursor)
	if err != nil {
		t.Fatal(err)
	}
	return d
}

func wantFault(t *testing.T, err error, kind fault.Kind, code string) *fault.Error {
	t.Helper()
	f, ok := errors.AsType[*fault.Error](err)
	if !ok || f.Kind != kind || (code != "" && f.Code != code) || f.Side != "google" {
		t.Fatalf("got %v, want %v %s of google", err, kind, code)
	}
	return f
}

func TestThe_group_is_found_by_name_made_once_and_kept_when_renamed(t *testing.T) {
	t.Parallel()
	s := newService(t)
	s.groups["contactGroups/sys"] = &people.ContactGroup{ResourceName: "contactGroups/sys", Name: "Partners", GroupType: "SYSTEM_CONTACT_GROUP"}
	c := s.open(Options{})
	if got, err := c.Prepare(t.Context()); err != nil || got != testGroup {
		t.Fatalf("got %s, %v, want the group of that name", got, err)
	}
	s.groups[testGroup].Name = "CRM"
	if got, err := c.Prepare(t.Context()); err != nil || got != testGroup {
		t.Errorf("got %s, %v, want the renamed group", got, err)
	}
	other := s.open(Options{Group: "contactGroups/gone", GroupName: "Partners"})
	if got, err := other.Prepare(t.Context()); err != nil || got != "contactGroups/new" {
		t.Errorf("got %s, %v, want a new group, since the other one is Google's own", got, err)
	}
	if got, err := s.open(Options{GroupName: "PARTNERS"}).Prepare(t.Context()); err != nil || got != "contactGroups/new" {
		t.Errorf("got %s, %v, want the group whatever the case of its name", got, err)
	}
}

func TestA_group_whose_creation_was_not_answered_is_found_again(t *testing.T) {
	t.Parallel()
	s := newService(t)
	s.after = func(call string) bool { return call == "POST contactGroups" }
	if got, err := s.open(Options{GroupName: "New"}).Prepare(t.Context()); err != nil || got != "contactGroups/new" {
		t.Errorf("got %s, %v, want the group that was made", got, err)
	}
}

func TestA_full_scan_tells_of_the_members_and_an_idle_one_is_two_requests(t *testing.T) {
	t.Parallel()
	s := newService(t)
	for i := range 5 {
		s.put(fmt.Sprintf("people/c%d", i), named("In"), testGroup, myContacts)
	}
	s.put("people/out", named("Out"), myContacts)
	c := s.open(Options{Group: testGroup, PageSize: 2})
	d := mustScan(t, c, nil)
	want := []string{"people/c0", "people/c1", "people/c2", "people/c3", "people/c4"}
	if diff := cmp.Diff(want, ids(record.UnpackAll(d.Records))); diff != "" {
		t.Error(diff)
	}
	if diff := cmp.Diff(want, d.Members); diff != "" {
		t.Error(diff)
	}
	s.called()
	idle := mustScan(t, c, d.Cursor)
	if got := s.called(); len(got) != 2 || len(idle.Records) != 0 || idle.Members != nil {
		t.Errorf("got %v calls, %v", got, idle)
	}
	for name, other := range map[string]Options{"page size": {Group: testGroup, PageSize: 3}, "group": {Group: "contactGroups/2", PageSize: 2}} {
		if _, err := s.open(other).Scan(t.Context(), d.Cursor); !fault.Is(err, fault.FullSync) {
			t.Errorf("a cursor of another %s: got %v, want a full sync", name, err)
		}
	}
	if got := s.called(); len(got) != 0 {
		t.Errorf("a cursor that does not fit cost %v", got)
	}
}

func TestAn_incremental_scan_tells_who_changed_left_and_was_deleted(t *testing.T) {
	t.Parallel()
	s := newService(t)
	for _, name := range []string{"people/a", "people/b", "people/c", "people/d"} {
		s.put(name, named(name), testGroup, myContacts)
	}
	c := s.open(Options{Group: testGroup})
	first := mustScan(t, c, nil)
	s.put("people/a", named("Renamed"), testGroup, myContacts)
	s.put("people/b", named("Left"), myContacts)
	s.remove("people/c")
	s.remove("people/d")
	moved := named("people/d")
	moved.Metadata = &people.PersonMetadata{PreviousResourceNames: []string{"people/d"}}
	s.put("people/d2", moved, testGroup)
	s.called()
	d := mustScan(t, c, first.Cursor)
	if diff := cmp.Diff([]string{"people/a", "people/b outside", "people/c gone", "people/d2"}, ids(record.UnpackAll(d.Records))); diff != "" {
		t.Error(diff)
	}
	if got := s.called(); len(got) != 3 {
		t.Errorf("got calls %v, want a third one since the number of members is another", got)
	}
	slices.Sort(d.Members)
	if diff := cmp.Diff([]string{"people/a", "people/d2"}, d.Members); diff != "" {
		t.Error(diff)
	}
	for _, r := range record.UnpackAll(d.Records) {
		if r.ID == "people/d2" && !slices.Equal(r.Aliases, []string{"people/d"}) {
			t.Errorf("got aliases %v, want the former name", r.Aliases)
		}
	}
	if idle := mustScan(t, c, d.Cursor); len(idle.Records) != 0 || idle.Members != nil {
		t.Errorf("the same window came twice: %v", idle)
	}
}

func TestEverything_is_read_anew_before_the_token_dies(t *testing.T) {
	t.Parallel()
	now := time.Date(2026, 3, 2, 9, 0, 0, 0, time.UTC)
	s := newService(t)
	s.put("people/c1", named("Ada"), testGroup)
	s.now = func() time.Time { return now }
	c := s.open(Options{Group: testGroup})
	first := mustScan(t, c, nil).Cursor
	now = now.Add(renewAfter - time.Minute)
	second := mustScan(t, c, first)
	if len(second.Records) > 0 {
		t.Fatalf("read anew after %v", renewAfter)
	}
	now = now.Add(renewSpread + time.Minute)
	third := mustScan(t, c, second.Cursor)
	if got := ids(record.UnpackAll(third.Records)); !slices.Equal(got, []string{"people/c1"}) || third.Members == nil {
		t.Fatalf("when everything is to be read, a scan told of %q", got)
	}
	now = now.Add(time.Hour)
	if fourth := mustScan(t, c, third.Cursor); len(fourth.Records) > 0 {
		t.Error("read anew twice in a row")
	}
}

func TestReading_everything_anew_is_put_off_while_the_quota_does_not_let_it_in(t *testing.T) {
	t.Parallel()
	now := time.Date(2026, 3, 2, 9, 0, 0, 0, time.UTC)
	s := newService(t)
	s.put("people/c1", named("Ada"), testGroup)
	s.now = func() time.Time { return now }
	c := s.open(Options{Group: testGroup})
	cursor := mustScan(t, c, nil).Cursor
	now = now.Add(renewAfter + renewSpread)
	full := 0
	s.query = func(q url.Values) int {
		if q.Has("personFields") && q.Get("syncToken") == "" {
			full++
			return http.StatusTooManyRequests
		}
		return 0
	}
	s.put("people/c2", named("Bo"), testGroup)
	delta := mustScan(t, c, cursor)
	if got := ids(record.UnpackAll(delta.Records)); !slices.Equal(got, []string{"people/c2"}) || full != 1 {
		t.Fatalf("a scan told of %q after asking for everything %d times", got, full)
	}
	now = now.Add(renewPause - time.Minute)
	delta = mustScan(t, c, delta.Cursor)
	if full != 1 {
		t.Error("asked for everything again at once")
	}
	s.query = nil
	now = now.Add(renewPause)
	if got := ids(record.UnpackAll(mustScan(t, c, delta.Cursor).Records)); len(got) != 2 {
		t.Errorf("once let in, a scan told of %q", got)
	}
}

func TestThose_who_began_together_read_everything_anew_at_times_of_their_own(t *testing.T) {
	t.Parallel()
	early, late := 0, 0
	for n := range 1000 {
		switch d := spread(fmt.Sprint("token", n), renewSpread); {
		case d < 0 || d > renewSpread:
			t.Fatalf("spread by %v", d)
		case d < renewSpread/4:
			early++
		case d > renewSpread*3/4:
			late++
		}
	}
	if early < 150 || late < 150 {
		t.Errorf("of 1000, %d come in the first quarter and %d in the last", early, late)
	}
}

func TestWho_was_made_and_deleted_between_two_lists_is_missing_among_the_members(t *testing.T) {
	t.Parallel()
	c := newService(t).open(Options{Group: testGroup})
	first := mustScan(t, c, nil)
	if d := mustScan(t, c, c.Relist(first.Cursor, 2)); d.Members == nil || len(d.Members) != 0 {
		t.Errorf("got members %v, want none of the two", d.Members)
	}
	if d := mustScan(t, c, first.Cursor); d.Members != nil {
		t.Errorf("nothing moved, and members were read: %v", d.Members)
	}
}

func TestA_group_that_is_gone_is_told_and_the_window_stays(t *testing.T) {
	t.Parallel()
	s := newService(t)
	s.put("people/a", named("A"), testGroup, myContacts)
	c := s.open(Options{Group: testGroup})
	first := mustScan(t, c, nil)
	delete(s.groups, testGroup)
	s.put("people/a", named("A"), myContacts)
	for name, cursor := range map[string]json.RawMessage{"full": nil, "incremental": first.Cursor} {
		d := mustScan(t, c, cursor)
		if !d.ScopeGone || len(d.Records) != 0 || d.Members != nil || !bytes.Equal(d.Cursor, cursor) {
			t.Errorf("%s: got %+v, want only that the group is gone", name, d)
		}
	}
	if d := mustScan(t, s.open(Options{}), nil); d.ScopeGone || d.Members == nil || len(d.Members) != 0 || d.Cursor != nil {
		t.Errorf("got %+v, want an empty group where there never was one", d)
	}
}

func TestA_list_that_is_not_whole_is_an_error_or_concludes_nothing(t *testing.T) {
	t.Parallel()
	person := `{"resourceName":"people/a","metadata":{"sources":[{"type":"CONTACT","id":"1","etag":"#1"}]},"memberships":[{"contactGroupMembership":{"contactGroupResourceName":"` + testGroup + `"}}]}`
	for name, tc := range map[string]struct {
		pages []string
		code  string
	}{
		"empty although counted":      {[]string{`{"totalItems":3,"nextSyncToken":"t"}`}, "incomplete-list"},
		"no sync token at the end":    {[]string{`{"connections":[` + person + `]}`}, "incomplete-list"},
		"pages that repeat":           {[]string{`{"nextPageToken":"x"}`}, "incomplete-list"},
		"a page that is refused":      {[]string{`{"nextPageToken":"x"}`, ""}, "incomplete-list"},
		"an empty page in the middle": {[]string{`{"nextPageToken":"x"}`, `{"connections":[` + person + `],"nextSyncToken":"t"}`}, ""},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s := newService(t)
			s.put("people/a", named("A"), testGroup)
			n := 0
			s.before = func(call string, w http.ResponseWriter, _ []byte) bool {
				if call != "GET people/me/connections" {
					return false
				}
				page := tc.pages[min(n, len(tc.pages)-1)]
				if n++; page == "" {
					invalid.write(w)
				} else {
					_, _ = w.Write([]byte(page))
				}
				return true
			}
			d, err := s.open(Options{Group: testGroup}).Scan(t.Context(), nil)
			switch tc.code {
			case "":
				if err != nil || len(d.Records) != 1 || !slices.Equal(d.Members, []string{"people/a"}) {
					t.Errorf("got %+v, %v", d, err)
				}
			default:
				wantFault(t, err, fault.Retry, tc.code)
			}
		})
	}
}

func TestOf_a_list_that_is_shorter_than_it_says_the_group_tells_who_is_in_it(t *testing.T) {
	t.Parallel()
	person := func(name string) string {
		return `{"resourceName":"` + name + `","metadata":{"sources":[{"type":"CONTACT","id":"` + name + `"}]}}`
	}
	s := newService(t)
	s.put("people/a", named("A"), testGroup, myContacts)
	s.put("people/b", named("B"), testGroup, myContacts)
	cut := ""
	s.before = func(call string, w http.ResponseWriter, _ []byte) bool {
		switch {
		case call == "GET people/me/connections":
			_, _ = w.Write([]byte(`{"connections":[` + person("people/a") + `],"totalItems":2,"nextSyncToken":"t"}`))
			return true
		case strings.HasPrefix(call, "GET contactGroups/") && cut != "":
			_, _ = w.Write([]byte(cut))
			return true
		}
		return false
	}
	c := s.open(Options{Group: testGroup})
	if d := mustScan(t, c, nil); !slices.Equal(d.Members, []string{"people/a", "people/b"}) {
		t.Errorf("got members %v, want those of the group", d.Members)
	}
	// The group's list is cut short as well: nobody left, and the next window asks again although the number is the same.
	cut = `{"resourceName":"` + testGroup + `","memberCount":2,"memberResourceNames":["people/a"]}`
	d := mustScan(t, c, nil)
	if d.Members != nil {
		t.Errorf("got members %v, want that they are not known", d.Members)
	}
	cut = ""
	if d = mustScan(t, c, d.Cursor); !slices.Equal(d.Members, []string{"people/a", "people/b"}) {
		t.Errorf("got members %v in the next window, want those of the group", d.Members)
	}
}

func TestOf_a_list_that_is_behind_the_group_tells_who_is_in_it(t *testing.T) {
	t.Parallel()
	s := newService(t)
	s.put("people/a", named("A"), testGroup, myContacts)
	s.before = func(call string, w http.ResponseWriter, _ []byte) bool {
		if call != "GET people/me/connections" {
			return false
		}
		_, _ = w.Write([]byte(`{"connections":[{"resourceName":"people/a","metadata":{"sources":[{"type":"CONTACT","id":"1"}]}}],"totalItems":1,"nextSyncToken":"t"}`))
		return true
	}
	if d := mustScan(t, s.open(Options{Group: testGroup}), nil); !slices.Equal(d.Members, []string{"people/a"}) {
		t.Errorf("got members %v, want the one who joined", d.Members)
	}
}

func TestOne_who_gets_another_resource_name_while_the_pages_are_read_is_one(t *testing.T) {
	t.Parallel()
	pages := []string{
		`{"connections":[{"resourceName":"people/old","metadata":{"sources":[{"type":"CONTACT","id":"7"}]}}],"nextPageToken":"x"}`,
		`{"connections":[{"resourceName":"people/new","metadata":{"sources":[{"type":"CONTACT","id":"7"}]},"clientData":[{"key":"` + mark + `","value":"L"}]}],"nextSyncToken":"t"}`,
	}
	s := newService(t)
	n := 0
	s.before = func(call string, w http.ResponseWriter, _ []byte) bool {
		if call != "GET people/me/connections" {
			return false
		}
		_, _ = w.Write([]byte(pages[n%2]))
		n++
		return true
	}
	c := s.open(Options{Group: testGroup})
	for name, cursor := range map[string]json.RawMessage{"full": nil, "incremental": mustScan(t, c, nil).Cursor} {
		d := mustScan(t, c, cursor)
		if len(d.Records) != 1 || d.Records[0].Unpack().ID != "people/new" || !slices.Equal(d.Records[0].Unpack().Aliases, []string{"people/old"}) {
			t.Errorf("%s: got %+v, want the new name with the old one as an alias", name, record.UnpackAll(d.Records))
		}
	}
}

func TestA_list_of_members_that_is_not_whole_tells_of_nobody_who_left(t *testing.T) {
	t.Parallel()
	s := newService(t)
	s.put("people/a", named("A"), testGroup)
	c := s.open(Options{Group: testGroup})
	cursor := mustScan(t, c, nil).Cursor
	s.put("people/b", named("B"), testGroup)
	group := func(members string) func(string, http.ResponseWriter, []byte) bool {
		return func(call string, w http.ResponseWriter, _ []byte) bool {
			if call != "GET "+testGroup {
				return false
			}
			_, _ = w.Write([]byte(`{"resourceName":"` + testGroup + `","memberCount":2` + members + `}`))
			return true
		}
	}
	for name, members := range map[string]string{"one missing": `,"memberResourceNames":["people/b"]`, "all missing": ""} {
		s.before = group(members)
		if d := mustScan(t, c, cursor); d.Members != nil {
			t.Errorf("%s: got the members %q, want nothing to conclude from", name, d.Members)
		}
	}
	s.before = group(`,"memberResourceNames":["people/b","people/a"]`)
	if d := mustScan(t, c, cursor); len(d.Members) != 2 {
		t.Errorf("got the members %q of a whole list", d.Members)
	}
}

func TestRefusals_have_one_meaning_each(t *testing.T) {
	t.Parallel()
	for name, tc := range map[string]struct {
		err  apiError
		kind fault.Kind
		code string
	}{
		"token expired":      {apiError{400, "FAILED_PRECONDITION", "Sync token is expired. Clear local cache and retry call without the sync token.", "EXPIRED_SYNC_TOKEN"}, fault.FullSync, "token-expired"},
		"token expired, old": {apiError{410, "", "Gone", ""}, fault.FullSync, "token-expired"},
		"other parameters":   {apiError{400, "INVALID_ARGUMENT", "Parameters must match.", ""}, fault.FullSync, "token-refused"},
		"quota":              {apiError{429, "RESOURCE_EXHAUSTED", "Quota exceeded.", "RATE_LIMIT_EXCEEDED"}, fault.Retry, "quota"},
		"quota, as 403":      {apiError{403, "", "Rate Limit Exceeded", "rateLimitExceeded"}, fault.Retry, "quota"},
		"token refused":      {apiError{401, "UNAUTHENTICATED", "Invalid Credentials", ""}, fault.Retry, "token-refused"},
		"scope missing":      {apiError{403, "PERMISSION_DENIED", "Request had insufficient authentication scopes.", "ACCESS_TOKEN_SCOPE_INSUFFICIENT"}, fault.Reconnect, "scope-missing"},
		"API disabled":       {apiError{403, "PERMISSION_DENIED", "People API has not been used.", "SERVICE_DISABLED"}, fault.Misconfigured, "api-disabled"},
		"not allowed":        {apiError{403, "PERMISSION_DENIED", "The caller does not have permission", ""}, fault.Misconfigured, "no-access"},
		"out of order":       {apiError{503, "UNAVAILABLE", "Try later.", ""}, fault.Retry, "unavailable"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s := newService(t)
			c := s.open(Options{Group: testGroup})
			first := mustScan(t, c, nil)
			s.before = func(_ string, w http.ResponseWriter, _ []byte) bool {
				w.Header().Set("Retry-After", "7")
				tc.err.write(w)
				return true
			}
			_, err := c.Scan(t.Context(), first.Cursor)
			f := wantFault(t, err, tc.kind, tc.code)
			if f.Ambiguous || (f.Kind == fault.Retry && f.After.Seconds() != 7) {
				t.Errorf("got ambiguous %v, after %v", f.Ambiguous, f.After)
			}
		})
	}
}

func TestFetch_answers_for_everybody_asked_for(t *testing.T) {
	t.Parallel()
	s := newService(t)
	var all []string
	for i := range 250 {
		name := fmt.Sprintf("people/c%03d", i)
		all = append(all, name)
		if i != 7 {
			s.put(name, named("N"), testGroup)
		}
	}
	c := s.open(Options{Group: testGroup})
	got, err := c.Fetch(t.Context(), append(all, "people/c000", ""))
	if err != nil || len(got) != 250 || len(s.called()) != 2 {
		t.Fatalf("got %d records, %v, want 250 in two calls", len(got), err)
	}
	for _, r := range got {
		if r.Gone != (r.ID == "people/c007") || (!r.Gone && !r.Member) {
			t.Errorf("got %+v", r)
		}
	}
	s.before = func(_ string, w http.ResponseWriter, _ []byte) bool {
		_, _ = w.Write([]byte(`{"responses":[{"requestedResourceName":"people/old","httpStatusCode":200,"person":{"resourceName":"people/new","metadata":{"sources":[{"type":"CONTACT"}]}}}]}`))
		return true
	}
	got, err = c.Fetch(t.Context(), []string{"people/old"})
	if err != nil || len(got) != 1 || got[0].ID != "people/new" || !slices.Equal(got[0].Aliases, []string{"people/old"}) {
		t.Errorf("got %+v, %v, want the new name with the old one as an alias", got, err)
	}
	if _, err := c.Fetch(t.Context(), []string{"people/old", "people/other"}); !fault.Is(err, fault.Retry) {
		t.Errorf("got %v, want an error where somebody is missing from the answer", err)
	}
}

func TestWho_has_more_than_a_list_shows_is_read_alone(t *testing.T) {
	t.Parallel()
	s := newService(t)
	p := named("Many")
	for i := range 120 {
		p.EmailAddresses = append(p.EmailAddresses, &people.EmailAddress{Value: fmt.Sprintf("m%d@example.com", i)})
	}
	s.put("people/many", p, testGroup)
	s.before = func(call string, w http.ResponseWriter, _ []byte) bool {
		if call != "GET people/me/connections" {
			return false
		}
		short := *s.people["people/many"]
		short.EmailAddresses = short.EmailAddresses[:100]
		_ = json.NewEncoder(w).Encode(&people.ListConnectionsResponse{Connections: []*people.Person{&short}, NextSyncToken: "1"})
		return true
	}
	d := mustScan(t, s.open(Options{Group: testGroup}), nil)
	if got := len(d.Records[0].Unpack().Fields[contact.Emails]); got != 120 {
		t.Errorf("got %d addresses, want all 120", got)
	}
}

func TestCandidates_share_an_address_a_number_or_a_name(t *testing.T) {
	t.Parallel()
	s := newService(t)
	s.put("people/mail", people.Person{EmailAddresses: []*people.EmailAddress{{Value: "ADA@Example.com"}}}, myContacts)
	s.put("people/phone", people.Person{PhoneNumbers: []*people.PhoneNumber{{Value: "(202) 555-0100"}}}, myContacts)
	s.put("people/name", people.Person{Names: []*people.Name{{GivenName: "Example", FamilyName: "Ada"}}}, testGroup)
	s.put("people/none", people.Person{Names: []*people.Name{{GivenName: "Bob"}}}, testGroup)
	s.put("people/bare", people.Person{
		Organizations: []*people.Organization{{Name: "Example Ltd"}}, ClientData: []*people.ClientData{{Key: mark, Value: "L9"}},
	}, testGroup)
	c := s.open(Options{Group: testGroup})
	like := []record.Record{{Fields: record.Fields{
		contact.GivenName: text("Ada"), contact.MiddleName: text("M."), contact.Surname: text("Example"),
		contact.Emails: text("ada@example.com"), contact.Phones: text("+1 202 555 0100"),
	}}}
	got, err := c.Candidates(t.Context(), like)
	if diff := cmp.Diff([]string{"people/mail outside", "people/name", "people/phone outside"}, ids(got)); diff != "" || err != nil {
		t.Error(diff, err)
	}
	bare := []record.Record{{Fields: record.Fields{contact.Company: text("Example Ltd")}}}
	if got, err = c.Candidates(t.Context(), bare); err != nil || !slices.Equal(ids(got), []string{"people/bare"}) {
		t.Errorf("got %v, %v, want the marked contact that has no name either", ids(got), err)
	}
	if calls := s.called(); len(calls) != 1 {
		t.Errorf("got calls %v, want one list", calls)
	}
	if _, err := c.Candidates(context.Background(), nil); err != nil {
		t.Error(err)
	}
	scanned := s.open(Options{Group: testGroup})
	mustScan(t, scanned, nil)
	s.called()
	if got, err = scanned.Candidates(t.Context(), like); err != nil || len(got) != 3 || len(s.called()) != 0 {
		t.Errorf("got %v, %v, want what the scan has read already", ids(got), err)
	}
}
