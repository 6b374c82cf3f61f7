package contacts

import (
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/tandem-sync/tandem/shared/creatio"
	"github.com/tandem-sync/tandem/shared/fault"
	"github.com/tandem-sync/tandem/shared/httpx"
	"github.com/tandem-sync/tandem/shared/record"
	box "github.com/tandem-sync/tandem/shared/sandbox/creatio"
)

// site is a simulated site with one user, a private tag of each kind, and a clock that the test turns.
type site struct {
	t     *testing.T
	box   *box.Server
	clock atomic.Int64
	// ahead is by how much the clock of who reads the site is before the site's own.
	ahead    atomic.Int64
	user     creatio.User
	tags     map[string]Tag
	contacts map[string]*Side
}

func newSite(t *testing.T) *site {
	t.Helper()
	return newSiteOf(t, box.Options{})
}

// newSiteOf is a site with settings of its own.
func newSiteOf(t *testing.T, o box.Options) *site {
	t.Helper()
	s := &site{t: t, tags: map[string]Tag{}, contacts: map[string]*Side{}}
	s.clock.Store(time.Date(2026, 3, 2, 9, 0, 0, 0, time.UTC).UnixNano())
	o.Now, o.Layout = s.now, box.Core
	s.box = box.New(o)
	s.box.AddUser(box.User{Name: "Ada", Password: "right", ContactName: "Ada Example", Active: true})
	server := httptest.NewServer(s.box)
	t.Cleanup(server.Close)
	base := httpx.NewTransport(httpx.Options{Side: creatio.Side, Attempts: 1})
	opened, err := creatio.Open(t.Context(), creatio.Options{
		HTTP: &http.Client{Transport: creatio.SessionTransport(base, server.URL, "Ada", "right")}, URL: server.URL, Layout: creatio.Core,
		Now: func() time.Time { return s.now().Add(time.Duration(s.ahead.Load())) },
	})
	s.must(err)
	s.user, err = opened.CurrentUser(t.Context())
	s.must(err)
	for kind, entity := range map[string]string{Classic: "ContactTag", Freedom: "Tag"} {
		if kind == Freedom && strings.HasPrefix(o.Version, "7.") {
			// There was none yet.
			continue
		}
		values := map[string]any{"Name": "Phone"}
		if kind == Classic {
			values["TypeId"] = tagPrivate
		}
		s.tags[kind] = Tag{ID: s.row(entity, values), Name: "Phone", Kind: kind}
		s.contacts[kind] = New(opened, s.tags[kind], s.user)
	}
	return s
}

func (s *site) must(err error) {
	s.t.Helper()
	if err != nil {
		s.t.Fatal(err)
	}
}

func (s *site) now() time.Time { return time.Unix(0, s.clock.Load()).UTC() }

func (s *site) pass(d time.Duration) time.Time { return time.Unix(0, s.clock.Add(int64(d))).UTC() }

// row is a row that the user makes on a page.
func (s *site) row(entity string, values map[string]any) string {
	s.t.Helper()
	id, err := s.box.As("Ada").Insert(entity, values)
	s.must(err)
	return id
}

// tag puts a contact under the tag of a kind.
func (s *site) tag(kind, contact string) string {
	s.t.Helper()
	if kind == Freedom {
		return s.row("TagInRecord", map[string]any{"TagId": s.tags[kind].ID, "RecordId": contact, "RecordSchemaName": "Contact"})
	}
	return s.row("ContactInTag", map[string]any{"TagId": s.tags[kind].ID, "EntityId": contact})
}

// read is the contact as Fetch tells it.
func (s *site) read(kind, id string) record.Record {
	s.t.Helper()
	records, err := s.contacts[kind].Fetch(s.t.Context(), []string{id})
	s.must(err)
	if len(records) != 1 {
		s.t.Fatalf("got %d records", len(records))
	}
	return records[0]
}

