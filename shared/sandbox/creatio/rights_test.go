package creatio_test

import (
	"testing"

	"github.com/tandem-sync/tandem/shared/fault"
	"github.com/tandem-sync/tandem/shared/odata"
	"github.com/tandem-sync/tandem/shared/sandbox/creatio"
)

func TestRights_of_a_record_are_those_of_its_details(t *testing.T) {
	t.Parallel()
	w := newWorld(t, creatio.Options{})
	c := w.odata(w.ann())
	id := w.insert("Contact", map[string]any{"Name": "Finn", "Email": "finn@example.com"})
	w.insert("Contact", map[string]any{"Name": "Gwen", "Email": "gwen@example.com"})
	row := w.box.As("ann").Rows("ContactCommunication", map[string]any{"ContactId": id})[0]["Id"].(string)
	writes := map[string]func() error{
		"the contact": func() error { return c.Update(t.Context(), "Contact", id, odata.Values{"JobTitle": "Pilot"}) },
		"a detail": func() error {
			return c.Update(t.Context(), "ContactCommunication", row, odata.Values{"Number": "f@example.com"})
		},
		"a new detail": func() error {
			_, err := c.Insert(t.Context(), "ContactCommunication", odata.Values{"ContactId": id, "CommunicationTypeId": mobile, "Number": "1"})
			return err
		},
	}

	w.box.DenyRecord("ann", "Contact", id, creatio.Update)
	for name, write := range writes {
		if err := write(); !fault.Is(err, fault.ReadOnly) {
			t.Errorf("%s was written without the right: %v", name, err)
		}
	}
	if w.get("Contact", id) == nil {
		t.Error("a contact that may not be changed cannot be read either")
	}

	w.box.DenyRecord("ann", "Contact", id, creatio.Read)
	if w.get("Contact", id) != nil || w.get("ContactCommunication", row) != nil {
		t.Error("a hidden contact shows")
	}
	if found := w.box.As("ann").Rows("Contact", map[string]any{"Name": "Gwen"}); len(found) != 1 {
		t.Errorf("the others are hidden as well: %v", found)
	}

	w.box.AllowRecord("ann", "Contact", id, creatio.Read)
	w.box.AllowRecord("ann", "Contact", id, creatio.Update)
	for name, write := range writes {
		if err := write(); err != nil {
			t.Errorf("%s with the right again: %v", name, err)
		}
	}
}
