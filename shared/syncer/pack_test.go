package syncer

import (
	"reflect"
	"strconv"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/tandem-sync/tandem/shared/record"
	"github.com/tandem-sync/tandem/shared/store"
)

// A field that somebody adds to a link and that packing loses would be lost in the store too.
func TestNothing_of_a_pair_is_lost_by_closing_it(t *testing.T) {
	t.Parallel()
	var link, other store.Link
	var creatio, google record.Record
	n := 0
	for _, v := range []any{&link, &other, &creatio, &google} {
		fill(reflect.ValueOf(v).Elem(), &n)
	}
	other.ID = link.ID
	for name, c := range map[string]content{
		"a pair as it is stored":    {link: link, stored: link, records: map[record.Side]*record.Record{record.Creatio: &creatio, record.Google: &google}},
		"a pair that changed":       {link: link, stored: other, records: map[record.Side]*record.Record{record.Google: &google}},
		"a pair of which no record": {link: link, stored: link, records: map[record.Side]*record.Record{}},
		"a record without a link":   {link: store.Link{ID: "1", GoogleID: "2"}, records: map[record.Side]*record.Record{record.Google: &google}},
		"a pair that agreed on nothing yet": {
			link: store.Link{ID: "1", Base: record.Fields{}}, stored: store.Link{ID: "1"}, records: map[record.Side]*record.Record{},
		},
	} {
		pairs := newPairs()
		want := c
		p := pairs.newPair(&c)
		before := p.current()
		pairs.close()
		if p.content != nil {
			t.Fatalf("%s: is still open", name)
		}
		if diff := cmp.Diff(before, p.current(), cmp.AllowUnexported(outline{})); diff != "" {
			t.Errorf("%s: tells something else once it is closed (-want +got):\n%s", name, diff)
		}
		if diff := cmp.Diff(&want, p.open().content, cmp.AllowUnexported(content{})); diff != "" {
			t.Errorf("%s: came back another one (-want +got):\n%s", name, diff)
		}
	}
}

func TestOf_a_pair_that_was_freed_the_ids_stay(t *testing.T) {
	t.Parallel()
	pairs := newPairs()
	p := pairs.addLink(store.Link{ID: "1", CreatioID: "2", GoogleID: "3", Name: "Grace", Active: true, Base: record.Fields{"given": {{Text: "Grace"}}}})
	p.free()
	pairs.close()
	want := store.Link{ID: "1", CreatioID: "2", GoogleID: "3", Name: "Grace", Active: true}
	if diff := cmp.Diff(want, p.open().link); diff != "" || p.newlySeen() == p.linked() {
		t.Errorf("got another link (-want +got):\n%s", diff)
	}
}

// fill gives every field of a value something, and another thing each time.
func fill(v reflect.Value, n *int) {
	*n++
	switch {
	case v.Type() == reflect.TypeFor[time.Time]():
		v.Set(reflect.ValueOf(time.Unix(int64(*n), 2000).UTC()))
	case v.Type() == reflect.TypeFor[record.Side]():
		v.SetString(string(record.Sides[*n%2]))
	case v.Kind() == reflect.Pointer:
		v.Set(reflect.New(v.Type().Elem()))
		fill(v.Elem(), n)
	case v.Kind() == reflect.Struct:
		for i := range v.NumField() {
			fill(v.Field(i), n)
		}
	case v.Kind() == reflect.String:
		v.SetString("text " + strconv.Itoa(*n))
	case v.Kind() == reflect.Bool:
		v.SetBool(true)
	case v.Kind() == reflect.Int:
		v.SetInt(int64(*n))
	case v.Type() == reflect.TypeFor[[]byte](), v.Type().Kind() == reflect.Slice && v.Type().Elem().Kind() == reflect.Uint8:
		v.SetBytes([]byte(`{"state":` + strconv.Itoa(*n) + `}`))
	case v.Kind() == reflect.Slice:
		v.Set(reflect.MakeSlice(v.Type(), 1, 1))
		fill(v.Index(0), n)
	case v.Kind() == reflect.Map:
		v.Set(reflect.MakeMap(v.Type()))
		for range 2 {
			key, value := reflect.New(v.Type().Key()).Elem(), reflect.New(v.Type().Elem()).Elem()
			fill(key, n)
			fill(value, n)
			v.SetMapIndex(key, value)
		}
	default:
		panic("nothing is known of " + v.Type().String())
	}
}
