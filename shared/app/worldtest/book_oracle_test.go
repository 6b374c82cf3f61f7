package worldtest

import (
	"context"
	"fmt"
	"maps"
	"regexp"
	"slices"
	"strings"

	"golang.org/x/text/unicode/norm"

	"github.com/tandem-sync/tandem/shared/contact"
	"github.com/tandem-sync/tandem/shared/record"
	"github.com/tandem-sync/tandem/shared/richtext"
	creatiobox "github.com/tandem-sync/tandem/shared/sandbox/creatio"
)

var anyToken = regexp.MustCompile(`q\d{4}q`)

// meet finds out of whom the contacts are that Tandem made, and whether it took two people for one.
func (b *book) meet() {
	for l, err := range b.store.User(b.user).Links(context.Background(), record.Contacts) {
		if err != nil {
			b.t.Fatal(err)
		}
		if !l.Active || l.CreatioID == "" || l.GoogleID == "" {
			continue
		}
		ids := map[record.Side]string{record.Creatio: l.CreatioID, record.Google: l.GoogleID}
		c, g := b.is[record.Creatio][l.CreatioID], b.is[record.Google][l.GoogleID]
		switch {
		case c != nil && g != nil && c != g:
			b.t.Fatalf("%v and %v became one", c, g)
		case c != nil:
			b.is[record.Google][ids[record.Google]] = c
		case g != nil:
			b.is[record.Creatio][ids[record.Creatio]] = g
		}
	}
}

// lookup is a column that points into a list.
type lookup struct{ entity, id, column, list string }

// lookups are what contacts and addresses in Creatio are linked to.
func (b *book) lookups() map[lookup]string {
	out := map[lookup]string{}
	for entity, columns := range map[string][][2]string{
		"Contact":        {{"AccountId", "Account"}, {"DepartmentId", "Department"}, {"SalutationTypeId", "ContactSalutationType"}},
		"ContactAddress": {{"CityId", "City"}, {"RegionId", "Region"}, {"CountryId", "Country"}},
	} {
		for _, r := range b.creatio.System().Rows(entity, nil) {
			for _, c := range columns {
				if value := text(r[c[0]]); value != "" {
					out[lookup{entity, text(r["Id"]), c[0], c[1]}] = value
				}
			}
		}
	}
	return out
}

// unread finds what a run wrote over that the user may not read.
func (b *book) unread(before map[lookup]string) {
	for l, was := range before {
		if !b.hidden[l.list+"|"+was] {
			continue
		}
		if row := b.creatio.System().Get(l.entity, l.id); row != nil && text(row[l.column]) != was {
			b.t.Errorf("a run wrote over the %s of %s %s, which the user may not read", l.column, l.entity, l.id)
		}
	}
}

// hideOrShow takes the right to read one row of a list from the user, or gives all back.
func (b *book) hideOrShow() {
	for _, s := range b.said {
		if s.field == contact.Addresses {
			// Parts come and go with the right to read them.
			clear(s.by)
		}
	}
	if len(b.hidden) > 0 && b.rng.IntN(2) == 0 {
		for at := range b.hidden {
			list, id, _ := strings.Cut(at, "|")
			b.creatio.AllowRecord("Ada", list, id, creatiobox.Read)
		}
		clear(b.hidden)
		b.world.write("an administrator lets the user read all lists")
		return
	}
	list := [...]string{"Account", "Department", "ContactSalutationType", "City", "Region", "Country"}[b.rng.IntN(6)]
	rows := byID(b.creatio.System().Rows(list, nil))
	row := rows[b.rng.IntN(len(rows))]
	b.hidden[list+"|"+text(row["Id"])], b.wasHidden[list] = true, true
	b.creatio.DenyRecord("Ada", list, text(row["Id"]), creatiobox.Read)
	b.world.write("an administrator hides the %s %v", list, row["Name"])
}

// stand compares what people left with what shows where they left it: nothing but another person may change that.
func (b *book) stand() {
	for _, s := range b.said {
		for side, left := range s.by {
			ids := b.of(side, s.who)
			if len(s.by) > 1 || len(ids) != 1 {
				continue
			}
			if is := b.shows(side, ids[0], s); !slices.Equal(is, left.lines) {
				b.t.Errorf("%s: the %s of %v is %q, where somebody left %q", side, s.field, s.who, is, left.lines)
				delete(s.by, side)
			}
		}
	}
}

