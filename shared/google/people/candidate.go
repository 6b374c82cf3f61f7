package people

import (
	"context"
	"fmt"
	"hash/maphash"
	"maps"
	"slices"
	"sync"

	"github.com/tandem-sync/tandem/shared/contact"
	"github.com/tandem-sync/tandem/shared/match"
	"github.com/tandem-sync/tandem/shared/record"
)

// Candidates finds the user's contacts, in the group or not, that share an e-mail address, a number or a name with one
// of like. Google's own search is late, finds thirty at most and only by their beginnings, so the whole list is read
// once in a run (https://developers.google.com/people/v1/contacts#search_the_users_contacts).
//
// A record that has none of the three can have a contact of its own only where Tandem made it. Like such a one,
// every contact that has none of them either and carries a mark is a candidate.
func (s *Side) Candidates(ctx context.Context, like []record.Record) ([]record.Record, error) {
	if len(like) == 0 {
		return nil, nil
	}
	everybody, err := s.everybody(ctx)
	if err != nil {
		return nil, fmt.Errorf("find candidates: %w", err)
	}
	return everybody.alike(like), nil
}

// directory is every contact of the user, packed, and found by the keys by which two records may be known for one.
type directory struct {
	records []record.Packed
	// once makes the index, which not every run needs: places by the hash of a key. Two keys of one hash only make more
	// candidates.
	once sync.Once
	seed maphash.Seed
	by   map[uint64][]int32
}

// index hashes the keys of all contacts.
func (d *directory) index() {
	d.seed, d.by = maphash.MakeSeed(), make(map[uint64][]int32, 4*len(d.records))
	for i, p := range d.records {
		r := p.Unpack()
		if r.Gone {
			continue
		}
		keys := keysOf(r)
		if r.Mark != "" {
			if len(keys) == 0 {
				keys = append(keys, bare)
			}
			keys = append(keys, markKey(r.Mark))
		}
		for _, k := range keys {
			h := maphash.String(d.seed, k)
			d.by[h] = append(d.by[h], int32(i))
		}
	}
}

// alike are the contacts that share a key with one of like.
func (d *directory) alike(like []record.Record) []record.Record {
	d.once.Do(d.index)
	found := map[int32]bool{}
	for _, r := range like {
		keys := keysOf(r)
		if len(keys) == 0 {
			keys = append(keys, bare)
		}
		if r.Mark != "" {
			keys = append(keys, markKey(r.Mark))
		}
		for _, k := range keys {
			for _, i := range d.by[maphash.String(d.seed, k)] {
				found[i] = true
			}
		}
	}
	var out []record.Record
	for _, i := range slices.Sorted(maps.Keys(found)) {
		out = append(out, d.records[i].Unpack())
	}
	return out
}

// bare is the key of contacts that have a mark and nothing else.
const bare = "bare"

func markKey(mark string) string { return "m" + mark }

// everybody is the list of the user's contacts, read once.
func (s *Side) everybody(ctx context.Context) (*directory, error) {
	group := s.membership()
	s.mu.Lock()
	known := s.known
	s.mu.Unlock()
	if known != nil {
		return known, nil
	}
	found, err := s.connections(ctx, group, "", false)
	if err != nil {
		return nil, err
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	s.known = &directory{records: found.records}
	return s.known, nil
}

// keysOf are the marks by which two records may be known for one.
func keysOf(r record.Record) []string {
	return contact.CandidateKeys(match.Item{Fields: r.Fields, Untracked: r.Untracked})
}
