// Package contact says what a contact is while Tandem carries it from one side to the other: its fields, when two values
// of a field are the same to a person, what a person calls it, and by what two contacts are found to be one.
//
// The package is pure: no I/O, no clock, no logger.
package contact

import (
	"strings"

	"github.com/tandem-sync/tandem/shared/record"
)

// The fields of a contact.
const (
	Surname    = "surname"
	GivenName  = "givenName"
	MiddleName = "middleName"
	Salutation = "salutation"
	JobTitle   = "jobTitle"
	Department = "department"
	Company    = "company"
	Birthday   = "birthday"
	Notes      = "notes"
	Skype      = "skype"
	Emails     = "emails"
	Phones     = "phones"
	Addresses  = "addresses"
	Websites   = "websites"
)

// The kinds of phones and addresses that both sides know.
const (
	KindWork      = "work"
	KindHome      = "home"
	KindMobile    = "mobile"
	KindOther     = "other"
	KindExtension = "extension"
	KindShipping  = "shipping"
	KindLegal     = "legal"
	KindActual    = "actual"
)

// The parts of an address.
const (
	Street  = "street"
	City    = "city"
	Region  = "region"
	Zip     = "zip"
	Country = "country"
)

// Schema is what Tandem carries of a contact.
var Schema = record.Schema{
	{Name: GivenName, Label: "First name", Of: "name", Ahead: Salutation, Scripts: inTwoScripts, Key: textKey},
	{Name: MiddleName, Label: "Middle name", Of: "name", Key: textKey},
	{Name: Surname, Label: "Last name", Of: "name", Behind: Suffix, Key: textKey},
	{Name: Salutation, Label: "Title", Key: textKey},
	{Name: JobTitle, Label: "Job title", Key: textKey},
	{Name: Department, Label: "Department", Key: textKey},
	{Name: Company, Label: "Company", Key: textKey},
	{Name: Birthday, Label: "Birthday", Key: textKey, Loose: func(e record.Entry) bool { _, ok := ParseBirthday(e.Text); return !ok }},
	{Name: Skype, Label: "Skype", Key: textKey},
	{Name: Emails, Label: "E-mail", Set: true, Key: func(e record.Entry) string { return EmailKey(e.Text) }},
	{Name: Phones, Label: "Phone", Set: true, Key: func(e record.Entry) string { return PhoneKey(e.Text) }, Alike: samePhone, Located: samePhoneThere, Near: lastDigits},
	{Name: Addresses, Label: "Address", Set: true, Parts: []string{Street, Zip, City, Region, Country}, Key: addressKey, Edited: editedAddress},
	{Name: Websites, Label: "Website", Set: true, Key: func(e record.Entry) string { return WebKey(e.Text) }},
	{Name: Notes, Label: "Notes", Lines: true, Key: textKey},
}

func textKey(e record.Entry) string { return e.Text }

// Title is what a person calls the contact.
func Title(f record.Fields) string {
	var parts []string
	for _, name := range []string{GivenName, MiddleName, Surname} {
		if t := strings.TrimSpace(f.Text(name)); t != "" {
			parts = append(parts, t)
		}
	}
	if len(parts) > 0 {
		return strings.Join(parts, " ")
	}
	for _, name := range []string{Company, Emails, Phones} {
		if t := strings.TrimSpace(f.Text(name)); t != "" {
			return t
		}
	}
	return "(no name)"
}
