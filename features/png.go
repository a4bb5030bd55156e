package features

import (
	"fmt"
	"image"
	"image/color"
	"image/png"
	"io"
	"math"
)

// Pixels for each frame and for each mel band of a picture.
const (
	framePixels = 2
	bandPixels  = 4
)

// WritePNG writes a picture of a spectrogram, time to the right, low
// frequencies at the bottom.
//
//	mel    [T, M] features or levels in any unit, M = bands
//	lo, hi        values of the darkest and of the brightest colour, as Range gives them
//
// It fails if mel is empty or not a multiple of bands, and on a write error.
func WritePNG(w io.Writer, mel []float32, bands int, lo, hi float32) error {
	p, err := Picture(mel, bands, lo, hi)
	if err != nil {
		return err
	}
	return png.Encode(w, p)
}

// Picture is the picture that WritePNG writes. It reads mel when it is drawn.
func Picture(mel []float32, bands int, lo, hi float32) (image.PalettedImage, error) {
	if bands < 1 || len(mel) == 0 || len(mel)%bands != 0 {
		return nil, fmt.Errorf("features: %d values do not make a picture of %d bands", len(mel), bands)
	}
	return &picture{mel, bands, lo, hi}, nil
}

// Pool averages the frames of mel [T, M] in equal stretches where there are more
// than most, so that a long recording makes a picture of bounded width.
func Pool(mel []float32, bands, most int) []float32 {
	frames := len(mel) / bands
	if frames <= most {
		return mel
	}
	out := make([]float32, most*bands)
	for i := range most {
		from, to := i*frames/most, (i+1)*frames/most
		for j := range bands {
			var sum float64
			for t := from; t < to; t++ {
				sum += float64(mel[t*bands+j])
			}
			out[i*bands+j] = float32(sum / float64(to-from))
		}
	}
	return out
}

// Range returns the smallest and the largest finite value of mel, 0 and 0 if
// there is none.
func Range(mel []float32) (lo, hi float32) {
	lo, hi = float32(math.Inf(1)), float32(math.Inf(-1))
	for _, v := range mel {
		if !math.IsInf(float64(v), 0) && v == v {
			lo, hi = min(lo, v), max(hi, v)
		}
	}
	if lo > hi {
		return 0, 0
	}
	return lo, hi
}

// A picture is an image.PalettedImage that is never held in memory: an hour
// has 720000 columns.
type picture struct {
	mel    []float32
	bands  int
	lo, hi float32
}

func (p *picture) ColorModel() color.Model { return heat }

func (p *picture) Bounds() image.Rectangle {
	return image.Rect(0, 0, len(p.mel)/p.bands*framePixels, p.bands*bandPixels)
}

func (p *picture) At(x, y int) color.Color { return heat[p.ColorIndexAt(x, y)] }

func (p *picture) ColorIndexAt(x, y int) uint8 {
	v := p.mel[x/framePixels*p.bands+p.bands-1-y/bandPixels]
	part := (v - p.lo) / (p.hi - p.lo)
	if !(part > 0) { // not a number in a flat picture
		return 0
	}
	return uint8(255 * min(part, 1))
}

// heat goes from black over violet and orange to a light yellow; its lightness
// rises evenly, so that equal steps look equal, in grey as well.
var heat = func() color.Palette {
	points := [][3]float64{
		{0, 0, 6}, {27, 15, 66}, {78, 18, 122}, {129, 37, 130}, {181, 54, 121},
		{229, 81, 99}, {251, 135, 96}, {254, 194, 134}, {252, 253, 192},
	}
	palette := make(color.Palette, 256)
	for i := range palette {
		at := float64(i) / 255 * float64(len(points)-1)
		k := min(int(at), len(points)-2)
		var c [3]uint8
		for j := range c {
			a, b := points[k][j], points[k+1][j]
			c[j] = uint8(a + (b-a)*(at-float64(k)) + 0.5)
		}
		palette[i] = color.NRGBA{c[0], c[1], c[2], 255}
	}
	return palette
}()
