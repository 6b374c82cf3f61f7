// Package queue passes the tasks of due users to the function that synchronizes them: by Cloud Tasks on Google Cloud, or
// within the same process on a local machine. It is for shared/app, which connects those who add tasks with those who
// run them.
//
// Invariants: the queue rejects a second task of the same name while the first one waits or runs, and for some time after
// it ended, so that a tick that is delivered twice starts one run. The queue does not guarantee that a task runs: a user
// whose task was lost with the process is due again at the next tick. Errors are of the kinds of package fault.
package queue

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/tandem-sync/tandem/shared/fault"
	"github.com/tandem-sync/tandem/shared/record"
)

// side names the queue in faults, where the name of a service would be.
const side = "queue"

// Task is one window of one user's sync type to run, or the next page of due users to add.
type Task struct {
	// Name identifies the task, see the function Name.
	Name string
	Type record.Type
	// User is the user to synchronize; empty for a page of users.
	User string
	// After is the cursor at which the page begins, of [A-Za-z0-9_-]; empty for a user.
	After string
	// Run is the run id that was already returned to the user; if it is empty, the worker makes one.
	Run string
	// Trigger is what caused the task: "schedule", "user", "push", "approve", "reject", "undo"; and of a task that runs nothing
	// "channels", which tends the user's channels, or "erase", which ends an erasure that was cut off.
	Trigger string
	// Due is when the user was due whom the schedule queues; zero for every other task.
	Due time.Time
	// NotBefore is the earliest time at which it may run; the zero time means at once.
	NotBefore time.Time
}

// Queue accepts tasks.
type Queue interface {
	// Add adds a task. It returns false without an error if a task of this name was added before.
	Add(ctx context.Context, t Task) (added bool, err error)
}

// Name names the task of a user, a sync type and a slot: the time of the tick or of the click. The same three make the
// same name. The name begins with a hash because Cloud Tasks is slow with names that sort by time
// (https://cloud.google.com/tasks/docs/reference/rest/v2/projects.locations.queues.tasks/create). It does not reveal the
// user.
func Name(user string, t record.Type, slot time.Time) string {
	slot = slot.UTC()
	sum := sha256.Sum256(fmt.Appendf(nil, "%q %q %s", user, t, slot.Format(time.RFC3339Nano)))
	return fmt.Sprintf("%s-%s-%s", hex.EncodeToString(sum[:12]), strings.Map(nameChar, string(t)), slot.Format("20060102T150405Z"))
}

// maxName is the length of the longest name that Cloud Tasks accepts.
const maxName = 500

func nameChar(r rune) rune {
	switch {
	case 'A' <= r && r <= 'Z', 'a' <= r && r <= 'z', '0' <= r && r <= '9', r == '-', r == '_':
		return r
	}
	return '-'
}

// check rejects a task that no queue could run. The inline queue is thereby as strict as Cloud Tasks.
func (t Task) check() error {
	switch {
	case t.Name == "" || len(t.Name) > maxName || strings.Map(nameChar, t.Name) != t.Name:
		return fault.Errorf(fault.Bug, side, "bad-name", "add task: the name %.40q is not of 1 to %d characters of [A-Za-z0-9_-]", t.Name, maxName)
	case t.Type == "" || (t.User == "") == (t.After == ""):
		return fault.New(fault.Bug, side, "bad-task", errors.New("add task: the type is missing, or it is not for one user or one page"))
	}
	return nil
}
