package storetest

import (
	"encoding/json"
	"fmt"
	"iter"
	"strings"
	"testing"
	"time"

	"github.com/tandem-sync/tandem/shared/contact"
	"github.com/tandem-sync/tandem/shared/record"
	"github.com/tandem-sync/tandem/shared/store"
)

// numbered makes links l0000, l0001 … with ids on both sides.
func numbered(n int) []store.Link {
	links := make([]store.Link, n)
	for i := range links {
		links[i] = store.Link{ID: fmt.Sprintf("l%04d", i), CreatioID: fmt.Sprintf("c%04d", i), GoogleID: fmt.Sprintf("people/g%04d", i)}
	}
	return links
}

func wantLinksBy(t *testing.T, u store.User, side record.Side, ids []string, want ...store.Link) {
	t.Helper()
	got, err := u.LinksBy(t.Context(), record.Contacts, side, ids)
	must(t, err)
	same(t, fmt.Sprintf("links by %s %.60q", side, ids), sorted(got), want)
}

var linkTests = map[string]func(*testing.T, store.Store){
	"a link is as long as its record's notes": func(t *testing.T, s store.Store) {
		u := signedIn(t, s, "ada")
		l := acquire(t, u, "run1")
		note := record.Fields{contact.Notes: {{Text: strings.Repeat("a “long” note\n\x00", 70_000)}}}
		long := store.Link{
			ID: "long", CreatioID: "c1", GoogleID: "g1", Active: true, Base: note, UpdatedAt: noon,
			Intent: &record.Intent{Fields: []string{contact.Notes}, Base: note, Sides: map[record.Side]record.IntentSide{record.Google: {Before: note, After: note}}},
			Sides: map[record.Side]store.LinkSide{record.Google: {AdapterState: json.RawMessage(`{"b":"\"","a":[1,"\\"]}`), Projections: []record.Projection{
				{Field: contact.Notes, Canonical: note.One(contact.Notes), Displayed: record.Entry{Text: strings.Repeat("z", 100_000)}},
			}}},
		}
		short := store.Link{ID: "short", CreatioID: "c2", GoogleID: "g2", UpdatedAt: noon}
		must(t, putLinks(t.Context(), u, record.Contacts, l, []store.Link{short, long}))
		wantLinksBy(t, u, record.Google, []string{"g1", "g2"}, long, short)
		long.Base, long.Intent, long.Sides = nil, nil, nil
		must(t, putLinks(t.Context(), u, record.Contacts, l, []store.Link{long}))
		wantLinksBy(t, u, record.Creatio, []string{"c1"}, long)
	},
	"a link comes back as it was written": func(t *testing.T, s store.Store) {
		u := signedIn(t, s, "ada")
		want := store.Link{
			ID: "aZ09_-", CreatioID: "0f7f1a3e-8a1c-4b7e-9a53-9a6a6f0b1c2d", GoogleID: "people/c123/x", Name: "عمر 👩‍🚀 O'Neil", Active: true,
			Base: record.Fields{
				contact.GivenName: {{Text: "عمر"}},
				contact.Notes:     {{Text: "line\nline <b>&amp;\u2028 \x00 end"}},
				contact.Emails:    {{Kind: contact.KindWork, Text: "omar@example.com"}, {Text: "o@example.com"}},
				contact.Addresses: {{Kind: contact.KindHome, Parts: map[string]string{contact.City: "القاهرة", contact.Zip: "11511"}}},
				contact.Skype:     {},
			},
			Sides: map[record.Side]store.LinkSide{
				record.Google: {
					AdapterState: json.RawMessage(`{"etag":"%EgUBAi4=","n":12345678901234567890,"html":"<a&b>"}`), Modified: noon.Add(time.Microsecond),
					Projections: []record.Projection{{Field: contact.Phones, Canonical: record.Entry{Kind: contact.KindWork, Text: "+1 202 555 0101"}, Displayed: record.Entry{Text: "202"}}},
				},
				record.Creatio: {},
			},
			UpdatedAt: noon, Failed: 2, RetryAt: noon.Add(time.Hour),
			Parent: "series/1", End: noon.Add(2 * time.Hour), RevisitAt: noon.Add(3 * time.Hour),
		}
		given := want
		given.UpdatedAt = noon.Add(999 * time.Nanosecond)
		given.End, given.RevisitAt = want.End.Add(time.Nanosecond), want.RevisitAt.Add(time.Nanosecond)
		given.Sides = map[record.Side]store.LinkSide{record.Creatio: {}}
		side := want.Sides[record.Google]
		side.Modified = side.Modified.Add(time.Nanosecond).In(time.FixedZone("", -7200))
		given.Sides[record.Google] = side
		must(t, putLinks(t.Context(), u, record.Contacts, acquire(t, u, "run1"), []store.Link{given}))
		same(t, "links", linksOf(t, u), []store.Link{want})
		if given.Sides[record.Google].Modified != side.Modified {
			t.Error("writing changed the caller's link")
		}
		got, err := u.LinksBy(t.Context(), record.Contacts, record.Creatio, []string{want.CreatioID})
		must(t, err)
		if state := string(got[0].Sides[record.Google].AdapterState); state != string(side.AdapterState) {
			t.Errorf("adapter state became %s", state)
		}
	},

	"many links are written at once, listed in order and found by the ids of both sides": func(t *testing.T, s store.Store) {
		u := signedIn(t, s, "ada")
		links := numbered(1200)
		must(t, putLinks(t.Context(), u, record.Contacts, acquire(t, u, "run1"), links))
		same(t, "links", linksOf(t, u), links)
		for _, side := range record.Sides {
			ids := []string{"", "unknown", "people/unknown", links[0].SideID(side.Other())}
			for i := 0; i < 140; i += 2 {
				ids = append(ids, links[i].SideID(side), fmt.Sprint("unknown-", i), links[i].SideID(side))
			}
			got, err := u.LinksBy(t.Context(), record.Contacts, side, ids)
			must(t, err)
			var want []store.Link
			for i := 0; i < 140; i += 2 {
				want = append(want, links[i])
			}
			same(t, "found links", sorted(got), want)
		}
		wantLinksBy(t, u, record.Google, nil)
		wantLinksBy(t, u, record.Google, []string{"", "people/g", "people/g00000"})
	},

	"a link without an id on a side is not found by none": func(t *testing.T, s store.Store) {
		u := signedIn(t, s, "ada")
		l := store.Link{ID: "l1", GoogleID: "people/g1"}
		must(t, putLinks(t.Context(), u, record.Contacts, acquire(t, u, "run1"), []store.Link{l}))
		wantLinksBy(t, u, record.Creatio, []string{""})
		wantLinksBy(t, u, record.Google, []string{"people/g1"}, l)
	},

	"links that share an id are all found": func(t *testing.T, s store.Store) {
		u := signedIn(t, s, "ada")
		a, b := store.Link{ID: "l1", CreatioID: "c1", GoogleID: "people/g1"}, store.Link{ID: "l2", CreatioID: "c1"}
		must(t, putLinks(t.Context(), u, record.Contacts, acquire(t, u, "run1"), []store.Link{a, b}))
		wantLinksBy(t, u, record.Creatio, []string{"c1"}, a, b)
	},

	"an id that a link no longer has finds nothing": func(t *testing.T, s store.Store) {
		u := signedIn(t, s, "ada")
		lease := acquire(t, u, "run1")
		l := store.Link{ID: "l1", CreatioID: "c1", GoogleID: "people/old"}
		must(t, putLinks(t.Context(), u, record.Contacts, lease, []store.Link{l}))
		l.GoogleID, l.Name = "people/new", "renamed"
		must(t, putLinks(t.Context(), u, record.Contacts, lease, []store.Link{l}))
		wantLinksBy(t, u, record.Google, []string{"people/old"})
		wantLinksBy(t, u, record.Google, []string{"people/new", "people/old"}, l)
		wantLinksBy(t, u, record.Creatio, []string{"c1"}, l)
		l.CreatioID = ""
		must(t, putLinks(t.Context(), u, record.Contacts, lease, []store.Link{l}))
		wantLinksBy(t, u, record.Creatio, []string{"c1"})
		same(t, "links", linksOf(t, u), []store.Link{l})
	},

	"of one link written twice at once the last one stays": func(t *testing.T, s store.Store) {
		u := signedIn(t, s, "ada")
		first, last := store.Link{ID: "l1", GoogleID: "people/old"}, store.Link{ID: "l1", GoogleID: "people/new"}
		must(t, putLinks(t.Context(), u, record.Contacts, acquire(t, u, "run1"), []store.Link{first, last}))
		same(t, "links", linksOf(t, u), []store.Link{last})
		wantLinksBy(t, u, record.Google, []string{"people/old", "people/new"}, last)
	},

	"links are found by their parent, as it was written last": func(t *testing.T, s store.Store) {
		u := signedIn(t, s, "ada")
		lease := acquire(t, u, "run1")
		links := numbered(100)
		for n := range links {
			if n < 80 {
				links[n].Parent = fmt.Sprintf("series/%02d", n/2)
			}
		}
		must(t, putLinks(t.Context(), u, record.Contacts, lease, links))
		by := func(parents []string, want ...store.Link) {
			t.Helper()
			got, err := u.LinksByParent(t.Context(), record.Contacts, parents)
			must(t, err)
			same(t, "links by parent", sorted(got), want)
		}
		var all []string
		for n := range 40 {
			all = append(all, fmt.Sprintf("series/%02d", n))
		}
		by(append(all, all...), links[:80]...)
		by([]string{"series/03", "", "series", "series/0", "unknown"}, links[6:8]...)
		by(nil)
		links[6].Parent, links[7].Parent = "", "series/00"
		must(t, putLinks(t.Context(), u, record.Contacts, lease, append(links[6:8:8], store.Link{ID: links[0].ID, Parent: links[0].Parent})))
		by([]string{"series/03"})
		by([]string{"series/00"}, links[1], links[7])
		got, err := signedIn(t, s, "bob").LinksByParent(t.Context(), record.Contacts, all)
		must(t, err)
		same(t, "links of nobody", got, []store.Link(nil))
	},

	"a link without ids is deleted": func(t *testing.T, s store.Store) {
		u := signedIn(t, s, "ada")
		lease := acquire(t, u, "run1")
		links := numbered(3)
		links[1].Pending = record.Google
		must(t, putLinks(t.Context(), u, record.Contacts, lease, links))
		must(t, putLinks(t.Context(), u, record.Contacts, lease, []store.Link{{ID: "l0001", Name: "gone", Pending: record.Google}, {ID: "never-was"}}))
		same(t, "links", linksOf(t, u), []store.Link{links[0], links[2]})
		wantLinksBy(t, u, record.Creatio, []string{"c0001"})
		wantLinksBy(t, u, record.Google, []string{"people/g0001"})
		wantPending(t, u)
	},

	"links written lately are found by their time": func(t *testing.T, s store.Store) {
		u := signedIn(t, s, "ada")
		lease := acquire(t, u, "run1")
		old, late, never := numbered(3)[0], numbered(3)[1], numbered(3)[2]
		old.UpdatedAt, late.UpdatedAt = noon, noon.Add(time.Second)
		must(t, putLinks(t.Context(), u, record.Contacts, lease, []store.Link{old, late, never}))
		since := func(at time.Time, want ...store.Link) {
			t.Helper()
			got := collect(t, u.LinksSince(t.Context(), record.Contacts, at))
			same(t, "links since "+at.String(), sorted(got), want)
		}
		since(noon, old, late)
		since(noon.Add(time.Microsecond), late)
		since(noon.Add(time.Second), late)
		since(noon.Add(time.Minute))
		late.UpdatedAt = noon.Add(time.Hour)
		must(t, putLinks(t.Context(), u, record.Contacts, lease, []store.Link{{ID: old.ID}, late}))
		since(noon, late)
	},

	"links in scope are counted, and those that an undo split": func(t *testing.T, s store.Store) {
		u := signedIn(t, s, "ada")
		links := numbered(5)
		for n := range 3 {
			links[n].Active = true
		}
		links[4].SplitSide = record.Google
		lease := acquire(t, u, "run1")
		must(t, putLinks(t.Context(), u, record.Contacts, lease, links))
		for _, want := range []store.LinkCounts{{Active: 3, Split: 1}, {Active: 2, Split: 2}} {
			n, err := u.CountLinks(t.Context(), record.Contacts)
			must(t, err)
			same(t, "links", n, want)
			links[0].Active, links[0].SplitSide = false, record.Creatio
			must(t, putLinks(t.Context(), u, record.Contacts, lease, links[:1]))
		}
		n, err := signedIn(t, s, "bob").CountLinks(t.Context(), record.Contacts)
		must(t, err)
		same(t, "links of nobody", n, store.LinkCounts{})
	},

	"pending links are those with an unfinished creation, a failed write, a pair that waits or, in scope, a failed photo": func(t *testing.T, s store.Store) {
		u := signedIn(t, s, "ada")
		lease := acquire(t, u, "run1")
		wantPending(t, u)
		links := numbered(4)
		links[1].Pending, links[3].Pending = record.Google, record.Creatio
		must(t, putLinks(t.Context(), u, record.Contacts, lease, links))
		wantPending(t, u, links[1], links[3])
		links[1].Pending = ""
		must(t, putLinks(t.Context(), u, record.Contacts, lease, links[1:2]))
		wantPending(t, u, links[3])
		links[0].RevisitAt = noon.Add(time.Hour)
		must(t, putLinks(t.Context(), u, record.Contacts, lease, links[:1]))
		wantPending(t, u, links[0], links[3])
		links[0].RevisitAt = time.Time{}
		must(t, putLinks(t.Context(), u, record.Contacts, lease, links[:1]))
		wantPending(t, u, links[3])
		links[0].Failed = 2
		must(t, putLinks(t.Context(), u, record.Contacts, lease, links[:1]))
		wantPending(t, u, links[0], links[3])
		links[2].Photo = &store.LinkPhoto{Agreed: "sha256:1", Sides: map[record.Side]store.PhotoState{record.Google: {Ref: "r", Is: "sha256:1", As: "sha256:2"}}}
		must(t, putLinks(t.Context(), u, record.Contacts, lease, links[2:3]))
		wantPending(t, u, links[0], links[3])
		links[2].Photo.Failed, links[2].Photo.RetryAt = 1, noon
		must(t, putLinks(t.Context(), u, record.Contacts, lease, links[2:3]))
		wantPending(t, u, links[0], links[3])
		links[2].Active = true
		must(t, putLinks(t.Context(), u, record.Contacts, lease, links[2:3]))
		wantPending(t, u, links[0], links[2], links[3])
		same(t, "pending activities", collect(t, u.PendingLinks(t.Context(), record.Activities)), []store.Link(nil))
	},

	"links of two users and of two types do not touch": func(t *testing.T, s store.Store) {
		ada, bob := signedIn(t, s, "ada"), signedIn(t, s, "bob")
		mine, theirs := store.Link{ID: "l1", CreatioID: "c1", GoogleID: "people/g1", Name: "Ada's"}, store.Link{ID: "l1", CreatioID: "c1", GoogleID: "people/g1", Name: "Bob's"}
		activity := store.Link{ID: "l1", CreatioID: "c1", GoogleID: "people/g1", Name: "an activity"}
		bobs := acquire(t, bob, "run1")
		must(t, putLinks(t.Context(), ada, record.Contacts, acquire(t, ada, "run1"), []store.Link{mine}))
		must(t, putLinks(t.Context(), bob, record.Contacts, bobs, []store.Link{theirs}))
		_, l, err := ada.Acquire(t.Context(), record.Activities, "run2", noon, time.Minute)
		must(t, err)
		must(t, putLinks(t.Context(), ada, record.Activities, l, []store.Link{activity}))
		wantLinksBy(t, ada, record.Google, []string{"people/g1"}, mine)
		wantLinksBy(t, bob, record.Creatio, []string{"c1"}, theirs)
		got, err := ada.LinksBy(t.Context(), record.Activities, record.Google, []string{"people/g1"})
		must(t, err)
		same(t, "activities", got, []store.Link{activity})
		must(t, putLinks(t.Context(), bob, record.Contacts, bobs, []store.Link{{ID: "l1"}}))
		same(t, "links", linksOf(t, ada), []store.Link{mine})
		same(t, "links", linksOf(t, bob), []store.Link(nil))
	},

	"whoever lists links may write them meanwhile, and stop": func(t *testing.T, s store.Store) {
		u := signedIn(t, s, "ada")
		lease := acquire(t, u, "run1")
		links := numbered(5)
		must(t, putLinks(t.Context(), u, record.Contacts, lease, links))
		seen := 0
		for l, err := range u.Links(t.Context(), record.Contacts) {
			must(t, err)
			l.Name = "seen"
			must(t, putLinks(t.Context(), u, record.Contacts, lease, []store.Link{l}))
			if seen++; seen == 3 {
				break
			}
		}
		for i, l := range linksOf(t, u) {
			if (l.Name == "seen") != (i < 3) {
				t.Errorf("link %d has the name %q", i, l.Name)
			}
		}
	},

	"many links that are unfinished, and written at one time, are listed each once": func(t *testing.T, s store.Store) {
		u := signedIn(t, s, "ada")
		links := numbered(700)
		for i := range links {
			links[i].Failed, links[i].RetryAt, links[i].UpdatedAt = 1, noon, noon
		}
		must(t, putLinks(t.Context(), u, record.Contacts, acquire(t, u, "run1"), links))
		wantPending(t, u, links...)
		same(t, "links since", sorted(collect(t, u.LinksSince(t.Context(), record.Contacts, noon))), links)
	},

	"a listing that fails says so": func(t *testing.T, s store.Store) {
		u, ctx := signedIn(t, s, "ada"), cancelled(t)
		for name, list := range map[string]iter.Seq2[store.Link, error]{
			"links": u.Links(ctx, record.Contacts), "pending links": u.PendingLinks(ctx, record.Contacts), "links since": u.LinksSince(ctx, record.Contacts, noon),
		} {
			n := 0
			for _, err := range list {
				if n++; err == nil {
					t.Errorf("%s: no error", name)
				}
			}
			if n != 1 {
				t.Errorf("%s: %d results", name, n)
			}
		}
	},
}

func wantPending(t *testing.T, u store.User, want ...store.Link) {
	t.Helper()
	same(t, "pending links", sorted(collect(t, u.PendingLinks(t.Context(), record.Contacts))), want)
}
