package worldtest

import (
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/tandem-sync/tandem/shared/contact"
	"github.com/tandem-sync/tandem/shared/record"
)

// said is what people wrote of one value: of a field with one value, or of one of many that is known by its token.
type said struct {
	who          *individual
	field, token string
	by           map[record.Side]*saying
	// wants is what the other side has to show once all is quiet, where that is more than the value alone.
	wants map[record.Side]string
	// most is how often people had it at a side at once.
	most map[record.Side]int
	// former are the texts that were there before.
	former []string
}

// saying is what people left there on a side, and before which run. Nothing there means that they took the value away.
type saying struct {
	lines []string
	run   int
	// slight says that the other side sees nothing of it, as of another line of the same value.
	slight bool
}

// sets are the fields with many values.
var sets = []string{contact.Phones, contact.Emails, contact.Websites, contact.Addresses}

// act has somebody edit one contact.
func (b *book) act() {
	side := record.Sides[b.rng.IntN(2)]
	if b.rng.IntN(6) == 0 {
		b.hideOrShow()
		return
	}
	ids := slices.Sorted(maps.Keys(b.is[side]))
	ids = slices.DeleteFunc(ids, func(id string) bool { return !b.together(b.is[side][id]) })
	if len(ids) == 0 {
		return
	}
	id := ids[b.rng.IntN(len(ids))]
	what := ""
	switch b.rng.IntN(3) {
	case 0:
		what = b.single(side, id)
	default:
		what = b.many(side, id, sets[b.rng.IntN(len(sets))])
	}
	if what != "" {
		b.world.write("somebody in %s %s of %v", side, what, b.is[side][id])
	}
}

// together reports whether somebody is on both sides, so that nobody has to find out who they are by what is edited now.
func (b *book) together(one *individual) bool {
	for _, side := range record.Sides {
		if len(b.of(side, one)) != 1 {
			return false
		}
	}
	return true
}

// of are the contacts of somebody.
func (b *book) of(side record.Side, one *individual) (ids []string) {
	for _, id := range slices.Sorted(maps.Keys(b.is[side])) {
		if b.is[side][id] == one {
			ids = append(ids, id)
		}
	}
	return ids
}

// single writes a field with one value, or sets it back to what it was.
func (b *book) single(side record.Side, id string) string {
	p, n := b.page(side, id), b.next()
	field := [...]string{contact.JobTitle, contact.Notes, contact.Company, contact.Department, contact.Salutation, contact.Birthday, contact.GivenName}[b.rng.IntN(7)]
	is := ""
	switch field {
	case contact.JobTitle:
		is = oneLine(b.rng, n)
	case contact.Notes:
		is = lines(b.rng, n)
		if side == record.Google && b.rng.IntN(3) == 0 {
			is = "<p>first</p><ul><li>" + token(n) + " &lt;b&gt;</li></ul>"
		}
	case contact.Company:
		is = companies[b.rng.IntN(len(companies))]
		if side == record.Creatio {
			is = companies[b.rng.IntN(3)]
		} else {
			is = otherwise(b.rng, is)
		}
	case contact.Department:
		is = lists[b.rng.IntN(2)].name
	case contact.Salutation:
		if is = lists[2+b.rng.IntN(2)].name; p.text(contact.GivenName) == "" {
			return ""
		}
	case contact.Birthday:
		is = fmt.Sprintf("19%02d-%02d-%02d", n%100, 1+n%12, 1+n%28)
		if side == record.Google && b.rng.IntN(4) == 0 {
			is = "around 1960 " + token(n)
		}
	case contact.GivenName:
		given, _, _, _, _ := nameParts(b.is[side][id].spellings[b.rng.IntN(len(b.is[side][id].spellings))])
		if is = given; is == "" || p.text(field) == "" {
			return ""
		}
	}
	s := b.saidOf(b.is[side][id], field, "")
	was := p.text(field)
	switch {
	case b.rng.IntN(5) == 0 && len(s.former) > 0 && field != contact.Company:
		is = s.former[b.rng.IntN(len(s.former))]
	case b.rng.IntN(8) == 0 && field != contact.GivenName:
		is = ""
	}
	if is == was {
		return ""
	}
	if side == record.Creatio && (field == contact.JobTitle && record.Length(is) > 250 || strings.HasPrefix(is, "around") || field == contact.Notes && strings.HasPrefix(is, "<p>")) {
		return ""
	}
	s.former = append(s.former, was)
	b.takesBack(was)
	p.write(field, is)
	b.writes(is)
	b.says(side, s, []string{is})
	return fmt.Sprintf("writes the %s %q", field, short(is))
}

