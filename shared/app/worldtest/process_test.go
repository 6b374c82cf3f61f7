package worldtest

import (
	"context"
	"fmt"
	"net/http"
	"strings"
	"time"

	"github.com/tandem-sync/tandem/shared/app"
	"github.com/tandem-sync/tandem/shared/creatio"
	"github.com/tandem-sync/tandem/shared/creatio/contacts"
	"github.com/tandem-sync/tandem/shared/fault"
	"github.com/tandem-sync/tandem/shared/google"
	"github.com/tandem-sync/tandem/shared/google/people"
	"github.com/tandem-sync/tandem/shared/httpx"
	"github.com/tandem-sync/tandem/shared/oauth"
	"github.com/tandem-sync/tandem/shared/record"
	"github.com/tandem-sync/tandem/shared/store"
	"github.com/tandem-sync/tandem/shared/syncer"
)

// mishap is what happens at one call of a run.
type mishap string

const (
	lostBefore  mishap = "lost before it came"      // the call never reaches the service
	lostAfter   mishap = "lost after it took"       // it takes effect, and no answer comes
	late        mishap = "answered too late"        // it takes effect, and the answer comes when nobody waits any more
	diesBefore  mishap = "dies before it is sent"   // the process dies
	diesAfter   mishap = "dies after it took"       // it takes effect, and the process dies
	downFrom    mishap = "side is down from here"   // no call to the side gets through any more
	busy        mishap = "429, wait 2 s"            // the service asks to wait
	busyLong    mishap = "429, wait 10 min"         // the service asks to wait for longer than anybody does
	broken      mishap = "503"                      // the service does nothing and says so
	brokenBadly mishap = "500"                      // the service does nothing and says nothing
	brokenAfter mishap = "503 after it took"        // a gateway gives up on a service that goes on
	expired     mishap = "token expired"            // the access token ends
	forgotten   mishap = "sync token expired"       // Google's sync tokens end
	twin        mishap = "a second run begins"      // while the first goes on
	frozeBefore mishap = "freezes before it's sent" // the process stands still for longer than its lease, and another run takes its place
	frozeAfter  mishap = "freezes after it took"    // the same behind the call
	deaf        mishap = "cannot renew its lease"   // the store does not renew the lease, and the call takes long
	edits       mishap = "people edit"              // people edit on both sides
	backedUp    mishap = "a backup is taken"        // of the database, which a test restores later
)

// onServices are the mishaps of a call to a service, onStore those of one to the store.
var (
	onServices = []mishap{
		lostBefore, lostAfter, late, diesBefore, diesAfter, downFrom, busy, busyLong, broken, brokenBadly, brokenAfter, expired, forgotten,
		twin, frozeBefore, frozeAfter, deaf, edits,
	}
	onStore = []mishap{lostBefore, lostAfter, diesBefore, diesAfter, twin, frozeBefore, frozeAfter, edits}
)

// unheard reports whether a call takes effect and the run never learns of it, or not in time.
func (m mishap) unheard() bool {
	return m == lostAfter || m == late || m == diesAfter || m == brokenAfter || m == frozeAfter
}

// place is a call of a run: the n-th one to a side, or to the store.
type place struct {
	side string
	n    int
}

func (p place) String() string { return fmt.Sprintf("%s call %d", p.side, p.n) }

// process is one copy of the program, which makes one run.
type process struct {
	w *world
	// who is the user whose run it is, and kind what it synchronizes; default contacts.
	who    member
	kind   record.Type
	name   string
	calls  map[string]int
	script map[place]mishap
	dead   bool
	// leased says that the run got its lease; until is when that ends, as far as the process can know.
	leased bool
	until  time.Time
	// over says that the run ended, though a call that nobody waits for any more may go on.
	over bool
	// mute says that the lease is not renewed any more; down are the sides that cannot be reached any more.
	mute bool
	down map[record.Side]bool
	// slow is until when calls to a side take longer than an attempt may.
	slow map[record.Side]time.Time
	thaw time.Time
	// unheard says that a write took effect of which the run did not hear.
	unheard bool
	cut     context.CancelFunc
	// met are the mishaps that happened.
	met []string
}

