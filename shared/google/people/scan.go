package people

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"slices"

	"google.golang.org/api/people/v1"

	"github.com/tandem-sync/tandem/shared/fault"
	"github.com/tandem-sync/tandem/shared/google"
	"github.com/tandem-sync/tandem/shared/record"
)

// Scan reads what changed since the cursor. With nothing changed it is two requests: the changes, and the group.
//
// Changes are everybody's, in the group or not, since somebody outside of it may just have left. They come minutes
// late; a number of members that is another one than before makes Scan ask who they are.
func (s *Side) Scan(ctx context.Context, raw json.RawMessage) (record.Delta, error) {
	if len(raw) == 0 {
		return s.scanAll(ctx)
	}
	var from cursor
	err := json.Unmarshal(raw, &from)
	group := s.scope()
	if group == "" {
		group = from.Group
	}
	if err != nil || !s.fits(from, group) {
		return record.Delta{}, fault.New(fault.FullSync, google.Side, "cursor", errors.New("scan contacts: the cursor is not one of this group and these parameters"))
	}
	s.setScope(group)
	renew := from.Renew
	if now := s.api.Now(); !now.Before(renew) {
		delta, err := s.scanAll(ctx)
		if google.Code(err) != "quota" {
			return delta, err
		}
		// The token may still be good; whether it is, Google says.
		renew = now.Add(renewPause + spread(from.Token, renewPause))
	}
	found, err := s.connections(ctx, group, from.Token, true)
	if err != nil {
		return record.Delta{}, fmt.Errorf("scan contacts: %w", err)
	}
	// The group is looked at last: people whom the end of their group released must not look as if each had left.
	g, err := s.readGroup(ctx, group, 0)
	if err != nil {
		return record.Delta{}, fmt.Errorf("scan contacts: %w", err)
	}
	if g == nil {
		s.ungroup()
		return record.Delta{ScopeGone: true, Cursor: raw}, nil
	}
	delta := record.Delta{Records: found.changes()}
	count := g.MemberCount
	if count != from.Count {
		if delta.Members, err = s.members(ctx, group, count); err != nil {
			return record.Delta{}, fmt.Errorf("scan contacts: %w", err)
		}
		if delta.Members == nil {
			count = unknown
		}
	}
	delta.Cursor = s.cursor(found.token, group, count, renew).encode()
	return delta, nil
}

// Relist is a cursor that has the next Scan list the members. A contact that was made after the list and deleted before
// the next one may show in neither, and where another one joined meanwhile, their number tells of nothing.
func (s *Side) Relist(raw json.RawMessage, _ int) json.RawMessage {
	var at cursor
	if json.Unmarshal(raw, &at) != nil {
		return raw
	}
	at.Count = unknown
	return at.encode()
}

// unknown is no number of members.
const unknown = -1

// members lists the group's members; nil where the list is not whole.
func (s *Side) members(ctx context.Context, group string, count int64) ([]string, error) {
	// A few more than were counted, so that one who joined meanwhile fits.
	g, err := s.readGroup(ctx, group, count+maxPage)
	if err != nil || g == nil {
		return nil, err
	}
	if int64(len(g.MemberResourceNames)) != g.MemberCount {
		s.api.Logger.WarnContext(ctx, "the group's list of members is not whole",
			"members", len(g.MemberResourceNames), "count", g.MemberCount)
		return nil, nil
	}
	// No members are not the same as not knowing them.
	return append([]string{}, g.MemberResourceNames...), nil
}

// scanAll reads every contact and tells of those in the group, and of those that once were made by Tandem.
func (s *Side) scanAll(ctx context.Context) (record.Delta, error) {
	group := s.scope()
	if group == "" {
		var err error
		if group, err = s.findGroup(ctx); err != nil {
			return record.Delta{}, fmt.Errorf("scan contacts: %w", err)
		}
		if group == "" {
			// Nobody is in a group that was never made.
			return record.Delta{Members: []string{}}, nil
		}
		s.setScope(group)
	}
	found, err := s.connections(ctx, group, "", true)
	if err != nil {
		return record.Delta{}, fmt.Errorf("scan contacts: %w", err)
	}
	g, err := s.readGroup(ctx, group, 0)
	if err != nil {
		return record.Delta{}, fmt.Errorf("scan contacts: %w", err)
	}
	if g == nil {
		// Nobody is in it, whatever a contact read too early says.
		s.ungroup()
		return record.Delta{ScopeGone: true}, nil
	}
	delta := record.Delta{Members: []string{}}
	for _, p := range found.records {
		r := p.Head()
		if r.Member {
			delta.Members = append(delta.Members, r.ID)
		}
		if r.Member || r.Mark != "" {
			delta.Records = append(delta.Records, p)
		}
	}
	count := g.MemberCount
	if !found.whole || int64(len(delta.Members)) != count {
		// Who is missing may have left the list while it was read, or the list be behind. The group says who is in it.
		if delta.Members, err = s.members(ctx, group, count); err != nil {
			return record.Delta{}, fmt.Errorf("scan contacts: %w", err)
		}
		// Of whom the list does not tell yet, the changes after it may never tell either.
		count = unknown
	}
	delta.Cursor = s.cursor(found.token, group, count, s.renewal(found.token)).encode()
	s.mu.Lock()
	defer s.mu.Unlock()
	s.known = &directory{records: found.records}
	return delta, nil
}

