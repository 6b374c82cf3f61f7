package people

import (
	"bytes"
	"encoding/base64"
	"encoding/json"
	"image"
	"image/color"
	"image/jpeg"
	"image/png"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"google.golang.org/api/people/v1"

	"github.com/tandem-sync/tandem/shared/fault"
	"github.com/tandem-sync/tandem/shared/google"
	"github.com/tandem-sync/tandem/shared/httpx"
	"github.com/tandem-sync/tandem/shared/record"
)

func TestThe_photo_of_a_contact_is_the_one_its_user_gave_it(t *testing.T) {
	t.Parallel()
	own := &people.FieldMetadata{Source: &people.Source{Type: contactType, Id: "64"}}
	profile := &people.FieldMetadata{Source: &people.Source{Type: "PROFILE", Id: "55"}}
	for name, tc := range map[string]struct {
		photos []*people.Photo
		want   string
	}{
		"nothing":                 {nil, ""},
		"drawn by Google":         {[]*people.Photo{{Url: "https://lh3.googleusercontent.com/a", Default: true, Metadata: own}}, ""},
		"the person's own":        {[]*people.Photo{{Url: "https://lh3.googleusercontent.com/b", Metadata: profile}}, ""},
		"the contact's":           {[]*people.Photo{{Url: "https://lh3.googleusercontent.com/c", Metadata: own}}, "https://lh3.googleusercontent.com/c"},
		"the contact's of others": {[]*people.Photo{{Url: "b", Metadata: profile}, {Url: "d", Default: true, Metadata: own}, {Url: "c", Metadata: own}}, "c"},
	} {
		r := recordOf(contactPerson(people.Person{Photos: tc.photos}), testGroup)
		n, err := readState(r.AdapterState)
		if err != nil || n.Photo != tc.want || r.Photo != referenceTo(tc.want) {
			t.Errorf("%s: got %q and the reference %q, %v; want %q", name, n.Photo, r.Photo, err, tc.want)
		}
	}
	if referenceTo("a") == referenceTo("b") || referenceTo("") != "" {
		t.Error("a reference does not stand for its address")
	}
}

func TestPhotos_are_fetched_from_Google_and_from_nobody_else(t *testing.T) {
	t.Parallel()
	for address, want := range map[string]string{
		"https://lh3.googleusercontent.com/contacts/AG6tp=s100": "https://lh3.googleusercontent.com/contacts/AG6tp=s100?sz=720",
		"https://lh3.googleusercontent.com/a?sz=50":             "https://lh3.googleusercontent.com/a?sz=720",
		"https://yt3.ggpht.com/a":                               "https://yt3.ggpht.com/a?sz=720",
		"http://lh3.googleusercontent.com/a":                    "",
		"https://lh3.googleusercontent.com:8443/a":              "",
		"https://googleusercontent.com.example.com/a":           "",
		"https://evilgoogleusercontent.com/a":                   "",
		"https://169.254.169.254/latest":                        "",
		"file:///etc/passwd":                                    "",
		"://":                                                   "",
	} {
		got, err := (&Side{api: &google.Client{}}).photoAddress(address)
		if got != want || (err == nil) != (want != "") {
			t.Errorf("%s: got %q, %v; want %q", address, got, err, want)
		}
		if err != nil && !fault.Is(err, fault.BadRecord) {
			t.Errorf("%s: %v is not the record's fault", address, err)
		}
	}
	local := &Side{api: &google.Client{Options: google.Options{Endpoint: "http://127.0.0.1:8080"}}}
	if _, err := local.photoAddress("http://127.0.0.1:8080/contact-photos/1"); err != nil {
		t.Errorf("the endpoint's own: %v", err)
	}
	if _, err := local.photoAddress("https://lh3.googleusercontent.com/a"); err == nil {
		t.Error("beside an endpoint the real service is asked")
	}
}

// scene is a picture with something on it, at a place.
func scene(w, h, x, y int) image.Image {
	p := image.NewRGBA(image.Rect(0, 0, w, h))
	for j := range h {
		for i := range w {
			c := color.RGBA{uint8(255 * i / w), uint8(255 * j / h), 90, 255}
			if i*10/w == x && j*10/h == y {
				c = color.RGBA{255, 255, 255, 255}
			}
			p.Set(i, j, c)
		}
	}
	return p
}

func file(t *testing.T, p image.Image, quality int) []byte {
	t.Helper()
	var b bytes.Buffer
	err := png.Encode(&b, p)
	if quality > 0 {
		b.Reset()
		err = jpeg.Encode(&b, p, &jpeg.Options{Quality: quality})
	}
	if err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}

func TestGoogles_own_picture_of_a_photo_is_known_and_another_photo_is_not(t *testing.T) {
	t.Parallel()
	given := file(t, scene(900, 600, 3, 3), 0)
	for name, tc := range map[string]struct {
		picture []byte
		want    bool
	}{
		"itself":            {given, true},
		"written anew":      {file(t, scene(900, 600, 3, 3), 60), true},
		"scaled":            {file(t, scene(720, 480, 3, 3), 85), true},
		"something moved":   {file(t, scene(720, 480, 6, 3), 85), false},
		"another form":      {file(t, scene(600, 600, 3, 3), 85), false},
		"one colour":        {file(t, image.NewGray(image.Rect(0, 0, 900, 600)), 85), false},
		"half of it":        {given[:len(given)/2], false},
		"no picture at all": {[]byte("\xFF\xD8\xFF"), false},
		"nothing":           {nil, false},
	} {
		if got := (&Side{}).Made(given, tc.picture); got != tc.want {
			t.Errorf("%s: made of it: %v, want %v", name, got, tc.want)
		}
	}
}

