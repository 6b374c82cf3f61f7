package firestore

import (
	"bytes"
	"compress/gzip"
	"context"
	"encoding/binary"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"slices"

	"cloud.google.com/go/firestore"

	"github.com/tandem-sync/tandem/shared/fault"
	"github.com/tandem-sync/tandem/shared/store"
	"github.com/tandem-sync/tandem/shared/store/internal/document"
)

// A link may be longer than a document: notes of a contact have no limit in Creatio, and while a run writes them the link holds them
// several times. Then each long text is kept once, and what does not fit into the link's own document lies beside it in pieces,
// which are written and read with it. All pieces carry the version of the whole.

// longText is from what length on a text is kept once.
const longText = 4 << 10

// placeOfText stands for a text that is kept elsewhere. No text of JSON has this in it.
const placeOfText = `"\q%d"`

// linkPieceRef is the n-th piece of a link; the first one is the link's own document.
func linkPieceRef(link *firestore.DocumentRef, n int) *firestore.DocumentRef {
	return link.Parent.Parent.Collection("pieces").Doc(fmt.Sprintf("%s-%06d", link.ID, n))
}

// packed is a document with each long text once: its length without them, itself without them, and the texts.
func packed(doc []byte) []byte {
	places := map[string]int{}
	var texts [][]byte
	rest := withTexts(doc, func(text []byte) []byte {
		if len(text) < longText {
			return text
		}
		n, known := places[string(text)]
		if !known {
			n = len(texts)
			places[string(text)], texts = n, append(texts, text)
		}
		return fmt.Appendf(nil, placeOfText, n)
	})
	out := binary.AppendUvarint(nil, uint64(len(rest)))
	out = append(out, rest...)
	return append(append(append(out, '['), bytes.Join(texts, []byte(","))...), ']')
}

// unpacked is the document that was packed.
func unpacked(data []byte) ([]byte, error) {
	length, n := binary.Uvarint(data)
	if n <= 0 || uint64(len(data)-n) < length {
		return nil, errors.New("a packed document is cut off")
	}
	rest, list := data[n:n+int(length)], data[n+int(length):]
	var texts []json.RawMessage
	if err := json.Unmarshal(list, &texts); err != nil {
		return nil, err
	}
	return withTexts(rest, func(text []byte) []byte {
		var place int
		if _, err := fmt.Sscanf(string(text), placeOfText, &place); err != nil || place < 0 || place >= len(texts) {
			return text
		}
		return texts[place]
	}), nil
}

// withTexts puts others in the place of the texts of a JSON document, each with its quotes.
func withTexts(doc []byte, other func(text []byte) []byte) []byte {
	var out bytes.Buffer
	for len(doc) > 0 {
		begin := bytes.IndexByte(doc, '"')
		if begin < 0 {
			break
		}
		end := begin + 1
		for end < len(doc) && doc[end] != '"' {
			if doc[end] == '\\' {
				end++
			}
			end++
		}
		end = min(end+1, len(doc))
		out.Write(doc[:begin])
		out.Write(other(doc[begin:end]))
		doc = doc[end:]
	}
	out.Write(doc)
	return out.Bytes()
}

// inPieces are the documents of a link that is too long for one; none where it is not.
func inPieces(doc []byte) ([]fields, error) {
	if len(doc) <= longestDoc {
		return nil, nil
	}
	var out bytes.Buffer
	w := gzip.NewWriter(&out)
	if _, err := w.Write(packed(doc)); err != nil {
		return nil, err
	}
	if err := w.Close(); err != nil {
		return nil, err
	}
	if out.Len() > batchBytes {
		return nil, fault.Errorf(fault.Bug, document.Side, "too-large", "its %d bytes are more than one transaction writes", out.Len())
	}
	return split(out.Bytes()), nil
}

// outOfPieces is the document that the pieces hold.
func outOfPieces(data []byte) ([]byte, error) {
	r, err := gzip.NewReader(bytes.NewReader(data))
	if err != nil {
		return nil, err
	}
	packed, err := io.ReadAll(r)
	if err != nil {
		return nil, err
	}
	return unpacked(packed)
}

// whole is the content of a document, with the pieces beside it where it has some.
func whole[D document.Document](ctx context.Context, s *Store, snap *firestore.DocumentSnapshot) (D, error) {
	var none D
	if _, long := snap.Data()["parts"]; !long || !snap.Exists() {
		return content[D](snap)
	}
	head, err := headOf(snap)
	if err != nil {
		return none, err
	}
	s.pieces.Store(snap.Ref.Path, head.Parts)
	data := slices.Clone(head.Doc)
	for n := 1; n < head.Parts; n++ {
		piece, err := s.get(ctx, linkPieceRef(snap.Ref, n))
		if err != nil {
			return none, err
		}
		p, err := headOf(piece)
		if errors.Is(err, store.ErrNotFound) || err == nil && p.Version != head.Version {
			// It was written again meanwhile.
			return none, fault.Errorf(fault.Retry, document.Side, "busy", "%s keeps changing", snap.Ref.Path)
		}
		if err != nil {
			return none, err
		}
		data = append(data, p.Doc...)
	}
	doc, err := outOfPieces(data)
	if err != nil {
		return none, fault.New(fault.Bug, document.Side, "decode", err)
	}
	return document.Decode[D](doc)
}

// addPieces writes the pieces beside a link, and removes those that a longer one left, as far as this process knows.
func (w linkWrite) addPieces(tx *firestore.Transaction) error {
	for n := 1; n < len(w.pieces); n++ {
		if err := tx.Set(linkPieceRef(w.ref, n), w.pieces[n].present()); err != nil {
			return err
		}
	}
	for n := max(1, len(w.pieces)); n < w.former; n++ {
		if err := tx.Delete(linkPieceRef(w.ref, n)); err != nil {
			return err
		}
	}
	return nil
}
