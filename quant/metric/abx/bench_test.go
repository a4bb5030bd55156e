package abx

import (
	"math/rand/v2"
	"testing"
)

// corpusOf returns items of two speakers and ten phones in one context: n of each
// phone and speaker, of about 20 frames.
func corpusOf(n, dim int, symbols bool) []Segment {
	rng := rand.New(rand.NewPCG(1, uint64(n)))
	var out []Segment
	for _, speaker := range []string{"s", "t"} {
		for phone := range 10 {
			for range n {
				s := Segment{Phone: string(rune('a' + phone)), Speaker: speaker, Dim: dim}
				frames := 15 + rng.IntN(11)
				if symbols {
					s.Dim = 0
					for range frames {
						s.Symbols = append(s.Symbols, int32(phone+rng.IntN(12)))
					}
				} else {
					for range frames * dim {
						s.Frames = append(s.Frames, float32(phone)/4+float32(rng.NormFloat64()))
					}
				}
				out = append(out, s)
			}
		}
	}
	return out
}

// BenchmarkPair measures two speakers of 1,000 items together (bench/abx.py
// measures the same work in NumPy).
func BenchmarkPair(b *testing.B) {
	for _, d := range Distances {
		segments := corpusOf(50, 80, d.Symbolic())
		if d == KL {
			exponentials(segments)
		}
		b.Run(string(d), func(b *testing.B) {
			for b.Loop() {
				if _, err := Evaluate(segments, Config{Style: Style2021, Mode: Across, Distance: d}); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}
