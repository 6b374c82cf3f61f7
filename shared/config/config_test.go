package config_test

import (
	"maps"
	"net/url"
	"os"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/sethvargo/go-envconfig"
	"pgregory.net/rapid"

	"github.com/tandem-sync/tandem/shared/config"
	"github.com/tandem-sync/tandem/shared/fault"
	_ "github.com/tandem-sync/tandem/shared/sandbox/seed"
)

// complete is the smallest valid environment.
func complete(changes map[string]string) envconfig.Lookuper {
	env := map[string]string{
		"STORE":                 "bolt:data/tandem.db",
		"ENCRYPTION_KEY":        "file:data/key.json",
		"GOOGLE_CLIENT_ID":      "invented.apps.googleusercontent.com",
		"GOOGLE_CLIENT_SECRET":  "hunter2-google",
		"CREATIO_URL":           "https://acme.creatio.com",
		"CREATIO_CLIENT_ID":     "invented-client",
		"CREATIO_CLIENT_SECRET": "hunter2-creatio",
	}
	maps.Copy(env, changes)
	return envconfig.MapLookuper(env)
}

func load(t *testing.T, changes map[string]string) (config.Config, error) {
	t.Helper()
	return config.Load(t.Context(), complete(changes))
}

func TestLoad_fills_in_the_documented_defaults(t *testing.T) {
	t.Parallel()
	got, err := load(t, nil)
	if err != nil {
		t.Fatal(err)
	}
	want := config.Config{
		PublicURL:     "http://127.0.0.1:8080",
		Store:         config.Store{Kind: config.Bolt, Path: "data/tandem.db"},
		EncryptionKey: "file:data/key.json",
		Google: config.Google{
			ClientID: "invented.apps.googleusercontent.com", ClientSecret: config.NewSecret("hunter2-google"),
		},
		Creatio: config.Creatio{
			URL: "https://acme.creatio.com", Auth: config.AuthUser,
			ClientID: "invented-client", ClientSecret: config.NewSecret("hunter2-creatio"),
		},
		Queue:             config.Queue{Kind: config.QueueInline},
		InvokerVerifiedBy: config.VerifiedBySignature,
		CalendarPush:      true,
		History:           400 * 24 * time.Hour,
		Unlinked:          90 * 24 * time.Hour,
		Port:              8080,
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("config (-want +got):\n%s", diff)
	}
}

func TestLoad_reads_every_variable(t *testing.T) {
	t.Parallel()
	const kms = "gcp-kms://projects/acme/locations/europe-west1/keyRings/tandem/cryptoKeys/tokens"
	got, err := load(t, map[string]string{
		"PUBLIC_URL":            "https://tandem.example.com/",
		"STORE":                 "firestore:acme-crm/(default)",
		"ENCRYPTION_KEY":        kms,
		"GOOGLE_ENDPOINT":       "http://localhost:9090/google/",
		"CREATIO_URL":           "https://acme.creatio.com/crm/",
		"CREATIO_AUTH":          "client",
		"CREATIO_IDENTITY_URL":  "https://acme-is.creatio.com",
		"CREATIO_CLIENT_SECRET": "hunter2-creatio\n",
		"ALLOWED_DOMAINS":       "Example.com, bücher.example ,example.com,@Example.org",
		"ADMIN_EMAILS":          "Ada@Example.com,alan@example.com",
		"QUEUE":                 "projects/acme/locations/europe-west1/queues/sync",
		"SCHEDULER":             "projects/acme/locations/europe-west1",
		"TELEMETRY":             "projects/acme/locations/europe-west1",
		"INVOKER":               "invoker@acme.iam.gserviceaccount.com",
		"INVOKER_VERIFIED_BY":   "platform",
		"INVOKER_AUDIENCE":      "https://europe-west1-acme.cloudfunctions.net/sync-contacts",
		"K_SERVICE":             "sync-contacts",
		"CALENDAR_PUSH":         "off",
		"HISTORY_DAYS":          "30",
		"UNLINKED_DAYS":         "7",
		"NOTICE_SMTP":           "smtps://tandem%40example.com:hunter2%2Fmail@mail.example.com?from=tandem@example.com",
		"NOTICE_WEBHOOK":        "https://chat.example.com/v1/spaces/x?key=hunter2",
		"PORT":                  "9000",
	})
	if err != nil {
		t.Fatal(err)
	}
	want := config.Config{
		PublicURL:     "https://tandem.example.com",
		Store:         config.Store{Kind: config.Firestore, Project: "acme-crm", Database: "(default)"},
		EncryptionKey: kms,
		Google: config.Google{
			ClientID: "invented.apps.googleusercontent.com", ClientSecret: config.NewSecret("hunter2-google"),
			Endpoint: "http://localhost:9090/google",
		},
		Creatio: config.Creatio{
			URL: "https://acme.creatio.com/crm", Auth: config.AuthClient, IdentityURL: "https://acme-is.creatio.com",
			ClientID: "invented-client", ClientSecret: config.NewSecret("hunter2-creatio"),
		},
		AllowedDomains:    []string{"example.com", "xn--bcher-kva.example", "@example.org"},
		AdminEmails:       []string{"ada@example.com", "alan@example.com"},
		Queue:             config.Queue{Kind: config.QueueTasks, Name: "projects/acme/locations/europe-west1/queues/sync"},
		Scheduler:         "projects/acme/locations/europe-west1",
		Telemetry:         config.Telemetry{Project: "acme", Location: "europe-west1"},
		Invoker:           "invoker@acme.iam.gserviceaccount.com",
		InvokerVerifiedBy: config.VerifiedByPlatform,
		History:           30 * 24 * time.Hour,
		Unlinked:          7 * 24 * time.Hour,
		InvokerAudience:   "https://europe-west1-acme.cloudfunctions.net/sync-contacts",
		Notices: config.Notices{
			Mail: config.Mail{
				Host: "mail.example.com", Port: "465", Implicit: true, User: "tandem@example.com", Password: config.NewSecret("hunter2/mail"), From: "tandem@example.com",
			},
			Webhook: config.NewSecret("https://chat.example.com/v1/spaces/x?key=hunter2"),
		},
		Port: 9000,
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("config (-want +got):\n%s", diff)
	}
}

