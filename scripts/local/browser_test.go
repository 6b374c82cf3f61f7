package main

import (
	"context"
	_ "embed"
	"flag"
	"fmt"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/chromedp/cdproto/emulation"
	"github.com/chromedp/cdproto/log"
	"github.com/chromedp/cdproto/network"
	"github.com/chromedp/cdproto/runtime"
	"github.com/chromedp/chromedp"
	"github.com/chromedp/chromedp/kb"

	"github.com/tandem-sync/tandem/shared/sandbox/sample"
)

// patience is for everything that a person does in the browser, and for a machine that does much else.
const patience = 5 * time.Minute

// tab is a tab of a real browser.
type tab struct {
	t   *testing.T
	ctx context.Context
	// settings is the address of Tandem's pages.
	settings string

	shots int

	mu sync.Mutex
	// wrong is what the console complained of, and who else than this machine was asked for something.
	wrong []string
}

// findBrowser is the program of the browser. Without one the test is left out; with CI=true it fails.
func findBrowser(t *testing.T) string {
	t.Helper()
	for _, name := range []string{"chromium", "chromium-browser", "google-chrome"} {
		if program, err := exec.LookPath(name); err == nil {
			return program
		}
	}
	const missing = "no Chromium on the path: run ./scripts/setup, or install the package chromium"
	if os.Getenv("CI") == "true" {
		t.Fatal(missing)
	}
	t.Skip(missing)
	return ""
}

func newTab(t *testing.T, program, settings string) *tab {
	t.Helper()
	options := append(chromedp.DefaultExecAllocatorOptions[:], chromedp.ExecPath(program), chromedp.DisableGPU)
	if os.Geteuid() == 0 {
		// Chromium refuses to run as root within its sandbox, and loads nothing here but what this test serves.
		options = append(options, chromedp.NoSandbox)
	}
	// The test's own context is over before its cleanup, in which the browser is told to end.
	ctx, cancel := context.WithTimeout(context.WithoutCancel(t.Context()), patience)
	t.Cleanup(cancel)
	ctx, stop := chromedp.NewExecAllocator(ctx, options...)
	t.Cleanup(stop)
	ctx, stop = chromedp.NewContext(ctx)
	t.Cleanup(func() {
		// Unlike stop, it waits until the browser has ended and its files are gone.
		if err := chromedp.Cancel(ctx); err != nil {
			t.Errorf("end the browser: %v", err)
		}
		stop()
	})
	b := &tab{t: t, ctx: ctx, settings: settings}
	if err := chromedp.Listen(ctx, b.hear); err != nil {
		t.Fatalf("start the browser: %v", err)
	}
	return b
}

// hear takes down what must not happen. The simulated services have no icon, of which the console complains; that is
// theirs.
func (b *tab) hear(event any) {
	said := ""
	switch e := event.(type) {
	case *network.EventRequestWillBeSent:
		said = strayed(e)
	case *runtime.EventExceptionThrown:
		said = "throws " + e.ExceptionDetails.Text
	case *log.EventEntryAdded:
		if e.Entry.Level == log.EntryLevelError && !b.foreign(e.Entry.URL) {
			said = "complains of " + e.Entry.URL + ": " + e.Entry.Text
		}
	}
	if said == "" {
		return
	}
	b.mu.Lock()
	defer b.mu.Unlock()
	b.wrong = append(b.wrong, said)
}

// strayed tells of a request that leaves this machine, or of one for a part of a page to another place than the page's.
func strayed(e *network.EventRequestWillBeSent) string {
	to, err := url.Parse(e.Request.URL)
	if err == nil && to.Scheme == "data" {
		// The browser's own signs, as that of a field for a date, are asked of nobody.
		return ""
	}
	if err == nil && to.Hostname() == "127.0.0.1" {
		page, err := url.Parse(e.DocumentURL)
		if e.Type == network.ResourceTypeDocument || err == nil && page.Host == to.Host {
			return ""
		}
	}
	return "asks for " + e.Request.URL + " on " + e.DocumentURL
}

