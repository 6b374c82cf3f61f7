package web

import (
	"maps"
	"net/http"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
	"unicode"

	"github.com/google/go-cmp/cmp"
	"golang.org/x/net/html"
	"golang.org/x/text/feature/plural"

	"github.com/tandem-sync/tandem/shared/activity"
	"github.com/tandem-sync/tandem/shared/contact"
	"github.com/tandem-sync/tandem/shared/fault"
	"github.com/tandem-sync/tandem/shared/record"
)

var placeholder = regexp.MustCompile(`\{[a-z]+\}`)

// placeholders are those of a text, each once.
func placeholders(text string) []string {
	found := placeholder.FindAllString(text, -1)
	slices.Sort(found)
	return slices.Compact(found)
}

// categories are the plural categories of a language for whole numbers. singular says that "one" is said of 1 alone.
func categories(c *catalogue) (names []string, singular bool) {
	singular = true
	for n := range 200 {
		name := forms[plural.Cardinal.MatchPlural(c.tag, n, 0, 0, 0, 0)]
		if !slices.Contains(names, name) {
			names = append(names, name)
		}
		singular = singular && (name != "one" || n == 1)
	}
	slices.Sort(names)
	return names, singular
}

func TestEveryLanguageHasEveryWord(t *testing.T) {
	t.Parallel()
	want := english.messages
	for _, c := range catalogues {
		if diff := cmp.Diff(slices.Sorted(maps.Keys(want)), slices.Sorted(maps.Keys(c.messages))); diff != "" {
			t.Errorf("%s: keys (-English +its own):\n%s", c.tag, diff)
		}
		names, singular := categories(c)
		for key, m := range c.messages {
			if len(want[key]) > 1 && !slices.Equal(slices.Sorted(maps.Keys(m)), names) || len(want[key]) == 1 && (len(m) != 1 || m["other"] == "") {
				t.Errorf("%s: %s has the forms %v, and the language %v", c.tag, key, slices.Sorted(maps.Keys(m)), names)
			}
			for form, text := range m {
				if text == "" {
					t.Errorf("%s: %s says nothing", c.tag, key)
				}
				got, filled := placeholders(text), placeholders(want[key]["other"])
				if form == "one" && singular {
					// "Once" says the number without writing it.
					got, filled = slices.DeleteFunc(got, isNumber), slices.DeleteFunc(filled, isNumber)
				}
				if !slices.Equal(got, filled) {
					t.Errorf("%s: %s (%s) fills in %v, and the English one %v", c.tag, key, form, got, filled)
				}
			}
		}
	}
}

func isNumber(placeholder string) bool { return placeholder == "{n}" }

// sources are the texts of the files that speak.
func sources(t *testing.T) string {
	t.Helper()
	var all strings.Builder
	for _, pattern := range []string{"*.go", "templates/*.html"} {
		names, err := filepath.Glob(pattern)
		if err != nil {
			t.Fatal(err)
		}
		for _, name := range names {
			if strings.HasSuffix(name, "_test.go") {
				continue
			}
			text, err := os.ReadFile(name)
			if err != nil {
				t.Fatal(err)
			}
			all.Write(text)
		}
	}
	return all.String()
}

func TestEveryWordThatIsAskedForIsThere(t *testing.T) {
	t.Parallel()
	for _, m := range regexp.MustCompile(`(?:say|count|rich|notice)[ (]"([^"]+)"([ ,)}]*)(\+?)`).FindAllStringSubmatch(sources(t), -1) {
		if key := m[1]; m[3] == "" && !strings.HasSuffix(key, ".") && !english.has(key) {
			t.Errorf("there are no words for %s", key)
		}
	}
	for kind, schema := range map[record.Type]record.Schema{record.Contacts: contact.Schema, record.Activities: activity.Schema} {
		for _, f := range schema {
			if got := english.fieldWords(kind, f.Name); got != f.Label {
				t.Errorf("the field %s of %s is called %q, and elsewhere %q", f.Name, kind, got, f.Label)
			}
		}
	}
}

