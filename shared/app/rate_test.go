package app_test

import (
	"encoding/json"
	"net/http"
	"strconv"
	"sync"
	"testing"
	"time"

	googlebox "github.com/tandem-sync/tandem/shared/sandbox/google"
)

func TestFour_hundred_who_ask_at_once_get_one_run(t *testing.T) {
	t.Parallel()
	bothStores(t, func(t *testing.T, store change) {
		q := newCloud(t)
		w := newWorld(t, store, onTasks(q))
		w.link()
		w.choose(w.tag("Ada", private))
		before := len(q.Tasks.Taken())
		var mu sync.Mutex
		runs := map[string]int{}
		var wg sync.WaitGroup
		for range 20 {
			wg.Go(func() {
				for range 20 {
					a := w.do(http.MethodPost, "/settings/api/v1/contacts/sync", nil)
					var queued struct{ Run string }
					_ = json.Unmarshal([]byte(a.body), &queued)
					mu.Lock()
					runs[strconv.Itoa(a.status)+" "+queued.Run]++
					mu.Unlock()
				}
			})
		}
		wg.Wait()
		if queued := len(q.Tasks.Taken()) - before; len(runs) != 1 || queued != 1 {
			t.Errorf("answered were %v, queued %d runs", runs, queued)
		}
		// A run that has waited for long may be nobody's task any more.
		w.pass(5 * time.Minute)
		var next struct{ Run string }
		w.call(http.MethodPost, "/contacts/sync", nil, 202, &next)
		if runs["202 "+next.Run] > 0 {
			t.Error("it is relied on for ever")
		}
	})
}

func TestWho_asks_for_too_much_is_told_when_to_come_back(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.link()
	w.choose(w.tag("Ada", private))
	asked, last := 0, answer{}
	for last.status != 429 && asked < 100 {
		last = w.do(http.MethodGet, "/settings/api/v1/tags", nil)
		asked++
	}
	seconds, err := strconv.Atoi(last.header.Get("Retry-After"))
	if last.status != 429 || err != nil || asked < 30 {
		t.Fatalf("request %d is answered %d, Retry-After %q", asked, last.status, last.header.Get("Retry-After"))
	}
	var problem struct{ Code, Detail string }
	if json.Unmarshal([]byte(last.body), &problem) != nil || problem.Code != "too-many-requests" || problem.Detail == "" {
		t.Errorf("the answer is %s", last.body)
	}
	if a := w.visit("/settings"); a.status != 429 || a.header.Get("Content-Type") != "text/html; charset=utf-8" {
		t.Errorf("the page is answered %d %s", a.status, a.header.Get("Content-Type"))
	}
	own := w.browser
	w.google.AddUser(googlebox.User{Email: bo, Name: "Bo", EmailVerified: true, HostedDomain: "example.com"})
	w.signsIn(bo)
	w.browser = own
	w.pass(time.Duration(seconds) * time.Second)
	if a := w.do(http.MethodGet, "/settings/api/v1/tags", nil); a.status != 200 {
		t.Errorf("after the wait the answer is %d", a.status)
	}
	for range 3 {
		w.do(http.MethodGet, "/settings/api/v1/tags", nil)
	}
	if a := w.do(http.MethodPost, "/settings/sign-out", nil); a.status == 429 {
		t.Error("not even signing out is allowed")
	}
}
