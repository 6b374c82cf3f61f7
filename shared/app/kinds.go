package app

import (
	"github.com/tandem-sync/tandem/shared/contact"
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
