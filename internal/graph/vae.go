package graph

import (
	"math"

	G "gorgonia.org/gorgonia"
	"gorgonia.org/tensor"
)

// Reparameterize draws from Gaussians: z = mean + exp(l/2)*noise (Kingma and
// Welling 2014).
//
//	mean, logVar, noise (standard normal) [...] → [...]
func Reparameterize(mean, logVar, noise *G.Node) *G.Node {
	shape := mean.Shape()
	CheckShape("reparameterize log variance", logVar, shape...)
	CheckShape("reparameterize noise", noise, shape...)
	return apply("reparameterize", shape, func(z []float32, in []G.Value) {
		l, e := floats(in[1]), floats(in[2])
		for i, m := range floats(in[0]) {
			z[i] = m + float32(math.Exp(float64(l[i])/2))*e[i]
		}
	}, []bool{true, true, false}, func(in G.Nodes, out, grad *G.Node, _ []bool) G.Nodes {
		return G.Nodes{grad, apply("reparameterize/dl", shape, func(d []float32, v []G.Value) {
			m, g := floats(v[1]), floats(v[2])
			for i, z := range floats(v[0]) {
				d[i] = 0.5 * (z - m[i]) * g[i]
			}
		}, nil, nil, out, in[0], grad), nil}
	}, mean, logVar, noise)
}

// GaussianKL is the divergence of Gaussians from the standard normal one, summed
// over a sample and averaged over the batch: mean_b sum (m² + e^l - 1 - l)/2
// (nats).
//
//	mean, logVar [B, ...] → scalar
func GaussianKL(mean, logVar *G.Node) *G.Node {
	CheckShape("gaussian kl log variance", logVar, mean.Shape()...)
	b := float64(mean.Shape()[0])
	return applyScalar("gaussian kl", func(in []G.Value) float64 {
		l, sum := floats(in[1]), 0.0
		for i, m := range floats(in[0]) {
			v := float64(l[i])
			sum += float64(m)*float64(m) + math.Exp(v) - 1 - v
		}
		return sum / 2 / b
	}, []bool{true, true}, func(in G.Nodes, _, grad *G.Node, _ []bool) G.Nodes {
		return gradients("gaussian kl/d", []tensor.Shape{mean.Shape(), mean.Shape()}, func(d [][]float32, v []G.Value) {
			l, scale := floats(v[1]), float64(scalar(v[2]))/b
			for i, m := range floats(v[0]) {
				d[0][i] = float32(scale * float64(m))
				d[1][i] = float32(scale * 0.5 * (math.Exp(float64(l[i])) - 1))
			}
		}, in[0], in[1], grad)
	}, mean, logVar)
}
