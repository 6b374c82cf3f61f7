package creatio

import "slices"

// Rows of lookups that the side effects know by their ids.
const (
	typeEmail  = "ee1c85c3-cfcb-df11-9b2a-001d60e938c6"
	typeSkype  = "09e4bda6-cfcb-df11-9b2a-001d60e938c6"
	typeMobile = "d4a2dc80-30ca-df11-9b2a-001d60e938c6"
	typeHome   = "0da6a26b-d7bc-df11-b00f-001d60e938c6"
	typeWork   = "3dddb3cc-53ee-49c4-a71f-e9e257f59e49"
	birthdayID = "173d56d2-fdca-df11-9b2a-001d60e938c6"
	tagPrivate = "8d7f6d6c-4ca5-4b43-bdd9-a5e01a582260"
	tagMine    = "54c3c9a0-adba-423f-990b-673b903e2a38"
	supervisor = "410006e1-ca4e-4502-a9ec-e54d922d2c00"
	freedom    = 8 // the version that brought the tags of the Freedom UI
	emptyGUID  = "00000000-0000-0000-0000-000000000000"
)

// contactTable is the data model of contacts and what they share with others: a new entity is a new row.
func contactTable() []entity {
	out := []entity{
		{name: "Contact", columns: contactColumns(), saving: contactSaving, saved: contactSaved},
		{name: "ContactCommunication", master: "Contact", saving: communicationSaving, saved: communicationSaved, removed: communicationRemoved, columns: slices.Concat(
			[]column{
				link("Contact", "Contact").must().on(cascade), link("CommunicationType", "CommunicationType").must(),
				textual("Number", mediumText).must(), of(number, "Position"), textual("SocialMediaId", mediumText),
				textual("SearchNumber", mediumText), of(instant, "DateSetNonActual"), textual("ExternalCommunicationType", mediumText),
			},
			many(flag, "Primary", "NonActual", "IsCreatedBySynchronization"))},
		{name: "ContactAddress", master: "Contact", saved: addressSaved, removed: addressRemoved, columns: []column{
			link("Contact", "Contact").must().on(cascade), link("AddressType", "AddressType"), link("Country", "Country"),
			link("Region", "Region"), link("City", "City"), textual("Address", longText), textual("Zip", shortText), of(flag, "Primary"),
		}},
		{name: "ContactAnniversary", master: "Contact", saved: anniversarySaved, removed: anniversaryRemoved, columns: []column{
			link("Contact", "Contact").on(cascade), link("AnniversaryType", "AnniversaryType"), of(instant, "Date"),
		}},
		{name: "ContactTag", owner: tagOwner("TypeId", tagPrivate), columns: []column{
			textual("Name", mediumText), link("Type", "TagType").must().or(tagPrivate),
		}},
		{name: "ContactInTag", owner: linkOwner("ContactTag"), columns: []column{
			link("Tag", "ContactTag").must().on(cascade), link("Entity", "Contact").must().on(cascade),
		}},
		// The colour of a tag is not published in OData.
		{name: "Tag", since: []int{freedom}, owner: tagOwner("TagAccessId", tagMine), columns: []column{
			textual("Name", mediumText).must(), link("TagAccess", "TagAccess").must().or(tagMine), textual("EntitySchemaName", mediumText),
		}},
		{name: "TagInRecord", since: []int{freedom}, owner: linkOwner("Tag"), columns: []column{
			textual("RecordSchemaName", mediumText).must(), link("Tag", "Tag").must().on(cascade), of(guid, "RecordId").must(), of(guid, "TagRecordId"),
		}},
		{name: "Account", columns: []column{
			textual("Name", mediumText).must(), link("Owner", "Contact").on(setNull), textual("Phone", mediumText), textual("Web", mediumText),
		}},
		{name: "SysImage", columns: []column{
			textual("Name", mediumText), of(binary, "Data"), of(binary, "PreviewData"), textual("MimeType", mediumText),
			textual("Hash", mediumText), of(flag, "HasRef"), of(instant, "UploadedOn"),
		}},
		{name: "Region", list: true, columns: []column{textual("Name", mediumText).must(), link("Country", "Country")}},
		{name: "City", list: true, columns: []column{textual("Name", mediumText).must(), link("Country", "Country"), link("Region", "Region")}},
	}
	for _, name := range []string{
		"CommunicationType", "AddressType", "AnniversaryType", "TagType", "ContactType", "ContactSalutationType", "ContactDecisionRole",
		"Gender", "Job", "Department", "Country",
	} {
		out = append(out, simpleList(name))
	}
	access := simpleList("TagAccess")
	access.since = []int{freedom}
	return append(out, access)
}

func simpleList(name string) entity {
	return entity{name: name, list: true, columns: []column{textual("Name", mediumText).must(), textual("Description", mediumText)}}
}

func contactColumns() []column {
	return slices.Concat(
		[]column{
			textual("Name", mediumText).must(), link("Owner", "Contact").or(currentContact), textual("Dear", mediumText),
			link("SalutationType", "ContactSalutationType"), link("Gender", "Gender"), link("Account", "Account"),
			link("DecisionRole", "ContactDecisionRole"), link("Type", "ContactType"), link("Job", "Job"), link("Department", "Department"),
			of(instant, "BirthDate"), link("AddressType", "AddressType"), textual("Address", longText), link("City", "City"),
			link("Region", "Region"), textual("Zip", shortText), link("Country", "Country"), textual("Notes", unlimited),
			of(binary, "ContactPhoto"), link("Photo", "SysImage"), link("Language", "SysLanguage"), of(number, "Age"), of(number, "Completeness"),
		},
		texts(mediumText, "JobTitle", "Phone", "MobilePhone", "HomePhone", "Skype", "Email", "Surname", "GivenName", "MiddleName",
			"Facebook", "LinkedIn", "Twitter", "FacebookId", "LinkedInId", "TwitterId", "GPSN", "GPSE"),
		many(flag, "DoNotUseEmail", "DoNotUseCall", "DoNotUseFax", "DoNotUseSms", "DoNotUseMail", "Confirmed", "IsEmailConfirmed", "IsNonActualEmail"),
	)
}

