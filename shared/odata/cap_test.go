//go:build odata

package odata_test

import (
	"bufio"
	"cmp"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/google/uuid"

	"github.com/tandem-sync/tandem/shared/fault"
	"github.com/tandem-sync/tandem/shared/odata"
)

// The client is held to an OData service of another maker, SAP CAP over SQLite: what both understand the same way is not only
// what the simulated site and the client agree on. ./scripts/test --odata installs the service, and names its folder.
const capFolder = "ODATA_CAP"

// capClient starts the service.
func capClient(t *testing.T) *odata.Client {
	t.Helper()
	folder := os.Getenv(capFolder)
	if folder == "" {
		t.Fatal(capFolder + " does not name the folder of the service: run ./scripts/test --odata")
	}
	server := exec.CommandContext(t.Context(), "node", filepath.Join("node_modules", ".bin", "cds-serve"), "service.cds")
	server.Dir, server.Env = folder, append(os.Environ(), "PORT=0", "HOST=127.0.0.1")
	out, err := server.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := server.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		_ = server.Process.Kill()
		_ = server.Wait()
	})
	listening := regexp.MustCompile(`listening on .*:(\d+)'`)
	var said strings.Builder
	for lines := bufio.NewScanner(out); lines.Scan(); {
		said.WriteString(lines.Text() + "\n")
		if m := listening.FindStringSubmatch(lines.Text()); m != nil {
			go func() { _, _ = io.Copy(io.Discard, out) }()
			return odata.New(odata.Options{Root: "http://127.0.0.1:" + m[1] + "/odata"})
		}
	}
	t.Fatalf("the service did not start:\n%s", said.String())
	return nil
}

func TestThe_client_and_a_service_of_another_maker_understand_each_other(t *testing.T) {
	c := capClient(t)
	for _, tc := range []struct {
		name string
		run  func(*testing.T, *odata.Client)
	}{
		{"odd texts", capTexts},
		{"a batch of 250 parts", capBatch},
		{"lists that go on, by their ids and by counting", capPages},
		{"nothing in a column", capNulls},
		{"moments, numbers and lookups in conditions", capConditions},
		{"what is not there, and what is there already", capFailures},
		{"a group that fails", capGroup},
	} {
		t.Run(tc.name, func(t *testing.T) { tc.run(t, c) })
	}
}

// made inserts a contact and gives its id.
func made(t *testing.T, c *odata.Client, values odata.Values) string {
	t.Helper()
	id := uuid.NewString()
	values["Id"] = id
	row, err := c.Insert(t.Context(), "Contact", values)
	if err != nil || row.Lookup("Id") != id {
		t.Fatalf("insert %v: got %v, %v", values, row, err)
	}
	return id
}

func capTexts(t *testing.T, c *odata.Client) {
	for i, text := range []string{
		"O'Hara", "''", "'", `"quoted"`, `back\slash`, "50%", "%25", "a&b", "a+b", "a b", "a#b", "a?b", "a/b", "a;b", "a:b", "a=b", "$filter", "@x", "(a)", "[a]", "{a}",
		"a,b", "or", "null", "true", "Ünïcödé", "日本語", "👩‍👩‍👧", "e\u0301", "tab\there", "2026-03-01T09:00:00Z",
	} {
		text = fmt.Sprintf("%d %s", i, text)
		id := made(t, c, odata.Values{"Name": text})
		q := odata.Query{Set: "Contact", Select: []string{"Id", "Name"}, Filter: odata.Eq("Name", odata.String(text)), Top: 5}
		page, err := c.Get(t.Context(), q)
		if err != nil || len(page.Rows) != 1 || page.Rows[0].Lookup("Id") != id || page.Rows[0].Text("Name") != text {
			t.Errorf("%q: got %v, %v", text, page.Rows, err)
		}
		replies, err := c.Batch(t.Context(), []odata.Part{{Method: "GET", Path: q.Path(), Top: 5}})
		if err = errors.Join(err, replies[0].Err); err != nil || len(replies[0].Rows) != 1 || replies[0].Rows[0].Lookup("Id") != id {
			t.Errorf("%q, in a batch: got %v, %v", text, replies[0].Rows, err)
		}
	}
}

