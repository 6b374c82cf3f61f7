package web

import (
	"strconv"
	"strings"
	"time"

	"github.com/tandem-sync/tandem/shared/activity"
	"github.com/tandem-sync/tandem/shared/record"
)

// value is a value of the history as a person reads it: a text, or a time from one moment to another.
type value struct {
	Text     string
	From, To time.Time
}

// valueOf reads a value of a field as the history has it. What it cannot read stays as it is.
func valueOf(t record.Type, field, text string) value {
	if t != record.Activities {
		return value{Text: text}
	}
	switch field {
	case activity.When:
		return valueOfTime(text)
	case activity.Reminder:
		return value{Text: reminderWords(text)}
	case activity.Answer:
		return value{Text: answerWords(text)}
	case activity.Attendees:
		return value{Text: participantWords(text)}
	}
	return value{Text: text}
}

func valueOfTime(text string) value {
	m, err := activity.MomentShown(text)
	switch {
	case err != nil:
		return value{Text: text}
	case !m.AllDay:
		return value{Text: spanWords(m.Start, m.End), From: m.Start, To: m.End}
	}
	first, last := dayWords(m.First.Start(time.UTC)), dayWords(m.After.Add(-1).Start(time.UTC))
	if first == last {
		return value{Text: first + ", all day"}
	}
	return value{Text: first + " to " + last + ", all day"}
}

func dayWords(t time.Time) string { return t.Format("Mon 2 January 2006") }

// spanWords says from when to when, for who has no script that says it in the reader's own time zone.
func spanWords(from, to time.Time) string {
	from, to = from.UTC(), to.UTC()
	end := to.Format("15:04 MST")
	if day := dayWords(to); day != dayWords(from) {
		end = day + ", " + end
	}
	return dayWords(from) + ", " + from.Format("15:04") + " to " + end
}

// reminderWords says how long before the start somebody is reminded.
func reminderWords(text string) string {
	n, err := strconv.Atoi(text)
	switch {
	case text == "":
		return "None"
	case err != nil || n < 0:
		return text
	case n == 0:
		return "At the start"
	}
	const hour, day = 60, 24 * 60
	for _, unit := range []struct {
		minutes int
		word    string
	}{{7 * day, "week"}, {day, "day"}, {hour, "hour"}, {1, "minute"}} {
		if n%unit.minutes == 0 {
			return counted(n/unit.minutes, unit.word) + " before the start"
		}
	}
	return text
}

func counted(n int, word string) string {
	if n == 1 {
		return "1 " + word
	}
	return strconv.Itoa(n) + " " + word + "s"
}

var answers = map[string]string{
	"": "No answer", activity.Accepted: "Accepted", activity.Declined: "Declined", activity.Tentative: "Tentative",
}

func answerWords(answer string) string { return known(answers, answer) }

// participantWords has one participant a line, with the answer that was given.
func participantWords(text string) string {
	if text == "" {
		return ""
	}
	lines := strings.Split(text, "; ")
	for i, line := range lines {
		for answer, word := range answers {
			if who, is := strings.CutSuffix(line, " ("+answer+")"); is && answer != "" {
				lines[i] = who + ": " + strings.ToLower(word)
			}
		}
	}
	return strings.Join(lines, "\n")
}
