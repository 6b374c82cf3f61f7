package creatio_test

import (
	"errors"
	"fmt"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"testing"

	"github.com/tandem-sync/tandem/shared/creatio"
	"github.com/tandem-sync/tandem/shared/httpx"
	"github.com/tandem-sync/tandem/shared/odata"
	box "github.com/tandem-sync/tandem/shared/sandbox/creatio"
)

// place is a simulated site and the client that reads it.
type place struct {
	t    *testing.T
	box  *box.Server
	site *creatio.Site
}

func newPlace(t *testing.T, o box.Options, pageSize int) *place {
	t.Helper()
	o.Layout = box.Core
	p := &place{t: t, box: box.New(o)}
	p.box.AddUser(box.User{Name: "ada", Password: "right", ContactName: "Ada Example", Active: true})
	server := httptest.NewServer(p.box)
	t.Cleanup(server.Close)
	base := httpx.NewTransport(httpx.Options{Side: creatio.Side, Attempts: 1})
	site, err := creatio.Open(t.Context(), creatio.Options{
		HTTP: &http.Client{Transport: creatio.SessionTransport(base, server.URL, "ada", "right")}, URL: server.URL, Layout: creatio.Core, PageSize: pageSize,
	})
	if err != nil {
		t.Fatal(err)
	}
	p.site = site
	return p
}

// contacts makes so many contacts.
func (p *place) contacts(n int) []string {
	p.t.Helper()
	ids := make([]string, n)
	for i := range ids {
		id, err := p.box.As("ada").Insert("Contact", map[string]any{"Name": fmt.Sprintf("Grace %d", i)})
		if err != nil {
			p.t.Fatal(err)
		}
		ids[i] = id
	}
	slices.Sort(ids)
	return ids
}

// named asks for contacts by more columns than a list of ids has.
func named(f odata.Filter) odata.Query {
	return odata.Query{Set: "Contact", Select: []string{"Id", "Name", "JobTitle"}, Filter: f}
}

// idsOf are the ids of the rows, sorted.
func idsOf(rows []odata.Row) []string {
	out := make([]string, len(rows))
	for i, r := range rows {
		out[i] = r.Lookup("Id")
	}
	slices.Sort(out)
	return out
}

func TestA_list_that_is_too_long_for_the_site_is_halved_and_stays_so(t *testing.T) {
	t.Parallel()
	// A site that allows four ids, and another condition.
	p := newPlace(t, box.Options{MaxNodes: 32}, 0)
	ids := p.contacts(creatio.MaxListed)
	read := func(want int) {
		t.Helper()
		p.box.ResetRequests()
		answers, err := p.site.ReadAll(t.Context(), []odata.Query{named(odata.And(odata.In("Id", creatio.Guids(ids)), odata.Ne("Name", odata.String("x"))))})
		if err != nil {
			t.Fatal(err)
		}
		if got := idsOf(answers[0].Rows); !slices.Equal(got, ids) {
			t.Errorf("got %v, want %v", got, ids)
		}
		if n := len(p.box.Requests()); n != want {
			t.Errorf("made %d requests, want %d", n, want)
		}
	}
	// The sign-in, the list, its halves, and theirs.
	read(1 + 3)
	read(1)
}

func TestA_row_that_two_halves_of_a_list_find_is_told_once(t *testing.T) {
	t.Parallel()
	p := newPlace(t, box.Options{MaxNodes: 15}, 0)
	p.contacts(3)
	answers, err := p.site.ReadAll(t.Context(), []odata.Query{named(odata.Or(
		odata.StartsWith("Name", odata.String("Grace")), odata.StartsWith("Name", odata.String("G")), odata.StartsWith("Name", odata.String("Gr"))))})
	if err != nil || len(answers[0].Rows) != 3 {
		t.Errorf("got %d rows, %v, want 3", len(answers[0].Rows), err)
	}
}

func TestA_site_without_an_order_of_ids_is_read_by_counting_rows(t *testing.T) {
	t.Parallel()
	p := newPlace(t, box.Options{NoIDOrder: true, MaxRows: 4}, 5)
	want := p.contacts(18)
	for _, when := range []string{"at first", "when that is known"} {
		p.box.ResetRequests()
		answers, err := p.site.ReadAll(t.Context(), []odata.Query{named(odata.StartsWith("Name", odata.String("Grace")))})
		if err != nil || !slices.Equal(idsOf(answers[0].Rows), want) {
			t.Fatalf("%s: got %d rows, %v", when, len(answers[0].Rows), err)
		}
		t.Logf("%s: %d requests", when, len(p.box.Requests()))
	}
	// Each page but the first begins with the last row of the one before.
	if n := len(p.box.Requests()); n != 6 {
		t.Errorf("made %d requests for six pages", n)
	}
}

