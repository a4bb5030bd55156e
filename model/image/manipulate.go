package image

import (
	"fmt"
	"math/rand/v2"

	"vqspeech/internal/simd"
	"vqspeech/quant"
)

// Reconstruct returns what the decoder makes of the images' most probable codes,
// or for vae of a draw of the posterior, which depends on the image alone. It fails
// for images that do not fit the model.
func (m *Model) Reconstruct(s Set) (Set, error) {
	return m.through(s, func(_ int, b batch) []float32 { return m.quantize(b).Vectors })
}

// Neighbors is Reconstruct after every code was replaced by one of the n nearest
// codes, drawn uniformly and independently (quant.Neighbors): by Euclidean
// distance, for vmf by the cosine. It fails for vae, which has no codes.
func (m *Model) Neighbors(s Set, n int, rng *rand.Rand) (Set, error) {
	if !m.Config.Codes() {
		return Set{}, fmt.Errorf("image: a %s has no codes", m.Config.Quantizer.Kind)
	}
	distance := quant.Euclidean
	if m.Config.Quantizer.Kind == VMF {
		distance = quant.Cosine
	}
	near, err := m.Codebook.Neighbors(n, distance)
	if err != nil {
		return Set{}, err
	}
	return m.through(s, func(_ int, b batch) []float32 {
		r := m.quantize(b)
		near.Replace(r.Codes, rng)
		m.Codebook.Lookup(r.Vectors, r.Codes)
		return r.Vectors
	})
}

// Interpolate returns the images half way between those of a and b, which are as
// many: the latents before quantisation are averaged, quantised to the most
// probable codes, or for vae drawn, and decoded. For the kinds that have log
// variances these are averaged too; mean directions of vmf have unit norm again.
func (m *Model) Interpolate(a, b Set) (Set, error) {
	if a.N != b.N {
		return Set{}, fmt.Errorf("image: %d and %d images, want as many", a.N, b.N)
	}
	if err := b.Check(m.Config); err != nil {
		return Set{}, err
	}
	return m.through(a, func(first int, from batch) []float32 {
		to := newBatch(b.Slice(first, first+from.n), m.Config.Labels())
		r, other := m.encode(from), m.encode(to)
		average(r.Latents, other.Latents)
		average(r.LogVar, other.LogVar)
		if !m.Config.Codes() {
			x, y := from.digests(), to.digests()
			return posteriorDraws(r, from.n, func(i int) rand.Source { return rand.NewPCG(min(x[i], y[i]), max(x[i], y[i])) })
		}
		if m.Config.Quantizer.Kind == VMF {
			simd.NormalizeRows(r.Latents, r.Latents, len(r.Latents)/m.Codebook.Dim, m.Codebook.Dim)
		}
		m.assign(&r)
		return r.Vectors
	})
}

// through decodes the vectors of the images, some at a time and in their order.
func (m *Model) through(s Set, vectors func(first int, b batch) []float32) (Set, error) {
	if err := s.Check(m.Config); err != nil {
		return Set{}, err
	}
	out := m.images(nil, 0)
	for first := 0; first < s.N; first += chunk {
		part := s.Slice(first, min(first+chunk, s.N))
		decoded := m.DecodeLatents(vectors(first, newBatch(part, m.Config.Labels())))
		out.Images, out.N = append(out.Images, decoded.Images...), out.N+decoded.N
	}
	return out, nil
}

// average sets x to the mean of x and y.
func average(x, y []float32) {
	for i := range x {
		x[i] = (x[i] + y[i]) / 2
	}
}
