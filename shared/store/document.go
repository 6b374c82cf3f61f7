package store

import (
	"cmp"
	"encoding/json"
	"slices"
	"strings"
	"time"

	"github.com/tandem-sync/tandem/shared/record"
)

// Profile is who the user is.
type Profile struct {
	ID        string         `json:"id"`
	CreatedAt time.Time      `json:"createdAt"`
	Google    GoogleAccount  `json:"google"`
	Creatio   CreatioAccount `json:"creatio"`
	// Paused is since when an administrator has the user's synchronization rest; zero for nobody's.
	Paused time.Time `json:"paused,omitzero"`
	// Session is a random text that every session of the user names. Another one ends them all; none ever comes again.
	Session string `json:"session,omitempty"`
	// UnlinkedAt is since when an account is unlinked that was linked before; zero while both are, and once what was kept for the
	// case that it is linked again has been forgotten.
	UnlinkedAt time.Time `json:"unlinkedAt,omitzero"`
	// Erasing is since when everything of the user is being removed, which may take several transactions; zero for everybody else.
	Erasing time.Time `json:"erasing,omitzero"`
}

// Seat is one user's at a time. Creatio lets each user be linked as themselves; where one technical user acts for all,
// nothing else keeps two users of Tandem from being linked as the same one.
type Seat struct {
	User string `json:"user"`
}

// GoogleAccount is the user's Google account. Subject stays when it is unlinked: links hang on it.
type GoogleAccount struct {
	Subject string `json:"subject,omitempty"`
	Email   string `json:"email,omitempty"`
	// HostedDomain is the Google Workspace that the account belongs to, as the ID token of the latest sign-in said; empty
	// for a private account, and for whoever has not signed in since it is kept.
	HostedDomain string `json:"hd,omitempty"`
	// HostedDomainKnown says that HostedDomain is what an ID token said, and not what former versions did not keep.
	HostedDomainKnown bool `json:"hdKnown,omitempty"`
	// Barred says since when the account may not use Tandem any more, and when that was found last; nil if it may.
	Barred *Barred `json:"barred,omitempty"`
	Name   string  `json:"name,omitempty"`
	Linked bool    `json:"linked"`
	// Scopes are the short names of what was granted: "contacts", "calendar".
	Scopes    []string `json:"scopes,omitempty"`
	Reconnect bool     `json:"reconnect"`
}

// Barred is a time in which an account may not use Tandem.
type Barred struct {
	Since time.Time `json:"since"`
	Seen  time.Time `json:"seen"`
}

// CreatioAccount is the user's Creatio account.
type CreatioAccount struct {
	URL       string `json:"url,omitempty"`
	UserID    string `json:"userId,omitempty"`
	User      string `json:"user,omitempty"`
	ContactID string `json:"contactId,omitempty"`
	TimeZone  string `json:"timeZone,omitempty"`
	// Culture is the language and the country that the user chose, as "en-US".
	Culture string `json:"culture,omitempty"`
	// CultureKnown says that Culture is what the site said, and not what former versions did not ask for.
	CultureKnown bool `json:"cultureKnown,omitempty"`
	Linked       bool `json:"linked"`
	Reconnect    bool `json:"reconnect"`
}

// Token is one side's credentials, sealed with the user's id as associated data.
type Token struct {
	Sealed []byte `json:"sealed"`
	// Version changes with every write, so that a refresh can tell whether another one was faster.
	Version string `json:"version"`
	// Revoke is when revoking at the service may be tried last; zero for a token in use.
	Revoke time.Time `json:"revoke,omitzero"`
}

// SharedSecret is bytes that everybody who uses the database shares.
type SharedSecret struct {
	Data []byte `json:"data"`
}

// UsedState says that the state of a linking was used. It may go once it has expired.
type UsedState struct {
	Expires time.Time `json:"expires"`
	// By is random, so that a request that is repeated tells itself from another one. Not every backend needs it.
	By string `json:"by,omitempty"`
}

