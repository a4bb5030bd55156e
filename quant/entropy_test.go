package quant

import (
	"math"
	"math/rand/v2"
	"testing"
)

// slowEntropy is the entropy (nats) of softmax(-1/2 sum_j w_j (z_j - b_kj)^2).
func slowEntropy(c *Codebook, latent []float32, w func(j int) float64) float64 {
	p, sum := make([]float64, c.Size), 0.0
	for k := range p {
		var d float64
		for j, z := range latent {
			diff := float64(z) - float64(c.Vectors[k*c.Dim+j])
			d += w(j) * diff * diff
		}
		p[k] = math.Exp(-d / 2)
		sum += p[k]
	}
	var h float64
	for _, q := range p {
		if q /= sum; q > 0 {
			h -= q * math.Log(q)
		}
	}
	return h
}

func TestPosteriorEntropy(t *testing.T) {
	rng := rand.New(rand.NewPCG(1, 2))
	const n, d, k = 7, 5, 13
	c := &Codebook{Size: k, Dim: d, Vectors: make([]float32, k*d)}
	for i := range c.Vectors {
		c.Vectors[i] = float32(rng.NormFloat64())
	}
	latents, precision := make([]float32, n*d), make([]float32, n*d)
	for i := range latents {
		latents[i], precision[i] = float32(rng.NormFloat64()), float32(rng.ExpFloat64())
	}
	for _, size := range []int{0, 1, n, n * d} {
		h := make([]float32, n)
		var w []float32
		if size > 0 {
			w = precision[:size]
		}
		c.PosteriorEntropy(h, latents, w)
		for i, got := range h {
			want := slowEntropy(c, latents[i*d:(i+1)*d], func(j int) float64 {
				switch size {
				case 0:
					return 1
				case 1:
					return float64(w[0])
				case n:
					return float64(w[i])
				}
				return float64(w[i*d+j])
			})
			if math.Abs(float64(got)-want) > 1e-5 {
				t.Errorf("%d precisions: entropy of latent %d is %g, want %g", size, i, got, want)
			}
		}
	}
	h := make([]float32, 1)
	c.PosteriorEntropy(h, c.Vectors[:d], []float32{1e6})
	if h[0] != 0 || math.Signbit(float64(h[0])) {
		t.Errorf("a certain code has entropy %g", h[0])
	}
	c.PosteriorEntropy(h, c.Vectors[:d], []float32{0})
	if math.Abs(float64(h[0])-math.Log(k)) > 1e-5 {
		t.Errorf("%g nats where all codes are alike, want ln %d", h[0], k)
	}
}
