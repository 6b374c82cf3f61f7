package creatio

import (
	"fmt"
	"slices"
	"time"
)

// Rows of lookups that activities are made with and that the side effects know by their ids (package Base: ActivityConsts).
const (
	activityTask  = "fbe0acdc-cfc0-df11-b00f-001d60e938c6"
	activityEmail = "e2831dec-cfc0-df11-b00f-001d60e938c6"
	activityCall  = "e1831dec-cfc0-df11-b00f-001d60e938c6"

	notStarted     = "384d4b84-58e6-df11-971b-001d60e938c6"
	mediumPriority = "ab96fa02-7fe6-df11-971b-001d60e938c6"
	toDo           = "f51c4643-58e6-df11-971b-001d60e938c6"

	roleFrom        = "6a6390c4-a6e1-df11-971b-001d60e938c6"
	roleTo          = "3a6893ce-a6e1-df11-971b-001d60e938c6"
	roleCC          = "3c6893ce-a6e1-df11-971b-001d60e938c6"
	roleBCC         = "ba1a7add-a6e1-df11-971b-001d60e938c6"
	roleParticipant = "1a8324e8-a6e1-df11-971b-001d60e938c6"
	roleResponsible = "53fc4a92-b0ea-e111-96c4-00165d094c12"

	inDoubt = "50e89724-522d-446e-be91-12548b8c834d"
)

// activityTable is the data model of activities.
func activityTable() []entity {
	lists := func(names ...string) []entity {
		var out []entity
		for _, name := range names {
			list := simpleList(name)
			list.columns = append(list.columns, textual("Code", mediumText))
			out = append(out, list)
		}
		return out
	}
	category := simpleList("ActivityCategory")
	category.columns = append(category.columns, link("ActivityType", "ActivityType").must())
	status := simpleList("ActivityStatus")
	status.columns = append(status.columns, textual("Code", mediumText), of(flag, "Finish"))
	return append(
		lists("ActivityType", "ActivityPriority", "ActivityParticipantRole", "ParticipantResponse", "ActivityResult"),
		category, status,
		entity{name: "Activity", columns: activityColumns(), saving: activitySaving, saved: activitySaved},
		entity{
			name: "ActivityParticipant", master: "Activity", saving: participantSaving, removed: participantRemoved, columns: []column{
				link("Activity", "Activity").must().on(cascade), link("Participant", "Contact"), textual("Description", longText),
				link("Role", "ActivityParticipantRole").or(roleParticipant), of(flag, "ReadMark"), of(flag, "InviteParticipant").or(true),
				link("InviteResponse", "ParticipantResponse").or(inDoubt),
			},
		},
		// What Creatio's own synchronizations keep. The first outlives its activity.
		entity{name: "ActivityCorrespondence", columns: []column{
			link("Activity", "Activity").on(setNull), of(flag, "IsDeleted"), textual("SourceActivityId", longText), of(guid, "SourceAccountId"),
			of(flag, "CreatedInBPMonline"),
		}},
		entity{name: "SysSyncMetaData", columns: []column{
			textual("SyncSchemaName", mediumText), textual("RemoteId", longText), of(guid, "LocalId"), of(guid, "RemoteStoreId"),
			of(flag, "IsLocalDeleted"), of(flag, "IsRemoteDeleted"), of(guid, "ModifiedInStoreId"), of(guid, "CreatedInStoreId"), of(instant, "Version"),
			textual("RemoteItemName", mediumText), of(number, "SchemaOrder"), textual("ExtraParameters", unlimited), of(number, "LocalState"), of(number, "RemoteState"),
		}},
	)
}

