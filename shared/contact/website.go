package contact

import (
	"net/url"
	"regexp"
	"strings"

	"golang.org/x/text/unicode/norm"
)

// WebKey is the identity of a web address: where it leads, however it is written. Host and scheme have no case, an
// address without a scheme means the web (RFC 3986, section 6.2), and whether the web is spoken to in the clear is
// a spelling: every site that people keep in an address book leads from one to the other.
func WebKey(address string) string {
	address = norm.NFC.String(strings.Join(strings.Fields(seen(address)), " "))
	if strings.HasPrefix(address, "//") {
		address = "http:" + address
	}
	u, err := url.Parse(address)
	if err != nil || !strings.Contains(address, "://") {
		if u, err = url.Parse("http://" + address); err != nil || u.Hostname() == "" {
			return address
		}
	}
	web := u.Scheme == "http" || u.Scheme == "https"
	if u.Hostname() == "" || !web {
		return address
	}
	host := asciiDomain(strings.TrimSuffix(strings.ToLower(u.Hostname()), "."))
	if port := u.Port(); port != "" && port != "80" && port != "443" {
		host += ":" + port
	}
	key := host + strings.TrimRight(plainPath(u.EscapedPath()), "/")
	if u.User != nil {
		key = u.User.String() + "@" + key
	}
	if u.RawQuery != "" {
		key += "?" + u.RawQuery
	}
	if u.Fragment != "" {
		key += "#" + u.EscapedFragment()
	}
	return key
}

// plainPath writes the characters as they are that need no escape, and the others' escapes in capitals (RFC 3986, section 6.2.2).
func plainPath(path string) string {
	return escaped.ReplaceAllStringFunc(path, func(escape string) string {
		if plain, err := url.PathUnescape(escape); err == nil && unreserved.MatchString(plain) {
			return plain
		}
		return strings.ToUpper(escape)
	})
}

var (
	escaped    = regexp.MustCompile(`%[0-9a-fA-F]{2}`)
	unreserved = regexp.MustCompile(`^[A-Za-z0-9._~-]$`)
)
