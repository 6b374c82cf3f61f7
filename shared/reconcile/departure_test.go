package reconcile

import (
	"cmp"
	"fmt"
	"testing"

	"github.com/tandem-sync/tandem/shared/record"
)

// A meeting is a record of which several users may have copies.
var meetingSchema = record.Schema{
	{Name: "title", Label: "Title", Key: func(e record.Entry) string { return e.Text }},
	{Name: "answer", Label: "Answer", Key: func(e record.Entry) string { return e.Text }},
}

// guests are the locks of a guest's copy, known before it was gone; made says that a run made what it is a copy of.
var (
	made  = []string{record.Removal}
	taken = []string{record.Removal, record.Withdrawal}
)

// meetingPolicy is what becomes of meetings by default.
var meetingPolicy = Policy{
	Direction:  Both,
	Departures: map[record.Side]Departure{record.Google: Cancel, record.Creatio: Delete},
	Decline:    record.Fields{"answer": {{Text: "declined"}}},
}

// told is a decision about a departure in one line.
func told(d Decision) string {
	state := "active"
	switch {
	case d.SplitSide != "":
		state = "split in " + string(d.SplitSide)
	case !d.Active:
		state = "ended"
	}
	out := state
	for _, s := range record.Sides {
		if op := d.Ops[s]; op != nil {
			out += fmt.Sprintf(", %s %s", op.Action, s)
			for _, f := range op.Changed {
				if op.Action == record.Update {
					out += fmt.Sprintf(" %s=%s", f, cmp.Or(op.After.Text(f), "nothing"))
				}
			}
		}
	}
	return out
}

func TestWhat_follows_where_a_copy_is_gone(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		// was are the locks of the event that is gone, locked those of the activity that stays.
		was, locked []string
		direction   Direction
		departure   Departure
		answer      string
		want        string
	}{
		"an organizer's event":                               {want: "ended, cancel creatio"},
		"an organizer's event, to be deleted":                {departure: Delete, want: "ended, delete creatio"},
		"an organizer's event, to be kept":                   {departure: Keep, want: "split in google"},
		"an organizer's event of a meeting with others":      {locked: []string{record.Others}, want: "ended, cancel creatio"},
		"a guest's copy, others take part":                   {was: taken, locked: []string{record.Others}, answer: "accepted", want: "split in google, update creatio answer=declined"},
		"a guest's copy of a run's event, others take part":  {was: made, locked: []string{record.Others}, want: "split in google, update creatio answer=declined"},
		"a guest's copy, already declined":                   {was: taken, locked: []string{record.Others}, answer: "declined", want: "split in google"},
		"a guest's copy, the answer may not be written":      {was: taken, locked: []string{record.Others, "answer"}, answer: "accepted", want: "split in google"},
		"the last one's copy of a person's event":            {was: taken, want: "ended, cancel creatio"},
		"the last one's copy of a run's event":               {was: made, want: "active, create google"},
		"the last one's copy, nothing goes to Google":        {was: made, direction: ToCreatio, want: "ended, cancel creatio"},
		"what the user may not remove in Creatio":            {locked: []string{record.Removal}, want: "split in google"},
		"a guest's copy of what may not be removed, decline": {was: taken, locked: []string{record.Others, record.Removal}, want: "split in google, update creatio answer=declined"},
	} {
		policy := meetingPolicy
		if c.direction != "" {
			policy.Direction = c.direction
		}
		if c.departure != "" {
			policy.Departures = map[record.Side]Departure{record.Google: c.departure, record.Creatio: Delete}
		}
		content := record.Fields{}
		content.SetText("title", "Kickoff")
		content.SetText("answer", c.answer)
		p := Pair{
			Link: "l1", Active: true, Base: content, NewIDs: map[record.Side]string{record.Google: "new"},
			Sides: map[record.Side]Now{
				record.Creatio: {ID: "a1", Member: true, View: View{Fields: content, Locked: c.locked}},
				record.Google:  {ID: "e1", Gone: true, WasLocked: c.was},
			},
		}
		d := Decide(meetingSchema, p, policy)
		if got := told(d); got != c.want {
			t.Errorf("%s: %s, want %s", name, got, c.want)
		}
		if op := d.Ops[record.Creatio]; op != nil && op.Action == record.Update && (op.After.Text("title") != "Kickoff" || d.Rules[record.Creatio] != RuleLeft) {
			t.Errorf("%s: the activity becomes %v by the rule %q", name, op.After, d.Rules[record.Creatio])
		}
	}
}