func TestWith_passwords_no_client_of_creatio_is_needed_and_none_is_returned(t *testing.T) {
	t.Parallel()
	for name, changes := range map[string]map[string]string{
		"left over": {},
		"not there": {"CREATIO_CLIENT_ID": "", "CREATIO_CLIENT_SECRET": ""},
	} {
		changes["CREATIO_AUTH"] = "password"
		changes["CREATIO_IDENTITY_URL"] = "https://acme-is.creatio.com"
		got, err := load(t, changes)
		want := config.Creatio{URL: "https://acme.creatio.com", Auth: config.AuthPassword}
		if diff := cmp.Diff(want, got.Creatio); err != nil || diff != "" {
			t.Errorf("%s: %v, creatio (-want +got):\n%s", name, err, diff)
		}
	}
}

func TestAn_empty_environment_names_all_that_is_missing_at_once(t *testing.T) {
	t.Parallel()
	_, err := config.Load(t.Context(), envconfig.MapLookuper(nil))
	wantProblems(t, err, "STORE", "ENCRYPTION_KEY", "GOOGLE_CLIENT_ID", "GOOGLE_CLIENT_SECRET", "CREATIO_URL",
		"CREATIO_CLIENT_ID", "CREATIO_CLIENT_SECRET")
}

func TestEach_wrong_value_is_named_with_what_to_write(t *testing.T) {
	t.Parallel()
	for name, values := range map[string][]string{
		"PUBLIC_URL": {
			"http://tandem.example.com", "tandem.example.com", "https://tandem.example.com/settings", "https://",
			"https://tandem.example.com?x=1", "https://tandem.example.com/#", "ftp://tandem.example.com", "https://a:99999", "https://a:",
		},
		"STORE":                {"bolt:", "bolt:data/", "firestore:acme", "firestore:acme/", "firestore:/(default)", "firestore:acme/X", "postgres://db", "memory"},
		"ENCRYPTION_KEY":       {"file:", "file:keys/", "gcp-kms://", "gcp-kms://projects/p", "c2VjcmV0"},
		"GOOGLE_CLIENT_ID":     {"two words", " "},
		"GOOGLE_CLIENT_SECRET": {"two\nlines", ""},
		"GOOGLE_ENDPOINT":      {"http://google.example.com", "//google.example.com", "http://127.0.0.1.example.com"},
		"CREATIO_URL":          {"", "http://acme.creatio.com", "acme.creatio.com", "https://acme.creatio.com/0", "https://acme.creatio.com/0/Nui/ViewModule.aspx"},
		"CREATIO_AUTH":         {"User", "oauth"},
		"CREATIO_IDENTITY_URL": {"http://acme-is.creatio.com", "acme-is"},
		"ALLOWED_DOMAINS":      {",", "example.com,", "@", "@@example.com", "gmail.com", "example", "https://example.com", "ada@example.com", "exa mple.com"},
		"ADMIN_EMAILS":         {"ada", "ada@example.com,", "Ada <ada@example.com>", "ada@example.com;alan@example.com"},
		"QUEUE":                {"Inline", "tasks", "projects/acme/queues/sync", "projects/acme/locations/europe-west1/queues/a/b"},
		"SCHEDULER":            {"europe-west1", "projects/acme", "projects/acme/locations/europe-west1/jobs/sync"},
		"TELEMETRY": {
			"projects/acme", "europe-west1", "http://collector.example.com:4317", "https://collector.example.com/v1/traces",
			"projects/acme/locations/europe-west1/queues/sync",
		},
		"INVOKER":             {"tandem-invoker", "serviceAccount:x"},
		"INVOKER_VERIFIED_BY": {"platform", "Signature", "none", "signature,platform"},
		"INVOKER_AUDIENCE":    {"two words", "https://tandem.example.com/{name}", "https://tandem.example.com/{function", "https://ada:secret@tandem.example.com/"},
		"NOTICE_SMTP": {
			"mail.example.com:465", "https://mail.example.com?from=a@example.com", "smtps://mail.example.com", "smtps://mail.example.com?from=ada", "smtps://?from=a@example.com",
			"smtps://mail.example.com?from=a@example.com&to=b@example.com", "smtps://tandem@mail.example.com?from=a@example.com", "smtps://mail.example.com:0?from=a@example.com",
		},
		"NOTICE_WEBHOOK": {"http://chat.example.com/hook", "chat.example.com/hook", "https://", "https://ada:secret@chat.example.com/hook"},
		"PORT":           {"0", "-1", "65536", "http", "80 80"},
	} {
		for _, value := range values {
			// The public address is set, so that only the queue is wrong.
			changes := map[string]string{"PUBLIC_URL": "https://tandem.example.com", name: value}
			_, err := load(t, changes)
			if !wantProblems(t, err, name) {
				t.Logf("with %s=%q", name, value)
			}
		}
	}
}

