package calendar

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net"
	"net/http"
	"net/url"
	"regexp"
	"slices"
	"strconv"
	"time"
)

// channel is one by which changes of a calendar are told of.
type channel struct {
	ID, Token, Address, ResourceID, ResourceURI string
	Expires                                     time.Time
	// Sent is the number of the last message.
	Sent int
	// Waiting are the states of the messages that are to be sent.
	Waiting []string `json:",omitempty"`
}

const (
	// channelLifetime is that of a channel for which none was asked, and the longest one
	// (https://developers.google.com/workspace/calendar/api/v3/reference/events/watch).
	channelLifetime = 7 * 24 * time.Hour
	maxChannelToken = 256
)

var channelID = regexp.MustCompile(`^[A-Za-z0-9\-_+/=]{1,64}$`)

type channelBody struct {
	ID         string            `json:"id"`
	Type       string            `json:"type"`
	Address    string            `json:"address"`
	Token      string            `json:"token"`
	ResourceID string            `json:"resourceId"`
	Expiration json.Number       `json:"expiration"`
	Params     map[string]string `json:"params"`
}

// watch is events.watch. Its channel begins with a message of its own.
func (k *call) watch() (any, *Refusal) {
	var in channelBody
	if err := json.Unmarshal(k.Body, &in); err != nil {
		return nil, refuse("global", "parseError", "Parse Error")
	}
	if f := k.checkChannel(in); f != nil {
		return nil, f
	}
	now := k.s.o.Now()
	expires := now.Add(channelLifetime)
	if seconds, err := strconv.Atoi(in.Params["ttl"]); err == nil && seconds > 0 {
		expires = now.Add(min(time.Duration(seconds)*time.Second, channelLifetime))
	}
	if ms, err := in.Expiration.Int64(); err == nil && ms > 0 {
		if asked := time.UnixMilli(ms); asked.Before(expires) {
			expires = asked
		}
	}
	ch := &channel{
		ID: in.ID, Token: in.Token, Address: in.Address, Expires: expires.UTC(), Waiting: []string{"sync"},
		ResourceID:  strconv.FormatUint(hash64("resource", k.c.Email), 36),
		ResourceURI: k.Base + "/calendar/v3/calendars/" + url.PathEscape(k.c.Email) + "/events?alt=json",
	}
	k.c.Channels = append(k.c.Channels, ch)
	k.s.wake()
	out := content{
		"kind": "api#channel", "id": ch.ID, "resourceId": ch.ResourceID, "resourceUri": ch.ResourceURI,
		"expiration": strconv.FormatInt(ch.Expires.UnixMilli(), 10),
	}
	if ch.Token != "" {
		out["token"] = ch.Token
	}
	return out, nil
}

func (k *call) checkChannel(in channelBody) *Refusal {
	u, err := url.Parse(in.Address)
	switch {
	case in.Type != "web_hook" && in.Type != "webhook":
		return refuse("global", "invalid", "Unknown channel type.")
	case !channelID.MatchString(in.ID):
		return refuse("global", "channelIdInvalid", "Invalid channel id.")
	case err != nil || u.Host == "":
		return refuse("global", "push.webhookUrlNoHostOrAddress", "Invalid WebHook callback: %s", in.Address)
	case u.Scheme != "https" && !loopback(u.Hostname()):
		return refuse("global", "push.webhookUrlNotHttps", "WebHook callback must be HTTPS: %s", in.Address)
	case len(in.Token) > maxChannelToken:
		return refuse("global", "channelTokenTooLong", "The channel token is longer than %d characters.", maxChannelToken)
	}
	for _, c := range k.s.all {
		for _, ch := range c.Channels {
			if ch.ID == in.ID {
				return refuse("global", "channelIdNotUnique", "Channel id not unique")
			}
		}
	}
	return nil
}

// loopback reports whether a host is this machine, which needs no certificate.
func loopback(host string) bool {
	ip := net.ParseIP(host)
	return host == "localhost" || ip != nil && ip.IsLoopback()
}

// stop is channels.stop.
func (k *call) stop() (any, *Refusal) {
	var in channelBody
	if err := json.Unmarshal(k.Body, &in); err != nil {
		return nil, refuse("global", "parseError", "Parse Error")
	}
	at := slices.IndexFunc(k.c.Channels, func(ch *channel) bool { return ch.ID == in.ID && ch.ResourceID == in.ResourceID })
	if at < 0 || !k.s.o.Now().Before(k.c.Channels[at].Expires) {
		f := notFound()
		f.Message = fmt.Sprintf("Channel '%s' not found for project", in.ID)
		return nil, f
	}
	k.c.Channels = slices.Delete(k.c.Channels, at, at+1)
	return nil, nil
}

