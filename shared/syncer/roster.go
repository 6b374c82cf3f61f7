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

// maxRoster is how many members are kept by name. Beyond that a change of the set makes a run read all links.
const maxRoster = 100_000

// roster is who is in scope on one side. Neither side tells reliably who left, so the set is compared with the one that
// the last run wrote down; a digest tells at no cost that they are equal, which they nearly always are.
type roster struct {
	// was is the digest that the last run left, is that of now.
	was, is digest
	// members are the ids in scope as the side listed them; nil where it did not.
	members map[string]bool
	// came and left are the difference to the last run. Where they are not known, everybody may have come or left.
	came, left []string
	known      bool
	// moved are the ids that this run takes into scope or out of it.
	moved map[string]bool
	// doubted says that a record was not in scope although nothing else tells that it left.
	doubted bool
	// net is by how many this run changes their number.
	net int
}

// openRosters compares the sets of members with those that the last run left.
func (r *run) openRosters(ctx context.Context) error {
	r.rosters = map[record.Side]*roster{}
	for _, s := range record.Sides {
		ros := &roster{was: readDigest(r.doc.MemberDigests[s]), known: true, moved: map[string]bool{}}
		r.rosters[s] = ros
		ros.is = ros.was
		if r.deltas[s].Members == nil {
			continue
		}
		ros.is, ros.members = digest{}, make(map[string]bool, len(r.deltas[s].Members))
		for _, id := range r.deltas[s].Members {
			if !ros.members[id] {
				ros.members[id] = true
				ros.is.toggle(id)
			}
		}
		if ros.is == ros.was {
			continue
		}
		before, err := r.readRoster(ctx, s)
		if err != nil {
			return err
		}
		ros.compare(before)
	}
	return nil
}

// readRoster is who was in scope when the last run ended; nil where that is not known, as after the first run of a store
// or where the kept set is not the one of the digest.
func (r *run) readRoster(ctx context.Context, s record.Side) (store.MemberSet, error) {
	data, err := r.user.Blob(ctx, r.engine.Type, store.MembersBlob(s))
	if errors.Is(err, store.ErrNotFound) {
		return nil, nil
	}
	if err != nil {
		return nil, fmt.Errorf("read the members of %s: %w", s, err)
	}
	kept, err := store.DecodeMemberSet(data)
	if err != nil {
		return nil, fmt.Errorf("read the members of %s: %w", s, err)
	}
	var d digest
	for _, id := range kept {
		d.toggle(id)
	}
	if d != r.rosters[s].was {
		return nil, nil
	}
	return kept, nil
}

func (ros *roster) compare(before store.MemberSet) {
	if before == nil {
		ros.known = false
		ros.came = slices.Sorted(maps.Keys(ros.members))
		return
	}
	stayed := make(map[string]bool, len(before))
	for _, id := range before {
		if ros.members[id] {
			stayed[id] = true
		} else {
			ros.left = append(ros.left, id)
		}
	}
	for _, id := range slices.Sorted(maps.Keys(ros.members)) {
		if !stayed[id] {
			ros.came = append(ros.came, id)
		}
	}
}

// believe settles what a list of members and a record that was read say differently: one of them is behind the other.
// Nobody leaves before both say so. Who is not listed is kept in the set, so that the next run looks again.
func (r *run) believe(s record.Side, records []*record.Record) {
	ros := r.rosters[s]
	for _, rec := range records {
		if _, settled := ros.moved[rec.ID]; ros.members == nil || rec.Gone || settled || rec.Member != ros.lacks(rec.ID) {
			continue
		}
		if !rec.Member {
			rec.Member = true
			continue
		}
		ros.move(rec.ID, true)
	}
}

// lacks reports whether the side listed its members and an id is not among them.
func (ros *roster) lacks(id string) bool { return ros.members != nil && !ros.members[id] }

// move notes that this run takes an id into scope or out of it.
func (ros *roster) move(id string, in bool) {
	if in {
		ros.net++
	} else {
		ros.net--
	}
	ros.is.toggle(id)
	ros.moved[id] = !ros.moved[id]
}

// rename notes that a member goes by another id. A list has the new one already.
func (ros *roster) rename(from, to string) {
	if ros.members == nil {
		ros.move(from, false)
		ros.move(to, true)
	}
}

// keepRosters writes down who is in scope as the run leaves it, before the digests move: a set that does not fit its
// digest is taken for none.
func (r *run) keepRosters(ctx context.Context) error {
	for _, s := range record.Sides {
		ros := r.rosters[s]
		if ros.is == ros.was {
			continue
		}
		set := maps.Clone(ros.members)
		if set == nil {
			before, err := r.readRoster(ctx, s)
			if err != nil {
				return err
			}
			if before == nil && ros.was != (digest{}) {
				continue
			}
			set = map[string]bool{}
			for _, id := range before {
				set[id] = true
			}
		}
		for id, moved := range ros.moved {
			if moved && set[id] {
				delete(set, id)
			} else if moved {
				set[id] = true
			}
		}
		if len(set) > maxRoster {
			continue
		}
		data, err := store.MemberSet(slices.Sorted(maps.Keys(set))).Encode()
		if err != nil {
			return fmt.Errorf("save the members of %s: %w", s, err)
		}
		if err := r.user.PutBlob(ctx, r.engine.Type, r.lease, store.MembersBlob(s), data); err != nil {
			return fmt.Errorf("save the members of %s: %w", s, err)
		}
	}
	return nil
}

// digest stands for a set of ids. Adding and removing one is the same operation and needs no other member.
type digest [sha256.Size]byte

func (d *digest) toggle(id string) {
	for i, b := range sha256.Sum256([]byte(id)) {
		d[i] ^= b
	}
}

func (d *digest) String() string { return base64.RawURLEncoding.EncodeToString(d[:]) }

// readDigest of what is no digest is that of no ids.
func readDigest(text string) digest {
	var d digest
	if raw, err := base64.RawURLEncoding.DecodeString(text); err == nil && len(raw) == len(d) {
		copy(d[:], raw)
	}
	return d
}
