package chart

import (
	"bytes"
	"fmt"
	"image"
	"image/color"
	"image/png"
	"math"
	"strings"
	"testing"
)

func decode(t *testing.T, b []byte) image.Image {
	t.Helper()
	img, err := png.Decode(bytes.NewReader(b))
	if err != nil {
		t.Fatal(err)
	}
	return img
}

// count counts the pixels of a colour within a part of a picture.
func count(img image.Image, c color.Color, in image.Rectangle) (n int) {
	r, g, b, _ := c.RGBA()
	for y := in.Min.Y; y < in.Max.Y; y++ {
		for x := in.Min.X; x < in.Max.X; x++ {
			if p, q, s, _ := img.At(x, y).RGBA(); p == r && q == g && s == b {
				n++
			}
		}
	}
	return n
}

func TestTicks(t *testing.T) {
	for _, c := range []struct {
		lo, hi float64
		want   string
	}{
		{0, 2000, "0 500 1000 1500 2000"},
		{0, 500000, "0 100k 200k 300k 400k 500k"},
		{0, 3.1e6, "0 0.5M 1.0M 1.5M 2.0M 2.5M 3.0M"},
		{0.981, 1, "0.985 0.990 0.995 1.000"},
		{0.99971, 1, "0.99975 0.9998 0.99985 0.9999 0.99995 1"},
		{0.99991, 1, "0.99992 0.99994 0.99996 0.99998 1"},
		{-96, -30, "-90 -80 -70 -60 -50 -40 -30"},
		{1.2e-5, 4.1e-5, "1.5e-05 2e-05 2.5e-05 3e-05 3.5e-05 4e-05"},
	} {
		var got []string
		for _, tick := range (ticks{}).Ticks(c.lo, c.hi) {
			got = append(got, tick.Label)
		}
		if s := strings.Join(got, " "); s != c.want {
			t.Errorf("ticks from %g to %g: %s, want %s", c.lo, c.hi, s, c.want)
		}
	}
}

func TestWriteCurves(t *testing.T) {
	panel := func(y ...float64) Panel {
		x := make([]float64, len(y))
		for i := range x {
			x[i] = float64(i)
		}
		return Panel{Title: "a", XLabel: "steps", YLabel: "b", Curves: []Curve{{X: x, Y: y}, {Name: 1, Style: 1, X: x, Y: y[:]}}}
	}
	for n, panels := range map[int][]Panel{1: {panel(1, 2, 0)}, 4: {panel(1, 2), panel(3), panel(5, 5), panel(-1, -2)}} {
		var b bytes.Buffer
		if err := WriteCurves(&b, Figure{Panels: panels, Names: []string{"first", "second"}, Styles: []string{"training", "valid"}}); err != nil {
			t.Fatal(err)
		}
		img := decode(t, b.Bytes())
		side := img.Bounds()
		side.Min.X = side.Max.X - 60
		if count(img, colours[1], img.Bounds()) < 50 {
			t.Errorf("%d panels: the second curve is not there", n)
		}
		ink := 0
		for y := range side.Dy() {
			if r, g, b, _ := img.At(side.Max.X-2, y).RGBA(); r+g+b != 3*0xffff {
				ink++
			}
		}
		if ink > 0 {
			t.Errorf("%d panels: the legend runs over the edge", n)
		}
	}
}

// Values as a damaged or hostile log may hold them.
func TestWriteCurvesOfExtremes(t *testing.T) {
	for _, y := range [][]float64{
		{1e308, -1e308}, {1e16, 1e16 + 2}, {math.SmallestNonzeroFloat64, 0}, {1e308, 1e308}, {0, 0}, {1e-300, 2e-300}, {5e15, 5e15 + 1},
	} {
		var b bytes.Buffer
		p := Panel{Title: "x", Curves: []Curve{{X: []float64{0, 9e15}, Y: y}}}
		for range 2 {
			if err := WriteCurves(&b, Figure{Panels: []Panel{p}, Names: []string{"run"}}); err != nil {
				t.Errorf("%v: %v", y, err)
			}
			p.LogX, p.LogY = true, true
		}
	}
}

