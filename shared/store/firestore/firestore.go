// Package firestore keeps Tandem's documents in Google Cloud Firestore. It implements package store.
//
// Each document is one Firestore document under the key that package store names. Its content is the JSON that all
// backends share, in the bytes field "doc"; beside it stand, as fields of their own, copies of what is queried:
//
//	users/{user}                       doc, linked; contact and email in small letters (each only where it is not empty)
//	users/{user}/tokens/{side}         doc
//	users/{user}/sync/{type}           doc, type, shard, place, due and every (only where a sync is due some time), lastSync (not before)
//	users/{user}/sync/{type}/links/ID  doc, updated; creatioId, googleId, parent, shared and with it type, active, split, unfinished (each only where it is not empty)
//	users/{user}/sync/{type}/pairs/P   doc, creatioId, googleId
//	users/{user}/sync/{type}/blobs/B   doc, version, parts, slot, tail: the head of a blob, its name with dots for slashes; see blobs.go
//	users/{user}/sync/{type}/blobs/B/pieces/N  doc, version, parts: what does not fit into the head
//	users/{user}/sync/{type}/rosters/S doc, version, parts: a member set of former versions, as a piece of a run's changes
//	users/{user}/runs/{run}            doc, id, type
//	users/{user}/runs/{run}/changes/N  doc, version, parts: a piece of a run's changes, see runs.go
//	claims/{hash}                      doc, user, until (for a time-to-live policy)
//	notes/{hash}                       doc, user, until (the same)
//	guesses/{key}                      doc, expires (the same), last (only of names)
//	channels/{channel}                 doc, user, due, expires (the same)
//	states/{state}                     doc, expires (the same)
//	seats/{seat}                       doc, user
//	schedules/{type}                   doc
//	meta/schema                        doc; meta/{name} the same
//	meta/hashes                        doc
//
// A change of one document compares and sets by its update time: two requests, and no lock that a crashed caller would
// leave behind. What spans documents (PutBatch, PutBlob, Commit) is a transaction.
//
// Every method's comment says what it costs in documents read and written, which is what Google charges for; a query
// without a result costs one read.
package firestore

import (
	"cmp"
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"iter"
	"maps"
	"sync"
	"sync/atomic"
	"time"

	"cloud.google.com/go/firestore"
	"google.golang.org/api/option"
	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"

	"github.com/tandem-sync/tandem/shared/fault"
	"github.com/tandem-sync/tandem/shared/store"
	"github.com/tandem-sync/tandem/shared/store/internal/document"
)

// Index is a composite index that a query here needs. Firestore refuses the query without it; its emulator does not.
type Index struct {
	Collection string
	// Scope is COLLECTION or COLLECTION_GROUP.
	Scope  string
	Fields []IndexField
}

// IndexField is a field of an index. Order is ASCENDING or DESCENDING.
type IndexField struct{ Path, Order string }

// Indexes are all composite indexes that the database must have. Whatever else is queried has Firestore's automatic
// index of one field.
var Indexes = []Index{
	// Due, over the syncs of all users.
	{"sync", "COLLECTION_GROUP", []IndexField{{"type", "ASCENDING"}, {"shard", "ASCENDING"}, {"due", "ASCENDING"}}},
	// Shortest.
	{"sync", "COLLECTION_GROUP", []IndexField{{"type", "ASCENDING"}, {"every", "ASCENDING"}}},
	// SyncStatuses, and the counts of CountStatuses.
	{"sync", "COLLECTION_GROUP", []IndexField{{"type", "ASCENDING"}, {"shard", "ASCENDING"}, {"place", "ASCENDING"}}},
	// The last sync of CountStatuses.
	{"sync", "COLLECTION_GROUP", []IndexField{{"type", "ASCENDING"}, {"shard", "ASCENDING"}, {"lastSync", "DESCENDING"}}},
	// Copies, over the links of all users.
	{"links", "COLLECTION_GROUP", []IndexField{{"type", "ASCENDING"}, {"shared", "ASCENDING"}}},
	{"links", "COLLECTION_GROUP", []IndexField{{"type", "ASCENDING"}, {"creatioId", "ASCENDING"}}},
	// Runs of one type.
	{"runs", "COLLECTION", []IndexField{{"type", "ASCENDING"}, {"id", "DESCENDING"}}},
}

// Unindexed are fields, as collection and path, whose automatic index nothing uses. Exempting them saves storage and
// lets due rise without the limit of an index of one field.
var Unindexed = [][2]string{
	{"users", "doc"},
	{"tokens", "doc"},
	{"states", "doc"},
	{"seats", "doc"},
	{"sync", "doc"},
	{"links", "doc"},
	{"runs", "doc"},
	{"changes", "doc"},
	{"pairs", "doc"},
	{"blobs", "doc"},
	{"pieces", "doc"},
	{"rosters", "doc"},
	{"claims", "doc"},
	{"notes", "doc"},
	{"channels", "doc"},
	{"guesses", "doc"},
	{"access", "doc"},
	{"schedules", "doc"},
	{"meta", "doc"},
	{"sync", "due"},
	{"sync", "every"},
	{"sync", "place"},
	{"sync", "lastSync"},
}

// Expiring are fields, as collection and path, for a time-to-live policy: the document may go once the time is past.
// Nothing relies on it, and nothing is queried by them: they need no index either.
var Expiring = [][2]string{{"states", "expires"}, {"claims", "until"}, {"notes", "until"}, {"channels", "expires"}, {"guesses", "expires"}, {"access", "expires"}, {"runs", "expires"}, {"changes", "expires"}}

