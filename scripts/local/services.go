package main

import (
	"cmp"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"time"

	gcal "google.golang.org/api/calendar/v3"

	creatiobox "github.com/tandem-sync/tandem/shared/sandbox/creatio"
	googlebox "github.com/tandem-sync/tandem/shared/sandbox/google"
	"github.com/tandem-sync/tandem/shared/sandbox/google/calendar"
	"github.com/tandem-sync/tandem/shared/sandbox/sample"
)

// The OAuth client that both simulated services know.
const (
	clientID     = "tandem-local"
	clientSecret = "tandem-local-secret"
)

// The ways of CREATIO_AUTH in which nobody consents in Creatio.
const (
	authPassword = "password"
	authClient   = "client"
)

// services are the two services Tandem talks to, as far as they are simulated.
type services struct {
	google  *googlebox.Server
	creatio *creatiobox.Server
	// auth is how users connect Creatio.
	auth string
	// env is the configuration that points Tandem at them.
	env     map[string]string
	servers []*http.Server
	files   map[string]saver
	// fresh says that a simulation began with the sample data, and so knows nothing of what was synchronized before.
	fresh bool
}

type saver interface {
	Save(io.Writer) error
	Load(io.Reader) error
}

// sandboxed reports whether a service is simulated.
func sandboxed(env func(string) (string, bool)) bool {
	return valueOr(env, "GOOGLE_CLIENT_ID", "")+valueOr(env, "GOOGLE_ENDPOINT", "") == "" || valueOr(env, "CREATIO_URL", "") == ""
}

// startServices starts a simulation for each service that is not configured, with the sample data or with what it had
// when it was last ended in the same directory.
func startServices(env func(string) (string, bool), data, public string, logger *slog.Logger) (*services, error) {
	s := &services{env: map[string]string{}, files: map[string]saver{}, auth: valueOr(env, "CREATIO_AUTH", "user")}
	callback := public + "/oauth-callback"
	if valueOr(env, "GOOGLE_CLIENT_ID", "")+valueOr(env, "GOOGLE_ENDPOINT", "") == "" {
		l, url, err := loopback()
		if err != nil {
			return nil, err
		}
		s.google = googlebox.New(googlebox.Options{Logger: logger, IssuerURL: url})
		if err := s.begin("google", s.google, data, func() error { return fillGoogle(s.google) }); err != nil {
			return nil, err
		}
		s.google.Suggest(sample.UserEmail)
		s.google.AddClient(clientID, clientSecret, callback)
		s.serve(l, s.google)
		s.env["GOOGLE_ENDPOINT"], s.env["GOOGLE_CLIENT_ID"], s.env["GOOGLE_CLIENT_SECRET"] = url, clientID, clientSecret
	}
	if valueOr(env, "CREATIO_URL", "") == "" {
		l, url, err := loopback()
		if err != nil {
			return nil, err
		}
		s.creatio = creatiobox.New(creatiobox.Options{Logger: logger, URL: url})
		if err := s.begin("creatio", s.creatio, data, func() error { return fillCreatio(s.creatio) }); err != nil {
			return nil, err
		}
		s.creatio.Suggest(sample.UserLogin)
		client := creatiobox.OAuthClient{ID: clientID, Secret: clientSecret, Kind: creatiobox.KindUser, RedirectURIs: []string{callback + "/creatio"}}
		if s.auth == authClient {
			// Only its owner sees a private tag, so the technical user is the sample user.
			client.Kind, client.TechnicalUser = creatiobox.KindClient, sample.UserLogin
		}
		s.creatio.AddOAuthClient(client)
		s.serve(l, s.creatio)
		s.env["CREATIO_URL"], s.env["CREATIO_CLIENT_ID"], s.env["CREATIO_CLIENT_SECRET"] = url, clientID, clientSecret
	}
	return s, nil
}

func loopback() (net.Listener, string, error) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return nil, "", fmt.Errorf("listen for a simulated service: %w", err)
	}
	return l, "http://" + l.Addr().String(), nil
}

// begin restores what a simulation had, or fills it. What it had is used up by that: a process that is killed leaves
// nothing that does not fit together.
func (s *services) begin(name string, box saver, data string, fill func() error) error {
	path := filepath.Join(data, "sandbox-"+name+".json")
	s.files[path] = box
	f, err := os.Open(path)
	if errors.Is(err, os.ErrNotExist) {
		s.fresh = true
		return fill()
	}
	if err != nil {
		return fmt.Errorf("restore the simulated %s: %w", name, err)
	}
	defer func() { _ = f.Close() }()
	if err := box.Load(f); err != nil {
		return fmt.Errorf("restore the simulated %s from %s: %w", name, path, err)
	}
	return os.Remove(path)
}

func (s *services) serve(l net.Listener, h http.Handler) {
	server := &http.Server{Handler: h, ReadHeaderTimeout: 10 * time.Second}
	s.servers = append(s.servers, server)
	go func() { _ = server.Serve(l) }()
}

