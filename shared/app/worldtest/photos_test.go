package worldtest

import (
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"image"
	"image/color"
	_ "image/jpeg" // Google keeps photos as JPEG
	"image/png"
	"math/rand/v2"
	"net/http"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"google.golang.org/api/people/v1"

	"github.com/tandem-sync/tandem/shared/reconcile"
	"github.com/tandem-sync/tandem/shared/record"
	googlebox "github.com/tandem-sync/tandem/shared/sandbox/google"
	"github.com/tandem-sync/tandem/shared/store"
	"github.com/tandem-sync/tandem/shared/syncer"
)

// album is what is known of the photos that people gave. Each shows a number of its own.
type album struct {
	// given is the side on which somebody gave a photo, of the family names of those whom it shows.
	given map[int]record.Side
	of    map[int][]string
	// last are the photos that somebody gave last, 0 where they took one away, by side and family name.
	last map[record.Side]map[string]int
	// bare are the family names of those from whom somebody took a photo away.
	bare map[string]bool
	// at are the photos by the references to the addresses at which Google showed what people gave.
	at map[string]int
}

func newAlbum() *album {
	return &album{
		given: map[int]record.Side{}, of: map[int][]string{}, at: map[string]int{}, bare: map[string]bool{},
		last: map[record.Side]map[string]int{record.Creatio: {}, record.Google: {}},
	}
}

// fields is the number of bits of a photo's number; each is a field of pixels, as large as a block of a JPEG.
const fields, block = 16, 8

// drawings are photos by number, and readings the numbers of photos: all worlds have the same few.
var drawings, readings sync.Map

// drawn is the photo that shows a number.
func drawn(n int) []byte {
	if known, ok := drawings.Load(n); ok {
		return known.([]byte)
	}
	picture := image.NewGray(image.Rect(0, 0, fields/4*block, fields/4*block))
	for i := range picture.Pix {
		bit := i/picture.Stride/block*4 + i%picture.Stride/block
		picture.Pix[i] = map[int]uint8{0: 60, 1: 190}[n>>bit&1]
	}
	var b bytes.Buffer
	// A picture in memory always encodes into memory.
	_ = png.Encode(&b, picture)
	known, _ := drawings.LoadOrStore(n, b.Bytes())
	return known.([]byte)
}

// number is what a photo shows, whatever a service made of it; 0 for none, -1 for what is no photo.
func number(content []byte) (n int) {
	if content == nil {
		return 0
	}
	if known, ok := readings.Load(string(content)); ok {
		return known.(int)
	}
	defer func() { readings.Store(string(content), n) }()
	picture, _, err := image.Decode(bytes.NewReader(content))
	if err != nil {
		return -1
	}
	for bit := range fields {
		if color.GrayModel.Convert(picture.At(bit%4*block+block/2, bit/4*block+block/2)).(color.Gray).Y > 128 {
			n |= 1 << bit
		}
	}
	return n
}

// photoSpelling is how a photo is written down among values.
const photoSpelling = "photo #%d;"

// picture is the photo that a contact shows on a side; nil for none.
func (f *folk) picture(side record.Side, id string) []byte {
	if side == record.Google {
		return f.w.google.Account(ada).Photo(id)
	}
	image, _ := f.w.creatio.System().Get("Contact", id)["PhotoId"].(string)
	if image == "" {
		return nil
	}
	return f.image(image)
}

// image is a picture that Creatio keeps, whoever shows it.
func (f *folk) image(id string) []byte {
	content, _ := f.w.creatio.System().Get("SysImage", id)["Data"].([]byte)
	return content
}

// photo is what a contact shows on a side, written down; empty for none.
func (f *folk) photo(side record.Side, id string) string {
	return spelledPhoto(f.picture(side, id))
}

func spelledPhoto(content []byte) string {
	if n := number(content); n != 0 {
		return fmt.Sprintf(photoSpelling, n)
	}
	return ""
}

func (f *folk) nameOf(side record.Side, id string) string {
	if side == record.Google {
		return nameInGoogle(f.w.google.Account(ada).Person(id))
	}
	return f.nameInCreatio(id)
}

// give gives a contact a photo that nobody has seen before, as a person does on a page.
func (f *folk) give(side record.Side, id string) {
	f.over(f.photo(side, id))
	name := f.nameOf(side, id)
	f.whom = name
	f.value(photoSpelling)
	n := f.made
	f.album.given[n], f.album.of[n], f.album.last[side][name] = side, []string{name}, n
	if side == record.Google {
		f.w.google.Account(ada).SetPhoto(id, drawn(n))
		f.addressed()
		return
	}
	s := f.w.creatio.As("Ada")
	image := f.must(s.Insert("SysImage", map[string]any{"Name": "face.png", "MimeType": "image/png", "Data": drawn(n)}))
	f.must("", s.Update("Contact", id, map[string]any{"PhotoId": image}))
}

