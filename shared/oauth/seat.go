package oauth

import (
	"context"
	"crypto/sha256"
	"encoding/base32"
	"errors"
	"fmt"
	"strings"

	"github.com/tandem-sync/tandem/shared/fault"
	"github.com/tandem-sync/tandem/shared/record"
	"github.com/tandem-sync/tandem/shared/store"
)

// Where one technical user acts for all, nobody proves to Creatio who they are: it is taken from the address that Google
// vouches for. So each Creatio user has one seat, which is the user's of Tandem who came first, and whoever does not have
// it may not use the technical user, whatever the profile says.

// LinkClient links the one active Creatio user who has the user's e-mail address, for accounts of a Workspace: a private
// account may bear the address of an organization that knows nothing of it. An error of kind BadRecord says that there is
// no such Creatio user, or several, or that somebody else is linked as that one; the user is not linked any more then.
func (l *Linker) LinkClient(ctx context.Context, user string) error {
	if err := l.only(AuthClient); err != nil {
		return err
	}
	p, err := l.o.Store.User(user).Profile(ctx)
	if err != nil {
		return fmt.Errorf("link account: %w", err)
	}
	who, err := l.seated(ctx, p)
	if fault.Is(err, fault.BadRecord) {
		return errors.Join(err, l.unseat(ctx, p))
	}
	if err != nil {
		return err
	}
	if _, err := l.linkCreatio(ctx, user, who, nil); err != nil {
		return err
	}
	if seatOf(p) != "" && seatOf(p) != seat(l.o.Creatio.URL, who.ID) {
		return l.leaveSeat(ctx, p)
	}
	return nil
}

// seated finds the user's Creatio user, and takes the seat.
func (l *Linker) seated(ctx context.Context, p store.Profile) (CreatioUser, error) {
	if p.Google.HostedDomain == "" {
		return CreatioUser{}, fault.New(fault.BadRecord, string(record.Creatio), "no-workspace", errors.New("link account: the Google account belongs to no Workspace"))
	}
	who, err := l.o.CreatioFind(ctx, l.client(record.Creatio, l.o.CreatioHTTP, l.technical), p.Google.Email)
	if err != nil {
		return who, fmt.Errorf("link account: %w", err)
	}
	if err := whole(who); err != nil {
		return who, err
	}
	holder, err := l.o.Store.TakeSeat(ctx, seat(l.o.Creatio.URL, who.ID), p.ID)
	if err != nil {
		return who, fmt.Errorf("link account: %w", err)
	}
	if holder != p.ID {
		return who, fault.New(fault.BadRecord, string(record.Creatio), "other-account", errors.New("link account: somebody else is linked as that user"))
	}
	return who, nil
}

// unseat ends a link that a technical user served.
func (l *Linker) unseat(ctx context.Context, p store.Profile) error {
	if err := l.leaveSeat(ctx, p); err != nil {
		return err
	}
	return l.changeProfile(ctx, p.ID, func(p *store.Profile) { p.Creatio.Linked = false })
}

// leaveSeat frees the seat of the Creatio user as whom the profile is linked, or was.
func (l *Linker) leaveSeat(ctx context.Context, p store.Profile) error {
	if seatOf(p) == "" {
		return nil
	}
	if err := l.o.Store.LeaveSeat(ctx, seatOf(p), p.ID); err != nil {
		return fmt.Errorf("free the Creatio user: %w", err)
	}
	return nil
}

// vacate frees a user's seat, where the user is there.
func (l *Linker) vacate(ctx context.Context, user string) error {
	p, err := l.o.Store.User(user).Profile(ctx)
	if errors.Is(err, store.ErrNotFound) {
		return nil
	}
	if err != nil {
		return err
	}
	return l.leaveSeat(ctx, p)
}

// hasSeat says whether the user is the one who is linked as that Creatio user. Links of versions that gave no seats end
// with it: some of them were made by addresses that anybody could write on a colleague's contact card.
func (l *Linker) hasSeat(ctx context.Context, p store.Profile) (bool, error) {
	holder, err := l.o.Store.Seat(ctx, seatOf(p))
	if errors.Is(err, store.ErrNotFound) {
		return false, nil
	}
	return holder == p.ID, err
}

// seatOf is the seat that goes with a profile; empty where there is none.
func seatOf(p store.Profile) string {
	if p.Creatio.UserID == "" {
		return ""
	}
	return seat(p.Creatio.URL, p.Creatio.UserID)
}

// seat is the key of a Creatio user's seat.
func seat(site, creatioUser string) string {
	sum := sha256.Sum256([]byte("creatio:" + site + "\n" + strings.ToLower(creatioUser)))
	return strings.ToLower(base32.StdEncoding.WithPadding(base32.NoPadding).EncodeToString(sum[:15]))
}
