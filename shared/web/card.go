package web

import (
	"encoding/base64"
	"net/url"
	"regexp"
	"slices"
	"strings"

	"github.com/tandem-sync/tandem/shared/activity"
	"github.com/tandem-sync/tandem/shared/contact"
	"github.com/tandem-sync/tandem/shared/record"
	"github.com/tandem-sync/tandem/shared/store"
)

// card is everything that a run did, or would do, to one contact or meeting.
type card struct {
	Record              string
	CreatioID, GoogleID string
	// Happened says what happened, and why.
	Happened []happening
	Lines    []line
	// Split is the side on which an undo took it out of the synchronization since; empty where none did.
	Split record.Side
	// Matched says that two records were found to be one, which the user may deny.
	Matched bool
	// InCreatio and InGoogle are the addresses of the record on each side; empty where it has none.
	InCreatio, InGoogle string
	// Series are the cards of the meetings of one series, for which this one stands; nil for a single record. Inner says that the card
	// is one of these.
	Series []card
	Inner  bool
	// changes are what it is made of.
	changes []store.Change
}

// happening is one thing that happened to a record: a word with its color, and why, where all its values have the same reason.
type happening struct {
	choice
	Why string
}

// line is one field of a card.
type line struct {
	Label, Side string
	// Removed and Added are the values that went and came, Same the entries of a set that stayed.
	Removed, Added, Same []value
	// Kept are the values of both sides, where each keeps its own.
	Kept []keptValue
	// Why is there where the fields of a card have different reasons.
	Why string
	// PutBack is the field whose former value lost a conflict and may be put back alone; empty where nothing of that kind is.
	PutBack string
}

// keptValue is the values that a side keeps; none where it keeps nothing.
type keptValue struct {
	Side   string
	Values []value
}

// Long reports whether the values are many that nobody has to look at, as those of a record that is new.
func (c card) Long() bool {
	return len(c.Lines) > 3 && !slices.ContainsFunc(c.Lines, func(l line) bool { return len(l.Removed) > 0 })
}

// Undoable reports whether there is a record to name in an undo.
func (c card) Undoable() bool { return c.CreatioID != "" || c.GoogleID != "" }

// cardsOf puts together what a run did to the same record, in the order in which that came first.
func (l locale) cardsOf(r store.Run, changes []store.Change) []card {
	var out []card
	place := map[string]int{}
	for _, c := range changes {
		key := c.CreatioID + "\x00" + c.GoogleID
		i, known := place[key]
		if !known || key == "\x00" {
			i = len(out)
			place[key] = i
			out = append(out, card{CreatioID: c.CreatioID, GoogleID: c.GoogleID})
		}
		if out[i].Record == "" {
			out[i].Record = c.Record
		}
		out[i].changes = append(out[i].changes, c)
	}
	for i := range out {
		out[i].tell(l, r)
	}
	if r.Type == record.Activities {
		return l.seriesOf(out)
	}
	return out
}

// instance is the id of a meeting of a series in Google: that of the series, and when the meeting begins by its rule.
var instance = regexp.MustCompile(`^(.+)_\d{8}(T\d{6}Z)?$`)

// seriesOf has one card stand for all meetings of a series.
func (l locale) seriesOf(cards []card) []card {
	var out []card
	place := map[string]int{}
	for _, c := range cards {
		m := instance.FindStringSubmatch(c.GoogleID)
		if m == nil {
			out = append(out, c)
			continue
		}
		i, known := place[m[1]]
		if !known {
			i, place[m[1]] = len(out), len(out)
			out = append(out, card{Record: c.Record})
		}
		c.Inner = true
		out[i].Series = append(out[i].Series, c)
		out[i].changes = append(out[i].changes, c.changes...)
	}
	for i, c := range out {
		switch {
		case len(c.Series) == 1:
			out[i] = c.Series[0]
			out[i].Inner = false
		case c.Series != nil:
			out[i].Happened = l.summed(c.Series)
		}
	}
	return out
}

// summed says once what happened to several records, with how many it happened to.
func (l locale) summed(cards []card) []happening {
	var out []happening
	counts := map[happening]int{}
	for _, c := range cards {
		for _, h := range c.Happened {
			if counts[h]++; counts[h] == 1 {
				out = append(out, h)
			}
		}
	}
	for i, h := range out {
		out[i].Label += " (" + l.number(counts[h]) + ")"
	}
	return out
}

// tell finds the words for what a card is made of.
func (c *card) tell(l locale, r store.Run) {
	first := slices.ContainsFunc(c.changes, isMatch)
	for _, ch := range c.changes {
		planned := ch.Waits || r.Status == "preview"
		c.Matched = c.Matched || isMatch(ch)
		words := l.actionWords(r.Type, ch)
		if planned {
			words = l.waitingWords(r.Type, ch)
		}
		what := happening{choice: choice{actionClass(ch), words}}
		reasons := l.reasonsOf(r.Type, ch, first)
		if len(reasons) == 1 {
			what.Why = reasons[0]
		}
		c.Happened = append(c.Happened, what)
		if ch.Action == "match" {
			for _, f := range ch.Fields {
				if f.Rule == bothKept {
					c.Lines = append(c.Lines, l.keptOf(r.Type, ch.Side, f))
				}
			}
			continue
		}
		for _, f := range ch.Fields {
			one := l.lineOf(r.Type, f)
			one.Side = sides[ch.Side]
			if len(reasons) > 1 {
				one.Why = l.reasonWords(r.Type, ch.Side, f.Rule, first)
			}
			if isConflict(f) && ch.Exchanges(f.Field) {
				one.PutBack = f.Field
			}
			c.Lines = append(c.Lines, one)
		}
	}
}