func TestAddresses_of_this_machine_may_be_unencrypted(t *testing.T) {
	t.Parallel()
	for _, host := range []string{"127.0.0.1:9000", "localhost", "LOCALHOST:1", "crm.localhost:8080", "[::1]:8080", "127.9.9.9"} {
		address := "http://" + host
		got, err := load(t, map[string]string{"PUBLIC_URL": address, "CREATIO_URL": address + "/", "GOOGLE_ENDPOINT": address, "TELEMETRY": address})
		if err != nil || got.PublicURL != address || got.Creatio.URL != address || got.Google.Endpoint != address || got.Telemetry.Endpoint != address {
			t.Errorf("%s: got %q, %q, %q, %q, %v", address, got.PublicURL, got.Creatio.URL, got.Google.Endpoint, got.Telemetry.Endpoint, err)
		}
	}
}

func TestIn_the_cloud_the_public_address_is_required(t *testing.T) {
	t.Parallel()
	_, err := load(t, map[string]string{"QUEUE": "projects/acme/locations/europe-west1/queues/sync"})
	wantProblems(t, err, "PUBLIC_URL")
	_, err = load(t, map[string]string{"SCHEDULER": "projects/acme/locations/europe-west1"})
	wantProblems(t, err, "PUBLIC_URL")
}

func TestNo_problem_quotes_a_possible_secret(t *testing.T) {
	t.Parallel()
	for _, name := range config.Names() {
		for _, value := range []string{
			"https://ada:hunter2@acme.example.com", "postgres://ada:hunter2@db", "hunter2\tx", "https://ada:hunter2%zz@acme.example.com",
		} {
			if name == "ALLOWED_DOMAINS" || name == "ADMIN_EMAILS" || name == "SCHEDULER" || name == "INVOKER" || name == "PORT" {
				continue // Names and numbers, which are quoted.
			}
			_, err := load(t, map[string]string{name: value})
			if err == nil && name != "GOOGLE_CLIENT_ID" && name != "GOOGLE_CLIENT_SECRET" && !strings.HasPrefix(name, "CREATIO_CLIENT") {
				t.Errorf("%s=%q was taken", name, value)
			}
			if err != nil && strings.Contains(err.Error(), "hunter2") {
				t.Errorf("%s=%q: got the secret in %q", name, value, err)
			}
		}
	}
}

