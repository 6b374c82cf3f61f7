package bolt

import (
	"bytes"
	"compress/gzip"
	"encoding/json"
	"fmt"
	"io"
	"iter"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"github.com/tandem-sync/tandem/shared/contact"
	"github.com/tandem-sync/tandem/shared/record"
	"github.com/tandem-sync/tandem/shared/store"
)

// openFormer opens a copy of a store that was written by the last version that kept member sets in a place of their own:
// the users ada and bob with 20 members on each side, and cyd with none in Google; each with the links of formerLinks.
// This version cannot write such a store.
func openFormer(t *testing.T) *Store {
	t.Helper()
	packed, err := os.ReadFile("testdata/member-sets.db.gz")
	must(t, err)
	unpacked, err := gzip.NewReader(bytes.NewReader(packed))
	must(t, err)
	data, err := io.ReadAll(unpacked)
	must(t, err)
	path := filepath.Join(t.TempDir(), "tandem.db")
	must(t, os.WriteFile(path, data, 0o600))
	s, err := Open(path)
	must(t, err)
	t.Cleanup(func() { s.Close() })
	return s
}

func must(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

var formerNoon = time.Date(2026, time.March, 2, 12, 0, 0, 0, time.UTC)

// formerLinks are the links of each user of the former store.
var formerLinks = []store.Link{
	{
		ID: "l1", CreatioID: "c0001", GoogleID: "people/g0001", Name: "Ada", Active: true, UpdatedAt: formerNoon,
		Base: record.Fields{contact.GivenName: {{Text: "Ada"}}, contact.Emails: {{Kind: contact.KindWork, Text: "ada@example.com"}}},
		Sides: map[record.Side]store.LinkSide{
			record.Google:  {AdapterState: json.RawMessage(`{"etag":"e1"}`), Modified: formerNoon, Diverged: true},
			record.Creatio: {Projections: []record.Projection{{Field: contact.JobTitle, Canonical: record.Entry{Text: "long"}, Displayed: record.Entry{Text: "lo"}}}},
		},
	},
	{ID: "l2", GoogleID: "people/g0002", Name: "Bob", Pending: record.Creatio, UpdatedAt: formerNoon},
	{ID: "l3", CreatioID: "c0003", GoogleID: "people/g0003", Name: "Cyd", Active: true, Failed: 2, RetryAt: formerNoon.Add(time.Hour), UpdatedAt: formerNoon},
	{
		ID: "l4", CreatioID: "c0004", GoogleID: "people/g0004", Name: "Dan", Active: true, UpdatedAt: formerNoon,
		Photo: &store.LinkPhoto{
			Agreed: "sha256:1", Failed: 1, RetryAt: formerNoon.Add(time.Hour),
			Sides: map[record.Side]store.PhotoState{record.Google: {Ref: "https://example.com/p", Is: "sha256:1", As: "sha256:2", Intended: "sha256:3"}},
		},
	},
	{ID: "l5", CreatioID: "c0005", GoogleID: "people/g0005", Name: "Eve", SplitSide: record.Google, UpdatedAt: formerNoon},
}

func wantMembers(t *testing.T, u store.User, side record.Side, n int) {
	t.Helper()
	data, err := u.Blob(t.Context(), record.Contacts, store.MembersBlob(side))
	must(t, err)
	got, err := store.DecodeMemberSet(data)
	must(t, err)
	want := store.MemberSet{}
	for i := range n {
		want = append(want, fmt.Sprintf("%s%04d", map[record.Side]string{record.Creatio: "c", record.Google: "people/g"}[side], i))
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("%s's members of %s (-want +got):\n%s", u.ID(), side, diff)
	}
}

func TestLinksOfAFormerVersionAreReadAndFound(t *testing.T) {
	t.Parallel()
	u, ctx := openFormer(t).User("ada"), t.Context()
	want := func(what string, got []store.Link, err error, want ...store.Link) {
		t.Helper()
		must(t, err)
		if diff := cmp.Diff(want, got, cmpopts.EquateEmpty()); diff != "" {
			t.Errorf("%s (-want +got):\n%s", what, diff)
		}
	}
	collect := func(links iter.Seq2[store.Link, error]) (all []store.Link) {
		for l, err := range links {
			must(t, err)
			all = append(all, l)
		}
		return all
	}
	want("links", collect(u.Links(ctx, record.Contacts)), nil, formerLinks...)
	want("pending links", collect(u.PendingLinks(ctx, record.Contacts)), nil, formerLinks[1:4]...)
	found, err := u.LinksBy(ctx, record.Contacts, record.Creatio, []string{"c0001", "c0005"})
	want("links by their id", found, err, formerLinks[0], formerLinks[4])
	found, err = u.LinksByParent(ctx, record.Contacts, []string{"series"})
	want("links by a parent", found, err)

	_, lease, err := u.Acquire(ctx, record.Contacts, "run2", formerNoon, time.Minute)
	must(t, err)
	moved := formerLinks[1]
	moved.Parent, moved.Pending, moved.CreatioID = "series", "", "c0002"
	_, err = u.PutBatch(ctx, record.Contacts, lease, formerNoon, store.Batch{Links: []store.Link{moved}})
	must(t, err)
	found, err = u.LinksByParent(ctx, record.Contacts, []string{"series"})
	want("links by a parent", found, err, moved)
	want("pending links", collect(u.PendingLinks(ctx, record.Contacts)), nil, formerLinks[2:4]...)
}

func TestMemberSetsOfAFormerVersionAreReadBeforeAndAfterTheyAreMoved(t *testing.T) {
	t.Parallel()
	s := openFormer(t)
	ctx := t.Context()
	ada, bob, cyd := s.User("ada"), s.User("bob"), s.User("cyd")
	// A run of bob's writes one before they are moved.
	_, lease, err := bob.Acquire(ctx, record.Contacts, "run2", formerNoon, time.Minute)
	must(t, err)
	data, err := store.MemberSet{"c0000", "c0001"}.Encode()
	must(t, err)
	must(t, bob.PutBlob(ctx, record.Contacts, lease, store.MembersBlob(record.Creatio), data))
	for _, step := range []string{"before", "after", "after the second time"} {
		t.Log(step, "they are moved")
		wantMembers(t, ada, record.Creatio, 20)
		wantMembers(t, ada, record.Google, 20)
		wantMembers(t, bob, record.Creatio, 2)
		wantMembers(t, bob, record.Google, 20)
		wantMembers(t, cyd, record.Google, 0)
		if _, err := cyd.Blob(ctx, record.Contacts, store.MembersBlob(record.Creatio)); err == nil {
			t.Error("cyd has members in Creatio")
		}
		var names []string
		for b, err := range ada.Blobs(ctx, record.Contacts) {
			must(t, err)
			names = append(names, b.Name)
		}
		if len(names) != 2 {
			t.Errorf("ada has the blobs %q", names)
		}
		last, err := s.MoveMemberSets(ctx, "", 1)
		must(t, err)
		if last != "" {
			t.Fatalf("the move went as far as %q", last)
		}
	}
	// Nothing is left where they were, or else these would be read.
	must(t, bob.PutBlob(ctx, record.Contacts, lease, store.MembersBlob(record.Google), nil))
	if _, err := bob.Blob(ctx, record.Contacts, store.MembersBlob(record.Google)); err == nil {
		t.Error("a removed member set is there still")
	}
}
