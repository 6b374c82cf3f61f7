package app

import (
	"context"
	"net/http"
	"sync"

	"github.com/tandem-sync/tandem/shared/creatio"
)

// layout is where the site has its services, as this process has found it. It is the same for all users.
type layout struct {
	mu    sync.Mutex
	found creatio.Layout
	// doubted says that the site did not know what every site has since it was found.
	doubted bool
}

// known is the layout to open the site with; empty where the site has to be asked. found is the one of before.
func (l *layout) known() (now, found creatio.Layout) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.doubted {
		return "", l.found
	}
	return l.found, l.found
}

func (l *layout) learn(found creatio.Layout) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.found, l.doubted = found, false
}

// doubt has the site be asked again if an error may come of another layout.
func (l *layout) doubt(err error) {
	if !creatio.Misplaced(err) {
		return
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	l.doubted = true
}

// openSite opens the Creatio site, whose layout is read once, and again when it may be another one.
func (a *App) openSite(ctx context.Context, client *http.Client) (*creatio.Site, error) {
	now, found := a.layout.known()
	o := creatio.Options{HTTP: client, URL: a.config.Creatio.URL, Layout: now, Now: a.now, Logger: a.logger}
	site, err := creatio.Open(ctx, o)
	if err != nil && now == "" && found != "" && creatio.Misplaced(err) {
		// It answers at neither place, as while it is being rebuilt.
		o.Layout = found
		return creatio.Open(ctx, o)
	}
	if err == nil && site.Located() {
		a.layout.learn(site.Layout())
	}
	return site, err
}
