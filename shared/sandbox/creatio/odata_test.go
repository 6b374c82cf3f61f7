package creatio_test

import (
	"fmt"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/tandem-sync/tandem/shared/sandbox/creatio"
)

// people makes contacts whose names are one letter.
func people(t *testing.T) *world {
	t.Helper()
	w := newWorld(t, creatio.Options{})
	acme, err := w.box.System().Insert("Account", map[string]any{"Name": "Acme"})
	if err != nil {
		t.Fatal(err)
	}
	w.insert("Contact", map[string]any{"Name": "A", "JobTitle": "O'Hara", "AccountId": acme, "Email": "a@example.com", "Confirmed": true})
	w.clock.pass(time.Minute)
	w.insert("Contact", map[string]any{"Name": "B", "JobTitle": "Pilot", "BirthDate": "1990-01-02T00:00:00Z"})
	w.clock.pass(time.Minute)
	w.insert("Contact", map[string]any{"Name": "C", "JobTitle": "pilot, or not", "AccountId": acme, "Completeness": 7})
	return w
}

// asked is the path of a query with escaped options.
func asked(set string, options ...string) string {
	path := "/0/odata/" + set
	for i := 0; i < len(options); i += 2 {
		path += map[bool]string{true: "?", false: "&"}[i == 0] + options[i] + "=" + strings.ReplaceAll(url.PathEscape(options[i+1]), "+", "%2B")
	}
	return path
}

func names(a answer) string {
	var out []string
	rows, _ := a.json["value"].([]any)
	for _, r := range rows {
		out = append(out, fmt.Sprint(r.(map[string]any)["Name"]))
	}
	slices.Sort(out)
	return strings.Join(out, "")
}

func TestFilters_let_through_what_they_say(t *testing.T) {
	t.Parallel()
	w := people(t)
	acme := w.box.System().Rows("Account", nil)[0]["Id"].(string)
	b := w.box.System().Rows("Contact", map[string]any{"Name": "B"})[0]["Id"].(string)
	h := w.ann()
	for filter, want := range map[string]string{
		"Name eq 'A'":                                                 "A",
		"Name ne 'A' and Name lt 'C'":                                 "B",
		"Name eq 'A' or Name eq 'B'":                                  "AB",
		"not (Name eq 'A')":                                           "BC",
		"JobTitle eq 'O''Hara'":                                       "A",
		"contains(JobTitle,'ilot')":                                   "BC",
		"contains(JobTitle, ' or ')":                                  "C",
		"startswith(JobTitle,'pilot')":                                "C",
		"endswith(JobTitle,'not')":                                    "C",
		"tolower(JobTitle) eq 'pilot'":                                "B",
		"Account/Id eq " + acme:                                       "AC",
		"Account/Id eq " + newContact + " or Account/Id eq " + acme:   "AC",
		"Account/Id eq " + acme + " or Name eq 'B'":                   "ABC",
		"Account/Id eq " + acme + " and Name eq 'C'":                  "C",
		"Account/Id eq " + acme + " or Id eq " + b:                    "ABC",
		"Id in (" + b + "," + newContact + ")":                        "B",
		"Account/Name eq 'Acme'":                                      "AC",
		"Account/Id eq null":                                          "B",
		"Account/Id ne null":                                          "AC",
		"Account/Id ne " + newContact:                                 "AC",
		"not (Account/Id eq " + acme + ")":                            "",
		"Email eq null":                                               "BC",
		"Email ne ''":                                                 "A",
		"Confirmed eq true":                                           "A",
		"Confirmed":                                                   "A",
		"Completeness gt 5":                                           "C",
		"BirthDate eq null":                                           "AC",
		"BirthDate lt 2000-01-01T00:00:00Z":                           "B",
		"CreatedOn ge 2026-03-01T12:01:00Z and Account/Id eq " + acme: "C",
		"CreatedOn gt 2026-03-01T13:00:30+01:00":                      "BC",
		"Name in ('A','C')":                                           "AC",
		"(Name eq 'A' or Name eq 'B') and (JobTitle eq 'Pilot')":      "B",
		"Name eq 'A' or Name eq 'B' and JobTitle eq 'x'":              "A",
		"Name eq 'A' and (Account/Id eq " + acme + " or Name eq 'B')": "A",
		"null eq Email and Name eq 'B'":                               "B",
	} {
		if a := w.send(h, http.MethodGet, asked("Contact", "$filter", "Type/Id eq null and Name ne 'Supervisor' and ("+filter+")"), ""); names(a) != want || a.status != 200 {
			t.Errorf("%s: got %d %q, want %q; %.200s", filter, a.status, names(a), want, a.body)
		}
	}
}

