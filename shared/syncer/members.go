package syncer

import (
	"context"
	"crypto/sha256"
	"encoding/base64"
	"errors"
	"fmt"
	"maps"
	"slices"

	"github.com/tandem-sync/tandem/shared/record"
	"github.com/tandem-sync/tandem/shared/store"
)

// maxMembers is how many members are kept by name. Beyond that a change of the set makes a run read all links.
const maxMembers = 100_000

// memberSet is who is in scope on one side. Neither side tells reliably who left, so the set is compared with the one that
// the last run wrote down; a digest tells at no cost that they are equal, which they nearly always are.
type memberSet struct {
	// was is the digest that the last run left.
	was digest
	// listed are the ids in scope as the side listed them in this run, as far as the extents go; nil where it did not.
	listed  map[string]bool
	extents []record.Extent
	// before are those that the last run left, where the list is of a part of the scope.
	before store.MemberSet
	// added and removed are the difference to the last run, in order. Where they are not known, anybody may have come or left.
	added, removed []string
	known          bool
	// now are the ids of which this run knows better than the list: it moved them, or read them.
	now map[string]bool
}

// compareMembers compares the members that the sides listed with those that the last run left.
func (s *session) compareMembers(ctx context.Context, deltas map[record.Side]record.Delta) (map[record.Side]*memberSet, error) {
	out := map[record.Side]*memberSet{}
	for _, side := range record.Sides {
		m := &memberSet{was: readDigest(s.doc.MemberDigests[side]), known: true, now: map[string]bool{}}
		out[side] = m
		if deltas[side].Members == nil {
			continue
		}
		m.listed, m.extents = make(map[string]bool, len(deltas[side].Members)), deltas[side].Extents
		for _, id := range deltas[side].Members {
			m.listed[id] = true
		}
		if s.doc.MemberDigests[side] == "" {
			// A first run, or the first one with another scope: whoever was in the former one may have left, even where nobody is in the
			// new one.
			m.compare(nil)
			continue
		}
		if m.extents == nil && digestOf(maps.Keys(m.listed)) == m.was {
			continue
		}
		before, err := s.storedMembers(ctx, side, m.was)
		if err != nil {
			return nil, err
		}
		m.compare(before)
		if m.extents != nil && m.known {
			if err := s.comparePart(ctx, side, m, before); err != nil {
				return nil, err
			}
		}
	}
	return out, nil
}

// comparePart finds who is missing from a list of a part of the scope. Only the links tell who was in that part.
func (s *session) comparePart(ctx context.Context, side record.Side, m *memberSet, before store.MemberSet) error {
	m.before = before
	var parents []string
	for _, e := range m.extents {
		if e.Parent != "" {
			parents = append(parents, e.Parent)
		}
	}
	var links []store.Link
	var err error
	if len(parents) == len(m.extents) {
		links, err = s.user.LinksByParent(ctx, s.engine.Type, parents)
	} else {
		links, err = s.linksOf(ctx, side, m.removed)
	}
	if err != nil {
		return fmt.Errorf("read the links of a part of %s: %w", side, err)
	}
	m.removed = nil
	for _, l := range links {
		if l.Active && l.SideID(side) != "" && m.lacks(side, l) {
			m.removed = append(m.removed, l.SideID(side))
		}
	}
	slices.Sort(m.removed)
	return nil
}

// linksOf are the links of ids of a side, by the page.
func (s *session) linksOf(ctx context.Context, side record.Side, ids []string) ([]store.Link, error) {
	var out []store.Link
	for page := range slices.Chunk(ids, linkPage) {
		links, err := s.user.LinksBy(ctx, s.engine.Type, side, page)
		if err != nil {
			return nil, err
		}
		out = append(out, links...)
	}
	return out, nil
}

// storedMembers is who was in scope when the last run ended; nil where that is not known, as after the first run of a store
// or where the stored set is not the one of the digest.
func (s *session) storedMembers(ctx context.Context, side record.Side, was digest) (store.MemberSet, error) {
	data, err := s.user.Blob(ctx, s.engine.Type, store.MembersBlob(side))
	if errors.Is(err, store.ErrNotFound) {
		return nil, nil
	}
	if err != nil {
		return nil, fmt.Errorf("read the members of %s: %w", side, err)
	}
	stored, err := store.DecodeMemberSet(data)
	if err != nil {
		return nil, fmt.Errorf("read the members of %s: %w", side, err)
	}
	if digestOf(slices.Values(stored)) != was {
		return nil, nil
	}
	return stored, nil
}