// activityColumns are those of an activity. Location comes with a package that not every site has; colours are not published
// in OData.
func activityColumns() []column {
	return slices.Concat(
		[]column{
			textual("Title", longText).must(), of(instant, "StartDate").must().or(currentTime), of(instant, "DueDate").must().or(currentTime),
			link("Priority", "ActivityPriority").must().or(mediumPriority), link("Author", "Contact").or(currentContact),
			link("Owner", "Contact").must().or(currentContact), link("Organizer", "Contact").or(currentContact),
			link("Type", "ActivityType").or(activityTask), link("ActivityCategory", "ActivityCategory").must().or(toDo),
			link("Status", "ActivityStatus").must().or(notStarted), link("Result", "ActivityResult"), link("TimeZone", "TimeZone"),
			link("Account", "Account"), link("Contact", "Contact"), textual("Location", longText), of(number, "DurationInMinutes"),
		},
		many(flag, "ShowInScheduler", "RemindToOwner", "RemindToAuthor"),
		many(instant, "RemindToOwnerDate", "RemindToAuthorDate", "RemoteCreatedOn"),
		texts(mediumText, "Sender", "DurationInMnutesAndHours", "GlobalActivityID"),
		texts(unlimited, "Notes", "DetailedResult", "Recepient", "CopyRecepient", "BlindCopyRecepient", "Body"),
	)
}

// activityPresets are the rows of lists that every site is delivered with, in an order in which none points to a later one.
func activityPresets() []presetRow {
	var out []presetRow
	for _, list := range []struct {
		entity string
		rows   [][2]string
	}{
		{"ActivityType", [][2]string{
			{activityTask, "Task"}, {activityEmail, "Email"}, {activityCall, "Call"}, {"e3831dec-cfc0-df11-b00f-001d60e938c6", "Visit"},
		}},
		{"ActivityPriority", [][2]string{
			{"d625a9fc-7ee6-df11-971b-001d60e938c6", "High"}, {mediumPriority, "Medium"}, {"ac96fa02-7fe6-df11-971b-001d60e938c6", "Low"},
		}},
		{"ActivityParticipantRole", [][2]string{
			{roleFrom, "From"},
			{roleTo, "To"},
			{roleCC, "CC"},
			{roleBCC, "BCC"},
			{roleParticipant, "Participant"},
			{roleResponsible, "Responsible"},
			{"81ab75e9-133b-4c12-8878-8bf9ae555992", "DraftFrom"},
		}},
		{"ParticipantResponse", [][2]string{
			{"7098c892-34e3-4a3e-af08-c1a139f63220", "Confirmed"}, {"cc256758-4051-4021-9c51-216e37635c46", "Declined"}, {inDoubt, "In doubt"},
		}},
	} {
		for _, r := range list.rows {
			out = append(out, presetRow{list.entity, row{"Id": r[0], "Name": r[1], "Code": r[1]}})
		}
	}
	for _, r := range [][3]string{
		{notStarted, "Not started"},
		{"394d4b84-58e6-df11-971b-001d60e938c6", "In progress"},
		{"4bdbb88f-58e6-df11-971b-001d60e938c6", "Completed", "ends"},
		{"201cfba8-58e6-df11-971b-001d60e938c6", "Canceled", "ends"},
	} {
		out = append(out, presetRow{"ActivityStatus", row{"Id": r[0], "Name": r[1], "Finish": r[2] != ""}})
	}
	for _, r := range [][3]string{
		{toDo, "To do", activityTask},
		{"42c74c49-58e6-df11-971b-001d60e938c6", "Meeting", activityTask},
		{"2365ae4f-58e6-df11-971b-001d60e938c6", "Paperwork", activityTask},
		{"8038a396-7825-e011-8165-00155d043204", "Email", activityEmail},
		{"e52bd583-7825-e011-8165-00155d043204", "Call", activityCall},
		{"03df85bf-6b19-4dea-8463-d5d49b80bb28", "Call as task", activityTask},
	} {
		out = append(out, presetRow{"ActivityCategory", row{"Id": r[0], "Name": r[1], "ActivityTypeId": r[2]}})
	}
	return out
}

// activitySaving moves reminders with the start, computes the duration, and takes the type from the category where it is
// empty.
func activitySaving(t *tx, old, now row) error {
	if old != nil {
		by := now.time("StartDate").Sub(old.time("StartDate"))
		for _, who := range []string{"Owner", "Author"} {
			date := "RemindTo" + who + "Date"
			if by != 0 && now.flag("RemindTo"+who) && now.time(date).Equal(old.time(date)) && !now.time(date).IsZero() {
				now[date] = now.time(date).Add(by)
			}
		}
	}
	lasts := now.time("DueDate").Sub(now.time("StartDate"))
	now["DurationInMinutes"] = int64(lasts / time.Minute)
	now["DurationInMnutesAndHours"] = fmt.Sprintf("%dh %dm", int(lasts.Hours()), int(lasts.Minutes())%60)
	if now.text("TypeId") == "" {
		now["TypeId"] = t.row("ActivityCategory", now.text("ActivityCategoryId")).text("ActivityTypeId")
	}
	return nil
}

