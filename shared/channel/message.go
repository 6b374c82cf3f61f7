package channel

import (
	"context"
	"crypto/subtle"
	"fmt"
	"time"

	"github.com/tandem-sync/tandem/shared/store"
)

// Message is what came to the address of channels.
type Message struct {
	// Channel is the id of a channel, Token its secret, and Resource the service's id of what is watched.
	Channel, Token, Resource string
	// State says what happened. The first message of a channel says only that it is open.
	State string
}

// Opened is the state of a channel's first message
// (https://developers.google.com/workspace/calendar/api/guides/push#receive).
const Opened = "sync"

// User is whose calendar a message tells of; store.ErrNotFound where the message is of no channel, or of one that does not
// count any more. Anybody may send messages: an invented id costs no read of the store.
func User(ctx context.Context, s store.Store, m Message, now time.Time) (string, error) {
	c, err := s.Channel(ctx, m.Channel)
	if err != nil {
		return "", fmt.Errorf("receive message: %w", err)
	}
	known := subtle.ConstantTimeCompare(hash(m.Token), c.Token) == 1
	if !known || m.Resource == "" || !now.Before(c.Expires) || c.ResourceID != "" && c.ResourceID != m.Resource {
		return "", fmt.Errorf("receive message: %w", store.ErrNotFound)
	}
	if c.ResourceID == "" {
		// The answer that told it was lost, or is on its way. Without it the channel could not be stopped.
		err := s.User(c.User).UpdateChannel(ctx, c.ID, func(kept *store.Channel) error {
			kept.ResourceID = m.Resource
			c = *kept
			return nil
		})
		if err != nil {
			return "", fmt.Errorf("receive message: %w", err)
		}
	}
	if c.State == store.ChannelClosing {
		return "", fmt.Errorf("receive message: %w", store.ErrNotFound)
	}
	return c.User, nil
}
