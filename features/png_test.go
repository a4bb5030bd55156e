package features

import (
	"bytes"
	"image/png"
	"math"
	"slices"
	"testing"
)

func TestWritePNG(t *testing.T) {
	mel := []float32{0, 1, 2, 3, float32(math.NaN()), 99} // [3, 2]
	var buf bytes.Buffer
	if err := WritePNG(&buf, mel, 2, 0, 3); err != nil {
		t.Fatal(err)
	}
	img, err := png.Decode(&buf)
	if err != nil {
		t.Fatal(err)
	}
	if b := img.Bounds(); b.Dx() != 3*framePixels || b.Dy() != 2*bandPixels {
		t.Fatalf("picture is %v", b)
	}
	for i, want := range []int{0, 85, 170, 255, 0, 255} {
		x, y := i/2*framePixels, (1-i%2)*bandPixels // low bands at the bottom
		if r, g, b, _ := img.At(x, y).RGBA(); true {
			wr, wg, wb, _ := heat[want].RGBA()
			if r != wr || g != wg || b != wb {
				t.Errorf("value %g has colour %d %d %d, want entry %d of the palette", mel[i], r>>8, g>>8, b>>8, want)
			}
		}
	}
}

func TestWritePNGRefuses(t *testing.T) {
	for _, c := range []struct{ values, bands int }{{0, 80}, {79, 80}, {80, 0}} {
		if err := WritePNG(new(bytes.Buffer), make([]float32, c.values), c.bands, 0, 1); err == nil {
			t.Errorf("%d values of %d bands: no error", c.values, c.bands)
		}
	}
}

func TestRange(t *testing.T) {
	inf, nan := float32(math.Inf(1)), float32(math.NaN())
	for _, c := range []struct {
		in     []float32
		lo, hi float32
	}{{nil, 0, 0}, {[]float32{nan, inf}, 0, 0}, {[]float32{nan, 2, -inf, -1}, -1, 2}} {
		if lo, hi := Range(c.in); lo != c.lo || hi != c.hi {
			t.Errorf("Range(%v) = %g, %g, want %g, %g", c.in, lo, hi, c.lo, c.hi)
		}
	}
}

// Lightness rises over the palette in steps of about the same size.
func TestPaletteIsEven(t *testing.T) {
	last := -1.0
	for i, c := range heat {
		r, g, b, _ := c.RGBA()
		linear := 0.0
		for j, v := range []uint32{r, g, b} {
			linear += []float64{0.2126, 0.7152, 0.0722}[j] * math.Pow(float64(v)/65535, 2.2)
		}
		light := 116*math.Cbrt(max(linear, 0.008856)) - 16
		if last >= 0 && (light < last-0.3 || light > last+1.2) {
			t.Errorf("entry %d has lightness %.2f after %.2f", i, light, last)
		}
		last = light
	}
}

func TestPool(t *testing.T) {
	mel := []float32{1, 10, 2, 20, 3, 30, 4, 40, 6, 60} // five frames of two bands
	if got := Pool(mel, 2, 5); !slices.Equal(got, mel) {
		t.Errorf("five of five frames are %v", got)
	}
	if got, want := Pool(mel, 2, 2), []float32{1.5, 15, 13.0 / 3, 130.0 / 3}; !slices.Equal(got, want) {
		t.Errorf("two of five frames are %v, want %v", got, want)
	}
}
