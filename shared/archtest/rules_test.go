package archtest

import "strings"

// layer is what kind of package one is.
type layer string

const (
	// pure computes: no I/O, no clock, no logger. What comes in is all that decides what goes out.
	pure layer = "pure"
	// ground is what others stand on: documents, configuration, logs, one HTTP client. It knows no service.
	ground layer = "ground"
	// adapter speaks to one service or database.
	adapter layer = "adapter"
	// core is what Tandem does, in terms of ports that it declares.
	core layer = "core"
	// composition connects core and adapters.
	composition layer = "composition"
	// entry is what the platform calls.
	entry layer = "entry"
	// stage is for tests and for the local server: stand-ins and conformance suites.
	stage layer = "stage"
	// script is run by a developer.
	script layer = "script"
)

// place is one line of the table. A path that ends in "/..." stands for all packages below as well.
type place struct {
	path  string
	layer layer
	// may lists what the package may import of this module.
	may []string
	why string
}

// purely is what everybody but the pure packages themselves may import.
var purely = []string{"shared/fault", "shared/record", "shared/reconcile", "shared/match", "shared/recurrence", "shared/zone", "shared/richtext", "shared/tick"}

func with(base []string, more ...string) []string { return append(base[:len(base):len(base)], more...) }

// places is the table: every package has its line, whether it is there already or not.
var places = []place{
	{"functions/...", entry, []string{"shared/app"}, "a function reads the request, calls app and writes the answer; all else would be deployed untested"},
	{"shared/app", composition, with(
		purely, "shared/contact", "shared/activity", "shared/config", "shared/observe", "shared/httpx", "shared/odata", "shared/store", "shared/store/migrate", "shared/store/bolt", "shared/store/firestore",
		"shared/creatio", "shared/creatio/contacts", "shared/creatio/activities", "shared/google", "shared/google/people", "shared/google/calendar", "shared/vault", "shared/queue", "shared/schedule", "shared/notice", "shared/syncer", "shared/oauth", "shared/channel", "shared/web",
	), "one package connects everything, so that all others can be used and tested alone"},

	{"shared/fault", pure, nil, "everybody speaks its kinds, so it can know nobody"},
	{"shared/record", pure, []string{"shared/fault"}, "records are what all others talk about"},
	{"shared/reconcile", pure, []string{"shared/fault", "shared/record"}, "a plan can be proved only where nothing but its input decides it"},
	{"shared/match", pure, []string{"shared/fault", "shared/record"}, "pairs can be proved only where nothing but the records decides them"},
	{"shared/contact", pure, []string{"shared/fault", "shared/record", "shared/match"}, "what a contact is follows from its fields alone"},
	{"shared/activity", pure, []string{"shared/fault", "shared/record", "shared/match", "shared/recurrence", "shared/zone", "shared/richtext"}, "what an activity is follows from its fields alone"},
	{"shared/richtext", pure, nil, "what a note says follows from its letters alone"},
	{"shared/tick", pure, nil, "when a job comes follows from the interval alone"},
	{"shared/zone", pure, nil, "when a local time is follows from the rules of its zone alone"},
	{"shared/zone/internal/generate", script, nil, "it writes a table when somebody asks it to"},
	{"shared/recurrence", pure, []string{"shared/fault", "shared/record", "shared/zone"}, "instances follow from the series and the range alone"},

	{"shared/config", ground, []string{"shared/fault"}, "it is read before anything else is there"},
	{"shared/observe", ground, []string{"shared/fault"}, "everything that is not pure logs through it"},
	{"shared/httpx", ground, []string{"shared/fault", "shared/observe"}, "it carries every call and knows no API"},
	{"shared/odata", ground, []string{"shared/fault", "shared/observe", "shared/httpx"}, "it speaks OData and knows no Creatio"},
	{"shared/store", ground, []string{"shared/fault", "shared/record"}, "it says what is kept, not where"},

	{"shared/store/migrate", core, []string{"shared/fault", "shared/observe", "shared/record", "shared/store"}, "documents are brought forward through the interface, whatever holds them"},

	{"shared/store/internal/document", adapter, []string{"shared/fault", "shared/record", "shared/store"}, "what the databases share must not know one of them"},
	{"shared/store/bolt", adapter, with(purely, "shared/observe", "shared/store", "shared/store/internal/document"), "a database knows documents, and nobody who uses them"},
	{"shared/store/firestore", adapter, with(purely, "shared/observe", "shared/store", "shared/store/internal/document"), "a database knows documents, and nobody who uses them"},
	{"shared/creatio", adapter, []string{"shared/fault", "shared/record", "shared/observe", "shared/httpx", "shared/odata"}, "the site is the same for every kind of records, so it knows none"},
	{"shared/creatio/contacts", adapter, with(purely, "shared/contact", "shared/creatio", "shared/observe", "shared/httpx", "shared/odata"), "a side knows its service and its kind, and neither the other side nor the run"},
	{"shared/creatio/activities", adapter, with(purely, "shared/activity", "shared/creatio", "shared/observe", "shared/httpx", "shared/odata"), "a side knows its service and its kind, and neither the other side nor the run"},
	{"shared/google", adapter, []string{"shared/fault", "shared/record", "shared/observe", "shared/httpx"}, "calls and their errors are the same for every kind of records, so it knows none"},
	{"shared/google/people", adapter, with(purely, "shared/contact", "shared/google", "shared/observe", "shared/httpx"), "a side knows its service and its kind, and neither the other side nor the run"},
	{"shared/google/calendar", adapter, with(purely, "shared/activity", "shared/google", "shared/observe", "shared/httpx"), "a side knows its service and its kind, and neither the other side nor the run"},
	{"shared/vault", adapter, []string{"shared/fault", "shared/observe"}, "it seals bytes and knows no token"},
	{"shared/cloud", ground, []string{"shared/fault"}, "it knows what Google Cloud's APIs have in common, and none of the APIs"},
	{"shared/queue", adapter, []string{"shared/cloud", "shared/fault", "shared/record", "shared/observe"}, "it carries tasks and knows no work"},
	{"shared/schedule", adapter, []string{"shared/cloud", "shared/fault", "shared/record", "shared/observe", "shared/tick"}, "it sets jobs and knows no work"},
	{"shared/notice", adapter, []string{"shared/fault", "shared/record"}, "it tells people, and does not know why"},

	{"shared/syncer", core, with(purely, "shared/observe", "shared/store", "shared/httpx"), "a run is tested in a simulated world, which stands in for every port; of httpx it takes the counter of calls"},
	{"shared/oauth", core, with(purely, "shared/observe", "shared/store", "shared/httpx"), "linking asks for a vault and for accounts by ports of its own"},
	{"shared/channel", core, with(purely, "shared/observe", "shared/store"), "a channel is opened and stopped by a port of its own"},
	{"shared/web", core, with(purely, "shared/contact", "shared/activity", "shared/observe", "shared/store"), "pages ask for what they show by ports of their own"},

	{"shared/store/storetest", stage, []string{"shared/fault", "shared/record", "shared/contact", "shared/store", "shared/store/migrate"}, "the suite holds every database to the same rules, so it can know none"},
	{"shared/sandbox/...", stage, []string{"shared/fault", "shared/record", "shared/recurrence", "shared/observe", "shared/sandbox/..."}, "a stand-in that shares code with the adapter makes the same mistakes, and proves nothing"},
	{"shared/archtest", stage, nil, "it reads files and imports nobody"},
	{"shared/app/worldtest", stage, nil, "it has everything go wrong at once, and only its tests import any"},
	{"terraform/tests/hold", stage, nil, "it holds the Terraform files against the code, and only its tests import any"},
	{"terraform/tests/scripts", stage, nil, "it runs the scripts of operators with programs in the place of the cloud's"},
	{"scripts/simulate", script, []string{"shared/record", "shared/syncer", "shared/tick"}, "it computes when users are due as the program does, and runs nothing"},
	{"scripts/...", script, []string{
		"shared/app", "shared/config", "shared/observe", "shared/fault", "shared/record", "shared/store", "shared/sandbox/...",
		"shared/store/storetest", "scripts/...",
	}, "a script uses Tandem as it is deployed, composed by app"},
}

