package app_test

import (
	"bytes"
	"image"
	"image/color"
	"image/jpeg"
	"image/png"
	"net/http"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/tandem-sync/tandem/shared/record"
	creatiobox "github.com/tandem-sync/tandem/shared/sandbox/creatio"
	googlebox "github.com/tandem-sync/tandem/shared/sandbox/google"
	"github.com/tandem-sync/tandem/shared/store"
)

// picture is a PNG of one colour.
func picture(t *testing.T, shade uint8) []byte {
	t.Helper()
	p := image.NewPaletted(image.Rect(0, 0, 40, 40), color.Palette{color.RGBA{shade, 80, 120, 255}})
	var b bytes.Buffer
	if err := png.Encode(&b, p); err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}

// shade is what a picture shows, whatever a service made of it.
func shade(t *testing.T, content []byte) int {
	t.Helper()
	if content == nil {
		return -1
	}
	p, _, err := image.Decode(bytes.NewReader(content))
	if err != nil {
		t.Fatal(err)
	}
	r, _, _, _ := p.At(20, 20).RGBA()
	return int(r >> 8)
}

func alike(a, b int) bool { return a-b < 6 && b-a < 6 }

// expose gives a contact in Creatio a photo as a person does on a page; nothing takes it away.
func (w *world) expose(contact string, content []byte) {
	w.t.Helper()
	var id any
	if content != nil {
		id = w.row("Ada", "SysImage", map[string]any{"Name": "a.png", "MimeType": "image/png", "Data": content})
	}
	if err := w.creatio.As("Ada").Update("Contact", contact, map[string]any{"PhotoId": id}); err != nil {
		w.t.Fatal(err)
	}
}

// photos are what a contact and a person show, as shades; -1 for nothing.
func (w *world) photos(contact, family string) (creatio, google int) {
	w.t.Helper()
	creatio = -1
	if id, _ := w.creatio.System().Get("Contact", contact)["PhotoId"].(string); id != "" {
		data, _ := w.creatio.System().Get("SysImage", id)["Data"].([]byte)
		creatio = shade(w.t, data)
	}
	return creatio, shade(w.t, w.google.Account(ada).Photo(w.found(family).ResourceName))
}

// wantPhotos checks both.
func (w *world) wantPhotos(when, contact, family string, creatio, google int) {
	w.t.Helper()
	c, g := w.photos(contact, family)
	if !alike(c, creatio) || !alike(g, google) {
		w.t.Errorf("%s: creatio shows %d and google %d, want %d and %d", when, c, g, creatio, google)
	}
}

// told are the changes of photos that a run tells of.
func told(run store.Run) []string {
	var out []string
	for _, c := range run.Changes {
		for _, f := range c.Fields {
			if f.Field == "photo" {
				out = append(out, string(c.Side)+": "+f.Before+" -> "+f.After+" "+f.Rule)
			}
		}
	}
	slices.Sort(out)
	return out
}

func (w *world) wantTold(run store.Run, want ...string) {
	w.t.Helper()
	slices.Sort(want)
	if got := strings.Join(told(run), "; "); got != strings.Join(want, "; ") {
		w.t.Errorf("the run tells of photos %q, want %q", got, strings.Join(want, "; "))
	}
}

