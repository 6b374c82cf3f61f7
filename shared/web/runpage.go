package web

import (
	"cmp"
	"context"
	"errors"
	"net/http"
	"net/url"
	"slices"
	"strconv"

	"github.com/tandem-sync/tandem/shared/record"
	"github.com/tandem-sync/tandem/shared/store"
)

// runView is one run as cards: those that wait, and a piece of the others.
type runView struct {
	store.Run
	Said []notice
	// Sums say side by side what was done, what waits, or what would be done.
	Sums []sum
	// Problems need somebody, Notes inform.
	Problems, Notes []problemGroup
	// Waiting counts the changes that wait; Waits are their cards on this page, Made those of what was done or would be.
	Waiting     int
	Waits, Made []card
	// Done counts the cards of what was done, Matching those that the filter lets through; From and To are the places of Made.
	Done, Matching, From, To int
	Previous, Further        string
	Filters                  []filter
	// Decision are the words for the changes that wait.
	Decision decisionWords
	// Undo says whether there is something to undo, and what became of an undo of the whole run.
	Undo undoState
	// Successor is the run that followed from the user's decision, or took the place of the list; empty where none is known.
	Successor string
}

// sum is what a run did on a side.
type sum struct{ Label, Text string }

// filter is a link to the cards of one kind. On says that they are shown.
type filter struct {
	Label, Link string
	Count       int
	On          bool
}

// undoState is how it stands with the undo of a run as a whole.
type undoState struct {
	// Offered says that there is something to put back, and Records that single records can be put back.
	Offered, Records bool
	// By is the undo that was asked for last; nil where none was. Done says that it put everything back.
	By   *store.Run
	Done bool
}

// problemGroup is problems of one sentence.
type problemGroup struct {
	Message, Action, Side string
	// Count is how many records it is said of. Records are those with a name, and More counts the others.
	Count   int
	Records []problemRecord
	More    int
}

type problemRecord struct {
	Record string
	Fields []store.FieldValue
}

// Live says that the page is worth loading again by itself.
func (v runView) Live() bool { return v.Status == "queued" || v.Status == "running" }

// SplitSides are the sides on which records of the page were split off by an undo.
func (v runView) SplitSides() []record.Side {
	var out []record.Side
	for _, c := range slices.Concat(v.Waits, v.Made) {
		if c.Split != "" && !slices.Contains(out, c.Split) {
			out = append(out, c.Split)
		}
	}
	slices.Sort(out)
	return out
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
	l := localeOf(r).in(a.Zone)
	view, err := s.runView(r.Context(), l, v, a, run, r.URL.Query())
	if err != nil {
		return err
	}
	p := s.accountPage(l, l.runTitle(run), "runs", a)
	p.Main, p.Live = view, view.Live()
	return s.render(w, http.StatusOK, "run.html", p)
}

func (s *Site) runView(ctx context.Context, l locale, v visit, a Account, run store.Run, q url.Values) (runView, error) {
	waiting, made := parted(run)
	view := runView{Run: run, Said: l.said(q), Waiting: len(waiting), Decision: l.decisionOn(run, waiting), Sums: l.sumsOf(run, waiting)}
	view.Problems, view.Notes = l.problemsOf(run)
	view.list(s, l, l.cardsOf(run, waiting), l.cardsOf(run, made), q)
	if err := s.mark(ctx, v, a, &view); err != nil {
		return view, err
	}
	var err error
	view.Undo, err = s.undoState(ctx, v, run)
	return view, err
}

// parted are the changes that wait, and those that were made.
func parted(run store.Run) (waiting, made []store.Change) {
	for _, c := range run.Changes {
		if c.Waits {
			waiting = append(waiting, c)
		} else {
			made = append(made, c)
		}
	}
	return waiting, made
}

