package vault_test

import (
	"bytes"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/tandem-sync/tandem/shared/fault"
	"github.com/tandem-sync/tandem/shared/vault"
)

const token = `{"refresh_token":"invented"}`

func TestA_sealed_value_opens_again_also_after_a_restart(t *testing.T) {
	t.Parallel()
	path := filepath.Join(t.TempDir(), "keys", "key.json")
	sealed := seal(t, open(t, "file:"+path), token, "user-1")
	if bytes.Contains(sealed, []byte("invented")) {
		t.Fatalf("got the plain text in %q", sealed)
	}
	plain, err := open(t, "file:"+path).Open(sealed, "user-1")
	if err != nil || string(plain) != token {
		t.Errorf("got %q, %v, want %q", plain, err, token)
	}
}

func TestThe_same_text_is_never_sealed_the_same_twice(t *testing.T) {
	t.Parallel()
	v := open(t, "file:"+filepath.Join(t.TempDir(), "key.json"))
	if bytes.Equal(seal(t, v, token, "user-1"), seal(t, v, token, "user-1")) {
		t.Error("got equal sealed values")
	}
}

func TestOpen_rejects_a_value_of_another_key_or_context(t *testing.T) {
	t.Parallel()
	v := open(t, "file:"+filepath.Join(t.TempDir(), "key.json"))
	other := open(t, "file:"+filepath.Join(t.TempDir(), "key.json"))
	sealed := seal(t, v, token, "user-1")
	damaged := bytes.Clone(sealed)
	damaged[len(damaged)-1] ^= 1
	for name, tc := range map[string]struct {
		sealed  []byte
		context string
	}{
		"another user":      {sealed, "user-2"},
		"another key":       {seal(t, other, token, "user-1"), "user-1"},
		"damaged":           {damaged, "user-1"},
		"cut off":           {sealed[:4], "user-1"},
		"nothing":           {nil, "user-1"},
		"never sealed text": {[]byte(token), "user-1"},
	} {
		plain, err := v.Open(tc.sealed, tc.context)
		wantFault(t, name, err, fault.Reconnect, "unreadable-token")
		if plain != nil {
			t.Errorf("%s: got plain text %q", name, plain)
		}
	}
}

func TestAn_empty_context_is_a_bug(t *testing.T) {
	t.Parallel()
	v := open(t, "file:"+filepath.Join(t.TempDir(), "key.json"))
	_, err := v.Seal([]byte(token), "")
	wantFault(t, "seal", err, fault.Bug, "no-context")
	_, err = v.Open([]byte(token), "")
	wantFault(t, "open", err, fault.Bug, "no-context")
}

func TestThe_key_file_and_its_directory_are_accessible_to_the_owner_only_and_no_other_file_remains(t *testing.T) {
	t.Parallel()
	dir := filepath.Join(t.TempDir(), "deep", "keys")
	open(t, "file:"+filepath.Join(dir, "key.json"))
	got := map[string]string{}
	for _, path := range []string{dir, filepath.Join(dir, "key.json")} {
		info, err := os.Stat(path)
		if err != nil {
			t.Fatal(err)
		}
		got[filepath.Base(path)] = info.Mode().String()
	}
	if diff := cmp.Diff(map[string]string{"keys": "drwx------", "key.json": "-rw-------"}, got); diff != "" {
		t.Errorf("modes (-want +got):\n%s", diff)
	}
	if entries, err := os.ReadDir(dir); err != nil || len(entries) != 1 {
		t.Errorf("got %v, %v, want the key file alone", entries, err)
	}
}

func TestProcesses_that_start_at_the_same_time_end_up_with_one_key(t *testing.T) {
	t.Parallel()
	for range 20 {
		path := filepath.Join(t.TempDir(), "key.json")
		vaults := make([]*vault.Vault, 8)
		start := make(chan struct{})
		var wg sync.WaitGroup
		for i := range vaults {
			wg.Go(func() {
				<-start
				var err error
				if vaults[i], err = vault.Open(t.Context(), "file:"+path); err != nil {
					t.Errorf("open: %v", err)
				}
			})
		}
		close(start)
		wg.Wait()
		if t.Failed() {
			return
		}
		sealed := seal(t, vaults[0], token, "user-1")
		for i, v := range vaults {
			if _, err := v.Open(sealed, "user-1"); err != nil {
				t.Fatalf("vault %d has another key: %v", i, err)
			}
		}
	}
}

func TestA_key_file_that_cannot_be_trusted_stops_the_start(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	open(t, "file:"+filepath.Join(dir, "open.json"))
	if err := os.Chmod(filepath.Join(dir, "open.json"), 0o640); err != nil {
		t.Fatal(err)
	}
	for name, data := range map[string]string{"broken.json": "{hunter2", "empty.json": "", "flat": ""} {
		if err := os.WriteFile(filepath.Join(dir, name), []byte(data), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	for path, say := range map[string]string{
		"open.json":     "chmod 600",
		"broken.json":   "holds no keyset",
		"empty.json":    "holds no keyset",
		"":              "not a regular file",
		"flat/key.json": "flat",
	} {
		_, err := vault.Open(t.Context(), "file:"+dir+"/"+path)
		wantFault(t, path, err, fault.Misconfigured, "key-file")
		if err != nil && (!strings.Contains(err.Error(), say) || strings.Contains(err.Error(), "hunter2")) {
			t.Errorf("%s: got %q, want it to say %q and not to quote the file", path, err, say)
		}
	}
}

func TestA_key_name_of_unknown_kind_is_rejected_and_not_quoted(t *testing.T) {
	t.Parallel()
	for _, spec := range []string{"", "hunter2", "file:", "gcp-kms://", "aws-kms://hunter2"} {
		_, err := vault.Open(t.Context(), spec)
		wantFault(t, spec, err, fault.Misconfigured, "bad-key-name")
		if err != nil && strings.Contains(err.Error(), "hunter2") {
			t.Errorf("got the value in %q", err)
		}
	}
}

func open(t *testing.T, spec string, o ...vault.Option) *vault.Vault {
	t.Helper()
	v, err := vault.Open(t.Context(), spec, o...)
	if err != nil {
		t.Fatal(err)
	}
	return v
}

func seal(t *testing.T, v *vault.Vault, plain, context string) []byte {
	t.Helper()
	sealed, err := v.Seal([]byte(plain), context)
	if err != nil {
		t.Fatal(err)
	}
	return sealed
}

func TestA_directory_that_others_can_write_stops_the_start(t *testing.T) {
	t.Parallel()
	for _, mode := range []fs.FileMode{0o777, 0o770, 0o722} {
		dir := filepath.Join(t.TempDir(), "key")
		if err := os.Mkdir(dir, 0o700); err != nil {
			t.Fatal(err)
		}
		if err := os.Chmod(dir, mode); err != nil {
			t.Fatal(err)
		}
		_, err := vault.Open(t.Context(), "file:"+filepath.Join(dir, "key.json"))
		wantFault(t, mode.String(), err, fault.Misconfigured, "key-file")
		if entries, _ := os.ReadDir(dir); len(entries) != 0 {
			t.Errorf("%v: a key was made", mode)
		}
	}
}
