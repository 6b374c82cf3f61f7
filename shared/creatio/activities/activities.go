// Package activities is Creatio's side of the synchronization of activities: those that a user owns or takes part in and
// that show in the calendar.
//
// Its invariants:
//
//   - Whether an activity is in scope is a question of who takes part, of its type, its status and its mark "Show in calendar",
//     and not of its time. The range, from a day on, bounds what is listed and what windows tell of. Nothing is missing that
//     ends before it.
//   - Only columns and rows that differ are written. Owner, organizer, type, category, priority and the mark are written when an
//     activity is made, and never again.
//   - Rows that are inserted have ids derived from what they are, so that a repeated insertion is seen as one. The site adds
//     rows of its own; what it made is read in the same request.
//   - What a plan says that an activity will show is what the next reading shows; where Creatio cannot hold a value, that is
//     told.
package activities

import (
	"context"
	"encoding/json"
	"errors"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/google/uuid"

	"github.com/tandem-sync/tandem/shared/creatio"
	"github.com/tandem-sync/tandem/shared/fault"
	"github.com/tandem-sync/tandem/shared/odata"
	"github.com/tandem-sync/tandem/shared/record"
)

// Options say whose activities they are and which of them take part.
type Options struct {
	User creatio.User
	// From is the first instant of the range: activities that end earlier are left alone.
	From time.Time
	// Zone is where days begin that no zone of Creatio's tells of.
	Zone *time.Location
	// Accounts finds the Google accounts that users of the site have linked, by their contacts or by the addresses; nil where
	// nothing is known of any. What it found is not asked for again.
	Accounts func(ctx context.Context, contacts, addresses []string) ([]Account, error)
	// Guests says whom an activity brings to Google besides users of the site: nobody, or with GuestsInvited also participants
	// who are marked as invited.
	Guests string
}

// Account is the Google account that a user of the site has linked.
type Account struct{ Contact, Email string }

// GuestsInvited is the value of the setting "guests" that brings invited participants to Google.
const GuestsInvited = "invited"

// Side are the activities of one user. It is made for one run.
type Side struct {
	site  *creatio.Site
	o     Options
	taken creatio.TakenIDs

	mu sync.Mutex
	// people are the users and time zones of the site, once they were read.
	people *directory
	// accounts are the linked accounts by contact, and asked whose were asked for: contacts, and addresses in small letters.
	accounts map[string]string
	asked    map[string]bool
	// noLocation says that the site's activities have no such column.
	noLocation bool
	// readAll says that all activities in the range were read.
	readAll bool
	// flat says that the addresses of contacts cannot be read together with the participants.
	flat bool
	// toldZone is a zone that nobody knows, and of which the cursor said that the user was told.
	toldZone string
	// noTies says that what Creatio's own synchronizations keep cannot be read.
	noTies bool
}

// New opens the activities of a user.
func New(site *creatio.Site, o Options) *Side {
	o.User.ContactID = strings.ToLower(o.User.ContactID)
	return &Side{site: site, o: o, accounts: map[string]string{}, asked: map[string]bool{}}
}

// creations is the name space of the ids of activities that Tandem makes.
var creations = uuid.MustParse("0c2f1f4e-93a7-5d1c-8d0f-6f0a4f6f7b21")

// NewID is the id of an activity that is to be made: the same for the same seed on the same site, at every attempt and
// whoever's run makes it.
func (s *Side) NewID(seed string) string {
	return uuid.NewSHA1(creations, []byte(strings.ToLower(s.site.URL())+"\x00"+seed)).String()
}

// Site is the address of the site, whose activities all of its users share.
func (s *Side) Site() string { return s.site.URL() }

