package google

import (
	"bufio"
	"bytes"
	"fmt"
	"io"
	"mime"
	"mime/multipart"
	"net/http"
	"net/textproto"
	"strings"

	"github.com/tandem-sync/tandem/shared/sandbox/discovery"
)

// maxParts is how many requests a batch has by service (https://developers.google.com/workspace/calendar/api/guides/batch).
var maxParts = map[string]int{"calendar": 50, "people": 1000}

// batchOf is the service whose batches go to a path; nil where none do.
func batchOf(path string) *discovery.API {
	for _, a := range []*discovery.API{discovery.People(), discovery.Calendar()} {
		if a.Batch == path {
			return a
		}
	}
	return nil
}

// serveBatch answers each request of a batch as if it had come alone, one after the other.
func (s *Server) serveBatch(w http.ResponseWriter, r *http.Request, a *discovery.API, body []byte) {
	if r.Method != http.MethodPost {
		http.Error(w, "Error 404 (Not Found)!!1", http.StatusNotFound)
		return
	}
	parts, f := partsOf(r, body)
	if f == nil && len(parts) > maxParts[a.Name] {
		f = invalid("The batch has %d requests, more than the %d that it may have.", len(parts), maxParts[a.Name])
	}
	if f != nil {
		s.violate("a batch was refused: %s", f.message)
		f.write(w)
		return
	}
	var out bytes.Buffer
	mixed := multipart.NewWriter(&out)
	for _, p := range parts {
		answer := &response{header: http.Header{}}
		if f := s.partFailing(p); f == nil || f.After {
			s.servePart(answer, p, a)
			if f != nil {
				answer = f.answer()
			}
		} else {
			answer = f.answer()
		}
		s.requests = append(s.requests, Request{Method: p.Method, Path: p.URL.Path, Query: p.URL.Query(), Status: answer.status})
		header := textproto.MIMEHeader{"Content-Type": {"application/http"}}
		if id := strings.Trim(p.Header.Get("Content-ID"), "<>"); id != "" {
			header.Set("Content-ID", "<response-"+id+">")
		}
		// Writing into memory does not fail.
		part, _ := mixed.CreatePart(header)
		_, _ = fmt.Fprintf(part, "HTTP/1.1 %d %s\r\n", answer.status, http.StatusText(answer.status))
		_ = answer.header.Write(part)
		if answer.status != http.StatusNoContent && answer.status != http.StatusNotModified {
			_, _ = fmt.Fprintf(part, "Content-Length: %d\r\n", answer.body.Len())
		}
		_, _ = fmt.Fprintf(part, "\r\n%s\r\n", answer.body.String())
	}
	_ = mixed.Close()
	w.Header().Set("Content-Type", "multipart/mixed; boundary="+mixed.Boundary())
	w.WriteHeader(http.StatusOK)
	_, _ = w.Write(out.Bytes())
}

// servePart answers one request of a batch, which has to be one of the batch's service.
func (s *Server) servePart(w http.ResponseWriter, r *http.Request, a *discovery.API) {
	m, path := discovery.Find(r)
	if m == nil || m.API() != a {
		s.noMethod(w, r)
		return
	}
	// What was read from memory is there.
	body, _ := io.ReadAll(r.Body)
	s.serveMethod(w, r, m, path, body)
}

// partsOf are the requests of a batch. Headers of the batch, the credentials among them, are those of every request that
// has no such header of its own.
func partsOf(r *http.Request, body []byte) ([]*http.Request, *failure) {
	wrong := func(why string) *failure { return invalid("Failed to parse batch request, error: %s", why) }
	kind, params, err := mime.ParseMediaType(r.Header.Get("Content-Type"))
	if err != nil || kind != "multipart/mixed" {
		return nil, wrong("the content is not multipart/mixed.")
	}
	var out []*http.Request
	for mixed := multipart.NewReader(bytes.NewReader(body), params["boundary"]); ; {
		part, err := mixed.NextRawPart()
		if err == io.EOF && len(out) == 0 {
			return nil, wrong("0 items.")
		}
		if err == io.EOF {
			return out, nil
		}
		if err != nil {
			return nil, wrong(err.Error())
		}
		if got := part.Header.Get("Content-Type"); got != "application/http" {
			return nil, wrong("a part is not application/http.")
		}
		one, err := partOf(part, r.Header)
		if err != nil {
			return nil, wrong(err.Error())
		}
		out = append(out, one)
	}
}

// partOf is one request of a batch.
func partOf(part *multipart.Part, outer http.Header) (*http.Request, error) {
	raw, err := io.ReadAll(part)
	if err != nil {
		return nil, err
	}
	in, err := http.ReadRequest(bufio.NewReader(bytes.NewReader(raw)))
	if err != nil {
		return nil, err
	}
	if in.Header.Get("Content-Length") == "" {
		// The body ends where the part does.
		_, rest, _ := bytes.Cut(raw, []byte("\r\n\r\n"))
		in.Body = io.NopCloser(bytes.NewReader(rest))
	}
	for name, values := range outer {
		if in.Header.Get(name) == "" && !strings.HasPrefix(name, "Content-") {
			in.Header[name] = values
		}
	}
	in.Header.Set("Content-ID", part.Header.Get("Content-ID"))
	return in, nil
}
