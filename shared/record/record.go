// Package record holds the mechanisms that every kind of record is made of: fields and
// their entries, when two values are the same to a person, how a value is shown in the
// history, and what a run is about to write. It is for the engine and the adapters. What
// a contact or an activity is, a Schema of another package says.
//
// The package is pure: no I/O, no clock, no logger.
package record

import (
	"encoding/json"
	"maps"
	"slices"
	"time"
)

// Side is one of the two services.
type Side string

// The two sides.
const (
	Creatio Side = "creatio"
	Google  Side = "google"
)

// Sides lists both, in the order in which they are shown.
var Sides = [2]Side{Creatio, Google}

// Other is the opposite side.
func (s Side) Other() Side {
	if s == Creatio {
		return Google
	}
	return Creatio
}

// Type is a sync type.
type Type string

// The sync types.
const (
	Contacts   Type = "contacts"
	Activities Type = "activities"
)

// Entry is one value of a field: the only one of a single field, one of many of a set.
type Entry struct {
	// Kind is the label in Tandem's own vocabulary, as "work" or "mobile"; empty where the field has none.
	Kind string `json:"kind,omitempty"`
	// Text is the value as a person wrote it. Dates are "2006-01-02", or "--01-02" without a year.
	Text string `json:"text,omitempty"`
	// Parts holds the named pieces of a composed value, as an address.
	Parts map[string]string `json:"parts,omitempty"`
}

// IsZero reports whether the entry says nothing.
func (e Entry) IsZero() bool { return e.Text == "" && len(e.Parts) == 0 }

// Equal reports whether both are the same to the letter.
func (e Entry) Equal(o Entry) bool {
	return e.Kind == o.Kind && e.Text == o.Text && maps.Equal(e.Parts, o.Parts)
}

// Fields holds a record's content by field name. A field that is missing is empty.
type Fields map[string][]Entry

// One is the value of a single field; the zero Entry where it is empty.
func (f Fields) One(name string) Entry {
	if v := f[name]; len(v) > 0 {
		return v[0]
	}
	return Entry{}
}

// Text is the text of a single field.
func (f Fields) Text(name string) string { return f.One(name).Text }

// SetText sets a single field, or empties it where text is empty.
func (f Fields) SetText(name, text string) {
	if text == "" {
		delete(f, name)
		return
	}
	f[name] = []Entry{{Text: text}}
}

// Clone copies the map and its slices; entries' parts are shared and never changed in place.
func (f Fields) Clone() Fields {
	out := make(Fields, len(f))
	for k, v := range f {
		out[k] = slices.Clone(v)
	}
	return out
}

// Record is one record of one side as an adapter read it, or as it is after a write.
type Record struct {
	// ID is the side's own id: a Creatio Id, or a Google resource name.
	ID string
	// Aliases are ids under which the side knew the record before (Google's previousResourceNames).
	Aliases []string
	// Mark is the link id that Tandem left on the record; a hint for recovery, never the truth.
	Mark string
	// Ties are names that the record shares with its counterpart, or with the counterpart's counterpart of another program: what
	// others noted of which records belong together. Among them may be the counterpart's id.
	Ties []string
	// Created is when the record was made, and Modified when it last changed, by its side's clock. Created may be zero.
	Created, Modified time.Time
	// Member says that the record is in scope: carries the private tag, or is in the group.
	Member bool
	// Gone says that the record was deleted; nothing else but ID is set then.
	Gone bool
	// Tombstone says that the side reported the deletion, rather than that it does not know the record.
	Tombstone bool
	// Fields is the content in Tandem's vocabulary.
	Fields Fields
	// Parent is the record's series; empty where it belongs to none. End is when it ends; zero where it has no time.
	Parent string
	End    time.Time
	// Passive says that the record begins no pair, though it is in scope. In one that it belongs to already it takes part.
	Passive bool
	// Withdrawn says that the record left the scope by a person's choice about the synchronization alone, and lives on.
	Withdrawn bool
	// Locked are the names of fields that this user may not write in this record, and Removal, Loss, Withdrawal, Others and Absent.
	Locked []string
	// Hidden names what the record has and this user may not read: a field, or a part of a set's values as HiddenPart names it. It
	// is no part of Fields, it is not empty, and it may not be written.
	Hidden []string
	// Untracked are values of sets that the side has besides those of Fields: under a label that Tandem does not carry, or once more
	// under another label. They stay as they are, but nothing that is among them is added again. Nil where they are not known.
	Untracked Fields
	// Photo is the side's own reference to the photo that the record shows; empty for none. Another photo has another
	// reference, and one photo may have several in the course of time.
	Photo string
	// AdapterState is what the adapter needs to write the record without reading it again: version, ids of
	// rows, entries that Tandem cannot represent. Opaque to everybody else; kept in the link.
	AdapterState json.RawMessage
}

// HiddenPart names a part of a set's values, as Hidden does.
func HiddenPart(field, part string) string { return field + "." + part }

// What a record may be locked against besides the fields, as Locked names it.
const (
	// Removal is that this user may not remove the record. It stays where its counterpart is gone.
	Removal = "(removal)"
	// Loss is that nothing of its counterpart reaches the record, not even that it is gone. Otherwise the record is the user's.
	Loss = "(loss)"
	// Withdrawal is that the record was made by a person. It stays where its counterpart is Withdrawn.
	Withdrawal = "(withdrawal)"
	// Others is that other users take part in the record, whom it is not taken from because one user's copy is gone.
	Others = "(others)"
	// Absent is that nobody takes part any more but users who are not active and have not declined.
	Absent = "(absent)"
)

// Projection says that a side shows a value in another form than the agreed one, because it cannot hold it
// as it is. As long as the side shows Displayed, it counts as showing Canonical.
type Projection struct {
	Field string `json:"field"`
	// Canonical is the agreed value; zero where nothing was agreed on. Displayed is what the side shows in its place; zero where
	// it shows nothing.
	Canonical Entry `json:"is"`
	Displayed Entry `json:"as"`
	// Untracked says that the side shows nothing because it has the value under a label that Tandem does not carry.
	Untracked bool `json:"kept,omitempty"`
	// Alone says of such a value that the side never had it under a label that Tandem carries.
	Alone bool `json:"alone,omitempty"`
	// Split says that the value is a part of one that the sides split in different ways.
	Split bool `json:"split,omitempty"`
}

// Swap is one value that a run put in the place of another one on a side, so that it can be put back.
type Swap struct {
	// Before is the value that After replaced, both as they were agreed on; zero where there was none.
	Before Entry `json:"was,omitzero"`
	After  Entry `json:"is,omitzero"`
	// BeforeDisplayed is how sides showed Before, where they showed it in another form. AfterDisplayed is the same for After on
	// the side that was written.
	BeforeDisplayed map[Side]Entry `json:"wasAs,omitempty"`
	AfterDisplayed  *Entry         `json:"isAs,omitempty"`
}
