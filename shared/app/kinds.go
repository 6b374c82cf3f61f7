package app

import (
	"github.com/tandem-sync/tandem/shared/activity"
	"github.com/tandem-sync/tandem/shared/contact"
	"github.com/tandem-sync/tandem/shared/reconcile"
	"github.com/tandem-sync/tandem/shared/record"
	"github.com/tandem-sync/tandem/shared/store"
	"github.com/tandem-sync/tandem/shared/syncer"
)

// Contacts describes contacts to the engine.
var Contacts = syncer.Kind{
	Type: record.Contacts, Schema: contact.Schema, Scope: "contacts", Title: contact.Title, Match: contact.Match,
	Words: syncer.Words{One: "contact", Many: "contacts", Scope: map[record.Side]string{record.Creatio: "private tag", record.Google: "group"}},
	Ready: func(s store.Settings) string {
		if s.TagID == "" {
			return syncer.ReasonNoTag
		}
		return ""
	},
}

// Activities describes activities and events to the engine.
var Activities = syncer.Kind{
	Type: record.Activities, Schema: activity.Schema, Scope: "calendar", Title: activity.Name, Distinct: []string{activity.When}, Match: activity.Match,
	Policy: activitiesPolicy, OneCopy: true, Series: true,
	Words: syncer.Words{
		One: "activity", Many: "activities", Scope: map[record.Side]string{record.Creatio: "calendar", record.Google: "calendar"},
		Leave: "would be canceled or deleted",
	},
}

// activitiesPolicy is what the settings say of merges, and of deletions: an activity that is deleted or canceled takes its event
// with it, and the settings say what the deletion of an event does.
func activitiesPolicy(s store.Settings) reconcile.Policy {
	deletions := map[string]reconcile.Departure{"cancel": reconcile.Cancel, "delete": reconcile.Delete, "keep": reconcile.Keep}
	inCreatio, known := deletions[s.Deletions]
	if !known {
		inCreatio = reconcile.Cancel
	}
	return reconcile.Policy{
		Direction: reconcile.Direction(s.Direction), Conflicts: reconcile.Conflicts(s.Conflicts),
		Departures: map[record.Side]reconcile.Departure{record.Google: inCreatio, record.Creatio: reconcile.Delete},
		// One title at one time is one meeting: nobody is asked whether it is.
		KeepsMatches: true,
		EditsStay:    true,
		Decline:      record.Fields{activity.Answer: {{Text: activity.Declined}}},
		Retract:      map[record.Side]reconcile.Departure{record.Creatio: reconcile.Cancel, record.Google: reconcile.Delete},
		// A person made the event, and others may have it.
		TakesOver: record.Google,
	}
}
