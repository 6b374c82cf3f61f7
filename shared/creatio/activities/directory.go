package activities

import (
	"cmp"
	"slices"
	"strings"

	"github.com/tandem-sync/tandem/shared/creatio"
	"github.com/tandem-sync/tandem/shared/odata"
	"github.com/tandem-sync/tandem/shared/zone"
)

// directory are the users of the site and its time zones. Many sites keep these tables closed; then nobody but the user is
// known to be one.
type directory struct {
	users map[string]Colleague
	// closed says that users cannot be read.
	closed bool
	// zones are the codes of time zones, by id; zone is that of the site's default.
	zones map[string]string
	zone  string
}

// Colleague is a user of the site.
type Colleague struct {
	ContactID string
	// Email is that of the user's own row, which administrators write.
	Email string
	// TimeZone is the code of the user's zone; empty where they have the site's.
	TimeZone string
	Active   bool
	// Portal says that the user comes from outside of the company.
	Portal bool
}

// works reports whether somebody is a user to whose calendar activities go.
func (c Colleague) works() bool { return c.Active && !c.Portal }

// The values of SysAdminUnit that tell users from roles, and those of the company from those of its portal.
const (
	unitUser         = 4
	connectedInside  = 0
	defaultZoneCode  = "DefaultTimeZone"
	everybodyDefault = "IsDef"
)

// directoryQueries ask for users, the default zone and zones, in this order.
func directoryQueries() []odata.Query {
	return []odata.Query{
		{
			Set: "SysAdminUnit", Select: []string{"Id", "ContactId", "Email", "TimeZoneId", "Active", "ConnectionType"},
			Filter: odata.Eq("SysAdminUnitTypeValue", odata.Int(unitUser)),
		},
		{Set: "SysSettingsValue", Select: []string{"Id", "GuidValue", everybodyDefault}, Filter: odata.Eq("SysSettings/Code", odata.String(defaultZoneCode))},
		{Set: "TimeZone", Select: []string{"Id", "Code"}},
	}
}

func readDirectory(answers []creatio.Answer, me creatio.User) *directory {
	d := &directory{users: map[string]Colleague{}, closed: answers[0].Err != nil, zones: map[string]string{}}
	for _, r := range answers[0].Rows {
		c := Colleague{
			ContactID: r.Lookup("ContactId"), Email: strings.TrimSpace(r.Text("Email")), TimeZone: strings.TrimSpace(r.Text("TimeZoneId")),
			Active: r.Bool("Active"), Portal: r.Int("ConnectionType") != connectedInside,
		}
		// A contact may have had other users before.
		if before, twice := d.users[c.ContactID]; c.ContactID != "" && (!twice || !before.works()) {
			d.users[c.ContactID] = c
		}
	}
	if _, known := d.users[me.ContactID]; !known {
		d.users[me.ContactID] = Colleague{ContactID: me.ContactID, Email: me.Email, TimeZone: me.TimeZone, Active: true}
	}
	for _, r := range answers[2].Rows {
		d.zones[r.Lookup("Id")] = strings.TrimSpace(r.Text("Code"))
	}
	for _, r := range answers[1].Rows {
		if code := d.zones[r.Lookup("GuidValue")]; d.zone == "" || r.Bool(everybodyDefault) {
			d.zone = cmp.Or(code, d.zone)
		}
	}
	return d
}

// zoneOf is the zone of a user: their own, else the site's default. One that nobody knows is none.
func (d *directory) zoneOf(contact string) string {
	for _, code := range []string{d.users[contact].TimeZone, d.zone} {
		if _, known := zone.Load(code); known {
			return code
		}
	}
	return ""
}

// unknownZone is the code of the zone that counts for a user and that nobody knows: the user's own, else the site's default; empty
// where it is known, or where there is none.
func (d *directory) unknownZone(contact string) string {
	code := cmp.Or(d.users[contact].TimeZone, d.zone)
	if _, known := zone.Load(code); known {
		return ""
	}
	return code
}

func (s *Side) directory() *directory {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.people
}

func (s *Side) setDirectory(d *directory) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.people = d
}

// distinctAddresses are e-mail addresses, each once.
func distinctAddresses(list []string) []string {
	var out []string
	for _, a := range list {
		a = strings.TrimSpace(a)
		if a != "" && !slices.ContainsFunc(out, func(b string) bool { return strings.EqualFold(a, b) }) {
			out = append(out, a)
		}
	}
	return out
}
