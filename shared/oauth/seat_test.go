package oauth

import (
	"errors"
	"net/http"
	"sync"
	"testing"

	"github.com/tandem-sync/tandem/shared/fault"
	"github.com/tandem-sync/tandem/shared/record"
	"github.com/tandem-sync/tandem/shared/store"
)

func TestTheTechnicalUserServesTheUserWithTheAddress(t *testing.T) {
	t.Parallel()
	w := newWorld(t, AuthClient)
	user := w.olena()
	var sought string
	w.found = func(email string) (CreatioUser, error) { sought = email; return olena, nil }
	if err := w.linker.LinkClient(t.Context(), user); err != nil {
		t.Fatalf("LinkClient: %v", err)
	}
	if c := w.profile(user).Creatio; !c.Linked || c.User != "olena" || sought != "olena@example.com" {
		t.Errorf("creatio = %+v, sought %q", c, sought)
	}
	for range 3 {
		if status, err := w.call(w.client(w.linker, user, record.Creatio), record.Creatio); err != nil || status != http.StatusOK {
			t.Errorf("call = %d, %v", status, err)
		}
	}
	if n := w.creatio.calls("client_credentials"); n != 1 {
		t.Errorf("%d technical tokens, want one for all", n)
	}
	w.creatio.expel()
	if status, err := w.call(w.client(w.linker, user, record.Creatio), record.Creatio); err != nil || status != http.StatusOK {
		t.Errorf("call after the token was refused = %d, %v", status, err)
	}
	w.found = func(string) (CreatioUser, error) {
		return CreatioUser{}, fault.New(fault.BadRecord, "creatio", "no-user", nil)
	}
	if err := w.linker.LinkClient(t.Context(), user); !fault.Is(err, fault.BadRecord) {
		t.Errorf("LinkClient = %v", err)
	}
	if w.profile(user).Creatio.Linked {
		t.Error("who is no user of the site any more is still linked")
	}
}

// guest signs another user in.
func (w *world) guest(subject, email string, change map[string]any) string {
	w.t.Helper()
	claims := w.claims(map[string]any{"sub": subject, "email": email})
	for name, value := range change {
		claims[name] = value
	}
	out, err := w.signIn(grant{claims: claims, scope: allScopes})
	if err != nil {
		w.t.Fatalf("sign in: %v", err)
	}
	return out.User
}

func TestAnAccountWithoutAWorkspaceIsNotSearchedInCreatio(t *testing.T) {
	t.Parallel()
	w := newWorld(t, AuthClient)
	w.found = func(string) (CreatioUser, error) {
		t.Error("it was looked for")
		return olena, nil
	}
	user := w.guest("1001", "olena@example.com", map[string]any{"hd": ""})
	err := w.linker.LinkClient(t.Context(), user)
	if f, ok := errors.AsType[*fault.Error](err); !ok || f.Kind != fault.BadRecord || f.Code != "no-workspace" {
		t.Errorf("LinkClient = %v", err)
	}
}

func TestConcurrentLinkingsLinkOneUserAsEachCreatioUser(t *testing.T) {
	t.Parallel()
	w := newWorld(t, AuthClient)
	var users []string
	for _, subject := range []string{"1", "2", "3", "4"} {
		users = append(users, w.guest(subject, "user"+subject+"@example.com", nil))
	}
	errs := make([]error, len(users))
	var wg sync.WaitGroup
	for i, user := range users {
		wg.Go(func() { errs[i] = w.another().LinkClient(t.Context(), user) })
	}
	wg.Wait()
	linked := 0
	for i, user := range users {
		is := w.profile(user).Creatio.Linked
		if is {
			linked++
		}
		f, refused := errors.AsType[*fault.Error](errs[i])
		if is != (errs[i] == nil) || !is && (!refused || f.Code != "other-account") {
			t.Errorf("%s: linked %t, error %v", user, is, errs[i])
		}
	}
	if linked != 1 {
		t.Errorf("%d users are linked as one", linked)
	}
}

func TestALinkWithoutASeatIsUnusableUntilTheNextSignIn(t *testing.T) {
	t.Parallel()
	w := newWorld(t, AuthClient)
	user := w.olena()
	// A former version linked users by the e-mail address of any contact.
	err := w.linker.changeProfile(t.Context(), user, func(p *store.Profile) {
		p.Creatio = store.CreatioAccount{URL: w.creatio.URL, UserID: olena.ID, User: "olena", ContactID: olena.ContactID, Linked: true}
	})
	if err != nil {
		t.Fatal(err)
	}
	if _, err := w.linker.Client(t.Context(), user, record.Creatio, nil); !fault.Is(err, fault.Reconnect) {
		t.Errorf("Client = %v, want Reconnect", err)
	}
	if err := w.linker.LinkClient(t.Context(), user); err != nil {
		t.Fatalf("LinkClient: %v", err)
	}
	if _, err := w.linker.Client(t.Context(), user, record.Creatio, nil); err != nil {
		t.Errorf("Client = %v", err)
	}
}

func TestAUserWhoIsFoundAsAnotherCreatioUserLeavesTheFormerSeat(t *testing.T) {
	t.Parallel()
	w := newWorld(t, AuthClient)
	user, colleague := w.olena(), w.guest("1002", "bo@example.com", nil)
	other := CreatioUser{ID: "11111111-0000-4000-8000-000000000002", Login: "olena2", ContactID: "22222222-0000-4000-8000-000000000002"}
	for _, who := range []CreatioUser{olena, other} {
		w.found = func(string) (CreatioUser, error) { return who, nil }
		if err := w.linker.LinkClient(t.Context(), user); err != nil || w.profile(user).Creatio.User != who.Login {
			t.Fatalf("LinkClient: %v, %+v", err, w.profile(user).Creatio)
		}
	}
	w.found = func(string) (CreatioUser, error) { return olena, nil }
	if err := w.linker.LinkClient(t.Context(), colleague); err != nil {
		t.Errorf("the former seat is not free: %v", err)
	}
}

func TestARefusedTechnicalClientIsMisconfigured(t *testing.T) {
	t.Parallel()
	for _, code := range []string{"invalid_client", "invalid_grant"} {
		w := newWorld(t, AuthClient)
		user := w.olena()
		w.creatio.refuse(http.StatusBadRequest, `{"error":"`+code+`"}`)
		if err := w.linker.LinkClient(t.Context(), user); !fault.Is(err, fault.Misconfigured) {
			t.Errorf("%s: LinkClient = %v", code, err)
		}
	}
}
