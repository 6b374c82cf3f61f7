package creatio

// kind is the type of a column.
type kind int

const (
	text kind = iota
	number
	flag
	// moment is a point in time; Creatio has no dates without one.
	moment
	// lookup points to a row of another entity; guid is an id that points nowhere.
	lookup
	guid
)

// column is one column of an entity.
type column struct {
	kind   kind
	target string
	// required columns may not be empty; size is how many characters a text may have, 0 any number.
	required bool
	size     int
}

type entity map[string]column

// common are the columns of every entity.
var common = entity{
	"Id": {kind: guid}, "CreatedOn": {kind: moment}, "CreatedById": {kind: lookup, target: "Contact"},
	"ModifiedOn": {kind: moment}, "ModifiedById": {kind: lookup, target: "Contact"}, "ProcessListeners": {kind: number},
}

func to(target string) column { return column{kind: lookup, target: target} }

func must(c column) column {
	c.required = true
	return c
}

var (
	short = column{kind: text, size: 250}
	long  = column{kind: text}
)

// named is an entity that is a list of names.
func named(more ...entity) entity {
	out := entity{"Name": must(short), "Description": long}
	for _, m := range more {
		for name, c := range m {
			out[name] = c
		}
	}
	return out
}

// schemas are the entities of the site, with the columns that its OData service publishes.
var schemas = complete(map[string]entity{
	"Contact": {
		"Name": must(short), "OwnerId": to("Contact"), "Dear": short, "SalutationTypeId": to("ContactSalutationType"), "GenderId": to("Gender"),
		"AccountId": to("Account"), "TypeId": to("ContactType"), "JobId": to("Job"), "JobTitle": short, "DepartmentId": to("Department"),
		"BirthDate": {kind: moment}, "Phone": short, "MobilePhone": short, "HomePhone": short, "Skype": short, "Email": short,
		"AddressTypeId": to("AddressType"), "Address": {kind: text, size: 500}, "CityId": to("City"), "RegionId": to("Region"), "Zip": {kind: text, size: 50},
		"CountryId": to("Country"), "Notes": long, "Surname": short, "GivenName": short, "MiddleName": short, "Age": {kind: number},
		"Confirmed": {kind: flag}, "DoNotUseEmail": {kind: flag}, "Facebook": short, "LinkedIn": short, "Twitter": short, "PhotoId": {kind: guid},
	},
	"ContactCommunication": {
		"ContactId": must(to("Contact")), "CommunicationTypeId": must(to("CommunicationType")), "Number": must(short), "Position": {kind: number},
		"SocialMediaId": short, "SearchNumber": short, "Primary": {kind: flag}, "NonActual": {kind: flag}, "IsCreatedBySynchronization": {kind: flag},
	},
	"ContactAddress": {
		"ContactId": must(to("Contact")), "AddressTypeId": to("AddressType"), "CountryId": to("Country"), "RegionId": to("Region"), "CityId": to("City"),
		"Address": {kind: text, size: 500}, "Zip": {kind: text, size: 50}, "Primary": {kind: flag},
	},
	"ContactAnniversary": {"ContactId": to("Contact"), "AnniversaryTypeId": to("AnniversaryType"), "Date": {kind: moment}},
	"ContactTag":         named(entity{"TypeId": must(to("ContactTagType"))}),
	"ContactInTag":       {"TagId": must(to("ContactTag")), "EntityId": must(to("Contact"))},
	"Tag":                {"Name": must(short), "Color": short, "TagAccessId": must(to("TagAccess")), "EntitySchemaName": short},
	"TagInRecord":        {"RecordSchemaName": must(short), "TagId": must(to("Tag")), "RecordId": must(column{kind: guid}), "TagRecordId": {kind: guid}},
	"SysAdminUnit": {
		"Name": must(short), "ContactId": to("Contact"), "TimeZoneId": short, "Active": {kind: flag}, "ConnectionType": {kind: number},
		"SysAdminUnitTypeValue": {kind: number}, "Email": short, "SysCultureId": {kind: guid},
	},
	"Account":               named(entity{"OwnerId": to("Contact"), "Phone": short, "Web": short}),
	"ContactSalutationType": named(), "Gender": named(), "ContactType": named(), "Job": named(), "Department": named(), "AddressType": named(),
	"AnniversaryType": named(), "ContactTagType": named(), "TagAccess": named(), "Country": named(entity{"Code": short}),
	"CommunicationType": named(entity{"UseforContacts": {kind: flag}}),
	"Region":            named(entity{"CountryId": to("Country")}), "City": named(entity{"CountryId": to("Country"), "RegionId": to("Region")}),
})

