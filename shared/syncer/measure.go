package syncer

import (
	"context"
	"errors"
	"strings"
	"time"

	"github.com/tandem-sync/tandem/shared/observe"
)

// phase does a part of the run, which shows in its trace.
func phase(ctx context.Context, name string, do func(context.Context) error) error {
	ctx, span := observe.Begin(ctx, name)
	err := do(ctx)
	// A run that is skipped, or goes on later, is no error.
	if skipped := (skip{}); errors.As(err, &skipped) || timeIsOver(err) {
		span.End(nil)
	} else {
		span.End(err)
	}
	return err
}

// wanted is since when there should have been this run: since it was promised, or since it was due.
func (r *run) wanted(promised bool) time.Time {
	if promised {
		return runTime(r.report.run.ID)
	}
	return r.doc.Due
}

// runTimes is the time in the id of a run, but for a point in the place of its second hyphen.
const runTimes = "20060102-150405.000000"

// runTime is when a run was given its id; the zero time for an id of another form.
func runTime(id string) time.Time {
	if len(id) < len(runTimes) {
		return time.Time{}
	}
	point := strings.LastIndexByte(runTimes, '.')
	at, err := time.Parse(runTimes, id[:point]+"."+id[point+1:len(runTimes)])
	if err != nil {
		return time.Time{}
	}
	return at
}
