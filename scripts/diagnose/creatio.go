package main

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"strings"
)

// privateTags is the type of ContactTag that only its owner sees.
const privateTags = "8d7f6d6c-4ca5-4b43-bdd9-a5e01a582260"

// The names of communication types and of columns are those that every site is delivered with.
const mobilePhone = "d4a2dc80-30ca-df11-9b2a-001d60e938c6"

// site is a Creatio site, by requests below its OData address.
type site struct {
	*caller
	root *caller
	r    *report
}

func askCreatio(ctx context.Context, r *report, address string, env func(string) string) error {
	r.service("Creatio, " + address)
	root := newCaller(address)
	for _, path := range []string{"/.well-known/openid-configuration", "/0/.well-known/openid-configuration"} {
		a, err := root.call(ctx, http.MethodGet, path, nil)
		if err != nil {
			return err
		}
		if found := a.text("token_endpoint") != ""; found || strings.HasPrefix(path, "/0") {
			r.say("Does the site name an identity service, for consent and client credentials?", found, "%s", a.text("token_endpoint"))
			break
		}
	}
	if err := signIn(ctx, r, root, env); err != nil {
		return err
	}
	s := &site{root: root, r: r}
	for _, prefix := range []string{"/0", ""} {
		c := *root
		c.base = address + prefix + "/odata"
		a, err := c.call(ctx, http.MethodGet, "/Contact?$top=1&$select=Id", nil)
		if err != nil {
			return err
		}
		if a.ok() && a.value != nil {
			r.say("Is its OData service below /0 (.NET Framework)?", prefix == "/0", "%s", prefix+"/odata")
			s.caller = &c
			break
		}
	}
	if s.caller == nil {
		return errors.New("creatio: neither /0/odata nor /odata answers this user; has it the right to use OData (CanUseODataService)?")
	}
	return s.ask(ctx)
}

// signIn signs in with a token, or once with a name and a password: Creatio locks accounts.
func signIn(ctx context.Context, r *report, root *caller, env func(string) string) error {
	if token := env("CREATIO_ACCESS_TOKEN"); token != "" {
		root.header.Set("Authorization", "Bearer "+token)
		return nil
	}
	if env("CREATIO_USERNAME") == "" {
		return errors.New("creatio: set CREATIO_ACCESS_TOKEN, or CREATIO_USERNAME and CREATIO_PASSWORD")
	}
	a, err := root.call(ctx, http.MethodPost, "/ServiceModel/AuthService.svc/Login", map[string]any{"UserName": env("CREATIO_USERNAME"), "UserPassword": env("CREATIO_PASSWORD")})
	if err != nil {
		return err
	}
	code, _ := a.value["Code"].(float64)
	in := a.status == http.StatusOK && a.value["Code"] != nil && code == 0
	r.say("May users sign in with name and password?", in, "status %d, code %v", a.status, a.value["Code"])
	if !in {
		return errors.New("creatio: the name or the password is refused; it was tried once, because Creatio locks accounts")
	}
	at, err := url.Parse(root.base)
	if err != nil {
		return err
	}
	for _, c := range root.http.Jar.Cookies(at) {
		if c.Name == "BPMCSRF" || c.Name == "CRT_CSRF" {
			root.header.Set(c.Name, c.Value)
		}
	}
	root.header.Set("ForceUseSession", "true")
	return nil
}

func query(filter string, more ...string) string {
	return "?" + strings.ReplaceAll(url.Values{"$filter": {filter}}.Encode(), "+", "%20") + strings.Join(append([]string{""}, more...), "&")
}

func (s *site) ask(ctx context.Context) error {
	for _, set := range []string{"Contact", "ContactCommunication", "ContactAddress", "ContactAnniversary", "ContactTag", "ContactInTag", "Tag", "Activity", "ActivityParticipant", "SysAdminUnit"} {
		a, err := s.call(ctx, http.MethodGet, "/"+set+"?$top=1&$select=Id", nil)
		if err != nil {
			return err
		}
		s.r.say("May the user read "+set+"?", a.ok(), "status %d", a.status)
	}
	a, err := s.call(ctx, http.MethodGet, "/ContactTag"+query("TypeId eq "+privateTags, "$top=50"), nil)
	if err == nil && !a.ok() {
		a, err = s.call(ctx, http.MethodGet, "/ContactTag"+query("Type/Id eq "+privateTags, "$top=50"), nil)
	}
	if err != nil {
		return err
	}
	s.r.say("Does the user see private tags?", len(a.rows()) > 0, "%d; make one first if none is expected to be there", len(a.rows()))
	a, err = s.call(ctx, http.MethodGet, "/SysAdminUnit?$top=50&$select=Id,TimeZoneId"+"&$filter=SysAdminUnitTypeValue%20eq%204", nil)
	if err != nil {
		return err
	}
	zones := 0
	for _, row := range a.rows() {
		if zone, _ := row["TimeZoneId"].(string); zone != "" {
			zones++
		}
	}
	s.r.say("Does the site tell users' time zones?", zones > 0, "%d of %d users who may be read", zones, len(a.rows()))
	for _, step := range []func(context.Context) error{s.askCounts, s.askBatches, s.askFilters, s.askScratch} {
		if err := step(ctx); err != nil {
			return err
		}
	}
	return nil
}

