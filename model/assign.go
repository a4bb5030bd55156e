package model

import "math"

// assign quantises encoder outputs [N, C_out].
func (m *Model) assign(encoded []float32) []uint16 {
	c := m.Config.LatentChannels()
	n := len(encoded) / c
	codes := make([]uint16, n)
	latents, precision := m.split(encoded)
	m.Codebook.Assign(codes, latents, precision)
	return codes
}

// split separates encoder outputs [N, C_out] into latents [N, D] and precisions
// (nil where they do not matter for the assignment).
func (m *Model) split(encoded []float32) (latents, precision []float32) {
	if m.Config.Quantizer.Kind == Gaussian1 {
		return encoded, []float32{expNeg(m.logVar)}
	}
	c, d := m.Config.LatentChannels(), m.Codebook.Dim
	if c == d {
		return encoded, nil
	}
	n := len(encoded) / c
	latents, precision = make([]float32, n*d), make([]float32, n*(c-d))
	for i := range n {
		row := encoded[i*c : (i+1)*c]
		copy(latents[i*d:], row[:d])
		for j, l := range row[d:] {
			precision[i*(c-d)+j] = expNeg(l + m.logVar)
		}
	}
	return latents, precision
}

func expNeg(l float32) float32 { return float32(math.Exp(-float64(l))) }
