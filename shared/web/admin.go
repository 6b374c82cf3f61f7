package web

import (
	"errors"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"time"

	"github.com/tandem-sync/tandem/shared/fault"
	"github.com/tandem-sync/tandem/shared/record"
)

// Overview is what administrators see of a sync type: how it goes for everybody, and none of what is synchronized.
type Overview struct {
	Type record.Type
	// Types are all that there are.
	Types  []record.Type
	Totals Totals
	Job    Job
	// Users are those in the place that was asked for, those needing attention first.
	Users []UserStatus
	// Next is the place of the page that follows; empty where none does.
	Next string
	// WrongPasswords are those that were entered lately, by the names of the Creatio users.
	WrongPasswords []WrongPasswords
}

// Totals count users; each of the second line once, as the first of these that it is.
type Totals struct {
	Users, Linked                                    int
	Failing, Held, Reconnect, Partial, Running, Late int
	// LastSync is the last successful sync of anybody.
	LastSync time.Time
}

// UserStatus is how a sync type goes for one user.
type UserStatus struct {
	ID, Email       string
	Google, Creatio bool
	State           State
	// Late says that the sync should long have begun.
	Late bool
	// Paused is since when an administrator has the user's synchronization rest; zero where nobody does.
	Paused time.Time
}

// NeedsAttention reports whether somebody should look at the user's sync.
func (u UserStatus) NeedsAttention() bool {
	switch u.State.Status {
	case "failing", "held", "reconnect", "partial", "late":
		return true
	}
	return u.Late
}

// Job is what calls the synchronization of a type by schedule.
type Job struct {
	// Known says that there is one that Tandem sets.
	Known bool
	// Decided is since when an administrator has it rest; zero where nobody does.
	Decided time.Time
	// Interval is the shortest one in use; zero where nobody synchronizes automatically.
	Interval time.Duration

	// Schedule is when it calls, as a cron text in TimeZone. Paused says that it rests, Broken that it does so after an
	// error of its own.
	Schedule, TimeZone string
	Paused, Broken     bool
	// Last and Next are when it calls; zero where it did not or will not. Failure is how the last call failed, in a word.
	Last, Next time.Time
	Failure    string
	// Problem says why the job could not be asked; what is above is empty then.
	Problem *fault.Sentence
}

// Order is what an administrator has a job do.
type Order string

// The orders.
const (
	Pause  Order = "pause"
	Resume Order = "resume"
	RunNow Order = "run"
)

var orders = []Order{Pause, Resume, RunNow}

// ErrNoJob says that there is no job that Tandem could give an order.
var ErrNoJob = errors.New("no job of a scheduler")

// admin is the page of the administrators.
func (s *Site) admin(w http.ResponseWriter, r *http.Request, v visit) error {
	o, err := s.overview(r, v)
	if err != nil {
		return err
	}
	a, err := s.service.Account(r.Context(), v.user)
	if err != nil {
		return err
	}
	q, l := r.URL.Query(), localeOf(r).in(a.Zone)
	view := adminView{Overview: o, Said: append(l.said(q), l.guessed(o.WrongPasswords)...), Later: q.Has("after"), Name: strings.TrimSpace(q.Get("q")), Attention: q.Get("show") == "attention"}
	switch {
	case view.Name != "":
		if view.Users, err = s.service.FindUsers(r.Context(), v.user, o.Type, view.Name); err != nil {
			return err
		}
	case view.Attention:
		all := len(view.Users)
		view.Users = slices.DeleteFunc(view.Users, func(u UserStatus) bool { return !u.NeedsAttention() })
		if o.Next != "" && len(view.Users) == all {
			// Those needing attention come first, so that only then others may follow.
			view.Further = s.adminLink(o.Type, url.Values{"after": {o.Next}, "show": {"attention"}})
		}
	case o.Next != "":
		view.Further = s.adminLink(o.Type, url.Values{"after": {o.Next}})
	}
	p := s.accountPage(l, l.say("admin"), "admin", a)
	p.Main = view
	return s.render(w, http.StatusOK, "admin.html", p)
}

// adminView is the page. Later says that it is not the first one; Further is the address of the next.
type adminView struct {
	Overview
	Said    []notice
	Later   bool
	Further string
	// Name is the address that is looked for; empty where none is. Attention says that only those are listed who need somebody.
	Name      string
	Attention bool
}

// Healthy reports whether nobody needs anything.
func (t Totals) Healthy() bool { return t.Failing+t.Held+t.Reconnect+t.Partial+t.Late == 0 }

// overview reads what is asked for; the first sync type where none is named.
func (s *Site) overview(r *http.Request, v visit) (Overview, error) {
	q := r.URL.Query()
	return s.service.Overview(r.Context(), v.user, record.Type(q.Get("type")), q.Get("after"))
}

// adminLink is the address of the page of a type.
func (s *Site) adminLink(t record.Type, q url.Values) string {
	q.Set("type", string(t))
	return s.link("/admin?") + q.Encode()
}

