package creatio

import (
	"context"
	"encoding/json"
	"errors"
	"hash/fnv"
	"io"
	"math"
	"slices"
	"strings"
	"time"

	"github.com/tandem-sync/tandem/shared/fault"
	"github.com/tandem-sync/tandem/shared/odata"
	"github.com/tandem-sync/tandem/shared/record"
)

// overlap is how much further back each reading looks than the one before ended: rows that were being saved then carry
// an earlier time than the one at which they became visible.
const overlap = 2 * time.Minute

// Contacts are the contacts under one private tag of one user: the Creatio side of the contact synchronization.
type Contacts struct {
	site *Site
	tagging
	user User
}

// Contacts opens the contacts under a tag. Whether the tag is the user's own private one is for every Scan to see.
func (s *Site) Contacts(tag Tag, user User) *Contacts {
	return &Contacts{site: s, tagging: taggingOf(tag), user: user}
}

// Prepare gives the scope's lasting id. A tag is made by its user and by nobody else.
func (c *Contacts) Prepare(context.Context) (string, error) { return c.tag.ID, nil }

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
func (c *Contacts) Scan(ctx context.Context, raw json.RawMessage) (record.Delta, error) {
	start := c.site.options.Now()
	if len(raw) == 0 {
		return c.scanAll(ctx, start)
	}
	var from cursor
	if err := json.Unmarshal(raw, &from); err != nil || from.Watermark.IsZero() || from.Reads != reads || !strings.EqualFold(from.Tag, c.tag.ID) {
		return record.Delta{}, fault.New(fault.FullSync, side, "cursor", errors.New("scan contacts: the cursor is not one of this tag and of these fields"))
	}
	answers, err := c.site.read(ctx, c.window(from.Watermark))
	if err != nil {
		return record.Delta{}, err
	}
	if gone, err := c.scopeGone(answers[0]); gone || err != nil {
		return record.Delta{ScopeGone: gone, Cursor: raw}, err
	}
	for _, a := range answers {
		if a.err != nil {
			return record.Delta{}, barred(a.err)
		}
	}
	next := cursor{Watermark: c.watermark(start), Tag: c.tag.ID, Count: answers[1].total, Thorough: from.Thorough, Reads: reads}
	delta := record.Delta{Touched: c.touched(answers[2:])}
	thorough := next.Watermark.Sub(from.Thorough) >= c.patience(from.Thorough)
	if thorough || next.Count != from.Count || len(answers[2].rows) > 0 {
		members, count, err := c.members(ctx)
		if err != nil {
			return record.Delta{}, err
		}
		delta.Members, next.Count = members, count
		if thorough {
			delta.Touched, next.Thorough = unique(append(delta.Touched, members...)), next.Watermark
		}
	}
	delta.Cursor, err = json.Marshal(next)
	return delta, err
}

// patience is how long after a time all details are read again: up to a quarter sooner than the site's options say,
// differently for every tag and day, so that those who began together do not read together for ever.
func (c *Contacts) patience(last time.Time) time.Duration {
	h := fnv.New32a()
	_, _ = io.WriteString(h, c.tag.ID+last.Format(time.RFC3339))
	most := c.site.options.Thorough
	return most - time.Duration(float64(most/4)*float64(h.Sum32())/math.MaxUint32)
}

// Moved is a cursor whose number of links is the one that the run itself left.
func (c *Contacts) Moved(raw json.RawMessage, by int) json.RawMessage {
	var at cursor
	if json.Unmarshal(raw, &at) != nil {
		return raw
	}
	at.Count += by
	moved, err := json.Marshal(at)
	if err != nil {
		return raw
	}
	return moved
}

// window asks for everything that tells of a change: the tag itself, the number of its links, links that are new,
// contacts that changed, and rows of details that did. The latter do not move their contact's time of change.
func (c *Contacts) window(since time.Time) []odata.Query {
	changed := odata.Ge("ModifiedOn", odata.DateTime(since))
	queries := []odata.Query{
		c.verify(),
		{Set: c.set, Select: []string{"Id"}, Filter: c.links(), Count: true, Top: 1},
		{Set: c.set, Select: []string{"Id", c.contact}, Filter: c.links(odata.Or(odata.Ge("CreatedOn", odata.DateTime(since)), changed))},
		{Set: "Contact", Select: []string{"Id"}, Filter: changed},
		{Set: "ContactCommunication", Select: []string{"Id", "ContactId"}, Filter: changed},
		{Set: "ContactAddress", Select: []string{"Id", "ContactId"}, Filter: changed},
		{Set: "ContactAnniversary", Select: []string{"Id", "ContactId"}, Filter: changed},
	}
	if c.tag.Kind == Classic {
		queries[3] = odata.Query{
			Set: c.set, Select: []string{"Id", c.contact}, Filter: c.links(odata.Ge("Entity/ModifiedOn", odata.DateTime(since))),
		}
	}
	return queries
}

