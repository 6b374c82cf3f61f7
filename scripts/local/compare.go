package main

import (
	"cmp"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/tandem-sync/tandem/shared/sandbox/sample"
)

// creatioNames are the names of the contacts under the sample user's private tag, sorted.
func (s *services) creatioNames() []string {
	var names []string
	session := s.creatio.As(sample.UserLogin)
	for _, link := range session.Rows("ContactInTag", map[string]any{"TagId": sample.PrivateTagID}) {
		c := session.Get("Contact", fmt.Sprint(link["EntityId"]))
		names = append(names, fullName(c["GivenName"], c["MiddleName"], c["Surname"]))
	}
	slices.Sort(names)
	return names
}

// googleNames are the names of the contacts in the group, sorted.
func (s *services) googleNames() []string {
	var names []string
	account := s.google.Account(sample.UserEmail)
	members := map[string]bool{}
	for _, g := range account.Groups() {
		if g.Name == "Creatio" {
			for _, m := range account.Members(g.ResourceName) {
				members[m] = true
			}
		}
	}
	for _, p := range account.People() {
		if members[p.ResourceName] {
			name := ""
			if len(p.Names) > 0 {
				name = fullName(p.Names[0].GivenName, p.Names[0].MiddleName, p.Names[0].FamilyName)
			}
			names = append(names, name)
		}
	}
	slices.Sort(names)
	return names
}

func fullName(parts ...any) string {
	var words []string
	for _, p := range parts {
		if text, ok := p.(string); ok {
			words = append(words, strings.Fields(text)...)
		}
	}
	return strings.Join(words, " ")
}

// difference is what a has more of than b.
func difference(a, b []string) []string {
	count := map[string]int{}
	for _, x := range b {
		count[x]++
	}
	var out []string
	for _, x := range a {
		if count[x]--; count[x] < 0 {
			out = append(out, x)
		}
	}
	return out
}

// The rows of Creatio's lists that tell whether an activity is to be seen in the calendar.
const (
	activityEmail  = "e2831dec-cfc0-df11-b00f-001d60e938c6"
	statusCanceled = "201cfba8-58e6-df11-971b-001d60e938c6"
)

// creatioAgenda is when the sample user has which activity between two moments, as that user's calendar in Creatio shows it.
func (s *services) creatioAgenda(from, to time.Time) []string {
	var out []string
	session := s.creatio.As(sample.UserLogin)
	mine := map[any]bool{}
	for _, p := range session.Rows("ActivityParticipant", map[string]any{"ParticipantId": sample.UserContactID}) {
		mine[p["ActivityId"]] = true
	}
	for _, a := range session.Rows("Activity", nil) {
		start, _ := a["StartDate"].(time.Time)
		end, _ := a["DueDate"].(time.Time)
		if mine[a["Id"]] && a["ShowInScheduler"] == true && a["TypeId"] != activityEmail && a["StatusId"] != statusCanceled && !end.Before(from) && start.Before(to) {
			out = append(out, entry(a["Title"], start, end))
		}
	}
	slices.Sort(out)
	return out
}

// googleAgenda is the same of the primary calendar. What is private, in any person's copy, is only busy.
func (s *services) googleAgenda(from, to time.Time) []string {
	var out []string
	for _, e := range s.google.Calendar(sample.UserEmail).Agenda(from, to) {
		if cmp.Or(e.EventType, "default") != "default" {
			continue
		}
		title := cmp.Or(e.Summary, "(No title)")
		if e.Visibility == "private" {
			title = "Busy"
		}
		start, _ := time.Parse(time.RFC3339, e.Start.DateTime)
		end, _ := time.Parse(time.RFC3339, e.End.DateTime)
		if e.Start.Date != "" {
			out = append(out, title+", whole days from "+e.Start.Date+" to "+e.End.Date)
			continue
		}
		out = append(out, entry(title, start, end))
	}
	slices.Sort(out)
	return out
}

// entry is one line of an agenda. Creatio has whole days from midnight to midnight of somebody's zone.
func entry(title any, start, end time.Time) string {
	for _, name := range []string{sample.UserTimeZone, sample.ColleagueTimeZone} {
		loc, err := time.LoadLocation(name)
		if err != nil {
			continue
		}
		from, to := start.In(loc), end.In(loc)
		if midnight := "00:00:00"; from.Before(to) && from.Format(time.TimeOnly) == midnight && to.Format(time.TimeOnly) == midnight {
			return fmt.Sprintf("%v, whole days from %s to %s", title, from.Format(time.DateOnly), to.Format(time.DateOnly))
		}
	}
	return fmt.Sprintf("%v, %s to %s", title, start.UTC().Format(time.RFC3339), end.UTC().Format(time.RFC3339))
}
