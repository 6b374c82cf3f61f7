package hold

import (
	"testing"

	"github.com/GoogleCloudPlatform/functions-framework-go/funcframework"
)

// The platform adds the server of the functions framework to every bundle. This test imports it, so that go.sum vouches for
// what only that server needs.
func TestThe_server_that_the_platform_adds_refuses_an_entry_point_that_no_function_has(t *testing.T) {
	t.Setenv("FUNCTION_TARGET", "Teapot")
	if err := funcframework.StartHostPort("127.0.0.1", "0"); err == nil {
		t.Error("a function that is deployed with a wrong entry point starts")
	}
}
