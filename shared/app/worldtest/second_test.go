package worldtest

import (
	"fmt"
	"math/rand/v2"
	"slices"
	"testing"
	"time"

	"google.golang.org/api/people/v1"

	"github.com/tandem-sync/tandem/shared/record"
	googlebox "github.com/tandem-sync/tandem/shared/sandbox/google"
	"github.com/tandem-sync/tandem/shared/store"
	"github.com/tandem-sync/tandem/shared/syncer"
)

// couple is a world with two users who have the same contacts of Creatio on their phones, each by a tag of their own.
type couple struct {
	*world
	people []*mutual
}

// mutual is a contact that both users have.
type mutual struct {
	name string
	// title is the last one by its time; numbers are those that anybody added and nobody took away.
	title   string
	numbers []string
}

// Edits in one user's Google reach the other one's through Creatio, whatever happens to the runs of both, and nobody is there
// twice.
func TestTwo_users_of_the_same_contacts_come_to_the_same_end(t *testing.T) {
	t.Parallel()
	for seed := range uint64(max(1, *worlds/10)) {
		if *only != 0 && *only != seed+1 {
			continue
		}
		t.Run(fmt.Sprint(seed+1), func(t *testing.T) {
			t.Parallel()
			r := rand.New(rand.NewPCG(seed+1, 5))
			s := setup{chunk: []int{1, 2, 200}[r.IntN(3)]}
			switch r.IntN(4) {
			case 0:
				s.google = googlebox.Options{WriteVisibility: 10 * time.Minute, StaleReads: 10 * time.Minute}
			case 1:
				s.google = googlebox.Options{WriteVisibility: 90 * time.Second, StaleReads: 10 * time.Second}
			}
			inWorld(t, seed+1, s, func(w *world) {
				c := &couple{world: w}
				c.begin()
				for range 3 {
					c.round()
				}
				c.rest()
				c.look()
			})
		})
	}
}

func (c *couple) users() []member { return []member{c.member, c.second} }

func (c *couple) begin() {
	for range 2 {
		c.add()
	}
	time.Sleep(time.Minute)
	c.rest()
}

// add makes a contact in Creatio that both users tag.
func (c *couple) add() {
	f := c.folk
	id := f.inCreatio(false)
	for _, m := range c.users() {
		f.must(c.creatio.As(m.login).Insert("ContactInTag", map[string]any{"TagId": m.tag, "EntityId": id}))
	}
	c.people = append(c.people, &mutual{name: f.nameInCreatio(id), title: f.jobTitle(id)})
}

// round is a while in which people edit on any of the three sides, and runs of both users, one after the other or at once.
func (c *couple) round() {
	for _, p := range c.people {
		// Which of two titles is the later one is told by when the records changed, be it for another value: numbers have
		// rounds of their own.
		titles := c.rng.IntN(2) == 0
		for range 1 + c.rng.IntN(3) {
			if c.rng.IntN(4) > 0 {
				c.edit(p, titles)
			}
			time.Sleep(time.Duration(1+c.rng.IntN(7)) * time.Minute)
			if c.rng.IntN(3) == 0 {
				c.run(c.users()[c.rng.IntN(2)], nil)
			}
		}
	}
	if c.rng.IntN(3) == 0 {
		c.add()
	}
	if c.rng.IntN(2) == 0 {
		c.sameInBoth()
	}
	for range 1 + c.rng.IntN(3) {
		first := c.rng.IntN(2)
		a, b := c.users()[first], c.users()[1-first]
		if c.rng.IntN(2) == 0 {
			later := time.Duration(c.rng.IntN(1500)) * time.Millisecond
			script := c.script()
			c.aside.Go(func() {
				time.Sleep(later)
				c.run(b, script)
			})
		}
		c.run(a, c.script())
		c.aside.Wait()
		time.Sleep([]time.Duration{time.Second, 2 * time.Minute, 11 * time.Minute, 26 * time.Hour}[c.rng.IntN(4)])
	}
	// Until both have what one wrote, another edit would compete with it.
	c.rest()
}

func (c *couple) script() map[place]mishap {
	script := map[place]mishap{}
	if c.rng.IntN(3) == 0 {
		ways := []mishap{diesAfter, diesBefore, lostAfter, brokenAfter, broken, busy, late, expired}
		name := string(record.Sides[c.rng.IntN(2)])
		if c.rng.IntN(2) == 0 {
			name += writes
		}
		script[place{name, 1 + c.rng.IntN(4)}] = ways[c.rng.IntN(len(ways))]
	}
	return script
}