// gives is the edit of somebody who gives a contact a photo, whether it has one or not.
func gives(side record.Side) func(*folk, *rand.Rand, string) bool {
	return func(f *folk, _ *rand.Rand, id string) bool {
		f.give(side, id)
		return true
	}
}

// takes is the edit of somebody who takes a contact's photo away.
func takes(side record.Side) func(*folk, *rand.Rand, string) bool {
	return func(f *folk, _ *rand.Rand, id string) bool {
		seen := f.photo(side, id)
		if seen == "" {
			return false
		}
		f.over(seen)
		f.album.last[side][f.nameOf(side, id)], f.album.bare[f.nameOf(side, id)] = 0, true
		if side == record.Google {
			return f.w.google.Account(ada).SetPhoto(id, nil)
		}
		f.must("", f.w.creatio.As("Ada").Update("Contact", id, map[string]any{"PhotoId": nil}))
		return true
	}
}

// forget is for a contact that somebody deletes: one that comes in its place was given nothing, and of what was given to
// it the other side has the only copy.
func (f *folk) forget(side record.Side, id string) {
	name := f.nameOf(side, id)
	delete(f.album.last[side], name)
	for n, names := range f.album.of {
		if f.album.given[n] == side && slices.Contains(names, name) {
			delete(f.album.given, n)
		}
	}
}

// movePhotos has Google show every photo at another address.
func movePhotos(f *folk, _ *rand.Rand) string {
	strangers := f.foreign[record.Google]
	was := map[string]bool{}
	for id, shown := range strangers {
		was[id] = f.shown(record.Google, id) == shown
	}
	f.w.google.Account(ada).MovePhotos()
	f.addressed()
	for id := range strangers {
		if was[id] {
			strangers[id] = f.shown(record.Google, id)
		}
	}
	return "everybody"
}

// addressed notes at which addresses Google shows what.
func (f *folk) addressed() {
	for _, p := range f.w.google.Account(ada).People() {
		n := number(f.w.google.Account(ada).Photo(p.ResourceName))
		for _, photo := range p.Photos {
			if _, name, ok := strings.Cut(photo.Url, "/contact-photos/"); ok && n != 0 {
				sum := sha256.Sum256([]byte(googleURL + "/contact-photos/" + name))
				f.album.at["url:"+hex.EncodeToString(sum[:16])] = n
			}
		}
	}
}

// unite makes the photos of two people those of one, of whom one goes on. It keeps the other one's photo if it has none.
func (f *folk) unite(into, from string) {
	a, b := f.nameOf(record.Google, into), f.nameOf(record.Google, from)
	for n, names := range f.album.of {
		if slices.Contains(names, a) || slices.Contains(names, b) {
			f.album.of[n] = append(names, a, b)
		}
	}
	if f.photo(record.Google, into) != "" {
		f.over(f.photo(record.Google, from))
	}
}

// photo reports whether a request is about a picture.
func (r request) photo() bool {
	return strings.Contains(r.path, "/contact-photos/") || strings.Contains(r.path, "SysImage") ||
		strings.HasSuffix(r.path, "ContactPhoto") || strings.Contains(r.path, "/v1/people/c") || strings.Contains(r.path, "/odata/Contact(")
}

// refusedPhoto reports whether a service may refuse that of a photo where people edit and requests are lost: the picture or
// its contact may be gone, and the picture may be there already.
func (r request) refusedPhoto() bool {
	if r.status == http.StatusNotFound {
		return true
	}
	return r.method == http.MethodPost && strings.Contains(r.says, "23505")
}

// overwrites reports whether a request is a write that a service takes whatever is there by now.
func (r request) overwrites() bool {
	return r.write && (r.side == record.Creatio || r.photo())
}

// outlived are the photos of which a run tells that another one came in their place, and why: by a rule that chose
// between two changes. In Creatio the picture itself is still there; Google keeps none, and the history says which it was.
func (f *folk) outlived(run store.Run) string {
	var out strings.Builder
	for _, c := range run.Changes {
		for _, field := range c.Fields {
			if field.Field != record.Photo || field.Ref == "" || field.Rule == reconcile.RuleChanged || field.Rule == reconcile.RuleFirst {
				continue
			}
			n := f.album.at[field.Ref]
			if c.Side == record.Creatio {
				n = number(f.image(field.Ref))
			}
			fmt.Fprintf(&out, photoSpelling, n)
		}
	}
	return out.String()
}

