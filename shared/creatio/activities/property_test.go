package activities

import (
	"slices"
	"strings"
	"testing"

	"pgregory.net/rapid"

	"github.com/tandem-sync/tandem/shared/activity"
	"github.com/tandem-sync/tandem/shared/record"
	box "github.com/tandem-sync/tandem/shared/sandbox/creatio"
	_ "github.com/tandem-sync/tandem/shared/sandbox/seed"
)

// awkwardActivity makes an activity that people and other programs have had their hands on.
func (s *site) awkwardActivity(t *rapid.T) string {
	pick := func(label string, values ...any) any { return rapid.SampledFrom(values).Draw(t, label) }
	values := map[string]any{
		"Title":    pick("title", "Kick-off", " Kick-off ", activity.NoTitle, strings.Repeat("x", 500)),
		"Location": pick("location", "", "Room 1"), "Notes": pick("notes", "", "plain\r\ntext", "<p>one</p><p>two</p>"),
		"RemindToOwner": pick("remind", true, false), "RemindToOwnerDate": pick("reminder", nil, "2026-03-03T08:30:00Z", "2026-03-03T11:00:00Z", "2025-03-03T08:30:00Z"),
		"ContactId": pick("contact", nil, s.contacts["Cleo"]), "StatusId": pick("status", statusNotStarted, statusCompleted, statusCanceled),
	}
	times := pick("time", []string{"2026-03-03T09:00:00Z", "2026-03-03T10:00:00Z"}, []string{"2026-03-02T22:00:00Z", "2026-03-03T22:00:00Z"},
		[]string{"2026-03-02T22:00:00Z", "2026-03-02T22:00:00Z"}).([]string)
	values["StartDate"], values["DueDate"] = times[0], times[1]
	owner := pick("owner", "Ada", "Bob").(string)
	id := s.meeting(owner, values)
	for _, name := range []string{"Ada", "Bob", "Gus", "Cleo"} {
		if rapid.Bool().Draw(t, name) && name != owner {
			s.invite(id, name, map[string]any{
				"InviteResponseId": pick("response of "+name, nil, responseConfirmed, responseDeclined, responseInDoubt), "InviteParticipant": pick("invited "+name, true, false),
			})
		}
	}
	return id
}

// wanted is what an activity gets, of fields that it may be given.
func wanted(t *rapid.T, locked []string) record.Fields {
	out := record.Fields{}
	set := func(field string, values ...[]record.Entry) {
		if !slices.Contains(locked, field) && rapid.Bool().Draw(t, "change "+field) {
			out[field] = rapid.SampledFrom(values).Draw(t, field)
		}
	}
	set(activity.Title, nil, text("Retro"), text(strings.Repeat("ä", 600)))
	set(activity.When, timed("2026-03-05T09:00:00Z", "2026-03-05T10:00:00Z"), days("2026-03-29", "2026-03-31"), timed("2026-03-05T09:00:00Z", "2026-03-05T08:00:00Z"))
	set(activity.Place, nil, text("Room 2"))
	set(activity.Notes, nil, text("a < b\n\nc"), text("<b>no markup</b>"))
	set(activity.Reminder, nil, text("0"), text("30"), text("40320"))
	set(activity.Answer, nil, text(activity.Accepted), text(activity.Declined), text(activity.Tentative))
	set(activity.Attendees, nil, guests("bob@example.com accepted")[activity.Attendees],
		guests("BOB@example.com", "cleo@example.com tentative", "nobody@example.com declined")[activity.Attendees],
		guests("gus@example.com declined")[activity.Attendees])
	return out
}

func TestProperty_what_a_plan_says_is_what_Creatio_shows(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t2 *rapid.T) {
		s := newSiteOf(t, box.Options{StillParticipants: rapid.Bool().Draw(t2, "still")})
		s.side.o.Guests = rapid.SampledFrom([]string{"", GuestsInvited}).Draw(t2, "guests")
		id := s.awkwardActivity(t2)
		before := s.read(id)
		op := update(before, wanted(t2, before.Locked))
		op.Join = rapid.Bool().Draw(t2, "join")
		plans, err := s.side.Plan(t2.Context(), []record.Operation{op})
		if err != nil || plans[0].Err != nil {
			t2.Fatalf("plan: %v, %v", err, plans[0].Err)
		}
		results, err := s.side.Apply(t2.Context(), plans)
		if err != nil || results[0].Err != nil {
			t2.Fatalf("apply: %v, %v", err, results[0].Err)
		}
		now := s.side.Remember(results[0].Record, s.read(id))
		if !activity.Schema.Equal(now.Fields, plans[0].Displayed) || !activity.Schema.Equal(now.Fields, results[0].Record.Fields) {
			t2.Fatalf("planned %v\nsaid %v\nshows %v", plans[0].Displayed, results[0].Record.Fields, now.Fields)
		}
		if string(now.AdapterState) != string(results[0].Record.AdapterState) || now.Member != results[0].Record.Member {
			t2.Fatalf("said to be %s\nis %s", results[0].Record.AdapterState, now.AdapterState)
		}
		// The fields that nobody changed are as they were.
		for _, f := range activity.Schema {
			if !slices.Contains(op.Changed, f.Name) && !f.Equal(now.Fields[f.Name], before.Fields[f.Name]) && !op.Join {
				t2.Fatalf("%s has become %v, was %v", f.Name, now.Fields[f.Name], before.Fields[f.Name])
			}
		}
		// What a projection stands for explains all that is different from what was asked for.
		for _, name := range op.Changed {
			f, _ := activity.Schema.Field(name)
			if want := explained(f, op.After[name], plans[0].Projections); !f.Equal(want, now.Fields[name]) && !keeps(s, id, f.Name) {
				t2.Fatalf("%s: asked for %v, projected %v, shows %v", name, op.After[name], plans[0].Projections, now.Fields[name])
			}
		}
		if again, err := s.side.Plan(t2.Context(), []record.Operation{update(now, nil)}); err != nil || len(again[0].Prepared.(*prepared).writes) > 0 {
			t2.Fatalf("with nothing to change it writes %v, %v", again, err)
		}
		if v := s.box.Violations(); len(v) > 0 {
			t2.Fatalf("violations: %v", v)
		}
	})
}

// explained is what was asked for, as projections say that it shows.
func explained(f record.Field, asked []record.Entry, projections []record.Projection) []record.Entry {
	var out []record.Entry
	used := map[string]bool{}
	add := func(e record.Entry) {
		if !f.Empty(e) && !used[f.Key(e)] {
			used[f.Key(e)] = true
			out = append(out, e)
		}
	}
	for _, e := range asked {
		i := slices.IndexFunc(projections, func(p record.Projection) bool { return p.Field == f.Name && f.Same(p.Canonical, e) })
		if i >= 0 {
			e = projections[i].Displayed
		}
		add(e)
	}
	if len(asked) == 0 {
		for _, p := range projections {
			if p.Field == f.Name {
				add(p.Displayed)
			}
		}
	}
	return out
}

// keeps reports whether a colleague who owns the activity takes part in it whoever is asked for.
func keeps(s *site, id, field string) bool {
	return field == activity.Attendees && s.get(id)["OwnerId"] == s.contacts["Bob"]
}