func TestWrong_queries_are_refused_with_the_words_of_the_service(t *testing.T) {
	t.Parallel()
	w := people(t)
	h := w.ann()
	long := strings.TrimSuffix(strings.Repeat("Account/Id eq "+newContact+" or ", 17), " or ")
	for _, tc := range []struct {
		options []string
		status  int
		words   string
	}{
		{[]string{"$filter", "AccountId eq " + newContact}, 500, "Column by path AccountId not found"},
		{[]string{"$orderby", "AccountId"}, 500, "Column by path AccountId not found"},
		{[]string{"$filter", "CreatedOn gt '2026-01-01T00:00:00Z'"}, 400, "incompatible types"},
		{[]string{"$filter", "Id eq '" + newContact + "'"}, 400, "incompatible types"},
		{[]string{"$filter", "CreatedOn gt 2026-01-01T00:00:00"}, 400, "Edm.DateTimeOffset"},
		{[]string{"$filter", "CreatedOn gt 2026-01-01"}, 400, "Edm.Date"},
		{[]string{"$filter", "Nonsense eq 1"}, 400, "Could not find a property named 'Nonsense'"},
		{[]string{"$filter", "Name eq 'A"}, 400, "Syntax error"},
		{[]string{"$filter", "Name eq"}, 400, "Syntax error"},
		{[]string{"$filter", "Name"}, 400, "boolean"},
		{[]string{"$filter", "(Name eq 'A'"}, 400, "Syntax error"},
		{[]string{"$filter", "substringof(Name,'A')"}, 400, "unknown function"},
		{[]string{"$filter", "contains(Name)"}, 400, "No function signature"},
		{[]string{"$filter", strings.Repeat("(", 5000)}, 400, "nested too deeply"},
		{[]string{"$filter", long}, 400, "node count limit of '100'"},
		{[]string{"$select", "Name,First,Second"}, 400, "'First'"},
		{[]string{"$expand", "Nonsense"}, 400, "'Nonsense'"},
		{[]string{"$expand", "Account($expand=Owner($expand=Owner))"}, 400, "too deep"},
		{[]string{"$orderby", "Name sideways"}, 400, "$orderby"},
		{[]string{"$top", "-1"}, 400, "non-negative"},
		{[]string{"$apply", "x"}, 400, "$apply"},
	} {
		a := w.send(h, http.MethodGet, asked("Contact", tc.options...), "")
		failure, _ := a.json["error"].(map[string]any)
		inner, _ := failure["innererror"].(map[string]any)
		if a.status != tc.status || !strings.Contains(fmt.Sprint(failure["message"], inner["message"]), tc.words) {
			t.Errorf("%.80v: got %d %s, want %d with %q", tc.options, a.status, a.body, tc.status, tc.words)
		}
	}
	// Each comparison has six nodes, since an id may be null, and an "or" between two.
	for listed, want := range map[int]int{14: 200, 15: 400} {
		filter := strings.TrimSuffix(strings.Repeat("Account/Id eq "+newContact+" or ", listed), " or ")
		if a := w.send(h, http.MethodGet, asked("Contact", "$filter", filter), ""); a.status != want {
			t.Errorf("%d nodes: got %d %s", 7*listed-1, a.status, a.body)
		}
	}
}

