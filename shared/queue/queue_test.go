package queue_test

import (
	"regexp"
	"testing"
	"time"

	"pgregory.net/rapid"

	"github.com/tandem-sync/tandem/shared/fault"
	"github.com/tandem-sync/tandem/shared/queue"
	"github.com/tandem-sync/tandem/shared/record"
	_ "github.com/tandem-sync/tandem/shared/sandbox/seed"
)

// noon is the time at which a synctest bubble begins, and with it every test.
var noon = time.Date(2000, 1, 1, 0, 0, 0, 0, time.UTC)

func TestA_name_depends_on_the_user_the_type_and_the_slot_alone(t *testing.T) {
	t.Parallel()
	name := queue.Name("ada", record.Contacts, noon)
	if again := queue.Name("ada", record.Contacts, noon.In(time.FixedZone("", 3600))); again != name {
		t.Errorf("got %q and %q for one slot", name, again)
	}
	for what, other := range map[string]string{
		"user": queue.Name("alan", record.Contacts, noon),
		"type": queue.Name("ada", record.Activities, noon),
		"slot": queue.Name("ada", record.Contacts, noon.Add(time.Nanosecond)),
	} {
		if other == name {
			t.Errorf("another %s has the same name %q", what, name)
		}
	}
}

func TestEvery_name_is_valid_in_cloud_tasks(t *testing.T) {
	t.Parallel()
	form := regexp.MustCompile(`^[0-9a-f]{24}[A-Za-z0-9_-]{1,400}$`)
	rapid.Check(t, func(t *rapid.T) {
		user, kind := rapid.String().Draw(t, "user"), rapid.SampledFrom([]string{"contacts", "activities", "a/ü"}).Draw(t, "type")
		slot := time.Unix(rapid.Int64Range(0, 1<<33).Draw(t, "slot"), 0)
		if name := queue.Name(user, record.Type(kind), slot); !form.MatchString(name) {
			t.Fatalf("got %q", name)
		}
	})
}

func TestA_task_that_no_queue_could_run_is_a_bug(t *testing.T) {
	t.Parallel()
	q := queue.NewInline(t.Context(), 1, nil, nil, nil)
	for what, task := range map[string]queue.Task{
		"no name":  {Type: record.Contacts, User: "ada"},
		"bad name": {Name: "a/b", Type: record.Contacts, User: "ada"},
		"no type":  {Name: "a", User: "ada"},
		"no user":  {Name: "a", Type: record.Contacts},
		"both":     {Name: "a", Type: record.Contacts, User: "ada", After: "x"},
	} {
		if added, err := q.Add(t.Context(), task); added || !fault.Is(err, fault.Bug) || err == nil {
			t.Errorf("%s: got %v, %v", what, added, err)
		}
	}
}