// askCounts compares the two counts of a list: one of them may not respect the rights on single records.
func (s *site) askCounts(ctx context.Context) error {
	a, err := s.call(ctx, http.MethodGet, "/Contact?$top=1&$select=Id&$count=true", nil)
	if err != nil {
		return err
	}
	b, err := s.call(ctx, http.MethodGet, "/Contact/$count", nil)
	if err != nil {
		return err
	}
	listed, has := a.value["@odata.count"].(float64)
	s.r.say("Does a list say how many records there are?", has, "%v", a.value["@odata.count"])
	alone := strings.TrimSpace(strings.TrimPrefix(string(b.body), "\ufeff"))
	s.r.skip("Does the site answer 429 when it is asked too much?", "only a flood of requests could tell, and it would slow everybody down")
	whole, err := s.call(ctx, http.MethodGet, "/Contact?$select=Id", nil)
	if err != nil {
		return err
	}
	const cut = "Does a list that the site cuts off name its next page (nextLink)?"
	if link := whole.text("@odata.nextLink") + whole.text("@nextLink"); link != "" || whole.ok() && float64(len(whole.rows())) < listed {
		s.r.say(cut, link != "", "%d of %.0f records", len(whole.rows()), listed)
	} else {
		s.r.skip(cut, "it cuts off nothing: %d of %.0f records, status %d", len(whole.rows()), listed, whole.status)
	}
	s.r.say("Is $count the same as what the user may read?", b.ok() && alone == fmt.Sprintf("%.0f", listed), "%.40s, and %v in the list", alone, a.value["@odata.count"])
	return nil
}

// part is one request of a batch.
func part(id int, method, path string, body any) map[string]any {
	p := map[string]any{"id": fmt.Sprint(id), "method": method, "url": path}
	if body != nil {
		p["body"], p["headers"] = body, map[string]string{"Content-Type": "application/json"}
	}
	return p
}

// batch sends parts, going on after one that fails, and gives their statuses and bodies by their ids.
func (s *site) batch(ctx context.Context, parts []map[string]any) (status int, answers map[string]map[string]any, err error) {
	c := *s.caller
	c.header = s.header.Clone()
	c.header.Set("Prefer", "continue-on-error")
	a, err := c.call(ctx, http.MethodPost, "/$batch", map[string]any{"requests": parts})
	answers = map[string]map[string]any{}
	list, _ := a.value["responses"].([]any)
	for _, item := range list {
		if one, ok := item.(map[string]any); ok {
			answers[fmt.Sprint(one["id"])] = one
		}
	}
	return a.status, answers, err
}

// good counts the parts that succeeded.
func good(answers map[string]map[string]any) (n int) {
	for _, a := range answers {
		if status, _ := a["status"].(float64); status >= 200 && status < 300 {
			n++
		}
	}
	return n
}

func (s *site) askBatches(ctx context.Context) error {
	for _, size := range []int{100, 101} {
		var parts []map[string]any
		for i := range size {
			parts = append(parts, part(i, http.MethodGet, "Contact?$top=1&$select=Id", nil))
		}
		status, answers, err := s.batch(ctx, parts)
		if err != nil {
			return err
		}
		s.r.say(fmt.Sprintf("Does a batch take %d parts?", size), good(answers) == size, "status %d, %d parts answered", status, good(answers))
	}
	_, answers, err := s.batch(ctx, []map[string]any{
		part(1, http.MethodGet, "Contact?$top=1&$select=Id", nil), part(2, http.MethodGet, "Contact?$top=1&$select=NoSuchColumn", nil), part(3, http.MethodGet, "Contact?$top=1&$select=Id", nil),
	})
	if err != nil {
		return err
	}
	failed := answers["2"]
	s.r.say("Do the other parts of a batch go on after one that fails?", good(answers) == 2, "%d of 2; the failed one has status %v", good(answers), failed["status"])
	s.r.say("Does a part that fails say why?", failed["body"] != nil && failed["body"] != "", "status %v", failed["status"])
	return nil
}

