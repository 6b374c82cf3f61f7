package web

import (
	"context"
	"net/http"
)

// Notification is what the headers of a request say by which Google tells of a change
// (https://developers.google.com/workspace/calendar/api/guides/push#receive).
type Notification struct {
	// Channel is the id of a channel, and Token its secret.
	Channel, Token string
	// Resource is the service's id of what changed, and State what happened to it.
	Resource, State string
}

// Notified is what the function calendar-push stands on.
type Notified interface {
	// Notify has the user synchronized soon whose calendar changed. store.ErrNotFound where the notification is of no channel
	// that counts.
	Notify(ctx context.Context, n Notification) error
}

// Push serves the function that Google calls when something of a user changed. Anybody may call it: what counts is
// what the headers say.
func (s *Site) Push(name string, to Notified) http.Handler {
	return s.machine(name, func(w http.ResponseWriter, r *http.Request) error {
		if r.Method != http.MethodPost {
			return notAllowed(w, http.MethodPost)
		}
		err := to.Notify(r.Context(), Notification{
			Channel: r.Header.Get("X-Goog-Channel-ID"), Token: r.Header.Get("X-Goog-Channel-Token"),
			Resource: r.Header.Get("X-Goog-Resource-ID"), State: r.Header.Get("X-Goog-Resource-State"),
		})
		if err == nil {
			w.WriteHeader(http.StatusNoContent)
		}
		return err
	})
}
