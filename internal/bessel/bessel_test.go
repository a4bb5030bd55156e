package bessel_test

import (
	"fmt"
	"math"
	"testing"

	"vqspeech/internal/bessel"
	"vqspeech/internal/golden"
)

func TestGolden(t *testing.T) {
	f := golden.Open(t, "vmf_recon.safetensors")
	var sizes []int
	f.JSON("bessel_F", &sizes)
	if len(sizes) == 0 {
		t.Fatal("no sizes")
	}
	kappas := f.F32("bessel.kappa")
	for _, size := range sizes {
		check := func(name string, fn func(kappa float64) float64) {
			t.Helper()
			got := make([]float32, len(kappas))
			for i, k := range kappas {
				got[i] = float32(fn(float64(k)))
			}
			f.Check(fmt.Sprintf("bessel.F%d.%s", size, name), got)
		}
		m := size / 2
		check("log_iv_m_minus_1", func(k float64) float64 { return bessel.LogI(m-1, k) })
		check("log_iv_m", func(k float64) float64 { return bessel.LogI(m, k) })
		check("c", func(k float64) float64 { return bessel.VMFLogNormalizer(size, k) })
		check("log_normaliser", func(k float64) float64 {
			return bessel.VMFLogNormalizer(size, k) - float64(m)*math.Log(2*math.Pi)
		})
		check("A", func(k float64) float64 { return bessel.VMFMeanCosine(size, k) })
	}
	f.RequireAllUsed("recon.*")
}

// TestRatioNearOne compares what a large argument's ratio lacks of 1 with the
// asymptotic series of A of F = 2v+2 dimensions.
func TestRatioNearOne(t *testing.T) {
	for _, v := range []int{0, 1, 9, 127} {
		for _, x := range []float64{1e5, 1e6, 1e7, 1e8, 1e9} {
			f := float64(2*v + 2)
			want := (f - 1) / (2 * x) * (1 - (f-3)/(4*x)*(1+1/x))
			if got := 1 - bessel.Ratio(v, x); !(math.Abs(got-want) <= 1e-8*want+2e-16) {
				t.Errorf("1 - ratio of order %d at %g is %.12g, want %.12g", v, x, got, want)
			}
		}
	}
}

// TestSeriesMeetsExpansion compares the two ways where one gives way to the
// other, and the ratio with the difference of logarithms.
func TestSeriesMeetsExpansion(t *testing.T) {
	for _, v := range []int{0, 1, 9, 127, 128, 500} {
		const x = 600.0
		below, above := bessel.LogI(v, x), bessel.LogI(v, math.Nextafter(x, 1e3))
		if !(math.Abs(below-above) < 1e-9) {
			t.Errorf("ln I_%d jumps from %.12f to %.12f at %g", v, below, above, x)
		}
		for _, x := range []float64{1e-3, 0.3, 1, 50, x, 1e4, 1e8} {
			got, want := bessel.Ratio(v, x), math.Exp(bessel.LogI(v+1, x)-bessel.LogI(v, x))
			if !(math.Abs(got-want) <= 1e-9*want+1e-7*x*1e-8) {
				t.Errorf("ratio of order %d at %g is %.12g, want %.12g", v, x, got, want)
			}
		}
	}
}
