package app

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/tandem-sync/tandem/shared/fault"
	"github.com/tandem-sync/tandem/shared/record"
	"github.com/tandem-sync/tandem/shared/store"
	"github.com/tandem-sync/tandem/shared/web"
)

// maxVerdicts bounds what a user may say before a run has followed it: a document may not grow without end.
const maxVerdicts = 1000

// openDoubts counts the doubts about which the user has not said anything.
func openDoubts(d store.Sync) int {
	n := d.Pairs.Doubts
	for _, v := range d.Verdicts {
		if v.Doubt {
			n--
		}
	}
	return max(n, 0)
}

func (s service) Doubts(ctx context.Context, user string, t record.Type, limit int) ([]web.Doubt, error) {
	u := s.app.store.User(user)
	doc, err := u.Sync(ctx, t)
	if err != nil || doc.Pairs.Doubts == 0 {
		return nil, err
	}
	var out []web.Doubt
	for p, err := range u.Pairs(ctx, t) {
		if err != nil {
			return nil, err
		}
		_, said := verdictOn(doc, p.ID)
		if p.State == store.StateDoubt && !p.Silent && !said {
			out = append(out, web.Doubt{
				CreatioID: p.CreatioID, GoogleID: p.GoogleID, Creatio: p.Names[record.Creatio], Google: p.Names[record.Google], Since: p.Since,
			})
		}
	}
	slices.SortStableFunc(out, func(a, b web.Doubt) int { return a.Since.Compare(b.Since) })
	return out[:min(limit, len(out))], nil
}

// verdictOn is what the user said of a pair and no run has followed yet.
func verdictOn(doc store.Sync, pair string) (store.Verdict, bool) {
	i := slices.IndexFunc(doc.Verdicts, func(v store.Verdict) bool { return store.PairID(v.CreatioID, v.GoogleID) == pair })
	if i < 0 {
		return store.Verdict{}, false
	}
	return doc.Verdicts[i], true
}

func (s service) Settle(ctx context.Context, user string, t record.Type, v web.Verdict) error {
	u, err := s.ready(ctx, user, t)
	if err != nil {
		return err
	}
	known, err := knownOf(ctx, u, t, v)
	if err != nil {
		return err
	}
	id := store.PairID(known.creatioID, v.GoogleID)
	follow, begun := false, ""
	err = u.UpdateSync(ctx, t, func(d *store.Sync) error {
		said, pending := verdictOn(*d, id)
		begun = d.Lease.Owner
		if follow, err = known.follows(v.Same, said, pending); err != nil || !follow {
			return err
		}
		if len(d.Verdicts) >= maxVerdicts {
			return fault.New(fault.Retry, "", "busy", errors.New("a run has to follow what the user said before"))
		}
		d.Verdicts = slices.DeleteFunc(slices.Clone(d.Verdicts), func(other store.Verdict) bool { return other == said })
		d.Verdicts = append(d.Verdicts, store.Verdict{
			CreatioID: known.creatioID, GoogleID: v.GoogleID, Same: v.Same, Doubt: known.doubt, At: s.app.now().UTC(),
		})
		return nil
	})
	if err != nil || !follow {
		return err
	}
	// The word is kept whatever becomes of this run: the next one follows it.
	_, err = s.app.asked(ctx, user, t, begun)
	return err
}

// acquaintance is what is known of two records.
type acquaintance struct {
	// creatioID is the record's id as it is kept: its letters may be of either case.
	creatioID string
	// linked says that they are linked with each other, elsewhere that one of them is linked with a third.
	linked, elsewhere bool
	// state is what is kept of the pair, doubt that it waits for the user's word.
	state store.PairState
	doubt bool
}

// knownOf finds what is known of two records. One that nothing is known of as the user's own is store.ErrNotFound.
func knownOf(ctx context.Context, u store.User, t record.Type, v web.Verdict) (acquaintance, error) {
	var out acquaintance
	found := map[record.Side]bool{}
	for side, ids := range map[record.Side][]string{record.Creatio: {v.CreatioID, strings.ToLower(v.CreatioID)}, record.Google: {v.GoogleID}} {
		links, err := u.LinksBy(ctx, t, side, ids)
		if err != nil {
			return out, err
		}
		pairs, err := u.PairsBy(ctx, t, side, ids)
		if err != nil {
			return out, err
		}
		for _, l := range links {
			found[side] = true
			switch is := strings.EqualFold(l.CreatioID, v.CreatioID) && l.GoogleID == v.GoogleID; {
			case is:
				out.linked, out.creatioID = true, l.CreatioID
			case l.CreatioID != "" && l.GoogleID != "":
				out.elsewhere = true
			}
		}
		for _, p := range pairs {
			found[side] = true
			if strings.EqualFold(p.CreatioID, v.CreatioID) && p.GoogleID == v.GoogleID {
				out.state, out.creatioID = p.State, p.CreatioID
				out.doubt = p.State == store.StateDoubt && !p.Silent
			}
		}
	}
	if !found[record.Creatio] || !found[record.Google] {
		return out, fmt.Errorf("find the records of a pair: %w", store.ErrNotFound)
	}
	return out, nil
}

// follows reports whether a run has to follow the user's word; not where everything is so already.
func (a acquaintance) follows(same bool, said store.Verdict, pending bool) (bool, error) {
	switch {
	case !a.linked && a.state == "":
		return false, web.ErrNoPair
	case same && a.elsewhere && !a.linked:
		return false, web.ErrLinkedElsewhere
	case pending:
		// The same word again may be heard by a run that was not queued the first time.
		return true, nil
	case a.linked:
		return !same, nil
	case same:
		return a.state != store.StateSame, nil
	default:
		return a.state != store.StateDifferent, nil
	}
}