func (s *site) askFilters(ctx context.Context) error {
	ids := make([]string, 15)
	for _, path := range []string{"Id", "Contact/Id"} {
		set := map[string]string{"Id": "Contact", "Contact/Id": "ContactCommunication"}[path]
		for i := range ids {
			ids[i] = path + " eq " + newID()
		}
		a, err := s.call(ctx, http.MethodGet, "/"+set+query(strings.Join(ids, " or "), "$top=1", "$select=Id"), nil)
		if err != nil {
			return err
		}
		s.r.say("Does a filter take 15 ids by "+path+"?", a.ok(), "status %d", a.status)
	}
	a, err := s.call(ctx, http.MethodGet, "/Contact"+query("Id gt 00000000-0000-0000-0000-000000000000", "$top=1", "$select=Id", "$orderby=Id"), nil)
	if err != nil {
		return err
	}
	s.r.say("Can ids be compared (Id gt …), as pages need it?", a.ok(), "status %d", a.status)
	return nil
}

// askScratch makes a contact, tries on it what writes do, and removes it.
func (s *site) askScratch(ctx context.Context) (err error) {
	id := newID()
	name := "Tandem doctor, may be deleted"
	made, err := s.call(ctx, http.MethodPost, "/Contact", map[string]any{"Id": id, "Name": name})
	if err != nil {
		return errors.Join(err, s.remove(ctx, "Contact", id))
	}
	s.r.say("May the user create a contact?", made.ok(), "status %d", made.status)
	if !made.ok() {
		return nil
	}
	// Whatever happens from here on, the contact goes.
	defer func() { err = errors.Join(err, s.remove(context.WithoutCancel(ctx), "Contact", id)) }()
	s.r.say("Does a creation keep the id that it is given?", strings.EqualFold(made.text("Id"), id), "")
	again, err := s.call(ctx, http.MethodPost, "/Contact", map[string]any{"Id": id, "Name": name})
	if err != nil {
		return err
	}
	s.r.say("Is a second creation with the same id refused?", !again.ok(), "status %d", again.status)
	patched, err := s.call(ctx, http.MethodPatch, "/Contact("+id+")", map[string]any{"TandemHasNoSuchColumn": "1"})
	if err != nil {
		return err
	}
	s.r.say("Is a change refused that names a column which is not there?", !patched.ok(), "status %d", patched.status)
	const number = "+1 (212) 555-01-00 ext. 7"
	phone := newID()
	kept, err := s.call(ctx, http.MethodPost, "/ContactCommunication", map[string]any{"Id": phone, "ContactId": id, "CommunicationTypeId": mobilePhone, "Number": number})
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, s.remove(context.WithoutCancel(ctx), "ContactCommunication", phone)) }()
	read, err := s.call(ctx, http.MethodGet, "/ContactCommunication("+phone+")", nil)
	if err != nil {
		return err
	}
	s.r.say("Is a phone number kept as it is written (no mask)?", kept.ok() && read.text("Number") == number, "status %d, %q", kept.status, read.text("Number"))
	_, answers, err := s.batch(ctx, []map[string]any{
		grouped(part(1, http.MethodPatch, "Contact("+id+")", map[string]any{"JobTitle": "first part"})),
		grouped(part(2, http.MethodPatch, "Contact("+id+")", map[string]any{"AccountId": newID()})),
	})
	if err != nil {
		return err
	}
	read, err = s.call(ctx, http.MethodGet, "/Contact("+id+")?$select=Id,JobTitle", nil)
	if err != nil {
		return err
	}
	if good(answers) == 2 {
		s.r.skip("Is a change set undone whose last part fails?", "the part that should fail did not: look-ups are not checked")
		return nil
	}
	s.r.say("Is a change set undone whose last part fails?", read.text("JobTitle") == "", "the first part says %q", read.text("JobTitle"))
	return nil
}

func grouped(p map[string]any) map[string]any {
	p["atomicityGroup"] = "g1"
	return p
}

// remove deletes what was made, if it was.
func (s *site) remove(ctx context.Context, set, id string) error {
	a, err := s.call(ctx, http.MethodDelete, "/"+set+"("+id+")", nil)
	if err != nil || !a.ok() && a.status != http.StatusNotFound {
		return errors.Join(fmt.Errorf("creatio: the scratch record %s(%s) could not be removed, so remove it yourself: status %d", set, id, a.status), err)
	}
	if set == "Contact" {
		s.r.say("Is the scratch contact removed?", true, "")
	}
	return nil
}

func newID() string {
	var b [16]byte
	_, _ = rand.Read(b[:]) // never fails
	b[6], b[8] = b[6]&0x0f|0x40, b[8]&0x3f|0x80
	return fmt.Sprintf("%x-%x-%x-%x-%x", b[:4], b[4:6], b[6:8], b[8:10], b[10:])
}
