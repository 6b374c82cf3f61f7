package contacts

import (
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/tandem-sync/tandem/shared/contact"
	"github.com/tandem-sync/tandem/shared/creatio"
	"github.com/tandem-sync/tandem/shared/odata"
	"github.com/tandem-sync/tandem/shared/record"
	"github.com/tandem-sync/tandem/shared/richtext"
)

// The lengths of Creatio's text columns. A longer value is cut, since the site would refuse the whole record.
const (
	maxName    = 250
	maxText    = 250
	maxAddress = 500
	maxZip     = 50
)

// planned is what one operation comes to: the writes in their order, and the contact as it is after them.
type planned struct {
	writes []creatio.Write
	fields record.Fields
	state  state
	// rows are the ids of the rows that are made, by field.
	rows        map[string][]string
	projections []record.Projection
	notes       []record.Note
}

// planner turns one operation into writes. Details go before the columns of the contact: the site mirrors a detail in
// the contact's columns, and the columns written last find what they say there already.
type planner struct {
	op    record.Operation
	state state
	names creatio.Names
	// taken are ids that rows elsewhere have.
	taken map[string]bool

	columns map[string]any
	deletes []creatio.Write
	changes []creatio.Write
	inserts []creatio.Write
	out     planned
}

// planContact plans the creation or the change of a contact. It is pure.
func planContact(op record.Operation, have state, names creatio.Names, taken map[string]bool) planned {
	p := &planner{op: op, state: have.sorted(), names: names, taken: taken, columns: map[string]any{}}
	p.out.fields, p.out.rows = op.Before.Clone(), map[string][]string{}
	changed := map[string]bool{}
	for _, f := range op.Changed {
		changed[f] = true
	}
	for _, f := range contact.Schema {
		if changed[f.Name] {
			p.field(f)
		}
	}
	named := changed[contact.GivenName] || changed[contact.MiddleName] || changed[contact.Surname]
	if named || p.stood() != "" || op.Action == record.Create {
		p.name()
	}
	return p.finish()
}

func (p *planner) field(f record.Field) {
	switch f.Name {
	case contact.Emails, contact.Phones, contact.Websites:
		p.communications(f)
	case contact.Addresses:
		p.addresses(f)
	case contact.Skype:
		p.skype()
	case contact.Birthday:
		p.birthday()
	case contact.Notes:
		p.noteText()
	case contact.JobTitle:
		p.jobTitle()
	case contact.Company:
		p.lookup(f.Name, "AccountId", accounts)
	case contact.Salutation:
		p.lookup(f.Name, "SalutationTypeId", salutations)
	case contact.Department:
		p.lookup(f.Name, "DepartmentId", departments)
	}
}

// plainColumns are those that the insertion of a contact carries. The others come behind its details: the site takes the name
// apart that it requires, and makes a row of a birthday by itself where it finds none.
var plainColumns = []string{"SalutationTypeId", "JobId", "JobTitle", "DepartmentId", "AccountId", "Notes"}

func (p *planner) finish() planned {
	if p.op.Action == record.Create {
		body := map[string]any{"Id": p.op.ID, "Name": p.displayName(nil)}
		for _, column := range plainColumns {
			if value, set := p.columns[column]; set {
				body[column] = value
				delete(p.columns, column)
			}
		}
		p.out.writes = append(p.out.writes, creatio.Write{Method: "POST", Set: "Contact", Body: body})
	}
	p.out.writes = append(p.out.writes, p.deletes...)
	p.out.writes = append(p.out.writes, p.changes...)
	p.out.writes = append(p.out.writes, p.inserts...)
	if len(p.columns) > 0 {
		p.out.writes = append(p.out.writes, creatio.Write{Method: "PATCH", Set: "Contact", ID: p.op.ID, Body: p.columns})
	}
	p.out.fields = contact.Schema.Clean(p.out.fields)
	p.out.state = p.state
	return p.out
}

// project notes that the contact shows one value in another's place.
func (p *planner) project(field string, canonical, displayed record.Entry) {
	f, _ := contact.Schema.Field(field)
	if f.Same(canonical, displayed) || f.Set && f.Empty(canonical) {
		return
	}
	p.out.projections = append(p.out.projections, record.Projection{Field: field, Canonical: canonical, Displayed: displayed})
}

func (p *planner) note(field, code, message, action string) {
	p.out.notes = append(p.out.notes, record.Note{Field: field, Code: code, Message: message, Action: action})
}

// set is the outcome of a single field: what shows, for what was asked.
func (p *planner) set(field, displayed string) {
	p.out.fields.SetText(field, displayed)
	p.project(field, p.op.After.One(field), record.Entry{Text: displayed})
}

// fit cuts a text to a column's length, between two characters, and says so.
func (p *planner) fit(field, text string, limit int) string {
	text = strings.TrimSpace(text)
	short := record.Cut(text, limit)
	if short != text {
		f, _ := contact.Schema.Field(field)
		p.note(field, "cut", "Creatio has no room for all of “"+f.Label+"”; the end is missing there.",
			"Shorten the text, or leave it: the full text stays in Google.")
	}
	return short
}

// fitWhole leaves out a text that is longer than its column, and says so: a part of an address leads elsewhere, and a part
// of a number is another number.
func (p *planner) fitWhole(f record.Field, text string, limit int) string {
	text = strings.TrimSpace(text)
	if record.Length(text) > limit {
		p.note(f.Name, "too-long", "Creatio has no room for an entry of “"+f.Label+"” that is so long, so it is missing there.",
			"Shorten it, or leave it: it stays in Google.")
		return ""
	}
	return text
}