func TestPhotos_go_both_ways_and_come_back_from_nowhere(t *testing.T) {
	t.Parallel()
	w, _, contacts := twins(t, "Hopper", "Turing")
	hopper, turing := contacts["Hopper"], contacts["Turing"]
	google := w.google.Account(ada)
	w.expose(hopper, picture(t, 10))
	google.SetPhoto(w.found("Turing").ResourceName, picture(t, 200))
	run := w.sync("done")
	w.wantPhotos("the first photos", hopper, "Hopper", 10, 10)
	w.wantPhotos("the first photos", turing, "Turing", 200, 200)
	w.wantTold(run, "google:  -> photo changed", "creatio:  -> photo changed")
	if got, want := summary(run), "creatio +0 ~1 -0 google +0 ~1 -0 matched 0 failed 0"; got != want {
		t.Errorf("got %s, want %s", got, want)
	}
	given := w.creatio.System().Get("Contact", hopper)["PhotoId"]
	w.silent()
	w.silent()
	w.writes()
	idle := w.sync("done")
	if calls := idle.Counts.Calls; calls.Google != 2 || calls.Creatio != 1 {
		t.Errorf("an idle run with photos made %+v: %+v %+v", calls, w.google.Requests(), w.creatio.Requests())
	}

	// The same photos at other addresses are no change, whoever made them what they are.
	google.MovePhotos()
	w.silent()
	w.wantPhotos("after the addresses moved", hopper, "Hopper", 10, 10)
	if id := w.creatio.System().Get("Contact", hopper)["PhotoId"]; id != given {
		t.Error("google's copy of the photo came back to creatio")
	}
	w.silent()

	// Another photo, and another field beside it.
	w.expose(hopper, picture(t, 90))
	if err := w.creatio.As("Ada").Update("Contact", hopper, map[string]any{"JobTitle": "Admiral"}); err != nil {
		t.Fatal(err)
	}
	google.SetPhoto(w.found("Turing").ResourceName, picture(t, 140))
	run = w.sync("done")
	w.wantPhotos("other photos", hopper, "Hopper", 90, 90)
	w.wantPhotos("other photos", turing, "Turing", 140, 140)
	w.wantTold(run, "google: photo -> another photo changed", "creatio: photo -> another photo changed")
	for _, c := range run.Changes {
		for _, f := range c.Fields {
			if f.Field == "photo" && f.Ref == "" {
				t.Errorf("nothing leads back to the former photo: %+v", f)
			}
		}
	}
	w.silent()

	// A photo that is taken away on one side goes on the other.
	w.expose(hopper, nil)
	google.SetPhoto(w.found("Turing").ResourceName, nil)
	run = w.sync("done")
	w.wantPhotos("taken away", hopper, "Hopper", -1, -1)
	w.wantPhotos("taken away", turing, "Turing", -1, -1)
	w.wantTold(run, "google: photo ->  changed", "creatio: photo ->  changed")
	w.silent()
	w.clean()
}

func TestPhotos_that_meet_for_the_first_time(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	tag := w.tag("Ada", private)
	ids := map[string]string{}
	for _, name := range []string{"Both", "Creatio", "Google", "Neither"} {
		ids[name] = w.contact("Some "+name, strings.ToLower(name)+"@example.com")
		w.tagged(tag, ids[name])
		w.person("Some", name, strings.ToLower(name)+"@example.com")
	}
	alone := w.contact("Some Alone", "alone@example.com")
	w.tagged(tag, alone)
	w.expose(alone, picture(t, 60))
	w.expose(ids["Creatio"], picture(t, 10))
	w.google.Account(ada).SetPhoto(w.found("Google").ResourceName, picture(t, 200))
	w.expose(ids["Both"], picture(t, 30))
	w.pass(time.Hour)
	w.google.Account(ada).SetPhoto(w.found("Both").ResourceName, picture(t, 230))
	w.link()
	w.choose(tag)

	before := w.writes()
	var preview store.Run
	w.call(http.MethodPost, "/contacts/preview", nil, 200, &preview)
	for _, r := range append(w.google.Requests(), googlebox.Request{}) {
		if strings.HasPrefix(r.Path, "/contact-photos/") {
			t.Error("a preview fetched a photo")
		}
	}
	if after := w.writes(); len(after) > 0 {
		t.Errorf("a preview wrote %q (before: %q)", after, before)
	}
	run := w.sync("done")
	if got, want := strings.Join(told(preview), ";"), strings.Join(told(run), ";"); got != want {
		t.Errorf("the preview told of %q, the run of %q", got, want)
	}
	if got, want := summary(preview), summary(run); got != want {
		t.Errorf("the preview counted %s, the run %s", got, want)
	}
	w.wantPhotos("both had one, and Google's is the later", ids["Both"], "Both", 230, 230)
	w.wantPhotos("Creatio had one", ids["Creatio"], "Creatio", 10, 10)
	w.wantPhotos("Google had one", ids["Google"], "Google", 200, 200)
	w.wantPhotos("nobody had one", ids["Neither"], "Neither", -1, -1)
	w.wantPhotos("a new contact", alone, "Alone", 60, 60)
	if run.Counts.Conflicts != 1 {
		t.Errorf("got %d conflicts, want the one of the two photos", run.Counts.Conflicts)
	}
	w.silent()
	w.clean()
}

func TestA_photo_that_one_side_took_away_and_the_other_changed_stays(t *testing.T) {
	t.Parallel()
	w, _, contacts := twins(t, "Hopper")
	w.expose(contacts["Hopper"], picture(t, 10))
	w.sync("done")
	w.expose(contacts["Hopper"], picture(t, 90))
	w.pass(time.Minute)
	w.google.Account(ada).SetPhoto(w.found("Hopper").ResourceName, nil)
	run := w.sync("done")
	w.wantPhotos("an edit beats an emptied value", contacts["Hopper"], "Hopper", 90, 90)
	w.wantTold(run, "google:  -> photo edit-kept")
	w.silent()
	w.clean()
}

