// Package contacts is Creatio's side of the synchronization of contacts: a user's private tags, and the contacts that
// carry one of them.
//
// Its invariants:
//
//   - A tag moves contacts only while it is private and made by the user; that is verified in every reading.
//   - A contact is never deleted, its owner and type are never changed, and only columns and rows that differ are written.
//   - What Tandem has no word for, as other types of communications, is neither shown nor touched.
//   - Rows that are inserted have ids derived from what they are, so that a repeated insertion is seen as one.
//   - What a plan says that a contact will show is what the next reading shows; where Creatio cannot hold a value, that is
//     told.
package contacts

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"strings"
	"sync"
	"time"

	"github.com/google/uuid"

	"github.com/tandem-sync/tandem/shared/creatio"
	"github.com/tandem-sync/tandem/shared/fault"
	"github.com/tandem-sync/tandem/shared/odata"
	"github.com/tandem-sync/tandem/shared/record"
)

// Side are the contacts under one private tag of one user. It is made for one run.
type Side struct {
	site *creatio.Site
	tagging
	user creatio.User

	// Culture, where not nil, finds the user's culture, which is not known. It is called before a contact is read, once.
	Culture func(context.Context) (string, error)
	home    sync.RWMutex

	taken      creatio.TakenIDs
	colleagues colleagues
	mailboxes  mailboxes
}

// New opens the contacts under a tag. Whether the tag is the user's own private one is for every Scan to see.
func New(site *creatio.Site, tag Tag, user creatio.User) *Side {
	return &Side{site: site, tagging: taggingOf(tag), user: user}
}

// Prepare gives the scope's lasting id. A tag is made by its user and by nobody else.
func (s *Side) Prepare(context.Context) (string, error) { return s.tag.ID, nil }

// Chosen is true: the user chooses the tag.
func (s *Side) Chosen() bool { return true }

// Site is the address of the site, whose contacts all of its users share.
func (s *Side) Site() string { return s.site.URL() }

// Home is the country of the user's culture.
func (s *Side) Home() string {
	s.home.RLock()
	defer s.home.RUnlock()
	return s.user.Region()
}

// learnCulture finds the user's culture where it is not known. A user linked before it was kept; whoever has nothing to synchronize
// does not need it.
func (s *Side) learnCulture(ctx context.Context) error {
	s.home.Lock()
	defer s.home.Unlock()
	if s.Culture == nil {
		return nil
	}
	culture, err := s.Culture(ctx)
	if err != nil {
		return fmt.Errorf("find the user's culture: %w", err)
	}
	s.user.Culture, s.Culture = culture, nil
	return nil
}

// Ahead is how far the site's clock is ahead of this one.
func (s *Side) Ahead() time.Duration { return s.site.Ahead() }

// creations is the name space of the ids of contacts that Tandem makes.
var creations = uuid.MustParse("7d3f0c52-6d0b-5a5e-9a53-1f6d2f6f4d10")

// NewID is the id of a contact that is to be made: the same for the same seed, at every attempt.
func (s *Side) NewID(seed string) string { return uuid.NewSHA1(creations, []byte(seed)).String() }

// cursor is where the next window starts.
type cursor struct {
	Watermark time.Time `json:"watermark"`
	Tag       string    `json:"tag"`
	// Count is the number of the tag's links: a link that was removed leaves no other trace.
	Count int `json:"count"`
	// Thorough is when all details were last read.
	Thorough time.Time `json:"thorough"`
	// Reads tells what was read of a contact then: with more to read, everybody has to be read again.
	Reads int `json:"reads"`
}

// reads is raised with everything more that is read of a contact.
const reads = 2

