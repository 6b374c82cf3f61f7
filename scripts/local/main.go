// Command local serves all of Tandem on this machine, with a bbolt file, an inline queue and
// a ticker in Cloud Scheduler's place. Where no real services are configured it starts a simulated
// Google and a simulated Creatio with sample data and points itself there.
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/http"
	"os"
	"os/signal"
	"path/filepath"
	"strconv"
	"syscall"
	"time"

	"github.com/sethvargo/go-envconfig"
	"go.etcd.io/bbolt"
	berrors "go.etcd.io/bbolt/errors"

	"github.com/tandem-sync/tandem/shared/app"
	"github.com/tandem-sync/tandem/shared/config"
	"github.com/tandem-sync/tandem/shared/observe"
)

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	context.AfterFunc(ctx, func() {
		stop() // From here on a signal ends the process at once.
		fmt.Fprintln(os.Stderr, "ending: a synchronization that is under way stops at its next step, within 5 seconds; press Ctrl-C again to quit at once")
	})
	o, err := parse(os.Args[1:], os.Stderr)
	if errors.Is(err, flag.ErrHelp) {
		return
	}
	if err == nil {
		err = serve(ctx, o, os.Stdout)
	}
	if err != nil && !errors.Is(err, context.Canceled) {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}

// options are the command line.
type options struct {
	demo, once, verbose bool
	tick                time.Duration
	data, backup        string
	env                 func(string) (string, bool)
	// started is told of the services, for a test that does in them what people do; nil where nobody is.
	started func(*services)
}

func parse(args []string, out io.Writer) (options, error) {
	o := options{env: os.LookupEnv}
	f := flag.NewFlagSet("scripts/run", flag.ContinueOnError)
	f.SetOutput(io.Discard) // What is wrong is told in one sentence, not with all options.
	f.BoolVar(&o.demo, "demo", false, "link the sample user's accounts, synchronize contacts and activities twice and tell what happened")
	f.BoolVar(&o.once, "once", false, "with -demo: end after that, successfully only if both sides agree")
	f.DurationVar(&o.tick, "tick", time.Minute, "how often to look which users are due; 0 never")
	f.StringVar(&o.data, "data", "", "keep everything in this directory; default: a new one that is removed at the end, or .tandem with real services")
	f.StringVar(&o.backup, "backup", "", "keep a copy of the database in this file, made every day and at the end; default: none")
	f.BoolVar(&o.verbose, "v", false, "log every request and run")
	err := f.Parse(args)
	switch {
	case errors.Is(err, flag.ErrHelp):
		f.SetOutput(out)
		f.Usage()
		return o, err
	case err != nil:
		return o, fmt.Errorf("%w; scripts/run --help lists the options", err)
	case f.NArg() > 0:
		return o, fmt.Errorf("there is no argument %q; scripts/run --help lists the options", f.Arg(0))
	case o.tick < 0:
		return o, fmt.Errorf("--tick is %s, and has to be 0 or more, as 1m", o.tick)
	case o.once && !o.demo:
		return o, errors.New("--once ends after the demonstration, and goes with --demo")
	}
	return o, nil
}

// serve runs until the context ends, or with once until the demonstration is over.
func serve(ctx context.Context, o options, out io.Writer) (err error) {
	level := slog.LevelWarn
	if o.verbose {
		level = slog.LevelInfo
	}
	logger := observe.NewTextLogger(os.Stderr, level)
	listener, port, err := listen(o.env)
	if err != nil {
		return err
	}
	defer func() { _ = listener.Close() }()
	public := valueOr(o.env, "PUBLIC_URL", "http://127.0.0.1:"+port)

	data, remove, err := o.directory()
	if err != nil {
		return err
	}
	defer remove()
	unlock, err := lock(data)
	if err != nil {
		return err
	}
	defer unlock()
	services, err := startServices(o.env, data, public, logger)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, services.close()) }()
	if o.started != nil {
		o.started(services)
	}
	db := filepath.Join(data, "tandem.db")
	if services.fresh && services.google != nil && services.creatio != nil {
		// Links to what the simulated services no longer hold would look like contacts that vanished.
		if err := os.Remove(db); err == nil {
			fmt.Fprintln(out, "the simulated services were not ended cleanly last time: beginning again with the sample data")
		}
	}

	c, err := config.Load(ctx, environment(o.env, services.env, map[string]string{
		"PUBLIC_URL": public, "PORT": port,
		"STORE":          "bolt:" + db,
		"ENCRYPTION_KEY": "file:" + filepath.Join(data, "key", "tandem.json"),
	}))
	if err != nil {
		return err
	}
	a, err := app.New(ctx, c, app.Options{Logger: logger})
	if err != nil {
		return err
	}
	ticker := scheduler{config: c, app: a, google: services.google}
	server := &http.Server{Handler: ticker.handler(), ReadHeaderTimeout: 10 * time.Second, ReadTimeout: 30 * time.Second, IdleTimeout: 2 * time.Minute, ErrorLog: slog.NewLogLogger(logger.Handler(), slog.LevelWarn)}
	served := make(chan error, 1)
	go func() { served <- server.Serve(listener) }()
	delivering, stopDelivering := context.WithCancel(ctx)
	defer stopDelivering()
	if services.google != nil {
		go services.google.Calendars().KeepDelivering(delivering, http.DefaultClient)
	}
	defer func() {
		// What is under way stops at its next step, or is broken off.
		a.End()
		ending, cancel := context.WithTimeout(context.WithoutCancel(ctx), endTime)
		defer cancel()
		if server.Shutdown(ending) != nil {
			_ = server.Close()
		}
		err = errors.Join(err, a.Close(ending))
	}()

	if o.demo {
		if err := demonstrate(ctx, services, public, out); err != nil {
			return err
		}
	}
	fmt.Fprintf(out, "ready %s/settings\n", public)
	if o.once {
		return nil
	}
	err = tick(ctx, ticker, o, served, logger)
	return errors.Join(err, o.backUp(context.WithoutCancel(ctx), a))
}

