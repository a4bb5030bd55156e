package image

import (
	"fmt"
	"image"
	"image/color"
	"image/png"
	"io"
)

// GridColumns is the number of images beside each other in a grid.
const GridColumns = 16

const (
	gridGap   = 2  // between images (pixels of the picture)
	gridBreak = 8  // between groups of rows
	gridSide  = 56 // images are enlarged to about this
)

// MaxGrid is the most images of a set that a picture shows.
const MaxGrid = 1 << 12

// WriteGrid writes sets of images of a model below each other as PNG: a row of
// the first GridColumns of each set, below them the next ones, so that images of
// one number stand in one column. Labels are told apart by colours, those of 256
// classes are levels of grey. All sets have the same number of images, at most
// MaxGrid.
func WriteGrid(w io.Writer, cfg Config, sets ...Set) error {
	if len(sets) == 0 || sets[0].N == 0 || sets[0].N > MaxGrid {
		return fmt.Errorf("image: a grid of %d sets, want 1 to %d images in each", len(sets), MaxGrid)
	}
	n, side := sets[0].N, cfg.Side()
	for _, s := range sets {
		if s.N != n || s.Height != side || s.Width != side || len(s.Images) != n*s.Size() {
			return fmt.Errorf("image: a grid of %d and %d images of %d×%d, want as many of %d×%d", n, s.N, s.Height, s.Width, side, side)
		}
	}
	zoom := max(1, gridSide/side)
	cell := side*zoom + gridGap
	groups := (n + GridColumns - 1) / GridColumns
	group := len(sets)*cell + gridBreak
	pic := image.NewRGBA(image.Rect(0, 0, min(n, GridColumns)*cell+gridGap, groups*group-gridBreak+gridGap))
	for i := range pic.Pix {
		pic.Pix[i] = 0xff
	}
	for k, s := range sets {
		for i := range n {
			x0, y0 := gridGap+i%GridColumns*cell, gridGap+i/GridColumns*group+k*cell
			values := s.Image(i)
			for y := range side * zoom {
				for x := range side * zoom {
					at := (y/zoom*side + x/zoom) * s.Channels
					pic.SetRGBA(x0+x, y0+y, cfg.colour(values[at:at+s.Channels]))
				}
			}
		}
	}
	return png.Encode(w, pic)
}

// colour shows one pixel.
func (c Config) colour(v []uint8) color.RGBA {
	if c.Labels() && c.Net.Channels < 256 {
		return labelColour(v[0], c.Net.Channels)
	}
	if len(v) < 3 {
		return color.RGBA{v[0], v[0], v[0], 0xff}
	}
	return color.RGBA{v[0], v[1], v[2], 0xff}
}

// labelColour gives class 0, mostly the background, black and the others hues
// that go round the circle in three degrees of light; a label that is no class
// is white.
func labelColour(label uint8, classes int) color.RGBA {
	switch {
	case label == 0:
		return color.RGBA{A: 0xff}
	case int(label) >= classes:
		return color.RGBA{0xff, 0xff, 0xff, 0xff}
	}
	i := int(label) - 1
	light := []int{255, 190, 130}[i%3]
	hue := 6 * float64(i) / float64(classes-1)
	ramp := func(at float64) uint8 { // of a channel that is full at hue at
		d := hue - at
		for d > 3 {
			d -= 6
		}
		for d < -3 {
			d += 6
		}
		return uint8(float64(light) * min(1, max(0.15, 2-max(d, -d))))
	}
	return color.RGBA{ramp(0), ramp(2), ramp(4), 0xff}
}
