// Package notice tells people that Tandem needs somebody: by mail, and in a team's chat. It is for shared/app, which decides
// who is told of what, and when.
//
// Invariants: a notice has no content of a record, and nothing that a service wrote; an error has neither the password nor the
// address of the chat in it; sending ends within its time.
package notice

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"slices"
	"strings"
	"time"

	"github.com/tandem-sync/tandem/shared/fault"
	"github.com/tandem-sync/tandem/shared/record"
)

// Cause is why somebody is needed.
type Cause string

// The causes.
const (
	// ReconnectGoogle and ReconnectCreatio: Tandem may no longer use an account.
	ReconnectGoogle  Cause = "reconnect-google"
	ReconnectCreatio Cause = "reconnect-creatio"
	// Held: changes wait for the user's decision.
	Held Cause = "held"
	// Stopped: what is synchronized automatically is not any more, until the user does something.
	Stopped Cause = "stopped"
	// Failing: nothing has been synchronized for a day.
	Failing Cause = "failing"
)

// Notice is what somebody is told.
type Notice struct {
	Cause Cause
	Type  record.Type
	// User is the address of the user whom it is about. To are who else gets the mail.
	User string
	To   []string
	// Page is where to go.
	Page string
}

// Subject says what is needed, in one line.
func (n Notice) Subject() string {
	switch n.Cause {
	case ReconnectGoogle:
		return "Tandem: please connect Google again"
	case ReconnectCreatio:
		return "Tandem: please connect Creatio again"
	case Held:
		return fmt.Sprintf("Tandem: changes of %s need your decision", n.Type)
	case Stopped:
		return fmt.Sprintf("Tandem: %s are not synchronized any more", n.Type)
	default:
		return fmt.Sprintf("Tandem: %s have not been synchronized for a day", n.Type)
	}
}

// Sentences say what happened and what to do.
func (n Notice) Sentences() string {
	kind := string(n.Type)
	switch n.Cause {
	case ReconnectGoogle:
		return "Tandem may no longer use the Google account, so nothing is synchronized. Connect it again, and Tandem continues where it left off."
	case ReconnectCreatio:
		return "Tandem may no longer use the Creatio account, so nothing is synchronized. Connect it again, and Tandem continues where it left off."
	case Held:
		return "A synchronization of " + kind + " would remove or empty more than usual. Tandem has left these changes out until you decide. Review them, then approve or reject them."
	case Stopped:
		return "Tandem has stopped synchronizing " + kind + ": something that it needs is missing. The settings page says what."
	default:
		return "Every synchronization of " + kind + " has failed for at least a day. The settings page says why, and what to do."
	}
}

// Options are where notices go; without any of them they go nowhere.
type Options struct {
	SMTP SMTP
	// Webhook is the address of an incoming webhook of Slack or Google Chat.
	Webhook string
	// HTTP may be left out.
	HTTP *http.Client
	Now  func() time.Time
}

// Sender sends notices.
type Sender struct {
	mail    *SMTP
	webhook string
	http    *http.Client
	now     func() time.Time
}

// sendTime is how long sending may take, for each way.
const sendTime = 15 * time.Second

// New makes a sender; nil where there is nowhere to send to.
func New(o Options) *Sender {
	s := &Sender{webhook: o.Webhook, now: o.Now}
	if o.SMTP.Host != "" {
		s.mail = &o.SMTP
	}
	if s.mail == nil && s.webhook == "" {
		return nil
	}
	client := http.Client{}
	if o.HTTP != nil {
		client = *o.HTTP
	}
	client.CheckRedirect = func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }
	s.http = &client
	return s
}

// Send sends a notice each way. Where one of them works, somebody is told: the error of the other comes back with told.
func (s *Sender) Send(ctx context.Context, n Notice) (told bool, err error) {
	var errs []error
	try := func(way string, send func(context.Context, Notice) error) {
		ctx, cancel := context.WithTimeout(ctx, sendTime)
		defer cancel()
		if err := send(ctx, n); err != nil {
			errs = append(errs, fmt.Errorf("send notice by %s: %w", way, err))
			return
		}
		told = true
	}
	if s.mail != nil && (n.User != "" || len(n.To) > 0) {
		try("mail", s.sendMail)
	}
	if s.webhook != "" {
		try("webhook", s.post)
	}
	return told, errors.Join(errs...)
}

// recipients are all who get the mail, each once.
func (n Notice) recipients() []string {
	var out []string
	for _, address := range append([]string{n.User}, n.To...) {
		if address != "" && !slices.ContainsFunc(out, func(have string) bool { return strings.EqualFold(have, address) }) {
			out = append(out, address)
		}
	}
	return out
}

// failed is an error of which nothing but its kind is told: what libraries say of it may have an address or a password in it.
func failed(kind fault.Kind, code string) error {
	return fault.New(kind, "notice", code, errors.New(code))
}
