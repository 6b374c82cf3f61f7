package google

import (
	"cmp"
	"encoding/base64"
	"fmt"
	"maps"
	"slices"
	"strconv"
	"strings"
	"time"
)

// book is an account's address book. Every change has a number, and sync tokens are such numbers.
type book struct {
	Owner string
	// Seq is the number of the last change.
	Seq int64
	// Made counts what got an id.
	Made     int
	Contacts map[string]*contact // by resource name
	Groups   map[string]*group   // by resource name
	// Epoch ends sync tokens of earlier ones.
	Epoch int
	// Full is when full lists were begun lately.
	Full []time.Time
	// Searched is the change up to which the search knows the contacts.
	Searched int64

	// former leads from former resource names to contacts.
	former map[string]*contact
}

// contact is one contact with as much of its past as may still be shown.
type contact struct {
	Name string
	// Source is the id of the contact's own source, which stays when the resource name changes.
	Source   string
	Previous []string `json:",omitempty"`
	// Born is the number of the change that made it.
	Born     int64
	Versions []version
	// Profile is what the profile of the person's own account adds; it belongs to that person.
	Profile    content `json:",omitempty"`
	ProfileSeq int64   `json:",omitempty"`
}

// version is a contact after a change. What it holds is never changed in place.
type version struct {
	Seq     int64
	At      time.Time
	Content content
	Groups  []string
	Photo   *photo `json:",omitempty"`
	Deleted bool   `json:",omitempty"`
}

// group is a contact group, which the user knows as a label.
type group struct {
	Name       string
	System     bool             `json:",omitempty"`
	Title      string           // the name as it is shown
	ClientData []map[string]any `json:",omitempty"`
	Seq        int64
	Updated    time.Time
	Deleted    bool `json:",omitempty"`
}

const (
	myContacts = "contactGroups/myContacts"
	starred    = "contactGroups/starred"
)

// systemGroups are those that every account has, and how English shows them.
var systemGroups = map[string]string{
	"myContacts": "My Contacts", "starred": "Starred", "friends": "Friends", "family": "Family", "coworkers": "Coworkers",
	"chatBusy": "Chat contacts", "all": "All Contacts", "blocked": "Blocked",
}

func newBook(owner string, now time.Time) *book {
	b := &book{Owner: owner, Contacts: map[string]*contact{}, Groups: map[string]*group{}}
	for name := range systemGroups {
		b.Groups["contactGroups/"+name] = &group{Name: "contactGroups/" + name, System: true, Title: name, Updated: now}
	}
	b.index()
	return b
}

// index finds contacts by their former names.
func (b *book) index() {
	b.former = map[string]*contact{}
	for _, c := range b.Contacts {
		for _, name := range c.Previous {
			b.former[name] = c
		}
	}
}

func (c *contact) now() version { return c.Versions[len(c.Versions)-1] }

// find is the contact that goes by a name, or once did; nil where there is none or it was deleted.
func (b *book) find(name string) *contact {
	for _, c := range []*contact{b.Contacts[name], b.former[name]} {
		if c != nil && !c.now().Deleted {
			return c
		}
	}
	return nil
}

// upTo is the contact after the change of that number. Of a past that is not known any more the oldest is shown.
func (c *contact) upTo(seq int64) (version, bool) {
	if c.Born > seq {
		return version{}, false
	}
	for _, v := range slices.Backward(c.Versions) {
		if v.Seq <= seq {
			return v, true
		}
	}
	return c.Versions[0], true
}

// shown is the number of the last change that was made before a time.
func (b *book) shown(before time.Time) int64 {
	last := b.Seq
	for _, c := range b.Contacts {
		for _, v := range c.Versions {
			if v.At.After(before) {
				last = min(last, v.Seq-1)
			}
		}
	}
	return last
}

// id makes a number that looks like one of Google's.
func (b *book) id(kind string) uint64 {
	b.Made++
	return hash64(kind, b.Owner, strconv.Itoa(b.Made)) >> 1
}

