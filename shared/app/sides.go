package app

import (
	"log/slog"
	"net/http"
	"time"

	"github.com/tandem-sync/tandem/shared/config"
	"github.com/tandem-sync/tandem/shared/creatio"
	"github.com/tandem-sync/tandem/shared/oauth"
	"github.com/tandem-sync/tandem/shared/record"
	"github.com/tandem-sync/tandem/shared/store"
	"github.com/tandem-sync/tandem/shared/syncer"
)

// Opener opens the sides of users' synchronizations as the program does, for those who run an engine themselves.
type Opener struct {
	Config config.Config
	Store  store.Store
	Linker *oauth.Linker
	// Base carry the requests to the two services.
	Base map[record.Side]http.RoundTripper
	Now  func() time.Time
	// Layout is the one of the Creatio site, where it is known.
	Layout creatio.Layout
}

// Activities is an engine for users' activities.
func (o Opener) Activities() *syncer.Engine {
	a := &App{config: o.Config, store: o.Store, linker: o.Linker, base: o.Base, now: o.Now, logger: slog.New(slog.DiscardHandler)}
	a.layout.learn(o.Layout)
	e := &syncer.Engine{Kind: Activities, Open: a.openActivities, Others: others{a}, Now: o.Now}
	a.engines = map[record.Type]*syncer.Engine{record.Activities: e}
	return e
}
