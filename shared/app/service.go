package app

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"net/url"
	"slices"
	"strings"
	"time"

	"github.com/tandem-sync/tandem/shared/config"
	"github.com/tandem-sync/tandem/shared/creatio"
	"github.com/tandem-sync/tandem/shared/creatio/contacts"
	"github.com/tandem-sync/tandem/shared/fault"
	"github.com/tandem-sync/tandem/shared/oauth"
	"github.com/tandem-sync/tandem/shared/record"
	"github.com/tandem-sync/tandem/shared/store"
	"github.com/tandem-sync/tandem/shared/syncer"
	"github.com/tandem-sync/tandem/shared/web"
)

// service is what the pages and the API stand on.
type service struct{ app *App }

var _ web.Service = service{}

func (s service) BeginGoogle(ctx context.Context, browser string) (web.Begun, error) {
	b, err := s.app.linker.BeginGoogle(ctx, browser)
	return web.Begun(b), err
}

func (s service) AgainGoogle(ctx context.Context, user, browser string) (web.Begun, error) {
	p, err := s.app.store.User(user).Profile(ctx)
	if err != nil {
		return web.Begun{}, err
	}
	b, err := s.app.linker.AgainGoogle(ctx, browser, p.Google.Email)
	return web.Begun(b), err
}

func (s service) BeginCreatio(ctx context.Context, user, browser string) (web.Begun, error) {
	b, err := s.app.linker.BeginCreatio(ctx, user, browser)
	return web.Begun(b), err
}

func (s service) LinkPassword(ctx context.Context, user, username, password string) error {
	if err := s.app.linker.LinkPassword(ctx, user, username, password); err != nil {
		return err
	}
	return s.linked(ctx, user, record.Creatio)
}

func (s service) FinishLink(ctx context.Context, side record.Side, browser string, query url.Values) (web.Outcome, error) {
	out, err := s.app.linker.Finish(ctx, side, browser, query)
	for from, to := range map[error]error{
		oauth.ErrState: web.ErrState, oauth.ErrRefused: web.ErrRefused, oauth.ErrFailed: web.ErrFailed, oauth.ErrNotAllowed: web.ErrNotAllowed,
	} {
		if errors.Is(err, from) {
			return web.Outcome{}, fmt.Errorf("%w: %w", to, err)
		}
	}
	var consent *oauth.ConsentError
	if errors.As(err, &consent) {
		return web.Outcome{Again: web.Begun(consent.Begun)}, nil
	}
	if err != nil {
		return web.Outcome{}, err
	}
	result := web.Outcome{User: out.User, Session: out.Session}
	if slices.Contains(out.MissingScopes, s.app.engines[record.Contacts].Scope) {
		result.Problem = "scope-missing"
	}
	sides := []record.Side{out.Side}
	if out.Side == record.Google && s.app.config.Creatio.Auth == config.AuthClient {
		if err := s.app.linker.LinkClient(ctx, out.User); err != nil {
			s.app.logger.WarnContext(ctx, "the Creatio user could not be linked", "kind", fault.KindOf(err).String(), "error", err.Error())
			result.Problem = fault.Explain(err).Code
		} else {
			sides = append(sides, record.Creatio)
		}
	}
	return result, s.linked(ctx, out.User, sides...)
}

// linked makes a user's automatic syncs due again: what had stopped them may be mended. From here on the user has a
// document of each type, and with it a place before the administrators.
func (s service) linked(ctx context.Context, user string, sides ...record.Side) error {
	p, err := s.app.store.User(user).Profile(ctx)
	if err != nil {
		return fmt.Errorf("make the sync due: %w", err)
	}
	for t := range s.app.engines {
		var due time.Time
		err := s.app.store.User(user).UpdateSync(ctx, t, func(d *store.Sync) error {
			if slices.ContainsFunc(sides, func(side record.Side) bool { return waitsFor(*d, side) }) {
				untroubled(d)
			}
			switch {
			case d.Settings.Automatic && d.Due.IsZero():
				d.Due = s.app.now().UTC()
			case !d.Settings.Automatic && p.UnlinkedAt.IsZero():
				// It was due for what remains to be done while an account is unlinked.
				d.Due = time.Time{}
			}
			due = d.Due
			return nil
		})
		if err != nil {
			return fmt.Errorf("make the sync due: %w", err)
		}
		s.app.rescheduled(ctx, user, t, due)
	}
	return nil
}