// shows is what a side shows of a value.
func (b *book) shows(side record.Side, id string, s *said) []string {
	if s.token == "" {
		return []string{b.page(side, id).text(s.field)}
	}
	return linesOf(tokenLines(b.page(side, id), s.field, s.token))
}

// settle compares both sides once nobody has anything to do, and begins anew.
func (b *book) settle() {
	for _, s := range b.said {
		if b.together(s.who) {
			b.agreeOn(s)
		}
		if len(s.by) > 1 {
			// Whoever won, that is what people see now.
			if ids := b.of(record.Creatio, s.who); len(ids) == 1 {
				s.by = map[record.Side]*saying{record.Creatio: {lines: b.shows(record.Creatio, ids[0], s), run: b.runs - 1}}
			}
		}
		clear(s.wants)
	}
	b.quiet = b.runs
}

// agreeOn compares what both sides show of a value with what people said of it.
func (b *book) agreeOn(s *said) {
	ids := map[record.Side]string{}
	for _, side := range record.Sides {
		ids[side] = b.of(side, s.who)[0]
	}
	if s.token == "" {
		b.agreeOnOne(s, ids)
		return
	}
	there, gone, own := false, false, false
	for side, left := range s.by {
		known := slices.ContainsFunc(left.lines, func(l string) bool {
			label, _, _ := strings.Cut(l, ": ")
			return kindOfLabel(side, s.field, label) != ""
		})
		there, gone, own = there || known, gone || len(left.lines) == 0, own || !known && len(left.lines) > 0
	}
	if there && gone && !b.atOnce(s) || own {
		// What is under a label that the other side does not know is nobody's business but that side's.
		return
	}
	for _, side := range record.Sides {
		n := len(b.shows(side, ids[side], s))
		most := max(1, s.most[side])
		switch {
		case there && n == 0:
			b.t.Errorf("%s: %v lost %s %s, of which people left %v", side, s.who, s.field, s.token, leftOf(s))
		case !there && len(s.by) > 0 && b.tracked(side, ids[side], s):
			b.t.Errorf("%s: %v has %s %s again, which somebody removed", side, s.who, s.field, s.token)
		case n > most && s.field == contact.Phones && b.vague(side, ids[side], s):
			// Two forms of a number that do not name its country may be two numbers.
		case n > most:
			b.t.Errorf("%s: %v has %s %s %d times: %q; people left %v", side, s.who, s.field, s.token, n, b.shows(side, ids[side], s), leftOf(s))
		}
		if want := s.wants[side]; want != "" && len(s.by) == 1 {
			if is := tokenLines(b.page(side, ids[side]), s.field, s.token); len(is) != 1 || is[0].text != want {
				b.t.Errorf("%s: %v has the address %v, and not %q", side, s.who, linesOf(is), want)
			}
		}
	}
}

// tracked reports whether a side shows a value under a label that the other side knows.
func (b *book) tracked(side record.Side, id string, s *said) bool {
	return slices.ContainsFunc(tokenLines(b.page(side, id), s.field, s.token), func(l line) bool { return kindOfLabel(side, s.field, l.label) != "" })
}

// vague reports whether a side has a number in several forms that do not name its country.
func (b *book) vague(side record.Side, id string, s *said) bool {
	n := 0
	for _, l := range tokenLines(b.page(side, id), s.field, s.token) {
		if !strings.HasPrefix(l.text, "+") && !strings.HasPrefix(l.text, "00") {
			n++
		}
	}
	return n > 1
}

// atOnce reports whether both sides said something after all was quiet, and no run was between.
func (b *book) atOnce(s *said) bool {
	for _, left := range s.by {
		if left.run != b.quiet || left.slight {
			return false
		}
	}
	return true
}

func leftOf(s *said) (out []string) {
	for _, side := range record.Sides {
		if left := s.by[side]; left != nil {
			out = append(out, fmt.Sprintf("%s %q", side, left.lines))
		}
	}
	return out
}

