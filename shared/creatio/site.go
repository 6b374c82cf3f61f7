// Package creatio holds what the sides at Creatio share: it signs in to a site, reads its user, reads lists in batches and
// looks up names in the site's lists. Each kind of record has its own package below this one.
//
// Its invariants:
//
//   - Lists are read to their end, whatever the site's page size; a list that ends early is an error.
//   - A list that the user may not read is an error and never treated as empty.
//   - A wrong password is tried once: Creatio locks accounts.
package creatio

import (
	"context"
	"errors"
	"fmt"
	"hash/fnv"
	"io"
	"log/slog"
	"math"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"github.com/tandem-sync/tandem/shared/fault"
	"github.com/tandem-sync/tandem/shared/odata"
	"github.com/tandem-sync/tandem/shared/record"
)

// Side is the name of this side in errors.
const Side = string(record.Creatio)

// Layout is the location of a site's services.
type Layout string

// The layouts: sites on the .NET Framework have their services under /0, those on .NET at the root.
const (
	Framework Layout = "framework"
	Core      Layout = "core"
)

func (l Layout) prefix() string {
	if l == Framework {
		return "/0"
	}
	return ""
}

// Options are the settings of a site.
type Options struct {
	// HTTP sends the requests, authorised: with a bearer token, or in a session of SessionTransport.
	HTTP *http.Client
	// URL is the site, such as "https://acme.creatio.com".
	URL string
	// Layout is the result of an earlier Open; if it is empty, Open detects it.
	Layout Layout
	// Now is the clock; default time.Now.
	Now func() time.Time
	// Logger is silent by default.
	Logger *slog.Logger
	// PageSize is how many rows are requested at once; default 1000.
	PageSize int
}

const defaultPageSize = 1000

// codeNotCreatio is the code of an address where no site of Creatio answers.
const codeNotCreatio = "not-creatio"

// Site is a Creatio site with the rights of one user. It is safe for concurrent use.
type Site struct {
	options Options
	base    string
	layout  Layout
	// located says that the site has answered at its layout.
	located bool
	client  *odata.Client

	// ahead is how far the site's clock was ahead of this one when it replied last.
	ahead atomic.Int64
	// fits is how many alternatives the site takes in one condition; 0 while it has taken all.
	fits atomic.Int64
	// skips says that the site knows no order of ids in conditions.
	skips atomic.Bool
	// halvings is how often the pages were halved because one was too large.
	halvings atomic.Int32

	mu sync.Mutex
	// known are the rows that were found, asked the names that were requested, by list.
	known Names
	asked map[string]map[string]bool
	// zone is the site's default time zone, once it was read.
	zone *string
}

// Open detects the layout of the site and checks that it answers.
func Open(ctx context.Context, o Options) (*Site, error) {
	if o.HTTP == nil {
		o.HTTP = http.DefaultClient
	}
	if o.Now == nil {
		o.Now = time.Now
	}
	if o.Logger == nil {
		o.Logger = slog.New(slog.DiscardHandler)
	}
	if o.PageSize <= 0 {
		o.PageSize = defaultPageSize
	}
	address, err := url.Parse(o.URL)
	if err != nil || address.Host == "" || (address.Scheme != "https" && address.Scheme != "http") {
		return nil, fault.New(fault.Misconfigured, Side, "bad-url", errors.New("open site: the address is not one of a web site"))
	}
	s := &Site{options: o, base: strings.TrimRight(o.URL, "/"), known: Names{}, asked: map[string]map[string]bool{}}
	if o.Layout != "" {
		s.use(o.Layout)
		return s, nil
	}
	if err := s.probe(ctx); err != nil {
		return nil, err
	}
	return s, nil
}

func (s *Site) use(l Layout) {
	s.layout = l
	s.client = odata.New(odata.Options{HTTP: s.options.HTTP, Root: s.base + l.prefix() + "/odata", Logger: s.options.Logger})
}

