package google

import (
	"bytes"
	"encoding/base64"
	"fmt"
	"image"
	"image/color"
	"image/jpeg"
	_ "image/png" // a photo may come as one
	"net/http"
	"slices"
	"strconv"
	"strings"

	"google.golang.org/api/people/v1"
)

// photo is the picture that the user gave a contact. Google keeps no picture as it was given: it makes its own of it.
type photo struct {
	// ID is part of the address, another one for every picture.
	ID      string
	Content []byte
}

const (
	// maxPhoto is the largest picture that is taken.
	maxPhoto = 5 << 20
	// maxSide is the longest side of what is kept of a picture; thumbnail that of what is served unless more is asked for.
	maxSide   = 720
	thumbnail = 96
	// photoQuality is another one than that of most cameras, so that the bytes change.
	photoQuality = 87
)

// developed makes of a picture what Google would keep of it.
func developed(content []byte) ([]byte, *failure) {
	if len(content) == 0 {
		return nil, invalidField("photo_bytes", "It is required.")
	}
	if len(content) > maxPhoto {
		return nil, invalidField("photo_bytes", "The photo is too large.")
	}
	if kind := http.DetectContentType(content); kind != "image/jpeg" && kind != "image/png" {
		return nil, invalidField("photo_bytes", "The photo is neither a JPEG nor a PNG.")
	}
	picture, _, err := image.Decode(bytes.NewReader(content))
	if err != nil {
		return nil, invalidField("photo_bytes", "The photo cannot be read.")
	}
	return scaled(picture, maxSide), nil
}

// scaled is a picture as a JPEG of which no side is longer than that.
func scaled(picture image.Image, side int) []byte {
	from := picture.Bounds()
	longest := max(from.Dx(), from.Dy())
	w, h := from.Dx(), from.Dy()
	if longest > side {
		w, h = max(1, w*side/longest), max(1, h*side/longest)
	}
	out := image.NewRGBA(image.Rect(0, 0, w, h))
	for y := range h {
		for x := range w {
			out.Set(x, y, color.RGBAModel.Convert(picture.At(from.Min.X+x*from.Dx()/w, from.Min.Y+y*from.Dy()/h)))
		}
	}
	var b bytes.Buffer
	// A picture of this kind always encodes into memory.
	_ = jpeg.Encode(&b, out, &jpeg.Options{Quality: photoQuality})
	return b.Bytes()
}

// setPhoto gives a contact a picture, or takes it away where there is none.
func (s *Server) setPhoto(b *book, c *contact, content []byte) {
	s.change(b, c, func(v *version) {
		v.Photo = nil
		if content != nil {
			v.Photo = &photo{ID: fmt.Sprintf("%016x", b.id("photo")), Content: content}
		}
	})
}

// photos are what a person's field shows: the contact's own picture, or one that Google draws of its initial.
func (c *contact) photos(at version, v view) []any {
	var out []any
	if v.shows("CONTACT") {
		entry := map[string]any{"metadata": map[string]any{"primary": true, "sourcePrimary": true, "source": c.source("CONTACT")}}
		if at.Photo != nil {
			entry["url"] = v.base + photoPath + at.Photo.ID
		} else {
			entry["url"], entry["default"] = v.base+photoPath+"default-"+c.Source, true
		}
		out = append(out, entry)
	}
	if v.shows("PROFILE") {
		for _, it := range c.Profile["photos"] {
			out = append(out, map[string]any{"url": it["url"], "metadata": map[string]any{"source": c.source("PROFILE")}})
		}
	}
	return out
}

// photoPath is where pictures are served, in the place of Google's host for them.
const photoPath = "/contact-photos/"

