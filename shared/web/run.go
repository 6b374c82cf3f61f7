package web

import (
	"net/url"
	"strconv"
	"time"

	"github.com/tandem-sync/tandem/shared/record"
	"github.com/tandem-sync/tandem/shared/store"
)

// runJSON is a run as the API shows it: nothing is left out, and no list is null.
type runJSON struct {
	ID         string       `json:"id"`
	Type       record.Type  `json:"type"`
	Trigger    string       `json:"trigger"`
	Status     string       `json:"status"`
	StartedAt  *time.Time   `json:"startedAt"`
	FinishedAt *time.Time   `json:"finishedAt"`
	Counts     store.Counts `json:"counts"`
	// Undoes is there for an undo only.
	Undoes *undoJSON `json:"undoes,omitempty"`
	// Changes is nil in a list of runs, which does not have them.
	Changes  *[]changeJSON `json:"changes,omitempty"`
	Problems []problemJSON `json:"problems"`
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
	Ref    string `json:"ref,omitempty"`
}

// undoJSON is what an undo puts back: a run, or the record of it that has an id here.
type undoJSON struct {
	Run       string `json:"run"`
	CreatioID string `json:"creatioId"`
	GoogleID  string `json:"googleId"`
}

type problemJSON struct {
	Side      record.Side `json:"side"`
	Record    string      `json:"record"`
	CreatioID string      `json:"creatioId"`
	GoogleID  string      `json:"googleId"`
	Code      string      `json:"code"`
	Message   string      `json:"message"`
	Action    string      `json:"action"`
}

// summary is a run without its changes.
func summary(r store.Run) runJSON {
	problems := make([]problemJSON, len(r.Problems))
	for i, p := range r.Problems {
		problems[i] = problemJSON(p)
	}
	var undoes *undoJSON
	if r.Undoes != nil {
		undoes = &undoJSON{r.Undoes.Run, r.Undoes.CreatioID, r.Undoes.GoogleID}
	}
	return runJSON{
		Undoes: undoes,
		ID:     r.ID, Type: r.Type, Trigger: r.Trigger, Status: r.Status,
		StartedAt: moment(r.StartedAt), FinishedAt: moment(r.FinishedAt), Counts: r.Counts, Problems: problems,
	}
}

// detail is a run with every change.
func detail(r store.Run) runJSON {
	changes := make([]changeJSON, len(r.Changes))
	for i, c := range r.Changes {
		fields := make([]fieldJSON, len(c.Fields))
		for k, f := range c.Fields {
			fields[k] = fieldJSON{f.Field, f.Before, f.After, f.Rule, f.Ref}
		}
		changes[i] = changeJSON{c.Side, c.Action, c.Record, c.CreatioID, c.GoogleID, fields, c.Waits}
	}
	out := summary(r)
	out.Changes = &changes
	return out
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
