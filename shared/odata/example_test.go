package odata_test

import (
	"fmt"
	"time"

	"github.com/tandem-sync/tandem/shared/odata"
)

func ExampleQuery_Path() {
	since := time.Date(2026, 3, 1, 9, 30, 0, 0, time.UTC)
	q := odata.Query{
		Set:    "Contact",
		Select: []string{"Id", "Name"},
		Filter: odata.And(
			odata.Eq("Owner/Id", odata.Guid("410006e1-ca4e-4502-a9ec-e54d922d2c00")),
			odata.Ge("ModifiedOn", odata.DateTime(since)),
		),
	}
	fmt.Println(q.Filter)
	fmt.Println(odata.Query{Set: "Contact", Filter: odata.StartsWith("Name", odata.String("O'H"))}.Path())
	// Output:
	// Owner/Id eq 410006e1-ca4e-4502-a9ec-e54d922d2c00 and ModifiedOn ge 2026-03-01T09:30:00Z
	// Contact?$filter=startswith(Name,'O''H')
}
