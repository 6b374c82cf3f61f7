package main

import (
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/chromedp/cdproto/emulation"
	"github.com/chromedp/cdproto/network"
	"github.com/chromedp/chromedp"
	"github.com/chromedp/chromedp/kb"

	"github.com/tandem-sync/tandem/shared/sandbox/sample"
)

// TestTwo_people_with_browsers has two people use one server: one by the keyboard alone, up to what needs a decision and a new consent,
// the other without script.
func TestTwo_people_with_browsers(t *testing.T) {
	t.Parallel()
	program := findBrowser(t)
	var box *services
	settings, end := running(t, options{data: t.TempDir(), env: bare, started: func(s *services) { box = s }})
	if settings == "" {
		t.Fatal(end())
	}
	defer func() {
		if err := end(); err != nil {
			t.Error(err)
		}
	}()
	sophia := newTab(t, program, settings)
	sophia.synchronizesByKeyboard()
	sophia.decides(box)
	sophia.connectsGoogleAgain(box)

	sophia.click("History")
	sophia.leads(chromedp.Click(chromedp.CSS("main table tbody tr:first-child a")))
	run := ask[string](sophia, "location.href")

	sophia.speaks("de", "Einstellungen", "Januar|Februar|März|April|Mai|Juni|Juli|August|September|Oktober|November|Dezember")
	sophia.speaks("uk", "Налаштування", "січня|лютого|березня|квітня|травня|червня|липня|серпня|вересня|жовтня|листопада|грудня")

	marek := newTab(t, program, settings)
	marek.synchronizesWithoutScript()
	marek.seesNothingOf(run)
	sophia.fine()
	marek.fine()
}

// reach goes to what has the words, or the name, by the tabulator, as far as it takes.
func (b *tab) reach(words string) {
	b.t.Helper()
	const at = `(e => e === document.body ? "" : [e.innerText, e.id, e.labels?.[0]?.innerText].map(w => (w ?? "").trim()).join("|"))(document.activeElement)`
	for range 150 {
		b.do(chromedp.KeyEvent(kb.Tab))
		if slices.Contains(strings.Split(ask[string](b, at), "|"), words) {
			return
		}
	}
	b.t.Fatalf("the keyboard does not come to %q; the page says:\n%s", words, b.text())
}

// press presses what has the words, and waits for the page behind it.
func (b *tab) press(words string) {
	b.t.Helper()
	b.reach(words)
	b.leads(chromedp.KeyEvent(kb.Enter))
}

// synchronizesByKeyboard comes from the first visit to contacts and activities that are in sync.
func (b *tab) synchronizesByKeyboard() {
	b.t.Helper()
	b.leads(chromedp.Navigate(b.settings))
	b.do(chromedp.KeyEvent(kb.Tab))
	if first := ask[string](b, "document.activeElement.innerText"); first != "Skip to the content" {
		b.t.Errorf("the keyboard comes first to %q", first)
	}
	b.press("Sign in with Google")
	b.press("Allow") // the consent page has the person chosen
	b.wantText(sample.UserEmail, "Connect your Creatio account.")
	b.press("Connect Creatio")
	b.press("Allow")
	b.reach("tagId")
	b.do(chromedp.KeyEvent(sample.PrivateTagName))
	b.press("Save settings")
	b.wantText("Your settings are saved.")
	b.press("Preview the first synchronization")
	b.wantText("This is only what a run would do.")
	b.press("Run it")
	b.ended()
	b.press("Settings")
	b.press("Synchronize activities now")
	b.ended()
	b.press("Settings")
	b.wantText("Contacts and activities are in sync")
}

// group is the resource name of the group of the user's contacts in Google.
func (s *services) group(email string) string {
	for _, g := range s.google.Account(email).Groups() {
		if g.Name == "Creatio" {
			return g.ResourceName
		}
	}
	return ""
}