func TestWhat_is_no_photo_for_both_sides_stays_where_it_is(t *testing.T) {
	t.Parallel()
	w, _, contacts := twins(t, "Hopper", "Turing", "Noether")
	w.expose(contacts["Hopper"], []byte("<svg/>"))
	w.expose(contacts["Turing"], append(picture(t, 10), make([]byte, 5<<20)...))
	w.expose(contacts["Noether"], []byte("\x89PNG\r\n\x1A\n and no more"))
	run := w.sync("done")
	var codes []string
	for _, p := range run.Problems {
		codes = append(codes, p.Record+" "+string(p.Side)+" "+p.Code)
	}
	if got, want := lines(codes...), lines("Some Hopper creatio photo-format", "Some Turing creatio photo-too-large", "Some Noether google photo-refused"); got != want {
		t.Errorf("the run tells of\n%s\nwant\n%s", got, want)
	}
	w.writes()
	if run := w.sync("done"); len(run.Problems) > 0 {
		t.Errorf("the next run tells it again: %+v", run.Problems)
	}
	w.silent()
	for name, id := range contacts {
		if w.creatio.System().Get("Contact", id)["PhotoId"] == "" {
			t.Errorf("the photo of %s is gone", name)
		}
	}
	// Somebody gives them one that both can have.
	w.expose(contacts["Hopper"], picture(t, 10))
	w.google.Account(ada).SetPhoto(w.found("Turing").ResourceName, picture(t, 200))
	w.sync("done")
	w.wantPhotos("a photo at last", contacts["Hopper"], "Hopper", 10, 10)
	w.wantPhotos("a photo at last", contacts["Turing"], "Turing", 200, 200)
	w.silent()
	w.clean()
}

func TestA_photo_that_fails_stops_nothing_else(t *testing.T) {
	t.Parallel()
	w, tag, contacts := twins(t, "Hopper", "Turing", "Noether")
	for i, name := range []string{"Hopper", "Turing", "Noether"} {
		w.expose(contacts[name], picture(t, uint8(50*i)))
	}
	w.tagged(tag, w.contact("Some Lovelace", "lovelace@example.com"))
	broken := strings.TrimPrefix(w.found("Turing").ResourceName, "people/")
	w.google.SetFault(func(r *http.Request) *googlebox.Fault {
		if strings.HasSuffix(r.URL.Path, broken+":updateContactPhoto") {
			return &googlebox.Fault{Status: http.StatusForbidden, Body: `{"error":{"code":403,"message":"no","status":"PERMISSION_DENIED"}}`}
		}
		return nil
	})
	run := w.sync("partial")
	if run.Counts.Failed != 1 || len(run.Problems) != 1 || run.Problems[0].Record != "Some Turing" {
		t.Errorf("got %+v, want one failure, of Turing", run.Problems)
	}
	w.wantPhotos("beside the failure", contacts["Hopper"], "Hopper", 0, 0)
	w.wantPhotos("beside the failure", contacts["Noether"], "Noether", 100, 100)
	w.found("Lovelace")
	w.google.SetFault(nil)
	w.sync("partial")
	w.pass(time.Hour)
	w.sync("done")
	w.wantPhotos("once it works", contacts["Turing"], "Turing", 50, 50)
	w.silent()
	w.clean()
}

func TestPhotos_wait_where_nobody_can_reach_them(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	tag := w.tag("Ada", private)
	w.link()
	w.choose(tag)
	w.sync("done")
	for i, name := range []string{"Ash", "Birch", "Cedar", "Dogwood", "Elm", "Fir"} {
		id := w.person("Some", name, strings.ToLower(name)+"@example.com", "Creatio")
		w.google.Account(ada).SetPhoto(id, picture(t, uint8(30*i)))
	}
	w.google.SetFault(func(r *http.Request) *googlebox.Fault {
		if strings.HasPrefix(r.URL.Path, "/contact-photos/") {
			return &googlebox.Fault{Status: http.StatusNotImplemented}
		}
		return nil
	})
	run := w.sync("partial")
	if run.Counts.Creatio.Created != 6 || run.Counts.Creatio.Updated != 0 || run.Counts.Failed != 3 {
		t.Errorf("got %s, want six contacts without a photo and three failures", summary(run))
	}
	w.google.SetFault(nil)
	w.pass(time.Hour)
	run = w.sync("done")
	if run.Counts.Creatio.Updated != 6 {
		t.Errorf("got %s, want six photos", summary(run))
	}
	w.silent()
	w.clean()
}

