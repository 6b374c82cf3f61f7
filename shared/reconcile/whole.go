package reconcile

import (
	"slices"
	"strings"

	"github.com/tandem-sync/tandem/shared/record"
)

// composite is the decision about a value of several parts that goes over in one.
type composite struct {
	winner record.Side
	rule   string
	// shows is what each side shows of each part once it is written, where both word the value differently.
	shows map[record.Side]map[string]string
}

// composites decides about the values of several parts, as a name, that both sides changed so that a word of one stands in
// another part on the other: merged part by part it would be there twice, or nowhere.
func composites(m *merger, schema record.Schema, base record.Fields) map[string]composite {
	out := map[string]composite{}
	for _, f := range schema {
		if _, done := out[f.Of]; f.Of == "" || done {
			continue
		}
		if c, ok := m.inTwoScripts(schema, f.Of, base); ok {
			out[f.Of] = c
		} else if c, ok := m.splitApart(schema, f.Of, base); ok {
			out[f.Of] = c
			if f.Ahead != "" {
				m.beside[f.Ahead] = true
			}
		} else if m.shifted(schema, f.Of, base) {
			winner, rule := m.winner(false, false)
			out[f.Of] = composite{winner: winner, rule: rule}
		}
	}
	return out
}

// splitApart decides about a value that both sides word differently because one has in it what the other one has beside it.
func (m *merger) splitApart(schema record.Schema, of string, base record.Fields) (composite, bool) {
	w := m.wordings(schema, of, base)
	c := composite{winner: record.Creatio}
	switch {
	case splitApart(w.now[record.Creatio], w.now[record.Google]) && (m.first || w.differ || w.changed[record.Creatio] && w.changed[record.Google]):
	case m.first || !w.differ || w.changed[record.Creatio] == w.changed[record.Google] || sameWords(w.was[record.Creatio].words(), w.was[record.Google].words()):
		return composite{}, false
	default:
		c.rule = RuleChanged
		if w.changed[record.Google] {
			c.winner = record.Google
		}
		other := c.winner.Other()
		if !m.policy.Direction.Takes(other) {
			return composite{}, false
		}
		follows, ok := w.now[other].followed(w.was[c.winner].words(), w.now[c.winner].words())
		if !ok {
			return composite{}, false
		}
		w.now[other] = wording{parts: follows}
	}
	c.shows = w.shows(schema, of)
	return c, true
}

// inTwoScripts decides about a value that both sides have in a script of their own. They keep it so until somebody edits one; then
// that one goes over as a whole, so that no first name is in one script and its last name in another.
func (m *merger) inTwoScripts(schema record.Schema, of string, base record.Fields) (composite, bool) {
	w := m.wordings(schema, of, base)
	apart := func(words map[record.Side]wording) bool {
		return slices.ContainsFunc(schema, func(f record.Field) bool {
			return f.Of == of && f.Scripts != nil && f.Scripts(words[record.Creatio].text(), words[record.Google].text())
		})
	}
	creatio, google := w.changed[record.Creatio], w.changed[record.Google]
	c := composite{winner: record.Creatio}
	switch {
	case apart(w.now) && (m.first || !creatio && !google):
		c.shows = w.shows(schema, of)
		return c, true
	case m.first || !creatio && !google || !apart(w.was):
		return composite{}, false
	case creatio && google:
		c.winner, c.rule = m.winner(w.now[record.Creatio].text() == "", w.now[record.Google].text() == "")
	default:
		c.rule = RuleChanged
		if google {
			c.winner = record.Google
		}
		if !m.policy.Direction.Takes(c.winner.Other()) {
			return composite{}, false
		}
	}
	w.now[c.winner.Other()] = w.rewritten(c.winner)
	c.shows = w.shows(schema, of)
	return c, true
}

// wordings are how both sides word a value of several parts, and worded it when it was agreed on.
type wordings struct {
	now, was map[record.Side]wording
	// changed says which side changed it, differ that they agreed to word it in different ways.
	changed map[record.Side]bool
	differ  bool
}