// add makes a contact; name may be empty.
func (s *Server) add(b *book, name string, fields content, groups []string) *contact {
	id := b.id("contact")
	if name == "" || b.Contacts[name] != nil || b.former[name] != nil {
		name = fmt.Sprintf("people/c%d", id)
	}
	c := &contact{Name: name, Source: strconv.FormatUint(id, 16), Born: b.Seq + 1}
	b.Contacts[name] = c
	s.put(b, c, version{Content: fields, Groups: groups})
	return c
}

// put makes a new version of a contact, and forgets those that nobody can see any more.
func (s *Server) put(b *book, c *contact, v version) {
	now := s.o.Now()
	b.Seq++
	v.Seq, v.At = b.Seq, now
	if len(v.Groups) == 0 && !v.Deleted {
		v.Groups = []string{myContacts}
	}
	seen := now.Add(-max(s.o.WriteVisibility, s.o.StaleReads, s.o.StaleGroups))
	for len(c.Versions) > 1 && !c.Versions[1].At.After(seen) {
		c.Versions = c.Versions[1:]
	}
	c.Versions = append(slices.Clone(c.Versions), v)
}

// change makes a new version out of the last one.
func (s *Server) change(b *book, c *contact, do func(*version)) {
	v := c.now()
	v.Content, v.Groups = maps.Clone(v.Content), slices.Clone(v.Groups)
	if v.Content == nil {
		v.Content = content{}
	}
	do(&v)
	s.put(b, c, v)
}

func (s *Server) remove(b *book, c *contact) {
	s.change(b, c, func(v *version) { v.Deleted = true })
}

func (s *Server) join(b *book, c *contact, group string) {
	if !slices.Contains(c.now().Groups, group) {
		s.change(b, c, func(v *version) { v.Groups = append(v.Groups, group) })
	}
}

func (s *Server) leave(b *book, c *contact, group string) {
	if slices.Contains(c.now().Groups, group) {
		s.change(b, c, func(v *version) {
			v.Groups = slices.DeleteFunc(v.Groups, func(g string) bool { return g == group })
		})
	}
}

// members are the contacts in a group, by name.
func (b *book) members(group string) []*contact { return b.membersUpTo(group, b.Seq) }

// live are the contacts that are there, by name.
func (b *book) live() []*contact {
	var out []*contact
	for _, c := range b.Contacts {
		if !c.now().Deleted {
			out = append(out, c)
		}
	}
	slices.SortFunc(out, func(x, y *contact) int { return cmp.Compare(x.Name, y.Name) })
	return out
}

// sourceEtag is the version of what the user wrote; it comes in the metadata of the source.
func sourceEtag(v version) string { return tag('#', v.Seq, 0) }

// etag is the version of the whole person, the profile included.
func (c *contact) etag(v version) string { return tag('%', v.Seq, c.ProfileSeq) }

func tag(kind byte, seq, more int64) string {
	return string(kind) + base64.StdEncoding.EncodeToString(fmt.Appendf(nil, "%08x.%x", seq, more))
}

func (b *book) group(name string) *group {
	if g := b.Groups[name]; g != nil && !g.Deleted {
		return g
	}
	return nil
}

// named is the group of a name, as the user sees it.
func (b *book) named(title string) *group {
	for _, g := range b.Groups {
		if !g.Deleted && (sameName(g.Title, title) || g.System && sameName(systemGroups[g.Title], title)) {
			return g
		}
	}
	return nil
}

func sameName(a, b string) bool { return strings.EqualFold(strings.TrimSpace(a), strings.TrimSpace(b)) }

func (s *Server) newGroup(b *book, title string) *group {
	g := &group{Name: fmt.Sprintf("contactGroups/%x", b.id("group")), Title: strings.TrimSpace(title)}
	b.Groups[g.Name] = g
	s.touch(b, g)
	return g
}

func (s *Server) touch(b *book, g *group) {
	b.Seq++
	g.Seq, g.Updated = b.Seq, s.o.Now()
}

// removeGroup deletes a group. Its contacts stay the user's.
func (s *Server) removeGroup(b *book, g *group) {
	for _, c := range b.members(g.Name) {
		s.leave(b, c, g.Name)
	}
	g.Deleted = true
	s.touch(b, g)
}