func TestWhat_follows_where_an_activity_leaves_the_calendar(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		gone, withdrawn bool
		// locked are the locks of the event.
		locked []string
		want   string
	}{
		"deleted, an event of one's own":          {gone: true, want: "ended, delete google"},
		"deleted, a person's event":               {gone: true, locked: []string{record.Withdrawal}, want: "ended, delete google"},
		"deleted, somebody else's event":          {gone: true, locked: []string{record.Removal, record.Withdrawal}, want: "split in creatio"},
		"canceled, an event of one's own":         {want: "ended, delete google"},
		"canceled, somebody else's event":         {locked: []string{record.Removal}, want: "split in creatio"},
		"taken out, an event that a run made":     {withdrawn: true, want: "ended, delete google"},
		"taken out, an event that a person made":  {withdrawn: true, locked: []string{record.Withdrawal}, want: "split in creatio"},
		"taken out, a copy of what a run made":    {withdrawn: true, locked: []string{record.Removal}, want: "split in creatio"},
		"taken out, a copy of what a person made": {withdrawn: true, locked: taken, want: "split in creatio"},
	} {
		content := record.Fields{}
		content.SetText("title", "Kickoff")
		p := Pair{
			Link: "l1", Active: true, Base: content, NewIDs: map[record.Side]string{record.Google: "new"},
			Sides: map[record.Side]Now{
				record.Creatio: {ID: "a1", Gone: c.gone, Withdrawn: c.withdrawn, View: View{Fields: content}},
				record.Google:  {ID: "e1", Member: true, View: View{Fields: content, Locked: c.locked}},
			},
		}
		if got := told(Decide(meetingSchema, p, meetingPolicy)); got != c.want {
			t.Errorf("%s: %s, want %s", name, got, c.want)
		}
	}
}

// Two guests whose copies go at the same moment each take the other one for somebody who takes part, and decline.
func TestWho_declined_last_of_all_calls_the_activity_off(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		was, locked []string
		answer      string
		back        bool
		want        string
	}{
		"nobody takes part any more":         {was: taken, answer: "declined", want: "ended, cancel creatio"},
		"of a run's event":                   {was: made, answer: "declined", want: "ended, cancel creatio"},
		"others take part":                   {was: taken, locked: []string{record.Others}, answer: "declined", want: "split in google"},
		"others may take part again":         {was: taken, locked: []string{record.Absent}, answer: "declined", want: "split in google"},
		"who takes part after all":           {was: taken, answer: "accepted", want: "split in google"},
		"an event of one's own that is kept": {answer: "declined", want: "split in google"},
		"whose copy is there again":          {was: taken, answer: "declined", back: true, want: "active"},
	} {
		content := record.Fields{}
		content.SetText("title", "Kickoff")
		content.SetText("answer", c.answer)
		p := Pair{
			Link: "l1", SplitSide: record.Google, Base: content,
			Sides: map[record.Side]Now{
				record.Creatio: {ID: "a1", Member: true, View: View{Fields: content, Locked: c.locked}},
				record.Google:  {ID: "e1", Gone: !c.back, Member: c.back, WasLocked: c.was, View: View{Fields: content}},
			},
		}
		if got := told(Decide(meetingSchema, p, meetingPolicy)); got != c.want {
			t.Errorf("%s: %s, want %s", name, got, c.want)
		}
	}
}

// Of a private event nothing goes back, so that what somebody writes into its activity is no edit that its deletion would lose.
func TestAn_edit_of_what_the_deleted_record_did_not_take_keeps_nothing(t *testing.T) {
	t.Parallel()
	policy := meetingPolicy
	policy.EditsStay = true
	for name, c := range map[string]struct {
		was  []string
		want string
	}{
		"of an event that takes it":             {want: "active, create google"},
		"of an event that takes nothing":        {was: meetingSchema.Names(), want: "ended, cancel creatio"},
		"of an event that takes the title":      {was: []string{"answer"}, want: "active, create google"},
		"of an event that takes all but titles": {was: []string{"title"}, want: "ended, cancel creatio"},
	} {
		base, edited := record.Fields{}, record.Fields{}
		base.SetText("title", "Kickoff")
		edited.SetText("title", "Start")
		p := Pair{
			Link: "l1", Active: true, Base: base, NewIDs: map[record.Side]string{record.Google: "new"},
			Sides: map[record.Side]Now{
				record.Creatio: {ID: "a1", Member: true, View: View{Fields: edited}},
				record.Google:  {ID: "e1", Gone: true, WasLocked: c.was},
			},
		}
		if got := told(Decide(meetingSchema, p, policy)); got != c.want {
			t.Errorf("%s: %s, want %s", name, got, c.want)
		}
	}
}
