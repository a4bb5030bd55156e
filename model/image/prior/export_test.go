package prior

import "math/rand/v2"

// Draw is draw.
func Draw(logits []float32, temperature, u float64) uint16 {
	return draw(make([]float32, len(logits)), logits, temperature, u)
}

// Uniforms are the generators of the grids that Sample draws.
func Uniforms(o SampleOptions) (r []*rand.Rand) {
	for i := range o.N {
		r = append(r, uniforms(o.Seed, i))
	}
	return r
}
