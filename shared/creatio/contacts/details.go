package contacts

import (
	"maps"
	"slices"
	"strings"

	"github.com/tandem-sync/tandem/shared/contact"
	"github.com/tandem-sync/tandem/shared/creatio"
	"github.com/tandem-sync/tandem/shared/odata"
	"github.com/tandem-sync/tandem/shared/record"
)

// wanted is one entry of a set as it was asked for, and as Creatio can hold it.
type wanted struct{ canonical, displayed record.Entry }

// pairing says how the rows of a set come to hold what is wanted.
type pairing struct {
	// keep are the rows that hold what is wanted already, with those that repeat them and do not show.
	keep []row
	// held is what those rows hold.
	held   []wanted
	change []rowFor
	// beside are rows that repeat one that changes and is the same value afterwards.
	beside []row
	insert []wanted
	remove []row
}

type rowFor struct {
	row  row
	want wanted
}

// pair finds for every wanted entry the row that holds it already, or one to hold it: the one with the same value, else
// one of the same kind that is no longer wanted, which so stays the contact's first number if it was. Rows that
// repeat an earlier one's value do not show; they stay and go with it, except that only one of them is changed.
func pair(f record.Field, rows []row, want []wanted) pairing {
	var out pairing
	free, repeats := distinct(f, rows)
	pool := record.NewPool(len(free))
	var rest []wanted
	same := pool.By(func(i int) string { return f.Exact(free[i].entry) })
	for _, w := range want {
		if i, ok := same(f.Exact(w.displayed)); ok {
			out.keep = append(append(out.keep, free[i].row), repeats[free[i].key]...)
			out.held = append(out.held, w)
			continue
		}
		rest = append(rest, w)
	}
	byKey := pool.By(func(i int) string { return free[i].own })
	rest = slices.DeleteFunc(rest, func(w wanted) bool {
		i, ok := byKey(f.Key(w.displayed))
		if ok {
			out.change = append(out.change, rowFor{free[i].row, w})
			for _, r := range repeats[free[i].key] {
				if f.Same(r.entry(), w.displayed) {
					out.remove = append(out.remove, r)
				} else {
					out.beside = append(out.beside, r)
				}
			}
		}
		return ok
	})
	byKind := pool.By(func(i int) string { return "kind " + free[i].entry.Kind })
	out.insert = slices.DeleteFunc(rest, func(w wanted) bool {
		i, ok := byKind("kind " + w.displayed.Kind)
		if ok && !mayHold(free[i].row, w.displayed) {
			// What is hidden of it is a part of the address that was there.
			out.remove = append(append(out.remove, free[i].row), repeats[free[i].key]...)
			return false
		}
		if ok {
			out.change = append(out.change, rowFor{free[i].row, w})
			out.remove = append(out.remove, repeats[free[i].key]...)
		}
		return ok
	})
	for _, i := range pool.Left() {
		out.remove = append(append(out.remove, free[i].row), repeats[free[i].key]...)
	}
	return out
}

// mayHold reports whether a row may come to hold another value: one of which the user may not read all only where the value differs
// from what shows of it in the street, or in everything but the street.
func mayHold(r row, as record.Entry) bool {
	if len(r.Hidden) == 0 {
		return true
	}
	same := func(part string) bool {
		return slices.Contains(r.Hidden, part) || record.Fold(r.Parts[part]) == record.Fold(as.Parts[part])
	}
	return same(contact.Street) || same(contact.Zip) && same(contact.City) && same(contact.Region) && same(contact.Country)
}

// shown is a row that shows, with what it shows, its own key, and that of the value which it is in any form.
type shown struct {
	row      row
	entry    record.Entry
	own, key string
}

// distinct are the rows that show, and those that repeat one of them, by the key of the value.
func distinct(f record.Field, rows []row) (show []shown, repeats map[string][]row) {
	entries := make([]record.Entry, len(rows))
	for i, r := range rows {
		entries[i] = r.entry()
	}
	seen := make(map[string]bool, len(rows))
	repeats = map[string][]row{}
	for i, key := range f.Keys(entries) {
		if own := f.Key(entries[i]); seen[key] || own != key {
			repeats[key] = append(repeats[key], rows[i])
		} else {
			seen[key] = true
			show = append(show, shown{rows[i], entries[i], own, key})
		}
	}
	return show, repeats
}

