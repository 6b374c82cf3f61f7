// Package app composes Tandem: it is the only package that imports every adapter. From a configuration it makes the
// handlers that the functions and the local server serve.
//
// Invariants: a request of a user reads and writes only that user's documents, except for administrators; runs and pages
// read the same stored state; a wrong configuration fails New, not a later request.
package app

import (
	"cmp"
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"sync/atomic"
	"time"

	"golang.org/x/time/rate"
	"google.golang.org/api/option"

	"github.com/tandem-sync/tandem/shared/channel"
	"github.com/tandem-sync/tandem/shared/config"
	"github.com/tandem-sync/tandem/shared/creatio"
	"github.com/tandem-sync/tandem/shared/creatio/activities"
	"github.com/tandem-sync/tandem/shared/creatio/contacts"
	"github.com/tandem-sync/tandem/shared/fault"
	"github.com/tandem-sync/tandem/shared/google"
	"github.com/tandem-sync/tandem/shared/google/calendar"
	"github.com/tandem-sync/tandem/shared/google/people"
	"github.com/tandem-sync/tandem/shared/httpx"
	"github.com/tandem-sync/tandem/shared/notice"
	"github.com/tandem-sync/tandem/shared/oauth"
	"github.com/tandem-sync/tandem/shared/observe"
	"github.com/tandem-sync/tandem/shared/queue"
	"github.com/tandem-sync/tandem/shared/record"
	"github.com/tandem-sync/tandem/shared/schedule"
	"github.com/tandem-sync/tandem/shared/store"
	"github.com/tandem-sync/tandem/shared/store/bolt"
	"github.com/tandem-sync/tandem/shared/store/firestore"
	"github.com/tandem-sync/tandem/shared/store/migrate"
	"github.com/tandem-sync/tandem/shared/syncer"
	"github.com/tandem-sync/tandem/shared/vault"
	"github.com/tandem-sync/tandem/shared/web"
	"github.com/tandem-sync/tandem/shared/zone"
)

// Options are the settings that are not part of the configuration. The zero value is right for a deployed function.
type Options struct {
	Logger *slog.Logger
	Now    func() time.Time
	// Workers is how many runs an inline queue runs at the same time; default 4.
	Workers int
	// Traces limits how many traces are recorded if there is telemetry; default observe's.
	Traces *rate.Limiter
	// Patience is how long a start waits for the store; default 10 seconds. After that the first request tries again.
	Patience time.Duration
	// Page is how many due users one request queues; default 500.
	Page int
	// PushDelay is how long a run waits after Google told of a change, for more changes; default 5 seconds, negative for none.
	PushDelay time.Duration
	// Rates limit each user's requests to the two services; default what those accept.
	Rates map[record.Side]syncer.Rate
	// Observe, if set, is called after every request to Firestore with the numbers of documents read and written.
	Observe func(reads, writes int)
	// Google are options for the clients of Google Cloud, such as an endpoint; default those of the environment.
	Google []option.ClientOption
}

// App is Tandem, composed.
type App struct {
	config  config.Config
	now     func() time.Time
	logger  *slog.Logger
	store   store.Store
	linker  *oauth.Linker
	engines map[record.Type]*syncer.Engine
	queue   queue.Queue
	inline  *queue.Inline
	page    int
	// channels keeps those by which Google tells of changes; pushDelay is how long a run waits after that.
	channels  *channel.Keeper
	pushDelay time.Duration
	// clients are those of Google Cloud, which Close closes.
	clients []io.Closer

	migrator *migrate.Migrator
	// fitting says that this version has checked the store's schema and can work with it.
	fitting atomic.Bool
	site    *web.Site
	invoker *invoker
	// follower adjusts the jobs of Cloud Scheduler to the settings.
	follower *follower
	// notices is nil if nobody is told anything.
	notices *notice.Sender
	// ending says that the process is about to end.
	ending atomic.Bool
	// swept is when this process last looked for users who need somebody, by type, and for those who may not use Tandem any more.
	swept sweeps
	// telemetry is nil if none is sent.
	telemetry *observe.Telemetry
	base      map[record.Side]http.RoundTripper

	layout layout
}

