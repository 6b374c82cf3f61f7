package reconcile

import (
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
		if c, ok := m.splitApart(schema, f.Of, base); ok {
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
	c := composite{winner: record.Creatio, shows: map[record.Side]map[string]string{}}
	now := map[record.Side]wording{}
	was := map[record.Side][]string{}
	changed := map[record.Side]bool{}
	differ := false
	for _, s := range record.Sides {
		now[s] = m.wordingOf(schema, of, s)
		for _, f := range schema {
			if f.Of != of {
				continue
			}
			shown := one(translate(f, m.views[s].Fields[f.Name], base[f.Name], m.views[s].Projections))
			changed[s] = changed[s] || !f.Same(shown.canonical, base.One(f.Name))
			agreed, apart := m.views[s].shownFor(f, base)
			differ = differ || apart
			was[s] = append(was[s], strings.Fields(agreed)...)
		}
	}
	switch {
	case splitApart(now[record.Creatio], now[record.Google]) && (m.first || differ || changed[record.Creatio] && changed[record.Google]):
	case m.first || !differ || changed[record.Creatio] == changed[record.Google] || sameWords(was[record.Creatio], was[record.Google]):
		return composite{}, false
	default:
		c.rule = RuleChanged
		if changed[record.Google] {
			c.winner = record.Google
		}
		other := c.winner.Other()
		if !m.policy.Direction.Takes(other) {
			return composite{}, false
		}
		follows, ok := now[other].followed(was[c.winner], now[c.winner].words())
		if !ok {
			return composite{}, false
		}
		now[other] = wording{parts: follows}
	}
	for s, w := range now {
		c.shows[s] = map[string]string{}
		i := 0
		for _, f := range schema {
			if f.Of == of {
				c.shows[s][f.Name] = strings.Join(w.parts[i], " ")
				i++
			}
		}
	}
	return c, true
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
