package app

import (
	"context"
	"fmt"
	"net/http"
	"os"
	"os/signal"
	"sync"
	"syscall"

	"github.com/sethvargo/go-envconfig"

	"github.com/tandem-sync/tandem/shared/config"
	"github.com/tandem-sync/tandem/shared/observe"
)

// notSetUp is the answer to every request if Tandem cannot serve at all.
const notSetUp = "Tandem is not set up. Ask your administrator to read its log."

// target is the variable in which the functions framework names the served function
// (https://cloud.google.com/functions/docs/configuring/env-var).
const target = "FUNCTION_TARGET"

// receiver is the entry point of the function that needs a part of the configuration only.
const receiver = "CalendarPush"

// composed is the App of this process, made from its environment.
var composed = sync.OnceValues(func() (*App, error) {
	ctx := context.Background()
	load, compose := config.Load, New
	if os.Getenv(target) == receiver {
		load, compose = config.LoadReceiver, NewReceiver
	}
	c, err := load(ctx, envconfig.OsLookuper())
	if err != nil {
		return nil, err
	}
	a, err := compose(ctx, c, Options{Logger: observe.NewLogger(os.Stderr, observe.Options{Project: os.Getenv("GOOGLE_CLOUD_PROJECT")})})
	if err == nil && a.telemetry != nil {
		go a.flushAtShutdown(ctx)
	}
	return a, err
})

// flushAtShutdown sends the remaining telemetry when the platform stops the instance, then ends the process. The platform
// sends SIGTERM some seconds before it stops an instance
// (https://cloud.google.com/run/docs/container-contract#instance-shutdown).
func (a *App) flushAtShutdown(ctx context.Context) {
	stop := make(chan os.Signal, 1)
	signal.Notify(stop, syscall.SIGTERM)
	<-stop
	_ = a.telemetry.Close(ctx)
	os.Exit(0)
}

// Function is the handler of one deployed function. If the process was started to serve it, a wrong configuration ends the
// process at once, with a list of every problem.
func Function(entryPoint string, pick func(*App) http.Handler) http.HandlerFunc {
	if os.Getenv(target) == entryPoint {
		if _, err := composed(); err != nil {
			fmt.Fprintln(os.Stderr, err)
			os.Exit(1)
		}
	}
	return func(w http.ResponseWriter, r *http.Request) {
		a, err := composed()
		if err != nil {
			http.Error(w, notSetUp, http.StatusInternalServerError)
			return
		}
		pick(a).ServeHTTP(w, r)
	}
}