func (b *tab) foreign(address string) bool {
	return address != "" && !strings.HasPrefix(address, b.settings)
}

func (b *tab) do(steps ...chromedp.Action[chromedp.Void]) {
	b.t.Helper()
	if err := chromedp.Do(b.ctx, steps...); err != nil {
		b.t.Fatalf("%v; the page says:\n%s", err, b.text())
	}
}

// leads does what leads to another page, and waits for it.
func (b *tab) leads(steps ...chromedp.Action[chromedp.Void]) {
	b.t.Helper()
	resp, err := chromedp.RunResponse(b.ctx, steps...)
	if err != nil || resp.Status != 200 {
		b.t.Fatalf("got %v, error %v; the page says:\n%s", resp, err, b.text())
	}
}

// click clicks a link or a button by its words, and waits for the page behind it.
func (b *tab) click(words string) {
	b.t.Helper()
	b.leads(chromedp.Click(chromedp.Search(fmt.Sprintf(`//*[(self::a or self::button) and normalize-space()=%q]`, words))))
}

func ask[T any](b *tab, expression string) T {
	b.t.Helper()
	v, err := chromedp.Run(b.ctx, chromedp.Evaluate[T](expression))
	if err != nil {
		b.t.Fatalf("%s: %v", expression, err)
	}
	return v
}

func (b *tab) text() string {
	text, err := chromedp.Run(b.ctx, chromedp.Evaluate[string]("document.body.innerText"))
	if err != nil {
		return err.Error()
	}
	return text
}

func (b *tab) wantText(words ...string) {
	b.t.Helper()
	text := b.text()
	for _, w := range words {
		if !strings.Contains(text, w) {
			b.t.Errorf("%q is not on the page:\n%s", w, text)
		}
	}
}

// axe is the checker of accessible pages, as its makers publish it (https://github.com/dequelabs/axe-core, version 4.10.3).
//
//go:embed testdata/axe.min.js
var axe string

// widths are those of a small and of a usual phone, of a tablet and of a desk.
var widths = []int64{320, 360, 768, 1440}

// inspect holds the page to what every page has to do: fit every screen, be accessible in light and in dark, and show where the
// keyboard is. With -artifacts it keeps a picture of the page at each width.
func (b *tab) inspect() {
	b.t.Helper()
	title := ask[string](b, "document.title")
	b.define(axe)
	grounds := map[string]bool{}
	for _, scheme := range []string{"dark", "light"} {
		media := emulation.SetEmulatedMediaParams{Features: []*emulation.MediaFeature{
			{Name: "prefers-color-scheme", Value: scheme}, {Name: "prefers-reduced-motion", Value: "reduce"},
		}}
		if _, err := chromedp.Call(b.ctx, emulation.SetEmulatedMedia, media); err != nil {
			b.t.Fatal(err)
		}
		grounds[ask[string](b, "getComputedStyle(document.body).backgroundColor")] = true
		b.fits(title + "-" + scheme)
		for _, width := range []int64{map[string]int64{"dark": 360, "light": 1440}[scheme]} {
			b.do(chromedp.EmulateViewport(width, 800))
			found, err := chromedp.Run(b.ctx, chromedp.Evaluate[[]string](violations, chromedp.EvalAwaitPromise))
			if err != nil {
				b.t.Fatal(err)
			}
			for _, violation := range found {
				b.t.Errorf("%s, %d pixels, %s: %s", title, width, scheme, violation)
			}
		}
	}
	if len(grounds) != 2 {
		b.t.Errorf("%s: light and dark look the same", title)
	}
	b.walk(title)
}

// fits holds the page to every screen.
func (b *tab) fits(title string) {
	b.t.Helper()
	for _, width := range widths {
		b.do(chromedp.EmulateViewport(width, 800))
		if is := ask[int64](b, "document.documentElement.scrollWidth"); is > width {
			b.t.Errorf("%s: a screen of %d pixels has to be moved sideways to %d", title, width, is)
		}
		b.picture(fmt.Sprintf("%s-%d", title, width))
	}
}