// waitsFor reports whether the last run ended because an account has to be linked again, whose token is good as it is.
func waitsFor(d store.Sync, side record.Side) bool {
	return d.Status == "reconnect" && d.Problem != nil && d.Problem.Side == side
}

// untroubled takes what the last run ended with from a sync, for which that does not hold any more.
func untroubled(d *store.Sync) {
	d.Problem = nil
	if d.Status = "never"; !d.LastSync.IsZero() {
		d.Status = "ok"
	}
}

func (s service) Session(ctx context.Context, user string) (string, error) {
	p, err := s.app.store.User(user).Profile(ctx)
	if err == nil && !s.app.allowed(p) {
		if err := s.app.bar(ctx, user); err != nil {
			return "", err
		}
		return p.Session, web.ErrNotAllowed
	}
	return p.Session, err
}

func (s service) SignOut(ctx context.Context, user string) error {
	return s.app.store.User(user).UpdateProfile(ctx, func(p *store.Profile) error {
		if p.CreatedAt.IsZero() {
			return store.ErrNotFound
		}
		p.Session = rand.Text()
		return nil
	})
}

func (s service) Account(ctx context.Context, user string) (web.Account, error) {
	u := s.app.store.User(user)
	p, err := u.Profile(ctx)
	if err != nil {
		return web.Account{}, err
	}
	contacts, err := u.Sync(ctx, record.Contacts)
	if err != nil {
		return web.Account{}, err
	}
	activities, err := u.Sync(ctx, record.Activities)
	if err != nil {
		return web.Account{}, err
	}
	a := web.Account{
		ID: p.ID,
		Google: web.GoogleAccount{
			Linked: p.Google.Linked, Email: p.Google.Email, Scopes: p.Google.Scopes,
			Reconnect: p.Google.Reconnect || waitsFor(contacts, record.Google) || waitsFor(activities, record.Google),
		},
		Creatio: web.CreatioAccount{
			Linked: p.Creatio.Linked, URL: p.Creatio.URL, User: p.Creatio.User, ContactID: p.Creatio.ContactID,
			Reconnect: p.Creatio.Reconnect || waitsFor(contacts, record.Creatio) || waitsFor(activities, record.Creatio),
		},
		CreatioAuth: string(s.app.config.Creatio.Auth),
		Zone:        knownZone(p, activities),
		Paused:      !p.Paused.IsZero(),
		ForgetAt:    s.app.forgetAt(p),
		Admin:       s.app.isAdmin(p),
	}
	if a.WrongPasswords, err = s.app.wrongPasswords(ctx, p); err != nil {
		return web.Account{}, err
	}
	a.Contacts.ContactsSettings, a.Activities.ActivitiesSettings = contactsSettings(contacts.Settings), activitiesSettings(p, activities)
	for d, to := range map[*store.Sync]*web.State{&contacts: &a.Contacts.State, &activities: &a.Activities.State} {
		section, err := s.section(ctx, p, *d)
		if err != nil {
			return web.Account{}, err
		}
		*to = section.state()
	}
	return a, nil
}

func contactsSettings(s store.Settings) web.ContactsSettings {
	return web.ContactsSettings{
		Automatic: s.Automatic, IntervalMinutes: s.IntervalMinutes, TagID: s.TagID, Direction: s.Direction, Conflicts: s.Conflicts,
	}
}

func activitiesSettings(p store.Profile, doc store.Sync) web.ActivitiesSettings {
	s := doc.Settings
	return web.ActivitiesSettings{
		Automatic: s.Automatic, IntervalMinutes: s.IntervalMinutes, SyncFrom: syncFrom(p, s, knownZone(p, doc)), Direction: s.Direction,
		Conflicts: s.Conflicts, Deletions: s.Deletions, PrivateEvents: s.PrivateEvents, MonthsAhead: s.MonthsAhead, Guests: s.Guests,
	}
}

