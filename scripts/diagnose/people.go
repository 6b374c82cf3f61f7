package main

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"strings"
)

const (
	// The questions that only some of those who ask can have answered.
	askedClientData = "Does an application see the clientData of another one?"
	askedQuota      = "Does the project's quota tell how many requests a minute the People API takes?"
	askedDelta      = "Does the list of changed contacts tell of a new contact at once?"
	askedGroup      = "Does it tell of a contact that came into a group at once?"
	askedBatch      = "Is a batch of contacts refused as a whole if one of them is?"
	connections     = "/v1/people/me/connections"
)

// askPeople asks what the People API makes of a contact and a group, and removes both.
func askPeople(ctx context.Context, r *report, c *caller, env func(string) string) (err error) {
	_, token, err := changed(ctx, c, "")
	if err != nil {
		return err
	}
	r.say("Does the list of contacts end with a sync token?", token != "", "")
	name := "Tandem doctor, may be deleted"
	made, err := c.call(ctx, http.MethodPost, "/v1/people:createContact?personFields=names,clientData,metadata", map[string]any{
		"names": []any{map[string]any{"givenName": name}}, "clientData": []any{map[string]any{"key": "tandem-doctor", "value": "1"}},
	})
	if err != nil {
		return fmt.Errorf("%w; if there is a contact %q, remove it", err, name)
	}
	person := made.text("resourceName")
	r.say("May a contact be created?", made.ok() && person != "", "status %d", made.status)
	if person == "" {
		return nil
	}
	defer func() {
		err = errors.Join(err, discard(context.WithoutCancel(ctx), r, c, "contact", "/v1/"+person+":deleteContact"))
	}()
	r.say("Does a contact keep the clientData that it is given?", strings.Contains(string(made.body), "tandem-doctor"), "")
	return errors.Join(askOther(ctx, r, c, env, person), askBatch(ctx, r, c, made), askDeltas(ctx, r, c, token, person))
}

// discard removes what was made.
func discard(ctx context.Context, r *report, c *caller, what, path string) error {
	a, err := c.call(ctx, http.MethodDelete, path, nil)
	if err != nil || !a.ok() && a.status != http.StatusNotFound {
		return errors.Join(fmt.Errorf("google: the scratch %s could not be removed, so remove it yourself: status %d", what, a.status), err)
	}
	r.say("Is the scratch "+what+" removed?", true, "")
	return nil
}

// changed are the names of the contacts that changed since a sync token, or of all, and the next token.
func changed(ctx context.Context, c *caller, since string) (names map[string]bool, token string, err error) {
	const mostPages = 100
	names = map[string]bool{}
	q := url.Values{"pageSize": {"1000"}, "personFields": {"names,memberships"}, "requestSyncToken": {"true"}}
	if since != "" {
		q.Set("syncToken", since)
	}
	for range mostPages {
		a, err := c.call(ctx, http.MethodGet, connections+"?"+q.Encode(), nil)
		if err != nil || !a.ok() {
			return names, "", err
		}
		list, _ := a.value["connections"].([]any)
		for _, item := range list {
			person, _ := item.(map[string]any)
			name, _ := person["resourceName"].(string)
			names[name] = true
		}
		next := a.text("nextPageToken")
		if next == "" {
			return names, a.text("nextSyncToken"), nil
		}
		q.Set("pageToken", next)
	}
	return names, "", nil
}

// askDeltas asks whether a new contact, and one that came into a group, are told of by the list of what changed.
func askDeltas(ctx context.Context, r *report, c *caller, token, person string) (err error) {
	if token == "" {
		r.skip(askedDelta, "the list has no sync token")
		r.skip(askedGroup, "the list has no sync token")
		return nil
	}
	names, token, err := changed(ctx, c, token)
	if err != nil {
		return err
	}
	r.say(askedDelta, names[person], "%d changed", len(names))
	made, err := c.call(ctx, http.MethodPost, "/v1/contactGroups", map[string]any{"contactGroup": map[string]any{"name": "Tandem doctor " + newID()[:8]}})
	if err != nil {
		return fmt.Errorf("%w; if there is a label that begins with Tandem doctor, remove it", err)
	}
	group := made.text("resourceName")
	r.say("May a group be created?", made.ok() && group != "", "status %d", made.status)
	if group == "" {
		r.skip(askedGroup, "no group could be created")
		return nil
	}
	defer func() {
		err = errors.Join(err, discard(context.WithoutCancel(ctx), r, c, "group", "/v1/"+group+"?deleteContacts=false"))
	}()
	joined, err := c.call(ctx, http.MethodPost, "/v1/"+group+"/members:modify", map[string]any{"resourceNamesToAdd": []string{person}})
	if err != nil {
		return err
	}
	if !joined.ok() || token == "" {
		r.skip(askedGroup, "the contact could not be put into the group: status %d", joined.status)
		return nil
	}
	if names, _, err = changed(ctx, c, token); err != nil {
		return err
	}
	r.say(askedGroup, names[person], "%d changed", len(names))
	return nil
}

