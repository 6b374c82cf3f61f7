package google

import (
	"strings"

	"github.com/tandem-sync/tandem/shared/record"
)

// phoneKinds says what Google's labels of a number are to Tandem. A label that is missing here is one of the user's
// own, or one without a counterpart; such a number is left alone.
var phoneKinds = map[string]string{
	"work": record.KindWork, "workfax": record.KindWork, "workmobile": record.KindWork, "workpager": record.KindWork,
	"companymain": record.KindWork,
	"home":        record.KindHome, "homefax": record.KindHome,
	"mobile": record.KindMobile, "main": record.KindMobile,
	"other": record.KindOther, "otherfax": record.KindOther, "general": record.KindOther, "fax": record.KindOther, "pager": record.KindOther, "": record.KindOther,
	"extension": record.KindExtension,
}

// addressKinds does the same for addresses.
var addressKinds = map[string]string{
	"home": record.KindHome, "work": record.KindWork, "other": record.KindOther, "": record.KindOther,
	"shipping": record.KindShipping, "legal": record.KindLegal, "actual": record.KindActual,
}

// phoneTypes and addressTypes are the labels of new entries. Those that Google does not know are shown as they are, as
// labels of the user's own.
var (
	phoneTypes = map[string]string{
		record.KindWork: "work", record.KindHome: "home", record.KindMobile: "mobile", record.KindOther: "other",
		record.KindExtension: "Extension",
	}
	addressTypes = map[string]string{
		record.KindHome: "home", record.KindWork: "work", record.KindOther: "other",
		record.KindShipping: "Shipping", record.KindLegal: "Legal", record.KindActual: "Actual",
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
