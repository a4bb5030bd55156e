package train

import (
	"fmt"
	"testing"

	"vqspeech/model/image/prior"
)

// BenchmarkStep times one training step of the priors of MNIST and CIFAR-10:
// forward, backward and Adam on 128 grids.
func BenchmarkStep(b *testing.B) {
	for _, c := range []struct{ side, k int }{{7, 128}, {8, 512}} {
		b.Run(fmt.Sprintf("%dx%d", c.side, c.side), func(b *testing.B) {
			cfg := prior.Config{Net: prior.DefaultNet(), CodebookSize: c.k, Height: c.side, Width: c.side}
			tc := DefaultConfig()
			o := Options{Prior: cfg, Train: tc, Dir: b.TempDir(), Training: prior.Set{N: 2 * tc.BatchSize, Codes: make([]uint16, 2*tc.BatchSize*cfg.Positions())}}
			for i := range o.Training.Codes {
				o.Training.Codes[i] = uint16(i * 7919 % c.k)
			}
			r, err := newRun(o)
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
