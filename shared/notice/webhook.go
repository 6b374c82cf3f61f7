package notice

import (
	"bytes"
	"context"
	"encoding/json"
	"io"
	"net/http"
	"strings"

	"github.com/tandem-sync/tandem/shared/fault"
)

// marks are what Slack and Google Chat read as links and mentions; addresses that have them would be read wrongly.
// https://docs.slack.dev/messaging/formatting-message-text, https://developers.google.com/workspace/chat/format-messages
var marks = strings.NewReplacer("<", "", ">", "", "&", "", "*", "", "`", "", "\n", " ")

// post posts a notice in the one form that incoming webhooks of Slack and Google Chat have in common.
// https://docs.slack.dev/messaging/sending-messages-using-incoming-webhooks
// https://developers.google.com/workspace/chat/quickstart/webhooks
func (s *Sender) post(ctx context.Context, n Notice) error {
	body, err := json.Marshal(map[string]string{"text": "*" + n.Subject() + "*\n" + marks.Replace(n.User) + ": " + n.Sentences() + "\n" + n.Page})
	if err != nil {
		return failed(fault.Bug, "encode")
	}
	r, err := http.NewRequestWithContext(ctx, http.MethodPost, s.webhook, bytes.NewReader(body))
	if err != nil {
		return failed(fault.Misconfigured, "webhook-address")
	}
	r.Header.Set("Content-Type", "application/json; charset=utf-8")
	answer, err := s.http.Do(r)
	if err != nil {
		return failed(fault.Retry, "webhook-unreachable")
	}
	defer func() { _ = answer.Body.Close() }()
	_, _ = io.Copy(io.Discard, io.LimitReader(answer.Body, 64<<10))
	switch {
	case answer.StatusCode >= 200 && answer.StatusCode < 300:
		return nil
	case answer.StatusCode == http.StatusTooManyRequests || answer.StatusCode >= 500:
		return failed(fault.Retry, "webhook-busy")
	default:
		return failed(fault.Misconfigured, "webhook-refused")
	}
}