func complete(all map[string]entity) map[string]entity {
	for _, e := range all {
		for name, c := range common {
			e[name] = c
		}
	}
	return all
}

// The types that mirror into columns of the contact, by column.
var mirrored = map[string]string{
	"Email": typeEmail, "Skype": typeSkype, "MobilePhone": typeMobile, "HomePhone": typeHome, "Phone": typeWork,
}

// Rows of the lists that every site is delivered with.
const (
	typeEmail  = "ee1c85c3-cfcb-df11-9b2a-001d60e938c6"
	typeSkype  = "09e4bda6-cfcb-df11-9b2a-001d60e938c6"
	typeMobile = "d4a2dc80-30ca-df11-9b2a-001d60e938c6"
	typeHome   = "0da6a26b-d7bc-df11-b00f-001d60e938c6"
	typeWork   = "3dddb3cc-53ee-49c4-a71f-e9e257f59e49"

	birthday   = "173d56d2-fdca-df11-9b2a-001d60e938c6"
	tagPrivate = "8d7f6d6c-4ca5-4b43-bdd9-a5e01a582260"
	tagMine    = "54c3c9a0-adba-423f-990b-673b903e2a38"
	noGUID     = "00000000-0000-0000-0000-000000000000"
	noMoment   = "0001-01-01T00:00:00Z"
)

var delivered = map[string]map[string]string{
	"CommunicationType": {
		typeEmail: "Email", typeSkype: "Skype", typeMobile: "Mobile phone", typeHome: "Home phone", typeWork: "Business phone",
		"6a3fb10c-67cc-df11-9b2a-001d60e938c6": "Primary phone", "2b387201-67cc-df11-9b2a-001d60e938c6": "Alternate phone",
		"21c0d693-9a52-43fa-b7f1-c6d8b53975d4": "Other phone", "9a7ab41b-67cc-df11-9b2a-001d60e938c6": "Fax",
		"e9d91e45-8d92-4e38-95a0-ef8aa28c9e7a": "Extension phone", "6a8ba927-67cc-df11-9b2a-001d60e938c6": "Web",
		"ea0f3b0a-bacf-e011-92c3-00155d04c01d": "LinkedIn", "2795dd03-bacf-e011-92c3-00155d04c01d": "Facebook",
		"e7139487-bad3-e011-92c3-00155d04c01d": "Twitter",
	},
	"AddressType": {
		"4f8b2d67-71d0-45fb-897e-cd4a308a97c0": "Home", "780bf68c-4b6e-df11-b988-001d60e938c6": "Actual",
		"770bf68c-4b6e-df11-b988-001d60e938c6": "Legal", "760bf68c-4b6e-df11-b988-001d60e938c6": "Delivery",
		"fb7a3f6a-f36b-1410-6f81-1c6f65e50343": "Business", "ce157f11-f425-4811-ba0e-e3816e8eced5": "Other",
	},
	"AnniversaryType": {birthday: "Birthday", "294463e7-fdca-df11-9b2a-001d60e938c6": "Foundation day"},
	"ContactTagType": {
		tagPrivate: "Private", "5d79e393-f8e0-4830-a76b-f3c7bce529ed": "Corporate", "d6fb4de6-0809-41fe-a84f-6d245cbc5f32": "Public",
	},
	"TagAccess": {
		tagMine: "My tag", "5126592f-5e93-42b4-b3a1-10752e6d413e": "Corporate tag", "7beab7b3-e895-45fe-96c6-0c662c6dcb16": "Public tag",
	},
	"ContactType": {
		"806732ee-f36b-1410-a883-16d83cab0980": "Contact person", "00783ef6-f36b-1410-a883-16d83cab0980": "Customer",
		"60733efc-f36b-1410-a883-16d83cab0980": "Employee",
	},
}
