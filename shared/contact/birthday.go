package contact

import (
	"strings"
	"time"
)

// ParseBirthday reads a day of the calendar, with its year or without, as "--12-10". The year of one without is a leap year, so that
// there is a 29th of February. It is false for everything else that people write for a birthday, as a year alone.
func ParseBirthday(text string) (time.Time, bool) {
	rest, yearless := strings.CutPrefix(text, "--")
	if yearless {
		rest = "2000-" + rest
	}
	t, err := time.Parse(time.DateOnly, rest)
	return t, err == nil && t.Year() >= 1
}