// Settings of one sync type. Fields that a type does not have stay empty.
type Settings struct {
	Automatic       bool   `json:"automatic"`
	IntervalMinutes int    `json:"intervalMinutes"`
	TagID           string `json:"tagId,omitempty"`
	// TagKind is "classic" or "freedom", found when the tag was chosen.
	TagKind       string `json:"tagKind,omitempty"`
	Direction     string `json:"direction"`
	Conflicts     string `json:"conflicts"`
	SyncFrom      string `json:"syncFrom,omitempty"`
	Deletions     string `json:"deletions,omitempty"`
	PrivateEvents string `json:"privateEvents,omitempty"`
	MonthsAhead   int    `json:"monthsAhead,omitempty"`
	Guests        string `json:"guests,omitempty"`
}

// DefaultSettings of a sync type.
func DefaultSettings(t record.Type) Settings {
	s := Settings{IntervalMinutes: 60, Direction: "both", Conflicts: "latest"}
	if t == record.Activities {
		s.Deletions, s.PrivateEvents, s.MonthsAhead, s.Guests = "cancel", "busy", 3, "colleagues"
	}
	return s
}

// Completed are settings that a former version stored, with the defaults of what it did not know.
func (s Settings) Completed(t record.Type) Settings {
	if t == record.Activities {
		defaults := DefaultSettings(t)
		s.MonthsAhead, s.Guests = cmp.Or(s.MonthsAhead, defaults.MonthsAhead), cmp.Or(s.Guests, defaults.Guests)
	}
	return s
}

// Sync is everything about one sync type of a user.
type Sync struct {
	Type     record.Type `json:"type"`
	Settings Settings    `json:"settings"`

	// Status is one of never, ok, running, partial, held, reconnect, failing, off.
	Status   string    `json:"status"`
	LastSync time.Time `json:"lastSync,omitzero"`
	// Due is when the next automatic sync is due; zero where none is. The due index is over it.
	Due time.Time `json:"due,omitzero"`
	// HeldRun is the run whose list waits for the user's decision. HeldDigest stands for that list; empty once the user decided.
	HeldRun    string `json:"heldRun,omitempty"`
	HeldDigest string `json:"heldDigest,omitempty"`
	// Losses are those of the last day, for the guard.
	Losses Losses `json:"losses,omitzero"`
	// Failing counts runs since the last one that did its work.
	Failing int      `json:"failing"`
	Problem *Problem `json:"problem,omitempty"`
	// FailingSince is since when runs have failed for the cause of Problem; zero where the last one did its work.
	FailingSince time.Time `json:"failingSince,omitzero"`

	// Cursors are where the next window of each side starts; opaque, owned by the side's adapter.
	Cursors map[record.Side]json.RawMessage `json:"cursors,omitempty"`
	// Direction is the direction of the settings under which the cursors came about. What changed meanwhile on a side from
	// which nothing was to go is behind them, and not carried.
	Direction string `json:"direction,omitempty"`
	// Scopes are what the cursors and the links' membership belong to: the tag's id in Creatio, the group's
	// resource name in Google. A side whose scope is another one starts anew.
	Scopes map[record.Side]string `json:"scopes,omitempty"`
	// MemberDigests are digests of the ids in scope on each side when the last run that did its work ended. The ids themselves
	// are kept apart, as MemberSet.
	MemberDigests map[record.Side]string `json:"rosters,omitempty"`
	// Rates are what is left of each side's requests.
	Rates map[record.Side]Rate `json:"rates,omitempty"`
	// LastFinished is when that run ended. Links that were written later are those of runs that were cut off.
	LastFinished time.Time `json:"settled,omitzero"`
	// Interrupted says that since then a run was cut off that may have written: it died, or its time was over.
	Interrupted bool `json:"interrupted,omitempty"`
	// Continued is a run that was promised to the user and whose time was over before its work: it is to go on.
	Continued string `json:"continued,omitempty"`
	// Asked is the run that the user asked for last.
	Asked string `json:"asked,omitempty"`
	// Pairs counts the pairs that are kept beside the links. Verdicts are what the user said of pairs and no run has followed
	// yet; DoubtsAt is when the open doubts are to be looked at again.
	Pairs    PairCounts `json:"pairs,omitzero"`
	Verdicts []Verdict  `json:"verdicts,omitempty"`
	DoubtsAt time.Time  `json:"doubtsAt,omitzero"`
	// Members counts the active links, Split those that an undo split.
	Members int `json:"members"`
	Split   int `json:"split,omitempty"`
	// Idle is the stretch of idle runs that the latest run belongs to; zero where that had something to do.
	Idle Idle `json:"idle,omitzero"`
	// Push is the channel by which a service tells of changes.
	Push Push `json:"push,omitzero"`

	// Notices are what somebody was told of.
	Notices Notices `json:"notices,omitzero"`

	Lease Lease `json:"lease"`
}

