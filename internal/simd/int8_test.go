package simd

import (
	"fmt"
	"math"
	"math/rand/v2"
	"testing"
)

// int8Product is x·W rounded as PackedInt8 documents it, and what the rounding
// may be off by at most.
func int8Product(i, j, k, n int, x, w []float32) (rounded, exact, bound float64) {
	var topX, topW float64
	for p := range k {
		topX = max(topX, math.Abs(float64(x[i*k+p])))
		topW = max(topW, math.Abs(float64(w[p*n+j])))
	}
	stepX, stepW := topX/127, topW/127
	var sum float64
	for p := range k {
		a, b := float64(x[i*k+p]), float64(w[p*n+j])
		exact += a * b
		bound += stepX/2*math.Abs(b) + stepW/2*math.Abs(a) + stepX*stepW/4
		if stepX > 0 && stepW > 0 {
			sum += math.RoundToEven(a/stepX) * math.RoundToEven(b/stepW)
		}
	}
	return sum * stepX * stepW, exact, bound
}

func TestInt8IsTheRoundedProduct(t *testing.T) {
	eachISA(t, func(t *testing.T) {
		r := rand.New(rand.NewPCG(1, 2))
		for _, s := range [][3]int{{1, 1, 1}, {3, 33, 8}, {2, 130, 61}, {5, 7, 1}, {1, 256, 736}} {
			m, n, k := s[0], s[1], s[2]
			x, w := randoms(r, m*k), randoms(r, k*n)
			clear(x[:k]) // a row and a column of zeros
			for p := range k {
				w[p*n] = 0
			}
			y := make([]float32, m*n)
			PackInt8(k, n, w).MulRows(m, x, k, y, n, new(RowScratch))
			for i := range m {
				for j := range n {
					rounded, exact, bound := int8Product(i, j, k, n, x, w)
					got := float64(y[i*n+j])
					// a value half way between two codes may fall to either side
					if d := math.Abs(got - rounded); d > 1e-6*(math.Abs(rounded)+bound) && d > 0.01*bound {
						t.Errorf("%v, row %d, column %d: %g, want %g", s, i, j, got, rounded)
					}
					if math.Abs(got-exact) > bound*(1+1e-6)+1e-6 {
						t.Errorf("%v, row %d, column %d: %g is more than %g off %g", s, i, j, got, bound, exact)
					}
				}
			}
		}
	})
}

// All instruction sets give the same bits, and a row the same among any number.
func TestInt8BitsOnEveryMachine(t *testing.T) {
	const want uint64 = 0xc47d1c3f25610661
	eachISA(t, func(t *testing.T) {
		r := rand.New(rand.NewPCG(3, 4))
		var scratch RowScratch
		var all [][]float32
		for _, s := range [][3]int{
			{1, 1, 1}, {1, 128, 128}, {2, 6, 9}, {3, 33, 8}, {8, 192, 64}, {14, 31, 257}, {15, 130, 300}, {29, 624, 512}, {1, 256, 736}, {5, 7, 1},
			{4, 112, 35}, {7, 272, 3}, {0, 3, 3},
		} {
			m, n, k := s[0], s[1], s[2]
			ldx, ldy := k+3, n+5
			x, w, y := randoms(r, m*ldx), randoms(r, k*n), randoms(r, m*ldy)
			for p := range k {
				w[p*n] = []float32{-1, 1}[p%2] // the largest sums
			}
			if m > 1 {
				for p := range k {
					x[ldx+p] = -w[p*n]
				}
			}
			p := PackInt8(k, n, w)
			rows := append([]float32(nil), y...)
			p.MulRows(m, x, ldx, y, ldy, &scratch)
			for i := range m {
				p.MulRows(1, x[i*ldx:], ldx, rows[i*ldy:], ldy, &scratch)
			}
			mustEqual(t, y, rows, fmt.Sprint(s))
			all = append(all, y)
		}
		if got := bitsOf(all...); got != want {
			t.Errorf("the bits of the results hash to %#x, want %#x", got, want)
		}
	})
}

func TestQuantise(t *testing.T) {
	eachISA(t, func(t *testing.T) {
		for _, n := range []int{1, 8, 15, 40, 64, 77} {
			x, codes := make([]float32, n), make([]uint8, n)
			for _, scale := range []float32{0, 1e-40, 1e-20, 1, 3e38} {
				for i := range x {
					x[i] = scale * (float32(i-n/2) / float32(n))
				}
				x[n-1] = scale
				got := quantise(codes, x)
				want := scale / 127
				if scale < 1e-30 {
					want = 0
				}
				if got != want {
					t.Errorf("%d values up to %g: scale %g, want %g", n, scale, got, want)
				}
				for i, c := range codes {
					if d := math.Abs(float64(got)*(float64(c)-128) - float64(x[i])); d > 0.501*float64(got)+1e-30 {
						t.Errorf("%d values up to %g: value %d, %g, is code %d", n, scale, i, x[i], c)
					}
				}
			}
		}
	})
}

// BenchmarkInt8 times the products of one sample of the network of
// [BenchmarkMulRows].
func BenchmarkInt8(b *testing.B) {
	const layers = 16
	shapes := [][2]int{{128, 128}, {64, 192}} // k, n
	r := rand.New(rand.NewPCG(1, 2))
	for _, m := range []int{1, 2, 4, 8} {
		var ps [layers][2]*PackedInt8
		for l := range ps {
			for i, s := range shapes {
				ps[l][i] = PackInt8(s[0], s[1], randoms(r, s[0]*s[1]))
			}
		}
		x, y := randoms(r, m*128), randoms(r, m*192)
		var scratch RowScratch
		b.Run(fmt.Sprint(m), func(b *testing.B) {
			for b.Loop() {
				for l := range ps {
					for i, s := range shapes {
						ps[l][i].MulRows(m, x, s[0], y, s[1], &scratch)
					}
				}
			}
			b.ReportMetric(float64(m)*layers*(128*128+64*192)*float64(b.N)/b.Elapsed().Seconds()/1e9, "GMAC/s")
		})
	}
}
