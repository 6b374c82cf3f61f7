// Package sample is invented content for the simulated services: people worth looking at, for whoever tries Tandem
// locally and for tests that want more than two contacts.
//
// Most of it says the same twice, on both sides and in different spellings, as the address books of real people do; Same
// tells which contacts are one person. Every e-mail address is under example.com, example.net or example.org (RFC 2606)
// and every telephone number is from a range that is reserved for fiction, so nobody is ever written to or called.
//
// The package is pure data: each call gives the same content with the same ids, in fresh values that may be changed.
package sample

import (
	"crypto/sha256"
	"fmt"
	"strings"

	"google.golang.org/api/people/v1"
)

// The user whose contacts are kept in step.
const (
	UserID        = "5a3b6f1e-7d0c-4c52-9a1e-3f0f8f7d1a01"
	UserContactID = "5a3b6f1e-7d0c-4c52-9a1e-3f0f8f7d1a02"
	UserName      = "Sophia Marlow"
	UserLogin     = "Sophia"
	UserPassword  = "sandbox-Sophia-1"
	UserEmail     = "sophia.marlow@example.com"
	UserTimeZone  = "Europe/London"
)

// A colleague with contacts and a private tag of their own.
const (
	ColleagueID        = "5a3b6f1e-7d0c-4c52-9a1e-3f0f8f7d1b01"
	ColleagueContactID = "5a3b6f1e-7d0c-4c52-9a1e-3f0f8f7d1b02"
	ColleagueName      = "Marek Toft"
	ColleagueLogin     = "Marek"
	ColleaguePassword  = "sandbox-Marek-1"
	ColleagueEmail     = "marek.toft@example.com"
	ColleagueTimeZone  = "Europe/Warsaw"
)

// The tags. PrivateTag is the one to choose in the settings.
const (
	PrivateTagID     = "5a3b6f1e-7d0c-4c52-9a1e-3f0f8f7d1c01"
	PrivateTagName   = "On my phone"
	FreedomTagID     = "5a3b6f1e-7d0c-4c52-9a1e-3f0f8f7d1c02"
	FreedomTagName   = "On my phone (Freedom UI)"
	CorporateTagID   = "5a3b6f1e-7d0c-4c52-9a1e-3f0f8f7d1c03"
	CorporateTagName = "Key accounts"
	PublicTagID      = "5a3b6f1e-7d0c-4c52-9a1e-3f0f8f7d1c04"
	PublicTagName    = "Newsletter"
	ColleagueTagID   = "5a3b6f1e-7d0c-4c52-9a1e-3f0f8f7d1c05"
	ColleagueTagName = "Marek's people"
)

// Row is one row of the simulated Creatio.
type Row struct {
	// Entity is the entity set, as "Contact".
	Entity string
	// Values are the columns by their OData names. Dates are strings as OData writes them.
	Values map[string]any
	// By is the login of the user who makes the row; empty for the system itself.
	By string
}

// Creatio is the content of the site, in an order in which the rows can be inserted: what a row points to comes first,
// or is one of the lookup rows with which every Creatio is delivered.
func Creatio() []Row {
	b := builder{}
	b.lookups()
	b.users()
	b.tags()
	for _, p := range everybody() {
		if p.inCreatio() {
			b.contact(p)
		}
	}
	return b.rows
}

// Google is the content of the address book. Resource names are as Google gives them; a contact's groups are named by
// GroupResourceName.
func Google() []*people.Person {
	var out []*people.Person
	for _, p := range everybody() {
		if p.inGoogle() {
			out = append(out, p.google())
		}
	}
	return out
}

// Groups are the names of the user's own groups in Google. The group that Tandem uses is not among them.
func Groups() []string {
	return []string{"Customers", "Family", "Sailing club", "Conference 2025 🎤"}
}

// GroupResourceName is the resource name by which contacts of the sample refer to a group of Groups.
func GroupResourceName(name string) string {
	for i, g := range Groups() {
		if g == name {
			return fmt.Sprintf("contactGroups/5a3b6f1e%04d", i+1)
		}
	}
	return ""
}

// Same tells who is who: the id of each contact in Creatio that is in Google as well, with its resource name there.
func Same() map[string]string {
	out := map[string]string{}
	for _, p := range everybody() {
		if p.inCreatio() && p.inGoogle() {
			out[p.id()] = p.resourceName()
		}
	}
	return out
}

// derive makes an id out of what it stands for, in the form of a UUID of version 8 (RFC 9562, 5.8).
func derive(parts ...string) string {
	sum := sha256.Sum256([]byte(strings.Join(parts, "\x00")))
	sum[6] = sum[6]&0x0f | 0x80
	sum[8] = sum[8]&0x3f | 0x80
	return fmt.Sprintf("%x-%x-%x-%x-%x", sum[0:4], sum[4:6], sum[6:8], sum[8:10], sum[10:16])
}