func TestNames_are_the_documented_variables(t *testing.T) {
	t.Parallel()
	want := []string{
		"PUBLIC_URL", "STORE", "ENCRYPTION_KEY", "GOOGLE_CLIENT_ID", "GOOGLE_CLIENT_SECRET", "GOOGLE_ENDPOINT", "CREATIO_URL",
		"CREATIO_AUTH", "CREATIO_IDENTITY_URL", "CREATIO_CLIENT_ID", "CREATIO_CLIENT_SECRET", "ALLOWED_DOMAINS", "ADMIN_EMAILS", "PRIVACY_URL",
		"QUEUE", "SCHEDULER", "TELEMETRY", "INVOKER", "INVOKER_VERIFIED_BY", "INVOKER_AUDIENCE", "CALENDAR_PUSH", "HISTORY_DAYS", "UNLINKED_DAYS", "NOTICE_SMTP", "NOTICE_WEBHOOK", "PORT",
	}
	if diff := cmp.Diff(want, config.Names()); diff != "" {
		t.Errorf("names (-want +got):\n%s", diff)
	}
}

func TestEvery_variable_is_documented(t *testing.T) {
	t.Parallel()
	raw, err := os.ReadFile("../../functions/README.md")
	if err != nil {
		t.Fatal(err)
	}
	_, chapter, _ := strings.Cut(string(raw), "\n## Configuration\n")
	documented := map[string]bool{}
	for line := range strings.Lines(chapter) {
		if cells := strings.Split(line, "|"); len(cells) > 2 {
			for _, m := range regexp.MustCompile("`([A-Z_]+)`").FindAllStringSubmatch(cells[1], -1) {
				documented[m[1]] = true
			}
		}
	}
	for _, name := range config.Names() {
		if !documented[name] {
			t.Errorf("%s has no row in functions/README.md", name)
		}
		delete(documented, name)
	}
	for name := range documented {
		t.Errorf("functions/README.md has a row for %s, which nothing reads", name)
	}
}

func TestGoogle_is_asked_to_call_only_where_it_can(t *testing.T) {
	t.Parallel()
	for _, tc := range []struct{ public, endpoint, push, want string }{
		{"https://tandem.example.com", "", "", "https://tandem.example.com/calendar-push"},
		{"https://tandem.example.com", "", "off", ""},
		{"http://127.0.0.1:8080", "", "", ""},
		{"http://127.0.0.1:8080", "http://127.0.0.1:9090", "", "http://127.0.0.1:8080/calendar-push"},
		{"http://127.0.0.1:8080", "http://127.0.0.1:9090", "off", ""},
	} {
		c, err := load(t, map[string]string{"PUBLIC_URL": tc.public, "GOOGLE_ENDPOINT": tc.endpoint, "CALENDAR_PUSH": tc.push})
		if got := c.PushAddress(); got != tc.want || err != nil {
			t.Errorf("%+v: got %q, %v", tc, got, err)
		}
	}
	_, err := load(t, map[string]string{"CALENDAR_PUSH": "yes"})
	wantProblems(t, err, "CALENDAR_PUSH")
}

func TestThe_receiver_of_messages_needs_neither_key_nor_secret_and_reads_none(t *testing.T) {
	t.Parallel()
	env := map[string]string{
		"PUBLIC_URL": "https://tandem.example.com", "STORE": "firestore:acme/(default)", "QUEUE": "projects/acme/locations/europe-west1/queues/activities",
		"INVOKER": "tandem-invoker@acme.iam.gserviceaccount.com", "ENCRYPTION_KEY": "nonsense", "GOOGLE_CLIENT_SECRET": "hunter2", "CREATIO_URL": "nonsense",
	}
	got, err := config.LoadReceiver(t.Context(), envconfig.MapLookuper(env))
	if err != nil {
		t.Fatal(err)
	}
	want := config.Config{
		PublicURL: "https://tandem.example.com", Store: config.Store{Kind: config.Firestore, Project: "acme", Database: "(default)"},
		Queue:   config.Queue{Kind: config.QueueTasks, Name: "projects/acme/locations/europe-west1/queues/activities"},
		Invoker: "tandem-invoker@acme.iam.gserviceaccount.com", CalendarPush: true, Port: 8080,
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("config (-want +got):\n%s", diff)
	}
	_, err = config.LoadReceiver(t.Context(), envconfig.MapLookuper(nil))
	wantProblems(t, err, "STORE", "QUEUE")
}

func TestOutside_of_cloud_run_the_platform_verifies_no_token(t *testing.T) {
	t.Parallel()
	for service, want := range map[string]bool{"sync-contacts": true, "": false, " ": false} {
		got, err := load(t, map[string]string{"INVOKER_VERIFIED_BY": "platform", "K_SERVICE": service})
		if (err == nil) != want || (got.InvokerVerifiedBy == config.VerifiedByPlatform) != want {
			t.Errorf("on the service %q: got %q, %v", service, got.InvokerVerifiedBy, err)
		}
	}
}