func capBatch(t *testing.T, c *odata.Client) {
	var parts []odata.Part
	for i := range 250 {
		parts = append(parts, odata.Part{Method: "POST", Path: "Account", Body: odata.Values{"Id": uuid.NewString(), "Name": fmt.Sprintf("Account %03d", i)}})
	}
	replies, err := c.Batch(t.Context(), parts)
	if err != nil {
		t.Fatal(err)
	}
	for i, r := range replies {
		if r.Err != nil || r.Row.Text("Name") != fmt.Sprintf("Account %03d", i) {
			t.Fatalf("part %d: got %v, %v", i, r.Row, r.Err)
		}
	}
	if n, err := c.Count(t.Context(), "Account", odata.StartsWith("Name", odata.String("Account "))); n != 250 || err != nil {
		t.Errorf("counted %d, %v", n, err)
	}
}

func capPages(t *testing.T, c *odata.Client) {
	const many = 50
	want := map[string]bool{}
	for i := range many {
		want[made(t, c, odata.Values{"Name": "Page", "Age": i})] = true
	}
	of := odata.Eq("Name", odata.String("Page"))
	for _, skips := range []bool{false, true} {
		got, last := map[string]bool{}, ""
		for range many {
			q := odata.Query{Set: "Contact", Select: []string{"Id"}, Filter: of, OrderBy: []odata.Order{{Path: "Id"}}, Top: 40, Count: true}
			if skips {
				q.Skip = len(got)
			} else if last != "" {
				q.Filter = odata.And(of, odata.Gt("Id", odata.Guid(last)))
			}
			page, err := c.Get(t.Context(), q)
			if err != nil {
				t.Fatal(err)
			}
			for _, r := range page.Rows {
				last = r.Lookup("Id")
				if got[last] || !want[last] {
					t.Errorf("%s came twice, or is another's", last)
				}
				got[last] = true
			}
			if len(page.Rows) == 0 || page.Count == int64(len(page.Rows)) || skips && int(page.Count) == len(got) {
				break
			}
			// The service sends twenty at a time.
			if len(page.Rows) > 20 {
				t.Errorf("got %d rows in a page", len(page.Rows))
			}
		}
		if len(got) != many {
			t.Errorf("skips %v: read %d of %d", skips, len(got), many)
		}
	}
}

func capNulls(t *testing.T, c *odata.Client) {
	id := made(t, c, odata.Values{"Name": "Null", "Age": 7, "ModifiedOn": "2026-03-01T09:00:00Z"})
	if err := c.Update(t.Context(), "Contact", id, odata.Values{"Age": odata.Null, "ModifiedOn": odata.Null, "Notes": odata.Null}); err != nil {
		t.Fatal(err)
	}
	row, err := c.Entity(t.Context(), "Contact", id, "Age", "ModifiedOn", "Notes", "Name")
	if err != nil || row.Int("Age") != 0 || !row.Time("ModifiedOn").IsZero() || row.Text("Notes") != "" || row.Text("Name") != "Null" {
		t.Errorf("got %v, %v", row, err)
	}
}