// communications writes e-mail addresses, phones and web addresses.
func (p *planner) communications(f record.Field) {
	var want []wanted
	seen := map[string]bool{}
	after := p.op.After[f.Name]
	fitting := make([]record.Entry, len(after))
	for i, e := range after {
		fitting[i] = p.communication(f, e)
	}
	for i, key := range f.Keys(fitting) {
		e, as := after[i], fitting[i]
		if as.Text == "" || seen[key] || f.Key(as) != key {
			p.project(f.Name, e, record.Entry{})
			continue
		}
		seen[key] = true
		want = append(want, wanted{e, as})
	}
	have := p.state.rowsOf(f.Name)
	ids := idsOf(have)
	match := pair(f, have, want)
	kept := slices.Concat(match.keep, match.beside)
	for _, r := range match.remove {
		p.deletes = append(p.deletes, creatio.Write{Method: "DELETE", Set: "ContactCommunication", ID: r.ID})
	}
	for _, c := range match.change {
		body := map[string]any{}
		if c.row.Text != c.want.displayed.Text {
			body["Number"] = c.want.displayed.Text
		}
		r := c.row
		r.Text = c.want.displayed.Text
		if f.Name == contact.Phones && r.Kind != c.want.displayed.Kind {
			r.Kind = c.want.displayed.Kind
			body["CommunicationTypeId"] = communicationType(r.Kind)
		}
		kept = append(kept, r)
		p.changes = append(p.changes, creatio.Write{Method: "PATCH", Set: "ContactCommunication", ID: r.ID, Body: body})
	}
	for _, w := range match.insert {
		r := row{Kind: w.displayed.Kind, Text: w.displayed.Text, ID: p.rowID(f.Name, f.Key(w.displayed), ids)}
		switch f.Name {
		case contact.Emails:
			r.Kind = kindEmail
		case contact.Websites:
			r.Kind = kindWeb
		}
		r.Primary = !slices.ContainsFunc(kept, func(o row) bool { return o.Kind == r.Kind })
		kept = append(kept, r)
		p.insertCommunication(r)
	}
	p.setRows(f, kept, want)
}

// communication is an entry as its row can hold it; empty where it cannot.
func (p *planner) communication(f record.Field, e record.Entry) record.Entry {
	as := record.Entry{Text: p.fitWhole(f, e.Text, maxText)}
	if f.Name == contact.Phones {
		if as.Kind = e.Kind; communicationType(e.Kind) == "" || fieldOf(e.Kind) != contact.Phones {
			as.Kind = contact.KindOther
		}
	}
	return as
}

func (p *planner) insertCommunication(r row) {
	p.inserts = append(p.inserts, creatio.Write{Method: "POST", Set: "ContactCommunication", Body: map[string]any{
		"Id": r.ID, "ContactId": p.op.ID, "CommunicationTypeId": communicationType(r.Kind), "Number": r.Text, "Primary": r.Primary,
	}})
}

// setRows notes the rows of a set as they are after the writes, and what they show. Of rows of one value that may be another one than
// the one that was written.
func (p *planner) setRows(f record.Field, rows []row, want []wanted) {
	rows = inOrder(rows)
	p.state.setRows(f.Name, rows)
	entries := make([]record.Entry, 0, len(rows))
	for _, r := range rows {
		entries = append(entries, r.entry())
	}
	p.out.fields[f.Name] = entries
	show, _ := distinct(f, rows)
	exact, keys := make(map[string]bool, len(show)), make(map[string]record.Entry, len(show))
	for _, s := range show {
		exact[f.Exact(s.entry)], keys[s.own] = true, s.entry
	}
	for _, w := range want {
		if e, ok := keys[f.Key(w.displayed)]; ok && !exact[f.Exact(w.displayed)] {
			w.displayed = e
		}
		p.project(f.Name, w.canonical, w.displayed)
	}
}

// skype writes the contact's Skype name: the row of the detail, which the site mirrors in the column.
func (p *planner) skype() {
	want := p.fit(contact.Skype, p.op.After.Text(contact.Skype), maxText)
	rows := p.state.rowsOf(contact.Skype)
	switch {
	case want == "":
		if len(rows) > 0 {
			p.deletes = append(p.deletes, creatio.Write{Method: "DELETE", Set: "ContactCommunication", ID: rows[0].ID})
			rows = rows[1:]
		}
		if len(rows) > 0 {
			// The next one shows, which is not left to the site: versions differ in which row they make the first one.
			want, rows[0].Primary, p.state.Skype = rows[0].Text, true, true
			p.changes = append(p.changes, creatio.Write{Method: "PATCH", Set: "ContactCommunication", ID: rows[0].ID, Body: map[string]any{"Primary": true}})
		} else if p.state.Skype {
			p.columns["Skype"] = ""
			p.state.Skype = false
		}
	case len(rows) > 0:
		rows[0].Text = want
		p.changes = append(p.changes, creatio.Write{Method: "PATCH", Set: "ContactCommunication", ID: rows[0].ID, Body: map[string]any{"Number": want}})
		p.state.Skype = true
	default:
		r := row{ID: p.rowID(contact.Skype, want, nil), Kind: kindSkype, Text: want, Primary: true}
		rows = append(rows, r)
		p.insertCommunication(r)
		p.state.Skype = true
	}
	p.state.setRows(contact.Skype, rows)
	p.set(contact.Skype, want)
}

