package notice_test

import (
	"crypto/tls"
	"encoding/json"
	"io"
	"mime/quotedprintable"
	"net"
	"net/http"
	"net/http/httptest"
	"net/mail"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/tandem-sync/tandem/shared/fault"
	"github.com/tandem-sync/tandem/shared/notice"
	"github.com/tandem-sync/tandem/shared/record"
	mailbox "github.com/tandem-sync/tandem/shared/sandbox/mail"
)

const password = "hunter2 & more"

func now() time.Time { return time.Date(2026, 3, 2, 9, 0, 0, 0, time.UTC) }

var held = notice.Notice{
	Cause: notice.Held, Type: record.Contacts, User: "ada@example.com", To: []string{"ADA@example.com", "ops@example.com"},
	Page: "https://tandem.example.com/settings/runs/r1",
}

// post starts a mail server, and gives what a sender needs for it.
func post(t *testing.T, o mailbox.Options) (*mailbox.Server, notice.SMTP) {
	t.Helper()
	s := mailbox.NewServer(o)
	t.Cleanup(s.Close)
	host, port, err := net.SplitHostPort(s.Address)
	if err != nil {
		t.Fatal(err)
	}
	return s, notice.SMTP{
		Host: host, Port: port, Implicit: o.Implicit, User: o.User, Password: o.Password, From: "tandem@example.com", TLS: &tls.Config{RootCAs: s.Roots},
	}
}

func TestANoticeIsAMailToTheUserAndToNobodyElsesEyes(t *testing.T) {
	t.Parallel()
	for name, o := range map[string]mailbox.Options{
		"encrypted from the start":     {Implicit: true, User: "tandem", Password: password},
		"encrypted by STARTTLS":        {StartTLS: true, User: "tandem", Password: password},
		"without a sign-in":            {Implicit: true},
		"another recipient is refused": {Implicit: true, Refused: []string{"ops@example.com"}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			server, smtp := post(t, o)
			told, err := notice.New(notice.Options{SMTP: smtp, Now: now}).Send(t.Context(), held)
			if err != nil || !told {
				t.Fatalf("told: %v, %v", told, err)
			}
			sent := server.Sent()
			want := []string{"ada@example.com", "ops@example.com"}
			if len(o.Refused) > 0 {
				want = want[:1]
			}
			if len(sent) != 1 || !slices.Equal(sent[0].To, want) || sent[0].From != "tandem@example.com" {
				t.Fatalf("sent %+v", sent)
			}
			m, err := mail.ReadMessage(strings.NewReader(sent[0].Data))
			if err != nil {
				t.Fatal(err)
			}
			if to := m.Header.Get("To"); to != "<ada@example.com>" || strings.Contains(sent[0].Data, "ops@") {
				t.Errorf("To is %q", to)
			}
			if got := m.Header.Get("Subject"); got != "Tandem: changes of contacts need your decision" {
				t.Errorf("Subject is %q", got)
			}
			body, err := io.ReadAll(quotedprintable.NewReader(m.Body))
			if err != nil || !strings.Contains(string(body), held.Page) || !strings.Contains(string(body), "approve or reject") {
				t.Errorf("body is %q, %v", body, err)
			}
		})
	}
}

func TestAMailThatCannotBeSentTellsNoSecret(t *testing.T) {
	t.Parallel()
	_, wrong := post(t, mailbox.Options{Implicit: true, User: "tandem", Password: "other"})
	wrong.Password = password
	_, unencrypted := post(t, mailbox.Options{})
	_, nobody := post(t, mailbox.Options{Implicit: true, Refused: []string{"ada@example.com", "ops@example.com"}})
	_, foreign := post(t, mailbox.Options{Implicit: true})
	foreign.TLS = nil
	busy, later := post(t, mailbox.Options{Implicit: true})
	busy.SetBusy(true)
	gone, unreachable := post(t, mailbox.Options{Implicit: true})
	gone.Close()
	for name, tc := range map[string]struct {
		smtp notice.SMTP
		kind fault.Kind
	}{
		"the password is wrong":               {wrong, fault.Misconfigured},
		"the connection cannot be encrypted":  {unencrypted, fault.Misconfigured},
		"no recipient is taken":               {nobody, fault.Misconfigured},
		"the certificate is nobody's we know": {foreign, fault.Retry},
		"the server is busy":                  {later, fault.Retry},
		"there is no server":                  {unreachable, fault.Retry},
	} {
		told, err := notice.New(notice.Options{SMTP: tc.smtp, Now: now}).Send(t.Context(), held)
		if told || !fault.Is(err, tc.kind) {
			t.Errorf("%s: told: %v, %v", name, told, err)
		}
		if err != nil && (strings.Contains(err.Error(), "hunter2") || strings.Contains(err.Error(), "@")) {
			t.Errorf("%s: the error has a secret: %v", name, err)
		}
	}
}

func TestANoticeIsPostedInTheFormThatSlackAndGoogleChatRead(t *testing.T) {
	t.Parallel()
	var got []map[string]string
	answers := http.StatusOK
	chat := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		var body map[string]string
		if err := json.NewDecoder(r.Body).Decode(&body); err != nil || r.Method != http.MethodPost || !strings.HasPrefix(r.Header.Get("Content-Type"), "application/json") {
			t.Errorf("%s %v: %v", r.Method, r.Header, err)
		}
		got = append(got, body)
		w.Header().Set("Location", "/elsewhere")
		w.WriteHeader(answers)
	}))
	t.Cleanup(chat.Close)
	s := notice.New(notice.Options{Webhook: chat.URL + "/T000/secret-of-the-chat", Now: now})
	n := held
	n.User = "<!channel>&ada@example.com"
	if told, err := s.Send(t.Context(), n); !told || err != nil {
		t.Fatalf("told: %v, %v", told, err)
	}
	want := "*Tandem: changes of contacts need your decision*\n!channelada@example.com: " + n.Sentences() + "\n" + n.Page
	if len(got) != 1 || len(got[0]) != 1 || got[0]["text"] != want {
		t.Errorf("posted %q", got)
	}
	for status, kind := range map[int]fault.Kind{302: fault.Misconfigured, 404: fault.Misconfigured, 429: fault.Retry, 500: fault.Retry} {
		answers = status
		told, err := s.Send(t.Context(), held)
		if told || !fault.Is(err, kind) || strings.Contains(err.Error(), "secret-of-the-chat") {
			t.Errorf("%d: told: %v, %v", status, told, err)
		}
	}
	chat.Close()
	told, err := s.Send(t.Context(), held)
	if told || !fault.Is(err, fault.Retry) || strings.Contains(err.Error(), "secret-of-the-chat") {
		t.Errorf("unreachable: told: %v, %v", told, err)
	}
}

func TestOneWayThatWorksIsEnough(t *testing.T) {
	t.Parallel()
	_, smtp := post(t, mailbox.Options{Implicit: true})
	told, err := notice.New(notice.Options{SMTP: smtp, Webhook: "http://127.0.0.1:1/x", Now: now}).Send(t.Context(), held)
	if !told || err == nil {
		t.Errorf("told: %v, %v", told, err)
	}
	if s := notice.New(notice.Options{Now: now}); s != nil {
		t.Error("without a place to send to there is a sender")
	}
}
