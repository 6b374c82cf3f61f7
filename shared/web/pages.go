package web

import (
	"context"
	"errors"
	"maps"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/tandem-sync/tandem/shared/fault"
	"github.com/tandem-sync/tandem/shared/record"
	"github.com/tandem-sync/tandem/shared/store"
)

const (
	// tagsTime is how long the settings page waits for the tags; it can do without them.
	tagsTime = 8 * time.Second
	// runsOnPage and changesOnPage are how much history one page shows.
	runsOnPage    = 20
	changesOnPage = 100
)

// page is what every page has; Main is the page's own.
type page struct {
	Title string
	// Email is who is signed in; SignedIn tells it apart from one without an address.
	Email    string
	SignedIn bool
	// Admin says that the page of the administrators is there for who is signed in.
	Admin bool
	// Current is the entry of the navigation that the page belongs to.
	Current string
	// Failed says that the page asks to correct an entry.
	Failed bool
	Main   any
}

// page starts one. An empty email is nobody's page.
func (s *Site) page(title, email string) page {
	return page{Title: title, Email: email, SignedIn: email != ""}
}

// accountPage starts a page of somebody who is signed in.
func (s *Site) accountPage(title, current string, a Account) page {
	return page{Title: title, Email: a.Google.Email, SignedIn: true, Admin: a.Admin, Current: current}
}

// home is the settings page, or what Tandem is for somebody who is not signed in.
func (s *Site) home(w http.ResponseWriter, r *http.Request, v visit) error {
	said := said(r.URL.Query())
	if v.user != "" {
		a, err := s.service.Account(r.Context(), v.user)
		if err == nil {
			return s.settingsPage(w, r, http.StatusOK, v, a, settingsForm{Settings: a.Contacts.ContactsSettings, ActivitiesForm: activitiesForm{Settings: a.Activities.ActivitiesSettings}, Said: said})
		}
		if !errors.Is(err, store.ErrNotFound) {
			return err
		}
	}
	p := s.page("Tandem", "")
	p.Main = said
	return s.render(w, http.StatusOK, "welcome.html", p)
}

// settingsForm is what the forms show: what is saved, or what could not be.
type settingsForm struct {
	Settings       ContactsSettings
	Errors         []FieldError
	ActivitiesForm activitiesForm
	Said           []notice
}

func daysOf(d time.Duration) int { return int(d.Hours() / 24) }

// settingsView is the settings page.
type settingsView struct {
	Account
	settingsForm
	// Missing is what has to be done before contacts can be synchronized, MissingActivities the same for activities.
	Missing, MissingActivities []string
	Tags                       []tagGroup
	// TagsProblem says why the tags could not be read; nil where they were.
	TagsProblem *fault.Sentence
	// TagGone says that the chosen tag is no longer among the tags; TagUnread, that nobody knows.
	TagGone, TagUnread bool
	// Doubts are, by type, the first of the records that wait for the user's word.
	Doubts                             []doubtsView
	Intervals, Directions, ConflictsBy []choice
	DeletionChoices, PrivateChoices    []choice
	GuestChoices, Months               []choice
	// UnlinkedDays is for how many days links and history are kept after an account was disconnected; 0 where they are for ever.
	UnlinkedDays int
}

// doubtsView are the first doubts of a type; Open is how many there are.
type doubtsView struct {
	Type   record.Type
	Words  doubtWords
	Listed []Doubt
	Open   int
}

type tagGroup struct {
	Label string
	Tags  []Tag
}

func (s *Site) settingsPage(w http.ResponseWriter, r *http.Request, status int, v visit, a Account, f settingsForm) error {
	view := settingsView{
		Account: a, settingsForm: f, Missing: missing(a, record.Contacts), MissingActivities: missing(a, record.Activities),
		Intervals: intervalChoices, Directions: directionChoices, ConflictsBy: conflictChoices,
		DeletionChoices: deletionChoices, PrivateChoices: privateChoices, GuestChoices: guestChoices, Months: monthChoices(),
		UnlinkedDays: daysOf(s.unlinked),
	}
	view.Said = append(view.Said, warned(a.WrongPasswords)...)
	if a.Creatio.Linked {
		view.readTags(r.Context(), s, v.user)
	}
	for _, t := range []record.Type{record.Contacts, record.Activities} {
		open := a.state(t).Doubts
		if open == 0 {
			continue
		}
		listed, err := s.service.Doubts(r.Context(), v.user, t, doubtsOnPage)
		if err != nil {
			return err
		}
		view.Doubts = append(view.Doubts, doubtsView{Type: t, Words: doubtsOf(t, open), Listed: listed, Open: open})
	}
	p := s.accountPage("Settings", "settings", a)
	p.Main, p.Failed = view, len(f.Errors)+len(f.ActivitiesForm.Errors) > 0
	return s.render(w, status, "settings.html", p)
}

