package contacts

import (
	"context"
	"slices"
	"strings"

	"github.com/tandem-sync/tandem/shared/contact"
	"github.com/tandem-sync/tandem/shared/creatio"
	"github.com/tandem-sync/tandem/shared/odata"
	"github.com/tandem-sync/tandem/shared/record"
)

// Candidates finds the contacts, under the tag or not, that share an e-mail address, a number or a name with one of
// like.
func (s *Side) Candidates(ctx context.Context, like []record.Record) ([]record.Record, error) {
	var queries []odata.Query
	for chunk := range slices.Chunk(addressesOf(like), creatio.MaxListedTwice) {
		queries = append(queries, odata.Query{
			Set: "ContactCommunication", Select: []string{"Id", "ContactId"},
			Filter: odata.Or(odata.In("Number", creatio.Texts(chunk)), odata.In("SearchNumber", creatio.Texts(chunk))),
		})
	}
	for chunk := range slices.Chunk(numbersOf(like), creatio.MaxListed/conditionsPerNumber) {
		queries = append(queries, odata.Query{
			Set: "ContactCommunication", Select: []string{"Id", "ContactId"}, Filter: odata.Or(slices.Concat(chunk...)...),
		})
	}
	communications := len(queries)
	for chunk := range slices.Chunk(namesOf(like), creatio.MaxListed) {
		queries = append(queries, odata.Query{Set: "Contact", Select: []string{"Id"}, Filter: odata.In("Name", creatio.Texts(chunk))})
	}
	for chunk := range slices.Chunk(splitNames(like), creatio.MaxListedTwice) {
		queries = append(queries, odata.Query{Set: "Contact", Select: []string{"Id"}, Filter: odata.Or(chunk...)})
	}
	sure := len(queries)
	queries = append(queries, s.colleagues.queries(like)...)
	named := len(queries)
	queries = append(queries, s.mailboxes.queries(like)...)
	answers, err := s.site.Read(ctx, queries)
	if err != nil {
		return nil, err
	}
	s.colleagues.add(answers[sure:named])
	s.mailboxes.add(answers[named:])
	ids := append(s.colleagues.namesakes(like), s.mailboxes.owners(like)...)
	for i, a := range answers[:sure] {
		if a.Err != nil {
			return nil, creatio.Barred(a.Err)
		}
		column := "Id"
		if i < communications {
			column = "ContactId"
		}
		for _, r := range a.Rows {
			ids = append(ids, r.Lookup(column))
		}
	}
	records, err := s.Fetch(ctx, ids)
	return slices.DeleteFunc(records, func(r record.Record) bool { return r.Gone }), err
}

// addressesOf are the e-mail addresses of records as they are written, in lower case as the site keeps them to search by, and
// under the other domains of their service. A site may have them under a type of its own.
func addressesOf(like []record.Record) []string {
	var out []string
	for _, r := range like {
		for _, e := range slices.Concat(r.Fields[contact.Emails], r.Untracked[contact.Emails]) {
			text := strings.TrimSpace(e.Text)
			out = append(out, text, strings.ToLower(text))
			for _, spelling := range contact.EmailSpellings(text) {
				out = append(out, spelling, "mailto:"+spelling)
			}
		}
	}
	return creatio.Unique(out)
}

// conditionsPerNumber is how many conditions find one number.
const conditionsPerNumber = 7

// numbersOf are the conditions that find the numbers of records, under any label. A site keeps the digits of a number from the last to
// the first in SearchNumber, to find it by its end however it is written; where a site does not, the number has to be
// written as it is here, or plainly.
func numbersOf(like []record.Record) [][]odata.Filter {
	var out [][]odata.Filter
	seen := map[string]bool{}
	for _, r := range like {
		for _, e := range slices.Concat(r.Fields[contact.Phones], r.Untracked[contact.Phones]) {
			number := strings.TrimSpace(e.Text)
			if number == "" || seen[number] {
				continue
			}
			seen[number] = true
			key, _, _ := strings.Cut(contact.PhoneKey(number), ";")
			var of []odata.Filter
			for _, spelling := range creatio.Unique([]string{number, key, digitsOf(number)}) {
				of = append(of, odata.Eq("Number", odata.String(spelling)))
			}
			if digits := digitsOf(key); digits != "" {
				of = append(of, odata.Eq("SearchNumber", odata.String(digits)))
			}
			for _, end := range endings(number) {
				of = append(of, odata.StartsWith("SearchNumber", odata.String(reversed(end))))
			}
			out = append(out, of)
		}
	}
	return out
}

// endings are the last digits of a number by which it is found, without its extension and with it: what a site keeps to
// search by has both in one.
func endings(number string) []string {
	digits, out := digitsOf(contact.PhoneKey(number)), contact.SubscriberKeys(number)
	if digits == "" || len(out) == 0 {
		return slices.DeleteFunc([]string{digits}, func(s string) bool { return s == "" })
	}
	if at := strings.LastIndex(digits, out[0]); at >= 0 {
		out = append(out, digits[at:])
	}
	return creatio.Unique(out)
}

func digitsOf(s string) string {
	return strings.Map(func(r rune) rune {
		if r >= '0' && r <= '9' {
			return r
		}
		return -1
	}, s)
}

func reversed(s string) string {
	r := []rune(s)
	slices.Reverse(r)
	return string(r)
}

// namesOf are the whole names of records in every order in which a site may have put the parts together.
func namesOf(like []record.Record) []string {
	var out []string
	for _, r := range like {
		given, middle, surname := nameParts(r)
		for _, order := range [][]string{
			{given, middle, surname}, {surname, given, middle}, {surname, middle, given}, {given, surname}, {surname, given},
		} {
			order = slices.DeleteFunc(order, func(s string) bool { return s == "" })
			out = append(out, strings.Join(order, " "))
		}
	}
	return creatio.Unique(out)
}

func nameParts(r record.Record) (given, middle, surname string) {
	text := func(field string) string { return strings.TrimSpace(r.Fields.Text(field)) }
	return text(contact.GivenName), text(contact.MiddleName), text(contact.Surname)
}

// splitNames are conditions on the parts of names, the first and the last either way round.
func splitNames(like []record.Record) []odata.Filter {
	var out []odata.Filter
	seen := map[[2]string]bool{}
	for _, r := range like {
		given, _, surname := nameParts(r)
		for _, n := range [][2]string{{given, surname}, {surname, given}} {
			if n[0] == "" || n[1] == "" || seen[n] {
				continue
			}
			seen[n] = true
			out = append(out, odata.And(odata.Eq("GivenName", odata.String(n[0])), odata.Eq("Surname", odata.String(n[1]))))
		}
	}
	return out
}