// cursor is where the next window starts.
type cursor struct {
	Watermark time.Time `json:"watermark"`
	// Contact and From are what was read: of another user, or from another day on, everything has to be read again.
	Contact string    `json:"contact"`
	From    time.Time `json:"from"`
	// Parts and Owned count the user's rows as a participant, and the activities that they own: what was deleted leaves no other
	// trace.
	Parts int `json:"parts"`
	Owned int `json:"owned"`
	// Thorough is when all participants were last read.
	Thorough time.Time `json:"thorough"`
	// Reads tells what was read of an activity then.
	Reads int `json:"reads"`
	// NoLocation says that the site's activities have no such column.
	NoLocation bool `json:"noLocation,omitempty"`
	// Zone is the code of the user's time zone, empty where the site has none for the user; nil where nobody has looked.
	Zone *string `json:"zone,omitempty"`
	// UnknownZone is the code of a zone of the user's that nobody knows, and of which the user was told.
	UnknownZone string `json:"unknownZone,omitempty"`
	// Relist says that the numbers are from before the run moved activities itself.
	Relist bool `json:"relist,omitempty"`
}

// ZoneTold is the code of the user's time zone as a cursor has it; false where it does not tell.
func ZoneTold(raw json.RawMessage) (code string, told bool) {
	var c cursor
	if json.Unmarshal(raw, &c) != nil || c.Zone == nil {
		return "", false
	}
	return *c.Zone, true
}

// reads is raised with everything more that is read of an activity.
const reads = 1

// Relist is a cursor that has the next Scan list the members. An activity that was made after the list and deleted before the
// next one shows in no number.
func (s *Side) Relist(raw json.RawMessage, _ int) json.RawMessage {
	var at cursor
	if json.Unmarshal(raw, &at) != nil {
		return raw
	}
	at.Relist = true
	next, err := json.Marshal(at)
	if err != nil {
		return raw
	}
	return next
}

// Scan reads what changed since the cursor. With nothing changed it is one request.
func (s *Side) Scan(ctx context.Context, raw json.RawMessage) (record.Delta, error) {
	start := s.site.Now()
	if len(raw) == 0 {
		return s.scanAll(ctx, start)
	}
	var from cursor
	err := json.Unmarshal(raw, &from)
	s.toldZone = from.UnknownZone
	if err != nil || from.Watermark.IsZero() || from.Reads != reads || !from.From.Equal(s.o.From) || from.Contact != s.o.User.ContactID {
		return record.Delta{}, fault.New(fault.FullSync, creatio.Side, "cursor", errors.New("scan activities: the cursor is not one of this user and range"))
	}
	answers, err := s.site.ReadAll(ctx, s.window(from.Watermark))
	if err != nil {
		return record.Delta{}, err
	}
	next := from
	next.Watermark, next.Relist = s.site.Watermark(start), false
	all := next.Watermark.Sub(from.Thorough) >= creatio.Patience(s.o.User.ContactID, from.Thorough)
	if !all {
		// A package that brings the column may be installed at any time.
		s.setNoLocation(from.NoLocation)
	}
	mine := activityIDs(answers[windowMine:windowOthers])
	delta := record.Delta{Touched: activityIDs(answers[windowMine:])}
	if all || from.Relist || answers[countParts].Total != from.Parts || answers[countOwned].Total != from.Owned || len(mine) > 0 {
		if err := s.scanChanged(ctx, mine, &next, &delta); err != nil {
			return record.Delta{}, err
		}
	}
	if all {
		delta.Touched, next.Thorough = creatio.Unique(slices.Concat(delta.Touched, delta.Members)), next.Watermark
	}
	if all {
		// The user may have another zone since, or the site another default.
		if err := s.readDirectory(ctx); err != nil {
			return record.Delta{}, err
		}
	}
	err = s.end(&delta, next)
	return delta, err
}

// end completes a window: with where the next one starts and what is known of the site besides, and with what the user is told of
// that.
func (s *Side) end(delta *record.Delta, c cursor) (err error) {
	c.NoLocation = s.hasNoLocation()
	if people := s.directory(); people != nil {
		code, unknown := people.zoneOf(s.o.User.ContactID), people.unknownZone(s.o.User.ContactID)
		if unknown != "" && unknown != s.toldZone {
			delta.Notices = append(delta.Notices, record.Notice{Note: unknownZone(unknown, code)})
		}
		c.Zone, c.UnknownZone = &code, unknown
	}
	delta.Cursor, err = json.Marshal(c)
	return err
}

