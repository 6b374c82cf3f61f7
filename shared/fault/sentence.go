package fault

import "errors"

// Sentence is what a user reads about an error: what happened, and what to do.
type Sentence struct {
	Code    string `json:"code"`
	Message string `json:"message"`
	Action  string `json:"action"`
}

// Explain returns the sentence for err. It never contains text of the error itself, which may quote other people's data
// or internal details of a service.
func Explain(err error) Sentence {
	e, ok := errors.AsType[*Error](err)
	if !ok {
		e = &Error{Kind: KindOf(err)}
	}
	side := map[string]string{"creatio": "Creatio", "google": "Google", "store": "the database"}[e.Side]
	if side == "" {
		side = "the other service"
	}
	s := Sentence{Code: e.Code}
	if s.Code == "" {
		s.Code = e.Kind.String()
	}
	switch e.Kind {
	case Retry:
		s.Message = "Tandem could not reach " + side + " or was asked to wait."
		s.Action = "Nothing to do: Tandem tries again by itself."
	case FullSync:
		s.Message = "Tandem has to read everything from " + side + " again."
		s.Action = "Nothing to do: the next synchronization does it."
	case Conflict:
		s.Message = "The record kept changing in " + side + " while Tandem wanted to write it."
		s.Action = "Nothing to do: the next synchronization takes it up again."
	case ReadOnly:
		s.Message = side + " does not let you change this record."
		s.Action = "Ask the record's owner or your administrator for the right to edit it."
	case Reconnect:
		s.Message = "Tandem may no longer use your " + side + " account."
		s.Action = "Connect " + side + " again on the settings page."
	case BadRecord:
		s.Message = side + " refused this record as it is."
		s.Action = "Open the record, correct it and save it; the other records are not affected."
	case Gone:
		s.Message = "The record is no longer in " + side + "."
		s.Action = "Nothing to do: the next synchronization takes note of it."
	case Misconfigured:
		s.Message = "Tandem's own set-up for " + side + " is not right."
		s.Action = "Tell your administrator; your account stays connected."
	case Bug:
		s.Message = "Something went wrong inside Tandem."
		s.Action = "Try again; if it stays, tell your administrator the time at which it happened."
	}
	own, ok := particular[e.Side+" "+e.Code]
	if !ok {
		own, ok = particular[e.Code]
	}
	if ok {
		s.Message, s.Action = own.Message, own.Action
	}
	return s
}

// particular are the codes, some of one side only, that have a more precise sentence than their kind.
var particular = map[string]Sentence{
	"creatio no-access": {
		Message: "Creatio does not let you read what Tandem needs.",
		Action: "Ask your administrator for the right to read contacts and activities, their details, the lists that these use, and your own tags. " +
			"Nothing is lost: the first synchronization after that continues where the last one left off.",
	},
	"creatio rebuilding": {
		Message: "Creatio does not show the data that Tandem needs. It does so for some minutes after somebody published changes of the site.",
		Action:  "Nothing to do: Tandem tries again by itself.",
	},
	"creatio set-missing": {
		Message: "For hours Creatio has not shown data that Tandem needs, so nothing is synchronized.",
		Action:  "Ask your administrator whether OData serves contacts, activities and their details at this site, as after a compilation that failed. Tandem tries again once an hour.",
	},
	"creatio signed-out": {
		Message: "Creatio asked Tandem to sign in, although it gave Tandem access a moment ago.",
		Action:  "Nothing to do: Tandem tries again by itself. If it stays so, tell your administrator.",
	},
	"too-large": {
		Message: "The record is too large to be synchronized.",
		Action:  "Shorten its notes, or remove entries that nobody needs; the other records are not affected.",
	},
	"google token-refused": {
		Message: "Google did not take the access that it gave Tandem a moment ago.",
		Action:  "Nothing to do: Tandem tries again by itself. If it stays so, tell your administrator.",
	},
	"google no-access": {
		Message: "Google does not let Tandem use this part of your account.",
		Action:  "Ask the administrator of your Google account to allow Contacts, Calendar and Tandem. Nothing is lost: the first synchronization after that continues where the last one left off.",
	},
	"google api-disabled": {
		Message: "Google turns Tandem away: the People API or the Calendar API is not enabled in Tandem's Google Cloud project.",
		Action:  "Tell your administrator to enable both there. Your account stays connected, and the first synchronization after that continues where the last one left off.",
	},
	"google scope-missing": {
		Message: "Google no longer lets Tandem use what it needs of your account.",
		Action:  "Connect Google again on the settings page and leave every box checked.",
	},
	"google ends-before-start": {
		Message: "The activity ends before it starts, which Google does not take, so there is no event of it.",
		Action:  "Correct the time in Creatio.",
	},
	"google contacts-full": {
		Message: "Google has no room for more contacts in this account. It holds 25,000, and those in the bin of the last 30 days count too.",
		Action:  "Delete contacts there that nobody needs, and empty the bin as well. Tandem tries again once a day.",
	},
	"too-many-passwords": {
		Message: "Too many wrong passwords were entered for this Creatio user, or by you.",
		Action:  "Nothing was tried. Wait a while, then enter the right one. If it was not you, tell your administrator.",
	},
	"running": {
		Message: "Another synchronization is under way.",
		Action:  "Nothing to do: Tandem tries again by itself.",
	},
	"deadline": {
		Message: "There is more to do than fits into one go. What is done so far is saved.",
		Action:  "Nothing to do: Tandem continues with the rest by itself.",
	},
	"store full": {
		Message: "The disk on which Tandem keeps its data is full. Nothing that was saved is lost.",
		Action:  "Make room on it, or tell your administrator. Tandem tries again by itself.",
	},
	"lease-ran-out": {
		Message: "Tandem could not reach its own database for a while, and stopped before anything could be done twice.",
		Action:  "Nothing to do: Tandem tries again by itself.",
	},
}
