package worldtest

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"google.golang.org/api/people/v1"

	"github.com/tandem-sync/tandem/shared/record"
	"github.com/tandem-sync/tandem/shared/syncer"
)

// Somebody has notes of half a million characters of markup, marks of direction, formulas and bytes that are no text, and somebody
// else has numbers without end. What a side has no room for stays on the other one, and nobody else's record waits for them.
func TestContacts_without_measure_stop_nobody(t *testing.T) {
	t.Parallel()
	inWorld(t, 1, setup{}, func(w *world) {
		f := w.folk
		long := strings.ToValidUTF8(strings.Repeat("<b>“note”\xff\u202e=1+1 ", 1<<15), "\ufffd")
		name := f.nameInCreatio(f.inCreatio(true))
		id := f.holders(record.Creatio, name)[0]
		f.must("", w.creatio.As("Ada").Update("Contact", id, map[string]any{"Notes": long}))
		crowded := f.inGoogle(w.google.Account(ada).CreateGroup("Creatio"))
		w.google.Account(ada).Edit(crowded, func(p *people.Person) {
			for i := range 150 {
				p.PhoneNumbers = append(p.PhoneNumbers, &people.PhoneNumber{Value: fmt.Sprintf("+1 303 55 %05d", i), Type: "home"})
			}
		})
		plain := f.nameInCreatio(f.inCreatio(true))
		time.Sleep(5 * time.Minute)
		for range 3 {
			if _, out, _ := w.sync(syncer.TriggerSchedule, nil); out.Status != syncer.Done {
				t.Errorf("ended %s", out.Status)
			}
			time.Sleep(25 * time.Hour)
		}
		for _, who := range []string{name, plain, nameInGoogle(w.google.Account(ada).Person(crowded))} {
			if c, g := len(f.holders(record.Creatio, who)), len(f.holders(record.Google, who)); c != 1 || g != 1 {
				t.Errorf("creatio has %s %d times, google %d times", who, c, g)
			}
		}
		if is := text(w.creatio.System().Get("Contact", id)["Notes"]); is != long {
			t.Errorf("creatio has %d bytes of notes, not %d", len(is), len(long))
		}
		w.silent()
	})
}