// order carries out what a form of the page asks for.
func (s *Site) order(w http.ResponseWriter, r *http.Request, v visit) error {
	t, o, err := s.give(r, v)
	switch {
	case fault.Is(err, fault.Retry), fault.Is(err, fault.Misconfigured):
		// The page says how the job is, which says more than an error could.
		s.note(r, explain(err))
		problem := "job"
		if o == RunNow {
			problem = "job-run"
		}
		return s.see(w, s.adminLink(t, url.Values{"problem": {problem}}))
	case err != nil:
		return err
	}
	return s.see(w, s.adminLink(t, url.Values{"done": {"job-" + string(o)}}))
}

func (s *Site) give(r *http.Request, v visit) (record.Type, Order, error) {
	t, o := record.Type(r.PathValue("type")), Order(r.PathValue("order"))
	if !slices.Contains(orders, o) {
		return t, o, notFound()
	}
	return t, o, s.service.Order(r.Context(), v.user, t, o)
}

// orderUser pauses a user, or has one go on, for the page.
func (s *Site) orderUser(w http.ResponseWriter, r *http.Request, v visit) error {
	o, err := s.giveUser(r, v)
	if err != nil {
		return err
	}
	return s.see(w, s.link("/admin?done=user-"+string(o)))
}

// postUserOrder is the same for scripts.
func (s *Site) postUserOrder(w http.ResponseWriter, r *http.Request, v visit) error {
	if err := readNothing(r.Body); err != nil {
		return err
	}
	_, err := s.giveUser(r, v)
	return gone(w, err)
}

func (s *Site) giveUser(r *http.Request, v visit) (Order, error) {
	o := Order(r.PathValue("order"))
	if o != Pause && o != Resume {
		return o, notFound()
	}
	return o, s.service.PauseUser(r.Context(), v.user, r.PathValue("user"), o == Pause)
}

func (s *Site) getAdmin(w http.ResponseWriter, r *http.Request, v visit) error {
	o, err := s.overview(r, v)
	if err != nil {
		return err
	}
	return answer(w, http.StatusOK, overviewJSON(o))
}

func (s *Site) postOrder(w http.ResponseWriter, r *http.Request, v visit) error {
	if err := readNothing(r.Body); err != nil {
		return err
	}
	_, _, err := s.give(r, v)
	return gone(w, err)
}

// overviewJSON is the overview as the API shows it.
func overviewJSON(o Overview) any {
	type account struct {
		Linked bool `json:"linked"`
	}
	type user struct {
		ID      string  `json:"id"`
		Email   string  `json:"email"`
		Google  account `json:"google"`
		Creatio account `json:"creatio"`
		State   State   `json:"state"`
		Late    bool    `json:"late"`
	}
	users := make([]user, len(o.Users))
	for i, u := range o.Users {
		users[i] = user{u.ID, u.Email, account{u.Google}, account{u.Creatio}, u.State, u.Late}
	}
	t := o.Totals
	return struct {
		Type   record.Type `json:"type"`
		Totals any         `json:"totals"`
		Job    any         `json:"job"`
		Users  []user      `json:"users"`
		Next   *string     `json:"next"`
		// Guessed are the Creatio users for whom wrong passwords were entered lately.
		Guessed []guessedJSON `json:"wrongPasswords"`
	}{o.Type, struct {
		Users     int        `json:"users"`
		Linked    int        `json:"linked"`
		Failing   int        `json:"failing"`
		Held      int        `json:"held"`
		Reconnect int        `json:"reconnect"`
		Partial   int        `json:"partial"`
		Running   int        `json:"running"`
		Late      int        `json:"late"`
		LastSync  *time.Time `json:"lastSync"`
	}{t.Users, t.Linked, t.Failing, t.Held, t.Reconnect, t.Partial, t.Running, t.Late, moment(t.LastSync)}, jobJSON(o.Job), users, present(o.Next), guessedList(o.WrongPasswords)}
}

// guessedJSON are wrong passwords for the name of a Creatio user.
type guessedJSON struct {
	User  string    `json:"user"`
	Count int       `json:"count"`
	Last  time.Time `json:"last"`
	By    []string  `json:"by"`
}

func guessedList(all []WrongPasswords) []guessedJSON {
	out := make([]guessedJSON, len(all))
	for i, g := range all {
		out[i] = guessedJSON{g.Login, g.Count, g.Last.UTC(), list(g.By)}
	}
	return out
}

// jobJSON is null where there is no job.
func jobJSON(j Job) any {
	if !j.Known {
		return nil
	}
	return struct {
		PausedSince     *time.Time      `json:"pausedSince"`
		IntervalMinutes int             `json:"intervalMinutes"`
		Schedule        string          `json:"schedule"`
		TimeZone        string          `json:"timeZone"`
		Paused          bool            `json:"paused"`
		Broken          bool            `json:"broken"`
		Last            *time.Time      `json:"last"`
		Next            *time.Time      `json:"next"`
		Failure         *string         `json:"failure"`
		Problem         *fault.Sentence `json:"problem"`
	}{moment(j.Decided), int(j.Interval / time.Minute), j.Schedule, j.TimeZone, j.Paused, j.Broken, moment(j.Last), moment(j.Next), present(j.Failure), j.Problem}
}

// present is a text for JSON; null where it is empty.
func present(text string) *string {
	if text == "" {
		return nil
	}
	return &text
}
