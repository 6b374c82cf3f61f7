// Package store says what Tandem keeps: the documents, and the interface over the
// databases that hold them. Package bolt keeps them in one file for a machine of
// one's own, package firestore in Google Cloud; package storetest holds both to the same rules.
//
// Documents, by key:
//
//	users/{user}                       Profile: who the user is, both accounts
//	users/{user}/tokens/{side}         Token: sealed credentials of one side
//	users/{user}/access/{id}           AccessToken: by which the user's scripts call the API
//	users/{user}/sync/{type}           Sync: settings, state, cursors, lease of one sync type
//	users/{user}/sync/{type}/links/ID  Link: the tie between a Creatio and a Google record
//	users/{user}/sync/{type}/blobs/B   Blob: bytes under a name, as "members/google", the MemberSet of a side,
//	                                   or "kept/google", what a side keeps beside its cursor
//	users/{user}/sync/{type}/pairs/P   Pair: two records that are not matched, and why
//	users/{user}/runs/{run}            Run: what one run did
//	users/{user}/runs/{run}/changes/N  Changes: a piece of a run's changes
//	claims/{hash}                      Claim: who is about to make a record in Creatio that others could make too
//	notes/{hash}                       WriteNote: what Tandem's own write of a Creatio record looks like to others
//	states/{state}                     UsedState: the state of a linking that was used
//	seats/{seat}                       Seat: who alone is linked as a Creatio user that nobody had to prove to be
//	guesses/{key}                      Guesses: wrong passwords for a name, or by a user
//	channels/{channel}                 Channel: one by which Google tells of changes of a user's calendar
//	schedules/{type}                   Schedule: what administrators decided about the calls that synchronize a type
//	meta/schema                        Schema: which migrations the documents have been through
//	meta/{name}                        SharedSecret: see Secret
//	meta/hashes                        the key of the hashes above, made on first use
//	users/{user}/sync/{type}/rosters/S MemberSet, as former versions keep it: read where there is no blob
//
// Invariants: a user's documents are reached only through User(id); times are UTC with
// microseconds; a user without a profile, or who is being erased, has no document: whatever would begin one is refused with
// ErrNotFound; what a run writes is refused once its lease is lost; ids that are keys are
// opaque strings of [A-Za-z0-9_-] that do not begin with two underscores. Under any other id
// nothing is ever found, and writing is a fault of kind Bug. The name of a blob is such ids with
// slashes between them. The ids of Creatio and Google records are values, never keys. A user's run meets another's in the
// profiles and copies that FindUsers and Copies find, which it only reads, and in claims and notes. These have no content of a record, and their keys are keyed hashes
// (HMAC-SHA256) of what they are of, since keys show in audit logs. They may go any time after their Until, and go
// with their user. So do channels, after their Expires, and access tokens.
package store

import (
	"context"
	"errors"
	"iter"
	"time"

	"github.com/tandem-sync/tandem/shared/record"
)

// Errors of the store. Everything else is a fault of kind Retry, Misconfigured or Bug.
var (
	// ErrNotFound says that no such document exists, or that it belongs to somebody else.
	ErrNotFound = errors.New("not found")
	// ErrLeased says that another run holds the lease.
	ErrLeased = errors.New("leased by another run")
	// ErrUsed says that a state was used before.
	ErrUsed = errors.New("used before")
	// ErrFenced says that the lease was lost: its holder may write nothing more.
	ErrFenced = errors.New("lease lost")
)

