package google

import (
	"cmp"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"net/http"
	"slices"
	"strings"
	"time"

	"github.com/tandem-sync/tandem/shared/sandbox/discovery"
)

// syncLifetime is how long after its full list a sync token lives, however often it was exchanged for another one
// (https://developers.google.com/people/api/rest/v1/people.connections/list).
const syncLifetime = 7 * 24 * time.Hour

// cursor is what a page token or a sync token says. Clients cannot look into it.
type cursor struct {
	Kind string
	// Of is the account, and Bound the parameters, to which it belongs.
	Of, Bound string
	// Since is the change after which changes are wanted; 0 for a full list. UpTo is the last change that the list shows.
	Since, UpTo int64
	// After is the sorting key of the last person of the page before.
	After string
	// Nth counts the pages, so that no two have one token.
	Nth int
	// Full is when the full list began, and Epoch what the account's epoch was.
	Full  time.Time
	Epoch int
}

func (c cursor) encode() string { return base64.RawURLEncoding.EncodeToString([]byte(encode(c))) }

func readCursor(text string) (cursor, bool) {
	var c cursor
	raw, err := base64.RawURLEncoding.DecodeString(text)
	return c, err == nil && json.Unmarshal(raw, &c) == nil
}

// resume reads a token, which belongs to an account and to the parameters of the list that gave it.
func (c *call) resume(param, kind, text, bound string) (cursor, *failure) {
	t, ok := readCursor(text)
	switch {
	case !ok || t.Kind != kind || t.Of != c.account.Subject:
		return t, invalidField(discovery.Snake(param), "The token is not valid.")
	case t.Bound != bound:
		return t, invalidField(discovery.Snake(param), "All other parameters must be those of the call that gave the token.")
	case t.Epoch != c.book.Epoch || !c.s.o.Now().Before(t.Full.Add(syncLifetime)):
		if c.s.spent[text] {
			c.s.violate("an expired sync token was used again")
		}
		c.s.spent[text] = true
		return t, precondition("Sync token is expired. Clear local cache and retry call without the sync token.").because("EXPIRED_SYNC_TOKEN", nil)
	}
	return t, nil
}

// listed is one person in a list, with the key by which the list is sorted.
type listed struct {
	contact *contact
	at      version
	key     string
}

// connections is people.connections.list.
func (c *call) connections() (any, *failure) {
	if c.name() != "people/me" && c.name() != "people/"+c.account.Subject {
		return nil, invalidField("resource_name", "Only people/me is valid.")
	}
	v, f := c.view(nil)
	if f != nil {
		return nil, f
	}
	size, f := c.number("pageSize", 100)
	if f != nil {
		return nil, f
	}
	order := cmp.Or(c.query.Get("sortOrder"), "LAST_MODIFIED_ASCENDING")
	wanted := c.flag("requestSyncToken")
	sync := c.query.Get("syncToken")
	fields := slices.Sorted(slices.Values(v.mask))
	bound := fmt.Sprintf("%x", hash64(strings.Join(fields, ","), strings.Join(v.sources, ","), fmt.Sprint(size), order))
	from, f := c.position(bound, sync, wanted)
	if f != nil {
		return nil, f
	}
	v.list, v.sync = true, sync != ""
	all := c.book.list(from, order)
	page := all
	if from.After != "" {
		at, _ := slices.BinarySearchFunc(all, from.After, func(l listed, key string) int {
			if l.key <= key {
				return -1
			}
			return 1
		})
		page = all[at:]
	}
	return c.page(page, len(all), size, from, v, wanted, bound), nil
}

// position is where a page begins: at a page token, at a sync token, or at the beginning.
func (c *call) position(bound, sync string, wanted bool) (cursor, *failure) {
	now := c.s.o.Now()
	page := cursor{Kind: "page", Of: c.account.Subject, Full: now, Epoch: c.book.Epoch, UpTo: c.book.shown(now.Add(-c.s.o.WriteVisibility))}
	whole := fmt.Sprintf("%s %x %t", bound, hash64(sync), wanted)
	if text := c.query.Get("pageToken"); text != "" {
		return c.resume("pageToken", "page", text, whole)
	}
	page.Bound = whole
	if sync == "" {
		if wanted {
			return page, c.quota(now)
		}
		return page, nil
	}
	from, f := c.resume("syncToken", "sync", sync, bound)
	page.Since, page.Full = from.UpTo, from.Full
	page.UpTo = max(page.UpTo, page.Since)
	return page, f
}

// quota is the one that first pages of full lists have besides all others.
func (c *call) quota(now time.Time) *failure {
	if c.s.o.FullSyncPerMinute <= 0 {
		return nil
	}
	c.book.Full = slices.DeleteFunc(c.book.Full, func(t time.Time) bool { return !now.Before(t.Add(time.Minute)) })
	if len(c.book.Full) >= c.s.o.FullSyncPerMinute {
		f := newFailure(http.StatusTooManyRequests, "RESOURCE_EXHAUSTED", "Quota exceeded for quota metric 'Full sync requests' and limit "+
			"'Full sync requests per minute per user' of service 'people.googleapis.com'.")
		return f.because("RATE_LIMIT_EXCEEDED", map[string]string{"service": "people.googleapis.com", "quota_metric": "people.googleapis.com/full_sync_requests"})
	}
	c.book.Full = append(c.book.Full, now)
	return nil
}

// list is everybody who is in a list, in its order.
func (b *book) list(from cursor, order string) []listed {
	var out []listed
	for _, c := range b.Contacts {
		at, there := c.upTo(from.UpTo)
		if !there || at.Seq <= from.Since || at.Deleted && (from.Since == 0 || c.Born > from.Since) {
			continue
		}
		out = append(out, listed{c, at, sortKey(c, at, order)})
	}
	slices.SortFunc(out, func(x, y listed) int { return cmp.Compare(x.key, y.key) })
	return out
}

func sortKey(c *contact, at version, order string) string {
	name := item{}
	if names := at.Content["names"]; len(names) > 0 {
		name = names[0]
	}
	switch order {
	case "LAST_MODIFIED_DESCENDING":
		return fmt.Sprintf("%019d", int64(1e18)-at.Seq)
	case "FIRST_NAME_ASCENDING":
		return strings.ToLower(joined(name, "givenName", "familyName")) + "\x00" + c.Name
	case "LAST_NAME_ASCENDING":
		return strings.ToLower(joined(name, "familyName", "givenName")) + "\x00" + c.Name
	default:
		return fmt.Sprintf("%019d", at.Seq)
	}
}

func (c *call) page(rest []listed, total, size int, from cursor, v view, wanted bool, bound string) map[string]any {
	out := map[string]any{"totalItems": total, "totalPeople": total}
	size = max(min(size, c.s.o.PageRows(size)), 0)
	shown := rest[:min(size, len(rest))]
	if len(shown) > 0 {
		var list []any
		for _, l := range shown {
			list = append(list, l.contact.render(l.at, v))
		}
		out["connections"] = list
		from.After = shown[len(shown)-1].key
	}
	switch {
	case len(rest) > size:
		from.Nth++
		out["nextPageToken"] = from.encode()
	case wanted:
		next := cursor{Kind: "sync", Of: from.Of, Bound: bound, UpTo: from.UpTo, Full: from.Full, Epoch: from.Epoch}
		out["nextSyncToken"] = next.encode()
	}
	return out
}

// ExpireSyncTokens ends every sync token that was given so far.
func (s *Server) ExpireSyncTokens() {
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, a := range s.state.Accounts {
		a.Book.Epoch++
	}
	s.calendars.ExpireSyncTokens()
}
