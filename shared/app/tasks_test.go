package app_test

import (
	"encoding/base64"
	"encoding/json"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"
	"time"

	"google.golang.org/api/cloudtasks/v2"
	"google.golang.org/api/option"

	"github.com/tandem-sync/tandem/shared/app"
	creatiobox "github.com/tandem-sync/tandem/shared/sandbox/creatio"
	"github.com/tandem-sync/tandem/shared/store"
)

const (
	queueName = "projects/p/locations/l/queues/contacts"
	invoker   = "invoker@p.iam.gserviceaccount.com"
)

// tasks is as much of Cloud Tasks as these tests need: it keeps what it is given, each name once.
type tasks struct {
	mu    sync.Mutex
	names map[string]bool
	taken []*cloudtasks.Task
	calls int
	// refuse, if set, gives the status with which a body is refused; 0 takes it.
	refuse func(body string) int
	// meet, if set, is called by every request before anything else.
	meet func()
}

func (q *tasks) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	if q.meet != nil {
		q.meet()
	}
	var req cloudtasks.CreateTaskRequest
	if r.URL.Path != "/v2/"+queueName+"/tasks" || json.NewDecoder(r.Body).Decode(&req) != nil {
		http.Error(w, `{"error":{"code":404,"status":"NOT_FOUND"}}`, http.StatusNotFound)
		return
	}
	q.mu.Lock()
	defer q.mu.Unlock()
	q.calls++
	if body, _ := base64.StdEncoding.DecodeString(req.Task.HttpRequest.Body); q.refuse != nil {
		if status := q.refuse(string(body)); status != 0 {
			http.Error(w, `{"error":{"code":404,"status":"NOT_FOUND"}}`, status)
			return
		}
	}
	if q.names[req.Task.Name] {
		http.Error(w, `{"error":{"code":409,"status":"ALREADY_EXISTS"}}`, http.StatusConflict)
		return
	}
	q.names[req.Task.Name] = true
	q.taken = append(q.taken, req.Task)
	_ = json.NewEncoder(w).Encode(req.Task)
}

func onTasks(t *testing.T, q *tasks) change {
	server := httptest.NewServer(q)
	t.Cleanup(server.Close)
	return func(env map[string]string, _ *creatiobox.Options, o *app.Options) {
		env["QUEUE"], env["INVOKER"] = queueName, invoker
		o.Google = []option.ClientOption{option.WithEndpoint(server.URL + "/"), option.WithoutAuthentication()}
	}
}

// deliver posts a task to its function, and that must not ask for a repetition.
func (w *world) deliver(task *cloudtasks.Task) (status string) {
	w.t.Helper()
	a := w.answer(task)
	var out struct{ Status string }
	if json.Unmarshal([]byte(a.body), &out) != nil || a.status != 200 {
		w.t.Fatalf("delivery: got %d %s", a.status, a.body)
	}
	return out.Status
}

// answer is what a task gets when it is posted to its function, as Cloud Tasks does.
func (w *world) answer(task *cloudtasks.Task) answer {
	w.t.Helper()
	body, err := base64.StdEncoding.DecodeString(task.HttpRequest.Body)
	if err != nil {
		w.t.Fatal(err)
	}
	path := strings.TrimPrefix(task.HttpRequest.Url, w.url)
	return w.do(task.HttpRequest.HttpMethod, path, string(body), func(r *http.Request) {
		for name, v := range task.HttpRequest.Headers {
			r.Header.Set(name, v)
		}
		token := task.HttpRequest.OidcToken
		r.Header.Set("Authorization", "Bearer "+w.google.IssueServiceToken(token.ServiceAccountEmail, token.Audience))
	})
}

func TestFrom_the_tick_over_cloud_tasks_to_the_commit(t *testing.T) {
	t.Parallel()
	q := &tasks{names: map[string]bool{}}
	w := newWorld(t, onFirestore(t), onTasks(t, q))
	tag := w.tag("Ada", private)
	w.tagged(tag, w.contact("Grace Hopper", "grace@example.com"))
	w.link()
	w.choose(tag)

	// What the user asks for is promised under an id, and made under it however often the task is delivered.
	var promised struct{ Run string }
	w.call(http.MethodPost, "/contacts/sync", nil, 202, &promised)
	if len(q.taken) != 1 {
		t.Fatalf("%d tasks are queued", len(q.taken))
	}
	for range 2 {
		if status := w.deliver(q.taken[0]); status != "done" {
			t.Errorf("the user's run ended %s", status)
		}
	}
	var run store.Run
	w.call(http.MethodGet, "/runs/"+promised.Run, nil, 200, &run)
	if run.Status != "done" || run.Trigger != "user" || run.Counts.Google.Created != 1 {
		t.Errorf("got %+v", run)
	}

	// A tick queues who is due, and the same tick delivered twice queues nobody twice.
	w.pass(time.Hour)
	tick := func() string {
		return strings.TrimSpace(w.do(http.MethodPost, "/sync-contacts", "{}", func(r *http.Request) {
			r.Header.Set("Authorization", "Bearer "+w.google.IssueServiceToken(invoker, w.url+"/sync-contacts"))
		}).body)
	}
	if first, second := tick(), tick(); first != `{"due":1,"queued":1}` || second != `{"due":1,"queued":0}` {
		t.Errorf("got %s and %s", first, second)
	}
	before := *w.account().Contacts.State.LastSync
	if status := w.deliver(q.taken[1]); status != "done" {
		t.Errorf("the scheduled run ended %s", status)
	}
	if after := *w.account().Contacts.State.LastSync; !after.After(before) {
		t.Errorf("the last synchronization stays at %s", after)
	}
	// A late second delivery finds nothing to do.
	w.writes()
	if status := w.deliver(q.taken[1]); status != "done" || len(w.writes()) > 0 {
		t.Errorf("the late delivery ended %s", status)
	}
}
