package google

import (
	"bytes"
	"io"
	"net/http"
	"testing"
)

type said func(*http.Request) (*http.Response, error)

func (s said) RoundTrip(r *http.Request) (*http.Response, error) { return s(r) }

// Whatever Google says in reply to a batch, there are as many answers as requests, and each is one or an error.
func FuzzReplyToABatch(f *testing.F) {
	const one = "--b\r\nContent-Type: application/http\r\nContent-ID: <response-part-0>\r\n\r\nHTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\n{}\r\n"
	for _, seed := range []string{
		one + "--b--\r\n", one + one + "--b--\r\n", "--b--", "", "--b\r\n\r\nHTTP/1.1 999 x\r\n\r\n--b--", "--b\r\nContent-ID: <response-part-9>\r\n\r\n\r\n--b--",
		"--b\r\nContent-ID: <response-part-1>\r\n\r\nHTTP/1.1 404 Not Found\r\n\r\n{\"error\":{\"code\":404,\"errors\":[{}]}}\r\n--b--", one,
	} {
		f.Add("multipart/mixed; boundary=b", seed)
	}
	f.Add("text/html", "<html>")
	f.Add("multipart/mixed", "")
	f.Fuzz(func(t *testing.T, kind, body string) {
		c, err := NewClient(Options{Endpoint: "https://google.example.com", HTTP: &http.Client{Transport: said(func(r *http.Request) (*http.Response, error) {
			return &http.Response{StatusCode: http.StatusOK, Header: http.Header{"Content-Type": {kind}}, Body: io.NopCloser(bytes.NewReader([]byte(body))), Request: r}, nil
		})}})
		if err != nil {
			t.Fatal(err)
		}
		parts := []Part{{Method: http.MethodGet, Path: "/calendar/v3/a"}, {Method: http.MethodGet, Path: "/calendar/v3/b"}}
		replies, err := c.Batch(t.Context(), "list", "calendar/v3", parts)
		if err == nil && len(replies) != len(parts) {
			t.Errorf("%d answers to %d requests", len(replies), len(parts))
		}
		for _, r := range replies {
			if err == nil && r.Err == nil && r.Body == nil {
				t.Error("a request has neither an answer nor an error")
			}
		}
	})
}
