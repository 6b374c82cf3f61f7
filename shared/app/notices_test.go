package app_test

import (
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/tandem-sync/tandem/shared/record"
	creatiobox "github.com/tandem-sync/tandem/shared/sandbox/creatio"
	mailbox "github.com/tandem-sync/tandem/shared/sandbox/mail"
)

// chat is a team's chat, which can be told to refuse.
type chat struct {
	mu     sync.Mutex
	posts  []string
	refuse bool
	// posted is called at every post, before it is answered.
	posted func()
}

func (c *chat) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	body, _ := io.ReadAll(r.Body)
	if c.posted != nil {
		c.posted()
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.refuse {
		w.WriteHeader(http.StatusServiceUnavailable)
		return
	}
	c.posts = append(c.posts, string(body))
}

// take is what was posted since the last look.
func (c *chat) take() []string {
	c.mu.Lock()
	defer c.mu.Unlock()
	out := c.posts
	c.posts = nil
	return out
}

func (c *chat) setRefuse(refuse bool) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.refuse = refuse
}

// newNoticed is a world whose notices go by mail and to a chat.
func newNoticed(t *testing.T, changes ...change) (*world, *mailbox.Server, *chat) {
	t.Helper()
	server := mailbox.NewServer(mailbox.Options{})
	t.Cleanup(server.Close)
	host, port, err := net.SplitHostPort(server.Address)
	if err != nil {
		t.Fatal(err)
	}
	room := &chat{}
	hook := httptest.NewServer(room)
	t.Cleanup(hook.Close)
	changes = append(changes,
		with("NOTICE_SMTP", "smtp://"+net.JoinHostPort(host, port)+"?from=tandem@example.com"), with("NOTICE_WEBHOOK", hook.URL+"/hook-secret"),
	)
	return newWorld(t, changes...), server, room
}

func wantPosts(t *testing.T, when string, got []string, want ...string) {
	t.Helper()
	if len(got) != len(want) {
		t.Errorf("%s: posted %q, want %q", when, got, want)
		return
	}
	for i, part := range want {
		if !strings.Contains(got[i], part) {
			t.Errorf("%s: posted %q, want %q", when, got[i], part)
		}
	}
}

func TestSomebody_is_told_once_a_day_that_an_account_has_to_be_connected_again(t *testing.T) {
	t.Parallel()
	for _, on := range []change{nil, onFirestore(t)} {
		changes := []change{}
		if on != nil {
			changes = append(changes, on)
		}
		w, server, room := newNoticed(t, changes...)
		w.link()
		w.choose(w.tag("Ada", private))
		w.sync("done")
		wantPosts(t, "after a run that did its work", room.take())
		w.google.RevokeGrant(ada)
		w.pass(2 * time.Hour)
		w.sync("reconnect")
		wantPosts(t, "after the grant is gone", room.take(), "connect Google again")
		w.sync("reconnect")
		wantPosts(t, "after a second run", room.take())
		// Nobody runs the sync any more; the tick reminds.
		w.pass(25 * time.Hour)
		w.do(http.MethodPost, "/sync-contacts", nil)
		w.do(http.MethodPost, "/sync-contacts", nil)
		wantPosts(t, "a day later", room.take(), "connect Google again")
		if sent := server.Sent(); len(sent) != 2 || sent[0].To[0] != ada {
			t.Errorf("mails: %+v", sent)
		}
		w.google.AutoConsent(ada)
		w.visit("/settings/sign-in")
		w.pass(25 * time.Hour)
		w.sync("done")
		w.do(http.MethodPost, "/sync-contacts", nil)
		wantPosts(t, "after the account is connected again", room.take())
		if log := w.log.String(); strings.Contains(log, "hook-secret") {
			t.Error("the log has the address of the chat")
		}
	}
}

func TestA_notice_during_which_the_process_ends_is_sent_again_soon(t *testing.T) {
	t.Parallel()
	w, _, room := newNoticed(t, onFirestore(t))
	w.link()
	w.choose(w.tag("Ada", private))
	w.sync("done")
	u := w.firestore().User(w.account().ID)
	told := func() time.Time {
		d, err := u.Sync(t.Context(), record.Contacts)
		if err != nil {
			t.Error(err)
		}
		return d.Notices.Sent["reconnect-google"]
	}
	var amid time.Time
	room.posted = func() { amid = told() }
	w.google.RevokeGrant(ada)
	w.pass(2 * time.Hour)
	w.sync("reconnect")
	wantPosts(t, "after the grant is gone", room.take(), "connect Google again")
	if amid.IsZero() || amid.Add(24*time.Hour).After(w.now().Add(time.Hour)) {
		t.Errorf("who ends while it is sent leaves a note of %s, at %s", amid, w.now())
	}
	if at := told(); !at.Equal(w.now()) {
		t.Errorf("it was sent at %s, and noted is %s", w.now(), at)
	}
}

func TestSomebody_is_told_of_what_has_failed_for_a_day_and_not_before(t *testing.T) {
	t.Parallel()
	w, server, room := newNoticed(t, with("ADMIN_EMAILS", "ops@example.com"))
	w.link()
	w.choose(w.tag("Ada", private))
	w.sync("done")
	w.creatio.SetFault(func(*http.Request) *creatiobox.Fault { return &creatiobox.Fault{Status: 503} })
	fails := func() {
		t.Helper()
		w.pass(5 * time.Minute)
		if a := w.do(http.MethodPost, "/sync-contacts", map[string]string{"user": w.id}); a.status != 503 {
			t.Fatalf("sync: got %d %s", a.status, a.body)
		}
	}
	fails()
	w.pass(23 * time.Hour)
	fails()
	wantPosts(t, "within a day", room.take())
	room.setRefuse(true)
	server.SetBusy(true)
	w.pass(time.Hour)
	fails()
	room.setRefuse(false)
	server.SetBusy(false)
	wantPosts(t, "while nobody can be told", room.take())
	fails()
	wantPosts(t, "once somebody can be told", room.take(), "not been synchronized for a day")
	if sent := server.Sent(); len(sent) != 1 || strings.Join(sent[0].To, " ") != ada+" ops@example.com" {
		t.Errorf("mails: %+v", sent)
	}
}