// studio answers requests for photos, and remembers them.
type studio struct {
	t *testing.T
	// shows says whether a reply shows the photo that it took.
	shows   bool
	taken   []byte
	served  []byte
	refuses int
}

func (s *studio) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	switch {
	case strings.HasPrefix(r.URL.Path, "/photo/"):
		if r.Header.Get("Authorization") != "" {
			s.t.Error("credentials came with a request for a photo")
		}
		if s.refuses > 0 {
			w.WriteHeader(s.refuses)
			return
		}
		_, _ = w.Write(s.served)
		return
	case strings.HasSuffix(r.URL.Path, ":updateContactPhoto"):
		var in people.UpdateContactPhotoRequest
		if err := json.NewDecoder(r.Body).Decode(&in); err != nil || in.PersonFields != personFields || len(in.Sources) != 1 {
			s.t.Errorf("asked with %+v, %v", in, err)
		}
		s.taken, _ = base64.StdEncoding.DecodeString(in.PhotoBytes)
	case strings.HasSuffix(r.URL.Path, ":deleteContactPhoto"):
		if r.URL.Query().Get("personFields") != personFields {
			s.t.Errorf("asked with %v", r.URL.Query())
		}
		s.taken = nil
	}
	p := contactPerson(people.Person{Photos: []*people.Photo{{Url: "http://" + r.Host + "/photo/default", Default: true}}})
	if s.taken != nil && (s.shows || r.Method == http.MethodGet) {
		p.Photos = []*people.Photo{{Url: "http://" + r.Host + "/photo/1"}}
	}
	if r.Method == http.MethodGet {
		_ = json.NewEncoder(w).Encode(p)
		return
	}
	_ = json.NewEncoder(w).Encode(map[string]any{"person": p})
}

type signed struct{}

func (signed) RoundTrip(r *http.Request) (*http.Response, error) {
	r = r.Clone(r.Context())
	r.Header.Set("Authorization", "Bearer token")
	return http.DefaultTransport.RoundTrip(r)
}

func TestA_photo_that_was_written_is_looked_at_once(t *testing.T) {
	t.Parallel()
	s := &studio{t: t, shows: true, served: []byte("\xFF\xD8\xFF made by google")}
	server := httptest.NewServer(s)
	t.Cleanup(server.Close)
	c := open(t, google.Options{HTTP: &http.Client{Transport: signed{}}, Endpoint: server.URL},
		Options{Photos: httpx.NewClient(httpx.Options{Side: google.Side, Attempts: 1}), Group: testGroup})
	given := []byte("\x89PNG\r\n\x1A\n as it was given")
	res := c.PutPhoto(t.Context(), record.Record{ID: "people/c100"}, given)
	if res.Err != nil || !bytes.Equal(s.taken, given) || res.Record.Photo != referenceTo(server.URL+"/photo/1") {
		t.Fatalf("took %q, got %+v", s.taken, res)
	}
	if len(res.Projections) != 1 || res.Projections[0].Canonical.Text != record.PhotoHash(given) || res.Projections[0].Displayed.Text != record.PhotoHash(s.served) {
		t.Errorf("google's own picture is not told of: %+v", res.Projections)
	}
	if picture, err := c.Photo(t.Context(), res.Record); err != nil || !bytes.Equal(picture, s.served) {
		t.Errorf("read %q, %v", picture, err)
	}
	s.refuses = http.StatusNotFound
	if res := c.PutPhoto(t.Context(), res.Record, given); res.Err != nil || len(res.Projections) != 1 || res.Projections[0].Displayed.Text != "" {
		t.Errorf("a photo that cannot be looked at is there all the same, as nobody knows what: %+v", res)
	}
	if _, err := c.Photo(t.Context(), res.Record); !fault.Is(err, fault.Gone) {
		t.Errorf("a photo that is not there: %v", err)
	}
	s.refuses = http.StatusForbidden
	if _, err := c.Photo(t.Context(), res.Record); !fault.Is(err, fault.Retry) {
		t.Errorf("a photo that its host does not give: %v", err)
	}
	s.shows = false
	if res := c.PutPhoto(t.Context(), res.Record, given); !fault.Ambiguous(res.Err) {
		t.Errorf("a reply that does not show the photo: %+v", res)
	}
	for what, picture := range map[string][]byte{"writing": given, "removing": nil} {
		if late := c.PutPhoto(t.Context(), record.Record{ID: "people/c100", Photo: "url:another"}, picture); !fault.Is(late.Err, fault.Conflict) || s.taken == nil {
			t.Errorf("%s over a photo that somebody changed meanwhile ended with %v", what, late.Err)
		}
	}
	if res := c.PutPhoto(t.Context(), res.Record, nil); res.Err != nil || res.Record.Photo != "" || s.taken != nil {
		t.Errorf("taking it away: %+v", res)
	}
	if _, err := c.Photo(t.Context(), record.Record{ID: "people/c100"}); !fault.Is(err, fault.Conflict) {
		t.Errorf("a photo of a contact that was not read: %v", err)
	}
}