func TestA_lost_answer_to_a_photo_makes_no_photo_of_a_photo(t *testing.T) {
	t.Parallel()
	for name, lost := range map[string]func(calls int) bool{
		"once":                func(n int) bool { return n == 1 },
		"as long as it tries": func(int) bool { return true },
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			w, _, contacts := twins(t, "Hopper")
			w.expose(contacts["Hopper"], picture(t, 10))
			calls := 0
			w.google.SetFault(func(r *http.Request) *googlebox.Fault {
				if strings.HasSuffix(r.URL.Path, ":updateContactPhoto") {
					if calls++; lost(calls) {
						return &googlebox.Fault{Drop: true, After: true}
					}
				}
				return nil
			})
			given := w.creatio.System().Get("Contact", contacts["Hopper"])["PhotoId"]
			run := w.sync("done")
			w.google.SetFault(nil)
			w.wantTold(run, "google:  -> photo changed")
			w.wantPhotos("after the lost answer", contacts["Hopper"], "Hopper", 10, 10)
			w.silent()
			if w.creatio.System().Get("Contact", contacts["Hopper"])["PhotoId"] != given {
				t.Error("google's copy came back to creatio")
			}
			w.clean()
		})
	}
}

func TestA_run_that_dies_with_a_photo_on_its_way_makes_no_photo_of_a_photo(t *testing.T) {
	t.Parallel()
	w, _, contacts := twins(t, "Hopper", "Turing")
	w.expose(contacts["Hopper"], picture(t, 10))
	w.expose(contacts["Turing"], picture(t, 150))
	given := w.creatio.System().Get("Contact", contacts["Hopper"])["PhotoId"]
	dead := false
	hopper := strings.TrimPrefix(w.found("Hopper").ResourceName, "people/")
	w.google.SetFault(func(r *http.Request) *googlebox.Fault {
		write := strings.HasSuffix(r.URL.Path, hopper+":updateContactPhoto")
		if dead = dead || write; dead {
			return &googlebox.Fault{Drop: true, After: write}
		}
		return nil
	})
	w.sync("partial")
	w.google.SetFault(nil)
	// Somebody else's photo changes meanwhile: that is a change.
	w.pass(10 * time.Minute)
	w.google.Account(ada).SetPhoto(w.found("Turing").ResourceName, picture(t, 230))
	w.pass(time.Hour)
	w.sync("done")
	w.wantPhotos("after the death", contacts["Hopper"], "Hopper", 10, 10)
	if w.creatio.System().Get("Contact", contacts["Hopper"])["PhotoId"] != given {
		t.Error("google's copy came back to creatio")
	}
	w.wantPhotos("the later photo", contacts["Turing"], "Turing", 230, 230)
	w.silent()
	w.clean()
}

func TestA_photo_that_another_one_came_in_the_place_of_is_told_of_although_the_run_died_right_after(t *testing.T) {
	t.Parallel()
	w, _, contacts := twins(t, "Hopper")
	w.google.Account(ada).SetPhoto(w.found("Hopper").ResourceName, picture(t, 200))
	w.pass(time.Minute)
	w.expose(contacts["Hopper"], picture(t, 10))
	dead := false
	w.google.SetFault(func(r *http.Request) *googlebox.Fault {
		write := strings.HasSuffix(r.URL.Path, ":updateContactPhoto")
		if dead = dead || write; dead {
			return &googlebox.Fault{Drop: true, After: write}
		}
		return nil
	})
	run := w.sync("partial")
	w.google.SetFault(nil)
	w.wantTold(run, "google: photo -> another photo latest")
	w.pass(time.Hour)
	w.wantTold(w.sync("done"))
	w.wantPhotos("after the death", contacts["Hopper"], "Hopper", 10, 10)
	w.silent()
	w.clean()
}

func TestA_photo_that_was_not_written_is_not_told_of(t *testing.T) {
	t.Parallel()
	w, _, contacts := twins(t, "Hopper")
	w.expose(contacts["Hopper"], picture(t, 10))
	w.google.SetFault(func(r *http.Request) *googlebox.Fault {
		if strings.HasSuffix(r.URL.Path, ":updateContactPhoto") {
			return &googlebox.Fault{Status: http.StatusTooManyRequests, Body: `{"error":{"code":429,"status":"RESOURCE_EXHAUSTED"}}`}
		}
		return nil
	})
	w.wantTold(w.sync("partial"))
	w.google.SetFault(nil)
	w.pass(time.Hour)
	w.wantTold(w.sync("done"), "google:  -> photo changed")
	w.silent()
	w.clean()
}

