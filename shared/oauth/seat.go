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

// If one technical user acts for all, users do not prove their identity to Creatio: it is derived from the e-mail address
// that Google has verified. So each Creatio user has one seat, which belongs to the first user of Tandem who is linked as
// that user. Without the seat a user may not use the technical user, even if the profile says that the account is linked.

// LinkClient links the one active Creatio user who has the user's e-mail address. It accepts only accounts of a Workspace: a
// private account may have an address of an organization that does not control it. An error of kind BadRecord says that
// there is no such Creatio user, or several, or that another user is linked as that one; then the user is unlinked.
func (l *Linker) LinkClient(ctx context.Context, user string) error {
	if err := l.only(AuthClient); err != nil {
		return err
	}
	p, err := l.o.Store.User(user).Profile(ctx)
	if err != nil {
		return fmt.Errorf("link account: %w", err)
	}
	who, err := l.takeSeat(ctx, p)
	if fault.Is(err, fault.BadRecord) {
		return errors.Join(err, l.unseat(ctx, p))
	}
	if err != nil {
		return err
	}
	// The profile alone tells of a former seat: it is freed before that names another one.
	if seatOf(p) != seat(l.o.Creatio.URL, who.ID) {
		if err := l.leaveSeat(ctx, p); err != nil {
			return err
		}
	}
	return l.linkCreatio(ctx, user, who, nil)
}

// takeSeat finds the user's Creatio user and takes its seat for the user.
func (l *Linker) takeSeat(ctx context.Context, p store.Profile) (CreatioUser, error) {
	if p.Google.HostedDomain == "" {
		return CreatioUser{}, fault.New(fault.BadRecord, string(record.Creatio), "no-workspace", errors.New("link account: the Google account belongs to no Workspace"))
	}
	who, err := l.o.CreatioFind(ctx, l.client(record.Creatio, l.o.CreatioHTTP, l.technical), p.Google.Email)
	if err != nil {
		return who, fmt.Errorf("link account: %w", err)
	}
	if err := requireContact(who); err != nil {
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

// unseat frees the user's seat and unlinks the Creatio account.
func (l *Linker) unseat(ctx context.Context, p store.Profile) error {
	if err := l.leaveSeat(ctx, p); err != nil {
		return err
	}
	return l.changeProfile(ctx, p.ID, func(p *store.Profile) { p.Creatio.Linked = false })
}

// leaveSeat frees the seat of the Creatio user in the profile.
func (l *Linker) leaveSeat(ctx context.Context, p store.Profile) error {
	if seatOf(p) == "" {
		return nil
	}
	if err := l.o.Store.LeaveSeat(ctx, seatOf(p), p.ID); err != nil {
		return fmt.Errorf("free the Creatio user: %w", err)
	}
	return nil
}

// leaveSeatOf frees a user's seat if the user exists.
func (l *Linker) leaveSeatOf(ctx context.Context, user string) error {
	p, err := l.o.Store.User(user).Profile(ctx)
	if errors.Is(err, store.ErrNotFound) {
		return nil
	}
	if err != nil {
		return err
	}
	return l.leaveSeat(ctx, p)
}

// hasSeat reports whether the user has the seat of the Creatio user in the profile. It is false for links of versions
// without seats: some of those were made by an address that any user could write on a colleague's contact.
func (l *Linker) hasSeat(ctx context.Context, p store.Profile) (bool, error) {
	holder, err := l.o.Store.Seat(ctx, seatOf(p))
	if errors.Is(err, store.ErrNotFound) {
		return false, nil
	}
	return holder == p.ID, err
}

// seatOf returns the key of the seat for a profile; empty if it names no Creatio user.
func seatOf(p store.Profile) string {
	if p.Creatio.UserID == "" {
		return ""
	}
	return seat(p.Creatio.URL, p.Creatio.UserID)
}

// seat returns the key of a Creatio user's seat.
func seat(site, creatioUser string) string {
	sum := sha256.Sum256([]byte("creatio:" + site + "\n" + strings.ToLower(creatioUser)))
	return strings.ToLower(base32.StdEncoding.WithPadding(base32.NoPadding).EncodeToString(sum[:15]))
}
