package web

import (
	"testing"

	"github.com/tandem-sync/tandem/shared/record"
)

func TestValuesOfActivitiesAreReadAsAPersonSaysThem(t *testing.T) {
	t.Parallel()
	for _, c := range []struct{ field, text, want string }{
		{"when", "2026-03-05T12:00:00Z/2026-03-05T13:30:00Z", "Thu 5 March 2026, 12:00 to 13:30 UTC"},
		{"when", "2026-03-05T23:00:00Z/2026-03-06T01:00:00Z", "Thu 5 March 2026, 23:00 to Fri 6 March 2026, 01:00 UTC"},
		{"when", "2026-03-05T12:00:00Z/2026-03-05T12:00:00Z", "Thu 5 March 2026, 12:00 to 12:00 UTC"},
		{"when", "2026-03-05/2026-03-06 (all day)", "Thu 5 March 2026, all day"},
		{"when", "2026-12-31/2027-01-02 (all day)", "Thu 31 December 2026 to Fri 1 January 2027, all day"},
		{"when", "", ""},
		{"when", "tomorrow", "tomorrow"},
		{"reminder", "", "None"},
		{"reminder", "0", "At the start"},
		{"reminder", "1", "1 minute before the start"},
		{"reminder", "90", "90 minutes before the start"},
		{"reminder", "120", "2 hours before the start"},
		{"reminder", "1440", "1 day before the start"},
		{"reminder", "40320", "4 weeks before the start"},
		{"reminder", "soon", "soon"},
		{"answer", "", "No answer"},
		{"answer", "accepted", "Accepted"},
		{"answer", "tentative", "Tentative"},
		{"attendees", "", ""},
		{"attendees", "ada@example.com (accepted); bo@example.com", "ada@example.com: accepted\nbo@example.com"},
		{"attendees", "bo@example.com (declined); room (tentative)", "bo@example.com: declined\nroom: tentative"},
		{"title", "2026-03-05/2026-03-06 (all day)", "2026-03-05/2026-03-06 (all day)"},
		{"membership", "calendar", "calendar"},
	} {
		if got := english.valueOf(record.Activities, c.field, c.text); got.Text != c.want {
			t.Errorf("%s %q is %q, want %q", c.field, c.text, got.Text, c.want)
		}
		if got := english.valueOf(record.Contacts, c.field, c.text); got.Text != c.text || !got.From.IsZero() {
			t.Errorf("%s %q of a contact is %+v", c.field, c.text, got)
		}
	}
}
