package simd

import (
	"fmt"
	"math/rand/v2"
	"testing"
)

// Products of the speech models: encoder layers (1664 = 52 utterances of 32
// frames), the recurrence of the decoder, gradients.
func BenchmarkGemm(b *testing.B) {
	for _, s := range []struct {
		m, n, k        int
		transA, transB bool
	}{
		{m: 1664, n: 768, k: 240}, {m: 1664, n: 768, k: 2304}, {m: 832, n: 768, k: 3072},
		{m: 832, n: 128, k: 768}, {m: 832, n: 512, k: 64}, {m: 52, n: 384, k: 128},
		{m: 1, n: 384, k: 128}, {m: 64, n: 256, k: 768},
		{m: 2304, n: 768, k: 1664, transA: true}, {m: 1664, n: 2304, k: 768, transB: true},
	} {
		p := newProduct(rand.New(rand.NewPCG(1, 1)), s.transA, s.transB, false, s.m, s.n, s.k, [3]int{})
		shape := fmt.Sprintf("%dx%dx%d", s.m, s.n, s.k)
		if s.transA {
			shape += "/transA"
		}
		if s.transB {
			shape += "/transB"
		}
		b.Run(shape, func(b *testing.B) { p.bench(b, func() { p.run(p.c) }) })
		if !s.transA {
			packed := PackB(p.transB, p.k, p.n, p.b, p.ldb)
			b.Run(shape+"/packed", func(b *testing.B) {
				p.bench(b, func() { GemmPacked(p.m, p.a, p.lda, packed, p.c, p.ldc, false) })
			})
		}
	}
}

func (p *product) bench(b *testing.B, f func()) {
	for b.Loop() {
		f()
	}
	flops := 2 * float64(p.m) * float64(p.n) * float64(p.k)
	b.ReportMetric(flops*float64(b.N)/b.Elapsed().Seconds()/1e9, "GFLOP/s")
}
