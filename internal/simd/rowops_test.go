package simd

import (
	"fmt"
	"math"
	"math/rand/v2"
	"testing"
)

// rowOps are the row functions on n values, each as one run that returns all it
// has written.
var rowOps = map[string]func(n int, in func() []float32) []float32{
	"add":         func(_ int, in func() []float32) []float32 { y := in(); add(y, in()); return y },
	"mulAdd":      func(_ int, in func() []float32) []float32 { y := in(); mulAdd(y, in(), in()); return y },
	"interpolate": func(_ int, in func() []float32) []float32 { y := in(); interpolate(y, in(), in()); return y },
	"affine":      func(_ int, in func() []float32) []float32 { y := in(); affine(y, y, -1.7, 0.3); return y },
	"clamp":       func(_ int, in func() []float32) []float32 { y := in(); clamp(y, y, -0.5, 0.7); return y },
	"scaleShift":  func(_ int, in func() []float32) []float32 { y := in(); scaleShift(y, y, in(), in(), false); return y },
	"scaleShift relu": func(_ int, in func() []float32) []float32 {
		y := in()
		scaleShift(y, y, in(), in(), true)
		return y
	},
	"rectify":     func(_ int, in func() []float32) []float32 { y := in(); rectify(y, y); return y },
	"rectifyGrad": func(_ int, in func() []float32) []float32 { y := in(); rectifyGrad(y, in(), in()); return y },
	"AddWide": func(n int, in func() []float32) []float32 {
		acc := float64s(in())
		AddWide(acc, in())
		return wideBits(acc)
	},
	"addSquares": func(n int, in func() []float32) []float32 {
		acc := float64s(in())
		addSquares(acc, in(), float64s(in()))
		return wideBits(acc)
	},
	"normSums": func(n int, in func() []float32) []float32 {
		s, sx := float64s(in()), float64s(in())
		normSums(s, sx, in(), in(), in())
		return append(wideBits(s), wideBits(sx)...)
	},
	"normGrad": func(_ int, in func() []float32) []float32 {
		y := in()
		normGrad(y, y, in(), in(), in(), in(), in())
		return y
	},
	"dot": func(_ int, in func() []float32) []float32 { return wideBits([]float64{dot(in(), in(), 0.3)}) },
	"Dots": func(_ int, in func() []float32) []float32 {
		var y []float32
		for range 7 {
			y = append(y, in()...)
		}
		dst := make([]float64, 7)
		Dots(dst, in(), y)
		return wideBits(dst)
	},
	"expSum": func(_ int, in func() []float32) []float32 {
		y := in()
		s := expSum(y, in(), 0.3)
		return append(wideBits([]float64{s}), y...)
	},
	"sum":    func(_ int, in func() []float32) []float32 { return wideBits([]float64{sum(in())}) },
	"peak":   func(_ int, in func() []float32) []float32 { return []float32{peak(in())} },
	"center": func(_ int, in func() []float32) []float32 { y := in(); center(y, in(), in(), 0.3, -1.7); return y },
	"GRUCell": func(_ int, in func() []float32) []float32 {
		three := func() []float32 { return append(append(in(), in()...), in()...) }
		state := in()
		GRUCell(state, three(), three(), three())
		return state
	},
	"gruGrad": func(n int, in func() []float32) []float32 {
		three := func() []float32 { return append(append(in(), in()...), in()...) }
		gi, gh, carry := three(), three(), in()
		gruGrad(gi, gh, carry, three(), in(), in(), in())
		return append(append(gi, gh...), carry...)
	},
	"winogradInput":          func(n int, in func() []float32) []float32 { return transformed(winogradInput, 6, 6, n, in) },
	"winogradOutput":         func(n int, in func() []float32) []float32 { return transformed(winogradOutput, 6, 4, n, in) },
	"winogradGradient":       func(n int, in func() []float32) []float32 { return transformed(winogradGradient, 4, 6, n, in) },
	"winogradWeight":         func(n int, in func() []float32) []float32 { return transformed(winogradWeight, 3, 6, n, in) },
	"winogradWeightGradient": func(n int, in func() []float32) []float32 { return transformed(winogradWeightGradient, 6, 3, n, in) },
}

// transformed is what a function of winograd_rows.go makes of from rows of n
// values.
func transformed(f func(dst []float32, ds int, src []float32, ss, n int), from, to, n int, in func() []float32) []float32 {
	var src []float32
	for range from {
		src = append(src, in()...)
	}
	dst := make([]float32, to*n)
	f(dst, n, src, n, n)
	return dst
}

// wideBits splits float64s into two float32 each, bit for bit.
func wideBits(x []float64) []float32 {
	var out []float32
	for _, v := range x {
		b := math.Float64bits(v)
		out = append(out, math.Float32frombits(uint32(b)), math.Float32frombits(uint32(b>>32)))
	}
	return out
}

func TestRowFunctionsSameBitsOnEverySet(t *testing.T) {
	defer func(name string) { _ = SetISA(name) }(ISA())
	for name, run := range rowOps {
		for _, n := range []int{0, 1, 7, 8, 9, 16, 31, 67} {
			t.Run(fmt.Sprint(name, "/", n), func(t *testing.T) {
				results := map[string][]float32{}
				for _, isa := range ISAs() {
					if err := SetISA(isa); err != nil {
						t.Fatal(err)
					}
					r := rand.New(rand.NewPCG(7, uint64(n)))
					results[isa] = run(n, func() []float32 {
						x := randoms(r, n)
						for i := range x { // both zeros and some large values too
							switch r.IntN(9) {
							case 0:
								x[i] = 0
							case 1:
								x[i] = float32(math.Copysign(0, -1))
							case 2:
								x[i] *= 1e6
							}
						}
						return x
					})
				}
				for isa, got := range results {
					for i, want := range results["generic"] {
						if math.Float32bits(got[i]) != math.Float32bits(want) {
							t.Fatalf("%s: value %d is %v, generic %v", isa, i, got[i], want)
						}
					}
				}
			})
		}
	}
}

func TestRowFunctionsKeepNaN(t *testing.T) {
	eachISA(t, func(t *testing.T) {
		nan := float32(math.NaN())
		for at := range 9 {
			x := make([]float32, 9)
			x[at] = nan
			one := []float32{1, 1, 1, 1, 1, 1, 1, 1, 1}
			y := make([]float32, 9)
			rectify(y, x)
			if y[at] == y[at] {
				t.Errorf("rectify makes %v of NaN at %d", y[at], at)
			}
			scaleShift(y, x, one, one, true)
			if y[at] == y[at] {
				t.Errorf("scaleShift makes %v of NaN at %d", y[at], at)
			}
		}
	})
}

func TestDotsIsDot(t *testing.T) {
	rng := rand.New(rand.NewPCG(5, 6))
	for d := range 50 {
		x, y := make([]float32, d), make([]float32, 9*d)
		for i := range y {
			y[i] = float32(rng.NormFloat64())
		}
		copy(x, y[d/2:])
		dst := make([]float64, 9)
		Dots(dst, x, y)
		for r, v := range dst {
			if row := y[r*d : (r+1)*d]; v != Dot(x, row) || v != Dot(row, x) {
				t.Errorf("%d values, row %d: %v, want %v", d, r, v, Dot(x, row))
			}
		}
	}
}
