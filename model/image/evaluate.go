package image

import (
	"math"

	"vqspeech/internal/bessel"
	"vqspeech/model/image/metric"
)

// Evaluation is the result on a set of images, with the most probable codes. All
// but Loss and BatchPerplexity are pooled over the set.
type Evaluation struct {
	Loss            float64 `json:"loss"`                       // mean of the batches' total losses, as published (nats per image)
	MSE             float64 `json:"mse_x1000,omitempty"`        // mean squared error of values in [0, 1], times 1000; labels of 256 classes count as grey values
	PixelError      float64 `json:"pixel_error,omitempty"`      // label maps: pixels whose most probable label is wrong (%)
	MeanIoU         float64 `json:"miou,omitempty"`             // label maps: intersection over union, mean over the classes (%)
	Perplexity      float64 `json:"perplexity,omitempty"`       // of the codes of the whole set
	BatchPerplexity float64 `json:"batch_perplexity,omitempty"` // mean over batches, as published
	UsedCodes       int     `json:"used_codes,omitempty"`       // none for vae

	// What anneals itself (Takida et al. 2022, Figures 2 and 4): how sure the
	// quantiser and the decoder are.
	Entropy         *float64 `json:"posterior_entropy,omitempty"`  // of the codes' posterior, mean over the latents (nats), which may be 0; gaussian kinds, vmf
	Variance        float64  `json:"posterior_variance,omitempty"` // of the quantiser, mean over the latents; gaussian kinds
	Kappa           float64  `json:"posterior_kappa,omitempty"`    // concentration of the quantiser; vmf
	DecoderVariance float64  `json:"decoder_variance,omitempty"`   // learned, or the most likely one for the set (AR-ELBO); gaussian decoder
	DecoderKappa    float64  `json:"decoder_kappa,omitempty"`      // vmf decoder
}

// Evaluate encodes and decodes every image. It fails for images that do not fit
// the model.
func (m *Model) Evaluate(s Set) (Evaluation, error) {
	var e Evaluation
	c := m.Config
	if err := s.Check(c); err != nil || s.N == 0 {
		return e, err
	}
	usage := metric.NewBatchPerplexity(max(m.Codebook.Size, 1), metric.PublishedBatch)
	segments := metric.NewSegmentation(c.Net.Channels)
	var squares metric.Mean
	var batches, entropy, variance float64
	for from := 0; from < s.N; from += metric.PublishedBatch {
		part := s.Slice(from, min(from+metric.PublishedBatch, s.N))
		b := newBatch(part, c.Labels())
		r := m.Forward(b.n, b.pixels, b.labels)
		batches++
		e.Loss += r.Losses.Total
		entropy -= r.Losses.KLDiscrete * float64(b.n)
		variance += meanVariance(r.precision) * float64(b.n)
		perImage := len(r.Codes) / b.n
		for i := range b.n {
			if err := usage.Add(r.Codes[i*perImage : (i+1)*perImage]); err != nil {
				return e, err
			}
		}
		if c.Labels() {
			predicted := m.images(r.Output, b.n).Images
			if err := segments.Add(part.Images, predicted); err != nil {
				return e, err
			}
			squares.Add(metric.SquaredError(part.Images, predicted))
		} else {
			squares.Add(metric.SquaredError(b.pixels, r.Output))
		}
	}
	e.Loss /= batches
	if c.Codes() {
		e.BatchPerplexity = usage.Mean()
		e.Perplexity, e.UsedCodes = usage.Corpus().Perplexity(), usage.Corpus().Used()
	}
	if c.Labels() {
		e.PixelError, e.MeanIoU = segments.PixelError(), segments.MeanIoU()
	}
	if !c.Labels() || c.Net.Channels == 256 {
		e.MSE = 1000 * squares.Value()
	}
	if c.Gaussian() || c.Quantizer.Kind == VMF {
		entropy /= float64(s.N * c.Grid() * c.Grid())
		e.Entropy = &entropy
	}
	switch {
	case c.Gaussian():
		e.Variance = variance / float64(s.N)
	case c.Quantizer.Kind == VMF:
		e.Kappa = float64(m.precision(nil, 0)[0])
	}
	switch {
	case c.Decoder.Kind == VMFDecoder:
		e.DecoderKappa = bessel.VMFKappa(m.decoderScalar)
	case c.Decoder.LearnVariance:
		e.DecoderVariance = math.Exp(m.decoderScalar)
	case c.Decoder.Kind == GaussianDecoder:
		e.DecoderVariance = e.MSE / 1000
	}
	return e, nil
}

// meanVariance is the mean of what precisions are the inverse of.
func meanVariance(precision []float32) float64 {
	sum := 0.0
	for _, w := range precision {
		sum += 1 / float64(w)
	}
	return sum / max(float64(len(precision)), 1)
}