// Notices remembers what people were told, so that they are told once a cause and day.
type Notices struct {
	// FailingSince is when the first of the latest failures in a row was seen; zero where the latest run did its work.
	FailingSince time.Time `json:"failingSince,omitzero"`
	// Sent is when somebody was told last, by the cause.
	Sent map[string]time.Time `json:"sent,omitempty"`
}

// Idle is what the next idle run of a stretch needs to know of its run, so that it need not read it.
type Idle struct {
	Run       string    `json:"run,omitempty"`
	StartedAt time.Time `json:"startedAt,omitzero"`
	Repeats   int       `json:"repeats,omitempty"`
}

// Losses counts the records that lost something within the last day and of which nobody approved that, by the side that it
// came from and by the hour.
type Losses struct {
	// At is when the last run began whose losses are counted here.
	At    time.Time                   `json:"at,omitzero"`
	Sides map[record.Side][]HourCount `json:"sides,omitempty"`
}

// HourCount is a number of the hour that begins at Hour.
type HourCount struct {
	Hour  time.Time `json:"hour"`
	Count int       `json:"count"`
	// Series stand for the series that are among what is counted.
	Series []string `json:"series,omitempty"`
}

// Rate is a token bucket as a run left it, so that the next one, wherever it is made, goes on with what is in it.
type Rate struct {
	// Tokens are the requests that could be made at once at At.
	Tokens float64   `json:"tokens"`
	At     time.Time `json:"at,omitzero"`
	// Until is how long the service asked to be left alone.
	Until time.Time `json:"until,omitzero"`
}

// Lease is the right to sync one user's one type.
type Lease struct {
	Owner   string    `json:"owner,omitempty"`
	Fence   int64     `json:"fence"`
	Expires time.Time `json:"expires,omitzero"`
	// After is the owner before, where that one let the lease expire: a run that was cut off.
	After string `json:"after,omitempty"`
}

// Link is the lasting tie between a Creatio record and a Google record.
type Link struct {
	ID        string `json:"id"`
	CreatioID string `json:"creatioId,omitempty"`
	GoogleID  string `json:"googleId,omitempty"`
	// Name is what history calls the record.
	Name string `json:"name,omitempty"`
	// Active says that both records are in scope; a detached link is kept so that coming back duplicates nothing.
	Active bool `json:"active"`
	// SplitSide is the side on which an undo took the record out of scope while the other one stayed in it. As long as
	// both stay like that, the link is not active and nothing follows from it.
	SplitSide record.Side `json:"parted,omitempty"`
	// Pending is the side on which a creation was begun and not yet confirmed; empty otherwise.
	Pending record.Side `json:"pending,omitempty"`
	// Base is the content both had when they last agreed.
	Base record.Fields `json:"base,omitempty"`
	// Sides is what is known of each record.
	Sides map[record.Side]LinkSide `json:"sides,omitempty"`
	// Intent is what a run was about to write and had not recorded yet; nil where there is none.
	Intent *record.Intent `json:"intent,omitempty"`
	// RevisitAt is when the link is to be looked at again, because a read of one of its records decided nothing yet; zero
	// where nothing is open.
	RevisitAt time.Time `json:"revisitAt,omitzero"`
	// Parent is the series of the records; empty where they belong to none. End is when they end; zero where they have no time.
	Parent string    `json:"parent,omitempty"`
	End    time.Time `json:"end,omitzero"`
	// Shared is what all users' copies of the Google record have in common; empty where nobody else can have one. Carries says
	// that the others follow this user's copy.
	Shared  string `json:"shared,omitempty"`
	Carries bool   `json:"carries,omitempty"`
	// Private says that this user's copy is private.
	Private bool `json:"private,omitempty"`
	// Withheld are the fields of which the user changed what may not be written into the copy, and was told so.
	Withheld []string `json:"withheld,omitempty"`
	// Left is the code of what the user was told of a record that is left to another user's account, and that has no copy in this
	// one; empty where there is nothing of that kind. Such a link has no Google record.
	Left string `json:"left,omitempty"`
	// Photo is what is known of the records' photos; nil where neither ever had one.
	Photo *LinkPhoto `json:"photo,omitempty"`
	// Waits are losses that wait for the user's decision, by the side that they come from.
	Waits map[record.Side]Waiting `json:"waits,omitempty"`
	// LostAt is when the link was last counted in Losses, by side.
	LostAt map[record.Side]time.Time `json:"lostAt,omitempty"`
	// LostBefore is when it was counted before that in Losses as the last run left them that came to its end.
	LostBefore map[record.Side]time.Time `json:"lostBefore,omitempty"`
	// Former are single values that were agreed on until not long ago.
	Former []Former `json:"former,omitempty"`
	// UpdatedAt is when the link was last written, but for what only says that it waits or is to be looked at again.
	UpdatedAt time.Time `json:"updatedAt,omitzero"`
	// Failed counts failures in a row to write this record; RetryAt is when it may be tried again.
	Failed  int       `json:"failed,omitempty"`
	RetryAt time.Time `json:"retryAt,omitzero"`
}

