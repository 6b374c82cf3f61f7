package activities

import (
	"cmp"
	"encoding/json"
	"slices"
	"time"

	"github.com/tandem-sync/tandem/shared/activity"
	"github.com/tandem-sync/tandem/shared/record"
)

// state is what is kept of an activity to write it without reading it again: the columns that its content does not tell, and
// the rows of its participants.
type state struct {
	Start time.Time `json:"start"`
	Due   time.Time `json:"due"`
	// Days are the days that the instants were taken for, as the field has them; empty for none.
	Days string `json:"days,omitempty"`
	// Remind is when the owner is reminded; zero for never.
	Remind    time.Time `json:"remind,omitzero"`
	Owner     string    `json:"owner,omitempty"`
	Organizer string    `json:"org,omitempty"`
	Status    string    `json:"status,omitempty"`
	// Former is the status that the activity had before Tandem cancelled it.
	Former string `json:"former,omitempty"`
	// Zone is the code of the activity's own zone.
	Zone string `json:"zone,omitempty"`
	// HTML says that the notes are HTML.
	HTML bool `json:"html,omitempty"`
	// Hidden says that it does not show in the calendar, or is an e-mail.
	Hidden bool `json:"hidden,omitempty"`
	// People are the participants, by contact.
	People []person `json:"people,omitempty"`
}

// person is one row of the participants.
type person struct {
	Row      string `json:"id"`
	Contact  string `json:"c,omitempty"`
	Name     string `json:"n,omitempty"`
	Response string `json:"r,omitempty"`
	Invited  bool   `json:"i,omitempty"`
	// Emails are all addresses of the contact.
	Emails []string `json:"e,omitempty"`
}

func readState(raw json.RawMessage) (state, error) {
	var n state
	if len(raw) == 0 {
		return n, nil
	}
	err := json.Unmarshal(raw, &n)
	return n, err
}

func (n state) encode() json.RawMessage {
	// Strings, times of this age and flags always encode.
	raw, _ := json.Marshal(n)
	return raw
}

// sorted is the state with the people in the order of their contacts, however their rows were found, and each of them once.
func (n state) sorted() state {
	n.People = slices.Clone(n.People)
	slices.SortFunc(n.People, func(a, b person) int { return cmp.Or(cmp.Compare(a.Contact, b.Contact), cmp.Compare(a.Row, b.Row)) })
	n.People = slices.CompactFunc(n.People, func(a, b person) bool { return a.Contact == b.Contact })
	return n
}

// hasPart reports whether a contact takes part.
func (n state) hasPart(contact string) bool {
	return slices.ContainsFunc(n.People, func(p person) bool { return p.Contact == contact })
}

// Once tells a new event the activity's own time zone.
func (s *Side) Once(adapterState json.RawMessage) record.Fields {
	out := record.Fields{}
	if n, err := readState(adapterState); err == nil {
		out.SetText(activity.Zone, n.Zone)
	}
	return out
}

// Organizer is the colleague who organizes an activity and takes part in it; empty for the user, and where it is nobody.
func (s *Side) Organizer(adapterState json.RawMessage) string {
	n, err := readState(adapterState)
	who := n.Organizer
	if err != nil || who == s.o.User.ContactID || who != n.Owner && !n.hasPart(who) {
		return ""
	}
	if people := s.directory(); people != nil && !people.closed && !people.users[who].works() {
		return ""
	}
	return who
}

// TakesPart reports whether an active user owns an activity or takes part in it, by the user's contact.
func (s *Side) TakesPart(adapterState json.RawMessage, contact string) bool {
	n, err := readState(adapterState)
	people := s.directory()
	return err == nil && (n.Owner == contact || n.hasPart(contact)) && (people == nil || people.closed || people.users[contact].works())
}

// Tells of participants who are to go to Google and of whom no address is known, or not which.
func (s *Side) Tells(adapterState json.RawMessage) []record.Note {
	n, err := readState(adapterState)
	if err != nil || s.directory() == nil {
		return nil
	}
	var out []record.Note
	for _, p := range n.People {
		if p.Contact == s.o.User.ContactID || !s.goes(p) || s.address(p) != "" {
			continue
		}
		name, what := cmp.Or(p.Name, "A participant"), "has no e-mail address in Creatio"
		if len(p.Emails) > 0 {
			what = "has several e-mail addresses in Creatio, and none of them is that of a user"
		}
		out = append(out, record.Note{
			Field: activity.Attendees, Code: "no-address", Message: name + " " + what + ", so Tandem cannot invite this participant in Google.",
			Action: "Leave one e-mail address with the contact, or have the colleague link a Google account with Tandem.",
		})
	}
	return out
}

// HasRow reports whether an activity has a participant in a row of that id.
func (s *Side) HasRow(adapterState json.RawMessage, id string) bool {
	n, err := readState(adapterState)
	return err == nil && slices.ContainsFunc(n.People, func(p person) bool { return p.Row == id })
}
