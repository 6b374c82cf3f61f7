package fault

import (
	"errors"
	"time"
)

// passing are codes of what a service says while it does something that ends by itself, with how long that takes at most and the
// code of what is the matter when it does not end.
var passing = map[string]struct {
	most   time.Duration
	lasted string
}{
	// For minutes after a publication Creatio builds its entities anew.
	"rebuilding": {2 * time.Hour, "set-missing"},
}

// Lasting is the error of what has been so for a while. What should have passed by then is for the operator to mend, and of kind
// Misconfigured.
func Lasting(err error, so time.Duration) error {
	e, ok := errors.AsType[*Error](err)
	if !ok || e.Kind != Retry {
		return err
	}
	if p, ok := passing[e.Code]; ok && so >= p.most {
		return New(Misconfigured, e.Side, p.lasted, err)
	}
	return err
}

// SameCause reports whether two codes are of one cause: that of what passes, and of what did not.
func SameCause(a, b string) bool {
	cause := func(code string) string {
		if p, ok := passing[code]; ok {
			return p.lasted
		}
		return code
	}
	return cause(a) == cause(b)
}
