// Package calendarpush is the function that Google calls when something in a user's calendar
// changed: it has the user's activities synchronized soon.
package calendarpush

import (
	"github.com/GoogleCloudPlatform/functions-framework-go/functions"

	"github.com/tandem-sync/tandem/shared/app"
)

func init() { functions.HTTP("CalendarPush", app.Function("CalendarPush", (*app.App).CalendarPush)) }
