package web

import (
	"fmt"
	"net/http"
	"strings"

	"github.com/tandem-sync/tandem/shared/fault"
)

// maxBody is how large a request may be.
const maxBody = 64 << 10

// guarded puts what every request goes through around serve: headers, limits, the check of its origin, and one
// place where errors become answers. name is what the function is deployed as.
func (s *Site) guarded(name string, serve func(w http.ResponseWriter, r *http.Request, path string) error) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		path := s.trim(r.URL.Path, name)
		api := path == "/api" || strings.HasPrefix(path, "/api/")
		defer func() {
			v := recover()
			if v == http.ErrAbortHandler {
				panic(v)
			}
			if v != nil {
				s.fail(w, r, api, fault.New(fault.Bug, "", "panic", fmt.Errorf("serve request: %v", v)))
			}
		}()
		s.protect(w.Header())
		r.Body = http.MaxBytesReader(w, r.Body, maxBody)
		err := s.sameOrigin(r)
		if err == nil {
			err = serve(w, r, path)
		}
		if err != nil {
			s.fail(w, r, api, err)
		}
	})
}

// protect sets the headers that keep a page from being framed, sniffed, cached or run with anything foreign.
func (s *Site) protect(h http.Header) {
	h.Set("Content-Security-Policy", "default-src 'none'; style-src 'self'; script-src 'self'; img-src 'self'; connect-src 'self'; "+
		"form-action 'self'; frame-ancestors 'none'; base-uri 'none'")
	// With less than "same-origin" browsers would send "Origin: null" with our own forms.
	h.Set("Referrer-Policy", "same-origin")
	h.Set("X-Content-Type-Options", "nosniff")
	// For browsers that do not know frame-ancestors.
	h.Set("X-Frame-Options", "DENY")
	h.Set("Permissions-Policy", "camera=(), geolocation=(), microphone=(), payment=(), usb=()")
	h.Set("Cross-Origin-Opener-Policy", "same-origin")
	h.Set("Cross-Origin-Resource-Policy", "same-origin")
	h.Set("Cache-Control", "no-store")
	if s.secure {
		h.Set("Strict-Transport-Security", "max-age=31536000")
	}
}

// Protected serves next with the headers of every answer, also of those that no function gives.
func (s *Site) Protected(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		s.protect(w.Header())
		next.ServeHTTP(w, r)
	})
}

// sameOrigin refuses a request that changes something and does not come from Tandem's own pages or a script. The
// host is that of PublicURL: the platform may hand the request over under another one.
func (s *Site) sameOrigin(r *http.Request) error {
	if r.Method == http.MethodGet || r.Method == http.MethodHead || r.Method == http.MethodOptions {
		return nil
	}
	origin := r.Header.Get("Origin")
	seen := *r
	seen.Host = s.host
	if err := s.cross.Check(&seen); err != nil || origin != "" && origin != s.origin {
		return refused(http.StatusForbidden, "cross-origin", "address", s.origin+s.root)
	}
	return nil
}