func TestSome_sites_have_no_lambdas_and_no_order_of_ids(t *testing.T) {
	t.Parallel()
	w := newWorld(t, creatio.Options{NoLambda: true, NoIDOrder: true})
	h := w.ann()
	for filter, words := range map[string]string{
		"ContactInTagCollectionByEntity/any(t:t/Tag/Id eq " + newContact + ")": "'any' is not supported",
		"Id gt " + newContact: "GreaterThan is not defined",
	} {
		if a := w.send(h, http.MethodGet, asked("Contact", "$filter", filter), ""); a.status != 400 || !strings.Contains(a.body, words) {
			t.Errorf("%s: got %d %s", filter, a.status, a.body)
		}
	}
}

// A private tag and what is under it show to its maker alone, in a lambda as everywhere.
func TestA_lambda_finds_what_has_a_row_of_a_collection_that_one_sees(t *testing.T) {
	t.Parallel()
	w := people(t)
	tag := w.insert("ContactTag", map[string]any{"Name": "Phone", "TypeId": private})
	b := w.box.System().Rows("Contact", map[string]any{"Name": "B"})[0]["Id"].(string)
	w.insert("ContactInTag", map[string]any{"TagId": tag, "EntityId": b})
	w.insert("ContactCommunication", map[string]any{"ContactId": b, "CommunicationTypeId": work, "Number": "1"})
	of := "ContactInTagCollectionByEntity/any(t:t/Tag/Id eq " + tag + ")"
	if a := w.send(w.ann(), http.MethodGet, asked("Contact", "$filter", of), ""); names(a) != "B" {
		t.Errorf("got %d %s", a.status, a.body)
	}
	a := w.send(w.ann(), http.MethodGet, asked("ContactCommunication", "$filter", "Contact/"+of), "")
	if rows, _ := a.json["value"].([]any); len(rows) != 1 {
		t.Errorf("got %d %s", a.status, a.body)
	}
	if a := w.send(w.session("bob", "bob's"), http.MethodGet, asked("Contact", "$filter", of), ""); a.status != 200 || names(a) != "" {
		t.Errorf("another user: got %d %s", a.status, a.body)
	}
	for _, wrong := range []string{
		"ContactInTagCollectionByEntity/any(t)", "ContactInTagCollectionByEntity/any(t:Tag/Id eq " + tag + ")", "Nonsense/any(t:t/Tag/Id eq " + tag + ")",
		"AccountCollectionByEntity/any(t:t/Id eq " + tag + ")", "ContactInTagCollectionByEntity/any(t:t/Tag/Id eq " + tag,
	} {
		if a := w.send(w.ann(), http.MethodGet, asked("Contact", "$filter", wrong), ""); a.status != 400 {
			t.Errorf("%s: got %d %s", wrong, a.status, a.body)
		}
	}
}

func TestLists_are_ordered_cut_counted_and_expanded(t *testing.T) {
	t.Parallel()
	w := people(t)
	h := w.ann()
	a := w.send(h, http.MethodGet, asked("Contact", "$filter", "Type/Id eq null and Name ne 'Supervisor'", "$orderby", "Account/Name desc, Name desc",
		"$top", "2", "$skip", "1", "$count", "true", "$select", "Name,BirthDate,AccountId", "$expand", "Account($select=Name)"), "")
	rows, _ := a.json["value"].([]any)
	if len(rows) != 2 || a.json["@odata.count"] != 3.0 {
		t.Fatalf("got %s", a.body)
	}
	first, second := rows[0].(map[string]any), rows[1].(map[string]any)
	account, _ := second["Account"].(map[string]any)
	if first["Name"] != "C" || second["Name"] != "A" || account["Name"] != "Acme" || len(second) != 4 || len(account) != 1 {
		t.Errorf("got %s", a.body)
	}
	b := w.send(h, http.MethodGet, asked("Contact", "$filter", "Name eq 'B'", "$expand", "Account,ContactAnniversaryCollectionByContact"), "")
	only := b.json["value"].([]any)[0].(map[string]any)
	if only["AccountId"] != "00000000-0000-0000-0000-000000000000" || only["Account"] != nil || only["Email"] != "" ||
		only["BirthDate"] != "1990-01-02T00:00:00Z" || len(only["ContactAnniversaryCollectionByContact"].([]any)) != 1 || only["PhotoId"] == nil {
		t.Errorf("got %s", b.body)
	}
	if c := w.send(h, http.MethodGet, asked("Contact/$count", "$filter", "Name eq 'B'"), ""); c.body != "1" {
		t.Errorf("count: %s", c.body)
	}
	if c := w.send(h, http.MethodGet, asked("Contact("+only["Id"].(string)+")/Name/$value"), ""); c.body != "B" {
		t.Errorf("value: %s", c.body)
	}
}

