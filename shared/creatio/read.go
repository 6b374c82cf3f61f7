package creatio

import (
	"context"
	"net/http"
	"slices"

	"github.com/tandem-sync/tandem/shared/fault"
	"github.com/tandem-sync/tandem/shared/odata"
)

// Read runs queries, as many as fit in each batch, and reads all rows of each one. It reads pages in the order of ids, each
// from the last id of the previous one, so that rows that are added or removed meanwhile shift no other row. The site's
// count says whether there are more rows: a page may be shorter than requested, because a site silently limits the size of
// pages. A query with Top is read only up to it. The returned error concerns all queries; an error of one query is in its
// answer.
func (s *Site) Read(ctx context.Context, queries []odata.Query) ([]Answer, error) {
	return s.read(ctx, queries, false)
}

// Attempt is Read for queries that the site may be unable to answer, however it says so: all that it says of one is in its
// answer.
func (s *Site) Attempt(ctx context.Context, queries []odata.Query) ([]Answer, error) {
	return s.read(ctx, queries, true)
}

func (s *Site) read(ctx context.Context, queries []odata.Query, attempt bool) ([]Answer, error) {
	answers := make([]Answer, len(queries))
	var waiting []*reading
	for i, q := range queries {
		seen := map[string]bool{}
		for _, q := range s.fitting(q) {
			waiting = append(waiting, &reading{query: q, answer: &answers[i], seen: seen, attempt: attempt})
		}
	}
	for len(waiting) > 0 {
		now := waiting[:min(len(waiting), MaxParts)]
		waiting = slices.Clone(waiting[len(now):])
		parts := make([]odata.Part, len(now))
		for i, r := range now {
			parts[i] = odata.Part{Method: http.MethodGet, Path: s.page(r).Path()}
		}
		replies, err := s.client.Batch(ctx, parts)
		if err != nil {
			return nil, Barred(err)
		}
		s.noteClock()
		for i, r := range now {
			more, err := s.took(r, replies[i])
			if err != nil {
				return nil, err
			}
			waiting = append(waiting, more...)
		}
	}
	return answers, nil
}

// reading is a query, or a part of one, on its way through its pages.
type reading struct {
	query  odata.Query
	answer *Answer
	// seen are the ids of the rows of the answer.
	seen map[string]bool
	// attempt says that its failure is nobody else's.
	attempt bool
	// last is the id after which the next page begins.
	last string
}

// page is the next page of a reading.
func (s *Site) page(r *reading) odata.Query {
	q := r.query
	if q.Top > 0 {
		return q
	}
	q.Top, q.Count, q.OrderBy = s.pageSize(q), true, []odata.Order{{Path: "Id"}}
	if r.last != "" {
		q.Filter = odata.And(q.Filter, odata.Gt("Id", odata.Guid(r.last)))
	}
	return q
}

// took takes the rows of a page, and says what is to be read yet. The error concerns all queries.
func (s *Site) took(r *reading, page odata.Reply) ([]*reading, error) {
	if page.Err != nil {
		if more := s.halved(r, page.Err); more != nil {
			return more, nil
		}
		if concernsAll(page.Err) && (!r.attempt || fault.Is(page.Err, fault.Reconnect)) {
			return nil, page.Err
		}
		r.answer.Err = page.Err
		return nil, nil
	}
	for _, row := range page.Rows {
		id := row.Text("Id")
		if id != "" && r.seen[id] {
			continue
		}
		r.seen[id] = true
		r.answer.Rows = append(r.answer.Rows, row)
	}
	if r.query.Top > 0 {
		r.answer.Total = int(page.Count)
		return nil, nil
	}
	if !s.more(r.query, page) {
		return nil, nil
	}
	if len(page.Rows) == 0 {
		return nil, fault.Errorf(fault.Retry, Side, "incomplete-list", "list %s: the site counts more rows than it returns", r.query.Set)
	}
	r.last = page.Rows[len(page.Rows)-1].Text("Id")
	return []*reading{r}, nil
}

// halved asks for the halves of a list that is too long for the site, and notes how much is not.
func (s *Site) halved(r *reading, err error) []*reading {
	listed := r.query.Filter.Listed()
	if FaultCode(err) != "too-many-nodes" || listed < 2 || r.query.Top > 0 {
		return nil
	}
	s.fits.Store(int64(listed / 2))
	var out []*reading
	for _, q := range s.fitting(r.query) {
		out = append(out, &reading{query: q, answer: r.answer, seen: r.seen, attempt: r.attempt})
	}
	return out
}

// fitting is a query as several ones whose lists are as short as the site wants them.
func (s *Site) fitting(q odata.Query) []odata.Query {
	fits := int(s.fits.Load())
	if fits == 0 || q.Top > 0 || q.Filter.Listed() <= fits {
		return []odata.Query{q}
	}
	var out []odata.Query
	for _, half := range q.Filter.Halves() {
		q.Filter = half
		out = append(out, s.fitting(q)...)
	}
	return out
}
