package image_test

import (
	"math"
	"testing"

	"vqspeech/model/image"
)

// TestLogMassSumsToOne wants the 256 levels to have mass 1 together, for wide
// distributions and for such that lie within one bin.
func TestLogMassSumsToOne(t *testing.T) {
	for _, mean := range []float64{0, 1e-9, 0.5 / 255, 0.25, 100.0 / 255, 0.999, 1, -3, 1.2} {
		for _, deviation := range []float64{1e-5, 1e-3, 0.01, 0.0507, 0.3, 1, 20, 1e4} {
			sum := 0.0
			for level := range 256 {
				sum += math.Exp(image.LogMass(uint8(level), mean, deviation))
			}
			if math.Abs(sum-1) > 1e-11 {
				t.Errorf("mean %g, deviation %g: mass %.15g", mean, deviation, sum)
			}
		}
	}
}

// TestLogMass compares with the density where bins are narrow, with bins cut from
// the distribution function where that is accurate, and wants the tails on both
// sides to be mirror images.
func TestLogMass(t *testing.T) {
	density := func(x, mean, s float64) float64 {
		return -(x-mean)*(x-mean)/(2*s*s) - math.Log(s*math.Sqrt(2*math.Pi))
	}
	below := func(x, mean, s float64) float64 { return math.Erfc((mean-x)/s/math.Sqrt2) / 2 }
	for _, level := range []uint8{1, 60, 128, 254} {
		x := float64(level) / 255
		for _, s := range []float64{0.5, 2} {
			if got, want := image.LogMass(level, 0.3, s), density(x, 0.3, s)-math.Log(255); math.Abs(got-want) > 1e-5 {
				t.Errorf("level %d, deviation %g: %g, want the density's %g", level, s, got, want)
			}
		}
		want := math.Log(below(x+0.5/255, 0.3, 0.1) - below(x-0.5/255, 0.3, 0.1))
		if got := image.LogMass(level, 0.3, 0.1); level < 128 && math.Abs(got-want) > 1e-12 {
			t.Errorf("level %d: %.15g, want %.15g", level, got, want)
		}
	}
	if got, want := image.LogMass(0, 0.2, 0.1), math.Log(below(0.5/255, 0.2, 0.1)); math.Abs(got-want) > 1e-12 {
		t.Errorf("level 0: %.15g, want the whole lower tail, %.15g", got, want)
	}
	for _, level := range []uint8{0, 1, 17, 127} {
		for _, s := range []float64{1e-4, 0.01, 1} {
			a, b := image.LogMass(level, 0.75, s), image.LogMass(255-level, 0.25, s)
			if !(a < 0) || math.IsInf(a, 0) || math.Abs(a-b) > 1e-12*math.Abs(a) {
				t.Errorf("level %d, deviation %g: %g, mirrored %g", level, s, a, b)
			}
		}
	}
}

// TestLogUpperTail compares the continued fraction with the error function where
// both hold, and with the first terms of the asymptotic series beyond.
func TestLogUpperTail(t *testing.T) {
	for x := 5.0; x < 37; x += 0.25 {
		if got, want := image.LogUpperTail(x), math.Log(math.Erfc(x/math.Sqrt2)/2); math.Abs(got-want) > 1e-12*math.Abs(want) {
			t.Errorf("%g: %.15g, want %.15g", x, got, want)
		}
	}
	for _, x := range []float64{100, 1e4, 1e8} {
		want := -x*x/2 - math.Log(x*math.Sqrt(2*math.Pi)) + math.Log1p(-1/(x*x)+3/(x*x*x*x))
		if got := image.LogUpperTail(x); math.Abs(got-want) > 1e-11*math.Abs(want) {
			t.Errorf("%g: %.15g, want %.15g", x, got, want)
		}
	}
}