// reasonsOf are the reasons of a change, each once.
func (l locale) reasonsOf(t record.Type, c store.Change, first bool) []string {
	var out []string
	for _, f := range c.Fields {
		if f.Rule == bothKept {
			// It stands at the values that stay.
			continue
		}
		if why := l.reasonWords(t, c.Side, f.Rule, first); why != "" && !slices.Contains(out, why) {
			out = append(out, why)
		}
	}
	return out
}

// bothKept is the rule by which a match left each side what it had.
const bothKept = "both-kept"

// conflictRules are those by which a value took the place of another one that somebody had chosen too.
var conflictRules = []string{"latest", "creatio-wins", "google-wins", "direction", "locked"}

func isConflict(f store.FieldChange) bool {
	return f.Before != "" && slices.Contains(conflictRules, f.Rule)
}

// keptOf tells what each side keeps of a field, and why.
func (l locale) keptOf(t record.Type, side record.Side, f store.FieldChange) line {
	out := line{Label: l.fieldWords(t, f.Field), Side: sides[side], Why: l.reasonWords(t, side, f.Rule, true)}
	for _, s := range record.Sides {
		text := f.After
		if s != side {
			text = f.Other
		}
		kept := keptValue{Side: sides[s]}
		entries := one(text)
		if isSet(t, f.Field) {
			entries = entriesOf(text)
		}
		for _, e := range entries {
			kept.Values = append(kept.Values, l.valueOf(t, f.Field, e))
		}
		out.Kept = append(out.Kept, kept)
	}
	return out
}

// lineOf tells the values apart that went, came and stayed.
func (l locale) lineOf(t record.Type, f store.FieldChange) line {
	out := line{Label: l.fieldWords(t, f.Field)}
	removed, added := one(f.Before), one(f.After)
	if isSet(t, f.Field) {
		before, after := entriesOf(f.Before), entriesOf(f.After)
		removed, added = without(before, after), without(after, before)
		for _, kept := range without(before, removed) {
			out.Same = append(out.Same, l.valueOf(t, f.Field, kept))
		}
	}
	for _, text := range removed {
		out.Removed = append(out.Removed, l.valueOf(t, f.Field, text))
	}
	for _, text := range added {
		out.Added = append(out.Added, l.valueOf(t, f.Field, text))
	}
	return out
}

func one(text string) []string {
	if text == "" {
		return nil
	}
	return []string{text}
}

func isSet(t record.Type, field string) bool {
	schema := contact.Schema
	if t == record.Activities {
		schema = activity.Schema
	}
	f, ok := schema.Field(field)
	return ok && f.Set
}

// entriesOf takes the entries of a set apart, as the history writes them.
func entriesOf(text string) []string {
	if text == "" {
		return nil
	}
	return strings.Split(text, "; ")
}

func without(list, others []string) []string {
	var out []string
	for _, text := range list {
		if !slices.Contains(others, text) {
			out = append(out, text)
		}
	}
	return out
}

// actionClass is how what happened is colored.
func actionClass(c store.Change) string {
	switch c.Action {
	case "create":
		return "good"
	case "unlink", "cancel", "delete":
		return "warn"
	}
	return "calm"
}

// kinds are what the filters of a run's cards select.
var kinds = []string{"created", "changed", "conflicts", "removed", "matched"}

// is reports whether a card is of a kind of the filter.
func (c card) is(kind string) bool {
	return slices.ContainsFunc(c.changes, func(ch store.Change) bool {
		switch kind {
		case "created":
			return ch.Action == "create"
		case "changed":
			return ch.Action == "update"
		case "conflicts":
			return slices.ContainsFunc(ch.Fields, isConflict)
		case "removed":
			return ch.Action == "unlink" || ch.Action == "cancel" || ch.Action == "delete"
		case "matched":
			return ch.Action == "match"
		}
		return true
	})
}

// addresses finds the pages of the record in Creatio and in Google.
func (c *card) addresses(t record.Type, a Account) {
	page := map[record.Type]string{record.Contacts: "ContactPageV2", record.Activities: "ActivityPageV2"}[t]
	if a.Creatio.URL != "" && c.CreatioID != "" && page != "" {
		c.InCreatio = strings.TrimRight(a.Creatio.URL, "/") + "/0/Nui/ViewModule.aspx#CardModuleV2/" + page + "/edit/" + url.PathEscape(c.CreatioID)
	}
	if c.GoogleID == "" || a.Google.Email == "" {
		return
	}
	as := "?" + url.Values{"authuser": {a.Google.Email}}.Encode()
	if id, person := strings.CutPrefix(c.GoogleID, "people/"); person && t == record.Contacts {
		c.InGoogle = "https://contacts.google.com/person/" + url.PathEscape(id) + as
	}
	if t == record.Activities {
		event := base64.RawURLEncoding.EncodeToString([]byte(c.GoogleID + " " + a.Google.Email))
		c.InGoogle = "https://calendar.google.com/calendar/event" + as + "&eid=" + event
	}
}
