// Package google is the Google side of Tandem: a user's contacts in one group of
// theirs, over the People API. It speaks Tandem's records to the engine above and
// Google's people to the service, and knows nothing of the other side.
//
// Its invariants:
//
//   - Only what a contact's own source says is read and written; a profile that Google shows with it
//     belongs to somebody else.
//   - A field is written as a whole, so whatever of it Tandem cannot represent is written back as it was read.
//   - A contact is never deleted. Out of the group it stays among the user's contacts.
//   - Writes go one after the other: the People API asks for that of each user
//     (https://developers.google.com/people/v1/contacts#mutate_requests).
//   - A list that did not come to its end is an error, never a shorter list.
package google

import (
	"context"
	"encoding/json"
	"errors"
	"hash/fnv"
	"io"
	"log/slog"
	"math"
	"net/http"
	"net/url"
	"strings"
	"sync"
	"time"

	"google.golang.org/api/option"
	"google.golang.org/api/people/v1"

	"github.com/tandem-sync/tandem/shared/fault"
	"github.com/tandem-sync/tandem/shared/httpx"
	"github.com/tandem-sync/tandem/shared/record"
)

const side = string(record.Google)

// DefaultGroupName is the name under which Creatio's own synchronization kept its contacts.
const DefaultGroupName = "Creatio"

// Options are the settings of the Google side for one user.
type Options struct {
	// HTTP makes the calls, signed for the user.
	HTTP *http.Client
	// Photos fetches photos, without the user's credentials; default a client of httpx.
	Photos *http.Client
	// Endpoint is one base URL in place of Google's; empty for Google itself.
	Endpoint string
	// Group is the group's resource name where it is known from before.
	Group string
	// GroupName is the name by which the group is looked for and made; default DefaultGroupName.
	GroupName string
	// Now is the clock; default time.Now.
	Now func() time.Time
	// Logger hears what is odd but no error; default silent.
	Logger *slog.Logger
	// PageSize is the number of people in a page of a list; default 1000, the most the service gives.
	PageSize int
}

// Contacts are the contacts in one group of one user: the Google side of the contact synchronization. It is made
// for one run.
type Contacts struct {
	api     *people.Service
	options Options

	// writing lets one Apply in at a time.
	writing sync.Mutex

	mu    sync.Mutex
	group string
	// gone says that the group was not there any more.
	gone bool
	// known is every contact of the user, as the run found them; nil until they were needed.
	known []record.Record
}

// NewContacts opens the contacts of the user for whom the HTTP client signs.
func NewContacts(o Options) (*Contacts, error) {
	if o.HTTP == nil {
		return nil, fault.New(fault.Misconfigured, side, "http-client", errors.New("open contacts: no HTTP client"))
	}
	if o.GroupName = strings.TrimSpace(o.GroupName); o.GroupName == "" {
		o.GroupName = DefaultGroupName
	}
	if o.Photos == nil {
		o.Photos = httpx.NewClient(httpx.Options{Side: side})
	}
	if o.Now == nil {
		o.Now = time.Now
	}
	if o.Logger == nil {
		o.Logger = slog.New(slog.DiscardHandler)
	}
	if o.PageSize <= 0 || o.PageSize > maxPage {
		o.PageSize = maxPage
	}
	// The generated client would log whole requests where the environment asks for it.
	opts := []option.ClientOption{option.WithHTTPClient(o.HTTP), option.WithLogger(slog.New(slog.DiscardHandler))}
	if o.Endpoint != "" {
		u, err := url.Parse(o.Endpoint)
		if err != nil || u.Host == "" || (u.Scheme != "http" && u.Scheme != "https") {
			return nil, fault.New(fault.Misconfigured, side, "endpoint", errors.New("open contacts: the endpoint is no http address"))
		}
		opts = append(opts, option.WithEndpoint(strings.TrimSuffix(o.Endpoint, "/")+"/"))
	}
	api, err := people.NewService(context.Background(), opts...)
	if err != nil {
		return nil, fault.Errorf(fault.Misconfigured, side, "client", "open contacts: %w", err)
	}
	return &Contacts{api: api, options: o, group: o.Group}, nil
}

const (
	// maxPage, maxBatch and maxMembers are what the service takes at once
	// (https://developers.google.com/people/api/rest/v1/people).
	maxPage    = 1000
	maxBatch   = 200
	maxMembers = 1000
	// maxListed is how many e-mail addresses and numbers of a person a list shows. Who has more is read alone.
	maxListed = 100
)

// personFields is all that Tandem reads of a person.
const personFields = "addresses,biographies,birthdays,clientData,emailAddresses,imClients,memberships,metadata,names,organizations,phoneNumbers,photos,urls"

// contactSource keeps profiles, which belong to other people, out of what is read.
const contactSource = "READ_SOURCE_TYPE_CONTACT"

// mark is the key of the client data in which a created contact carries its link.
const mark = "tandem"

// cursor is where the next window starts: the sync token, and the parameters of the list that gave it. Google refuses
// a token with others (https://developers.google.com/people/api/rest/v1/people.connections/list).
type cursor struct {
	Token    string `json:"token"`
	Group    string `json:"group"`
	Fields   string `json:"fields"`
	Source   string `json:"source"`
	PageSize int    `json:"pageSize"`
	// Count is the number of the group's members: who leaves may take minutes to show among the changes.
	Count int64 `json:"count"`
	// Renew is when everything is to be read anew, well before the token's time is over.
	Renew time.Time `json:"renew,omitzero"`
}

func (c *Contacts) cursor(token, group string, count int64, renew time.Time) cursor {
	return cursor{
		Token: token, Group: group, Fields: personFields, Source: contactSource, PageSize: c.options.PageSize, Count: count,
		Renew: renew.UTC().Truncate(time.Second),
	}
}

// fits reports whether a cursor is one of these parameters.
func (c *Contacts) fits(from cursor, group string) bool {
	return from.Token != "" && from.Group != "" && from == c.cursor(from.Token, group, from.Count, from.Renew)
}

const (
	// A sync token is good for seven days after the reading of everything that began it, and what it is traded for no longer
	// (https://developers.google.com/people/api/rest/v1/people.connections/list). So everything is read anew five to six and
	// a half days later; not at once for all who began together, since the first page of such a reading has a quota of its own.
	renewAfter  = 5 * 24 * time.Hour
	renewSpread = 36 * time.Hour
	// renewPause is how long a reading that the quota did not let in is put off, while the token is good.
	renewPause = 2 * time.Hour
)

// renewal is when a token that begins now is to be renewed.
func (c *Contacts) renewal(token string) time.Time {
	return c.options.Now().Add(renewAfter + spread(token, renewSpread))
}

// spread is a duration up to a bound, a different one for every text.
func spread(text string, bound time.Duration) time.Duration {
	h := fnv.New32a()
	_, _ = io.WriteString(h, text)
	return time.Duration(float64(bound) * float64(h.Sum32()) / math.MaxUint32)
}

func (c cursor) encode() json.RawMessage {
	// Strings and a number always encode.
	raw, _ := json.Marshal(c)
	return raw
}

func (c *Contacts) scope() string {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.group
}

func (c *Contacts) setScope(group string) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.gone = false
	if c.group != group {
		// Whether somebody is a member was read of the other group.
		c.known = nil
	}
	c.group = group
}

// ungroup notes that the group is not there any more, and nobody in it.
func (c *Contacts) ungroup() {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.gone, c.known = true, nil
}

// membership is the group by which a contact is a member; empty where nobody is.
func (c *Contacts) membership() string {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.gone {
		return ""
	}
	return c.group
}
