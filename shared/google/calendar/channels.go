package calendar

import (
	"context"
	"strconv"
	"strings"
	"time"

	gcal "google.golang.org/api/calendar/v3"

	"github.com/tandem-sync/tandem/shared/fault"
	"github.com/tandem-sync/tandem/shared/google"
)

// Channels opens and stops channels by which the service tells of changes of a user's events
// (https://developers.google.com/workspace/calendar/api/guides/push).
type Channels struct {
	api     *google.Client
	service *gcal.Service
}

// NewChannels opens the channels of the user for whom the client calls.
func NewChannels(client *google.Client) (*Channels, error) {
	service, err := newService(client)
	if err != nil {
		return nil, err
	}
	return &Channels{client, service}, nil
}

// Watch opens a channel of the user's primary calendar. It returns the service's id of what is watched, and when the channel
// ends, which may be sooner than asked for; zero where the service does not say. If the service has a channel of the id, the
// error is of kind Conflict.
func (c *Channels) Watch(ctx context.Context, id, token, address string, lifetime time.Duration) (resourceID string, expires time.Time, err error) {
	reply, err := c.service.Events.Watch(primary, &gcal.Channel{
		Id: id, Token: token, Address: address, Type: "web_hook",
		Params: map[string]string{"ttl": strconv.Itoa(int(lifetime.Seconds()))},
	}).Context(ctx).Do()
	if err != nil {
		return "", time.Time{}, c.api.Classify("open a channel", err, true)
	}
	if reply.Expiration > 0 {
		expires = time.UnixMilli(reply.Expiration).UTC()
	}
	return reply.ResourceId, expires, nil
}

// Stop stops a channel. If there is none, the error is of kind Gone.
func (c *Channels) Stop(ctx context.Context, id, resourceID string) error {
	err := c.service.Channels.Stop(&gcal.Channel{Id: id, ResourceId: resourceID}).Context(ctx).Do()
	return c.api.Classify("stop a channel", err, true)
}

// newService makes the generated client of the API.
func newService(client *google.Client) (*gcal.Service, error) {
	below := google.Client{Options: client.Options}
	if below.Endpoint != "" {
		below.Endpoint = strings.TrimSuffix(below.Endpoint, "/") + "/" + api
	}
	service, err := gcal.NewService(context.Background(), below.Service()...)
	if err != nil {
		return nil, fault.Errorf(fault.Misconfigured, google.Side, "client", "open calendar: %w", err)
	}
	return service, nil
}
