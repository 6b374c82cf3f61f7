package app

import (
	"testing"
	"time"

	"github.com/tandem-sync/tandem/shared/record"
	"github.com/tandem-sync/tandem/shared/store"
	"github.com/tandem-sync/tandem/shared/syncer"
)

// A section is said to be in sync only where it is, and of all that is wrong the worst is said.
func TestThe_state_of_a_section_is_the_worst_that_is_true_of_it(t *testing.T) {
	t.Parallel()
	now := time.Date(2026, 3, 2, 12, 0, 0, 0, time.UTC)
	fine := func() section {
		p := store.Profile{ID: "ada"}
		p.Google.Linked, p.Creatio.Linked, p.Google.Scopes = true, true, []string{"contacts"}
		return section{
			profile: p, scope: "contacts", tagged: true, now: now, late: now.Add(-time.Hour),
			sync: store.Sync{
				Type: record.Contacts, Status: "ok", LastSync: now.Add(-time.Minute), Due: now.Add(time.Hour),
				Settings: store.Settings{TagID: "t", Automatic: true},
			},
		}
	}
	run := func(status, trigger, decides string, age time.Duration) store.Run {
		return store.Run{ID: syncer.NewRunID(now.Add(-age)), Status: status, Trigger: trigger, Decides: decides}
	}
	held := func(s *section) {
		s.sync.Status, s.sync.HeldRun, s.sync.HeldDigest = "held", "run-7", "digest"
		s.sync.Problem = &store.Problem{Code: "held-many"}
	}
	for name, row := range map[string]struct {
		make          func(*section)
		status        string
		problem       string
		held, waiting bool
	}{
		"everything is done":   {func(*section) {}, "ok", "", false, false},
		"nothing was done yet": {func(s *section) { s.sync = store.Sync{Type: record.Contacts, Status: "never"} }, "never", "", false, false},
		"Google was never linked": {func(s *section) {
			s.profile.Google = store.GoogleAccount{}
			s.sync = store.Sync{Type: record.Contacts, Status: "never"}
		}, "never", "", false, false},
		"Creatio was unlinked": {func(s *section) {
			s.profile.Creatio = store.CreatioAccount{}
			s.sync.Status, s.sync.Due = "off", time.Time{}
		}, "off", "", false, false},
		"Google wants to be linked again": {func(s *section) { s.profile.Google.Reconnect = true }, "reconnect", "", false, false},
		"a run found Creatio's token gone": {func(s *section) {
			s.sync.Status, s.sync.Problem = "reconnect", &store.Problem{Code: "invalid-grant"}
		}, "reconnect", "invalid-grant", false, false},
		"to be linked again, and held":              {func(s *section) { held(s); s.profile.Creatio.Reconnect = true }, "reconnect", "held-many", true, false},
		"the permission for contacts is missing":    {func(s *section) { s.profile.Google.Scopes = []string{"calendar"} }, "off", "scope-missing", false, false},
		"a permission is missing, and a list waits": {func(s *section) { held(s); s.profile.Google.Scopes = nil }, "off", "scope-missing", true, false},
		"no tag is chosen any more":                 {func(s *section) { s.sync.Settings.TagID = "" }, "off", "no-tag", false, false},
		"no tag is chosen, and a list waits":        {func(s *section) { held(s); s.sync.Settings.TagID = "" }, "off", "no-tag", true, false},
		"the tag is gone from Creatio":              {func(s *section) { s.sync.Status, s.sync.Problem = "off", &store.Problem{Code: "tag-missing"} }, "off", "tag-missing", false, false},
		"a list waits":                              {held, "held", "held-many", true, false},
		"a list waits, and other settings were saved": {func(s *section) {
			held(s)
			s.sync.Status, s.sync.Problem = "ok", nil
		}, "held", "", true, false},
		"a list waits, and a run is under way": {func(s *section) {
			held(s)
			s.sync.Lease = store.Lease{Owner: "run-8", Expires: now.Add(time.Minute)}
		}, "held", "held-many", true, false},
		"the user decided, and that is queued": {func(s *section) {
			held(s)
			s.sync.HeldDigest, s.latest = "", []store.Run{run("queued", "approve", "run-7", time.Second)}
		}, "queued", "held-many", true, true},
		"some records failed": {func(s *section) { s.sync.Status, s.sync.Problem = "partial", &store.Problem{Code: "some-failed"} }, "partial", "some-failed", false, false},
		"nothing works":       {func(s *section) { s.sync.Status, s.sync.Failing = "failing", 3 }, "failing", "", false, false},
		"nothing works, and one more is queued": {func(s *section) {
			s.sync.Status, s.latest = "failing", []store.Run{run("queued", "user", "", time.Second)}
		}, "failing", "", false, false},
		"a run is under way":        {func(s *section) { s.sync.Lease = store.Lease{Owner: "run-8", Expires: now.Add(time.Minute)} }, "running", "", false, false},
		"a run died":                {func(s *section) { s.sync.Lease = store.Lease{Owner: "run-8", Expires: now.Add(-time.Minute)} }, "ok", "", false, false},
		"a run is to go on":         {func(s *section) { s.sync.Status = "running" }, "running", "", false, false},
		"a run is queued":           {func(s *section) { s.latest = []store.Run{run("queued", "user", "", time.Second)} }, "queued", "", false, true},
		"a task got lost":           {func(s *section) { s.latest = []store.Run{run("queued", "user", "", 24*time.Hour)} }, "ok", "", false, false},
		"it should long have begun": {func(s *section) { s.sync.Due = now.Add(-2 * time.Hour) }, "late", "", false, false},
		"it is due":                 {func(s *section) { s.sync.Due = now.Add(-time.Minute) }, "ok", "", false, false},
		"the first is late": {func(s *section) {
			s.sync.LastSync, s.sync.Status, s.sync.Due = time.Time{}, "never", now.Add(-2*time.Hour)
		}, "late", "", false, false},
		"an administrator paused it": {func(s *section) { s.profile.Paused = now }, "off", "paused", false, false},
		"an administrator paused it before it began": {func(s *section) {
			s.profile.Paused, s.sync = now, store.Sync{Type: record.Contacts, Status: "never"}
		}, "off", "paused", false, false},
		"an administrator paused it, and a list waits": {func(s *section) { held(s); s.profile.Paused = now }, "off", "paused", true, false},
		"an undo took some records out":                {func(s *section) { s.sync.Split = 71 }, "ok", "", false, false},
	} {
		s := fine()
		row.make(&s)
		is := s.state()
		problem := ""
		if is.Problem != nil {
			problem = is.Problem.Code
		}
		if is.Status != row.status || problem != row.problem || (is.HeldRun != "") != row.held || (is.Run != "") != row.waiting || is.Split != s.sync.Split {
			t.Errorf("%s: got %+v with problem %q, want %s with problem %q", name, is, problem, row.status, row.problem)
		}
	}
}
