package google

import (
	"encoding/json"
	"maps"
	"slices"
	"strings"

	"google.golang.org/api/people/v1"
)

// Account is what a person does, and sees, in the Google Contacts of one account. Groups are named by resource name or
// by the name that the person gave them.
//
// Where a method reports whether it did something, false is a contact or a group that is not there.
type Account struct {
	s   *Server
	key string
}

// with runs something with the address book; an account that a Load took away has an empty one.
func (a *Account) with(do func(*book)) {
	a.s.mu.Lock()
	defer a.s.mu.Unlock()
	found := a.s.state.Accounts[a.key]
	if found == nil {
		found = &account{Book: newBook("", a.s.o.Now())}
	}
	do(found.Book)
}

// Add makes a contact, and gives its resource name: the person's own, where that is free. A contact that is in no group
// that there is goes to My Contacts.
func (a *Account) Add(p *people.Person) (resourceName string) {
	a.with(func(b *book) {
		fields, groups := written(p)
		name := p.ResourceName
		if !isPerson(name) || name == "people/me" {
			name = ""
		}
		resourceName = a.s.add(b, name, fields, b.resolve(groups)).Name
	})
	return resourceName
}

// resolve are the resource names of the groups that are there.
func (b *book) resolve(groups []string) []string {
	var out []string
	for _, name := range groups {
		if g := b.either(name); g != nil && !slices.Contains(out, g.Name) {
			out = append(out, g.Name)
		}
	}
	return out
}

// either is a group by its resource name or by its own.
func (b *book) either(name string) *group {
	if g := b.group(name); g != nil {
		return g
	}
	return b.named(name)
}

// on does something to a contact that is there.
func (a *Account) on(resourceName string, do func(*book, *contact)) (done bool) {
	a.with(func(b *book) {
		if c := b.find(resourceName); c != nil {
			do(b, c)
			done = true
		}
	})
	return done
}

// Edit changes a contact: its own entries and its groups. The function may not call the server.
func (a *Account) Edit(resourceName string, edit func(*people.Person)) bool {
	return a.on(resourceName, func(b *book, c *contact) {
		p := c.person(a.s.base)
		edit(p)
		fields, groups := written(p)
		a.s.put(b, c, version{Content: fields, Groups: b.resolve(groups), Photo: c.now().Photo})
	})
}

// written is what a person writes of a contact. A picture is given by SetPhoto: its address gives none.
func written(p *people.Person) (content, []string) {
	fields, groups := contentOf(p)
	delete(fields, "photos")
	return fields, groups
}

// Delete moves a contact to the trash.
func (a *Account) Delete(resourceName string) bool {
	return a.on(resourceName, func(b *book, c *contact) { a.s.remove(b, c) })
}

// Restore takes a contact out of the trash, as it was.
func (a *Account) Restore(resourceName string) (done bool) {
	a.with(func(b *book) {
		c := b.Contacts[resourceName]
		if done = c != nil && c.now().Deleted; done {
			a.s.change(b, c, func(v *version) { v.Deleted, v.Groups = false, b.resolve(v.Groups) })
			b.forget(resourceName)
		}
	})
	return done
}

// forget makes a resource name one contact's own again.
func (b *book) forget(name string) {
	if c := b.former[name]; c != nil {
		c.Previous = slices.DeleteFunc(slices.Clone(c.Previous), func(p string) bool { return p == name })
		delete(b.former, name)
	}
}

// Merge makes one contact out of two: into has then what both had, and the resource name of from leads to it.
func (a *Account) Merge(into, from string) (done bool) {
	a.with(func(b *book) {
		c, other := b.find(into), b.find(from)
		if done = c != nil && other != nil && c != other; !done {
			return
		}
		second := other.now()
		a.s.remove(b, other)
		c.Previous = slices.Concat(c.Previous, other.Previous, []string{other.Name})
		b.index()
		a.s.change(b, c, func(v *version) {
			v.Groups = union(v.Groups, second.Groups)
			if v.Photo == nil {
				v.Photo = second.Photo
			}
			for name, list := range second.Content {
				if slices.Contains(singletons, name) && len(v.Content[name]) > 0 {
					continue
				}
				v.Content[name] = together(v.Content[name], list)
			}
		})
	})
	return done
}

// together are the entries of both, each once, with the first one's choice of what is primary.
func together(first, second []item) []item {
	out := slices.Clone(first)
	for _, it := range second {
		it = maps.Clone(it)
		if len(first) > 0 {
			delete(it, "metadata")
		}
		if !slices.ContainsFunc(out, func(have item) bool {
			have = maps.Clone(have)
			delete(have, "metadata")
			return encode(have) == encode(it)
		}) {
			out = append(out, it)
		}
	}
	return out
}