func TestEveryWordIsAskedFor(t *testing.T) {
	t.Parallel()
	text := sources(t)
	var prefixes []string
	for _, m := range regexp.MustCompile(`"([a-z.-]+\.|notice\.|undo-)"`).FindAllStringSubmatch(text, -1) {
		prefixes = append(prefixes, m[1])
	}
	prefixes = append(prefixes, "done", "undo.n.", "differ.", "doubt.", "split.", "fail.", "run.says.", "told.")
	for key := range english.messages {
		known := strings.Contains(text, `"`+key+`"`) || strings.Contains(text, `"`+strings.TrimSuffix(key, ".then")+`"`)
		known = known || slices.ContainsFunc(prefixes, func(p string) bool { return strings.HasPrefix(key, p) })
		known = known || strings.HasPrefix(key, "refusal.") && strings.Contains(text, `"`+strings.TrimSuffix(strings.TrimPrefix(key, "refusal."), ".then")+`"`)
		if !known {
			t.Errorf("nothing says %s", key)
		}
	}
}

// latin is a word in Latin letters.
var latin = regexp.MustCompile(`[A-Za-z][A-Za-z'’]+`)

// given are words of the sample data on the pages.
var given = regexp.MustCompile(`(?i)[\w.+-]+@[\w.-]+|https?://\S+|\b(anna|bert|clara|test|ada|bo|example|com|ab|my|clients|lunch|stand|up|utc|group|clients|friends|family|bruno|sample|dora|emil|head|clerk|two|lines|deploy|script|nightly|backup|etc|unavailable|unreachable)\b`)

func TestNoPageHasAWordOutsideItsLanguage(t *testing.T) {
	t.Parallel()
	var own strings.Builder
	for _, m := range localeNamed(t, "uk").messages {
		for _, text := range m {
			own.WriteString(placeholder.ReplaceAllString(text, " ") + "\n")
		}
	}
	// What Ukrainian writes in Latin letters, as the names of the services.
	names := latin.FindAllString(own.String(), -1)
	for name, tc := range everyPage {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			c := newClient(t)
			if tc.change != nil {
				tc.change(c.fake)
			}
			opts := []option{speaking("uk")}
			if !tc.nobody {
				opts = append(opts, c.signedIn)
			}
			text := body(t, c.do(tc.method, "/settings"+tc.path, tc.body, opts...))
			checkHTML(t, text)
			for _, said := range saidOn(t, text) {
				for _, word := range latin.FindAllString(given.ReplaceAllString(said, " "), -1) {
					if !slices.Contains(names, word) {
						t.Errorf("%q is not Ukrainian: %q", word, said)
					}
				}
			}
		})
	}
}

// saidOn is what a page says in its own language, to who sees it and to who hears it.
func saidOn(t *testing.T, text string) []string {
	t.Helper()
	doc, err := html.Parse(strings.NewReader(text))
	if err != nil {
		t.Fatal(err)
	}
	var out []string
	var walk func(n *html.Node)
	walk = func(n *html.Node) {
		if n.Type == html.ElementNode && (attr(n, "lang") == "en" || n.Data == "code" || n.Data == "noscript" || n.Data == "svg" && attr(n, "role") == "") {
			return
		}
		if n.Type == html.TextNode && strings.ContainsFunc(n.Data, unicode.IsLetter) {
			out = append(out, strings.TrimSpace(n.Data))
		}
		for _, a := range []string{"aria-label", "title", "alt", "placeholder", "data-label"} {
			out = append(out, attr(n, a))
		}
		for child := range n.ChildNodes() {
			walk(child)
		}
	}
	walk(doc)
	return out
}

// speaking is a browser that wants a language.
func speaking(languages string) option {
	return func(r *http.Request) { r.Header.Set("Accept-Language", languages) }
}

func localeNamed(t *testing.T, name string) locale {
	t.Helper()
	i := slices.Index(languages, name)
	if i < 0 {
		t.Fatalf("there is no file of %s", name)
	}
	return english.speaking(catalogues[i])
}

func (l locale) speaking(c *catalogue) locale { return locale{c, l.zone} }

