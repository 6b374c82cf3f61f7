package odata_test

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/tandem-sync/tandem/shared/fault"
	"github.com/tandem-sync/tandem/shared/httpx"
	"github.com/tandem-sync/tandem/shared/odata"
)

// site is a service that answers with a handler and records its requests.
type site struct {
	*httptest.Server
	mu       sync.Mutex
	requests []seen
}

type seen struct {
	method, uri, body string
	header            http.Header
}

func newSite(t *testing.T, h http.HandlerFunc) (*site, *odata.Client) {
	t.Helper()
	s := &site{}
	s.Server = httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		body, _ := io.ReadAll(r.Body)
		r.Body = io.NopCloser(strings.NewReader(string(body)))
		s.mu.Lock()
		s.requests = append(s.requests, seen{r.Method, r.URL.RequestURI(), string(body), r.Header})
		s.mu.Unlock()
		h(w, r)
	}))
	t.Cleanup(s.Close)
	return s, odata.New(odata.Options{HTTP: s.Client(), Root: s.URL + "/0/odata/"})
}

func (s *site) calls() int {
	s.mu.Lock()
	defer s.mu.Unlock()
	return len(s.requests)
}

func answers(status int, contentType, body string, header ...string) http.HandlerFunc {
	return func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Type", contentType)
		for i := 0; i+1 < len(header); i += 2 {
			w.Header().Set(header[i], header[i+1])
		}
		w.WriteHeader(status)
		_, _ = io.WriteString(w, body)
	}
}

const jsonMedia = "application/json; odata.metadata=minimal"

func TestA_page_is_read_with_its_count_link_and_clock(t *testing.T) {
	t.Parallel()
	date := time.Date(2026, 3, 1, 10, 0, 0, 0, time.UTC)
	s, c := newSite(t, answers(200, jsonMedia, "\uFEFF"+`{"@odata.context":"x","@odata.count":"7","@odata.nextLink":"Contact?$skiptoken=a","value":[{"Id":"`+id1+`","Name":"Ann"}]}`,
		"Date", date.Format(http.TimeFormat)))
	if !c.Clock().IsZero() {
		t.Error("the clock runs before the first reply")
	}
	p, err := c.Get(t.Context(), odata.Query{Set: "Contact", Select: []string{"Id", "Name"}, Filter: odata.Eq("Name", odata.String("Ann"))})
	if err != nil || p.Count != 7 || p.NextLink == "" || len(p.Rows) != 1 || !p.Date.Equal(date) || !c.Clock().Equal(date) {
		t.Errorf("got %+v, %v", p, err)
	}
	r := s.requests[0]
	if r.uri != "/0/odata/Contact?$select=Id,Name&$filter=Name%20eq%20'Ann'" || r.header.Get("Accept") != "application/json" || r.header.Get("ForceUseSession") != "true" {
		t.Errorf("asked %+v", r)
	}
}

func TestAn_invalid_or_empty_query_sends_no_request(t *testing.T) {
	t.Parallel()
	s, c := newSite(t, answers(200, jsonMedia, `{"value":[]}`))
	nothing := odata.Query{Set: "Contact", Filter: odata.In("Id", nil)}
	if p, err := c.Get(t.Context(), nothing); err != nil || len(p.Rows) != 0 {
		t.Errorf("got %v, %v", p, err)
	}
	if n, err := c.Count(t.Context(), nothing.Set, nothing.Filter); err != nil || n != 0 {
		t.Errorf("got %v, %v", n, err)
	}
	for name, err := range map[string]error{
		"literal": second(c.Get(t.Context(), odata.Query{Set: "Contact", Filter: odata.Eq("Id", odata.Guid("x"))})),
		"id":      c.Delete(t.Context(), "Contact", "1) or (1"),
		"set":     second(c.Insert(t.Context(), "Contact?x", odata.Values{})),
		"body":    c.Update(t.Context(), "Contact", id1, odata.Values{"OwnerId": "00000000-0000-0000-0000-000000000000"}),
		"zero id": second(c.Entity(t.Context(), "Contact", "00000000-0000-0000-0000-000000000000")),
	} {
		if fault.KindOf(err) != fault.Bug || err == nil {
			t.Errorf("%s: got %v, want a bug", name, err)
		}
	}
	if s.calls() != 0 {
		t.Errorf("got %d calls, want none", s.calls())
	}
}

