package app

import (
	"context"
	"encoding/json"
	"errors"
	"time"

	"github.com/tandem-sync/tandem/shared/google/calendar"
	"github.com/tandem-sync/tandem/shared/record"
	"github.com/tandem-sync/tandem/shared/store"
)

// exported is everything kept about a user, without secrets.
type exported struct {
	Profile store.Profile `json:"profile"`
	// ForgetAt is when everything below but the syncs' settings is forgotten, unless both accounts are linked before.
	ForgetAt time.Time                    `json:"forgetAt,omitzero"`
	Syncs    []store.Sync                 `json:"syncs"`
	Links    map[record.Type][]store.Link `json:"links"`
	Pairs    map[record.Type][]store.Pair `json:"pairs"`
	// Members are the ids in scope on each side; Series are recurring events, and what differs from them; Blobs is whatever else is
	// kept as bytes.
	Members map[record.Type]map[record.Side]store.MemberSet `json:"members"`
	Series  json.RawMessage                                 `json:"series,omitempty"`
	Blobs   map[record.Type]map[string][]byte               `json:"blobs"`
	// Claims and WriteNotes are all that is known of them here: what they are of is kept as a hash.
	Claims     []store.Claim     `json:"claims"`
	WriteNotes []store.WriteNote `json:"writeNotes"`
	// Channels are those by which Google tells of changes of the calendar.
	Channels []store.Channel `json:"channels"`
	// AccessTokens are those of the user's scripts, without what they are proved by.
	AccessTokens []store.AccessToken `json:"accessTokens"`
	Runs         []store.Run         `json:"runs"`
}

// Export is everything kept about a user.
func (s service) Export(ctx context.Context, user string) (any, error) {
	u := s.app.store.User(user)
	out := exported{
		Links: map[record.Type][]store.Link{}, Pairs: map[record.Type][]store.Pair{},
		Members: map[record.Type]map[record.Side]store.MemberSet{}, Blobs: map[record.Type]map[string][]byte{},
	}
	var err error
	if out.Profile, err = u.Profile(ctx); err != nil {
		return nil, err
	}
	out.ForgetAt = s.app.forgetAt(out.Profile)
	for _, t := range []record.Type{record.Contacts, record.Activities} {
		if err := out.addType(ctx, u, t); err != nil {
			return nil, err
		}
	}
	if out.Claims, err = u.Claims(ctx); err != nil {
		return nil, err
	}
	if out.WriteNotes, err = u.OwnWriteNotes(ctx); err != nil {
		return nil, err
	}
	if out.Channels, err = u.Channels(ctx); err != nil {
		return nil, err
	}
	for i := range out.Channels {
		out.Channels[i].Token = nil
	}
	if out.AccessTokens, err = exportedTokens(ctx, u); err != nil {
		return nil, err
	}
	if out.Runs, err = allRuns(ctx, u); err != nil {
		return nil, err
	}
	return out, nil
}

// addType adds what is kept of one sync type.
func (e *exported) addType(ctx context.Context, u store.User, t record.Type) error {
	doc, err := u.Sync(ctx, t)
	if err != nil {
		return err
	}
	e.Syncs = append(e.Syncs, doc)
	for l, err := range u.Links(ctx, t) {
		if err != nil {
			return err
		}
		e.Links[t] = append(e.Links[t], l)
	}
	for p, err := range u.Pairs(ctx, t) {
		if err != nil {
			return err
		}
		e.Pairs[t] = append(e.Pairs[t], p)
	}
	e.Members[t], e.Blobs[t] = map[record.Side]store.MemberSet{}, map[string][]byte{}
	for b, err := range u.Blobs(ctx, t) {
		if err != nil {
			return err
		}
		if side, is := store.IsMembersBlob(b.Name); is {
			e.Members[t][side], err = store.DecodeMemberSet(b.Data)
		} else if side, is := store.IsRetainedBlob(b.Name); is && t == record.Activities && side == record.Google {
			e.Series, err = calendar.ReadKept(b.Data)
		} else {
			e.Blobs[t][b.Name] = b.Data
		}
		if err != nil {
			return err
		}
	}
	return nil
}

// allRuns are the user's runs with their changes.
func allRuns(ctx context.Context, u store.User) ([]store.Run, error) {
	const atOnce = 100
	out := []store.Run{}
	for before := ""; ; {
		page, err := u.Runs(ctx, "", atOnce, before)
		if err != nil {
			return nil, err
		}
		for _, summary := range page {
			run, err := u.Run(ctx, summary.ID)
			switch {
			case errors.Is(err, store.ErrNotFound):
			case err != nil:
				return nil, err
			default:
				out = append(out, run)
			}
		}
		if len(page) < atOnce {
			return out, nil
		}
		before = page[len(page)-1].ID
	}
}
