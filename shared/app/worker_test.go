package app_test

import (
	"bufio"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httputil"
	"net/url"
	"os"
	"os/exec"
	"runtime"
	"runtime/debug"
	"runtime/metrics"
	"strings"
	"sync"
	"time"

	"github.com/sethvargo/go-envconfig"

	"github.com/tandem-sync/tandem/shared/app"
	"github.com/tandem-sync/tandem/shared/config"
	"github.com/tandem-sync/tandem/shared/observe"
	"github.com/tandem-sync/tandem/shared/record"
	"github.com/tandem-sync/tandem/shared/syncer"
)

// workerMark has the test binary serve Tandem in a process of its own, whose memory is that of a deployed function.
const workerMark = "TANDEM_TEST_WORKER"

// serveWorker serves Tandem until its standard input ends, and beside it what the process used and whether its queue is
// empty.
func serveWorker() error {
	ctx := context.Background()
	c, err := config.Load(ctx, envconfig.OsLookuper())
	if err != nil {
		return err
	}
	// The sandboxes have no quota, and nobody waits for one.
	fast := syncer.Rate{PerSecond: 1e6, Burst: 1e6}
	a, err := app.New(ctx, c, app.Options{
		Logger: observe.NewLogger(os.Stderr, observe.Options{}), Rates: map[record.Side]syncer.Rate{record.Google: fast, record.Creatio: fast},
	})
	if err != nil {
		return err
	}
	l, err := net.Listen("tcp", os.Getenv(workerMark))
	if err != nil {
		return err
	}
	var m usageMeter
	m.watch()
	mux := http.NewServeMux()
	mux.Handle("/", a.Handler())
	mux.HandleFunc("/worker/usage", func(w http.ResponseWriter, _ *http.Request) { _ = json.NewEncoder(w).Encode(m.take()) })
	mux.HandleFunc("/worker/idle", func(_ http.ResponseWriter, r *http.Request) { _ = a.Wait(r.Context()) })
	fmt.Println(l.Addr())
	go func() { _, _ = io.Copy(io.Discard, os.Stdin); _ = l.Close() }()
	_ = http.Serve(l, mux)
	return a.Close(ctx)
}

// worker is the process.
type worker struct {
	url  string
	stop func()
}

// startWorker starts the process and gives its handler.
func (w *world) startWorker() http.Handler {
	w.t.Helper()
	cmd := exec.Command(os.Args[0])
	cmd.Stderr = w.log
	cmd.Env = os.Environ()
	for name, value := range w.env {
		cmd.Env = append(cmd.Env, name+"="+value)
	}
	in, err := cmd.StdinPipe()
	if err != nil {
		w.t.Fatal(err)
	}
	out, err := cmd.StdoutPipe()
	if err != nil {
		w.t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		w.t.Fatal(err)
	}
	w.worker = &worker{stop: sync.OnceFunc(func() {
		_ = in.Close()
		_ = cmd.Wait()
	})}
	w.t.Cleanup(w.worker.stop)
	address, err := bufio.NewReader(out).ReadString('\n')
	if err != nil {
		w.t.Fatalf("the worker did not start: %v", err)
	}
	at := &url.URL{Scheme: "http", Host: strings.TrimSpace(address)}
	w.worker.url = at.String()
	return httputil.NewSingleHostReverseProxy(at)
}

// restart has a new process go on with what the old one left.
func (w *world) restart() {
	w.t.Helper()
	w.worker.stop()
	w.start()
}

// fromWorker asks the worker about itself.
func (w *world) fromWorker(path string, into any) {
	w.t.Helper()
	resp, err := http.Get(w.worker.url + path)
	if err != nil {
		w.t.Fatal(err)
	}
	defer func() { _ = resp.Body.Close() }()
	if into == nil {
		return
	}
	if err := json.NewDecoder(resp.Body).Decode(into); err != nil {
		w.t.Fatal(err)
	}
}

// usage is what the process used since it was asked last.
type usage struct {
	// Peak is the most memory in bytes that the runtime had from the operating system, without what it gave back.
	Peak uint64
	// Live is the most that a collection left.
	Live uint64
	// CPU is the time in seconds that the process computed, GC the part of it that went to the garbage collector.
	CPU, GC float64
}

// share is the garbage collector's part of the time.
func (u usage) share() float64 { return u.GC / u.CPU }

// usageMeter measures the process from within, by what its own runtime counts: other than what the kernel counts, that
// does not depend on what else the machine does. The time is the runtime's too: it counts how long a processor was given
// to the program or to the collector, and a neighbour makes both longer alike. Collecting in time in which the program
// had nothing to do takes nothing from it, and is no part of either.
type usageMeter struct {
	mu   sync.Mutex
	most usage
	// from is what the process had computed when it was asked last.
	from usage
}

const (
	totalMemory    = "/memory/classes/total:bytes"
	releasedMemory = "/memory/classes/heap/released:bytes"
	liveHeap       = "/gc/heap/live:bytes"
	totalTime      = "/cpu/classes/total:cpu-seconds"
	idleTime       = "/cpu/classes/idle:cpu-seconds"
	collectingTime = "/cpu/classes/gc/total:cpu-seconds"
	idleCollecting = "/cpu/classes/gc/mark/idle:cpu-seconds"
)

// watch looks all the time, and after every collection.
func (m *usageMeter) watch() {
	go func() {
		for range time.Tick(5 * time.Millisecond) {
			m.look()
		}
	}()
	var next func(*usageMeter)
	next = func(m *usageMeter) {
		m.look()
		runtime.AddCleanup(new([64]*byte), next, m)
	}
	next(m)
}

func (m *usageMeter) look() {
	m.mu.Lock()
	defer m.mu.Unlock()
	read := read(totalMemory, releasedMemory, liveHeap)
	m.most.Peak = max(m.most.Peak, read[totalMemory].Uint64()-read[releasedMemory].Uint64())
	m.most.Live = max(m.most.Live, read[liveHeap].Uint64())
}

// take tells what was used since it was last called. The runtime counts time at the end of a collection. What that
// frees is given back, so that what comes next is measured for itself.
func (m *usageMeter) take() usage {
	m.look()
	debug.FreeOSMemory()
	m.look()
	read := read(totalTime, idleTime, collectingTime, idleCollecting)
	is := usage{
		CPU: read[totalTime].Float64() - read[idleTime].Float64() - read[idleCollecting].Float64(),
		GC:  read[collectingTime].Float64() - read[idleCollecting].Float64(),
	}
	m.mu.Lock()
	defer m.mu.Unlock()
	out := usage{Peak: m.most.Peak, Live: m.most.Live, CPU: is.CPU - m.from.CPU, GC: is.GC - m.from.GC}
	m.most, m.from = usage{}, is
	return out
}

func read(names ...string) map[string]metrics.Value {
	samples := make([]metrics.Sample, len(names))
	for i, name := range names {
		samples[i].Name = name
	}
	metrics.Read(samples)
	out := map[string]metrics.Value{}
	for _, s := range samples {
		out[s.Name] = s.Value
	}
	return out
}
