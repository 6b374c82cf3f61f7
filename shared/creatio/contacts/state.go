package contacts

import (
	"cmp"
	"encoding/json"
	"slices"
	"strings"

	"github.com/tandem-sync/tandem/shared/contact"
	"github.com/tandem-sync/tandem/shared/record"
)

// state is what is kept of a contact to write it without reading it again: the ids of its rows with what they
// said, and what a column holds where that is not what the contact shows.
type state struct {
	// Communications are the e-mail, phone, Skype and web rows, the ones that show first.
	Communications []row `json:"comm,omitempty"`
	Addresses      []row `json:"addr,omitempty"`
	// Birthdays are the ids of the birthday's rows; one, as a rule.
	Birthdays []string `json:"annivs,omitempty"`
	// Job is the name of the linked job, which shows where there is no title.
	Job string `json:"job,omitempty"`
	// HTML says that the notes are HTML.
	HTML bool `json:"html,omitempty"`
	// Skype says that the Skype column is filled.
	Skype bool `json:"skype,omitempty"`
	// Whole says that the name was never split: the parts are empty and the given name shows all of it.
	Whole bool `json:"whole,omitempty"`
	// Hidden are the fields of which the contact has a value that the user may not read.
	Hidden []string `json:"hidden,omitempty"`
	// Stand is the name that does not show: the one of a contact of whom nothing is known, or, as versions before kept it, one that
	// stands in for a missing name. What Tandem writes in the place of a missing name now shows, and the link tells that it stands in.
	Stand string `json:"stand,omitempty"`
}

// row is one row of a detail.
type row struct {
	ID      string            `json:"id"`
	Kind    string            `json:"k,omitempty"`
	Text    string            `json:"n,omitempty"`
	Parts   map[string]string `json:"a,omitempty"`
	Primary bool              `json:"p,omitempty"`
	// Hidden are the parts of an address that the user may not read.
	Hidden []string `json:"h,omitempty"`
}

// field is the name of the field in which the row shows.
func (r row) field() string {
	if len(r.Parts) > 0 {
		return contact.Addresses
	}
	return fieldOf(r.Kind)
}

// entry is the row as the contact's field shows it.
func (r row) entry() record.Entry {
	e := record.Entry{Kind: r.Kind, Text: r.Text, Parts: r.Parts}
	if fieldOf(r.Kind) != contact.Phones && len(r.Parts) == 0 {
		e.Kind = ""
	}
	return e
}

// HasRow reports whether a contact has a row of that id.
func (c *Side) HasRow(adapterState json.RawMessage, id string) bool {
	n, err := readState(adapterState)
	is := func(r row) bool { return strings.EqualFold(r.ID, id) }
	return err == nil && (slices.ContainsFunc(n.Communications, is) || slices.ContainsFunc(n.Addresses, is) || slices.Contains(n.Birthdays, strings.ToLower(id)))
}

// Remember has a name not show that versions before hid because it stands in for a missing one, for as long as nobody changes it.
func (c *Side) Remember(known, read record.Record) record.Record {
	was, err := readState(known.AdapterState)
	is, err2 := readState(read.AdapterState)
	name := read.Fields.Text(contact.GivenName) + read.Fields.Text(contact.Surname)
	if err != nil || err2 != nil || was.Stand == "" || name != was.Stand || read.Fields.Text(contact.MiddleName) != "" || read.Gone {
		return read
	}
	read.Fields = read.Fields.Clone()
	delete(read.Fields, contact.GivenName)
	delete(read.Fields, contact.Surname)
	is.Stand = was.Stand
	read.AdapterState = is.encode()
	return read
}

func readState(raw json.RawMessage) (state, error) {
	var n state
	if len(raw) == 0 {
		return n, nil
	}
	err := json.Unmarshal(raw, &n)
	return n, err
}

// sorted is the state with its rows in the order in which they show, however they were found.
func (n state) sorted() state {
	n.Communications, n.Addresses = inOrder(n.Communications), inOrder(n.Addresses)
	return n
}

// inOrder are rows in the order in which they show: values first of which a row is the first one of its type. Of several rows of one value
// always the same shows, the one of the shortest spelling, whichever of them the site makes the first one: each version has its own way
// with that.
func inOrder(rows []row) []row {
	type value struct {
		first   string // the least id of its rows
		primary bool
	}
	values, of := map[string]*value{}, make(map[string]*value, len(rows))
	for _, r := range rows {
		f, _ := contact.Schema.Field(r.field())
		key := r.field() + "\x00" + f.Key(r.entry())
		if values[key] == nil {
			values[key] = &value{first: r.ID}
		}
		v := values[key]
		v.first, v.primary, of[r.ID] = min(v.first, r.ID), v.primary || r.Primary, v
	}
	return slices.SortedStableFunc(slices.Values(rows), func(a, b row) int {
		return cmp.Or(
			first(of[a.ID].primary, of[b.ID].primary), cmp.Compare(of[a.ID].first, of[b.ID].first),
			cmp.Compare(len(a.Text), len(b.Text)), cmp.Compare(b.Text, a.Text), cmp.Compare(a.Kind, b.Kind), cmp.Compare(a.ID, b.ID),
		)
	})
}

func (n state) encode() json.RawMessage {
	// Strings, maps of strings and flags always encode.
	raw, _ := json.Marshal(n)
	return raw
}

// rowsOf are the rows of a field.
func (n state) rowsOf(field string) []row {
	if field == contact.Addresses {
		return n.Addresses
	}
	var out []row
	for _, r := range n.Communications {
		if fieldOf(r.Kind) == field {
			out = append(out, r)
		}
	}
	return out
}

// setRows replaces the rows of a field.
func (n *state) setRows(field string, rows []row) {
	if field == contact.Addresses {
		n.Addresses = rows
		return
	}
	var kept []row
	for _, r := range n.Communications {
		if fieldOf(r.Kind) != field {
			kept = append(kept, r)
		}
	}
	n.Communications = append(kept, rows...)
}

// fieldOf is the field in which a communication of a kind shows.
func fieldOf(kind string) string {
	switch kind {
	case kindEmail:
		return contact.Emails
	case kindSkype:
		return contact.Skype
	case kindWeb:
		return contact.Websites
	default:
		return contact.Phones
	}
}