// presets are the rows that every site is delivered with, by entity, as id and name.
var presets = map[string][][2]string{
	"CommunicationType": {
		{typeEmail, "Email"},
		{typeSkype, "Skype"},
		{"6a8ba927-67cc-df11-9b2a-001d60e938c6", "Web"},
		{typeMobile, "Mobile phone"},
		{typeHome, "Home phone"},
		{typeWork, "Business phone"},
		{"6a3fb10c-67cc-df11-9b2a-001d60e938c6", "Main phone"},
		{"2b387201-67cc-df11-9b2a-001d60e938c6", "Additional phone"},
		{"21c0d693-9a52-43fa-b7f1-c6d8b53975d4", "Other phone"},
		{"9a7ab41b-67cc-df11-9b2a-001d60e938c6", "Fax"},
		{"e9d91e45-8d92-4e38-95a0-ef8aa28c9e7a", "Extension"},
		{"ea0f3b0a-bacf-e011-92c3-00155d04c01d", "LinkedIn"},
		{"2795dd03-bacf-e011-92c3-00155d04c01d", "Facebook"},
		{"e7139487-bad3-e011-92c3-00155d04c01d", "Twitter"},
		{"efe5d7a2-5f38-e111-851e-00155d04c01d", "Google"},
	},
	"AddressType": {
		{"4f8b2d67-71d0-45fb-897e-cd4a308a97c0", "Home"},
		{"780bf68c-4b6e-df11-b988-001d60e938c6", "Actual"},
		{"770bf68c-4b6e-df11-b988-001d60e938c6", "Legal"},
		{"760bf68c-4b6e-df11-b988-001d60e938c6", "Shipping"},
		{"fb7a3f6a-f36b-1410-6f81-1c6f65e50343", "Business"},
		{"ce157f11-f425-4811-ba0e-e3816e8eced5", "Other"},
	},
	"AnniversaryType": {{birthdayID, "Birthday"}, {"294463e7-fdca-df11-9b2a-001d60e938c6", "Foundation day"}},
	"TagType": {
		{tagPrivate, "Private"}, {"5d79e393-f8e0-4830-a76b-f3c7bce529ed", "Corporate"}, {"d6fb4de6-0809-41fe-a84f-6d245cbc5f32", "Public"},
	},
	"TagAccess": {
		{tagMine, "My tag"}, {"5126592f-5e93-42b4-b3a1-10752e6d413e", "Corporate tag"}, {"7beab7b3-e895-45fe-96c6-0c662c6dcb16", "Public tag"},
	},
	"ContactType": {
		{"806732ee-f36b-1410-a883-16d83cab0980", "Contact person"},
		{"00783ef6-f36b-1410-a883-16d83cab0980", "Client"},
		{"60733efc-f36b-1410-a883-16d83cab0980", "Employee"},
	},
	"Gender":  {{"eeac42ee-65b6-df11-831a-001d60e938c6", "Male"}, {"fc2483f8-65b6-df11-831a-001d60e938c6", "Female"}},
	"Contact": {{supervisor, "Supervisor"}},
}

// phoneTypes are the communications that are telephone numbers.
var phoneTypes = []string{
	typeMobile, typeHome, typeWork, "6a3fb10c-67cc-df11-9b2a-001d60e938c6", "2b387201-67cc-df11-9b2a-001d60e938c6",
	"21c0d693-9a52-43fa-b7f1-c6d8b53975d4", "9a7ab41b-67cc-df11-9b2a-001d60e938c6", "e9d91e45-8d92-4e38-95a0-ef8aa28c9e7a",
}

// tagOwner makes tags with a value in a column their maker's alone.
func tagOwner(column, private string) func(*Server, row) string {
	return func(_ *Server, r row) string {
		if r[column] == private {
			return r.text("CreatedById")
		}
		return ""
	}
}

// linkOwner makes links to such tags theirs as well.
func linkOwner(tags string) func(*Server, row) string {
	return func(s *Server, r row) string {
		if tag := s.state.table(tags).Rows[r.text("TagId")]; tag != nil {
			return s.schema[tags].owner(s, tag)
		}
		return ""
	}
}

// preset inserts the rows that every site is delivered with, but for entities of which the rows are known already.
func (s *Server) preset(known func(entity string) bool) {
	t := s.begin(actor{contact: supervisor, system: true})
	insert := func(entity string, values row) {
		e := s.schema[entity]
		if e == nil || known(entity) {
			return
		}
		if _, err := t.insert(e, values); err != nil {
			panic("sandbox: a preset row of " + entity + " is refused: " + err.Error())
		}
	}
	for name, rows := range presets {
		for _, r := range rows {
			insert(name, row{"Id": r[0], "Name": r[1]})
		}
	}
	for _, r := range slices.Concat(activityPresets(), s.systemPresets()) {
		insert(r.entity, r.values)
	}
}

// presetRow is a row that every site is delivered with and that is more than a name.
type presetRow struct {
	entity string
	values row
}