func TestA_token_is_for_the_functions_public_address_or_for_what_is_configured(t *testing.T) {
	t.Parallel()
	for configured, want := range map[string]string{
		"":                                      "https://tandem.example.com/sync-contacts",
		"https://run.example.com/sync-contacts": "https://run.example.com/sync-contacts",
		"https://run.example.com/{function}":    "https://run.example.com/sync-contacts",
		"tandem":                                "tandem",
	} {
		c, err := load(t, map[string]string{"PUBLIC_URL": "https://tandem.example.com", "INVOKER_AUDIENCE": configured})
		if got := c.Audience("sync-contacts"); got != want || err != nil {
			t.Errorf("%q: got %q, %v, want %q", configured, got, err, want)
		}
	}
}

func TestEvery_address_that_Load_returns_can_be_extended_by_a_path(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		address := rapid.StringMatching(`(https?://)?[a-z0-9.\[\]:%@-]{0,12}[/?#:]{0,2}[a-z0-9/?#%]{0,6}`).Draw(t, "address")
		c, err := config.Load(t.Context(), complete(map[string]string{"PUBLIC_URL": address, "CREATIO_URL": address, "GOOGLE_ENDPOINT": address}))
		if err != nil {
			if !fault.Is(err, fault.Misconfigured) {
				t.Fatalf("got %v, want a fault of kind misconfigured", err)
			}
			return
		}
		for _, base := range []string{c.PublicURL, c.Creatio.URL} {
			u, err := url.Parse(base + "/settings")
			if err != nil || u.Host == "" || u.User != nil || !strings.HasSuffix(u.Path, "/settings") || strings.HasSuffix(base, "/") {
				t.Fatalf("got %q (%v)", base, err)
			}
		}
	})
}

// wantProblems checks that the error names these variables, each on a line that says what to do, and no others.
func wantProblems(t *testing.T, err error, names ...string) bool {
	t.Helper()
	if err == nil || !fault.Is(err, fault.Misconfigured) {
		t.Errorf("got %v, want a fault of kind misconfigured that names %v", err, names)
		return false
	}
	ok := true
	var got []string
	for _, line := range strings.Split(err.Error(), "\n")[1:] {
		name, say, _ := strings.Cut(strings.TrimSpace(line), ": ")
		got = append(got, name)
		if !strings.Contains(say, "write ") && !strings.Contains(say, "correct it") {
			t.Errorf("%q does not say what to write", line)
			ok = false
		}
	}
	if diff := cmp.Diff(names, got); diff != "" {
		t.Errorf("problems in %q (-want +got):\n%s", err, diff)
		ok = false
	}
	return ok
}

func TestPasswordsAreTriedByNobodyInParticularOnlyOnThisMachine(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		public, domains string
		good            bool
	}{
		{"https://tandem.example.com", "", false},
		{"https://tandem.example.com", "example.com", true},
		{"http://127.0.0.1:8080", "", true},
		{"http://localhost:8080", "", true},
		{"", "", true},
	} {
		_, err := config.Load(t.Context(), envconfig.MapLookuper(map[string]string{
			"STORE": "bolt:data/tandem.db", "ENCRYPTION_KEY": "file:data/key.json", "GOOGLE_CLIENT_ID": "id", "GOOGLE_CLIENT_SECRET": "secret",
			"CREATIO_URL": "https://acme.example.com", "CREATIO_AUTH": "password", "PUBLIC_URL": c.public, "ALLOWED_DOMAINS": c.domains,
		}))
		if (err == nil) != c.good || err != nil && !strings.Contains(err.Error(), "ALLOWED_DOMAINS") {
			t.Errorf("%q, %q: %v", c.public, c.domains, err)
		}
	}
}

func TestHistory_is_kept_for_a_number_of_days(t *testing.T) {
	t.Parallel()
	c, err := load(t, map[string]string{"HISTORY_DAYS": "30"})
	if err != nil || c.History != 30*24*time.Hour || c.Unlinked != 90*24*time.Hour {
		t.Errorf("got %v, %v, %v", c.History, c.Unlinked, err)
	}
	for _, wrong := range []string{"0", "-1", "a year", "4000"} {
		_, err := load(t, map[string]string{"HISTORY_DAYS": wrong, "UNLINKED_DAYS": wrong})
		wantProblems(t, err, "HISTORY_DAYS", "UNLINKED_DAYS")
	}
}
