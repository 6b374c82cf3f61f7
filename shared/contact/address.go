package contact

import (
	"strings"

	"golang.org/x/text/unicode/norm"

	"github.com/tandem-sync/tandem/shared/record"
)

// addressKey is the identity of an address: its words, whatever the case and the punctuation. One that was never
// taken apart is known by its text, and one without words by its signs.
func addressKey(e record.Entry) string {
	parts := []string{e.Text, e.Parts[Street], e.Parts[City], e.Parts[Region], e.Parts[Zip], e.Parts[Country]}
	folded := make([]string, len(parts))
	for i, part := range parts {
		folded[i] = record.Fold(part)
	}
	if strings.Join(folded, "") == "" {
		for i, part := range parts {
			folded[i] = strings.Join(strings.Fields(norm.NFC.String(part)), " ")
		}
	}
	return strings.Join(folded, "|")
}
