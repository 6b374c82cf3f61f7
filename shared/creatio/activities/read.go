package activities

import (
	"context"
	"slices"
	"time"

	"github.com/tandem-sync/tandem/shared/creatio"
	"github.com/tandem-sync/tandem/shared/odata"
)

// activityRow is an activity as Creatio holds it.
type activityRow struct {
	id                       string
	title, notes, location   string
	start, due               time.Time
	remind                   bool
	remindAt                 time.Time
	owner, organizer, author string
	typeID, status           string
	// zone is the code of the activity's own zone; empty for none, or for one that cannot be read.
	zone              string
	show              bool
	created, modified time.Time
	participants      []participantRow
}

// participantRow is a row of an activity's participants.
type participantRow struct {
	row, contact, name string
	role, response     string
	invited            bool
	// emails are all addresses of the contact, the first ones first.
	emails   []string
	modified time.Time
}

// readTogether is how many activities are read in one request: two queries for every few of them, and some for the directory
// and for lists.
const readTogether = (creatio.MaxParts - 10) / 2 * creatio.MaxListed

// tiedTogether is the same for activities that are read with the events they are tied to.
const tiedTogether = readTogether / 2

// readActivities reads activities with their participants, and with them what more queries ask for and, the first time, the
// directory. Those that are not there any more are missing. Of the additional queries the first ones must be answered.
func (s *Side) readActivities(ctx context.Context, ids []string, more []odata.Query, must int) ([]*activityRow, []creatio.Answer, error) {
	queries := slices.Clone(more)
	unread := s.directory() == nil
	if len(ids) == 0 && len(more) == 0 && !unread {
		return nil, nil, nil
	}
	if unread {
		queries = append(queries, directoryQueries()...)
	}
	queries = append(queries, s.contentQueries(ids)...)
	answers, err := s.site.Read(ctx, queries)
	if err != nil {
		return nil, nil, err
	}
	extra, content := answers[:len(more)], answers[len(more):]
	if unread {
		s.setDirectory(readDirectory(content[:len(directoryQueries())], s.o.User))
		content = content[len(directoryQueries()):]
	}
	for s.learn(content) {
		if content, err = s.site.Read(ctx, s.contentQueries(ids)); err != nil {
			return nil, nil, err
		}
	}
	for _, a := range slices.Concat(extra[:must], content) {
		if a.Err != nil {
			return nil, nil, creatio.Required(a.Err)
		}
	}
	found := s.activitiesOf(content)
	if s.isFlat() {
		if err := s.readEmails(ctx, found); err != nil {
			return nil, nil, err
		}
	}
	return found, extra, s.learnAccounts(ctx, contactsIn(found), nil)
}

// contactsIn are the contacts of all who own activities, organize them or take part in them.
func contactsIn(found []*activityRow) []string {
	var out []string
	for _, a := range found {
		out = append(out, a.owner, a.organizer)
		for _, p := range a.participants {
			out = append(out, p.contact)
		}
	}
	return creatio.NormalIDs(out)
}

// contentQueries ask for activities and their participants, in turns.
func (s *Side) contentQueries(ids []string) []odata.Query {
	var queries []odata.Query
	for chunk := range slices.Chunk(ids, creatio.MaxListed) {
		columns := []string{
			"Id", "Title", "StartDate", "DueDate", "Notes", "RemindToOwner", "RemindToOwnerDate", "OwnerId", "OrganizerId", "AuthorId", "TypeId",
			"StatusId", "TimeZoneId", "ShowInScheduler", "CreatedOn", "ModifiedOn",
		}
		if !s.hasNoLocation() {
			columns = append(columns, "Location")
		}
		who := odata.Expand{Name: "Participant", Select: []string{"Name", "Email"}}
		if !s.isFlat() {
			who.Expand = []odata.Expand{{Name: "ContactCommunicationCollectionByContact", Select: []string{"Number", "CommunicationTypeId", "NonActual"}}}
		}
		listed := creatio.Guids(chunk)
		queries = append(queries,
			odata.Query{Set: "Activity", Select: columns, Filter: odata.In("Id", listed)},
			odata.Query{
				Set: "ActivityParticipant", Filter: odata.In("Activity/Id", listed),
				Select: []string{"Id", "ActivityId", "ParticipantId", "RoleId", "InviteParticipant", "InviteResponseId", "ModifiedOn"},
				Expand: []odata.Expand{who},
			})
	}
	return queries
}