// decides has two thirds of the contacts vanish in Google, twice: once they are kept, once they go.
func (b *tab) decides(box *services) {
	b.t.Helper()
	account, group := box.google.Account(sample.UserEmail), box.group(sample.UserEmail)
	all := len(account.Members(group))
	if all < 20 {
		b.t.Fatalf("only %d contacts are in sync", all)
	}
	lose := func() (held string) {
		for _, name := range account.Members(group)[:2*all/3] {
			account.RemoveFromGroup(name, group)
		}
		b.click("Synchronize contacts now")
		b.ended()
		b.wantText("Needs your decision", "would take away a lot", "Would be removed from the tag in Creatio")
		held = ask[string](b, "location.href")
		b.leads(chromedp.Navigate(b.settings))
		b.wantText("They need your decision.")
		b.click("Review the changes")
		return held
	}
	held := lose()
	b.inspect()
	b.prints()

	b.click("Keep the contacts")
	b.wantText("Keep the contacts?", fmt.Sprintf("This brings back %d contacts", 2*all/3))
	b.inspect()
	b.click("Keep the contacts")
	b.ended()
	b.wantText("You chose to keep records")
	if now := len(account.Members(group)); now != all {
		b.t.Errorf("%d of %d contacts are in the group after they were kept", now, all)
	}
	b.leads(chromedp.Navigate(held))
	b.wantText("Rejected", "You chose to keep what they would have taken away.")
	b.leads(chromedp.Navigate(b.settings))
	b.wantText("Contacts and activities are in sync")

	held = lose()
	b.click("Remove them")
	b.wantText("Remove them?", fmt.Sprintf("This removes %d contacts", 2*all/3))
	b.click("Remove them")
	b.ended()
	b.wantText("You chose to carry out changes", fmt.Sprintf("%d lost the tag", 2*all/3))
	b.leads(chromedp.Navigate(held))
	b.wantText("Approved")
	b.leads(chromedp.Navigate(b.settings))
	b.wantText("Contacts and activities are in sync")
	if now := len(account.Members(group)); now != all-2*all/3 {
		b.t.Errorf("%d contacts are in the group after %d of %d were removed", now, 2*all/3, all)
	}
}

// speaks looks at pages in another language: their words, which are longer, fit a phone too.
func (b *tab) speaks(language, settings, months string) {
	b.t.Helper()
	wanted := network.SetExtraHTTPHeadersParams{Headers: network.Headers{"Accept-Language": language}}
	if _, err := chromedp.Call(b.ctx, network.SetExtraHTTPHeaders, wanted); err != nil {
		b.t.Fatal(err)
	}
	run := ask[string](b, "location.href")
	for _, page := range []string{b.settings, b.settings + "/runs", b.settings + "/tokens", b.settings + "/privacy", run} {
		b.leads(chromedp.Navigate(page))
		b.wantText(settings)
		if is := ask[string](b, "document.documentElement.lang"); is != language {
			b.t.Errorf("%s is in %q, want %q", page, is, language)
		}
		if shown := ask[string](b, `document.querySelector("main time")?.innerText ?? ""`); shown != "" && !slices.ContainsFunc(strings.Split(months, "|"), func(m string) bool { return strings.Contains(shown, m) }) {
			b.t.Errorf("%s has the time %q", page, shown)
		}
		b.fits(language + "-" + ask[string](b, "document.title"))
	}
}

