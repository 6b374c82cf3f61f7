// Package creatio is the Creatio side of the synchronization: it signs in to a site, knows who its user is and which
// private tags that user has, and reads and writes the contacts that carry one of them.
//
// Its invariants:
//
//   - A tag moves contacts only while it is private and made by the user; that is verified in every reading.
//   - A contact is never deleted, its owner and type are never changed, and only columns and rows that differ are written.
//   - What Tandem has no word for, as other types of communications, is neither shown nor touched.
//   - Rows that are inserted have ids derived from what they are, so that a repeated insertion is seen as one.
//   - What a write promises to show is what the next reading shows; where Creatio cannot hold a value, that is told.
package creatio

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/tandem-sync/tandem/shared/fault"
	"github.com/tandem-sync/tandem/shared/odata"
)

// side is this side's name in errors.
const side = "creatio"

// Layout says where a site's services are.
type Layout string

// The layouts: sites on the .NET Framework keep their services under /0, those on .NET at the root.
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
	// URL is the site, as "https://acme.creatio.com".
	URL string
	// Layout is what an earlier Open found; empty finds it again.
	Layout Layout
	// Now is the clock; default time.Now.
	Now func() time.Time
	// Logger is silent by default.
	Logger *slog.Logger
	// PageSize is how many rows are asked for at once; default 1000.
	PageSize int
	// Thorough is after how long the details of all contacts are read again although nothing tells of a change. A
	// deleted row of a detail leaves no trace in Creatio. Default 24 hours.
	Thorough time.Duration
}

const (
	defaultPageSize = 1000
	defaultThorough = 24 * time.Hour
)

// Site is one Creatio as one user sees it. It may be used from several goroutines.
type Site struct {
	options Options
	base    string
	layout  Layout
	client  *odata.Client

	mu    sync.Mutex
	known *names
	asked mentioned
}

// Open finds out how the site is laid out and whether it answers.
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
	if o.Thorough <= 0 {
		o.Thorough = defaultThorough
	}
	address, err := url.Parse(o.URL)
	if err != nil || address.Host == "" || (address.Scheme != "https" && address.Scheme != "http") {
		return nil, fault.New(fault.Misconfigured, side, "bad-url", errors.New("open site: the address is not one of a web site"))
	}
	s := &Site{options: o, base: strings.TrimRight(o.URL, "/"), known: newNames(), asked: mention(nil)}
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

// probe asks both places for one row. A place that is none answers 404, a page, or 401 even to those who are
// signed in, so an error counts only where neither place answers. One that keeps the row from this user is there, where
// the other one is not.
func (s *Site) probe(ctx context.Context) error {
	var worst error
	var closed []Layout
	rank := func(err error) int {
		return slices.Index([]fault.Kind{fault.Retry, fault.Reconnect}, fault.KindOf(err))
	}
	for _, l := range []Layout{Framework, Core} {
		s.use(l)
		_, err := s.client.Get(ctx, odata.Query{Set: "ContactTag", Select: []string{"Id"}, Top: 1})
		if err == nil {
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
		worst = fault.New(fault.Misconfigured, side, "not-creatio", errors.New("no OData service at /0/odata or /odata"))
	}
	return fmt.Errorf("open site: %w", worst)
}

// Layout is how the site is laid out; to be passed to the next Open.
func (s *Site) Layout() Layout { return s.layout }

// serverTime is the time of the site at the moment of a local time, not later than it really was, by the reply that
// came last.
func (s *Site) serverTime(local time.Time) time.Time {
	last := s.client.Clock()
	if last.IsZero() {
		return local
	}
	return last.Add(-s.options.Now().Sub(local))
}
