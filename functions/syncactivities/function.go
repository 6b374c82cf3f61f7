// Package syncactivities is the function that Cloud Scheduler and Cloud Tasks call: it finds
// the users whose activities are due, and runs one user's window.
package syncactivities

import (
	"github.com/GoogleCloudPlatform/functions-framework-go/functions"

	"github.com/tandem-sync/tandem/shared/app"
)

func init() {
	functions.HTTP("SyncActivities", app.Function("SyncActivities", (*app.App).SyncActivities))
}
