package main

import (
	"bytes"
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"
	"mime/multipart"
	"net/http"
	"net/textproto"
	"strings"
	"time"
)

func askGoogle(ctx context.Context, r *report, token string, env func(string) string) error {
	endpoint := strings.TrimRight(env("GOOGLE_ENDPOINT"), "/")
	people, calendar := newCaller(cmp.Or(endpoint, "https://people.googleapis.com")), newCaller(cmp.Or(endpoint, "https://www.googleapis.com")+"/calendar/v3")
	for _, c := range []*caller{people, calendar} {
		c.header.Set("Authorization", "Bearer "+token)
	}
	r.service("Google")
	contacts, err := people.call(ctx, http.MethodGet, "/v1/people/me/connections?pageSize=10&personFields=names,clientData", nil)
	if err != nil {
		return err
	}
	r.say("May the account's contacts be read?", contacts.ok(), "status %d", contacts.status)
	groups, err := people.call(ctx, http.MethodGet, "/v1/contactGroups?pageSize=10", nil)
	if err != nil {
		return err
	}
	r.say("May its contact groups be read?", groups.ok(), "status %d", groups.status)
	if contacts.ok() && groups.ok() {
		if err := askPeople(ctx, r, people, env); err != nil {
			return err
		}
	}
	if err := askQuota(ctx, r, env); err != nil {
		return err
	}
	events, err := calendar.call(ctx, http.MethodGet, "/calendars/primary/events?maxResults=1", nil)
	if err != nil {
		return err
	}
	r.say("May the account's calendar be read?", events.ok(), "status %d", events.status)
	if !events.ok() {
		return nil
	}
	r.say("Does the calendar tell its time zone?", events.text("timeZone") != "", "%s", events.text("timeZone"))
	return errors.Join(askBatches(ctx, r, calendar), askEvent(ctx, r, calendar), askPush(ctx, r, calendar, env))
}

// askBatches asks how many parts a batch of the calendar takes: its documentation and client libraries differ.
func askBatches(ctx context.Context, r *report, c *caller) error {
	for _, size := range []int{50, 51} {
		var body bytes.Buffer
		parts := multipart.NewWriter(&body)
		for range size {
			part, err := parts.CreatePart(textproto.MIMEHeader{"Content-Type": {"application/http"}})
			if err != nil {
				return err
			}
			_, _ = io.WriteString(part, "GET /calendar/v3/calendars/primary/events?maxResults=1 HTTP/1.1\r\n\r\n") // a buffer never fails
		}
		if err := parts.Close(); err != nil {
			return err
		}
		req, err := http.NewRequestWithContext(ctx, http.MethodPost, strings.TrimSuffix(c.base, "/calendar/v3")+"/batch/calendar/v3", &body)
		if err != nil {
			return err
		}
		req.Header = c.header.Clone()
		req.Header.Set("Content-Type", "multipart/mixed; boundary="+parts.Boundary())
		resp, err := c.http.Do(req)
		if err != nil {
			return fmt.Errorf("a batch was not answered: %w", errors.Unwrap(err))
		}
		answer, err := io.ReadAll(io.LimitReader(resp.Body, 32<<20))
		_ = resp.Body.Close()
		if err != nil {
			return fmt.Errorf("a batch broke off: %w", err)
		}
		answered := bytes.Count(answer, []byte("HTTP/1.1 200"))
		r.say(fmt.Sprintf("Does a batch of the calendar take %d parts?", size), answered == size, "status %d, %d parts answered well", resp.StatusCode, answered)
	}
	return nil
}

