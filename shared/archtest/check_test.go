package archtest

import (
	"strings"
	"testing"
	"testing/fstest"
)

func TestWhat_breaks_a_rule_is_told_with_its_reason(t *testing.T) {
	t.Parallel()
	const tandem = `"` + module + `/`
	for name, tc := range map[string]struct {
		file, source, say string
	}{
		"a pure package with files":          {"shared/match/a.go", `import "os"`, "is pure"},
		"a pure package with a network":      {"shared/match/a.go", `import "net/http"`, "is pure"},
		"a pure package with a logger":       {"shared/record/a.go", `import "log/slog"`, "is pure"},
		"a pure package with a context":      {"shared/record/a.go", `import "context"`, "is pure"},
		"a pure package with a clock":        {"shared/record/a.go", "import \"time\"\nvar _ = time.Now()", "uses time.Now"},
		"a clock under another name":         {"shared/record/a.go", "import clock \"time\"\nvar f = clock.Since", "uses clock.Since"},
		"a clock without a name":             {"shared/record/a.go", "import . \"time\"\nvar f = Now", "all names of time"},
		"a clock behind a build tag":         {"shared/record/a.go", "import \"time\"\nvar _ = time.Now()", "uses time.Now"},
		"a pure package with a random id":    {"shared/reconcile/a.go", "import \"github.com/google/uuid\"\nvar _ = uuid.New()", "uses uuid.New"},
		"a pure package that prints":         {"shared/match/a.go", "import \"fmt\"\nfunc init() { fmt.Println() }", "uses fmt.Println"},
		"a pure package on a ground package": {"shared/match/a.go", `import ` + tandem + `shared/httpx"`, "a pure package knows no I/O"},
		"a pure package in a wrong order":    {"shared/record/a.go", `import ` + tandem + `shared/reconcile"`, "may import only shared/fault"},
		"one side on the other":              {"shared/creatio/a.go", `import ` + tandem + `shared/google"`, "adapters do not know one another"},
		"one kind on the other side":         {"shared/creatio/contacts/a.go", `import ` + tandem + `shared/google"`, "adapters do not know one another"},
		"a service on one of its kinds":      {"shared/google/a.go", `import ` + tandem + `shared/google/people"`, "adapters do not know one another"},
		"a service on a kind of records":     {"shared/creatio/a.go", `import ` + tandem + `shared/contact"`, "may import only"},
		"one kind on another of its service": {"shared/google/calendar/a.go", `import ` + tandem + `shared/google/people"`, "adapters do not know one another"},
		"a database on another":              {"shared/store/bolt/a.go", `import ` + tandem + `shared/store/firestore"`, "adapters do not know one another"},
		"a queue on a vault":                 {"shared/queue/a.go", `import ` + tandem + `shared/vault"`, "adapters do not know one another"},
		"an adapter on the core":             {"shared/google/a.go", `import ` + tandem + `shared/syncer"`, "may import only"},
		"the core on an adapter":             {"shared/web/a.go", `import ` + tandem + `shared/queue"`, "only app imports adapters"},
		"a ground package on the core":       {"shared/httpx/a.go", `import ` + tandem + `shared/web"`, "may import only"},
		"odata on creatio":                   {"shared/odata/a.go", `import ` + tandem + `shared/creatio"`, "only app imports adapters"},
		"a script on an adapter":             {"scripts/local/main.go", `import ` + tandem + `shared/store/bolt"`, "only app imports adapters"},
		"a function on more than app":        {"functions/settings/a.go", `import ` + tandem + `shared/web"`, "may import only shared/app"},
		"a function on a library":            {"functions/settings/a.go", `import "golang.org/x/oauth2"`, "functions import shared/app"},
		"app on a function":                  {"shared/app/a.go", `import ` + tandem + `functions/settings"`, "nothing imports them"},
		"a script on a function":             {"scripts/local/main.go", `import ` + tandem + `functions/settings"`, "nothing imports them"},
		"a test on a function":               {"shared/app/a_test.go", `import ` + tandem + `functions/settings"`, "nothing imports them"},
		"the product on the sandbox":         {"shared/app/a.go", `import ` + tandem + `shared/sandbox/google"`, "is not deployed"},
		"the product on the store's suite":   {"shared/store/bolt/a.go", `import ` + tandem + `shared/store/storetest"`, "is not deployed"},
		"the sandbox on the adapter":         {"shared/sandbox/google/a.go", `import ` + tandem + `shared/google"`, "only app imports adapters"},
		"a package nobody knows":             {"shared/util/a.go", ``, "shared/util has no place yet: add a line"},
		"a package below a known one":        {"shared/google/photos/a.go", ``, "shared/google/photos has no place yet"},
		"a package at the top":               {"main.go", ``, "has no place yet"},
	} {
		source := "//go:build never\n\npackage x\n" + tc.source + "\n"
		problems := check(readFiles(t, fstest.MapFS{tc.file: {Data: []byte(source)}}))
		if len(problems) != 1 || !strings.Contains(problems[0], tc.say) || !strings.HasPrefix(problems[0], tc.file) {
			t.Errorf("%s: got %q, want one problem of %s that says %q", name, problems, tc.file, tc.say)
		}
	}
}

func TestWhat_keeps_the_rules_is_left_alone(t *testing.T) {
	t.Parallel()
	const tandem = `"` + module + `/`
	tree := fstest.MapFS{}
	for name, imports := range map[string]string{
		"functions/settings/a.go":          tandem + `shared/app"; "net/http"; "github.com/GoogleCloudPlatform/functions-framework-go/functions"`,
		"functions/settings/a_test.go":     tandem + `functions/settings"; ` + tandem + `shared/sandbox/google"`,
		"shared/app/a.go":                  tandem + `shared/google"; ` + tandem + `shared/store/bolt"; ` + tandem + `shared/web"`,
		"shared/app/a_test.go":             tandem + `shared/sandbox/google"; ` + tandem + `shared/store/storetest"`,
		"shared/fault/a.go":                `"context"; "time"; "fmt"`,
		"shared/record/a.go":               `"golang.org/x/text/unicode/norm"; "encoding/json"`,
		"shared/record/a_test.go":          `"os"; "net/http"`,
		"shared/creatio/a.go":              tandem + `shared/odata"; ` + tandem + `shared/httpx"; ` + tandem + `shared/record"; "net/http"`,
		"shared/creatio/contacts/a.go":     tandem + `shared/creatio"; ` + tandem + `shared/contact"; ` + tandem + `shared/odata"`,
		"shared/google/people/a.go":        tandem + `shared/google"; ` + tandem + `shared/contact"`,
		"shared/store/bolt/a.go":           tandem + `shared/store"; ` + tandem + `shared/store/internal/document"`,
		"shared/sandbox/creatio/a.go":      tandem + `shared/sandbox/sample"`,
		"scripts/local/main.go":            tandem + `shared/app"; ` + tandem + `shared/sandbox/google"`,
		"terraform/modules/x/main.tf":      ``,
		"shared/match/testdata/a.go":       `"os"`,
		".ci/tools/a.go":                   `"os"`,
		"shared/match/_draft.go":           `"os"`,
		"shared/google/a_test.go":          tandem + `shared/creatio"`,
		"shared/sandbox/internal/a/b/c.go": `"net/http"`,
	} {
		tree[name] = &fstest.MapFile{Data: []byte("package x\nimport (" + imports + ")\n")}
	}
	for _, problem := range check(readFiles(t, tree)) {
		t.Error(problem)
	}
}
