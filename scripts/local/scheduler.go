package main

import (
	"context"
	"fmt"
	"net/http"
	"strings"
	"time"

	"github.com/tandem-sync/tandem/shared/app"
	"github.com/tandem-sync/tandem/shared/config"
	"github.com/tandem-sync/tandem/shared/record"
	cloudbox "github.com/tandem-sync/tandem/shared/sandbox/cloud"
	googlebox "github.com/tandem-sync/tandem/shared/sandbox/google"
)

// scheduler stands in Cloud Scheduler's place. Where the configuration names an invoker, and a simulated Google can make
// tokens for it, it calls the function as a job does: with a token, past Cloud Run's check where that is to verify it.
// Otherwise it hands who is due to the queue itself.
type scheduler struct {
	config config.Config
	app    *app.App
	google *googlebox.Server
}

// syncContacts is the deployed name of the function that it calls.
const syncContacts = "sync-contacts"

func (s scheduler) invokes() bool { return s.config.Invoker != "" && s.google != nil }

// handler serves every function, behind Cloud Run's check where that is to verify tokens.
func (s scheduler) handler() http.Handler {
	if !s.invokes() || s.config.InvokerVerifiedBy != config.VerifiedByPlatform {
		return s.app.Handler()
	}
	mux := http.NewServeMux()
	mux.Handle("/", s.app.Handler())
	gate := &cloudbox.Gate{
		Issuer: s.config.Google.Endpoint, Audience: s.config.Audience(syncContacts), Caller: s.config.Invoker, Service: s.app.Handler(), Now: time.Now,
	}
	mux.Handle("/"+syncContacts, gate)
	mux.Handle("/"+syncContacts+"/", gate)
	return mux
}

// tick looks once who is due.
func (s scheduler) tick(ctx context.Context) error {
	if !s.invokes() {
		_, _, err := s.app.Dispatch(ctx, record.Contacts)
		return err
	}
	r, err := http.NewRequestWithContext(ctx, http.MethodPost, s.config.PublicURL+"/"+syncContacts, strings.NewReader("{}"))
	if err != nil {
		return fmt.Errorf("call %s: %w", syncContacts, err)
	}
	r.Header.Set("Content-Type", "application/json")
	r.Header.Set("Authorization", "Bearer "+s.google.IssueServiceToken(s.config.Invoker, s.config.Audience(syncContacts)))
	resp, err := http.DefaultClient.Do(r)
	if err != nil {
		return fmt.Errorf("call %s: %w", syncContacts, err)
	}
	defer func() { _ = resp.Body.Close() }()
	if resp.StatusCode != http.StatusOK {
		return fmt.Errorf("call %s: status %d", syncContacts, resp.StatusCode)
	}
	return nil
}
