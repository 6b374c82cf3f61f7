package storetest

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/tandem-sync/tandem/shared/fault"
	"github.com/tandem-sync/tandem/shared/record"
	"github.com/tandem-sync/tandem/shared/store"
)

const site = "https://acme.example.com"

// creation is a link that notes a creation in Creatio, with the claims of its keys.
func creation(link, recordID string, keys ...string) store.Batch {
	b := store.Batch{Links: []store.Link{{ID: link, GoogleID: "people/" + link, Pending: record.Creatio}}}
	for _, key := range keys {
		b.Claims = append(b.Claims, store.Claim{Site: site, Key: key, RecordID: recordID, Link: link, Until: noon.Add(30 * time.Minute)})
	}
	return b
}

// together is several batches as one.
func together(batches ...store.Batch) (out store.Batch) {
	for _, b := range batches {
		out.Links, out.Claims = append(out.Links, b.Links...), append(out.Claims, b.Claims...)
	}
	return out
}

// wantRefused writes a batch, and the claims of these links, and no others, must be refused.
func wantRefused(t *testing.T, u store.User, l store.Lease, now time.Time, b store.Batch, links ...string) {
	t.Helper()
	refused, err := u.PutBatch(t.Context(), record.Contacts, l, now, b)
	must(t, err)
	want := slices.DeleteFunc(slices.Clone(b.Claims), func(c store.Claim) bool { return !slices.Contains(links, c.Link) })
	same(t, "refused claims", refused, want)
}

func linkIDs(t *testing.T, u store.User) string {
	t.Helper()
	var ids []string
	for _, l := range linksOf(t, u) {
		ids = append(ids, l.ID)
	}
	return strings.Join(ids, " ")
}

func claimsOf(t *testing.T, u store.User) []store.Claim {
	t.Helper()
	claims, err := u.Claims(t.Context())
	must(t, err)
	slices.SortFunc(claims, func(a, b store.Claim) int { return strings.Compare(a.Link+a.RecordID, b.Link+b.RecordID) })
	return claims
}

