package google

import (
	"fmt"

	"github.com/tandem-sync/tandem/shared/fault"
)

const (
	// maxPages is how many pages a list may have: ten million people, in the pages that Tandem asks for.
	maxPages = 10_000
	// maxEmpty is how many pages in a row may have nothing. Google returns empty pages where what it looked through is not to be
	// listed (https://developers.google.com/calendar/api/guides/pagination).
	maxEmpty = 100
)

// Pages notices that a list which is read page by page comes to no end. Its zero value is one of which no page was read.
type Pages struct {
	seen  map[string]bool
	empty int
}

// Next is the token of the next page after one with so many entries; empty behind the last page. A list whose pages repeat
// themselves or never end is an error of kind Retry.
func (p *Pages) Next(what, token string, entries int) (string, error) {
	if token == "" {
		return "", nil
	}
	if p.empty++; entries > 0 {
		p.empty = 0
	}
	switch {
	case p.seen[token]:
		return "", endless(what, "the pages repeat themselves")
	case p.empty >= maxEmpty, len(p.seen) >= maxPages:
		return "", endless(what, "the pages come to no end")
	case p.seen == nil:
		p.seen = map[string]bool{}
	}
	p.seen[token] = true
	return token, nil
}

func endless(what, why string) error {
	return fault.New(fault.Retry, Side, "incomplete-list", fmt.Errorf("%s: %s", what, why))
}
