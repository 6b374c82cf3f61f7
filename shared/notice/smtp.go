package notice

import (
	"bytes"
	"context"
	"crypto/rand"
	"crypto/tls"
	"errors"
	"fmt"
	"mime"
	"mime/quotedprintable"
	"net"
	"net/mail"
	"net/smtp"
	"net/textproto"
	"strings"
	"time"

	"github.com/tandem-sync/tandem/shared/fault"
)

// SMTP is a mail server that takes mail for everybody. Implicit says that the connection is encrypted from its first byte
// (RFC 8314); else it becomes so before anything is said, but for a server on this machine.
type SMTP struct {
	Host, Port     string
	Implicit       bool
	Local          bool
	User, Password string
	From           string
	// TLS may be left out.
	TLS *tls.Config
}

// sendMail sends a mail to the user, and to the others without naming them.
func (s *Sender) sendMail(ctx context.Context, n Notice) error {
	m := s.mail
	config := m.TLS.Clone()
	if config == nil {
		config = &tls.Config{MinVersion: tls.VersionTLS12}
	}
	config.ServerName = m.Host
	var conn net.Conn
	var err error
	if address := net.JoinHostPort(m.Host, m.Port); m.Implicit {
		conn, err = (&tls.Dialer{Config: config}).DialContext(ctx, "tcp", address)
	} else {
		conn, err = (&net.Dialer{}).DialContext(ctx, "tcp", address)
	}
	if err != nil {
		return failed(fault.Retry, "mail-unreachable")
	}
	defer func() { _ = conn.Close() }()
	if end, ok := ctx.Deadline(); ok {
		_ = conn.SetDeadline(end)
	}
	c, err := smtp.NewClient(conn, m.Host)
	if err != nil {
		return refusedBy(err, "mail-unreachable")
	}
	if !m.Implicit && !m.Local {
		if err := c.StartTLS(config); err != nil {
			return failed(fault.Misconfigured, "mail-unencrypted")
		}
	}
	if m.User != "" {
		if err := c.Auth(smtp.PlainAuth("", m.User, m.Password, m.Host)); err != nil {
			return refusedBy(err, "mail-sign-in")
		}
	}
	from, to := m.From, n.recipients()
	if err := c.Mail(from); err != nil {
		return refusedBy(err, "mail-sender")
	}
	// An address that the server does not take keeps the mail from nobody else.
	var refused error
	taken := 0
	for _, address := range to {
		if err := c.Rcpt(address); err != nil {
			refused = err
			continue
		}
		taken++
	}
	if taken == 0 {
		return refusedBy(refused, "mail-recipient")
	}
	w, err := c.Data()
	if err == nil {
		_, err = w.Write(n.message(from, s.now()))
		err = errors.Join(err, w.Close())
	}
	if err != nil {
		return refusedBy(err, "mail-refused")
	}
	_ = c.Quit() // the server has taken the mail
	return nil
}

// refusedBy tells a refusal that stays from one that may pass (RFC 5321, 4.2.1).
func refusedBy(err error, code string) error {
	if e, ok := errors.AsType[*textproto.Error](err); ok && e.Code >= 500 {
		return failed(fault.Misconfigured, code)
	}
	return failed(fault.Retry, code)
}

// message is the mail (RFC 5322).
func (n Notice) message(from string, now time.Time) []byte {
	var b bytes.Buffer
	domain := from[strings.LastIndexByte(from, '@')+1:]
	header := func(name, value string) { fmt.Fprintf(&b, "%s: %s\r\n", name, value) }
	header("From", (&mail.Address{Name: "Tandem", Address: from}).String())
	if n.User != "" {
		header("To", (&mail.Address{Address: n.User}).String())
	} else {
		header("To", "undisclosed-recipients:;")
	}
	header("Subject", mime.QEncoding.Encode("utf-8", n.Subject()))
	header("Date", now.UTC().Format(time.RFC1123Z))
	header("Message-ID", "<"+strings.ToLower(rand.Text())+"@"+domain+">")
	header("Auto-Submitted", "auto-generated") // RFC 3834: no vacation message answers it
	header("MIME-Version", "1.0")
	header("Content-Type", "text/plain; charset=utf-8")
	header("Content-Transfer-Encoding", "quoted-printable")
	b.WriteString("\r\n")
	body := quotedprintable.NewWriter(&b)
	about := ""
	if n.User != "" {
		about = "This is about Tandem for " + n.User + ".\r\n\r\n"
	}
	_, _ = body.Write([]byte(about + n.Sentences() + "\r\n\r\n" + n.Page + "\r\n"))
	_ = body.Close()
	return b.Bytes()
}
