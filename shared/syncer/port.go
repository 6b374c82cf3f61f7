package syncer

import (
	"context"
	"encoding/json"
	"time"

	"github.com/tandem-sync/tandem/shared/record"
	"github.com/tandem-sync/tandem/shared/store"
)

// Side is one of the two services as a run sees it, opened for one user and one scope. Errors are of the kinds of package
// fault. What a side can do besides is told by the optional interfaces below.
type Side interface {
	// Scan reads what changed since the cursor, to the end; a nil cursor reads everything in scope. It writes
	// nothing. A cursor that is no longer good is fault.FullSync. A page that is missing is an error.
	Scan(ctx context.Context, cursor json.RawMessage) (record.Delta, error)
	// Fetch reads records by id, in any order; those that are no longer there come with Gone set.
	Fetch(ctx context.Context, ids []string) ([]record.Record, error)
	// Plan says what operations will make of their records, in their order. It may read look-ups, and writes nothing.
	Plan(ctx context.Context, ops []record.Operation) ([]record.Plan, error)
	// Apply does what plans of this side say and tells of each what became of it, in their order. A record that is not what
	// was planned for any more is fault.Conflict, and nothing of its plan is sent. The error is for what concerns them all
	// (reconnect, unreachable); results without a fate are then fault.Retry.
	Apply(ctx context.Context, plans []record.Plan) ([]record.Result, error)
}

// Scoped is a Side whose records are in scope by a tag or a group that has to be there first.
type Scoped interface {
	// Prepare makes sure that the scope exists and returns its lasting id. It may write.
	Prepare(ctx context.Context) (scope string, err error)
	// Chosen reports whether the scope is one that the user chose, as a tag. One that is gone is not made again: there is nothing to
	// synchronize until the user chooses another one.
	Chosen() bool
}

// Finder is a Side that finds records by what they have in common with others.
type Finder interface {
	// Candidates finds records, in scope or not, that may be the same as one of like: those which share a key of the kind's
	// match rules. More is allowed, less is not.
	Candidates(ctx context.Context, like []record.Record) ([]record.Record, error)
}

// Naming is a Side whose new records get an id that is chosen here, so that a creation may be repeated.
type Naming interface {
	// NewID is the id of the record that stands for another one: the same for every seed at every attempt.
	NewID(seed string) string
}

// Shared is a Side whose records other users reach too, each through links of their own.
type Shared interface {
	// Site is the address of what they share, the same for all of them.
	Site() string
}

// Lagging is a Side whose lists and reads may trail its writes.
type Lagging interface {
	// Lag is by how long at most.
	Lag() time.Duration
}

// Stable is a Side that gives its records other ids at times.
type Stable interface {
	// StableID is what stays the same of a record when it gets another id, read from its AdapterState; empty where that is
	// not known.
	StableID(adapterState json.RawMessage) string
}

// Identified is a Side whose records other users have copies of, each by an id of its own.
type Identified interface {
	// Identity is what all copies of a record have in common and no other record has, read from its AdapterState; empty where
	// there is nothing.
	Identity(adapterState json.RawMessage) string
	// Copied reports whether other users may have a copy of the record, read from its AdapterState.
	Copied(adapterState json.RawMessage) bool
}

// Seeking is an Identified side that finds the user's own copies of records.
type Seeking interface {
	// Seek finds copies by what all copies of their records have in common, each in the place of that name; nil where the user never had
	// one. Those that are gone come with Gone set.
	Seek(ctx context.Context, names []string) ([]*record.Record, error)
}

// Discreet is an Identified side whose users may keep a record private. A record is as private as any of its copies says, and shows
// what all of its users let be seen.
type Discreet interface {
	// Private reports whether the user's copy of a record says that it is private, read from its AdapterState.
	Private(adapterState json.RawMessage) bool
	// Addresses are those of the others who have part in a record, read from its AdapterState.
	Addresses(adapterState json.RawMessage) []string
	// Conceal is a record without what nobody is to see of it, and of which nothing may be written.
	Conceal(r record.Record) record.Record
}

// Organized is a Shared side each of whose records has one user whose account is to carry it to the other side before all
// others' accounts.
type Organized interface {
	// Organizer is that user, by the contact that they are on the side, read from the record's AdapterState; empty for the user of
	// this run, and where there is nobody.
	Organizer(adapterState json.RawMessage) string
	// TakesPart reports whether a user, by the contact, takes part in the record or owns it, read from the record's AdapterState.
	TakesPart(adapterState json.RawMessage, contact string) bool
	// HasColleagues reports whether others who are users, or were, own the record or take part in it, whatever they answered, read from
	// its AdapterState.
	HasColleagues(adapterState json.RawMessage) bool
}

