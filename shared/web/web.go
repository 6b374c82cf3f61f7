// Package web is what a person's browser and scripts see of Tandem: the settings pages, the JSON API
// beneath them, and the end of a linking. It reads a request, asks its Service, and writes the answer;
// it decides nothing about synchronization.
//
// Invariants: a handler that needs a user gets one from a sealed session and from nowhere else; a request
// that changes something is served only from Tandem's own origin; a page is written whole or not at all;
// no error text of a service and no secret reaches an answer; every page works without JavaScript.
package web

import (
	"bytes"
	"context"
	"html/template"
	"log/slog"
	"net/http"
	"net/url"
	"strings"
	"time"

	"github.com/tandem-sync/tandem/shared/record"
	"github.com/tandem-sync/tandem/shared/store"
)

// Service is what the pages and the API stand on. Every call is for one user. Errors are the store's
// ErrNotFound, those of this package, or faults.
type Service interface {
	AccessTokens

	// BeginGoogle starts signing in. browser is what the browser keeps of the linkings that it began before.
	BeginGoogle(ctx context.Context, browser string) (Begun, error)
	// AgainGoogle starts linking the user's Google account again, by one consent.
	AgainGoogle(ctx context.Context, user, browser string) (Begun, error)
	// BeginCreatio starts the linking of a Creatio account by the user's consent.
	BeginCreatio(ctx context.Context, user, browser string) (Begun, error)
	// LinkPassword links a Creatio account by name and password, tried at once. A fault of kind Reconnect
	// says that Creatio does not take them.
	LinkPassword(ctx context.Context, user, username, password string) error
	// FinishLink ends what BeginGoogle or BeginCreatio began, with what came to the address of a side. ErrState, ErrRefused,
	// ErrFailed, ErrNotAllowed.
	FinishLink(ctx context.Context, side record.Side, browser string, query url.Values) (Outcome, error)
	// Session is what every session of the user names; store.ErrNotFound for one who is not there any more, ErrNotAllowed, with
	// the session, for one who may not sign in any more.
	Session(ctx context.Context, user string) (string, error)
	// SignOut ends every session of the user.
	SignOut(ctx context.Context, user string) error

	Account(ctx context.Context, user string) (Account, error)
	Tags(ctx context.Context, user string) ([]Tag, error)
	// PutContacts saves settings that ContactsSettings.Validate found right. *InvalidError where they are not
	// right for this user, ErrChanged where the kept ones do not meet the precondition.
	PutContacts(ctx context.Context, user string, s ContactsSettings, only Precondition[ContactsSettings]) (Account, error)
	// PutActivities is the same for activities.
	PutActivities(ctx context.Context, user string, s ActivitiesSettings, only Precondition[ActivitiesSettings]) (Account, error)
	// SyncNow queues one run. ErrNotReady.
	SyncNow(ctx context.Context, user string, t record.Type) (run string, err error)
	// SyncPreview queues a run that does what a preview showed. *ChangedError where there is something else to do by now. ErrNotReady;
	// store.ErrNotFound where there is no such preview.
	SyncPreview(ctx context.Context, user string, t record.Type, preview string) (run string, err error)
	// Preview tells what a run would do. ErrNotReady.
	Preview(ctx context.Context, user string, t record.Type) (store.Run, error)
	// Decide queues the run that does what a held run waits with, or the one that puts back what went missing. ErrNotHeld, ErrReplaced.
	Decide(ctx context.Context, user, held string, approve bool) (run string, err error)
	// Undo queues the run that puts back what another one changed, or one record of it. store.ErrNotFound where the run did
	// not touch that record; ErrNotUndoable; ErrNotReady.
	Undo(ctx context.Context, user string, what store.Undo) (run string, err error)
	// Doubts are open doubts of a type, the oldest first: at most limit.
	Doubts(ctx context.Context, user string, t record.Type, limit int) ([]Doubt, error)
	// Settle notes whether two records of a type are the same, and queues the run that follows that. store.ErrNotFound where one of
	// them is not known as the user's; ErrNoPair; ErrLinkedElsewhere; ErrNotReady.
	Settle(ctx context.Context, user string, t record.Type, v Verdict) error
	// Unlink ends the use of an account and what runs on it; links stay.
	Unlink(ctx context.Context, user string, side record.Side) error
	// Erase unlinks both accounts and removes everything kept about the user.
	Erase(ctx context.Context, user string) error
	// Export is everything kept about the user, without secrets.
	Export(ctx context.Context, user string) (any, error)
	Runs(ctx context.Context, user string, t record.Type, limit int, before string) ([]store.Run, error)
	Run(ctx context.Context, user, run string) (store.Run, error)
	// Search finds what runs before the given one, or the latest where it is empty, did to records whose name has a text in it.
	Search(ctx context.Context, user, name, before string) (Found, error)
	// SplitByUndo tells, by link, on which side an undo took the contact of a change out of scope, where it has left the
	// other one in it ever since.
	SplitByUndo(ctx context.Context, user string, t record.Type, changes []store.Change) (map[string]record.Side, error)

	// Overview is how a sync type goes for everybody, from a place on; the first type where it is empty. For a user who is
	// no administrator there is none: store.ErrNotFound.
	Overview(ctx context.Context, user string, t record.Type, after string) (Overview, error)
	// FindUsers is how a type goes for whoever has an e-mail address.
	FindUsers(ctx context.Context, admin string, t record.Type, address string) ([]UserStatus, error)
	// PauseUser has a user's synchronization rest, or go on. store.ErrNotFound where there is no such user.
	PauseUser(ctx context.Context, admin, user string, pause bool) error
	// Order has the job of a type do something. ErrNoJob; store.ErrNotFound as with Overview.
	Order(ctx context.Context, user string, t record.Type, o Order) error
}