// never are the rules that hold whatever the table says.
var never = []struct {
	broken func(from, to place) bool
	why    string
}{
	{func(_, to place) bool { return to.layer == entry }, "functions are where everything ends: nothing imports them"},
	{func(from, to place) bool { return from.layer == pure && to.layer != pure }, "a pure package knows no I/O, not even through another package"},
	{func(from, to place) bool { return to.layer == stage && from.layer != stage && from.layer != script }, "what stands in for a service in tests is not deployed"},
	{func(from, to place) bool {
		ofOwnService := strings.HasPrefix(from.path, to.path+"/")
		return from.layer == adapter && to.layer == adapter && !ofOwnService && to.path != "shared/store/internal/document"
	}, "adapters do not know one another, but for the package of a side's own service: what two of them need goes through app, or into a ground package"},
	{func(from, to place) bool {
		return to.layer == adapter && from.layer != composition && from.layer != adapter
	}, "only app imports adapters; everybody else declares the port that it needs"},
}

// pureImports are what a pure package may import from outside of the module: what computes and does nothing else.
var pureImports = []string{
	"bytes", "cmp", "container/...", "crypto/sha1", "crypto/sha256", "embed", "encoding", "encoding/...", "errors", "fmt", "hash", "hash/...",
	"html", "iter", "maps", "math", "math/big", "math/bits", "net/url", "path", "regexp", "slices", "sort", "strconv", "strings", "sync",
	"text/template", "time", "unicode", "unicode/...", "unique",
	"github.com/google/uuid", "github.com/mozillazg/go-unidecode", "github.com/nyaruka/phonenumbers", "github.com/rivo/uniseg", "github.com/teambition/rrule-go", "golang.org/x/net/html/...",
	"golang.org/x/net/idna", "golang.org/x/text/...",
}

// pureExceptions are imports that one pure package may have, and why.
var pureExceptions = map[string]map[string]string{
	"shared/fault": {"context": "it tells the errors of a context from others"},
	"shared/zone":  {"time/tzdata": "it embeds the rules of the zones, which are a table"},
}

// impure are names of those imports that read a clock, the machine or a terminal.
var impure = map[string][]string{
	"time":                   {"Now", "Since", "Until", "Sleep", "After", "AfterFunc", "Tick", "NewTimer", "NewTicker", "Local"},
	"fmt":                    {"Print", "Printf", "Println", "Scan", "Scanf", "Scanln"},
	"github.com/google/uuid": {"New", "NewString", "NewRandom", "NewUUID", "NewV6", "NewV7", "NewDCEGroup", "NewDCEPerson", "NewDCESecurity"},
}

// entryImports are what a function may import from outside of the module, besides the standard library.
var entryImports = []string{"github.com/GoogleCloudPlatform/functions-framework-go/..."}

// top is what lies at the root of the repository, besides names that begin with a dot. A Go file there would become
// part of every function: Cloud Functions builds the package at the root.
var top = []string{"functions", "shared", "terraform", "scripts", "go.mod", "go.sum", "README.md"}
