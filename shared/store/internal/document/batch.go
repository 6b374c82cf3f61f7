package document

import (
	"crypto/hmac"
	"crypto/sha256"
	"encoding/binary"
	"encoding/hex"
	"slices"
	"strings"
	"time"

	"github.com/tandem-sync/tandem/shared/fault"
	"github.com/tandem-sync/tandem/shared/record"
	"github.com/tandem-sync/tandem/shared/store"
)

// ToPut checks a batch before anything of it is written.
func ToPut(b store.Batch) error {
	links := map[string]bool{}
	for _, l := range b.Links {
		links[l.ID] = true
		if err := ToWrite(l.ID); err != nil {
			return err
		}
	}
	for _, c := range b.Claims {
		if c.Site == "" || c.Key == "" || c.RecordID == "" || !links[c.Link] {
			return fault.Errorf(fault.Bug, Side, "invalid-claim", "a claim of the link %q lacks its site, its key or its record, or the link itself", c.Link)
		}
	}
	for _, c := range b.Released {
		if c.Site == "" || c.Key == "" || c.RecordID == "" {
			return fault.Errorf(fault.Bug, Side, "invalid-claim", "a claim to be released lacks its site, its key or its record")
		}
	}
	for _, n := range b.Notes {
		if n.Site == "" || n.Record == "" {
			return fault.Errorf(fault.Bug, Side, "invalid-note", "a write note lacks its site or its record")
		}
	}
	if err := PairsToWrite(b.Pairs); err != nil {
		return err
	}
	return ToWrite(b.SettledPairs...)
}

// PairsToWrite checks pairs to be written.
func PairsToWrite(pairs []store.Pair) error {
	for _, p := range pairs {
		if err := ToWrite(p.ID); err != nil {
			return err
		}
		if p.State != store.StateDoubt && !p.State.Decided() {
			return fault.Errorf(fault.Bug, Side, "invalid-pair", "the pair %s has the state %q", p.ID, p.State)
		}
	}
	return nil
}

// HashKey is the key of the hashes that are keys of documents.
type HashKey struct {
	Key []byte `json:"key"`
}

// HashKeySize is how long such a key is: as long as what it makes.
const HashKeySize = sha256.Size

// ClaimID is the key of the document of a claim.
func (k HashKey) ClaimID(c store.Claim) string {
	return k.hash("claim", string(c.Type), c.Site, c.Key)
}

// NoteID is the key of the document of a write note. Creatio takes and gives GUIDs in letters of either case.
func (k HashKey) NoteID(site, recordID string) string {
	return k.hash("note", site, strings.ToLower(recordID))
}

// hash is of the parts with their lengths, so that no two lists of parts are one.
func (k HashKey) hash(parts ...string) string {
	h := hmac.New(sha256.New, k.Key)
	for _, part := range parts {
		h.Write(binary.BigEndian.AppendUint64(nil, uint64(len(part))))
		h.Write([]byte(part))
	}
	return hex.EncodeToString(h.Sum(nil))
}

// ClaimsByLink are a batch's claims by their link and then by the key of their document, as the user's.
func (k HashKey) ClaimsByLink(user string, t record.Type, b store.Batch) map[string]map[string]store.Claim {
	out := map[string]map[string]store.Claim{}
	for _, c := range b.Claims {
		c.User, c.Type = user, t
		if out[c.Link] == nil {
			out[c.Link] = map[string]store.Claim{}
		}
		out[c.Link][k.ClaimID(c)] = c
	}
	return out
}

// Take takes all claims of a link, by the keys of their documents, or none. kept is what is kept under the keys, and
// becomes what is to be kept.
func Take(kept, wanted map[string]store.Claim, now time.Time) bool {
	for id, c := range wanted {
		if kept[id].Holds(now, c) {
			return false
		}
	}
	for id, c := range wanted {
		if was := kept[id]; now.Before(was.Until) {
			if was.RecordID != c.RecordID {
				c.RecordID, c.Link = was.RecordID, was.Link
			}
			c.Until = later(was.Until, c.Until)
		}
		kept[id] = c
	}
	return true
}

// Release ends a kept claim where it is the released one; false where it is not, or is over by then. It is not forgotten: a run
// that began before then has not looked for what else was made meanwhile.
func Release(kept, released store.Claim) (store.Claim, bool) {
	if kept.User != released.User || kept.RecordID != released.RecordID || !released.Until.Before(kept.Until) {
		return kept, false
	}
	kept.Until = released.Until
	return kept, true
}

// Refused are the claims of a batch whose links are not written, as the caller gave them.
func Refused(b store.Batch, links map[string]bool) []store.Claim {
	var out []store.Claim
	for _, c := range b.Claims {
		if links[c.Link] {
			out = append(out, c)
		}
	}
	return out
}

// Noted is what is to be kept of two notes of one record.
func Noted(kept, next store.WriteNote) store.WriteNote {
	next.Until = later(kept.Until, next.Until)
	// What the record showed before is still there beside what is written.
	edited := later(kept.EditedAt(next.Before), next.Edited)
	sending := slices.DeleteFunc(slices.Clone(kept.Sending), func(s store.Sending) bool { return s.By == next.Sender || s.Over(later(next.Sent, next.Modified)) })
	switch {
	case next.Modified.IsZero():
		sending = append(sending, store.Sending{By: next.Sender, Sent: next.Sent, Edited: edited})
		if next.Modified, next.Edited = kept.Modified, kept.Edited; kept.User != "" {
			next.User = kept.User
		}
	case kept.Modified.After(Time(next.Modified)):
		next.User, next.Modified, next.Edited = kept.User, kept.Modified, kept.Edited
	case kept.Modified.Equal(Time(next.Modified)):
		next.Edited = later(kept.Edited, next.Edited)
	default:
		next.Edited = edited
	}
	if next.Sending = sending; len(sending) == 0 {
		next.Sending = nil
	}
	return next
}

// Stands reports whether a kept pair stays where a run found a doubt: a person decided it. A doubt with a link is what a
// person undid, and that is the later word.
func Stands(kept, found store.Pair) bool {
	return kept.State.Decided() && found.State == store.StateDoubt && found.Link == nil
}

func later(a, b time.Time) time.Time {
	if a.After(b) {
		return a
	}
	return b
}
