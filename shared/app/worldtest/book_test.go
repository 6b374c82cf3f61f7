package worldtest

import (
	"context"
	"fmt"
	"math/rand/v2"
	"slices"
	"testing"
	"time"

	"google.golang.org/api/people/v1"

	"github.com/tandem-sync/tandem/shared/contact"
	"github.com/tandem-sync/tandem/shared/record"
	googlebox "github.com/tandem-sync/tandem/shared/sandbox/google"
	"github.com/tandem-sync/tandem/shared/store"
	"github.com/tandem-sync/tandem/shared/syncer"
)

// book is a world of address books as people keep them: names in every script and spelling, numbers and mailboxes that people
// share, lists that the user may not read, and colleagues who edit the same contacts. Who is who is known by whom a contact was
// made of, never by what it says.
type book struct {
	*world
	// made counts the values; each has a token of its own.
	made int
	// is tells of whom a contact is; one that Tandem made is of the same person as its counterpart.
	is map[record.Side]map[string]*individual
	// all are the people, households those that are not in the world yet.
	all        []*individual
	households [][][]string
	// runs counts the runs, quiet is the latest of those after which nobody had anything to do.
	runs, quiet int
	said        []*said
	// written are the values that nobody took back, by their tokens.
	written map[string]bool
	// hidden are the rows of lists that the user may not read now, wasHidden the lists in which names were not found for that.
	hidden, wasHidden map[string]bool
}

// individual is a person, or a company's entry, with what only they have.
type individual struct {
	n         int
	spellings []string
	company   string
	// mailbox and telephone are the numbers of their own ones; shared are those of the household, 0 for none.
	mailbox, telephone            int
	sharedMailbox, sharedLandline int
}

// nicknamed reports whether people call somebody by a name that is no full spelling of theirs.
func (i *individual) nicknamed() bool {
	return slices.Contains(i.spellings, "Bob||Reed") || slices.Contains(i.spellings, "P.||Brown") || i.spellings[0] == "||"
}

func (i *individual) String() string { return fmt.Sprintf("%d (%s)", i.n, i.spellings[0]) }

// Whatever people are called, and whatever they share: no two become one, nobody is there twice once the user has said who is
// who, and no value is lost that nobody replaced.
func TestAny_address_book_comes_to_a_good_end(t *testing.T) {
	t.Parallel()
	seeds(t, *worlds/5, "TestAny_address_book", func(t *testing.T, seed uint64) {
		r := rand.New(rand.NewPCG(seed, 7))
		s := setup{chunk: []int{1, 2, 5, 200}[r.IntN(4)]}
		if r.IntN(4) == 0 {
			s.google = googlebox.Options{WriteVisibility: 90 * time.Second, StaleReads: 10 * time.Second}
		}
		inWorld(t, seed, s, func(w *world) {
			b := &book{
				world: w, written: map[string]bool{}, hidden: map[string]bool{}, wasHidden: map[string]bool{},
				is: map[record.Side]map[string]*individual{record.Creatio: {}, record.Google: {}},
			}
			for _, i := range w.rng.Perm(len(households)) {
				b.households = append(b.households, households[i])
			}
			b.begin()
			for range 2 + w.rng.IntN(3) {
				b.round()
			}
			b.rest()
			b.look()
		})
	})
}

// begin is what there is before the first run.
func (b *book) begin() {
	b.google.Account(ada).CreateGroup("Creatio")
	b.bookLists()
	for range 2 + b.rng.IntN(2) {
		b.household()
	}
	time.Sleep(2*time.Minute + b.stale)
	b.rest()
}

