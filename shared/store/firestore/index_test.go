package firestore_test

import (
	"context"
	"fmt"
	"maps"
	"os"
	"slices"
	"strings"
	"sync"
	"testing"

	"cloud.google.com/go/firestore/apiv1/firestorepb"
	"google.golang.org/api/option"
	"google.golang.org/grpc"
	"google.golang.org/grpc/credentials/insecure"

	"github.com/tandem-sync/tandem/shared/store/firestore"
)

// queries are what a client asked, as far as it matters for an index: the emulator has every index, and the service has
// those that were made.
type queries struct {
	mu    sync.Mutex
	asked map[string]query
}

// query is what an index has to have: the fields that are asked to be equal, in any order, and then those of the order.
type query struct {
	collection, scope string
	equal             []string
	order             []firestore.IndexField
}

// overhear is a connection to the emulator, as the client would make one, on which queries are noted.
func (q *queries) overhear(t *testing.T) option.ClientOption {
	t.Helper()
	conn, err := grpc.NewClient(os.Getenv("FIRESTORE_EMULATOR_HOST"),
		grpc.WithTransportCredentials(insecure.NewCredentials()), grpc.WithPerRPCCredentials(owner{}),
		grpc.WithStreamInterceptor(func(
			ctx context.Context, desc *grpc.StreamDesc, conn *grpc.ClientConn, method string, next grpc.Streamer, opts ...grpc.CallOption,
		) (grpc.ClientStream, error) {
			stream, err := next(ctx, desc, conn, method, opts...)
			if err != nil {
				return nil, err
			}
			return &overheard{stream, q}, nil
		}))
	must(t, err)
	return option.WithGRPCConn(conn)
}

// owner is who the emulator lets do everything.
type owner struct{}

func (owner) GetRequestMetadata(context.Context, ...string) (map[string]string, error) {
	return map[string]string{"authorization": "Bearer owner"}, nil
}

func (owner) RequireTransportSecurity() bool { return false }

type overheard struct {
	grpc.ClientStream
	queries *queries
}

func (o *overheard) SendMsg(m any) error {
	switch m := m.(type) {
	case *firestorepb.RunQueryRequest:
		o.queries.note(m.GetStructuredQuery())
	case *firestorepb.RunAggregationQueryRequest:
		o.queries.note(m.GetStructuredAggregationQuery().GetStructuredQuery())
	}
	return o.ClientStream.SendMsg(m)
}

func (q *queries) note(asked *firestorepb.StructuredQuery) {
	n := query{collection: asked.GetFrom()[0].GetCollectionId(), scope: "COLLECTION"}
	if asked.GetFrom()[0].GetAllDescendants() {
		n.scope = "COLLECTION_GROUP"
	}
	const name = "__name__" // Every index ends with it.
	ranged := map[string]bool{}
	for _, f := range filters(asked.GetWhere()) {
		switch path := f.GetField().GetFieldPath(); {
		case path == name:
		case f.GetOp() == firestorepb.StructuredQuery_FieldFilter_EQUAL || f.GetOp() == firestorepb.StructuredQuery_FieldFilter_IN:
			n.equal = append(n.equal, path)
		default:
			ranged[path] = true
		}
	}
	for _, o := range asked.GetOrderBy() {
		if path := o.GetField().GetFieldPath(); path != name {
			n.order = append(n.order, firestore.IndexField{Path: path, Order: o.GetDirection().String()})
			delete(ranged, path)
		}
	}
	for _, path := range slices.Sorted(maps.Keys(ranged)) {
		n.order = append(n.order, firestore.IndexField{Path: path, Order: "ASCENDING"})
	}
	slices.Sort(n.equal)
	q.mu.Lock()
	defer q.mu.Unlock()
	if q.asked == nil {
		q.asked = map[string]query{}
	}
	q.asked[fmt.Sprint(n)] = n
}

func filters(f *firestorepb.StructuredQuery_Filter) (out []*firestorepb.StructuredQuery_FieldFilter) {
	if one := f.GetFieldFilter(); one != nil {
		return append(out, one)
	}
	for _, part := range f.GetCompositeFilter().GetFilters() {
		out = append(out, filters(part)...)
	}
	return out
}

// check holds the queries against the indexes: none without one, and none that nobody needs.
func (q *queries) check(t *testing.T) {
	t.Helper()
	used := map[string]bool{}
	for _, n := range q.asked {
		// One field has an index by itself, within one collection; so have several that are asked to be equal.
		if n.scope == "COLLECTION" && (len(n.order) == 0 || len(n.equal)+len(n.order) == 1) {
			continue
		}
		i := slices.IndexFunc(firestore.Indexes, n.served)
		if i < 0 {
			t.Errorf("the query %s of %s by %q, in the order of %v, has no index", strings.ToLower(n.scope), n.collection, n.equal, n.order)
			continue
		}
		used[fmt.Sprint(firestore.Indexes[i])] = true
	}
	for _, index := range firestore.Indexes {
		if !used[fmt.Sprint(index)] {
			t.Errorf("no query needs the index %v", index)
		}
	}
}

// served tells whether an index serves the query.
func (n query) served(index firestore.Index) bool {
	if index.Collection != n.collection || index.Scope != n.scope || len(index.Fields) != len(n.equal)+len(n.order) {
		return false
	}
	var equal []string
	for _, f := range index.Fields[:len(n.equal)] {
		equal = append(equal, f.Path)
	}
	slices.Sort(equal)
	return slices.Equal(equal, n.equal) && slices.Equal(index.Fields[len(n.equal):], n.order)
}
