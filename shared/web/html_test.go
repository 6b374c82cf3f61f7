package web

import (
	"slices"
	"strings"
	"testing"

	"golang.org/x/net/html"
)

// checkHTML holds a page to what people with assistive software rely on.
func checkHTML(t *testing.T, text string) {
	t.Helper()
	checkTags(t, text)
	doc, err := html.Parse(strings.NewReader(text))
	if err != nil {
		t.Fatalf("parse page: %v", err)
	}
	p := newOutline(doc)
	p.checkWhole(t)
	p.checkReferences(t)
	p.checkControls(t)
}

// outline is what checkHTML looks at.
type outline struct {
	count    map[string]int
	ids      map[string]int
	labels   map[string]bool
	refs     []string
	levels   []int
	elements []*html.Node
}

func newOutline(doc *html.Node) outline {
	p := outline{count: map[string]int{}, ids: map[string]int{}, labels: map[string]bool{}}
	for n := range doc.Descendants() {
		if n.Type != html.ElementNode {
			continue
		}
		p.elements = append(p.elements, n)
		p.count[n.Data]++
		if id := attr(n, "id"); id != "" {
			p.ids[id]++
		}
		if n.Data == "label" {
			p.labels[attr(n, "for")] = true
			p.refs = append(p.refs, attr(n, "for"))
		}
		for _, a := range []string{"aria-labelledby", "aria-describedby"} {
			p.refs = append(p.refs, strings.Fields(attr(n, a))...)
		}
		if href := attr(n, "href"); strings.HasPrefix(href, "#") {
			p.refs = append(p.refs, href[1:])
		}
		if len(n.Data) == 2 && n.Data[0] == 'h' && n.Data[1] >= '1' && n.Data[1] <= '6' && !within(n, "role", "alert") {
			p.levels = append(p.levels, int(n.Data[1]-'0'))
		}
	}
	return p
}

func (p outline) checkWhole(t *testing.T) {
	t.Helper()
	for _, name := range []string{"h1", "main", "title", "header", "footer"} {
		if p.count[name] != 1 {
			t.Errorf("the page has %d <%s>, want 1", p.count[name], name)
		}
	}
	for i := 1; i < len(p.levels); i++ {
		if p.levels[i] > p.levels[i-1]+1 {
			t.Errorf("headings skip a level: %v", p.levels)
		}
	}
	if p.count["style"] > 0 {
		t.Error("the page has a <style>, which its own policy forbids")
	}
}

func (p outline) checkReferences(t *testing.T) {
	t.Helper()
	for id, n := range p.ids {
		if n > 1 {
			t.Errorf("id %q is there %d times", id, n)
		}
	}
	for _, id := range p.refs {
		if p.ids[id] != 1 {
			t.Errorf("something refers to %q, which is not there", id)
		}
	}
}

func (p outline) checkControls(t *testing.T) {
	t.Helper()
	for _, n := range p.elements {
		switch n.Data {
		case "html":
			if attr(n, "lang") == "" {
				t.Error("the page does not say its language")
			}
		case "input", "select", "textarea":
			if attr(n, "type") != "hidden" && !p.labels[attr(n, "id")] || attr(n, "name") == "" {
				t.Errorf("<%s name=%q> has no label or no name", n.Data, attr(n, "name"))
			}
		case "img":
			if !slices.ContainsFunc(n.Attr, func(a html.Attribute) bool { return a.Key == "alt" }) {
				t.Error("an image has no alt")
			}
		case "button", "a", "th", "title", "h1", "h2", "h3", "dt", "dd", "li":
			if words(n) == "" {
				t.Errorf("<%s> says nothing", n.Data)
			}
		case "script":
			if attr(n, "src") == "" {
				t.Error("a script stands in the page, which its own policy forbids")
			}
		case "form":
			if method := attr(n, "method"); method != "post" && (method != "get" || attr(n, "role") != "search") || attr(n, "action") == "" {
				t.Error("a form does not say where it goes")
			}
		}
		for _, a := range n.Attr {
			if a.Key == "style" || strings.HasPrefix(a.Key, "on") || strings.Contains(a.Val, "ZgotmplZ") {
				t.Errorf("<%s> has %s=%q", n.Data, a.Key, a.Val)
			}
		}
	}
}

// checkTags finds tags that are not closed or not opened; a parser would mend them silently.
func checkTags(t *testing.T, text string) {
	t.Helper()
	void := []string{"meta", "link", "img", "input", "br"}
	var open []string
	for z := html.NewTokenizer(strings.NewReader(text)); ; {
		switch z.Next() {
		case html.ErrorToken:
			if len(open) > 0 {
				t.Errorf("tags are left open: %v", open)
			}
			return
		case html.StartTagToken:
			if name, _ := z.TagName(); !slices.Contains(void, string(name)) {
				open = append(open, string(name))
			}
		case html.EndTagToken:
			name, _ := z.TagName()
			if len(open) == 0 || open[len(open)-1] != string(name) {
				t.Fatalf("</%s> closes %v", name, open)
			}
			open = open[:len(open)-1]
		}
	}
}

func attr(n *html.Node, key string) string {
	for _, a := range n.Attr {
		if a.Key == key {
			return a.Val
		}
	}
	return ""
}

func within(n *html.Node, key, value string) bool {
	for ; n != nil; n = n.Parent {
		if attr(n, key) == value {
			return true
		}
	}
	return false
}

func words(n *html.Node) string {
	var b strings.Builder
	for d := range n.Descendants() {
		if d.Type == html.TextNode {
			b.WriteString(d.Data)
		}
	}
	return strings.TrimSpace(b.String())
}