const (
	defaultWorkers = 4
	defaultPage    = 500
)

// rates limit each user's requests to the two services. Google does not publish the quota of the People API; error messages
// that users have posted name 90 reads a minute per user. Creatio documents only a daily number, for some plans.
var rates = map[record.Side]syncer.Rate{
	record.Google:  {PerSecond: 1.5, Burst: 90},
	record.Creatio: {PerSecond: 5, Burst: 100},
}

// New composes Tandem. The error is of kind Misconfigured if the configuration is wrong.
func New(ctx context.Context, c config.Config, o Options) (*App, error) {
	safe, err := vault.Open(ctx, c.EncryptionKey)
	if err != nil {
		return nil, fmt.Errorf("open the encryption key: %w", err)
	}
	a, err := begin(ctx, c, o)
	if err != nil {
		return nil, err
	}
	shared := httpx.NewBase()
	for _, s := range record.Sides {
		a.base[s] = httpx.NewTransport(httpx.Options{
			Side: string(s), Base: shared, Logger: a.logger, Now: a.now, API: apis[s], Lasting: lasting[s], Observe: a.measureCall,
		})
	}
	cookies := vault.NewWrapped(safe, func(ctx context.Context, create func() ([]byte, error)) ([]byte, error) {
		return a.store.Secret(ctx, "sessions", create)
	}, a.now)
	if a.linker, err = a.newLinker(safe, cookies); err != nil {
		return nil, errors.Join(err, a.store.Close())
	}
	if o.Rates == nil {
		o.Rates = rates
	}
	a.engines = map[record.Type]*syncer.Engine{
		record.Contacts:   {Kind: Contacts, Allowed: a.allowed, Open: a.openContacts, Now: a.now, Logger: a.logger, Rates: o.Rates, Ending: a.ending.Load},
		record.Activities: {Kind: Activities, Allowed: a.allowed, Open: a.openActivities, Others: others{a}, Now: a.now, Logger: a.logger, Rates: o.Rates, Ending: a.ending.Load},
	}
	a.channels = a.newKeeper()
	a.notices = newNotices(c.Notices, a.now)
	if err := a.openQueue(ctx, o); err != nil {
		return nil, errors.Join(err, a.store.Close())
	}
	if err := a.openSchedule(o); err != nil {
		return nil, errors.Join(err, a.store.Close())
	}
	a.invoker = &invoker{
		email: c.Invoker, issuer: googleIssuer, audience: c.Audience, behindPlatform: c.InvokerVerifiedBy == config.VerifiedByPlatform,
		client: &http.Client{Transport: a.base[record.Google]}, now: a.now,
	}
	if c.Google.Endpoint != "" {
		a.invoker.issuer = c.Google.Endpoint
	}
	a.site = web.New(web.Options{
		Service: service{a}, Sealer: cookies, PublicURL: c.PublicURL, Version: Version(), History: c.History, Unlinked: c.Unlinked, Privacy: c.PrivacyURL, Now: a.now, Logger: a.logger,
	})
	if c.Store.Kind == config.Bolt && a.inline != nil {
		if err := a.resume(ctx); err != nil {
			return nil, errors.Join(err, a.Close(ctx))
		}
	}
	return a, nil
}

// NewReceiver composes what serves CalendarPush and nothing else, from a configuration of config.LoadReceiver.
func NewReceiver(ctx context.Context, c config.Config, o Options) (*App, error) {
	a, err := begin(ctx, c, o)
	if err != nil {
		return nil, err
	}
	a.site = web.New(web.Options{PublicURL: c.PublicURL, Version: Version(), Now: a.now, Logger: a.logger})
	if err := a.openQueue(ctx, o); err != nil {
		return nil, errors.Join(err, a.store.Close())
	}
	return a, nil
}

// lasting tell of a service which refusals no waiting ends.
var lasting = map[record.Side]func([]byte) bool{record.Google: google.Lasting}

