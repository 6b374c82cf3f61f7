package web

import (
	"strconv"
	"time"
)

// jobMark is how a schedule goes in a word; nil where there is none.
func (l locale) jobMark(j Job) *choice {
	switch {
	case !j.Known:
		return nil
	case j.Problem != nil:
		return &choice{"bad", l.say("admin.mark.unknown")}
	case j.Broken:
		return &choice{"bad", l.say("admin.mark.broken")}
	case !j.Decided.IsZero():
		return &choice{"warn", l.say("admin.paused")}
	case j.Paused && j.Interval > 0:
		return &choice{"bad", l.say("admin.paused")}
	case j.Paused:
		return &choice{"calm", l.say("admin.mark.rest")}
	case j.Failure != "":
		return &choice{"bad", l.say("admin.failing")}
	}
	return &choice{"good", l.say("admin.running")}
}

// jobWords says what a schedule does, and what to do about it.
func (l locale) jobWords(j Job) string {
	switch {
	case !j.Known:
		return l.say("admin.job.none")
	case !j.Decided.IsZero():
		return l.say("admin.job.decided")
	case j.Problem != nil:
		return l.say("admin.job.unknown")
	case j.Broken:
		return l.say("admin.job.broken")
	case j.Paused && j.Interval > 0:
		return l.say("admin.job.paused")
	case j.Paused:
		return l.say("admin.job.rest")
	case j.Failure != "":
		return l.say("admin.job.failure")
	}
	return l.say("admin.job.good")
}

// intervalWords names an interval as the settings do.
func (l locale) intervalWords(d time.Duration) string {
	if d == 0 {
		return l.say("admin.interval.none")
	}
	minutes := int(d / time.Minute)
	if key := "interval." + strconv.Itoa(minutes); l.has(key) {
		return l.say(key)
	}
	return l.count("interval.other", minutes)
}

// userMark is stateMark for somebody other than the user.
func (l locale) userMark(s State) choice {
	switch s.Status {
	case "held":
		return choice{"warn", l.say("admin.mark.held")}
	case "reconnect":
		return choice{"bad", l.say("admin.mark.reconnect")}
	}
	return l.stateMark(s)
}

// failures says how often in a row a sync did not work, where it was more than once.
func (l locale) failures(s State) string {
	if s.Failing < 2 {
		return ""
	}
	return l.count("admin.in-a-row", s.Failing)
}

// notConnected says which account a user has not connected.
func (l locale) notConnected(s UserStatus) string {
	switch {
	case s.Google && s.Creatio:
		return ""
	case s.Google:
		return l.say("admin.not-creatio")
	case s.Creatio:
		return l.say("admin.not-google")
	}
	return l.say("admin.not-any")
}
