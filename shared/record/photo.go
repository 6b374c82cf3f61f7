package record

import (
	"bytes"
	"crypto/sha256"
	"encoding/hex"
)

// Photo names a record's photo in history. It is none of the fields that a schema lists: its value is a picture, and
// travels by itself.
const Photo = "photo"

// PhotoField is how a photo merges: as one value, known by the hash of the picture.
var PhotoField = Field{Name: Photo, Label: "Photo", Key: func(e Entry) string { return e.Text }}

// MaxPhoto bounds a photo that Tandem carries.
const MaxPhoto = 5 << 20

// PhotoHash is the identity of a picture.
func PhotoHash(picture []byte) string {
	sum := sha256.Sum256(picture)
	return "sha256:" + hex.EncodeToString(sum[:])
}

// PhotoType is the media type of a picture that Tandem carries, by its first bytes; empty for anything else
// (https://mimesniff.spec.whatwg.org/#matching-an-image-type-pattern).
func PhotoType(picture []byte) string {
	switch {
	case bytes.HasPrefix(picture, []byte("\xFF\xD8\xFF")):
		return "image/jpeg"
	case bytes.HasPrefix(picture, []byte("\x89PNG\r\n\x1A\n")):
		return "image/png"
	default:
		return ""
	}
}
