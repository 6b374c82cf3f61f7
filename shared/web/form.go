package web

import (
	"bytes"
	"encoding/json"
	"errors"
	"io"
	"maps"
	"net/http"
	"net/url"
	"slices"
	"strconv"

	"github.com/tandem-sync/tandem/shared/record"
	"github.com/tandem-sync/tandem/shared/store"
)

// readContactsSettings reads settings from JSON, strictly: every field is there once and of its type, and there is
// no other one. "state" is passed over, so that what GET account gave can be sent back.
func readContactsSettings(body io.Reader) (ContactsSettings, error) {
	o, err := readObject(body)
	if err != nil {
		return ContactsSettings{}, err
	}
	s := ContactsSettings{
		Automatic:       take[bool](o, "automatic", "Give true or false."),
		IntervalMinutes: take[int](o, "intervalMinutes", "Give a whole number of minutes."),
		TagID:           take[string](o, "tagId", "Give the id of a tag, or an empty text."),
		Direction:       take[string](o, "direction", "Give a text."),
		Conflicts:       take[string](o, "conflicts", "Give a text."),
	}
	return s, o.check(s.Validate(), "state")
}

// formContactsSettings reads settings from the form of the page. What it could read comes back with an error too.
func formContactsSettings(f url.Values) (ContactsSettings, error) {
	minutes, _ := strconv.Atoi(f.Get("intervalMinutes")) // what is no number is none of the choices
	s := ContactsSettings{
		Automatic: f.Get("automatic") != "", IntervalMinutes: minutes,
		TagID: f.Get("tagId"), Direction: f.Get("direction"), Conflicts: f.Get("conflicts"),
	}
	if errs := s.Validate(); errs != nil {
		return s, &InvalidError{errs}
	}
	return s, nil
}

// readUndo reads which record of a run shall be undone; an empty body, or an empty object, is all of them.
func readUndo(body io.Reader) (store.Undo, error) {
	raw, err := readBody(body)
	if err != nil || len(bytes.TrimSpace(raw)) == 0 {
		return store.Undo{}, err
	}
	o, err := readObject(bytes.NewReader(raw))
	if err != nil {
		return store.Undo{}, err
	}
	var empty []FieldError
	id := func(name string) string {
		if _, there := o.fields[name]; !there {
			return ""
		}
		hint := "Give the id of a record, or leave it out."
		value := take[string](o, name, hint)
		if value == "" {
			// More likely a slip of the script than the wish to undo everything.
			empty = append(empty, FieldError{name, hint})
		}
		return value
	}
	what := store.Undo{CreatioID: id("creatioId"), GoogleID: id("googleId"), Field: id("field")}
	if what.Field != "" && what.CreatioID == "" && what.GoogleID == "" {
		empty = append(empty, FieldError{"field", "Give the id of a record with it."})
	}
	return what, o.check(empty)
}

// checkQuery refuses parameters of a query that a call of the API does not take: what they were to do would not be done.
func checkQuery(raw string, known []string) error {
	q, err := url.ParseQuery(raw)
	if err != nil {
		return refuse(http.StatusBadRequest, "bad-request", "The query cannot be read.", "Encode its parameters for an address.")
	}
	var errs []FieldError
	for _, name := range slices.Sorted(maps.Keys(q)) {
		switch {
		case !slices.Contains(known, name):
			errs = append(errs, FieldError{name, "There is no such parameter."})
		case len(q[name]) > 1:
			errs = append(errs, FieldError{name, "Give this parameter once."})
		}
	}
	if errs != nil {
		return &InvalidError{errs}
	}
	return nil
}

// readBody reads a body as a whole. One that breaks off is its sender's affair, and nothing to alarm anybody about.
func readBody(body io.Reader) ([]byte, error) {
	raw, err := io.ReadAll(body)
	if err != nil {
		if e, ok := errors.AsType[*http.MaxBytesError](err); ok {
			return nil, e
		}
		return nil, refuse(http.StatusBadRequest, "bad-request", "The body broke off.", "Send it again as a whole.")
	}
	return raw, nil
}

// readPreview reads which preview a synchronization is to do; empty for none.
func readPreview(body io.Reader) (string, error) {
	raw, err := readBody(body)
	if err != nil || len(bytes.TrimSpace(raw)) == 0 {
		return "", err
	}
	o, err := readObject(bytes.NewReader(raw))
	if err != nil {
		return "", err
	}
	if _, there := o.fields["preview"]; !there {
		return "", o.check(nil)
	}
	const hint = "Give the id of a preview, or leave it out."
	preview := take[string](o, "preview", hint)
	var empty []FieldError
	if preview == "" {
		empty = append(empty, FieldError{"preview", hint})
	}
	return preview, o.check(empty)
}

// readNothing reads the body of a call that takes none, which may be an empty object.
func readNothing(body io.Reader) error {
	raw, err := readBody(body)
	if err != nil || len(bytes.TrimSpace(raw)) == 0 {
		return err
	}
	o, err := readObject(bytes.NewReader(raw))
	if err != nil {
		return err
	}
	return o.check(nil)
}

