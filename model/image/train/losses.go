package train

import (
	G "gorgonia.org/gorgonia"

	"vqspeech/internal/simd"
	"vqspeech/model/image"
	"vqspeech/quant/metric"
)

// losses reads the terms of the step that the machine has just run.
func (a *autoencoder) losses() image.Losses {
	l := image.Losses{Total: value(a.nodes.total), Recon: value(a.nodes.recon)}
	c := a.cfg
	switch {
	case c.Gaussian():
		l.KLContinuous, l.KLDiscrete = value(a.gaussian.Regularizer), value(a.gaussian.NegEntropy)
	case c.Quantizer.Kind == image.VMF:
		l.KLContinuous, l.KLDiscrete = value(a.vmf.Regularizer), value(a.vmf.NegEntropy)
	case c.Quantizer.Kind == image.VAE:
		l.KL = value(a.kl)
	default:
		latents := float64(c.Grid() * c.Grid() * c.Dim())
		l.Commitment = latents * value(a.vq.Commitment)
		if a.vq.Codebook != nil {
			l.Codebook = latents * value(a.vq.Codebook)
		}
	}
	if c.Labels() {
		l.Accuracy = value(a.nodes.accuracy)
	} else {
		output := a.nodes.output.Value().Data().([]float32)
		l.SSE = simd.SquaredDistance(output, a.in.pixels) / float64(a.nodes.output.Shape()[0])
	}
	if codes, _ := a.codes(); codes != nil {
		l.Perplexity = perplexity(codes, c.Quantizer.CodebookSize)
	}
	return l
}

func value(n *G.Node) float64 { return float64(n.Value().Data().(float32)) }

// perplexity is the published one of hard assignments.
func perplexity(codes []int32, size int) float64 {
	assigned := make([]uint16, len(codes))
	for i, c := range codes {
		assigned[i] = uint16(c)
	}
	count := metric.NewCounter(size)
	if err := count.Add(assigned); err != nil {
		panic(err) // the quantiser chooses among size codes
	}
	return count.PerplexityEps(metric.PublishedEps)
}
