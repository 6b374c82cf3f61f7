package contacts

import (
	"context"
	"maps"
	"slices"
	"strings"

	"github.com/tandem-sync/tandem/shared/creatio"
	"github.com/tandem-sync/tandem/shared/odata"
)

// maxByTag is how many contacts are held at once while they are read by their tag: their details come in an order of their
// own, so nobody is whole before the end.
const maxByTag = 5000

// eachTagged is eachPerson for all contacts under the tag. Few pages tell of many contacts where they are asked for by the
// tag, and not by their ids.
func (s *Side) eachTagged(ctx context.Context, ids []string, do func([]*person)) error {
	if s.tag.Kind == Classic && len(ids) > creatio.MaxListed && len(ids) <= maxByTag {
		people, err := s.underTag(ctx, ids)
		if err != nil {
			return err
		}
		do(people)
		ids = missing(ids, people)
	}
	return s.eachPerson(ctx, ids, nil, func(people []*person, _ []odata.Row) { do(people) })
}

// missing are the ids of those who were not read.
func missing(ids []string, people []*person) []string {
	read := map[string]bool{}
	for _, p := range people {
		read[p.id] = true
	}
	return slices.DeleteFunc(slices.Clone(ids), func(id string) bool { return read[id] })
}

// underTag reads contacts by their tag. No documentation says that Creatio takes the lambda that this needs. So a few are read
// by their ids as well, and where the site refuses the lambda, or the two ways tell of different rows, nobody counts as read.
func (s *Side) underTag(ctx context.Context, ids []string) ([]*person, error) {
	const links = "ContactInTagCollectionByEntity"
	tag := odata.Guid(s.tag.ID)
	sample := ids[:creatio.MaxListed]
	queries := append(contentQueries(odata.AnyEq(links, "Tag/Id", tag), odata.AnyEq("Contact/"+links, "Tag/Id", tag)), contactQueries(sample)...)
	answers, err := s.site.Attempt(ctx, queries)
	if err != nil {
		return nil, err
	}
	per := len(queries) / 2
	for i, a := range answers[per:] {
		if a.Err != nil {
			return nil, creatio.Required(a.Err)
		}
		if answers[i].Err != nil || !maps.Equal(rowsOf(answers[i], sample), rowsOf(a, sample)) {
			return nil, nil
		}
	}
	people, _ := peopleOf(answers[:per], per)
	people = slices.DeleteFunc(people, func(p *person) bool {
		_, member := slices.BinarySearch(ids, p.id)
		return !member
	})
	return people, s.readDays(ctx, people)
}

// rowsOf are the ids of the rows that an answer has of contacts.
func rowsOf(a creatio.Answer, contacts []string) map[string]bool {
	out := map[string]bool{}
	for _, r := range a.Rows {
		of := "Id"
		if r.Has("ContactId") {
			of = "ContactId"
		}
		if slices.Contains(contacts, strings.ToLower(r.Lookup(of))) {
			out[r.Text("Id")] = true
		}
	}
	return out
}