// Rename gives a contact another resource name, as happens when a field that ties it to a profile comes or goes.
func (a *Account) Rename(resourceName string) (renamed string) {
	a.on(resourceName, func(b *book, c *contact) {
		next := *c
		old := c.Name
		delete(b.Contacts, old)
		next.Name = "people/c" + subjectOf(old)[1:19]
		next.Previous = append(slices.Clone(c.Previous), old)
		b.Contacts[next.Name] = &next
		b.index()
		a.s.change(b, &next, func(*version) {})
		renamed = next.Name
	})
	return renamed
}

// SetProfile says what the profile of the contact's own Google account adds to it. It is the other person's doing: the
// contact itself does not change.
func (a *Account) SetProfile(resourceName string, p *people.Person) bool {
	return a.on(resourceName, func(b *book, c *contact) {
		b.Seq++
		c.Profile, _ = contentOf(p)
		c.ProfileSeq = b.Seq
	})
}

// person is a contact as its user sees it.
func (c *contact) person(base string) *people.Person {
	at := c.now()
	at.Seq = 0
	raw := encode(c.render(at, view{mask: readable, sources: []string{"READ_SOURCE_TYPE_CONTACT"}, base: base}))
	var p people.Person
	// What was rendered for the generated types decodes into them.
	_ = json.Unmarshal([]byte(raw), &p)
	now := c.now()
	p.Etag = c.etag(now)
	if len(p.Metadata.Sources) > 0 {
		p.Metadata.Sources[0].Etag = sourceEtag(now)
	}
	p.Metadata.PreviousResourceNames = slices.Clone(c.Previous)
	return &p
}

// People are the contacts, by resource name.
func (a *Account) People() []*people.Person {
	var out []*people.Person
	a.with(func(b *book) {
		for _, c := range b.live() {
			out = append(out, c.person(a.s.base))
		}
	})
	return out
}

// Person is one contact, with its entries in the order in which they were written; nil where it is not there.
func (a *Account) Person(resourceName string) (p *people.Person) {
	a.on(resourceName, func(_ *book, c *contact) { p = c.person(a.s.base) })
	return p
}

// Groups are the groups that the person made, by name.
func (a *Account) Groups() []*people.ContactGroup {
	var out []*people.ContactGroup
	a.with(func(b *book) {
		counts := b.counts(b.Seq)
		for _, g := range b.Groups {
			if g.System || g.Deleted {
				continue
			}
			out = append(out, &people.ContactGroup{
				ResourceName: g.Name, Name: g.Title, FormattedName: g.Title, GroupType: "USER_CONTACT_GROUP", MemberCount: int64(counts[g.Name]),
				Etag: tag('=', g.Seq, 0),
			})
		}
	})
	slices.SortFunc(out, func(x, y *people.ContactGroup) int { return strings.Compare(x.Name, y.Name) })
	return out
}

// CreateGroup makes a group, and gives its resource name; that of the group of that name, where there is one.
func (a *Account) CreateGroup(name string) (resourceName string) {
	a.with(func(b *book) {
		g := b.named(name)
		if g == nil {
			g = a.s.newGroup(b, name)
		}
		resourceName = g.Name
	})
	return resourceName
}

// RenameGroup gives a group another name.
func (a *Account) RenameGroup(group, name string) (done bool) {
	a.with(func(b *book) {
		g := b.either(group)
		if done = g != nil && !g.System && (b.named(name) == nil || b.named(name) == g); done {
			g.Title = strings.TrimSpace(name)
			a.s.touch(b, g)
		}
	})
	return done
}

// DeleteGroup deletes a group and keeps its contacts.
func (a *Account) DeleteGroup(group string) (done bool) {
	a.with(func(b *book) {
		if g := b.either(group); g != nil && !g.System {
			a.s.removeGroup(b, g)
			done = true
		}
	})
	return done
}

// AddToGroup puts a contact into a group.
func (a *Account) AddToGroup(resourceName, group string) bool {
	return a.move(resourceName, group, a.s.join)
}

// RemoveFromGroup takes a contact out of a group. Out of its last one it is still among the person's own.
func (a *Account) RemoveFromGroup(resourceName, group string) bool {
	return a.move(resourceName, group, a.s.leave)
}

func (a *Account) move(resourceName, group string, how func(*book, *contact, string)) (done bool) {
	a.on(resourceName, func(b *book, c *contact) {
		if g := b.either(group); g != nil {
			how(b, c, g.Name)
			done = true
		}
	})
	return done
}

// Members are the resource names of the contacts in a group, sorted.
func (a *Account) Members(group string) []string {
	var out []string
	a.with(func(b *book) {
		if g := b.either(group); g != nil {
			for _, c := range b.members(g.Name) {
				out = append(out, c.Name)
			}
		}
	})
	return out
}
