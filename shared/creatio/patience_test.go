package creatio

import (
	"fmt"
	"testing"
	"time"
)

func TestDetails_are_read_again_within_a_day_at_times_of_their_own(t *testing.T) {
	t.Parallel()
	last := time.Date(2026, 3, 2, 9, 0, 0, 0, time.UTC)
	early, late := 0, 0
	for n := range 1000 {
		switch d := Patience(fmt.Sprint("tag", n), last); {
		case d > thorough || d < thorough*3/4:
			t.Fatalf("read again after %v", d)
		case d < thorough*13/16:
			early++
		case d > thorough*15/16:
			late++
		}
	}
	if early < 150 || late < 150 {
		t.Errorf("of 1000, %d are read in the first quarter of the time for it and %d in the last", early, late)
	}
}
