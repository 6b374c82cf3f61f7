package web

import (
	"errors"
	"io"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"time"
)

// ActivitiesSettings is what a user chooses for activities.
type ActivitiesSettings struct {
	Automatic       bool   `json:"automatic"`
	IntervalMinutes int    `json:"intervalMinutes"`
	SyncFrom        string `json:"syncFrom"`
	Direction       string `json:"direction"`
	Conflicts       string `json:"conflicts"`
	Deletions       string `json:"deletions"`
	PrivateEvents   string `json:"privateEvents"`
	MonthsAhead     int    `json:"monthsAhead"`
	Guests          string `json:"guests"`
}

// The values that settings may have, in the order in which the page offers them.
var (
	deletions = []string{"cancel", "delete", "keep"}
	privates  = []string{"busy", "skip", "full"}
	guests    = []string{"colleagues", "invited"}
)

const (
	earliestSyncFrom = "1970-01-01"
	mostMonthsAhead  = 12
)

// Validate tells, field by field, what can be said without knowing the user. How far ahead SyncFrom may be is the Service's
// to find out: that depends on the day in the user's time zone.
func (s ActivitiesSettings) Validate() []FieldError {
	var errs []FieldError
	if !slices.Contains(intervals, s.IntervalMinutes) {
		errs = append(errs, wrongInterval)
	}
	if _, err := time.Parse(time.DateOnly, s.SyncFrom); err != nil || s.SyncFrom < earliestSyncFrom {
		errs = append(errs, WrongSyncFrom)
	}
	errs = append(errs, wrongMerge(s.Direction, s.Conflicts)...)
	if !slices.Contains(deletions, s.Deletions) {
		errs = append(errs, FieldError{"deletions", "Choose what a deletion in Google does: cancel, delete, keep."})
	}
	if !slices.Contains(privates, s.PrivateEvents) {
		errs = append(errs, FieldError{"privateEvents", "Choose what becomes of private events: busy, skip, full."})
	}
	if s.MonthsAhead < 1 || s.MonthsAhead > mostMonthsAhead {
		errs = append(errs, FieldError{"monthsAhead", "Give a number of months from 1 to 12."})
	}
	if !slices.Contains(guests, s.Guests) {
		errs = append(errs, FieldError{"guests", "Choose who is invited in Google: colleagues, invited."})
	}
	return errs
}

// WrongSyncFrom is what is said of a day from which activities cannot be synchronized.
var WrongSyncFrom = FieldError{"syncFrom", "Give a date as 2026-01-31, from 1970-01-01 to a year from today."}

// activitiesForm is what the form of activities shows: what is saved, or what could not be.
type activitiesForm struct {
	Settings ActivitiesSettings
	Errors   []FieldError
}

func (l locale) monthChoices() []choice {
	out := make([]choice, mostMonthsAhead)
	for i := range out {
		out[i] = choice{strconv.Itoa(i + 1), l.count("months", i+1)}
	}
	return out
}

// readActivitiesSettings reads settings from JSON as readContactsSettings does.
func readActivitiesSettings(body io.Reader) (ActivitiesSettings, error) {
	o, err := readObject(body)
	if err != nil {
		return ActivitiesSettings{}, err
	}
	s := ActivitiesSettings{
		Automatic:       take[bool](o, "automatic", "Give true or false."),
		IntervalMinutes: take[int](o, "intervalMinutes", "Give a whole number of minutes."),
		SyncFrom:        take[string](o, "syncFrom", "Give a date as a text."),
		Direction:       take[string](o, "direction", "Give a text."),
		Conflicts:       take[string](o, "conflicts", "Give a text."),
		Deletions:       take[string](o, "deletions", "Give a text."),
		PrivateEvents:   take[string](o, "privateEvents", "Give a text."),
		MonthsAhead:     take[int](o, "monthsAhead", "Give a whole number of months."),
		Guests:          take[string](o, "guests", "Give a text."),
	}
	return s, o.check(s.Validate(), "state")
}

// formActivitiesSettings reads settings from the form of the page. What it could read comes back with an error too.
func formActivitiesSettings(f url.Values) (ActivitiesSettings, error) {
	minutes, _ := strconv.Atoi(f.Get("intervalMinutes")) // what is no number is none of the choices
	months, _ := strconv.Atoi(f.Get("monthsAhead"))
	s := ActivitiesSettings{
		Automatic: f.Get("automatic") != "", IntervalMinutes: minutes, SyncFrom: f.Get("syncFrom"),
		Direction: f.Get("direction"), Conflicts: f.Get("conflicts"), Deletions: f.Get("deletions"),
		PrivateEvents: f.Get("privateEvents"), MonthsAhead: months, Guests: f.Get("guests"),
	}
	if errs := s.Validate(); errs != nil {
		return s, &InvalidError{errs}
	}
	return s, nil
}

func (s *Site) putActivities(w http.ResponseWriter, r *http.Request, v visit) error {
	settings, err := readActivitiesSettings(r.Body)
	if err != nil {
		return err
	}
	a, err := s.service.PutActivities(r.Context(), v.user, settings, ifMatch[ActivitiesSettings](r, tagActivities))
	if err != nil {
		return err
	}
	return answerAccount(w, r, a)
}

// saveActivities saves the form.
func (s *Site) saveActivities(w http.ResponseWriter, r *http.Request, v visit) error {
	if err := parseForm(r); err != nil {
		return err
	}
	settings, err := formActivitiesSettings(r.PostForm)
	if err == nil {
		_, err = s.service.PutActivities(r.Context(), v.user, settings, nil)
	}
	invalid, ok := errors.AsType[*InvalidError](err)
	switch {
	case err == nil:
		return s.see(w, s.root+"?done=saved")
	case !ok:
		return err
	}
	a, err := s.service.Account(r.Context(), v.user)
	if err != nil {
		return err
	}
	return s.settingsPage(w, r, http.StatusUnprocessableEntity, v, a, settingsForm{
		Settings: a.Contacts.ContactsSettings, ActivitiesForm: activitiesForm{Settings: settings, Errors: invalid.Errors},
	})
}
