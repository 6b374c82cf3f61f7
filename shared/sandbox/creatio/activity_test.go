package creatio_test

import (
	"bytes"
	"fmt"
	"net/http"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/tandem-sync/tandem/shared/sandbox/creatio"
)

const (
	task        = "fbe0acdc-cfc0-df11-b00f-001d60e938c6"
	byCall      = "e1831dec-cfc0-df11-b00f-001d60e938c6"
	byEmail     = "e2831dec-cfc0-df11-b00f-001d60e938c6"
	callAsCall  = "e52bd583-7825-e011-8165-00155d043204"
	confirmed   = "7098c892-34e3-4a3e-af08-c1a139f63220"
	newActivity = "aaaaaaaa-0000-4000-8000-000000000009"
)

// activity is one that ann makes, an hour long.
func (w *world) activity(values map[string]any) string {
	w.t.Helper()
	all := map[string]any{"Title": "Kick-off", "StartDate": "2026-03-02T09:00:00Z", "DueDate": "2026-03-02T10:00:00Z", "ShowInScheduler": true}
	for k, v := range values {
		all[k] = v
	}
	return w.insert("Activity", all)
}

// participants are those of an activity as "name role", sorted; * marks those who answered that they come.
func (w *world) participants(activity string) string {
	var out []string
	for _, r := range w.box.System().Rows("ActivityParticipant", map[string]any{"ActivityId": activity}) {
		name := w.box.System().Get("Contact", r["ParticipantId"].(string))["Name"]
		role := w.box.System().Get("ActivityParticipantRole", r["RoleId"].(string))["Name"]
		out = append(out, fmt.Sprint(name, " ", role)+map[any]string{confirmed: "*"}[r["InviteResponseId"]])
	}
	slices.Sort(out)
	return strings.Join(out, ", ")
}

func (w *world) contactOf(user string) string {
	return w.box.System().Rows("SysAdminUnit", map[string]any{"Name": user})[0]["ContactId"].(string)
}

func TestAn_activity_begins_with_what_the_site_gives_it(t *testing.T) {
	t.Parallel()
	w := newWorld(t, creatio.Options{})
	a := w.send(w.ann(), http.MethodPost, "/0/odata/Activity", `{"Id":"`+newActivity+`","Title":"Kick-off"}`)
	now := "2026-03-01T12:00:00.123456Z"
	for name, want := range map[string]any{
		"Id": newActivity, "Title": "Kick-off", "StartDate": now, "DueDate": now, "OwnerId": w.contact, "AuthorId": w.contact, "OrganizerId": w.contact,
		"TypeId": task, "ActivityCategoryId": "f51c4643-58e6-df11-971b-001d60e938c6", "PriorityId": "ab96fa02-7fe6-df11-971b-001d60e938c6",
		"StatusId": "384d4b84-58e6-df11-971b-001d60e938c6", "ShowInScheduler": false, "RemindToOwner": false, "Location": "", "Notes": "",
		"TimeZoneId": "00000000-0000-0000-0000-000000000000", "RemindToOwnerDate": "0001-01-01T00:00:00Z",
	} {
		if a.status != 201 || a.json[name] != want {
			t.Errorf("%d: %s is %v, want %v", a.status, name, a.json[name], want)
		}
	}
	rows := w.box.System().Rows("ActivityParticipant", map[string]any{"ActivityId": newActivity})
	if len(rows) != 1 || rows[0]["InviteParticipant"] != true || rows[0]["InviteResponseId"] != "50e89724-522d-446e-be91-12548b8c834d" {
		t.Errorf("participants: %v", rows)
	}
}

