package contacts

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"strings"

	"github.com/tandem-sync/tandem/shared/creatio"
	"github.com/tandem-sync/tandem/shared/fault"
	"github.com/tandem-sync/tandem/shared/httpx"
	"github.com/tandem-sync/tandem/shared/odata"
	"github.com/tandem-sync/tandem/shared/record"
)

// images is the entity set that keeps pictures. A contact points to the row of its photo.
const images = "SysImage"

// Photo reads the picture that a contact shows. A contact that is on its way from one photo to another shows the one that
// the record names.
func (s *Side) Photo(ctx context.Context, r record.Record) ([]byte, error) {
	picture, err := s.site.Client().Stream(ctx, dataOf(r.Photo), record.MaxPhoto)
	if err != nil {
		return nil, fmt.Errorf("read photo: %w", err)
	}
	return picture, nil
}

func dataOf(image string) string { return odata.EntityPath(images, image) + "/Data" }

// PutPhoto gives a contact a photo, or takes it away where there is none: the picture is a row of its own, to which the
// contact then points. The row's id is derived from what it is, so that doing it twice is the same as once. The row
// of the former photo stays, and with it the way back. Sending a picture takes a while, so what the contact shows is looked at
// after that.
func (s *Side) PutPhoto(ctx context.Context, r record.Record, picture []byte) record.Result {
	after := r
	after.Photo = ""
	value := any(odata.Null)
	if picture != nil {
		after.Photo = creatio.DeriveID("photo", strings.ToLower(r.ID), record.PhotoHash(picture))
		value = after.Photo
		if err := s.storeImage(ctx, after.Photo, picture); err != nil {
			return record.Result{Err: fmt.Errorf("write photo: %w", err)}
		}
	}
	if err := s.unchangedPhoto(ctx, r); err != nil {
		return record.Result{Err: fmt.Errorf("write photo: %w", err)}
	}
	if err := s.site.Client().Update(httpx.Idempotent(ctx), "Contact", r.ID, odata.Values{"PhotoId": value}); err != nil {
		return record.Result{Err: fmt.Errorf("write photo: %w", err)}
	}
	after.Modified = s.site.ServerTime(s.site.Now()).UTC()
	return record.Result{Record: after}
}

// Made reports whether one picture is what Creatio makes of another, which is that other one.
func (s *Side) Made(of, picture []byte) bool { return bytes.Equal(of, picture) }

// unchangedPhoto makes sure that the contact still shows the photo that it was read with: Creatio itself does not mind
// whose change it writes over.
func (s *Side) unchangedPhoto(ctx context.Context, r record.Record) error {
	row, err := s.site.Client().Entity(ctx, "Contact", r.ID, "Id", "PhotoId")
	if err != nil {
		return err
	}
	if !strings.EqualFold(row.Lookup("PhotoId"), r.Photo) {
		return fault.New(fault.Conflict, creatio.Side, "changed-meanwhile", errors.New("the contact shows another photo than it did"))
	}
	return nil
}

// storeImage makes the row of a picture, which an earlier attempt may have made.
func (s *Side) storeImage(ctx context.Context, id string, picture []byte) error {
	media := record.PhotoType(picture)
	_, err := s.site.Client().Insert(ctx, images, odata.Values{
		"Id": id, "Name": "photo." + strings.TrimPrefix(media, "image/"), "MimeType": media,
	})
	if f, ok := errors.AsType[*fault.Error](err); err != nil && (!ok || f.Code != "duplicate") {
		return err
	}
	return s.site.Client().PutStream(ctx, dataOf(id), "application/octet-stream", picture)
}