// LinkCounts are numbers of a user's links: those in scope, and those that an undo split.
type LinkCounts struct{ Active, Split int }

// Copy is what users may know of each other's links, where each has a copy of one record.
type Copy struct {
	User      string
	CreatioID string
	Shared    string
	// Active says that the record is in scope. Of others only those are told that carried it, where Retained says that the settings kept
	// the record when its copy in the user's account was deleted, Foreign ones, and those where Begun says that a run began to make the
	// record from the copy, and nobody noted that it did.
	Active   bool
	Begun    bool
	Retained bool
	// Carries says that the other copies follow this one, and Since is the first version of it that was seen.
	Carries bool
	Since   time.Time
	// Private says that the copy is private.
	Private bool
	// Foreign says that it is, or was, a copy of an event of somebody else's that no run made.
	Foreign bool
}

// CopyOf is the copy that a user's link tells of; false where it tells of none.
func CopyOf(user string, l Link) (Copy, bool) {
	known := l.Sides[record.Google]
	foreign := slices.Contains(known.Locked, record.Removal) && slices.Contains(known.Locked, record.Withdrawal)
	left := !l.Active && l.SplitSide == record.Google
	begun := !l.Active && l.Pending == record.Creatio
	return Copy{
		User: user, CreatioID: l.CreatioID, Shared: l.Shared, Active: l.Active, Begun: begun, Retained: left, Carries: l.Carries,
		Since: known.Since, Private: l.Private, Foreign: foreign,
	}, l.Shared != "" && (l.Active || begun || l.Carries || foreign && left)
}

// Waiting is a loss that waits for the user's decision.
type Waiting struct {
	// Departure says that the record left the scope; else Fields are the names of the fields that lose values.
	Departure bool     `json:"departure,omitempty"`
	Fields    []string `json:"fields,omitempty"`
	// Digest stands for what would be lost.
	Digest string `json:"digest"`
	// Approved says that the user agreed and that it could not be carried out yet.
	Approved bool `json:"approved,omitempty"`
}

// Former is a value that was agreed on, as a hash, and until when that is remembered.
type Former struct {
	Field string    `json:"field"`
	Hash  string    `json:"hash"`
	Until time.Time `json:"until"`
}

// LinkSide is what is known of one record of a link.
type LinkSide struct {
	// AdapterState is what the adapter keeps to write the record without reading it.
	AdapterState json.RawMessage     `json:"native,omitempty"`
	Projections  []record.Projection `json:"shown,omitempty"`
	Modified     time.Time           `json:"modified,omitzero"`
	// Locked are the names of fields that this user may not write in the record.
	Locked []string `json:"locked,omitempty"`
	// Hidden names what this user may not read in the record, as record.Record does.
	Hidden []string `json:"hidden,omitempty"`
	// Since is the first version of the record that was seen: it has been there since then.
	Since time.Time `json:"since,omitzero"`
	// Diverged says that the record's content is not the base in the side's spelling, or that it is out of scope, as where
	// the settings let changes go one way only: it has to be read to be known.
	Diverged bool `json:"apart,omitempty"`
}