// Scan reads what changed since the cursor. With nothing changed it is one request.
func (s *Side) Scan(ctx context.Context, raw json.RawMessage) (record.Delta, error) {
	start := s.site.Now()
	if len(raw) == 0 {
		return s.scanAll(ctx, start)
	}
	var from cursor
	if err := json.Unmarshal(raw, &from); err != nil || from.Watermark.IsZero() || from.Reads != reads || !strings.EqualFold(from.Tag, s.tag.ID) {
		return record.Delta{}, fault.New(fault.FullSync, creatio.Side, "cursor", errors.New("scan contacts: the cursor is not one of this tag and of these fields"))
	}
	answers, err := s.site.Read(ctx, s.window(from.Watermark))
	if err != nil {
		return record.Delta{}, err
	}
	if gone, err := s.scopeGone(answers[0]); gone || err != nil {
		return record.Delta{ScopeGone: gone, Cursor: raw}, err
	}
	if accounts := &answers[len(answers)-1]; fault.Is(accounts.Err, fault.ReadOnly) || fault.Is(accounts.Err, fault.Misconfigured) {
		// Who may not read accounts does not see their names.
		accounts.Err, accounts.Rows = nil, nil
	}
	for _, a := range answers {
		if a.Err != nil {
			return record.Delta{}, creatio.Required(a.Err)
		}
	}
	next := cursor{Watermark: s.site.Watermark(start), Tag: s.tag.ID, Count: answers[1].Total, Thorough: from.Thorough, Reads: reads}
	delta := record.Delta{Touched: s.touched(answers[2:])}
	all := next.Watermark.Sub(from.Thorough) >= creatio.Patience(s.tag.ID, from.Thorough)
	if all || next.Count != from.Count || len(answers[2].Rows) > 0 {
		members, count, err := s.members(ctx)
		if err != nil {
			return record.Delta{}, err
		}
		delta.Members, next.Count = members, count
		if all {
			delta.Touched, next.Thorough = creatio.Unique(append(delta.Touched, members...)), next.Watermark
		}
	}
	delta.Cursor, err = json.Marshal(next)
	return delta, err
}

// Relist is a cursor that has the next Scan list the members wherever the number of links is not the one that the run
// itself left.
func (s *Side) Relist(raw json.RawMessage, by int) json.RawMessage {
	var at cursor
	if json.Unmarshal(raw, &at) != nil {
		return raw
	}
	at.Count += by
	next, err := json.Marshal(at)
	if err != nil {
		return raw
	}
	return next
}

// window asks for everything that tells of a change: the tag itself, the number of its links, links that are new,
// contacts that changed, and rows of details and accounts that did. The latter do not move their contact's time of change.
func (s *Side) window(since time.Time) []odata.Query {
	changed := odata.Ge("ModifiedOn", odata.DateTime(since))
	queries := []odata.Query{
		s.verify(),
		{Set: s.set, Select: []string{"Id"}, Filter: s.links(), Count: true, Top: 1},
		{Set: s.set, Select: []string{"Id", s.contact}, Filter: s.links(odata.Or(odata.Ge("CreatedOn", odata.DateTime(since)), changed))},
		{Set: "Contact", Select: []string{"Id"}, Filter: changed},
		{Set: "ContactCommunication", Select: []string{"Id", "ContactId"}, Filter: changed},
		{Set: "ContactAddress", Select: []string{"Id", "ContactId"}, Filter: changed},
		{Set: "ContactAnniversary", Select: []string{"Id", "ContactId"}, Filter: changed},
		{Set: "Contact", Select: []string{"Id"}, Filter: odata.Ge("Account/ModifiedOn", odata.DateTime(since))},
	}
	if s.tag.Kind == Classic {
		queries[3] = odata.Query{
			Set: s.set, Select: []string{"Id", s.contact}, Filter: s.links(odata.Ge("Entity/ModifiedOn", odata.DateTime(since))),
		}
		queries[7] = odata.Query{
			Set: s.set, Select: []string{"Id", s.contact}, Filter: s.links(odata.Ge("Entity/Account/ModifiedOn", odata.DateTime(since))),
		}
	}
	return queries
}

// touched are the contacts that the rows of a window speak of.
func (s *Side) touched(answers []creatio.Answer) []string {
	changed := "Id"
	if s.tag.Kind == Classic {
		changed = s.contact
	}
	var ids []string
	for i, column := range []string{s.contact, changed, "ContactId", "ContactId", "ContactId", changed} {
		for _, r := range answers[i].Rows {
			ids = append(ids, r.Lookup(column))
		}
	}
	return creatio.NormalIDs(ids)
}