func TestWhat_an_activity_must_have_and_cannot_hold_is_refused(t *testing.T) {
	t.Parallel()
	w := newWorld(t, creatio.Options{})
	h := w.ann()
	id := w.activity(nil)
	long := strings.Repeat("x", 501)
	for _, tc := range [][3]string{
		{`{}`, "23502", "POST"},
		{`{"Title":""}`, "23502", "PATCH"},
		{`{"OwnerId":null}`, "23502", "PATCH"},
		{`{"StartDate":null}`, "23502", "PATCH"},
		{`{"StatusId":null}`, "23502", "PATCH"},
		{`{"PriorityId":null}`, "23502", "PATCH"},
		{`{"Title":"` + long + `"}`, "22001", "PATCH"},
		{`{"Location":"` + long + `"}`, "22001", "PATCH"},
		{`{"StatusId":"` + newActivity + `"}`, "23503", "PATCH"},
		{`{"Colour":"red"}`, "does not exist", "PATCH"},
		{`{"StartDate":"2026-03-02T09:00:00"}`, "Cannot convert", "PATCH"},
	} {
		path := "/0/odata/Activity"
		if tc[2] == "PATCH" {
			path += "(" + id + ")"
		}
		if a := w.send(h, tc[2], path, tc[0]); a.status < 400 || !strings.Contains(a.body, tc[1]) {
			t.Errorf("%.40s: %d %.200s", tc[0], a.status, a.body)
		}
	}
	if a := w.send(h, http.MethodPatch, "/0/odata/Activity("+id+")", `{"Notes":"`+strings.Repeat("x", 20000)+`","Location":"`+long[1:]+`"}`); a.status != 204 {
		t.Errorf("what fits: %d %s", a.status, a.body)
	}
}

func TestOwner_and_contact_of_an_activity_take_part_in_it(t *testing.T) {
	t.Parallel()
	w := newWorld(t, creatio.Options{})
	bob := w.contactOf("bob")
	cleo := w.insert("Contact", map[string]any{"Name": "Cleo Cook"})
	dan := w.insert("Contact", map[string]any{"Name": "Dan Dale"})
	id := w.activity(map[string]any{"ContactId": cleo})
	expect := func(step, want string) {
		t.Helper()
		if got := w.participants(id); got != want {
			t.Errorf("%s: %s, want %s", step, got, want)
		}
	}
	expect("a new one", "Ann Abel Responsible, Cleo Cook Participant")
	w.update("Activity", id, map[string]any{"Title": "Kick-off, again"})
	expect("another title", "Ann Abel Responsible, Cleo Cook Participant")
	w.update("Activity", id, map[string]any{"ContactId": dan})
	expect("another contact", "Ann Abel Responsible, Dan Dale Participant")
	w.update("Activity", id, map[string]any{"OwnerId": bob})
	expect("another owner, of whom the author was the one before", "Ann Abel Participant, Bob Byte Responsible, Dan Dale Participant")
	w.update("Activity", id, map[string]any{"ContactId": nil})
	expect("no contact", "Ann Abel Participant, Bob Byte Responsible")

	row := w.insert("ActivityParticipant", map[string]any{"ActivityId": id, "ParticipantId": cleo, "InviteResponseId": confirmed})
	expect("one who was added", "Ann Abel Participant, Bob Byte Responsible, Cleo Cook Participant*")
	again := w.insert("ActivityParticipant", map[string]any{"ActivityId": id, "ParticipantId": cleo})
	expect("the same once more", "Ann Abel Participant, Bob Byte Responsible, Cleo Cook Participant")
	if w.get("ActivityParticipant", row) != nil || w.get("ActivityParticipant", again) == nil {
		t.Error("the row of a participant who was added again is still the former one")
	}
	mail := w.activity(map[string]any{"TypeId": byEmail, "ContactId": cleo})
	if got := w.participants(mail); got != "" {
		t.Errorf("an e-mail: %s", got)
	}
}

func TestParticipants_who_come_or_go_move_their_activity_on_most_sites(t *testing.T) {
	t.Parallel()
	for _, still := range []bool{false, true} {
		w := newWorld(t, creatio.Options{StillParticipants: still})
		bob, id := w.contactOf("bob"), w.activity(nil)
		moved := func(step string, want bool, do func()) {
			t.Helper()
			before := w.get("Activity", id)["ModifiedOn"]
			w.clock.pass(time.Minute)
			do()
			if got := w.get("Activity", id)["ModifiedOn"] != before; got != want {
				t.Errorf("%s: moved the activity %v, want %v", step, got, want)
			}
		}
		var row string
		moved("added", !still, func() { row = w.insert("ActivityParticipant", map[string]any{"ActivityId": id, "ParticipantId": bob}) })
		moved("answered", false, func() { w.update("ActivityParticipant", row, map[string]any{"InviteResponseId": confirmed}) })
		moved("taken out", !still, func() {
			if err := w.box.As("ann").Delete("ActivityParticipant", row); err != nil {
				t.Fatal(err)
			}
		})
	}
}