func (m *merger) wordings(schema record.Schema, of string, base record.Fields) wordings {
	w := wordings{now: map[record.Side]wording{}, was: map[record.Side]wording{}, changed: map[record.Side]bool{}}
	for _, s := range record.Sides {
		w.now[s] = m.wordingOf(schema, of, s)
		var was wording
		for _, f := range schema {
			if f.Of != of {
				continue
			}
			shown := one(translate(f, m.views[s].Fields[f.Name], base[f.Name], m.views[s].Projections))
			w.changed[s] = w.changed[s] || !f.Same(shown.canonical, base.One(f.Name))
			agreed, apart := m.views[s].shownFor(f, base)
			w.differ = w.differ || apart
			was.parts = append(was.parts, strings.Fields(agreed))
		}
		w.was[s] = was
	}
	return w
}

// rewritten is the wording of one side as the other one takes it over, which keeps the parts that the first one never had.
func (w wordings) rewritten(by record.Side) wording {
	now, was, own := w.now[by], w.was[by], w.now[by.Other()]
	in, beside := 0, wording{parts: slices.Clone(now.parts)}
	for i, words := range own.parts {
		if len(was.parts[i]) > 0 {
			in += len(words)
		} else if len(now.parts[i]) == 0 {
			beside.parts[i] = words
		}
	}
	if in != len(was.words()) {
		// It has the same words in other parts.
		return now
	}
	return beside
}

// shows are the parts as each side words them.
func (w wordings) shows(schema record.Schema, of string) map[record.Side]map[string]string {
	out := map[record.Side]map[string]string{}
	for s, now := range w.now {
		out[s] = map[string]string{}
		i := 0
		for _, f := range schema {
			if f.Of == of {
				out[s][f.Name] = strings.Join(now.parts[i], " ")
				i++
			}
		}
	}
	return out
}

// shownFor is what the side showed of a part when it was agreed on, and whether it splits the value in its own way.
func (v View) shownFor(f record.Field, base record.Fields) (text string, split bool) {
	for _, p := range v.Projections {
		if p.Field == f.Name && f.Same(p.Canonical, base.One(f.Name)) {
			return p.Displayed.Text, p.Split
		}
	}
	return base.Text(f.Name), false
}

// show takes over what each side shows of a part, and agrees on what Creatio shows.
func (m *merger) show(c composite, now map[record.Side]slot) {
	agreed := record.Entry{Text: c.shows[record.Creatio][m.field.Name]}
	is := map[record.Side]slot{}
	for _, s := range record.Sides {
		displayed := record.Entry{Text: c.shows[s][m.field.Name]}
		is[s] = slot{canonical: agreed}
		if !m.field.Same(displayed, agreed) {
			is[s] = slot{canonical: agreed, displayed: &displayed, split: true}
		}
		if was := now[s]; !m.field.Same(was.display(), displayed) {
			m.decide(s, c.rule, was, is[s])
			if c.rule != RuleChanged && c.rule != RuleEditKept {
				m.out.Conflicts = append(m.out.Conflicts, Conflict{Field: m.field.Name, Winner: c.winner, Lost: []record.Entry{was.display()}})
			}
		}
	}
	m.put(is[record.Creatio], is[record.Creatio], is[record.Google])
}

// shifted reports whether both sides changed a value and have a word of it in different parts.
func (m *merger) shifted(schema record.Schema, of string, base record.Fields) bool {
	parts := map[record.Side]map[string]string{}
	for _, s := range record.Sides {
		changed := false
		parts[s] = map[string]string{}
		for _, f := range schema {
			if f.Of != of {
				continue
			}
			now := one(translate(f, m.views[s].Fields[f.Name], base[f.Name], m.views[s].Projections)).canonical
			changed = changed || !f.Same(now, base.One(f.Name))
			for _, word := range strings.Fields(record.Fold(now.Text)) {
				parts[s][word] += "\x00" + f.Name
			}
		}
		if !changed {
			return false
		}
	}
	for word, here := range parts[record.Creatio] {
		if there, both := parts[record.Google][word]; both && there != here {
			return true
		}
	}
	return false
}
