package creatio

import (
	"strings"
	"testing"
)

// Whatever a site says about who is signed in, an id is one, and what is read is said in the reply.
func FuzzParseInfo(f *testing.F) {
	for _, seed := range []string{
		`{"userId":"76929f8c-7e15-4c64-bdb0-adc62d383727","contact":{"value":"76929F8C-7E15-4C64-BDB0-ADC62D383728","displayValue":"Ada"}}`,
		`{"GetCurrentUserInfoResult":"{\"UserInfo\":{\"userLogin\":\"Ada\"}}"}`, `[]`, `null`, `"{"`, `{"a":{"b":{"c":{"d":{"e":{"f":{"g":{"h":{"i":{}}}}}}}}}}`, `{"contact":[1]}`, ``,
	} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, reply string) {
		i, err := parseInfo([]byte(reply))
		if err != nil {
			return
		}
		if id := i.id("userid", "contact"); id != "" && (len(id) != len(noGUID) || id != strings.ToLower(id)) {
			t.Errorf("%q: the id %q", reply, id)
		}
		if text := i.text("userlogin", "contact"); strings.HasPrefix(strings.TrimSpace(text), "{") {
			t.Errorf("%q: the text %q", reply, text)
		}
	})
}
