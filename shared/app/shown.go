package app

import (
	"cmp"
	"context"
	"encoding/json"
	"fmt"
	"slices"
	"strings"

	"github.com/tandem-sync/tandem/shared/record"
	"github.com/tandem-sync/tandem/shared/store"
	"github.com/tandem-sync/tandem/shared/syncer"
	"github.com/tandem-sync/tandem/shared/web"
)

// SyncPreview looks again at what there is to do. Where that is what the preview showed, a run is queued that does it; else the new
// preview shows what changed since.
func (s service) SyncPreview(ctx context.Context, user string, t record.Type, preview string) (string, error) {
	u, err := s.ready(ctx, user, t)
	if err != nil {
		return "", err
	}
	shown, err := u.Run(ctx, preview)
	switch {
	case err != nil:
		return "", err
	case shown.Type != t || shown.Status != string(syncer.Preview):
		return "", fmt.Errorf("find the preview: %w", store.ErrNotFound)
	}
	doc, err := u.Sync(ctx, t)
	if err != nil {
		return "", err
	}
	now, err := s.Preview(ctx, user, t)
	if err != nil {
		return "", err
	}
	if !sameWork(shown.Changes, now.Changes) {
		return "", &web.ChangedError{Run: now.ID}
	}
	return s.app.asked(ctx, user, t, doc.Lease.Owner)
}

// sameWork reports whether two previews show the same, in whatever order.
func sameWork(a, b []store.Change) bool {
	return slices.Equal(workOf(a), workOf(b))
}

func workOf(changes []store.Change) []string {
	out := make([]string, len(changes))
	for i, c := range changes {
		c.Loss = nil
		text, _ := json.Marshal(c) // a change is text and nothing else
		out[i] = string(text)
	}
	slices.Sort(out)
	return out
}

// searchedRuns is how many runs one search looks through.
const searchedRuns = 100

// Search finds what runs did to records of a name, the newest first, a stretch of the history at a time.
func (s service) Search(ctx context.Context, user, name, before string) (web.Found, error) {
	u := s.app.store.User(user)
	runs, err := u.Runs(ctx, "", searchedRuns, before)
	if err != nil {
		return web.Found{}, err
	}
	var found web.Found
	name = strings.ToLower(strings.TrimSpace(name))
	for _, r := range runs {
		if r.Repeats > 0 || r.Status == "queued" {
			continue
		}
		// Changes are kept apart, and are not in the list.
		if r.Counts == (store.Counts{Calls: r.Counts.Calls}) && r.Status == string(syncer.Done) {
			continue
		}
		if r, err = s.Run(ctx, user, r.ID); err != nil {
			return web.Found{}, err
		}
		r.Changes = slices.DeleteFunc(r.Changes, func(c store.Change) bool { return !strings.Contains(strings.ToLower(c.Record), name) })
		r.Problems = slices.DeleteFunc(r.Problems, func(p store.Problem) bool {
			return p.Record == "" || !strings.Contains(strings.ToLower(p.Record), name)
		})
		if len(r.Changes)+len(r.Problems) > 0 {
			found.Runs = append(found.Runs, r)
		}
	}
	if len(runs) == searchedRuns {
		last := runs[len(runs)-1]
		found.Before, found.Back = last.ID, cmp.Or(last.FinishedAt, last.StartedAt)
	}
	return found, nil
}
