package oauth

import (
	"errors"
	"net/url"
	"strings"
	"testing"

	"github.com/tandem-sync/tandem/shared/fault"
	"github.com/tandem-sync/tandem/shared/record"
)

// answers returns a valid response of each service for the usual user, who is signed in.
func (w *world) answers() map[record.Side]url.Values {
	w.t.Helper()
	user := w.olena()
	address := w.beginCreatio(user)
	return map[record.Side]url.Values{
		record.Google:  consentAt(w.t, w.google, w.begin(), grant{claims: w.claims(nil), scope: allScopes}),
		record.Creatio: consentAt(w.t, w.creatio, address, grant{}),
	}
}

func (w *world) server(side record.Side) *identityServer {
	if side == record.Google {
		return w.google
	}
	return w.creatio
}

func TestAResponseIsAcceptedOnlyAtTheAddressOfItsOwnService(t *testing.T) {
	t.Parallel()
	for _, side := range record.Sides {
		w := newWorld(t, AuthUser)
		q := w.answers()[side]
		before := w.google.calls("authorization_code") + w.creatio.calls("authorization_code")
		if _, err := w.finish(side.Other(), q); !errors.Is(err, ErrState) {
			t.Errorf("%s's answer at the other address: %v, want ErrState", side, err)
		}
		if got := w.google.calls("authorization_code") + w.creatio.calls("authorization_code"); got != before {
			t.Errorf("%s's code was posted", side)
		}
		if got := w.log.String(); !strings.Contains(got, "was rejected") || strings.Contains(got, q.Get("code")) || strings.Contains(got, q.Get("state")) {
			t.Errorf("the log is %s", got)
		}
		if _, err := w.finish(side, q); err != nil {
			t.Errorf("%s's answer at its own address afterwards: %v", side, err)
		}
	}
}

func TestAnotherBrowserDoesNotUseUpAState(t *testing.T) {
	t.Parallel()
	for _, side := range record.Sides {
		w := newWorld(t, AuthUser)
		q := w.answers()[side]
		for _, browser := range []string{"", "another browser's secret"} {
			if _, err := w.linker.Finish(t.Context(), side, browser, q); !errors.Is(err, ErrState) {
				t.Errorf("%s: Finish = %v, want ErrState", side, err)
			}
		}
		if _, err := w.finish(side, q); err != nil {
			t.Errorf("%s: the owner's Finish = %v", side, err)
		}
	}
}

func TestAResponseOfAnotherIssuerIsRejected(t *testing.T) {
	t.Parallel()
	const missing = ""
	for name, c := range map[string]struct {
		// sends is whether the service's discovery says that its responses name the issuer.
		sends bool
		iss   []string
		good  bool
	}{
		"named":                         {true, []string{"right"}, true},
		"demanded, and missing":         {true, nil, false},
		"demanded, and empty":           {true, []string{missing}, false},
		"another":                       {true, []string{"https://issuer.example.com"}, false},
		"right but for a slash":         {true, []string{"right/"}, false},
		"twice":                         {true, []string{"right", "https://issuer.example.com"}, false},
		"not promised, and missing":     {false, nil, true},
		"not promised, and named":       {false, []string{"right"}, true},
		"not promised, and another's":   {false, []string{"https://issuer.example.com"}, false},
		"not promised, and the other's": {false, []string{"other"}, false},
		"not promised, and empty":       {false, []string{missing}, false},
	} {
		for _, side := range record.Sides {
			t.Run(name+", "+string(side), func(t *testing.T) {
				t.Parallel()
				w := newWorld(t, AuthUser)
				q := w.answers()[side]
				w.server(side).sendsIssuer = c.sends
				w.linker = w.another()
				for _, iss := range c.iss {
					switch iss {
					case "other":
						iss = w.server(side.Other()).URL
					default:
						iss = strings.Replace(iss, "right", w.server(side).URL, 1)
					}
					q.Add("iss", iss)
				}
				refused := url.Values{"state": q["state"], "error": {"access_denied"}, "iss": q["iss"]}
				if !c.good {
					if _, err := w.finish(side, refused); !errors.Is(err, ErrState) || errors.Is(err, ErrRefused) {
						t.Errorf("an error under that name: %v, want ErrState", err)
					}
				}
				_, err := w.finish(side, q)
				if c.good && err != nil || !c.good && !errors.Is(err, ErrState) {
					t.Errorf("Finish = %v", err)
				}
			})
		}
	}
}

func TestASiteThatNamesGooglesIssuerLinksNoAccount(t *testing.T) {
	t.Parallel()
	w := newWorld(t, AuthUser)
	user := w.olena()
	w.creatio.issuer = w.google.URL
	if _, err := w.linker.BeginCreatio(t.Context(), user, w.cookie); !fault.Is(err, fault.Misconfigured) {
		t.Errorf("BeginCreatio = %v, want Misconfigured", err)
	}
}
