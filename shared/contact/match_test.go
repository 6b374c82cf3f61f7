package contact_test

import (
	"fmt"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"github.com/tandem-sync/tandem/shared/contact"
	"github.com/tandem-sync/tandem/shared/match"
	"github.com/tandem-sync/tandem/shared/record"
	_ "github.com/tandem-sync/tandem/shared/sandbox/seed"
)

// person makes an item from "Given Surname <email> phone @company", any of it missing.
func person(given, surname, email, phone, company string) match.Item {
	f := record.Fields{}
	f.SetText(contact.GivenName, given)
	f.SetText(contact.Surname, surname)
	f.SetText(contact.Company, company)
	f.SetText(contact.Emails, email)
	f.SetText(contact.Phones, phone)
	return match.Item{Fields: f, Member: true}
}

// keeping is an item that has a number under a label that is not carried.
func keeping(number string, it match.Item) match.Item {
	it.Untracked = record.Fields{contact.Phones: {{Text: number}}}
	return it
}

func describe(r match.Result) string {
	var out []string
	for _, p := range r.Pairs {
		out = append(out, fmt.Sprintf("%d=%d %s", p.Creatio, p.Google, p.Reason))
	}
	for _, d := range r.Doubts {
		out = append(out, fmt.Sprintf("%s %d? %v %s", d.Side, d.Item, d.Candidates, d.Reason))
	}
	return strings.Join(out, ", ")
}

func TestFind(t *testing.T) {
	t.Parallel()
	type items = []match.Item
	outside := func(it match.Item) match.Item { it.Member = false; return it }
	from := func(origin string, it match.Item) match.Item { it.Origins = []string{origin}; return it }
	open := func(it match.Item) match.Item { it.Open = true; return it }
	same := func(pair string, it match.Item) match.Item { it.Same = []string{pair}; return it }
	called := func(id string, it match.Item, others ...string) match.Item {
		it.ID, it.Different = id, others
		return it
	}
	for name, tc := range map[string]struct {
		creatio, google items
		want            string
	}{
		"the same e-mail in another case": {
			items{person("Anna", "Meyer", "Anna.Meyer@Example.com", "", "")},
			items{person("A.", "Meyer", "anna.meyer@example.com", "", "")},
			"0=0 e-mail",
		},
		"one was made from the other": {
			items{from("mark", person("Anna", "Meyer", "", "", ""))},
			items{person("Anna", "Meyer", "", "", ""), from("mark", person("Anna", "Kowalski", "", "", ""))},
			"0=1 origin",
		},
		"one was made from the other, and somebody copied it": {
			items{from("mark", person("Anna", "Meyer", "", "", ""))},
			items{from("mark", person("Anna", "Meyer", "", "", "")), outside(from("mark", person("Piotr", "Zielinski", "", "", "")))},
			"0=0 origin",
		},
		"made from the other, and now somebody else": {
			items{from("mark", person("Anna", "Meyer", "", "", ""))},
			items{from("mark", person("Piotr", "Zielinski", "", "", ""))},
			"creatio 0? [0] origin, google 0? [0] origin",
		},
		"the same e-mail in two scripts": {
			items{person("Анна", "Майер", "anna@example.com", "", "")},
			items{person("Anna", "Mayer", "anna@example.com", "", "")},
			"0=0 e-mail",
		},
		"a shared mailbox is not a person": {
			items{person("Anna", "Meyer", "info@example.com", "", "")},
			items{person("Boris", "Kowalski", "info@example.com", "", "")},
			"creatio 0? [0] e-mail, google 0? [0] e-mail",
		},
		"one number, national and international": {
			items{person("Anna", "Meyer", "", "(202) 555-0143", "")},
			items{person("Anna", "Meyer", "", "+1 202 555 0143", "")},
			"0=0 phone",
		},
		"the family's telephone": {
			items{person("Anna", "Meyer", "", "+1 202 555 0143", "")},
			items{person("Piotr", "Zielinski", "", "+1 202 555 0143", "")},
			"",
		},
		"a family of one surname": {
			items{person("Anna", "Meyer", "", "+1 202 555 0143", "")},
			items{person("Bert", "Meyer", "", "+1 202 555 0143", "")},
			"creatio 0? [0] phone, google 0? [0] phone",
		},
		"the same telephone under a fuller name": {
			items{person("A.", "Meyer", "", "+1 202 555 0143", "")},
			items{person("Anna Maria", "Meyer", "", "+1 202 555 0143", "")},
			"0=0 phone",
		},
		"an extension on both sides": {
			items{person("Anna", "Meyer", "", "(202) 555-0143 ext. 12", "")},
			items{person("Anna", "Meyer", "", "+1 202 555 0143 x12", "")},
			"0=0 phone",
		},
		"a fax, and the name": {
			items{keeping("+1 202 555 0143", person("Anna", "Meyer", "", "", "")), keeping("+1 202 555 0143", person("Anna", "Kowalski", "", "", ""))},
			items{person("Anna", "Meyer", "", "202-555-0143", "")},
			"0=0 phone",
		},
		"a fax, and another name": {
			items{keeping("+1 202 555 0143", person("Anna", "Kowalski", "", "", ""))},
			items{person("Anna", "Meyer", "", "202-555-0143", "")},
			"",
		},
		"the name with the company, whatever comes first": {
			items{person("Meyer", "Anna", "", "", "Example GmbH")},
			items{person("Anna", "Meyer", "", "", "EXAMPLE GmbH")},
			"0=0 name and company",
		},
		"the name alone is too little": {
			items{person("Anna", "Meyer", "", "", "")},
			items{person("Anna", "Meyer", "", "", "")},
			"",
		},
		"two with the e-mail, one of them with the name": {
			items{person("Anna", "Meyer", "office@example.com", "", "")},
			items{person("Anna", "Meyer", "office@example.com", "", ""), person("Bert", "Meyer", "office@example.com", "", "")},
			"0=0 e-mail",
		},
		"two that nobody can tell apart": {
			items{person("Anna", "Meyer", "anna@example.com", "", "")},
			items{person("Anna", "Meyer", "anna@example.com", "", ""), person("Anna", "Meyer", "anna@example.com", "", "")},
			"creatio 0? [0 1] e-mail, google 0? [0] e-mail, google 1? [0] e-mail",
		},
		"the user says that they are two": {
			items{called("c1", from("mark", person("Anna", "Meyer", "anna@example.com", "", "")), "g1")},
			items{called("g1", from("mark", person("Anna", "Meyer", "anna@example.com", "", "")))},
			"",
		},
		"the user says that they are two, and there is another": {
			items{called("c1", person("Anna", "Meyer", "anna@example.com", "", ""))},
			items{called("g1", person("Anna", "Meyer", "anna@example.com", "", ""), "c1"), called("g2", person("Anna", "Meyer", "anna@example.com", "", ""))},
			"0=1 e-mail",
		},
		"the user says that they are one": {
			items{same("p", person("Anna", "Meyer", "", "", ""))},
			items{person("Anna", "Meyer", "", "", ""), outside(same("p", person("Piotr", "Zielinski", "", "", "")))},
			"0=1 user",
		},
		"the user has not said yet whose one of them is": {
			items{open(person("Anna", "Meyer", "anna@example.com", "", ""))},
			items{person("Anna", "Meyer", "anna@example.com", "", ""), open(person("Anna", "Meyer", "anna@example.com", "", ""))},
			"google 0? [0] e-mail",
		},
		"nor whose the other one is": {
			items{person("Anna", "Meyer", "anna@example.com", "", "")},
			items{open(person("Anna", "Meyer", "anna@example.com", "", ""))},
			"creatio 0? [0] e-mail",
		},
		"neither is in scope": {
			items{outside(person("Anna", "Meyer", "anna@example.com", "", ""))},
			items{outside(person("Anna", "Meyer", "anna@example.com", "", ""))},
			"",
		},
		"in scope on one side only": {
			items{person("Anna", "Meyer", "anna@example.com", "", "")},
			items{outside(person("Anna", "Meyer", "anna@example.com", "", ""))},
			"0=0 e-mail",
		},
		"the e-mail is asked before the telephone": {
			items{person("Anna", "Meyer", "anna@example.com", "+1 202 555 0143", "")},
			items{person("Anna", "Meyer", "", "+1 202 555 0143", ""), person("Anna", "Meyer", "anna@example.com", "", "")},
			"0=1 e-mail",
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			if diff := cmp.Diff(tc.want, describe(match.Find(contact.Match, tc.creatio, tc.google))); diff != "" {
				t.Errorf("pairs (-want +got):\n%s", diff)
			}
		})
	}
}

