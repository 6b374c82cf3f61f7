package web

import (
	"strconv"
	"strings"
	"time"

	"github.com/tandem-sync/tandem/shared/activity"
	"github.com/tandem-sync/tandem/shared/contact"
	"github.com/tandem-sync/tandem/shared/record"
)

// value is a value of the history as a person reads it: a text, or a time from one moment to another.
type value struct {
	Text     string
	From, To time.Time
}

// valueOf reads a value of a field as the history has it. What it cannot read stays as it is.
func (l locale) valueOf(t record.Type, field, text string) value {
	if field == "membership" {
		return value{Text: l.known("scope.", text)}
	}
	if t != record.Activities {
		return value{Text: l.entryWords(text)}
	}
	switch field {
	case activity.When:
		return l.valueOfTime(text)
	case activity.Reminder:
		return value{Text: l.reminderWords(text)}
	case activity.Answer:
		return value{Text: l.answerWords(text)}
	case activity.Attendees:
		return value{Text: l.participantWords(text)}
	}
	return value{Text: text}
}

// entryKinds are the kinds that the history writes behind an entry.
var entryKinds = []string{
	contact.KindWork, contact.KindHome, contact.KindMobile, contact.KindOther, contact.KindExtension, contact.KindShipping, contact.KindLegal, contact.KindActual,
}

// entryWords is an entry with the word for its kind.
func (l locale) entryWords(text string) string {
	for _, kind := range entryKinds {
		if entry, is := strings.CutSuffix(text, " ("+kind+")"); is {
			return l.say("entry."+kind, "text", entry)
		}
	}
	return text
}

func (l locale) valueOfTime(text string) value {
	m, err := activity.MomentShown(text)
	switch {
	case err != nil:
		return value{Text: text}
	case !m.AllDay:
		return value{Text: l.spanWords(m.Start, m.End), From: m.Start, To: m.End}
	}
	first, last := l.day(m.First.Start(time.UTC)), l.day(m.After.Add(-1).Start(time.UTC))
	if first == last {
		return value{Text: l.say("value.day", "first", first)}
	}
	return value{Text: l.say("value.days", "first", first, "last", last)}
}

// spanWords says from when to when, for who has no script that says it in the reader's own time zone.
func (l locale) spanWords(from, to time.Time) string {
	from, to = from.In(l.zone), to.In(l.zone)
	key, day, last := "value.span", l.day(from), l.day(to)
	if day != last {
		key = "value.span.days"
	}
	return l.say(key, "day", day, "last", last, "from", from.Format("15:04"), "to", to.Format("15:04"), "zone", to.Format("MST"))
}

// reminderWords says how long before the start somebody is reminded.
func (l locale) reminderWords(text string) string {
	n, err := strconv.Atoi(text)
	switch {
	case text == "":
		return l.say("reminder.none")
	case err != nil || n < 0:
		return text
	case n == 0:
		return l.say("reminder.start")
	}
	const hour, day = 60, 24 * 60
	for _, unit := range []struct {
		minutes int
		key     string
	}{{7 * day, "reminder.weeks"}, {day, "reminder.days"}, {hour, "reminder.hours"}} {
		if n%unit.minutes == 0 {
			return l.count(unit.key, n/unit.minutes)
		}
	}
	return l.count("reminder.minutes", n)
}

func (l locale) answerWords(answer string) string {
	if answer == "" {
		return l.say("answer.none")
	}
	return l.known("answer.", answer)
}

// participantWords has one participant a line, with the answer that was given.
func (l locale) participantWords(text string) string {
	if text == "" {
		return ""
	}
	lines := strings.Split(text, "; ")
	for i, line := range lines {
		for _, answer := range []string{activity.Accepted, activity.Declined, activity.Tentative} {
			if who, is := strings.CutSuffix(line, " ("+answer+")"); is {
				lines[i] = l.say("answer.of."+answer, "who", who)
			}
		}
	}
	return strings.Join(lines, "\n")
}
