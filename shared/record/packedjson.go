package record

import (
	"encoding/binary"
	"encoding/hex"
	"sync"
	"time"
)

// PackedJSON is a JSON document in few bytes, for as long as it only waits. What stands between the values of documents is
// mostly alike, so that it is kept once for all of them; ids and times are kept as numbers. It comes back to the letter, and
// so does what is no JSON. The zero PackedJSON is nothing.
type PackedJSON struct{ data string }

// How a value is packed, in the two lowest bits of the number before it.
const (
	_         = iota // a text, whose length the other bits tell
	valueGUID        // 16 bytes
	valueTime        // seconds and nanoseconds
)

// PackJSON packs a document.
func PackJSON(raw []byte) PackedJSON {
	w := make(packer, 0, len(raw)/2)
	for len(raw) > 0 {
		start, end := nextValue(raw)
		w.between(raw[:start])
		if start < len(raw) {
			w.value(string(raw[start:end]))
		}
		raw = raw[end:]
	}
	return PackedJSON{string(w)}
}

// Unpack is the document; nil for nothing.
func (p PackedJSON) Unpack() []byte {
	if p.data == "" {
		return nil
	}
	u := unpacker(p.data)
	out := make([]byte, 0, 4*len(p.data))
	for len(u) > 0 {
		if n := u.number(); n > 0 {
			out = append(out, betweens.at(n-1)...)
		} else {
			out = append(out, u.text()...)
		}
		if len(u) > 0 {
			out = u.value(out)
		}
	}
	return out
}

// nextValue finds the next text that is no name of a member, without its quotes; both ends are the end where there is none.
func nextValue(raw []byte) (start, end int) {
	for i := 0; i < len(raw); i++ {
		if raw[i] != '"' {
			continue
		}
		start = i + 1
		for i++; i < len(raw) && raw[i] != '"'; i++ {
			if raw[i] == '\\' {
				i++
			}
		}
		if i >= len(raw) {
			break
		}
		if i+1 == len(raw) || raw[i+1] != ':' {
			return start, i
		}
	}
	return len(raw), len(raw)
}

func (w *packer) between(s []byte) {
	if n, ok := betweens.number(s); ok {
		w.number(n + 1)
		return
	}
	w.number(0)
	w.text(string(s))
}

func (w *packer) value(s string) {
	if id, ok := guid(s); ok {
		w.number(valueGUID)
		*w = append(*w, id[:]...)
		return
	}
	if at, ok := instant(s); ok {
		w.number(valueTime)
		*w = binary.AppendVarint(*w, at.Unix())
		w.number(at.Nanosecond())
		return
	}
	w.number(len(s) << 2)
	*w = append(*w, s...)
}

func (u *unpacker) value(out []byte) []byte {
	n := u.number()
	switch n & 3 {
	case valueGUID:
		out = appendGUID(out, []byte((*u)[:16]))
		*u = (*u)[16:]
	case valueTime:
		out = u.instant().AppendFormat(out, time.RFC3339Nano)
	default:
		out = append(out, (*u)[:n>>2]...)
		*u = (*u)[n>>2:]
	}
	return out
}

// guid reads an id of the form that services write in small letters.
func guid(s string) (id [16]byte, ok bool) {
	if len(s) != 36 || s[8] != '-' || s[13] != '-' || s[18] != '-' || s[23] != '-' {
		return id, false
	}
	digits := s[:8] + s[9:13] + s[14:18] + s[19:23] + s[24:]
	if _, err := hex.Decode(id[:], []byte(digits)); err != nil {
		return id, false
	}
	return id, string(appendGUID(nil, id[:])) == s
}

func appendGUID(out, id []byte) []byte {
	for i, b := range id {
		if i == 4 || i == 6 || i == 8 || i == 10 {
			out = append(out, '-')
		}
		out = hex.AppendEncode(out, []byte{b})
	}
	return out
}

// instant reads a time in UTC as encoding/json writes it.
func instant(s string) (time.Time, bool) {
	if len(s) < len("2006-01-02T15:04:05Z") || s[4] != '-' || s[len(s)-1] != 'Z' {
		return time.Time{}, false
	}
	at, err := time.Parse(time.RFC3339Nano, s)
	return at, err == nil && at.UTC().Format(time.RFC3339Nano) == s
}

// betweens are what stands between values, for the whole process.
var betweens = vocabulary{numbers: map[string]int{}}

// vocabulary numbers texts of which there are few, and those many times. A text keeps its number.
type vocabulary struct {
	mu      sync.RWMutex
	numbers map[string]int
	list    []string
}

// Documents of another form than most have more to say between their values. That is kept with them.
const (
	maxWords  = 4096
	maxLetter = 256
)

// number is the number of a text, which gets one as long as there is room.
func (v *vocabulary) number(s []byte) (n int, ok bool) {
	if len(s) > maxLetter {
		return 0, false
	}
	v.mu.RLock()
	n, ok = v.numbers[string(s)]
	full := len(v.list) >= maxWords
	v.mu.RUnlock()
	if ok || full {
		return n, ok
	}
	v.mu.Lock()
	defer v.mu.Unlock()
	if n, ok = v.numbers[string(s)]; ok || len(v.list) >= maxWords {
		return n, ok
	}
	n = len(v.list)
	v.list = append(v.list, string(s))
	v.numbers[v.list[n]] = n
	return n, true
}

func (v *vocabulary) at(n int) string {
	v.mu.RLock()
	defer v.mu.RUnlock()
	return v.list[n]
}
