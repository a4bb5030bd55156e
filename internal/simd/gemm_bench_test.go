package simd

import (
	"fmt"
	"math/rand/v2"
	"testing"
)

// gemmShape is a product of the speech models. bench/gemm.py reads the shapes
// from the names of the benchmarks.
type gemmShape struct {
	layer          string
	m, n, k        int
	transA, transB bool
}

func (s gemmShape) name() string {
	name := fmt.Sprintf("%s/%dx%dx%d", s.layer, s.m, s.n, s.k)
	if s.transA {
		name += "/transA"
	}
	if s.transB {
		name += "/transB"
	}
	return name
}

// gemmShapes lists the products of a training step with the published model and
// with 256 channels (1664 = 52 utterances of 32 frames, 832 after the stride):
// forward, for the gradient of the input and for that of the weights; then
// those of the quantiser, of the decoder and of encoding one recording, of which
// the layers see about 300 frames at a time.
func gemmShapes() []gemmShape {
	var shapes []gemmShape
	for _, c := range []int{768, 256} {
		for _, l := range []struct {
			name    string
			m, n, k int
		}{
			{"conv1", 1664, c, 3 * 80}, {"conv2", 1664, c, 3 * c}, {"conv3", 832, c, 4 * c}, {"conv4", 832, c, 3 * c},
			{"out", 832, 128, c},
		} {
			layer := fmt.Sprintf("%s/%d/", l.name, c)
			shapes = append(shapes, gemmShape{layer: layer + "forward", m: l.m, n: l.n, k: l.k})
			if l.name != "conv1" { // nobody needs the gradient of the features
				shapes = append(shapes, gemmShape{layer: layer + "input", m: l.m, n: l.k, k: l.n, transB: true})
			}
			shapes = append(shapes, gemmShape{layer: layer + "weight", m: l.k, n: l.n, k: l.m, transA: true})
		}
	}
	return append(shapes,
		gemmShape{layer: "codebook", m: 832, n: 512, k: 64, transB: true},
		gemmShape{layer: "gru/frames", m: 1664, n: 384, k: 128},
		gemmShape{layer: "gru/state", m: 52, n: 384, k: 128},
		gemmShape{layer: "gru/state", m: 1, n: 384, k: 128},
		gemmShape{layer: "fc", m: 1664, n: 80, k: 256},
		gemmShape{layer: "encode", m: 304, n: 256, k: 768},
	)
}

func BenchmarkGemm(b *testing.B) {
	if err := EnvError(); err != nil {
		b.Fatal(err) // figures of another instruction set would pass for those of this one
	}
	for _, s := range gemmShapes() {
		p := newProduct(rand.New(rand.NewPCG(1, 1)), s.transA, s.transB, false, s.m, s.n, s.k, [3]int{})
		b.Run(s.name(), func(b *testing.B) { p.bench(b, func() { p.run(p.c) }) })
		if !s.transA {
			packed := PackB(p.transB, p.k, p.n, p.b, p.ldb)
			b.Run(s.name()+"/packed", func(b *testing.B) {
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
