package web

import (
	"context"
	"errors"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"time"

	"github.com/tandem-sync/tandem/shared/fault"
	"github.com/tandem-sync/tandem/shared/record"
	"github.com/tandem-sync/tandem/shared/store"
)

const (
	// tagsTime is how long the settings page waits for the tags; it can do without them.
	tagsTime = 8 * time.Second
	// runsOnPage and changesOnPage are how many runs, and how many records of a run, one page shows.
	runsOnPage    = 20
	changesOnPage = 25
)

// page is what every page has; Main is the page's own.
type page struct {
	Title string
	// Email is who is signed in; SignedIn tells it apart from one without an address.
	Email    string
	SignedIn bool
	// Admin says that the page of the administrators is there for who is signed in.
	Admin bool
	// locale is the language of the page and the time zone of its times.
	locale locale
	// Current is the entry of the navigation that the page belongs to.
	Current string
	// Failed says that the page asks to correct an entry; Live, that it is to be loaded again by itself.
	Failed, Live bool
	Main         any
}

// page starts one. An empty email is nobody's page.
func (s *Site) page(l locale, title, email string) page {
	return page{Title: title, Email: email, SignedIn: email != "", locale: l}
}

// visitorPage starts a page for whoever is there: where something went wrong, a session goes on.
func (s *Site) visitorPage(w http.ResponseWriter, r *http.Request, title string) page {
	l := localeOf(r)
	t, err := s.session(w, r)
	if err != nil || t == nil {
		return s.page(l, title, "")
	}
	a, err := s.service.Account(r.Context(), t.User)
	if err != nil {
		return s.page(l, title, "")
	}
	return s.accountPage(l.in(a.Zone), title, "", a)
}

// accountPage starts a page of somebody who is signed in.
func (s *Site) accountPage(l locale, title, current string, a Account) page {
	return page{Title: title, Email: a.Google.Email, SignedIn: true, Admin: a.Admin, locale: l, Current: current}
}

// home is the settings page, or what Tandem is for somebody who is not signed in.
func (s *Site) home(w http.ResponseWriter, r *http.Request, v visit) error {
	l := localeOf(r)
	said := l.said(r.URL.Query())
	if v.user != "" {
		a, err := s.service.Account(r.Context(), v.user)
		if err == nil {
			return s.settingsPage(w, r, http.StatusOK, v, a, settingsForm{Settings: a.Contacts.ContactsSettings, ActivitiesForm: activitiesForm{Settings: a.Activities.ActivitiesSettings}, Said: said})
		}
		if !errors.Is(err, store.ErrNotFound) {
			return err
		}
	}
	p := s.page(l, "Tandem", "")
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
	Card         statusCard
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
	l := localeOf(r).in(a.Zone)
	view := settingsView{
		Account: a, settingsForm: f, Missing: l.missing(a, record.Contacts), MissingActivities: l.missing(a, record.Activities),
		Intervals: l.intervalChoices(), Directions: l.choices("direction.", directions...), ConflictsBy: l.choices("conflicts.", conflicts...),
		DeletionChoices: l.choices("deletions.", deletions...), PrivateChoices: l.choices("private.", privates...), GuestChoices: l.choices("guests.", guests...),
		Months: l.monthChoices(), UnlinkedDays: daysOf(s.unlinked), Card: s.card(l, a),
	}
	view.Said = append(view.Said, l.warned(a.WrongPasswords)...)
	view.Errors, view.ActivitiesForm.Errors = l.inWords(f.Errors), l.inWords(f.ActivitiesForm.Errors)
	if a.Creatio.Linked {
		view.readTags(r.Context(), s, l, v.user)
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
		view.Doubts = append(view.Doubts, doubtsView{Type: t, Words: l.doubtsOf(t, open), Listed: listed, Open: open})
	}
	p := s.accountPage(l, l.say("settings"), "settings", a)
	p.Main, p.Failed = view, len(f.Errors)+len(f.ActivitiesForm.Errors) > 0
	return s.render(w, status, "settings.html", p)
}

// readTags fills the choice of tags. The page is there without them too.
func (view *settingsView) readTags(ctx context.Context, s *Site, l locale, user string) {
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
		g := tagGroup{Label: l.say("form.tags." + kind)}
		for _, t := range tags {
			if t.Kind == kind {
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
		run, err := s.service.SyncNow(r.Context(), v.user, t)
		switch {
		case errors.Is(err, ErrNotReady):
			return s.see(w, s.root+"?problem="+notReadyCode[t])
		case err != nil:
			return err
		}
		return s.see(w, s.link("/runs/"+url.PathEscape(run)))
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