func TestReminders_move_with_the_start_and_the_type_follows_the_category(t *testing.T) {
	t.Parallel()
	w := newWorld(t, creatio.Options{})
	id := w.activity(map[string]any{
		"RemindToOwner": true, "RemindToOwnerDate": "2026-03-02T08:30:00Z", "TypeId": nil, "ActivityCategoryId": callAsCall,
	})
	if a := w.get("Activity", id); a["TypeId"] != byCall || a["DurationInMinutes"] != int64(60) || a["DurationInMnutesAndHours"] != "1h 0m" {
		t.Errorf("type %v, duration %v, %v", a["TypeId"], a["DurationInMinutes"], a["DurationInMnutesAndHours"])
	}
	reminder := func(step, want string) {
		t.Helper()
		if got := w.get("Activity", id)["RemindToOwnerDate"].(time.Time).Format(time.RFC3339); got != want {
			t.Errorf("%s: reminded at %s, want %s", step, got, want)
		}
	}
	w.update("Activity", id, map[string]any{"StartDate": "2026-03-03T09:00:00Z", "DueDate": "2026-03-03T09:30:00Z"})
	reminder("moved", "2026-03-03T08:30:00Z")
	w.update("Activity", id, map[string]any{"StartDate": "2026-03-04T09:00:00Z", "DueDate": "2026-03-04T09:30:00Z", "RemindToOwnerDate": "2026-03-04T08:00:00Z"})
	reminder("moved with another reminder", "2026-03-04T08:00:00Z")
	if a := w.get("Activity", id); a["DurationInMinutes"] != int64(30) {
		t.Errorf("duration %v", a["DurationInMinutes"])
	}
}

func TestDeleting_an_activity_takes_its_participants_and_leaves_its_marks(t *testing.T) {
	t.Parallel()
	w := newWorld(t, creatio.Options{})
	cleo := w.insert("Contact", map[string]any{"Name": "Cleo Cook"})
	id := w.activity(map[string]any{"ContactId": cleo})
	mark := w.insert("ActivityCorrespondence", map[string]any{"ActivityId": id, "SourceActivityId": "event1"})
	if a := w.send(w.ann(), http.MethodDelete, "/0/odata/Contact("+cleo+")", ""); a.status != 500 || !strings.Contains(a.body, "23503") {
		t.Errorf("a contact who takes part was deleted: %d %s", a.status, a.body)
	}
	if a := w.send(w.ann(), http.MethodDelete, "/0/odata/Activity("+id+")", ""); a.status != 204 {
		t.Fatalf("%d %s", a.status, a.body)
	}
	if rows := w.box.System().Rows("ActivityParticipant", nil); len(rows) != 0 {
		t.Errorf("participants are left: %v", rows)
	}
	if m := w.get("ActivityCorrespondence", mark); m == nil || m["ActivityId"] != "" || m["SourceActivityId"] != "event1" {
		t.Errorf("the mark is %v", m)
	}
}

func TestActivities_are_found_by_who_takes_part(t *testing.T) {
	t.Parallel()
	w := newWorld(t, creatio.Options{})
	bob := w.contactOf("bob")
	id := w.activity(map[string]any{"TimeZoneId": w.box.System().Rows("TimeZone", map[string]any{"Code": "FLE Standard Time"})[0]["Id"]})
	w.activity(map[string]any{"ShowInScheduler": false})
	w.insert("ActivityParticipant", map[string]any{"ActivityId": id, "ParticipantId": bob})
	a := w.send(w.ann(), http.MethodGet, asked("ActivityParticipant", "$filter", "Participant/Id eq "+w.contact+
		" and Activity/ShowInScheduler eq true and Activity/DueDate ge 2026-03-02T00:00:00Z and Activity/Type/Id ne "+byEmail,
		"$select", "Id,ActivityId", "$expand", "Activity($select=Title)", "$count", "true", "$orderby", "Id"), "")
	rows, _ := a.json["value"].([]any)
	if len(rows) != 1 || rows[0].(map[string]any)["ActivityId"] != id || a.json["@odata.count"] != 1.0 {
		t.Fatalf("%d %s", a.status, a.body)
	}
	a = w.send(w.ann(), http.MethodGet, asked("Activity", "$filter", "Id eq "+id, "$select", "Id,Title",
		"$expand", "ActivityParticipantCollectionByActivity($select=ParticipantId),TimeZone($select=Code)"), "")
	row := a.json["value"].([]any)[0].(map[string]any)
	if people := row["ActivityParticipantCollectionByActivity"].([]any); len(people) != 2 || row["TimeZone"].(map[string]any)["Code"] != "FLE Standard Time" {
		t.Errorf("%s", a.body)
	}
}

