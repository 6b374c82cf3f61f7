package google

import (
	"net/http"
	"strings"
	"testing"

	"github.com/tandem-sync/tandem/shared/fault"
)

func TestAn_invalid_endpoint_is_rejected(t *testing.T) {
	t.Parallel()
	for _, o := range []Options{{}, {HTTP: http.DefaultClient, Endpoint: "people.example.com"}, {HTTP: http.DefaultClient, Endpoint: "ftp://example.com"}, {HTTP: http.DefaultClient, Endpoint: "http://%zz"}} {
		if _, err := NewClient(o); !fault.Is(err, fault.Misconfigured) {
			t.Errorf("%q: got %v, want misconfigured", o.Endpoint, err)
		}
	}
	if _, err := NewClient(Options{HTTP: http.DefaultClient}); err != nil {
		t.Error(err)
	}
}

func TestErrors_contain_the_reason_and_not_the_request(t *testing.T) {
	t.Parallel()
	r := refusal{http: 400, status: "INVALID_ARGUMENT", message: strings.Repeat("é", 400)}
	if got := r.Error(); len(got) > 350 || !strings.HasPrefix(got, "status 400: INVALID_ARGUMENT: é") {
		t.Errorf("got %q", got)
	}
}