// learn reports whether a reading failed because of something that can be done without, and that was not known before: the
// site's activities have no location, or the addresses of contacts cannot be read together with the participants.
func (s *Side) learn(answers []creatio.Answer) bool {
	learned := false
	for i, a := range answers {
		switch {
		case a.Err == nil:
		case i%2 == 1:
			learned = learned || s.setFlat()
		case creatio.FaultCode(a.Err) == "unknown-column" && !s.hasNoLocation():
			s.setNoLocation(true)
			learned = true
		}
	}
	return learned
}

// readEmails reads the addresses of participants by themselves. Where they may not be read, the one that the contact shows has
// to do.
func (s *Side) readEmails(ctx context.Context, found []*activityRow) error {
	var ids []string
	for _, a := range found {
		for _, p := range a.participants {
			ids = append(ids, p.contact)
		}
	}
	var queries []odata.Query
	for chunk := range slices.Chunk(creatio.NormalIDs(ids), creatio.MaxListed) {
		queries = append(queries, odata.Query{
			Set: "ContactCommunication", Select: []string{"Id", "ContactId", "Number", "CommunicationTypeId", "NonActual"},
			Filter: odata.And(odata.In("Contact/Id", creatio.Guids(chunk)), odata.Eq("CommunicationType/Id", odata.Guid(creatio.TypeEmail))),
		})
	}
	answers, err := s.site.Read(ctx, queries)
	if err != nil {
		return err
	}
	emails := map[string][]string{}
	for _, a := range answers {
		for _, r := range a.Rows {
			emails[r.Lookup("ContactId")] = append(emails[r.Lookup("ContactId")], emailsOf([]odata.Row{r})...)
		}
	}
	for _, a := range found {
		for i, p := range a.participants {
			a.participants[i].emails = distinctAddresses(slices.Concat(p.emails, emails[p.contact]))
		}
	}
	return nil
}

func (s *Side) isFlat() bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.flat
}

// setFlat reports whether it was not so before.
func (s *Side) setFlat() bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	was := s.flat
	s.flat = true
	return !was
}

func (s *Side) hasNoLocation() bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.noLocation
}

func (s *Side) setNoLocation(is bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.noLocation = s.noLocation || is
}

// activitiesOf puts the answers to contentQueries together.
func (s *Side) activitiesOf(answers []creatio.Answer) []*activityRow {
	byID := map[string]*activityRow{}
	var out []*activityRow
	for i, a := range answers {
		for _, r := range a.Rows {
			if i%2 == 0 {
				is := s.activityOf(r)
				byID[is.id] = is
				out = append(out, is)
			} else if of := byID[r.Lookup("ActivityId")]; of != nil {
				of.participants = append(of.participants, participantOf(r))
			}
		}
	}
	return out
}

func (s *Side) activityOf(r odata.Row) *activityRow {
	return &activityRow{
		id: r.Lookup("Id"), title: r.Text("Title"), notes: r.Text("Notes"), location: r.Text("Location"), start: r.Time("StartDate"), due: r.Time("DueDate"),
		remind: r.Bool("RemindToOwner"), remindAt: r.Time("RemindToOwnerDate"), owner: r.Lookup("OwnerId"), organizer: r.Lookup("OrganizerId"),
		author: r.Lookup("AuthorId"), typeID: r.Lookup("TypeId"), status: r.Lookup("StatusId"), zone: s.directory().zones[r.Lookup("TimeZoneId")],
		show: r.Bool("ShowInScheduler"), created: r.Time("CreatedOn"), modified: r.Time("ModifiedOn"),
	}
}

func participantOf(r odata.Row) participantRow {
	who := r.Nested("Participant")
	p := participantRow{
		row: r.Lookup("Id"), contact: r.Lookup("ParticipantId"), name: who.Text("Name"), role: r.Lookup("RoleId"), response: r.Lookup("InviteResponseId"),
		invited: r.Bool("InviteParticipant"), modified: r.Time("ModifiedOn"),
	}
	p.emails = distinctAddresses(append([]string{who.Text("Email")}, emailsOf(who.Rows("ContactCommunicationCollectionByContact"))...))
	return p
}

// emailsOf are the e-mail addresses among the communications of a contact.
func emailsOf(communications []odata.Row) []string {
	var out []string
	for _, c := range communications {
		if c.Lookup("CommunicationTypeId") == creatio.TypeEmail && !c.Bool("NonActual") {
			out = append(out, c.Text("Number"))
		}
	}
	return out
}

// latest is when the activity last changed, its participants included: their answers do not move it.
func (a *activityRow) latest() time.Time {
	at := a.modified
	for _, p := range a.participants {
		if p.modified.After(at) {
			at = p.modified
		}
	}
	return at
}
