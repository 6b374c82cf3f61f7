package people

import (
	"cmp"
	"maps"
	"slices"
	"strings"

	"google.golang.org/api/people/v1"

	"github.com/tandem-sync/tandem/shared/contact"
	"github.com/tandem-sync/tandem/shared/record"
)

// list is one repeated field of a person beside the set that it is to Tandem.
type list[T any] struct {
	field record.Field
	items []*T
	// entry is an item as the set shows it; false where Tandem cannot represent it.
	entry func(*T) (record.Entry, bool)
	// rank is the item's metadata, which tell whether it is shown first.
	rank func(*T) *people.FieldMetadata
	// write makes an item hold an entry; old is nil for a new one.
	write func(old *T, as record.Entry) *T
}

func field(name string) record.Field {
	f, _ := contact.Schema.Field(name)
	return f
}

func emailList(p *people.Person) list[people.EmailAddress] {
	return list[people.EmailAddress]{
		field: field(contact.Emails), items: p.EmailAddresses,
		entry: func(e *people.EmailAddress) (record.Entry, bool) {
			return record.Entry{Text: strings.TrimSpace(e.Value)}, strings.TrimSpace(e.Value) != ""
		},
		rank: func(e *people.EmailAddress) *people.FieldMetadata { return e.Metadata },
		write: func(old *people.EmailAddress, as record.Entry) *people.EmailAddress {
			if old == nil {
				return &people.EmailAddress{Type: emailType, Value: as.Text}
			}
			e := *old
			if contact.EmailKey(e.Value) != contact.EmailKey(as.Text) {
				// The name that was shown with the old address is not the new one's.
				e.DisplayName = ""
			}
			e.Value = as.Text
			return &e
		},
	}
}

func phoneList(p *people.Person) list[people.PhoneNumber] {
	return list[people.PhoneNumber]{
		field: field(contact.Phones), items: p.PhoneNumbers,
		entry: func(e *people.PhoneNumber) (record.Entry, bool) {
			kind, known := kindOf(phoneKinds, e.Type)
			return record.Entry{Kind: kind, Text: strings.TrimSpace(e.Value)}, known && strings.TrimSpace(e.Value) != ""
		},
		rank: func(e *people.PhoneNumber) *people.FieldMetadata { return e.Metadata },
		write: func(old *people.PhoneNumber, as record.Entry) *people.PhoneNumber {
			e := people.PhoneNumber{}
			if old != nil {
				e = *old
			}
			if old == nil {
				e.Type = phoneTypes[as.Kind]
			} else {
				e.Type = label(phoneKinds, phoneTypes, e.Type, as.Kind)
			}
			e.Value = as.Text
			return &e
		},
	}
}

func addressList(p *people.Person) list[people.Address] {
	return list[people.Address]{
		field: field(contact.Addresses), items: p.Addresses,
		entry: func(e *people.Address) (record.Entry, bool) {
			kind, known := kindOf(addressKinds, e.Type)
			parts := partsOf(e)
			return record.Entry{Kind: kind, Parts: parts}, known && len(parts) > 0
		},
		rank: func(e *people.Address) *people.FieldMetadata { return e.Metadata },
		write: func(old *people.Address, as record.Entry) *people.Address {
			e := &people.Address{Type: addressTypes[as.Kind]}
			if old != nil {
				e.Type, e.Metadata = label(addressKinds, addressTypes, old.Type, as.Kind), old.Metadata
			}
			e.StreetAddress = as.Parts[contact.Street]
			if old != nil {
				keepLines(e, old)
			}
			e.City, e.Region = as.Parts[contact.City], as.Parts[contact.Region]
			e.PostalCode, e.Country = as.Parts[contact.Zip], as.Parts[contact.Country]
			if old != nil && strings.EqualFold(countryOf(old), e.Country) {
				e.Country, e.CountryCode = old.Country, old.CountryCode
			}
			return e
		},
	}
}

func websiteList(p *people.Person) list[people.Url] {
	return list[people.Url]{
		field: field(contact.Websites), items: p.Urls,
		entry: func(u *people.Url) (record.Entry, bool) {
			return record.Entry{Text: strings.TrimSpace(u.Value)}, strings.TrimSpace(u.Value) != ""
		},
		rank: func(u *people.Url) *people.FieldMetadata { return u.Metadata },
		write: func(old *people.Url, as record.Entry) *people.Url {
			u := people.Url{Type: websiteType}
			if old != nil {
				u = *old
			}
			u.Value = as.Text
			return &u
		},
	}
}

// structured reports whether an address has parts, and is not only a text.
func structured(a *people.Address) bool {
	parts := strings.TrimSpace(a.StreetAddress + a.ExtendedAddress + a.PoBox + a.City + a.Region + a.PostalCode + a.Country)
	return parts != "" || strings.TrimSpace(a.FormattedValue) == "" && a.CountryCode != ""
}

// keepLines leaves the second line of an address and its box where they are, as long as the street ends with them.
func keepLines(e, old *people.Address) {
	lines := joined(old.ExtendedAddress, old.PoBox)
	if lines == "" {
		return
	}
	street, ends := strings.CutSuffix(", "+e.StreetAddress, ", "+lines)
	if !ends {
		return
	}
	e.StreetAddress = strings.TrimPrefix(street, ", ")
	e.ExtendedAddress, e.PoBox = old.ExtendedAddress, old.PoBox
}

