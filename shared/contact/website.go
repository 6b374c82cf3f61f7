package contact

import (
	"net/url"
	"strings"

	"golang.org/x/net/idna"
	"golang.org/x/text/unicode/norm"
)

// WebKey is the identity of a web address: where it leads, however it is written. Host and scheme have no case, an
// address without a scheme means the web (RFC 3986, section 6.2), and whether the web is spoken to in the clear is
// a spelling: every site that people keep in an address book leads from one to the other.
func WebKey(address string) string {
	address = norm.NFC.String(strings.Join(strings.Fields(visible(address)), " "))
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
	host := strings.TrimSuffix(strings.ToLower(u.Hostname()), ".")
	if ascii, err := idna.Lookup.ToASCII(host); err == nil {
		host = ascii
	}
	if port := u.Port(); port != "" && port != "80" && port != "443" {
		host += ":" + port
	}
	key := host + strings.TrimRight(u.EscapedPath(), "/")
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
