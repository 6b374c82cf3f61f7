package zone

import "testing"

// A date that can be read is written as it was, and a name of a zone is that of one or of none.
func FuzzParseDate(f *testing.F) {
	for _, seed := range []string{"", "2026-03-02", "2026-02-30", "0000-01-01", "10000-01-01", "2026-3-2", "2026-03-02Z", "\xff"} {
		f.Add(seed, "Europe/Berlin")
	}
	for _, name := range []string{"", "Local", "FLE Standard Time", "../../etc/passwd", "europe/berlin", "Etc/GMT+12", "\x00"} {
		f.Add("2026-03-29", name)
	}
	f.Fuzz(func(t *testing.T, text, name string) {
		date, err := ParseDate(text)
		if err == nil && date.String() != text {
			t.Errorf("%q is read as %s", text, date)
		}
		loc, known := Load(name)
		if !known || err != nil || date.Year < 1 || date.Year > 9990 {
			return
		}
		if start := date.Start(loc); DateOf(start, loc) != date || !StartsDay(start, loc) {
			t.Errorf("%s begins in %q at %s", date, name, start)
		}
	})
}