// askBatch writes the contact together with one that is not there.
func askBatch(ctx context.Context, r *report, c *caller, made reply) error {
	of := func(name, title string) map[string]any {
		return map[string]any{"resourceName": name, "etag": made.value["etag"], "metadata": made.value["metadata"], "organizations": []any{map[string]any{"title": title}}}
	}
	person, gone := made.text("resourceName"), "people/c1"
	a, err := c.call(ctx, http.MethodPost, "/v1/people:batchUpdateContacts", map[string]any{
		"contacts": map[string]any{person: of(person, "Doctor"), gone: of(gone, "Doctor")}, "updateMask": "organizations", "readMask": "organizations",
	})
	if err != nil {
		return err
	}
	after, err := c.call(ctx, http.MethodGet, "/v1/"+person+"?personFields=organizations", nil)
	if err != nil {
		return err
	}
	if !after.ok() {
		r.skip(askedBatch, "the contact could not be read again: status %d", after.status)
		return nil
	}
	r.say(askedBatch, !strings.Contains(string(after.body), "Doctor"), "status %d", a.status)
	return nil
}

// askOther reads the contact with the token of another OAuth client, if there is one.
func askOther(ctx context.Context, r *report, c *caller, env func(string) string, person string) error {
	token := env("GOOGLE_OTHER_ACCESS_TOKEN")
	if token == "" {
		r.skip(askedClientData, "one OAuth client alone cannot tell; set GOOGLE_OTHER_ACCESS_TOKEN to a token that another client got for the same account")
		return nil
	}
	other := newCaller(c.base)
	other.header.Set("Authorization", "Bearer "+token)
	a, err := other.call(ctx, http.MethodGet, "/v1/"+person+"?personFields=clientData", nil)
	if err != nil {
		return err
	}
	if !a.ok() {
		r.skip(askedClientData, "the other client may not read the contact: status %d", a.status)
		return nil
	}
	r.say(askedClientData, strings.Contains(string(a.body), "tandem-doctor"), "")
	return nil
}

// askQuota asks which quotas the project has for the People API. No reply of that API tells.
func askQuota(ctx context.Context, r *report, env func(string) string) error {
	project, token := env("GOOGLE_CLOUD_PROJECT"), env("GOOGLE_CLOUD_ACCESS_TOKEN")
	if project == "" || token == "" {
		r.skip(askedQuota, "no reply of the People API tells; set GOOGLE_CLOUD_PROJECT, and GOOGLE_CLOUD_ACCESS_TOKEN to what gcloud auth print-access-token prints")
		return nil
	}
	c := newCaller(cmp.Or(strings.TrimRight(env("GOOGLE_ENDPOINT"), "/"), "https://serviceusage.googleapis.com"))
	c.header.Set("Authorization", "Bearer "+token)
	a, err := c.call(ctx, http.MethodGet, "/v1beta1/projects/"+url.PathEscape(project)+"/services/people.googleapis.com/consumerQuotaMetrics?pageSize=100", nil)
	if err != nil {
		return err
	}
	limits := quotas(a)
	r.say(askedQuota, a.ok() && len(limits) > 0, "status %d%s", a.status, strings.Join(append([]string{""}, limits...), "; "))
	return nil
}

// quotas are the limits of a reply of the Service Usage API, as texts.
func quotas(a reply) (out []string) {
	metrics, _ := a.value["metrics"].([]any)
	for _, m := range metrics {
		metric, _ := m.(map[string]any)
		limits, _ := metric["consumerQuotaLimits"].([]any)
		for _, l := range limits {
			limit, _ := l.(map[string]any)
			buckets, _ := limit["quotaBuckets"].([]any)
			for _, b := range buckets {
				if bucket, _ := b.(map[string]any); bucket["effectiveLimit"] != nil && bucket["dimensions"] == nil {
					out = append(out, fmt.Sprintf("%v per %v: %v", metric["displayName"], limit["unit"], bucket["effectiveLimit"]))
				}
			}
		}
	}
	return out
}
