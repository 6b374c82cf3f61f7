// Package archtest keeps the structure of the repository by a test: who may import whom, what a pure package may use,
// and what lies at the top. It is for whoever adds a package or an import, and has nothing but tests.
//
// The rules stand as a table in rules_test.go, each with its reason. They are read from the source files themselves,
// whatever build tags these have.
package archtest