func TestA_long_reply_is_cut_without_a_word_unless_its_rows_are_counted(t *testing.T) {
	t.Parallel()
	w := newWorld(t, creatio.Options{MaxRows: 2})
	for _, name := range []string{"A", "B", "C"} {
		w.insert("Job", map[string]any{"Name": name})
	}
	for _, top := range []string{"", "3"} {
		options := []string{"$count", "true", "$filter", "Name ne ''"}
		if top != "" {
			options = append(options, "$top", top)
		}
		a := w.send(w.ann(), http.MethodGet, asked("Job", options...), "")
		if rows, _ := a.json["value"].([]any); len(rows) != 2 || a.json["@odata.nextLink"] != nil || a.json["@odata.count"] != 3.0 {
			t.Errorf("top %q: got %s", top, a.body)
		}
	}
}

func TestRows_are_written_as_the_real_site_does(t *testing.T) {
	t.Parallel()
	w := newWorld(t, creatio.Options{})
	h := w.ann()
	a := w.send(h, http.MethodPost, "/0/odata/Contact", `{"Id":"`+strings.ToUpper(newContact)+`","Name":"Gwen Gray","BirthDate":"2024-01-01","Account":{"Name":"x"}}`)
	if a.status != 201 || a.json["Id"] != newContact || a.json["CreatedOn"] != "2026-03-01T12:00:00.1234567Z" || a.json["OwnerId"] != w.contact ||
		!strings.HasSuffix(a.header.Get("Location"), "/0/odata/Contact("+newContact+")") || a.json["BirthDate"] != "2023-12-31T22:00:00Z" ||
		!strings.HasSuffix(fmt.Sprint(a.json["@odata.context"]), "$metadata#Contact/$entity") {
		t.Errorf("insert: %d %v %s", a.status, a.header, a.body)
	}
	path := "/0/odata/Contact(" + newContact + ")"
	if a = w.send(h, http.MethodGet, path, ""); a.json["CreatedOn"] != "2026-03-01T12:00:00.123456Z" {
		t.Errorf("read again: %v", a.json["CreatedOn"])
	}
	for _, tc := range []struct {
		body   string
		status int
	}{
		{`{"OwnerId":"00000000-0000-0000-0000-000000000000","JobTitle":"Pilot"}`, 204},
		{`{"BirthDate":"2024-01-01T00:00:00"}`, 400},
		{`{"Nonsense":1}`, 400},
		{`{"OwnerId":"x"}`, 400},
		{`{"Name":5}`, 400},
		{`{"JobTitle":null}`, 400},
		{`{`, 400},
	} {
		if a = w.send(h, http.MethodPatch, path, tc.body); a.status != tc.status {
			t.Errorf("%s: got %d %s", tc.body, a.status, a.body)
		}
	}
	if c := w.get("Contact", newContact); c["OwnerId"] != w.contact || c["JobTitle"] != "Pilot" {
		t.Errorf("the empty GUID was not dropped: %v", c["OwnerId"])
	}
	w.send(h, http.MethodPatch, path, `{"OwnerId":null,"BirthDate":null}`)
	if c := w.get("Contact", newContact); c["OwnerId"] != "" || !c["BirthDate"].(time.Time).IsZero() {
		t.Errorf("null did not clear: %v, %v", c["OwnerId"], c["BirthDate"])
	}
	for method, status := range map[string]int{http.MethodPut: 405, http.MethodDelete: 204} {
		if a = w.send(h, method, path, ""); a.status != status {
			t.Errorf("%s: got %d %s", method, a.status, a.body)
		}
	}
	image := w.send(h, http.MethodPost, "/0/odata/SysImage", `{"Name":"a.png"}`).json["Id"].(string)
	if a = w.send(h, http.MethodPut, "/0/odata/SysImage("+image+")/Data", "\x01\x02", "Content-Type", "application/octet-stream"); a.status != 204 {
		t.Errorf("stream: %d %s", a.status, a.body)
	}
	if a = w.send(h, http.MethodGet, "/0/odata/SysImage("+image+")/Data", ""); a.body != "\x01\x02" {
		t.Errorf("stream: %q", a.body)
	}
	if a = w.send(h, http.MethodPut, "/0/odata/SysImage("+image+")/Data", "\x01", "Content-Type", "image/png"); a.status != 415 {
		t.Errorf("a stream of another type: %d %s", a.status, a.body)
	}
	if a = w.send(h, http.MethodPut, "/0/odata/SysImage("+image+")/Data", strings.Repeat("x", 10<<20+1), "Content-Type", "application/octet-stream"); a.status != 400 {
		t.Errorf("a stream that is too large: %d", a.status)
	}
	empty := w.send(h, http.MethodPost, "/0/odata/SysImage", `{"Name":"b.png"}`).json["Id"].(string)
	if a = w.send(h, http.MethodGet, "/0/odata/SysImage("+empty+")/Data", ""); a.status != 204 {
		t.Errorf("a stream of nothing: %d %s", a.status, a.body)
	}
	pictured := w.insert("Contact", map[string]any{"Name": "Eve", "PhotoId": image})
	if a = w.send(h, http.MethodDelete, "/0/odata/SysImage("+image+")", ""); a.status != 500 {
		t.Errorf("an image that a contact shows was deleted: %d", a.status)
	}
	if a = w.send(h, http.MethodPatch, "/0/odata/Contact("+pictured+")", `{"PhotoId":"410006e1-ca4e-4502-a9ec-e54d922d2c00"}`); a.status != 500 {
		t.Errorf("a contact got an image that is not there: %d", a.status)
	}
}