// scopeGone reads the tag's own row. Only a list without it tells that the tag is gone.
func (s *Side) scopeGone(tag creatio.Answer) (bool, error) {
	return tag.Err == nil && !s.holds(tag.Rows, s.user.ContactID), creatio.Required(tag.Err)
}

// members lists the contacts under the tag, and counts its links.
func (s *Side) members(ctx context.Context) ([]string, int, error) {
	answers, err := s.site.ReadAll(ctx, []odata.Query{{Set: s.set, Select: []string{"Id", s.contact}, Filter: s.links()}})
	if err != nil {
		return nil, 0, err
	}
	return s.linked(answers[0].Rows), len(answers[0].Rows), nil
}

// linked are the contacts of links; never nil, since no members are not the same as not knowing them.
func (s *Side) linked(rows []odata.Row) []string {
	ids := make([]string, 0, len(rows))
	for _, r := range rows {
		ids = append(ids, r.Lookup(s.contact))
	}
	return creatio.NormalIDs(ids)
}

// scanAll reads every contact under the tag with its content.
func (s *Side) scanAll(ctx context.Context, start time.Time) (record.Delta, error) {
	answers, err := s.site.Read(ctx, []odata.Query{
		s.verify(), {Set: s.set, Select: s.linkColumns(), Filter: s.links()},
	})
	if err != nil {
		return record.Delta{}, err
	}
	if gone, err := s.scopeGone(answers[0]); gone || err != nil {
		return record.Delta{ScopeGone: gone}, err
	}
	if err := answers[1].Err; err != nil {
		return record.Delta{}, creatio.Required(err)
	}
	delta := record.Delta{Members: s.linked(answers[1].Rows)}
	tagged, count := s.tagged(answers[1].Rows), len(answers[1].Rows)
	answers = nil
	err = s.eachTagged(ctx, delta.Members, func(people []*person) {
		for _, p := range people {
			p.member, p.tagged = true, tagged[p.id]
			delta.Records = append(delta.Records, record.Pack(p.record()))
		}
	})
	if err != nil {
		return record.Delta{}, err
	}
	mark := s.site.Watermark(start)
	delta.Cursor, err = json.Marshal(cursor{Watermark: mark, Tag: s.tag.ID, Count: count, Thorough: mark, Reads: reads})
	return delta, err
}

// Fetch reads contacts by id, those that are under the tag and others.
func (s *Side) Fetch(ctx context.Context, ids []string) ([]record.Record, error) {
	ids = creatio.NormalIDs(ids)
	if len(ids) == 0 {
		return nil, nil
	}
	there := map[string]bool{}
	records := make([]record.Record, 0, len(ids))
	err := s.eachPerson(ctx, ids, s.linksOf, func(people []*person, links []odata.Row) {
		tagged := s.tagged(links)
		for _, p := range people {
			there[p.id] = true
			p.tagged, p.member = tagged[p.id], !tagged[p.id].IsZero()
			records = append(records, p.record())
		}
	})
	if err != nil {
		return nil, err
	}
	for _, id := range ids {
		if !there[id] {
			records = append(records, record.Record{ID: id, Gone: true})
		}
	}
	return records, nil
}

// linkColumns are those of the tag's links by which contacts are read.
func (s *Side) linkColumns() []string {
	return []string{"Id", s.contact, "CreatedOn", "ModifiedOn"}
}

// tagged is when each contact was last put under the tag. A link without a time is a link all the same.
func (s *Side) tagged(links []odata.Row) map[string]time.Time {
	out := map[string]time.Time{}
	for _, r := range links {
		id := strings.ToLower(r.Lookup(s.contact))
		for _, at := range []time.Time{r.Time("CreatedOn"), r.Time("ModifiedOn"), time.Unix(0, 0)} {
			if at.After(out[id]) {
				out[id] = at
			}
		}
	}
	return out
}

// linksOf asks for the links of the tag to some contacts.
func (s *Side) linksOf(ids []string) odata.Query {
	return odata.Query{Set: s.set, Select: s.linkColumns(), Filter: s.links(odata.In(s.path, creatio.Guids(ids)))}
}
