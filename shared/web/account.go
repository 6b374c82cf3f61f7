package web

import (
	"encoding/json"
	"regexp"
	"slices"
	"time"

	"github.com/tandem-sync/tandem/shared/fault"
	"github.com/tandem-sync/tandem/shared/record"
)

// Account is everything the settings page shows of a user. Its JSON form is part of the API.
type Account struct {
	ID         string         `json:"id"`
	Google     GoogleAccount  `json:"google"`
	Creatio    CreatioAccount `json:"creatio"`
	Contacts   Contacts       `json:"contacts"`
	Activities Activities     `json:"activities"`

	// CreatioAuth is how a Creatio account is linked: "user", "password" or "client".
	CreatioAuth string `json:"-"`
	// WrongPasswords are those that others entered lately for the Creatio user as whom this one is linked; nil where nobody did.
	WrongPasswords *WrongPasswords `json:"-"`
	// ForgetAt is when links and history are forgotten because an account is unlinked; zero where they are kept.
	ForgetAt time.Time `json:"-"`
	// Admin says that the user may see every user's state.
	Admin bool `json:"-"`
}

// WrongPasswords are wrong passwords that users of Tandem entered lately for the name of a Creatio user.
type WrongPasswords struct {
	Login string
	Count int
	Last  time.Time
	// By are the addresses of who entered them, as far as they are known.
	By []string
}

// state is how a type goes.
func (a Account) state(t record.Type) State {
	if t == record.Activities {
		return a.Activities.State
	}
	return a.Contacts.State
}

// GoogleAccount is the Google side of an account.
type GoogleAccount struct {
	Linked    bool     `json:"linked"`
	Email     string   `json:"email"`
	Scopes    []string `json:"scopes"`
	Reconnect bool     `json:"reconnect"`
}

// MarshalJSON writes no scopes as an empty list.
func (a GoogleAccount) MarshalJSON() ([]byte, error) {
	type plain GoogleAccount
	if a.Scopes == nil {
		a.Scopes = []string{}
	}
	return json.Marshal(plain(a))
}

// Grants reports whether the user granted the scope, by its short name.
func (a GoogleAccount) Grants(scope string) bool { return slices.Contains(a.Scopes, scope) }

// CreatioAccount is the Creatio side of an account.
type CreatioAccount struct {
	Linked    bool   `json:"linked"`
	URL       string `json:"url"`
	User      string `json:"user"`
	ContactID string `json:"contactId"`
	Reconnect bool   `json:"reconnect"`
}

// Contacts is the contacts section: what the user chose, and how it goes.
type Contacts struct {
	ContactsSettings
	State State `json:"state"`
}

// Activities is the activities section.
type Activities struct {
	ActivitiesSettings
	State State `json:"state"`
}

// ContactsSettings is what a user chooses for contacts.
type ContactsSettings struct {
	Automatic       bool   `json:"automatic"`
	IntervalMinutes int    `json:"intervalMinutes"`
	TagID           string `json:"tagId"`
	Direction       string `json:"direction"`
	Conflicts       string `json:"conflicts"`
}

// The values that settings may have, in the order in which the page offers them.
var (
	intervals  = []int{1, 5, 10, 15, 30, 60, 240, 1440}
	directions = []string{"both", "to-google", "to-creatio"}
	conflicts  = []string{"latest", "creatio", "google"}
)

var guid = regexp.MustCompile(`^[0-9A-Fa-f]{8}(-[0-9A-Fa-f]{4}){3}-[0-9A-Fa-f]{12}$`)

// Validate tells, field by field, what can be said without knowing the user. Whether the tag is one of the
// user's own is the Service's to find out.
func (s ContactsSettings) Validate() []FieldError {
	var errs []FieldError
	if !slices.Contains(intervals, s.IntervalMinutes) {
		errs = append(errs, wrongInterval)
	}
	if s.TagID != "" && !guid.MatchString(s.TagID) {
		errs = append(errs, FieldError{"tagId", "Choose one of your own private tags, or none."})
	}
	return append(errs, wrongMerge(s.Direction, s.Conflicts)...)
}

var wrongInterval = FieldError{"intervalMinutes", "Choose one of these numbers of minutes: 1, 5, 10, 15, 30, 60, 240, 1440."}

// wrongMerge is what is wrong with the settings that both sync types have of how changes meet.
func wrongMerge(direction, conflict string) []FieldError {
	var errs []FieldError
	if !slices.Contains(directions, direction) {
		errs = append(errs, FieldError{"direction", "Choose one of these directions: both, to-google, to-creatio."})
	}
	if !slices.Contains(conflicts, conflict) {
		errs = append(errs, FieldError{"conflicts", "Choose who decides a conflict: latest, creatio, google."})
	}
	return errs
}

// State is how one sync type of a user goes.
type State struct {
	// Status is one of never, ok, queued, running, late, partial, held, reconnect, failing, off.
	Status string
	// Run is the run that is queued, where the status says so.
	Run string
	// LastSync and NextSync are zero, HeldRun is empty where there is none.
	LastSync, NextSync time.Time
	HeldRun            string
	// Failing counts runs since the last successful one.
	Failing int
	// Doubts counts the pairs of records of which nobody knows whether they are one, and which wait for the user's word.
	Doubts int
	// Split counts the records that an undo took out of the synchronization.
	Split   int
	Problem *fault.Sentence
}

// MarshalJSON writes what is not there as null.
func (s State) MarshalJSON() ([]byte, error) {
	var held *string
	if s.HeldRun != "" {
		held = &s.HeldRun
	}
	return json.Marshal(struct {
		Status   string          `json:"status"`
		LastSync *time.Time      `json:"lastSync"`
		NextSync *time.Time      `json:"nextSync"`
		HeldRun  *string         `json:"heldRun"`
		Failing  int             `json:"failing"`
		Doubts   int             `json:"doubts"`
		Split    int             `json:"split"`
		Problem  *fault.Sentence `json:"problem"`
	}{s.Status, moment(s.LastSync), moment(s.NextSync), held, s.Failing, s.Doubts, s.Split, s.Problem})
}

// moment is a time in UTC for JSON; null where it is zero.
func moment(t time.Time) *time.Time {
	if t.IsZero() {
		return nil
	}
	t = t.UTC()
	return &t
}

// Tag is one private tag of the user. Kind is "classic" or "freedom".
type Tag struct {
	ID   string `json:"id"`
	Name string `json:"name"`
	Kind string `json:"kind"`
}
