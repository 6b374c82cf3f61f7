package calendar

import (
	"net/http"
	"testing"
	"time"

	"github.com/tandem-sync/tandem/shared/fault"
	"github.com/tandem-sync/tandem/shared/google"
	box "github.com/tandem-sync/tandem/shared/sandbox/google"
	"github.com/tandem-sync/tandem/shared/sandbox/google/calendar"
)

func TestA_channel_is_opened_and_stopped(t *testing.T) {
	t.Parallel()
	d := newDiary(t)
	client, err := google.NewClient(d.client)
	must(t, err)
	channels, err := NewChannels(client)
	must(t, err)
	ctx := t.Context()
	const address = "https://tandem.example.com/calendar-push"
	resource, expires, err := channels.Watch(ctx, "one", "secret", address, 24*time.Hour)
	must(t, err)
	open := d.google.Calendars().Channels(ada)
	if len(open) != 1 || open[0].ID != "one" || open[0].Token != "secret" || open[0].Address != address || open[0].ResourceID != resource {
		t.Errorf("opened %+v, and %q was told", open, resource)
	}
	if want := client.Now().Add(24 * time.Hour); !expires.Equal(want) || !open[0].Expires.Equal(want) {
		t.Errorf("the channel ends at %s, and %s was told, want %s", open[0].Expires, expires, want)
	}
	if _, _, err := channels.Watch(ctx, "one", "secret", address, time.Hour); !fault.Is(err, fault.Conflict) {
		t.Errorf("the same id again: %v", err)
	}
	if err := channels.Stop(ctx, "one", "other"); !fault.Is(err, fault.Gone) {
		t.Errorf("stopped with another resource: %v", err)
	}
	must(t, channels.Stop(ctx, "one", resource))
	if err := channels.Stop(ctx, "one", resource); !fault.Is(err, fault.Gone) {
		t.Errorf("stopped twice: %v", err)
	}
	if open := d.google.Calendars().Channels(ada); len(open) != 0 {
		t.Errorf("left is %+v", open)
	}
}

func TestA_refusal_to_open_a_channel_says_whether_it_may_be_open(t *testing.T) {
	t.Parallel()
	d := newDiary(t)
	client, err := google.NewClient(d.client)
	must(t, err)
	channels, err := NewChannels(client)
	must(t, err)
	for name, tc := range map[string]struct {
		fails     *box.Fault
		address   string
		kind      fault.Kind
		ambiguous bool
	}{
		"an address that is not encrypted": {address: "http://tandem.example.com/calendar-push", kind: fault.Misconfigured},
		"an address of somebody else":      {fails: box.Refuse(calendar.WebhookUnauthorized()), kind: fault.Misconfigured},
		"no permission":                    {fails: box.Refuse(calendar.Forbidden()), kind: fault.Misconfigured},
		"too many requests":                {fails: box.Refuse(calendar.RateLimited()), kind: fault.Retry},
		"trouble":                          {fails: box.Refuse(calendar.BackendError()), kind: fault.Retry, ambiguous: true},
		"an answer that is lost":           {fails: &box.Fault{Drop: true, After: true}, kind: fault.Retry, ambiguous: true},
	} {
		d.google.SetFault(func(*http.Request) *box.Fault { return tc.fails })
		if tc.address == "" {
			tc.address = "https://tandem.example.com/calendar-push"
		}
		_, _, err := channels.Watch(t.Context(), "one", "secret", tc.address, time.Hour)
		if !fault.Is(err, tc.kind) || fault.Ambiguous(err) != tc.ambiguous {
			t.Errorf("%s: got %v, ambiguous %t", name, err, fault.Ambiguous(err))
		}
	}
}