// unknownZone says that nobody knows a user's time zone, and which one counts in its place: the site's, else that of the calendar.
func unknownZone(code, site string) record.Note {
	instead := "that of your Google calendar"
	if site != "" {
		instead = "the site's own, “" + site + "”,"
	}
	return record.Note{
		Code:    "unknown-zone",
		Message: "Tandem does not know the time zone that Creatio has for you, “" + code + "”. In its place " + instead + " counts as yours: days begin in it, and new events are made in it.",
		Action:  "Choose another time zone in Creatio, or leave it.",
	}
}

// The answers to a window's queries.
const (
	countParts = iota
	countOwned
	windowMine
	windowOwned
	windowOthers
)

// window asks for everything that tells of a change: the numbers of the user's rows and activities, those that changed, and
// rows of other participants that did. The latter do not move their activity's time of change when they answer.
func (s *Side) window(since time.Time) []odata.Query {
	after := odata.DateTime(since)
	changed := odata.Ge("ModifiedOn", after)
	rows := []string{"Id", "ActivityId"}
	return []odata.Query{
		countParts: counted(s.listParts()),
		countOwned: counted(s.listOwned()),
		windowMine: {Set: "ActivityParticipant", Select: rows, Filter: odata.And(
			s.takesPart(), s.inRange("Activity/"), odata.Or(changed, odata.Ge("Activity/ModifiedOn", after)))},
		windowOwned:  {Set: "Activity", Select: []string{"Id"}, Filter: odata.And(s.owned(), s.inRange(""), changed)},
		windowOthers: {Set: "ActivityParticipant", Select: rows, Filter: odata.And(s.inScope("Activity/"), changed)},
	}
}

// counted asks for the number of rows that a query would read.
func counted(q odata.Query) odata.Query {
	q.Select, q.Top, q.Count = []string{"Id"}, 1, true
	return q
}

// listParts and listOwned list who is in scope: together they are the members.
func (s *Side) listParts() odata.Query {
	return odata.Query{Set: "ActivityParticipant", Select: []string{"Id", "ActivityId"}, Filter: odata.And(s.takesPart(), s.inScope("Activity/"))}
}

func (s *Side) listOwned() odata.Query {
	return odata.Query{Set: "Activity", Select: []string{"Id"}, Filter: odata.And(s.owned(), s.inScope(""))}
}

func (s *Side) takesPart() odata.Filter {
	return odata.Eq("Participant/Id", odata.Guid(s.o.User.ContactID))
}
func (s *Side) owned() odata.Filter { return odata.Eq("Owner/Id", odata.Guid(s.o.User.ContactID)) }

// inRange filters by the end of an activity, which a path leads to.
func (s *Side) inRange(path string) odata.Filter {
	return odata.Ge(path+"DueDate", odata.DateTime(s.o.From))
}

// inScope filters activities, which a path leads to, that are in scope for those who take part.
func (s *Side) inScope(path string) odata.Filter {
	return odata.And(
		s.inRange(path), odata.Eq(path+"ShowInScheduler", odata.Bool(true)),
		odata.Ne(path+"Type/Id", odata.Guid(typeEmail)), odata.Ne(path+"Status/Id", odata.Guid(statusCanceled)),
	)
}

// activityIDs are the activities that rows of a list speak of.
func activityIDs(answers []creatio.Answer) []string {
	var ids []string
	for _, a := range answers {
		for _, r := range a.Rows {
			column := "ActivityId"
			if !r.Has(column) {
				column = "Id"
			}
			ids = append(ids, r.Lookup(column))
		}
	}
	return creatio.NormalIDs(ids)
}