// connections is what a list of the user's people brought, read to its end.
type connections struct {
	// records are the contacts, each once, as the list told of it last, and packed, since a list may be long.
	records []record.Packed
	token   string
	// whole is false where the list was shorter than it said of itself.
	whole bool
}

// connections lists the user's people: all of them, or with a sync token those who changed. tokens asks for a sync token.
func (s *Side) connections(ctx context.Context, group, token string, tokens bool) (connections, error) {
	var out connections
	var truncated []string
	at := places{byName: map[string]int{}, bySource: map[string]int{}}
	var pages google.Pages
	total := int64(0)
	for page := ""; ; {
		reply, err := s.page(ctx, token, page, tokens)
		if err != nil {
			return connections{}, err
		}
		for _, p := range reply.Connections {
			if p == nil || p.ResourceName == "" {
				continue
			}
			out.put(at, recordOf(p, group), p)
			if len(p.EmailAddresses) >= maxListed || len(p.PhoneNumbers) >= maxListed {
				truncated = append(truncated, p.ResourceName)
			}
		}
		total = max(total, reply.TotalItems)
		if page, err = pages.Next("list connections", reply.NextPageToken, len(reply.Connections)); err != nil {
			return connections{}, err
		}
		if page == "" {
			out.token = reply.NextSyncToken
			break
		}
	}
	switch out.whole = token != "" || int64(len(out.records)) >= total; {
	case tokens && out.token == "":
		return connections{}, incomplete("the last page has no sync token")
	case !out.whole && len(out.records) == 0:
		return connections{}, incomplete("people were counted, and none listed")
	case !out.whole:
		// Nothing is concluded from who is not in it.
		s.api.Logger.WarnContext(ctx, "the list of people is shorter than its own count", "people", len(out.records), "count", total)
	}
	return out, s.complete(ctx, group, truncated, out.records, at.byName)
}

// places are where contacts stand among the records of a list.
type places struct{ byName, bySource map[string]int }

// put takes a contact in. Of somebody who changes while the pages are read, a later page tells what is later, by whichever
// resource name: the contact itself, the source of the person, has an id of its own.
func (c *connections) put(at places, r record.Record, p *people.Person) {
	i, again := at.byName[r.ID]
	source := sourceOf(p)
	if !again && !r.Gone && source != nil && source.Id != "" {
		if i, again = at.bySource[source.Id]; again {
			if other := c.records[i].Head().ID; !slices.Contains(r.Aliases, other) {
				r.Aliases = append(r.Aliases, other)
			}
		}
	}
	if !again {
		i = len(c.records)
		c.records = append(c.records, record.Packed{})
	}
	c.records[i], at.byName[r.ID] = record.Pack(r), i
	if !r.Gone && source != nil {
		at.bySource[source.Id] = i
	}
}

func incomplete(why string) error {
	return fault.New(fault.Retry, google.Side, "incomplete-list", errors.New("list connections: "+why))
}

// page reads one page. All parameters but the token of the page are those of the first one.
func (s *Side) page(ctx context.Context, token, page string, tokens bool) (*people.ListConnectionsResponse, error) {
	call := s.service.People.Connections.List("people/me").PersonFields(personFields).Sources(contactSource).
		PageSize(int64(s.options.PageSize)).Context(ctx)
	if tokens {
		call.RequestSyncToken(true)
	}
	if token != "" {
		call.SyncToken(token)
	}
	if page != "" {
		call.PageToken(page)
	}
	reply, err := call.Do()
	switch err = s.api.Classify("list connections", err, false); {
	case err == nil:
		if at, err := http.ParseTime(reply.ServerResponse.Header.Get("Date")); err == nil {
			s.ahead.Store(int64(at.Sub(s.api.Now())))
		}
		return reply, nil
	case token != "" && page == "" && google.OfRecords(err):
		// Whatever Google has against the token, another one helps.
		return nil, fault.New(fault.FullSync, google.Side, "token-refused", err)
	case page != "" && google.OfRecords(err):
		return nil, fault.New(fault.Retry, google.Side, "incomplete-list", err)
	}
	return nil, google.OfList(err)
}

// complete reads those people again of whom a list shows only the first hundred addresses or numbers
// (https://developers.google.com/people/api/rest/v1/people#Person).
func (s *Side) complete(ctx context.Context, group string, truncated []string, records []record.Packed, at map[string]int) error {
	if len(truncated) == 0 {
		return nil
	}
	found, err := s.read(ctx, group, truncated)
	if err != nil {
		return err
	}
	for _, name := range truncated {
		if r := found[name]; !r.Gone {
			listed := records[at[name]].Head()
			r.ID, r.Aliases = listed.ID, listed.Aliases
			records[at[name]] = record.Pack(r)
		}
	}
	return nil
}

// changes are the records of a window. A resource name that lives on under another one was not deleted; the former
// names of one that was are gone with it.
func (c connections) changes() []record.Packed {
	lives := map[string]bool{}
	for _, p := range c.records {
		if r := p.Head(); !r.Gone {
			lives[r.ID] = true
			for _, former := range r.Aliases {
				lives[former] = true
			}
		}
	}
	var out []record.Packed
	for _, p := range c.records {
		r := p.Head()
		if !r.Gone {
			out = append(out, p)
			continue
		}
		for _, name := range append([]string{r.ID}, r.Aliases...) {
			if !lives[name] {
				out = append(out, record.Pack(record.Record{ID: name, Gone: true, Tombstone: r.Tombstone}))
			}
		}
	}
	return out
}
