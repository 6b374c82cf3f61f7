package cloud_test

import (
	"crypto/rand"
	"crypto/rsa"
	"crypto/x509"
	"encoding/json"
	"encoding/pem"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"cloud.google.com/go/auth/credentials"
	cloudtasks "cloud.google.com/go/cloudtasks/apiv2"
	"cloud.google.com/go/cloudtasks/apiv2/cloudtaskspb"
	"google.golang.org/api/option"

	"github.com/tandem-sync/tandem/shared/cloud"
	"github.com/tandem-sync/tandem/shared/fault"
	cloudbox "github.com/tandem-sync/tandem/shared/sandbox/cloud"
)

// account is the key file of a service account whose token service has the given address.
func account(t *testing.T, tokens string) []byte {
	t.Helper()
	key, err := rsa.GenerateKey(rand.Reader, 2048)
	if err != nil {
		t.Fatal(err)
	}
	der, err := x509.MarshalPKCS8PrivateKey(key)
	if err != nil {
		t.Fatal(err)
	}
	file, err := json.Marshal(map[string]string{
		"type": "service_account", "client_email": "tandem@p.iam.gserviceaccount.com", "token_uri": tokens, "project_id": "p",
		"private_key": string(pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: der})),
	})
	if err != nil {
		t.Fatal(err)
	}
	return file
}

func TestAn_error_of_the_token_service_is_classified_and_reveals_nothing(t *testing.T) {
	t.Parallel()
	for name, tc := range map[string]struct {
		status int
		body   string
		kind   fault.Kind
		code   string
	}{
		"refused":   {400, `{"error":"invalid_grant","error_description":"what nobody shall read"}`, fault.Misconfigured, "credentials"},
		"forbidden": {403, "what nobody shall read", fault.Misconfigured, "credentials"},
		"limited":   {429, "what nobody shall read", fault.Retry, "unavailable"},
		"busy":      {503, "what nobody shall read", fault.Retry, "unavailable"},
		"no JSON":   {200, "what nobody shall read", fault.Retry, "unavailable"},
		"not there": {0, "", fault.Retry, "unavailable"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			tokens := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
				if tc.status == 0 {
					panic(http.ErrAbortHandler)
				}
				w.Header().Set("Content-Type", "application/json")
				w.WriteHeader(tc.status)
				_, _ = w.Write([]byte(tc.body))
			}))
			t.Cleanup(tokens.Close)
			found, err := credentials.NewCredentialsFromJSON(credentials.ServiceAccount, account(t, tokens.URL), &credentials.DetectOptions{
				Scopes: []string{"https://www.googleapis.com/auth/cloud-platform"},
			})
			if err != nil {
				t.Fatal(err)
			}
			c := cloudbox.Start()
			t.Cleanup(c.Stop)
			client := cloud.NewClient(cloudtasks.NewClient, append(c.Address(), option.WithAuthCredentials(cloud.Credentials(found))))
			t.Cleanup(func() { _ = client.Close() })
			api, err := client.Get(t.Context())
			if err != nil {
				t.Fatal(err)
			}
			_, err = api.CreateTask(t.Context(), &cloudtaskspb.CreateTaskRequest{}, cloud.Once())
			err = cloud.API{Side: "queue"}.Classify("add task", err)
			f, ok := err.(*fault.Error)
			if !ok || f.Kind != tc.kind || f.Code != tc.code || strings.Contains(err.Error(), "nobody") {
				t.Errorf("got %v, want kind %v, code %s", err, tc.kind, tc.code)
			}
			if calls := c.Calls(); len(calls) > 0 {
				t.Errorf("got calls %v", calls)
			}
		})
	}
}

func TestThe_credentials_of_the_process_are_looked_up_at_the_first_call(t *testing.T) {
	t.Setenv("GOOGLE_APPLICATION_CREDENTIALS", t.TempDir()+"/none.json")
	client := cloud.NewClient(cloudtasks.NewClient, nil)
	if err := client.Close(); err != nil {
		t.Errorf("close what was never made: %v", err)
	}
	if _, err := client.Get(t.Context()); err == nil || !strings.Contains(err.Error(), "none.json") {
		t.Errorf("got %v", err)
	}
}
