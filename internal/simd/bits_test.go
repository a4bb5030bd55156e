package simd

import (
	"hash/fnv"
	"math"
	"math/rand/v2"
	"testing"
)

// bitsOf is a hash of the bits of x. All NaNs are one: processors differ in the
// NaN they make.
func bitsOf(xs ...[]float32) uint64 {
	h := fnv.New64a()
	for _, x := range xs {
		for _, v := range x {
			b := math.Float32bits(v)
			if v != v {
				b = 0x7fc00000
			}
			h.Write([]byte{byte(b), byte(b >> 8), byte(b >> 16), byte(b >> 24)})
		}
	}
	return h.Sum64()
}

// The hashes of this file hold on any processor and with any compiler. Whoever
// changes a formula records the new ones.
func TestVectorFunctionsBitsOnEveryMachine(t *testing.T) {
	xs := vecSweep()
	n := len(xs)
	rotated := func(by int) []float32 { return append(append([]float32(nil), xs[by:]...), xs[:by]...) }
	for _, f := range []struct {
		name string
		run  func() uint64
		want uint64
	}{
		{"Exp", func() uint64 { y := make([]float32, n); Exp(y, xs); return bitsOf(y) }, 0x8662b731813f3174},
		{"Log", func() uint64 { y := make([]float32, n); Log(y, xs); return bitsOf(y) }, 0x5e7def27794b4cad},
		{"Sigmoid", func() uint64 { y := make([]float32, n); Sigmoid(y, xs); return bitsOf(y) }, 0xae8ea45edfb39a77},
		{"Tanh", func() uint64 { y := make([]float32, n); Tanh(y, xs); return bitsOf(y) }, 0x6c8515c1156c80a5},
		{"softplus", func() uint64 {
			y, slope := make([]float32, n), make([]float32, n)
			softplusSlope(y, slope, xs)
			return bitsOf(y, slope)
		}, 0xd761267b7531b78d},
		{"Axpy", func() uint64 { y := rotated(n / 3); Axpy(-0.7, xs, y); return bitsOf(y) }, 0xc50710893dc9b18d},
		{"Adam", func() uint64 {
			p, g, m, v := rotated(n/3), rotated(n/5), rotated(n/7), rotated(n/11)
			s := AdamStep{Clip: 0.5, StepSize: 1.5e-3, Beta1: 0.9, Beta2: 0.999, SqrtBias2: 0.054, Eps: 1e-8}
			s.Apply(p, g, m, v)
			return bitsOf(p, m, v)
		}, 0x4fbf3af7543940d3},
	} {
		t.Run(f.name, func(t *testing.T) {
			eachISA(t, func(t *testing.T) {
				if got := f.run(); got != f.want {
					t.Errorf("the bits of the results hash to %#x, want %#x", got, f.want)
				}
			})
		})
	}
}

func TestGemmBitsOnEveryMachine(t *testing.T) {
	const generic, fused = 0x8331f11eb6bce767, 0xfbfcd80ad3eea9ff
	eachISA(t, func(t *testing.T) {
		want := uint64(fused)
		if ISA() == "generic" {
			want = generic
		}
		// Normal values come out of logarithms, which machines compute differently.
		normal, uniform := rand.New(rand.NewPCG(1, 2)), rand.New(rand.NewPCG(1, 2))
		var results [][]float32
		for _, s := range [][3]int{{1, 70, 300}, {2, 37, 600}, {61, 45, 259}} {
			for flags := range 8 {
				p := newProduct(normal, flags&1 != 0, flags&2 != 0, flags&4 != 0, s[0], s[1], s[2], [3]int{})
				for _, x := range [][]float32{p.a, p.b, p.c} {
					for i := range x {
						x[i] = uniform.Float32() - 0.5
					}
				}
				p.run(p.c)
				results = append(results, p.c)
			}
		}
		if got := bitsOf(results...); got != want {
			t.Errorf("the bits of the products hash to %#x, want %#x", got, want)
		}
	})
}

func TestRowFunctionsBitsOnEveryMachine(t *testing.T) {
	recorded := map[string]uint64{
		"add":                    0x7b38d0905b2ffca5,
		"addSquares":             0x4421dbb5a78b3ccf,
		"AddWide":                0xdb87d147cf747deb,
		"affine":                 0xa08e25be6d526d99,
		"center":                 0x5ccf7c1f13121bbe,
		"clamp":                  0xe60d7b60c99a969c,
		"dot":                    0x735e812f7d318fe1,
		"Dots":                   0x2a5b999affe67775,
		"expSum":                 0x42e515a73d12c591,
		"gruGrad":                0x77e7b953cd070bf6,
		"GRUCell":                0xe4798bb44a2fe9a7,
		"interpolate":            0xbbcb5ba3ca6de2bd,
		"mulAdd":                 0xb3e31641e5a24bea,
		"normGrad":               0x44ac08fa7220369f,
		"normSums":               0xeb032874b10c9795,
		"peak":                   0x456bc92aabfed964,
		"rectify":                0x4003bf53ad4c39bc,
		"rectifyGrad":            0xef7419ea0cf7860b,
		"scaleShift":             0x2276b477b6758931,
		"scaleShift relu":        0x2d36ae93dcc455bc,
		"sum":                    0xa38e10af25b28c71,
		"winogradGradient":       0xc57f06ab751c37a7,
		"winogradInput":          0x1973f57de173c50a,
		"winogradOutput":         0x1f3cccda124544f1,
		"winogradWeight":         0x7462dfa9e265820f,
		"winogradWeightGradient": 0x342840972b608894,
	}
	for name, run := range rowOps {
		t.Run(name, func(t *testing.T) {
			eachISA(t, func(t *testing.T) {
				const n = 67
				r := rand.New(rand.NewPCG(3, 4))
				got := bitsOf(run(n, func() []float32 {
					x := make([]float32, n)
					for i := range x {
						x[i] = 2*r.Float32() - 1
					}
					return x
				}))
				if want := recorded[name]; got != want {
					t.Errorf("the bits of the results hash to %#x, want %#x", got, want)
				}
			})
		})
	}
}