// begin opens what every function needs: telemetry and the store.
func begin(ctx context.Context, c config.Config, o Options) (*App, error) {
	a := &App{
		config: c, now: o.Now, logger: o.Logger, page: cmp.Or(o.Page, defaultPage), pushDelay: cmp.Or(o.PushDelay, defaultPushDelay),
		base: map[record.Side]http.RoundTripper{},
	}
	if a.now == nil {
		a.now = time.Now
	}
	if a.logger == nil {
		a.logger = slog.New(slog.DiscardHandler)
	}
	var err error
	if a.telemetry, err = openTelemetry(c.Telemetry, o, a.logger); err != nil {
		return nil, err
	}
	if a.store, err = openStore(ctx, c.Store, c.History, o.Observe); err != nil {
		return nil, fmt.Errorf("open the store: %w", err)
	}
	a.migrator = migrate.New(a.store, migrate.All, rand.Text(), a.now, a.logger)
	if err := a.start(ctx, cmp.Or(o.Patience, defaultPatience)); err != nil {
		return nil, errors.Join(err, a.store.Close())
	}
	return a, nil
}

// openQueue opens Cloud Tasks, or a queue in this process.
func (a *App) openQueue(ctx context.Context, o Options) error {
	c := a.config
	if c.Queue.Kind == config.QueueTasks {
		tasks, err := queue.NewTasks(queue.TasksOptions{
			Queue: c.Queue.Name, PublicURL: c.PublicURL, Invoker: c.Invoker, Audience: c.Audience, Client: o.Google, Now: a.now,
		})
		if err != nil {
			return err
		}
		a.queue, a.clients = tasks, append(a.clients, tasks)
		return nil
	}
	a.inline = queue.NewInline(context.WithoutCancel(ctx), cmp.Or(o.Workers, defaultWorkers), a.work, a.logger, a.now)
	a.queue = a.inline
	return nil
}

// openSchedule opens the jobs of Cloud Scheduler, if a scheduler is configured.
func (a *App) openSchedule(o Options) error {
	a.follower = &follower{store: a.store, now: a.now, logger: a.logger, last: map[record.Type]followed{}}
	if a.config.Scheduler == "" {
		return nil
	}
	jobs, err := schedule.New(schedule.Options{Location: a.config.Scheduler, Client: o.Google, Logger: a.logger})
	if err != nil {
		return err
	}
	a.follower.jobs, a.clients = jobs, append(a.clients, jobs)
	return nil
}

func openStore(ctx context.Context, c config.Store, history time.Duration, observe func(reads, writes int)) (store.Store, error) {
	if c.Kind != config.Firestore {
		s, err := bolt.Open(c.Path)
		if err != nil {
			return nil, err
		}
		return s.WithHistory(history), nil
	}
	s, err := firestore.Open(ctx, c.Project, c.Database)
	if err != nil {
		return nil, err
	}
	if s = s.WithHistory(history); observe != nil {
		s = s.WithObserver(observe)
	}
	return s, nil
}

// Backup copies a database that is a file of this machine to another file. Others may use it meanwhile.
func (a *App) Backup(ctx context.Context, path string) error {
	s, ok := a.store.(*bolt.Store)
	if !ok {
		return fault.Errorf(fault.Misconfigured, "store", "backup", "back up store: only a database in a file is copied to a file; see terraform/README.md")
	}
	return s.Backup(ctx, path)
}

// Settings serves the pages and the API.
func (a *App) Settings() http.Handler { return a.observed("settings", a.site.Settings()) }

// OAuthCallback completes linkings.
func (a *App) OAuthCallback() http.Handler { return a.observed("oauth-callback", a.site.Callback()) }

// SyncContacts queues due users, or runs one user's window.
func (a *App) SyncContacts() http.Handler { return a.sync(record.Contacts) }

// SyncActivities does the same for activities.
func (a *App) SyncActivities() http.Handler { return a.sync(record.Activities) }