// round is a while in which people edit, and a run in which something may go wrong.
func (b *book) round() {
	for range 1 + b.rng.IntN(6) {
		b.act()
	}
	if b.rng.IntN(4) == 0 && len(b.households) > 0 {
		b.household()
		// Who is in both books is seen in both by then.
		time.Sleep(2 * time.Minute)
	}
	script := map[place]mishap{}
	if b.rng.IntN(3) == 0 {
		ways := []mishap{diesAfter, diesBefore, lostAfter, brokenAfter, broken, busy, late}
		script[place{string(record.Sides[b.rng.IntN(2)]) + writes, 1 + b.rng.IntN(3)}] = ways[b.rng.IntN(len(ways))]
	}
	b.run(script)
	time.Sleep([]time.Duration{time.Minute, 20 * time.Minute, 30 * time.Hour}[b.rng.IntN(3)])
	if b.rng.IntN(2) == 0 {
		b.rest()
	}
}

// run makes one run and looks at what must not happen in any.
func (b *book) run(script map[place]mishap) (syncer.Outcome, store.Run) {
	before := b.lookups()
	b.runs++
	_, out, r := b.sync(syncer.TriggerSchedule, script)
	b.meet()
	b.unread(before)
	b.stand()
	return out, r
}

// rest has runs follow each other, and the user answer every doubt, until nobody has anything to do.
func (b *book) rest() {
	for i := 1; ; i++ {
		time.Sleep(map[bool]time.Duration{true: 25 * time.Hour, false: time.Hour}[i == 2])
		out, r := b.run(nil)
		switch {
		case out.Status == syncer.Held, b.held():
			b.sync(syncer.TriggerApprove, nil)
			b.meet()
		case b.answers():
		case out.Status == syncer.Done && len(r.Changes) == 0 && i > 2:
			b.settle()
			return
		}
		if i == enough+4 {
			b.t.Fatalf("after %d runs without a mishap the world is not at rest: %s", i, out.Status)
		}
	}
}

// answers has the user say of everybody in doubt who is who, and reports whether there was anything to say.
func (b *book) answers() bool {
	ctx, u := context.Background(), b.store.User(b.user)
	var all []store.Verdict
	for p, err := range u.Pairs(ctx, record.Contacts) {
		if err != nil {
			b.t.Fatal(err)
		}
		if p.State != store.StateDoubt || p.Silent {
			continue
		}
		c, g := b.is[record.Creatio][p.CreatioID], b.is[record.Google][p.GoogleID]
		b.write("the user: %v and %v are one: %t", c, g, c == g)
		all = append(all, store.Verdict{CreatioID: p.CreatioID, GoogleID: p.GoogleID, Same: c == g, Doubt: true, At: time.Now()})
	}
	if len(all) == 0 {
		return false
	}
	if err := u.UpdateSync(ctx, record.Contacts, func(d *store.Sync) error {
		d.Verdicts = append(d.Verdicts, all...)
		return nil
	}); err != nil {
		b.t.Fatal(err)
	}
	return true
}

// bookLists are rows of lists in which names and places of the book are found, in whatever form.
func (b *book) bookLists() {
	add := func(entity string, values map[string]any) string {
		id, err := b.creatio.System().Insert(entity, values)
		if err != nil {
			b.t.Fatal(err)
		}
		return id
	}
	for _, name := range companies[:3] {
		add("Account", map[string]any{"Name": name})
	}
	austria := add("Country", map[string]any{"Name": "Österreich"})
	region := add("Region", map[string]any{"Name": "Tirol", "CountryId": austria})
	add("City", map[string]any{"Name": "Zürich", "CountryId": add("Country", map[string]any{"Name": "Switzerland"})})
	add("City", map[string]any{"Name": "Innsbruck", "CountryId": austria, "RegionId": region})
}