// edit has somebody write a title or a number, where they are.
func (c *couple) edit(p *mutual, titles bool) {
	f := c.folk
	f.whom = p.name
	where := c.rng.IntN(3)
	var ids []string
	if where == 2 {
		ids = f.holders(record.Creatio, p.name)
	} else {
		for _, q := range c.google.Account(c.users()[where].email).People() {
			if nameInGoogle(q) == p.name {
				ids = append(ids, q.ResourceName)
			}
		}
	}
	if len(ids) != 1 {
		return
	}
	title, number := "", ""
	if titles {
		title = f.value("Job %04d")
		p.title = title
	} else {
		number = f.value("+1202555%04d")
		p.numbers = append(p.numbers, number)
	}
	c.write("somebody writes %s%s of %s at %d", title, number, p.name, where)
	if where == 2 {
		if title != "" {
			f.must("", c.creatio.As("Ada").Update("Contact", ids[0], map[string]any{"JobTitle": title}))
		} else {
			f.insert("ContactCommunication", map[string]any{"ContactId": ids[0], "CommunicationTypeId": phoneTypes["home"], "Number": number})
		}
		return
	}
	account := c.google.Account(c.users()[where].email)
	account.Edit(ids[0], func(q *people.Person) {
		if title != "" {
			organization(q).Title = title
		} else {
			q.PhoneNumbers = append(q.PhoneNumbers, &people.PhoneNumber{Value: number, Type: "home"})
		}
	})
}

// sameInBoth has both users add one person at about the same time.
func (c *couple) sameInBoth() {
	f := c.folk
	name, email := f.family(), fmt.Sprintf("both%04d@example.com", f.made)
	given, title := f.given(), f.value("Job %04d")
	for _, m := range c.users() {
		account := c.google.Account(m.email)
		id := account.Add(&people.Person{
			Names: []*people.Name{{GivenName: given, FamilyName: name}}, EmailAddresses: []*people.EmailAddress{{Value: email, Type: "home"}},
			Organizations: []*people.Organization{{Title: title}},
		})
		for _, g := range account.Groups() {
			if g.Name == "Creatio" {
				account.AddToGroup(id, g.ResourceName)
			}
		}
		time.Sleep(time.Duration(c.rng.IntN(90)) * time.Second)
	}
	c.people = append(c.people, &mutual{name: name, title: title})
}

// run makes one run of a user.
func (c *couple) run(m member, script map[place]mishap) (syncer.Outcome, store.Run) {
	p := c.newProcess(script)
	p.who = m
	c.write("%s begins a run of %s; planned %v", p.name, m.login, script)
	out, err := p.run(syncer.TriggerSchedule)
	r, _ := c.store.User(m.user).Run(c.t.Context(), out.Run)
	c.write("%s ends %s %s: %v; met %v; changes %+v; problems %+v", p.name, out.Status, out.Reason, err, p.met, r.Changes, r.Problems)
	if out.Status == syncer.Reconnect {
		c.relink(m)
	}
	return out, r
}

// rest lets runs of both users follow each other until neither has anything to do.
func (c *couple) rest() {
	for i, quiet := 0, 0; quiet < 4; i++ {
		time.Sleep(map[bool]time.Duration{true: 25 * time.Hour, false: 30 * time.Minute}[i == 1])
		quiet++
		for _, m := range c.users() {
			if out, r := c.run(m, nil); out.Status != syncer.Done || len(r.Changes) > 0 {
				quiet = 0
			}
		}
		if i == 12 {
			c.t.Errorf("after %d runs of both the world is not at rest", i)
			return
		}
	}
}

// look finds what is wrong: who is there twice or not at all, and what differs from what was written last.
func (c *couple) look() {
	for _, p := range c.people {
		all := map[string][]string{"creatio": {}}
		for _, id := range c.folk.holders(record.Creatio, p.name) {
			all["creatio"] = append(all["creatio"], c.folk.holds(record.Creatio, id, jobTitle))
			for _, n := range p.numbers {
				c.singly("creatio", p.name, n, c.creatio.System().Rows("ContactCommunication", map[string]any{"ContactId": id, "Number": n}))
			}
		}
		for _, m := range c.users() {
			all[m.login] = nil
			for _, q := range c.google.Account(m.email).People() {
				if nameInGoogle(q) != p.name {
					continue
				}
				all[m.login] = append(all[m.login], organization(q).Title)
				for _, n := range p.numbers {
					same := slices.DeleteFunc(slices.Clone(q.PhoneNumbers), func(x *people.PhoneNumber) bool { return x.Value != n })
					singly(c, m.login, p.name, n, same)
				}
			}
		}
		for where, titles := range all {
			if len(titles) != 1 || titles[0] != p.title {
				c.t.Errorf("%s has %s with the titles %q; the last one was %q", where, p.name, titles, p.title)
			}
		}
	}
	c.tame()
}

func (c *couple) singly(where, name, number string, rows []map[string]any) {
	singly(c, where, name, number, rows)
}

func singly[T any](c *couple, where, name, number string, entries []T) {
	if len(entries) != 1 {
		c.t.Errorf("%s has %s of %s %d times", where, number, name, len(entries))
	}
}
