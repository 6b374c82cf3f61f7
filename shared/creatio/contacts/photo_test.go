package contacts

import (
	"bytes"
	"encoding/json"
	"testing"

	"github.com/tandem-sync/tandem/shared/contact"
	"github.com/tandem-sync/tandem/shared/fault"
	"github.com/tandem-sync/tandem/shared/record"
	box "github.com/tandem-sync/tandem/shared/sandbox/creatio"
)

// jpeg begins as a JPEG and holds what a reader of text would change: white space at its ends, and a byte order mark.
var jpeg = []byte("\xFF\xD8\xFF\xEF\xBB\xBF {\"error\":1}\x00 \n")

func (s *site) put(r record.Record, picture []byte) record.Record {
	s.t.Helper()
	res := s.contacts[Classic].PutPhoto(s.t.Context(), r, picture)
	s.must(res.Err)
	return res.Record
}

func TestA_photo_is_stored_as_it_is_and_once(t *testing.T) {
	t.Parallel()
	s := newSite(t)
	id := s.row("Contact", map[string]any{"Name": "Grace Hopper", "JobTitle": "Admiral"})
	before := s.read(Classic, id)
	if before.Photo != "" {
		t.Fatalf("a contact without a photo shows %q", before.Photo)
	}
	after := s.put(before, jpeg)
	now := s.read(Classic, id)
	if now.Photo == "" || now.Photo != after.Photo || !contact.Schema.Equal(now.Fields, before.Fields) {
		t.Errorf("promised %q, read %+v", after.Photo, now)
	}
	picture, err := s.contacts[Classic].Photo(t.Context(), now)
	if err != nil || !bytes.Equal(picture, jpeg) {
		t.Errorf("got %q, %v", picture, err)
	}
	if again := s.put(now, jpeg); again.Photo != now.Photo {
		t.Errorf("the same photo again is %q, and was %q", again.Photo, now.Photo)
	}
	if rows := s.box.As("Ada").Rows("SysImage", nil); len(rows) != 1 || rows[0]["MimeType"] != "image/jpeg" || rows[0]["Name"] != "photo.jpeg" {
		t.Errorf("got the images %v", rows)
	}
	s.put(now, nil)
	if gone := s.read(Classic, id); gone.Photo != "" {
		t.Errorf("the photo is still %q", gone.Photo)
	}
	if rows := s.box.As("Ada").Rows("SysImage", nil); len(rows) != 1 {
		t.Errorf("the way back to the former photo is gone: %v", rows)
	}
	if v := s.box.Violations(); len(v) > 0 {
		t.Errorf("violations: %q", v)
	}
}

func TestA_photo_that_somebody_changed_meanwhile_stays(t *testing.T) {
	t.Parallel()
	s := newSite(t)
	id := s.row("Contact", map[string]any{"Name": "Grace Hopper"})
	read := s.read(Classic, id)
	theirs := s.row("SysImage", map[string]any{"Name": "theirs.png", "Data": []byte("\x89PNG")})
	s.must(s.box.As("Ada").Update("Contact", id, map[string]any{"PhotoId": theirs}))
	for what, picture := range map[string][]byte{"writing": jpeg, "removing": nil} {
		if res := s.contacts[Classic].PutPhoto(t.Context(), read, picture); !fault.Is(res.Err, fault.Conflict) {
			t.Errorf("%s over it ended with %v", what, res.Err)
		}
	}
	if now := s.read(Classic, id); now.Photo != theirs {
		t.Errorf("the contact shows %q, want %q", now.Photo, theirs)
	}
}

func TestWhat_a_site_refuses_about_photos_is_told(t *testing.T) {
	t.Parallel()
	s := newSite(t)
	image := s.row("SysImage", map[string]any{"Name": "empty.png"})
	id := s.row("Contact", map[string]any{"Name": "Grace Hopper", "PhotoId": image})
	read := s.read(Classic, id)
	if picture, err := s.contacts[Classic].Photo(t.Context(), read); err != nil || len(picture) > 0 {
		t.Errorf("an image of nothing gives %q, %v", picture, err)
	}
	s.box.Deny("Ada", "SysImage", box.Read)
	if _, err := s.contacts[Classic].Photo(t.Context(), read); !fault.Is(err, fault.ReadOnly) {
		t.Errorf("an image that may not be read: %v", err)
	}
	s.box.Deny("Ada", "SysImage", box.Insert)
	if res := s.contacts[Classic].PutPhoto(t.Context(), read, jpeg); !fault.Is(res.Err, fault.ReadOnly) {
		t.Errorf("an image that may not be made: %v", res.Err)
	}
	if _, err := s.contacts[Classic].Photo(t.Context(), record.Record{ID: id, Photo: id}); !fault.Is(err, fault.ReadOnly) && !fault.Is(err, fault.Gone) {
		t.Errorf("an image that is not there: %v", err)
	}
	if now := s.read(Classic, id); now.Photo != image {
		t.Errorf("the contact shows %q", now.Photo)
	}
}

func TestA_large_photo_is_read_to_a_byte_beyond_the_limit(t *testing.T) {
	t.Parallel()
	s := newSite(t)
	image := s.row("SysImage", map[string]any{"Name": "large.png", "Data": make([]byte, record.MaxPhoto+1000)})
	picture, err := s.contacts[Classic].Photo(t.Context(), record.Record{Photo: image})
	if err != nil || len(picture) != record.MaxPhoto+1 {
		t.Errorf("got %d bytes, %v", len(picture), err)
	}
}

func TestA_cursor_of_who_read_less_is_no_good(t *testing.T) {
	t.Parallel()
	s := newSite(t)
	delta, err := s.contacts[Classic].Scan(t.Context(), nil)
	s.must(err)
	var c map[string]any
	s.must(json.Unmarshal(delta.Cursor, &c))
	delete(c, "reads")
	old, err := json.Marshal(c)
	s.must(err)
	if _, err := s.contacts[Classic].Scan(t.Context(), old); !fault.Is(err, fault.FullSync) {
		t.Errorf("got %v, want everything to be read again", err)
	}
}