func second[T any](_ T, err error) error { return err }

func TestRecords_are_written_in_the_documented_way(t *testing.T) {
	t.Parallel()
	s, c := newSite(t, func(w http.ResponseWriter, r *http.Request) {
		if r.Method == http.MethodPost {
			answers(201, jsonMedia, `{"@odata.context":"x","Id":"`+id1+`","Name":"Ann"}`)(w, r)
			return
		}
		w.WriteHeader(http.StatusNoContent)
	})
	row, err := c.Insert(t.Context(), "Contact", odata.Values{"Id": id1, "Name": "Ann"})
	if err != nil || row.Lookup("Id") != id1 {
		t.Errorf("insert: %v, %v", row, err)
	}
	if err := c.Update(t.Context(), "Contact", id1, odata.Values{"OwnerId": odata.Null}); err != nil {
		t.Error(err)
	}
	if err := c.Delete(t.Context(), "Contact", id1); err != nil {
		t.Error(err)
	}
	if err := c.PutStream(t.Context(), "SysImage("+id2+")/Data", "application/octet-stream", []byte{1, 2}); err != nil {
		t.Error(err)
	}
	var got []string
	for _, r := range s.requests {
		got = append(got, strings.Join([]string{r.method, r.uri, r.header.Get("Content-Type"), r.body}, " "))
	}
	const media = "application/json; charset=utf-8; IEEE754Compatible=true"
	want := []string{
		"POST /0/odata/Contact " + media + ` {"Id":"` + id1 + `","Name":"Ann"}`,
		"PATCH /0/odata/Contact(" + id1 + ") " + media + ` {"OwnerId":null}`,
		"DELETE /0/odata/Contact(" + id1 + ")  ",
		"PUT /0/odata/SysImage(" + id2 + ")/Data application/octet-stream \x01\x02",
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("requests (-want +got):\n%s", diff)
	}
}

func TestA_count_and_an_entity_are_one_request_each(t *testing.T) {
	t.Parallel()
	s, c := newSite(t, func(w http.ResponseWriter, r *http.Request) {
		if strings.Contains(r.URL.Path, "(") {
			answers(200, jsonMedia, `{"@odata.context":"x","Id":"`+id1+`"}`)(w, r)
			return
		}
		answers(200, jsonMedia, `{"@odata.count":12,"value":[]}`)(w, r)
	})
	if n, err := c.Count(t.Context(), "Contact", odata.Eq("A", odata.Int(1))); err != nil || n != 12 {
		t.Errorf("got %d, %v", n, err)
	}
	if row, err := c.Entity(t.Context(), "Contact", strings.ToUpper(id1), "Id"); err != nil || row.Lookup("Id") != id1 {
		t.Errorf("got %v, %v", row, err)
	}
	if _, err := c.Entity(t.Context(), "Contact", id1, "Name"); fault.KindOf(err) != fault.Misconfigured {
		t.Errorf("a selected property that did not come: got %v, want misconfigured", err)
	}
	if s.calls() != 3 || s.requests[0].uri != "/0/odata/Contact?$filter=A%20eq%201&$count=true&$top=0" || s.requests[1].uri != "/0/odata/Contact("+id1+")?$select=Id" {
		t.Errorf("asked %v", s.requests)
	}
}

func TestA_query_too_long_for_a_url_is_sent_in_a_batch(t *testing.T) {
	t.Parallel()
	s, c := newSite(t, answers(200, jsonMedia, `{"responses":[{"id":"1","status":200,"body":{"@odata.count":1,"value":[{"Id":"`+id1+`"}]}}]}`))
	var ids []odata.Literal
	for i := range 60 {
		ids = append(ids, odata.Guid(fmt.Sprintf("11111111-1111-4111-8111-%012d", i)))
	}
	q := odata.Query{Set: "Contact", Filter: odata.In("Id", ids)}
	p, err := c.Get(t.Context(), q)
	if err != nil || len(p.Rows) != 1 || s.calls() != 1 || s.requests[0].uri != "/0/odata/$batch" {
		t.Fatalf("got %v, %v after %v", p, err, s.requests)
	}
	var sent struct {
		Requests []struct{ Method, URL string }
	}
	if err := json.Unmarshal([]byte(s.requests[0].body), &sent); err != nil || sent.Requests[0].URL != q.Path() || sent.Requests[0].Method != "GET" {
		t.Errorf("sent %v, %v", sent, err)
	}
}