var batchTests = map[string]func(*testing.T, store.Store){
	"a link is written with all its claims or not at all": func(t *testing.T, s store.Store) {
		ada, bob := signedIn(t, s, "ada"), signedIn(t, s, "bob")
		adas, bobs := acquire(t, ada, "run1"), acquire(t, bob, "run1")
		wantRefused(t, ada, adas, noon, creation("l1", "r1", "mail grace@example.com", "phone 1"))
		same(t, "claims", claimsOf(t, ada), []store.Claim{
			{RecordID: "r1", Link: "l1", User: "ada", Type: record.Contacts, Until: noon.Add(30 * time.Minute)},
			{RecordID: "r1", Link: "l1", User: "ada", Type: record.Contacts, Until: noon.Add(30 * time.Minute)},
		})
		wantRefused(t, bob, bobs, noon, together(
			creation("l2", "r2", "mail bob@example.com"), creation("l3", "r3", "mail other@example.com", "phone 1"),
			creation("l4", "r4"), creation("l5", "r5", "mail grace@example.com"),
		), "l3", "l5")
		same(t, "links", linkIDs(t, bob), "l2 l4")
		wantPending(t, bob, linksOf(t, bob)...)
		same(t, "claims", len(claimsOf(t, bob)), 1)
		// Nobody holds the key that was asked for together with one that is held.
		wantRefused(t, ada, adas, noon, creation("l6", "r6", "mail other@example.com"))
	},

	"a claim holds until its time": func(t *testing.T, s store.Store) {
		ada, bob := signedIn(t, s, "ada"), signedIn(t, s, "bob")
		adas, bobs := acquire(t, ada, "run1"), acquire(t, bob, "run1")
		wantRefused(t, ada, adas, noon, creation("l1", "r1", "k"))
		wantRefused(t, bob, bobs, noon.Add(30*time.Minute-time.Microsecond), creation("l2", "r2", "k"), "l2")
		taking := creation("l2", "r2", "k")
		taking.Claims[0].Until = noon.Add(time.Hour)
		wantRefused(t, bob, bobs, noon.Add(30*time.Minute), taking)
		same(t, "claims of who had it", claimsOf(t, ada), []store.Claim(nil))
		wantRefused(t, ada, adas, noon.Add(30*time.Minute), creation("l1", "r1", "k"), "l1")
		// The link of who had it stays as it was.
		same(t, "links", linkIDs(t, ada), "l1")
	},

	"a claim of the same record is renewed, and never made shorter": func(t *testing.T, s store.Store) {
		u := signedIn(t, s, "ada")
		lease := acquire(t, u, "run1")
		for _, minutes := range []int{30, 60, 45} {
			b := creation("l1", "r1", "k")
			b.Claims[0].Until = noon.Add(time.Duration(minutes) * time.Minute)
			wantRefused(t, u, lease, noon, b)
		}
		same(t, "claims", claimsOf(t, u), []store.Claim{{RecordID: "r1", Link: "l1", User: "ada", Type: record.Contacts, Until: noon.Add(time.Hour)}})
	},

	"two records of one user share a key, and keep others from both": func(t *testing.T, s store.Store) {
		ada, bob := signedIn(t, s, "ada"), signedIn(t, s, "bob")
		adas, bobs := acquire(t, ada, "run1"), acquire(t, bob, "run1")
		wantRefused(t, ada, adas, noon, together(creation("l1", "r1", "phone 1", "a"), creation("l2", "r2", "phone 1", "b")))
		wantRefused(t, ada, adas, noon, creation("l3", "r3", "phone 1"))
		same(t, "links", linkIDs(t, ada), "l1 l2 l3")
		for n, key := range []string{"phone 1", "a", "b"} {
			link := fmt.Sprint("m", n)
			wantRefused(t, bob, bobs, noon, creation(link, "r9", key), link)
		}
	},

	"a claim that is released keeps nobody away whose run begins later": func(t *testing.T, s store.Store) {
		ada, bob := signedIn(t, s, "ada"), signedIn(t, s, "bob")
		adas, bobs := acquire(t, ada, "run1"), acquire(t, bob, "run1")
		released := func(link, recordID, key string, minute int) store.Batch {
			b := creation(link, recordID, key)
			b.Released, b.Claims = b.Claims, nil
			b.Released[0].Until = noon.Add(time.Duration(minute) * time.Minute)
			return b
		}
		wantRefused(t, ada, adas, noon, together(creation("l1", "r1", "k", "phone 1"), creation("l2", "r2", "phone 1")))
		// Nobody releases what is another user's, or another record's, or makes a claim longer.
		wantRefused(t, bob, bobs, noon, released("m1", "r1", "k", 5))
		wantRefused(t, ada, adas, noon, released("l2", "r2", "phone 1", 5))
		wantRefused(t, ada, adas, noon, released("l1", "r1", "k", 50))
		wantRefused(t, ada, adas, noon, released("l1", "r1", "none", 5))
		wantRefused(t, bob, bobs, noon.Add(5*time.Minute), creation("m1", "r8", "k"), "m1")
		wantRefused(t, ada, adas, noon, released("l1", "r1", "k", 5))
		// What else was made until then, a run that began before has not looked for.
		wantRefused(t, bob, bobs, noon.Add(4*time.Minute), creation("m1", "r8", "k"), "m1")
		wantRefused(t, bob, bobs, noon.Add(5*time.Minute), creation("m1", "r8", "phone 1"), "m1")
		wantRefused(t, bob, bobs, noon.Add(5*time.Minute), creation("m1", "r8", "k"))
		wantRefused(t, ada, adas, noon.Add(6*time.Minute), creation("l1", "r1", "k"), "l1")
	},

	"claims of two sites and of two types do not touch": func(t *testing.T, s store.Store) {
		ada, bob := signedIn(t, s, "ada"), signedIn(t, s, "bob")
		wantRefused(t, ada, acquire(t, ada, "run1"), noon, creation("l1", "r1", "k"))
		elsewhere := creation("l2", "r2", "k")
		elsewhere.Claims[0].Site = "https://other.example.com"
		wantRefused(t, bob, acquire(t, bob, "run1"), noon, elsewhere)
		_, lease, err := bob.Acquire(t.Context(), record.Activities, "run1", noon, time.Minute)
		must(t, err)
		refused, err := bob.PutBatch(t.Context(), record.Activities, lease, noon, creation("l3", "r3", "k"))
		must(t, err)
		same(t, "refused claims", refused, []store.Claim(nil))
	},

	"many creations are written at once, but those that others are at": func(t *testing.T, s store.Store) {
		const many = 400
		ada, bob := signedIn(t, s, "ada"), signedIn(t, s, "bob")
		key := func(n int) string { return fmt.Sprint("mail ", n) }
		var theirs, all store.Batch
		var held []string
		for n := range many {
			link := fmt.Sprintf("l%03d", n)
			all = together(all, creation(link, "r"+link, key(n), "name of "+key(n)))
			if n%10 == 0 {
				theirs = together(theirs, creation("b"+link, "b"+link, key(n)))
				held = append(held, link)
			}
		}
		// A link that is given twice hangs on its claims both times.
		all.Links = append(all.Links, all.Links[0])
		wantRefused(t, bob, acquire(t, bob, "run1"), noon, theirs)
		wantRefused(t, ada, acquire(t, ada, "run1"), noon, all, held...)
		same(t, "links", len(linksOf(t, ada)), many-len(held))
		same(t, "claims", len(claimsOf(t, ada)), 2*(many-len(held)))
	},

	"of users who claim a key at once exactly one gets it": func(t *testing.T, s store.Store) {
		const rivals = 4
		leases, users := make([]store.Lease, rivals), make([]store.User, rivals)
		for n := range users {
			users[n] = signedIn(t, s, fmt.Sprint("user", n))
			leases[n] = acquire(t, users[n], "run1")
		}
		var wg sync.WaitGroup
		refused, errs := make([][]store.Claim, rivals), make([]error, rivals)
		for n, u := range users {
			wg.Go(func() {
				refused[n], errs[n] = retried(t.Context(), func(ctx context.Context) ([]store.Claim, error) {
					return u.PutBatch(ctx, record.Contacts, leases[n], noon, creation("l1", fmt.Sprint("r", n), "k1", fmt.Sprint("own", n), "k2"))
				})
			})
		}
		wg.Wait()
		winners := 0
		for n, u := range users {
			must(t, errs[n])
			got := []int{len(refused[n]), len(linksOf(t, u)), len(claimsOf(t, u))}
			switch {
			case slices.Equal(got, []int{0, 1, 3}):
				winners++
			case !slices.Equal(got, []int{3, 0, 0}):
				t.Errorf("user%d has %d refused claims, %d links, %d claims", n, got[0], got[1], got[2])
			}
		}
		if winners != 1 {
			t.Fatalf("%d users got the claim", winners)
		}
	},

	"a lost lease takes no claims and leaves no notes": func(t *testing.T, s store.Store) {
		u := signedIn(t, s, "ada")
		lost := acquire(t, u, "run1")
		must(t, u.Release(t.Context(), record.Contacts, lost))
		b := creation("l1", "r1", "k")
		b.Notes = []store.WriteNote{{Site: site, Record: "c1", Modified: noon, Edited: noon, Until: noon.Add(time.Hour)}}
		b.Pairs = []store.Pair{pair("c1", "people/g1", store.StateDoubt)}
		_, err := u.PutBatch(t.Context(), record.Contacts, lost, noon, b)
		wantError(t, err, store.ErrFenced)
		same(t, "claims", claimsOf(t, u), []store.Claim(nil))
		same(t, "notes", notesOf(t, u, "c1"), map[string]store.WriteNote{})
		same(t, "pairs", pairsOf(t, u), []store.Pair(nil))
	},

	"a note of a write is found by everybody, by the record's id in letters of either case": func(t *testing.T, s store.Store) {
		ada, bob := signedIn(t, s, "ada"), signedIn(t, s, "bob")
		want := store.WriteNote{Site: site, Record: "c1", Modified: noon, Edited: noon.Add(-5 * time.Minute), Until: noon.Add(48 * time.Hour), User: "ada"}
		given := want
		given.User, given.Modified = "somebody-else", want.Modified.Add(999*time.Nanosecond).In(time.FixedZone("", 3600))
		putNotes(t, ada, acquire(t, ada, "run1"), noon, given)
		same(t, "notes", notesOf(t, bob, "c1", "c2", "c1"), map[string]store.WriteNote{"c1": want})
		want.Record = "C1"
		same(t, "notes", notesOf(t, bob, "C1"), map[string]store.WriteNote{"C1": want})
		none, err := bob.WriteNotes(t.Context(), "https://other.example.com", []string{"c1"})
		must(t, err)
		same(t, "notes of another site", none, map[string]store.WriteNote{})
		same(t, "notes of nothing", notesOf(t, bob), map[string]store.WriteNote{})
		own, err := ada.OwnWriteNotes(t.Context())
		must(t, err)
		want.Site, want.Record = "", ""
		same(t, "own notes", own, []store.WriteNote{want})
		own, err = bob.OwnWriteNotes(t.Context())
		must(t, err)
		same(t, "own notes of the other", own, []store.WriteNote(nil))
	},

	"the note of the later write stays, whoever comes last": func(t *testing.T, s store.Store) {
		ada, bob := signedIn(t, s, "ada"), signedIn(t, s, "bob")
		adas, bobs := acquire(t, ada, "run1"), acquire(t, bob, "run1")
		note := func(modified, edited, until int) store.WriteNote {
			at := func(minutes int) time.Time { return noon.Add(time.Duration(minutes) * time.Minute) }
			return store.WriteNote{Site: site, Record: "c1", Modified: at(modified), Edited: at(edited), Until: at(until)}
		}
		want := func(n store.WriteNote, user string) {
			t.Helper()
			n.User = user
			same(t, "note", notesOf(t, ada, "c1")["c1"], n)
		}
		putNotes(t, ada, adas, noon, note(10, 5, 100))
		putNotes(t, bob, bobs, noon, note(12, 0, 200))
		want(note(12, 0, 200), "bob")
		putNotes(t, ada, adas, noon, note(11, 7, 300))
		want(note(12, 0, 300), "bob")
		putNotes(t, ada, adas, noon, note(12, 8, 100))
		want(note(12, 8, 300), "ada")
		putNotes(t, ada, adas, noon, note(13, 9, 400), note(12, 10, 300))
		want(note(13, 9, 400), "ada")
	},

	"a write that is about to be sent counts until somebody tells what became of it": func(t *testing.T, s store.Store) {
		ada, bob := signedIn(t, s, "ada"), signedIn(t, s, "bob")
		adas, bobs := acquire(t, ada, "run1"), acquire(t, bob, "run1")
		minute := func(n int) time.Time { return noon.Add(time.Duration(n) * time.Minute) }
		want := func(modified, edited int) {
			t.Helper()
			if got := notesOf(t, bob, "c8")["c8"].EditedAt(minute(modified)); !got.Equal(minute(edited)) {
				t.Errorf("a record of minute %d was edited at %s, want minute %d", modified, got, edited)
			}
		}
		note := func(n store.WriteNote) store.WriteNote {
			n.Site, n.Record, n.Until = site, "c8", minute(99)
			return n
		}
		putNotes(t, bob, bobs, noon, note(store.WriteNote{Before: minute(-9), Modified: minute(10), Edited: minute(3)}))
		putNotes(t, ada, adas, noon, note(store.WriteNote{Before: minute(10), Sent: minute(20), Sender: "ada", Edited: minute(1)}))
		// The one is as it was, and what the other one found goes on.
		want(10, 3)
		want(20, 3)
		want(30, 30)
		same(t, "who is told of", notesOf(t, bob, "c8")["c8"].User, "bob")
		putNotes(t, bob, bobs, noon, note(store.WriteNote{Before: minute(10), Sent: minute(20), Sender: "bob", Edited: minute(4)}))
		want(20, 4)
		putNotes(t, bob, bobs, noon, note(store.WriteNote{Before: minute(10), Modified: minute(20).Add(-30 * time.Second), Sender: "bob", Edited: minute(4)}))
		want(20, 3)
		putNotes(t, ada, adas, noon, note(store.WriteNote{Before: minute(30), Sender: "ada", Modified: minute(40), Edited: minute(6)}))
		want(20, 20)
		want(40, 30)
	},

	"a note carries on when the record was edited before": func(t *testing.T, s store.Store) {
		ada := signedIn(t, s, "ada")
		lease := acquire(t, ada, "run1")
		minute := func(n int) time.Time { return noon.Add(time.Duration(n) * time.Minute) }
		for n, row := range []struct{ before, modified, edited, want int }{
			{before: -9, modified: 10, edited: 3, want: 3},
			// What it found was the write of the note: the edit was at 3.
			{before: 10, modified: 20, edited: 1, want: 3},
			{before: 20, modified: 30, edited: 5, want: 5},
			// What it found was a person's edit.
			{before: 33, modified: 40, edited: 6, want: 33},
		} {
			putNotes(t, ada, lease, noon, store.WriteNote{
				Site: site, Record: "c9", Before: minute(row.before), Modified: minute(row.modified), Edited: minute(row.edited), Until: minute(99),
			})
			if got := notesOf(t, ada, "c9")["c9"].Edited; !got.Equal(minute(row.want)) {
				t.Errorf("after note %d the edit was at %s, want %s", n, got, minute(row.want))
			}
		}
	},

	"what is over does not come in the way of what is written later": func(t *testing.T, s store.Store) {
		u := signedIn(t, s, "ada")
		lease := acquire(t, u, "run1")
		for hour := range 5 {
			now := noon.Add(time.Duration(hour) * time.Hour)
			b := creation("l1", "r1", "k", fmt.Sprint("k", hour))
			for n := range b.Claims {
				b.Claims[n].Until = now.Add(30 * time.Minute)
			}
			b.Notes = []store.WriteNote{
				{Site: site, Record: "c1", Modified: now, Edited: now, Until: now.Add(time.Minute)},
				{Site: site, Record: fmt.Sprint("d", hour), Modified: now, Edited: now, Until: now.Add(10 * time.Hour)},
			}
			wantRefused(t, u, lease, now, b)
			for record := range hour + 1 {
				if notes := notesOf(t, u, "c1", fmt.Sprint("d", record)); len(notes) != 2 {
					t.Fatalf("after %d hours: %v", hour, notes)
				}
			}
		}
	},

	"a batch that makes no sense is refused before anything is written": func(t *testing.T, s store.Store) {
		u := signedIn(t, s, "ada")
		lease := acquire(t, u, "run1")
		good := func(change func(*store.Batch)) store.Batch {
			b := creation("l1", "r1", "k")
			b.Notes = []store.WriteNote{{Site: site, Record: "c1", Modified: noon, Edited: noon, Until: noon.Add(time.Hour)}}
			b.Pairs = []store.Pair{pair("c1", "people/g1", store.StateDoubt)}
			change(&b)
			return b
		}
		for name, b := range map[string]store.Batch{
			"a claim of no link":     good(func(b *store.Batch) { b.Claims[0].Link = "l2" }),
			"a claim of no record":   good(func(b *store.Batch) { b.Claims[0].RecordID = "" }),
			"a claim without a key":  good(func(b *store.Batch) { b.Claims[0].Key = "" }),
			"a claim without a site": good(func(b *store.Batch) { b.Claims[0].Site = "" }),
			"a release of nothing":   good(func(b *store.Batch) { b.Released = []store.Claim{{Site: site, RecordID: "r1"}} }),
			"a note without a site":  good(func(b *store.Batch) { b.Notes[0].Site = "" }),
			"a note of no record":    good(func(b *store.Batch) { b.Notes[0].Record = "" }),
			"a pair without a state": good(func(b *store.Batch) { b.Pairs[0].State = "" }),
			"a pair without an id":   good(func(b *store.Batch) { b.Pairs[0].ID = "" }),
			"a link without an id":   good(func(b *store.Batch) { b.Links = append(b.Links, store.Link{GoogleID: "g"}) }),
			"no settled pair":        good(func(b *store.Batch) { b.SettledPairs = []string{"a/b"} }),
		} {
			if _, err := u.PutBatch(t.Context(), record.Contacts, lease, noon, b); err == nil || !fault.Is(err, fault.Bug) {
				t.Errorf("%s: %v", name, err)
			}
		}
		same(t, "links", linkIDs(t, u), "")
		same(t, "notes", notesOf(t, u, "c1"), map[string]store.WriteNote{})
		same(t, "pairs", pairsOf(t, u), []store.Pair(nil))
		wantRefused(t, u, lease, noon, good(func(*store.Batch) {}))
	},
}

// retried repeats what was in another's way, as a run does some time.
func retried[A any](ctx context.Context, do func(context.Context) (A, error)) (A, error) {
	for {
		answer, err := do(ctx)
		if err == nil || !fault.Is(err, fault.Retry) || ctx.Err() != nil {
			return answer, err
		}
	}
}

func putNotes(t *testing.T, u store.User, l store.Lease, now time.Time, notes ...store.WriteNote) {
	t.Helper()
	_, err := u.PutBatch(t.Context(), record.Contacts, l, now, store.Batch{Notes: notes})
	must(t, err)
}

func notesOf(t *testing.T, u store.User, records ...string) map[string]store.WriteNote {
	t.Helper()
	notes, err := u.WriteNotes(t.Context(), site, records)
	must(t, err)
	return notes
}
