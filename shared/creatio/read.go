package creatio

import (
	"context"
	"errors"
	"net/http"
	"slices"

	"github.com/tandem-sync/tandem/shared/fault"
	"github.com/tandem-sync/tandem/shared/odata"
)

const (
	// maxParts is how many requests Creatio takes in one batch.
	maxParts = 100
	// maxListed is how many values one query lists. Microsoft's OData library, on which Creatio's is built, lets a filter
	// have 100 nodes by default, and a comparison by a path with its "or" is six of them.
	maxListed = 15
	// maxListedTwice is the same for a query that lists its values for two columns.
	maxListedTwice = 7
)

// answer is what one query brought: all of its rows, or why there are none.
type answer struct {
	rows []odata.Row
	// total is the number of rows on the site where the query asked for it.
	total int
	err   error
}

// read runs queries, as many as fit in each batch, and reads every one to its end: in the order of ids, each page
// from the last id of the one before, so that rows which come and go meanwhile shift nothing. Where the end is, the
// site's count says: a page may be shorter than asked for, since every site has a bound of its own and cuts what is
// longer without a word. A query's own Top is its bound and not read past. The error is for what concerns all queries;
// what concerns one is in its answer.
func (s *Site) read(ctx context.Context, queries []odata.Query) ([]answer, error) {
	answers := make([]answer, len(queries))
	type open struct {
		index int
		query odata.Query
	}
	var waiting []open
	for i, q := range queries {
		if q.Top == 0 {
			q.OrderBy = []odata.Order{{Path: "Id"}}
		}
		waiting = append(waiting, open{i, q})
	}
	for len(waiting) > 0 {
		now := waiting[:min(len(waiting), maxParts)]
		waiting = slices.Clone(waiting[len(now):])
		parts := make([]odata.Part, len(now))
		for i, o := range now {
			q := o.query
			if q.Top == 0 {
				q.Top, q.Count = s.options.PageSize, true
			}
			parts[i] = odata.Part{Method: http.MethodGet, Path: q.Path()}
		}
		replies, err := s.client.Batch(ctx, parts)
		if err != nil {
			return nil, barred(err)
		}
		for i, o := range now {
			a := &answers[o.index]
			reply := replies[i]
			if reply.Err != nil {
				if concernsAll(reply.Err) {
					return nil, reply.Err
				}
				a.err = reply.Err
				continue
			}
			a.rows = append(a.rows, reply.Rows...)
			if o.query.Top > 0 {
				a.total = int(reply.Count)
				continue
			}
			if !s.more(reply) {
				continue
			}
			if len(reply.Rows) == 0 {
				return nil, fault.Errorf(fault.Retry, side, "incomplete-list", "list %s: the site counts more rows than it gives", o.query.Set)
			}
			next := o.query
			next.Filter = after(queries[o.index].Filter, reply.Rows[len(reply.Rows)-1].Text("Id"))
			waiting = append(waiting, open{o.index, next})
		}
	}
	return answers, nil
}

// more reports whether rows come after those of a page; where the site does not count, a page that is not full is the last.
func (s *Site) more(page odata.Reply) bool {
	if page.Count >= 0 {
		return page.Count > int64(len(page.Rows))
	}
	return page.NextLink != "" || len(page.Rows) >= s.options.PageSize
}

// after narrows a filter to the rows behind an id.
func after(filter odata.Filter, id string) odata.Filter {
	return odata.And(filter, odata.Gt("Id", odata.Guid(id)))
}

// readAll is read for queries of which none may fail.
func (s *Site) readAll(ctx context.Context, queries []odata.Query) ([]answer, error) {
	answers, err := s.read(ctx, queries)
	if err != nil {
		return nil, err
	}
	for _, a := range answers {
		if a.err != nil {
			return nil, barred(a.err)
		}
	}
	return answers, nil
}

// barred is the error of a reading. A user who may not read a whole list is none of a record's business but of whoever
// gives out rights; taking the list for empty would take away what is in it.
func barred(err error) error {
	if fault.Is(err, fault.ReadOnly) {
		return fault.New(fault.Misconfigured, side, "no-access", err)
	}
	return err
}

// concernsAll reports whether an error is not of one query or one record only.
func concernsAll(err error) bool {
	switch fault.KindOf(err) {
	case fault.Reconnect, fault.Retry:
		return true
	default:
		return false
	}
}

// unknownSet reports whether an error says that the site has no such entity set.
func unknownSet(err error) bool {
	f, ok := errors.AsType[*fault.Error](err)
	return ok && f.Kind == fault.Misconfigured && f.Code == "unknown-set"
}

// guids are ids as literals.
func guids(ids []string) []odata.Literal {
	out := make([]odata.Literal, len(ids))
	for i, id := range ids {
		out[i] = odata.Guid(id)
	}
	return out
}

// texts are names as literals.
func texts(names []string) []odata.Literal {
	out := make([]odata.Literal, len(names))
	for i, n := range names {
		out[i] = odata.String(n)
	}
	return out
}
