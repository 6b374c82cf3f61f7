package people

import (
	"strings"

	"github.com/tandem-sync/tandem/shared/contact"
)

// phoneKinds says what Google's labels of a number are to Tandem. A label that is missing here is one of the user's
// own, or one without a counterpart; such a number is left alone.
var phoneKinds = map[string]string{
	"work": contact.KindWork, "workfax": contact.KindWork, "workmobile": contact.KindWork, "workpager": contact.KindWork,
	"companymain": contact.KindWork,
	"home":        contact.KindHome, "homefax": contact.KindHome,
	"mobile": contact.KindMobile, "main": contact.KindMobile,
	"other": contact.KindOther, "otherfax": contact.KindOther, "general": contact.KindOther, "fax": contact.KindOther, "pager": contact.KindOther, "": contact.KindOther,
	"extension": contact.KindExtension,
}

// addressKinds does the same for addresses.
var addressKinds = map[string]string{
	"home": contact.KindHome, "work": contact.KindWork, "other": contact.KindOther, "": contact.KindOther,
	"shipping": contact.KindShipping, "legal": contact.KindLegal, "actual": contact.KindActual,
}

// phoneTypes and addressTypes are the labels of new entries. Those that Google does not know are shown as they are, as
// labels of the user's own.
var (
	phoneTypes = map[string]string{
		contact.KindWork: "work", contact.KindHome: "home", contact.KindMobile: "mobile", contact.KindOther: "other",
		contact.KindExtension: "Extension",
	}
	addressTypes = map[string]string{
		contact.KindHome: "home", contact.KindWork: "work", contact.KindOther: "other",
		contact.KindShipping: "Shipping", contact.KindLegal: "Legal", contact.KindActual: "Actual",
	}
)

// emailType is the label of a new e-mail address, as Creatio's own synchronization gave it. Creatio knows no
// labels of addresses, so all of them show and each keeps its label.
const emailType = "other"

// websiteType is the label of a new web address. Creatio has no labels of those either.
const websiteType = "homePage"

// school is the type of an organization that is no employer.
const school = "school"

// skype is the protocol of the one messenger that Tandem carries.
const skype = "skype"

func kindOf(kinds map[string]string, label string) (string, bool) {
	kind, known := kinds[strings.ToLower(strings.TrimSpace(label))]
	return kind, known
}

// label is the type of an entry that is to be of a kind: the one it has where that says the same.
func label(kinds, types map[string]string, have, kind string) string {
	if known, ok := kindOf(kinds, have); ok && known == kind {
		return have
	}
	return types[kind]
}