func capConditions(t *testing.T, c *odata.Client) {
	account := uuid.NewString()
	if _, err := c.Insert(t.Context(), "Account", odata.Values{"Id": account, "Name": "Example Ltd"}); err != nil {
		t.Fatal(err)
	}
	at := time.Date(2026, 3, 1, 9, 30, 0, 0, time.UTC)
	id := made(t, c, odata.Values{"Name": "Grace", "Age": 42, "Active": true, "ModifiedOn": at.Format(time.RFC3339), "Account_Id": account})
	made(t, c, odata.Values{"Name": "Ada", "Age": 41, "Active": false, "ModifiedOn": at.Add(-time.Hour).Format(time.RFC3339)})
	if _, err := c.Insert(t.Context(), "Number", odata.Values{"Id": uuid.NewString(), "Text": "+12025550101", "Contact_Id": id}); err != nil {
		t.Fatal(err)
	}
	for name, f := range map[string]odata.Filter{
		"a moment":  odata.Ge("ModifiedOn", odata.DateTime(at)),
		"a number":  odata.Gt("Age", odata.Int(41)),
		"a flag":    odata.Eq("Active", odata.Bool(true)),
		"a lookup":  odata.Eq("Account/Id", odata.Guid(account)),
		"its name":  odata.Contains("Account/Name", odata.String("ample")),
		"a list":    odata.In("Id", []odata.Literal{odata.Guid(id), odata.Guid(account)}),
		"no other":  odata.And(odata.Not(odata.Eq("Name", odata.String("Ada"))), odata.In("Age", []odata.Literal{odata.Int(41), odata.Int(42)})),
		"a lambda":  odata.AnyEq("Numbers", "Text", odata.String("+12025550101")),
		"its start": odata.And(odata.StartsWith("Name", odata.String("Gr")), odata.Ne("Age", odata.Int(41))),
	} {
		page, err := c.Get(t.Context(), odata.Query{
			Set: "Contact", Select: []string{"Id"}, Filter: odata.And(f, odata.In("Name", []odata.Literal{odata.String("Grace"), odata.String("Ada")})),
			Expand: []odata.Expand{{Name: "Account", Select: []string{"Id", "Name"}}, {Name: "Numbers", Select: []string{"Text"}}}, Top: 5,
		})
		if err != nil || len(page.Rows) != 1 || page.Rows[0].Lookup("Id") != id {
			t.Errorf("%s: got %v, %v", name, page.Rows, err)
			continue
		}
		if r := page.Rows[0]; r.Nested("Account").Text("Name") != "Example Ltd" || len(r.Rows("Numbers")) != 1 {
			t.Errorf("%s: expanded %v", name, r)
		}
	}
}

func capFailures(t *testing.T, c *odata.Client) {
	id := made(t, c, odata.Values{"Name": "Once"})
	nobody := uuid.NewString()
	for name, tc := range map[string]struct {
		do   func() error
		want fault.Kind
	}{
		"a row that is not there": {func() error { return second(c.Entity(t.Context(), "Contact", nobody, "Id")) }, fault.Gone},
		"its deletion":            {func() error { return c.Delete(t.Context(), "Contact", nobody) }, fault.Gone},
		// SQLite tells that in words of its own, so it may be anything.
		"the same row again":      {func() error { return second(c.Insert(t.Context(), "Contact", odata.Values{"Id": id, "Name": "Twice"})) }, fault.Retry},
		"a set that is not there": {func() error { return second(c.Get(t.Context(), odata.Query{Set: "Nonsense"})) }, fault.Misconfigured},
	} {
		if err := tc.do(); fault.KindOf(err) != tc.want || err == nil {
			t.Errorf("%s: got %v, want %s", name, err, tc.want)
		}
	}
}

func capGroup(t *testing.T, c *odata.Client) {
	there, fresh := made(t, c, odata.Values{"Name": "There"}), uuid.NewString()
	replies, err := c.Batch(t.Context(), []odata.Part{
		{Method: "POST", Path: "Contact", Body: odata.Values{"Id": fresh, "Name": "Fresh"}, Group: "g"},
		{Method: "POST", Path: "Contact", Body: odata.Values{"Id": there, "Name": "Again"}, Group: "g"},
		{Method: "GET", Path: odata.EntityPath("Contact", there)},
	})
	if err != nil || replies[0].Err == nil || replies[1].Err == nil || replies[2].Row.Text("Name") != "There" {
		t.Fatalf("got %+v, %v", replies, err)
	}
	if _, err := c.Entity(t.Context(), "Contact", fresh, "Id"); !fault.Is(err, fault.Gone) {
		t.Errorf("what a group did before it failed: %v", cmp.Or(err, errors.New("it is there")))
	}
}
