package store

import "time"

// AccessToken is a personal access token, by which a user's scripts call the API. The secret itself is not kept.
type AccessToken struct {
	ID string `json:"id"`
	// Name is what the user calls it.
	Name string `json:"name"`
	// Scope is "read" or "full".
	Scope string `json:"scope"`
	// Hash is the SHA-256 of the secret, which is random and too long to be guessed.
	Hash      []byte    `json:"hash,omitempty"`
	CreatedAt time.Time `json:"createdAt"`
	ExpiresAt time.Time `json:"expiresAt"`
	// UsedAt is when it was used last, to the hour; zero where it never was.
	UsedAt time.Time `json:"usedAt,omitzero"`
}
