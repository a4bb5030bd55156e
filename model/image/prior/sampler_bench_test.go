package prior_test

import (
	"fmt"
	"testing"
	"time"

	"vqspeech/model/image/prior"
)

// BenchmarkSample draws grids with the cache, and once without it: x_naive is how
// many times longer recomputing the whole network for every position takes.
func BenchmarkSample(b *testing.B) {
	for _, c := range []struct {
		side, k, channels, n int
	}{{7, 128, 64, 64}, {8, 512, 64, 64}, {8, 512, 64, 1}, {16, 512, 64, 4}} {
		b.Run(fmt.Sprintf("%dx%d/K%d/F%d/n%d", c.side, c.side, c.k, c.channels, c.n), func(b *testing.B) {
			cfg := prior.Config{Net: prior.DefaultNet(), CodebookSize: c.k, Height: c.side, Width: c.side}
			cfg.Net.Channels = c.channels
			m := untrained(b, cfg)
			o := prior.SampleOptions{N: c.n, Temperature: 1}
			sample := func() {
				if _, err := m.Sample(b.Context(), o); err != nil {
					b.Fatal(err)
				}
			}
			sample() // the first takes the memory that later ones use again
			for b.Loop() {
				sample()
			}
			cached := b.Elapsed() / time.Duration(b.N)
			b.StopTimer()
			begun := time.Now()
			naive(b, m, o)
			b.ReportMetric(time.Since(begun).Seconds()/cached.Seconds(), "x_naive")
			b.ReportMetric(float64(c.n)/cached.Seconds(), "images/s")
		})
	}
}
