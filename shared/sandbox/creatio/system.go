package creatio

import "strings"

const (
	unitUser         = 4
	unitOrganization = 0
	// The values of ConnectionType: users of the company, and those of its portal.
	connectedInside   = 0
	connectedByPortal = 1

	cultureList = "SysCulture"

	// allEmployees is the role that everybody in the company has (package Base: BaseConsts).
	allEmployees = "a29a3ba5-4b0d-de11-9a51-005056c00008"
	// supervisorUnit is the user that every site begins with.
	supervisorUnit = "7f3b869f-34f3-4f20-ab4d-7480a5fdf647"
	// defaultZoneID is the system setting DefaultTimeZone. Its value is the id of a time zone (package NUI: ContactTimezone).
	defaultZoneID = "6f9f1f5c-8d1b-4b5c-9a70-3c3f3a1d5e10"
)

// systemTable is the data model of users, settings and lists of the whole site.
func systemTable() []entity {
	return []entity{
		// TimeZoneId is a text, and the code of a time zone.
		{name: "SysAdminUnit", closed: true, columns: []column{
			textual("Name", mediumText).must(), link("Contact", "Contact"), textual("TimeZoneId", mediumText), of(flag, "Active"),
			of(number, "ConnectionType"), of(number, "SysAdminUnitTypeValue"), link("SysCulture", cultureList), textual("Email", mediumText),
		}},
		{name: "SysSettings", closed: true, columns: []column{
			textual("Name", mediumText).must(), textual("Code", mediumText).must(), textual("Description", unlimited), textual("ValueTypeName", mediumText),
			of(flag, "IsPersonal"), of(flag, "IsCacheable"), of(flag, "IsSSPAvailable"), of(guid, "ReferenceSchemaUId"),
		}},
		{name: "SysSettingsValue", closed: true, columns: []column{
			link("SysSettings", "SysSettings").must().on(cascade), link("SysAdminUnit", "SysAdminUnit"), of(flag, "IsDef"), textual("TextValue", unlimited),
			of(number, "IntegerValue"), of(flag, "BooleanValue"), of(instant, "DateTimeValue"), of(guid, "GuidValue"), of(number, "Position"),
		}},
		{name: "TimeZone", list: true, columns: []column{
			textual("Name", mediumText).must(), textual("Code", mediumText), textual("Description", mediumText), textual("Offset", shortText),
			textual("CodeAmerican", shortText),
		}},
		{name: cultureList, list: true, columns: texts(mediumText, "Name")},
		simpleList("SysLanguage"),
	}
}

// zones are time zones of the site's list: id, code, offset, the short name that Americans use, and the rest of the name. A
// code is one of Windows, which is also what a user's own row has.
var zones = [][5]string{
	{"c0a7ca59-0001-4000-8000-000000000001", "UTC", "GMT", "UTC", "Coordinated Universal Time"},
	{"c0a7ca59-0001-4000-8000-000000000002", "GMT Standard Time", "GMT", "GMT", "Dublin, Edinburgh, Lisbon, London"},
	{"c0a7ca59-0001-4000-8000-000000000003", "W. Europe Standard Time", "GMT+01:00", "CET", "Amsterdam, Berlin, Bern, Rome, Stockholm, Vienna"},
	{"c0a7ca59-0001-4000-8000-000000000004", "Romance Standard Time", "GMT+01:00", "CET", "Brussels, Copenhagen, Madrid, Paris"},
	{"c0a7ca59-0001-4000-8000-000000000005", "Central European Standard Time", "GMT+01:00", "CET", "Sarajevo, Skopje, Warsaw, Zagreb"},
	{"c0a7ca59-0001-4000-8000-000000000006", "FLE Standard Time", "GMT+02:00", "EET", "Helsinki, Kyiv, Riga, Sofia, Tallinn, Vilnius"},
	{"c0a7ca59-0001-4000-8000-000000000007", "Israel Standard Time", "GMT+02:00", "IST", "Jerusalem"},
	{"c0a7ca59-0001-4000-8000-000000000008", "India Standard Time", "GMT+05:30", "IST", "Chennai, Kolkata, Mumbai, New Delhi"},
	{"c0a7ca59-0001-4000-8000-000000000009", "New Zealand Standard Time", "GMT+12:00", "NZST", "Auckland, Wellington"},
	{"c0a7ca59-0001-4000-8000-00000000000a", "Argentina Standard Time", "GMT-03:00", "ART", "City of Buenos Aires"},
	{"c0a7ca59-0001-4000-8000-00000000000b", "Pacific SA Standard Time", "GMT-04:00", "CLT", "Santiago"},
	{"c0a7ca59-0001-4000-8000-00000000000c", "Eastern Standard Time", "GMT-05:00", "EST", "Eastern Time (US & Canada)"},
	{"c0a7ca59-0001-4000-8000-00000000000d", "Pacific Standard Time", "GMT-08:00", "PST", "Pacific Time (US & Canada)"},
}

// systemPresets are the rows of the whole site that it is delivered with, and the default zone where there is one.
func (s *Server) systemPresets() []presetRow {
	out := []presetRow{{"SysSettings", row{
		"Id": defaultZoneID, "Name": "Default TimeZone", "Code": "DefaultTimeZone", "ValueTypeName": "Lookup", "IsCacheable": true,
	}}}
	// Nobody gave the site's first user an address.
	for id, unit := range map[string]row{
		allEmployees:   {"Name": "All employees", "SysAdminUnitTypeValue": int64(unitOrganization), "Active": true},
		supervisorUnit: {"Name": "Supervisor", "SysAdminUnitTypeValue": int64(unitUser), "Active": true, "ContactId": supervisor, "ConnectionType": int64(connectedInside)},
	} {
		if s.state.table("SysAdminUnit").Rows[id] == nil {
			unit["Id"] = id
			s.must(s.begin(actor{contact: supervisor, system: true}).insert(s.schema["SysAdminUnit"], unit))
		}
	}
	for _, z := range zones {
		out = append(out, presetRow{"TimeZone", row{
			"Id": z[0], "Code": z[1], "Name": "(" + z[2] + ") " + z[4], "Offset": z[2], "CodeAmerican": z[3],
		}})
		if strings.EqualFold(z[1], s.o.DefaultTimeZone) {
			out = append(out, presetRow{"SysSettingsValue", row{
				"SysSettingsId": defaultZoneID, "SysAdminUnitId": allEmployees, "IsDef": true, "GuidValue": z[0],
			}})
		}
	}
	return out
}
