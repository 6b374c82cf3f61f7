package main

import (
	"os"
	"strings"
	"testing"
	"time"
)

// fleet is a small one, with as much room for each user as the defaults give 100,000.
func fleet() settings {
	return settings{users: 2000, interval: time.Hour, perSecond: 3, concurrent: 12, room: 16, run: 3 * time.Second, day: 12 * time.Hour, seed: 1}
}

func TestA_fleet_with_room_begins_nearly_every_run_within_its_tick(t *testing.T) {
	t.Parallel()
	d := simulate(fleet())
	if d.runs < 2000*11 || d.left > 0 || d.idle > 0 {
		t.Errorf("%d runs, %d users left behind, %d tasks for nothing", d.runs, d.left, d.idle)
	}
	if usual, late := d.delay(0.9), d.delay(0.99); usual > 5*time.Minute || late > 10*time.Minute {
		t.Errorf("90 %% of all runs begin within %v, 99 %% within %v", usual, late)
	}
}

func TestA_fleet_is_in_step_again_an_hour_after_an_outage_and_repeats_nothing_that_is_done(t *testing.T) {
	t.Parallel()
	s := fleet()
	s.outages = []outage{{4 * time.Hour, 5*time.Hour + 30*time.Minute}}
	d := simulate(s)
	if d.left > 0 || d.delay(1) > 3*time.Hour {
		t.Errorf("%d users are left behind, the longest waited %v", d.left, d.delay(1))
	}
	if calm := simulate(fleet()); d.runs > calm.runs {
		t.Errorf("%d runs did work, %d on a day without an outage", d.runs, calm.runs)
	}
}

func TestA_fleet_without_room_says_so(t *testing.T) {
	t.Parallel()
	s := fleet()
	s.concurrent = 1
	d := simulate(s)
	var out strings.Builder
	d.print(&out)
	if d.left == 0 || !strings.Contains(out.String(), "NOT ENOUGH") {
		t.Errorf("%d users are left behind, and it prints: %s", d.left, out.String())
	}
}

func TestThe_figures_are_those_of_the_readme(t *testing.T) {
	t.Parallel()
	readme, err := os.ReadFile("../../terraform/README.md")
	if err != nil {
		t.Fatal(err)
	}
	for _, want := range []string{"reads 10 documents and writes 6", "fresh reads 7 and writes 3", "CPU: 0.75 s a run", "an idle run of contacts makes 2 calls", "an idle run is 1 request to Creatio"} {
		if !strings.Contains(string(readme), want) {
			t.Errorf("terraform/README.md does not say %q any more", want)
		}
	}
}

func TestA_day_is_printed_with_delays_queue_quotas_and_cost(t *testing.T) {
	t.Parallel()
	s := fleet()
	s.users, s.day, s.quota = 200, 2*time.Hour, 1000
	var out strings.Builder
	simulate(s).print(&out)
	for _, want := range []string{"50 %", "90 %", "99 %", "longest", "tasks at most", "% of 1000 of the People API's requests a minute", "% of the 500 tasks a second", "documents read", "USD"} {
		if !strings.Contains(out.String(), want) {
			t.Errorf("it does not print %q: %s", want, out.String())
		}
	}
}
