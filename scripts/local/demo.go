package main

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/http/cookiejar"
	"net/url"
	"strings"
	"text/tabwriter"
	"time"

	"github.com/tandem-sync/tandem/shared/record"
	"github.com/tandem-sync/tandem/shared/sandbox/sample"
	"github.com/tandem-sync/tandem/shared/store"
)

// demonstrate links the sample user's accounts as a browser would, synchronizes twice, and tells what happened.
func demonstrate(ctx context.Context, s *services, public string, out io.Writer) error {
	if s.google == nil || s.creatio == nil {
		fmt.Fprintf(out, "real services are configured: sign in at %s/settings\n", public)
		return nil
	}
	jar, err := cookiejar.New(nil)
	if err != nil {
		return err
	}
	v := &visitor{client: &http.Client{Jar: jar}, base: public + "/settings"}
	fmt.Fprintf(out, "simulated Google at %s, simulated Creatio at %s\n", s.env["GOOGLE_ENDPOINT"], s.env["CREATIO_URL"])

	if err := v.link(ctx, s, out); err != nil {
		return err
	}

	for _, k := range kinds(s) {
		fmt.Fprintf(out, "\n%s\n", k.choosing)
		if err := v.call(ctx, http.MethodPut, "/api/v1/"+k.name, k.settings, nil); err != nil {
			return err
		}
		if err := v.twice(ctx, s, k, out); err != nil {
			return err
		}
	}
	return nil
}

// link signs the sample user in and connects Creatio, in the way that CREATIO_AUTH names.
func (v *visitor) link(ctx context.Context, s *services, out io.Writer) error {
	fmt.Fprintf(out, "signing in %s with Google, and connecting Creatio as %s", sample.UserEmail, sample.UserLogin)
	switch s.auth {
	case authPassword:
		fmt.Fprintf(out, " with the password %q", sample.UserPassword)
	case authClient:
		fmt.Fprintf(out, ", found by that address with the client id %q and the secret %q", clientID, clientSecret)
	}
	fmt.Fprintln(out)
	s.google.AutoConsent(sample.UserEmail)
	defer s.google.AutoConsent("")
	if err := v.open(ctx, "/sign-in"); err != nil {
		return err
	}
	switch s.auth {
	case authPassword:
		return v.submit(ctx, "/link/creatio", url.Values{"username": {sample.UserLogin}, "password": {sample.UserPassword}})
	case authClient:
		return nil // linked at sign-in
	}
	s.creatio.AutoConsent(sample.UserLogin)
	defer s.creatio.AutoConsent("")
	return v.open(ctx, "/link/creatio")
}

// kind is one of the kinds of records that are synchronized.
type kind struct {
	name, choosing string
	settings       map[string]any
	// lists are what Creatio and Google show of it, and the words for where.
	lists func() (creatio, google []string)
	where [2]string
}

func kinds(s *services) []kind {
	now := time.Now()
	from, to := now.AddDate(0, 0, -6), now.AddDate(0, 0, 28)
	return []kind{
		{
			name: "contacts", choosing: fmt.Sprintf("choosing the private tag %q", sample.PrivateTagName),
			settings: map[string]any{
				"automatic": true, "intervalMinutes": 5, "tagId": sample.PrivateTagID, "direction": "both", "conflicts": "latest",
			},
			lists: func() (creatio, google []string) { return s.creatioNames(), s.googleNames() },
			where: [2]string{"contacts under the tag", "in the group \"Creatio\""},
		},
		{
			name: "activities", choosing: "choosing activities from a week ago on",
			settings: map[string]any{
				"automatic": true, "intervalMinutes": 5, "syncFrom": now.AddDate(0, 0, -7).Format(time.DateOnly), "direction": "both", "conflicts": "latest",
				"deletions": "cancel", "privateEvents": "busy", "monthsAhead": 3, "guests": "colleagues",
			},
			lists: func() (creatio, google []string) { return s.creatioAgenda(from, to), s.googleAgenda(from, to) },
			where: [2]string{"activities in these weeks", "events in the calendar"},
		},
	}
}

// twice synchronizes a kind twice, and tells what became of it. The second time there must be nothing to do.
func (v *visitor) twice(ctx context.Context, s *services, k kind, out io.Writer) error {
	var runs []store.Run
	for _, which := range []string{"first", "second"} {
		fmt.Fprintf(out, "synchronizing %s, %s run\n", k.name, which)
		run, err := v.synchronize(ctx, k.name)
		if err != nil {
			return err
		}
		runs = append(runs, run)
		if err := table(out, run); err != nil {
			return err
		}
	}
	var doubts []struct{ Creatio, Google string }
	if err := v.call(ctx, http.MethodGet, "/api/v1/"+k.name+"/pairs", nil, &doubts); err != nil {
		return err
	}
	// What nobody may decide but the user is on one side only.
	known := map[string]bool{}
	for _, d := range doubts {
		fmt.Fprintf(out, "  ? %s in Creatio and %s in Google may be one or two; the settings page asks\n", d.Creatio, d.Google)
		known[d.Creatio], known[d.Google] = true, true
	}
	return verdict(out, s, k, runs, known)
}