// prints looks at the page as it comes out of a printer: what it says, and nothing to press.
func (b *tab) prints() {
	b.t.Helper()
	const seen = `[...document.querySelectorAll("main h1, main .record h3, main button, header, footer, main nav")].filter(e => e.checkVisibility()).map(e => e.localName).join()`
	for media, want := range map[string]bool{"print": false, "": true} {
		if _, err := chromedp.Call(b.ctx, emulation.SetEmulatedMedia, emulation.SetEmulatedMediaParams{Media: media}); err != nil {
			b.t.Fatal(err)
		}
		shown := ask[string](b, seen)
		if !strings.Contains(shown, "h1") || !strings.Contains(shown, "h3") || strings.Contains(shown, "header") != want {
			b.t.Errorf("as %q the page shows %s", media, shown)
		}
		if media == "print" {
			if strings.Contains(shown, "button") || strings.Contains(shown, "nav") || strings.Contains(shown, "footer") {
				b.t.Errorf("what is printed has things to press: %s", shown)
			}
			if paper, err := chromedp.Run(b.ctx, chromedp.PrintToPDF()); err != nil || len(paper) == 0 {
				b.t.Errorf("print: %d bytes, %v", len(paper), err)
			}
		}
	}
}

// connectsGoogleAgain has the access to Google taken away, and gives it again by one consent.
func (b *tab) connectsGoogleAgain(box *services) {
	b.t.Helper()
	box.google.RevokeGrant(sample.UserEmail)
	b.click("Synchronize contacts now")
	b.ended()
	b.wantText("Connect Google again")
	b.leads(chromedp.Navigate(b.settings))
	b.wantText("Stopped", "one of your accounts has to be connected again", "Connect Google again")
	b.inspect()
	b.leads(chromedp.Click(chromedp.CSS(".status a.button")))
	b.click("Allow")
	b.wantText("Synchronize contacts now")
	b.click("Synchronize contacts now")
	b.ended()
	b.wantText("Done")
	b.click("Settings")
	b.wantText("Contacts and activities are in sync")
}

// synchronizesWithoutScript is a first visit with a browser that runs no script. The page of a run loads itself again all the same.
func (b *tab) synchronizesWithoutScript() {
	b.t.Helper()
	off := emulation.SetScriptExecutionDisabledParams{Value: true}
	if _, err := chromedp.Call(b.ctx, emulation.SetScriptExecutionDisabled, off); err != nil {
		b.t.Fatal(err)
	}
	b.leads(chromedp.Navigate(b.settings))
	b.click("Sign in with Google")
	b.consent("account", sample.ColleagueEmail)
	b.click("Connect Creatio")
	b.consent("user", sample.ColleagueLogin)
	b.do(chromedp.SetValue(chromedp.ID("tagId"), sample.ColleagueTagID))
	b.click("Save settings")
	b.wantText("Your settings are saved.")
	b.click("Preview the first synchronization")
	b.click("Run it")
	b.ended()
	b.wantText("Done in Google")
	b.click("Settings")
	b.wantText("Contacts are in sync")
	if text := b.text(); !strings.Contains(text, "CET") && !strings.Contains(text, "CEST") {
		b.t.Errorf("times are not in the zone that Creatio has of the person:\n%s", text)
	}
}

// seesNothingOf looks for what another person did.
func (b *tab) seesNothingOf(run string) {
	b.t.Helper()
	if text := b.text(); strings.Contains(text, sample.UserEmail) || !strings.Contains(text, sample.ColleagueEmail) {
		b.t.Errorf("the page is somebody else's:\n%s", text)
	}
	resp, err := chromedp.RunResponse(b.ctx, chromedp.Navigate(run))
	if err != nil || resp.Status != 404 {
		b.t.Fatalf("another person's run: %v, %v", resp, err)
	}
	b.wantText("Page not found", sample.ColleagueEmail)
	b.click("History")
	if text := b.text(); strings.Contains(text, "You chose to") || strings.Contains(text, "Activities\n") && strings.Contains(text, "Removed") {
		b.t.Errorf("the history has what another person did:\n%s", text)
	}
}

// fine tells of everything that the browser complained of.
func (b *tab) fine() {
	b.t.Helper()
	b.mu.Lock()
	defer b.mu.Unlock()
	for _, w := range b.wrong {
		if !strings.Contains(w, "404") {
			b.t.Errorf("the browser %s", w)
		}
	}
}
