package web

import (
	"fmt"
	"html/template"
	"math"
	"strconv"
	"strings"
	"time"
)

// locale is how a page speaks: in which language, and in which time zone its times are.
type locale struct {
	*catalogue
	zone *time.Location
}

// in is the same language with times in a zone; nil changes nothing.
func (l locale) in(zone *time.Location) locale {
	if zone != nil {
		l.zone = zone
	}
	return l
}

// has reports whether there are words of a key.
func (l locale) has(key string) bool {
	_, ok := l.messages[key]
	return ok
}

// message is that of a key; the English one where a language lacks it, and the key where all do.
func (l locale) message(key string) message {
	if m, ok := l.messages[key]; ok {
		return m
	}
	if m, ok := english.messages[key]; ok {
		return m
	}
	return message{"other": key}
}

// say is the text of a key, with names in braces replaced by the values that follow them.
func (l locale) say(key string, pairs ...any) string {
	return l.fill(l.message(key)["other"], l.value, pairs)
}

// count is the text of a key for a number, which it has as {n}.
func (l locale) count(key string, n int, pairs ...any) string {
	return l.fill(l.message(key).of(l.tag, n), l.value, append(pairs, "n", n))
}

// rich is say for a text with elements among its values. {end} closes a link.
func (l locale) rich(key string, pairs ...any) template.HTML {
	escaped := func(v any) string {
		if element, ok := v.(template.HTML); ok {
			return string(element)
		}
		return template.HTMLEscapeString(l.value(v))
	}
	return template.HTML(l.fill(template.HTMLEscapeString(l.message(key)["other"]), escaped, append(pairs, "end", template.HTML("</a>")))) //nolint:gosec // everything in it is escaped
}

func (l locale) fill(text string, write func(any) string, pairs []any) string {
	if len(pairs) == 0 {
		return text
	}
	named := make([]string, len(pairs))
	for i := 0; i+1 < len(pairs); i += 2 {
		named[i], named[i+1] = "{"+pairs[i].(string)+"}", write(pairs[i+1])
	}
	return strings.NewReplacer(named...).Replace(text)
}

// value is a value as a person reads it.
func (l locale) value(v any) string {
	switch v := v.(type) {
	case int:
		return l.number(v)
	case time.Time:
		return l.when(v)
	case time.Duration:
		return l.wait(v)
	}
	return fmt.Sprint(v)
}

// known is the text of a code under a prefix, or the code itself.
func (l locale) known(prefix, code string) string {
	if l.has(prefix + code) {
		return l.say(prefix + code)
	}
	return code
}

// list joins parts of a sentence.
func (l locale) list(parts []string) string {
	if len(parts) < 2 {
		return strings.Join(parts, "")
	}
	return l.say("list", "first", strings.Join(parts[:len(parts)-1], ", "), "last", parts[len(parts)-1])
}

// choices are the options of a form, with the words for them under a prefix.
func (l locale) choices(prefix string, values ...string) []choice {
	out := make([]choice, len(values))
	for i, v := range values {
		out[i] = choice{v, l.say(prefix + v)}
	}
	return out
}

// number writes a number as people read it: with a mark before each three digits.
func (l locale) number(n int) string {
	text := strconv.Itoa(n)
	for i := len(text) - 3; i > 0 && text[i-1] != '-'; i -= 3 {
		text = text[:i] + l.say("thousands") + text[i:]
	}
	return text
}

// when writes a time for who has no script that writes it as the reader's own clock does.
func (l locale) when(t time.Time) string {
	t = t.In(l.zone)
	return l.say("date.time", "date", l.date("date", t), "time", t.Format("15:04"), "zone", t.Format("MST"))
}

// day is a day with the name that it has in a week.
func (l locale) day(t time.Time) string { return l.date("date.weekday", t) }

// date writes the day of a time, as it is in the time's own zone, in a form.
func (l locale) date(form string, t time.Time) string {
	return l.say(form, "weekday", l.say("weekday."+strconv.Itoa(int(t.Weekday()))), "day", strconv.Itoa(t.Day()),
		"month", l.say("month."+strconv.Itoa(int(t.Month()))), "year", strconv.Itoa(t.Year()))
}

// took is how long something went on.
func (l locale) took(from, to time.Time) string {
	switch d := to.Sub(from).Round(time.Second); {
	case d < time.Second:
		return l.say("took.moment")
	case d < time.Minute:
		return l.count("took.seconds", int(d.Seconds()))
	case d < time.Hour:
		return l.count("took.minutes", int(d.Minutes()))
	default:
		return l.count("took.hours", int(d.Hours()))
	}
}

// wait is for how long to wait, rounded up.
func (l locale) wait(d time.Duration) string {
	if n := int(math.Ceil(d.Seconds())); n <= 90 {
		return l.count("wait.seconds", n)
	}
	return l.count("wait.minutes", int(math.Ceil(d.Minutes())))
}

// told is a text that was written in English elsewhere, as far as the page has words for it; Lang is its language where that is not
// the page's.
type told struct{ Text, Lang string }

func (l locale) told(text string) told {
	switch key, ok := spoken[text]; {
	case l.catalogue == english.catalogue || text == "":
		return told{Text: text}
	case ok:
		return told{Text: l.say(key.key, "side", l.known("", key.side))}
	default:
		return told{text, "en"}
	}
}
