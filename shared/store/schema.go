package store

import "time"

// Schema says how far the documents have been brought. Package migrate says what by, and keeps it.
type Schema struct {
	// Version is how many migrations all documents have been through.
	Version int `json:"version"`
	// Needs is how many migrations a program must know that is to work with them.
	Needs int `json:"needs,omitempty"`
	// Known is how many the programs know that serve, as far as they have told; Since is when they did.
	Known int       `json:"known,omitempty"`
	Since time.Time `json:"since,omitzero"`
	// After is the last user that the next migration is done with.
	After string `json:"after,omitempty"`
	// Lease is the right to migrate.
	Lease Lease `json:"lease"`
}
