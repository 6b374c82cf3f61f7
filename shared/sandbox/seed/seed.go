// Package seed makes rapid draw the same values on every run of the tests, so that a change is judged by what it changes and
// not by what was drawn. It is for test packages that use rapid, which import it for its effect alone.
//
// go test ./... -rapid.seed=0 draws anew on every run; any other number gives the values of that number again.
package seed

import (
	"flag"

	// rapid registers its flags when it is imported.
	_ "pgregory.net/rapid"
)

func init() {
	if err := flag.Set("rapid.seed", "20260301"); err != nil {
		panic("seed: " + err.Error())
	}
}