// violations asks axe for what is not as WCAG 2.2 AA wants it.
const violations = `axe.run(document, {runOnly: ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"]})
	.then(r => r.violations.flatMap(v => v.nodes.map(n => v.id + ": " + n.html.slice(0, 200) + " " + n.failureSummary)))`

// define runs a script for what it defines.
func (b *tab) define(script string) {
	b.t.Helper()
	ask[bool](b, script+"; true")
}

// picture keeps a picture of the page, where somebody wants to look at it.
func (b *tab) picture(name string) {
	b.t.Helper()
	if wanted := flag.Lookup("test.artifacts"); wanted == nil || wanted.Value.String() != "true" {
		return
	}
	png, err := chromedp.Run(b.ctx, chromedp.FullScreenshot(100))
	if err != nil {
		b.t.Fatal(err)
	}
	b.shots++
	name = fmt.Sprintf("%02d-%s.png", b.shots/8, strings.NewReplacer("/", "-", " ", "-", ":", "", "–", "").Replace(name))
	if err := os.WriteFile(filepath.Join(b.t.ArtifactDir(), name), png, 0o644); err != nil {
		b.t.Fatal(err)
	}
}

// screenshot is where a picture of the settings page is kept, as ../../.github/settings.png, which the README shows.
var screenshot = flag.String("screenshot", "", "keep a picture of the settings page in this file")

// poster takes the picture, where somebody asked for it.
func (b *tab) poster() {
	b.t.Helper()
	if *screenshot == "" {
		return
	}
	b.do(chromedp.EmulateViewport(1200, 1000))
	b.leads(chromedp.Navigate(b.settings)) // its top, and nothing in focus
	png, err := chromedp.Run(b.ctx, chromedp.CaptureScreenshot())
	if err != nil {
		b.t.Fatal(err)
	}
	if err := os.WriteFile(*screenshot, png, 0o644); err != nil {
		b.t.Fatal(err)
	}
}

// ended waits until the run of the page has ended. The page finds that out by itself.
func (b *tab) ended() {
	b.t.Helper()
	b.do(chromedp.WaitReady(chromedp.CSS("main:not([data-live])")))
}

// focus tells which element has the keyboard, and whether that shows; empty where none has.
const focus = `(() => {
	const e = document.activeElement
	if (!e || e === document.body) return ""
	const s = getComputedStyle(e)
	const shows = s.outlineStyle !== "none" && parseFloat(s.outlineWidth) > 0
	return (shows ? "shows " : "hides ") + [...document.querySelectorAll("*")].indexOf(e) + " " + e.outerHTML.slice(0, 80)
})()`

// walk goes through the page with the tabulator.
func (b *tab) walk(title string) {
	b.t.Helper()
	ask[any](b, "document.activeElement.blur()")
	var seen []string
	for {
		b.do(chromedp.KeyEvent(kb.Tab))
		at := ask[string](b, focus)
		if at == "" || slices.Contains(seen, at) {
			break
		}
		if strings.HasPrefix(at, "hides ") {
			b.t.Errorf("%s: nobody sees that the keyboard %s", title, at)
		}
		seen = append(seen, at)
	}
	if want := ask[int](b, `document.querySelectorAll("a[href], button, summary, select, input, [tabindex='0']").length`); len(seen) < min(want, 5) {
		b.t.Errorf("%s: the keyboard comes to %d of %d places", title, len(seen), want)
	}
}

// consent chooses who it is and allows what is asked for, on a simulated consent page.
func (b *tab) consent(name, value string) {
	b.t.Helper()
	b.do(chromedp.Click(chromedp.CSS(fmt.Sprintf(`input[name=%s][value=%q]`, name, value))))
	b.click("Allow")
}

