package sample

import "google.golang.org/api/people/v1"

// special makes the people who are there to be confused: namesakes, a shared telephone, contacts that are no persons, and
// values that only one side can hold.
func (m *maker) special() []*person {
	mobile := func(r region) labeled { return labeled{"mobile", m.take(r.mobile)} }
	work := func(r region) labeled { return labeled{"work", m.take(r.fixed)} }
	desk := work(unitedKingdom)
	tagged := []string{PrivateTagID}
	out := []*person{
		// Father and son have one name and nothing else in common.
		{
			key: "george.halloran", given: "George", surname: "Halloran", where: both, tags: tagged, birthday: "1951-03-08", notes: "The father ⚓",
			emails: []labeled{{"home", "george.halloran@example.net"}}, phones: []labeled{mobile(unitedKingdom)},
		},
		{
			key: "george.halloran.jr", given: "George", surname: "Halloran", where: both, tags: tagged, birthday: "1983-11-30", notes: "The son",
			emails: []labeled{{"work", "george.halloran.jr@example.com"}}, phones: []labeled{mobile(unitedKingdom)}, company: "Penrose Marine Ltd", account: true,
		},
		// Two namesakes who are not the same person, one on each side.
		{
			key: "maria.silva", given: "Maria", surname: "Silva", where: creatioOnly, tags: tagged, emails: []labeled{{"work", "maria.silva@example.com"}},
			phones: []labeled{mobile(unitedStates)}, company: "Alder & Finch LLP", account: true,
		},
		{
			key: "maria.silva.lisboa", given: "Maria", surname: "Silva", where: googleOnly, emails: []labeled{{"home", "msilva@example.org"}},
			phones: []labeled{mobile(spain)}, company: "Azulejo Digital",
		},
		// Two people at one desk.
		{
			key: "nora.finch", given: "Nora", surname: "Finch", where: both, tags: tagged, emails: []labeled{{"work", "nora.finch@example.com"}},
			phones: []labeled{desk}, company: "Thistle & Crown", account: true, job: "Reception",
		},
		{
			key: "oskar.brandt", given: "Oskar", surname: "Brandt", where: both, tags: tagged, emails: []labeled{{"work", "oskar.brandt@example.com"}},
			phones: []labeled{desk, mobile(germany)}, company: "Thistle & Crown", account: true, job: "Reception",
		},
		// Contacts that are no persons, or hardly.
		{key: "harbor.office", company: "Harbor Office", where: googleOnly, phones: []labeled{work(unitedStates)}},
		{key: "no.name", where: googleOnly, emails: []labeled{{"", "no.name@example.org"}}},
		{key: "plumber", given: "Plumber", where: googleOnly, phones: []labeled{mobile(unitedKingdom)}},
		{key: "prince", given: "Aurelio", where: both, tags: tagged, emails: []labeled{{"home", "aurelio@example.org"}}},
		// A company that Creatio has twice under one name, and long values.
		{
			key: "pia.twin", given: "Pia", surname: "Tamsin", where: googleOnly, emails: []labeled{{"work", "pia.tamsin@example.com"}},
			company: "Twin Pines", groups: []string{"Customers"},
		},
		// Kinds of numbers that Creatio does not have.
		{
			key: "captain.storm", given: "Isolde", surname: "Storm", where: both, tags: tagged, emails: []labeled{{"home", "isolde.storm@example.org"}},
			phones: []labeled{mobile(sweden)}, groups: []string{"Sailing club"}, more: withCustomLabels(m.take(seFixed), m.take(seFixed), m.take(seFixed)),
		},
		{
			key: "vera.lens", given: "Vera", surname: "Lens", where: both, tags: tagged, emails: []labeled{{"home", "vera.lens@example.org"}},
			phones: []labeled{mobile(france)}, websites: []string{"portraits.example.org/lens"}, faces: faces{google: "vera.lens"}, more: withMore,
		},
	}
	for _, p := range out {
		p.by, p.latin = UserLogin, [3]string{p.given, p.middle, p.surname}
		if p.where == both {
			p.spelling = same
		}
	}
	return out
}

// withCustomLabels adds numbers under labels of the user's own and of kinds that Creatio does not know.
func withCustomLabels(yacht, fax, pager string) func(*people.Person) {
	return func(p *people.Person) {
		p.PhoneNumbers = append(p.PhoneNumbers,
			&people.PhoneNumber{Type: "Yacht ⛵", Value: yacht},
			&people.PhoneNumber{Type: "workFax", Value: fax},
			&people.PhoneNumber{Type: "pager", Value: pager})
		p.EmailAddresses = append(p.EmailAddresses, &people.EmailAddress{Type: "Harbor", Value: "storm.harbor@example.org"})
	}
}

// withMore adds what a contact in Google can say and one in Creatio cannot, or not to Tandem.
func withMore(p *people.Person) {
	p.Urls = append(p.Urls, &people.Url{Type: "homePage", Value: "https://lens.example.org"})
	p.Relations = []*people.Relation{{Type: "spouse", Person: "Otto Lens"}}
	p.Nicknames = []*people.Nickname{{Value: "V."}}
	p.Events = []*people.Event{{Type: "anniversary", Date: &people.Date{Year: 2011, Month: 6, Day: 4}}}
	p.UserDefined = []*people.UserDefined{{Key: "Shoe size", Value: "39"}}
}