func TestRights_of_an_activity_are_those_of_its_participants(t *testing.T) {
	t.Parallel()
	w := newWorld(t, creatio.Options{})
	h, id := w.ann(), w.activity(nil)
	row := w.box.System().Rows("ActivityParticipant", map[string]any{"ActivityId": id})[0]["Id"].(string)
	writes := map[string]string{"Activity(" + id + ")": `{"Title":"x"}`, "ActivityParticipant(" + row + ")": `{"InviteResponseId":null}`}
	w.box.DenyRecord("ann", "Activity", id, creatio.Update)
	for path, body := range writes {
		if a := w.send(h, http.MethodPatch, "/0/odata/"+path, body); a.status != 403 {
			t.Errorf("%s was written without the right: %d", path, a.status)
		}
	}
	w.box.DenyRecord("ann", "Activity", id, creatio.Read)
	for path := range writes {
		if a := w.send(h, http.MethodGet, "/0/odata/"+path, ""); a.status != 404 {
			t.Errorf("%s was read without the right: %d", path, a.status)
		}
	}
	if w.box.As("bob").Get("Activity", id) == nil {
		t.Error("it is hidden from others as well")
	}
	// The right to an activity is not that to the contact it is about.
	w.box.AllowRecord("ann", "Activity", id, creatio.Read)
	w.box.DenyRecord("ann", "Contact", w.contact, creatio.Read)
	if w.get("Activity", id) == nil {
		t.Error("it is hidden with the contact who owns it")
	}
}

func TestA_site_may_lack_a_column_or_an_entity_or_keep_it_closed(t *testing.T) {
	t.Parallel()
	w := newWorld(t, creatio.Options{Without: []string{"Activity.Location", "ActivityCorrespondence"}})
	h := w.ann()
	w.box.Deny("ann", "SysSyncMetaData", creatio.Read)
	for path, want := range map[string]int{
		asked("Activity", "$select", "Id,Location"): 400, asked("ActivityCorrespondence"): 404, asked("SysSyncMetaData"): 403, asked("Activity", "$select", "Id"): 200,
	} {
		if a := w.send(h, http.MethodGet, path, ""); a.status != want {
			t.Errorf("%s: %d, want %d", path, a.status, want)
		}
	}
	if a := w.send(h, http.MethodPost, "/0/odata/Activity", `{"Title":"x","Location":"Room 1"}`); a.status != 400 {
		t.Errorf("a column that is not there was written: %d", a.status)
	}
	if a := w.send(h, http.MethodGet, "/0/odata/$metadata", ""); strings.Contains(a.body, "Location") || strings.Contains(a.body, "ActivityCorrespondence") {
		t.Error("the metadata name what is not there")
	}
}

func TestThe_default_zone_is_a_setting_with_the_id_of_a_zone(t *testing.T) {
	t.Parallel()
	for _, code := range []string{"FLE Standard Time", ""} {
		w := newWorld(t, creatio.Options{DefaultTimeZone: code})
		a := w.send(w.ann(), http.MethodGet, asked("SysSettingsValue", "$filter", "SysSettings/Code eq 'DefaultTimeZone'", "$select", "GuidValue,SysAdminUnitId"), "")
		rows := a.json["value"].([]any)
		if code == "" {
			if len(rows) != 0 {
				t.Errorf("nobody has filled it in: %s", a.body)
			}
			continue
		}
		zone := w.send(w.ann(), http.MethodGet, "/0/odata/TimeZone("+rows[0].(map[string]any)["GuidValue"].(string)+")", "")
		if zone.json["Code"] != code || zone.json["Name"] != "(GMT+02:00) Helsinki, Kyiv, Riga, Sofia, Tallinn, Vilnius" {
			t.Errorf("got %s", zone.body)
		}
		if a := w.send(w.ann(), http.MethodPost, "/0/odata/SysSettingsValue", `{"SysSettingsId":"`+newActivity+`"}`); a.status != 403 {
			t.Errorf("a setting was written: %d", a.status)
		}
	}
}