func (s service) Tags(ctx context.Context, user string) ([]web.Tag, error) {
	p, err := s.app.store.User(user).Profile(ctx)
	if err != nil {
		return nil, err
	}
	if !p.Creatio.Linked {
		return []web.Tag{}, nil
	}
	client, err := s.app.linker.ClientOf(ctx, p, record.Creatio, s.app.base[record.Creatio])
	if err != nil {
		return nil, err
	}
	site, err := s.app.openSite(ctx, client)
	if err != nil {
		return nil, err
	}
	found, err := contacts.Tags(ctx, site, p.Creatio.ContactID)
	s.app.layout.doubt(err)
	tags := make([]web.Tag, 0, len(found))
	for _, t := range found {
		tags = append(tags, web.Tag(t))
	}
	return tags, err
}

func (s service) PutContacts(ctx context.Context, user string, c web.ContactsSettings, only web.Precondition[web.ContactsSettings]) (web.Account, error) {
	u := s.app.store.User(user)
	doc, err := u.Sync(ctx, record.Contacts)
	if err != nil {
		return web.Account{}, err
	}
	kind := doc.Settings.TagKind
	c.TagID = strings.ToLower(c.TagID)
	switch {
	case c.TagID == "":
		kind = ""
	case c.TagID != doc.Settings.TagID:
		if kind, err = s.kindOf(ctx, user, c.TagID); err != nil {
			return web.Account{}, err
		}
	}
	p, err := u.Profile(ctx)
	if err != nil {
		return web.Account{}, err
	}
	var before, after store.Sync
	err = u.UpdateSync(ctx, record.Contacts, func(d *store.Sync) error {
		if only != nil && !only(contactsSettings(d.Settings)) {
			return web.ErrChanged
		}
		before = *d
		if d.Settings.TagID != c.TagID {
			// Another tag is another scope: its window starts anew. The links stay, and so does what they know.
			delete(d.Scopes, record.Creatio)
			delete(d.Cursors, record.Creatio)
			delete(d.MemberDigests, record.Creatio)
			untroubled(d)
		}
		was := d.Settings
		d.Settings.Automatic, d.Settings.IntervalMinutes = c.Automatic, c.IntervalMinutes
		d.Settings.TagID, d.Settings.TagKind = c.TagID, kind
		d.Settings.Direction, d.Settings.Conflicts = c.Direction, c.Conflicts
		if d.Due = due(user, d, was, s.app.now().UTC()); d.Due.IsZero() {
			// What is kept for the case that an account is linked again goes some day, whatever is chosen meanwhile.
			d.Due = s.app.nextLook(p, s.app.now().UTC())
		}
		after = *d
		return nil
	})
	if err != nil {
		return web.Account{}, err
	}
	s.app.afterSave(ctx, user, before, after)
	return s.Account(ctx, user)
}

func (s service) PutActivities(ctx context.Context, user string, c web.ActivitiesSettings, only web.Precondition[web.ActivitiesSettings]) (web.Account, error) {
	u := s.app.store.User(user)
	p, err := u.Profile(ctx)
	if err != nil {
		return web.Account{}, err
	}
	doc, err := u.Sync(ctx, record.Activities)
	if err != nil {
		return web.Account{}, err
	}
	now := s.app.now().UTC()
	if today := now.In(knownZone(p, doc)); c.SyncFrom > today.AddDate(1, 0, 0).Format(time.DateOnly) {
		return web.Account{}, &web.InvalidError{Errors: []web.FieldError{web.WrongSyncFrom}}
	}
	var before, after store.Sync
	err = u.UpdateSync(ctx, record.Activities, func(d *store.Sync) error {
		if only != nil && !only(activitiesSettings(p, *d)) {
			return web.ErrChanged
		}
		before = *d
		was := d.Settings
		d.Settings = store.Settings{
			Automatic: c.Automatic, IntervalMinutes: c.IntervalMinutes, SyncFrom: c.SyncFrom, Direction: c.Direction, Conflicts: c.Conflicts,
			Deletions: c.Deletions, PrivateEvents: c.PrivateEvents, MonthsAhead: c.MonthsAhead, Guests: c.Guests,
		}
		if was.Automatic != c.Automatic {
			d.Push = store.Push{}
		}
		d.Due = due(user, d, was, now)
		after = *d
		return nil
	})
	if err != nil {
		return web.Account{}, err
	}
	if before.Settings.Automatic && !after.Settings.Automatic {
		s.app.closeChannels(ctx, user)
	}
	s.app.afterSave(ctx, user, before, after)
	return s.Account(ctx, user)
}

