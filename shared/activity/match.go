package activity

import (
	"github.com/tandem-sync/tandem/shared/match"
	"github.com/tandem-sync/tandem/shared/record"
)

// ByTitleAndTime is the reason of an activity and an event that have one title and one time.
const ByTitleAndTime match.Reason = "title and time"

// Match are the rules by which activities and events that have no link yet are found to be the same.
var Match = match.Rules{
	Levels:   []match.Level{{Reason: ByTitleAndTime, Keys: titleAndTime, Least: match.Same}},
	SameName: func(a, b match.Item) bool { return record.Fold(Name(a.Fields)) == record.Fold(Name(b.Fields)) },
	Compare:  func(match.Item, match.Item) match.Verdict { return match.Same },
	InOrder:  true,
}

func titleAndTime(it match.Item) []string {
	when := it.Fields.One(When)
	if when.IsZero() {
		return nil
	}
	return []string{record.Fold(Name(it.Fields)) + "|" + when.Kind + "|" + when.Text}
}