// joined are texts as one line.
func joined(texts ...string) string {
	var out []string
	for _, s := range texts {
		if s = strings.TrimSpace(s); s != "" {
			out = append(out, s)
		}
	}
	return strings.Join(out, ", ")
}

// partsOf are an address's parts. Its second line and its box are part of the street: Creatio has one text for all
// three. A text that was never split is a street too.
func partsOf(a *people.Address) map[string]string {
	parts := map[string]string{
		contact.Street: joined(a.StreetAddress, a.ExtendedAddress, a.PoBox), contact.City: a.City, contact.Region: a.Region, contact.Zip: a.PostalCode, contact.Country: countryOf(a),
	}
	if !structured(a) {
		parts = map[string]string{contact.Street: a.FormattedValue}
	}
	for k, v := range parts {
		if parts[k] = strings.TrimSpace(v); parts[k] == "" {
			delete(parts, k)
		}
	}
	return parts
}

// countryOf is the country of an address, of which there may be only the code.
func countryOf(a *people.Address) string {
	return cmp.Or(strings.TrimSpace(a.Country), contact.CountryName(a.CountryCode))
}

// visible tells for each item whether it shows. Of those that say the same only one does: the one that is shown first,
// else the same one whatever their order, which Google does not promise.
func (l list[T]) visible() (chosen map[string]int, keys []string) {
	chosen, keys = map[string]int{}, make([]string, len(l.items))
	for i, key := range l.field.Keys(l.represented()) {
		item := l.items[i]
		e, ok := l.entry(item)
		if !ok {
			continue
		}
		if keys[i] = "=" + key; l.field.Key(e) != key {
			continue
		}
		j, taken := chosen[keys[i]]
		if !taken {
			chosen[keys[i]] = i
			continue
		}
		other, _ := l.entry(l.items[j])
		if cmp.Or(first(foremost(l.rank(item)), foremost(l.rank(l.items[j]))), strings.Compare(l.field.Exact(e), l.field.Exact(other))) < 0 {
			chosen[keys[i]] = i
		}
	}
	return chosen, keys
}

// represented are the items as the set shows them, those empty that Tandem cannot represent.
func (l list[T]) represented() []record.Entry {
	out := make([]record.Entry, len(l.items))
	for i, item := range l.items {
		if e, ok := l.entry(item); ok {
			out[i] = e
		}
	}
	return out
}

// entries are the items that show.
func (l list[T]) entries() []record.Entry {
	chosen, keys := l.visible()
	var out []record.Entry
	for i, item := range l.items {
		if keys[i] != "" && chosen[keys[i]] == i {
			e, _ := l.entry(item)
			out = append(out, e)
		}
	}
	return out
}

// untracked are the values of items that Tandem cannot represent, and of those that repeat one under another label.
func (l list[T]) untracked() []record.Entry {
	chosen, keys := l.visible()
	var out []record.Entry
	for i, item := range l.items {
		if e, ok := l.entry(item); !l.field.Empty(e) && (!ok || chosen[keys[i]] != i) {
			out = append(out, e)
		}
	}
	return out
}

// wanted is one value as it was asked for, and as Google can hold it.
type wanted struct{ canonical, displayed record.Entry }

// rewrite is the whole field as it is to be written: what Tandem does not carry as it was, and of the rest what is
// wanted. An item that already holds a wanted value stays as it is; else one of the same value takes it over, else
// one of the same kind that is no longer wanted, which so keeps its label. Items that repeat one stay as long as its value does.
func (l list[T]) rewrite(want []wanted) []*T {
	chosen, keys := l.visible()
	free := slices.Sorted(maps.Values(chosen))
	entries := make([]record.Entry, len(free))
	for n, i := range free {
		entries[n], _ = l.entry(l.items[i])
	}
	pool := record.NewPool(len(free))
	unchanged, respelled, changed := map[string]bool{}, map[string]record.Entry{}, map[int]record.Entry{}
	assign := func(rest []wanted, like func(record.Entry) string, to func(i int, as record.Entry)) []wanted {
		take := pool.By(func(n int) string { return like(entries[n]) })
		return slices.DeleteFunc(rest, func(w wanted) bool {
			n, ok := take(like(w.displayed))
			if ok {
				to(free[n], w.displayed)
			}
			return ok
		})
	}
	change := func(i int, as record.Entry) { changed[i] = as }
	rest := assign(slices.Clone(want), l.field.Exact, func(i int, _ record.Entry) { unchanged[keys[i]] = true })
	rest = assign(rest, l.field.Key, func(i int, as record.Entry) { respelled[keys[i]], changed[i] = as, as })
	rest = assign(rest, func(e record.Entry) string {
		if street := e.Parts[contact.Street]; street != "" {
			return e.Kind + "\x00" + street
		}
		return ""
	}, change)
	rest = assign(rest, func(e record.Entry) string { return "kind " + e.Kind }, change)

	var out []*T
	for i, item := range l.items {
		as, moves := changed[i]
		value, stays := respelled[keys[i]]
		switch {
		case moves:
			out = append(out, l.write(item, as))
		case keys[i] == "", unchanged[keys[i]], stays && !l.shows(item, value):
			out = append(out, item)
		}
	}
	for _, w := range rest {
		out = append(out, l.write(nil, w.displayed))
	}
	return out
}

// shows reports whether an item shows an entry as it is.
func (l list[T]) shows(item *T, as record.Entry) bool {
	e, _ := l.entry(item)
	return l.field.Same(e, as)
}
