package simd

import (
	"math"
	"math/rand/v2"
	"testing"
)

// vecSweep visits every 7919th float32, besides dense steps around zero and
// the values where a function changes its formula.
func vecSweep() []float32 {
	var xs []float32
	for b := uint64(0); b < 1<<32; b += 7919 {
		xs = append(xs, math.Float32frombits(uint32(b)))
	}
	for i := -40000; i <= 40000; i++ {
		xs = append(xs, float32(i)/400, float32(i)/40000)
	}
	for _, b := range []uint32{0, 1, 0x7fffff, 0x800000, 0x3f800000, 0x7f7fffff, 0x7f800000, 0x7fc00000} {
		for d := range uint32(3) {
			for _, sign := range []uint32{0, 1 << 31} {
				xs = append(xs, math.Float32frombits(b+d-1|sign))
			}
		}
	}
	return xs
}

// softplus and slopeOf are the two results of softplusSlope.
func softplus(dst, src []float32) { softplusSlope(dst, make([]float32, len(src)), src) }
func slopeOf(dst, src []float32)  { softplusSlope(make([]float32, len(src)), dst[:len(src)], src) }

func TestVectorFunctions(t *testing.T) {
	xs := vecSweep()
	for _, f := range []struct {
		name     string
		run      func(dst, src []float32)
		want     func(x float64) float64
		relative float64
	}{
		{"Exp", Exp, math.Exp, 2e-7},
		{"Log", Log, math.Log, 2e-7},
		{"Sigmoid", Sigmoid, func(x float64) float64 { return 1 / (1 + math.Exp(-x)) }, 3e-7},
		{"Tanh", Tanh, math.Tanh, 2e-7},
		{"softplus", softplus, func(x float64) float64 { return max(x, 0) + math.Log1p(math.Exp(-math.Abs(x))) }, 3e-7},
		{"softplus slope", slopeOf, func(x float64) float64 { return 1 / (1 + math.Exp(-x)) }, 3e-7},
	} {
		t.Run(f.name, func(t *testing.T) {
			eachISA(t, func(t *testing.T) {
				got := append([]float32(nil), xs...)
				f.run(got, got)
				var worst, worstAt float64
				for i, x := range xs {
					want := f.want(float64(x))
					y := float64(got[i])
					switch {
					case math.IsNaN(want) || math.IsInf(want, 0) || want > math.MaxFloat32:
						if math.IsNaN(want) != math.IsNaN(y) || float32(want) != float32(y) && !math.IsNaN(y) {
							t.Fatalf("%s(%v) = %v, want %v", f.name, x, y, want)
						}
					case want == 0:
						if y != 0 {
							t.Fatalf("%s(%v) = %v, want 0", f.name, x, y)
						}
					default:
						// Below the normal range the spacing is 2^-149.
						e := max(0, math.Abs(y-want)-0x1p-149) / math.Abs(want)
						if e > worst {
							worst, worstAt = e, float64(x)
						}
					}
				}
				if worst > f.relative {
					t.Errorf("relative error %.3g at %v, want at most %.3g", worst, worstAt, f.relative)
				}
				t.Logf("largest relative error %.3g at %v", worst, worstAt)
			})
		})
	}
}

func TestVectorFunctionsKeepSignOfZero(t *testing.T) {
	x := []float32{float32(math.Copysign(0, -1)), 0}
	Tanh(x, x)
	if !math.Signbit(float64(x[0])) || math.Signbit(float64(x[1])) {
		t.Errorf("Tanh(-0, +0) = %v", x)
	}
}

// Every set gives the bits of the plain Go code, at any place in a slice.
func TestVectorFunctionsSameBitsOnEverySet(t *testing.T) {
	xs := vecSweep()
	for _, f := range []struct {
		name string
		run  func(dst, src []float32)
		want func(x float32) float32
	}{
		{"Exp", Exp, vecExp}, {"Log", Log, vecLog}, {"Sigmoid", Sigmoid, vecSigmoid}, {"Tanh", Tanh, vecTanh},
		{"softplus", softplus, func(x float32) float32 { y, _ := vecSoftplus(x); return y }},
		{"softplus slope", slopeOf, func(x float32) float32 { _, slope := vecSoftplus(x); return slope }},
	} {
		want := make([]float32, len(xs))
		for i, x := range xs {
			want[i] = f.want(x)
		}
		eachISA(t, func(t *testing.T) {
			got := make([]float32, len(xs))
			f.run(got, xs)
			mustEqual(t, got, want, f.name)
			for n := range 150 { // whole groups of vectors, and every rest
				got := []float32{150: 7}
				f.run(got, xs[n:2*n])
				mustEqual(t, got[:n], want[n:2*n], f.name)
				if got[n] != 0 && n < 150 || got[150] != 7 {
					t.Fatalf("%s of %d values wrote past the end", f.name, n)
				}
			}
			if f.name == "softplus slope" { // the slope may not take the place of x
				return
			}
			copy(got, xs)
			f.run(got, got)
			mustEqual(t, got, want, f.name+" in place")
		})
	}
}

func TestAxpy(t *testing.T) {
	r := rand.New(rand.NewPCG(1, 2))
	eachISA(t, func(t *testing.T) {
		for n := range 40 {
			x, y := randoms(r, n), randoms(r, n+1)
			want := append([]float32(nil), y...)
			for i, v := range x {
				want[i] += float32(0.3 * v)
			}
			Axpy(0.3, x, y)
			mustEqual(t, y, want, "Axpy")
		}
	})
}

func BenchmarkVector(b *testing.B) {
	x := randoms(rand.New(rand.NewPCG(1, 2)), 4096)
	dst, slope := make([]float32, len(x)), make([]float32, len(x))
	for _, f := range []struct {
		name string
		run  func(dst, src []float32)
	}{
		{"Exp", Exp}, {"Log", Log}, {"Sigmoid", Sigmoid}, {"Tanh", Tanh}, {"softplus", func(dst, src []float32) { softplusSlope(dst, slope, src) }},
		{"Axpy", func(dst, src []float32) { Axpy(0.5, src, dst) }},
	} {
		b.Run(f.name, func(b *testing.B) {
			for b.Loop() {
				f.run(dst, x)
			}
			b.ReportMetric(float64(len(x))*float64(b.N)/b.Elapsed().Seconds()/1e6, "Mvalues/s")
		})
	}
}