// LinkPhoto is what is known of the photos of a link's records.
type LinkPhoto struct {
	// Agreed is the hash of the photo that both had when they last agreed; empty for none.
	Agreed string                     `json:"agreed,omitempty"`
	Sides  map[record.Side]PhotoState `json:"shown,omitempty"`
	// Failed counts failures in a row to carry the photo; RetryAt is when it may be tried again.
	Failed  int       `json:"failed,omitempty"`
	RetryAt time.Time `json:"retryAt,omitzero"`
}

// PhotoState is how one record shows its photo.
type PhotoState struct {
	// Ref is the side's own reference, and Is the hash of the photo that it stands for; Is is the reference too as long as
	// nobody has looked. As is the hash of what the side makes of the agreed photo, where it does not keep it as it is.
	Ref string `json:"ref,omitempty"`
	Is  string `json:"is,omitempty"`
	As  string `json:"as,omitempty"`
	// Intended is the hash of a photo whose writing was begun and not yet confirmed.
	Intended string `json:"writing,omitempty"`
}

// Unfinished reports whether there is something left to do for the link although neither record changes: a creation
// to confirm, a write to repeat or to find out about, a loss to be decided about, or a record to look at again. Out of scope no photo is carried, so none
// is left to do.
func (l *Link) Unfinished() bool {
	return l.Failing() || l.Intent != nil || len(l.Waits) > 0 || !l.RevisitAt.IsZero()
}

// Failing reports whether something that was to be written is not known to be.
func (l *Link) Failing() bool {
	return l.Pending != "" || l.Failed > 0 || l.Active && l.Photo != nil && l.Photo.Failed > 0
}

// Again is when what is unfinished may be tried again.
func (l *Link) Again() time.Time {
	switch {
	case l.Pending != "" || l.Failed > 0:
		return l.RetryAt
	case l.Intent != nil, len(l.Waits) > 0:
		return time.Time{}
	case !l.RevisitAt.IsZero():
		return l.RevisitAt
	case l.Photo != nil:
		return l.Photo.RetryAt
	default:
		return l.RetryAt
	}
}

// SideID is the link's id on a side.
func (l *Link) SideID(s record.Side) string {
	if s == record.Creatio {
		return l.CreatioID
	}
	return l.GoogleID
}

// SetSideID sets the link's id on a side.
func (l *Link) SetSideID(s record.Side, id string) {
	if s == record.Creatio {
		l.CreatioID = id
	} else {
		l.GoogleID = id
	}
}

// Due is a user whose sync is due, and the place of that in the order in which users are handed out.
type Due struct {
	User string
	At   time.Time
}

// Run is one execution. Its JSON form is part of the API.
type Run struct {
	ID         string      `json:"id"`
	Type       record.Type `json:"type"`
	Trigger    string      `json:"trigger"`
	Status     string      `json:"status"`
	StartedAt  time.Time   `json:"startedAt,omitzero"`
	FinishedAt time.Time   `json:"finishedAt,omitzero"`
	Counts     Counts      `json:"counts"`
	// Repeats is how many runs followed that found nothing to do either: a stretch of idle runs of the schedule is one, whose
	// FinishedAt and Counts are those of the latest.
	Repeats int `json:"repeats,omitempty"`
	// Undoes is what the run puts back; nil for every run but an undo.
	Undoes *Undo `json:"undoes,omitempty"`
	// Undone is the undo of the whole run that was asked for last; empty where none was.
	Undone string `json:"undone,omitempty"`
	// Decides is the held run that the user approved or rejected, for the run that follows from that.
	Decides string `json:"decides,omitempty"`
	// Decided is the run that follows from what the user decided about this held one; noted before that run is stored.
	Decided string `json:"decided,omitempty"`
	// Progress is how far a run is that somebody waits for; nil for one that is not under way.
	Progress *Progress `json:"progress,omitempty"`
	// Closed says that nobody goes on with a run that failed: it was undone.
	Closed   bool      `json:"closed,omitempty"`
	Changes  []Change  `json:"changes,omitempty"`
	Problems []Problem `json:"problems,omitempty"`
}

