package firestore_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/tandem-sync/tandem/shared/record"
	"github.com/tandem-sync/tandem/shared/store"
)

// meter sums up what an observer is told.
type meter struct {
	mu            sync.Mutex
	reads, writes int
}

func (m *meter) add(reads, writes int) {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.reads += reads
	m.writes += writes
}

// take returns the sums and starts anew.
func (m *meter) take() string {
	m.mu.Lock()
	defer m.mu.Unlock()
	sum := fmt.Sprintf("%d reads, %d writes", m.reads, m.writes)
	m.reads, m.writes = 0, 0
	return sum
}

func links(n, size int) []store.Link {
	out := make([]store.Link, n)
	for i := range out {
		out[i] = store.Link{ID: fmt.Sprintf("l%04d", i), CreatioID: fmt.Sprintf("c%04d", i), Name: strings.Repeat("x", size)}
	}
	return out
}

const site = "https://acme.example.com"

func claiming(link, recordID string, keys ...string) store.Batch {
	b := store.Batch{Links: []store.Link{{ID: link, CreatioID: "c0001"}}}
	for _, key := range keys {
		b.Claims = append(b.Claims, store.Claim{Site: site, Key: key, RecordID: recordID, Link: link, Until: time.Date(2027, time.March, 2, 0, 0, 0, 0, time.UTC)})
	}
	return b
}

func notes(n int) (out []store.WriteNote) {
	for i := range n {
		out = append(out, store.WriteNote{Site: site, Record: fmt.Sprint("c", i), Until: time.Date(2027, time.March, 2, 0, 0, 0, 0, time.UTC)})
	}
	return out
}

func pairs(n int, state store.PairState) (out []store.Pair) {
	for i := range n {
		out = append(out, store.Pair{ID: fmt.Sprint("p", i), CreatioID: fmt.Sprint("c", i), GoogleID: fmt.Sprint("people/g", i), State: state})
	}
	return out
}

// unfound is the error of a look for what shall not be there.
func unfound(_ store.Channel, err error) error {
	if errors.Is(err, store.ErrNotFound) {
		return nil
	}
	return fmt.Errorf("it was looked for: %w", err)
}

