package syncer_test

import (
	"strings"
	"testing"
	"time"

	"github.com/tandem-sync/tandem/shared/syncer"
)

func TestThe_id_of_a_run_is_told_from_any_other_text(t *testing.T) {
	t.Parallel()
	id := syncer.NewRunID(time.Date(2026, 3, 2, 9, 0, 0, 123456000, time.UTC))
	if !syncer.IsRunID(id) {
		t.Errorf("%s is none", id)
	}
	for _, wrong := range []string{"", "yesterday", id + "x", id[1:], " " + id, strings.ToUpper(id), strings.Replace(id, "20260302", "20261302", 1), "../" + id, strings.Replace(id, "-", "/", 1)} {
		if syncer.IsRunID(wrong) {
			t.Errorf("%q is one", wrong)
		}
	}
}
