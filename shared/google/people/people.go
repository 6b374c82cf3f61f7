// Package people is Google's side of the synchronization of contacts: a user's contacts in one group of theirs, over the
// People API. It speaks Tandem's records to the engine above and Google's people to the service, and knows nothing of the
// other side.
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
//   - What a plan says that a contact will show is what the next reading shows.
package people

import (
	"context"
	"net/http"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"google.golang.org/api/people/v1"

	"github.com/tandem-sync/tandem/shared/fault"
	"github.com/tandem-sync/tandem/shared/google"
	"github.com/tandem-sync/tandem/shared/httpx"
)

// DefaultGroupName is the name under which Creatio's own synchronization kept its contacts.
const DefaultGroupName = "Creatio"

// Options are the settings of one user's contacts.
type Options struct {
	// Photos fetches photos, without the user's credentials; default a client of httpx.
	Photos *http.Client
	// Group is the group's resource name where it is known from before.
	Group string
	// GroupName is the name by which the group is looked for and made; default DefaultGroupName.
	GroupName string
	// PageSize is the number of people in a page of a list; default 1000, the most the service gives.
	PageSize int
}

// Side are the contacts in one group of one user. It is made for one run.
type Side struct {
	api     *google.Client
	service *people.Service
	options Options

	// ahead is how far Google's clock was ahead of this one when it listed people last.
	ahead atomic.Int64

	// writing lets one Apply in at a time.
	writing sync.Mutex

	mu    sync.Mutex
	group string
	// gone says that the group was not there any more.
	gone bool
	// known is every contact of the user, as the run found them; nil until they were needed.
	known *directory
}

// Ahead is how far Google's clock is ahead of this one, in whole seconds as its latest list showed; zero before that.
func (s *Side) Ahead() time.Duration { return time.Duration(s.ahead.Load()) }

// New opens the contacts of the user for whom the client calls.
func New(api *google.Client, o Options) (*Side, error) {
	if o.GroupName = strings.TrimSpace(o.GroupName); o.GroupName == "" {
		o.GroupName = DefaultGroupName
	}
	if o.Photos == nil {
		o.Photos = httpx.NewClient(httpx.Options{Side: google.Side})
	}
	if o.PageSize <= 0 || o.PageSize > maxPage {
		o.PageSize = maxPage
	}
	service, err := people.NewService(context.Background(), api.Service()...)
	if err != nil {
		return nil, fault.Errorf(fault.Misconfigured, google.Side, "client", "open contacts: %w", err)
	}
	return &Side{api: api, service: service, options: o, group: o.Group}, nil
}

// lag is how long lists and readings may trail what was written
// (https://developers.google.com/people/v1/contacts#list_the_users_contacts_that_have_changed).
const lag = 10 * time.Minute

// Lag is how long lists and readings may trail what was written.
func (s *Side) Lag() time.Duration { return lag }

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
const personFields = "addresses,biographies,birthdays,clientData,emailAddresses,imClients,memberships,metadata,names,nicknames,organizations,phoneNumbers,photos,urls"

// contactSource keeps profiles, which belong to other people, out of what is read.
const contactSource = "READ_SOURCE_TYPE_CONTACT"

// mark is the key of the client data in which a created contact carries its link.
const mark = "tandem"

func (s *Side) scope() string {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.group
}

func (s *Side) setScope(group string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.gone = false
	if s.group != group {
		// Whether somebody is a member was read of the other group.
		s.known = nil
	}
	s.group = group
}

// ungroup notes that the group is not there any more, and nobody in it.
func (s *Side) ungroup() {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.gone, s.known = true, nil
}

// membership is the group by which a contact is a member; empty where nobody is.
func (s *Side) membership() string {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.gone {
		return ""
	}
	return s.group
}
