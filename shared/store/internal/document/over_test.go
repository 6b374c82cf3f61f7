package document_test

import (
	"encoding/json"
	"maps"
	"reflect"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"github.com/tandem-sync/tandem/shared/record"
	_ "github.com/tandem-sync/tandem/shared/sandbox/seed"
	"github.com/tandem-sync/tandem/shared/store"
	"github.com/tandem-sync/tandem/shared/store/internal/document"
)

func TestAChangeKeepsWhatALaterVersionWrote(t *testing.T) {
	t.Parallel()
	kept := []byte(`{"type":"contacts","settings":{"automatic":true,"quiet":{"from":"<22:00>"}},"status":"ok","due":"2026-03-02T12:00:00Z",
		"problem":{"code":"quota","since":1},"cursors":{"google":{"a":1},"outlook":2},"lease":{"owner":"r","fence":3,"host":"h"},"later":[1.50,null]}`)
	s, err := document.Decode[store.Sync](kept)
	if err != nil {
		t.Fatal(err)
	}
	s.Settings.Automatic, s.Due, s.Problem, s.Lease.Owner = false, time.Time{}, nil, ""
	delete(s.Cursors, "outlook")
	got, err := document.Over(kept, s)
	if err != nil {
		t.Fatal(err)
	}
	want := `{"type":"contacts","settings":{"automatic":false,"intervalMinutes":0,"direction":"","conflicts":"","quiet":{"from":"<22:00>"}},
		"status":"ok","failing":0,"cursors":{"google":{"a":1}},"members":0,"lease":{"fence":3,"host":"h"},"later":[1.50,null]}`
	if diff := cmp.Diff(meaning(t, []byte(want)), meaning(t, got)); diff != "" {
		t.Errorf("document (-want +got):\n%s", diff)
	}
}

func meaning(t require, data []byte) (out map[string]any) {
	t.Helper()
	if err := json.Unmarshal(data, &out); err != nil {
		t.Fatalf("%v in %s", err, data)
	}
	return out
}

// require is what tests and properties have in common.
type require interface {
	Helper()
	Fatalf(format string, args ...any)
}

func TestWhatIsWrittenOverSomethingIsReadAsItIs(t *testing.T) {
	t.Parallel()
	some := rapid.Custom(func(t *rapid.T) store.Sync {
		return store.Sync{
			Type: record.Contacts, Status: rapid.SampledFrom([]string{"ok", "off"}).Draw(t, "status"),
			Due:      time.Unix(rapid.Int64Range(0, 9).Draw(t, "due"), 0).UTC(),
			Settings: store.Settings{TagID: rapid.SampledFrom([]string{"", "tag"}).Draw(t, "tag")},
			Scopes:   rapid.MapOf(rapid.SampledFrom(record.Sides[:]), rapid.Just("scope")).Draw(t, "scopes"),
			Lease:    store.Lease{Owner: rapid.SampledFrom([]string{"", "run"}).Draw(t, "owner")},
		}
	})
	rapid.Check(t, func(t *rapid.T) {
		kept, err := document.Encode(some.Draw(t, "kept"))
		if err != nil {
			t.Fatal(err)
		}
		extra := rapid.MapOf(rapid.StringMatching(`later[a-z]`), rapid.Int()).Draw(t, "extra")
		whole := meaning(t, kept)
		for name, value := range extra {
			whole[name] = value
		}
		if kept, err = json.Marshal(whole); err != nil {
			t.Fatal(err)
		}
		want := some.Draw(t, "next")
		next, err := document.Over(kept, want)
		if err != nil {
			t.Fatal(err)
		}
		plain, err := document.Encode(want)
		if err != nil {
			t.Fatal(err)
		}
		got, err := document.Decode[store.Sync](next)
		alone, _ := document.Decode[store.Sync](plain)
		if err != nil || !reflect.DeepEqual(got, alone) {
			t.Fatalf("read as %+v, %v, want %+v", got, err, alone)
		}
		seen := meaning(t, next)
		maps.DeleteFunc(seen, func(name string, _ any) bool { _, later := extra[name]; return !later })
		if len(seen) != len(extra) {
			t.Fatalf("of %v only %v is kept", extra, seen)
		}
	})
}

func TestEveryFieldOfADocumentHasANameThatIsWritten(t *testing.T) {
	t.Parallel()
	// Over goes by the names in the tags: a field without one would come back from the past.
	var check func(reflect.Type)
	check = func(t2 reflect.Type) {
		for f := range t2.Fields() {
			if f.Tag.Get("json") == "" || f.Anonymous {
				t.Errorf("%s.%s has no tag", t2, f.Name)
			}
			if f.Type.Kind() == reflect.Struct && f.Type != reflect.TypeFor[time.Time]() {
				check(f.Type)
			}
		}
	}
	for _, d := range []any{store.Profile{}, store.Token{}, store.UsedState{}, store.SharedSecret{}, store.Seat{}, store.Sync{}, store.Link{}, store.Run{}, store.Schema{}, store.Pair{}, store.AccessToken{}} {
		check(reflect.TypeOf(d))
	}
}
