package app_test

import (
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/tandem-sync/tandem/shared/record"
	"github.com/tandem-sync/tandem/shared/store"
)

func TestAn_export_has_what_is_kept_beside_links_and_runs(t *testing.T) {
	t.Parallel()
	w := newWorld(t, onFirestore(t))
	w.link()
	w.choose(w.tag("Ada", private))
	w.sync("done")
	u, ctx := w.firestore().User(w.id), t.Context()
	_, lease, err := u.Acquire(ctx, record.Contacts, "run", w.now(), time.Minute)
	if err != nil {
		t.Fatal(err)
	}
	members, err := store.MemberSet{"people/member"}.Encode()
	if err != nil {
		t.Fatal(err)
	}
	for name, data := range map[string][]byte{store.MembersBlob(record.Google): members, "series/1": []byte("???")} {
		if err := u.PutBlob(ctx, record.Contacts, lease, name, data); err != nil {
			t.Fatal(err)
		}
	}
	const site = "https://acme.example.com"
	_, err = u.PutBatch(ctx, record.Contacts, lease, w.now(), store.Batch{
		Notes:  []store.WriteNote{{Site: site, Record: "noted", Modified: w.now(), Edited: w.now().Add(-time.Minute), Until: w.now().Add(time.Hour)}},
		Pairs:  []store.Pair{{ID: "p1", CreatioID: "c1", GoogleID: "people/doubtful", State: store.StateDoubt}},
		Links:  []store.Link{{ID: "l1", GoogleID: "people/claimed", Pending: record.Creatio}},
		Claims: []store.Claim{{Site: site, Key: "k", RecordID: "claimed-record", Link: "l1", Until: w.now().Add(time.Hour)}},
	})
	if err != nil {
		t.Fatal(err)
	}
	w.visit("/settings/sign-in")
	a := w.do(http.MethodGet, "/settings/api/v1/export", nil)
	for _, want := range []string{
		`"google":["people/member"]`, `"series/1":"Pz8/"`, `"people/doubtful"`, `"claimed-record"`, `"edited":"` + w.now().Add(-time.Minute).UTC().Format("2006-01-02T15:04"),
	} {
		if !strings.Contains(a.body, want) {
			t.Errorf("the export lacks %s: %s", want, a.body)
		}
	}
}

func TestAn_export_tells_recurring_events(t *testing.T) {
	t.Parallel()
	a := newAgenda(t)
	a.series("Standup", 24, "RRULE:FREQ=WEEKLY;COUNT=3")
	a.run("done")
	a.link()
	a.visit("/settings/sign-in")
	got := a.do(http.MethodGet, "/settings/api/v1/export", nil)
	if got.status != http.StatusOK || !strings.Contains(got.body, `"RRULE:FREQ=WEEKLY;COUNT=3"`) {
		t.Errorf("got %d %s", got.status, got.body)
	}
}
