package sq

import (
	G "gorgonia.org/gorgonia"

	"vqspeech/internal/graph"
)

// VMFInputs are what one training pass of the von Mises-Fisher quantiser needs.
type VMFInputs struct {
	Latent   *G.Node // [B, ..., D], of any norm
	LogKappa *G.Node // [1], s of the concentration kappa = exp(s) + 1
	Codebook *G.Node // [K, D], of any norms
	Uniform  *G.Node // [B, ..., K], uniform in (0, 1)
	Tau      *G.Node // [1], temperature
}

// VMFOutput are the nodes of one pass. Its Latent has unit norm, its
// Regularizer is mean_b sum kappa z·(z-q); it has no variances.
type VMFOutput struct {
	Output
	Kappa    *G.Node // [1]
	Codebook *G.Node // [K, D], unit norm
}

// VMF builds the quantiser on the unit sphere (Takida et al. 2022, vMF SQ-VAE;
// sony/sqvae vision).
func VMF(in VMFInputs) VMFOutput {
	out := VMFOutput{
		Output: Output{Latent: graph.Normalize(in.Latent)},
		Kappa:  graph.ExpPlus(in.LogKappa, 1), Codebook: graph.Normalize(in.Codebook),
	}
	out.Logits = graph.VMFLogits(out.Latent, out.Kappa, out.Codebook)
	out.draw(out.Codebook, in.Uniform, in.Tau)
	out.Regularizer = graph.VMFRegularizer(out.Latent, out.Kappa, out.Quantized)
	return out
}
