package image

import (
	"math"

	"vqspeech/internal/bessel"
	"vqspeech/internal/simd"
	"vqspeech/model"
)

// Losses are the terms of one batch, in the names of metrics.jsonl. All but the
// last are nats per image, additive constants dropped.
type Losses struct {
	Total        float64 `json:"loss"`
	Recon        float64 `json:"recon/loss"`
	SSE          float64 `json:"recon/sse,omitempty"`          // squared error of an image in [0, 1]; gaussian decoder
	Accuracy     float64 `json:"recon/accuracy,omitempty"`     // fraction of pixels whose most probable label is right; label maps
	KLContinuous float64 `json:"sq/kl_continuous,omitempty"`   // gaussian kinds, vmf
	KLDiscrete   float64 `json:"sq/kl_discrete,omitempty"`     // minus the posterior entropy
	KL           float64 `json:"vae/kl,omitempty"`             //
	Commitment   float64 `json:"vq/commitment_loss,omitempty"` // squared distance of an image's latents to their codes
	Codebook     float64 `json:"vq/codebook_loss,omitempty"`   // the same, of vq
	Perplexity   float64 `json:"codebook/batch_perplexity"`    // of the batch's hard assignments; 0 for vae
}

// quantized is what the encoder and the quantiser make of a batch without
// randomness: the most probable codes, or for vae the latents themselves.
type quantized struct {
	latents   []float32 // [N, D], unit vectors for vmf
	logVar    []float32 // [N, D] or nil
	precision []float32
	logits    []float32 // [N, K]
	codes     []uint16  // [N]
	vectors   []float32 // [N, D], what the decoder gets
}

func (m *Model) quantize(b batch) quantized {
	var q quantized
	q.latents, q.logVar = m.latents(b)
	if !m.Config.Codes() {
		q.vectors = q.latents
		return q
	}
	k, n := m.Codebook.Size, len(q.latents)/m.Codebook.Dim
	q.precision = m.precision(q.logVar, n)
	q.logits = make([]float32, n*k)
	m.logits(q.logits, q.latents, q.precision)
	index := make([]int32, n)
	simd.ArgMax(index, q.logits, n, k)
	q.codes = make([]uint16, n)
	for i, c := range index {
		q.codes[i] = uint16(c)
	}
	q.vectors = make([]float32, len(q.latents))
	m.Codebook.Lookup(q.vectors, q.codes)
	return q
}

// losses returns the terms of a batch whose latents were quantised without
// randomness, but for the perplexity.
func (m *Model) losses(b batch, q quantized, output []float32) Losses {
	c, images := m.Config, float64(b.n)
	var l Losses
	switch d, n := c.Dim(), len(q.latents)/c.Dim(); {
	case c.Quantizer.Kind == VAE:
		for i, mean := range q.latents {
			v := float64(q.logVar[i])
			l.KL += 0.5 * (float64(mean)*float64(mean) + math.Exp(v) - 1 - v) / images
		}
	case c.Gaussian() || c.Quantizer.Kind == VMF:
		rows, p := make([]float32, n), simd.Borrow(len(q.logits))
		defer simd.Return(p)
		simd.NegEntropy(p, rows, q.logits, n, m.Codebook.Size)
		l.KLDiscrete = total(rows) / images
		if c.Gaussian() {
			simd.GaussianRegularizer(rows, q.latents, q.precision, q.vectors, n, d)
		} else {
			simd.VMFRegularizer(rows, q.latents, q.vectors, q.precision[0], n, d)
		}
		l.KLContinuous = total(rows) / images
	default:
		l.Commitment = squaredError(q.latents, q.vectors) / images
		if c.Quantizer.Kind == model.VQ {
			l.Codebook = l.Commitment
		}
	}
	m.reconstruction(&l, b, output)
	l.Total = l.Recon + l.KL + l.KLContinuous + l.KLDiscrete + c.Quantizer.CommitmentWeight*l.Commitment + l.Codebook
	return l
}

// reconstruction sets the terms that compare the decoder's output with the
// images.
func (m *Model) reconstruction(l *Losses, b batch, output []float32) {
	c, images := m.Config, float64(b.n)
	values, f := float64(c.PixelValues()), c.OutputChannels()
	if !c.Labels() {
		l.SSE = squaredError(output, b.pixels) / images
		if c.Decoder.LearnVariance {
			l.Recon = 0.5 * (l.SSE*math.Exp(-m.decoderScalar) + values*m.decoderScalar)
		} else {
			l.Recon = 0.5 * values * math.Log(l.SSE)
		}
		return
	}
	right := 0
	for i, k := range m.labels(output) {
		if k == b.labels[i] {
			right++
		}
	}
	l.Accuracy = float64(right) / float64(len(b.labels))
	rows := make([]float32, len(b.labels))
	if c.Decoder.Kind == CategoricalDecoder {
		p := simd.Borrow(len(output))
		defer simd.Return(p)
		simd.CrossEntropy(rows, p, output, b.labels, len(rows), f)
		l.Recon = total(rows) / images
		return
	}
	simd.VMFCosines(rows, output, b.labels, len(rows), f)
	kappa := bessel.VMFKappa(m.decoderScalar)
	l.Recon = -kappa*total(rows)/images - values*bessel.VMFLogNormalizer(f, kappa)
}

func squaredError(x, y []float32) float64 {
	sum := 0.0
	for i, v := range x {
		d := float64(v) - float64(y[i])
		sum += d * d
	}
	return sum
}

func total(x []float32) float64 {
	sum := 0.0
	for _, v := range x {
		sum += float64(v)
	}
	return sum
}
