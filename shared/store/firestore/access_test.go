package firestore

import (
	"context"
	"errors"
	"fmt"
	"testing"

	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"

	"github.com/tandem-sync/tandem/shared/fault"
	"github.com/tandem-sync/tandem/shared/store"
)

func TestEveryErrorOfFirestoreIsOfAKind(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		err       error
		kind      fault.Kind
		code      string
		ambiguous bool
	}{
		{status.Error(codes.Unavailable, ""), fault.Retry, "unreachable", true},
		{fmt.Errorf("commit: %w", status.Error(codes.Unavailable, "")), fault.Retry, "unreachable", true},
		{status.Error(codes.DeadlineExceeded, ""), fault.Retry, "cancelled", true},
		{status.Error(codes.Canceled, ""), fault.Retry, "cancelled", true},
		{context.DeadlineExceeded, fault.Retry, "cancelled", true},
		{status.Error(codes.Internal, "stream"), fault.Retry, "internal", true},
		{status.Error(codes.Aborted, ""), fault.Retry, "busy", false},
		{status.Error(codes.ResourceExhausted, ""), fault.Retry, "quota", false},
		{status.Error(codes.PermissionDenied, ""), fault.Misconfigured, "permission", false},
		{status.Error(codes.Unauthenticated, ""), fault.Misconfigured, "permission", false},
		{status.Error(codes.FailedPrecondition, "the query requires an index"), fault.Misconfigured, "index", false},
		{status.Error(codes.NotFound, "the database does not exist"), fault.Misconfigured, "database", false},
		{status.Error(codes.InvalidArgument, ""), fault.Bug, "firestore", false},
		{errors.New("anything"), fault.Bug, "firestore", false},
	} {
		for _, write := range []bool{true, false} {
			e, ok := errors.AsType[*fault.Error](classify(c.err, write))
			if !ok || e.Kind != c.kind || e.Code != c.code || e.Side != "store" || e.Ambiguous != (c.ambiguous && write) {
				t.Errorf("%v (write: %t) becomes %+v", c.err, write, e)
			}
		}
	}
	for _, err := range []error{store.ErrNotFound, store.ErrFenced, store.ErrLeased, fault.New(fault.Bug, "store", "x", nil)} {
		if got := classify(err, true); got != err {
			t.Errorf("%v becomes %v", err, got)
		}
	}
}

func TestEveryUserIsInAShardThatDueAsks(t *testing.T) {
	t.Parallel()
	for n := range 100 {
		if s := shard(fmt.Sprint("user", n), manyShards); s < 0 || s >= everyShard {
			t.Fatalf("shard %d of %d", s, everyShard)
		}
	}
}
