package people

import (
	"context"
	"crypto/sha256"
	"encoding/base64"
	"encoding/hex"
	"encoding/json"
	"errors"
	"io"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"

	"google.golang.org/api/people/v1"

	"github.com/tandem-sync/tandem/shared/fault"
	"github.com/tandem-sync/tandem/shared/google"
	"github.com/tandem-sync/tandem/shared/httpx"
	"github.com/tandem-sync/tandem/shared/record"
)

// photoSide is how large a photo is asked for; without asking, Google gives a thumbnail. It keeps none that is larger.
const photoSide = 720

// photoHosts are where Google serves photos, with every host under them. What is served elsewhere is not fetched: an
// address in a contact shall not make Tandem call any other host.
var photoHosts = []string{"googleusercontent.com", "ggpht.com"}

// photoOf is the address of the photo that the user gave a contact. One that Google draws itself is none.
func photoOf(p *people.Person, source *people.Source) string {
	for _, photo := range only(p.Photos, source, func(e *people.Photo) *people.FieldMetadata { return e.Metadata }) {
		if !photo.Default && photo.Url != "" {
			return photo.Url
		}
	}
	return ""
}

// referenceTo stands for an address: another photo has another one.
func referenceTo(address string) string {
	if address == "" {
		return ""
	}
	sum := sha256.Sum256([]byte(address))
	return "url:" + hex.EncodeToString(sum[:16])
}

// Photo reads the picture that a contact shows. It is open to everybody who knows its address, so it is asked for without
// the user's credentials.
func (s *Side) Photo(ctx context.Context, r record.Record) ([]byte, error) {
	n, err := readState(r.AdapterState)
	if err != nil || n.Photo == "" {
		return nil, fault.New(fault.Conflict, google.Side, "not-read", errors.New("read photo: its address is not known"))
	}
	address, err := s.photoAddress(n.Photo)
	if err != nil {
		return nil, err
	}
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, address, nil)
	if err != nil {
		return nil, fault.New(fault.BadRecord, google.Side, "photo-address", errors.New("read photo: its address is none"))
	}
	resp, err := s.options.Photos.Do(req)
	if err != nil {
		return nil, s.api.Classify("read photo", err, false)
	}
	defer func() { _ = resp.Body.Close() }()
	switch resp.StatusCode {
	case http.StatusOK:
	case http.StatusForbidden:
		// The host of pictures says nothing about the account, as the API's 403 does.
		return nil, fault.New(fault.Retry, google.Side, "photo-unavailable", errors.New("read photo: status 403"))
	default:
		if err := google.ClassifyStatus("read photo", resp.StatusCode, 0, "", false); err != nil {
			return nil, err
		}
		return nil, fault.Errorf(fault.Retry, google.Side, "photo-unavailable", "read photo: status %d", resp.StatusCode)
	}
	picture, err := io.ReadAll(io.LimitReader(resp.Body, record.MaxPhoto+1))
	if err != nil {
		return nil, s.api.Classify("read photo", err, false)
	}
	return picture, nil
}

// photoAddress asks for a size that is worth keeping (https://developers.google.com/people/api/rest/v1/people#photo).
func (s *Side) photoAddress(address string) (string, error) {
	u, err := url.Parse(address)
	if err != nil || !s.servesPhotos(u) {
		return "", fault.New(fault.BadRecord, google.Side, "photo-address", errors.New("read photo: its address is not one of Google's"))
	}
	query := u.Query()
	query.Set("sz", strconv.Itoa(photoSide))
	u.RawQuery = query.Encode()
	return u.String(), nil
}

func (s *Side) servesPhotos(u *url.URL) bool {
	if s.api.Endpoint != "" {
		own, err := url.Parse(s.api.Endpoint)
		return err == nil && u.Scheme == own.Scheme && u.Host == own.Host
	}
	return u.Scheme == "https" && u.Port() == "" && slices.ContainsFunc(photoHosts, func(host string) bool {
		return u.Hostname() == host || strings.HasSuffix(u.Hostname(), "."+host)
	})
}

// PutPhoto gives a contact a photo, or takes it away where there is none. Doing it twice is the same as once.
//
// Google makes its own picture of what it is given. The hash of that is told, so that the photo is known again when
// Google shows it at another address.
func (s *Side) PutPhoto(ctx context.Context, r record.Record, picture []byte) record.Result {
	s.writing.Lock()
	defer s.writing.Unlock()
	if err := s.unchangedPhoto(ctx, r); err != nil {
		return record.Result{Err: err}
	}
	p, err := s.putPhoto(httpx.Idempotent(ctx), r.ID, picture)
	if err = s.api.Classify("write photo", err, true); err != nil {
		return record.Result{Err: err}
	}
	after := record.Record{Gone: true}
	if p != nil {
		after = recordOf(p, s.scope())
	}
	if after.Gone || (after.Photo == "") != (picture == nil) || s.another(r.AdapterState, s.StableID(after.AdapterState)) {
		f := fault.New(fault.Retry, google.Side, "incomplete-reply", errors.New("write photo: the reply does not show it"))
		f.Ambiguous = true
		return record.Result{Err: f}
	}
	if after.ID != r.ID {
		after.Aliases = append(after.Aliases, r.ID)
	}
	out := record.Result{Record: after}
	if picture == nil {
		return out
	}
	is, as := record.PhotoHash(picture), ""
	if made, err := s.Photo(ctx, after); err != nil {
		// The photo is there all the same.
		s.api.Logger.DebugContext(ctx, "a photo that was written could not be read", "error", err)
	} else {
		as = record.PhotoHash(made)
	}
	if is != as {
		out.Projections = []record.Projection{{Field: record.Photo, Canonical: record.Entry{Text: is}, Displayed: record.Entry{Text: as}}}
	}
	return out
}

// unchangedPhoto makes sure that the contact still shows the photo that it was read with: these writes carry no etag, and
// Google keeps no photo that was written over (https://developers.google.com/people/api/rest/v1/people/updateContactPhoto).
func (s *Side) unchangedPhoto(ctx context.Context, r record.Record) error {
	p, err := s.service.People.Get(r.ID).PersonFields("metadata,photos").Sources(contactSource).Context(ctx).Do()
	if err = s.api.Classify("look at photo", err, false); err != nil {
		return err
	}
	source := sourceOf(p)
	if source == nil || referenceTo(photoOf(p, source)) != r.Photo || s.another(r.AdapterState, source.Id) {
		return fault.New(fault.Conflict, google.Side, "changed-meanwhile", errors.New("write photo: the contact shows another one than it did, or is another one"))
	}
	return nil
}

// another reports whether a contact that answers to the name of a known one is the one into which that was merged.
func (s *Side) another(state json.RawMessage, source string) bool {
	was := s.StableID(state)
	return was != "" && source != "" && was != source
}

func (s *Side) putPhoto(ctx context.Context, id string, picture []byte) (*people.Person, error) {
	if picture == nil {
		reply, err := s.service.People.DeleteContactPhoto(id).PersonFields(personFields).Sources(contactSource).Context(ctx).Do()
		if err != nil {
			return nil, err
		}
		return reply.Person, nil
	}
	reply, err := s.service.People.UpdateContactPhoto(id, &people.UpdateContactPhotoRequest{
		PhotoBytes: base64.StdEncoding.EncodeToString(picture), PersonFields: personFields, Sources: []string{contactSource},
	}).Context(ctx).Do()
	if err != nil {
		return nil, err
	}
	return reply.Person, nil
}
