// Package mail is a mail server for tests: it speaks SMTP (RFC 5321) over a real connection, encrypted from its first byte or by
// STARTTLS, keeps what it is sent, and refuses what a real server refuses: mail before a sign-in, and mail without encryption.
package mail

import (
	"bufio"
	"crypto/tls"
	"crypto/x509"
	"encoding/base64"
	"net"
	"net/http/httptest"
	"net/textproto"
	"slices"
	"strings"
	"sync"
)

// Options are what a server asks for. Without a User it takes mail from everybody.
type Options struct {
	// Implicit: the connection is encrypted from its first byte. StartTLS: it has to become so. With neither it is not.
	Implicit, StartTLS bool
	User, Password     string
	// Refused are recipients that the server does not take.
	Refused []string
}

// Message is a mail that was sent.
type Message struct {
	From string
	To   []string
	Data string
}

// Server is a mail server at Address.
type Server struct {
	Address string
	// Roots are whom its clients have to trust.
	Roots *x509.CertPool

	options  Options
	listener net.Listener
	config   *tls.Config

	mu   sync.Mutex
	sent []Message
	busy bool
}

// NewServer starts a server, which Close ends. It panics where the machine has no port left.
func NewServer(o Options) *Server {
	// The certificate for 127.0.0.1 that net/http/httptest has for servers in tests.
	web := httptest.NewUnstartedServer(nil)
	web.StartTLS()
	s := &Server{options: o, Roots: x509.NewCertPool(), config: &tls.Config{Certificates: web.TLS.Certificates, MinVersion: tls.VersionTLS12}}
	s.Roots.AddCert(web.Certificate())
	web.Close()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		panic("mail: " + err.Error())
	}
	s.Address = l.Addr().String()
	if o.Implicit {
		l = tls.NewListener(l, s.config)
	}
	s.listener = l
	go s.accept()
	return s
}

// Close ends the server.
func (s *Server) Close() { _ = s.listener.Close() }

// Sent is what was sent so far.
func (s *Server) Sent() []Message {
	s.mu.Lock()
	defer s.mu.Unlock()
	return slices.Clone(s.sent)
}

// SetBusy has the server refuse mail with an error that passes, or take it again.
func (s *Server) SetBusy(busy bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.busy = busy
}

func (s *Server) accept() {
	for {
		conn, err := s.listener.Accept()
		if err != nil {
			return
		}
		go s.serve(conn)
	}
}

// session is what is known of one connection.
type session struct {
	encrypted, signedIn bool
	message             Message
}

func (s *Server) serve(conn net.Conn) {
	defer func() { _ = conn.Close() }()
	state := session{encrypted: s.options.Implicit, signedIn: s.options.User == ""}
	text := textproto.NewConn(conn)
	say := func(line string) { _ = text.PrintfLine("%s", line) }
	say("220 mail.example.com ESMTP")
	for {
		line, err := text.ReadLine()
		if err != nil {
			return
		}
		verb, rest, _ := strings.Cut(line, " ")
		switch strings.ToUpper(verb) {
		case "EHLO", "HELO":
			say("250-mail.example.com")
			if s.options.StartTLS && !state.encrypted {
				say("250-STARTTLS")
			}
			say("250 AUTH PLAIN")
		case "STARTTLS":
			if !s.options.StartTLS || state.encrypted {
				say("502 5.5.1 unknown command")
				continue
			}
			say("220 go ahead")
			secure := tls.Server(conn, s.config)
			text = textproto.NewConn(secure)
			state.encrypted = true
		case "AUTH":
			s.signIn(&state, rest, say)
		case "QUIT":
			say("221 bye")
			return
		default:
			s.take(&state, strings.ToUpper(verb), rest, text, say)
		}
	}
}

func (s *Server) signIn(state *session, rest string, say func(string)) {
	plain, err := base64.StdEncoding.DecodeString(strings.TrimPrefix(rest, "PLAIN "))
	if err != nil || string(plain) != "\x00"+s.options.User+"\x00"+s.options.Password {
		say("535 5.7.8 authentication failed for " + string(plain))
		return
	}
	state.signedIn = true
	say("235 welcome")
}

// take takes the commands by which a mail is sent.
func (s *Server) take(state *session, verb, rest string, text *textproto.Conn, say func(string)) {
	s.mu.Lock()
	busy := s.busy
	s.mu.Unlock()
	switch {
	case busy:
		say("451 4.3.0 try again later")
	case s.options.StartTLS && !state.encrypted:
		say("530 5.7.0 must issue a STARTTLS command first")
	case !state.signedIn:
		say("530 5.7.0 authentication required")
	case verb == "MAIL":
		state.message = Message{From: address(rest)}
		say("250 ok")
	case verb == "RCPT" && slices.Contains(s.options.Refused, address(rest)):
		say("550 5.1.1 no such mailbox")
	case verb == "RCPT":
		state.message.To = append(state.message.To, address(rest))
		say("250 ok")
	case verb == "DATA" && len(state.message.To) == 0:
		say("554 no valid recipients")
	case verb == "DATA":
		say("354 go ahead")
		data, err := bufio.NewReader(text.DotReader()).ReadString(0)
		if err == nil {
			return // a NUL is in no mail
		}
		state.message.Data = data
		s.mu.Lock()
		s.sent = append(s.sent, state.message)
		s.mu.Unlock()
		say("250 queued")
	default:
		say("502 unknown command")
	}
}

// address is what stands in angle brackets.
func address(rest string) string {
	_, rest, _ = strings.Cut(rest, "<")
	rest, _, _ = strings.Cut(rest, ">")
	return rest
}
