package app_test

import (
	"net/http"
	"strings"
	"testing"

	creatiobox "github.com/tandem-sync/tandem/shared/sandbox/creatio"
	googlebox "github.com/tandem-sync/tandem/shared/sandbox/google"
)

func TestWhat_a_service_writes_about_a_person_reaches_no_log(t *testing.T) {
	t.Parallel()
	const person = "Grace Hopper +1 202 555 0123 grace@example.org"
	secrets := []string{"Hopper", "202 555", "grace@"}
	bodies := map[string]string{
		"an OData error":   `{"error":{"code":"","message":"` + person + `","innererror":{"message":"` + person + `","type":"Terrasoft.Common.Error","stacktrace":"` + person + `"}}}`,
		"an exception":     `{"message":"An error has occurred.","exceptionMessage":"` + person + `","exceptionType":"System.Exception"}`,
		"Google's error":   `{"error":{"code":400,"status":"INVALID_ARGUMENT","message":"` + person + `","errors":[{"reason":"` + person + `","message":"` + person + `"}]}}`,
		"an OAuth error":   `{"error":"` + person + `","error_description":"` + person + `"}`,
		"a page":           "<!DOCTYPE html><html><title>" + person + "</title><body>" + person + "</body></html>",
		"neither of these": person,
	}
	for name, body := range bodies {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			w := newWorld(t)
			w.link()
			w.choose(w.tag("Ada", private))
			w.sync("done")
			for _, status := range []int{400, 403, 404, 500} {
				header := http.Header{"Content-Type": {"application/json"}}
				if strings.HasPrefix(body, "<") {
					header.Set("Content-Type", "text/html")
				}
				w.creatio.SetFault(func(*http.Request) *creatiobox.Fault {
					return &creatiobox.Fault{Status: status, Body: body, Header: header}
				})
				w.post(`{"user":"` + w.id + `"}`)
				w.do(http.MethodGet, "/settings/api/v1/tags", nil)
				w.creatio.SetFault(nil)
				w.google.SetFault(func(*http.Request) *googlebox.Fault {
					return &googlebox.Fault{Status: status, Body: body, Header: header}
				})
				w.post(`{"user":"` + w.id + `"}`)
				w.google.SetFault(nil)
			}
			for _, secret := range secrets {
				if got := w.log.String(); strings.Contains(got, secret) {
					t.Errorf("the log has %q:\n%s", secret, got)
				}
			}
		})
	}
}
