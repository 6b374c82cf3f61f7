package app_test

import (
	"strings"
	"testing"

	nethtml "golang.org/x/net/html"
	"google.golang.org/api/people/v1"

	gcal "google.golang.org/api/calendar/v3"
)

// hostile are texts that a browser would run where a page shows them as HTML.
var hostile = []string{
	`<svg onload=alert(1)>`, `<script>alert(1)</script>`, `<img/src=x/onerror=alert(1)>`, `a < b & c <iframe src=javascript:alert(1)>`,
	`<!--><img src=x onerror=alert(1)>-->`, `<math><mi//xlink:href="data:x,<script>alert(1)</script>">`, `</p><details open ontoggle=alert(1)>`,
}

// dangerous reports whether a page that shows a text as HTML would make more of it than paragraphs.
func dangerous(text string) bool {
	for z := nethtml.NewTokenizer(strings.NewReader(text)); ; {
		switch z.Next() {
		case nethtml.ErrorToken:
			return false
		case nethtml.TextToken:
		default:
			if t := z.Token(); len(t.Attr) > 0 || t.Data != "p" && t.Data != "br" && t.Data != "div" {
				return true
			}
		}
	}
}

func TestMarkup_that_somebody_writes_in_Google_is_text_in_Creatio(t *testing.T) {
	t.Parallel()
	a := newAgenda(t)
	tag := a.tag("Ada", private)
	a.tagged(tag, a.contact("Ada Lovelace", "lovelace@example.com"))
	a.choose(tag)
	a.sync("done")
	known := a.calendar.Add(event("Known", 24))
	a.run("done")
	person := a.google.Account(ada).People()[0].ResourceName
	for i, text := range hostile {
		a.google.Account(ada).Edit(person, func(p *people.Person) {
			p.Biographies = []*people.Biography{{Value: text, ContentType: "TEXT_PLAIN"}}
		})
		a.calendar.Edit(known, func(e *gcal.Event) {
			e.Description = strings.NewReplacer("&", "&amp;", "<", "&lt;").Replace(text)
			if i%2 == 0 {
				// With an element of its own.
				e.Description += "<br>"
			}
		})
		a.sync("done")
		a.run("done")
		for what, row := range map[string]map[string]any{"contact": a.creatio.System().Rows("Contact", map[string]any{"Email": "lovelace@example.com"})[0], "activity": a.foundActivity("Known")} {
			if notes, _ := row["Notes"].(string); notes == "" || dangerous(notes) {
				t.Errorf("%s: the notes of the %s are %q", text, what, notes)
			}
		}
		if is := a.google.Account(ada).Person(person).Biographies[0].Value; is != text {
			t.Errorf("Google's notes %q became %q", text, is)
		}
	}
}
