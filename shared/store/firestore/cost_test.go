package firestore_test

import (
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

func TestEveryCallCostsWhatItsCommentSays(t *testing.T) {
	t.Parallel()
	var m meter
	s := open(t).WithObserver(m.add)
	u, ctx, noon := s.User("ada"), t.Context(), time.Date(2026, time.March, 2, 12, 0, 0, 0, time.UTC)
	var lease store.Lease
	for _, c := range []struct {
		call string
		do   func() error
		want string
	}{
		{"PutState", func() error { return s.PutState(ctx, store.State{ID: "s", Expires: noon}) }, "0 reads, 1 writes"},
		{"State", func() error { _, err := s.State(ctx, "s", noon.Add(-1)); return err }, "1 reads, 0 writes"},
		{"TakeState", func() error { return s.TakeState(ctx, "s") }, "0 reads, 1 writes"},
		{"TakeSeat", func() error { _, err := s.TakeSeat(ctx, "seat", "ada"); return err }, "1 reads, 1 writes"},
		{"TakeSeat again", func() error { _, err := s.TakeSeat(ctx, "seat", "ada"); return err }, "1 reads, 0 writes"},
		{"Seat", func() error { _, err := s.Seat(ctx, "seat"); return err }, "1 reads, 0 writes"},
		{"LeaveSeat", func() error { return s.LeaveSeat(ctx, "seat", "ada") }, "1 reads, 1 writes"},
		{"UpdateProfile", func() error { return u.UpdateProfile(ctx, func(*store.Profile) error { return nil }) }, "1 reads, 1 writes"},
		{"Profile", func() error { _, err := u.Profile(ctx); return err }, "1 reads, 0 writes"},
		{"PutToken", func() error { return u.PutToken(ctx, record.Google, store.Token{}) }, "0 reads, 1 writes"},
		{"Token", func() error { _, err := u.Token(ctx, record.Google); return err }, "1 reads, 0 writes"},
		{"SwapToken", func() error {
			_, err := u.SwapToken(ctx, record.Google, store.Token{}, store.Token{Version: "v1"})
			return err
		}, "1 reads, 1 writes"},
		{"SwapToken, lost", func() error { _, err := u.SwapToken(ctx, record.Google, store.Token{}, store.Token{}); return err }, "1 reads, 0 writes"},
		{"DeleteToken", func() error { return u.DeleteToken(ctx, record.Google) }, "0 reads, 1 writes"},
		{"Sync", func() error { _, err := u.Sync(ctx, record.Contacts); return err }, "1 reads, 0 writes"},
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
		{"PutLinks", func() error { return u.PutLinks(ctx, record.Contacts, lease, links(300, 0)) }, "1 reads, 300 writes"},
		{"PutLinks, many", func() error { return u.PutLinks(ctx, record.Contacts, lease, links(301, 0)) }, "2 reads, 301 writes"},
		{"PutLinks, large", func() error { return u.PutLinks(ctx, record.Contacts, lease, links(6, 900_000)) }, "2 reads, 6 writes"},
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
		{"PendingLinks", func() error { _, err := u.PendingLinks(ctx, record.Contacts); return err }, "1 reads, 0 writes"},
		{"Links", func() error {
			for _, err := range u.Links(ctx, record.Contacts) {
				if err != nil {
					return err
				}
			}
			return nil
		}, "301 reads, 0 writes"},
		{"PutRun", func() error { return u.PutRun(ctx, store.Run{ID: "run1"}) }, "0 reads, 1 writes"},
		{"UpdateRun", func() error { return u.UpdateRun(ctx, "run1", func(*store.Run) error { return nil }) }, "1 reads, 1 writes"},
		{"AddChanges", func() error { return u.AddChanges(ctx, "run1", 0, make([]store.Change, 100)) }, "0 reads, 1 writes"},
		{"AddChanges, large", func() error {
			return u.AddChanges(ctx, "run1", 1, []store.Change{{Record: strings.Repeat("x", 2_000_000)}})
		}, "0 reads, 3 writes"},
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
