package app_test

import (
	"bytes"
	"compress/gzip"
	"encoding/json"
	"fmt"
	"net/http"
	"strings"
	"sync"
	"testing"

	creatiobox "github.com/tandem-sync/tandem/shared/sandbox/creatio"
	googlebox "github.com/tandem-sync/tandem/shared/sandbox/google"
)

// What a deployed function has, by terraform/functions.tf: four fifths of its memory, and requests at the same time.
const (
	settingsLimit, settingsAtOnce = 409, 20
	syncLimit, syncAtOnce         = 819, 4
)

// bombs are replies that are small on the wire and large in memory: just below and far beyond what is read of one.
var bombs = map[string]struct {
	row  string
	size int
}{
	"rows without columns":      {`{}`, 31 << 20},
	"rows with many columns":    {`{"Id":"1","a":1,"b":2,"c":3,"d":4,"e":5,"f":6,"g":7}`, 3 << 20},
	"rows with a long text":     {`{"Id":"` + strings.Repeat("x", 1<<20) + `"}`, 28 << 20},
	"more than anybody reads":   {`{"Id":"` + strings.Repeat("x", 1<<20) + `"}`, 200 << 20},
	"lists in lists in columns": {`{"a":[[],[[]],[[[]]]]}`, 31 << 20},
}

// bomb is a list of so many bytes, compressed.
func bomb(t *testing.T, row string, size int) string {
	t.Helper()
	var b bytes.Buffer
	z := gzip.NewWriter(&b)
	many := []byte(strings.Repeat(row+",", 1+(1<<16)/len(row)))
	_, _ = z.Write([]byte(`{"value":[`))
	for written := 0; written < size; written += len(many) {
		if _, err := z.Write(many); err != nil {
			t.Fatal(err)
		}
	}
	_, _ = z.Write([]byte(row + `]}`))
	if err := z.Close(); err != nil {
		t.Fatal(err)
	}
	return b.String()
}

// hurls has the site answer every request for data with the body, as soon as so many of them have come: all at once.
func (w *world) hurls(body string, atOnce int) {
	var arrived sync.WaitGroup
	arrived.Add(atOnce)
	var mu sync.Mutex
	left := atOnce
	w.creatio.SetFault(func(r *http.Request) *creatiobox.Fault {
		if !strings.Contains(r.URL.Path, "/odata") {
			return nil
		}
		mu.Lock()
		if left > 0 {
			left--
			arrived.Done()
		}
		mu.Unlock()
		arrived.Wait()
		return &creatiobox.Fault{Status: 200, Body: body, Header: http.Header{"Content-Type": {"application/json"}, "Content-Encoding": {"gzip"}}}
	})
}

// below holds the worker to its limit, in MiB.
func (w *world) below(limit uint64, what string) {
	w.t.Helper()
	var u usage
	w.fromWorker("/worker/usage", &u)
	w.t.Logf("%s: %d MiB, %d of them live", what, u.Peak>>20, u.Live>>20)
	if u.Peak > limit<<20 {
		w.t.Errorf("%s took %d MiB, %d of them live, more than %d", what, u.Peak>>20, u.Live>>20, limit)
	}
}

// hostileWorld is one in whose process so many users are linked, each with a browser.
func hostileWorld(t *testing.T, limit uint64, users int) (w *world, browsers []*http.Client, ids []string) {
	t.Helper()
	w = newWorld(t, with(workerMark, "127.0.0.1:0"), with("GOMEMLIMIT", fmt.Sprintf("%dMiB", limit)), with("GOMAXPROCS", "1"))
	tag := w.tag("Ada", private)
	for n := range users {
		email := fmt.Sprintf("user%d@example.com", n)
		w.google.AddUser(googlebox.User{Email: email, Name: "Somebody", EmailVerified: true, HostedDomain: "example.com"})
		w.signsIn(email)
		w.visit("/settings/link/creatio")
		w.choose(tag)
		browsers, ids = append(browsers, w.browser), append(ids, w.account().ID)
	}
	return w, browsers, ids
}

func TestTwenty_hostile_replies_at_once_keep_the_settings_below_their_limit(t *testing.T) {
	t.Parallel()
	w, browsers, _ := hostileWorld(t, settingsLimit, settingsAtOnce)
	for name, b := range bombs {
		body := bomb(t, b.row, b.size)
		for path, together := range map[string]int{
			"GET /tags":              settingsAtOnce,
			"POST /contacts/preview": 1, // they wait for each other
		} {
			method, path, _ := strings.Cut(path, " ")
			w.hurls(body, together)
			w.fromWorker("/worker/usage", nil)
			statuses := atOnce(w, method, "/settings/api/v1"+path, browsers, nil)
			w.below(settingsLimit, fmt.Sprintf("%s at %s, answered %v,", name, path, statuses))
		}
	}
}

func TestFour_hostile_replies_at_once_keep_a_sync_process_below_its_limit(t *testing.T) {
	t.Parallel()
	w, browsers, ids := hostileWorld(t, syncLimit, syncAtOnce)
	for name, b := range bombs {
		w.hurls(bomb(t, b.row, b.size), syncAtOnce)
		w.fromWorker("/worker/usage", nil)
		statuses := atOnce(w, http.MethodPost, "/sync-contacts", browsers, ids)
		w.below(syncLimit, fmt.Sprintf("%s, answered %v,", name, statuses))
	}
}

// atOnce has every browser ask at the same time, for its user where ids tell, and counts the answers by their status.
func atOnce(w *world, method, path string, browsers []*http.Client, ids []string) map[int]int {
	w.t.Helper()
	var mu sync.Mutex
	statuses := map[int]int{}
	var wg sync.WaitGroup
	for n, browser := range browsers {
		wg.Go(func() {
			var body bytes.Buffer
			if ids != nil {
				_ = json.NewEncoder(&body).Encode(map[string]string{"user": ids[n]})
			}
			req, err := http.NewRequestWithContext(w.t.Context(), method, w.url+path, &body)
			if err != nil {
				w.t.Error(err)
				return
			}
			resp, err := browser.Do(req)
			if err != nil {
				w.t.Error(err)
				return
			}
			_ = resp.Body.Close()
			mu.Lock()
			defer mu.Unlock()
			statuses[resp.StatusCode]++
		})
	}
	wg.Wait()
	return statuses
}
