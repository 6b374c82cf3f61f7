package app_test

import (
	"encoding/json"
	"net/http"
	"strings"
	"testing"
	"time"

	"cloud.google.com/go/cloudtasks/apiv2/cloudtaskspb"
	"cloud.google.com/go/scheduler/apiv1/schedulerpb"

	"github.com/tandem-sync/tandem/shared/app"
	cloudbox "github.com/tandem-sync/tandem/shared/sandbox/cloud"
	creatiobox "github.com/tandem-sync/tandem/shared/sandbox/creatio"
	"github.com/tandem-sync/tandem/shared/store"
)

const (
	queueName = "projects/p/locations/l/queues/contacts"
	invoker   = "invoker@p.iam.gserviceaccount.com"
)

// newCloud is Cloud Tasks with the queue of the contacts, and Cloud Scheduler with their job.
func newCloud(t *testing.T) *cloudbox.Server {
	t.Helper()
	c := cloudbox.Start()
	t.Cleanup(c.Stop)
	c.Tasks.AddQueue(queueName)
	c.Tasks.SetNow(func() time.Time { return began })
	c.Scheduler.Put(contactsJob(schedulerpb.Job_ENABLED, "* * * * *"))
	return c
}

// onTasks is how Tandem is deployed: tasks and ticks come with a token that Cloud Run verified.
func onTasks(q *cloudbox.Server) change {
	return func(env map[string]string, _ *creatiobox.Options, o *app.Options) {
		env["QUEUE"], env["INVOKER"] = queueName, invoker
		env["INVOKER_VERIFIED_BY"], env["K_SERVICE"] = "platform", "sync-contacts"
		o.Google = q.Options()
	}
}

// deliver posts a task to its function, and that must not ask for a repetition.
func (w *world) deliver(task *cloudtaskspb.Task) (status string) {
	w.t.Helper()
	a := w.answer(task)
	var out struct{ Status string }
	if json.Unmarshal([]byte(a.body), &out) != nil || a.status != 200 {
		w.t.Fatalf("delivery: got %d %s", a.status, a.body)
	}
	return out.Status
}

// answer is what a task gets when it is posted to its function, as Cloud Tasks does.
func (w *world) answer(task *cloudtaskspb.Task) answer {
	w.t.Helper()
	request := task.GetHttpRequest()
	return w.do(request.GetHttpMethod().String(), strings.TrimPrefix(request.GetUrl(), w.url), string(request.GetBody()), func(r *http.Request) {
		for name, v := range request.GetHeaders() {
			r.Header.Set(name, v)
		}
		w.authorize(r, request.GetOidcToken().GetServiceAccountEmail(), request.GetOidcToken().GetAudience())
	})
}

// authorize has a request carry a service account's token.
func (w *world) authorize(r *http.Request, account, audience string) {
	r.Header.Set("Authorization", "Bearer "+w.google.IssueServiceToken(account, audience))
}

func TestFrom_the_tick_over_cloud_tasks_to_the_commit(t *testing.T) {
	t.Parallel()
	q := newCloud(t)
	w := newWorld(t, onFirestore(t), onTasks(q))
	tag := w.tag("Ada", private)
	w.tagged(tag, w.contact("Grace Hopper", "grace@example.com"))
	w.link()
	w.choose(tag)

	// What the user asks for is promised under an id, and made under it however often the task is delivered.
	var promised struct{ Run string }
	w.call(http.MethodPost, "/contacts/sync", nil, 202, &promised)
	if len(q.Tasks.Taken()) != 1 {
		t.Fatalf("%d tasks are queued", len(q.Tasks.Taken()))
	}
	for range 2 {
		if status := w.deliver(q.Tasks.Taken()[0]); status != "done" {
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
		return strings.TrimSpace(w.do(http.MethodPost, "/sync-contacts", "{}", w.asInvoker).body)
	}
	if first, second := tick(), tick(); first != `{"due":1,"queued":1}` || second != `{"due":1,"queued":0}` {
		t.Errorf("got %s and %s", first, second)
	}
	before := *w.account().Contacts.State.LastSync
	if status := w.deliver(q.Tasks.Taken()[1]); status != "done" {
		t.Errorf("the scheduled run ended %s", status)
	}
	if after := *w.account().Contacts.State.LastSync; !after.After(before) {
		t.Errorf("the last synchronization stays at %s", after)
	}
	// A late second delivery finds nothing to do.
	w.writes()
	if status := w.deliver(q.Tasks.Taken()[1]); status != "skipped" || len(w.writes()) > 0 {
		t.Errorf("the late delivery ended %s", status)
	}
}