func TestFind_never_uses_a_record_twice(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		draw := rapid.SliceOfN(rapid.Custom(func(t *rapid.T) match.Item {
			pick := func(of ...string) string { return rapid.SampledFrom(of).Draw(t, "part") }
			it := person(pick("Anna", "Bert", ""), pick("Meyer", "Kim", ""), pick("", "a@example.com", "b@example.com"),
				pick("", "+1 202 555 0143", "+1 202 555 0144"), pick("", "Example"))
			it.Member = rapid.Bool().Draw(t, "member")
			return it
		}), 0, 8)
		creatio, google := draw.Draw(t, "creatio"), draw.Draw(t, "google")
		r := match.Find(contact.Match, creatio, google)
		c, g := map[int]bool{}, map[int]bool{}
		for _, p := range r.Pairs {
			if c[p.Creatio] || g[p.Google] {
				t.Fatalf("record used twice in %v", r.Pairs)
			}
			c[p.Creatio], g[p.Google] = true, true
			if !creatio[p.Creatio].Member && !google[p.Google].Member {
				t.Fatalf("pair %v of which neither is in scope", p)
			}
		}
		for _, d := range r.Doubts {
			if (d.Side == record.Creatio && c[d.Item]) || (d.Side == record.Google && g[d.Item]) {
				t.Fatalf("a paired record is in doubt: %+v", d)
			}
		}
		if diff := cmp.Diff(r, match.Find(contact.Match, creatio, google)); diff != "" {
			t.Fatalf("not the same the second time:\n%s", diff)
		}
	})
}
