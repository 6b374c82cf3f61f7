package people

import (
	"encoding/json"
	"strings"

	"google.golang.org/api/people/v1"

	"github.com/tandem-sync/tandem/shared/contact"
	"github.com/tandem-sync/tandem/shared/record"
)

// The limits of a contact in Google, as far as they are known: 1,024 characters in a field but the notes, 500 fields and 128 kB in a contact.
// A value that is longer is cut, and what has no room is left out, since Google would refuse the whole contact.
const (
	maxText    = 1024
	maxEntries = 500
	maxBytes   = 128 << 10
	maxNotes   = 100_000 // bytes
)

// What is left for all that Tandem does not read of a contact: relations, fields of the user's own, what other programs keep with it.
const (
	otherEntries = 50
	otherBytes   = 16 << 10
)

// room is what is left of a contact's limits.
type room struct{ entries, bytes int }

// roomIn is the room for the values of the sets that change, and for the notes where they do: beside everything else that the contact has.
func roomIn(have *people.Person, op record.Operation, changed map[string]bool) room {
	rest := *have
	if changed[contact.Emails] {
		rest.EmailAddresses = emailList(have).kept()
	}
	if changed[contact.Phones] {
		rest.PhoneNumbers = phoneList(have).kept()
	}
	if changed[contact.Addresses] {
		rest.Addresses = addressList(have).kept()
	}
	if changed[contact.Websites] {
		rest.Urls = websiteList(have).kept()
	}
	r := room{
		entries: maxEntries - otherEntries - len(rest.EmailAddresses) - len(rest.PhoneNumbers) - len(rest.Addresses) - len(rest.Urls) -
			len(rest.Organizations) - len(rest.ImClients),
		bytes: maxBytes - otherBytes - size(rest),
	}
	for _, f := range contact.Schema {
		if !f.Set && (f.Name != contact.Notes || !changed[f.Name]) {
			r.bytes -= size(op.After.Text(f.Name))
		}
	}
	return r
}

// kept are the items that a change of the set may leave as they are.
func (l list[T]) kept() []*T {
	chosen, keys := l.visible()
	var out []*T
	for i, item := range l.items {
		if keys[i] == "" || chosen[keys[i]] != i {
			out = append(out, item)
		}
	}
	return out
}

// take takes the room for an entry, if there is some.
func (r *room) take(e record.Entry) bool {
	// Its name, its label and the names of its parts come along.
	const around, part = 80, 20
	need := around + part*len(e.Parts) + size(e)
	if r.entries < 1 || r.bytes < need {
		return false
	}
	r.entries, r.bytes = r.entries-1, r.bytes-need
	return true
}

// size is how many bytes a value takes.
func size(v any) int {
	var b strings.Builder
	e := json.NewEncoder(&b)
	e.SetEscapeHTML(false)
	// Texts, and what came as JSON, always encode.
	_ = e.Encode(v)
	return b.Len()
}

// cutNotes shortens notes to the room that is left.
func (r *room) cutNotes(text string) string {
	if len(text) > maxNotes {
		text = record.CutBytes(text, maxNotes)
	}
	for beyond := size(text) - max(r.bytes, 0); beyond > 0 && text != ""; beyond = size(text) - max(r.bytes, 0) {
		text = record.CutBytes(text, max(len(text)-beyond, 0))
	}
	return text
}