func TestA_photo_that_somebody_gives_while_a_run_is_under_way_is_seen_before_another_one_comes_in_its_place(t *testing.T) {
	t.Parallel()
	for _, later := range []record.Side{record.Creatio, record.Google} {
		t.Run("in "+string(later), func(t *testing.T) {
			t.Parallel()
			w, _, contacts := twins(t, "Hopper")
			first, second := uint8(10), uint8(200)
			give := map[record.Side]func(uint8){
				record.Creatio: func(shade uint8) { w.expose(contacts["Hopper"], picture(t, shade)) },
				record.Google:  func(shade uint8) { w.google.Account(ada).SetPhoto(w.found("Hopper").ResourceName, picture(t, shade)) },
			}
			give[later.Other()](first)
			w.pass(time.Minute)
			given := false
			meanwhile := func(path string) {
				if !given && (strings.HasPrefix(path, "/contact-photos/") || strings.HasSuffix(path, "/Data")) {
					given = true
					give[later](second)
				}
			}
			w.google.SetFault(func(r *http.Request) *googlebox.Fault { meanwhile(r.URL.Path); return nil })
			w.creatio.SetFault(func(r *http.Request) *creatiobox.Fault { meanwhile(r.URL.Path); return nil })
			run := w.sync("done")
			w.wantPhotos("the later one", contacts["Hopper"], "Hopper", int(second), int(second))
			w.wantTold(run, string(later.Other())+": photo -> another photo latest")
			w.silent()
			w.clean()
		})
	}
}

func TestA_photo_that_failed_is_nobodys_business_any_more_once_its_contact_left(t *testing.T) {
	t.Parallel()
	w, _, contacts := twins(t, "Hopper", "Turing")
	w.expose(contacts["Hopper"], picture(t, 10))
	w.google.SetFault(func(r *http.Request) *googlebox.Fault {
		if strings.HasSuffix(r.URL.Path, ":updateContactPhoto") {
			return &googlebox.Fault{Status: http.StatusNotImplemented}
		}
		return nil
	})
	w.sync("partial")
	w.google.SetFault(nil)
	w.google.Account(ada).RemoveFromGroup(w.found("Hopper").ResourceName, w.group())
	w.sync("done")
	w.silent()
	w.clean()
}

func TestDirections_hold_for_photos(t *testing.T) {
	t.Parallel()
	w, tag, contacts := twins(t, "Hopper", "Turing")
	w.call(http.MethodPut, "/contacts", map[string]any{
		"automatic": true, "intervalMinutes": 15, "tagId": tag, "direction": "to-google", "conflicts": "latest",
	}, 200, nil)
	w.expose(contacts["Hopper"], picture(t, 10))
	w.google.Account(ada).SetPhoto(w.found("Turing").ResourceName, picture(t, 200))
	w.sync("done")
	w.wantPhotos("to Google", contacts["Hopper"], "Hopper", 10, 10)
	w.wantPhotos("not to Creatio", contacts["Turing"], "Turing", -1, 200)
	w.silent()
	w.choose(tag)
	w.google.Account(ada).MovePhotos()
	w.sync("done")
	w.wantPhotos("to Creatio once it is allowed", contacts["Turing"], "Turing", 200, 200)
	w.silent()
	w.clean()
}

// A photo from a camera is another kind of file, and larger than what Google keeps.
func TestA_large_photo_is_carried_as_it_is(t *testing.T) {
	t.Parallel()
	w, _, contacts := twins(t, "Hopper")
	p := image.NewGray(image.Rect(0, 0, 1600, 1200))
	for i := range p.Pix {
		p.Pix[i] = 120
	}
	var b bytes.Buffer
	if err := jpeg.Encode(&b, p, nil); err != nil {
		t.Fatal(err)
	}
	w.expose(contacts["Hopper"], b.Bytes())
	w.sync("done")
	kept, _, err := image.DecodeConfig(bytes.NewReader(w.google.Account(ada).Photo(w.found("Hopper").ResourceName)))
	if err != nil || kept.Width != 720 {
		t.Errorf("google keeps %+v, %v", kept, err)
	}
	w.silent()
	// The way back brings more than a thumbnail.
	w.google.Account(ada).SetPhoto(w.found("Hopper").ResourceName, b.Bytes())
	w.google.Account(ada).SetPhoto(w.found("Hopper").ResourceName, picture(t, 5))
	w.sync("done")
	w.wantPhotos("back", contacts["Hopper"], "Hopper", 5, 5)
	w.clean()
}
