package syncer

import "regexp"

var runID = regexp.MustCompile(`^\d{8}-\d{6}-\d{6}-[a-z2-7]{8}$`)

// IsRunID reports whether a text is of the form of the ids that NewRunID makes. There need not be such a run.
func IsRunID(id string) bool { return runID.MatchString(id) && !runTime(id).IsZero() }
