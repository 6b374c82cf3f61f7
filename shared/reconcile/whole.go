package reconcile

import (
	"strings"

	"github.com/tandem-sync/tandem/shared/record"
)

// composite is the decision about a value of several parts that goes over in one.
type composite struct {
	winner record.Side
	rule   string
}

// composites decides about the values of several parts, as a name, that both sides changed so that a word of one stands in
// another part on the other: merged part by part it would be there twice, or nowhere.
func composites(m *merger, schema record.Schema, base record.Fields) map[string]composite {
	out := map[string]composite{}
	for _, f := range schema {
		if _, done := out[f.Of]; f.Of == "" || done {
			continue
		}
		if m.shifted(schema, f.Of, base) {
			winner, rule := m.winner(false, false)
			out[f.Of] = composite{winner, rule}
		}
	}
	return out
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