func TestA_site_that_gives_one_row_at_a_time_is_read_to_its_end(t *testing.T) {
	t.Parallel()
	p := newPlace(t, box.Options{NoIDOrder: true, MaxRows: 1}, 5)
	want := p.contacts(4)
	answers, err := p.site.ReadAll(t.Context(), []odata.Query{named(odata.StartsWith("Name", odata.String("Grace")))})
	if err != nil || !slices.Equal(idsOf(answers[0].Rows), want) {
		t.Errorf("got %d rows, %v", len(answers[0].Rows), err)
	}
}

// A row that comes in front moves all others behind by one, and one that goes brings one too near.
func TestA_list_whose_rows_move_while_they_are_counted_is_read_once_more(t *testing.T) {
	t.Parallel()
	for name, move := range map[string]func(p *place, ids []string) error{
		"comes": func(p *place, _ []string) error {
			_, err := p.box.As("ada").Insert("Contact", map[string]any{"Id": "00000000-0000-4000-8000-000000000001", "Name": "Grace Zero"})
			return err
		},
		"goes": func(p *place, ids []string) error { return p.box.As("ada").Delete("Contact", ids[0]) },
		"goes, and another one comes": func(p *place, ids []string) error {
			_, err := p.box.As("ada").Insert("Contact", map[string]any{"Id": "ffffffff-ffff-4fff-8fff-ffffffffffff", "Name": "Grace Last"})
			return errors.Join(err, p.box.As("ada").Delete("Contact", ids[0]))
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			p := newPlace(t, box.Options{NoIDOrder: true}, 5)
			ids := p.contacts(18)
			asked := 0
			p.box.SetFault(func(r *http.Request) *box.Fault {
				if strings.HasSuffix(r.URL.Path, "$batch") {
					if asked++; asked == 4 {
						if err := move(p, ids); err != nil {
							t.Error(err)
						}
					}
				}
				return nil
			})
			answers, err := p.site.ReadAll(t.Context(), []odata.Query{named(odata.StartsWith("Name", odata.String("Grace")))})
			if err != nil {
				t.Fatal(err)
			}
			got := idsOf(answers[0].Rows)
			for _, r := range p.box.As("ada").Rows("Contact", nil) {
				if id := r["Id"].(string); strings.HasPrefix(r["Name"].(string), "Grace") && !slices.Contains(got, id) {
					t.Errorf("%s is missing from %v", id, got)
				}
			}
			if len(slices.Compact(slices.Clone(got))) != len(got) {
				t.Errorf("a row is told twice: %v", got)
			}
		})
	}
}

func TestA_site_that_never_comes_to_an_end_of_a_list_is_given_up(t *testing.T) {
	t.Parallel()
	row := func(n int) string { return fmt.Sprintf(`{"Id":"00000000-0000-4000-8000-%012d","Name":"Grace"}`, n) }
	for name, tc := range map[string]struct {
		page func(n int) string
		// requests is how many are made at most.
		requests int
	}{
		"the same page again": {
			func(int) string { return `{"@odata.count":1000000000,"value":[` + row(1) + `]}` }, 5,
		},
		"two pages in turns": {
			func(n int) string { return `{"@odata.count":1000000000,"value":[` + row(n%2) + `]}` }, 5,
		},
		"no rows of many that it counts": {
			func(int) string { return `{"@odata.count":1000000000,"value":[]}` }, 5,
		},
		"more and more than it counted": {
			func(n int) string {
				rows := make([]string, 100)
				for i := range rows {
					rows[i] = row(100*n + i)
				}
				return `{"@odata.count":1000,"value":[` + strings.Join(rows, ",") + `]}`
			}, 30,
		},
		"rows that have no key": {
			func(int) string { return `{"@odata.count":1000000000,"value":[{"Name":"Grace"}]}` }, 5,
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			p := newPlace(t, box.Options{}, 100)
			pages := 0
			p.box.SetPartFault(func(string, string) *box.Fault {
				if pages++; pages > 2*tc.requests {
					return &box.Fault{Status: http.StatusForbidden}
				}
				return &box.Fault{Status: http.StatusOK, Body: tc.page(pages)}
			})
			_, err := p.site.ReadAll(t.Context(), []odata.Query{named(odata.Filter{})})
			if creatio.FaultCode(err) != "incomplete-list" {
				t.Errorf("got %v", err)
			}
			if pages > tc.requests {
				t.Errorf("read %d pages", pages)
			}
		})
	}
}

