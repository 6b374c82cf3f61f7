// Package richtext reads notes that may be plain text or HTML, as a person reads them, and writes text in either form. It is for
// the adapters: the newer pages of Creatio and those of Google Calendar store notes as HTML.
//
// Its invariant: what Write writes, Plain reads as it was. The package is pure: no I/O, no clock, no logger.
package richtext

import (
	"html"
	"regexp"
	"strings"
	"unicode"

	nethtml "golang.org/x/net/html"
	"golang.org/x/net/html/atom"
)

// tag is an element as an editor writes it: with attributes that have a value, or with none.
var tag = regexp.MustCompile(`(?i)<(/?)(p|div|br|hr|span|font|b|i|u|s|strong|em|ul|ol|li|a|h[1-6]|table|tbody|thead|` +
	`tr|td|th|tfoot|caption|img|html|head|body|title|style|pre|code|blockquote|sub|sup|label|mark|small|del|ins|strike|center|section|article|figure|figcaption|dl|dt|dd|o:p)` +
	`(?:\s+[a-z][-:a-z0-9]*\s*=\s*(?:"[^"]*"|'[^']*'|[^\s"'<>=]+))*\s*/?>|<!--|<!doctype`)

// alone are the elements that need no end
// (https://html.spec.whatwg.org/multipage/syntax.html#optional-tags, #void-elements).
var alone = map[string]bool{"p": true, "br": true, "hr": true, "img": true, "li": true, "tr": true, "td": true, "th": true, "html": true, "body": true, "": true}

// IsHTML reports whether a note is HTML, as the rich text editors of newer pages store it, and not plain text in which somebody
// wrote angle brackets: it has an element that is whole.
func IsHTML(note string) bool {
	open := map[string]bool{}
	for _, m := range tag.FindAllStringSubmatch(note, -1) {
		name := strings.ToLower(m[2])
		if alone[name] || m[1] == "/" && open[name] {
			return true
		}
		open[name] = open[name] || m[1] == ""
	}
	return false
}

// Plain is a note as a person reads it.
func Plain(note string) string {
	if !IsHTML(note) {
		return trimLines(strings.ToValidUTF8(note, "\ufffd"))
	}
	return OfHTML(note)
}

// OfMarkup is what a person reads of a text that is HTML as its service says, and that people and programs write as plain text as
// well: without an element its line ends count. Character references are what they stand for in either.
func OfMarkup(note string) string {
	if IsHTML(note) {
		return OfHTML(note)
	}
	return Plain(reference.ReplaceAllStringFunc(note, func(ref string) string { return strings.ReplaceAll(html.UnescapeString(ref), "\u00a0", " ") }))
}

// reference is a character reference that is whole. HTML has some without their semicolon, which in plain text are more often a
// part of an address as "?a=1&copy=2".
var reference = regexp.MustCompile(`&(?:#[0-9]+|#[xX][0-9a-fA-F]+|[a-zA-Z][a-zA-Z0-9]*);`)

// Markup writes a text so that OfMarkup reads it as it is: as plain text, and as simple HTML where a part of it would be taken for
// an element.
func Markup(text string) string {
	text = trimLines(text)
	if hasElement(text) {
		return Write(text, true)
	}
	return reference.ReplaceAllStringFunc(text, func(ref string) string {
		if html.UnescapeString(ref) == ref {
			return ref
		}
		return "&amp;" + ref[1:]
	})
}

// OfHTML is what a person reads of a text that is known to be HTML.
func OfHTML(note string) string {
	p := printer{}
	z := nethtml.NewTokenizer(strings.NewReader(note))
	for {
		switch z.Next() {
		case nethtml.ErrorToken:
			return trimLines(p.out.String())
		case nethtml.TextToken:
			p.text(z.Token().Data)
		case nethtml.StartTagToken, nethtml.SelfClosingTagToken:
			p.startTag(z.Token())
		case nethtml.EndTagToken:
			p.endTag(z.Token())
		}
	}
}

// hasElement reports whether a browser would take a part of a text for an element, and so not show it.
func hasElement(text string) bool {
	z := nethtml.NewTokenizer(strings.NewReader(text))
	for {
		switch z.Next() {
		case nethtml.ErrorToken:
			return false
		case nethtml.TextToken:
		default:
			return true
		}
	}
}

// printer writes the text of HTML with the line breaks that a browser would show.
type printer struct {
	out strings.Builder
	// pending says that a line break is due before the next text.
	pending bool
	// space says that white space is due before the next text of the line.
	space  bool
	inLine bool
	skip   int
	link   string
	linkAt int
}

