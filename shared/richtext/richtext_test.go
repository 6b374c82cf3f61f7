package richtext

import (
	"strings"
	"testing"

	"pgregory.net/rapid"

	_ "github.com/tandem-sync/tandem/shared/sandbox/seed"
)

func TestPlain_shows_what_a_browser_shows(t *testing.T) {
	t.Parallel()
	for html, want := range map[string]string{
		"plain\r\ntext":   "plain\ntext",
		"a < b and c > d": "a < b and c > d",
		"Prefers calls <i think> after 5pm, budget a<b and c>d": "Prefers calls <i think> after 5pm, budget a<b and c>d",
		"press <p or <br":                                                 "press <p or <br",
		"if a <b> c then":                                                 "if a <b> c then",
		"see <a href> and <u name>":                                       "see <a href> and <u name>",
		`<span style="color:red">red</span>`:                              "red",
		"AT&amp;T":                                                        "AT&amp;T",
		"<p>one</p><p>two</p>":                                            "one\ntwo",
		"<p>one</p>\n<p>&nbsp;</p>\n<p>two</p>":                           "one\n\ntwo",
		"<p>one</p><p><br></p><p>two</p>":                                 "one\n\ntwo",
		"one<br/>two<br />three":                                          "one\ntwo\nthree",
		"<div><b>Bold</b> and\n  <i>italic</i></div>":                     "Bold and italic",
		"<ul><li>one</li><li>two</li></ul>after":                          "- one\n- two\nafter",
		`<a href="https://example.com/x">the page</a>`:                    "the page (https://example.com/x)",
		`<a href="mailto:a@example.com">a@example.com</a>`:                "a@example.com",
		"<style>p{color:red}</style><p>R&amp;D &lt;ok&gt;</p>":            "R&D <ok>",
		"<table><tr><td>a</td><td>b</td></tr><tr><td>c</td></tr></table>": "a b\nc",
		"<center>Head</center>of it":                                      "Head\nof it",
		"a <mark>marked</mark> and <small>small</small> word":             "a marked and small word",
		"<dl><dt>term</dt><dd>R&amp;D</dd></dl>":                          "term\nR&D",
		"<figure><figcaption>below</figcaption></figure>it":               "below\nit",
		"<del>old</del> <ins>new</ins>":                                   "old new",
		"the <mark> of a pen, <small> and <section 5>":                    "the <mark> of a pen, <small> and <section 5>",
		"<p></p>": "",
		"":        "",
	} {
		if got := Plain(html); got != want {
			t.Errorf("%q: got %q, want %q", html, got, want)
		}
	}
}

func TestWhat_is_written_reads_as_it_was_written(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		words := rapid.SliceOfN(rapid.SampledFrom([]string{
			"word", " ", "  ", "\n", "<b>", "</p>", "&amp;", "&", "<", ">", "\"", "ä", "😀", "- ", "<br>", "a < b", "&nbsp;",
		}), 0, 12).Draw(t, "words")
		text := trimLines(strings.Join(words, ""))
		for _, wasHTML := range []bool{false, true} {
			stored := Write(text, wasHTML)
			if got := Plain(stored); got != text {
				t.Fatalf("wrote %q as %q, reads %q", text, stored, got)
			}
			if wasHTML && text != "" && !IsHTML(stored) {
				t.Fatalf("%q is no HTML any more: %q", text, stored)
			}
		}
	})
}

func TestMarkup_is_read_with_its_references_and_line_ends(t *testing.T) {
	t.Parallel()
	for note, want := range map[string]string{
		"AT&amp;T":                      "AT&T",
		"AT&T, R&D; &copy=2 &unknown;":  "AT&T, R&D; &copy=2 &unknown;",
		"one &lt;b&gt;\ntwo&#39;s":      "one <b>\ntwo's",
		"it&#x2019;s&nbsp;here":         "it\u2019s here",
		"<b>AT&amp;T</b><br>one\ntwo":   "AT&T\none two",
		"https://example.com/?a=1&lt=2": "https://example.com/?a=1&lt=2",
		"&amp;amp;":                     "&amp;",
		"\r\none\r\ntwo &amp; three \n": "one\ntwo & three",
	} {
		if got := OfMarkup(note); got != want {
			t.Errorf("%q: got %q, want %q", note, got, want)
		}
	}
	rapid.Check(t, func(t *rapid.T) {
		words := rapid.SliceOfN(rapid.SampledFrom([]string{
			"word", " ", "  ", "\n", "<b>", "</p>", "&amp;", "&", "#38;", ";", "amp", "<", ">", "&nbsp;", "&#0;", "&copy", "&NotEqualTilde;", "<br>", "a < b",
		}), 0, 12).Draw(t, "words")
		text := trimLines(strings.Join(words, ""))
		if got := OfMarkup(Markup(text)); got != text {
			t.Fatalf("wrote %q as %q, reads %q", text, Markup(text), got)
		}
	})
}

func TestText_in_angle_brackets_stays_text_or_is_escaped(t *testing.T) {
	t.Parallel()
	for text, want := range map[string]string{
		"budget a < b & c":       "budget a < b & c",
		"call <i think> after 5": "<p>call &lt;i think&gt; after 5</p>",
		"a<b and c>d":            "<p>a&lt;b and c&gt;d</p>",
		"<unknown>":              "<p>&lt;unknown&gt;</p>",
	} {
		if got := Write(text, false); got != want {
			t.Errorf("%q: wrote %q, want %q", text, got, want)
		}
		if got := Plain(want); got != text {
			t.Errorf("%q reads %q", want, got)
		}
	}
}

func TestNotes_keep_their_form_and_begin_as_HTML_where_they_have_signs_of_it(t *testing.T) {
	t.Parallel()
	for _, row := range []struct {
		was     string
		wasHTML bool
		text    string
		want    string
	}{
		{"", false, "one\ntwo", "one\ntwo"},
		{"", false, "R&D", "<p>R&amp;D</p>"},
		{"", false, "a < b", "<p>a &lt; b</p>"},
		{"old", false, "a < b, R&D", "a < b, R&D"},
		{"old", false, "see <this>", "<p>see &lt;this&gt;</p>"},
		{"old", true, "new", "<p>new</p>"},
		{"old", true, "", ""},
	} {
		if got := Rewrite(row.text, row.was, row.wasHTML); got != row.want || Plain(got) != row.text {
			t.Errorf("%+v: wrote %q, which reads %q", row, got, Plain(got))
		}
	}
}

func FuzzPlain(f *testing.F) {
	for _, seed := range []string{"", "x", "<p>x", "<a href=", "<li><li></p></p>", "<style>", "\x00<b>\xff", "<!--x"} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, note string) {
		text := Plain(note)
		if again := Plain(Write(text, IsHTML(note))); strings.Join(strings.Fields(again), " ") != strings.Join(strings.Fields(text), " ") {
			t.Errorf("%q reads %q, and when written again %q", note, text, again)
		}
	})
}