// addresses writes postal addresses.
func (p *planner) addresses(f record.Field) {
	var want []wanted
	for _, e := range p.op.After[f.Name] {
		as := record.Entry{Kind: e.Kind, Parts: e.Parts}
		if len(as.Parts) == 0 && strings.TrimSpace(e.Text) != "" {
			as.Parts = map[string]string{contact.Street: strings.TrimSpace(e.Text)}
		}
		if addressType(as.Kind) == "" {
			as.Kind = contact.KindOther
		}
		if !f.Empty(as) {
			want = append(want, wanted{e, as})
		}
	}
	have := p.state.rowsOf(f.Name)
	ids := idsOf(have)
	match := pair(f, have, want)
	after := slices.Concat(match.keep, match.beside)
	seen := map[string]bool{}
	for _, r := range match.keep {
		seen[f.Key(r.entry())] = true
	}
	final := match.held
	for _, r := range match.remove {
		if len(r.Hidden) > 0 {
			after = append(after, r)
			p.note(f.Name, "partly-hidden", "Creatio does not let you read all of an address that was removed or replaced in Google, so it stays in Creatio.",
				"Ask an administrator for the right to read it, or have it removed in Creatio.")
			continue
		}
		p.deletes = append(p.deletes, creatio.Write{Method: "DELETE", Set: "ContactAddress", ID: r.ID})
	}
	for _, c := range match.change {
		columns, as := p.place(c.row, c.want.displayed)
		if seen[f.Key(as)] {
			final = append(final, wanted{canonical: c.want.canonical})
			p.deletes = append(p.deletes, creatio.Write{Method: "DELETE", Set: "ContactAddress", ID: c.row.ID})
			continue
		}
		if c.row.Kind != as.Kind {
			columns["AddressTypeId"] = addressType(as.Kind)
		}
		r := row{ID: c.row.ID, Kind: as.Kind, Parts: as.Parts, Primary: c.row.Primary, Hidden: c.row.Hidden}
		after = append(after, r)
		seen[f.Key(as)] = true
		final = append(final, wanted{c.want.canonical, as})
		if len(columns) > 0 {
			p.changes = append(p.changes, creatio.Write{Method: "PATCH", Set: "ContactAddress", ID: r.ID, Body: columns})
		}
	}
	for _, w := range match.insert {
		columns, as := p.place(row{}, w.displayed)
		if seen[f.Key(as)] {
			final = append(final, wanted{canonical: w.canonical})
			continue
		}
		seen[f.Key(as)] = true
		r := row{ID: p.rowID(f.Name, f.Key(as), ids), Kind: as.Kind, Parts: as.Parts, Primary: len(after) == 0}
		after = append(after, r)
		final = append(final, wanted{w.canonical, as})
		maps.Copy(columns, map[string]any{
			"Id": r.ID, "ContactId": p.op.ID, "AddressTypeId": addressType(r.Kind), "Primary": r.Primary,
		})
		p.inserts = append(p.inserts, creatio.Write{Method: "POST", Set: "ContactAddress", Body: columns})
	}
	p.setRows(f, after, final)
}

// place finds country, region and city of an address in the site's lists. What it does not find goes into the
// address's text, so that nothing of it is lost. Only columns that change are named; have is empty for a new row.
func (p *planner) place(have row, want record.Entry) (map[string]any, record.Entry) {
	old := func(part string) string { return strings.TrimSpace(have.Parts[part]) }
	text := func(part string) string { return strings.TrimSpace(want.Parts[part]) }
	got := placeOf(p.names, text(contact.Country), text(contact.Region), text(contact.City))

	columns := map[string]any{}
	shown := map[string]string{}
	var lost []string
	elsewhere := false
	for _, c := range []struct {
		part, column string
		found        creatio.Named
	}{
		{contact.Country, "CountryId", got.country}, {contact.Region, "RegionId", got.region}, {contact.City, "CityId", got.city},
	} {
		switch asked := text(c.part); {
		case slices.Contains(have.Hidden, c.part):
			// The row has one already, that nobody here may read.
		case asked == old(c.part) && !elsewhere:
			shown[c.part] = asked
		case asked != "" && c.found.ID != "":
			shown[c.part] = c.found.Name
			columns[c.column] = c.found.ID
		default:
			lost = append(lost, asked)
			if old(c.part) != "" {
				columns[c.column] = odata.Null
			}
		}
		// A region of another country is another region, whatever its name.
		elsewhere = elsewhere || shown[c.part] != old(c.part)
	}
	slices.Reverse(lost)
	street := append([]string{text(contact.Street)}, lost...)
	street = slices.DeleteFunc(street, func(s string) bool { return s == "" })
	shown[contact.Street] = p.fit(contact.Addresses, strings.Join(street, ", "), maxAddress)
	shown[contact.Zip] = p.fit(contact.Addresses, text(contact.Zip), maxZip)
	for part, column := range map[string]string{contact.Street: "Address", contact.Zip: "Zip"} {
		if shown[part] != old(part) {
			columns[column] = shown[part]
		}
	}
	maps.DeleteFunc(shown, func(_, v string) bool { return v == "" })
	return columns, record.Entry{Kind: want.Kind, Parts: shown}
}
