package store

import "time"

// Guesses are the wrong passwords that were entered lately, for the name of a Creatio user or by a user of Tandem. They outlive their
// users: else whoever guesses would begin anew with each new account.
type Guesses struct {
	// Login is the name that passwords were entered for; empty where they are counted by who entered them.
	Login string `json:"login,omitempty"`
	// Failed counts those since the last right one, with those that are being tried; Until is when the next one may be tried.
	Failed int       `json:"failed"`
	Until  time.Time `json:"until,omitzero"`
	// Last is when the last one was tried, and By are the users who did, the latest last.
	Last time.Time `json:"last,omitzero"`
	By   []Guesser `json:"by,omitempty"`
	// Expires is when all of it may go.
	Expires time.Time `json:"expires"`
}

// Guesser is a user who entered wrong passwords.
type Guesser struct {
	User  string    `json:"user"`
	Wrong int       `json:"wrong"`
	Last  time.Time `json:"last"`
}
