package httpx

import (
	"mime"
	"net/http"
	"strings"
)

// WantsSignIn says whether a reply means that the request came from nobody the site knows: 401, the way to its login page,
// or a page in place of what was asked for. A site may answer so once to somebody whose sign-in is good, as one does that
// restarts.
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