// askEvent makes an event, tries on it what writes do, and removes it.
func askEvent(ctx context.Context, r *report, c *caller) (err error) {
	id := strings.ReplaceAll(newID(), "-", "")
	start := time.Now().UTC().Add(24 * time.Hour).Truncate(time.Hour)
	event := map[string]any{
		"id": id, "summary": "Tandem doctor, may be deleted", "transparency": "transparent",
		"start": map[string]any{"dateTime": start.Format(time.RFC3339)}, "end": map[string]any{"dateTime": start.Add(time.Hour).Format(time.RFC3339)},
	}
	const path = "/calendars/primary/events"
	remove := func(ctx context.Context) error {
		a, err := c.call(ctx, http.MethodDelete, path+"/"+id, nil)
		if err != nil || !a.ok() && a.status != http.StatusNotFound && a.status != http.StatusGone {
			return errors.Join(fmt.Errorf("google: the scratch event %q could not be removed, so remove it yourself: status %d", event["summary"], a.status), err)
		}
		return nil
	}
	made, err := c.call(ctx, http.MethodPost, path, event)
	if err != nil {
		return errors.Join(err, remove(context.WithoutCancel(ctx)))
	}
	r.say("May an event be created?", made.ok(), "status %d", made.status)
	if !made.ok() {
		return nil
	}
	removed := false
	defer func() {
		if !removed {
			err = errors.Join(err, remove(context.WithoutCancel(ctx)))
		}
	}()
	r.say("Does an event keep the id that it is given?", made.text("id") == id, "")
	again, err := c.call(ctx, http.MethodPost, path, event)
	if err != nil {
		return err
	}
	r.say("Is a second event with the same id refused?", again.status == http.StatusConflict, "status %d", again.status)
	if err := remove(ctx); err != nil {
		return err
	}
	removed = true
	r.say("Is the scratch event removed?", true, "")
	gone, err := c.call(ctx, http.MethodGet, path+"/"+id, nil)
	if err != nil {
		return err
	}
	r.say("Is a deleted event still told of, as cancelled?", gone.text("status") == "cancelled", "status %d, %q", gone.status, gone.text("status"))
	return nil
}

// askPush asks whether the deployment can be reached, and whether Google accepts its address.
func askPush(ctx context.Context, r *report, c *caller, env func(string) string) error {
	const reachable, accepted = "Can calendar-push be reached?", "Does Google accept its address for changes of calendars?"
	public := strings.TrimRight(env("PUBLIC_URL"), "/")
	if public == "" {
		r.skip(reachable, "PUBLIC_URL is not set")
		r.skip(accepted, "PUBLIC_URL is not set")
		return nil
	}
	// A message of a channel that nobody opened is refused by the function itself, and by nothing before it.
	push := newCaller(public)
	push.header.Set("X-Goog-Channel-ID", newID())
	push.header.Set("X-Goog-Resource-State", "exists")
	a, err := push.call(ctx, http.MethodPost, "/calendar-push", nil)
	switch {
	case err != nil:
		r.say(reachable, false, "%v", err)
	default:
		r.say(reachable, a.status == http.StatusNotFound, "status %d; 404 is the function's answer to a channel that it does not know, 403 the platform's to everybody", a.status)
	}
	began := time.Now()
	healthy, err := newCaller(public).call(ctx, http.MethodGet, "/settings/healthz", nil)
	took := time.Since(began).Round(10 * time.Millisecond)
	r.say("Does the settings page answer within 10 seconds, also if no instance was running?", err == nil && healthy.ok() && took < 10*time.Second,
		"%v, status %d; ask again after half an hour without a request for the time of a cold start", took, healthy.status)
	channel := newID()
	opened, err := c.call(ctx, http.MethodPost, "/calendars/primary/events/watch", map[string]any{
		"id": channel, "type": "web_hook", "address": public + "/calendar-push", "token": newID(), "params": map[string]string{"ttl": "60"},
	})
	if err != nil {
		return err
	}
	r.say(accepted, opened.ok(), "status %d", opened.status)
	if !opened.ok() {
		return nil
	}
	stopped, err := c.call(ctx, http.MethodPost, "/channels/stop", map[string]any{"id": channel, "resourceId": opened.text("resourceId")})
	if err != nil || !stopped.ok() {
		r.say("Is the scratch channel closed?", false, "it ends by itself within a minute")
	}
	return nil
}
