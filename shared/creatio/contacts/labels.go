package contacts

import (
	"github.com/tandem-sync/tandem/shared/contact"
	"github.com/tandem-sync/tandem/shared/creatio"
)

// Rows of lookups that every Creatio is delivered with, by the ids that its own code names them with (packages
// Base and CrtBase: CommunicationTypeConsts, AddressTypeConsts, AnniversaryTypeConsts, TagConsts).
const (
	typeSkype = "09e4bda6-cfcb-df11-9b2a-001d60e938c6"
	typeWeb   = "6a8ba927-67cc-df11-9b2a-001d60e938c6"

	phoneMobile    = "d4a2dc80-30ca-df11-9b2a-001d60e938c6"
	phoneHome      = "0da6a26b-d7bc-df11-b00f-001d60e938c6"
	phoneWork      = "3dddb3cc-53ee-49c4-a71f-e9e257f59e49"
	phoneOther     = "21c0d693-9a52-43fa-b7f1-c6d8b53975d4"
	phoneExtension = "e9d91e45-8d92-4e38-95a0-ef8aa28c9e7a"

	addressHome     = "4f8b2d67-71d0-45fb-897e-cd4a308a97c0"
	addressActual   = "780bf68c-4b6e-df11-b988-001d60e938c6"
	addressLegal    = "770bf68c-4b6e-df11-b988-001d60e938c6"
	addressShipping = "760bf68c-4b6e-df11-b988-001d60e938c6"
	addressBusiness = "fb7a3f6a-f36b-1410-6f81-1c6f65e50343"
	addressOther    = "ce157f11-f425-4811-ba0e-e3816e8eced5"

	anniversaryBirthday = "173d56d2-fdca-df11-9b2a-001d60e938c6"

	tagPrivate = "8d7f6d6c-4ca5-4b43-bdd9-a5e01a582260"
	tagMine    = "54c3c9a0-adba-423f-990b-673b903e2a38"
)

// networks are the types of communications that name somebody in a social network.
var networks = []string{
	"ea0f3b0a-bacf-e011-92c3-00155d04c01d", // LinkedIn
	"2795dd03-bacf-e011-92c3-00155d04c01d", // Facebook
	"e7139487-bad3-e011-92c3-00155d04c01d", // Twitter
	"efe5d7a2-5f38-e111-851e-00155d04c01d", // Google
}

// The kinds of communication rows that are no phones: e-mail addresses, the contact's Skype name, and web addresses.
// Creatio knows no kinds of those.
const (
	kindEmail = "email"
	kindSkype = "skype"
	kindWeb   = "web"
)

// communicationKind is what a communication's type is to Tandem; empty for types that are none of its business.
func communicationKind(typeID string) string {
	switch typeID {
	case creatio.TypeEmail:
		return kindEmail
	case typeSkype:
		return kindSkype
	case typeWeb:
		return kindWeb
	case phoneWork:
		return contact.KindWork
	case phoneHome:
		return contact.KindHome
	case phoneMobile:
		return contact.KindMobile
	case phoneOther:
		return contact.KindOther
	case phoneExtension:
		return contact.KindExtension
	default:
		return ""
	}
}

// communicationType is the reverse; a kind that no type stands for has none.
func communicationType(kind string) string {
	switch kind {
	case kindEmail:
		return creatio.TypeEmail
	case kindSkype:
		return typeSkype
	case kindWeb:
		return typeWeb
	case contact.KindWork:
		return phoneWork
	case contact.KindHome:
		return phoneHome
	case contact.KindMobile:
		return phoneMobile
	case contact.KindOther:
		return phoneOther
	case contact.KindExtension:
		return phoneExtension
	default:
		return ""
	}
}

// addressKind is what an address type is to Tandem. A type that a site added, and none at all, is "other".
func addressKind(typeID string) string {
	switch typeID {
	case addressHome:
		return contact.KindHome
	case addressBusiness:
		return contact.KindWork
	case addressShipping:
		return contact.KindShipping
	case addressLegal:
		return contact.KindLegal
	case addressActual:
		return contact.KindActual
	default:
		return contact.KindOther
	}
}

// addressType is the reverse; kinds that Creatio does not know are none.
func addressType(kind string) string {
	switch kind {
	case contact.KindHome:
		return addressHome
	case contact.KindWork:
		return addressBusiness
	case contact.KindShipping:
		return addressShipping
	case contact.KindLegal:
		return addressLegal
	case contact.KindActual:
		return addressActual
	case contact.KindOther:
		return addressOther
	default:
		return ""
	}
}
