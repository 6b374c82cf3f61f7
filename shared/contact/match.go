package contact

import (
	"slices"
	"strings"

	"github.com/tandem-sync/tandem/shared/match"
	"github.com/tandem-sync/tandem/shared/record"
)

// The reasons by which two contacts are found to be one, strongest first.
const (
	ByEmail match.Reason = "e-mail"
	ByPhone match.Reason = "phone"
	ByName  match.Reason = "name and company"
)

// Match are the rules by which contacts that have no link yet are found to be the same person.
var Match = match.Rules{
	Levels: []match.Level{
		{Reason: ByEmail, Keys: emailKeys},
		// A switchboard's number, or the family's: two names that contradict are two people, and a family has one surname.
		{Reason: ByPhone, Keys: phoneKeys, Possible: compatible, Agree: agree},
		{Reason: ByPhone, Keys: namedNumberKeys, Possible: compatible, Agree: agree},
		{Reason: ByName, Keys: nameKeys},
	},
	SameName:   sameName,
	Contradict: contradict,
}

func compatible(a, b record.Fields) bool { return !contradict(a, b) }

func agree(a, b record.Fields) bool { return !diverge(a, b) }

func emailKeys(it match.Item) []string {
	var keys []string
	for _, e := range it.Fields[Emails] {
		keys = append(keys, EmailKey(e.Text))
	}
	return unique(keys)
}

func phoneKeys(it match.Item) []string { return numberKeys(it.Fields[Phones]) }

func numberKeys(numbers []record.Entry) []string {
	var keys []string
	for _, e := range numbers {
		if key := SubscriberKey(e.Text); key != "" {
			keys = append(keys, key)
		}
	}
	return unique(keys)
}

// namedNumberKeys are the numbers under any label, each with the name: a fax or a switchboard is shared by many, of whom
// hardly two have one name.
func namedNumberKeys(it match.Item) []string {
	name := nameTokens(it.Fields)
	if len(name) < 2 {
		return nil
	}
	numbers := numberKeys(slices.Concat(it.Fields[Phones], it.Untracked[Phones]))
	for i := range numbers {
		numbers[i] = strings.Join(name, " ") + "|" + numbers[i]
	}
	return numbers
}

func nameKeys(it match.Item) []string {
	name, company := nameTokens(it.Fields), record.Fold(it.Fields.Text(Company))
	if len(name) < 2 || company == "" {
		return nil
	}
	return []string{strings.Join(name, " ") + "|" + company}
}

func unique(keys []string) []string {
	slices.Sort(keys)
	return slices.Compact(keys)
}