func TestA_person_with_a_browser_comes_from_sign_in_to_the_last_synchronization(t *testing.T) {
	t.Parallel()
	program := findBrowser(t)
	settings, end := running(t, options{data: t.TempDir(), env: func(name string) (string, bool) {
		if name == "ADMIN_EMAILS" {
			return sample.UserEmail, true
		}
		return bare(name)
	}})
	if settings == "" {
		t.Fatal(end())
	}
	defer func() {
		if err := end(); err != nil {
			t.Error(err)
		}
	}()

	b := newTab(t, program, settings)
	b.leads(chromedp.Navigate(settings))
	b.inspect()
	b.click("Sign in with Google")
	b.consent("account", sample.UserEmail)
	b.wantText(sample.UserEmail, "Connect your Creatio account.")
	b.inspect()
	b.click("Connect Creatio")
	b.consent("user", sample.UserLogin)
	b.wantText("Choose a private tag of Creatio.")

	b.do(chromedp.SetValue(chromedp.ID("tagId"), sample.PrivateTagID))
	b.click("Save settings")
	b.wantText("Your settings are saved.", "Nothing has been synchronized yet.")
	b.inspect()
	b.click("Preview the first synchronization")
	b.wantText("This is only what a run would do.", "Would be done in Google", "Would be created in Google")
	b.inspect()
	b.click("Run it")
	b.ended()
	b.wantText("Done in Google", "Created in Google", "Undo this run")
	b.inspect()
	b.click("Settings")
	b.wantText("Contacts are in sync", "Last successful sync")
	b.click("Synchronize activities now")
	b.ended()
	b.click("Settings")
	b.poster()

	b.click("make an access token")
	b.wantText("Access tokens", "You have no access tokens.")
	b.inspect()
	b.do(chromedp.SendKeys(chromedp.ID("name"), "Nightly backup"))
	b.click("Make a token")
	b.wantText("Your new access token:", "tandem_", "Nightly backup", "Read only")
	b.inspect()
	b.click("Revoke")
	b.wantText("The token is revoked.", "You have no access tokens.")

	b.click("History")
	b.wantText("You asked for it", "Contacts", "Activities")
	b.inspect()
	b.leads(chromedp.Click(chromedp.CSS("main table tbody tr:first-child a")))
	b.wantText("Created in Creatio", "Stand-up", "all day", "15 minutes before the start")
	if text := b.text(); strings.Contains(text, "00Z/") {
		t.Errorf("a time is not written as people read it:\n%s", text)
	}
	b.inspect()
	b.click("Settings")
	b.wantText("Contacts and activities are in sync")
	b.inspect()
	b.leads(chromedp.Click(chromedp.CSS("form[action$='/activities/preview'] button")))
	b.wantText("This is only what a run would do.", "A synchronization would change nothing.")

	b.click("History")
	b.wantText("You asked for it", "Contacts", "Activities", "Changes a day")
	b.inspect()
	b.do(chromedp.SetValue(chromedp.ID("q"), "stand"))
	b.click("Search")
	b.wantText("What happened to “stand”", "Stand-up")
	b.inspect()
	b.click("Back to the history")
	b.leads(chromedp.Click(chromedp.Search(`//tr[contains(., "Contacts")][contains(., "Done in Google")]//a`)))
	undone := ask[string](b, "location.href")
	b.click("Undo this run")
	b.wantText("Undo this run?", "This puts back", "out of the group or the tag")
	b.inspect()
	b.click("Undo this run")
	b.ended()
	b.wantText("You undid a run", "Not synced: removed from the group in Google by an undo", "put them into the group in Google")
	b.leads(chromedp.Navigate(undone))
	b.wantText("This run was undone")

	b.click("Administration")
	b.wantText(sample.UserEmail, "Users, those needing attention first", "SCHEDULER is not set")
	b.inspect()
	b.click("Settings")
	b.click("Delete your account")
	b.wantText("This cannot be undone.")
	b.inspect()
	b.click("Sign out")
	b.wantText("Sign in with Google")

	b.mu.Lock()
	defer b.mu.Unlock()
	for _, w := range b.wrong {
		t.Errorf("the browser %s", w)
	}
}
