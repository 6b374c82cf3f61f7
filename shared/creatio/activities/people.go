package activities

import (
	"context"
	"maps"
	"slices"
	"strings"

	"github.com/tandem-sync/tandem/shared/activity"
	"github.com/tandem-sync/tandem/shared/creatio"
	"github.com/tandem-sync/tandem/shared/odata"
	"github.com/tandem-sync/tandem/shared/record"
)

// responses are the rows of the site's list of responses by the answers that they are.
var responses = map[string]string{
	activity.Accepted: responseConfirmed, activity.Declined: responseDeclined, activity.Tentative: responseInDoubt,
}

// answer is the answer of a response; empty for none, and for one that a site has made itself.
func answer(response string) string {
	for word, id := range responses {
		if id == response {
			return word
		}
	}
	return ""
}

// learnAccounts asks for the linked accounts of contacts and of addresses, of each once. Where users can be read, only they have
// any.
func (s *Side) learnAccounts(ctx context.Context, contacts, addresses []string) error {
	if s.o.Accounts == nil {
		return nil
	}
	people := s.directory()
	contacts = slices.DeleteFunc(slices.Clone(contacts), func(c string) bool { return people != nil && !people.closed && !people.users[c].works() })
	contacts, addresses = s.unasked(contacts), s.unasked(addresses)
	if len(contacts)+len(addresses) == 0 {
		return nil
	}
	found, err := s.o.Accounts(ctx, contacts, addresses)
	if err != nil {
		return err
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, a := range found {
		s.accounts[strings.ToLower(a.Contact)] = a.Email
	}
	for _, one := range slices.Concat(contacts, addresses) {
		s.asked[one] = true
	}
	return nil
}

// unasked are those of contacts or addresses that nobody has asked for.
func (s *Side) unasked(list []string) []string {
	s.mu.Lock()
	defer s.mu.Unlock()
	var out []string
	for _, one := range list {
		if one = strings.ToLower(strings.TrimSpace(one)); !s.asked[one] {
			out = append(out, one)
		}
	}
	return creatio.Unique(out)
}

// account is the linked account of a contact; empty for none.
func (s *Side) account(contact string) string {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.accounts[contact]
}

func (s *Side) linked() map[string]string {
	s.mu.Lock()
	defer s.mu.Unlock()
	return maps.Clone(s.accounts)
}

// isUser reports whether a contact is a user to whose calendar activities go. Where users cannot be read, only those are known
// who have linked a Google account.
func (s *Side) isUser(contact string) bool {
	people := s.directory()
	return people.users[contact].works() || people.closed && s.account(contact) != ""
}

// goes reports whether a participant goes to Google. Users of the site's portal never do.
func (s *Side) goes(p person) bool {
	invited := s.o.Guests == GuestsInvited && p.Invited && p.Contact != "" && !s.directory().users[p.Contact].Portal
	return s.isUser(p.Contact) || invited
}

// address is the one by which a participant goes to Google: that of the linked account, else of the user's own row, else the
// only one of the contact. It is empty for none, or where it is not known which.
func (s *Side) address(p person) string {
	if linked := s.account(p.Contact); linked != "" {
		return linked
	}
	if unit := s.directory().users[p.Contact]; unit.Email != "" {
		return unit.Email
	}
	if len(p.Emails) == 1 {
		return p.Emails[0]
	}
	return ""
}

// entry is a participant of an activity as the field shows it.
func (s *Side) entry(d state, p person) record.Entry {
	return record.Entry{Kind: d.answerOf(p), Text: s.address(p)}
}

// answerOf is a participant's answer. The site has the owner of every activity be in doubt.
func (n state) answerOf(p person) string {
	if p.Contact == n.Owner && p.Response == responseInDoubt {
		return ""
	}
	return answer(p.Response)
}

// has reports whether an address is one of a participant's.
func (s *Side) has(p person, address string) bool {
	all := append([]string{s.account(p.Contact), s.directory().users[p.Contact].Email}, p.Emails...)
	return slices.ContainsFunc(all, func(one string) bool { return one != "" && strings.EqualFold(one, strings.TrimSpace(address)) })
}

// contactsBy are the contacts with an e-mail address, by that address in lower case.
type contactsBy map[string][]person

// addressQueries ask for the contacts with e-mail addresses.
func addressQueries(addresses []string) []odata.Query {
	var out []odata.Query
	for chunk := range slices.Chunk(creatio.Unique(addresses), creatio.MaxListedTwice) {
		out = append(out, odata.Query{
			Set: "ContactCommunication", Select: []string{"Id", "ContactId", "Number"}, Expand: []odata.Expand{{Name: "Contact", Select: []string{"Name"}}},
			Filter: odata.And(
				odata.Eq("CommunicationType/Id", odata.Guid(creatio.TypeEmail)),
				odata.Or(odata.In("Number", creatio.Texts(chunk)), odata.In("SearchNumber", creatio.Texts(chunk)))),
		})
	}
	return out
}

func readContactsBy(answers []creatio.Answer) contactsBy {
	out := contactsBy{}
	for _, a := range answers {
		for _, r := range a.Rows {
			p := person{Contact: r.Lookup("ContactId"), Name: r.Nested("Contact").Text("Name"), Emails: []string{strings.TrimSpace(r.Text("Number"))}}
			key := strings.ToLower(p.Emails[0])
			if !slices.ContainsFunc(out[key], func(q person) bool { return q.Contact == p.Contact }) {
				out[key] = append(out[key], p)
			}
		}
	}
	return out
}

// contactsWith are the contacts and the users who have one of the addresses.
func (s *Side) contactsWith(by contactsBy, addresses []string) []string {
	var out []string
	for _, found := range by {
		for _, p := range found {
			out = append(out, p.Contact)
		}
	}
	if people := s.directory(); people != nil {
		for contact, u := range people.users {
			if u.works() && slices.ContainsFunc(addresses, func(a string) bool { return strings.EqualFold(a, u.Email) }) {
				out = append(out, contact)
			}
		}
	}
	return creatio.NormalIDs(out)
}

// find is the one contact with an address: a user before others. Where several have it, nobody knows whose it is. No address is
// nobody's: users of whom the site knows none do not share it.
func (s *Side) find(by contactsBy, address string) (person, bool) {
	key := strings.ToLower(strings.TrimSpace(address))
	if key == "" {
		return person{}, false
	}
	var users []person
	add := func(p person) {
		if !slices.ContainsFunc(users, func(q person) bool { return q.Contact == p.Contact }) {
			users = append(users, p)
		}
	}
	for contact, email := range s.linked() {
		if strings.EqualFold(email, key) && s.isUser(contact) {
			add(person{Contact: contact, Emails: []string{email}})
		}
	}
	for contact, u := range s.directory().users {
		if u.works() && strings.EqualFold(u.Email, key) {
			add(person{Contact: contact, Emails: []string{u.Email}})
		}
	}
	found := by[key]
	for _, p := range found {
		if s.isUser(p.Contact) {
			add(p)
		}
	}
	switch {
	case len(users) == 1:
		return users[0], true
	case len(users) == 0 && len(found) == 1:
		return found[0], true
	default:
		return person{}, false
	}
}

// Colleagues are the users of the site by their contacts, as they are known; Closed says that the site does not let them be
// read.
func (s *Side) Colleagues(ctx context.Context) (users map[string]Colleague, closed bool, err error) {
	if err := s.readDirectory(ctx); err != nil {
		return nil, false, err
	}
	d := s.directory()
	return d.users, d.closed, nil
}

// UserZone is the code of the user's time zone: their own, else the site's default; empty where neither is known.
func (s *Side) UserZone(ctx context.Context) (string, error) {
	if err := s.readDirectory(ctx); err != nil {
		return "", err
	}
	return s.directory().zoneOf(s.o.User.ContactID), nil
}

func (s *Side) readDirectory(ctx context.Context) error {
	if s.directory() != nil {
		return nil
	}
	_, _, err := s.readActivities(ctx, nil, nil, 0)
	return err
}