// Others tells of the other users of Tandem, where records are shared.
type Others interface {
	// Copies finds copies in the links of all users, by what the copies share and by the ids in Creatio.
	Copies(ctx context.Context, t record.Type, shared, creatioIDs []string) ([]store.Copy, error)
	// Working tells which users synchronize the type, in whatever direction, so that what is theirs to do is done before long: of
	// those with the ids, and of those who are the contacts.
	Working(ctx context.Context, t record.Type, users, contacts []string) ([]Worker, error)
	// Careful tells which users let nobody see what a private record is: of those with the ids, and of those whose accounts have the
	// addresses.
	Careful(ctx context.Context, t record.Type, users, addresses []string) ([]Careful, error)
}

// Careful is a user who keeps private records to themselves, by the id and the address of the account.
type Careful struct{ User, Address string }

// Worker is a user who synchronizes a type.
type Worker struct {
	User, Contact string
	// ReadsOnly says that the user's changes go to Creatio alone, so that the user's account carries nothing.
	ReadsOnly bool
	// From is the first instant of what the user's runs take in.
	From time.Time
}

// Founding is a Side whose records tell more than their fields to a record that is made as their counterpart. Afterwards each of
// the two keeps its own.
type Founding interface {
	// Once is what the counterpart of a record gets when it is made, read from the record's AdapterState.
	Once(adapterState json.RawMessage) record.Fields
}

// Telling is a Side that knows of its records what cannot go to the other side.
type Telling interface {
	// Tells are sentences for the user about that, read from a record's AdapterState. Each is said once.
	Tells(adapterState json.RawMessage) []record.Note
}

// Remembering is a Side of which some of what a record shows depends on what it was taken for before.
type Remembering interface {
	// Remember is a record as it was read, taken as what was known of it says: as it was seen last.
	Remember(known, read record.Record) record.Record
}

// Located is a Side that tells where its user is at home.
type Located interface {
	// Home is the code of a country (ISO 3166-1); empty where it is not known.
	Home() string
}

// Relister is a Side that lists its members only where their number changed.
type Relister interface {
	// Relist is the cursor after the run itself changed the number of members by so many: it has the next Scan list the
	// members, unless that number alone tells that nobody else came or left.
	Relist(cursor json.RawMessage, by int) json.RawMessage
}

// Rows is a Side whose records have rows of their own.
type Rows interface {
	// HasRow reports whether a record has a row of that id, read from its AdapterState.
	HasRow(adapterState json.RawMessage, id string) bool
}

// Photos is a Side whose records have photos. Photos travel by themselves, one record after the other, once everything
// else is written. A record of either call is one as the side gave it: its ID, its Photo and its AdapterState count.
type Photos interface {
	// Photo reads the picture that a record shows: to its end, or to a byte beyond record.MaxPhoto.
	Photo(ctx context.Context, r record.Record) ([]byte, error)
	// PutPhoto gives a record a picture in the place of the one it shows, or takes that away where there is none. Doing it
	// twice is the same as once. A record that shows another photo than r names is fault.Conflict, and stays as it is.
	// Result.Record is the record after the write, as a later read will show it. Where the side makes another picture of what
	// it is given, Result.Projections tells the hash of that, or none where that could not be seen.
	PutPhoto(ctx context.Context, r record.Record, picture []byte) record.Result
	// Made reports whether a picture that the side shows is what it makes of another one that it was given.
	Made(of, picture []byte) bool
}

// Clocked is a side that tells how far its clock is ahead of this one, as its latest reply showed; zero where it did not.
type Clocked interface {
	Ahead() time.Duration
}

// clocks is how far the clocks of two services may differ and still be taken for one: replies tell whole seconds, and take a while.
const clocks = 10 * time.Second

// onOneClock is an instant of a side's clock, as the other times of the run are compared with it.
func (s *session) onOneClock(side record.Side, at time.Time) time.Time {
	ahead := map[record.Side]time.Duration{}
	for _, of := range record.Sides {
		if c, ok := s.sides[of].(Clocked); ok {
			ahead[of] = c.Ahead()
		}
	}
	if at.IsZero() || (ahead[record.Creatio]-ahead[record.Google]).Abs() < clocks {
		return at
	}
	return at.Add(-ahead[side])
}

// site is the address of what the users of a side share; empty where they share nothing.
func site(side Side) string {
	if s, ok := side.(Shared); ok {
		return s.Site()
	}
	return ""
}

// hasRow reports whether a record has a row of that id, as far as its side tells.
func hasRow(side Side, adapterState json.RawMessage, id string) bool {
	r, ok := side.(Rows)
	return ok && r.HasRow(adapterState, id)
}

// remember is a record as it was read, as its side takes it by what its link knows of it.
func (l *loader) remember(s record.Side, link store.Link, read *record.Record) {
	if r, ok := l.sides[s].(Remembering); ok && read != nil && !read.Gone && link.Base != nil {
		*read = r.Remember(*remembered(link, s, l.engine.Schema), *read)
	}
}

// stable is what stays the same of a record when it gets another id; empty where its side does not tell.
func stable(side Side, adapterState json.RawMessage) string {
	if s, ok := side.(Stable); ok {
		return s.StableID(adapterState)
	}
	return ""
}
