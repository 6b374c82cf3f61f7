package contact

import (
	"maps"
	"slices"
	"strings"
	"sync"

	"golang.org/x/text/language"
	"golang.org/x/text/language/display"

	"github.com/tandem-sync/tandem/shared/record"
)

// countryLanguages are those in which a country is looked for in a list: those in which most sites and address books are kept.
var countryLanguages = []language.Tag{
	language.English, language.German, language.French, language.Spanish, language.Italian, language.Portuguese, language.Dutch, language.Polish,
	language.Ukrainian, language.Russian, language.Czech, language.Swedish, language.Danish, language.Norwegian, language.Finnish,
	language.Hungarian, language.Romanian, language.Turkish, language.Greek, language.Bulgarian, language.Arabic, language.Hebrew,
	language.Japanese, language.Korean, language.Chinese,
}

// moreCountryLanguages are those in which a country is recognized as well.
var moreCountryLanguages = []language.Tag{
	language.Croatian, language.Serbian, language.SerbianLatin, language.Slovenian, language.Slovak, language.Lithuanian, language.Latvian, language.Estonian,
	language.Georgian, language.Armenian, language.Kazakh, language.Azerbaijani, language.Persian, language.Hindi, language.Thai, language.Vietnamese,
	language.Indonesian, language.Catalan, language.Icelandic, language.Macedonian, language.Albanian, language.TraditionalChinese,
}

// countryAliases are usual names that the tables of names do not have, by the code of the country (ISO 3166-1).
var countryAliases = map[string][]string{
	"US": {"USA", "U.S.A.", "United States of America", "US", "U.S.", "America", "США"},
	"GB": {"UK", "U.K.", "Great Britain", "Britain", "England", "Scotland", "Wales", "Northern Ireland", "Großbritannien", "GB"},
	"NL": {"Holland", "The Netherlands"},
	"DE": {"Federal Republic of Germany", "Bundesrepublik Deutschland", "BRD"},
	"CZ": {"Czech Republic", "Tschechische Republik", "Česká republika"},
	"RU": {"Russian Federation", "Российская Федерация"},
	"BY": {"Belorussia", "Белоруссия"},
	"KZ": {"Қазақстан"},
	"GE": {"Sakartvelo"},
	"BA": {"Bosnia", "Bosnien"},
	"HK": {"Hong Kong", "Hongkong"},
	"MO": {"Macau", "Macao"},
	"CI": {"Ivory Coast", "Elfenbeinküste"},
	"SZ": {"Eswatini", "Swaziland"},
	"MM": {"Burma", "Myanmar"},
	"CV": {"Cape Verde", "Cabo Verde"},
	"TL": {"East Timor", "Timor-Leste"},
	"CN": {"People's Republic of China", "PR China"},
	"KR": {"Republic of Korea", "Korea"},
	"AE": {"UAE", "U.A.E."},
	"MK": {"Macedonia", "FYROM"},
	"TR": {"Turkey"},
	"VN": {"Viet Nam"},
	"IE": {"Republic of Ireland", "Eire"},
	"CH": {"Swiss Confederation"},
	"MD": {"Republic of Moldova"},
}

// parts of a kingdom have a name of their own in addresses, which must not be taken for the name of the whole where it is written.
var countryParts = []string{"England", "Scotland", "Wales", "Northern Ireland"}

// countries are the codes of countries by the folded names in every language; empty for a name that several have.
var countries = sync.OnceValue(func() map[string]string {
	out := map[string]string{}
	add := func(name, code string) {
		key := record.Fold(name)
		if other, taken := out[key]; taken && other != code {
			code = ""
		}
		if key != "" {
			out[key] = code
		}
	}
	for a := 'A'; a <= 'Z'; a++ {
		for b := 'A'; b <= 'Z'; b++ {
			code := string([]rune{a, b})
			region, err := language.ParseRegion(code)
			if err != nil || !region.IsCountry() || region.Canonicalize() != region {
				continue
			}
			for _, name := range countryNames(region, slices.Concat(countryLanguages, moreCountryLanguages)) {
				add(name, code)
			}
			english := display.Regions(language.English).Name(region)
			add(strings.NewReplacer("&", "and", "St.", "Saint").Replace(english), code)
		}
	}
	for code, names := range countryAliases {
		for _, name := range names {
			out[record.Fold(name)] = code
		}
	}
	for _, code := range slices.Sorted(maps.Values(out)) {
		// What is kept as a code is one as well.
		if region, err := language.ParseRegion(code); code != "" && err == nil {
			out[strings.ToLower(code)] = code
			out[strings.ToLower(region.ISO3())] = code
		}
	}
	return out
})

// countryNames are the names of a country in languages.
func countryNames(region language.Region, in []language.Tag) []string {
	var out []string
	for _, tag := range in {
		if name := display.Regions(tag).Name(region); name != "" {
			out = append(out, name)
		}
	}
	return out
}

// countryCode is the code of the country of a name; empty for a name that is none's, or several have.
func countryCode(name string) string { return countries()[record.Fold(name)] }

// CountryName is the English name of the country of a code; empty for a code that is none.
func CountryName(code string) string {
	region, err := language.ParseRegion(strings.TrimSpace(code))
	if err != nil || !region.IsCountry() {
		return ""
	}
	return display.Regions(language.English).Name(region)
}

// CountrySpellings are the other names of the country of a name, by which a list may have it.
func CountrySpellings(name string) []string {
	code := countryCode(name)
	if code == "" {
		return nil
	}
	region, err := language.ParseRegion(code)
	if err != nil {
		return nil
	}
	out := slices.DeleteFunc(slices.Concat(countryNames(region, countryLanguages), countryAliases[code]), func(s string) bool {
		return s == name || slices.Contains(countryParts, s)
	})
	slices.Sort(out)
	return slices.Compact(out)
}