func TestEveryCallCostsWhatItsCommentSays(t *testing.T) {
	t.Parallel()
	var m meter
	s := open(t).WithObserver(m.add)
	u, ctx, noon := s.User("ada"), t.Context(), time.Date(2026, time.March, 2, 12, 0, 0, 0, time.UTC)
	rival := s.User("bob")
	var lease, rivals store.Lease
	var channel string
	put := func(b store.Batch) error {
		_, err := u.PutBatch(ctx, record.Contacts, lease, noon, b)
		return err
	}
	blob := func(name string, size int) error {
		return u.PutBlob(ctx, record.Contacts, lease, name, bytes.Repeat([]byte("x"), size))
	}
	for _, c := range []struct {
		call string
		do   func() error
		want string
	}{
		{"UseState", func() error { return s.UseState(ctx, "s", noon) }, "0 reads, 1 writes"},
		{"Secret", func() error { return secret(ctx, s) }, "1 reads, 1 writes"},
		{"Secret again", func() error { return secret(ctx, s) }, "1 reads, 0 writes"},
		{"UpdateGuesses", func() error {
			return s.UpdateGuesses(ctx, "k", func(g *store.Guesses) error { g.Login = "ada"; return nil })
		}, "1 reads, 1 writes"},
		{"Guesses", func() error { _, err := s.Guesses(ctx, "k"); return err }, "1 reads, 0 writes"},
		{"RecentGuesses", func() error { _, err := s.RecentGuesses(ctx, time.Time{}, 10); return err }, "1 reads, 0 writes"},
		{"RecentGuesses, none", func() error { _, err := s.RecentGuesses(ctx, noon, 10); return err }, "1 reads, 0 writes"},
		{"UpdateProfile", func() error { return u.UpdateProfile(ctx, func(*store.Profile) error { return nil }) }, "1 reads, 1 writes"},
		{"Profile", func() error { _, err := u.Profile(ctx); return err }, "1 reads, 0 writes"},
		{"TakeSeat", func() error { _, err := s.TakeSeat(ctx, "seat", "ada"); return err }, "3 reads, 1 writes"},
		{"TakeSeat again", func() error { _, err := s.TakeSeat(ctx, "seat", "ada"); return err }, "1 reads, 0 writes"},
		{"Seat", func() error { _, err := s.Seat(ctx, "seat"); return err }, "1 reads, 0 writes"},
		{"LeaveSeat", func() error { return s.LeaveSeat(ctx, "seat", "ada") }, "1 reads, 1 writes"},
		{"FindUsers", func() error { _, err := s.FindUsers(ctx, []string{"c1"}, []string{"ada@example.com"}); return err }, "2 reads, 0 writes"},
		{"Copies", func() error { _, err := s.Copies(ctx, record.Contacts, []string{"x"}, []string{"c1"}); return err }, "2 reads, 0 writes"},
		{"PutToken", func() error { return u.PutToken(ctx, record.Google, store.Token{}) }, "1 reads, 1 writes"},
		{"Token", func() error { _, err := u.Token(ctx, record.Google); return err }, "1 reads, 0 writes"},
		{"SwapToken", func() error {
			_, err := u.SwapToken(ctx, record.Google, store.Token{}, store.Token{Version: "v1"})
			return err
		}, "1 reads, 1 writes"},
		{"SwapToken, lost", func() error { _, err := u.SwapToken(ctx, record.Google, store.Token{}, store.Token{}); return err }, "1 reads, 0 writes"},
		{"DeleteToken", func() error { return u.DeleteToken(ctx, record.Google) }, "0 reads, 1 writes"},
		{"Sync", func() error { _, err := u.Sync(ctx, record.Contacts); return err }, "1 reads, 0 writes"},
		{"UpdateSync where there is none", func() error {
			return u.UpdateSync(ctx, record.Contacts, func(s *store.Sync) error { s.Due = noon; return nil })
		}, "3 reads, 1 writes"},
		{"UpdateSync", func() error {
			return u.UpdateSync(ctx, record.Contacts, func(s *store.Sync) error { s.Due = noon; return nil })
		}, "1 reads, 1 writes"},
		{"Due", func() error { _, err := s.Due(ctx, record.Contacts, noon, store.Due{}, 100); return err }, "1 reads, 0 writes"},
		{"Due, nobody", func() error { _, err := s.Due(ctx, record.Activities, noon, store.Due{}, 100); return err }, "1 reads, 0 writes"},
		{"Shortest", func() error { _, err := s.Shortest(ctx, record.Contacts); return err }, "1 reads, 0 writes"},
		{"Shortest, nobody", func() error { _, err := s.Shortest(ctx, record.Activities); return err }, "2 reads, 0 writes"},
		{"SyncStatuses", func() error { _, err := s.SyncStatuses(ctx, record.Contacts, "", 100); return err }, "2 reads, 0 writes"},
		{"SyncStatuses, nobody", func() error { _, err := s.SyncStatuses(ctx, record.Activities, "", 100); return err }, "1 reads, 0 writes"},
		{"CountStatuses", func() error { _, err := s.CountStatuses(ctx, record.Contacts, noon); return err }, "9 reads, 0 writes"},
		{"Schedule", func() error { _, err := s.Schedule(ctx, record.Contacts); return err }, "1 reads, 0 writes"},
		{"PutSchedule", func() error { return s.PutSchedule(ctx, store.Schedule{Type: record.Contacts}) }, "0 reads, 1 writes"},
		{"Schema", func() error { _, err := s.Schema(ctx); return err }, "1 reads, 0 writes"},
		{"UpdateSchema", func() error { return s.UpdateSchema(ctx, func(*store.Schema) error { return nil }) }, "1 reads, 1 writes"},
		{"Reindex", func() error { _, err := s.Reindex(ctx, "", 10); return err }, "3 reads, 1 writes"},
		{"Reindex, nothing to do", func() error { _, err := s.Reindex(ctx, "", 10); return err }, "3 reads, 0 writes"},
		{"Reindex, nobody", func() error { _, err := s.Reindex(ctx, "zoe", 10); return err }, "1 reads, 0 writes"},
		{"Acquire", func() (err error) {
			_, lease, err = u.Acquire(ctx, record.Contacts, "run1", noon, time.Minute)
			return err
		}, "1 reads, 1 writes"},
		{"Renew", func() error { return u.Renew(ctx, record.Contacts, lease, noon, time.Hour) }, "1 reads, 1 writes"},
		{"LinksBy, none", func() error { _, err := u.LinksBy(ctx, record.Contacts, record.Google, nil); return err }, "0 reads, 0 writes"},
		{"PutBatch of links", func() error { return put(store.Batch{Links: links(500, 0)}) }, "1 reads, 500 writes"},
		{"PutBatch of many links", func() error { return put(store.Batch{Links: links(501, 0)}) }, "2 reads, 501 writes"},
		{"PutBatch of large links", func() error { return put(store.Batch{Links: links(6, 900_000)}) }, "2 reads, 6 writes"},
		{"PutBatch of nothing", func() error { return put(store.Batch{}) }, "1 reads, 0 writes"},
		{"PutBatch with the first claim of a database", func() error { return put(claiming("l0001", "r1", "k1", "k2")) }, "4 reads, 4 writes"},
		{"PutAccessToken", func() error { return u.PutAccessToken(ctx, store.AccessToken{ID: "t1"}) }, "1 reads, 1 writes"},
		{"AccessToken", func() error { _, err := u.AccessToken(ctx, "t1"); return err }, "1 reads, 0 writes"},
		{"AccessTokens", func() error { _, err := u.AccessTokens(ctx); return err }, "1 reads, 0 writes"},
		{"UpdateAccessToken", func() error { return u.UpdateAccessToken(ctx, "t1", func(*store.AccessToken) error { return nil }) }, "1 reads, 1 writes"},
		{"DeleteAccessToken", func() error { return u.DeleteAccessToken(ctx, "t1") }, "1 reads, 1 writes"},
		{"NewChannelID", func() (err error) { channel, err = s.NewChannelID(ctx); return err }, "0 reads, 0 writes"},
		{"PutChannel", func() error { return u.PutChannel(ctx, store.Channel{ID: channel, Due: noon}) }, "1 reads, 1 writes"},
		{"Channel", func() error { _, err := s.Channel(ctx, channel); return err }, "1 reads, 0 writes"},
		{"Channel, invented", func() error { return unfound(s.Channel(ctx, strings.Repeat("0", len(channel)))) }, "0 reads, 0 writes"},
		{"Channel, of another form", func() error { return unfound(s.Channel(ctx, "c1")) }, "0 reads, 0 writes"},
		{"Channels", func() error { _, err := u.Channels(ctx); return err }, "1 reads, 0 writes"},
		{"Channels, none", func() error { _, err := rival.Channels(ctx); return err }, "1 reads, 0 writes"},
		{"DueChannels", func() error { _, err := s.DueChannels(ctx, noon, 100); return err }, "1 reads, 0 writes"},
		{"DueChannels, none", func() error { _, err := s.DueChannels(ctx, noon.Add(-1), 100); return err }, "1 reads, 0 writes"},
		{"UpdateChannel", func() error { return u.UpdateChannel(ctx, channel, func(*store.Channel) error { return nil }) }, "1 reads, 1 writes"},
		{"DeleteChannel", func() error { return u.DeleteChannel(ctx, channel) }, "1 reads, 1 writes"},
		{"DeleteChannel again", func() error { return u.DeleteChannel(ctx, channel) }, "1 reads, 0 writes"},
		{"PutBatch with claims", func() error { return put(claiming("l0001", "r1", "k1", "k2")) }, "3 reads, 3 writes"},
		{"UpdateProfile of another", func() error { return rival.UpdateProfile(ctx, func(*store.Profile) error { return nil }) }, "1 reads, 1 writes"},
		{"Acquire by another", func() (err error) {
			_, rivals, err = rival.Acquire(ctx, record.Contacts, "run1", noon, time.Minute)
			return err
		}, "3 reads, 1 writes"},
		{"PutBatch with claims that others hold", func() error {
			refused, err := rival.PutBatch(ctx, record.Contacts, rivals, noon, claiming("l0002", "r2", "k2", "k3"))
			if len(refused) != 2 {
				t.Errorf("refused: %v", refused)
			}
			return err
		}, "3 reads, 0 writes"},
		{"PutBatch that releases claims", func() error {
			b := claiming("l0001", "r1", "k1", "k9")
			for i := range b.Claims {
				b.Claims[i].Until = noon
			}
			b.Released, b.Claims = b.Claims, nil
			return put(b)
		}, "3 reads, 2 writes"},
		{"PutBatch with notes", func() error { return put(store.Batch{Links: links(2, 0), Notes: notes(2)}) }, "3 reads, 4 writes"},
		{"PutBatch with pairs", func() error {
			return put(store.Batch{Links: links(1, 0), Pairs: pairs(2, store.StateDoubt), SettledPairs: []string{"gone"}})
		}, "3 reads, 4 writes"},
		{"WriteNotes", func() error { _, err := u.WriteNotes(ctx, site, []string{"c0", "c1", "c9"}); return err }, "3 reads, 0 writes"},
		{"WriteNotes, none", func() error { _, err := u.WriteNotes(ctx, site, nil); return err }, "0 reads, 0 writes"},
		{"Claims", func() error { _, err := u.Claims(ctx); return err }, "2 reads, 0 writes"},
		{"OwnWriteNotes", func() error { _, err := u.OwnWriteNotes(ctx); return err }, "2 reads, 0 writes"},
		{"PutPairs", func() error { return u.PutPairs(ctx, record.Contacts, pairs(2, store.StateDifferent)) }, "1 reads, 2 writes"},
		{"PutBatch with pairs that a person decided", func() error {
			return put(store.Batch{Pairs: pairs(2, store.StateDoubt)})
		}, "3 reads, 0 writes"},
		{"PairsBy", func() error {
			_, err := u.PairsBy(ctx, record.Contacts, record.Creatio, []string{"c0", "c1", "c9"})
			return err
		}, "2 reads, 0 writes"},
		{"PairsBy, none", func() error { _, err := u.PairsBy(ctx, record.Contacts, record.Creatio, nil); return err }, "0 reads, 0 writes"},
		{"Pairs", func() error {
			for _, err := range u.Pairs(ctx, record.Contacts) {
				if err != nil {
					return err
				}
			}
			return nil
		}, "2 reads, 0 writes"},
		{"DeletePairs", func() error { return u.DeletePairs(ctx, record.Contacts, []string{"p1", "p2"}) }, "0 reads, 2 writes"},
		{"PutBlob", func() error { return blob("b", 900_000) }, "1 reads, 1 writes"},
		{"Blob", func() error { _, err := u.Blob(ctx, record.Contacts, "b"); return err }, "1 reads, 0 writes"},
		{"PutBlob, large", func() error { return blob("b", 3_600_000) }, "3 reads, 4 writes"},
		{"Blob, large", func() error { _, err := u.Blob(ctx, record.Contacts, "b"); return err }, "4 reads, 0 writes"},
		{"PutBlob, large over a large one", func() error { return blob("b", 2_000_000) }, "2 reads, 6 writes"},
		{"PutBlob over a large one", func() error { return blob("b", 1) }, "1 reads, 1 writes"},
		{"Blob over a large one", func() error { _, err := u.Blob(ctx, record.Contacts, "b"); return err }, "1 reads, 0 writes"},
		{"PutBlob of a member set", func() error { return blob("members/google", 1) }, "1 reads, 1 writes"},
		{"Blob of a member set", func() error { _, err := u.Blob(ctx, record.Contacts, "members/google"); return err }, "1 reads, 0 writes"},
		{"Blob of a member set that is not there", func() error {
			if _, err := u.Blob(ctx, record.Contacts, "members/creatio"); !errors.Is(err, store.ErrNotFound) {
				t.Errorf("error is %v", err)
			}
			return nil
		}, "2 reads, 0 writes"},
		{"UpdateSchema to that of today", func() error {
			return s.UpdateSchema(ctx, func(s *store.Schema) error { s.Version = 2; return nil })
		}, "1 reads, 1 writes"},
		{"Blob of a member set that is not there and nowhere else", func() error {
			if _, err := u.Blob(ctx, record.Contacts, "members/creatio"); !errors.Is(err, store.ErrNotFound) {
				t.Errorf("error is %v", err)
			}
			return nil
		}, "1 reads, 0 writes"},
		{"Blobs", func() error {
			for _, err := range u.Blobs(ctx, record.Contacts) {
				if err != nil {
					return err
				}
			}
			return nil
		}, "5 reads, 0 writes"},
		{"PutBlob of nothing", func() error { return blob("b", 0) }, "2 reads, 3 writes"},
		{"MoveMemberSets, nothing to do", func() error { _, err := s.MoveMemberSets(ctx, "", 10); return err }, "6 reads, 0 writes"},
		{"MoveMemberSets, nobody", func() error { _, err := s.MoveMemberSets(ctx, "zoe", 10); return err }, "1 reads, 0 writes"},
		{"LinksByParent, none", func() error { _, err := u.LinksByParent(ctx, record.Contacts, nil); return err }, "0 reads, 0 writes"},
		{"LinksByParent, unknown", func() error {
			_, err := u.LinksByParent(ctx, record.Contacts, []string{"series"})
			return err
		}, "1 reads, 0 writes"},
		{"LinksBy, unknown", func() error {
			_, err := u.LinksBy(ctx, record.Contacts, record.Google, strings.Fields(strings.Repeat("x ", 10)+"y z"))
			return err
		}, "1 reads, 0 writes"},
		{"LinksBy", func() error {
			var ids []string
			for n := 100; n < 161; n++ {
				ids = append(ids, fmt.Sprintf("c%04d", n))
			}
			_, err := u.LinksBy(ctx, record.Contacts, record.Creatio, ids)
			return err
		}, "61 reads, 0 writes"},
		{"PendingLinks", func() error {
			for _, err := range u.PendingLinks(ctx, record.Contacts) {
				if err != nil {
					return err
				}
			}
			return nil
		}, "1 reads, 0 writes"},
		{"Links", func() error {
			for _, err := range u.Links(ctx, record.Contacts) {
				if err != nil {
					return err
				}
			}
			return nil
		}, "501 reads, 0 writes"},
		{"PutRun", func() error { return u.PutRun(ctx, store.Run{ID: "run1"}) }, "1 reads, 1 writes"},
		{"UpdateRun", func() error { return u.UpdateRun(ctx, "run1", func(*store.Run) error { return nil }) }, "1 reads, 1 writes"},
		{"AddChanges", func() error { return u.AddChanges(ctx, "run1", 0, make([]store.Change, 100)) }, "1 reads, 1 writes"},
		{"AddChanges, large", func() error {
			return u.AddChanges(ctx, "run1", 1, []store.Change{{Record: strings.Repeat("x", 2_000_000)}})
		}, "3 reads, 3 writes"},
		{"Run", func() error { _, err := u.Run(ctx, "run1"); return err }, "5 reads, 0 writes"},
		{"Runs", func() error { _, err := u.Runs(ctx, "", 10, ""); return err }, "1 reads, 0 writes"},
		{"Commit", func() error {
			return u.Commit(ctx, record.Contacts, lease, store.Run{ID: "run1"}, func(*store.Sync) error { return nil })
		}, "1 reads, 2 writes"},
		{"Release, lost", func() error { return u.Release(ctx, record.Contacts, lease) }, "1 reads, 0 writes"},
	} {
		if err := c.do(); err != nil {
			t.Fatalf("%s: %v", c.call, err)
		}
		if got := m.take(); got != c.want {
			t.Errorf("%s costs %s, want %s", c.call, got, c.want)
		}
	}
}

func secret(ctx context.Context, s store.Store) error {
	_, err := s.Secret(ctx, "secret", func() ([]byte, error) { return []byte("x"), nil })
	return err
}
