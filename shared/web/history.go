package web

import (
	"net/http"
	"net/url"
	"strings"
	"time"

	"github.com/tandem-sync/tandem/shared/record"
	"github.com/tandem-sync/tandem/shared/store"
)

const (
	// chartRuns are how many runs the chart looks at, chartDays for how many days it has a bar at most.
	chartRuns = 100
	chartDays = 14
)

// historyView is the list of runs.
type historyView struct {
	Runs []runRow
	// Filters select a type.
	Filters []filter
	Type    record.Type
	// Older is the address of what comes before; empty where nothing does. Later says that this is not the first page.
	Older string
	Later bool
	// Days is for how many days runs are kept, and UnlinkedDays for how many after an account was disconnected; 0 where they are for
	// ever.
	Days, UnlinkedDays int
	Chart              chart
}

// runRow is one run of the list.
type runRow struct {
	store.Run
	// Sums say what the run did, or would do. What waits is counted on its own page.
	Sums            []sum
	Problems, Notes int
}

func (s *Site) history(w http.ResponseWriter, r *http.Request, v visit) error {
	if name := strings.TrimSpace(r.URL.Query().Get("q")); name != "" {
		return s.search(w, r, v, name)
	}
	a, err := s.service.Account(r.Context(), v.user)
	if err != nil {
		return err
	}
	before, t := r.URL.Query().Get("before"), record.Type(r.URL.Query().Get("type"))
	if t != record.Contacts && t != record.Activities {
		t = ""
	}
	limit := runsOnPage + 1
	if before == "" {
		limit = chartRuns
	}
	runs, err := s.service.Runs(r.Context(), v.user, t, limit, before)
	if err != nil {
		return err
	}
	l := localeOf(r).in(a.Zone)
	view := historyView{Type: t, Later: before != "", Days: daysOf(s.kept), UnlinkedDays: daysOf(s.unlinked)}
	if before == "" {
		view.Chart = l.chartOf(runs, len(runs) == limit, s.now())
	}
	view.Filters = []filter{
		{Label: l.say("all"), Link: s.link("/runs"), On: t == ""},
		{Label: l.typeWords(record.Contacts), Link: s.link("/runs?type=contacts"), On: t == record.Contacts},
		{Label: l.typeWords(record.Activities), Link: s.link("/runs?type=activities"), On: t == record.Activities},
	}
	for i, run := range runs {
		if i == runsOnPage {
			older := url.Values{"before": {runs[i-1].ID}}
			if t != "" {
				older.Set("type", string(t))
			}
			view.Older = s.link("/runs?") + older.Encode()
			break
		}
		row := runRow{Run: run, Sums: l.sumsOf(run, nil)}
		row.Problems, row.Notes = countProblems(run)
		view.Runs = append(view.Runs, row)
	}
	p := s.accountPage(l, l.say("history"), "runs", a)
	p.Main = view
	return s.render(w, http.StatusOK, "runs.html", p)
}

// searchView is what a search found.
type searchView struct {
	Name  string
	Found []foundRun
	// Older is the address of what was done before; Back says how far back this stretch goes.
	Older string
	Back  time.Time
}

// foundRun is one run with the records that were looked for.
type foundRun struct {
	runView
}

// search shows what happened to whoever has a text in the name.
func (s *Site) search(w http.ResponseWriter, r *http.Request, v visit, name string) error {
	a, err := s.service.Account(r.Context(), v.user)
	if err != nil {
		return err
	}
	found, err := s.service.Search(r.Context(), v.user, name, r.URL.Query().Get("before"))
	if err != nil {
		return err
	}
	l := localeOf(r).in(a.Zone)
	view := searchView{Name: name, Back: found.Back}
	if found.Before != "" {
		view.Older = s.link("/runs?") + url.Values{"q": {name}, "before": {found.Before}}.Encode()
	}
	for _, run := range found.Runs {
		waiting, made := parted(run)
		one := runView{Run: run, Waits: l.cardsOf(run, waiting), Made: l.cardsOf(run, made)}
		one.Problems, one.Notes = l.problemsOf(run)
		one.Undo.Records = run.Undoable()
		if err := s.mark(r.Context(), v, a, &one); err != nil {
			return err
		}
		view.Found = append(view.Found, foundRun{one})
	}
	p := s.accountPage(l, l.say("search.page", "name", name), "runs", a)
	p.Main = view
	return s.render(w, http.StatusOK, "search.html", p)
}

// chart is how many changes there were a day, the oldest first.
type chart struct {
	Bars []bar
	// Label says the same in words. Width is that of the drawing.
	Label string
	Width int
}

// bar is one day. X, Y and Height are where it stands in a drawing that is chartHeight high.
type bar struct {
	Day          string
	Changes      int
	X, Y, Height int
}

const (
	chartHeight = 60
	barStep     = 20
)

// chartOf counts the changes of runs by day, as the days are in the time zone of the page. Where there are more runs than these, the day of the oldest is left out: it may have
// more of them.
func (l locale) chartOf(runs []store.Run, more bool, now time.Time) chart {
	day := func(t time.Time) time.Time {
		y, m, d := t.In(l.zone).Date()
		return time.Date(y, m, d, 0, 0, 0, 0, time.UTC)
	}
	counts, most, oldest := map[time.Time]int{}, 0, day(now)
	for _, r := range runs {
		if r.StartedAt.IsZero() || r.Status == "preview" {
			continue
		}
		d := day(r.StartedAt)
		if counts[d] += touched(r.Counts.Creatio) + touched(r.Counts.Google); counts[d] > most {
			most = counts[d]
		}
		if d.Before(oldest) {
			oldest = d
		}
	}
	if most == 0 {
		return chart{}
	}
	from := day(now).AddDate(0, 0, 1-chartDays)
	if more && !oldest.Before(from) {
		from = oldest.AddDate(0, 0, 1)
	}
	var c chart
	var words []string
	for d := from; !d.After(day(now)); d = d.AddDate(0, 0, 1) {
		n := counts[d]
		h := n * (chartHeight - 2) / most
		if n > 0 {
			h = max(h, 2)
		}
		c.Bars = append(c.Bars, bar{l.date("date.year-less", d), n, len(c.Bars) * barStep, chartHeight - h, h})
		if n > 0 {
			words = append(words, l.date("date.year-less", d)+": "+l.number(n))
		}
	}
	if words == nil {
		return chart{}
	}
	c.Width, c.Label = len(c.Bars)*barStep, l.say("runs.chart.label", "days", strings.Join(words, ", "))
	return c
}
