package sq

import (
	G "gorgonia.org/gorgonia"

	"vqspeech/internal/graph"
)

// ImageInputs are what one training pass of the quantiser of an image model
// needs. Latents may have any number of axes between B and D, such as the rows
// and columns of a grid.
type ImageInputs struct {
	Latent   *G.Node // z [B, ..., D]
	LogVars  *G.Node // l [B, ..., D], from the encoder's second head; nil for Shared
	LogVar   *G.Node // [1], the shared log variance s
	PlusOne  bool    // Shared only: v = 1 + exp(s) (the image models of sony/sqvae) instead of exp(s)
	Codebook *G.Node // [K, D]
	Uniform  *G.Node // [B, ..., K], uniform in (0, 1)
	Tau      *G.Node // [1], temperature
}

// GaussianImage builds the Gaussian quantiser of the image recipes (sony/sqvae
// vision): v = exp(s) for Shared; v = exp(l') + exp(s) otherwise, where l' is
// the mean of l over the sample, over D, or l itself. Logits and regulariser
// divide by at least 1e-10.
func GaussianImage(v Variance, in ImageInputs) Output {
	out := Output{Latent: in.Latent}
	if v == Shared {
		offset := 0.0
		if in.PlusOne {
			offset = 1
		}
		out.Variance = graph.ExpPlus(in.LogVar, offset)
	} else {
		graph.CheckShape("sq log variances", in.LogVars, in.Latent.Shape()...)
		l := in.LogVars
		switch v {
		case PerSample:
			l = graph.MeanSample(l)
		case PerLatent:
			l = graph.MeanChannels(l)
		}
		out.Variance = graph.AddScalar(graph.ExpPlus(l, 0), graph.ExpPlus(in.LogVar, 0))
	}
	out.gaussian(graph.Reciprocal(out.Variance), in.Codebook, in.Uniform, in.Tau)
	return out
}
