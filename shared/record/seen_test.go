package record

import "testing"

func TestWhat_nobody_sees_makes_no_other_value(t *testing.T) {
	t.Parallel()
	f := Field{Name: "name", Key: func(e Entry) string { return e.Text }}
	text := func(s string) Entry { return Entry{Text: s} }
	for _, same := range [][2]string{
		{"\u2068John Doe\u2069", "John Doe"},
		{"\u200eJohn\u200f", "John"},
		{"John\u200b Doe", "John Doe"},
		{"\ufeffJohn", "John"},
		{"\u061cJohn\u206a Doe\ufff9", "John Doe"},
		{"\u200dJohn \u200cDoe\u200d", "John Doe"},
		{"John\u0000\u001f Doe\u007f", "John Doe"},
		{"\u180eJohn\u2061", "John"},
		{"John\u2028Doe", "John Doe"},
		{"John\u202fDoe\u3000", "John Doe"},
	} {
		if !f.Same(text(same[0]), text(same[1])) {
			t.Errorf("%+q is another value than %+q", same[0], same[1])
		}
	}
	for _, empty := range []string{"\u200b", "\u3164", " \u3164\u3164 ", "\u2068\u2069", "\u2800", "\u200d", "\u200c\u200b", "\ufe0f", "\u034f", "\u061c", "\u0000", "\U000e0041", "\u17b4", "\u2028", ""} {
		if !f.Empty(text(empty)) {
			t.Errorf("%+q is a value", empty)
		}
	}
	// Joiners are a part of words, and of characters.
	for _, other := range [][2]string{
		{"می\u200cخواهم", "میخواهم"},
		{"\U0001F468\u200d\U0001F469", "\U0001F468\U0001F469"},
		{"\U0001F3F4\U000e0067\U000e007f", "\U0001F3F4"},
		{"\u0600\u0661", "\u0661"},
	} {
		if f.Same(text(other[0]), text(other[1])) {
			t.Errorf("%+q is the same as %+q", other[0], other[1])
		}
	}
}