// announce has every channel of a calendar tell of a change.
func (s *Service) announce(c *calendar) {
	now := s.o.Now()
	c.Channels = slices.DeleteFunc(c.Channels, func(ch *channel) bool { return !now.Before(ch.Expires) })
	for _, ch := range c.Channels {
		ch.Waiting = append(ch.Waiting, "exists")
	}
	s.wake()
}

func (s *Service) wake() {
	select {
	case s.announced <- struct{}{}:
	default:
	}
}

// Channel is an open one.
type Channel struct {
	ID, Token, Address, ResourceID string
	Expires                        time.Time
	// Waiting is how many messages are to be sent.
	Waiting int
}

// Channels are the open channels of a user's calendar.
func (s *Service) Channels(email string) []Channel {
	s.mu.Lock()
	defer s.mu.Unlock()
	var out []Channel
	if c := s.user(email); c != nil {
		for _, ch := range c.Channels {
			if s.o.Now().Before(ch.Expires) {
				out = append(out, Channel{ch.ID, ch.Token, ch.Address, ch.ResourceID, ch.Expires, len(ch.Waiting)})
			}
		}
	}
	return out
}

// LoseNotifications forgets all messages that wait, as the real service loses some.
func (s *Service) LoseNotifications() {
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, c := range s.all {
		for _, ch := range c.Channels {
			ch.Waiting = nil
		}
	}
}

// message is one that is on its way.
type message struct {
	channel        *channel
	state, address string
	header         http.Header
}

// DeliverNotifications sends every message that waits, the oldest of each channel first, and gives how many were taken.
// A message that meets trouble waits for the next time, as the real service tries again; its error is given.
func (s *Service) DeliverNotifications(ctx context.Context, client *http.Client) (int, error) {
	taken := 0
	var failed []error
	for _, m := range s.collect() {
		again, err := m.send(ctx, client)
		switch {
		case err == nil:
			taken++
		default:
			failed = append(failed, err)
		}
		if again {
			s.mu.Lock()
			m.channel.Waiting = append([]string{m.state}, m.channel.Waiting...)
			s.mu.Unlock()
		}
	}
	return taken, errors.Join(failed...)
}

// KeepDelivering sends every message as soon as there is one, until the context ends. A message that meets trouble is sent
// again a while later.
func (s *Service) KeepDelivering(ctx context.Context, client *http.Client) {
	for {
		select {
		case <-ctx.Done():
			return
		case <-s.announced:
		}
		if _, err := s.DeliverNotifications(ctx, client); err != nil {
			// A message that is refused for good does not wait any more.
			time.AfterFunc(redeliverAfter, s.wake)
		}
	}
}

// redeliverAfter is shorter than the real service takes.
const redeliverAfter = 5 * time.Second

// collect takes the messages that wait.
func (s *Service) collect() []message {
	s.mu.Lock()
	defer s.mu.Unlock()
	var out []message
	for _, key := range sortedKeys(s.all) {
		for _, ch := range s.all[key].Channels {
			if !s.o.Now().Before(ch.Expires) {
				continue
			}
			for _, state := range ch.Waiting {
				ch.Sent++
				h := http.Header{}
				for name, v := range map[string]string{
					"X-Goog-Channel-ID": ch.ID, "X-Goog-Channel-Token": ch.Token, "X-Goog-Channel-Expiration": ch.Expires.Format(http.TimeFormat),
					"X-Goog-Resource-ID": ch.ResourceID, "X-Goog-Resource-URI": ch.ResourceURI, "X-Goog-Resource-State": state,
					"X-Goog-Message-Number": strconv.Itoa(ch.Sent),
				} {
					if v != "" {
						h.Set(name, v)
					}
				}
				out = append(out, message{ch, state, ch.Address, h})
			}
			ch.Waiting = nil
		}
	}
	return out
}

// send posts a message. It is to be sent again where its receiver has trouble for a while.
func (m message) send(ctx context.Context, client *http.Client) (again bool, err error) {
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, m.address, bytes.NewReader(nil))
	if err != nil {
		return false, fmt.Errorf("notify %s: %w", m.address, err)
	}
	req.Header = m.header
	resp, err := client.Do(req)
	if err != nil {
		return true, fmt.Errorf("notify %s: %w", m.address, err)
	}
	defer resp.Body.Close()
	if resp.StatusCode >= 300 {
		again = slices.Contains([]int{500, 502, 503, 504}, resp.StatusCode)
		return again, fmt.Errorf("notify %s: %s", m.address, resp.Status)
	}
	return false, nil
}