// agreeOnOne does the same for a field with one value.
func (b *book) agreeOnOne(s *said, ids map[record.Side]string) {
	if len(s.by) != 1 {
		return
	}
	for side, left := range s.by {
		other := side.Other()
		is, want := visible(other, s.field, b.shows(other, ids[other], s)[0]), visible(side, s.field, left.lines[0])
		switch s.field {
		case contact.Company, contact.Department, contact.Salutation:
			if b.wasHidden[lookupLists[s.field]] || other == record.Creatio && !b.listed(s.field, want) {
				continue
			}
			if record.Fold(is) != record.Fold(want) {
				b.t.Errorf("%s: the %s of %v is %q; the last word was %q", other, s.field, s.who, is, want)
			}
		case contact.Birthday:
			if other == record.Creatio && strings.HasPrefix(want, "around") {
				continue
			}
			fallthrough
		default:
			if is != want && !isCut(is, want) && !isCut(want, is) {
				b.t.Errorf("%s: the %s of %v is %q; the last word was %q", other, s.field, s.who, is, want)
			}
		}
	}
}

// isCut reports whether a text is the beginning of another one that is too long, whole characters all through.
func isCut(is, whole string) bool {
	rest, ok := strings.CutPrefix(whole, is)
	return ok && len([]rune(whole)) > 200 && len([]rune(is)) > 200 && !strings.HasPrefix(rest, "\u200d") && !strings.HasSuffix(is, "\u200d")
}

// visible is what a person reads of a value on a side.
func visible(side record.Side, field, text string) string {
	if field == contact.Notes {
		switch {
		case side == record.Creatio:
			text = richtext.Plain(text)
		case contentType(text) == "TEXT_HTML":
			text = richtext.OfHTML(text)
		}
	}
	f, _ := contact.Schema.Field(field)
	// Spaces that HTML would not show are kept by such as do not break.
	return f.Clean(strings.ReplaceAll(text, "\u00a0", " "))
}

var lookupLists = map[string]string{contact.Company: "Account", contact.Department: "Department", contact.Salutation: "ContactSalutationType"}

func (b *book) listed(field, name string) bool {
	return name == "" || slices.ContainsFunc(b.creatio.System().Rows(lookupLists[field], nil), func(r map[string]any) bool { return record.Fold(text(r["Name"])) == record.Fold(name) })
}

// look finds what is wrong with a world at rest.
func (b *book) look() {
	for _, one := range b.all {
		for _, side := range record.Sides {
			if n := len(b.of(side, one)); n > 1 {
				b.t.Errorf("%s has %v %d times: %v", side, one, n, b.of(side, one))
			} else if n == 0 && !b.outside(one) {
				b.t.Errorf("%s does not have %v", side, one)
			}
		}
	}
	b.nobodys()
	b.lost()
	b.tied()
	b.tame()
	b.silent()
}

// outside reports whether nobody brought somebody's contact into scope.
func (b *book) outside(one *individual) bool {
	ids := b.of(record.Creatio, one)
	return len(b.of(record.Google, one)) == 0 && len(ids) == 1 && len(b.folk.tagged(ids[0])) == 0
}

// nobodys finds contacts of nobody.
func (b *book) nobodys() {
	for _, p := range b.google.Account(ada).People() {
		if b.is[record.Google][p.ResourceName] == nil {
			b.t.Errorf("google has a contact of nobody: %s", encode(p.Names))
		}
	}
	for _, c := range b.creatio.System().Rows("Contact", nil) {
		if b.is[record.Creatio][text(c["Id"])] == nil && !slices.Contains([]string{"Ada Example", "Ben Example", "Supervisor"}, text(c["Name"])) {
			b.t.Errorf("creatio has a contact of nobody: %v", c["Name"])
		}
	}
}

// lost finds values that somebody wrote, and that neither a side nor the history shows any more.
func (b *book) lost() {
	all := b.folk.everything()
	runs, err := b.store.User(b.user).Runs(context.Background(), record.Contacts, 1000, "")
	if err != nil {
		b.t.Fatal(err)
	}
	for _, r := range runs {
		all += norm.NFC.String(encode(b.history(r.ID)))
	}
	all = strings.ToLower(all)
	for _, tok := range slices.Sorted(maps.Keys(b.written)) {
		if !strings.Contains(all, tok) {
			b.t.Errorf("%s was written by somebody and is lost", tok)
		}
	}
}
