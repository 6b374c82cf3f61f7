package record_test

import (
	"encoding/json"
	"fmt"
	"reflect"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"github.com/tandem-sync/tandem/shared/record"
	_ "github.com/tandem-sync/tandem/shared/sandbox/seed"
)

func TestA_packed_record_comes_back_as_it_was(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		r, like := records.Draw(t, "record"), records.Draw(t, "like")
		if rapid.Bool().Draw(t, "mostly the same") {
			like.ID, like.Photo, like.Fields, like.AdapterState = r.ID, r.Photo, r.Fields.Clone(), append(json.RawMessage(`{"etag":"2"`), r.AdapterState...)
		}
		p := record.PackLike(r, like)
		if diff := cmp.Diff(r, p.UnpackLike(like)); diff != "" {
			t.Fatalf("the record came back another one (-want +got):\n%s", diff)
		}
		p = record.Pack(r)
		r.Fields, r.Untracked, r.AdapterState = nil, nil, nil
		if diff := cmp.Diff(r, p.Head()); diff != "" {
			t.Fatalf("its head is another one (-want +got):\n%s", diff)
		}
	})
}

// A field that somebody adds to a record and forgets here would be lost in a run.
func TestNothing_of_a_record_is_lost_by_packing_it(t *testing.T) {
	t.Parallel()
	var r record.Record
	fill(reflect.ValueOf(&r).Elem())
	for _, like := range []record.Record{{}, r} {
		if diff := cmp.Diff(r, record.PackLike(r, like).UnpackLike(like)); diff != "" {
			t.Errorf("the record came back another one (-want +got):\n%s", diff)
		}
	}
}

func TestNothing_packed_is_no_record(t *testing.T) {
	t.Parallel()
	var p record.Packed
	if diff := cmp.Diff(record.Record{}, p.UnpackLike(record.Record{ID: "1"})); diff != "" || !p.IsZero() || record.Pack(record.Record{}).IsZero() {
		t.Errorf("nothing is taken for a record: %s", diff)
	}
}

// What is unpacked is nobody else's: who changes it changes neither the like nor what is unpacked next.
func TestUnpacked_content_may_be_changed(t *testing.T) {
	t.Parallel()
	like := sample("1")
	p := record.PackLike(like, like)
	first := p.UnpackLike(like)
	first.Fields["notes"][0].Text = "another note"
	first.AdapterState[2] = 'x'
	if diff := cmp.Diff(sample("1"), p.UnpackLike(like)); diff != "" {
		t.Errorf("a change shows elsewhere (-want +got):\n%s", diff)
	}
}

func TestA_packed_record_takes_little_more_than_its_letters(t *testing.T) {
	t.Parallel()
	alone := record.Pack(sample("1"))
	if got, most := alone.Size(), 900; got > most {
		t.Errorf("a record takes %d bytes, more than %d", got, most)
	}
	if got, most := record.PackLike(sample("2"), sample("1")).Size(), 150; got > most {
		t.Errorf("one that changed a little takes %d bytes more, more than %d", got, most)
	}
}

func BenchmarkPack(b *testing.B) {
	r := sample("1")
	for b.Loop() {
		record.Pack(r)
	}
}

func BenchmarkUnpack(b *testing.B) {
	p := record.Pack(sample("1"))
	for b.Loop() {
		p.Unpack()
	}
}

func BenchmarkUnpackHead(b *testing.B) {
	p := record.Pack(sample("1"))
	for b.Loop() {
		p.Head()
	}
}

