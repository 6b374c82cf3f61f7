package fault_test

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"testing"

	"github.com/tandem-sync/tandem/shared/fault"
)

func TestKindOf_sees_through_wrapping(t *testing.T) {
	t.Parallel()
	inner := fault.New(fault.Reconnect, "google", "invalid-grant", errors.New("boom"))
	for name, tc := range map[string]struct {
		err  error
		want fault.Kind
	}{
		"classified":            {inner, fault.Reconnect},
		"wrapped":               {fmt.Errorf("list contacts: %w", inner), fault.Reconnect},
		"unclassified":          {errors.New("x"), fault.Bug},
		"cut off by a deadline": {fmt.Errorf("get: %w", context.DeadlineExceeded), fault.Retry},
	} {
		if got := fault.KindOf(tc.err); got != tc.want {
			t.Errorf("%s: got kind %v, want %v", name, got, tc.want)
		}
	}
}

func TestEvery_kind_has_a_name_and_a_sentence_that_says_what_to_do(t *testing.T) {
	t.Parallel()
	for k := fault.Bug; k <= fault.Gone; k++ {
		s := fault.Explain(fault.New(k, "creatio", "", errors.New("secret detail")))
		if k.String() == "" || s.Code == "" || s.Message == "" || s.Action == "" {
			t.Errorf("kind %d: incomplete sentence %+v", k, s)
		}
		if strings.Contains(s.Message+s.Action, "secret") {
			t.Errorf("kind %v: the cause shows in %+v", k, s)
		}
	}
}

func TestExplain_prefers_the_sentence_of_a_code_to_that_of_its_kind(t *testing.T) {
	t.Parallel()
	s := fault.Explain(fault.New(fault.Misconfigured, "creatio", "no-access", nil))
	if s.Message != "Creatio does not let you read what Tandem needs." || !strings.Contains(s.Action, "right to read") {
		t.Errorf("got %+v", s)
	}
}

func TestWhat_fails_in_the_database_is_not_blamed_on_a_service(t *testing.T) {
	t.Parallel()
	for k := fault.Bug; k <= fault.Gone; k++ {
		if s := fault.Explain(fault.New(k, "store", "", nil)); strings.Contains(s.Message, "other service") {
			t.Errorf("kind %v: %s", k, s.Message)
		}
	}
	if s := fault.Explain(fault.New(fault.Retry, "store", "full", nil)); !strings.Contains(s.Message, "disk") || !strings.Contains(s.Message, "full") {
		t.Errorf("a full disk is told as: %s", s.Message)
	}
}
