package web

import (
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"errors"
	"net/http"
	"strings"

	"github.com/tandem-sync/tandem/shared/fault"
)

// ErrChanged says that settings are not those any more on which a request depends.
var ErrChanged = errors.New("changed since they were read")

// Precondition is what the kept settings have to meet to be replaced; nil where nothing is asked. It may run more than once.
type Precondition[T any] func(kept T) bool

// The entity tag of an account has a digest for each part that can be changed by itself, and one of everything. If-Match of a
// change compares only the part that it replaces: a run that ends meanwhile changes the state, but nobody's settings.
//
//	"contacts.activities.accounts.everything"
const (
	tagContacts = iota
	tagActivities
	tagAccounts
	tagWhole
	tagParts
)

func digest(parts ...any) (string, error) {
	text, err := json.Marshal(parts)
	if err != nil {
		return "", fault.Errorf(fault.Bug, "", "encode", "encode entity tag: %w", err)
	}
	sum := sha256.Sum256(text)
	return base64.RawURLEncoding.EncodeToString(sum[:12]), nil
}

// accountTag is the entity tag of an account.
func accountTag(a Account) (string, error) {
	var parts [tagParts]string
	for i, content := range [tagParts][]any{
		tagContacts: {a.Contacts.ContactsSettings}, tagActivities: {a.Activities.ActivitiesSettings}, tagAccounts: {a.ID, a.Google, a.Creatio}, tagWhole: {a},
	} {
		var err error
		if parts[i], err = digest(content...); err != nil {
			return "", err
		}
	}
	return `"` + strings.Join(parts[:], ".") + `"`, nil
}

// entityTags are the tags of a header that lists some; any says that it is "*", and fits whatever there is. Weak tags are left
// out of If-Match, which compares strongly (RFC 9110, 13.1.1).
func entityTags(header []string, weak bool) (tags []string, any bool) {
	for tag := range strings.SplitSeq(strings.Join(header, ","), ",") {
		tag = strings.TrimSpace(tag)
		if tag == "*" {
			return nil, true
		}
		if rest, isWeak := strings.CutPrefix(tag, "W/"); isWeak && weak {
			tag = rest
		}
		if len(tag) > 1 && tag[0] == '"' && tag[len(tag)-1] == '"' {
			tags = append(tags, tag)
		}
	}
	return tags, false
}

// ifMatch is what If-Match asks of a part of the account.
func ifMatch[T any](r *http.Request, part int) Precondition[T] {
	header := r.Header.Values("If-Match")
	if len(header) == 0 {
		return nil
	}
	tags, any := entityTags(header, false)
	return func(kept T) bool {
		if any {
			return true
		}
		want, err := digest(kept)
		for _, tag := range tags {
			parts := strings.Split(strings.Trim(tag, `"`), ".")
			if err == nil && len(parts) == tagParts && parts[part] == want {
				return true
			}
		}
		return false
	}
}

// ifAccounts refuses a request whose If-Match is of another state of the linked accounts.
func (s *Site) ifAccounts(r *http.Request, v visit) error {
	if len(r.Header.Values("If-Match")) == 0 {
		return nil
	}
	a, err := s.service.Account(r.Context(), v.user)
	if err != nil {
		return err
	}
	tag, err := accountTag(a)
	if err != nil {
		return err
	}
	tags, any := entityTags(r.Header.Values("If-Match"), false)
	for _, sent := range tags {
		if parts := strings.Split(sent, "."); len(parts) == tagParts && parts[tagAccounts] == strings.Split(tag, ".")[tagAccounts] {
			return nil
		}
	}
	if any {
		return nil
	}
	return ErrChanged
}

// answerAccount answers with an account and its entity tag; 304 to who has it already.
func answerAccount(w http.ResponseWriter, r *http.Request, a Account) error {
	tag, err := accountTag(a)
	if err != nil {
		return err
	}
	w.Header().Set("ETag", tag)
	if header := r.Header.Values("If-None-Match"); len(header) > 0 && (r.Method == http.MethodGet || r.Method == http.MethodHead) {
		tags, any := entityTags(header, true)
		for _, sent := range tags {
			any = any || sent == tag
		}
		if any {
			w.WriteHeader(http.StatusNotModified)
			return nil
		}
	}
	return answer(w, http.StatusOK, a)
}