// activitySaved has the owner and the contact of an activity take part in it: who was one of them before does so no longer.
func activitySaved(t *tx, old, now row) error {
	if now.text("TypeId") == activityEmail {
		return nil
	}
	owner, contact := now.text("OwnerId"), now.text("ContactId")
	wasOwner, wasContact := old.text("OwnerId"), old.text("ContactId")
	if owner != wasOwner {
		t.expel(now.text("Id"), wasOwner)
	}
	if contact != wasContact && wasContact != wasOwner {
		t.expel(now.text("Id"), wasContact)
	}
	type part struct{ contact, role string }
	var join []part
	if owner != wasOwner && owner != "" {
		join = append(join, part{owner, roleResponsible})
		if author := now.text("AuthorId"); wasOwner != "" && author != "" && author != owner {
			join = append(join, part{author, roleParticipant})
		}
	}
	if contact != wasContact && contact != "" && contact != owner && !slices.Contains(join, part{contact, roleParticipant}) {
		join = append(join, part{contact, roleParticipant})
	}
	for _, p := range join {
		if _, err := t.insert(t.entity("ActivityParticipant"), row{"ActivityId": now["Id"], "ParticipantId": p.contact, "RoleId": p.role}); err != nil {
			return err
		}
	}
	return nil
}

// expel takes somebody out of the participants, but for those of an e-mail, as a plain statement of SQL does.
func (t *tx) expel(activity, contact string) {
	for _, r := range t.linked("ActivityParticipant", "ActivityId", activity) {
		if contact != "" && r.text("ParticipantId") == contact && !slices.Contains([]string{roleFrom, roleTo, roleCC, roleBCC}, r.text("RoleId")) {
			t.store(t.entity("ActivityParticipant"), r.text("Id"), nil)
		}
	}
}

// participantSaving has a new participant take the place of a row of the same one, and moves the activity.
func participantSaving(t *tx, old, now row) error {
	activity := now.text("ActivityId")
	if old != nil || t.row("Activity", activity).text("TypeId") == activityEmail {
		return nil
	}
	for _, r := range t.linked("ActivityParticipant", "ActivityId", activity) {
		if who := now.text("ParticipantId"); who != "" && r.text("ParticipantId") == who {
			t.store(t.entity("ActivityParticipant"), r.text("Id"), nil)
		}
	}
	t.moveActivity(activity)
	return nil
}

func participantRemoved(t *tx, old row) error {
	t.moveActivity(old.text("ActivityId"))
	return nil
}

// moveActivity notes that a participant came or went. A participant who is changed leaves no trace in the activity.
func (t *tx) moveActivity(id string) {
	if !t.s.o.StillParticipants {
		t.touch("Activity", id, row{"ModifiedOn": t.stamp()})
	}
}

// watchActivities notes what a client must never do to activities. Old is the row before the write, nil for an insertion;
// values are what is written, nil for a deletion.
func (s *Server) watchActivities(e *entity, old, values row) {
	changes := func(names ...string) {
		for _, name := range names {
			if v, written := values[name]; written && old != nil && v != old[name] && old[name] != "" {
				s.violate("%s of a row of %s was changed", name, e.name)
			}
		}
	}
	switch e.name {
	case "Activity":
		changes("OwnerId", "OrganizerId", "AuthorId", "ContactId", "AccountId", "TypeId", "ActivityCategoryId", "PriorityId", "ShowInScheduler", "TimeZoneId")
		if values == nil {
			return
		}
		if now := s.state.table(e.name).Rows[old.text("Id")]; old != nil && now.time("DueDate").Before(now.time("StartDate")) ||
			old == nil && values.time("DueDate").Before(values.time("StartDate")) {
			s.violate("an activity was written that ends before it begins")
		}
	case "ActivityParticipant":
		changes("ActivityId", "ParticipantId", "RoleId")
	case "ActivityCorrespondence", "SysSyncMetaData":
		s.violate("a row of %s was written to", e.name)
	}
}
