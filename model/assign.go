package model

import "math"

// assign quantises encoder outputs [N, C_out].
func (m *Model) assign(encoded []float32) []uint16 { return m.Assign(m.split(encoded)) }

// Assign quantises latents [L, D] under their log variances; see Latents.
func (m *Model) Assign(latents, logVar []float32) []uint16 {
	codes := make([]uint16, len(latents)/m.Codebook.Dim)
	m.Codebook.Assign(codes, latents, precision(logVar))
	return codes
}

// PosteriorEntropy returns the entropy (nats) of the posterior over the codes of
// every latent, [L], for latents and log variances of Latents.
func (m *Model) PosteriorEntropy(latents, logVar []float32) []float32 {
	h := make([]float32, len(latents)/m.Codebook.Dim)
	m.Codebook.PosteriorEntropy(h, latents, precision(logVar))
	return h
}

// precision returns the reciprocals of variances, nil for nil.
func precision(logVar []float32) []float32 {
	if logVar == nil {
		return nil
	}
	w := make([]float32, len(logVar))
	for i, l := range logVar {
		w[i] = float32(math.Exp(-float64(l)))
	}
	return w
}

// Latents encodes a whole feature sequence without quantising it.
//
//	mel [T, M] features → latents [L, D]; logVar [1] (gaussian-1), [L, 1]
//	(gaussian-3), [L, D] (gaussian-4) or nil (VQ kinds), natural logarithm
func (m *Model) Latents(mel []float32) (latents, logVar []float32) {
	return m.split(m.encoder.Encode(mel))
}

// split separates encoder outputs [N, C_out] into latents and log variances,
// see Latents.
func (m *Model) split(encoded []float32) (latents, logVar []float32) {
	if m.Config.Quantizer.Kind == Gaussian1 {
		return encoded, []float32{m.logVar}
	}
	c, d := m.Config.LatentChannels(), m.Codebook.Dim
	if c == d {
		return encoded, nil
	}
	n := len(encoded) / c
	latents, logVar = make([]float32, n*d), make([]float32, n*(c-d))
	for i := range n {
		row := encoded[i*c : (i+1)*c]
		copy(latents[i*d:], row[:d])
		for j, l := range row[d:] {
			logVar[i*(c-d)+j] = l + m.logVar
		}
	}
	return latents, logVar
}
