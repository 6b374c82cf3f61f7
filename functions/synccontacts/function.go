// Package synccontacts is the function that Cloud Scheduler and Cloud Tasks call: it finds
// the users whose contacts are due, and runs one user's window.
package synccontacts

import (
	"github.com/GoogleCloudPlatform/functions-framework-go/functions"

	"github.com/tandem-sync/tandem/shared/app"
)

func init() { functions.HTTP("SyncContacts", app.Function("SyncContacts", (*app.App).SyncContacts)) }