// servePhoto serves a picture to everybody who knows its address. A picture that was replaced is not there any more.
func (s *Server) servePhoto(w http.ResponseWriter, r *http.Request) {
	if r.Header.Get("Authorization") != "" {
		s.violate("credentials were sent with a request for a photo")
	}
	content := s.photoNamed(strings.TrimPrefix(r.URL.Path, photoPath))
	if r.Method != http.MethodGet || content == nil {
		http.Error(w, "Error 404 (Not Found)!!1", http.StatusNotFound)
		return
	}
	side := thumbnail
	if asked := r.URL.Query().Get("sz"); asked != "" {
		n, err := strconv.Atoi(asked)
		if err != nil || n <= 0 {
			http.Error(w, "Error 400 (Bad Request)!!1", http.StatusBadRequest)
			return
		}
		side = n
	}
	if picture, _, err := image.Decode(bytes.NewReader(content)); err == nil {
		if size := picture.Bounds(); max(size.Dx(), size.Dy()) > side {
			content = scaled(picture, side)
		}
	}
	w.Header().Set("Content-Type", "image/jpeg")
	w.WriteHeader(http.StatusOK)
	_, _ = w.Write(content)
}

func (s *Server) photoNamed(id string) []byte {
	for _, a := range s.state.Accounts {
		for _, c := range a.Book.live() {
			if p := c.now().Photo; p != nil && p.ID == id {
				return p.Content
			}
		}
	}
	return nil
}

// updateContactPhoto is people.updateContactPhoto.
func (c *call) updateContactPhoto() (any, *failure) {
	var in people.UpdateContactPhotoRequest
	if f := c.decode(&in); f != nil {
		return nil, f
	}
	v, silent := c.after("personFields", in.PersonFields, in.Sources)
	found := c.book.find(c.name())
	if found == nil {
		return nil, notFound()
	}
	// What was judged before is base64.
	content, _ := anyBase64(in.PhotoBytes)
	kept, f := developed(content)
	if f != nil {
		return nil, f
	}
	c.s.setPhoto(c.book, found, kept)
	return photographed(found, v, silent), nil
}

// anyBase64 reads bytes in JSON, in either alphabet and with or without padding (https://protobuf.dev/programming-guides/json/).
func anyBase64(text string) ([]byte, error) {
	text = strings.NewReplacer("-", "+", "_", "/").Replace(strings.TrimRight(text, "="))
	return base64.RawStdEncoding.DecodeString(text)
}

// deleteContactPhoto is people.deleteContactPhoto.
func (c *call) deleteContactPhoto() (any, *failure) {
	v, silent := c.after("personFields", c.query.Get("personFields"), c.query["sources"])
	found := c.book.find(c.name())
	if found == nil {
		return nil, notFound()
	}
	if found.now().Photo != nil {
		c.s.setPhoto(c.book, found, nil)
	}
	return photographed(found, v, silent), nil
}

func photographed(c *contact, v view, silent bool) any {
	if silent {
		return struct{}{}
	}
	return map[string]any{"person": c.render(c.now(), v)}
}

// SetPhoto gives a contact a picture, a JPEG or a PNG, as the person does on the page; none takes it away.
func (a *Account) SetPhoto(resourceName string, content []byte) (done bool) {
	a.on(resourceName, func(b *book, c *contact) {
		var kept []byte
		if content != nil {
			var f *failure
			if kept, f = developed(content); f != nil {
				return
			}
		}
		a.s.setPhoto(b, c, kept)
		done = true
	})
	return done
}

// Photo is a contact's picture as Google keeps it; nil where there is none.
func (a *Account) Photo(resourceName string) (content []byte) {
	a.on(resourceName, func(_ *book, c *contact) {
		if p := c.now().Photo; p != nil {
			content = slices.Clone(p.Content)
		}
	})
	return content
}

// MovePhotos gives every picture another address, as Google does from time to time.
func (a *Account) MovePhotos() {
	a.with(func(b *book) {
		for _, c := range b.live() {
			if p := c.now().Photo; p != nil {
				a.s.setPhoto(b, c, p.Content)
			}
		}
	})
}