// readTags fills the choice of tags. The page is there without them too.
func (view *settingsView) readTags(ctx context.Context, s *Site, user string) {
	ctx, cancel := context.WithTimeout(ctx, tagsTime)
	defer cancel()
	tags, err := s.service.Tags(ctx, user)
	if err != nil {
		e := explain(err).Sentence
		if errors.Is(err, ErrNotReady) || errors.Is(err, store.ErrNotFound) {
			e = fault.Explain(fault.New(fault.Reconnect, string(record.Creatio), "", nil))
		}
		view.TagsProblem, view.TagUnread = &e, view.Settings.TagID != ""
		return
	}
	if i := slices.IndexFunc(tags, func(t Tag) bool { return strings.EqualFold(t.ID, view.Settings.TagID) }); i >= 0 {
		view.Settings.TagID = tags[i].ID // a GUID is the same in capitals
	} else {
		view.TagGone = view.Settings.TagID != "" && view.Settings.TagID == view.Contacts.TagID
	}
	for _, kind := range tagKinds {
		g := tagGroup{Label: kind.Label}
		for _, t := range tags {
			if t.Kind == kind.Value {
				g.Tags = append(g.Tags, t)
			}
		}
		if g.Tags != nil {
			view.Tags = append(view.Tags, g)
		}
	}
}

// saveContacts saves the form.
func (s *Site) saveContacts(w http.ResponseWriter, r *http.Request, v visit) error {
	if err := parseForm(r); err != nil {
		return err
	}
	settings, err := formContactsSettings(r.PostForm)
	if err == nil {
		_, err = s.service.PutContacts(r.Context(), v.user, settings, nil)
	}
	invalid, ok := errors.AsType[*InvalidError](err)
	switch {
	case err == nil:
		return s.see(w, s.root+"?done=saved")
	case !ok:
		return err
	}
	a, err := s.service.Account(r.Context(), v.user)
	if err != nil {
		return err
	}
	return s.settingsPage(w, r, http.StatusUnprocessableEntity, v, a, settingsForm{
		Settings: settings, Errors: invalid.Errors, ActivitiesForm: activitiesForm{Settings: a.Activities.ActivitiesSettings},
	})
}

// notReadyCode is the code of the notice that says where the page lists what is missing.
var notReadyCode = map[record.Type]string{record.Contacts: "not-ready", record.Activities: "not-ready-activities"}

// syncNow queues a run of a sync type for the button of the page.
func (s *Site) syncNow(t record.Type) serve {
	return func(w http.ResponseWriter, r *http.Request, v visit) error {
		_, err := s.service.SyncNow(r.Context(), v.user, t)
		switch {
		case errors.Is(err, ErrNotReady):
			return s.see(w, s.root+"?problem="+notReadyCode[t])
		case err != nil:
			return err
		}
		return s.see(w, s.root+"?done=queued")
	}
}

// preview shows what a run of a sync type would do.
func (s *Site) preview(t record.Type) serve {
	return func(w http.ResponseWriter, r *http.Request, v visit) error {
		run, err := s.service.Preview(r.Context(), v.user, t)
		switch {
		case errors.Is(err, ErrNotReady):
			return s.see(w, s.root+"?problem="+notReadyCode[t])
		case err != nil:
			return err
		}
		return s.see(w, s.link("/runs/"+url.PathEscape(run.ID)))
	}
}

// historyView is the list of runs.
type historyView struct {
	Runs []store.Run
	// Older is the address of what comes before; empty where nothing does. Later says that this is not the first page.
	Older string
	// Days is for how many days runs are kept, and UnlinkedDays for how many after an account was disconnected; 0 where they are for ever.
	Days, UnlinkedDays int
	Later              bool
}