// Progress is how far a run is. Phase is one of read, compare, write, photos; Done and Total are records, of which Total is zero where
// nobody knows yet how many there are.
type Progress struct {
	Phase string `json:"phase"`
	Done  int    `json:"done"`
	Total int    `json:"total"`
}

// MarkWaiting marks what a held run of a former version lists as waiting. Such a run did nothing at all before the user decided, and
// no change of it said so; a held run of this version lists at least one change that waits.
func (r *Run) MarkWaiting() {
	switch r.Status {
	case "held", "approved", "rejected", "replaced":
		if r.Wrote() && !slices.ContainsFunc(r.Changes, func(c Change) bool { return c.Waits }) {
			for i := range r.Changes {
				r.Changes[i].Waits = true
			}
		}
	}
}

// Expires is when a run may go that is kept for that long; zero for one that has not ended or waits for the user's decision, and
// where all are kept.
func (r Run) Expires(history time.Duration) time.Time {
	if history <= 0 || r.FinishedAt.IsZero() || r.Status == "queued" || r.Status == "running" || r.Status == "held" {
		return time.Time{}
	}
	return r.FinishedAt.Add(history)
}

// Unfinished reports whether a run that was promised still has to be made, or to go on: a failed one is tried again by
// its queue.
func (r Run) Unfinished() bool {
	return r.Status == "queued" || r.Status == "running" || r.Status == "failed" && !r.Closed
}

// Undoable reports whether the run ended and changed what it lists, but for what waits.
func (r Run) Undoable() bool {
	switch r.Status {
	case "done", "partial", "failed", "held", "approved", "rejected", "replaced":
		return r.Trigger != "preview"
	default:
		return false
	}
}

// Wrote reports whether the run lists anything that it did.
func (r Run) Wrote() bool {
	return slices.ContainsFunc(r.Changes, func(c Change) bool { return !c.Waits })
}

// Recorded are the counts of a run as the changes that it lists add up to them. A run that died counted less than it had recorded.
// Requests and failures leave no change, so these are as they were counted.
func (r Run) Recorded() Counts {
	out := Counts{Conflicts: r.Counts.Conflicts, Failed: r.Counts.Failed, Calls: r.Counts.Calls}
	for _, c := range r.Changes {
		switch {
		case c.Waits:
		case c.Action == "match":
			if len(c.Fields) > 0 && c.Fields[0].After != "" {
				out.Matched++
			}
		case c.Side == record.Creatio:
			out.Creatio.Count(record.Action(c.Action))
		default:
			out.Google.Count(record.Action(c.Action))
		}
	}
	return out
}

// Undo names a run to put back, or one record of it: the one of either id, or of both. With Field it is the values of one field of
// that record.
type Undo struct {
	Run       string `json:"run"`
	CreatioID string `json:"creatioId,omitempty"`
	GoogleID  string `json:"googleId,omitempty"`
	Field     string `json:"field,omitempty"`
}

// Whole reports whether the run is to be put back as a whole.
func (u Undo) Whole() bool { return u == (Undo{Run: u.Run}) }

// Covers reports whether a change is of the record that is to be put back. What waits was not done.
func (u Undo) Covers(c Change) bool {
	return !c.Waits && (u.Field == "" || c.Exchanges(u.Field)) && (u.CreatioID == "" || strings.EqualFold(u.CreatioID, c.CreatioID)) && (u.GoogleID == "" || u.GoogleID == c.GoogleID)
}

// Counts sums a run up.
type Counts struct {
	Creatio   SideCounts `json:"creatio"`
	Google    SideCounts `json:"google"`
	Matched   int        `json:"matched"`
	Conflicts int        `json:"conflicts"`
	Failed    int        `json:"failed"`
	Calls     Calls      `json:"calls"`
}

