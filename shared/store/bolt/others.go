package bolt

import (
	"context"
	"slices"
	"strings"

	"go.etcd.io/bbolt"

	"github.com/tandem-sync/tandem/shared/record"
	"github.com/tandem-sync/tandem/shared/store"
)

// FindUsers goes over everybody.
func (s *Store) FindUsers(ctx context.Context, contacts, addresses []string) ([]store.Profile, error) {
	has := func(values []string, v string) bool {
		return v != "" && slices.ContainsFunc(values, func(one string) bool { return strings.EqualFold(strings.TrimSpace(one), v) })
	}
	var out []store.Profile
	for p, err := range s.Users(ctx) {
		if err != nil {
			return nil, err
		}
		if has(contacts, p.Creatio.ContactID) || has(addresses, p.Google.Email) {
			out = append(out, p)
		}
	}
	return out, nil
}

// Copies asks the indexes of everybody's links.
func (s *Store) Copies(ctx context.Context, t record.Type, shared, creatioIDs []string) ([]store.Copy, error) {
	var ids []string
	err := s.view(ctx, "find copies", func(tx *bbolt.Tx) error {
		users := find(tx, "users")
		if users == nil {
			return nil
		}
		return users.ForEachBucket(func(id []byte) error {
			ids = append(ids, string(id))
			return nil
		})
	})
	if err != nil {
		return nil, err
	}
	var out []store.Copy
	for _, id := range ids {
		u := &user{s: s, id: id}
		for name, values := range map[string][]string{"shared": shared, string(record.Creatio): creatioIDs} {
			links, err := u.indexed(ctx, t, name, values)
			if err != nil {
				return nil, err
			}
			for _, l := range links {
				if c, is := store.CopyOf(id, l); is && !slices.Contains(out, c) {
					out = append(out, c)
				}
			}
		}
	}
	return out, nil
}