// Behind a batch ASP.NET Core answers an exception with 500 and no body.
func TestA_part_that_fails_without_a_reason_is_asked_again_alone(t *testing.T) {
	t.Parallel()
	const exception = `{"error":{"code":"","message":"An error has occurred.","innererror":{"message":"The table is not available.","type":"System.Exception"}}}`
	units := odata.Query{Set: "SysAdminUnit", Select: []string{"Id", "Name"}}
	for name, tc := range map[string]struct {
		set   string
		alone *box.Fault
		deny  bool
		// says is what the part fails with; nothing by default.
		says string
		// ended is the code of the error that ends the reading, part that of the answer.
		ended, part string
	}{
		"by itself it has rows":             {set: "SysAdminUnit"},
		"by itself it tells that no right":  {set: "SysAdminUnit", deny: true, part: "forbidden"},
		"a closed set that fails for good":  {set: "SysAdminUnit", alone: &box.Fault{Status: 500}, part: "closed"},
		"a closed set with an exception":    {set: "SysAdminUnit", says: exception, alone: &box.Fault{Status: 500, Body: exception}, part: "closed"},
		"a set that fails for a moment":     {set: "SysAdminUnit", says: exception},
		"an open set with an exception":     {set: "Contact", says: exception, ended: "server-error"},
		"an open set that fails for good":   {set: "Contact", alone: &box.Fault{Status: 500}, ended: "server-error"},
		"an open set that recovers at once": {set: "Contact"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			p := newPlace(t, box.Options{}, 0)
			want := p.contacts(3)
			if tc.deny {
				p.box.Deny("ada", tc.set, box.Read)
			}
			p.box.SetPartFault(func(_, url string) *box.Fault {
				if strings.HasPrefix(url, tc.set+"?") {
					return &box.Fault{Status: http.StatusInternalServerError, Bare: tc.says == "", Body: tc.says}
				}
				return nil
			})
			p.box.SetFault(func(r *http.Request) *box.Fault {
				if strings.HasSuffix(r.URL.Path, "/"+tc.set) {
					return tc.alone
				}
				return nil
			})
			answers, err := p.site.Read(t.Context(), []odata.Query{units, named(odata.StartsWith("Name", odata.String("Grace")))})
			if tc.ended != "" || err != nil {
				if creatio.FaultCode(err) != tc.ended {
					t.Errorf("got %v, want %q", err, tc.ended)
				}
				return
			}
			if got := creatio.FaultCode(answers[0].Err); got != tc.part || tc.part == "" && len(answers[0].Rows) == 0 {
				t.Errorf("got %q and %d users, want %q", got, len(answers[0].Rows), tc.part)
			}
			if got := idsOf(answers[1].Rows); !slices.Equal(got, want) {
				t.Errorf("read %v, want %v", got, want)
			}
		})
	}
}

func TestWhat_is_more_than_a_reply_may_have_is_asked_for_in_smaller_pieces(t *testing.T) {
	t.Parallel()
	p := newPlace(t, box.Options{}, 0)
	want := p.contacts(30)
	for _, id := range want {
		if err := p.box.As("ada").Update("Contact", id, map[string]any{"Notes": strings.Repeat("A note. ", 30_000)}); err != nil {
			t.Fatal(err)
		}
	}
	q := named(odata.StartsWith("Name", odata.String("Grace")))
	q.Select = append(q.Select, "Notes")
	one := q
	one.Filter = odata.In("Id", creatio.Guids(want[:5]))
	// A small reply has room for eight of them.
	answers, err := p.site.ReadAll(odata.Small(t.Context()), []odata.Query{q, one})
	if err != nil {
		t.Fatal(err)
	}
	if got := idsOf(answers[0].Rows); !slices.Equal(got, want) {
		t.Errorf("read %d of %d", len(got), len(want))
	}
	if got := idsOf(answers[1].Rows); !slices.Equal(got, want[:5]) {
		t.Errorf("read %v, want %v", got, want[:5])
	}
	if err := p.box.As("ada").Update("Contact", want[0], map[string]any{"Notes": strings.Repeat("A note. ", 500_000)}); err != nil {
		t.Fatal(err)
	}
	if _, err := p.site.ReadAll(odata.Small(t.Context()), []odata.Query{q}); creatio.FaultCode(err) != "reply-too-large" {
		t.Errorf("got %v for a row that is too large by itself", err)
	}
}
