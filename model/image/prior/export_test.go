package prior

import "math/rand/v2"

// Uniforms are the generators of the grids that Sample draws.
func Uniforms(o SampleOptions) (r []*rand.Rand) {
	for i := range o.N {
		r = append(r, uniforms(o.Seed, i))
	}
	return r
}
