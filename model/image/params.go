package image

import (
	"math"

	"vqspeech/model"
)

// Names of the tensors that are no network's.
const (
	codebook     = "quantizer.codebook"
	logVarScalar = "quantizer.log_var_scalar" // s of the gaussian kinds
	logKappa     = "quantizer.log_kappa"      // s of vmf
	decoderVar   = "decoder.log_var"          // trained log variance of the output
	decoderKappa = "decoder.log_kappa_inv"    // t: 1/kappa = exp(t) + 1e-9
)

// initialDeviation is that of the weights (sony/sqvae vision).
const initialDeviation = 0.02

// layers calls visit for every layer in the order of the networks.
func (c Config) layers(visit func(Layer)) {
	blocks := func(bs ...Block) {
		for _, b := range bs {
			visit(b.First)
			visit(b.Second)
		}
	}
	e, d := c.EncoderNet(), c.DecoderNet()
	for _, l := range e.Convs {
		visit(l)
	}
	blocks(e.Blocks...)
	blocks(e.Mean)
	if e.Variance != nil {
		blocks(*e.Variance)
	}
	blocks(d.Blocks...)
	for _, l := range d.Convs {
		visit(l)
	}
}

// Params lists the trained tensors in a fixed order: weights N(0, 0.02²), biases
// as PyTorch's, normalisation N(1, 0.02²) and 0 (sony/sqvae vision). The codebook
// of vq-ema and the scalar of a fixed variance are among them although no
// gradient moves them (Trained).
func (c Config) Params() []model.Param {
	var ps []model.Param
	c.layers(func(l Layer) {
		g := l.Conv
		_, out := l.channels()
		// The fan of a bias: PyTorch counts the second axis of the weight, which
		// are the outputs of a transposed convolution.
		ps = append(ps,
			model.Conv2DParam(l.Name+".weight", g.Out, g.In, g.Y.Kernel, g.X.Kernel, initialDeviation),
			model.BiasParam(l.Name+".bias", out, g.In*g.Taps()))
		if l.Norm != "" {
			ps = append(ps,
				model.NormalParam(l.Norm+".weight", 1, initialDeviation, out),
				model.ConstantParam(l.Norm+".bias", 0, out))
		}
	})
	q, scale := c.Quantizer, math.Log(c.Quantizer.InitialScale)
	k, d := q.CodebookSize, c.Dim()
	switch {
	case c.Gaussian():
		ps = append(ps, model.ConstantParam(logVarScalar, scale, 1), model.EmbeddingParam(codebook, k, d))
	case q.Kind == VMF:
		ps = append(ps, model.ConstantParam(logKappa, scale, 1), model.EmbeddingParam(codebook, k, d))
	case c.Codes():
		ps = append(ps, model.UniformParam(codebook, 1/float64(k), k, d))
	}
	switch {
	case c.Decoder.LearnVariance:
		ps = append(ps, model.ConstantParam(decoderVar, math.Log(0.1), 1)) // sony/sqvae vision
	case c.Decoder.Kind == VMFDecoder:
		ps = append(ps, model.ConstantParam(decoderKappa, math.Log(c.Decoder.InitialSpread), 1))
	}
	return ps
}

// Trained reports whether a gradient moves the parameter.
func (c Config) Trained(name string) bool {
	switch name {
	case codebook:
		return c.Quantizer.Kind != model.VQEMA
	case logVarScalar:
		return c.Quantizer.Variance != Fixed
	}
	return true
}

// Buffers lists the batch-norm running statistics.
func (c Config) Buffers() []model.Param {
	var ps []model.Param
	c.layers(func(l Layer) {
		if l.Norm != "" {
			_, out := l.channels()
			ps = append(ps, model.ConstantParam(l.Norm+".running_mean", 0, out), model.ConstantParam(l.Norm+".running_var", 1, out))
		}
	})
	return ps
}
