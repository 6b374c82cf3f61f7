package app

import (
	"context"
	"errors"
	"net/http"
	"time"

	"github.com/tandem-sync/tandem/shared/fault"
	"github.com/tandem-sync/tandem/shared/store/migrate"
)

// defaultPatience is how long a start waits for the store.
const defaultPatience = 10 * time.Second

// start looks at the schema for as long as a start may take.
func (a *App) start(ctx context.Context, patience time.Duration) error {
	ctx, cancel := context.WithTimeout(ctx, patience)
	defer cancel()
	return a.checkSchema(ctx)
}

// checkSchema looks once in a process's life whether this version can work with the documents. A store that cannot be
// reached is no reason not to start, as it may be reached in time for the first request.
func (a *App) checkSchema(ctx context.Context) error {
	if a.fitting.Load() {
		return nil
	}
	err := a.migrator.Open(ctx)
	if f, ok := errors.AsType[*fault.Error](err); ok && f.Code == migrate.Newer {
		return err
	}
	if err != nil {
		a.logger.WarnContext(ctx, "the schema of the store could not be read", "error", err.Error())
	}
	a.fitting.Store(err == nil)
	return nil
}

// checked serves nobody on documents that this version cannot work with.
func (a *App) checked(h http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if err := a.checkSchema(r.Context()); err != nil {
			a.logger.ErrorContext(r.Context(), "this version is too old for the database", "error", err.Error())
			http.Error(w, notSetUp, http.StatusInternalServerError)
			return
		}
		h.ServeHTTP(w, r)
	})
}