func (a *App) sync(t record.Type) http.Handler {
	return a.observed("sync-"+string(t), a.site.Sync(t, runner{a}))
}

// observed adds logging and tracing to a function.
func (a *App) observed(function string, h http.Handler) http.Handler {
	return observe.Middleware(a.logger, a.telemetry.Handler(function, a.checked(h)))
}

// Handler serves every function under its deployed name, as the cloud does on one host.
func (a *App) Handler() http.Handler {
	mux := http.NewServeMux()
	for name, h := range map[string]http.Handler{
		"settings": a.Settings(), "oauth-callback": a.OAuthCallback(), "sync-contacts": a.SyncContacts(), "sync-activities": a.SyncActivities(),
		config.PushFunction: a.CalendarPush(),
	} {
		mux.Handle("/"+name, h)
		mux.Handle("/"+name+"/", h)
	}
	mux.Handle("/{$}", http.RedirectHandler(a.config.PublicURL+"/settings", http.StatusSeeOther))
	return a.site.Protected(mux)
}

// Dispatch queues every due user, as the call of Cloud Scheduler does. It returns the counts of the first page; the queue
// processes the other pages.
func (a *App) Dispatch(ctx context.Context, t record.Type) (due, queued int, err error) {
	out, err := a.dispatch(ctx, t, "")
	return out.Due, out.Queued, err
}

// Wait returns when no task of the inline queue runs or may run now.
func (a *App) Wait(ctx context.Context) error {
	if a.inline == nil {
		return nil
	}
	return a.inline.Wait(ctx)
}

// End has running runs stop at their next step, where the next process goes on. Close does too.
func (a *App) End() { a.ending.Store(true) }

// Close waits for running tasks, which stop at their next step, and closes the store. If ctx ends before, their requests are
// broken off.
func (a *App) Close(ctx context.Context) error {
	a.End()
	var err error
	if a.inline != nil {
		err = a.inline.Close(ctx)
	}
	for _, client := range a.clients {
		err = errors.Join(err, client.Close())
	}
	return errors.Join(err, a.store.Close(), a.telemetry.Close(ctx))
}

// newLinker makes the linking flows, with access to the users of Creatio.
func (a *App) newLinker(safe, browser oauth.Vault) (*oauth.Linker, error) {
	c := a.config
	return oauth.New(oauth.Options{
		Store: a.store, Vault: safe, Browser: browser, HTTP: a.base[record.Google], CreatioHTTP: a.base[record.Creatio], PublicURL: c.PublicURL,
		Google: oauth.Google{ClientID: c.Google.ClientID, ClientSecret: c.Google.ClientSecret.Reveal(), Endpoint: c.Google.Endpoint},
		Creatio: oauth.Creatio{
			URL: c.Creatio.URL, Auth: string(c.Creatio.Auth), IdentityURL: c.Creatio.IdentityURL,
			ClientID: c.Creatio.ClientID, ClientSecret: c.Creatio.ClientSecret.Reveal(),
		},
		AllowedDomains: c.AllowedDomains, Now: a.now, Logger: a.logger,
		CreatioUser: func(ctx context.Context, client *http.Client) (oauth.CreatioUser, error) {
			site, err := a.openSite(ctx, client)
			if err != nil {
				return oauth.CreatioUser{}, err
			}
			u, err := site.CurrentUser(ctx)
			return oauth.CreatioUser(account(u)), err
		},
		CreatioFind: func(ctx context.Context, client *http.Client, email string) (oauth.CreatioUser, error) {
			site, err := a.openSite(ctx, client)
			if err != nil {
				return oauth.CreatioUser{}, err
			}
			u, err := site.FindUserByEmail(ctx, email)
			return oauth.CreatioUser(account(u)), err
		},
		CreatioSession: func(base http.RoundTripper, user, password string) http.RoundTripper {
			return creatio.SessionTransport(base, c.Creatio.URL, user, password)
		},
		CreatioSignIn: func(ctx context.Context, base http.RoundTripper, user, password string) error {
			return creatio.SignIn(ctx, base, c.Creatio.URL, user, password)
		},
	})
}

