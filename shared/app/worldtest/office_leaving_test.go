package worldtest

import (
	"context"
	"fmt"
	"net/url"
	"strings"

	"github.com/tandem-sync/tandem/shared/oauth"
	"github.com/tandem-sync/tandem/shared/record"
)

// leaves has the organizer of a meeting that a run brought to the calendar hand it over to the colleague, and take no part.
func (o *office) leaves(m *meeting) string {
	r, e := o.row(m), o.one(m)
	if r == nil || e == nil || !m.guest || m.declined || m.again || m.series || o.ownerOf(r) != m.organizer || !strings.HasPrefix(e.Id, "tandem") || !e.Organizer.Self {
		return ""
	}
	// The colleague may be one whom nobody has brought there yet.
	if o.part(1-m.organizer, r["Id"]) == nil {
		return ""
	}
	system, id := o.creatio.System(), r["Id"].(string)
	o.must("", system.Update("Activity", id, map[string]any{"OwnerId": o.users()[1-m.organizer].contact}))
	// A new owner may have changed the rows of the participants.
	p := o.part(m.organizer, id)
	if p != nil {
		o.must("", system.Delete("ActivityParticipant", p["Id"].(string)))
	}
	m.guest = false
	return fmt.Sprintf("%s leaves %s %s", o.users()[m.organizer].login, r["Title"], id)
}

// away has a user's Tandem stop for a while: the user unlinks Google, or is no active user of Creatio. Whatever others do meanwhile, and
// their runs, nothing is lost or there twice once the user is back. Nobody deletes, invites or calls off anything in that time: what
// follows from it depends on whose run comes first.
func (o *office) away() {
	for _, m := range o.meetings {
		if m.class == living {
			return
		}
	}
	user := o.rng.IntN(2)
	who := o.users()[user]
	unlinks := o.rng.IntN(2) == 0
	if unlinks {
		o.write("%s unlinks Google", who.login)
		l, _ := o.linker(o.newProcess(nil))
		if err := l.Unlink(context.Background(), who.user, record.Google); err != nil {
			o.t.Fatal(err)
		}
	} else {
		o.write("%s is no active user", who.login)
		o.activate(who.login, false)
	}
	for range 1 + o.rng.IntN(3) {
		o.actWithin(acts, editing, answering)
		o.run(1-user, o.script())
	}
	if unlinks {
		o.linksGoogle(who)
	} else {
		o.activate(who.login, true)
		o.relink(who)
	}
}

// activate says whether somebody is an active user of Creatio.
func (o *office) activate(login string, active bool) {
	for _, r := range o.creatio.System().Rows("SysAdminUnit", map[string]any{"Name": login}) {
		o.must("", o.creatio.System().Update("SysAdminUnit", r["Id"].(string), map[string]any{"Active": active}))
	}
}

// linksGoogle has somebody link Google again.
func (o *office) linksGoogle(who member) {
	o.write("%s links Google", who.login)
	o.google.AutoConsent(who.email)
	ctx := context.Background()
	l, _ := o.linker(o.newProcess(nil))
	var b oauth.Begun
	begin := func() (_ string, err error) {
		b, err = l.BeginGoogle(ctx, "")
		return b.Redirect, err
	}
	finish := func(q url.Values) error {
		_, err := l.Finish(ctx, record.Google, b.Browser, q)
		return err
	}
	if err := o.consent(record.Google, begin, finish); err != nil {
		o.t.Fatalf("google cannot be linked again: %v", err)
	}
}