// close ends the simulations and keeps what they hold.
func (s *services) close() error {
	var errs []error
	for _, server := range s.servers {
		errs = append(errs, server.Close())
	}
	for path, box := range s.files {
		errs = append(errs, save(path, box))
	}
	return errors.Join(errs...)
}

// save replaces the file as a whole.
func save(path string, box saver) error {
	f, err := os.CreateTemp(filepath.Dir(path), "sandbox-")
	if err != nil {
		return fmt.Errorf("keep a simulated service: %w", err)
	}
	err = errors.Join(box.Save(f), f.Close())
	if err == nil {
		err = os.Rename(f.Name(), path)
	}
	if err != nil {
		return errors.Join(fmt.Errorf("keep a simulated service: %w", err), os.Remove(f.Name()))
	}
	return nil
}

func fillGoogle(g *googlebox.Server) error {
	g.AddUser(googlebox.User{Email: sample.UserEmail, Name: sample.UserName, HostedDomain: "example.com", EmailVerified: true})
	g.AddUser(googlebox.User{Email: sample.ColleagueEmail, Name: sample.ColleagueName, HostedDomain: "example.com", EmailVerified: true})
	g.AddUser(googlebox.User{Email: sample.PartnerEmail, Name: sample.PartnerName, EmailVerified: true})
	account := g.Account(sample.UserEmail)
	groups := map[string]string{}
	for _, name := range sample.Groups() {
		groups[sample.GroupResourceName(name)] = account.CreateGroup(name)
	}
	photos := sample.Photos()
	for _, p := range sample.Google() {
		for _, m := range p.Memberships {
			if m.ContactGroupMembership != nil && groups[m.ContactGroupMembership.ContactGroupResourceName] != "" {
				m.ContactGroupMembership.ContactGroupResourceName = groups[m.ContactGroupMembership.ContactGroupResourceName]
			}
		}
		if photo := photos[p.ResourceName]; !account.SetPhoto(account.Add(p), photo) {
			return fmt.Errorf("fill the simulated google: the photo of %s is none", p.ResourceName)
		}
	}
	return fillCalendars(g)
}

// fillCalendars makes the sample events, as people make them.
func fillCalendars(g *googlebox.Server) error {
	for email, zone := range map[string]string{
		sample.UserEmail: sample.UserTimeZone, sample.ColleagueEmail: sample.ColleagueTimeZone, sample.PartnerEmail: sample.PartnerTimeZone,
	} {
		g.Calendar(email).SetTimeZone(zone)
	}
	for _, e := range sample.Events(time.Now()) {
		c := g.Calendar(e.Of)
		id := c.Add(e.Event)
		done := true
		for guest, answer := range e.Answers {
			done = g.Calendar(guest).Answer(id, answer) && done
		}
		instances := c.Instances(id)
		for n, x := range e.Exceptions {
			done = n < len(instances) && except(c, instances[n], x) && done
		}
		if !done {
			return fmt.Errorf("fill the simulated google: the event %q could not be made as it is to be", e.Summary)
		}
	}
	return nil
}

// except makes an instance of a series an exception.
func except(c *calendar.Person, instance *gcal.Event, x sample.Exception) bool {
	if x.Deleted {
		return c.Delete(instance.Id)
	}
	return c.Edit(instance.Id, func(e *gcal.Event) {
		e.Summary = cmp.Or(x.Title, e.Summary)
		for _, at := range []*gcal.EventDateTime{e.Start, e.End} {
			if t, err := time.Parse(time.RFC3339, at.DateTime); err == nil {
				at.DateTime = t.Add(x.Later).Format(time.RFC3339)
			}
		}
	})
}

// fillCreatio makes the users and inserts the sample rows, each by who made it.
func fillCreatio(c *creatiobox.Server) error {
	users := map[string]creatiobox.User{
		sample.UserContactID: {
			ID: sample.UserID, ContactID: sample.UserContactID, Name: sample.UserLogin, Password: sample.UserPassword,
			ContactName: sample.UserName, Email: sample.UserEmail, TimeZone: sample.UserTimeZone, Active: true,
		},
		sample.ColleagueContactID: {
			ID: sample.ColleagueID, ContactID: sample.ColleagueContactID, Name: sample.ColleagueLogin, Password: sample.ColleaguePassword,
			ContactName: sample.ColleagueName, Email: sample.ColleagueEmail, TimeZone: sample.ColleagueTimeZone, Active: true,
		},
	}
	for _, row := range append(sample.Creatio(), sample.Activities(time.Now())...) {
		session := c.System()
		if row.By != "" {
			session = c.As(row.By)
		}
		id, err := session.Insert(row.Entity, row.Values)
		if err != nil {
			return fmt.Errorf("fill the simulated creatio: %s %v: %w", row.Entity, row.Values["Id"], err)
		}
		if u, ok := users[id]; ok && row.Entity == "Contact" {
			c.AddUser(u)
		}
	}
	return nil
}
