package syncer

import (
	"context"
	"fmt"
	"slices"
	"strings"

	"github.com/tandem-sync/tandem/shared/record"
	"github.com/tandem-sync/tandem/shared/store"
)

// conceal takes out of records what nobody is to see of them: of those that are private by any user's copy, where one of their
// users keeps private records to themselves.
func (l *loader) conceal(ctx context.Context, s record.Side, records []record.Packed) error {
	side, is := l.sides[s].(Discreet)
	if copied, ok := l.copiedSide(); !is || !ok || copied != s {
		return nil
	}
	named := map[string][]int{}
	for i, p := range records {
		if rec := p.Unpack(); !rec.Gone {
			if name := l.sharedName(s, rec.AdapterState); name != "" {
				named[name] = append(named[name], i)
			}
		}
	}
	private, err := l.privateAmong(ctx, side, records, named)
	if err != nil || len(private) == 0 {
		return err
	}
	users, addresses := map[string]bool{}, map[string]bool{}
	for _, p := range private {
		for _, u := range p.users {
			users[u] = true
		}
		for _, a := range p.addresses {
			addresses[a] = true
		}
	}
	careful, err := l.engine.Others.Careful(ctx, l.engine.Type, sortedKeys(users), sortedKeys(addresses))
	if err != nil {
		return fmt.Errorf("find who keeps private records to themselves: %w", err)
	}
	for i, p := range private {
		if slices.ContainsFunc(careful, p.isOf) {
			records[i] = record.Pack(side.Conceal(records[i].Unpack()))
		}
	}
	return nil
}

// confidants are who has part in a private record: users who have a copy, and the addresses of all others.
type confidants struct{ users, addresses []string }

func (c confidants) isOf(u Careful) bool {
	return slices.Contains(c.users, u.User) || u.Address != "" && slices.ContainsFunc(c.addresses, func(a string) bool { return strings.EqualFold(a, u.Address) })
}

// privateAmong are those of the records with names that are private by any user's copy, by their places.
func (l *loader) privateAmong(ctx context.Context, side Discreet, records []record.Packed, named map[string][]int) (map[int]confidants, error) {
	copies, err := l.copies(ctx, sortedKeys(named), nil)
	if err != nil {
		return nil, err
	}
	of := map[string][]store.Copy{}
	for _, c := range copies {
		if c.Active && c.User != l.user.ID() {
			of[c.Shared] = append(of[c.Shared], c)
		}
	}
	out := map[int]confidants{}
	for name, places := range named {
		for _, i := range places {
			state := records[i].Unpack().AdapterState
			if !side.Private(state) && !slices.ContainsFunc(of[name], func(c store.Copy) bool { return c.Private }) {
				continue
			}
			who := confidants{users: []string{l.user.ID()}, addresses: side.Addresses(state)}
			for _, c := range of[name] {
				who.users = append(who.users, c.User)
			}
			out[i] = who
		}
	}
	return out, nil
}
