package storetest

import (
	"bytes"
	"fmt"
	"math/rand/v2"
	"slices"
	"sync"
	"testing"

	"github.com/google/uuid"

	"github.com/tandem-sync/tandem/shared/fault"
	"github.com/tandem-sync/tandem/shared/record"
	"github.com/tandem-sync/tandem/shared/store"
)

// noise is bytes that nothing makes shorter.
func noise(seed uint64, size int) []byte {
	r := rand.New(rand.NewPCG(seed, seed))
	out := make([]byte, size)
	for n := range out {
		out[n] = byte(r.Uint32())
	}
	return out
}

func putBlob(t *testing.T, u store.User, l store.Lease, name string, data []byte) {
	t.Helper()
	must(t, u.PutBlob(t.Context(), record.Contacts, l, name, data))
}

func wantBlob(t *testing.T, u store.User, name string, want []byte) {
	t.Helper()
	got, err := u.Blob(t.Context(), record.Contacts, name)
	must(t, err)
	if !bytes.Equal(got, want) {
		t.Fatalf("the blob %s has %d bytes, want %d, or is another one", name, len(got), len(want))
	}
}

func wantNoBlob(t *testing.T, u store.User, name string) {
	t.Helper()
	_, err := u.Blob(t.Context(), record.Contacts, name)
	wantError(t, err, store.ErrNotFound)
}

func blobNames(t *testing.T, u store.User) []string {
	t.Helper()
	var names []string
	for b, err := range u.Blobs(t.Context(), record.Contacts) {
		must(t, err)
		wantBlob(t, u, b.Name, b.Data)
		names = append(names, b.Name)
	}
	slices.Sort(names)
	return names
}

var blobTests = map[string]func(*testing.T, store.Store){
	"a blob comes back as it was written, whatever was there before": func(t *testing.T, s store.Store) {
		u := signedIn(t, s, "ada")
		lease := acquire(t, u, "run1")
		wantNoBlob(t, u, "series/abc")
		for n, size := range []int{1, 5_000_000, 900_000, 900_001, 1_800_000, 2_700_001, 2_700_000, 3, 0, 0, 4_000_000, 0, 7} {
			data := noise(uint64(n), size)
			putBlob(t, u, lease, "series/abc", data)
			if size == 0 {
				wantNoBlob(t, u, "series/abc")
				continue
			}
			wantBlob(t, u, "series/abc", data)
		}
	},

	"a blob of tens of megabytes is kept": func(t *testing.T, s store.Store) {
		u := signedIn(t, s, "ada")
		data := noise(1, 24<<20)
		putBlob(t, u, acquire(t, u, "run1"), "large", data)
		wantBlob(t, u, "large", data)
	},

	"blobs are apart by their names, types and users, and listed": func(t *testing.T, s store.Store) {
		u := signedIn(t, s, "ada")
		lease := acquire(t, u, "run1")
		names := []string{"a", "a-000001", "a/a-000001", "a/b", "a/b/c", "b", store.MembersBlob(record.Google)}
		for _, name := range names {
			putBlob(t, u, lease, name, []byte(name))
		}
		for _, name := range names {
			wantBlob(t, u, name, []byte(name))
		}
		same(t, "names", blobNames(t, u), names)
		wantNoBlob(t, u, store.MembersBlob(record.Creatio))
		wantNoBlob(t, signedIn(t, s, "bob"), "a")
		_, err := u.Blob(t.Context(), record.Activities, "a")
		wantError(t, err, store.ErrNotFound)
		same(t, "names of the other", blobNames(t, signedIn(t, s, "bob")), []string(nil))
		for _, bad := range []string{"", "/", "a/", "/a", "a//b", "a.b", "..", "__a__", "a/__a__"} {
			wantNoBlob(t, u, bad)
			if err := u.PutBlob(t.Context(), record.Contacts, lease, bad, []byte("x")); err == nil || !fault.Is(err, fault.Bug) {
				t.Errorf("writing %q: %v", bad, err)
			}
		}
	},

	"a blob is not written without the lease, whatever its size": func(t *testing.T, s store.Store) {
		u := signedIn(t, s, "ada")
		lost := acquire(t, u, "run1")
		former := noise(1, 4_000_000)
		putBlob(t, u, lost, "b", former)
		must(t, u.Release(t.Context(), record.Contacts, lost))
		for _, size := range []int{0, 1, 5_000_000} {
			wantError(t, u.PutBlob(t.Context(), record.Contacts, lost, "b", noise(2, size)), store.ErrFenced)
			wantBlob(t, u, "b", former)
		}
	},

	"a blob goes with its user": func(t *testing.T, s store.Store) {
		u := signedIn(t, s, "ada")
		must(t, profile(t.Context(), u))
		putBlob(t, u, acquire(t, u, "run1"), "b", noise(1, 2_000_000))
		must(t, u.Erase(t.Context()))
		wantNoBlob(t, u, "b")
		same(t, "names", blobNames(t, u), []string(nil))
	},

	"who reads a blob while it is replaced finds the one or the other": func(t *testing.T, s store.Store) {
		u := signedIn(t, s, "ada")
		lease := acquire(t, u, "run1")
		versions := [][]byte{noise(1, 1_900_000), noise(2, 1_000_000), noise(3, 10)}
		putBlob(t, u, lease, "b", versions[0])
		var wg sync.WaitGroup
		errs := make([]error, 2)
		wg.Go(func() {
			for n := range 6 {
				if errs[0] = u.PutBlob(t.Context(), record.Contacts, lease, "b", versions[n%len(versions)]); errs[0] != nil {
					return
				}
			}
		})
		wg.Go(func() {
			for range 6 {
				got, err := u.Blob(t.Context(), record.Contacts, "b")
				if err == nil && !slices.ContainsFunc(versions, func(v []byte) bool { return bytes.Equal(got, v) }) {
					err = fmt.Errorf("%d bytes of no blob", len(got))
				}
				if err != nil && !fault.Is(err, fault.Retry) {
					errs[1] = err
					return
				}
			}
		})
		wg.Wait()
		for _, err := range errs {
			must(t, err)
		}
	},

	"a member set comes back as it was written, whatever its length": func(t *testing.T, s store.Store) {
		u := signedIn(t, s, "ada")
		lease := acquire(t, u, "run1")
		long := make(store.MemberSet, 60_000)
		for n := range long {
			long[n] = uuid.NewSHA1(uuid.Nil, fmt.Append(nil, n)).String()
		}
		for _, want := range []store.MemberSet{{"people/c1"}, long, {}, {"people/c2", "people/c3"}} {
			data, err := want.Encode()
			must(t, err)
			putBlob(t, u, lease, store.MembersBlob(record.Google), data)
			data, err = u.Blob(t.Context(), record.Contacts, store.MembersBlob(record.Google))
			must(t, err)
			got, err := store.DecodeMemberSet(data)
			must(t, err)
			same(t, "member set", got, want)
		}
		if _, err := store.DecodeMemberSet([]byte("no member set")); err == nil || !fault.Is(err, fault.Bug) {
			t.Errorf("reading what is no member set: %v", err)
		}
	},
}
