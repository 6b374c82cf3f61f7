package odata_test

import (
	"net/url"
	"strings"
	"testing"
	"time"
	"unicode/utf8"

	"github.com/tandem-sync/tandem/shared/odata"
)

const (
	id1 = "11111111-1111-4111-8111-111111111111"
	id2 = "22222222-2222-4222-8222-222222222222"
)

func TestQueries_have_one_escaped_path(t *testing.T) {
	t.Parallel()
	at := time.Date(2026, 3, 1, 14, 5, 6, 123456789, time.FixedZone("", 2*3600))
	for want, q := range map[string]odata.Query{
		"Contact": {Set: "Contact"},
		"Contact?$filter=Account/Id%20eq%20" + id1: {
			Set: "Contact", Filter: odata.Eq("Account/Id", odata.Guid(strings.ToUpper(id1))),
		},
		"Contact?$filter=Name%20eq%20'O''Neil%20%26%20S%C3%B6hne%20%2B%20100%25%20%23%3F%3B'": {
			Set: "Contact", Filter: odata.Eq("Name", odata.String("O'Neil & Söhne + 100% #?;")),
		},
		"Contact?$filter=ModifiedOn%20ge%202026-03-01T12%3A05%3A06.123456Z": {
			Set: "Contact", Filter: odata.Ge("ModifiedOn", odata.DateTime(at)),
		},
		"Activity?$select=Id,Title&$expand=Owner($select=Id,Name%3B$expand=Account($select=Name)),Type&$filter=ShowInScheduler%20eq%20true%20and%20(DurationInMinutes%20gt%205%20or%20not%20(contains(Title,'x')))&$orderby=ModifiedOn,Id%20desc&$top=10&$skip=5&$count=true": {
			Set: "Activity", Select: []string{"Id", "Title"},
			Expand: []odata.Expand{
				{Name: "Owner", Select: []string{"Id", "Name"}, Expand: []odata.Expand{{Name: "Account", Select: []string{"Name"}}}},
				{Name: "Type"},
			},
			Filter: odata.And(
				odata.Eq("ShowInScheduler", odata.Bool(true)), odata.Filter{},
				odata.Or(odata.Gt("DurationInMinutes", odata.Int(5)), odata.Not(odata.Contains("Title", odata.String("x")))),
			),
			OrderBy: []odata.Order{{Path: "ModifiedOn"}, {Path: "Id", Desc: true}},
			Top:     10, Skip: 5, Count: true,
		},
	} {
		got := q.Path()
		if got != want {
			t.Errorf("got  %s\nwant %s", got, want)
		}
		_, query, _ := strings.Cut(got, "?")
		if _, err := url.ParseQuery(query); err != nil {
			t.Errorf("%s: not a query string: %v", got, err)
		}
	}
}

func TestFilters_keep_their_logic(t *testing.T) {
	t.Parallel()
	a, b, c := odata.Eq("A", odata.Int(1)), odata.Ne("B", odata.Int(2)), odata.Le("C/Id", odata.Int(3))
	none, nothing := odata.Filter{}, odata.In("A", nil)
	for name, tc := range map[string]struct {
		filter odata.Filter
		want   string
	}{
		"none":                               {none, ""},
		"and of none":                        {odata.And(), ""},
		"or of none lets nothing through":    {odata.Or(), "false"},
		"an empty list lets nothing through": {nothing, "false"},
		"nothing wins in an and":             {odata.And(a, nothing), "false"},
		"nothing is left out of an or":       {odata.Or(nothing, a), "A eq 1"},
		"no condition wins in an or":         {odata.Or(a, none), ""},
		"not nothing":                        {odata.Not(nothing), ""},
		"not none":                           {odata.Not(none), "false"},
		"not":                                {odata.Not(odata.Or(a, b)), "not (A eq 1 or B ne 2)"},
		"or inside and":                      {odata.And(odata.Or(a, b), c), "(A eq 1 or B ne 2) and C/Id le 3"},
		"and inside or":                      {odata.Or(odata.And(a, b), c), "A eq 1 and B ne 2 or C/Id le 3"},
		"or inside or inside and":            {odata.And(c, odata.Or(nothing, odata.Or(a, b))), "C/Id le 3 and (A eq 1 or B ne 2)"},
		"or that hides in an and of one":     {odata.And(odata.And(odata.Or(a, b)), c), "(A eq 1 or B ne 2) and C/Id le 3"},
		"a list":                             {odata.And(odata.In("T/Id", []odata.Literal{odata.Guid(id1), odata.Guid(id2)}), a), "(T/Id eq " + id1 + " or T/Id eq " + id2 + ") and A eq 1"},
		"a list of one":                      {odata.In("A", []odata.Literal{odata.Int(1)}), "A eq 1"},
		"a function":                         {odata.StartsWith("Name", odata.String("O'")), "startswith(Name,'O''')"},
		"null":                               {odata.Eq("Email", odata.NullLiteral()), "Email eq null"},
	} {
		if got := tc.filter.String(); got != tc.want {
			t.Errorf("%s: got %q, want %q", name, got, tc.want)
		}
	}
}

func TestTimes_in_literals_are_utc_and_no_finer_than_a_microsecond(t *testing.T) {
	t.Parallel()
	for want, at := range map[string]time.Time{
		"2026-03-01T00:00:00Z":        time.Date(2026, 3, 1, 0, 0, 0, 0, time.UTC),
		"2026-02-28T23:30:00.5Z":      time.Date(2026, 3, 1, 1, 30, 0, 5e8, time.FixedZone("", 7200)),
		"2026-03-01T00:00:00.999999Z": time.Date(2026, 3, 1, 0, 0, 0, 999999999, time.UTC),
	} {
		if got := odata.Eq("D", odata.DateTime(at)).String(); got != "D eq "+want {
			t.Errorf("got %q, want %q", got, want)
		}
	}
}

func FuzzText_stays_inside_its_literal(f *testing.F) {
	for _, s := range []string{"", "'", "''", "a' or 1 eq 1 or Name eq 'b", "%27", "&$top=0", "ü\x00\n;#?+", "\xff'"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		q := odata.Query{Set: "Contact", Filter: odata.And(odata.Eq("Name", odata.String(s)), odata.Eq("Age", odata.Int(7))), Top: 1}
		u, err := url.Parse("https://crm.example.com/0/odata/" + q.Path())
		if err != nil {
			t.Fatalf("%q: %v", s, err)
		}
		values, err := url.ParseQuery(u.RawQuery)
		if err != nil || len(values) != 2 || u.Fragment != "" || values.Get("$top") != "1" {
			t.Fatalf("%q: the query became %v, %v", s, values, err)
		}
		filter := values.Get("$filter")
		if filter != q.Filter.String() {
			t.Fatalf("%q: got filter %q, want %q", s, filter, q.Filter)
		}
		rest, ok := strings.CutPrefix(filter, "Name eq '")
		if !ok {
			t.Fatalf("%q: got filter %q", s, filter)
		}
		text, rest := unquote(rest)
		if rest != " and Age eq 7" || utf8.ValidString(s) && text != s {
			t.Errorf("%q: the service reads %q, followed by %q", s, text, rest)
		}
	})
}

// unquote reads a literal as the service does, beginning after its first quote.
func unquote(s string) (text, rest string) {
	var b strings.Builder
	for i := 0; i < len(s); i++ {
		if s[i] == '\'' {
			if i+1 == len(s) || s[i+1] != '\'' {
				return b.String(), s[i+1:]
			}
			i++
		}
		b.WriteByte(s[i])
	}
	return b.String(), "no end"
}
