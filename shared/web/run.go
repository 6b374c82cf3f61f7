package web

import (
	"fmt"
	"net/url"
	"strconv"
	"time"

	"github.com/tandem-sync/tandem/shared/record"
	"github.com/tandem-sync/tandem/shared/store"
)

// runJSON is a run as the API shows it: nothing is left out, and no list is null.
type runJSON struct {
	ID         string      `json:"id"`
	Type       record.Type `json:"type"`
	Trigger    string      `json:"trigger"`
	Status     string      `json:"status"`
	StartedAt  *time.Time  `json:"startedAt"`
	FinishedAt *time.Time  `json:"finishedAt"`
	// Repeats is how many idle runs of the schedule followed, which are the same run.
	Repeats int          `json:"repeats"`
	Counts  store.Counts `json:"counts"`
	// Progress is how far a run is that is under way and that somebody waits for.
	Progress *store.Progress `json:"progress,omitempty"`
	// Undoes is there for an undo only.
	Undoes *undoJSON `json:"undoes,omitempty"`
	// Undone is the undo of the whole run that was asked for last.
	Undone string `json:"undone,omitempty"`
	// Changes is nil in a list of runs, which does not have them. A run has its first ones; More says that others follow, and
	// Next where.
	Changes  *[]changeJSON `json:"changes,omitempty"`
	More     bool          `json:"more,omitempty"`
	Next     string        `json:"next,omitempty"`
	Problems []problemJSON `json:"problems"`
}

// changesJSON is a page of the changes of a run. Next is the place of the page that follows.
type changesJSON struct {
	Changes []changeJSON `json:"changes"`
	More    bool         `json:"more"`
	Next    string       `json:"next,omitempty"`
}

type changeJSON struct {
	Side      record.Side `json:"side"`
	Action    string      `json:"action"`
	Record    string      `json:"record"`
	CreatioID string      `json:"creatioId"`
	GoogleID  string      `json:"googleId"`
	Fields    []fieldJSON `json:"fields"`
	// Waits says that the change was not made but waits for the user's decision.
	Waits bool `json:"waits,omitempty"`
}

// fieldJSON is what a person reads of a value; what an undo needs besides stays in the store.
type fieldJSON struct {
	Field  string `json:"field"`
	Before string `json:"before"`
	After  string `json:"after"`
	Rule   string `json:"rule"`
	Other  string `json:"other,omitempty"`
	Ref    string `json:"ref,omitempty"`
}

// undoJSON is what an undo puts back: a run, or the record of it that has an id here.
type undoJSON struct {
	Run       string `json:"run"`
	CreatioID string `json:"creatioId"`
	GoogleID  string `json:"googleId"`
	Field     string `json:"field,omitempty"`
}

type problemJSON struct {
	Side      record.Side `json:"side"`
	Record    string      `json:"record"`
	CreatioID string      `json:"creatioId"`
	GoogleID  string      `json:"googleId"`
	// Fields tell the record from others of its name.
	Fields  []store.FieldValue `json:"fields,omitempty"`
	Code    string             `json:"code"`
	Message string             `json:"message"`
	Action  string             `json:"action"`
	// Note says that nobody has to do anything. More counts those of the same code that follow and are not listed.
	Note bool `json:"note,omitempty"`
	More int  `json:"more,omitempty"`
}

// summary is a run without its changes.
func summary(r store.Run) runJSON {
	problems := make([]problemJSON, len(r.Problems))
	for i, p := range r.Problems {
		problems[i] = problemJSON(p)
	}
	var undoes *undoJSON
	if r.Undoes != nil {
		undoes = &undoJSON{r.Undoes.Run, r.Undoes.CreatioID, r.Undoes.GoogleID, r.Undoes.Field}
	}
	return runJSON{
		Undoes: undoes, Undone: r.Undone,
		ID: r.ID, Type: r.Type, Trigger: r.Trigger, Status: r.Status,
		StartedAt: moment(r.StartedAt), FinishedAt: moment(r.FinishedAt), Repeats: r.Repeats, Counts: r.Counts, Progress: r.Progress, Problems: problems,
	}
}

// detail is a run with its first changes.
func detail(r store.Run) runJSON {
	page := changesPage(r.Changes, changesQuery{limit: mostChanges})
	out := summary(r)
	out.Changes, out.More, out.Next = &page.Changes, page.More, page.Next
	return out
}

func changesPage(all []store.Change, q changesQuery) changesJSON {
	from := min(q.after, len(all))
	to := min(from+q.limit, len(all))
	page := changesJSON{Changes: make([]changeJSON, 0, to-from), More: to < len(all)}
	for _, c := range all[from:to] {
		fields := make([]fieldJSON, len(c.Fields))
		for k, f := range c.Fields {
			fields[k] = fieldJSON{f.Field, f.Before, f.After, f.Rule, f.Other, f.Ref}
		}
		page.Changes = append(page.Changes, changeJSON{c.Side, c.Action, c.Record, c.CreatioID, c.GoogleID, fields, c.Waits})
	}
	if page.More {
		page.Next = strconv.Itoa(to)
	}
	return page
}

// mostChanges is how many changes one answer has at most.
const mostChanges = 1000

// changesQuery is which changes of a run are asked for: those after the first so many, in the order of the run.
type changesQuery struct{ limit, after int }

func readChangesQuery(v url.Values) (changesQuery, error) {
	q := changesQuery{limit: mostChanges}
	var errs []FieldError
	if v.Has("limit") {
		n, err := strconv.Atoi(v.Get("limit"))
		if err != nil || n < 1 || n > mostChanges {
			errs = append(errs, FieldError{"limit", fmt.Sprintf("Give a whole number from 1 to %d.", mostChanges)})
		}
		q.limit = n
	}
	if after := v.Get("after"); after != "" {
		n, err := strconv.Atoi(after)
		if err != nil || n < 0 {
			errs = append(errs, FieldError{"after", "Give the place that the former page named as the next one, or leave it out."})
		}
		q.after = n
	}
	if errs != nil {
		return changesQuery{}, &InvalidError{errs}
	}
	return q, nil
}

// runsQuery is which runs are asked for; no kind means all.
type runsQuery struct {
	kind   record.Type
	limit  int
	before string
}

func readRunsQuery(v url.Values) (runsQuery, error) {
	q := runsQuery{kind: record.Type(v.Get("type")), limit: 20, before: v.Get("before")}
	var errs []FieldError
	if q.kind != "" && q.kind != record.Contacts && q.kind != record.Activities {
		errs = append(errs, FieldError{"type", "Choose contacts or activities, or leave it out."})
	}
	if v.Has("limit") {
		n, err := strconv.Atoi(v.Get("limit"))
		if err != nil || n < 1 || n > 100 {
			errs = append(errs, FieldError{"limit", "Give a whole number from 1 to 100."})
		}
		q.limit = n
	}
	if errs != nil {
		return runsQuery{}, &InvalidError{errs}
	}
	return q, nil
}
