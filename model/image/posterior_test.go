package image_test

import (
	"math"
	"slices"
	"testing"

	"vqspeech/model/image"
)

// TestPosteriorDraws wants what the decoder of a vae gets to be spread about the
// means as the posterior says, by noise that belongs to the image.
func TestPosteriorDraws(t *testing.T) {
	for _, decoder := range []image.DecoderKind{image.GaussianDecoder, image.CategoricalDecoder} {
		channels := 1
		if decoder == image.CategoricalDecoder {
			channels = 256
		}
		cfg := small28(image.VAE, decoder, channels)
		m := newModel(t, cfg, weights(cfg))
		s := randomSet(4, 256)
		copy(s.Image(3), s.Image(1))
		pixels, labels := make([]float32, len(s.Images)), []int32(nil)
		image.Pixels(pixels, s.Images)
		if cfg.Labels() {
			pixels, labels = nil, make([]int32, len(s.Images))
			image.Labels(labels, s.Images)
		}
		r := m.Forward(s.N, pixels, labels)
		noise := make([]float64, len(r.Mean))
		var sum, squares float64
		for i, mean := range r.Mean {
			noise[i] = float64(r.Vectors[i]-mean) / math.Exp(float64(r.LogVar[i])/2)
			sum += noise[i]
			squares += noise[i] * noise[i]
		}
		n := float64(len(noise))
		if math.Abs(sum/n) > 6/math.Sqrt(n) || math.Abs(squares/n-1) > 6*math.Sqrt(2/n) {
			t.Errorf("%s: %g values have the mean %g and the variance %g, want 0 and 1", decoder, n, sum/n, squares/n)
		}
		size := len(r.Vectors) / s.N
		of := func(i int) []float32 { return r.Vectors[i*size : (i+1)*size] }
		if !slices.Equal(of(1), of(3)) {
			t.Errorf("%s: the same image twice has two draws", decoder)
		}
		if a, b := noise[:size], noise[size:2*size]; math.Abs(a[0]-b[0]) < 1e-6 && math.Abs(a[1]-b[1]) < 1e-6 {
			t.Errorf("%s: two images have the same noise", decoder)
		}
	}
}