// Found is what a search found in a stretch of the history: runs, with nothing in them but what was looked for.
type Found struct {
	Runs []store.Run
	// Before and Back are the run, and its time, at which the stretch ends; empty where it is the end of the history.
	Before string
	Back   time.Time
}

// Begun is a linking that goes on at a consent page.
type Begun struct {
	// Redirect is the address of that page. Browser is what the browser is to keep meanwhile.
	Redirect, Browser string
}

// Outcome is what a linking came to.
type Outcome struct {
	// User is whose session begins, and Session what it names; empty where none does.
	User, Session string
	// Problem is the code of what the settings page is to tell; empty where all is well.
	Problem string
	// Again, where it has a Redirect, is how the browser has to go on before anybody is signed in.
	Again Begun
}

// Sealer keeps the session from being read or changed by the browser that carries it.
type Sealer interface {
	Seal(plain []byte, context string) ([]byte, error)
	Open(sealed []byte, context string) ([]byte, error)
}

// Options is what a Site is made of. PublicURL is the address before "/settings".
type Options struct {
	Service   Service
	Sealer    Sealer
	PublicURL string
	Version   string
	// History is how long runs are kept; zero for ever.
	History time.Duration
	// Unlinked is how long links and history are kept after an account was unlinked; zero for ever.
	Unlinked time.Duration
	// Privacy is the address of the privacy policy of whoever runs Tandem; empty where there is none.
	Privacy string
	// Now and Logger may be left out.
	Now    func() time.Time
	Logger *slog.Logger
}

// Site serves the pages and the API.
type Site struct {
	service Service
	sealer  Sealer
	version string
	// kept is Options.History, and unlinked Options.Unlinked.
	kept, unlinked time.Duration
	now            func() time.Time
	log            *slog.Logger

	// origin and host are of PublicURL, as a browser writes them. base is its path without a slash at its end;
	// root is where the settings page is.
	origin, host, base, root string
	// privacy is the address of the privacy policy.
	privacy string
	// secure says that Tandem is reached over https.
	secure bool
	cross  *http.CrossOriginProtection
	assets assets
	// allowances are how much more each user may ask for.
	allowances allowances
	// queue is where heavy requests wait for their turn.
	queue  queue
	pages  map[string]*template.Template
	routes []route
}

// New makes the site. It panics on a PublicURL that is not an address: the configuration has been checked before.
func New(o Options) *Site {
	public, err := url.Parse(o.PublicURL)
	if err != nil || public.Host == "" {
		panic("web: PublicURL is not an address")
	}
	s := &Site{
		service: o.Service, sealer: o.Sealer, version: o.Version, kept: o.History, unlinked: o.Unlinked, now: o.Now, log: o.Logger,
		host: hostOf(public), base: strings.TrimRight(public.Path, "/"), secure: public.Scheme == "https",
		cross: http.NewCrossOriginProtection(), assets: loadAssets(), queue: make(queue, heavyAtOnce), privacy: o.Privacy,
	}
	if s.now == nil {
		s.now = time.Now
	}
	if s.log == nil {
		s.log = slog.New(slog.DiscardHandler)
	}
	s.origin, s.root = public.Scheme+"://"+s.host, s.base+"/settings"
	s.pages = s.loadPages()
	s.routes = s.table()
	return s
}

// hostOf is the host as a browser writes it: small letters, no default port.
func hostOf(u *url.URL) string {
	host := strings.ToLower(u.Host)
	if u.Scheme == "https" {
		return strings.TrimSuffix(host, ":443")
	}
	return strings.TrimSuffix(host, ":80")
}

// link is the absolute path of a page of the settings function.
func (s *Site) link(path string) string {
	if path == "/" {
		return s.root
	}
	return s.root + path
}

// see answers 303: the browser goes on with a GET.
func (s *Site) see(w http.ResponseWriter, location string) error {
	w.Header().Set("Location", location)
	w.WriteHeader(http.StatusSeeOther)
	return nil
}

// render writes a page, whole or not at all.
func (s *Site) render(w http.ResponseWriter, status int, name string, p page) error {
	var b bytes.Buffer
	t, err := s.pages[name].Clone()
	if err != nil {
		return err
	}
	t.Funcs(s.funcs(p.locale))
	if err := t.ExecuteTemplate(&b, "layout", p); err != nil {
		return err
	}
	w.Header().Set("Content-Type", "text/html; charset=utf-8")
	w.Header().Set("Content-Language", p.locale.tag.String())
	w.Header().Add("Vary", "Accept-Language")
	w.WriteHeader(status)
	_, _ = w.Write(b.Bytes()) // who does not read the answer any more need not have it
	return nil
}
