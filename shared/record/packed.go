package record

import (
	"encoding/binary"
	"encoding/json"
	"slices"
	"strings"
	"time"
	"unique"
)

// Packed is a record in few bytes, for as long as it only waits: in maps and slices a content takes many times the room of
// its letters. The zero Packed is the zero Record.
//
// It is never kept: its form is nobody's concern but that of the program that packed it.
type Packed struct{ data string }

// Pack packs a record by itself. Times come back in UTC.
func Pack(r Record) Packed { return PackLike(r, Record{}) }

// PackLike packs a record but for what it has in common with another one, with which alone it can be unpacked.
func PackLike(r, like Record) Packed {
	w := make(packer, 0, 1<<10)
	w.flags(r.Member, r.Gone, r.Tombstone, r.Fields == nil, r.Untracked == nil, r.AdapterState == nil, r.Passive, r.Withdrawn)
	writeLike(&w, r.ID, like.ID)
	w.texts(r.Aliases)
	w.text(r.Mark)
	w.texts(r.Ties)
	w.time(r.Created)
	w.time(r.Modified)
	w.text(r.Parent)
	w.time(r.End)
	w.texts(r.Locked)
	w.texts(r.Hidden)
	writeLike(&w, r.Photo, like.Photo)
	w.fields(r.Fields, like.Fields)
	w.fields(r.Untracked, nil)
	if len(like.AdapterState) > 0 {
		writeLike(&w, r.AdapterState, like.AdapterState)
	} else {
		w.text(PackJSON(r.AdapterState).data)
	}
	return Packed{string(w)}
}

// Unpack is the record that was packed by itself.
func (p Packed) Unpack() Record { return p.UnpackLike(Record{}) }

// UnpackLike is the record that was packed like another one.
func (p Packed) UnpackLike(like Record) Record {
	if p.data == "" {
		return Record{}
	}
	r, u := p.head(like)
	if r.Fields != nil {
		u.fields(r.Fields, like.Fields)
	}
	if r.Untracked != nil {
		u.fields(r.Untracked, nil)
	}
	switch {
	case r.AdapterState == nil:
	case len(like.AdapterState) > 0:
		r.AdapterState = u.bytesLike(like.AdapterState)
	default:
		r.AdapterState = append(r.AdapterState, PackedJSON{u.text()}.Unpack()...)
	}
	return r
}

// Head is the record that was packed by itself, with neither fields nor the adapter's state.
func (p Packed) Head() Record {
	if p.data == "" {
		return Record{}
	}
	r, _ := p.head(Record{})
	r.Fields, r.Untracked, r.AdapterState = nil, nil, nil
	return r
}

// IsZero reports whether nothing was packed.
func (p Packed) IsZero() bool { return p.data == "" }

// Size is how many bytes the record takes.
func (p Packed) Size() int { return len(p.data) }

// head reads what comes before the content. Content that is not nil is made, and still empty.
func (p Packed) head(like Record) (Record, *unpacker) {
	u := unpacker(p.data)
	var r Record
	var noFields, noUntracked, noState bool
	u.flags(&r.Member, &r.Gone, &r.Tombstone, &noFields, &noUntracked, &noState, &r.Passive, &r.Withdrawn)
	// What outlives the content must not hold all of it.
	r.ID = strings.Clone(u.textLike(like.ID))
	r.Aliases = u.texts()
	r.Mark = strings.Clone(u.text())
	r.Ties = u.texts()
	r.Created = u.time()
	r.Modified = u.time()
	r.Parent = strings.Clone(u.text())
	r.End = u.time()
	r.Locked = u.texts()
	r.Hidden = u.texts()
	r.Photo = strings.Clone(u.textLike(like.Photo))
	if !noFields {
		r.Fields = Fields{}
	}
	if !noUntracked {
		r.Untracked = Fields{}
	}
	if !noState {
		r.AdapterState = json.RawMessage{}
	}
	return r, &u
}

// PackAll packs records, each by itself.
func PackAll(records []Record) []Packed {
	out := make([]Packed, len(records))
	for i, r := range records {
		out[i] = Pack(r)
	}
	return out
}

// UnpackAll is the reverse.
func UnpackAll(packed []Packed) []Record {
	out := make([]Record, len(packed))
	for i, p := range packed {
		out[i] = p.Unpack()
	}
	return out
}

// packer writes texts with their lengths, and numbers as varints.
type packer []byte

func (w *packer) flags(set ...bool) {
	var b byte
	for i, is := range set {
		if is {
			b |= 1 << i
		}
	}
	*w = append(*w, b)
}

func (w *packer) number(n int) { *w = binary.AppendUvarint(*w, uint64(n)) }

func (w *packer) text(s string) {
	w.number(len(s))
	*w = append(*w, s...)
}

