package storetest

import (
	"bytes"
	"testing"
	"time"

	"github.com/tandem-sync/tandem/shared/record"
	"github.com/tandem-sync/tandem/shared/store"
)

// Later holds a backend to keeping what a later version wrote into documents that are changed. edit changes the content
// of the user ada's document under a key of package store, without the store.
func Later(t *testing.T, s store.Store, edit func(key string, f func(content []byte) []byte)) {
	t.Helper()
	u, ctx := signedIn(t, s, "ada"), t.Context()
	must(t, profile(ctx, u))
	setDue(t, u, record.Contacts, noon)
	must(t, u.PutRun(ctx, store.Run{ID: "run1", Type: record.Contacts}))
	must(t, s.UpdateSchema(ctx, func(*store.Schema) error { return nil }))
	const invented = `"invented":{"later":"<1>"},`
	keys := []string{"users/ada", "users/ada/sync/contacts", "users/ada/runs/run1", "meta/schema"}
	for _, key := range keys {
		edit(key, func(content []byte) []byte { return append([]byte("{"+invented), content[1:]...) })
	}
	_, err := s.Reindex(ctx, "", 10)
	must(t, err)
	must(t, u.UpdateProfile(ctx, func(p *store.Profile) error { p.Session = "s"; return nil }))
	must(t, u.UpdateRun(ctx, "run1", func(r *store.Run) error { r.Status = "done"; return nil }))
	must(t, s.UpdateSchema(ctx, func(kept *store.Schema) error { kept.Version++; return nil }))
	setDue(t, u, record.Contacts, noon.Add(time.Hour))
	l := acquire(t, u, "run2")
	must(t, u.Renew(ctx, record.Contacts, l, noon, time.Minute))
	must(t, u.Commit(ctx, record.Contacts, l, store.Run{ID: "run2"}, func(d *store.Sync) error { d.Status = "ok"; return nil }))
	for _, key := range keys {
		edit(key, func(content []byte) []byte {
			if !bytes.Contains(content, []byte(`"invented":{"later":"<1>"}`)) {
				t.Errorf("%s lost what a later version wrote: %s", key, content)
			}
			return content
		})
	}
	wantDue(t, s, record.Contacts, noon.Add(time.Hour), 10, store.Due{User: "ada", At: noon.Add(time.Hour)})
}
