package document

import (
	"crypto/hmac"
	"encoding/base32"
	"encoding/hex"

	"github.com/tandem-sync/tandem/shared/store"
)

// ChannelSeedSize is how many random bytes make an id of a channel.
const ChannelSeedSize = 16

// channelMAC is how many bytes of the message authentication code are part of an id. With them an id has 52 characters; the
// service takes 64 at most (https://developers.google.com/workspace/calendar/api/v3/reference/events/watch).
const channelMAC = 16

var channelText = base32.HexEncoding.WithPadding(base32.NoPadding)

// ChannelID is the id of a channel that is made of so many random bytes.
func (k HashKey) ChannelID(seed []byte) string {
	return channelText.EncodeToString(append(seed[:ChannelSeedSize:ChannelSeedSize], k.channelMAC(seed)...))
}

// MadeChannel reports whether ChannelID made an id.
func (k HashKey) MadeChannel(id string) bool {
	raw, err := channelText.DecodeString(id)
	return err == nil && len(raw) == ChannelSeedSize+channelMAC && hmac.Equal(raw[ChannelSeedSize:], k.channelMAC(raw[:ChannelSeedSize]))
}

func (k HashKey) channelMAC(seed []byte) []byte {
	raw, _ := hex.DecodeString(k.hash("channel", string(seed))) // it is hexadecimal
	return raw[:channelMAC]
}

// LikeChannel reports whether an id has the length of a channel's. No other one is worth reading the key for.
func LikeChannel(id string) bool {
	return len(id) == channelText.EncodedLen(ChannelSeedSize+channelMAC) && ValidID(id)
}

// OwnChannel is a channel as it is kept of a user.
func OwnChannel(user string, c store.Channel) (store.Channel, error) {
	c.User = user
	return c, ToWrite(c.ID)
}
