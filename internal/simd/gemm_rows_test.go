package simd

import (
	"fmt"
	"math/rand/v2"
	"testing"
)

func TestMulRowsIsGemmPacked(t *testing.T) {
	eachISA(t, func(t *testing.T) {
		r := rand.New(rand.NewPCG(1, 2))
		var scratch RowScratch
		for _, s := range [][3]int{
			{1, 1, 1}, {1, 128, 128}, {2, 6, 9}, {3, 33, 8}, {8, 192, 64}, {14, 31, 257}, {15, 130, 300}, {29, 624, 512}, {1, 256, 736}, {5, 7, 1}, {0, 3, 3},
		} {
			m, n, k := s[0], s[1], s[2]
			ldx, ldy := k+3, n+5
			x, w, y := randoms(r, m*ldx), randoms(r, k*n), randoms(r, m*ldy)
			p := PackB(false, k, n, w, n)
			want := append([]float32(nil), y...)
			GemmPacked(m, x, ldx, p, want, ldy, true)
			p.MulRows(m, x, ldx, y, ldy, &scratch)
			mustEqual(t, y, want, fmt.Sprint(s))
		}
	})
}

// BenchmarkMulRows times the products of one sample of a network whose weights,
// 1.9 MB, do not stay in the fastest caches.
func BenchmarkMulRows(b *testing.B) {
	const layers = 16
	shapes := [][2]int{{128, 128}, {64, 192}} // k, n
	r := rand.New(rand.NewPCG(1, 2))
	for _, m := range []int{1, 2, 4, 8, 14} {
		var ps [layers][2]*Packed
		for l := range ps {
			for i, s := range shapes {
				ps[l][i] = PackB(false, s[0], s[1], randoms(r, s[0]*s[1]), s[1])
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
