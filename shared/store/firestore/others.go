package firestore

import (
	"context"
	"slices"
	"strings"
	"unicode/utf8"

	"github.com/tandem-sync/tandem/shared/record"
	"github.com/tandem-sync/tandem/shared/store"
)

// FindUsers costs 1 read for each user, at least 1 for every 30 contacts and for every 30 addresses.
func (s *Store) FindUsers(ctx context.Context, contacts, addresses []string) ([]store.Profile, error) {
	var out []store.Profile
	for field, values := range map[string][]string{"contact": contacts, "email": addresses} {
		found, err := anyOf[store.Profile](ctx, s, s.client.Collection("users"), field, lower(values))
		if err != nil {
			return nil, wrap("find users", err)
		}
		out = append(out, found...)
	}
	slices.SortFunc(out, func(a, b store.Profile) int { return strings.Compare(a.ID, b.ID) })
	return slices.CompactFunc(out, func(a, b store.Profile) bool { return a.ID == b.ID }), nil
}

func lower(values []string) []string {
	out := make([]string, len(values))
	for i, v := range values {
		out[i] = strings.ToLower(strings.TrimSpace(v))
	}
	return out
}

// Copies costs 1 read for each link, at least 1 for every 30 values of either kind.
func (s *Store) Copies(ctx context.Context, t record.Type, shared, creatioIDs []string) ([]store.Copy, error) {
	var out []store.Copy
	for field, values := range map[string][]string{"shared": shared, idField(record.Creatio): creatioIDs} {
		values = slices.Compact(slices.Sorted(slices.Values(values)))
		values = slices.DeleteFunc(values, func(v string) bool { return v == "" || !utf8.ValidString(v) })
		for piece := range slices.Chunk(values, perQuery) {
			snaps, err := s.query(ctx, s.client.CollectionGroup("links").Where("type", "==", string(t)).Where(field, "in", piece))
			if err != nil {
				return nil, wrap("find copies", err)
			}
			for _, snap := range snaps {
				l, err := whole[store.Link](ctx, s, snap)
				if err != nil {
					return nil, wrap("find copies", err)
				}
				// A link is below the sync, and that below the user.
				if c, is := store.CopyOf(snap.Ref.Parent.Parent.Parent.Parent.ID, l); is && !slices.Contains(out, c) {
					out = append(out, c)
				}
			}
		}
	}
	return out, nil
}
