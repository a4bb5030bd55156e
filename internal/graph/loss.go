package graph

import (
	"math"

	G "gorgonia.org/gorgonia"
	"gorgonia.org/tensor"
)

// MSE is the mean over all elements of (x - target)^2.
//
//	x, target [...] → scalar
func MSE(x, target *G.Node) *G.Node {
	CheckShape("mse target", target, x.Shape()...)
	return applyScalar("mse", func(in []G.Value) float64 {
		return meanSquare(floats(in[0]), floats(in[1]))
	}, []bool{true, true}, func(in G.Nodes, _, grad *G.Node, _ []bool) G.Nodes {
		return gradients("mse/d", []tensor.Shape{x.Shape(), x.Shape()}, func(out [][]float32, v []G.Value) {
			scale := 2 * float64(scalar(v[2])) / float64(len(out[0]))
			difference(out[0], floats(v[0]), floats(v[1]), scale)
			difference(out[1], floats(v[0]), floats(v[1]), -scale)
		}, in[0], in[1], grad)
	}, x, target)
}

// StopGradient is x for which no gradient flows: sg[x] of van den Oord et al.
// 2017.
func StopGradient(x *G.Node) *G.Node {
	return apply("stop gradient", x.Shape(), func(y []float32, in []G.Value) {
		copy(y, floats(in[0]))
	}, nil, nil, x)
}

// ARELBO is the reconstruction term with the decoder variance at its maximum
// likelihood value (Takida et al. 2022, as sony/sqvae's speech recipe codes
// it): D/2 * ln(MSE) nats per sample, D the elements of one sample of the
// batch, additive constants dropped.
//
//	x, target [B, T, M] → scalar
func ARELBO(x, target *G.Node) *G.Node {
	CheckShape("arelbo target", target, x.Shape()...)
	b := float64(x.Shape()[0])
	perSample := float64(x.Shape().TotalSize()) / b
	var m float64
	return applyScalar("arelbo", func(in []G.Value) float64 {
		m = meanSquare(floats(in[0]), floats(in[1]))
		return 0.5 * perSample * math.Log(m)
	}, []bool{true, true}, func(in G.Nodes, _, grad *G.Node, _ []bool) G.Nodes {
		return gradients("arelbo/d", []tensor.Shape{x.Shape(), x.Shape()}, func(out [][]float32, v []G.Value) {
			scale := float64(scalar(v[2])) / (b * m)
			difference(out[0], floats(v[0]), floats(v[1]), scale)
			difference(out[1], floats(v[0]), floats(v[1]), -scale)
		}, in[0], in[1], grad)
	}, x, target)
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
