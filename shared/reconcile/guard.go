package reconcile

import (
	"crypto/sha256"
	"encoding/base64"
	"slices"
	"strings"

	"github.com/tandem-sync/tandem/shared/record"
)

// The guard's bounds on the losses that one side causes within a day: they wait when they are more than both guardCount
// and guardShare of the links in scope, or more than guardMost.
const (
	guardCount = 10
	guardShare = 0.20
	guardMost  = 500
	// guardFew is the least number of links that a side can seem to have lost all at once.
	guardFew = 3
)

// The reasons for which losses wait.
const (
	HeldMany    = "many"    // too many records lose something
	HeldEmptied = "emptied" // a side suddenly shows nothing
)

// Balance is what the guard knows of one side.
type Balance struct {
	// Done are the records that lost something in the last day because of this side, without anybody's approval. Planned are
	// those that would be the next.
	Done, Planned int
	// Left are the records that are not in scope any more on this side although they were; LeftOnce counts those of one series once.
	Left, LeftOnce int
}

// Total is what a balance is held against.
type Total struct {
	// Links are the links in scope; Once counts those of one series once, as Done and Planned do.
	Links, Once int
}

// Guard tells whether the planned losses that one side causes wait for the user's approval, and why. A mistake that takes a lot
// away at once is the one that users of a sync fear most.
func Guard(b Balance, of Total) (reason string) {
	switch {
	case b.Planned == 0:
		return ""
	case b.LeftOnce >= guardFew && b.Left >= of.Links:
		return HeldEmptied
	case b.Done+b.Planned > guardMost, b.Many() && float64(b.Done+b.Planned) > guardShare*float64(of.Once):
		return HeldMany
	default:
		return ""
	}
}

// Many reports whether there are so many losses that their share decides.
func (b Balance) Many() bool { return b.Planned > 0 && b.Done+b.Planned > guardCount }

// Loss is what one side takes away from the other one's record.
type Loss struct {
	// Departure says that the record left the scope, and that the other one would follow.
	Departure bool
	// Fields are the names of the fields of which values would go.
	Fields []string
	// Digest stands for what would go: another loss has another one.
	Digest string
}

// departed is the digest of every departure.
const departed = "departed"

// Left reports whether the record of a side is no longer in scope although it was.
func (d Decision) Left(s record.Side) bool { return d.left[s] }

// Losses are what a decision takes away, by the side it comes from: a departure; a single field emptied; more values of a
// set gone than came in their place; a single value replaced by a former one, as by a restored backup. former tells whether
// a value is one that the pair agreed on not long ago. Records that are matched for the first time lose nothing.
func Losses(schema record.Schema, d Decision, former func(field, hash string) bool) map[record.Side]Loss {
	if d.First {
		return nil
	}
	var out map[record.Side]Loss
	for _, s := range record.Sides {
		op := d.Ops[s.Other()]
		if op == nil {
			continue
		}
		l := Loss{Departure: true, Digest: departed}
		if !op.Action.Removes() {
			l = d.valuesLost(schema, s, former)
		}
		if l.Digest != "" {
			if out == nil {
				out = map[record.Side]Loss{}
			}
			out[s] = l
		}
	}
	return out
}

// valuesLost are the values that a side takes away from the other one. The parts of one value, as of a name, are lost or
// stay together.
func (d Decision) valuesLost(schema record.Schema, from record.Side, former func(field, hash string) bool) Loss {
	var what []string
	lost, wholes := map[string]bool{}, map[string]bool{}
	for _, c := range d.Changes[from.Other()] {
		gone := d.gone(schema, c, from.Other(), former)
		if len(gone) == 0 {
			continue
		}
		lost[c.Field.Name] = true
		if c.Field.Of != "" {
			wholes[c.Field.Of] = true
		}
		slices.Sort(gone)
		what = append(what, c.Field.Name+"\x02"+strings.Join(gone, "\x02"))
	}
	if len(what) == 0 {
		return Loss{}
	}
	var l Loss
	for _, c := range d.Changes[from.Other()] {
		if lost[c.Field.Name] || c.Field.Of != "" && wholes[c.Field.Of] {
			l.Fields = append(l.Fields, c.Field.Name)
		}
	}
	l.Digest = hash(strings.Join(what, "\x01"))
	return l
}

// gone are the values of a field that a change takes away from a side, in a form in which they can be compared.
func (d Decision) gone(schema record.Schema, c FieldChange, side record.Side, former func(field, hash string) bool) []string {
	f := c.Field
	var gone []string
	came := 0
	for _, swap := range c.Swaps {
		had, has := !f.Empty(swap.Before), !f.Empty(swap.After)
		switch {
		case f.Set && had && !has:
			gone = append(gone, f.Exact(swap.Before))
		case f.Set && !had && has:
			came++
		case f.Set || !had || f.Same(swap.Before, swap.After):
		case !has && !d.moved(schema, f, swap.Before, side), has && former(f.Name, ValueHash(f, swap.After)):
			gone = append(gone, f.Exact(swap.Before)+"\x03"+f.Exact(swap.After))
		}
	}
	if f.Set && len(gone) <= came {
		return nil
	}
	return gone
}

// moved reports whether every word of an emptied part of a value stands in another part of it.
func (d Decision) moved(schema record.Schema, part record.Field, was record.Entry, side record.Side) bool {
	if part.Of == "" {
		return false
	}
	words := map[string]bool{}
	for _, f := range schema {
		if f.Of == part.Of {
			for _, word := range strings.Fields(record.Fold(d.After[side].Text(f.Name))) {
				words[word] = true
			}
		}
	}
	return !slices.ContainsFunc(strings.Fields(record.Fold(was.Text)), func(word string) bool { return !words[word] })
}

// ValueHash stands for a single value of a field.
func ValueHash(f record.Field, e record.Entry) string { return hash(f.Name + "\x00" + f.Exact(e)) }

func hash(text string) string {
	sum := sha256.Sum256([]byte(text))
	return base64.RawURLEncoding.EncodeToString(sum[:12])
}

// Wait is the decision to leave a pair as it is.
func Wait(p Pair) Decision { return undecided(p) }

// Keep has fields of a pair stay as they are on both sides, whatever is decided about the others.
func (p Pair) Keep(fields []string) Pair {
	sides := map[record.Side]Now{}
	for s, n := range p.Sides {
		n.Locked = slices.Concat(n.Locked, fields)
		sides[s] = n
	}
	p.Sides = sides
	return p
}

// Restored is what the records of a pair agree on where values that went missing are to come back; missing names their
// fields by the side that misses them. What that side shows is taken for agreed, so that what the other one has is the change.
func Restored(schema record.Schema, p Pair, missing map[record.Side][]string) record.Fields {
	m := newMerger(p.First, map[record.Side]View{
		record.Creatio: p.Sides[record.Creatio].View, record.Google: p.Sides[record.Google].View,
	}, Policy{})
	base := p.Base.Clone()
	for _, f := range schema {
		for _, s := range record.Sides {
			if !slices.Contains(missing[s], f.Name) {
				continue
			}
			now := m.begin(f, p.Base)[s]
			switch is := one(now).canonical; {
			case f.Set:
				base[f.Name] = slices.DeleteFunc(base[f.Name], func(e record.Entry) bool { return !holdsSlot(f, now, e) })
			case f.Empty(is):
				delete(base, f.Name)
			default:
				base[f.Name] = []record.Entry{is}
			}
			if len(base[f.Name]) == 0 {
				delete(base, f.Name)
			}
		}
	}
	return base
}