func TestThe_latest_change_of_a_contact_is_that_of_its_details_and_its_tag_too(t *testing.T) {
	t.Parallel()
	for _, kind := range []string{Classic, Freedom} {
		t.Run(kind, func(t *testing.T) {
			t.Parallel()
			s := newSite(t)
			id := s.row("Contact", map[string]any{"Name": "Grace Hopper"})
			latest := func(when string, want time.Time) {
				t.Helper()
				if got := s.read(kind, id).Modified; !got.Equal(want) {
					t.Errorf("%s: fetched with the time %v, want %v", when, got, want)
				}
				delta, err := s.contacts[kind].Scan(t.Context(), nil)
				s.must(err)
				if len(delta.Records) != 1 || !delta.Records[0].Unpack().Modified.Equal(want) {
					t.Errorf("%s: scanned %+v, want the time %v", when, record.UnpackAll(delta.Records), want)
				}
			}
			at := s.pass(time.Hour)
			link := s.tag(kind, id)
			latest("tagged", at)

			at = s.pass(time.Hour)
			s.row("ContactCommunication", map[string]any{"ContactId": id, "CommunicationTypeId": phoneOther, "Number": "+12025550101"})
			latest("a number added", at)

			at = s.pass(time.Hour)
			s.row("ContactAddress", map[string]any{"ContactId": id, "AddressTypeId": addressHome, "Address": "1 Main St"})
			latest("an address added", at)

			at = s.pass(time.Hour)
			s.row("ContactAnniversary", map[string]any{"ContactId": id, "AnniversaryTypeId": anniversaryBirthday, "Date": "1980-01-02T00:00:00Z"})
			latest("a birthday added", at)

			at = s.pass(time.Hour)
			s.must(s.box.As("Ada").Update("Contact", id, map[string]any{"JobTitle": "Admiral"}))
			latest("the contact itself", at)

			entity := map[string]string{Classic: "ContactInTag", Freedom: "TagInRecord"}[kind]
			s.must(s.box.As("Ada").Delete(entity, link))
			at = s.pass(time.Hour)
			s.tag(kind, id)
			latest("tagged anew", at)
		})
	}
}

func TestA_tag_that_comes_back_moves_a_window(t *testing.T) {
	t.Parallel()
	s := newSite(t)
	id := s.row("Contact", map[string]any{"Name": "Grace Hopper"})
	link := s.tag(Classic, id)
	delta, err := s.contacts[Classic].Scan(t.Context(), nil)
	s.must(err)
	s.pass(time.Hour)
	s.must(s.box.As("Ada").Delete("ContactInTag", link))
	s.tag(Classic, id)
	delta, err = s.contacts[Classic].Scan(t.Context(), delta.Cursor)
	s.must(err)
	if len(delta.Touched) != 1 || delta.Touched[0] != id || delta.Members == nil {
		t.Errorf("got %+v, want the contact and the members", delta)
	}
}

// A row carries the time at which its saving began, and shows when that has ended: behind a window that was read meanwhile.
func TestWhat_was_being_saved_while_a_window_was_read_is_told_by_the_next_one(t *testing.T) {
	t.Parallel()
	for _, kind := range []string{Classic, Freedom} {
		t.Run(kind, func(t *testing.T) {
			t.Parallel()
			s := newSite(t)
			ids := []string{}
			for _, name := range []string{"Grace Hopper", "Ada Lovelace", "Alan Turing", "Emmy Noether"} {
				id := s.row("Contact", map[string]any{"Name": name})
				s.tag(kind, id)
				ids = append(ids, id)
			}
			s.pass(time.Hour)
			delta, err := s.contacts[kind].Scan(t.Context(), nil)
			s.must(err)
			const saving = time.Minute
			s.pass(-saving)
			s.must(s.box.As("Ada").Update("Contact", ids[0], map[string]any{"JobTitle": "Admiral"}))
			s.row("ContactCommunication", map[string]any{"ContactId": ids[1], "CommunicationTypeId": phoneOther, "Number": "+12025550101"})
			s.row("ContactAddress", map[string]any{"ContactId": ids[2], "AddressTypeId": addressHome, "Address": "1 Main St"})
			s.row("ContactAnniversary", map[string]any{"ContactId": ids[3], "AnniversaryTypeId": anniversaryBirthday, "Date": "1980-01-02T00:00:00Z"})
			late := s.row("Contact", map[string]any{"Name": "Kurt Gödel"})
			s.tag(kind, late)
			s.pass(saving)
			delta, err = s.contacts[kind].Scan(t.Context(), delta.Cursor)
			s.must(err)
			for _, id := range append(ids, late) {
				if !slices.Contains(delta.Touched, id) {
					t.Errorf("%s is not among what changed", s.box.System().Get("Contact", id)["Name"])
				}
			}
		})
	}
}