func (w *world) newProcess(script map[place]mishap) *process {
	w.processes++
	return &process{w: w, who: w.member, name: fmt.Sprintf("P%d", w.processes), calls: map[string]int{}, script: script, down: map[record.Side]bool{}, slow: map[record.Side]time.Time{}}
}

// place counts a call.
func (p *process) place(side string) place {
	p.w.mu.Lock()
	defer p.w.mu.Unlock()
	p.calls[side]++
	return place{side, p.calls[side]}
}

// run makes one run from its beginning to its end, whatever that is.
func (p *process) run(trigger string) (syncer.Outcome, error) {
	return p.runAs(syncer.Request{Trigger: trigger})
}

// runAs makes the run that somebody asked for.
func (p *process) runAs(request syncer.Request) (syncer.Outcome, error) {
	ctx, cancel := context.WithTimeout(context.Background(), 9*time.Minute)
	defer cancel()
	p.cut = cancel
	defer func() {
		p.w.mu.Lock()
		defer p.w.mu.Unlock()
		p.over = true
	}()
	e := &syncer.Engine{Kind: app.Contacts, Open: p.open, Now: time.Now, Logger: p.w.logger(p.name), Chunk: p.w.chunk}
	if p.kind == record.Activities {
		a := p.activities()
		e.Kind, e.Open, e.Others = a.Kind, a.Open, a.Others
	}
	request.Type = e.Type
	return e.Run(ctx, kept{p.w.store.User(p.who.user), p}, request)
}

// open composes both sides as the program does.
func (p *process) open(ctx context.Context, _ store.Profile, s store.Sync) (map[record.Side]syncer.Side, error) {
	linker, base := p.w.linker(p)
	clients := map[record.Side]*http.Client{}
	for _, side := range record.Sides {
		client, err := linker.Client(ctx, p.who.user, side, base[side])
		if err != nil {
			return nil, err
		}
		clients[side] = client
	}
	site, err := creatio.Open(ctx, creatio.Options{
		HTTP: clients[record.Creatio], URL: creatioURL, Layout: creatio.Core, Now: time.Now, PageSize: p.w.pages[record.Creatio],
	})
	if err != nil {
		return nil, err
	}
	api, err := google.NewClient(google.Options{HTTP: clients[record.Google], Endpoint: googleURL, Now: time.Now})
	if err != nil {
		return nil, err
	}
	group, err := people.New(api, people.Options{
		Photos: &http.Client{Transport: base[record.Google], CheckRedirect: httpx.SameOrigin}, Group: s.Scopes[record.Google], PageSize: p.w.pages[record.Google],
	})
	if err != nil {
		return nil, err
	}
	me := creatio.User{ContactID: p.who.contact}
	return map[record.Side]syncer.Side{
		record.Creatio: contacts.New(site, contacts.Tag{ID: s.Settings.TagID, Kind: s.Settings.TagKind}, me), record.Google: group,
	}, nil
}

// activities is an engine as the program composes it.
func (p *process) activities() *syncer.Engine {
	linker, base := p.w.linker(p)
	o := app.Opener{Store: p.w.store, Linker: linker, Base: base, Now: time.Now, Layout: creatio.Core}
	o.Config.Google.Endpoint, o.Config.Creatio.URL = googleURL, creatioURL
	return o.Activities()
}

// linker is the one of a process, with its transports.
func (w *world) linker(p *process) (*oauth.Linker, map[record.Side]http.RoundTripper) {
	base := map[record.Side]http.RoundTripper{}
	for _, side := range record.Sides {
		base[side] = httpx.NewTransport(httpx.Options{Side: string(side), Base: &wire{p, side}, Rand: func() float64 { return 0.5 }})
	}
	l, err := oauth.New(oauth.Options{
		Store: w.store, Vault: w.vault, Browser: w.vault, HTTP: base[record.Google], CreatioHTTP: base[record.Creatio], PublicURL: "http://tandem.example.com",
		Google:  oauth.Google{ClientID: clientID, ClientSecret: clientSecret, Endpoint: googleURL},
		Creatio: oauth.Creatio{URL: creatioURL, Auth: oauth.AuthUser, ClientID: clientID, ClientSecret: clientSecret},
		CreatioUser: func(ctx context.Context, client *http.Client) (oauth.CreatioUser, error) {
			site, err := creatio.Open(ctx, creatio.Options{HTTP: client, URL: creatioURL, Layout: creatio.Core})
			if err != nil {
				return oauth.CreatioUser{}, err
			}
			u, err := site.CurrentUser(ctx)
			return oauth.CreatioUser{ID: u.ID, Login: u.Login, ContactID: u.ContactID, TimeZone: u.TimeZone}, err
		},
	})
	if err != nil {
		w.t.Fatal(err)
	}
	return l, base
}

