package graph

import (
	"math"

	G "gorgonia.org/gorgonia"
	"gorgonia.org/tensor"

	"vqspeech/internal/simd"
)

// MSE is the mean over all elements of (x - target)^2.
//
//	x, target [...] → scalar
func MSE(x, target *G.Node) *G.Node {
	CheckShape("mse target", target, x.Shape()...)
	return applyScalar("mse", func(in []G.Value) float64 {
		return meanSquare(floats(in[0]), floats(in[1]))
	}, []bool{true, true}, func(in G.Nodes, out, grad *G.Node, want []bool) G.Nodes {
		n := float64(x.Shape().TotalSize())
		return differenceGradients("mse/d", in, out, grad, want, func(upstream float64) float64 { return 2 * upstream / n })
	}, x, target)
}

// Mean is the mean over all elements.
//
//	x [...] → scalar
func Mean(x *G.Node) *G.Node {
	return applyScalar("mean", func(in []G.Value) float64 {
		var s float64
		for _, v := range floats(in[0]) {
			s += float64(v)
		}
		return s / float64(len(floats(in[0])))
	}, []bool{true}, func(_ G.Nodes, _, grad *G.Node, _ []bool) G.Nodes {
		return G.Nodes{apply("mean/d", x.Shape(), func(dx []float32, v []G.Value) {
			share := scalar(v[0]) / float32(len(dx))
			for i := range dx {
				dx[i] = share
			}
		}, nil, nil, grad)}
	}, x)
}

// CrossEntropy is the negative log-likelihood of a class under softmax(a), of
// every row (nats). A target outside the classes panics.
//
//	a [..., K], target [...] int32 → [...]
func CrossEntropy(a, target *G.Node) *G.Node {
	n, k := rows(a.Shape())
	shape := a.Shape()[:a.Dims()-1]
	CheckShape("cross entropy target", target, shape...)
	tape := newTensor(a.Shape()) // softmax, then the gradient of the logits
	p := tape.Data().([]float32)
	return apply("cross entropy", shape, func(nll []float32, in []G.Value) {
		simd.CrossEntropy(nll, p, floats(in[0]), ints(in[1]), n, k)
	}, []bool{true, false}, once("cross entropy", func(in G.Nodes, out, grad *G.Node, _ []bool) G.Nodes {
		return G.Nodes{applyOn(tape, "cross entropy/d", func(p []float32, v []G.Value) {
			simd.CrossEntropyBackward(p, floats(v[0]), ints(v[1]), n, k)
		}, nil, nil, grad, in[1], out), nil}
	}), a, target)
}

// StopGradient is x for which no gradient flows: sg[x] of van den Oord et al.
// 2017.
func StopGradient(x *G.Node) *G.Node {
	return apply("stop gradient", x.Shape(), func(y []float32, in []G.Value) {
		copy(y, floats(in[0]))
	}, nil, nil, x)
}

// ARELBO is the reconstruction term with the decoder variance at its maximum
// likelihood value (Takida et al. 2022): D/2 * ln(scale*MSE) nats per sample, D
// the elements of one sample of the batch, additive constants dropped.
// sony/sqvae has scale 1 for speech and D for images, which changes no gradient.
//
//	x, target [B, ...] → scalar
func ARELBO(x, target *G.Node, scale float64) *G.Node {
	CheckShape("arelbo target", target, x.Shape()...)
	b := float64(x.Shape()[0])
	perSample := float64(x.Shape().TotalSize()) / b
	var m float64
	return applyScalar("arelbo", func(in []G.Value) float64 {
		m = meanSquare(floats(in[0]), floats(in[1]))
		return 0.5 * perSample * math.Log(scale*m)
	}, []bool{true, true}, func(in G.Nodes, out, grad *G.Node, want []bool) G.Nodes {
		return differenceGradients("arelbo/d", in, out, grad, want, func(upstream float64) float64 { return upstream / (b * m) })
	}, x, target)
}

// differenceGradients are the gradients of a function of x - target alone:
// factor*(x - target) and its negative. factor may use what the forward pass has
// left behind.
func differenceGradients(name string, in G.Nodes, out, grad *G.Node, want []bool, factor func(upstream float64) float64) G.Nodes {
	grads := make(G.Nodes, 2)
	for i, sign := range []float64{1, -1} {
		if want[i] {
			grads[i] = apply(name, in[0].Shape(), func(d []float32, v []G.Value) {
				difference(d, floats(v[0]), floats(v[1]), sign*factor(float64(scalar(v[2]))))
			}, nil, nil, in[0], in[1], grad, out)
		}
	}
	return grads
}

// GaussianNLL is the reconstruction term with a trained log variance l:
// M/(2 exp l) + D/2 l nats per sample, M the squared error of a sample, D its
// elements, additive constants dropped.
//
//	x, target [B, ...], logVar [1] → scalar
func GaussianNLL(x, target, logVar *G.Node) *G.Node {
	CheckShape("gaussian nll target", target, x.Shape()...)
	CheckShape("gaussian nll log variance", logVar, 1)
	b := float64(x.Shape()[0])
	perSample := float64(x.Shape().TotalSize()) / b
	var m, precision float64
	return applyScalar("gaussian nll", func(in []G.Value) float64 {
		l := float64(floats(in[2])[0])
		m, precision = perSample*meanSquare(floats(in[0]), floats(in[1])), math.Exp(-l)
		return 0.5 * (m*precision + perSample*l)
	}, []bool{true, true, true}, func(in G.Nodes, out, grad *G.Node, want []bool) G.Nodes {
		grads := differenceGradients("gaussian nll/d", in, out, grad, want, func(upstream float64) float64 { return upstream * precision / b })
		return append(grads, apply("gaussian nll/dl", tensor.Shape{1}, func(d []float32, v []G.Value) {
			d[0] = float32(0.5 * (perSample - m*precision) * float64(scalar(v[0])))
		}, nil, nil, grad, out))
	}, x, target, logVar)
}

func meanSquare(x, y []float32) float64 {
	var s float64
	for i, v := range x {
		d := float64(v) - float64(y[i])
		s += d * d
	}
	return s / float64(len(x))
}

// difference computes dst = scale*(x - y).
func difference(dst, x, y []float32, scale float64) {
	k := float32(scale)
	for i, v := range x {
		dst[i] = k * (v - y[i])
	}
}
