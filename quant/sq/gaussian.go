// Package sq holds the training nodes of stochastically quantised autoencoders
// (SQ-VAE; Takida et al. 2022). In training every latent is replaced by a soft
// mixture of code vectors drawn with the Gumbel-softmax relaxation; the
// variance of the stochastic quantiser is learned, which makes it anneal
// itself. There is no commitment loss, no stop-gradient and no moving average.
package sq

import (
	G "gorgonia.org/gorgonia"

	"vqspeech/internal/graph"
)

// Variance says how finely the Gaussian variance is resolved.
type Variance int

const (
	Shared       Variance = iota // SQ-VAE I: one variance for all latents
	PerSample                    // SQ-VAE II: one per sample of the batch; images only
	PerLatent                    // SQ-VAE III: one per latent, from an extra encoder channel
	PerDimension                 // SQ-VAE IV: one per latent and dimension, from D extra channels
)

// Channels returns the number of encoder channels for codes of dimension d in
// the speech recipe.
func (v Variance) Channels(d int) int {
	switch v {
	case PerLatent:
		return d + 1
	case PerDimension:
		return 2 * d
	}
	return d
}

// Inputs are what one training pass of the quantiser needs.
type Inputs struct {
	Encoded  *G.Node // [B, L, C_out], C_out = Variance.Channels(D)
	LogVar   *G.Node // [1], the shared log variance s
	Codebook *G.Node // [K, D]
	Uniform  *G.Node // [B, L, K], uniform in (0, 1)
	Tau      *G.Node // [1], temperature
}

// Output are the nodes of one pass. The latent loss is Regularizer + NegEntropy
// (nats per sample, averaged over the batch).
type Output struct {
	Latent      *G.Node // z [B, L, D]
	LogVar      *G.Node // l [1], [B, L, 1] or [B, L, D]; v = exp(l); nil for images
	Variance    *G.Node // v [1], [B, ..., 1] or [B, ..., D]; images only
	Logits      *G.Node // a [B, L, K]
	Soft        *G.Node // y [B, L, K]
	Quantized   *G.Node // q = y·codebook [B, L, D]
	Codes       *G.Node // hard assignment [B, L] int32
	Regularizer *G.Node // mean_b sum 1/2 (z-q)^2/v
	NegEntropy  *G.Node // mean_b sum p ln p
}

// Gaussian builds the Gaussian quantiser of the speech recipe
// (sony/sqvae speech: v = exp(l + s), no clamps). It panics for PerSample.
func Gaussian(v Variance, in Inputs) Output {
	if v == PerSample {
		panic("sq: the speech recipe has no variance per sample")
	}
	d := in.Codebook.Shape()[1]
	graph.CheckShape("sq encoded", in.Encoded, -1, -1, v.Channels(d))
	out := Output{Latent: in.Encoded, LogVar: in.LogVar}
	if v != Shared {
		out.Latent = graph.Channels(in.Encoded, 0, d)
		out.LogVar = graph.AddScalar(graph.Channels(in.Encoded, d, v.Channels(d)), in.LogVar)
	}
	out.gaussian(graph.Precision(out.LogVar), in.Codebook, in.Uniform, in.Tau)
	return out
}

// gaussian fills out from its latents and their precisions w.
func (out *Output) gaussian(w, codebook, uniform, tau *G.Node) {
	out.Logits = graph.GaussianLogits(out.Latent, w, codebook)
	out.draw(codebook, uniform, tau)
	out.Regularizer = graph.GaussianRegularizer(out.Latent, w, out.Quantized)
}

// draw fills what follows from the logits alone.
func (out *Output) draw(codebook, uniform, tau *G.Node) {
	out.Soft = graph.GumbelSoftmax(out.Logits, uniform, tau)
	out.Quantized = graph.Linear(out.Soft, codebook, nil)
	out.Codes = graph.Assign(out.Logits)
	out.NegEntropy = graph.NegEntropy(out.Logits)
}
