package firestore_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"iter"
	"math/rand/v2"
	"testing"
	"time"

	api "cloud.google.com/go/firestore"

	"github.com/tandem-sync/tandem/shared/record"
	"github.com/tandem-sync/tandem/shared/store"
	"github.com/tandem-sync/tandem/shared/store/firestore"
)

// former is a member set of so many bytes, as former versions write it: in parts, of which all have the version of the
// whole and the first says how many there are.
func former(t *testing.T, client *api.Client, user, side string, size int) []byte {
	t.Helper()
	r := rand.New(rand.NewPCG(uint64(size), 1))
	data := make([]byte, size)
	for n := range data {
		data[n] = byte(r.Uint32())
	}
	const partSize = 900_000
	parts := (size + partSize - 1) / partSize
	for n := range parts {
		key := side
		if n > 0 {
			key = fmt.Sprintf("%s-%06d", side, n)
		}
		_, err := client.Doc("users/"+user+"/sync/contacts/rosters/"+key).Set(t.Context(), map[string]any{
			"doc": data[n*partSize : min(size, (n+1)*partSize)], "version": fmt.Sprint("v", size), "parts": parts,
		})
		must(t, err)
	}
	return data
}

func wantMembers(t *testing.T, s *firestore.Store, user string, side record.Side, want []byte) {
	t.Helper()
	got, err := s.User(user).Blob(t.Context(), record.Contacts, store.MembersBlob(side))
	if want == nil && errors.Is(err, store.ErrNotFound) {
		return
	}
	must(t, err)
	if !bytes.Equal(got, want) {
		t.Errorf("%s's members of %s are %d bytes, want %d", user, side, len(got), len(want))
	}
}

func left(t *testing.T, client *api.Client, collection string) int {
	t.Helper()
	docs, err := client.CollectionGroup(collection).Documents(t.Context()).GetAll()
	must(t, err)
	return len(docs)
}

func TestMemberSetsOfAFormerVersionAreReadBeforeAndAfterTheyAreMoved(t *testing.T) {
	t.Parallel()
	s, client := openBoth(t)
	ctx := t.Context()
	for _, user := range []string{"ada", "bob", "cyd"} {
		must(t, s.User(user).UpdateProfile(ctx, func(*store.Profile) error { return nil }))
	}
	small, large := former(t, client, "ada", "creatio", 10), former(t, client, "ada", "google", 2_000_000)
	former(t, client, "bob", "google", 3_000_000)
	// A run of bob's writes one before they are moved, and the tail of cyd's was being replaced by a process that died.
	_, lease, err := s.User("bob").Acquire(ctx, record.Contacts, "run1", time.Unix(1, 0), time.Minute)
	must(t, err)
	bobs := bytes.Repeat([]byte("x"), 1_500_000)
	must(t, s.User("bob").PutBlob(ctx, record.Contacts, lease, store.MembersBlob(record.Google), bobs))
	former(t, client, "cyd", "google", 2_000_000)
	_, err = client.Doc("users/cyd/sync/contacts/rosters/google-000001").Update(ctx, []api.Update{{Path: "version", Value: "another"}})
	must(t, err)
	check := func() {
		t.Helper()
		wantMembers(t, s, "ada", record.Creatio, small)
		wantMembers(t, s, "ada", record.Google, large)
		wantMembers(t, s, "bob", record.Google, bobs)
		wantMembers(t, s, "bob", record.Creatio, nil)
		wantMembers(t, s, "cyd", record.Google, nil)
	}
	check()
	for after, pages := "", 0; ; pages++ {
		last, err := s.MoveMemberSets(ctx, after, 2)
		must(t, err)
		check()
		if last == "" {
			break
		}
		if last <= after || pages > 2 {
			t.Fatalf("page %d goes from %q to %q", pages, after, last)
		}
		after = last
	}
	if n := left(t, client, "rosters"); n != 0 {
		t.Errorf("%d documents are left where they were", n)
	}
	must(t, s.User("ada").Erase(ctx))
	must(t, s.User("bob").Erase(ctx))
	if heads, pieces := left(t, client, "blobs"), left(t, client, "pieces"); heads+pieces != 0 {
		t.Errorf("erasing leaves %d heads and %d pieces", heads, pieces)
	}
}

func TestAMoveOfMemberSetsThatWasCutOffIsRepeated(t *testing.T) {
	t.Parallel()
	s, client := openBoth(t)
	ctx := t.Context()
	must(t, s.User("ada").UpdateProfile(ctx, func(*store.Profile) error { return nil }))
	data := former(t, client, "ada", "google", 4_000_000)
	// The process dies ahead of every write, one later each time, and at last it does not.
	for at := 1; ; at++ {
		dying, cancel := context.WithCancel(ctx)
		writes := 0
		mortal := s.WithObserver(func(_, written int) {
			if writes += written; writes >= at {
				cancel()
			}
		})
		_, err := mortal.MoveMemberSets(dying, "", 10)
		cancel()
		wantMembers(t, s, "ada", record.Google, data)
		if err == nil {
			break
		}
		if at > 20 {
			t.Fatalf("it never comes to an end: %v", err)
		}
	}
	if n := left(t, client, "rosters"); n != 0 {
		t.Errorf("%d documents are left where they were", n)
	}
}

func TestALinkOfAFormerVersionIsReadAndFound(t *testing.T) {
	t.Parallel()
	s, client := openBoth(t)
	u, ctx := s.User("ada"), t.Context()
	at := time.Date(2026, time.March, 2, 12, 0, 0, 0, time.UTC)
	_, err := client.Doc("users/ada/sync/contacts/links/l1").Set(ctx, map[string]any{
		"doc":      []byte(`{"id":"l1","googleId":"people/g1","name":"Ada","active":false,"pending":"creatio","updatedAt":"2026-03-02T12:00:00Z"}`),
		"googleId": "people/g1", "updated": at, "unfinished": true,
	})
	must(t, err)
	for what, find := range map[string]func() ([]store.Link, error){
		"unfinished": func() ([]store.Link, error) { return collect(u.PendingLinks(ctx, record.Contacts)) },
		"by its id": func() ([]store.Link, error) {
			return u.LinksBy(ctx, record.Contacts, record.Google, []string{"people/g1"})
		},
		"by its time": func() ([]store.Link, error) { return collect(u.LinksSince(ctx, record.Contacts, at)) },
	} {
		links, err := find()
		must(t, err)
		if len(links) != 1 || links[0].Name != "Ada" || links[0].Pending != record.Creatio || !links[0].Unfinished() {
			t.Errorf("%s: %+v", what, links)
		}
	}
}

func collect(links iter.Seq2[store.Link, error]) (all []store.Link, err error) {
	for l, err := range links {
		if err != nil {
			return nil, err
		}
		all = append(all, l)
	}
	return all, nil
}
