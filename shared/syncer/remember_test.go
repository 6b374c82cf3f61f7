package syncer_test

import (
	"context"
	"encoding/json"
	"strings"
	"testing"

	"github.com/tandem-sync/tandem/shared/record"
	"github.com/tandem-sync/tandem/shared/store"
	"github.com/tandem-sync/tandem/shared/syncer"
)

// zonedDiary is a diary that shows its visits in a time zone, and remembers in which one it showed them first.
type zonedDiary struct {
	*diary
	zone string
}

// shown is a record with the zone in its time and in its state, behind the diary's own.
func (d *zonedDiary) shown(r record.Record) record.Record {
	if !r.Gone {
		r.Fields = r.Fields.Clone()
		when, _, _ := strings.Cut(r.Fields.Text("when"), " ")
		r.Fields.SetText("when", when+" "+d.zone)
		r.AdapterState = json.RawMessage(`{"version":` + string(r.AdapterState) + `,"zone":"` + d.zone + `"}`)
	}
	return r
}

type zonedState struct {
	Version json.RawMessage `json:"version"`
	Zone    string          `json:"zone"`
}

func (d *zonedDiary) Remember(known, r record.Record) record.Record {
	var was, is zonedState
	if json.Unmarshal(known.AdapterState, &was) != nil || json.Unmarshal(r.AdapterState, &is) != nil {
		return r
	}
	now := *d
	now.zone = was.Zone
	r.AdapterState = is.Version
	return now.shown(r)
}

func (d *zonedDiary) Scan(ctx context.Context, cursor json.RawMessage) (record.Delta, error) {
	delta, err := d.diary.Scan(ctx, cursor)
	for i, r := range delta.Records {
		delta.Records[i] = record.Pack(d.shown(r.Unpack()))
	}
	return delta, err
}

func (d *zonedDiary) Fetch(ctx context.Context, ids []string) ([]record.Record, error) {
	records, err := d.diary.Fetch(ctx, ids)
	for i, r := range records {
		records[i] = d.shown(r)
	}
	return records, err
}

func (d *zonedDiary) Apply(ctx context.Context, plans []record.Plan) ([]record.Result, error) {
	inner := make([]record.Plan, len(plans))
	for i, p := range plans {
		var state zonedState
		_ = json.Unmarshal(p.AdapterState, &state)
		p.AdapterState = state.Version
		inner[i] = p
	}
	results, err := d.diary.Apply(ctx, inner)
	for i := range results {
		if results[i].Err == nil {
			results[i].Record = d.shown(results[i].Record)
		}
	}
	return results, err
}

func TestWhat_a_side_takes_a_record_for_outlives_a_change_of_how_it_would_read_it(t *testing.T) {
	t.Parallel()
	w := newVisitWorld(t, cancelOrDelete)
	zoned := &zonedDiary{diary: w.creatio, zone: "Kyiv"}
	w.engine.Open = func(context.Context, store.Profile, store.Sync) (map[record.Side]syncer.Side, error) {
		return map[record.Side]syncer.Side{record.Creatio: zoned, record.Google: w.google}, nil
	}
	w.creatio.add("Audit", 1)
	w.creatio.add("Board", 2)
	w.sync()
	w.silent()
	shows := func(title string) string { return w.google.visits[w.google.id(title)].fields.Text("when") }
	before := shows("Audit")
	zoned.zone = "Brussels"
	// A visit that is touched is read again, and an edit of something else leaves the time as it was.
	w.creatio.edit("Audit", func(*visit) {})
	w.silent()
	w.creatio.edit("Audit", func(v *visit) { v.fields["guests"] = []record.Entry{{Text: "bo@example.com"}} })
	w.sync()
	if got := shows("Audit"); got != before || !strings.HasSuffix(got, "Kyiv") {
		t.Errorf("the time has become %q, was %q", got, before)
	}
	w.silent()
	w.creatio.add("Clinic", 3)
	w.sync()
	if got := shows("Clinic"); !strings.HasSuffix(got, "Brussels") {
		t.Errorf("a new one is at %q", got)
	}
}
