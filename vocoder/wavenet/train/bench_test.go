package train

import (
	"fmt"
	"testing"

	"vqspeech/model/train"
	"vqspeech/vocoder/wavenet"
	"vqspeech/vocoder/wavenet/wavenettest"
)

// BenchmarkStep times one training step of the preset small, also with as much
// work in a recurrent layer: forward, backward, clipping and Adam on 8 crops of
// 25 latents, 64,000 samples.
func BenchmarkStep(b *testing.B) {
	for _, units := range []int{0, 376} {
		b.Run(fmt.Sprint("gru", units), func(b *testing.B) { benchmarkStep(b, units) })
	}
}

func benchmarkStep(b *testing.B, units int) {
	const batch, latents = 8, 25
	cfg, err := wavenet.Preset("small")
	if err != nil {
		b.Fatal(err)
	}
	cfg.GRU = units
	n, err := New(cfg, wavenettest.Random(cfg, 1), batch, latents)
	if err != nil {
		b.Fatal(err)
	}
	defer n.Close()
	copy(n.In.Latents, wavenettest.Latents(cfg, batch*latents, 1))
	for i := range n.In.Codes {
		n.In.Codes[i] = int32(i * 37 % wavenet.Levels)
	}
	copy(n.In.Previous, shifted(n.In.Codes, batch))
	adam := &train.Adam{LearningRate: 4e-4, ClipNorm: 1, Gamma: 1}
	b.ReportAllocs()
	for b.Loop() {
		if _, err := n.Step(adam); err != nil {
			b.Fatal(err)
		}
	}
	seconds := b.Elapsed().Seconds() / float64(b.N)
	samples := float64(len(n.In.Codes))
	b.ReportMetric(samples/seconds, "samples/s")
	// Forward, and the gradients of inputs and weights.
	b.ReportMetric(3*2*float64(cfg.Work().Sample)*samples/seconds/1e9, "GFLOP/s")
}