// shot is a contact with what it shows.
type shot struct {
	id, name string
	content  []byte
}

// shots are all contacts of a side that people know.
func (f *folk) shots(side record.Side) (out []shot) {
	if side == record.Google {
		for _, p := range f.w.google.Account(ada).People() {
			if name := nameInGoogle(p); name != "" {
				out = append(out, shot{p.ResourceName, name, f.w.google.Account(ada).Photo(p.ResourceName)})
			}
		}
		return out
	}
	images := map[string][]byte{"": nil}
	for _, row := range f.w.creatio.System().Rows("SysImage", nil) {
		images[fmt.Sprint(row["Id"])], _ = row["Data"].([]byte)
	}
	for _, c := range f.w.creatio.System().Rows("Contact", nil) {
		if name := familyName.FindString(fmt.Sprint(c["Surname"])); name != "" {
			out = append(out, shot{fmt.Sprint(c["Id"]), name, images[fmt.Sprint(c["PhotoId"])]})
		}
	}
	return out
}

// framed finds photos that are where they do not belong.
func (w *world) framed() {
	f := w.folk
	for _, side := range record.Sides {
		for _, shot := range f.shots(side) {
			name, n, about := shot.name, number(shot.content), f.somebody(shot.name)
			if n != 0 && !slices.Contains(f.album.of[n], name) {
				w.t.Errorf("%s shows photo #%d of %v as that of %s", side, n, f.album.of[n], name)
			}
			mine := f.album.last[side][name]
			others, there := f.album.last[side.Other()][name]
			alone := len(about.twice) == 0 && len(f.album.of[n]) < 2
			switch {
			case !alone:
			case side == record.Creatio && f.album.given[n] == side && !bytes.Equal(shot.content, drawn(n)):
				w.t.Errorf("creatio shows of %s what google made of its photo #%d", name, n)
			case !about.in && n != mine:
				w.t.Errorf("%s shows photo #%d of %s, whom nobody brought in and who was given #%d", side, n, name, mine)
			case n == 0 && mine != 0 && !there && !f.album.bare[name]:
				w.t.Errorf("%s shows no photo of %s, though it was given #%d and nobody took it away", side, name, mine)
			case !about.out && n != mine && (n != others || !there):
				w.t.Errorf("%s shows photo #%d of %s, who was given #%d there and #%d on the other side", side, n, name, mine, others)
			}
		}
	}
}

// photos are all that both sides show.
func (f *folk) photos() string {
	var out strings.Builder
	for _, side := range record.Sides {
		for _, shot := range f.shots(side) {
			out.WriteString(spelledPhoto(shot.content))
		}
	}
	return out.String()
}

// sitting has a run do something of everything with photos: one is new, one is another one on both sides, one is gone.
func (f *folk) sitting(creatio []string, google func(int) string) {
	takes(record.Creatio)(f, nil, creatio[2])
	f.give(record.Google, google(1))
	f.give(record.Google, google(7))
	time.Sleep(time.Second)
	f.give(record.Creatio, creatio[7])
}

// Google's lists show for a while what was before a write. A person who edited right before it brings the contact into the
// list, as it was then.
func TestA_list_that_is_behind_a_write_takes_nothing_of_it_back(t *testing.T) {
	t.Parallel()
	inWorld(t, 1, setup{google: googlebox.Options{WriteVisibility: 10 * time.Minute}}, func(w *world) {
		f, account := w.folk, w.google.Account(ada)
		id := f.inCreatio(true)
		for range 3 {
			w.sync(syncer.TriggerSchedule, nil)
			time.Sleep(30 * time.Minute)
		}
		account.Edit(f.people()[0], func(p *people.Person) {
			p.PhoneNumbers = append(p.PhoneNumbers, &people.PhoneNumber{Value: f.value("+1202555%04d"), Type: "work"})
		})
		time.Sleep(time.Minute)
		f.over(f.jobTitle(id))
		job := f.value("Job %04d")
		f.must("", w.creatio.As("Ada").Update("Contact", id, map[string]any{"JobTitle": job}))
		f.give(record.Creatio, id)
		photo := f.photo(record.Creatio, id)
		for range 4 {
			w.sync(syncer.TriggerSchedule, nil)
			if f.jobTitle(id) != job || f.photo(record.Creatio, id) != photo {
				t.Errorf("%q and %q became %q and %q", job, photo, f.jobTitle(id), f.photo(record.Creatio, id))
			}
			time.Sleep(9*time.Minute + 30*time.Second)
		}
		w.heal()
		w.look()
	})
}

func (f *folk) jobTitle(contact string) string {
	return fmt.Sprint(f.w.creatio.System().Get("Contact", contact)["JobTitle"])
}
