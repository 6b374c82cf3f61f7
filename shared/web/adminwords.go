package web

import (
	"strconv"
	"time"
)

// jobMark is how a schedule goes in a word; nil where there is none.
func jobMark(j Job) *choice {
	switch {
	case !j.Known:
		return nil
	case j.Problem != nil:
		return &choice{"bad", "Not known"}
	case j.Broken:
		return &choice{"bad", "Switched off"}
	case !j.Decided.IsZero():
		return &choice{"warn", "Paused"}
	case j.Paused && j.Interval > 0:
		return &choice{"bad", "Paused"}
	case j.Paused:
		return &choice{"calm", "At rest"}
	case j.Failure != "":
		return &choice{"bad", "Not working"}
	}
	return &choice{"good", "Running"}
}

// jobWords says what a schedule does, and what to do about it.
func jobWords(j Job) string {
	switch {
	case !j.Known:
		return "Tandem has no schedule here that it could show or change: SCHEDULER is not set. Something else calls the synchronization, as the clock of a local server does."
	case !j.Decided.IsZero():
		return "An administrator has paused it. Nobody is synchronized by schedule until it is resumed; users can synchronize by hand."
	case j.Problem != nil:
		return "Cloud Scheduler could not be asked about it."
	case j.Broken:
		return "Cloud Scheduler has switched it off after an error. Delete the job and apply the Terraform configuration again."
	case j.Paused && j.Interval > 0:
		return "It was paused outside of Tandem, although somebody synchronizes automatically. Resume it; to have it rest for longer, pause it here."
	case j.Paused:
		return "It rests because nobody synchronizes automatically, and begins again with the first who does."
	case j.Failure != "":
		return "It calls as often as the shortest interval that somebody uses, and its last call did not work. The log of the function that it calls says why."
	}
	return "It follows the settings: it calls as often as the shortest interval that somebody uses."
}

// intervalWords names an interval as the settings do.
func intervalWords(d time.Duration) string {
	if d == 0 {
		return "Nobody synchronizes automatically"
	}
	minutes := strconv.Itoa(int(d / time.Minute))
	for _, c := range intervalChoices {
		if c.Value == minutes {
			return c.Label
		}
	}
	return "Every " + minutes + " minutes"
}

// userMark is stateMark for somebody other than the user.
func userMark(s State) choice {
	switch s.Status {
	case "held":
		return choice{"warn", "Waits for the user"}
	case "reconnect":
		return choice{"bad", "To be connected again"}
	}
	return stateMark(s)
}

// failures says how often in a row a sync did not work, where it was more than once.
func failures(s State) string {
	if s.Failing < 2 {
		return ""
	}
	return strconv.Itoa(s.Failing) + " times in a row"
}

// notConnected says which account a user has not connected.
func notConnected(s UserStatus) string {
	switch {
	case s.Google && s.Creatio:
		return ""
	case s.Google:
		return "Creatio is not connected"
	case s.Creatio:
		return "Google is not connected"
	}
	return "Nothing is connected"
}