func (p *printer) text(s string) {
	if p.skip > 0 {
		return
	}
	for _, r := range s {
		switch {
		case r == '\u00a0':
			p.rune(' ')
		case unicode.IsSpace(r):
			p.space = p.space || p.inLine
		default:
			p.rune(r)
		}
	}
}

func (p *printer) rune(r rune) {
	if p.pending {
		p.out.WriteByte('\n')
		p.pending, p.inLine, p.space = false, false, false
	}
	if p.space && p.inLine {
		p.out.WriteByte(' ')
	}
	p.space, p.inLine = false, true
	p.out.WriteRune(r)
}

// line ends the line that was begun, once however many blocks end here.
func (p *printer) line() {
	if p.inLine {
		p.pending = true
	}
	p.space = false
}

func (p *printer) startTag(t nethtml.Token) {
	switch t.DataAtom {
	case atom.Style, atom.Script, atom.Head, atom.Title:
		if t.Type == nethtml.StartTagToken {
			p.skip++
		}
	case atom.Br:
		if p.pending {
			p.out.WriteByte('\n')
		}
		p.out.WriteByte('\n')
		p.pending, p.inLine, p.space = false, false, false
	case atom.Li:
		p.line()
		p.text("- ")
		p.space = true
	case atom.A:
		p.link, p.linkAt = "", p.out.Len()
		for _, a := range t.Attr {
			if a.Key == "href" {
				p.link = a.Val
			}
		}
	default:
		if isBlock(t.DataAtom) {
			p.line()
		}
	}
}

func (p *printer) endTag(t nethtml.Token) {
	switch t.DataAtom {
	case atom.Style, atom.Script, atom.Head, atom.Title:
		p.skip = max(0, p.skip-1)
	case atom.A:
		// The address of a link is part of what the note says, unless its text is that address already.
		shown := strings.TrimSpace(p.out.String()[min(p.linkAt, p.out.Len()):])
		if target := strings.TrimPrefix(p.link, "mailto:"); target != "" && target != shown && !strings.HasPrefix(target, "#") {
			p.text(" (" + target + ")")
		}
		p.link = ""
	case atom.Td, atom.Th:
		p.space = p.inLine
	default:
		if isBlock(t.DataAtom) {
			p.line()
		}
	}
}

func isBlock(a atom.Atom) bool {
	switch a {
	case atom.P, atom.Div, atom.Ul, atom.Ol, atom.Li, atom.H1, atom.H2, atom.H3, atom.H4, atom.H5, atom.H6,
		atom.Table, atom.Tr, atom.Pre, atom.Blockquote, atom.Hr, atom.Body, atom.Html,
		atom.Center, atom.Section, atom.Article, atom.Figure, atom.Figcaption, atom.Caption, atom.Dl, atom.Dt, atom.Dd:
		return true
	default:
		return false
	}
}

// Write is how a note is written: as simple HTML where the column held HTML, or where a part of the text itself would be
// taken for it, else as it is.
func Write(text string, wasHTML bool) string {
	text = trimLines(text)
	if text == "" || (!wasHTML && !hasElement(text)) {
		return text
	}
	lines := strings.Split(text, "\n")
	for i, l := range lines {
		lines[i] = keepSpaces(html.EscapeString(l))
	}
	return "<p>" + strings.Join(lines, "<br>") + "</p>"
}

// Rewrite is how a note is written in the place of one that read as was: in the form that it had. A note that begins with signs of
// HTML in it is written as HTML: the newer pages of Creatio show every note as that.
func Rewrite(text, was string, wasHTML bool) string {
	begins := was == "" && strings.ContainsAny(text, "<&")
	return Write(text, wasHTML || begins)
}

// keepSpaces writes white space that HTML would drop as no-break spaces.
func keepSpaces(line string) string {
	line = strings.ReplaceAll(line, "\t", "    ")
	line = strings.ReplaceAll(line, "  ", "&nbsp; ")
	line = strings.ReplaceAll(line, "  ", " &nbsp;")
	if strings.HasPrefix(line, " ") {
		line = "&nbsp;" + line[1:]
	}
	return line
}

// trimLines brings line ends to one form and drops white space nobody sees.
func trimLines(s string) string {
	lines := strings.Split(strings.NewReplacer("\r\n", "\n", "\r", "\n").Replace(s), "\n")
	for i := range lines {
		lines[i] = strings.TrimRightFunc(lines[i], unicode.IsSpace)
	}
	return strings.TrimSpace(strings.Join(lines, "\n"))
}
