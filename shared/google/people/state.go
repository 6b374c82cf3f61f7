package people

import (
	"encoding/json"

	"google.golang.org/api/people/v1"
)

// state is what is kept of a person to write it without reading it again: the version of its contact source, and the
// entries of every field that is written as a whole, those included that Tandem does not carry.
type state struct {
	Etag string `json:"etag,omitempty"`
	// Merged is the version of the person as a whole, kept only where the source has none of its own: it moves with
	// the profile too.
	Merged string `json:"merged,omitempty"`
	Source string `json:"source,omitempty"`
	// Photo is the address of the contact's photo.
	Photo  string         `json:"photo,omitempty"`
	Person *people.Person `json:"person"`
}

// version is what moves with every change of the contact.
func (n state) version() string { return n.Etag + n.Merged }

// StableID is the id of the person's contact source. The resource name changes with what ties a contact to a profile, and
// a merged contact goes by the names of both (https://developers.google.com/people/api/rest/v1/people#PersonMetadata).
func (s *Side) StableID(raw json.RawMessage) string {
	n, err := readState(raw)
	if err != nil {
		return ""
	}
	return n.Source
}

func readState(raw json.RawMessage) (state, error) {
	n := state{}
	if len(raw) > 0 {
		if err := json.Unmarshal(raw, &n); err != nil {
			return state{}, err
		}
	}
	if n.Person == nil {
		n.Person = &people.Person{}
	}
	return n, nil
}

func (n state) encode() json.RawMessage {
	// What came as JSON goes back as JSON.
	raw, _ := json.Marshal(n)
	return raw
}

// withoutDerived copies what a later write needs: without what the service makes itself, and without the fields of one value, of
// which nothing has to be kept to replace them.
func withoutDerived(p *people.Person) *people.Person {
	out := &people.Person{}
	for _, e := range p.Names {
		out.Names = append(out.Names, &people.Name{
			GivenName: e.GivenName, MiddleName: e.MiddleName, FamilyName: e.FamilyName,
			HonorificPrefix: e.HonorificPrefix, HonorificSuffix: e.HonorificSuffix, UnstructuredName: e.UnstructuredName,
			PhoneticGivenName: e.PhoneticGivenName, PhoneticMiddleName: e.PhoneticMiddleName, PhoneticFamilyName: e.PhoneticFamilyName,
			PhoneticFullName:        e.PhoneticFullName,
			PhoneticHonorificPrefix: e.PhoneticHonorificPrefix, PhoneticHonorificSuffix: e.PhoneticHonorificSuffix,
		})
	}
	for _, e := range p.Nicknames {
		out.Nicknames = append(out.Nicknames, &people.Nickname{Value: e.Value, Type: e.Type, Metadata: rank(e.Metadata)})
	}
	for _, e := range p.Organizations {
		o := *e
		o.FormattedType, o.Metadata = "", rank(e.Metadata)
		out.Organizations = append(out.Organizations, &o)
	}
	for _, e := range p.ImClients {
		i := *e
		i.FormattedType, i.FormattedProtocol, i.Metadata = "", "", rank(e.Metadata)
		out.ImClients = append(out.ImClients, &i)
	}
	for _, e := range p.EmailAddresses {
		m := *e
		m.FormattedType, m.Metadata = "", rank(e.Metadata)
		out.EmailAddresses = append(out.EmailAddresses, &m)
	}
	for _, e := range p.PhoneNumbers {
		n := *e
		n.FormattedType, n.CanonicalForm, n.Metadata = "", "", rank(e.Metadata)
		out.PhoneNumbers = append(out.PhoneNumbers, &n)
	}
	for _, e := range p.Addresses {
		a := *e
		a.FormattedType, a.Metadata = "", rank(e.Metadata)
		if structured(e) {
			// Google makes it from the parts.
			a.FormattedValue = ""
		}
		out.Addresses = append(out.Addresses, &a)
	}
	for _, e := range p.Urls {
		u := *e
		u.FormattedType, u.Metadata = "", rank(e.Metadata)
		out.Urls = append(out.Urls, &u)
	}
	return out
}

// rank keeps of an entry's metadata only that it is shown first, the one part of them that a client may write.
func rank(m *people.FieldMetadata) *people.FieldMetadata {
	if !foremost(m) {
		return nil
	}
	return &people.FieldMetadata{SourcePrimary: true}
}
