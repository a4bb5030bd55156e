package features

import (
	"fmt"
	"math"
	"math/cmplx"
	"math/rand/v2"
	"testing"

	"gonum.org/v1/gonum/dsp/fourier"
)

func randomFrames(n int, seed uint64) []float64 {
	rng := rand.New(rand.NewPCG(seed, 1))
	x := make([]float64, n)
	for i := range x {
		x[i] = rng.NormFloat64()
	}
	return x
}

// The transform agrees with gonum's and, where that is cheap, with the sum
// that defines it.
func TestDFTOracles(t *testing.T) {
	for _, n := range []int{4, 64, 512, 2048} {
		d, oracle := NewDFT(n), fourier.NewFFT(n)
		width := n - n/4
		for frames := 1; frames <= 11; frames++ {
			x := randomFrames(frames*width, uint64(frames))
			got := make([]complex128, frames*d.Bins())
			d.Forward(got, x, width)
			padded := make([]float64, n)
			for f := range frames {
				copy(padded, x[f*width:][:width])
				want := oracle.Coefficients(nil, padded)
				if n <= 64 {
					want = slowDFT(padded)
				}
				for k, w := range want {
					if e := cmplx.Abs(got[f*d.Bins()+k] - w); e > 1e-12*float64(n) {
						t.Fatalf("n %d, frame %d of %d, bin %d: got %v, want %v", n, f, frames, k, got[f*d.Bins()+k], w)
					}
				}
			}
			back := make([]float64, len(x))
			d.Inverse(back, got, width)
			for i, v := range x {
				if math.Abs(back[i]-v) > 1e-12 {
					t.Fatalf("n %d, %d frames: inverse sample %d is %g, want %g", n, frames, i, back[i], v)
				}
			}
		}
	}
}

func slowDFT(x []float64) []complex128 {
	n := len(x)
	out := make([]complex128, n/2+1)
	for k := range out {
		for i, v := range x {
			sin, cos := math.Sincos(-2 * math.Pi * float64(i*k%n) / float64(n))
			out[k] += complex(v*cos, v*sin)
		}
	}
	return out
}

func TestNewDFTRefusesOtherLengths(t *testing.T) {
	for _, n := range []int{0, 1, 2, 3, 400, 2049} {
		func() {
			defer func() {
				if recover() == nil {
					t.Errorf("NewDFT(%d) did not panic", n)
				}
			}()
			NewDFT(n)
		}()
	}
}

func BenchmarkDFT(b *testing.B) {
	for _, n := range []int{512, 2048} {
		d := NewDFT(n)
		x := randomFrames(8*400, 1)
		spec := make([]complex128, 8*d.Bins())
		b.Run(fmt.Sprintf("forward-%d", n), func(b *testing.B) {
			for b.Loop() {
				d.Forward(spec, x, 400)
			}
			b.ReportMetric(float64(b.Elapsed().Microseconds())/float64(8*b.N), "µs/frame")
		})
		b.Run(fmt.Sprintf("inverse-%d", n), func(b *testing.B) {
			for b.Loop() {
				d.Inverse(x, spec, 400)
			}
			b.ReportMetric(float64(b.Elapsed().Microseconds())/float64(8*b.N), "µs/frame")
		})
	}
}