// due is when the next automatic sync is due after the settings changed.
func due(user string, d *store.Sync, was store.Settings, now time.Time) time.Time {
	switch {
	case !d.Settings.Automatic:
		return time.Time{}
	case was.Automatic && was.IntervalMinutes == d.Settings.IntervalMinutes && was.TagID == d.Settings.TagID && !d.Due.IsZero():
		return d.Due
	default:
		next := syncer.DueAfter(user, d.Type, time.Time{}, d.LastSync, d.Settings.IntervalMinutes)
		if next.Before(now) || was.TagID != d.Settings.TagID {
			return now
		}
		return next
	}
}

// kindOf is the kind of one of the user's own private tags; anything else is refused.
func (s service) kindOf(ctx context.Context, user, id string) (string, error) {
	tags, err := s.Tags(ctx, user)
	if err != nil {
		return "", err
	}
	for _, t := range tags {
		if strings.EqualFold(t.ID, id) {
			return t.Kind, nil
		}
	}
	return "", &web.InvalidError{Errors: []web.FieldError{{
		Field: "tagId", Message: "This is not one of your own private tags. Make a private tag in Creatio, then choose it here.",
	}}}
}

func (s service) SyncNow(ctx context.Context, user string, t record.Type) (string, error) {
	u, err := s.ready(ctx, user, t)
	if err != nil {
		return "", err
	}
	doc, err := u.Sync(ctx, t)
	if err != nil {
		return "", err
	}
	return s.app.asked(ctx, user, t, doc.Lease.Owner)
}

// ready is the user whose run could begin; web.ErrNotReady for one whose run could not.
func (s service) ready(ctx context.Context, user string, t record.Type) (store.User, error) {
	u := s.app.store.User(user)
	p, err := u.Profile(ctx)
	if err != nil {
		return nil, err
	}
	doc, err := u.Sync(ctx, t)
	if err != nil {
		return nil, err
	}
	engine := s.app.engines[t]
	if engine == nil || !engine.Ready(p, doc) {
		return nil, web.ErrNotReady
	}
	return u, nil
}

func (s service) Preview(ctx context.Context, user string, t record.Type) (store.Run, error) {
	u, err := s.ready(ctx, user, t)
	if err != nil {
		return store.Run{}, err
	}
	out, err := s.app.run(ctx, t, user, syncer.Request{Type: t, Trigger: syncer.TriggerPreview})
	switch {
	case out.Status == syncer.Preview:
		return u.Run(ctx, out.Run)
	case out.Reason == syncer.ReasonLease:
		return store.Run{}, &fault.Error{Kind: fault.Retry, Code: "running", After: leasePause, Err: errors.New("preview: another run is under way")}
	case out.Status == syncer.Skipped && err == nil:
		return store.Run{}, web.ErrNotReady
	default:
		return store.Run{}, err
	}
}

func (s service) SplitByUndo(ctx context.Context, user string, t record.Type, changes []store.Change) (map[string]record.Side, error) {
	var ids []string
	for _, c := range changes {
		if c.Link != "" {
			ids = append(ids, c.CreatioID)
		}
	}
	links, err := s.app.store.User(user).LinksBy(ctx, t, record.Creatio, ids)
	if err != nil {
		return nil, err
	}
	out := map[string]record.Side{}
	for _, l := range links {
		if l.SplitSide != "" {
			out[l.ID] = l.SplitSide
		}
	}
	return out, nil
}

// account is what linking keeps of a Creatio user.
func account(u creatio.User) creatioAccount {
	return creatioAccount{ID: u.ID, Login: u.Login, ContactID: u.ContactID, TimeZone: u.TimeZone, Culture: u.Culture}
}

type creatioAccount = oauth.CreatioUser