func TestTogether_with_httpx_only_temporary_failures_are_retried(t *testing.T) {
	t.Parallel()
	for status, want := range map[int]int{500: 1, 503: 3, 400: 1} {
		s, _ := newSite(t, answers(status, jsonMedia, `{"error":{"code":"","message":"no"}}`))
		hc := httpx.NewClient(httpx.Options{Attempts: 3, Sleep: func(context.Context, time.Duration) error { return nil }})
		c := odata.New(odata.Options{HTTP: hc, Root: s.URL + "/odata"})
		if _, err := c.Get(t.Context(), odata.Query{Set: "Contact"}); err == nil || s.calls() != want {
			t.Errorf("%d: got %v after %d calls, want %d", status, err, s.calls(), want)
		}
	}
}

func TestA_lost_write_is_ambiguous_and_a_lost_read_is_not(t *testing.T) {
	t.Parallel()
	_, c := newSite(t, func(http.ResponseWriter, *http.Request) { panic(http.ErrAbortHandler) })
	_, err := c.Get(t.Context(), odata.Query{Set: "Contact", Filter: odata.Eq("Name", odata.String("secret"))})
	if fault.KindOf(err) != fault.Retry || fault.Ambiguous(err) || strings.Contains(err.Error(), "secret") {
		t.Errorf("read: got %v", err)
	}
	_, err = c.Insert(t.Context(), "Contact", odata.Values{"Name": "Ann"})
	if f, ok := errors.AsType[*fault.Error](err); !ok || f.Kind != fault.Retry || !f.Ambiguous || f.Side != "creatio" {
		t.Errorf("write: got %#v", f)
	}
}

func TestMetadata_names_the_properties_of_a_set(t *testing.T) {
	t.Parallel()
	s, c := newSite(t, answers(200, "application/xml", `<?xml version="1.0" encoding="utf-8"?>
<edmx:Edmx Version="4.0" xmlns:edmx="http://docs.oasis-open.org/odata/ns/edmx"><edmx:DataServices>
<Schema Namespace="Terrasoft.Configuration.OData" xmlns="http://docs.oasis-open.org/odata/ns/edm">
<EntityType Name="BaseEntity"><Key><PropertyRef Name="Id"/></Key><Property Name="Id" Type="Edm.Guid" Nullable="false"/></EntityType>
<EntityType Name="Contact" BaseType="Terrasoft.Configuration.OData.BaseEntity"><Property Name="BirthDate" Type="Edm.DateTimeOffset"/>
<NavigationProperty Name="Account" Type="Terrasoft.Configuration.OData.Account"/>
<NavigationProperty Name="ContactCommunicationCollectionByContact" Type="Collection(Terrasoft.Configuration.OData.ContactCommunication)"/></EntityType>
<EntityType Name="Account"><Property Name="Name" Type="Edm.String"/></EntityType></Schema>
<Schema Namespace="Default" xmlns="http://docs.oasis-open.org/odata/ns/edm"><EntityContainer Name="Container">
<EntitySet Name="Contact" EntityType="Terrasoft.Configuration.OData.Contact"/><EntitySet Name="Account" EntityType="Terrasoft.Configuration.OData.Account"/>
</EntityContainer></Schema></edmx:DataServices></edmx:Edmx>`))
	m, err := c.Metadata(t.Context(), "Contact", "Tag")
	if err != nil {
		t.Fatal(err)
	}
	want := odata.Metadata{"Contact": {
		Properties: map[string]string{"Id": "Edm.Guid", "BirthDate": "Edm.DateTimeOffset"},
		Lookups:    map[string]string{"Account": "Terrasoft.Configuration.OData.Account"},
	}}
	if diff := cmp.Diff(want, m); diff != "" {
		t.Errorf("metadata (-want +got):\n%s", diff)
	}
	if got := m.Missing("Contact", "Id", "Account", "Nonsense"); !cmp.Equal(got, []string{"Nonsense"}) {
		t.Errorf("missing from Contact: %v", got)
	}
	if got := m.Missing("Tag", "Id"); len(got) != 1 || s.calls() != 1 {
		t.Errorf("missing from Tag: %v", got)
	}
}