// clients are what a user's sides call with.
type clients struct {
	site   *creatio.Site
	google *google.Client
	user   creatio.User
}

// openClients opens both services for a user.
func (a *App) openClients(ctx context.Context, p store.Profile) (clients, error) {
	callers := map[record.Side]*http.Client{}
	for _, side := range record.Sides {
		client, err := a.linker.ClientOf(ctx, p, side, a.base[side])
		if err != nil {
			return clients{}, err
		}
		callers[side] = client
	}
	site, err := a.openSite(ctx, callers[record.Creatio])
	if creatio.FaultCode(err) == "not-creatio" {
		// It was one when the user linked it, and is one that is being rebuilt or moved.
		err = fault.New(fault.Retry, string(record.Creatio), "rebuilding", err)
	}
	if err != nil {
		return clients{}, err
	}
	api, err := google.NewClient(google.Options{HTTP: callers[record.Google], Endpoint: a.config.Google.Endpoint, Now: a.now, Logger: a.logger})
	return clients{site: site, google: api, user: creatio.User{
		ID: p.Creatio.UserID, Login: p.Creatio.User, ContactID: p.Creatio.ContactID, TimeZone: p.Creatio.TimeZone, Culture: p.Creatio.Culture,
	}}, err
}

// openContacts makes the two sides of a user's contact sync.
func (a *App) openContacts(ctx context.Context, p store.Profile, s store.Sync) (map[record.Side]syncer.Side, error) {
	c, err := a.openClients(ctx, p)
	if err != nil {
		return nil, err
	}
	group, err := people.New(c.google, people.Options{
		Photos: &http.Client{Transport: a.base[record.Google], CheckRedirect: httpx.SameOrigin}, Group: s.Scopes[record.Google],
	})
	if err != nil {
		return nil, err
	}
	tag := contacts.Tag{ID: s.Settings.TagID, Kind: s.Settings.TagKind}
	mine := contacts.New(c.site, tag, c.user)
	if c.user.Culture == "" && !p.Creatio.CultureKnown {
		mine.Culture = func(ctx context.Context) (string, error) { return a.learnCulture(ctx, p, c.site) }
	}
	return map[record.Side]syncer.Side{record.Creatio: mine, record.Google: group}, nil
}

// kept reads what a side wanted to have again beside its cursor.
func (a *App) kept(user string, t record.Type, side record.Side) func(context.Context) ([]byte, error) {
	return func(ctx context.Context) ([]byte, error) {
		data, err := a.store.User(user).Blob(ctx, t, store.RetainedBlob(side))
		if errors.Is(err, store.ErrNotFound) {
			return nil, nil
		}
		return data, err
	}
}

// openActivities makes the two sides of a user's activity sync. The range of recurring events ends at the start of a day, so
// that it rolls on once a day.
func (a *App) openActivities(ctx context.Context, p store.Profile, s store.Sync) (map[record.Side]syncer.Side, error) {
	c, err := a.openClients(ctx, p)
	if err != nil {
		return nil, err
	}
	loc, err := a.findZone(ctx, c, s)
	if err != nil {
		return nil, err
	}
	from, err := firstInstant(p, s.Settings, loc)
	if err != nil {
		return nil, err
	}
	to := zone.DateOf(a.now(), loc).AddMonths(s.Settings.MonthsAhead).Start(loc)
	events, err := calendar.New(c.google, calendar.Options{
		From: from, To: to, Zone: loc, Email: p.Google.Email, Private: calendar.Private(s.Settings.PrivateEvents),
		Retained: a.kept(p.ID, record.Activities, record.Google),
	})
	if err != nil {
		return nil, err
	}
	mine := activities.New(c.site, activities.Options{User: c.user, From: from, Zone: loc, Accounts: others{a}.accounts, Guests: s.Settings.Guests})
	return map[record.Side]syncer.Side{record.Creatio: mine, record.Google: events}, nil
}