// table shows what a run did on each side.
func table(out io.Writer, run store.Run) error {
	w := tabwriter.NewWriter(out, 0, 0, 2, ' ', tabwriter.AlignRight)
	gone := "taken out"
	if run.Type == record.Activities {
		gone = "canceled or deleted"
	}
	fmt.Fprintf(w, "\tcreated\tchanged\t%s\trequests\t\n", gone)
	row := func(side string, c store.SideCounts, requests int) {
		fmt.Fprintf(w, "%s\t%d\t%d\t%d\t%d\t\n", side, c.Created, c.Updated, c.Unlinked+c.Cancelled+c.Deleted, requests)
	}
	row("Creatio", run.Counts.Creatio, run.Counts.Calls.Creatio)
	row("Google", run.Counts.Google, run.Counts.Calls.Google)
	if err := w.Flush(); err != nil {
		return err
	}
	c := run.Counts
	fmt.Fprintf(out, "  %s in %s: %d found on both sides, %d conflicts, %d notes\n", run.Status,
		run.FinishedAt.Sub(run.StartedAt).Round(time.Millisecond), c.Matched, c.Conflicts, len(run.Problems))
	for _, p := range run.Problems {
		fmt.Fprintf(out, "  - %s: %s %s\n", p.Record, p.Message, p.Action)
	}
	return nil
}

// verdict compares what both services hold now, but for what is known to be on one side only, and asks them what they were sent
// that no client may send.
func verdict(out io.Writer, s *services, k kind, runs []store.Run, known map[string]bool) error {
	if v := append(s.google.Violations(), s.creatio.Violations()...); len(v) > 0 {
		return fmt.Errorf("the services were asked for what no client may ask: %q", v)
	}
	last := runs[len(runs)-1].Counts
	if last.Creatio != (store.SideCounts{}) || last.Google != (store.SideCounts{}) {
		return fmt.Errorf("the second run of %s should have had nothing to do", k.name)
	}
	creatio, google := k.lists()
	for _, run := range runs {
		for _, p := range run.Problems {
			known[p.Record] = true
		}
	}
	for _, list := range [][]string{difference(creatio, google), difference(google, creatio)} {
		for _, name := range list {
			if !known[name] {
				return fmt.Errorf("the sides do not agree on %s", name)
			}
		}
	}
	fmt.Fprintf(out, "both sides agree: %d %s, %d %s\n", len(creatio), k.where[0], len(google), k.where[1])
	return nil
}

// visitor is the sample user's browser.
type visitor struct {
	client *http.Client
	base   string
}

// open goes to a page and through whatever consent it leads to.
func (v *visitor) open(ctx context.Context, path string) error {
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, v.base+path, nil)
	if err != nil {
		return err
	}
	return v.follow(path, req)
}

// submit sends a form.
func (v *visitor) submit(ctx context.Context, path string, form url.Values) error {
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, v.base+path, strings.NewReader(form.Encode()))
	if err != nil {
		return err
	}
	req.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	return v.follow(path, req)
}

// follow sends a request, which has to end at a page without a problem.
func (v *visitor) follow(path string, req *http.Request) error {
	resp, err := v.client.Do(req)
	if err != nil {
		return fmt.Errorf("open %s: %w", path, err)
	}
	defer func() { _ = resp.Body.Close() }()
	if end := resp.Request.URL; resp.StatusCode != http.StatusOK || !strings.HasPrefix(end.String(), v.base) || end.Query().Has("problem") {
		return fmt.Errorf("open %s: ended at %s with %s", path, end.Path, resp.Status)
	}
	return nil
}

// call uses the API.
func (v *visitor) call(ctx context.Context, method, path string, body, answer any) error {
	var raw []byte
	if body != nil {
		var err error
		if raw, err = json.Marshal(body); err != nil {
			return err
		}
	}
	req, err := http.NewRequestWithContext(ctx, method, v.base+path, bytes.NewReader(raw))
	if err != nil {
		return err
	}
	req.Header.Set("Content-Type", "application/json")
	resp, err := v.client.Do(req)
	if err != nil {
		return fmt.Errorf("%s %s: %w", method, path, err)
	}
	defer func() { _ = resp.Body.Close() }()
	got, err := io.ReadAll(resp.Body)
	if err != nil || resp.StatusCode >= http.StatusBadRequest {
		return fmt.Errorf("%s %s: %s %s", method, path, resp.Status, bytes.TrimSpace(got))
	}
	if answer == nil {
		return nil
	}
	return json.Unmarshal(got, answer)
}

// synchronize queues a run and waits for its end.
func (v *visitor) synchronize(ctx context.Context, kind string) (run store.Run, err error) {
	var queued struct{ Run string }
	if err := v.call(ctx, http.MethodPost, "/api/v1/"+kind+"/sync", nil, &queued); err != nil {
		return run, err
	}
	look := time.NewTicker(50 * time.Millisecond)
	defer look.Stop()
	for {
		if err := v.call(ctx, http.MethodGet, "/api/v1/runs/"+queued.Run, nil, &run); err != nil {
			return run, err
		}
		switch run.Status {
		case "queued", "running":
		case "done", "partial":
			return run, nil
		default:
			if err := table(io.Discard, run); err != nil {
				return run, err
			}
			return run, fmt.Errorf("the run ended %s: %+v", run.Status, run.Problems)
		}
		select {
		case <-ctx.Done():
			return run, ctx.Err()
		case <-look.C:
		}
	}
}
