package contacts

import (
	"slices"
	"strings"
	"sync"

	"github.com/tandem-sync/tandem/shared/contact"
	"github.com/tandem-sync/tandem/shared/creatio"
	"github.com/tandem-sync/tandem/shared/odata"
	"github.com/tandem-sync/tandem/shared/record"
)

// mailboxes are the contacts whose e-mail addresses have something written around them, as Sue Reed <sue@example.com>, by the address. No
// query finds them by it, so all of them are read, once in a run: they are few.
type mailboxes struct {
	mu    sync.Mutex
	asked bool
	// byAddress are the ids of contacts by the keys of their addresses.
	byAddress map[string][]string
}

// queries ask for all of them, if one of like has an address and nobody asked yet.
func (m *mailboxes) queries(like []record.Record) []odata.Query {
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.asked || len(addressesOf(like)) == 0 {
		return nil
	}
	m.asked, m.byAddress = true, map[string][]string{}
	around := []odata.Filter{odata.StartsWith("SearchNumber", odata.String("mailto:"))}
	for _, sign := range []string{" ", "<", "\uff20", ",", ";", `"`} {
		around = append(around, odata.Contains("Number", odata.String(sign)))
	}
	for _, sign := range []string{"'", "mailto:", "Mailto:", "MAILTO:"} {
		around = append(around, odata.StartsWith("Number", odata.String(sign)))
	}
	address := odata.Or(odata.Contains("Number", odata.String("@")), odata.Contains("Number", odata.String("\uff20")))
	return []odata.Query{{Set: "ContactCommunication", Select: []string{"Id", "ContactId", "Number"}, Filter: odata.And(address, odata.Or(around...))}}
}

// add takes the answers in. What may not be read is known to nobody.
func (m *mailboxes) add(answers []creatio.Answer) {
	m.mu.Lock()
	defer m.mu.Unlock()
	for _, a := range answers {
		for _, r := range a.Rows {
			key := contact.EmailKey(r.Text("Number"))
			m.byAddress[key] = append(m.byAddress[key], strings.ToLower(r.Lookup("ContactId")))
		}
	}
}

// owners are the contacts that have an address of one of like.
func (m *mailboxes) owners(like []record.Record) []string {
	m.mu.Lock()
	defer m.mu.Unlock()
	var ids []string
	for _, r := range like {
		for _, e := range slices.Concat(r.Fields[contact.Emails], r.Untracked[contact.Emails]) {
			ids = append(ids, m.byAddress[contact.EmailKey(e.Text)]...)
		}
	}
	return creatio.Unique(ids)
}