// Marks have their colour, and equal factors equal lengths on a logarithmic axis.
func TestWriteMarks(t *testing.T) {
	x := []float64{16, 64, 256, 1024}
	p := Panel{LogX: true, LogY: true, XTicks: x, Curves: []Curve{{X: x, Y: x, Mark: DotsLine}, {Name: 1, X: x, Y: []float64{1024, 256, 64, 16}, Mark: Pluses}}}
	var b bytes.Buffer
	if err := WriteCurves(&b, Figure{Caption: "two\nlines", Panels: []Panel{p}, Names: []string{"a", "b"}}); err != nil {
		t.Fatal(err)
	}
	img := decode(t, b.Bytes())
	plot := img.Bounds()
	plot.Max.X -= 90 // the legend
	var at []int
	for x := plot.Min.X; x < plot.Max.X; x++ {
		if count(img, colours[1], image.Rect(x, plot.Min.Y, x+1, plot.Max.Y)) > 12 {
			at = append(at, x) // the upright stroke of a +
		}
	}
	if len(at) < 4 || len(at) > 12 {
		t.Fatalf("pluses at %v", at)
	}
	near := func(want int) bool {
		for _, x := range at {
			if x >= want-4 && x <= want+4 {
				return true
			}
		}
		return false
	}
	first, last := at[0], at[len(at)-1]
	if !near(first+(last-first)/3) || !near(first+2*(last-first)/3) {
		t.Errorf("pluses at %v, want them as far from each other", at)
	}
}

func TestLogTicks(t *testing.T) {
	for _, c := range []struct {
		lo, hi float64
		want   string
	}{{1, 60, "1 2 5 10 20 50"}, {0.003, 0.06, "0.005 0.01 0.02 0.05"}, {15, 40, "15 20 25 30 35 40"}, {1, 1e6, "1 10 100 1000 1e+04 1e+05 1e+06"}} {
		var got []string
		for _, tick := range (logTicks{}).Ticks(c.lo, c.hi) {
			got = append(got, tick.Label)
		}
		if s := strings.Join(got, " "); s != c.want {
			t.Errorf("ticks from %g to %g: %s, want %s", c.lo, c.hi, s, c.want)
		}
	}
}

func TestWriteCurvesRefuses(t *testing.T) {
	if WriteCurves(new(bytes.Buffer), Figure{}) == nil || WriteCurves(new(bytes.Buffer), Figure{Panels: make([]Panel, maxPanels+1)}) == nil ||
		WriteCurves(new(bytes.Buffer), Figure{Panels: make([]Panel, 1), Styles: make([]string, 4)}) == nil {
		t.Error("no panels, too many or too many styles are drawn")
	}
}

func TestColours(t *testing.T) {
	for _, n := range []int{1, len(colours), 20} {
		seen := map[string]bool{}
		for _, c := range pick(n) {
			seen[fmt.Sprint(c.RGBA())] = true
		}
		if len(seen) != n {
			t.Errorf("%d colours, want %d", len(seen), n)
		}
	}
}

func TestWriteSpectrograms(t *testing.T) {
	red, green := color.NRGBA{0xff, 0, 0, 0xff}, color.NRGBA{0, 0xff, 0, 0xff}
	filled := func(c color.Color) image.Image {
		img := image.NewNRGBA(image.Rect(0, 0, 10, 10))
		for i := range 100 {
			img.Set(i%10, i/10, c)
		}
		return img
	}
	var b bytes.Buffer
	ss := []Spectrogram{{"long", filled(red), 2}, {"short", filled(green), 1}}
	if err := WriteSpectrograms(&b, ss, []float64{100, 1000, 5000}, filled(color.Black), -80, 0); err != nil {
		t.Fatal(err)
	}
	img := decode(t, b.Bytes())
	long, short := count(img, red, img.Bounds()), count(img, green, img.Bounds())
	if ratio := float64(long) / float64(short); ratio < 1.9 || ratio > 2.1 {
		t.Errorf("%d and %d pixels for 2 s and 1 s", long, short)
	}
	if WriteSpectrograms(&b, nil, nil, nil, 0, 1) == nil {
		t.Error("no spectrograms are drawn")
	}
}

func TestFrequencyTicks(t *testing.T) {
	got := frequencyTicks([]float64{0, 500, 1000, 3000})
	want := []struct {
		at    float64
		label string
	}{{1.0 / 4, "250"}, {1.5 / 4, "500"}, {2.5 / 4, "1000"}, {3.0 / 4, "2000"}}
	if len(got) != len(want) {
		t.Fatalf("ticks %v", got)
	}
	for i, w := range want {
		if got[i].Label != w.label || math.Abs(got[i].Value-w.at) > 1e-12 {
			t.Errorf("tick %v, want %v", got[i], w)
		}
	}
}

func TestWriteUsage(t *testing.T) {
	var b bytes.Buffer
	if err := WriteUsage(&b, "two of four", []float64{75, 25, 0, 0}); err != nil {
		t.Fatal(err)
	}
	if img := decode(t, b.Bytes()); count(img, colours[1], img.Bounds()) < 100 {
		t.Error("the level of equal use is not there")
	}
	if WriteUsage(&b, "", nil) == nil {
		t.Error("a codebook of no codes is drawn")
	}
}