func TestWindows_go_by_the_clock_of_the_site(t *testing.T) {
	t.Parallel()
	for _, ahead := range []time.Duration{-3 * time.Hour, 3 * time.Hour} {
		s := newSite(t)
		s.ahead.Store(int64(ahead))
		id := s.row("Contact", map[string]any{"Name": "Grace Hopper"})
		s.tag(Classic, id)
		s.pass(time.Hour)
		delta, err := s.contacts[Classic].Scan(t.Context(), nil)
		s.must(err)
		s.pass(time.Minute)
		s.must(s.box.As("Ada").Update("Contact", id, map[string]any{"JobTitle": "Admiral"}))
		s.pass(time.Hour)
		delta, err = s.contacts[Classic].Scan(t.Context(), delta.Cursor)
		s.must(err)
		if len(delta.Touched) != 1 {
			t.Errorf("with a clock %v ahead a window tells of %q", ahead, delta.Touched)
		}
		s.pass(time.Hour)
		if delta, err = s.contacts[Classic].Scan(t.Context(), delta.Cursor); err != nil || len(delta.Touched) != 0 {
			t.Errorf("with a clock %v ahead the next one tells of it again: %q, %v", ahead, delta.Touched, err)
		}
	}
}

func TestWhat_changes_while_a_window_is_read_is_told_by_the_next_one(t *testing.T) {
	t.Parallel()
	s := newSite(t)
	id := s.row("Contact", map[string]any{"Name": "Grace Hopper"})
	s.tag(Classic, id)
	delta, err := s.contacts[Classic].Scan(t.Context(), nil)
	s.must(err)
	s.pass(10 * time.Minute)
	// Somebody comes under the tag, so that the members are listed by a request of their own.
	s.tag(Classic, s.row("Contact", map[string]any{"Name": "Ada Lovelace"}))
	s.pass(10 * time.Minute)
	requests := 0
	s.box.SetFault(func(*http.Request) *box.Fault {
		if requests++; requests == 2 {
			s.pass(time.Minute)
			s.must(s.box.As("Ada").Update("Contact", id, map[string]any{"JobTitle": "Admiral"}))
			s.pass(time.Minute)
		}
		return nil
	})
	delta, err = s.contacts[Classic].Scan(t.Context(), delta.Cursor)
	s.must(err)
	if requests != 2 {
		t.Fatalf("the window took %d requests", requests)
	}
	s.pass(10 * time.Minute)
	delta, err = s.contacts[Classic].Scan(t.Context(), delta.Cursor)
	s.must(err)
	if !slices.Contains(delta.Touched, id) {
		t.Errorf("the next window tells of %q", delta.Touched)
	}
}

func TestA_cursor_of_another_tag_is_no_good(t *testing.T) {
	t.Parallel()
	s := newSite(t)
	delta, err := s.contacts[Classic].Scan(t.Context(), nil)
	s.must(err)
	if _, err := s.contacts[Freedom].Scan(t.Context(), delta.Cursor); !fault.Is(err, fault.FullSync) {
		t.Errorf("got %v, want that everything is to be read", err)
	}
}