// rowID derives the id of a new row, so that a repeated insertion is a duplicate and not a second row. have are the ids of the rows
// that the contact has already.
func (p *planner) rowID(field, key string, have map[string]bool) string {
	for n := 0; ; n++ {
		id := creatio.DeriveID(p.op.ID, field, key, p.op.Link, strconv.Itoa(n))
		if !p.taken[id] && !have[strings.ToLower(id)] {
			p.out.rows[field] = append(p.out.rows[field], id)
			return id
		}
	}
}

// idsOf are the ids of rows.
func idsOf(rows []row) map[string]bool {
	out := make(map[string]bool, len(rows))
	for _, r := range rows {
		out[strings.ToLower(r.ID)] = true
	}
	return out
}

// lookup links the row whose name was asked for, where there is exactly one. Nothing is created and nothing that
// was linked is given up for a name that the site does not know.
func (p *planner) lookup(field, column string, list string) {
	want := strings.TrimSpace(p.op.After.Text(field))
	if want == "" {
		p.columns[column] = odata.Null
		p.set(field, "")
		return
	}
	if was := p.op.Before.Text(field); creatio.NameKey(was) == creatio.NameKey(want) {
		// The list's spelling of it.
		p.set(field, was)
		return
	}
	rows := p.names.Find(list, want)
	if len(rows) == 1 {
		p.columns[column] = rows[0].ID
		p.set(field, rows[0].Name)
		return
	}
	p.set(field, p.op.Before.Text(field))
	switch {
	case field == contact.Company && len(rows) > 1:
		p.note(field, "several-accounts", "Creatio has several accounts named “"+want+"”, so none was linked.",
			"Link the right account in Creatio.")
	case field == contact.Company:
		p.note(field, "no-account", "Creatio has no account named “"+want+"”, so none was linked.",
			"Create the account in Creatio and link it, if you want it there.")
	case field == contact.Salutation:
		p.note(field, "no-salutation", "Creatio's list of titles does not have “"+want+"” exactly once.",
			"Add it to the list in Creatio, if you want it there.")
	default:
		p.note(field, "no-department", "Creatio's list of departments does not have “"+want+"” exactly once.",
			"Add it to the list in Creatio, if you want it there.")
	}
}

// jobTitle writes the free text, and links the job of that name where there is exactly one. Another job stays linked,
// being the site's own classification, except where it alone would keep showing the title that was taken away.
func (p *planner) jobTitle() {
	want := p.fit(contact.JobTitle, p.op.After.Text(contact.JobTitle), maxText)
	p.columns["JobTitle"] = want
	if rows := p.names.Find(jobs, want); want != "" && len(rows) == 1 && !slices.Contains(p.state.Hidden, contact.JobTitle) && !strings.EqualFold(rows[0].Name, p.state.Job) {
		p.columns["JobId"] = rows[0].ID
		p.state.Job = rows[0].Name
	}
	if want == "" && p.state.Job != "" {
		if strings.EqualFold(p.state.Job, p.op.Before.Text(contact.JobTitle)) {
			p.columns["JobId"] = odata.Null
			p.state.Job = ""
		}
		want = p.state.Job
	}
	p.set(contact.JobTitle, want)
}

// noteText writes the notes in the form that they had.
func (p *planner) noteText() {
	stored := richtext.Rewrite(p.op.After.Text(contact.Notes), p.op.Before.Text(contact.Notes), p.state.HTML)
	p.columns["Notes"] = stored
	p.state.HTML = richtext.IsHTML(stored)
	p.set(contact.Notes, richtext.Plain(stored))
}

// firstYear is the first one that every database of Creatio can store (SQL Server's datetime begins there).
const firstYear = 1753

// noYear is what the user is told of a birthday that Creatio cannot hold.
func noYear(day string) (code, message, action string) {
	if _, ok := contact.ParseBirthday(day); !ok {
		return "no-date", "Creatio holds a birthday only as a whole date.", "Write the date in Google, or leave it: what is there stays in Google."
	}
	if strings.HasPrefix(day, "--") {
		return "no-year", "Creatio cannot hold a birthday without its year.", "Add the year, or leave it: the day stays in Google."
	}
	return "no-date", "Creatio cannot hold a birthday before the year " + strconv.Itoa(firstYear) + ".",
		"Correct the year, or leave it: the day stays in Google."
}

// birthday writes the column and the rows of the detail together: one that was left would bring the old day back. A
// birthday without a year cannot be held: the date that was there stays.
func (p *planner) birthday() {
	want := p.op.After.Text(contact.Birthday)
	if want == "" {
		p.columns["BirthDate"] = odata.Null
		for _, id := range p.state.Birthdays {
			p.deletes = append(p.deletes, creatio.Write{Method: "DELETE", Set: "ContactAnniversary", ID: id})
		}
		p.state.Birthdays = nil
		p.set(contact.Birthday, "")
		return
	}
	date, err := time.Parse(time.DateOnly, want)
	if err != nil || date.Year() < firstYear {
		p.set(contact.Birthday, p.op.Before.Text(contact.Birthday))
		code, message, action := noYear(want)
		p.note(contact.Birthday, code, message, action)
		return
	}
	stamp := date.Format(time.RFC3339)
	for _, id := range p.state.Birthdays {
		p.changes = append(p.changes, creatio.Write{Method: "PATCH", Set: "ContactAnniversary", ID: id, Body: map[string]any{"Date": stamp}})
	}
	if len(p.state.Birthdays) == 0 {
		id := p.rowID(contact.Birthday, "", nil)
		p.state.Birthdays = []string{id}
		p.inserts = append(p.inserts, creatio.Write{Method: "POST", Set: "ContactAnniversary", Body: map[string]any{
			"Id": id, "ContactId": p.op.ID, "AnniversaryTypeId": anniversaryBirthday, "Date": stamp,
		}})
	}
	p.columns["BirthDate"] = stamp
	p.set(contact.Birthday, want)
}
