package odata

import (
	"encoding/json"
	"math"
	"testing"
	"time"
)

func TestEmpty_values_of_the_service_are_zero_values(t *testing.T) {
	t.Parallel()
	var row Row
	reply := `{"Text":"","Null":null,"Lookup":"00000000-0000-0000-0000-000000000000","Date":"0001-01-01T00:00:00Z",
		"Owner":null,"Account":{"Id":"00000000-0000-0000-0000-000000000000","Name":""},"List":[]}`
	if err := json.Unmarshal([]byte(reply), &row); err != nil {
		t.Fatal(err)
	}
	for _, name := range []string{"Text", "Null", "Absent"} {
		if row.Text(name) != "" || row.Lookup(name) != "" || !row.Time(name).IsZero() || row.Bool(name) || row.Int(name) != 0 ||
			row.Rows(name) != nil || row.Nested(name) != nil {
			t.Errorf("%s: not empty", name)
		}
	}
	if row.Lookup("Lookup") != "" || !row.Time("Date").IsZero() || row.Nested("Owner") != nil || row.Nested("Account") != nil || len(row.Rows("List")) != 0 {
		t.Errorf("not empty: %v", row)
	}
	if !row.Has("Null") || row.Has("Absent") {
		t.Error("absent and null are not told apart")
	}
}

func TestValues_are_read_as_sent(t *testing.T) {
	t.Parallel()
	var row Row
	reply := `{"Name":"Ann O'Hara","Id":"11111111-1111-4111-8111-11111111111A","On":"2026-03-01T10:11:12.1234567Z","Yes":true,"N":42,"Big":"9007199254740993",
		"Account":{"Id":"22222222-2222-4222-8222-222222222222","Name":"Example Ltd"},"Tags":[{"Name":"a"},{"Name":"b"}]}`
	if err := json.Unmarshal([]byte(reply), &row); err != nil {
		t.Fatal(err)
	}
	if row.Text("Name") != "Ann O'Hara" || row.Lookup("Id") != "11111111-1111-4111-8111-11111111111a" || !row.Bool("Yes") || row.Int("N") != 42 || row.Int("Big") != 9007199254740993 {
		t.Errorf("got %v", row)
	}
	if want := time.Date(2026, 3, 1, 10, 11, 12, 123456700, time.UTC); !row.Time("On").Equal(want) {
		t.Errorf("got %v, want %v", row.Time("On"), want)
	}
	if row.Nested("Account").Text("Name") != "Example Ltd" || len(row.Rows("Tags")) != 2 || row.Rows("Tags")[1].Text("Name") != "b" {
		t.Errorf("expanded records: %v", row)
	}
}

func FuzzTimes_survive_the_way_out_and_back(f *testing.F) {
	for _, s := range []string{"0001-01-01T00:00:00Z", "2026-03-01T10:11:12.1234567Z", "2026-03-01T10:11:12+02:00", "2026-03-01", "", "9999-12-31T23:59:59.9999999Z", "0001-01-01T00:00:00+14:00"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		raw, _ := json.Marshal(s)
		got := Row{"T": raw}.Time("T")
		literal := DateTime(got)
		if literal.check() != nil {
			return
		}
		again, err := parseTime(literal.render())
		if err != nil || !again.Equal(got.Truncate(time.Microsecond)) || got.Location() != time.UTC {
			t.Errorf("%q: got %v, out %q, back %v, %v", s, got, literal.render(), again, err)
		}
	})
}

func TestPayloads_have_the_form_that_the_service_requires(t *testing.T) {
	t.Parallel()
	got, err := encode(Values{
		"Name": "Ann", "OwnerId": Null, "Email": "", "Primary": true, "Position": 3, "Big": int64(math.MaxInt64), "Rate": 1.5,
		"BirthDate": time.Date(1990, 5, 6, 2, 0, 0, 1234567, time.FixedZone("", 7200)),
	})
	want := `{"Big":"9223372036854775807","BirthDate":"1990-05-06T00:00:00.001234Z","Email":"","Name":"Ann","OwnerId":null,"Position":3,"Primary":true,"Rate":"1.5"}`
	if err != nil || string(got) != want {
		t.Errorf("got %s, %v\nwant %s", got, err, want)
	}
}

func TestPayloads_that_the_service_would_misread_are_rejected(t *testing.T) {
	t.Parallel()
	for name, v := range map[string]Values{
		"nothing at all":           nil,
		"a zero GUID for a lookup": {"OwnerId": zeroGUID},
		"a zero time":              {"BirthDate": time.Time{}},
		"a plain nil":              {"OwnerId": nil},
		"an unknown type":          {"X": struct{}{}},
		"a zero GUID further down": {"List": []any{map[string]any{"Id": zeroGUID}}},
	} {
		if got, err := encode(v); err == nil {
			t.Errorf("%s: written as %s", name, got)
		}
	}
}

func TestAn_invalid_literal_fails_its_query(t *testing.T) {
	t.Parallel()
	for name, f := range map[string]Filter{
		"a GUID with more behind it": Eq("Id", Guid("11111111-1111-4111-8111-111111111111 or true")),
		"no GUID":                    In("Id", []Literal{Guid("")}),
		"an empty literal":           Eq("Id", Literal{}),
		"a year beyond":              Gt("ModifiedOn", DateTime(time.Date(12026, 1, 1, 0, 0, 0, 0, time.UTC))),
		"a path with an operator":    Eq("Id eq null or Id", Int(1)),
		"a bad one in a chain":       And(Eq("A", Int(1)), Or(Not(Contains("B)", String("x"))))),
	} {
		if err := (Query{Set: "Contact", Filter: f}).check(); err == nil {
			t.Errorf("%s: sent as %q", name, f)
		}
	}
	if got := Eq("Id", Guid("x' or true")).String(); got != "Id eq "+invalid {
		t.Errorf("got %q", got)
	}
}
