package reconcile

import (
	"slices"
	"strings"

	"github.com/tandem-sync/tandem/shared/record"
)

// A value of several parts is split apart where one side has words in it that the other one keeps beside it: "John Smith Jr." is
// the name on one side, and on the other one "John Smith" with the suffix "Jr.". Both are the same value, so neither is written.
// When one changes, the other gets the same change in the words that it has.

// wording is a value of several parts as one side words it.
type wording struct {
	// parts are the words of each part.
	parts [][]string
	// ahead and behind are the words that stand beside the value.
	ahead, behind []string
}

func (m *merger) wordingOf(schema record.Schema, of string, s record.Side) wording {
	var w wording
	view := m.views[s]
	for _, f := range schema {
		if f.Of != of {
			continue
		}
		w.parts = append(w.parts, strings.Fields(view.Fields.Text(f.Name)))
		if f.Ahead != "" {
			w.ahead = strings.Fields(view.Fields.Text(f.Ahead))
		}
		if f.Behind != "" {
			w.behind = strings.Fields(view.Untracked.Text(f.Behind))
		}
	}
	return w
}

func (w wording) words() []string { return slices.Concat(w.parts...) }

func (w wording) text() string { return strings.Join(w.words(), " ") }

func (w wording) all() []string { return slices.Concat(w.ahead, w.words(), w.behind) }

// sameWords reports whether two lists are the same words.
func sameWords(a, b []string) bool {
	return record.Fold(strings.Join(a, " ")) == record.Fold(strings.Join(b, " "))
}

// within finds the words of one list in a longer one, one after the other.
func within(long, short []string) (at int, found bool) {
	if len(short) == 0 {
		return 0, false
	}
	for at := 0; at+len(short) <= len(long); at++ {
		if sameWords(long[at:at+len(short)], short) {
			return at, true
		}
	}
	return 0, false
}

// splitApart reports whether two records word a value differently only because one has beside it what the other one has in it.
func splitApart(a, b wording) bool {
	return len(a.words()) > 0 && len(b.words()) > 0 && !sameWords(a.words(), b.words()) && sameWords(a.all(), b.all())
}

// followed is the wording of a side after the other side's words became others. was and is are the other side's words before and
// after; what the side has in the value and the other one beside it stays, and the reverse.
func (w wording) followed(was, is []string) ([][]string, bool) {
	own := w.words()
	if at, ok := within(own, was); ok {
		return w.laidOut(slices.Concat(own[:at], is, own[at+len(was):])), true
	}
	at, ok := within(was, own)
	if !ok {
		return nil, false
	}
	rest := is
	if ahead := was[:at]; len(rest) > len(ahead) && sameWords(rest[:len(ahead)], ahead) {
		rest = rest[len(ahead):]
	}
	if behind := was[at+len(own):]; len(rest) > len(behind) && sameWords(rest[len(rest)-len(behind):], behind) {
		rest = rest[:len(rest)-len(behind)]
	}
	return w.laidOut(rest), true
}

// laidOut puts words into the parts of the value: as many into each as are there, or, of another number, one into the first part,
// one into the last one and what is between into those between.
func (w wording) laidOut(words []string) [][]string {
	out := make([][]string, len(w.parts))
	last := len(out) - 1
	switch {
	case len(words) == len(w.words()):
		for i, p := range w.parts {
			out[i], words = words[:len(p)], words[len(p):]
		}
	case len(words) < 2 || last < 1:
		out[0] = words
	default:
		out[0], out[1], out[last] = words[:1], words[1:len(words)-1], words[len(words)-1:]
	}
	return out
}