// parseForm reads the body of a form.
func parseForm(r *http.Request) error {
	err := r.ParseForm()
	if err == nil {
		return nil
	}
	if _, ok := errors.AsType[*http.MaxBytesError](err); ok {
		return err
	}
	return refuseAs(http.StatusBadRequest, "bad-request", "bad-form")
}

// object is a JSON object while its fields are taken out one by one.
type object struct {
	fields map[string]json.RawMessage
	taken  []string
	errs   []FieldError
}

// readObject reads one JSON object and nothing after it. Names are compared to the letter, and none may come twice:
// encoding/json takes the last of them, others the first.
func readObject(body io.Reader) (*object, error) {
	d := json.NewDecoder(body)
	if t, err := d.Token(); err != nil || t != json.Delim('{') {
		return nil, badJSON(err, "The body is not a JSON object.")
	}
	o := &object{fields: map[string]json.RawMessage{}}
	for d.More() {
		t, err := d.Token()
		name, ok := t.(string)
		if err != nil || !ok {
			return nil, badJSON(err, "The body is not a JSON object.")
		}
		var value json.RawMessage
		if err := d.Decode(&value); err != nil {
			return nil, badJSON(err, "The body is not a JSON object.")
		}
		if _, twice := o.fields[name]; twice {
			return nil, badJSON(nil, "The body has a field twice.")
		}
		o.fields[name] = value
	}
	if _, err := d.Token(); err != nil {
		return nil, badJSON(err, "The body is not a JSON object.")
	}
	if _, err := d.Token(); err != io.EOF {
		return nil, badJSON(err, "There is something after the JSON object.")
	}
	return o, nil
}

func badJSON(err error, message string) error {
	if e, ok := errors.AsType[*http.MaxBytesError](err); ok {
		return e
	}
	return refuse(http.StatusBadRequest, "bad-request", message, "Send one JSON object as the documentation shows it.")
}

// take is the value of a field; an error is noted where it is missing or of another type.
func take[T any](o *object, name, hint string) T {
	o.taken = append(o.taken, name)
	raw, ok := o.fields[name]
	var v *T
	switch {
	case !ok:
		o.errs = append(o.errs, FieldError{name, "This field is missing. " + hint})
	case json.Unmarshal(raw, &v) != nil || v == nil:
		o.errs = append(o.errs, FieldError{name, hint})
	default:
		return *v
	}
	var zero T
	return zero
}

// check is an error for everything that was wrong. Of one field only the first thing is told.
func (o *object) check(more []FieldError, ignore ...string) error {
	for _, e := range more {
		if !slices.ContainsFunc(o.errs, func(have FieldError) bool { return have.Field == e.Field }) {
			o.errs = append(o.errs, e)
		}
	}
	var unknown []string
	for name := range o.fields {
		if !slices.Contains(o.taken, name) && !slices.Contains(ignore, name) {
			unknown = append(unknown, name)
		}
	}
	slices.Sort(unknown)
	for _, name := range unknown {
		o.errs = append(o.errs, FieldError{name, "There is no such field."})
	}
	slices.SortStableFunc(o.errs, func(a, b FieldError) int { return o.place(a.Field) - o.place(b.Field) })
	if o.errs != nil {
		return &InvalidError{o.errs}
	}
	return nil
}

// place is where a field stands in the order in which they were taken; unknown ones are last.
func (o *object) place(name string) int {
	if i := slices.Index(o.taken, name); i >= 0 {
		return i
	}
	return len(o.taken)
}

// missing tells, step by step, what has to be done before records of a type can be synchronized.
func (l locale) missing(a Account, t record.Type) []string {
	var steps []string
	add := func(key string) { steps = append(steps, l.say(key)) }
	if a.Paused {
		add("missing.paused")
	}
	switch {
	case !a.Google.Linked:
		add("missing.google")
	case a.Google.Reconnect:
		add("missing.google.again")
	case t == record.Contacts && !a.Google.Grants("contacts"):
		add("missing.contacts")
	case t == record.Activities && !a.Google.Grants("calendar"):
		add("missing.calendar")
	}
	switch {
	case !a.Creatio.Linked:
		add("welcome.2")
	case a.Creatio.Reconnect:
		add("missing.creatio.again")
	}
	if t == record.Contacts && a.Contacts.TagID == "" {
		add("missing.tag")
	}
	return steps
}

// notReady makes ErrNotReady say what is missing; other errors stay as they are.
func (s *Site) notReady(r *http.Request, v visit, t record.Type, err error) error {
	if !errors.Is(err, ErrNotReady) {
		return err
	}
	e := explain(err)
	if a, failed := s.service.Account(r.Context(), v.user); failed == nil {
		if steps := localeOf(r).missing(a, t); steps != nil {
			e.steps, e.script = steps, missingForScripts(a, t)
		}
	}
	return e
}

// typeOf is the sync type of the run that a request names.
func (s *Site) typeOf(r *http.Request, v visit) record.Type {
	run, err := s.service.Run(r.Context(), v.user, r.PathValue("run"))
	if err != nil || run.Type == "" {
		return record.Contacts
	}
	return run.Type
}