// backUp copies the database where that is asked for.
func (o options) backUp(ctx context.Context, a *app.App) error {
	if o.backup == "" {
		return nil
	}
	return a.Backup(ctx, o.backup)
}

// endTime is how long what is under way may take to its next step. With what breaking it off takes, it is less than 5 seconds.
const endTime = 3 * time.Second

// lock takes a directory for this process, before anything in it is touched: a second copy would take the first one's files for
// those of a process that died.
func lock(data string) (unlock func(), err error) {
	db, err := bbolt.Open(filepath.Join(data, "lock"), 0o600, &bbolt.Options{Timeout: 200 * time.Millisecond})
	if errors.Is(err, berrors.ErrTimeout) {
		return nil, fmt.Errorf("another copy of Tandem uses the directory %s: end it, or give this one another directory with --data", data)
	}
	if err != nil {
		return nil, fmt.Errorf("use the directory %s: %w", data, err)
	}
	return func() { _ = db.Close() }, nil
}

// tick looks which users are due, time and again, until the context ends.
func tick(ctx context.Context, s scheduler, o options, served <-chan error, logger *slog.Logger) error {
	var due <-chan time.Time
	if o.tick > 0 {
		ticker := time.NewTicker(o.tick)
		defer ticker.Stop()
		due = ticker.C
	}
	daily := time.NewTicker(24 * time.Hour)
	defer daily.Stop()
	for {
		select {
		case <-ctx.Done():
			return nil
		case err := <-served:
			return fmt.Errorf("serve: %w", err)
		case <-daily.C:
			if err := o.backUp(ctx, s.app); err != nil && ctx.Err() == nil {
				logger.ErrorContext(ctx, "backup failed", "error", err.Error())
			}
		case <-due:
			if err := s.tick(ctx); err != nil && ctx.Err() == nil {
				logger.WarnContext(ctx, "tick failed", "error", err.Error())
			}
		}
	}
}

// listen takes the port, or any free one where it is 0.
func listen(env func(string) (string, bool)) (net.Listener, string, error) {
	port := valueOr(env, "PORT", "8080")
	l, err := net.Listen("tcp", net.JoinHostPort("127.0.0.1", port))
	if err != nil {
		return nil, "", fmt.Errorf("port %s cannot be used, set PORT to another one: %w", port, err)
	}
	return l, strconv.Itoa(l.Addr().(*net.TCPAddr).Port), nil
}

// directory is where everything is kept. The sample data lives in a new one that is removed at the end.
func (o options) directory() (dir string, remove func(), err error) {
	keep := func() {}
	if o.data == "" && !sandboxed(o.env) {
		o.data = ".tandem"
	}
	if o.data != "" {
		dir, err = filepath.Abs(o.data)
		if err == nil {
			err = os.MkdirAll(dir, 0o700)
		}
		if err != nil {
			return "", nil, fmt.Errorf("use the directory %s: %w", o.data, err)
		}
		return dir, keep, nil
	}
	if dir, err = os.MkdirTemp("", "tandem-"); err != nil {
		return "", nil, fmt.Errorf("make a directory: %w", err)
	}
	return dir, func() { _ = os.RemoveAll(dir) }, nil
}

// environment looks first at what the user set, then at what the simulated services need, then at the defaults.
func environment(env func(string) (string, bool), more ...map[string]string) envconfig.Lookuper {
	lookupers := []envconfig.Lookuper{envconfig.LookuperFunc(func(name string) (string, bool) {
		v, ok := env(name)
		return v, ok && v != "" && name != "PORT"
	})}
	for _, m := range more {
		lookupers = append(lookupers, envconfig.MapLookuper(m))
	}
	return envconfig.MultiLookuper(lookupers...)
}

func valueOr(env func(string) (string, bool), name, otherwise string) string {
	if v, ok := env(name); ok && v != "" {
		return v
	}
	return otherwise
}