func (s *Site) history(w http.ResponseWriter, r *http.Request, v visit) error {
	a, err := s.service.Account(r.Context(), v.user)
	if err != nil {
		return err
	}
	before := r.URL.Query().Get("before")
	runs, err := s.service.Runs(r.Context(), v.user, "", runsOnPage+1, before)
	if err != nil {
		return err
	}
	view := historyView{Runs: runs, Later: before != "", Days: daysOf(s.kept), UnlinkedDays: daysOf(s.unlinked)}
	if len(runs) > runsOnPage {
		view.Runs = runs[:runsOnPage]
		view.Older = s.link("/runs?") + url.Values{"before": {view.Runs[runsOnPage-1].ID}}.Encode()
	}
	p := s.accountPage("History", "runs", a)
	p.Main = view
	return s.render(w, http.StatusOK, "runs.html", p)
}

// runView is one run, with a piece of its changes: first of those that wait, then of those that were made.
type runView struct {
	store.Run
	// Waiting and Done count the changes that wait and those that were made. From and To are the places of Made among the
	// latter.
	Waiting, Done     int
	Waits, Made       []store.Change
	From, To          int
	Previous, Further string
	// Decision are the words for the changes that wait.
	Decision decisionWords
	split    map[string]record.Side
}

// SplitByUndo is the side on which an undo took the contact of a change out of scope; empty where none did.
func (v runView) SplitByUndo(c store.Change) record.Side { return v.split[c.Link] }

// SplitSides are the sides on which contacts of the page were split off by an undo.
func (v runView) SplitSides() []record.Side {
	return slices.Compact(slices.Sorted(maps.Values(v.split)))
}

func (s *Site) oneRun(w http.ResponseWriter, r *http.Request, v visit) error {
	a, err := s.service.Account(r.Context(), v.user)
	if err != nil {
		return err
	}
	run, err := s.service.Run(r.Context(), v.user, r.PathValue("run"))
	if err != nil {
		return err
	}
	view := s.pieceOf(run, r.URL.Query().Get("from"))
	if view.split, err = s.service.SplitByUndo(r.Context(), v.user, run.Type, view.Changes); err != nil {
		return err
	}
	p := s.accountPage("Synchronization", "runs", a)
	p.Main = view
	return s.render(w, http.StatusOK, "run.html", p)
}

func (s *Site) approve(w http.ResponseWriter, r *http.Request, v visit) error {
	return s.decide(w, r, v, true)
}

func (s *Site) reject(w http.ResponseWriter, r *http.Request, v visit) error {
	return s.decide(w, r, v, false)
}

// decide ends the waiting of a held run, and shows the run that follows.
func (s *Site) decide(w http.ResponseWriter, r *http.Request, v visit, approve bool) error {
	run, err := s.service.Decide(r.Context(), v.user, r.PathValue("run"), approve)
	if err != nil {
		return err
	}
	return s.see(w, s.link("/runs/"+url.PathEscape(run)))
}

// undo puts back a run, or the record of it whose button was pressed, and shows the run that does it.
func (s *Site) undo(w http.ResponseWriter, r *http.Request, v visit) error {
	if err := parseForm(r); err != nil {
		return err
	}
	what := store.Undo{Run: r.PathValue("run"), CreatioID: r.PostForm.Get("creatioId"), GoogleID: r.PostForm.Get("googleId")}
	run, err := s.service.Undo(r.Context(), v.user, what)
	if err != nil {
		return s.notReady(r, v, s.typeOf(r, v), err)
	}
	return s.see(w, s.link("/runs/"+url.PathEscape(run)))
}

// pieceOf cuts the changes to what fits a page, beginning with the one whose number, counted from 1, is given.
func (s *Site) pieceOf(run store.Run, from string) runView {
	var waiting, made []store.Change
	for _, c := range run.Changes {
		if c.Waits {
			waiting = append(waiting, c)
		} else {
			made = append(made, c)
		}
	}
	view := runView{Run: run, Waiting: len(waiting), Done: len(made), Decision: decisionOn(run, waiting)}
	all := slices.Concat(waiting, made)
	first, err := strconv.Atoi(from)
	if err != nil || first < 1 || first > len(all) {
		first = 1
	}
	first -= (first - 1) % changesOnPage
	last := min(first+changesOnPage-1, len(all))
	view.Changes = all[first-1 : last]
	view.Waits = view.Changes[:max(0, min(view.Waiting-first+1, len(view.Changes)))]
	view.Made = view.Changes[len(view.Waits):]
	view.From, view.To = max(first-view.Waiting, 1), last-view.Waiting
	at := func(n int) string { return s.link("/runs/" + url.PathEscape(run.ID) + "?from=" + strconv.Itoa(n)) }
	if first > 1 {
		view.Previous = at(first - changesOnPage)
	}
	if last < len(all) {
		view.Further = at(last + 1)
	}
	return view
}