// list cuts the cards to what fits a page, beginning with the one whose number, counted from 1, is given. What waits comes first.
func (view *runView) list(s *Site, l locale, waits, made []card, q url.Values) {
	here := s.link("/runs/" + url.PathEscape(view.ID))
	show := q.Get("show")
	if !slices.Contains(kinds, show) {
		show = ""
	}
	view.Done = len(made)
	view.Filters = append(view.Filters, filter{Label: l.say("all"), Link: here, Count: len(waits) + len(made), On: show == ""})
	for _, k := range kinds {
		chosen := func(c card) bool { return !c.is(k) }
		n := len(slices.DeleteFunc(slices.Clone(waits), chosen)) + len(slices.DeleteFunc(slices.Clone(made), chosen))
		if n > 0 {
			view.Filters = append(view.Filters, filter{l.say("kind." + k), here + "?show=" + k, n, show == k})
		}
	}
	if show != "" {
		other := func(c card) bool { return !c.is(show) }
		waits, made = slices.DeleteFunc(waits, other), slices.DeleteFunc(made, other)
	}
	view.Matching = len(made)
	all := slices.Concat(waits, made)
	first, err := strconv.Atoi(q.Get("from"))
	if err != nil || first < 1 || first > len(all) {
		first = 1
	}
	first -= (first - 1) % changesOnPage
	last := min(first+changesOnPage-1, len(all))
	piece := all[first-1 : last]
	view.Waits = piece[:max(0, min(len(waits)-first+1, len(piece)))]
	view.Made = piece[len(view.Waits):]
	view.From, view.To = max(first-len(waits), 1), last-len(waits)
	at := func(n int) string {
		place := url.Values{"from": {strconv.Itoa(n)}}
		if show != "" {
			place.Set("show", show)
		}
		return here + "?" + place.Encode()
	}
	if first > 1 {
		view.Previous = at(first - changesOnPage)
	}
	if last < len(all) {
		view.Further = at(last + 1)
	}
}

// mark gives the cards of the page their addresses, and says which of them an undo split off.
func (s *Site) mark(ctx context.Context, v visit, a Account, view *runView) error {
	var changes []store.Change
	for _, c := range slices.Concat(view.Waits, view.Made) {
		changes = append(changes, c.changes...)
	}
	split, err := s.service.SplitByUndo(ctx, v.user, view.Type, changes)
	if err != nil {
		return err
	}
	for _, list := range [][]card{view.Waits, view.Made} {
		for i := range list {
			list[i].mark(view.Type, a, split)
		}
	}
	return nil
}

// mark gives a card its addresses, and the side on which an undo split it off.
func (c *card) mark(t record.Type, a Account, split map[string]record.Side) {
	c.addresses(t, a)
	for i := range c.Series {
		c.Series[i].mark(t, a, split)
	}
	for _, ch := range c.changes {
		c.Split = cmp.Or(c.Split, split[ch.Link])
	}
}

// undoState finds out whether the run was undone. An undo that was undone itself does not count.
func (s *Site) undoState(ctx context.Context, v visit, run store.Run) (undoState, error) {
	out := undoState{Records: run.Undoable() && run.Wrote(), Offered: run.Undoable() && run.Wrote()}
	by, undone := run.Undone, false
	for depth := 0; by != "" && depth < 50; depth++ {
		undo, err := s.service.Run(ctx, v.user, by)
		if errors.Is(err, store.ErrNotFound) {
			break
		}
		if err != nil {
			return out, err
		}
		if depth == 0 {
			out.By = &undo
		}
		if undo.Status != "done" {
			if depth == 0 {
				out.Offered = out.Offered && !undo.Unfinished()
			}
			break
		}
		undone, by = !undone, undo.Undone
	}
	if undone {
		out.Done, out.Offered, out.Records = true, false, false
	} else if out.By != nil && out.By.Status == "done" {
		out.By = nil
	}
	return out, nil
}

// problemsOf puts together what is said in the same words. What needs somebody stands apart from what informs.
func (l locale) problemsOf(run store.Run) (problems, notes []problemGroup) {
	for _, p := range run.Problems {
		list := &problems
		if p.Note {
			list = &notes
		}
		i := slices.IndexFunc(*list, func(g problemGroup) bool {
			return g.Message == p.Message && g.Action == p.Action && g.Side == sides[p.Side]
		})
		if i < 0 {
			i = len(*list)
			*list = append(*list, problemGroup{Message: p.Message, Action: p.Action, Side: sides[p.Side]})
		}
		g := &(*list)[i]
		g.Count += 1 + p.More
		g.More += p.More
		switch {
		case p.Record != "":
			g.Records = append(g.Records, problemRecord{p.Record, p.Fields})
		case p.CreatioID != "" || p.GoogleID != "":
			g.Records = append(g.Records, problemRecord{l.nameOf(""), p.Fields})
		}
	}
	return problems, notes
}

