package httpx

import (
	"mime"
	"net/http"
	"strings"
)

// WantsSignIn reports whether a reply asks for a sign-in: a 401, a redirect to the login page, or a page instead of data. A
// site that restarts may answer so although the session is valid.
func WantsSignIn(req *http.Request, resp *http.Response) bool {
	switch {
	case resp.StatusCode == http.StatusUnauthorized:
		return true
	case resp.StatusCode >= 300 && resp.StatusCode < 400:
		return strings.Contains(strings.ToLower(resp.Header.Get("Location")), "login")
	case resp.StatusCode == http.StatusOK:
		return IsPage(resp) && !strings.Contains(req.Header.Get("Accept"), "text/html")
	default:
		return false
	}
}

// IsPage reports whether a reply is a page for a browser.
func IsPage(resp *http.Response) bool {
	kind, _, _ := mime.ParseMediaType(resp.Header.Get("Content-Type"))
	return kind == "text/html"
}
