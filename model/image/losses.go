package image

import (
	"math"
	"math/rand/v2"

	"vqspeech/internal/bessel"
	"vqspeech/internal/simd"
	"vqspeech/model"
	"vqspeech/quant/metric"
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

// Result is what the model makes of a batch: of an image always the same.
type Result struct {
	Mean    []float32 // [B, h, w, D], the encoder's first head
	LogVar  []float32 // [B, h, w, D], its second; nil without
	Latents []float32 // [B, h, w, D], Mean but for vmf, where they have unit norm
	Logits  []float32 // [B, h, w, K], log posterior weights of the codes; nil for vae
	Codes   []uint16  // [B, h, w], the most probable ones; nil for vae
	Vectors []float32 // [B, h, w, D], what the decoder gets: code vectors, or for vae a draw of the posterior
	Output  []float32 // [B, H, W, F], the decoder's: means in (0, 1), logits of classes or directions
	Losses  Losses

	precision []float32
}

// Forward encodes and decodes a batch: pixels [B, H, W, C] in [0, 1], or labels
// [B, H, W], each less than C. It panics on other lengths.
func (m *Model) Forward(b int, pixels []float32, labels []int32) Result {
	in := batch{b, pixels, labels}
	r := m.quantize(in)
	r.Output = m.output(r.Vectors, b)
	r.Losses = m.losses(in, r)
	return r
}

// encode runs the encoder.
func (m *Model) encode(b batch) Result {
	var r Result
	r.Mean, r.LogVar = m.latents(b)
	r.Latents = r.Mean
	if m.Config.Quantizer.Kind == VMF {
		r.Latents = make([]float32, len(r.Mean))
		simd.NormalizeRows(r.Latents, r.Mean, len(r.Mean)/m.Config.Dim(), m.Config.Dim())
	}
	return r
}

// quantize runs the encoder and the quantiser; for vae, the draws of an image
// depend on that image alone.
func (m *Model) quantize(b batch) Result {
	r := m.encode(b)
	if m.Config.Codes() {
		m.assign(&r)
		return r
	}
	seeds := b.digests()
	r.Vectors = posteriorDraws(r, b.n, func(i int) rand.Source { return rand.NewPCG(seeds[i], seeds[i]) })
	return r
}

// assign sets the most probable codes of r's latents and log variances, and what
// follows from them.
func (m *Model) assign(r *Result) {
	k, d := m.Codebook.Size, m.Codebook.Dim
	n := len(r.Latents) / d
	r.precision = m.precision(r.LogVar, n)
	r.Logits = make([]float32, n*k)
	m.logits(r.Logits, r.Latents, r.precision)
	index := make([]int32, n)
	simd.ArgMax(index, r.Logits, n, k)
	r.Codes = make([]uint16, n)
	for i, c := range index {
		r.Codes[i] = uint16(c)
	}
	r.Vectors = make([]float32, len(r.Latents))
	m.Codebook.Lookup(r.Vectors, r.Codes)
}

// losses returns the terms of a batch.
func (m *Model) losses(b batch, q Result) Losses {
	c, images := m.Config, float64(b.n)
	var l Losses
	switch d, n := c.Dim(), len(q.Latents)/c.Dim(); {
	case c.Quantizer.Kind == VAE:
		l.KL = gaussianKL(q.Latents, q.LogVar) / images
	case c.Gaussian() || c.Quantizer.Kind == VMF:
		rows, p := make([]float32, n), simd.Borrow(len(q.Logits))
		defer simd.Return(p)
		simd.NegEntropy(p, rows, q.Logits, n, m.Codebook.Size)
		l.KLDiscrete = total(rows) / images
		if c.Gaussian() {
			simd.GaussianRegularizer(rows, q.Latents, q.precision, q.Vectors, n, d)
		} else {
			simd.VMFRegularizer(rows, q.Latents, q.Vectors, q.precision[0], n, d)
		}
		l.KLContinuous = total(rows) / images
	default:
		l.Commitment = simd.SquaredDistance(q.Latents, q.Vectors) / images
		if c.Quantizer.Kind == model.VQ {
			l.Codebook = l.Commitment
		}
	}
	if m.Config.Codes() {
		used := metric.NewCounter(m.Codebook.Size)
		used.Add(q.Codes)
		l.Perplexity = used.PerplexityEps(metric.PublishedEps)
	}
	m.reconstruction(&l, b, q.Output)
	l.Total = l.Recon + l.KL + l.KLContinuous + l.KLDiscrete + c.Quantizer.CommitmentWeight*l.Commitment + l.Codebook
	return l
}

// reconstruction sets the terms that compare the decoder's output with the
// images.
func (m *Model) reconstruction(l *Losses, b batch, output []float32) {
	c, images := m.Config, float64(b.n)
	values, f := float64(c.PixelValues()), c.OutputChannels()
	if !c.Labels() {
		l.SSE = simd.SquaredDistance(output, b.pixels) / images
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
	if c.Decoder.OrderedClasses {
		arc := c.Arc()
		for i, k := range b.labels {
			rows[i] = float32(arc.Cosine(output[2*i], output[2*i+1], k))
		}
	} else {
		simd.VMFCosines(rows, output, b.labels, len(rows), f)
	}
	kappa := bessel.VMFKappa(m.decoderScalar)
	l.Recon = -kappa*total(rows)/images - values*bessel.VMFLogNormalizer(f, kappa)
}

// gaussianKL is KL(N(mean, exp(logVar)) || N(0, I)) (nats).
func gaussianKL(mean, logVar []float32) float64 {
	sum := 0.0
	for i, m := range mean {
		v := float64(logVar[i])
		sum += 0.5 * (float64(m)*float64(m) + math.Exp(v) - 1 - v)
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
