package app_test

import (
	"bufio"
	"context"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httputil"
	"net/url"
	"os"
	"os/exec"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/sethvargo/go-envconfig"

	"github.com/tandem-sync/tandem/shared/app"
	"github.com/tandem-sync/tandem/shared/config"
	"github.com/tandem-sync/tandem/shared/observe"
	"github.com/tandem-sync/tandem/shared/store"
)

// workerMark has the test binary serve Tandem in a process of its own, whose memory is that of a deployed function.
const workerMark = "TANDEM_TEST_WORKER"

// serveWorker serves Tandem until its standard input ends.
func serveWorker() error {
	ctx := context.Background()
	c, err := config.Load(ctx, envconfig.OsLookuper())
	if err != nil {
		return err
	}
	a, err := app.New(ctx, c, app.Options{Logger: observe.NewLogger(os.Stderr, observe.Options{})})
	if err != nil {
		return err
	}
	l, err := net.Listen("tcp", os.Getenv(workerMark))
	if err != nil {
		return err
	}
	fmt.Println(l.Addr())
	go func() { _, _ = io.Copy(io.Discard, os.Stdin); _ = l.Close() }()
	_ = http.Serve(l, a.Handler())
	return a.Close(ctx)
}

// worker is the process, and how much memory it had resident at most, its program with it, but without what it maps of the
// store's file: that is the file's, and is there only because this store is one.
type worker struct {
	cmd   *exec.Cmd
	store string
	stop  func()
	most  atomic.Int64
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
	over := make(chan struct{})
	p := &worker{cmd: cmd, store: strings.TrimPrefix(w.env["STORE"], "bolt:"), stop: sync.OnceFunc(func() {
		close(over)
		_ = in.Close()
		_ = cmd.Wait()
	})}
	w.t.Cleanup(p.stop)
	go p.watch(over)
	address, err := bufio.NewReader(out).ReadString('\n')
	if err != nil {
		w.t.Fatalf("the worker did not start: %v", err)
	}
	w.worker = p
	return httputil.NewSingleHostReverseProxy(&url.URL{Scheme: "http", Host: strings.TrimSpace(address)})
}

// watch looks at the memory all the time: the kernel keeps the most of what is resident, but not of what kind it was.
func (p *worker) watch(over <-chan struct{}) {
	tick := time.NewTicker(20 * time.Millisecond)
	defer tick.Stop()
	for {
		select {
		case <-over:
			return
		case <-tick.C:
			p.most.Store(max(p.most.Load(), p.resident()))
		}
	}
}

// resident is the memory in bytes (https://man7.org/linux/man-pages/man5/proc_pid_smaps.5.html); 0 where it cannot be read.
func (p *worker) resident() int64 {
	maps, err := os.ReadFile(fmt.Sprintf("/proc/%d/smaps", p.cmd.Process.Pid))
	if err != nil {
		return 0
	}
	total, ours := int64(0), true
	for line := range strings.Lines(string(maps)) {
		fields := strings.Fields(line)
		switch {
		case len(fields) >= 5 && strings.Contains(fields[0], "-"):
			ours = fields[len(fields)-1] != p.store
		case len(fields) == 3 && fields[0] == "Rss:" && ours:
			n, _ := strconv.ParseInt(fields[1], 10, 64)
			total += n << 10
		}
	}
	return total
}

// restart has a new process go on with what the old one left.
func (w *world) restart() {
	w.t.Helper()
	w.worker.stop()
	w.start()
}

// within holds what the worker did to so much memory.
func (w *world) within(limit int64, what string) {
	w.t.Helper()
	switch most := w.worker.most.Load(); {
	case most == 0:
		w.t.Fatal("the memory of the worker cannot be read")
	case most > limit:
		w.t.Errorf("%s: %d MiB resident, more than %d", what, most>>20, limit>>20)
	default:
		w.t.Logf("%s: %d MiB resident", what, most>>20)
	}
}

// A function of 256 MiB is told to keep its heap below four fifths of that, as Terraform tells every one.
const heapLimit = "205MiB"

const (
	many     = 25_000
	firstRun = 256 << 20
	idleRun  = 64 << 20
)

func TestA_synchronization_of_25000_contacts_fits_into_a_small_function(t *testing.T) {
	t.Parallel()
	w := newWorld(t, with(workerMark, "127.0.0.1:0"), with("GOMEMLIMIT", heapLimit))
	tag := w.tag("Ada", private)
	for i := range many {
		id := w.row("Ada", "Contact", map[string]any{
			"Name": fmt.Sprintf("Given%d Family%d", i, i), "JobTitle": "Head of something", "BirthDate": "1980-02-03T00:00:00Z",
			"Notes": strings.Repeat("A note about this person. ", 5), "Email": fmt.Sprintf("person%d@example.com", i),
			"MobilePhone": fmt.Sprintf("+4477009%05d", i), "Phone": fmt.Sprintf("+44207946%05d", i),
		})
		w.row("Ada", "ContactAddress", map[string]any{
			"ContactId": id, "AddressTypeId": homeAddress, "Address": fmt.Sprintf("%d High Street", i), "Zip": "AB1 2CD", "Primary": true,
		})
		w.tagged(tag, id)
	}
	w.link()
	w.choose(tag)
	run := w.sync("done")
	if run.Counts.Google.Created != many || len(w.google.Account(ada).Members(w.group())) != many {
		t.Fatalf("the first run did %s", summary(run))
	}
	w.within(firstRun, "a first run of 25,000 contacts")
	// What the first run wrote comes back once.
	if run := w.sync("done"); len(run.Changes) > 0 {
		t.Fatalf("the second run did %s", summary(run))
	}
	w.within(firstRun, "a run to which 25,000 contacts come back")
	w.restart()
	// A new process asks once how the site is laid out.
	w.sync("done")
	run = w.sync("done")
	if len(run.Changes) > 0 || run.Counts.Calls != (store.Calls{Google: 2, Creatio: 1}) {
		t.Fatalf("an idle run did %s with %+v", summary(run), run.Counts.Calls)
	}
	w.within(idleRun, "an idle run with 25,000 links")
}

const homeAddress = "4f8b2d67-71d0-45fb-897e-cd4a308a97c0"
