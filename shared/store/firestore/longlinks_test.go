package firestore

import (
	"bytes"
	"encoding/json"
	"strings"
	"testing"

	"pgregory.net/rapid"

	_ "github.com/tandem-sync/tandem/shared/sandbox/seed"
)

// What is packed comes back to the letter, and a long text is in it once.
func TestPacked_comes_back_as_it_was(t *testing.T) {
	t.Parallel()
	texts := []string{strings.Repeat(`"\<ü>`, longText), strings.Repeat("x", longText), "", "\x000", `\q0`, `\`, `"`, `"\q1"`, "é\u2028"}
	rapid.Check(t, func(t *rapid.T) {
		var doc struct {
			N     float64
			Texts []string
		}
		for _, n := range rapid.SliceOf(rapid.IntRange(0, len(texts)-1)).Draw(t, "which texts") {
			doc.Texts = append(doc.Texts, texts[n])
		}
		want, err := json.Marshal(doc)
		if err != nil {
			t.Fatal(err)
		}
		data := packed(want)
		if got, err := unpacked(data); err != nil || !bytes.Equal(got, want) {
			t.Fatalf("something else came back: %v", err)
		}
		if once := 16*len(texts[0]) + len(texts[1]) + 100*(1+len(doc.Texts)); len(data) > once {
			t.Fatalf("%d bytes are %d", len(want), len(data))
		}
	})
	if _, err := unpacked([]byte{200}); err == nil {
		t.Error("what is cut off comes back")
	}
}