// writeLike writes of a text how much of its beginning and of its end is like's, and what is between.
func writeLike[T ~string | ~[]byte](w *packer, s, like T) {
	start := 0
	for start < min(len(s), len(like)) && s[start] == like[start] {
		start++
	}
	end := 0
	for end < min(len(s), len(like))-start && s[len(s)-1-end] == like[len(like)-1-end] {
		end++
	}
	w.number(start)
	w.number(end)
	w.number(len(s) - end - start)
	*w = append(*w, s[start:len(s)-end]...)
}

// texts writes one more than their number, so that none are told from nil.
func (w *packer) texts(list []string) {
	if list == nil {
		w.number(0)
		return
	}
	w.number(len(list) + 1)
	for _, s := range list {
		w.text(s)
	}
}

func (w *packer) time(t time.Time) {
	w.flags(!t.IsZero())
	if !t.IsZero() {
		*w = binary.AppendVarint(*w, t.Unix())
		w.number(t.Nanosecond())
	}
}

// fields writes values by name, each with the number of its entries; before it come what is like's, and what is nil.
func (w *packer) fields(f, like Fields) {
	if f == nil {
		return
	}
	w.number(len(f))
	for name, entries := range f {
		w.text(name)
		if same, ok := like[name]; ok && slices.EqualFunc(entries, same, Entry.Equal) && (entries == nil) == (same == nil) {
			w.number(valueLike)
			continue
		}
		if entries == nil {
			w.number(valueNil)
			continue
		}
		w.number(valueEntries + len(entries))
		for _, e := range entries {
			w.text(e.Kind)
			w.text(e.Text)
			w.parts(e.Parts)
		}
	}
}

// How a value begins: as like's, as nil, or with this and the number of its entries.
const (
	valueLike = iota
	valueNil
	valueEntries
)

func (w *packer) parts(parts map[string]string) {
	w.number(len(parts))
	for name, text := range parts {
		w.text(name)
		w.text(text)
	}
}

// unpacker reads what a packer wrote. Its texts are pieces of one string.
type unpacker string

func (u *unpacker) flags(set ...*bool) {
	for i, is := range set {
		*is = (*u)[0]&(1<<i) != 0
	}
	*u = (*u)[1:]
}

func (u *unpacker) number() int {
	n, shift := uint64(0), 0
	for i := range len(*u) {
		b := (*u)[i]
		n |= uint64(b&0x7f) << shift
		if shift += 7; b < 0x80 {
			*u = (*u)[i+1:]
			break
		}
	}
	return int(n)
}

func (u *unpacker) text() string {
	n := u.number()
	s := string((*u)[:n])
	*u = (*u)[n:]
	return s
}

// name is a text of which there are few, and those many times.
func (u *unpacker) name() string { return unique.Make(u.text()).Value() }

func (u *unpacker) textLike(like string) string {
	start, end := u.number(), u.number()
	middle := u.text()
	switch {
	case start == 0 && end == 0:
		return middle
	case middle == "" && start+end == len(like):
		return like
	}
	return like[:start] + middle + like[len(like)-end:]
}

func (u *unpacker) bytesLike(like []byte) []byte {
	start, end := u.number(), u.number()
	middle := u.text()
	out := make([]byte, 0, start+len(middle)+end)
	out = append(out, like[:start]...)
	out = append(out, middle...)
	return append(out, like[len(like)-end:]...)
}

func (u *unpacker) texts() []string {
	n := u.number()
	if n == 0 {
		return nil
	}
	out := make([]string, n-1)
	for i := range out {
		out[i] = strings.Clone(u.text())
	}
	return out
}

func (u *unpacker) time() time.Time {
	var set bool
	if u.flags(&set); !set {
		return time.Time{}
	}
	return u.instant()
}

func (u *unpacker) instant() time.Time {
	// The zigzag encoding of signed numbers, as encoding/binary writes it.
	n := uint64(u.number())
	seconds := int64(n>>1) ^ -int64(n&1)
	return time.Unix(seconds, int64(u.number())).UTC()
}

func (u *unpacker) fields(into, like Fields) {
	for range u.number() {
		name := u.name()
		n := u.number()
		switch n {
		case valueLike:
			into[name] = slices.Clone(like[name])
			continue
		case valueNil:
			into[name] = nil
			continue
		}
		entries := make([]Entry, n-valueEntries)
		for i := range entries {
			entries[i] = Entry{Kind: u.name(), Text: u.text(), Parts: u.parts()}
		}
		into[name] = entries
	}
}

func (u *unpacker) parts() map[string]string {
	n := u.number()
	if n == 0 {
		return nil
	}
	parts := make(map[string]string, n)
	for range n {
		name := u.name()
		parts[name] = u.text()
	}
	return parts
}