// Store is the database. It may be used from many goroutines at once. No function that is handed to it may use
// it: the function runs inside a transaction.
type Store interface {
	// User opens the documents of one user. The user need not exist yet: UpdateProfile makes the first document.
	User(id string) User

	// UseState notes that the state of a linking was used, at least until it expires. ErrUsed where it was before, as for
	// the second of two who use it.
	UseState(ctx context.Context, id string, expires time.Time) error
	// Secret is the bytes under a name that everybody who uses the database shares. Where there are none, they are those
	// that create returns, which may run more than once; an error of it comes back as it is.
	Secret(ctx context.Context, name string, create func() ([]byte, error)) ([]byte, error)

	// Seat is who has a seat; ErrNotFound where it is free.
	Seat(ctx context.Context, seat string) (user string, err error)
	// TakeSeat gives a seat to a user who has a profile where it is free, and returns who has it then.
	TakeSeat(ctx context.Context, seat, user string) (holder string, err error)
	// LeaveSeat frees a seat that the user has; nothing happens where it is another's, or free.
	LeaveSeat(ctx context.Context, seat, user string) error

	// Guesses are the wrong passwords under a key; none where there are none.
	Guesses(ctx context.Context, key string) (Guesses, error)
	// UpdateGuesses changes them in a transaction, as UpdateProfile does.
	UpdateGuesses(ctx context.Context, key string, f func(*Guesses) error) error
	// RecentGuesses lists those of names for which a password was tried at since or later, the latest first; at most limit.
	RecentGuesses(ctx context.Context, since time.Time, limit int) ([]Guesses, error)

	// NewChannelID makes the id of a channel: a random one with a message authentication code (HMAC-SHA256).
	NewChannelID(ctx context.Context) (string, error)
	// Channel is whoever's channel has the id; ErrNotFound where there is none. An id that NewChannelID did not make is
	// refused without looking for it: anybody may send one.
	Channel(ctx context.Context, id string) (Channel, error)
	// DueChannels lists channels that are due at now, longest due first; at most limit.
	DueChannels(ctx context.Context, now time.Time, limit int) ([]Channel, error)

	// Due lists users whose automatic sync of the type is due at now, longest due first and then in the order of their
	// ids: those after the given one, which may be due no more, or from the first where it is zero; at most limit.
	Due(ctx context.Context, t record.Type, now time.Time, after Due, limit int) ([]Due, error)
	// Shortest is the shortest Interval of all syncs of the type; zero where none is due some time.
	Shortest(ctx context.Context, t record.Type) (time.Duration, error)
	// SyncStatuses lists the syncs of the type that were ever written, in the order in which somebody should look at them:
	// failing, held, reconnect, partial, running; then those that are due some time, longest due first; then ok, off,
	// never. One that is off may be due for what remains to be done with its accounts, and stands with the others that are off.
	// Within one of them they are in the order of the users' ids. At most limit, those after the given place, or
	// from the first where that is empty; a sync may move from one page to another meanwhile.
	SyncStatuses(ctx context.Context, t record.Type, after string, limit int) ([]SyncStatus, error)
	// CountStatuses counts; late are syncs that were due at the given time or before.
	CountStatuses(ctx context.Context, t record.Type, late time.Time) (StatusCounts, error)
	// Schedule is what was decided about a type; one with nothing but the type where nothing was.
	Schedule(ctx context.Context, t record.Type) (Schedule, error)
	// PutSchedule replaces it.
	PutSchedule(ctx context.Context, s Schedule) error
	// Reindex writes again what is queried of the users after the one given and of their syncs, in the order of the ids:
	// of limit users or, where the backend likes, of more. It returns the last of them, and nothing when there are no
	// more users. The documents themselves stay as they are, with all that a later version wrote into them.
	Reindex(ctx context.Context, after string, limit int) (last string, err error)
	// Schema is the zero Schema where none was written yet.
	Schema(ctx context.Context) (Schema, error)
	// UpdateSchema changes it in a transaction, as UpdateProfile does.
	UpdateSchema(ctx context.Context, f func(*Schema) error) error
	// MoveMemberSets makes blobs of the member sets that former versions keep in another place, of limit users after the
	// one given, in the order of the ids: a set that is a blob already is removed from there. It returns the last of the
	// users, and nothing when there are no more.
	MoveMemberSets(ctx context.Context, after string, limit int) (last string, err error)

	// FindUsers finds users by the contacts that they are in Creatio, or by the addresses of their Google accounts, also of accounts
	// that are not linked any more. Letters may be of either case. In no order, each once.
	FindUsers(ctx context.Context, contacts, addresses []string) ([]Profile, error)
	// Copies finds the copies of shared records in all users' links, of those in scope and of those that were kept without their
	// copy, by what the copies have in common, or by the ids in Creatio. In no order, each once.
	Copies(ctx context.Context, t record.Type, shared, creatioIDs []string) ([]Copy, error)

	// Users goes over the profiles of all users, in the order of their ids. The store may be written meanwhile. An
	// error is the last thing it yields.
	Users(ctx context.Context) iter.Seq2[Profile, error]

	Close() error
}