func (m *memberSet) compare(before store.MemberSet) {
	if before == nil {
		m.known = false
		m.added = slices.Sorted(maps.Keys(m.listed))
		return
	}
	stayed := make(map[string]bool, len(before))
	for _, id := range before {
		if m.listed[id] {
			stayed[id] = true
		} else {
			m.removed = append(m.removed, id)
		}
	}
	for _, id := range slices.Sorted(maps.Keys(m.listed)) {
		if !stayed[id] {
			m.added = append(m.added, id)
		}
	}
}

// lacks reports whether the side listed its members and the record of a link is missing from what was read whole.
func (m *memberSet) lacks(s record.Side, l store.Link) bool {
	if m.listed == nil || m.listed[l.SideID(s)] {
		return false
	}
	return m.extents == nil || slices.ContainsFunc(m.extents, func(e record.Extent) bool { return e.Covers(l.Parent, l.End) })
}

// moved reports whether an id came into the list since the last run, or left it.
func (m *memberSet) moved(id string) bool {
	_, came := slices.BinarySearch(m.added, id)
	_, left := slices.BinarySearch(m.removed, id)
	return came || left
}

// set notes that this run takes an id into scope or out of it.
func (m *memberSet) set(id string, in bool) { m.now[id] = in }

// read notes what a read says of an id. Where the list says otherwise one of them is behind, and the next run looks again. A
// list of a part says nothing of an id that it lacks.
func (m *memberSet) read(id string, in bool) {
	if m.listed != nil && m.listed[id] != in && (m.extents == nil || m.listed[id]) {
		m.now[id] = in
	}
}

// differs reports whether the run leaves other members than were listed, or than the last run left.
func (m *memberSet) differs() bool {
	for id, in := range m.now {
		if m.listed == nil || m.listed[id] != in {
			return true
		}
	}
	return false
}

// net is by how many the run changes the number of members.
func (m *memberSet) net() (by int) {
	for id, in := range m.now {
		switch {
		case m.listed != nil && m.listed[id] == in:
		case in:
			by++
		default:
			by--
		}
	}
	return by
}

// saveMembers writes down who is in scope as the run leaves it, and gives the digests for the sync's document. A set that
// does not fit its digest is taken for none, so the sets are written before the digests.
func (s *session) saveMembers(ctx context.Context, members map[record.Side]*memberSet) (map[record.Side]string, error) {
	digests := map[record.Side]string{}
	for _, side := range record.Sides {
		m := members[side]
		digests[side] = m.was.String()
		if m.listed == nil && len(m.now) == 0 {
			continue
		}
		if m.extents != nil && !m.known {
			// Who is in the rest of the scope is not known.
			continue
		}
		set := maps.Clone(m.listed)
		for _, id := range m.before {
			if _, left := slices.BinarySearch(m.removed, id); !left {
				set[id] = true
			}
		}
		if set == nil {
			before, err := s.storedMembers(ctx, side, m.was)
			if err != nil {
				return nil, err
			}
			if before == nil && m.was != (digest{}) {
				continue
			}
			set = map[string]bool{}
			for _, id := range before {
				set[id] = true
			}
		}
		for id, in := range m.now {
			if in {
				set[id] = true
			} else {
				delete(set, id)
			}
		}
		is := digestOf(maps.Keys(set))
		if is == m.was {
			continue
		}
		digests[side] = is.String()
		if len(set) > maxMembers {
			continue
		}
		data, err := store.MemberSet(slices.Sorted(maps.Keys(set))).Encode()
		if err == nil {
			err = s.user.PutBlob(ctx, s.engine.Type, s.lease, store.MembersBlob(side), data)
		}
		if err != nil {
			return nil, fmt.Errorf("save the members of %s: %w", side, err)
		}
	}
	return digests, nil
}

// digest stands for a set of ids, in whatever order.
type digest [sha256.Size]byte

func digestOf(ids func(yield func(string) bool)) digest {
	var d digest
	for id := range ids {
		for i, b := range sha256.Sum256([]byte(id)) {
			d[i] ^= b
		}
	}
	return d
}

func (d digest) String() string { return base64.RawURLEncoding.EncodeToString(d[:]) }

// readDigest of what is no digest is that of no ids.
func readDigest(text string) digest {
	var d digest
	if raw, err := base64.RawURLEncoding.DecodeString(text); err == nil && len(raw) == len(d) {
		copy(d[:], raw)
	}
	return d
}
