// Package vq holds the training side of vector-quantised autoencoders (VQ-VAE;
// van den Oord et al. 2017): straight-through assignment with the commitment
// and codebook losses, the codebook by exponential moving averages, and the
// reset of dead codes.
package vq

import (
	G "gorgonia.org/gorgonia"
	"gorgonia.org/tensor"

	"vqspeech/internal/graph"
)

// Output are the nodes of one pass.
type Output struct {
	Latent     *G.Node // z [B, L, D]
	Quantized  *G.Node // value of the nearest code vector, gradient straight through to z
	Codes      *G.Node // [B, L] int32
	Commitment *G.Node // mean over elements (z - sg[b])^2
	Codebook   *G.Node // mean over elements (sg[z] - b)^2; nil unless trained by gradient
}

// Quantize assigns every latent to its nearest code vector. With trained set
// the codebook loss is built as well; a codebook kept by EMA has none.
//
//	z [B, L, D], codebook [K, D]
func Quantize(z, codebook *G.Node, trained bool) Output {
	one := G.NewConstant(tensor.New(tensor.WithShape(1), tensor.WithBacking([]float32{1})), G.WithName("unit precision"), G.In(z.Graph()))
	codes := graph.Assign(graph.GaussianLogits(z, one, codebook))
	nearest := graph.Embedding(codebook, codes)
	out := Output{
		Latent:     z,
		Quantized:  graph.StraightThrough(z, nearest),
		Codes:      codes,
		Commitment: graph.MSE(z, graph.StopGradient(nearest)),
	}
	if trained {
		out.Codebook = graph.MSE(nearest, graph.StopGradient(z))
	}
	return out
}

// Loss is scale times the codebook loss, if there is one, plus weight times
// scale times the commitment loss. With scale L*D they are sums over the latents
// of a sample.
func (o Output) Loss(scale, weight float64) *G.Node {
	loss := graph.Scale(o.Commitment, scale*weight)
	if o.Codebook != nil {
		loss = graph.Sum(loss, graph.Scale(o.Codebook, scale))
	}
	return loss
}
