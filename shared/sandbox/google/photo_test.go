package google

import (
	"bytes"
	"encoding/base64"
	"fmt"
	"image"
	"image/color"
	"image/png"
	"math/rand/v2"
	"net/http"
	"strings"
	"testing"

	"google.golang.org/api/people/v1"
)

// picture is a PNG of that size, of one colour or, with noise, of very many.
func picture(t *testing.T, w, h int, noise bool) []byte {
	t.Helper()
	rnd := rand.New(rand.NewPCG(1, 2))
	p := image.NewRGBA(image.Rect(0, 0, w, h))
	for y := range h {
		for x := range w {
			c := color.RGBA{200, 40, 40, 255}
			if noise {
				c = color.RGBA{uint8(rnd.Uint32()), uint8(rnd.Uint32()), uint8(rnd.Uint32()), 255}
			}
			p.Set(x, y, c)
		}
	}
	var b bytes.Buffer
	if err := png.Encode(&b, p); err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}

func TestA_photo_is_taken_made_over_and_served_to_everybody(t *testing.T) {
	t.Parallel()
	w := newWorld(t, Options{})
	api := w.people()
	name := w.Account(ann).Add(person("Tom"))
	given := picture(t, 1000, 500, false)
	was := must(api.People.Get(name).PersonFields("photos,metadata").Do())(t)
	if len(was.Photos) != 1 || !was.Photos[0].Default {
		t.Fatalf("without a photo there is %+v, want one that google draws", was.Photos)
	}
	put := func(content []byte) (*people.UpdateContactPhotoResponse, error) {
		return api.People.UpdateContactPhoto(name, &people.UpdateContactPhotoRequest{
			PhotoBytes: base64.StdEncoding.EncodeToString(content), PersonFields: "photos,metadata", Sources: []string{"READ_SOURCE_TYPE_CONTACT"},
		}).Do()
	}
	now := must(put(given))(t).Person
	if len(now.Photos) != 1 || now.Photos[0].Default || now.Metadata.Sources[0].Etag == was.Metadata.Sources[0].Etag {
		t.Fatalf("got %+v with the version of before", now.Photos)
	}
	for _, size := range []struct {
		query string
		width int
	}{{"", thumbnail}, {"?sz=200", 200}, {"?sz=5000", maxSide}} {
		status, header, body := w.get(now.Photos[0].Url + size.query)
		shown, kind, err := image.DecodeConfig(strings.NewReader(body))
		if status != 200 || header.Get("Content-Type") != "image/jpeg" || err != nil || kind != "jpeg" || shown.Width != size.width || shown.Height != size.width/2 {
			t.Errorf("%q is served as %d %s %dx%d, %v; want a JPEG of width %d", size.query, status, kind, shown.Width, shown.Height, err, size.width)
		}
		if body == string(given) {
			t.Error("the photo is served as it was given")
		}
	}
	again := must(put(given))(t).Person
	if again.Photos[0].Url == now.Photos[0].Url {
		t.Error("another photo has the same address")
	}
	if status, _, _ := w.get(now.Photos[0].Url); status != http.StatusNotFound {
		t.Errorf("a photo that was replaced is still served: %d", status)
	}
	if listed := must(api.People.Connections.List("people/me").PersonFields("photos").Do())(t); listed.Connections[0].Photos[0].Url != again.Photos[0].Url {
		t.Errorf("the list has %+v", listed.Connections[0].Photos)
	}
	// What is written beside it leaves the photo.
	again.Names = []*people.Name{{GivenName: "Tim"}}
	again.Photos = nil
	again.Metadata = &people.PersonMetadata{Sources: []*people.Source{{Type: "CONTACT", Id: again.Metadata.Sources[0].Id, Etag: again.Metadata.Sources[0].Etag}}}
	if written := must(api.People.UpdateContact(name, again).UpdatePersonFields("names").PersonFields("photos").Do())(t); written.Photos[0].Default {
		t.Error("the photo went with another field")
	}
	gone := must(api.People.DeleteContactPhoto(name).PersonFields("photos").Do())(t)
	if !gone.Person.Photos[0].Default || w.Account(ann).Photo(name) != nil {
		t.Errorf("after the deletion there is %+v", gone.Person.Photos)
	}
	silent := must(api.People.DeleteContactPhoto(name).Do())(t)
	if silent.Person != nil {
		t.Errorf("without a mask the person is shown: %+v", silent.Person)
	}
	if v := w.Violations(); len(v) > 0 {
		t.Errorf("violations: %q", v)
	}
}

