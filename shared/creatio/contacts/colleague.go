package contacts

import (
	"slices"
	"sync"

	"github.com/tandem-sync/tandem/shared/contact"
	"github.com/tandem-sync/tandem/shared/creatio"
	"github.com/tandem-sync/tandem/shared/match"
	"github.com/tandem-sync/tandem/shared/odata"
	"github.com/tandem-sync/tandem/shared/record"
)

// colleagues are the contacts of companies by their names, each company read once in a run: a name may be spelled in a way that no query
// finds, so that whoever works where one of like does is compared here.
type colleagues struct {
	mu    sync.Mutex
	asked map[string]bool
	// byName are the ids of contacts by the spellings of their names.
	byName map[string][]string
}

// queries ask for the names of everybody who works where one of like does and nobody was asked for yet.
func (c *colleagues) queries(like []record.Record) []odata.Query {
	c.mu.Lock()
	defer c.mu.Unlock()
	var companies []string
	for _, r := range like {
		if name := r.Fields.Text(contact.Company); name != "" && len(nameKeysOf(r.Fields)) > 0 {
			companies = append(companies, creatio.Spellings(name)...)
		}
	}
	companies = slices.DeleteFunc(creatio.Unique(companies), func(name string) bool { return c.asked[name] })
	if c.asked == nil {
		c.asked, c.byName = map[string]bool{}, map[string][]string{}
	}
	var out []odata.Query
	for chunk := range slices.Chunk(companies, creatio.MaxListed) {
		out = append(out, odata.Query{
			Set: "Contact", Select: []string{"Id", "Name", "Surname", "GivenName", "MiddleName"}, Filter: odata.In("Account/Name", creatio.Texts(chunk)),
		})
		for _, name := range chunk {
			c.asked[name] = true
		}
	}
	return out
}

// add takes the answers in. Where accounts may not be read, nobody is known by one.
func (c *colleagues) add(answers []creatio.Answer) {
	c.mu.Lock()
	defer c.mu.Unlock()
	for _, a := range answers {
		for _, r := range a.Rows {
			p, f := contactOf(r), record.Fields{}
			p.readName(f, &state{})
			for _, k := range nameKeysOf(f) {
				c.byName[k] = append(c.byName[k], p.id)
			}
		}
	}
}

// namesakes are those who have the name of one of like, in whatever spelling.
func (c *colleagues) namesakes(like []record.Record) []string {
	c.mu.Lock()
	defer c.mu.Unlock()
	var ids []string
	for _, r := range like {
		if r.Fields.Text(contact.Company) == "" {
			continue
		}
		for _, k := range nameKeysOf(r.Fields) {
			ids = append(ids, c.byName[k]...)
		}
	}
	return creatio.Unique(ids)
}

// nameKeysOf are the spellings of a name, however else somebody can be reached.
func nameKeysOf(f record.Fields) []string {
	name := record.Fields{}
	for _, part := range []string{contact.GivenName, contact.MiddleName, contact.Surname} {
		name.SetText(part, f.Text(part))
	}
	return contact.CandidateKeys(match.Item{Fields: name})
}
