package odata_test

import (
	"errors"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/tandem-sync/tandem/shared/fault"
	"github.com/tandem-sync/tandem/shared/odata"
)

// oData is an error as the OData controllers write it.
func oData(inner string) string {
	return `{"error":{"code":"","message":"An error has occurred.","innererror":{"message":"` + inner + `","type":"X","stacktrace":"   at Terrasoft.Secret.Frame()"}}}`
}

func TestEach_failed_reply_has_one_kind(t *testing.T) {
	t.Parallel()
	const html, media = "text/html; charset=utf-8", jsonMedia
	list := func(c *odata.Client, t *testing.T) error {
		return second(c.Get(t.Context(), odata.Query{Set: "Contact"}))
	}
	entity := func(c *odata.Client, t *testing.T) error { return second(c.Entity(t.Context(), "Contact", id1)) }
	insert := func(c *odata.Client, t *testing.T) error {
		return second(c.Insert(t.Context(), "Contact", odata.Values{"Name": "Ann"}))
	}
	remove := func(c *odata.Client, t *testing.T) error { return c.Delete(t.Context(), "Contact", id1) }
	batch := func(c *odata.Client, t *testing.T) error {
		return second(c.Batch(t.Context(), []odata.Part{{Method: http.MethodPost, Path: "Contact", Body: odata.Values{"Name": "Ann"}}}))
	}
	for name, tc := range map[string]struct {
		do   func(*odata.Client, *testing.T) error
		site http.HandlerFunc
		want fault.Error
	}{
		"an expired session":               {list, answers(401, media, ""), fault.Error{Kind: fault.Retry, Code: "signed-out"}},
		"a redirect to the login page":     {list, answers(302, html, "", "Location", "/Login/NuiLogin.aspx?ReturnUrl=%2f0"), fault.Error{Kind: fault.Retry, Code: "signed-out"}},
		"a redirect to another address":    {list, answers(301, html, "", "Location", "https://www.example.com/0/odata"), fault.Error{Kind: fault.Misconfigured, Code: "redirected"}},
		"a login page with 200":            {insert, answers(200, html, `<!DOCTYPE html><title>Log in</title><input type="password">`), fault.Error{Kind: fault.Retry, Code: "signed-out"}},
		"a maintenance page with 200":      {list, answers(200, "application/json", `<html><title>Back soon</title></html>`), fault.Error{Kind: fault.Retry, Code: "html-instead-of-json"}},
		"a proxy's page":                   {insert, answers(502, html, `<html><title>Bad gateway</title></html>`), fault.Error{Kind: fault.Retry, Code: "html-instead-of-json", Ambiguous: true}},
		"no such site":                     {list, answers(404, html, `<html><title>404</title></html>`), fault.Error{Kind: fault.Misconfigured, Code: "html-instead-of-json"}},
		"no right to the record":           {remove, answers(403, media, oData("SecurityException")), fault.Error{Kind: fault.ReadOnly, Code: "forbidden"}},
		"no right, told by 500":            {remove, answers(500, media, `{"Message":"An error has occurred.","ExceptionMessage":"No rights","ExceptionType":"System.Security.SecurityException","StackTrace":"   at X"}`), fault.Error{Kind: fault.ReadOnly, Code: "forbidden"}},
		"a wrong CSRF token":               {remove, answers(403, html, `<html><title>Invalid CSRF token</title></html>`), fault.Error{Kind: fault.Retry, Code: "csrf"}},
		"a record that is gone":            {entity, answers(404, media, oData("Resource not found")), fault.Error{Kind: fault.Gone, Code: "not-found"}},
		"a deletion of what is gone":       {remove, answers(404, media, ""), fault.Error{Kind: fault.Gone, Code: "not-found"}},
		"a null entity":                    {entity, answers(204, media, ""), fault.Error{Kind: fault.Gone, Code: "not-found"}},
		"an unknown set":                   {list, answers(404, media, `{"Message":"No HTTP resource was found","MessageDetail":"No route"}`), fault.Error{Kind: fault.Misconfigured, Code: "unknown-set"}},
		"a record of an unknown set":       {entity, answers(404, media, `{"Message":"No HTTP resource was found","MessageDetail":"No route"}`), fault.Error{Kind: fault.Misconfigured, Code: "unknown-set"}},
		"an unknown set with 200":          {list, answers(200, media, `{"Message":"No HTTP resource was found that matches the request URI","MessageDetail":"No route"}`), fault.Error{Kind: fault.Misconfigured, Code: "unknown-set"}},
		"an error with 200":                {insert, answers(200, media, oData("23505: duplicate key value")), fault.Error{Kind: fault.BadRecord, Code: "duplicate"}},
		"a conflict":                       {remove, answers(409, media, ""), fault.Error{Kind: fault.Conflict, Code: "conflict"}},
		"a failed precondition":            {remove, answers(412, media, ""), fault.Error{Kind: fault.Conflict, Code: "conflict"}},
		"too many calls":                   {insert, answers(429, media, "", "Retry-After", "90"), fault.Error{Kind: fault.Retry, Code: "quota", After: 90 * time.Second}},
		"a site that names a time":         {insert, answers(503, media, "", "Retry-After", "30"), fault.Error{Kind: fault.Retry, Code: "unavailable", After: 30 * time.Second}},
		"a used record, PostgreSQL":        {remove, answers(500, media, oData("23503: update or delete on table")), fault.Error{Kind: fault.BadRecord, Code: "foreign-key"}},
		"a used record, SQL Server":        {remove, answers(500, media, oData("The DELETE statement conflicted with the REFERENCE constraint")), fault.Error{Kind: fault.BadRecord, Code: "foreign-key"}},
		"a duplicate, SQL Server":          {insert, answers(500, media, oData("Violation of PRIMARY KEY constraint 'PK'. Cannot insert duplicate key")), fault.Error{Kind: fault.BadRecord, Code: "duplicate"}},
		"a required column":                {insert, answers(400, media, oData("23502: null value in column")), fault.Error{Kind: fault.BadRecord, Code: "required"}},
		"too long a text":                  {insert, answers(500, media, oData("22001: value too long for type character varying(250)")), fault.Error{Kind: fault.BadRecord, Code: "too-long"}},
		"a ZIP code is no SQLSTATE":        {insert, answers(500, media, oData("Norfolk VA 23503 at 12:00:00.547")), fault.Error{Kind: fault.Retry, Code: "server-error", Ambiguous: true}},
		"a deadlock":                       {insert, answers(500, media, oData("40P01: deadlock detected")), fault.Error{Kind: fault.Retry, Code: "deadlock"}},
		"an unknown column":                {list, answers(500, media, oData("column by path AccountId not found")), fault.Error{Kind: fault.Misconfigured, Code: "unknown-column"}},
		"a record refused for other ends":  {insert, answers(400, media, oData("Owner is required")), fault.Error{Kind: fault.BadRecord, Code: odata.CodeOwner}},
		"a query refused":                  {list, answers(400, media, oData("syntax error")), fault.Error{Kind: fault.Bug, Code: "status-400"}},
		"an error on reading":              {list, answers(500, media, oData("boom")), fault.Error{Kind: fault.Retry, Code: "server-error"}},
		"an error on writing":              {insert, answers(500, media, oData("boom")), fault.Error{Kind: fault.Retry, Code: "server-error", Ambiguous: true}},
		"a page that tells of an error":    {list, answers(500, html, `<html><title>Runtime Error</title></html>`), fault.Error{Kind: fault.Retry, Code: "server-error"}},
		"a set that is not there yet":      {list, answers(404, media, ""), fault.Error{Kind: fault.Retry, Code: "rebuilding"}},
		"a set that is being built":        {list, answers(400, media, `{"Message":"The request is invalid."}`), fault.Error{Kind: fault.Retry, Code: "rebuilding"}},
		"a batch while sets are built":     {batch, answers(400, media, `{"Message":"The request is invalid."}`), fault.Error{Kind: fault.Retry, Code: "rebuilding"}},
		"a batch refused":                  {batch, answers(400, media, oData("syntax error")), fault.Error{Kind: fault.Bug, Code: "status-400"}},
		"a detail that is not routing's":   {insert, answers(400, media, `{"Message":"The value is wrong.","MessageDetail":"Look at the name."}`), fault.Error{Kind: fault.BadRecord, Code: "refused"}},
		"nothing but a message with 201":   {insert, answers(201, media, `{"Message":"An error has occurred."}`), fault.Error{Kind: fault.Retry, Code: "server-error", Ambiguous: true}},
		"nothing but a message with 200":   {list, answers(200, media, `{"Message":"An error has occurred."}`), fault.Error{Kind: fault.Retry, Code: "server-error"}},
		"a duplicate, Oracle":              {insert, answers(500, media, oData("ORA-00001: unique constraint (C.PK) violated")), fault.Error{Kind: fault.BadRecord, Code: "duplicate"}},
		"a missing parent, Oracle":         {insert, answers(500, media, oData("ORA-02291: integrity constraint (C.FK) violated - parent key not found")), fault.Error{Kind: fault.BadRecord, Code: "foreign-key"}},
		"a used record, Oracle":            {remove, answers(500, media, oData("ORA-02292: integrity constraint (C.FK) violated - child record found")), fault.Error{Kind: fault.BadRecord, Code: "foreign-key"}},
		"a required column, Oracle":        {insert, answers(500, media, oData("ORA-01400: cannot insert NULL into (C.Contact.Name)")), fault.Error{Kind: fault.BadRecord, Code: "required"}},
		"too long a text, Oracle":          {insert, answers(500, media, oData("ORA-12899: value too large for column Name (actual: 300, maximum: 250)")), fault.Error{Kind: fault.BadRecord, Code: "too-long"}},
		"a deadlock, Oracle":               {insert, answers(500, media, oData("ORA-00060: deadlock detected while waiting for resource")), fault.Error{Kind: fault.Retry, Code: "deadlock"}},
		"too much, told by a page":         {insert, answers(413, html, `<html><title>413</title></html>`), fault.Error{Kind: fault.BadRecord, Code: "too-large"}},
		"a version that is asked for":      {remove, answers(428, media, ""), fault.Error{Kind: fault.Misconfigured, Code: "precondition-required"}},
		"a code that is a number":          {insert, answers(500, media, `{"error":{"code":23505,"message":"duplicate key"}}`), fault.Error{Kind: fault.BadRecord, Code: "duplicate"}},
		"JSON that is no list":             {list, answers(200, media, `{"@odata.context":"x"}`), fault.Error{Kind: fault.Retry, Code: "unreadable-reply"}},
		"half a list":                      {list, answers(200, media, `{"@odata.context":"x","value":[{"Id":`), fault.Error{Kind: fault.Retry, Code: "unreadable-reply"}},
		"an insertion confirmed in babble": {insert, answers(201, media, `[1]`), fault.Error{Kind: fault.Retry, Code: "unreadable-reply", Ambiguous: true}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s, c := newSite(t, tc.site)
			err := tc.do(c, t)
			f, ok := errors.AsType[*fault.Error](err)
			if !ok {
				t.Fatalf("got %v, want a fault", err)
			}
			got := fault.Error{Kind: f.Kind, Code: f.Code, After: f.After, Ambiguous: f.Ambiguous}
			if got != tc.want || f.Side != "creatio" {
				t.Errorf("got %+v (%v), want %+v", got, err, tc.want)
			}
			if strings.Contains(err.Error(), "Terrasoft.Secret") {
				t.Errorf("a stack trace shows: %v", err)
			}
			if s.calls() != 1 {
				t.Errorf("got %d calls, want 1", s.calls())
			}
		})
	}
}

func TestA_logged_error_quotes_little_of_the_reply(t *testing.T) {
	t.Parallel()
	for name, inner := range map[string]string{
		"a stack trace in the message": `23505: duplicate\r\n   at Npgsql.Hidden.Read()\r\n   at Terrasoft.Hidden.Save()`,
		"values of the row":            `23505: duplicate key\nDETAIL: Key (Name)=(Hidden Person) already exists.`,
		"values, SQL Server":           `Cannot insert duplicate key. The duplicate key value is (Hidden Person).`,
		"length":                       strings.Repeat("word ", 70) + "Hidden",
	} {
		_, c := newSite(t, answers(500, jsonMedia, oData(inner)))
		_, err := c.Insert(t.Context(), "Contact", odata.Values{"Name": "Ann"})
		if f, ok := errors.AsType[*fault.Error](err); !ok || strings.Contains(err.Error(), "Hidden") || len(f.Err.Error()) > 330 {
			t.Errorf("%s: got %v", name, err)
		}
	}
}