// User is the documents of one user.
type User interface {
	ID() string

	// Profile is ErrNotFound for a user who never signed in.
	Profile(ctx context.Context) (Profile, error)
	// UpdateProfile changes the profile in a transaction; f gets a zero Profile with the ID where there is none,
	// may run more than once, and an error of it leaves everything as it was and comes back as it is.
	UpdateProfile(ctx context.Context, f func(*Profile) error) error

	// Token is the sealed token of a side; ErrNotFound where there is none.
	Token(ctx context.Context, side record.Side) (Token, error)
	PutToken(ctx context.Context, side record.Side, t Token) error
	// SwapToken replaces a token only where the kept one still has the version old.Version; false where it has not.
	// It keeps two refreshes at once from losing a rotated token.
	SwapToken(ctx context.Context, side record.Side, old, new Token) (bool, error)
	DeleteToken(ctx context.Context, side record.Side) error

	// AccessTokens are the user's, in the order of their ids. Those that have expired may be among them.
	AccessTokens(ctx context.Context) ([]AccessToken, error)
	// AccessToken is one of them; ErrNotFound.
	AccessToken(ctx context.Context, id string) (AccessToken, error)
	// PutAccessToken writes one in place of the one of its id.
	PutAccessToken(ctx context.Context, t AccessToken) error
	// UpdateAccessToken changes one in a transaction, as UpdateProfile does. ErrNotFound where there is none: one that was
	// deleted does not come back.
	UpdateAccessToken(ctx context.Context, id string, f func(*AccessToken) error) error
	// DeleteAccessToken removes one; ErrNotFound.
	DeleteAccessToken(ctx context.Context, id string) error

	// Sync is the document of one sync type; a document with Type, default settings and the status never where there
	// is none.
	Sync(ctx context.Context, t record.Type) (Sync, error)
	// UpdateSync changes it in a transaction, as UpdateProfile does. It keeps the lease as it is.
	UpdateSync(ctx context.Context, t record.Type, f func(*Sync) error) error

	// Acquire takes the lease for ttl and returns the document with it. ErrLeased while it is held at now, whoever
	// the owner is. Each lease has a higher fence than every one before.
	Acquire(ctx context.Context, t record.Type, owner string, now time.Time, ttl time.Duration) (Sync, Lease, error)
	// Renew makes the lease end ttl after now. ErrFenced where it is not held any more. A lease that expired is held
	// until somebody else acquires it: nobody can have written in between.
	Renew(ctx context.Context, t record.Type, l Lease, now time.Time, ttl time.Duration) error
	// Release gives the lease up; nothing happens where it is lost already.
	Release(ctx context.Context, t record.Type, l Lease) error

	// LinksBy finds links by the ids of one side, in no order, each once; ids without a link are left out, and the
	// empty id finds nothing.
	LinksBy(ctx context.Context, t record.Type, side record.Side, ids []string) ([]Link, error)
	// LinksByParent finds links by their Parent in the same way.
	LinksByParent(ctx context.Context, t record.Type, parents []string) ([]Link, error)
	// Links goes over all links, in the order of their ids, as Users does.
	Links(ctx context.Context, t record.Type) iter.Seq2[Link, error]
	// PendingLinks goes over the links that were Unfinished when they were written, as Users does. After a run that was held
	// these may be all of them.
	PendingLinks(ctx context.Context, t record.Type) iter.Seq2[Link, error]
	// LinksSince goes over the links that were written at since or later, by their UpdatedAt, in no order, as Users does.
	LinksSince(ctx context.Context, t record.Type, since time.Time) iter.Seq2[Link, error]
	// CountLinks counts the links of a type.
	CountLinks(ctx context.Context, t record.Type) (LinkCounts, error)

	// PutBatch writes what a run has to write, in transactions with the fence, as few as the backend can, and in the order of
	// Batch's fields. ErrFenced: what was left was not written. An empty batch checks the fence.
	//
	// A link and its claims are written together or not at all. Where another user holds one of them for another record,
	// and not only until now or earlier, all claims of the link are returned as refused, and neither they nor the link
	// are written. A claim that is released keeps others away whose run began before then.
	PutBatch(ctx context.Context, t record.Type, l Lease, now time.Time, b Batch) (refused []Claim, err error)

	// Claims are the user's claims, in no order. Site and Key are not kept, and not read.
	Claims(ctx context.Context) ([]Claim, error)
	// WriteNotes are what is noted of records of a site, by their ids: whoever's run wrote them. One whose time is over may
	// still be found, and is as true as before.
	WriteNotes(ctx context.Context, site string, records []string) (map[string]WriteNote, error)
	// OwnWriteNotes are the notes of the user's writes, in no order. Site and Record are not kept, and not read.
	OwnWriteNotes(ctx context.Context) ([]WriteNote, error)

	// Channels are the user's channels, in no order.
	Channels(ctx context.Context) ([]Channel, error)
	// PutChannel writes a channel in place of the one of its id. User is filled in.
	PutChannel(ctx context.Context, c Channel) error
	// UpdateChannel changes one of the user's channels in a transaction, as UpdateProfile does. ErrNotFound where there is
	// none.
	UpdateChannel(ctx context.Context, id string, f func(*Channel) error) error
	// DeleteChannel removes one of the user's channels, which may be missing.
	DeleteChannel(ctx context.Context, id string) error

	// PairsBy finds pairs by the ids of one side, as LinksBy does.
	PairsBy(ctx context.Context, t record.Type, side record.Side, ids []string) ([]Pair, error)
	// Pairs goes over all pairs, in the order of their ids, as Users does.
	Pairs(ctx context.Context, t record.Type) iter.Seq2[Pair, error]
	// PutPairs writes pairs in place of those of their ids, outside of any lease: what a person decided.
	PutPairs(ctx context.Context, t record.Type, pairs []Pair) error
	// DeletePairs removes pairs, which may be missing.
	DeletePairs(ctx context.Context, t record.Type, ids []string) error

	// Blob is the bytes under a name; ErrNotFound where there are none.
	Blob(ctx context.Context, t record.Type, name string) ([]byte, error)
	// Blobs goes over all blobs, in no order, as Users does.
	Blobs(ctx context.Context, t record.Type) iter.Seq2[Blob, error]
	// PutBlob replaces the bytes under a name, with the fence. Without bytes it removes them. Until it returns, and where it
	// fails, the former ones stay.
	PutBlob(ctx context.Context, t record.Type, l Lease, name string, data []byte) error

	// AddRun writes a run's summary, outside of any lease, where there is none of its id; false where there is one.
	AddRun(ctx context.Context, r Run) (bool, error)
	// PutRun writes a run's summary (not its changes), outside of any lease. Changes that were added stay.
	PutRun(ctx context.Context, r Run) error
	// UpdateRun changes a run's summary in a transaction. ErrNotFound where there is none.
	UpdateRun(ctx context.Context, id string, f func(*Run) error) error
	// AddChanges appends to a run's changes, outside of any lease. seq, from 0, orders the pieces; the same seq again
	// replaces its piece. The run need not exist yet.
	AddChanges(ctx context.Context, run string, seq int, changes []Change) error
	// Run is a run with all its changes; ErrNotFound.
	Run(ctx context.Context, id string) (Run, error)
	// Runs lists runs without changes, newest first, those before the run id `before` if it is not empty. Run ids
	// sort by time; the run `before` need not exist. An empty type means all.
	Runs(ctx context.Context, t record.Type, limit int, before string) ([]Run, error)

	// Commit ends a run, in one transaction with the fence: f changes the sync document, r is the run's summary, and the
	// lease is released. ErrFenced: nothing was written.
	Commit(ctx context.Context, t record.Type, l Lease, r Run, f func(*Sync) error) error

	// Forget removes the user's links, pairs, blobs, runs, claims and notes, and everything of the syncs but their settings and when
	// they are due. The caller holds a lease of each type; ErrFenced where one is lost. Where it fails, it can be repeated.
	Forget(ctx context.Context, leases map[record.Type]Lease) error
	// Erase removes every document of the user, the user's claims, notes and channels, and frees the user's seats. It fences off a
	// run that is under way, and a write that is under way ends before it or is refused. Where it fails, Users still lists the
	// user, and it can be repeated; a profile that is left has its Erasing set.
	Erase(ctx context.Context) error
	// EraseRemains does the same for a user who has no profile; nothing for one who has. Former versions could write after an erasure.
	EraseRemains(ctx context.Context) error
}