// touched are the contacts that the rows of a window speak of.
func (c *Contacts) touched(answers []answer) []string {
	changed := "Id"
	if c.tag.Kind == Classic {
		changed = c.contact
	}
	var ids []string
	for i, column := range []string{c.contact, changed, "ContactId", "ContactId", "ContactId"} {
		for _, r := range answers[i].rows {
			ids = append(ids, r.Lookup(column))
		}
	}
	return normal(ids)
}

// scopeGone reads the tag's own row.
func (c *Contacts) scopeGone(tag answer) (bool, error) {
	if unknownSet(tag.err) {
		return true, nil
	}
	return tag.err == nil && !c.holds(tag.rows, c.user.ContactID), barred(tag.err)
}

// watermark is the time of the site at the moment of a local time, with the overlap taken off. To be asked for only after
// a request, which tells how the clocks differ.
func (c *Contacts) watermark(local time.Time) time.Time {
	return c.site.serverTime(local).Add(-overlap).UTC().Truncate(time.Second)
}

// members lists the contacts under the tag, and counts its links.
func (c *Contacts) members(ctx context.Context) ([]string, int, error) {
	answers, err := c.site.readAll(ctx, []odata.Query{{Set: c.set, Select: []string{"Id", c.contact}, Filter: c.links()}})
	if err != nil {
		return nil, 0, err
	}
	return c.linked(answers[0].rows), len(answers[0].rows), nil
}

// linked are the contacts of links; never nil, since no members are not the same as not knowing them.
func (c *Contacts) linked(rows []odata.Row) []string {
	ids := make([]string, 0, len(rows))
	for _, r := range rows {
		ids = append(ids, r.Lookup(c.contact))
	}
	return normal(ids)
}

// scanAll reads every contact under the tag with its content.
func (c *Contacts) scanAll(ctx context.Context, start time.Time) (record.Delta, error) {
	answers, err := c.site.read(ctx, []odata.Query{
		c.verify(), {Set: c.set, Select: c.linkColumns(), Filter: c.links()},
	})
	if err != nil {
		return record.Delta{}, err
	}
	if gone, err := c.scopeGone(answers[0]); gone || err != nil {
		return record.Delta{ScopeGone: gone}, err
	}
	if err := answers[1].err; err != nil {
		return record.Delta{}, barred(err)
	}
	delta := record.Delta{Members: c.linked(answers[1].rows)}
	tagged, count := c.tagged(answers[1].rows), len(answers[1].rows)
	answers = nil
	err = c.site.eachPeople(ctx, delta.Members, nil, func(people []*person, _ []odata.Row) {
		for _, p := range people {
			p.member, p.tagged = true, tagged[p.id]
			delta.Records = append(delta.Records, p.record())
		}
	})
	if err != nil {
		return record.Delta{}, err
	}
	mark := c.watermark(start)
	delta.Cursor, err = json.Marshal(cursor{Watermark: mark, Tag: c.tag.ID, Count: count, Thorough: mark, Reads: reads})
	return delta, err
}

// Fetch reads contacts by id, those that are under the tag and others.
func (c *Contacts) Fetch(ctx context.Context, ids []string) ([]record.Record, error) {
	ids = normal(ids)
	if len(ids) == 0 {
		return nil, nil
	}
	there := map[string]bool{}
	records := make([]record.Record, 0, len(ids))
	err := c.site.eachPeople(ctx, ids, c.linksOf, func(people []*person, links []odata.Row) {
		tagged := c.tagged(links)
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
func (c *Contacts) linkColumns() []string {
	return []string{"Id", c.contact, "CreatedOn", "ModifiedOn"}
}

// tagged is when each contact was last put under the tag. A link without a time is a link all the same.
func (c *Contacts) tagged(links []odata.Row) map[string]time.Time {
	out := map[string]time.Time{}
	for _, r := range links {
		id := strings.ToLower(r.Lookup(c.contact))
		for _, at := range []time.Time{r.Time("CreatedOn"), r.Time("ModifiedOn"), time.Unix(0, 0)} {
			if at.After(out[id]) {
				out[id] = at
			}
		}
	}
	return out
}

// linksOf asks for the links of the tag to some contacts.
func (c *Contacts) linksOf(ids []string) odata.Query {
	return odata.Query{Set: c.set, Select: c.linkColumns(), Filter: c.links(odata.In(c.path, guids(ids)))}
}

// normal are ids in one spelling, each once.
func normal(ids []string) []string {
	out := slices.Clone(ids)
	for i := range out {
		out[i] = strings.ToLower(out[i])
	}
	return unique(out)
}