// many edits one of many values.
func (b *book) many(side record.Side, id, field string) string {
	p := b.page(side, id)
	all := p.list(field)
	if len(all) == 0 || b.rng.IntN(4) == 0 {
		n := b.next()
		is := b.value(side, field, n)
		b.adds(side, id, field, is, n)
		return fmt.Sprintf("adds the %s %q", field, is)
	}
	l := all[b.rng.IntN(len(all))]
	tok := tokenOf(field, l.text)
	if tok == "" {
		return ""
	}
	is := l
	switch b.rng.IntN(7) {
	case 0:
		p.remove(field, l)
		b.touched(side, id, field, tok)
		b.leftAlone(side, id, field, tok, l)
		return fmt.Sprintf("removes the %s %q", field, l.text)
	case 1:
		is.label = b.label(side, field)
	case 2:
		is.text = b.respells(side, field, l.text)
	case 3:
		is.text = b.value(side, field, b.next())
	case 4:
		// Once more, in another form or under another label.
		is.text, is.label = b.respells(side, field, l.text), b.label(side, field)
		p.add(field, is)
		b.touched(side, id, field, tok)
		b.saidOf(b.is[side][id], field, tok).by[side].slight = true
		return fmt.Sprintf("adds the %s %q (%s) once more as %q (%s)", field, l.text, l.label, is.text, is.label)
	case 5:
		// Two values change places.
		o := all[b.rng.IntN(len(all))]
		is.text, o.text = o.text, l.text
		if tokenOf(field, is.text) == tok || tokenOf(field, is.text) == "" {
			return ""
		}
		// The site takes a second row of one value away.
		aside := l
		aside.text = map[bool]string{true: "aside||||", false: "00"}[field == contact.Addresses]
		p.change(field, l, aside)
		p.change(field, o, o)
	default:
		if side == record.Google || field == contact.Addresses && b.rng.IntN(2) == 0 {
			return b.part(side, id, field, l)
		}
		entity := map[bool]string{true: "ContactAddress", false: "ContactCommunication"}[field == contact.Addresses]
		b.folk.must("", b.creatio.As("Ada").Update(entity, l.at.(string), map[string]any{"Primary": true}))
		return fmt.Sprintf("makes %q the first %s", l.text, field)
	}
	p.change(field, l, is)
	b.touched(side, id, field, tok)
	b.leftAlone(side, id, field, tok, l)
	f, _ := contact.Schema.Field(field)
	if s := b.saidOf(b.is[side][id], field, tok).by[side]; s != nil && f.Clean(l.text) == f.Clean(is.text) && kindOfLabel(side, field, l.label) == kindOfLabel(side, field, is.label) {
		s.slight = true
	}
	if now := tokenOf(field, is.text); now != tok {
		b.touched(side, id, field, now)
		b.writes(is.text)
	}
	return fmt.Sprintf("changes the %s %q (%s) to %q (%s)", field, l.text, l.label, is.text, is.label)
}

// part changes the zip of an address, and nothing else of it.
func (b *book) part(side record.Side, id, field string, l line) string {
	if field != contact.Addresses {
		return ""
	}
	parts, tok := strings.Split(l.text, "|"), tokenOf(field, l.text)
	if tokenOf(field, parts[0]) == "" || len(tokenLines(b.page(side, id), field, tok)) != 1 {
		return ""
	}
	zip := fmt.Sprintf("Z%d", b.next())
	parts[1] = zip
	is := l
	is.text = strings.Join(parts, "|")
	b.page(side, id).change(field, l, is)
	b.touched(side, id, field, tok)
	if other := b.of(side.Other(), b.is[side][id]); b.quiet == b.runs {
		if there := tokenLines(b.page(side.Other(), other[0]), field, tok); len(there) == 1 {
			q := strings.Split(there[0].text, "|")
			q[1] = zip
			b.saidOf(b.is[side][id], field, tok).wants[side.Other()] = strings.Join(q, "|")
		}
	}
	return fmt.Sprintf("changes the zip of %q to %s", l.text, zip)
}

