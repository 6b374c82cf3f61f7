package people

import (
	"bytes"
	"image"
	_ "image/jpeg" // photos come as JPEG
	_ "image/png"  // and as PNG
)

const (
	// grid is how finely two pictures are compared, tolerance how much a field of it may differ of 255: more than a
	// JPEG loses, and less than one picture differs from another.
	grid      = 12
	tolerance = 10
	// maxPixels keeps a small file from becoming a large picture.
	maxPixels = 12_000_000
)

// Made reports whether one picture is what Google makes of another: the same, but scaled and written anew.
func (s *Side) Made(of, picture []byte) bool {
	if bytes.Equal(of, picture) {
		return true
	}
	a, b := decode(of), decode(picture)
	if a == nil || b == nil {
		return false
	}
	if w, h := a.Bounds().Dx()*b.Bounds().Dy(), b.Bounds().Dx()*a.Bounds().Dy(); 20*max(w-h, h-w) > w+h {
		return false
	}
	for y := range grid {
		for x := range grid {
			p, q := mean(a, x, y), mean(b, x, y)
			for i := range p {
				if d := p[i] - q[i]; d > tolerance || d < -tolerance {
					return false
				}
			}
		}
	}
	return true
}

// decode is a picture, or nothing where there is none.
func decode(content []byte) image.Image {
	size, _, err := image.DecodeConfig(bytes.NewReader(content))
	if err != nil || size.Width <= 0 || size.Height <= 0 || size.Width > maxPixels/size.Height {
		return nil
	}
	picture, _, err := image.Decode(bytes.NewReader(content))
	if err != nil {
		return nil
	}
	return picture
}

// mean is the mean colour of one field of the grid, from a few points in it.
func mean(picture image.Image, x, y int) [3]int {
	const points = 8
	bounds := picture.Bounds()
	var sum [3]int
	for j := range points {
		for i := range points {
			px := bounds.Min.X + (x*points+i)*bounds.Dx()/(grid*points)
			py := bounds.Min.Y + (y*points+j)*bounds.Dy()/(grid*points)
			r, g, b, _ := picture.At(px, py).RGBA()
			sum[0], sum[1], sum[2] = sum[0]+int(r>>8), sum[1]+int(g>>8), sum[2]+int(b>>8)
		}
	}
	for i := range sum {
		sum[i] /= points * points
	}
	return sum
}
