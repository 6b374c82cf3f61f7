package web

import (
	"bytes"
	_ "embed"
	"net/http"
)

// openAPIDocument is the description of the JSON API. A test holds it against the handlers.
//
//go:embed openapi.json
var openAPIDocument []byte

// describedAddress is the address of the API in the document as it is in the repository.
const describedAddress = "https://tandem.example.com/settings/api/v1"

// apiAddress is where the API is.
func (s *Site) apiAddress() string { return s.origin + s.root + "/api/v1" }

// openAPI answers with the description of the API. It is the same for everybody, and for who is not signed in.
func (s *Site) openAPI(w http.ResponseWriter, _ *http.Request, _ visit) error {
	w.Header().Set("Content-Type", "application/json")
	w.WriteHeader(http.StatusOK)
	_, _ = w.Write(bytes.ReplaceAll(openAPIDocument, []byte(describedAddress), []byte(s.apiAddress())))
	return nil
}