func TestPortal_users_are_told_from_those_of_the_company(t *testing.T) {
	t.Parallel()
	w := newWorld(t, creatio.Options{})
	w.box.AddUser(creatio.User{Name: "guest", ContactName: "Gus Guest", Email: "gus@example.com", Active: true, Portal: true})
	for user, want := range map[string]int64{"ann": 0, "guest": 1} {
		if got := w.box.System().Rows("SysAdminUnit", map[string]any{"Name": user})[0]["ConnectionType"]; got != want {
			t.Errorf("%s is connected by %v, want %d", user, got, want)
		}
	}
}

func TestWhat_no_client_may_do_to_activities_is_noted(t *testing.T) {
	t.Parallel()
	w := newWorld(t, creatio.Options{})
	h, bob, id := w.ann(), w.contactOf("bob"), w.activity(nil)
	row := w.box.System().Rows("ActivityParticipant", map[string]any{"ActivityId": id})[0]["Id"].(string)
	want := 0
	for _, tc := range [][3]string{
		{"PATCH", "Activity(" + id + ")", `{"OrganizerId":"` + bob + `"}`},
		{"PATCH", "Activity(" + id + ")", `{"TypeId":"` + byCall + `"}`},
		{"PATCH", "Activity(" + id + ")", `{"ShowInScheduler":false}`},
		{"PATCH", "Activity(" + id + ")", `{"DurationInMinutes":5}`},
		{"PATCH", "Activity(" + id + ")", `{"DueDate":"2026-03-02T08:00:00Z"}`},
		{"POST", "Activity", `{"Title":"x","StartDate":"2026-03-02T08:00:00Z","DueDate":"2026-03-02T07:00:00Z"}`},
		{"PATCH", "ActivityParticipant(" + row + ")", `{"ParticipantId":"` + bob + `"}`},
		{"POST", "ActivityCorrespondence", `{"ActivityId":"` + id + `"}`},
		{"POST", "SysSyncMetaData", `{"LocalId":"` + id + `"}`},
		{"POST", "TimeZone", `{"Name":"x"}`},
	} {
		want++
		if a := w.send(h, tc[0], "/0/odata/"+tc[1], tc[2]); a.status >= 300 || len(w.box.Violations()) != want {
			t.Fatalf("%v: %d %s, %v", tc, a.status, a.body, w.box.Violations())
		}
	}
	// What it may do is not.
	w.send(h, "PATCH", "/0/odata/Activity("+id+")", `{"DueDate":"2026-03-02T11:00:00Z","StatusId":"201cfba8-58e6-df11-971b-001d60e938c6"}`)
	w.send(h, "POST", "/0/odata/ActivityParticipant", `{"ActivityId":"`+id+`","ParticipantId":"`+bob+`"}`)
	w.send(h, "DELETE", "/0/odata/Activity("+id+")", "")
	if v := w.box.Violations(); len(v) != want {
		t.Errorf("violations: %v", v)
	}
}

func TestA_site_that_was_saved_before_it_had_activities_can_make_some(t *testing.T) {
	t.Parallel()
	w := newWorld(t, creatio.Options{})
	var file bytes.Buffer
	if err := w.box.Save(&file); err != nil {
		t.Fatal(err)
	}
	state := file.String()
	for _, name := range []string{
		"Activity", "ActivityParticipant", "ActivityType", "ActivityStatus", "ActivityPriority", "ActivityCategory", "ActivityParticipantRole",
		"ParticipantResponse", "TimeZone", "SysSettings", "SysSettingsValue",
	} {
		state = strings.Replace(state, `"`+name+`":{`, `"Former`+name+`":{`, 1)
	}
	other := creatio.New(creatio.Options{Now: w.clock.now, DefaultTimeZone: "UTC"})
	if err := other.Load(strings.NewReader(state)); err != nil {
		t.Fatal(err)
	}
	if _, err := other.As("ann").Insert("Activity", map[string]any{"Title": "Kick-off"}); err != nil {
		t.Error(err)
	}
	if len(other.System().Rows("SysSettingsValue", nil)) != 1 {
		t.Error("the default zone is not set")
	}
}