// scanChanged lists the members, and reads the user's activities that changed in the same request.
func (s *Side) scanChanged(ctx context.Context, mine []string, next *cursor, delta *record.Delta) error {
	lists := []odata.Query{s.listParts(), s.listOwned()}
	for chunk := range slices.Chunk(mine, tiedTogether) {
		found, err := s.readTied(ctx, chunk, lists)
		if err != nil {
			return err
		}
		if len(lists) > 0 {
			s.listMembers(found.more, next, delta)
			lists = nil
		}
		s.deliver(found, delta)
	}
	if len(lists) == 0 {
		return nil
	}
	listed, err := s.site.ReadAll(ctx, lists)
	if err == nil {
		s.listMembers(listed, next, delta)
	}
	return err
}

// dayEnd is by how much the ends of an activity that lasts whole days differ from one time zone to another.
const dayEnd = 26 * time.Hour

// listMembers gives a delta the members as they were listed. What an activity's event says of its end may be off by a day's
// length in another zone, so that nothing is missing that ends right where the range begins.
func (s *Side) listMembers(listed []creatio.Answer, next *cursor, delta *record.Delta) {
	delta.Members = activityIDs(listed)
	if delta.Members == nil {
		// No members are not the same as not knowing them.
		delta.Members = []string{}
	}
	delta.Extents = []record.Extent{{From: s.o.From.Add(dayEnd)}}
	next.Parts, next.Owned = len(listed[0].Rows), len(listed[1].Rows)
}

// deliver gives a delta activities with their content. What is not in the list of members is for the engine to look at where
// it knows it.
func (s *Side) deliver(found tied, delta *record.Delta) {
	for _, a := range found.activities {
		r := s.record(a)
		r.Ties = found.ties[a.id]
		if _, in := slices.BinarySearch(delta.Members, a.id); in || !r.Member {
			delta.Records = append(delta.Records, record.Pack(r))
		}
	}
}

// scanAll reads every activity in scope with its content.
func (s *Side) scanAll(ctx context.Context, start time.Time) (record.Delta, error) {
	listed, err := s.site.ReadAll(ctx, []odata.Query{s.listParts(), s.listOwned()})
	if err != nil {
		return record.Delta{}, err
	}
	mark := s.site.Watermark(start)
	next := cursor{Watermark: mark, Contact: s.o.User.ContactID, From: s.o.From, Thorough: mark, Reads: reads}
	var delta record.Delta
	s.listMembers(listed, &next, &delta)
	for chunk := range slices.Chunk(delta.Members, tiedTogether) {
		found, err := s.readTied(ctx, chunk, nil)
		if err != nil {
			return record.Delta{}, err
		}
		s.deliver(found, &delta)
	}
	s.mu.Lock()
	s.readAll = true
	s.mu.Unlock()
	if err := s.readDirectory(ctx); err != nil {
		return record.Delta{}, err
	}
	err = s.end(&delta, next)
	return delta, err
}

// Fetch reads activities by id, those in scope and others.
func (s *Side) Fetch(ctx context.Context, ids []string) ([]record.Record, error) {
	ids = creatio.NormalIDs(ids)
	there := map[string]bool{}
	records := make([]record.Record, 0, len(ids))
	for chunk := range slices.Chunk(ids, readTogether) {
		found, _, err := s.readActivities(ctx, chunk, nil, 0)
		if err != nil {
			return nil, err
		}
		for _, a := range found {
			there[a.id] = true
			records = append(records, s.record(a))
		}
	}
	for _, id := range ids {
		if !there[id] {
			records = append(records, record.Record{ID: id, Gone: true})
		}
	}
	return records, nil
}

// member reports whether an activity is in scope, whenever it is: it shows in the calendar of somebody who takes part, is no
// e-mail and not cancelled.
func (s *Side) member(d state) bool {
	return s.takesPlace(d) && (d.Owner == s.o.User.ContactID || d.hasPart(s.o.User.ContactID))
}

// takesPlace reports whether an activity shows in the calendars of those who take part.
func (s *Side) takesPlace(d state) bool { return !d.Hidden && d.Status != statusCanceled }