// household has some people of a household be in one address book or in both.
func (b *book) household() {
	names := b.households[0]
	b.households = b.households[1:]
	mailbox, landline := 0, 0
	if b.rng.IntN(2) == 0 {
		mailbox = b.next()
	}
	if b.rng.IntN(2) == 0 {
		landline = b.next()
	}
	for _, spellings := range names {
		one := &individual{n: len(b.all), spellings: spellings, mailbox: b.next(), telephone: b.next(), sharedMailbox: mailbox, sharedLandline: landline}
		if b.rng.IntN(2) == 0 {
			one.company = companies[b.rng.IntN(len(companies))]
		}
		if spellings[0] == "||" {
			one.company = fmt.Sprintf("Harbor Office %s", token(one.n))
		}
		b.all = append(b.all, one)
		switch b.rng.IntN(5) {
		case 0, 1:
			b.enter(record.Creatio, one, true, b.rng.IntN(2) == 0, b.rng.IntN(5) > 0)
		case 2, 3:
			b.enter(record.Google, one, true, b.rng.IntN(2) == 0, true)
		default:
			// Both have their mailbox or their number, at least.
			own := b.rng.IntN(2) == 0
			b.enter(record.Creatio, one, own, true, true)
			b.enter(record.Google, one, own, own == (b.rng.IntN(2) == 0) || !own, true)
		}
	}
}

func (b *book) next() int {
	b.made++
	return b.made
}

// enter makes a contact of somebody, with their mailbox or number or both.
func (b *book) enter(side record.Side, one *individual, mail, phone, tagged bool) {
	given, middle, surname, prefix, suffix := nameParts(one.spellings[b.rng.IntN(len(one.spellings))])
	id := ""
	if side == record.Creatio {
		site := b.creatio.As("Ada")
		if suffix != "" {
			surname += " " + suffix
		}
		values := map[string]any{"Name": given + " " + surname}
		if given == "" {
			values["Name"] = one.company
		}
		id = b.folk.must(site.Insert("Contact", values))
		if given != "" {
			b.folk.must("", site.Update("Contact", id, map[string]any{"GivenName": given, "MiddleName": middle, "Surname": surname}))
		}
		if tagged {
			b.folk.insert("ContactInTag", map[string]any{"TagId": b.tag, "EntityId": id})
		}
	} else {
		p := &people.Person{}
		if given != "" {
			p.Names = []*people.Name{{GivenName: given, MiddleName: middle, FamilyName: surname, HonorificPrefix: prefix, HonorificSuffix: suffix}}
		}
		account := b.google.Account(ada)
		id = account.Add(p)
		account.AddToGroup(id, b.folk.group())
	}
	b.is[side][id] = one
	defer func() {
		p := b.page(side, id)
		b.world.write("somebody in %s enters %v as %s: %q %q", side, one, id, linesOf(p.list(contact.Emails)), linesOf(p.list(contact.Phones)))
	}()
	if one.company != "" && (side == record.Google || slices.Contains(companies[:3], one.company)) {
		b.page(side, id).write(contact.Company, one.company)
	}
	if mail {
		b.adds(side, id, contact.Emails, mailbox(b.rng, one.mailbox), one.mailbox)
	}
	if phone {
		text, label := telephone(b.rng, one.telephone), b.label(side, contact.Phones)
		if one.nicknamed() {
			// Under a label that Tandem does not carry a number is shared by many, of whom hardly two have one name.
			label = labels[side][contact.Phones][b.rng.IntN(4)][0]
		}
		b.page(side, id).add(contact.Phones, line{label: label, text: text})
		b.touched(side, id, contact.Phones, tokenOf(contact.Phones, text))
	}
	if one.sharedMailbox != 0 && b.rng.IntN(2) == 0 {
		b.adds(side, id, contact.Emails, mailbox(b.rng, one.sharedMailbox), one.sharedMailbox)
	}
	if one.sharedLandline != 0 && one.spellings[0] != "||" && b.rng.IntN(2) == 0 {
		b.adds(side, id, contact.Phones, telephone(b.rng, one.sharedLandline), one.sharedLandline)
	}
}

// page is a contact as somebody edits it; in Creatio that is a colleague, who may read all.
func (b *book) page(side record.Side, id string) page {
	if side == record.Google {
		account := b.google.Account(ada)
		return googlePage{
			person: func() *people.Person { return account.Person(id) },
			edit:   func(do func(*people.Person)) bool { return account.Edit(id, do) },
		}
	}
	return creatioPage{Session: b.creatio.As("Ben"), system: b.creatio.System(), id: id, must: b.folk.must}
}
