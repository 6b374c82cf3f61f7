package storetest

import (
	"cmp"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/tandem-sync/tandem/shared/fault"
	"github.com/tandem-sync/tandem/shared/record"
	"github.com/tandem-sync/tandem/shared/store"
)

// newChannel stores a channel of a user that is due then.
func newChannel(t *testing.T, s store.Store, user string, due time.Time) store.Channel {
	t.Helper()
	id, err := s.NewChannelID(t.Context())
	must(t, err)
	c := store.Channel{
		ID: id, User: user, State: store.ChannelOpening, Token: []byte{1, 2, 3}, Address: "https://tandem.example.com/calendar-push", Due: due, Expires: due.Add(time.Hour),
	}
	must(t, signedIn(t, s, user).PutChannel(t.Context(), c))
	return c
}

func channelsOf(t *testing.T, u store.User) []store.Channel {
	t.Helper()
	out, err := u.Channels(t.Context())
	must(t, err)
	slices.SortFunc(out, func(a, b store.Channel) int { return cmp.Compare(a.ID, b.ID) })
	return out
}

var channelTests = map[string]func(*testing.T, store.Store){
	"a channel is found by its id, whoever's it is, until it is deleted": func(t *testing.T, s store.Store) {
		ctx := t.Context()
		c := newChannel(t, s, "ada", noon)
		found, err := s.Channel(ctx, c.ID)
		must(t, err)
		same(t, "channel", found, c)
		must(t, signedIn(t, s, "bob").DeleteChannel(ctx, c.ID))
		must(t, signedIn(t, s, "ada").DeleteChannel(ctx, c.ID))
		must(t, signedIn(t, s, "ada").DeleteChannel(ctx, c.ID))
		_, err = s.Channel(ctx, c.ID)
		wantError(t, err, store.ErrNotFound)
		due, err := s.DueChannels(ctx, noon, 10)
		must(t, err)
		same(t, "due", due, []store.Channel(nil))
	},
	"no two channels have one id, and an id fits the service": func(t *testing.T, s store.Store) {
		ids := map[string]bool{}
		for range 20 {
			id, err := s.NewChannelID(t.Context())
			must(t, err)
			if ids[id] || len(id) > 64 {
				t.Errorf("made %q", id)
			}
			ids[id] = true
		}
	},
	"an invented id is no channel's, though one were stored under it": func(t *testing.T, s store.Store) {
		ctx := t.Context()
		c := newChannel(t, s, "ada", noon)
		swapped := []byte(c.ID)
		swapped[0] = byte('0' + (swapped[0]-'0'+1)%10)
		for _, id := range []string{string(swapped), strings.Repeat("0", len(c.ID)), c.ID[1:], c.ID + "0", "", "__" + c.ID[2:], "a/b"} {
			if stored := c; strings.Trim(id, "0") != "" && !strings.ContainsAny(id, "/_") {
				stored.ID = id
				must(t, signedIn(t, s, "ada").PutChannel(ctx, stored))
			}
			_, err := s.Channel(ctx, id)
			wantError(t, err, store.ErrNotFound)
		}
	},
	"a user's channels are the user's alone": func(t *testing.T, s store.Store) {
		ctx := t.Context()
		own, other := newChannel(t, s, "ada", noon), newChannel(t, s, "bob", noon)
		same(t, "channels", channelsOf(t, signedIn(t, s, "ada")), []store.Channel{own})
		same(t, "channels of nobody", channelsOf(t, signedIn(t, s, "eve")), []store.Channel(nil))
		err := signedIn(t, s, "ada").UpdateChannel(ctx, other.ID, func(*store.Channel) error { return nil })
		wantError(t, err, store.ErrNotFound)
		if err := signedIn(t, s, "ada").PutChannel(ctx, store.Channel{ID: "a/b"}); !fault.Is(err, fault.Bug) {
			t.Errorf("put: %v", err)
		}
	},
	"a channel is changed only where it is there, and its id and user stay": func(t *testing.T, s store.Store) {
		ctx := t.Context()
		c, u := newChannel(t, s, "ada", noon), signedIn(t, s, "ada")
		wantError(t, u.UpdateChannel(ctx, c.ID, func(*store.Channel) error { return errRefused }), errRefused)
		must(t, u.UpdateChannel(ctx, c.ID, func(c *store.Channel) error {
			c.State, c.ResourceID, c.Failed, c.Due, c.ID, c.User = store.ChannelClosing, "calendar", 2, noon.Add(time.Hour), "other", "bob"
			return nil
		}))
		c.State, c.ResourceID, c.Failed, c.Due = store.ChannelClosing, "calendar", 2, noon.Add(time.Hour)
		found, err := s.Channel(ctx, c.ID)
		must(t, err)
		same(t, "channel", found, c)
		must(t, u.DeleteChannel(ctx, c.ID))
		wantError(t, u.UpdateChannel(ctx, c.ID, func(*store.Channel) error { return nil }), store.ErrNotFound)
	},
	"due are those whose time has come, the longest first": func(t *testing.T, s store.Store) {
		ctx := t.Context()
		late, early := newChannel(t, s, "ada", noon), newChannel(t, s, "bob", noon.Add(-time.Minute))
		newChannel(t, s, "ada", noon.Add(time.Second))
		for limit, want := range map[int][]store.Channel{0: nil, 1: {early}, 2: {early, late}, 10: {early, late}} {
			due, err := s.DueChannels(ctx, noon, limit)
			must(t, err)
			same(t, "due", due, want)
		}
		// A later time takes the place of the former one.
		must(t, signedIn(t, s, "bob").UpdateChannel(ctx, early.ID, func(c *store.Channel) error {
			c.Due = noon.Add(time.Hour)
			return nil
		}))
		late.Due = noon.Add(2 * time.Hour)
		must(t, signedIn(t, s, "ada").PutChannel(ctx, late))
		due, err := s.DueChannels(ctx, noon, 10)
		must(t, err)
		same(t, "due", due, []store.Channel(nil))
	},
	"an erased user has no channel, and the others have theirs": func(t *testing.T, s store.Store) {
		ctx := t.Context()
		gone, stays := newChannel(t, s, "ada", noon), newChannel(t, s, "bob", noon)
		must(t, s.User("ada").Erase(ctx))
		_, err := s.Channel(ctx, gone.ID)
		wantError(t, err, store.ErrNotFound)
		due, err := s.DueChannels(ctx, noon, 10)
		must(t, err)
		same(t, "due", due, []store.Channel{stays})
	},
	"what a sync knows of its channel comes back": func(t *testing.T, s store.Store) {
		ctx, u := t.Context(), signedIn(t, s, "ada")
		want := store.Push{Channel: "c", Address: "https://tandem.example.com", Next: noon, Busy: noon.Add(time.Minute), Failed: 1, Refused: "refused"}
		must(t, u.UpdateSync(ctx, record.Activities, func(d *store.Sync) error {
			d.Push = want
			return nil
		}))
		d, err := u.Sync(ctx, record.Activities)
		must(t, err)
		same(t, "push", d.Push, want)
	},
}