// Minus is what was counted since.
func (c Counts) Minus(earlier Counts) Counts {
	c.Creatio, c.Google = c.Creatio.minus(earlier.Creatio), c.Google.minus(earlier.Google)
	c.Matched -= earlier.Matched
	c.Conflicts -= earlier.Conflicts
	c.Failed -= earlier.Failed
	c.Calls.Creatio -= earlier.Calls.Creatio
	c.Calls.Google -= earlier.Calls.Google
	return c
}

// SideCounts sums up what was done on one side.
type SideCounts struct {
	Created   int `json:"created"`
	Updated   int `json:"updated"`
	Unlinked  int `json:"unlinked"`
	Cancelled int `json:"cancelled"`
	Deleted   int `json:"deleted"`
}

// Count counts an action.
func (c *SideCounts) Count(a record.Action) {
	switch a {
	case record.Create:
		c.Created++
	case record.Update:
		c.Updated++
	case record.Unlink:
		c.Unlinked++
	case record.Cancel:
		c.Cancelled++
	case record.Delete:
		c.Deleted++
	}
}

func (c SideCounts) minus(earlier SideCounts) SideCounts {
	c.Created -= earlier.Created
	c.Updated -= earlier.Updated
	c.Unlinked -= earlier.Unlinked
	c.Cancelled -= earlier.Cancelled
	c.Deleted -= earlier.Deleted
	return c
}

// Calls counts HTTP requests.
type Calls struct {
	Creatio int `json:"creatio"`
	Google  int `json:"google"`
}

// Change is one record that a run touched. Link and First are for an undo, and so are a field's Swaps: with the texts
// alone nothing could be put back.
type Change struct {
	Side      record.Side   `json:"side"`
	Action    string        `json:"action"`
	Record    string        `json:"record"`
	CreatioID string        `json:"creatioId,omitempty"`
	GoogleID  string        `json:"googleId,omitempty"`
	Fields    []FieldChange `json:"fields,omitempty"`
	// Link is the id of the record's link; First says that its records met for the first time.
	Link  string `json:"link,omitempty"`
	First bool   `json:"first,omitempty"`
	// Waits says that the change was not made but waits for the user's decision, and Loss what it would take away.
	Waits bool  `json:"waits,omitempty"`
	Loss  *Loss `json:"loss,omitempty"`
}

// Exchanges reports whether the change put values of a field in the place of others, which can be put back one by one.
func (c Change) Exchanges(field string) bool {
	return slices.ContainsFunc(c.Fields, func(f FieldChange) bool { return f.Field == field && len(f.Swaps) > 0 })
}

// Loss names what a change that waits would take away: from which link, and a digest of what.
type Loss struct {
	Link   string `json:"link"`
	Digest string `json:"digest"`
}

// FieldChange is one value before and after, and the rule that decided.
type FieldChange struct {
	Field  string `json:"field"`
	Before string `json:"before"`
	After  string `json:"after"`
	Rule   string `json:"rule"`
	// Other is what the other side has, where each side keeps its own.
	Other string `json:"other,omitempty"`
	// Ref is the side's own reference to what was there before, where Before is only a word for it: of a photo.
	Ref string `json:"ref,omitempty"`
	// Swaps are the single values that came in the place of others. A creation has none: it is not undone value by value.
	Swaps []record.Swap `json:"swaps,omitempty"`
}

// Problem is something the user should know: what happened, and what to do.
type Problem struct {
	Side      record.Side `json:"side,omitempty"`
	Record    string      `json:"record,omitempty"`
	CreatioID string      `json:"creatioId,omitempty"`
	GoogleID  string      `json:"googleId,omitempty"`
	// Fields tell the record from others of its name.
	Fields  []FieldValue `json:"fields,omitempty"`
	Code    string       `json:"code"`
	Message string       `json:"message"`
	Action  string       `json:"action"`
	// Note says that it only informs: nobody has to do anything. More counts those of the same code that were left out after it.
	Note bool `json:"note,omitempty"`
	More int  `json:"more,omitempty"`
}

// FieldValue is the value of a field, as the history shows it.
type FieldValue struct {
	Field string `json:"field"`
	Value string `json:"value"`
}
