package contact

import (
	"cmp"
	"net/url"
	"regexp"
	"strings"
	"unicode"

	"golang.org/x/net/idna"
	"golang.org/x/text/unicode/norm"
)

// EmailKey is the identity of an e-mail address: that of the mailbox that it names, whatever people wrote around it. The part
// before the @ is taken in lower case, as every large mail service does; dots in it stay, since only one of them ignores
// those. The domain is taken in its ASCII form.
func EmailKey(address string) string {
	address = strings.Join(strings.Fields(mailboxOf(seen(address))), " ")
	at := strings.LastIndexByte(address, '@')
	if at < 0 {
		return norm.NFC.String(strings.ToLower(norm.NFC.String(visible(address))))
	}
	return norm.NFC.String(strings.ToLower(norm.NFC.String(visible(address[:at])))) + "@" + domainKey(address[at+1:])
}

// EmailSpellings are the addresses that name the mailbox of one: its key, and the same under the other domains of its service.
func EmailSpellings(address string) []string {
	key := EmailKey(address)
	out := []string{key}
	local, domain, _ := strings.Cut(key, "@")
	for alias, of := range aliases {
		if of == domain {
			out = append(out, local+"@"+alias)
		}
	}
	return out
}

// mailboxOf is the address in a link, beside a name or a remark, or in a sentence: mailto:tom@example.com,
// Sue Reed <sue@example.com>, tom@example.com (private), Work: tom@example.com.
func mailboxOf(s string) string {
	s = strings.TrimSpace(strings.ReplaceAll(s, "\uff20", "@"))
	const scheme = "mailto:"
	if len(s) > len(scheme) && strings.EqualFold(s[:len(scheme)], scheme) {
		s, _, _ = strings.Cut(s[len(scheme):], "?")
		if plain, err := url.PathUnescape(s); err == nil {
			s = plain
		}
		return mailboxOf(s)
	}
	if open := strings.IndexByte(s, '('); open > 0 && strings.HasSuffix(s, ")") && strings.Contains(s[:open], "@") {
		s = strings.TrimSpace(s[:open])
	}
	if open := strings.LastIndexByte(s, '<'); open >= 0 && strings.HasSuffix(s, ">") && strings.Contains(s[open:], "@") {
		return mailboxOf(s[open+1 : len(s)-1])
	}
	if strings.ContainsAny(s, " ()<>[]:;,\"“”?") && strings.Count(s, "@") == 1 {
		if m := besideWords.FindStringSubmatch(s); m != nil {
			s = m[1]
		}
	}
	if before, after, ok := strings.Cut(s, "@"); ok {
		s = strings.TrimLeft(strings.TrimSpace(before), `'"`) + "@" + strings.TrimRight(strings.TrimSpace(after), `'",;.`)
	}
	return s
}

// besideWords is an address behind the end of a remark, or before one. A word alone in front of it may be a part of it, mistyped.
var besideWords = regexp.MustCompile(`^(?:|[^@]*(?:[()<>\[\]:"“”]\s*|[,;]\s+))([^\s()<>\[\]:;,"“”@]+@[^\s()<>\[\]:;,"“”?]+\.[^\s()<>\[\]:;,"“”?]+)(?:|[\s()<>\[\];,"“”?].*)$`)

// aliases are domains of one service under which a mailbox has one owner (https://support.google.com/mail/answer/10313).
var aliases = map[string]string{"googlemail.com": "gmail.com"}

// lookup keeps letters that IDNA 2008 tells apart and its forerunner did not, as ß and ss
// (https://www.unicode.org/reports/tr46/#Deviations).
var lookup = idna.New(idna.MapForLookup(), idna.BidiRule(), idna.Transitional(false))

func domainKey(domain string) string {
	domain = asciiDomain(strings.TrimSpace(domain))
	domain = norm.NFC.String(strings.ToLower(norm.NFC.String(domain)))
	return cmp.Or(aliases[domain], domain)
}

// asciiDomain is a domain in its ASCII form, if it has one. Joiners tell domains of some scripts apart, and come along for nothing in
// others.
func asciiDomain(domain string) string {
	for _, spelling := range []string{domain, visible(domain)} {
		if ascii, err := lookup.ToASCII(norm.NFC.String(spelling)); err == nil {
			return ascii
		}
	}
	return visible(domain)
}

// visible is a text without the characters that show nothing, as marks of direction and soft hyphens, which come along
// where people copy from web pages and messages. A text of nothing else stays as it is.
func visible(s string) string {
	return without(s, func(r rune) bool { return unicode.Is(unicode.Cf, r) })
}

// seen is a text as visible is, with its joiners.
func seen(s string) string {
	return without(s, func(r rune) bool { return unicode.Is(unicode.Cf, r) && r != '\u200c' && r != '\u200d' })
}

func without(s string, unseen func(rune) bool) string {
	out := strings.Map(func(r rune) rune {
		if unseen(r) {
			return -1
		}
		return r
	}, s)
	return cmp.Or(out, s)
}
