package creatio_test

import (
	"fmt"
	"net/http"
	"net/http/httptest"
	"slices"
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
