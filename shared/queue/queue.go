// Package queue hands users whose synchronization is due to the function that does it: in the same process on a
// machine of one's own, by Cloud Tasks on Google Cloud. It is for shared/app, which connects it to who adds tasks and
// to who does the work.
//
// Invariants: a name that was taken is not taken again while its task waits or runs, nor for some time after it ended,
// so that a second delivery of one tick is not a second run; no task is promised to run: whoever is due and was lost
// with a process is due again at the next tick. Errors are of the kinds of package fault.
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

// side is what faults of the queue name: neither of the two services.
const side = "queue"

// Task is one window of one user's sync type that shall be run, or the next page of the users who are due.
type Task struct {
	// Name makes the task one of its kind; see Name.
	Name string
	Type record.Type
	// User is whose window it is; empty for a page of users.
	User string
	// After is where the page begins, of [A-Za-z0-9_-]; empty for a user.
	After string
	// Run is the id of a run that was promised to the user; empty lets the worker make one.
	Run string
	// Trigger is who wants it: "schedule", "user", "push", "approve", "reject", "undo".
	Trigger string
	// NotBefore is when it may run; the zero time is at once.
	NotBefore time.Time
}

// Queue takes tasks.
type Queue interface {
	// Add takes a task. It reports false, without an error, where a task of this name was taken already.
	Add(ctx context.Context, t Task) (added bool, err error)
}

// Name is the name of the task of a user, a sync type and a slot: the tick, or the instant of a click. The same three
// make the same name. It begins with a hash, since Cloud Tasks is slow with names that sort by time
// (https://cloud.google.com/tasks/docs/reference/rest/v2/projects.locations.queues.tasks/create), and does not show
// the user.
func Name(user string, t record.Type, slot time.Time) string {
	slot = slot.UTC()
	sum := sha256.Sum256(fmt.Appendf(nil, "%q %q %s", user, t, slot.Format(time.RFC3339Nano)))
	return fmt.Sprintf("%s-%s-%s", hex.EncodeToString(sum[:12]), strings.Map(nameChar, string(t)), slot.Format("20060102T150405Z"))
}

// maxName is the longest name that Cloud Tasks takes.
const maxName = 500

func nameChar(r rune) rune {
	switch {
	case 'A' <= r && r <= 'Z', 'a' <= r && r <= 'z', '0' <= r && r <= '9', r == '-', r == '_':
		return r
	}
	return '-'
}

// check refuses what no queue could run, so that the inline one is no more lenient than Cloud Tasks.
func (t Task) check() error {
	switch {
	case t.Name == "" || len(t.Name) > maxName || strings.Map(nameChar, t.Name) != t.Name:
		return fault.Errorf(fault.Bug, side, "bad-name", "add task: the name %.40q is not of 1 to %d characters of [A-Za-z0-9_-]", t.Name, maxName)
	case t.Type == "" || (t.User == "") == (t.After == ""):
		return fault.New(fault.Bug, side, "bad-task", errors.New("add task: the type is missing, or it is not for one user or one page"))
	}
	return nil
}
