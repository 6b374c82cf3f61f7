// Package settings is the function that a user's browser and scripts call: the settings
// pages and the JSON API beneath them.
package settings

import (
	"github.com/GoogleCloudPlatform/functions-framework-go/functions"

	"github.com/tandem-sync/tandem/shared/app"
)

func init() { functions.HTTP("Settings", app.Function("Settings", (*app.App).Settings)) }
