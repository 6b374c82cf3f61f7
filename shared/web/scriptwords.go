package web

import (
	"strings"

	"github.com/tandem-sync/tandem/shared/record"
)

// scriptActions are what a script can do about a refusal, by its code, where that is something else than what a person at the
// page can do. Paths are those below /settings/api/v1.
var scriptActions = map[string]string{
	"bad-token":          "A person makes another one on the page /settings/tokens.",
	"changed":            "Nothing was done. Call POST /{type}/preview for what there is to do now, and send its id.",
	"cross-origin":       "Call the API from a program, not from another site's page: leave the headers Origin and Sec-Fetch-Site out.",
	"etag-mismatch":      "Nothing was done. Call GET /account, apply your change to what it answers, and send the ETag of that answer as If-Match.",
	"invalid":            "Nothing was done. \"errors\" names each field, and what it takes.",
	"linked-elsewhere":   "Nothing was done. If that link is wrong, call POST /{type}/pairs with its two ids and \"same\":false first.",
	"method-not-allowed": "The header Allow names the methods of this address. GET /openapi.json describes every call.",
	"no-job":             "Set SCHEDULER to where the jobs of Cloud Scheduler are.",
	"not-a-pair":         "Nothing was done. Call GET /contacts/pairs or GET /activities/pairs for the pairs that need a decision.",
	"not-allowed":        "A person whose account may use Tandem has to sign in; ask the administrator.",
	"not-found":          "Check the id: ids of other users are not found either. GET /openapi.json describes every call.",
	"not-held":           "Nothing was done. Call GET /account: \"state\".\"heldRun\" is the run that waits.",
	"not-ready":          "Call GET /account to see what is missing.",
	"not-undoable":       "Call GET /runs/{run}, and wait until \"status\" is none of \"queued\" and \"running\". What waited and was approved, undo in the run that followed.",
	"read-only-token":    "Send a token whose scope is \"full\".",
	"replaced":           "Nothing was done. Call GET /account: \"state\".\"heldRun\" is the run that waits now, if there is one.",
	"session-needed":     "Send the cookie of a session; a person signs in with a browser.",
	"sign-in-again":      "A person has to sign in at /settings/sign-in; send the cookie of that session within ten minutes. Access tokens cannot do this.",
	"signed-out":         "Send an access token as \"Authorization: Bearer\"; a person makes one on the page /settings/tokens. Or send the cookie of a session.",
	"too-large":          "Send at most 64 KiB.",
	"too-many-tokens":    "Call GET /tokens, and DELETE /tokens/{id} for one that is not used any more.",
}

// forScripts is what a problem document says to do.
func (e *refusal) forScripts() string {
	if e.script != "" {
		return e.script
	}
	if action, ok := scriptActions[e.Code]; ok {
		return action
	}
	return e.Action
}

// missingForScripts tells what missing tells, by the fields of the account and the calls that change them.
func missingForScripts(a Account, t record.Type) string {
	const byPerson = " A person does that on the page /settings."
	var steps []string
	switch scope := map[record.Type]string{record.Contacts: "contacts", record.Activities: "calendar"}[t]; {
	case !a.Google.Linked:
		steps = append(steps, `"google"."linked" has to be true.`+byPerson)
	case a.Google.Reconnect:
		steps = append(steps, `"google"."reconnect" has to be false.`+byPerson)
	case !a.Google.Grants(scope):
		steps = append(steps, `"google"."scopes" has to have "`+scope+`".`+byPerson)
	}
	switch {
	case !a.Creatio.Linked:
		steps = append(steps, `"creatio"."linked" has to be true.`+byPerson)
	case a.Creatio.Reconnect:
		steps = append(steps, `"creatio"."reconnect" has to be false.`+byPerson)
	}
	if t == record.Contacts && a.Contacts.TagID == "" {
		steps = append(steps, `"contacts"."tagId" has to be one of GET /tags: call PUT /contacts.`)
	}
	if steps == nil {
		return ""
	}
	return "Call GET /account: " + strings.Join(steps, " ")
}