// countProblems counts what a run says that needs somebody, and what informs.
func countProblems(run store.Run) (problems, notes int) {
	for _, p := range run.Problems {
		if p.Note {
			notes += 1 + p.More
		} else {
			problems += 1 + p.More
		}
	}
	return max(problems, run.Counts.Failed), notes
}

// confirmView asks once more before something is done that touches much.
type confirmView struct {
	Run store.Run
	// Question is the heading, Says what will be done, Button what the button does.
	Question, Button, Action string
	Says                     []string
}

// confirm shows what a decision or an undo would do, in numbers.
func (s *Site) confirm(what string) serve {
	return func(w http.ResponseWriter, r *http.Request, v visit) error {
		a, err := s.service.Account(r.Context(), v.user)
		if err != nil {
			return err
		}
		run, err := s.service.Run(r.Context(), v.user, r.PathValue("run"))
		if err != nil {
			return err
		}
		here := s.link("/runs/" + url.PathEscape(run.ID))
		waiting, made := parted(run)
		l := localeOf(r).in(a.Zone)
		view := confirmView{Run: run, Action: here + "/" + what}
		switch what {
		case "undo":
			undo, err := s.undoState(r.Context(), v, run)
			if err != nil {
				return err
			}
			if !undo.Offered {
				return s.see(w, here)
			}
			view.Question, view.Button, view.Says = l.say("run.undo.ask"), l.say("run.undo"), append([]string{l.undoNumbers(run.Type, made)}, l.undoWords(run.Type)...)
		default:
			if run.Status != "held" {
				return s.see(w, here)
			}
			words := l.decisionOn(run, waiting)
			view.Question, view.Button, view.Says = l.say("decision.ask", "button", words.Approve), words.Approve, []string{l.approveNumbers(run.Type, waiting)}
			if what == "reject" {
				view.Question, view.Button, view.Says = l.say("decision.ask", "button", words.Reject), words.Reject, []string{l.rejectNumbers(run.Type, waiting)}
			}
		}
		p := s.accountPage(l, view.Question, "runs", a)
		p.Main = view
		return s.render(w, http.StatusOK, "confirm.html", p)
	}
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

// undo puts back a run, a record of it, or a value of that, as the button says that was pressed, and shows the run that does it.
func (s *Site) undo(w http.ResponseWriter, r *http.Request, v visit) error {
	if err := parseForm(r); err != nil {
		return err
	}
	f := r.PostForm
	what := store.Undo{Run: r.PathValue("run"), CreatioID: f.Get("creatioId"), GoogleID: f.Get("googleId"), Field: f.Get("field")}
	if what.CreatioID == "" && what.GoogleID == "" {
		what.Field = ""
	}
	run, err := s.service.Undo(r.Context(), v.user, what)
	if err != nil {
		return s.notReady(r, v, s.typeOf(r, v), err)
	}
	return s.see(w, s.link("/runs/"+url.PathEscape(run)))
}

// runPreview has a run do what a preview showed. Where that is something else by now, the page shows what.
func (s *Site) runPreview(w http.ResponseWriter, r *http.Request, v visit) error {
	shown, err := s.service.Run(r.Context(), v.user, r.PathValue("run"))
	if err != nil {
		return err
	}
	run, err := s.service.SyncPreview(r.Context(), v.user, shown.Type, shown.ID)
	if changed, ok := errors.AsType[*ChangedError](err); ok {
		return s.see(w, s.link("/runs/"+url.PathEscape(changed.Run)+"?problem=changed"))
	}
	if err != nil {
		return s.notReady(r, v, shown.Type, err)
	}
	return s.see(w, s.link("/runs/"+url.PathEscape(run)))
}