func TestWhat_is_no_photo_is_refused(t *testing.T) {
	t.Parallel()
	w := newWorld(t, Options{})
	token := w.link(contacts)
	name := w.Account(ann).Add(person("Tom"))
	good := base64.StdEncoding.EncodeToString(picture(t, 2, 2, false))
	large := base64.StdEncoding.EncodeToString(picture(t, 1400, 1400, true))
	if len(large) < maxPhoto*4/3 {
		t.Fatal("the large photo is not large")
	}
	for what, tc := range map[string]struct {
		path, body string
		status     int
		says       string
	}{
		"a photo":               {name, `{"photoBytes":"` + good + `"}`, 200, ""},
		"in the other alphabet": {name, `{"photoBytes":"` + strings.NewReplacer("+", "-", "/", "_", "=", "").Replace(good) + `"}`, 200, ""},
		"nobody's photo":        {"people/c1", `{"photoBytes":"` + good + `"}`, 404, "not found"},
		"no photo":              {name, `{}`, 400, "photo_bytes"},
		"no base64":             {name, `{"photoBytes":"***"}`, 400, "Base64"},
		"a number":              {name, `{"photoBytes":5}`, 400, "photo_bytes"},
		"text":                  {name, `{"photoBytes":"` + base64.StdEncoding.EncodeToString([]byte("hello")) + `"}`, 400, "neither"},
		"a GIF":                 {name, `{"photoBytes":"` + base64.StdEncoding.EncodeToString([]byte("GIF89a")) + `"}`, 400, "neither"},
		"half a photo":          {name, `{"photoBytes":"` + good[:48] + `"}`, 400, "cannot be read"},
		"a photo too large":     {name, `{"photoBytes":"` + large + `"}`, 400, "too large"},
		"an unknown field":      {name, `{"photoBytes":"` + good + `","personFields":"face"}`, 400, "face"},
		"an unknown source":     {name, `{"photoBytes":"` + good + `","sources":["FRIENDS"]}`, 400, "FRIENDS"},
		"an unknown parameter":  {name, `{"photoBytes":"` + good + `","size":1}`, 400, "size"},
	} {
		status, body := w.call(token, http.MethodPatch, "/v1/"+tc.path+":updateContactPhoto", tc.body)
		if status != tc.status || !strings.Contains(body, tc.says) {
			t.Errorf("%s: got %d %s, want %d %q", what, status, body, tc.status, tc.says)
		}
	}
	if status, _ := w.call(token, http.MethodDelete, "/v1/people/c1:deleteContactPhoto", ""); status != 404 {
		t.Errorf("deleting nobody's photo: %d", status)
	}
}

func TestCredentials_have_no_business_where_photos_are_served(t *testing.T) {
	t.Parallel()
	w := newWorld(t, Options{})
	token := w.link(contacts)
	name := w.Account(ann).Add(person("Tom"))
	w.Account(ann).SetPhoto(name, picture(t, 4, 4, false))
	url := w.Account(ann).Person(name).Photos[0].Url
	if status, _ := w.call(token, http.MethodGet, strings.TrimPrefix(url, w.url), ""); status != 200 || len(w.Violations()) != 1 {
		t.Errorf("got %d and the violations %q, want it served and noted", status, w.Violations())
	}
}

func TestPhotos_stay_with_their_contacts(t *testing.T) {
	t.Parallel()
	w := newWorld(t, Options{})
	account := w.Account(ann)
	one, two := account.Add(person("One")), account.Add(person("Two"))
	if account.SetPhoto(one, []byte("no photo")) || account.SetPhoto("people/c1", picture(t, 4, 4, false)) {
		t.Error("what is no photo, or nobody's, was taken")
	}
	account.SetPhoto(two, picture(t, 4, 4, false))
	photo := account.Photo(two)
	url := func(name string) string { return fmt.Sprint(account.Person(name).Photos[0].Url) }
	before := url(two)
	account.MovePhotos()
	if url(two) == before || !bytes.Equal(account.Photo(two), photo) {
		t.Error("the photo did not move, or is another one")
	}
	account.Edit(two, func(p *people.Person) { p.Names[0].GivenName = "Too" })
	two = account.Rename(two)
	account.Merge(one, two)
	if !bytes.Equal(account.Photo(one), photo) {
		t.Error("the merged contact lost the photo")
	}
	var saved bytes.Buffer
	other := New(Options{Now: w.clock.Now})
	if err := w.Save(&saved); err != nil {
		t.Fatal(err)
	}
	if err := other.Load(&saved); err != nil || !bytes.Equal(other.Account(ann).Photo(one), photo) {
		t.Errorf("the photo was not saved: %v", err)
	}
	if account.SetPhoto(one, nil); account.Photo(one) != nil {
		t.Error("the photo was not taken away")
	}
}
