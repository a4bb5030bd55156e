package nn

import "vqspeech/internal/simd"

// Decoder turns code vectors and a speaker into log-mel features: nearest
// upsampling by two, the speaker row appended to every frame, a bidirectional
// GRU of two layers, a linear map (sony/sqvae speech).
type Decoder struct {
	Dim, Hidden, Mels int
	Speakers          []float32          // [P, SpeakerDim]
	SpeakerDim        int                // S
	Forward, Backward [2]simd.GRUWeights // per layer
	Weight            []float32          // [2H, M]
	Bias              []float32          // [M]
}

// Decode runs one whole sequence.
//
//	vectors [L, D], speaker row index → mel [2L, M] features
func (d *Decoder) Decode(vectors []float32, speaker int) []float32 {
	l := len(vectors) / d.Dim
	t := 2 * l
	in := d.Dim + d.SpeakerDim
	x := make([]float32, t*in)
	row := d.Speakers[speaker*d.SpeakerDim : (speaker+1)*d.SpeakerDim]
	for i := range t {
		copy(x[i*in:], vectors[i/2*d.Dim:(i/2+1)*d.Dim])
		copy(x[i*in+d.Dim:], row)
	}
	h := d.Hidden
	for layer := range 2 {
		g := simd.GRU{In: in, Hidden: h}
		forward, backward := make([]float32, t*h), make([]float32, t*h)
		g.Forward(forward, x, nil, d.Forward[layer], 1, t, nil)
		g.Reverse = true
		g.Forward(backward, x, nil, d.Backward[layer], 1, t, nil)
		in = 2 * h
		x = make([]float32, t*in)
		for i := range t {
			copy(x[i*in:], forward[i*h:(i+1)*h])
			copy(x[i*in+h:], backward[i*h:(i+1)*h])
		}
	}
	y := make([]float32, t*d.Mels)
	simd.Conv1D{In: in, Out: d.Mels, Kernel: 1, Stride: 1, Dilation: 1}.Forward(y, x, d.Weight, d.Bias, 1, t)
	return y
}

// MultiplyAdds returns the number of multiply-adds in the matrix products of a
// sequence of l code vectors.
func (d *Decoder) MultiplyAdds(l int) int64 {
	perFrame := 2 * d.Hidden * d.Mels
	in := d.Dim + d.SpeakerDim
	for range 2 {
		perFrame += 2 * (in + d.Hidden) * 3 * d.Hidden // two directions
		in = 2 * d.Hidden
	}
	return 2 * int64(l) * int64(perFrame)
}