// gate holds up a process that stands still, and ends what a dead one does. After it stood still, the heart beats first.
func (p *process) gate(side string) error {
	p.w.mu.Lock()
	thaw := p.thaw
	p.w.mu.Unlock()
	if wait := time.Until(thaw); wait > 0 {
		order := map[string]time.Duration{"heart": 0, "store": 1, string(record.Creatio): 2, string(record.Google): 3}
		time.Sleep(wait + order[side]*time.Millisecond)
	}
	p.w.mu.Lock()
	defer p.w.mu.Unlock()
	if p.dead {
		return errDead
	}
	return nil
}

func (p *process) holds(until time.Time) {
	p.w.mu.Lock()
	defer p.w.mu.Unlock()
	p.until = until
}

// happens is what the script has happen at a call of the run.
func (p *process) happens(at place) mishap {
	p.w.mu.Lock()
	defer p.w.mu.Unlock()
	switch m := p.script[at]; {
	case p.over:
		return ""
	case strings.HasSuffix(at.side, writes):
		return m
	case m == "" && p.down[record.Side(at.side)]:
		return lostBefore
	default:
		return m
	}
}

func (p *process) happened(at place, m mishap) {
	p.w.mu.Lock()
	defer p.w.mu.Unlock()
	p.met = append(p.met, fmt.Sprintf("%s %s: %s", p.name, at, m))
	p.w.mishaps++
}

// before is what happens ahead of a call.
func (p *process) before(ctx context.Context, at place, m mishap) error {
	if m != "" {
		p.happened(at, m)
	}
	switch m {
	case lostBefore:
		return errLost
	case diesBefore:
		return p.die()
	case downFrom:
		p.w.mu.Lock()
		p.down[record.Side(at.side)] = true
		p.w.mu.Unlock()
		return errLost
	case expired:
		p.w.google.ExpireTokens()
		p.w.creatio.ExpireTokens()
	case forgotten:
		p.w.google.ExpireSyncTokens()
	case twin:
		p.w.aside.Go(func() { p.w.another(false) })
	case frozeBefore:
		return p.freeze(at)
	case deaf:
		p.stall(at)
	case edits:
		p.w.edit(at)
	case backedUp:
		p.w.backUp()
	}
	return nil
}

// after is what happens behind a call.
func (p *process) after(_ context.Context, at place, m mishap) error {
	switch m {
	case lostAfter:
		return errLost
	case diesAfter:
		return p.die()
	case frozeAfter:
		return p.freeze(at)
	}
	return nil
}

func (p *process) die() error {
	p.w.mu.Lock()
	p.dead = true
	p.w.mu.Unlock()
	p.cut()
	return errDead
}

// freeze stands still until another run has taken over and ended.
func (p *process) freeze(at place) error {
	p.w.mu.Lock()
	p.thaw = time.Now().Add(5 * time.Minute)
	leased := p.leased
	p.w.mu.Unlock()
	p.w.aside.Go(func() {
		time.Sleep(2 * time.Minute)
		p.w.another(leased)
	})
	return p.gate(at.side)
}

// stall keeps the lease from being renewed and has calls take longer than it lasts. Meanwhile another run begins.
func (p *process) stall(at place) {
	p.w.mu.Lock()
	p.mute = true
	p.slow[record.Side(at.side)] = time.Now().Add(75 * time.Second)
	leased := p.leased
	p.w.mu.Unlock()
	p.w.aside.Go(func() {
		time.Sleep(65 * time.Second)
		p.w.another(leased)
	})
}

// drag waits until an attempt has taken too long, where calls do.
func (p *process) drag(ctx context.Context, side record.Side) {
	p.w.mu.Lock()
	until := p.slow[side]
	p.w.mu.Unlock()
	if time.Now().Before(until) {
		<-ctx.Done()
	}
}

// errStore is what the store says when it cannot be reached.
func errStore() error { return fault.New(fault.Retry, "store", "unreachable", errLost) }