// probe requests one row at both locations. The wrong location answers with 404, a page, or even 401 to a signed-in user.
// So an error is returned only if neither location answers. A location that denies the user the row is the right one.
func (s *Site) probe(ctx context.Context) error {
	var worst error
	var closed []Layout
	rank := func(err error) int {
		if FaultCode(err) == "rebuilding" {
			// The wrong location answers so too, and any other web server.
			return -1
		}
		return slices.Index([]fault.Kind{fault.Retry, fault.Reconnect}, fault.KindOf(err))
	}
	for _, l := range []Layout{Framework, Core} {
		s.use(l)
		_, err := s.client.Get(ctx, odata.Query{Set: "ContactTag", Select: []string{"Id"}, Top: 1})
		if err == nil {
			s.located = true
			return nil
		}
		if fault.Is(err, fault.ReadOnly) {
			closed = append(closed, l)
		}
		if rank(err) >= 0 && (worst == nil || rank(err) > rank(worst)) {
			worst = err
		}
	}
	if len(closed) > 0 {
		s.use(closed[0])
		return nil
	}
	if worst == nil {
		worst = fault.New(fault.Misconfigured, Side, codeNotCreatio, errors.New("no OData service at /0/odata or /odata"))
	}
	return fmt.Errorf("open site: %w", worst)
}

// URL returns the address of the site, without a slash at the end.
func (s *Site) URL() string { return s.base }

// Layout returns the site's layout, for the next Open.
func (s *Site) Layout() Layout { return s.layout }

// Located reports whether Open has found the layout by an answer. Where the site kept everything from the user, it is a guess, which
// is good for nobody else.
func (s *Site) Located() bool { return s.located }

// Misplaced reports whether an error may come of another layout than that of the site: it does not know what every site has. A site
// may have been moved, or be building its entities anew.
func Misplaced(err error) bool {
	switch FaultCode(err) {
	case "rebuilding", "set-missing", "unknown-set", "html-instead-of-json", codeNotCreatio:
		return true
	}
	return false
}

// Client returns the OData client for the site.
func (s *Site) Client() *odata.Client { return s.client }

// Now returns the local time.
func (s *Site) Now() time.Time { return s.options.Now() }

// ServerTime converts a local time to the site's clock, by its last reply. The result is never later than the site's real
// time.
func (s *Site) ServerTime(local time.Time) time.Time {
	last := s.client.Clock()
	if last.IsZero() {
		return local
	}
	return last.Add(-s.options.Now().Sub(local))
}

// Ahead is how far the site's clock is ahead of this one, in whole seconds as its latest reply showed; zero before that.
func (s *Site) Ahead() time.Duration { return time.Duration(s.ahead.Load()) }

// noteClock notes that a reply has just arrived.
func (s *Site) noteClock() {
	if at := s.client.Clock(); !at.IsZero() {
		s.ahead.Store(int64(at.Sub(s.options.Now())))
	}
}

// overlap is how much further back each reading looks than the one before ended: rows that were being saved then carry an
// earlier time than the one at which they became visible.
const overlap = 2 * time.Minute

// Watermark is the site's time at the moment of a local time, with the overlap taken off. Only a request tells how the clocks
// differ, so there has to be one before.
func (s *Site) Watermark(local time.Time) time.Time {
	return s.ServerTime(local).Add(-overlap).UTC().Truncate(time.Second)
}

// thorough is after how long the details of all records are read again although nothing tells of a change. A deleted row of a
// detail leaves no trace in Creatio.
const thorough = 24 * time.Hour

// Patience is how long after a time all details of a scope are read again: up to a quarter sooner than after a day,
// differently for every scope and day, so that those who began together do not read together for ever.
func Patience(scope string, last time.Time) time.Duration {
	h := fnv.New32a()
	_, _ = io.WriteString(h, scope+last.Format(time.RFC3339))
	return thorough - time.Duration(float64(thorough/4)*float64(h.Sum32())/math.MaxUint32)
}
