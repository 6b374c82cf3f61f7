package web

import (
	"io"
	"net/http"
	"net/url"
	"strconv"
	"time"

	"github.com/tandem-sync/tandem/shared/record"
)

const (
	// doubtsOnPage is how many doubts the settings page shows, doubtsInAnswer how many the API gives.
	doubtsOnPage   = 20
	doubtsInAnswer = 1000
)

// Doubt is a record of each side of which nobody knows whether they are the same person or meeting. Its JSON form is part of the API.
type Doubt struct {
	CreatioID string `json:"creatioId"`
	GoogleID  string `json:"googleId"`
	// Creatio and Google are what the records are called there.
	Creatio string    `json:"creatio"`
	Google  string    `json:"google"`
	Since   time.Time `json:"since"`
}

// Verdict is what the user says of a record of each side.
type Verdict struct {
	CreatioID, GoogleID string
	Same                bool
}

const (
	hintID   = "Give the id of a record."
	hintSame = "Give true for the same one, or false for two different ones."
)

func (s *Site) getPairs(t record.Type) serve {
	return func(w http.ResponseWriter, r *http.Request, v visit) error {
		doubts, err := s.service.Doubts(r.Context(), v.user, t, doubtsInAnswer)
		if err != nil {
			return err
		}
		return answer(w, http.StatusOK, list(doubts))
	}
}

func (s *Site) postPair(t record.Type) serve {
	return func(w http.ResponseWriter, r *http.Request, v visit) error {
		verdict, err := readVerdict(r.Body)
		if err != nil {
			return err
		}
		if err := s.service.Settle(r.Context(), v.user, t, verdict); err != nil {
			return s.notReady(r, v, t, err)
		}
		return gone(w, nil)
	}
}

// settle takes the answer of one of the buttons.
func (s *Site) settle(t record.Type) serve {
	return func(w http.ResponseWriter, r *http.Request, v visit) error {
		if err := parseForm(r); err != nil {
			return err
		}
		verdict, err := formVerdict(r.PostForm)
		if err != nil {
			return err
		}
		if err := s.service.Settle(r.Context(), v.user, t, verdict); err != nil {
			return s.notReady(r, v, t, err)
		}
		return s.see(w, s.root+"?done=said")
	}
}

// readVerdict reads a verdict from JSON: every field is there once and of its type, and there is no other one.
func readVerdict(body io.Reader) (Verdict, error) {
	o, err := readObject(body)
	if err != nil {
		return Verdict{}, err
	}
	v := Verdict{CreatioID: take[string](o, "creatioId", hintID), GoogleID: take[string](o, "googleId", hintID), Same: take[bool](o, "same", hintSame)}
	return v, o.check(v.check())
}

func formVerdict(f url.Values) (Verdict, error) {
	same, err := strconv.ParseBool(f.Get("same"))
	v := Verdict{CreatioID: f.Get("creatioId"), GoogleID: f.Get("googleId"), Same: same}
	errs := v.check()
	if err != nil {
		errs = append(errs, FieldError{"same", hintSame})
	}
	if errs != nil {
		return Verdict{}, &InvalidError{errs}
	}
	return v, nil
}

func (v Verdict) check() (errs []FieldError) {
	if v.CreatioID == "" {
		errs = append(errs, FieldError{"creatioId", hintID})
	}
	if v.GoogleID == "" {
		errs = append(errs, FieldError{"googleId", hintID})
	}
	return errs
}
