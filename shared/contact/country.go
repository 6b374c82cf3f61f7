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
	"US": {"USA", "U.S.A.", "United States of America", "US", "U.S.", "America", "Amerika", "США"},
	"GB": {"UK", "U.K.", "Great Britain", "Britain", "England", "Scotland", "Wales", "Northern Ireland", "Großbritannien", "Великобританія", "GB"},
	"NL": {"Holland", "The Netherlands"},
	"DE": {"Federal Republic of Germany", "Bundesrepublik Deutschland", "BRD"},
	"CZ": {"Czech Republic", "Tschechische Republik", "Česká republika"},
	"RU": {"Russian Federation", "Российская Федерация"},
	"BY": {"Belorussia", "Byelorussia", "Белоруссия", "Weißrussland"},
	"KZ": {"Қазақстан"},
	"GE": {"Sakartvelo"},
	"BA": {"Bosnia", "Bosnien"},
	"HK": {"Hong Kong", "Hongkong", "香港"},
	"MO": {"Macau", "Macao", "Macao SAR China", "澳門", "澳门"},
	"CI": {"Ivory Coast", "Elfenbeinküste"},
	"SZ": {"Eswatini", "Swaziland"},
	"MM": {"Burma", "Myanmar"},
	"CV": {"Cape Verde", "Cabo Verde"},
	"TL": {"East Timor", "Timor-Leste"},
	"CN": {"People's Republic of China", "PR China", "P.R. China"},
	"KR": {"Republic of Korea", "Korea", "Korea (South)", "한국"},
	"KP": {"Democratic People's Republic of Korea", "Korea (North)"},
	"AE": {"UAE", "U.A.E.", "Emirates", "VAE"},
	"MK": {"North Macedonia", "Republic of North Macedonia", "Macedonia", "Republic of Macedonia", "FYROM"},
	"CD": {"DR Congo", "Democratic Republic of the Congo", "Congo - Kinshasa"},
	"CG": {"Republic of the Congo", "Congo - Brazzaville"},
	"IR": {"Islamic Republic of Iran"},
	"SY": {"Syrian Arab Republic"},
	"BO": {"Plurinational State of Bolivia"},
	"VE": {"Bolivarian Republic of Venezuela"},
	"TZ": {"United Republic of Tanzania"},
	"LA": {"Lao People's Democratic Republic"},
	"TW": {"Province of China Taiwan"},
	"PS": {"Palestine", "State of Palestine", "Palestinian Territories"},
	"VA": {"Holy See"},
	"SK": {"Slovak Republic"},
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
	one := func(key, code string) {
		if other, taken := out[key]; taken && other != code {
			code = ""
		}
		if key != "" {
			out[key] = code
		}
	}
	add := func(name, code string) {
		one(record.Fold(name), code)
		one(record.Fold(spellOut(name)), code)
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

// countryCode is the code of the country of a name; empty for a name that is none's, or several have. Lists have some names with an
// article, or the other way round: "Korea, Republic of".
func countryCode(name string) string {
	before, after, _ := strings.Cut(name, ",")
	plain := record.Fold(name)
	for _, spelling := range []string{plain, strings.TrimPrefix(plain, "the "), record.Fold(after + " " + before)} {
		if code, known := countries()[spelling]; known {
			return code
		}
	}
	return ""
}

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