// pageSize is how many documents a listing asks for at once.
const pageSize = 300

// Store is a Firestore database.
type Store struct {
	client  *firestore.Client
	observe func(reads, writes int)
	// version is how many migrations all documents have been through, as far as this process knows.
	version *atomic.Int64
	hashes  *hashes
	// history is how long runs and their changes are kept; zero for ever.
	history time.Duration
	// pieces are how many pieces the links have that are too long for a document, by their paths.
	pieces *sync.Map
}

// Open makes a client of a database, "(default)" where the name is empty. It finds the credentials but calls nothing
// yet. Where FIRESTORE_EMULATOR_HOST is set the client talks to the emulator.
func Open(ctx context.Context, project, database string, opts ...option.ClientOption) (*Store, error) {
	opts = append([]option.ClientOption{option.WithGRPCDialOption(dialOption)}, opts...)
	client, err := firestore.NewClientWithDatabase(ctx, project, cmp.Or(database, firestore.DefaultDatabaseID), opts...)
	if err != nil {
		return nil, fault.Errorf(fault.Misconfigured, document.Side, "client", "open store: %w", err)
	}
	return &Store{client: client, observe: func(int, int) {}, version: new(atomic.Int64), hashes: new(hashes), pieces: new(sync.Map)}, nil
}

// dialOption is what every connection needs; the client ignores it where it talks to the emulator.
var dialOption = grpc.WithChainUnaryInterceptor(noteLost)

// WithObserver is the same store with a function that is told after every request how many documents it read and
// wrote; a deletion counts as a write. It may be called from several goroutines at once.
func (s *Store) WithObserver(f func(reads, writes int)) *Store {
	next := *s
	next.observe = f
	return &next
}

// WithHistory is the same store, which keeps runs and their changes for that long after their end.
func (s *Store) WithHistory(d time.Duration) *Store {
	next := *s
	next.history = d
	return &next
}

// Close ends the connections.
func (s *Store) Close() error {
	if err := s.client.Close(); err != nil {
		return fmt.Errorf("close store: %w", classify(err, false))
	}
	return nil
}

// User opens the documents of one user.
func (s *Store) User(id string) store.User { return &user{s: s, id: id} }

// UseState notes that a state was used. 1 write; 1 read where it was used before.
func (s *Store) UseState(ctx context.Context, id string, expires time.Time) error {
	if err := document.ToWrite(id); err != nil {
		return wrap("use state", err)
	}
	doc, err := document.Encode(store.UsedState{Expires: expires, By: rand.Text()})
	if err != nil {
		return wrap("use state", err)
	}
	f := fields{"doc": doc, "expires": document.Time(expires)}
	ref := s.client.Collection("states").Doc(id)
	_, err = ref.Create(ctx, f)
	switch {
	case status.Code(err) == codes.AlreadyExists:
		// The client repeats a request that had no answer.
		snap, err := s.get(ctx, ref)
		if err == nil && !f.in(snap) {
			err = store.ErrUsed
		}
		return wrap("use state", err)
	case err != nil:
		return wrap("use state", classify(err, true))
	}
	s.observe(0, 1)
	return nil
}

// Secret is bytes that everybody shares. 1 read, and 1 write where there were none.
func (s *Store) Secret(ctx context.Context, name string, create func() ([]byte, error)) (secret []byte, err error) {
	if err := document.ToWrite(name); err != nil {
		return nil, wrap("read secret", err)
	}
	err = s.change(ctx, s.client.Collection("meta").Doc(name), func(snap *firestore.DocumentSnapshot) (fields, error) {
		kept, err := content[store.SharedSecret](snap)
		secret = kept.Data
		if !errors.Is(err, store.ErrNotFound) {
			return nil, err
		}
		if kept.Data, err = create(); err != nil {
			return nil, callerError{err}
		}
		secret = kept.Data
		return plain(kept)
	})
	return secret, wrap("read secret", err)
}

// Users goes over the profiles of all users. 1 read for each.
func (s *Store) Users(ctx context.Context) iter.Seq2[store.Profile, error] {
	return list[store.Profile](ctx, s, "list users", byID(s.client.Collection("users")))
}

// byID is a whole collection in the order of the ids.
func byID(c *firestore.CollectionRef) firestore.Query {
	return c.OrderBy(firestore.DocumentID, firestore.Asc)
}

// list goes over what a query finds, in its order, page by page: no stream stays open while the caller works.
func list[D document.Document](ctx context.Context, s *Store, op string, q firestore.Query) iter.Seq2[D, error] {
	return func(yield func(D, error) bool) {
		var none D
		q = q.Limit(pageSize)
		for page := q; ; {
			snaps, err := s.query(ctx, page)
			if err != nil {
				yield(none, wrap(op, err))
				return
			}
			for _, snap := range snaps {
				d, err := whole[D](ctx, s, snap)
				if err != nil {
					yield(none, wrap(op, err))
					return
				}
				if !yield(d, nil) {
					return
				}
			}
			if len(snaps) < pageSize {
				return
			}
			page = q.StartAfter(snaps[len(snaps)-1])
		}
	}
}

// fields are the fields of a Firestore document. A field of value firestore.Delete is one that shall not be there.
type fields map[string]any

// present leaves out what shall not be there.
func (f fields) present() map[string]any {
	out := maps.Clone(map[string]any(f))
	maps.DeleteFunc(out, func(_ string, v any) bool { return v == firestore.Delete })
	return out
}
