package firestore_test

import (
	"fmt"
	"log/slog"
	"testing"
	"time"

	api "cloud.google.com/go/firestore"
	"github.com/google/go-cmp/cmp"

	"github.com/tandem-sync/tandem/shared/record"
	"github.com/tandem-sync/tandem/shared/store"
	"github.com/tandem-sync/tandem/shared/store/firestore"
	"github.com/tandem-sync/tandem/shared/store/migrate"
)

var noon = time.Date(2026, time.March, 2, 12, 0, 0, 0, time.UTC)

// furnish makes users whose contacts are due, each a second later than the one before.
func furnish(t *testing.T, s *firestore.Store, from, to int) {
	t.Helper()
	for n := from; n < to; n++ {
		u := s.User(fmt.Sprintf("user-%03d", n))
		must(t, u.UpdateProfile(t.Context(), func(*store.Profile) error { return nil }))
		must(t, u.UpdateSync(t.Context(), record.Contacts, func(d *store.Sync) error {
			d.Due = noon.Add(time.Duration(n) * time.Second)
			return nil
		}))
	}
}

func wantDue(t *testing.T, s *firestore.Store, n int) {
	t.Helper()
	due, err := s.Due(t.Context(), record.Contacts, noon.Add(time.Hour), store.Due{}, 1000)
	must(t, err)
	for i, d := range due {
		if d.User != fmt.Sprintf("user-%03d", i) {
			t.Fatalf("%s is due at place %d", d.User, i)
		}
	}
	if len(due) != n {
		t.Fatalf("%d users are due, want %d", len(due), n)
	}
}

// shardsOf are the shards that users are in, with the number of them.
func shardsOf(t *testing.T, client *api.Client) map[int64]int {
	t.Helper()
	docs, err := client.CollectionGroup("sync").Documents(t.Context()).GetAll()
	must(t, err)
	out := map[int64]int{}
	for _, doc := range docs {
		out[doc.Data()["shard"].(int64)]++
	}
	return out
}

// program migrates as a tick of a process does.
func program(t *testing.T, s store.Store, now *time.Time) func() {
	t.Helper()
	m := migrate.New(s, migrate.All, t.Name(), func() time.Time { return *now }, slog.New(slog.DiscardHandler))
	must(t, m.Open(t.Context()))
	return func() { must(t, m.Advance(t.Context(), now.Add(time.Minute))) }
}

func TestUsersAreSpreadOverTheShardsOnceNoOlderVersionServes(t *testing.T) {
	t.Parallel()
	s, client := openBoth(t)
	now := noon
	tick := program(t, s, &now)
	tick()
	furnish(t, s, 0, 30)
	if got := shardsOf(t, client); got[0] != 30 {
		t.Errorf("while a version may serve that asks for the first shard alone: %v", got)
	}
	now = now.Add(time.Hour)
	tick()
	if got := shardsOf(t, client); len(got) != 8 {
		t.Errorf("after the migration: %v", got)
	}
	wantDue(t, s, 30)
	furnish(t, s, 30, 60)
	if got := shardsOf(t, client); len(got) != 8 || got[0] > 20 {
		t.Errorf("written after the migration: %v", got)
	}
	wantDue(t, s, 60)
}

func TestUsersOfAVersionWithAnotherNumberOfShardsAreFound(t *testing.T) {
	t.Parallel()
	s, client := openBoth(t)
	furnish(t, s, 0, 30)
	for n := range 30 {
		_, err := client.Doc(fmt.Sprintf("users/user-%03d/sync/contacts", n)).Update(t.Context(), []api.Update{{Path: "shard", Value: n}})
		must(t, err)
	}
	wantDue(t, s, 30)
}

func TestOldDocumentsAreIndexedAndStayAsTheyAre(t *testing.T) {
	t.Parallel()
	s, client := openBoth(t)
	ctx := t.Context()
	furnish(t, s, 0, 6)
	// One before there were shards, one with a time of its own, one that is due no more, one with what a later version
	// keeps, and one before there was anything but what is due.
	for n, update := range [][]api.Update{
		{{Path: "shard", Value: api.Delete}},
		{{Path: "due", Value: noon.Add(-time.Hour)}, {Path: "type", Value: "activities"}},
		{{Path: "doc", Value: []byte(`{"type":"contacts","settings":{},"status":"ok"}`)}},
		{{Path: "doc", Value: []byte(`{"invented": {"later": 1}, "type":"contacts","settings":{},"due":"2026-03-02T12:00:03Z"}`)}, {Path: "shard", Value: api.Delete}},
		{{Path: "place", Value: api.Delete}, {Path: "every", Value: api.Delete}},
	} {
		_, err := client.Doc(fmt.Sprintf("users/user-%03d/sync/contacts", n)).Update(ctx, update)
		must(t, err)
	}
	contents := func() (out []string) {
		docs, err := client.CollectionGroup("sync").Documents(ctx).GetAll()
		must(t, err)
		for _, doc := range docs {
			out = append(out, string(doc.Data()["doc"].([]byte)))
		}
		return out
	}
	_, err := client.Doc("users/user-005").Update(ctx, []api.Update{
		{Path: "linked", Value: api.Delete}, {Path: "doc", Value: []byte(`{"google":{"linked":true},"creatio":{"linked":true}}`)},
	})
	must(t, err)
	before := contents()
	now := noon
	tick := program(t, s, &now)
	tick()
	now = now.Add(time.Hour)
	tick()
	due, err := s.Due(ctx, record.Contacts, noon.Add(time.Hour), store.Due{}, 10)
	must(t, err)
	var want []store.Due
	for _, n := range []int{0, 1, 3, 4, 5} {
		want = append(want, store.Due{User: fmt.Sprintf("user-%03d", n), At: noon.Add(time.Duration(n) * time.Second)})
	}
	if diff := cmp.Diff(want, due); diff != "" {
		t.Errorf("due users (-want +got):\n%s", diff)
	}
	all, err := s.SyncStatuses(ctx, record.Contacts, "", 10)
	if err != nil || len(all) != 6 {
		t.Errorf("%d syncs stand somewhere, %v", len(all), err)
	}
	if counts, err := s.CountStatuses(ctx, record.Contacts, noon); err != nil || counts.Linked != 1 || counts.Users != 6 {
		t.Errorf("counted are %+v, %v", counts, err)
	}
	if diff := cmp.Diff(before, contents()); diff != "" {
		t.Errorf("documents (-before +after):\n%s", diff)
	}
}
