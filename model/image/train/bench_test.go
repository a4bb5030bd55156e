package train

import (
	"testing"

	"vqspeech/model/image"
)

// BenchmarkStep times one training step of gaussian-1 with the published sizes
// on batches of 32 images: forward, backward and Adam. bench/torch_image.py is
// the same in PyTorch.
func BenchmarkStep(b *testing.B) {
	for _, net := range []image.NetKind{image.Net28, image.Net32, image.Net64, image.Net64Label} {
		b.Run(string(net), func(b *testing.B) {
			cfg := image.DefaultConfig(net)
			tc := DefaultConfig()
			r, err := newRun(Options{Model: cfg, Train: tc, Training: blobs(cfg, 2*tc.BatchSize, 1), Dir: b.TempDir()})
			if err != nil {
				b.Fatal(err)
			}
			defer r.graphs.Close()
			step := func() {
				if err := r.Step(); err != nil {
					b.Fatal(err)
				}
			}
			step() // the first takes the memory that later ones use again
			b.ReportAllocs()
			for b.Loop() {
				step()
			}
		})
	}
}
