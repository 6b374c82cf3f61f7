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
	together := MaxParts
	for len(waiting) > 0 {
		now := waiting[:min(len(waiting), together)]
		parts := make([]odata.Part, len(now))
		for i, r := range now {
			q := s.page(r)
			parts[i] = odata.Part{Method: http.MethodGet, Path: q.Path(), Top: q.Top}
		}
		replies, err := s.client.Batch(ctx, parts)
		if FaultCode(err) == "reply-too-large" && s.lessAtOnce(now, &together) {
			continue
		}
		waiting = slices.Clone(waiting[len(now):])
		if err != nil {
			return nil, Required(err)
		}
		s.noteClock()
		s.askAlone(ctx, now, replies)
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

// lessAtOnce has less be asked for in one request, after so much was more than a reply may have: fewer queries, then fewer rows.
// It reports whether there is anything less to ask for.
func (s *Site) lessAtOnce(asked []*reading, together *int) bool {
	if len(asked) > 1 {
		*together = len(asked) / 2
		return true
	}
	if q := s.page(asked[0]); asked[0].query.Top > 0 || q.Top <= 1 {
		return false
	}
	s.halvings.Add(1)
	return true
}

// maxAlone is how many parts of a batch are asked once more by themselves.
const maxAlone = 10

// askAlone asks the parts once more that failed without a reason. Behind a batch ASP.NET Core answers an exception with 500 and
// no body; by itself the same request is answered with its reason, or with rows. Where the site fails again and may keep the
// set closed, that is taken for the reason, in whatever words it fails.
func (s *Site) askAlone(ctx context.Context, now []*reading, replies []odata.Reply) {
	asked := 0
	for i, r := range now {
		if !bare(replies[i]) && !(closable[r.query.Set] && FaultCode(replies[i].Err) == "server-error") {
			continue
		}
		if asked++; asked > maxAlone {
			return
		}
		page, err := s.client.Get(ctx, s.page(r))
		if FaultCode(err) == "server-error" && closable[r.query.Set] {
			err = fault.New(fault.ReadOnly, Side, "closed", err)
		}
		replies[i] = odata.Reply{Status: http.StatusOK, Rows: page.Rows, Count: page.Count, NextLink: page.NextLink, Err: err}
		if err != nil && concernsAll(err) {
			return
		}
	}
}

// bare reports whether a reply is a failure of the site that names no reason.
func bare(r odata.Reply) bool { return r.Status >= http.StatusInternalServerError && len(r.Body) == 0 }

// closable are the sets that a site may keep from everybody, as it does by Feature-DisableODataSystemTablesAccess.
var closable = map[string]bool{"SysAdminUnit": true, "SysSettingsValue": true, "ActivityCorrespondence": true, "SysSyncMetaData": true}

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
	// read is how many rows came, of so many that the site counted at first; -1 where it did not count.
	read  int
	count int64
	// skips says that pages begin after so many rows, and not after an id; pass are the ids of the rows of this pass over all
	// pages, of which there were so many before. blind says that a page has no room for the last row of the one before.
	skips  bool
	blind  bool
	pass   map[string]bool
	passes int
}

// page is the next page of a reading.
func (s *Site) page(r *reading) odata.Query {
	q := r.query
	if q.Top > 0 {
		return q
	}
	q.Top, q.Count, q.OrderBy = s.pageSize(q), true, []odata.Order{{Path: "Id"}}
	switch {
	case r.skips:
		q.Skip = r.read
		if r.overlaps() {
			q.Skip, q.Top = q.Skip-1, q.Top+1
		}
	case r.last != "":
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
		if r.last != "" && !r.skips && !fault.Is(page.Err, fault.Reconnect) {
			// Before .NET 7 ids have no order that a query could ask for.
			r.restart()
			return []*reading{r}, nil
		}
		if concernsAll(page.Err) && (!r.attempt || fault.Is(page.Err, fault.Reconnect)) {
			return nil, page.Err
		}
		r.answer.Err = page.Err
		return nil, nil
	}
	shifted := false
	if r.overlaps() && len(page.Rows) > 0 {
		if shifted = page.Rows[0].Text("Id") != r.last; !shifted {
			page.Rows = page.Rows[1:]
		}
		if len(page.Rows) == 0 && page.Count == r.count && s.more(r, page) {
			r.blind = true
			return []*reading{r}, nil
		}
	}
	fresh, moved := r.take(page)
	if r.query.Top > 0 {
		r.answer.Total = int(page.Count)
		return nil, nil
	}
	switch {
	case r.skips && (moved || shifted):
		if r.passes++; r.passes > maxPasses {
			return nil, incomplete(r, "rows come and go while it is read")
		}
		r.restart()
		return []*reading{r}, nil
	case !s.more(r, page):
		if r.skips {
			s.skips.Store(true)
		}
		return nil, nil
	case len(page.Rows) == 0:
		return nil, incomplete(r, "the site counts more rows than it returns")
	case fresh == 0 && !r.skips:
		return nil, incomplete(r, "a page repeats what came before")
	case int64(r.read) > r.bound():
		return nil, incomplete(r, "there are more rows than the site counted")
	}
	r.last = page.Rows[len(page.Rows)-1].Text("Id")
	if !r.skips && s.skips.Load() {
		r.skips = true
	}
	return []*reading{r}, nil
}

// overlaps reports whether the next page begins with the last row of the one before: where one row goes and another comes, the count stays,
// and no row comes twice.
func (r *reading) overlaps() bool { return r.skips && r.read > 0 && !r.blind && r.query.Top == 0 }

// take takes the rows of a page that the answer has not yet, and says how many this pass had not. Where pages begin after so many rows, it reports whether rows
// moved between pages: one comes twice, or the count is another.
func (r *reading) take(page odata.Reply) (fresh int, moved bool) {
	if r.pass == nil {
		r.pass, r.count = map[string]bool{}, page.Count
	}
	moved = page.Count != r.count
	for _, row := range page.Rows {
		id := row.Text("Id")
		switch {
		case id == "":
		case r.pass[id]:
			moved = true
		default:
			r.pass[id] = true
			fresh++
		}
		if id != "" && r.seen[id] {
			continue
		}
		r.seen[id] = true
		r.answer.Rows = append(r.answer.Rows, row)
	}
	r.read += len(page.Rows)
	return fresh, moved
}

// restart begins a pass over all pages, each of which begins after so many rows.
func (r *reading) restart() { r.skips, r.read, r.pass = true, 0, nil }

const (
	// maxPasses is how often a list is read once more because its rows moved.
	maxPasses = 3
	// slack is how many rows may come while a list is read, beside a tenth of those that are there.
	slack = 1000
	// maxRows is how many rows a list may have.
	maxRows = 1_000_000
)

// bound is how many rows may come of the query.
func (r *reading) bound() int64 {
	if r.count < 0 {
		return maxRows
	}
	return min(r.count+r.count/10+slack, maxRows)
}

func incomplete(r *reading, why string) error {
	return fault.Errorf(fault.Retry, Side, "incomplete-list", "list %s: %s", r.query.Set, why)
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

// more reports whether there are more rows after a page. If the site does not count, a page that is not full is the last.
func (s *Site) more(r *reading, page odata.Reply) bool {
	if r.skips && page.Count >= 0 {
		return page.Count > int64(r.read)
	}
	return s.cut(r.query, page)
}
