package odata

import (
	"context"
	"errors"
	"fmt"
	"iter"
	"net/url"
	"path"
	"slices"
	"time"

	"github.com/tandem-sync/tandem/shared/fault"
)

const (
	idColumn       = "Id"
	modifiedColumn = "ModifiedOn"
	// maxPageSize is Creatio's MaxEntityRowCount: it cuts longer replies without saying so.
	maxPageSize     = 20000
	defaultPageSize = 500
)

// All gives every record of the query, page by page. It orders by Id, or by ModifiedOn where q.OrderBy begins with it
// (ascending), and asks for what comes after the last row; Top and Skip have no place in it. In the order of ModifiedOn a
// record that changes meanwhile can come twice, the newer state last. An error ends it; what came before is then not all.
func (c *Client) All(ctx context.Context, q Query, pageSize int) iter.Seq2[Row, error] {
	return func(yield func(Row, error) bool) {
		l, err := newListing(c, q, pageSize)
		if err != nil {
			yield(nil, c.bug("list "+q.Set, err))
			return
		}
		for !l.done {
			rows, err := l.next(ctx)
			if err != nil {
				yield(nil, err)
				return
			}
			for _, row := range rows {
				if !yield(row, nil) {
					return
				}
			}
		}
	}
}

// listing is the state of one All.
//
// In the order of ModifiedOn it asks for rows from the last row's microsecond on, and leaves out those of it that it has
// given: equality of times is not to be relied on, since SQL Server keeps 7 digits. When one microsecond, as after a bulk
// update, fills a page, it reads that microsecond to its end in the order of Id.
type listing struct {
	c    *Client
	q    Query
	size int
	done bool

	byTime bool
	// from is where the next page starts, in the order of ModifiedOn.
	from    time.Time
	started bool
	// draining says that the microsecond from is being read in the order of Id.
	draining bool
	// after is the last row's Id, in the order of Id.
	after string
	// given are the Ids given of the last page or, in the order of ModifiedOn, of the microsecond from.
	given map[string]bool
}

func newListing(c *Client, q Query, pageSize int) (*listing, error) {
	if q.Top != 0 || q.Skip != 0 {
		return nil, errors.New("a complete listing takes neither top nor skip")
	}
	l := &listing{c: c, q: q, size: min(pageSize, maxPageSize), given: map[string]bool{}}
	if pageSize <= 0 {
		l.size = defaultPageSize
	}
	need := []string{idColumn}
	if len(q.OrderBy) > 0 {
		switch first := q.OrderBy[0]; {
		case first == Order{Path: modifiedColumn}:
			l.byTime, need = true, []string{idColumn, modifiedColumn}
		case first != Order{Path: idColumn}:
			return nil, fmt.Errorf("a complete listing is not ordered by %s", first.Path)
		}
	}
	if len(q.Select) > 0 {
		l.q.Select = slices.Clone(q.Select)
		for _, name := range need {
			if !slices.Contains(l.q.Select, name) {
				l.q.Select = append(l.q.Select, name)
			}
		}
	}
	if err := l.q.check(); err != nil {
		return nil, err
	}
	l.done = q.Filter.kind == matchesNothing
	return l, nil
}

// next reads the rows up to the next border and moves the border.
func (l *listing) next(ctx context.Context) ([]Row, error) {
	rows, last, err := l.fetch(ctx)
	if err != nil {
		return nil, err
	}
	if len(rows) == 0 {
		if !last {
			return nil, l.broken("incomplete-list", "the service counts more rows than it gives")
		}
		l.finish()
		return nil, nil
	}
	if l.byTime && !l.draining {
		return l.advanceByTime(rows, last)
	}
	return l.advanceByID(rows, last)
}

