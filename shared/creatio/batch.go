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
	// MaxParts is how many requests Creatio accepts in one batch.
	MaxParts = 100
	// MaxListed is how many values one query lists. Creatio uses Microsoft's OData library, which allows 100 nodes in a
	// filter by default. A comparison by a path with its "or" has seven where the column may be null, as it may on most sites, and
	// a query has other conditions too.
	MaxListed = 10
	// MaxListedTwice is the same for a query that lists its values for two columns.
	MaxListedTwice = 5
)

// Answer is the result of one query: all of its rows, or an error.
type Answer struct {
	Rows []odata.Row
	// Total is the number of rows on the site if the query asked for it.
	Total int
	Err   error
}

// writeAndRead sends parts that write and, behind them in the same batch, queries. A query of which the reply is not whole is
// answered with an error: the parts have taken effect whatever is wrong with it.
func (s *Site) writeAndRead(ctx context.Context, parts []odata.Part, queries []odata.Query) ([]odata.Reply, []Answer, error) {
	all := slices.Clone(parts)
	for _, q := range queries {
		q.Top, q.Count, q.OrderBy = s.pageSize(q), true, []odata.Order{{Path: "Id"}}
		all = append(all, odata.Part{Method: http.MethodGet, Path: q.Path(), Top: q.Top})
	}
	replies, err := s.client.Batch(ctx, all)
	if UnknownSet(err) {
		err = Required(err)
	}
	if err != nil {
		return nil, nil, err
	}
	answers := make([]Answer, len(queries))
	for i, reply := range replies[len(parts):] {
		answers[i] = Answer{Rows: reply.Rows, Err: reply.Err}
		if reply.Err == nil && s.cut(queries[i], reply) {
			answers[i].Err = fault.Errorf(fault.Retry, Side, "incomplete-list", "list %s: there are more rows", queries[i].Set)
		}
	}
	return replies[:len(parts)], answers, nil
}

// cut reports whether there are more rows than those of a page. If the site does not count, a page that is not full is the
// last.
func (s *Site) cut(q odata.Query, page odata.Reply) bool {
	if page.Count >= 0 {
		return page.Count > int64(len(page.Rows))
	}
	return page.NextLink != "" || len(page.Rows) >= s.pageSize(q)
}

// idsPerRow is how many times more rows are requested at once that are little more than ids.
const idsPerRow = 10

// pageSize is how many rows of a query are requested at once.
func (s *Site) pageSize(q odata.Query) int {
	size := s.options.PageSize
	if len(q.Select) <= 2 && len(q.Expand) == 0 {
		size *= idsPerRow
	}
	return max(1, size>>s.halvings.Load())
}

// ReadAll is Read for queries none of which may fail.
func (s *Site) ReadAll(ctx context.Context, queries []odata.Query) ([]Answer, error) {
	answers, err := s.Read(ctx, queries)
	if err != nil {
		return nil, err
	}
	for _, a := range answers {
		if a.Err != nil {
			return nil, Barred(a.Err)
		}
	}
	return answers, nil
}

// Barred converts the error of reading a list. If the user may not read the list, no record is at fault: an administrator
// has to grant the right. The list must not be treated as empty, because that would remove its records.
func Barred(err error) error {
	if fault.Is(err, fault.ReadOnly) {
		return fault.New(fault.Misconfigured, Side, "no-access", err)
	}
	return err
}

// concernsAll reports whether an error concerns more than one query or record.
func concernsAll(err error) bool {
	switch fault.KindOf(err) {
	case fault.Reconnect, fault.Retry:
		return true
	default:
		return false
	}
}

// UnknownSet reports whether an error says that the site has no such entity set, in JSON or by a page.
func UnknownSet(err error) bool {
	f, ok := errors.AsType[*fault.Error](err)
	return ok && f.Kind == fault.Misconfigured && (f.Code == "unknown-set" || f.Code == "html-instead-of-json")
}

// Required is the error of reading what every site has, as batches. Where the site does not know it, that passes: for minutes after a
// publication Creatio builds its OData entities anew.
func Required(err error) error {
	if UnknownSet(err) {
		return fault.New(fault.Retry, Side, "rebuilding", err)
	}
	return Barred(err)
}

// Guids are ids as literals.
func Guids(ids []string) []odata.Literal {
	out := make([]odata.Literal, len(ids))
	for i, id := range ids {
		out[i] = odata.Guid(id)
	}
	return out
}

// Texts are names as literals.
func Texts(names []string) []odata.Literal {
	out := make([]odata.Literal, len(names))
	for i, n := range names {
		out[i] = odata.String(n)
	}
	return out
}