// adds adds one of many values.
func (b *book) adds(side record.Side, id, field, text string, n int) {
	b.page(side, id).add(field, line{label: b.label(side, field), text: text})
	b.writes(text)
	b.touched(side, id, field, tokenOf(field, text))
}

// value is a new value of a field with many.
func (b *book) value(side record.Side, field string, n int) string {
	switch field {
	case contact.Phones:
		return telephone(b.rng, n)
	case contact.Emails:
		return mailbox(b.rng, n)
	case contact.Websites:
		return website(b.rng, n)
	}
	place := strings.ReplaceAll(places[b.rng.IntN(len(places))], "#", token(n))
	if side == record.Creatio {
		// Its lists have only some.
		place = places[:1][0]
		if b.rng.IntN(2) == 0 {
			place = "|||"
		}
	}
	street := fmt.Sprintf("%d Elm St %s", n, token(n))
	if strings.Contains(place, token(n)) && b.rng.IntN(2) == 0 {
		street = ""
	}
	return street + "|" + place
}

// respells is the same value in another form.
func (b *book) respells(side record.Side, field, text string) string {
	n := 0
	if field == contact.Phones {
		_, _ = fmt.Sscanf(tokenOf(field, text)[4:], "%d", &n)
		return telephone(b.rng, n-1000)
	}
	_, _ = fmt.Sscanf(tokenOf(field, text), "q%dq", &n)
	switch field {
	case contact.Emails:
		return mailbox(b.rng, n)
	case contact.Websites:
		return website(b.rng, n)
	default:
		return strings.Replace(text, "Elm St ", [...]string{"Elm St. ", "ELM St ", "Elm  St "}[b.rng.IntN(3)], 1)
	}
}

func (b *book) label(side record.Side, field string) string {
	all := labels[side][field]
	return all[b.rng.IntN(len(all))][0]
}

// tokenOf is by what a value is known in any form.
func tokenOf(field, text string) string {
	if field == contact.Phones {
		return subscriber(text)
	}
	return anyToken.FindString(strings.ToLower(text))
}

// tokenLines are the lines of a value.
func tokenLines(p page, field, tok string) []line {
	return slices.DeleteFunc(p.list(field), func(l line) bool { return tokenOf(field, l.text) != tok })
}

func (b *book) saidOf(one *individual, field, tok string) *said {
	for _, s := range b.said {
		if s.who == one && s.field == field && s.token == tok {
			return s
		}
	}
	s := &said{who: one, field: field, token: tok, by: map[record.Side]*saying{}, wants: map[record.Side]string{}, most: map[record.Side]int{}}
	b.said = append(b.said, s)
	return s
}

// touched notes what is there of a value after somebody edited it.
func (b *book) touched(side record.Side, id, field, tok string) {
	s := b.saidOf(b.is[side][id], field, tok)
	left := linesOf(tokenLines(b.page(side, id), field, tok))
	if len(left) == 0 {
		b.takesBack(tok)
	}
	b.says(side, s, left)
}

// leftAlone is for a value that a side had under a label of its own alone: that it is gone there is no removal on the other side.
func (b *book) leftAlone(side record.Side, id, field, tok string, was line) {
	if s := b.saidOf(b.is[side][id], field, tok); kindOfLabel(side, field, was.label) == "" && len(s.by[side].lines) == 0 {
		delete(s.by, side)
	}
}

func linesOf(all []line) []string {
	var out []string
	for _, l := range all {
		out = append(out, l.label+": "+l.text)
	}
	slices.Sort(out)
	return out
}

// says notes what people left on a side. What the other side said before all was quiet is no more than what was agreed.
func (b *book) says(side record.Side, s *said, left []string) {
	if o := s.by[side.Other()]; o != nil && o.run < b.quiet {
		delete(s.by, side.Other())
	}
	clear(s.wants)
	s.most[side] = max(s.most[side], len(left))
	was := s.by[side]
	s.by[side] = &saying{lines: left, run: b.runs, slight: was != nil && len(left) > 0 && len(left) < len(was.lines)}
}

func (b *book) writes(text string) {
	if tok := anyToken.FindString(strings.ToLower(text)); tok != "" {
		b.written[tok] = true
	}
}

func (b *book) takesBack(text string) {
	for _, tok := range anyToken.FindAllString(strings.ToLower(text), -1) {
		delete(b.written, tok)
	}
}
