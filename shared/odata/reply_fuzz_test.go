package odata

import (
	"bytes"
	"errors"
	"io"
	"net/http"
	"testing"

	"github.com/tandem-sync/tandem/shared/fault"
)

type said func(*http.Request) (*http.Response, error)

func (s said) RoundTrip(r *http.Request) (*http.Response, error) { return s(r) }

// Whatever a site says in reply to a batch, each request has an answer of its own or all fail, and every failure is of a kind.
func FuzzReplyToABatch(f *testing.F) {
	for _, seed := range []string{
		`{"responses":[{"id":"1","status":200,"body":{"value":[{"Id":"a"}]}},{"id":"2","status":404}]}`,
		`{"responses":[{"id":"2","status":200,"body":{"value":[]}},{"id":"1","status":204,"headers":{"Retry-After":"9"}}]}`,
		`{"responses":[{"id":"1","status":200},{"id":"1","status":500}]}`, `{"responses":[{"id":1}]}`, `{"responses":null}`, `{"error":{"message":{"value":"x"}}}`,
		`<html>login</html>`, ``, `[`, `{"responses":[{"id":"1","status":-1,"body":"{}"}]}`, `{"responses":[{"id":"1","status":200,"headers":{"Retry-After":[1]}}]}`,
	} {
		f.Add(200, seed)
		f.Add(500, seed)
	}
	f.Fuzz(func(t *testing.T, status int, body string) {
		if status < 200 || status > 599 {
			return
		}
		c := New(Options{Root: "https://acme.example.com/0/odata/", HTTP: &http.Client{Transport: said(func(r *http.Request) (*http.Response, error) {
			return &http.Response{StatusCode: status, Header: http.Header{"Content-Type": {"application/json"}}, Body: io.NopCloser(bytes.NewReader([]byte(body))), Request: r}, nil
		})}})
		parts := []Part{{Method: http.MethodGet, Path: "Contact?$top=2", Top: 2}, {Method: http.MethodPatch, Path: "Contact(1)", Body: map[string]any{"Name": "Ada"}}}
		replies, err := c.Batch(t.Context(), parts)
		if err == nil && len(replies) != len(parts) {
			t.Errorf("%d answers to %d requests", len(replies), len(parts))
		}
		errs := []error{err}
		for _, r := range replies {
			errs = append(errs, r.Err)
			if len(r.Rows) > 2 {
				t.Errorf("%d rows where two were asked for", len(r.Rows))
			}
		}
		for _, err := range errs {
			if _, ok := errors.AsType[*fault.Error](err); err != nil && !ok {
				t.Errorf("%v is of no kind", err)
			}
		}
	})
}
