package main

import (
	"context"
	"errors"
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

// syncTypes are those whose functions it calls.
var syncTypes = []record.Type{record.Contacts, record.Activities}

// functionOf is the deployed name of the function that synchronizes a type.
func functionOf(t record.Type) string { return "sync-" + string(t) }

func (s scheduler) invokes() bool { return s.config.Invoker != "" && s.google != nil }

// handler serves every function, behind Cloud Run's check where that is to verify tokens.
func (s scheduler) handler() http.Handler {
	if !s.invokes() || s.config.InvokerVerifiedBy != config.VerifiedByPlatform {
		return s.app.Handler()
	}
	mux := http.NewServeMux()
	mux.Handle("/", s.app.Handler())
	for _, t := range syncTypes {
		gate := &cloudbox.Gate{
			Issuer: s.config.Google.Endpoint, Audience: s.config.Audience(functionOf(t)), Caller: s.config.Invoker, Service: s.app.Handler(), Now: time.Now,
		}
		mux.Handle("/"+functionOf(t), gate)
		mux.Handle("/"+functionOf(t)+"/", gate)
	}
	return mux
}

// tick looks once who is due. A type that fails keeps no other one from its turn.
func (s scheduler) tick(ctx context.Context) error {
	var failures []error
	for _, t := range syncTypes {
		failures = append(failures, s.tickType(ctx, t))
	}
	return errors.Join(failures...)
}

func (s scheduler) tickType(ctx context.Context, t record.Type) error {
	if !s.invokes() {
		_, _, err := s.app.Dispatch(ctx, t)
		return err
	}
	name := functionOf(t)
	r, err := http.NewRequestWithContext(ctx, http.MethodPost, s.config.PublicURL+"/"+name, strings.NewReader("{}"))
	if err != nil {
		return fmt.Errorf("call %s: %w", name, err)
	}
	r.Header.Set("Content-Type", "application/json")
	r.Header.Set("Authorization", "Bearer "+s.google.IssueServiceToken(s.config.Invoker, s.config.Audience(name)))
	resp, err := http.DefaultClient.Do(r)
	if err != nil {
		return fmt.Errorf("call %s: %w", name, err)
	}
	defer func() { _ = resp.Body.Close() }()
	if resp.StatusCode != http.StatusOK {
		return fmt.Errorf("call %s: status %d", name, resp.StatusCode)
	}
	return nil
}
