package graph

import (
	"math"

	G "gorgonia.org/gorgonia"
	"gorgonia.org/tensor"

	"vqspeech/internal/bessel"
	"vqspeech/internal/simd"
)

// LabelDecoder is what the last layer of a decoder of label maps ends in. Its
// outputs are never whole in memory (see simd.LabelHead).
type LabelDecoder struct {
	Loss     *G.Node // scalar, nats per image
	Accuracy *G.Node // scalar, the fraction of pixels whose largest output is their label's; no gradient
}

// CategoricalDecoder is the transposed convolution of g to the logits of classes,
// and minus the mean log-likelihood of images of labels.
//
//	x [B, H, W, g.Out], w [Taps*F, g.Out], bias [F = g.In], label [B, H', W'] int32
func CategoricalDecoder(x, w, bias, label *G.Node, g simd.Conv2D) LabelDecoder {
	h := newLabelHead(simd.CrossEntropyScore, x, w, bias, label, g)
	loss := applyScalar("categorical decoder", func(in []G.Value) float64 {
		h.run(in)
		return h.score / h.images
	}, []bool{true, true, true, false}, once("categorical decoder", func(_ G.Nodes, out, grad *G.Node, _ []bool) G.Nodes {
		return append(h.gradients(out, grad, func() float64 { return 1 / h.images }), nil)
	}), x, w, bias, label)
	return LabelDecoder{loss, h.accuracy(loss)}
}

// VMFDecoder is a von Mises-Fisher decoder (Takida et al. 2022): the transposed
// convolution of g and a softplus give the direction u/|u| about which the vector
// of a pixel's class is drawn. cosine scores the one by the other: simd.VMFScore
// where class c is axis c, or that of a simd.Arc. With kappa = bessel.VMFKappa(t)
// the loss is -kappa mean_b sum cosine - D c(kappa), D the pixels of an image, c the
// log normaliser (bessel.VMFLogNormalizer), additive constants dropped.
//
//	x [B, H, W, g.Out], w [Taps*F, g.Out], bias [F = g.In], F even; label [B, H', W'] int32, t [1]
func VMFDecoder(cosine simd.LabelScore, x, w, bias, label, t *G.Node, g simd.Conv2D) LabelDecoder {
	CheckShape("vmf decoder spread", t, 1)
	h := newLabelHead(cosine, x, w, bias, label, g)
	f, perImage := g.In, h.pixels/h.images
	var kappa float64
	loss := applyScalar("vmf decoder", func(in []G.Value) float64 {
		h.run(in)
		kappa = bessel.VMFKappa(float64(floats(in[4])[0]))
		return -kappa*h.score/h.images - perImage*bessel.VMFLogNormalizer(f, kappa)
	}, []bool{true, true, true, false, true}, once("vmf decoder", func(in G.Nodes, out, grad *G.Node, _ []bool) G.Nodes {
		grads := h.gradients(out, grad, func() float64 { return -kappa / h.images })
		return append(grads, nil, apply("vmf decoder/dt", tensor.Shape{1}, func(dt []float32, v []G.Value) {
			slope := -h.score/h.images + perImage*bessel.VMFMeanCosine(f, kappa) // of kappa
			dt[0] = float32(-slope * kappa * kappa * math.Exp(float64(floats(v[0])[0])) * float64(scalar(v[1])))
		}, nil, nil, in[4], grad, out))
	}), x, w, bias, label, t)
	return LabelDecoder{loss, h.accuracy(loss)}
}

// labelHead is a simd.LabelHead with the results of its last run.
type labelHead struct {
	head           simd.LabelHead
	b, h, w        int
	images, pixels float64
	score          float64
	right          int
	grads          [3]*tensor.Dense // of score, to x, w and bias
}

func newLabelHead(score simd.LabelScore, x, w, bias, label *G.Node, g simd.Conv2D) *labelHead {
	CheckShape("label decoder x", x, -1, -1, -1, g.Out)
	CheckShape("label decoder w", w, g.Taps()*g.In, g.Out)
	CheckShape("label decoder bias", bias, g.In)
	h := &labelHead{head: simd.LabelHead{Conv: g, Score: score}, b: x.Shape()[0], h: x.Shape()[1], w: x.Shape()[2]}
	toH, toW := g.TransposedSize(h.h, h.w)
	CheckShape("label decoder label", label, h.b, toH, toW)
	h.images, h.pixels = float64(h.b), float64(h.b*toH*toW)
	for i, n := range []*G.Node{x, w, bias} {
		h.grads[i] = newTensor(n.Shape())
	}
	return h
}

// run takes x, w, bias and label.
func (h *labelHead) run(in []G.Value) {
	h.score, h.right = h.head.Run(floats(h.grads[0]), floats(h.grads[1]), floats(h.grads[2]),
		floats(in[0]), floats(in[1]), floats(in[2]), ints(in[3]), h.b, h.h, h.w)
}

// gradients are those to x, w and bias, where factor is the loss's derivative by
// the score.
func (h *labelHead) gradients(out, grad *G.Node, factor func() float64) (nodes G.Nodes) {
	for _, t := range h.grads {
		nodes = append(nodes, applyOn(t, "label decoder/d", func(d []float32, v []G.Value) {
			simd.ScaleBy(d, d, float32(factor()*float64(scalar(v[0]))))
		}, nil, nil, grad, out))
	}
	return nodes
}

func (h *labelHead) accuracy(loss *G.Node) *G.Node {
	return applyScalar("label decoder/accuracy", func([]G.Value) float64 { return float64(h.right) / h.pixels }, nil, nil, loss)
}