func (l *listing) advanceByID(rows []Row, last bool) ([]Row, error) {
	page := make(map[string]bool, len(rows))
	var fresh []Row
	for _, row := range rows {
		id := row.Lookup(idColumn)
		if id == "" {
			return nil, l.broken("incomplete-list", "a row without an Id")
		}
		if page[id] || id == l.after {
			return nil, l.broken("no-progress", "the service gives the same row again")
		}
		page[id] = true
		if !l.given[id] {
			fresh = append(fresh, row)
		}
	}
	// While a microsecond is drained, what its first page gave comes again; elsewhere a page of known rows is a loop.
	if len(fresh) == 0 && !l.draining {
		return nil, l.broken("no-progress", "the service gives the same page again")
	}
	l.after = rows[len(rows)-1].Lookup(idColumn)
	if !l.draining {
		l.given = page
	}
	if last {
		l.finish()
	}
	return fresh, nil
}

func (l *listing) advanceByTime(rows []Row, last bool) ([]Row, error) {
	var fresh []Row
	for _, row := range rows {
		id, at := row.Lookup(idColumn), row.Time(modifiedColumn).Truncate(time.Microsecond)
		if id == "" || at.IsZero() {
			return nil, l.broken("incomplete-list", "a row without Id or ModifiedOn")
		}
		if at.Before(l.from) {
			return nil, l.broken("no-progress", "the service gives rows that were asked for before, or in no order")
		}
		if at.After(l.from) {
			l.from = at
			clear(l.given)
		}
		if !l.given[id] {
			l.given[id] = true
			fresh = append(fresh, row)
		}
	}
	first := rows[0].Time(modifiedColumn).Truncate(time.Microsecond)
	l.done, l.started = last, true
	l.draining = !last && first.Equal(l.from)
	return fresh, nil
}

// finish ends the listing, or the draining of one microsecond.
func (l *listing) finish() {
	if !l.draining {
		l.done = true
		return
	}
	l.draining, l.after, l.from = false, "", l.from.Add(time.Microsecond)
	clear(l.given)
}

// query is the next page's.
func (l *listing) query() Query {
	q := l.q
	q.Top, q.Count = l.size, true
	q.OrderBy = []Order{{Path: idColumn}}
	switch {
	case l.draining:
		q.Filter = And(q.Filter, Ge(modifiedColumn, DateTime(l.from)), Lt(modifiedColumn, DateTime(l.from.Add(time.Microsecond))))
	case l.byTime:
		q.OrderBy = []Order{{Path: modifiedColumn}, {Path: idColumn}}
		if l.started {
			q.Filter = And(q.Filter, Ge(modifiedColumn, DateTime(l.from)))
		}
	}
	if l.after != "" {
		q.Filter = And(q.Filter, Gt(idColumn, Guid(l.after)))
	}
	return q
}

// fetch reads one page, in as many replies as the service splits it into. It is the last one when the service counts no
// more rows than it gave; where it does not count, when the page is not full.
func (l *listing) fetch(ctx context.Context) (rows []Row, last bool, err error) {
	q := l.query()
	p, err := l.c.Get(ctx, q)
	if err != nil {
		return nil, false, err
	}
	rows = p.Rows
	count := p.Count
	followed := map[string]bool{}
	for p.NextLink != "" {
		link, err := nextPath(p.NextLink, q.Set)
		if err != nil {
			return nil, false, l.c.fail("list "+q.Set, fault.New(fault.Misconfigured, l.c.side, "foreign-link", err))
		}
		if followed[link] {
			return nil, false, l.broken("no-progress", "the service's next link leads back")
		}
		followed[link] = true
		if p, err = l.c.page(ctx, q, link); err != nil {
			return nil, false, err
		}
		rows = append(rows, p.Rows...)
	}
	if count < 0 {
		return rows, len(rows) < l.size, nil
	}
	return rows, count <= int64(len(rows)), nil
}

// nextPath is a next link as a path under the service root. Its host is left out: behind a proxy it is often wrong, and
// the authorization must not follow it.
func nextPath(link, set string) (string, error) {
	u, err := url.Parse(link)
	if err != nil || u.RawQuery == "" || path.Base(u.Path) != set {
		return "", errors.New("the next link is not one of this listing")
	}
	return set + "?" + u.RawQuery, nil
}

func (l *listing) broken(code, why string) error {
	return l.c.fail("list "+l.q.Set, fault.New(fault.Retry, l.c.side, code, errors.New(why)))
}
