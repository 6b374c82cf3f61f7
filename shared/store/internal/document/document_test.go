package document_test

import (
	"encoding/json"
	"testing"
	"time"

	"github.com/tandem-sync/tandem/shared/fault"
	"github.com/tandem-sync/tandem/shared/record"
	"github.com/tandem-sync/tandem/shared/store"
	"github.com/tandem-sync/tandem/shared/store/internal/document"
)

func TestWritingLeavesTheCallersDocumentAsItIs(t *testing.T) {
	t.Parallel()
	at := time.Date(2026, time.March, 2, 12, 0, 0, 999, time.FixedZone("", 3600))
	link := store.Link{ID: "l1", Sides: map[record.Side]store.LinkSide{record.Google: {Modified: at}}}
	sync := store.Sync{Cursors: map[record.Side]json.RawMessage{record.Google: nil}}
	if _, err := document.Encode(link); err != nil {
		t.Fatal(err)
	}
	if _, err := document.Encode(sync); err != nil {
		t.Fatal(err)
	}
	if got := link.Sides[record.Google].Modified; got != at {
		t.Errorf("the link's time became %v", got)
	}
	if len(sync.Cursors) != 1 {
		t.Error("the sync lost a cursor")
	}
}

func TestWhatCannotBeWrittenOrReadIsABug(t *testing.T) {
	t.Parallel()
	_, err := document.Encode(store.Sync{Cursors: map[record.Side]json.RawMessage{record.Google: json.RawMessage("{")}})
	if err == nil || !fault.Is(err, fault.Bug) {
		t.Errorf("encode: %v", err)
	}
	if _, err := document.Decode[store.Link]([]byte("{")); err == nil || !fault.Is(err, fault.Bug) {
		t.Errorf("decode: %v", err)
	}
}

func TestFieldsOfALaterVersionAreIgnored(t *testing.T) {
	t.Parallel()
	l, err := document.Decode[store.Link]([]byte(`{"id":"l1","invented":{"later":1}}`))
	if err != nil || l.ID != "l1" {
		t.Errorf("link %+v, error %v", l, err)
	}
}

func TestTheLeaseNeedsAnOwner(t *testing.T) {
	t.Parallel()
	s := document.NewSync(record.Contacts)
	if _, err := document.Grant(&s, "", time.Unix(0, 0), time.Minute); err == nil || !fault.Is(err, fault.Bug) {
		t.Errorf("error is %v", err)
	}
}