// sample is a contact as an address book has many.
func sample(version string) record.Record {
	rows := make([]string, 4)
	for i := range rows {
		rows[i] = fmt.Sprintf(`{"id":"4f8b2d67-71d0-45fb-897e-cd4a308a97c%d","k":"work","n":"+44207946000%d"}`, i, i)
	}
	return record.Record{
		ID: "7d3f0c52-6d0b-5a5e-9a53-1f6d2f6f4d10", Member: true, Modified: time.Date(2026, 3, 2, 9, 0, 0, 123000, time.UTC),
		Fields: record.Fields{
			"given": {{Text: "Grace"}}, "surname": {{Text: "Hopper"}}, "jobTitle": {{Text: "Rear admiral"}}, "birthday": {{Text: "1906-12-09"}},
			"notes": {{Text: strings.Repeat("A note about this person. ", 5)}}, "emails": {{Text: "grace@example.com"}},
			"phones":    {{Kind: "work", Text: "+442079460001"}, {Kind: "mobile", Text: "+447700900001"}},
			"addresses": {{Kind: "home", Parts: map[string]string{"street": "1 High Street", "zip": "AB1 2CD"}}},
		},
		Untracked:    record.Fields{},
		AdapterState: json.RawMessage(`{"etag":"` + version + `","rows":[` + strings.Join(rows, ",") + `]}`),
	}
}

var (
	texts  = rapid.StringN(0, 12, 40)
	names  = rapid.SampledFrom([]string{"given", "surname", "notes", "phones", "addresses"})
	lists  = rapid.OneOf(rapid.Just([]string(nil)), rapid.SliceOfN(texts, 0, 3))
	states = rapid.OneOf(rapid.Just(json.RawMessage(nil)), rapid.Custom(func(t *rapid.T) json.RawMessage {
		return json.RawMessage(texts.Draw(t, "state"))
	}))
	times = rapid.Custom(func(t *rapid.T) time.Time {
		if rapid.Bool().Draw(t, "none") {
			return time.Time{}
		}
		return time.Unix(rapid.Int64Range(-1<<40, 1<<40).Draw(t, "seconds"), rapid.Int64Range(0, 999_999_999).Draw(t, "nanoseconds")).UTC()
	})
	entries = rapid.Custom(func(t *rapid.T) record.Entry {
		e := record.Entry{Kind: texts.Draw(t, "kind"), Text: texts.Draw(t, "text")}
		if parts := rapid.MapOfN(names, texts, 0, 3).Draw(t, "parts"); len(parts) > 0 {
			e.Parts = parts
		}
		return e
	})
	contents = rapid.Custom(func(t *rapid.T) record.Fields {
		if rapid.Bool().Draw(t, "none") {
			return nil
		}
		return rapid.MapOfN(names, rapid.SliceOfN(entries, 0, 3), 0, 4).Draw(t, "fields")
	})
	records = rapid.Custom(func(t *rapid.T) record.Record {
		return record.Record{
			ID: texts.Draw(t, "id"), Aliases: lists.Draw(t, "aliases"), Mark: texts.Draw(t, "mark"), Modified: times.Draw(t, "modified"),
			Member: rapid.Bool().Draw(t, "member"), Gone: rapid.Bool().Draw(t, "gone"), Tombstone: rapid.Bool().Draw(t, "tombstone"),
			Fields: contents.Draw(t, "fields"), Untracked: contents.Draw(t, "untracked"), Parent: texts.Draw(t, "parent"), End: times.Draw(t, "end"),
			Locked: lists.Draw(t, "locked"), Hidden: lists.Draw(t, "hidden"), Photo: texts.Draw(t, "photo"), AdapterState: states.Draw(t, "state"),
		}
	})
)

// fill gives every field of a value something.
func fill(v reflect.Value) {
	switch {
	case v.Type() == reflect.TypeFor[time.Time]():
		v.Set(reflect.ValueOf(time.Unix(1, 2).UTC()))
	case v.Kind() == reflect.Struct:
		for i := range v.NumField() {
			fill(v.Field(i))
		}
	case v.Kind() == reflect.String:
		v.SetString("text")
	case v.Kind() == reflect.Bool:
		v.SetBool(true)
	case v.Kind() == reflect.Uint8:
		v.SetUint('x')
	case v.Kind() == reflect.Slice:
		v.Set(reflect.MakeSlice(v.Type(), 1, 1))
		fill(v.Index(0))
	case v.Kind() == reflect.Map:
		key, value := reflect.New(v.Type().Key()).Elem(), reflect.New(v.Type().Elem()).Elem()
		fill(key)
		fill(value)
		v.Set(reflect.MakeMap(v.Type()))
		v.SetMapIndex(key, value)
	default:
		panic("nothing is known of " + v.Type().String())
	}
}
