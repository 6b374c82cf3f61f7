package people

import (
	"context"
	"fmt"
	"slices"
	"strings"

	"github.com/tandem-sync/tandem/shared/contact"
	"github.com/tandem-sync/tandem/shared/record"
)

// Candidates finds the user's contacts, in the group or not, that share an e-mail address, a number or a name with one
// of like. Google's own search is late, finds thirty at most and only by their beginnings, so the whole list is read
// once in a run (https://developers.google.com/people/v1/contacts#search_the_users_contacts).
//
// A record that has none of the three can have a contact of its own only where Tandem made it. Like such a one,
// every contact that has none of them either and carries a mark is a candidate.
func (s *Side) Candidates(ctx context.Context, like []record.Record) ([]record.Record, error) {
	if len(like) == 0 {
		return nil, nil
	}
	everybody, err := s.everybody(ctx)
	if err != nil {
		return nil, fmt.Errorf("find candidates: %w", err)
	}
	wanted, marks := map[string]bool{}, map[string]bool{}
	bare := false
	for _, r := range like {
		keys := keysOf(r.Fields)
		bare = bare || len(keys) == 0
		for _, k := range keys {
			wanted[k] = true
		}
		if r.Mark != "" {
			marks[r.Mark] = true
		}
	}
	var out []record.Record
	for _, r := range everybody {
		if r.Gone {
			continue
		}
		keys := keysOf(r.Fields)
		if slices.ContainsFunc(keys, func(k string) bool { return wanted[k] }) || marks[r.Mark] || (bare && len(keys) == 0 && r.Mark != "") {
			out = append(out, r)
		}
	}
	return out, nil
}

// everybody is the list of the user's contacts, read once.
func (s *Side) everybody(ctx context.Context) ([]record.Record, error) {
	group := s.membership()
	s.mu.Lock()
	known := s.known
	s.mu.Unlock()
	if known != nil {
		return known, nil
	}
	found, err := s.connections(ctx, group, "", false)
	if err != nil {
		return nil, err
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	s.known = append([]record.Record{}, found.records...)
	return s.known, nil
}

// keysOf are the marks by which two records may be known for one.
func keysOf(f record.Fields) []string {
	var keys []string
	for _, e := range f[contact.Emails] {
		keys = append(keys, "e"+contact.EmailKey(e.Text))
	}
	for _, e := range f[contact.Phones] {
		number, _, _ := strings.Cut(contact.PhoneKey(e.Text), ";")
		keys = append(keys, "p"+number)
		if key := contact.SubscriberKey(e.Text); key != "" {
			keys = append(keys, "d"+key)
		}
	}
	given, middle, surname := f.Text(contact.GivenName), f.Text(contact.MiddleName), f.Text(contact.Surname)
	for _, name := range []string{given + " " + middle + " " + surname, given + " " + surname} {
		words := strings.Fields(record.Fold(name))
		slices.Sort(words)
		if len(words) > 0 {
			keys = append(keys, "n"+strings.Join(words, " "))
		}
	}
	return keys
}
