package simd

import (
	"math"
	"testing"

	"pgregory.net/rapid"
)

// TestArc holds Nearest against every class's Cosine, and Score against both and
// against finite differences.
func TestArc(t *testing.T) {
	eachISA(t, func(t *testing.T) {
		rapid.Check(t, func(rt *rapid.T) {
			a := Arc{rapid.IntRange(2, 256).Draw(rt, "classes")}
			output := func(name string) float32 { return float32(rapid.Float64Range(-9, 9).Draw(rt, name)) }
			x, y := output("x"), output("y")
			label := int32(rapid.IntRange(0, a.Classes-1).Draw(rt, "label"))
			u := func(v float64) float64 { return math.Log1p(math.Exp(v)) }
			cosine := func(x, y float64) float64 {
				angle := math.Pi / 2 * float64(label) / float64(a.Classes-1)
				return (math.Cos(angle)*u(x) + math.Sin(angle)*u(y)) / math.Hypot(u(x), u(y))
			}

			outputs := []float32{x, y}
			score, right := a.Score(outputs, make([]float32, 2), label)
			if want := cosine(float64(x), float64(y)); math.Abs(score-want) > 1e-6 {
				rt.Fatalf("score %g, want %g", score, want)
			}
			const h = 1e-5
			for i, want := range []float64{
				(cosine(float64(x)+h, float64(y)) - cosine(float64(x)-h, float64(y))) / (2 * h),
				(cosine(float64(x), float64(y)+h) - cosine(float64(x), float64(y)-h)) / (2 * h),
			} {
				if math.Abs(float64(outputs[i])-want) > 1e-5 {
					rt.Fatalf("gradient %d is %g, want %g", i, outputs[i], want)
				}
			}

			ux, uy := float32(u(float64(x))), float32(u(float64(y)))
			best := math.Inf(-1)
			for k := range a.Classes {
				best = max(best, a.Cosine(ux, uy, int32(k)))
			}
			if at := a.Cosine(ux, uy, a.Nearest(ux, uy)); best-at > 1e-7 {
				rt.Fatalf("the nearest class has the cosine %g, another %g", at, best)
			}
			if own := a.Cosine(ux, uy, label); right && best-own > 1e-6 {
				rt.Fatalf("right with the cosine %g, another class has %g", own, best)
			}
			angle := math.Atan2(float64(uy), float64(ux)) / (math.Pi / 2) * float64(a.Classes-1)
			sure := math.Abs(angle-math.Floor(angle)-0.5) > 1e-4
			if _, right := a.Score([]float32{x, y}, make([]float32, 2), a.Nearest(ux, uy)); !right && sure {
				rt.Fatalf("the nearest class is wrong")
			}
		})
	})
	a := Arc{256}
	nan := float32(math.NaN())
	if k := a.Nearest(nan, 1); k != 0 {
		t.Errorf("NaN is nearest to class %d", k)
	}
	if s, _ := a.Score([]float32{nan, 1}, make([]float32, 2), 3); !math.IsNaN(s) {
		t.Errorf("NaN scores %g", s)
	}
	for _, k := range []int32{0, 1, 128, 255} {
		y, x := math.Sincos(a.Angle(k))
		if got := a.Nearest(float32(x), float32(y)); got != k {
			t.Errorf("the vector of class %d is nearest to class %d", k, got)
		}
	}
}
