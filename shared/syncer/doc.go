// Package syncer executes one run of one user's sync type: it takes the lease, reads
// both sides' windows, plans, guards, applies and commits.
package syncer
