package web

import (
	"embed"
	"encoding/json"
	"fmt"
	"net/http"
	"strings"
	"time"

	"golang.org/x/text/feature/plural"
	"golang.org/x/text/language"
)

// The words of all pages, one file a language. To add a language is to add a file and its name to languages: tests say what is
// missing from it.
//
//go:embed words/*.json
var wordFiles embed.FS

// languages are those that there is a file of. The first is that of visitors who speak none of them, and of the API.
var languages = []string{"en", "de", "uk"}

// catalogue has the words of one language, by key.
type catalogue struct {
	tag      language.Tag
	messages map[string]message
}

// message is a text; by CLDR's plural category where it counts something (https://cldr.unicode.org/index/cldr-spec/plural-rules).
type message map[string]string

// UnmarshalJSON reads a text, or an object with a text for each category.
func (m *message) UnmarshalJSON(raw []byte) error {
	var text string
	if json.Unmarshal(raw, &text) == nil {
		*m = message{"other": text}
		return nil
	}
	var forms map[string]string
	err := json.Unmarshal(raw, &forms)
	*m = forms
	return err
}

var forms = map[plural.Form]string{
	plural.Other: "other", plural.Zero: "zero", plural.One: "one", plural.Two: "two", plural.Few: "few", plural.Many: "many",
}

// of is the text for a number. A category that a whole number never has need not be there.
func (m message) of(tag language.Tag, n int) string {
	if text, ok := m[forms[plural.Cardinal.MatchPlural(tag, n, 0, 0, 0, 0)]]; ok {
		return text
	}
	return m["other"]
}

var (
	catalogues = loadCatalogues()
	// english is how the API speaks, and what is kept speaks.
	english = locale{catalogue: catalogues[0], zone: time.UTC}
	// spoken finds the key of an English text, with the side that it names.
	spoken = loadSpoken()
)

func loadCatalogues() []*catalogue {
	out := make([]*catalogue, len(languages))
	for i, name := range languages {
		raw, err := wordFiles.ReadFile("words/" + name + ".json")
		if err != nil {
			panic("web: " + err.Error()) // what is embedded is there
		}
		c := &catalogue{tag: language.MustParse(name)}
		if err := json.Unmarshal(raw, &c.messages); err != nil {
			panic(fmt.Sprintf("web: words/%s.json: %v", name, err))
		}
		out[i] = c
	}
	return out
}

// spokenKey is the key of a text, and the key of the side, or its name, that stands in it.
type spokenKey struct{ key, side string }

// toldSides are what a text that was written elsewhere may call a side: the key of its name, or the name where all languages have it.
var toldSides = []string{"Creatio", "Google", "side.store", "side.other"}

// loadSpoken reads the English catalogue backwards, without the texts that have more to be filled in than a side. Of several keys of
// one text any will do: whoever asks here has the text alone.
func loadSpoken() map[string]spokenKey {
	out := map[string]spokenKey{}
	add := func(text string, k spokenKey) {
		if have, ok := out[text]; !ok || k.key < have.key {
			out[text] = k
		}
	}
	for key, m := range catalogues[0].messages {
		switch text := m["other"]; {
		case len(m) > 1:
		case !strings.Contains(text, "{"):
			add(text, spokenKey{key: key})
		case strings.HasPrefix(key, "told."):
			for _, side := range toldSides {
				add(english.say(key, "side", english.known("", side)), spokenKey{key, side})
			}
		}
	}
	return out
}

func baseOf(tag language.Tag) language.Base {
	base, _ := tag.Base()
	return base
}

// localeOf is how a page speaks to whoever asks for it, as far as the browser tells: its times are in UTC.
func localeOf(r *http.Request) locale {
	wanted, _, err := language.ParseAcceptLanguage(r.Header.Get("Accept-Language"))
	if err != nil {
		return english
	}
	for _, tag := range wanted {
		for _, c := range catalogues {
			// A language that is near to one of these is another language: nobody is to guess what a reader may understand.
			if base, sure := tag.Base(); sure == language.Exact && base == baseOf(c.tag) {
				return locale{catalogue: c, zone: time.UTC}
			}
		}
	}
	return english
}
