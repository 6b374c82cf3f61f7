package store

import "time"

// ChannelState is how far a channel is.
type ChannelState string

// The states of a channel.
const (
	// ChannelOpening is stored before the service is asked for the channel. It may be there or not.
	ChannelOpening ChannelState = "opening"
	ChannelOpen    ChannelState = "open"
	// ChannelClosing is to be stopped. What comes by it counts no more.
	ChannelClosing ChannelState = "closing"
)

// Channel is one by which Google tells of changes of a user's calendar.
type Channel struct {
	// ID is one that NewChannelID made.
	ID string `json:"id"`
	// User is filled in by the store.
	User  string       `json:"user"`
	State ChannelState `json:"state"`
	// Token is the SHA-256 of the secret that every message has to carry.
	Token []byte `json:"token,omitempty"`
	// Address is where messages go.
	Address string `json:"address"`
	// ResourceID is the service's id of what is watched; empty until it told. A channel can be stopped only with it.
	ResourceID string `json:"resourceId,omitempty"`
	// Failed counts failures in a row to stop the channel.
	Failed int `json:"failed,omitempty"`
	// Due is when somebody has to look at the channel, to renew or to stop it, unless a run of the user did before.
	Due time.Time `json:"due"`
	// Expires is when the channel ends by itself.
	Expires time.Time `json:"expires"`
}

// Push is what a sync knows of its channel, so that a run need not read the channels to know that all is well.
type Push struct {
	// Channel is the one in use, and Address where its messages go; empty where there is none.
	Channel string `json:"channel,omitempty"`
	Address string `json:"address,omitempty"`
	// Next is when the channel is to be renewed, or opening one to be tried again.
	Next time.Time `json:"next,omitzero"`
	// Busy is until when somebody may be opening a channel, and nobody else does.
	Busy time.Time `json:"busy,omitzero"`
	// Failed counts failures in a row to open a channel, and Refused is the code of the last one where the service refused it
	// for a reason that does not pass by itself.
	Failed  int    `json:"failed,omitempty"`
	Refused string `json:"refused,omitempty"`
}