func TestOlder_sites_are_as_lenient_as_they_were(t *testing.T) {
	t.Parallel()
	w := newWorld(t, creatio.Options{Version: "7.15.4"})
	h := w.ann()
	id := w.insert("Contact", map[string]any{"Name": "Hal", "BirthDate": "1990-01-02T00:00:00Z"})
	path := "/0/odata/Contact(" + id + ")"
	if a := w.send(h, http.MethodPatch, path, `{"Nonsense":1,"JobTitle":"x"}`); a.status != 204 || w.get("Contact", id)["JobTitle"] != "" {
		t.Errorf("an unknown property: %d, written %v", a.status, w.get("Contact", id)["JobTitle"])
	}
	if a := w.send(h, http.MethodPost, "/0/odata/Contact", `{"Name":"x","Nonsense":1}`); a.status != 400 {
		t.Errorf("an insertion with one: %d", a.status)
	}
	if a := w.send(h, http.MethodPatch, path, `{"BirthDate":"2024-01-01T00:00:00"}`); a.status != 204 || !w.get("Contact", id)["BirthDate"].(time.Time).IsZero() {
		t.Errorf("a time without a zone: %d, %v", a.status, w.get("Contact", id)["BirthDate"])
	}
	for _, set := range []string{"$batch", "Tag", "Nonsense"} {
		if a := w.send(h, http.MethodGet, "/0/odata/"+set, ""); a.status != 200 || a.json["MessageDetail"] == nil {
			t.Errorf("%s: got %d %s", set, a.status, a.body)
		}
	}
	if a := w.send(h, http.MethodPost, "/0/ServiceModel/UserInfoService.svc/GetCurrentUserInfo", "{}"); !strings.Contains(fmt.Sprint(a.json["GetCurrentUserInfoResult"]), w.contact) {
		t.Errorf("user: %s", a.body)
	}
}