func TestAPageSpeaksTheLanguageOfTheBrowser(t *testing.T) {
	t.Parallel()
	c := newClient(t)
	for wanted, want := range map[string]string{
		"": "en", "de": "de", "de-AT,de;q=0.9,en;q=0.8": "de", "uk-UA,uk;q=0.9,ru;q=0.8,en;q=0.7": "uk", "fr-FR,fr;q=0.9": "en", "fr,de;q=0.5": "de",
		"en;q=0.4,uk;q=0.8": "uk", "ru": "en", "*": "en", "de;q=x": "en", "-;;,": "en", "ru,en;q=0.5,uk;q=0.4": "en",
	} {
		for _, path := range []string{"/settings", "/settings/privacy", "/settings/nowhere"} {
			r := c.do("GET", path, "", speaking(wanted))
			text := body(t, r)
			if !strings.Contains(text, `<html lang="`+want+`">`) || r.Header.Get("Content-Language") != want || !strings.Contains(r.Header.Get("Vary"), "Accept-Language") {
				t.Errorf("%.40q, %s: the page is not in %s: %.60s %v", wanted, path, want, text, r.Header)
			}
		}
	}
	for _, path := range []string{"/settings/api/v1/runs/none", "/settings/api/v1/account?x=1"} {
		english, german := c.do("GET", path, "", c.signedIn), c.do("GET", path, "", c.signedIn, speaking("de"))
		if diff := cmp.Diff(body(t, english), body(t, german)); diff != "" {
			t.Errorf("%s speaks German:\n%s", path, diff)
		}
	}
}

func TestNumbersAndSentencesFollowTheRulesOfTheirLanguage(t *testing.T) {
	t.Parallel()
	english, german, ukrainian := english, localeNamed(t, "de"), localeNamed(t, "uk")
	for _, row := range []struct{ got, want string }{
		{english.count("records.contacts", 1), "1 contact"},
		{english.count("records.contacts", 25000), "25,000 contacts"},
		{german.count("records.contacts", 25000), "25.000 Kontakte"},
		{ukrainian.count("records.contacts", 1), "1 контакт"},
		{ukrainian.count("records.contacts", 21), "21 контакт"},
		{ukrainian.count("records.contacts", 3), "3 контакти"},
		{ukrainian.count("records.contacts", 12), "12 контактів"},
		{ukrainian.count("records.contacts", 25000), "25\u00a0000 контактів"},
		{english.when(noon), "4 March 2026, 12:00 UTC"},
		{german.when(noon), "4. März 2026, 12:00 UTC"},
		{ukrainian.when(noon), "4 березня 2026 р., 12:00 UTC"},
		{german.stateWords(State{Status: "ok", Doubts: 1, Split: 2}), "Alles ist synchron, ausgenommen: was Ihre Entscheidung braucht und 2 Datensätze, die ein Zurücknehmen herausgenommen hat."},
		{german.valueOf(record.Activities, "when", "2026-03-05T12:00:00Z/2026-03-05T13:30:00Z").Text, "Do, 5. März 2026, 12:00 bis 13:30 UTC"},
	} {
		if row.got != row.want {
			t.Errorf("got %q, want %q", row.got, row.want)
		}
	}
}

func TestWhatIsToldOfAFailureIsInTheLanguageOfThePage(t *testing.T) {
	t.Parallel()
	german := localeNamed(t, "de")
	source, err := os.ReadFile("../fault/sentence.go")
	if err != nil {
		t.Fatal(err)
	}
	sides := []string{"creatio", "google", "store", ""}
	sentences := map[fault.Sentence]bool{}
	for kind := fault.Bug; kind <= fault.Gone; kind++ {
		for _, side := range sides {
			sentences[fault.Explain(fault.New(kind, side, "", nil))] = true
		}
	}
	for _, m := range regexp.MustCompile(`(?m)^\t"(?:(\w+) )?([a-z-]+)": \{$`).FindAllStringSubmatch(string(source), -1) {
		sentences[fault.Explain(fault.New(fault.Retry, m[1], m[2], nil))] = true
	}
	if len(sentences) < 45 {
		t.Fatalf("only %d sentences were found", len(sentences))
	}
	for s := range sentences {
		for _, text := range []string{s.Message, s.Action} {
			if got := german.told(text); got.Lang != "" || got.Text == text {
				t.Errorf("no German for %q", text)
			}
		}
	}
	if got := german.told("What nobody has words for."); got.Lang != "en" || english.told(got.Text).Lang != "" {
		t.Errorf("a text in English is marked as %+v", got)
	}
}

func TestAValueInAWordIsNoElement(t *testing.T) {
	t.Parallel()
	if got := english.rich("tokens.copy", "header", "<b>{link}</b>"); strings.Contains(string(got), "<b>") || !strings.Contains(string(got), "{link}") {
		t.Errorf("got %s", got)
	}
}
