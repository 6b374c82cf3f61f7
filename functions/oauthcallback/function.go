// Package oauthcallback is the function that Google and Creatio send a user's browser back
// to: it ends the linking of an account.
package oauthcallback

import (
	"github.com/GoogleCloudPlatform/functions-framework-go/functions"

	"github.com/tandem-sync/tandem/shared/app"
)

func init() { functions.HTTP("OAuthCallback", app.Function("OAuthCallback", (*app.App).OAuthCallback)) }
