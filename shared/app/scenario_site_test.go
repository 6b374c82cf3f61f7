package app_test

import (
	"regexp"
	"slices"
	"strings"
)

// siteStatements are what administrators, and the site itself, do.
var siteStatements = []struct {
	form *regexp.Regexp
	do   func(s *story, m []string)
}{
	{regexp.MustCompile(`^(account|department|title|job|country) "(.+)"$`), func(s *story, m []string) {
		lists := map[string]string{"account": "Account", "department": "Department", "title": "ContactSalutationType", "job": "Job", "country": "Country"}
		s.system("insert", lists[m[1]], "", columns{"Name": m[2]})
	}},
	{regexp.MustCompile(`^rename account "(.+)" to "(.+)"$`), func(s *story, m []string) {
		s.system("update", "Account", s.listed("Account", m[1]), map[string]any{"Name": m[2]})
	}},
	{regexp.MustCompile(`^delete account "(.+)"$`), func(s *story, m []string) { s.system("delete", "Account", s.listed("Account", m[1]), nil) }},
	{regexp.MustCompile(`^region "(.+)" in "(.+)"$`), func(s *story, m []string) {
		s.system("insert", "Region", "", columns{"Name": m[1], "CountryId": s.listed("Country", m[2])})
	}},
	{regexp.MustCompile(`^city "(.+?)" in (?:"(.+)", )?"(.+)"$`), func(s *story, m []string) {
		values := columns{"Name": m[1], "CountryId": s.listed("Country", m[3])}
		if m[2] != "" {
			values["RegionId"] = s.listed("Region", m[2])
		}
		s.system("insert", "City", "", values)
	}},
	{regexp.MustCompile(`^(private|corporate|public) tag "(.+)"$`), func(s *story, m []string) {
		s.row("Ada", "ContactTag", columns{"Name": m[2], "TypeId": s.listed("TagType", title(m[1]))})
	}},
	{regexp.MustCompile(`^private Freedom UI tag "(.+)"$`), func(s *story, m []string) {
		s.row("Ada", "Tag", columns{"Name": m[1], "TagAccessId": myTag, "EntitySchemaName": "Contact"})
	}},
	{regexp.MustCompile(`^rename tag "(.+)" to "(.+)"$`), func(s *story, m []string) {
		s.system("update", s.tagSet(m[1]), s.tagNamed(m[1]), columns{"Name": m[2]})
	}},
	{regexp.MustCompile(`^delete tag "(.+)"$`), func(s *story, m []string) { s.system("delete", s.tagSet(m[1]), s.tagNamed(m[1]), nil) }},
	{regexp.MustCompile(`^make tag "(.+)" (private|corporate|public)$`), func(s *story, m []string) {
		values := columns{"TypeId": s.listed("TagType", title(m[2]))}
		if s.tagSet(m[1]) == "Tag" {
			access := map[string]string{"private": "My tag", "corporate": "Corporate tag", "public": "Public tag"}
			values = columns{"TagAccessId": s.listed("TagAccess", access[m[2]])}
		}
		s.system("update", s.tagSet(m[1]), s.tagNamed(m[1]), values)
	}},
	{regexp.MustCompile(`^merge (.+) into (.+)$`), func(s *story, m []string) { s.mergeContacts(m[1], m[2]) }},
	{regexp.MustCompile(`^Ada may (no longer|again) read the numbers of (.+)$`), func(s *story, m []string) {
		for _, row := range s.creatio.System().Rows("ContactCommunication", columns{"ContactId": s.contactNamed(m[2])}) {
			if id := row["Id"].(string); m[1] == "again" {
				s.creatio.AllowRecord("Ada", "ContactCommunication", id, "read")
			} else {
				s.creatio.DenyRecord("Ada", "ContactCommunication", id, "read")
			}
		}
	}},
	{regexp.MustCompile(`^Ada may (no longer|again) (read|insert|update|delete) the object "(.+)"$`), func(s *story, m []string) {
		if m[1] == "again" {
			s.creatio.Allow("Ada", m[3], m[2])
		} else {
			s.creatio.Deny("Ada", m[3], m[2])
		}
	}},
	{regexp.MustCompile(`^Ada may (no longer|again) read the (account|department|title|job|city|region|country) "(.+)"$`), func(s *story, m []string) {
		lists := map[string]string{
			"account": "Account", "department": "Department", "title": "ContactSalutationType", "job": "Job", "city": "City", "region": "Region", "country": "Country",
		}
		if id := s.listed(lists[m[2]], m[3]); m[1] == "again" {
			s.creatio.AllowRecord("Ada", lists[m[2]], id, "read")
		} else {
			s.creatio.DenyRecord("Ada", lists[m[2]], id, "read")
		}
	}},
	{regexp.MustCompile(`^Ada may (no longer|again) (read|update) (.+)$`), func(s *story, m []string) {
		id := s.contactNamed(m[3])
		if m[1] == "again" {
			s.creatio.AllowRecord("Ada", "Contact", id, m[2])
		} else {
			s.creatio.DenyRecord("Ada", "Contact", id, m[2])
		}
	}},
	{regexp.MustCompile(`^Ada withdraws her consent$`), func(s *story, _ []string) { s.creatio.RevokeGrant("Ada") }},
}

func title(word string) string { return strings.ToUpper(word[:1]) + word[1:] }

// system writes a row as the site itself.
func (s *story) system(how, entity, id string, values columns) {
	s.t.Helper()
	var err error
	switch how {
	case "insert":
		_, err = s.creatio.System().Insert(entity, values)
	case "update":
		err = s.creatio.System().Update(entity, id, values)
	default:
		err = s.creatio.System().Delete(entity, id)
	}
	if err != nil {
		s.t.Fatalf("%s %s %v: %v", how, entity, values, err)
	}
}

// listed is the id of a row of one of the site's lists.
func (s *story) listed(list, name string) string {
	s.t.Helper()
	rows := s.creatio.System().Rows(list, columns{"Name": name})
	if len(rows) == 0 {
		s.t.Fatalf("%s has no %q", list, name)
	}
	return rows[0]["Id"].(string)
}

// tagSet is the entity of a tag.
func (s *story) tagSet(name string) string {
	if len(s.creatio.System().Rows("Tag", columns{"Name": name})) > 0 {
		return "Tag"
	}
	return "ContactTag"
}

func (s *story) tagNamed(name string) string {
	s.t.Helper()
	return s.listed(s.tagSet(name), name)
}

// mergeContacts does what the search for duplicates of a site does: details and tags move, and what the other one has and
// this one lacks; the other one is deleted.
func (s *story) mergeContacts(from, into string) {
	s.t.Helper()
	loser, winner := s.contactNamed(from), s.contactNamed(into)
	site := s.creatio.System()
	for _, set := range []string{"ContactCommunication", "ContactAddress"} {
		for _, r := range site.Rows(set, columns{"ContactId": loser}) {
			s.system("update", set, r["Id"].(string), columns{"ContactId": winner})
		}
	}
	have := s.tagsOf(winner)
	for _, tag := range s.tagsOf(loser) {
		if !slices.Contains(have, tag) {
			s.putTag(winner, tag)
		}
	}
	values := columns{}
	old, now := site.Get("Contact", loser), site.Get("Contact", winner)
	for _, column := range []string{"JobTitle", "Notes", "AccountId", "DepartmentId"} {
		if now[column] == "" && old[column] != "" {
			values[column] = old[column]
		}
	}
	s.system("update", "Contact", winner, values)
	s.system("delete", "Contact", loser, nil)
}
