package calendar

import (
	"errors"
	"fmt"
	"io"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/tandem-sync/tandem/shared/fault"
)

// The service answers every list with the tokens of two pages by turns, which never end.
func TestLists_whose_pages_come_to_no_end_are_an_error(t *testing.T) {
	t.Parallel()
	d := newDiary(t)
	// What the service alone can say of: its rule is beyond package recurrence.
	asked := d.Add(recurring("Dates", firstDay.Add(9*time.Hour), "RRULE:FREQ=DAILY;COUNT=2", "RDATE:20260320T090000Z"))
	delta := d.scan(nil)
	sent := 0
	d.client.HTTP.Transport = transport(func(r *http.Request) (*http.Response, error) {
		if sent++; sent > 1000 {
			return nil, fmt.Errorf("%d requests were sent", sent)
		}
		media, body := "application/json", fmt.Sprintf(`{"nextPageToken":"%d"}`, sent%2)
		if r.Method == http.MethodPost {
			media = "multipart/mixed; boundary=b"
			body = "--b\r\nContent-Type: application/http\r\nContent-ID: <response-part-0>\r\n\r\nHTTP/1.1 200 OK\r\nContent-Type: application/json\r\n\r\n" + body + "\r\n--b--\r\n"
		}
		return &http.Response{StatusCode: http.StatusOK, Header: http.Header{"Content-Type": {media}}, Body: io.NopCloser(strings.NewReader(body)), Request: r}, nil
	})
	d.open()
	for name, read := range map[string]func() error{
		"events":                 func() error { _, err := d.side.Scan(t.Context(), nil); return err },
		"changed events":         func() error { _, err := d.side.Scan(t.Context(), delta.Cursor); return err },
		"instances of a series":  func() error { _, err := d.side.askStarts(t.Context(), []string{asked}); return err },
		"an instance by a start": func() error { _, err := d.side.Fetch(t.Context(), []string{asked + "_20260320T090000Z"}); return err },
	} {
		sent = 0
		err := read()
		f, ok := errors.AsType[*fault.Error](err)
		if !ok || f.Code != "incomplete-list" || sent > 10 {
			t.Errorf("%s: %v after %d requests", name, err, sent)
		}
	}
}
