package quant

import (
	"math/rand/v2"
	"testing"
)

// BenchmarkAssign times the codebook of the published model on the latents of
// 10 s, for the two forms of precision that cost differently.
func BenchmarkAssign(b *testing.B) {
	const n = 500
	rng := rand.New(rand.NewPCG(1, 1))
	random := func(n int) []float32 {
		x := make([]float32, n)
		for i := range x {
			x[i] = rng.Float32() + 0.1
		}
		return x
	}
	c := Codebook{Size: 512, Dim: 64, Vectors: random(512 * 64)}
	codes, latents := make([]uint16, n), random(n*c.Dim)
	for _, p := range []struct {
		name      string
		precision []float32
	}{{"nearest", nil}, {"precision", random(n * c.Dim)}} {
		b.Run(p.name, func(b *testing.B) {
			for b.Loop() {
				c.Assign(codes, latents, p.precision)
			}
			flops := 2 * float64(c.MultiplyAdds(n, len(p.precision))) * float64(b.N)
			b.ReportMetric(flops/b.Elapsed().Seconds()/1e9, "GFLOP/s")
		})
	}
}
