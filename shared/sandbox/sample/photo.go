package sample

import (
	"bytes"
	"crypto/sha256"
	"image"
	"image/color"
	"image/png"
)

// faces are what each side has of a person's photo: the seed of a drawing, empty for none.
type faces struct{ creatio, google string }

// face says who has a photo where: few people do, and of some both sides have one, each another.
func face(key string, i int) faces {
	switch {
	case i%36 == 0:
		return faces{key, key + " younger"}
	case i%12 == 3:
		return faces{creatio: key}
	case i%12 == 9:
		return faces{google: key}
	default:
		return faces{}
	}
}

// Photos are the photos of contacts in Google, by resource name.
func Photos() map[string][]byte {
	out := map[string][]byte{}
	for _, p := range everybody() {
		if p.inGoogle() && p.faces.google != "" {
			out[p.resourceName()] = draw(p.faces.google)
		}
	}
	return out
}

// draw makes a photo: eight by eight fields, of which the right ones mirror the left ones.
func draw(seed string) []byte {
	const fields, size = 8, 12
	sum := sha256.Sum256([]byte("photo of " + seed))
	ink := color.NRGBA{sum[29], sum[30], sum[31], 255}
	paper := color.NRGBA{255 - sum[29]/4, 255 - sum[30]/4, 255 - sum[31]/4, 255}
	picture := image.NewPaletted(image.Rect(0, 0, fields*size, fields*size), color.Palette{paper, ink})
	for y := range fields * size {
		for x := range fields * size {
			column := min(x/size, fields-1-x/size)
			picture.SetColorIndex(x, y, sum[y/size*2+column/2]>>(column%2*4)&1)
		}
	}
	var b bytes.Buffer
	// A picture in memory always encodes into memory.
	_ = png.Encode(&b, picture)
	return b.Bytes()
}
