package graph

import (
	"math"

	G "gorgonia.org/gorgonia"
	"gorgonia.org/tensor"

	"vqspeech/internal/simd"
)

// AddScalar adds the single element of s to every element of x.
//
//	x [...], s [1] → [...]
func AddScalar(x, s *G.Node) *G.Node {
	CheckShape("add scalar", s, 1)
	return apply("add scalar", x.Shape(), func(y []float32, in []G.Value) {
		d := floats(in[1])[0]
		for i, v := range floats(in[0]) {
			y[i] = v + d
		}
	}, []bool{true, true}, func(_ G.Nodes, _, grad *G.Node, _ []bool) G.Nodes {
		return gradients("add scalar/d", []tensor.Shape{x.Shape(), {1}}, func(out [][]float32, v []G.Value) {
			var sum float64
			for i, g := range floats(v[0]) {
				out[0][i] = g
				sum += float64(g)
			}
			out[1][0] = float32(sum)
		}, grad)
	}, x, s)
}

// Precision turns a log variance into a precision: w = exp(-l).
func Precision(logVar *G.Node) *G.Node {
	shape := logVar.Shape()
	return apply("precision", shape, func(w []float32, in []G.Value) {
		for i, l := range floats(in[0]) {
			w[i] = float32(math.Exp(-float64(l)))
		}
	}, []bool{true}, func(_ G.Nodes, out, grad *G.Node, _ []bool) G.Nodes {
		return G.Nodes{apply("precision/d", shape, func(dl []float32, v []G.Value) {
			g := floats(v[1])
			for i, w := range floats(v[0]) {
				dl[i] = -w * g[i]
			}
		}, nil, nil, out, grad)}
	}, logVar)
}

// GaussianLogits are the log posterior weights of the codes up to a constant:
// a_k = -1/2 sum_j w_j (z_j - b_kj)^2 (Takida et al. 2022, Table 1).
//
//	z [..., D], w: precisions [1], [..., 1] or [..., D], codebook [K, D] → a [..., K]
func GaussianLogits(z, w, codebook *G.Node) *G.Node {
	n, d := rows(z.Shape())
	CheckShape("gaussian logits codebook", codebook, -1, d)
	k := codebook.Shape()[0]
	shape := z.Shape()
	shape[len(shape)-1] = k
	return apply("gaussian logits", shape, func(a []float32, in []G.Value) {
		simd.GaussianLogits(a, floats(in[0]), floats(in[1]), floats(in[2]), n, d, k)
	}, []bool{true, true, true}, func(in G.Nodes, _, grad *G.Node, _ []bool) G.Nodes {
		shapes := []tensor.Shape{z.Shape(), w.Shape(), codebook.Shape()}
		return gradients("gaussian logits/d", shapes, func(out [][]float32, v []G.Value) {
			simd.GaussianLogitsBackward(out[0], out[1], out[2], floats(v[3]), floats(v[0]), floats(v[1]), floats(v[2]), n, d, k)
		}, in[0], in[1], in[2], grad)
	}, z, w, codebook)
}

// GumbelSoftmax draws a relaxed one-hot sample: y = softmax((a + g)/tau) with
// g = -ln(-ln u) (Jang et al. 2017).
//
//	a [..., K], u [..., K] uniform in (0, 1), tau [1] → y [..., K]
func GumbelSoftmax(a, u, tau *G.Node) *G.Node {
	n, k := rows(a.Shape())
	CheckShape("gumbel softmax u", u, a.Shape()...)
	CheckShape("gumbel softmax tau", tau, 1)
	noise := make([]float32, n*k)
	return apply("gumbel softmax", a.Shape(), func(y []float32, in []G.Value) {
		simd.Gumbel(noise, floats(in[1]))
		simd.Softmax(y, floats(in[0]), noise, n, k, floats(in[2])[0])
	}, []bool{true, false, false}, func(in G.Nodes, out, grad *G.Node, _ []bool) G.Nodes {
		return G.Nodes{apply("gumbel softmax/d", a.Shape(), func(da []float32, v []G.Value) {
			simd.SoftmaxBackward(da, floats(v[0]), floats(v[1]), n, k, floats(v[2])[0])
		}, nil, nil, out, grad, in[2]), nil, nil}
	}, a, u, tau)
}

// NegEntropy is minus the posterior entropy, summed over latents and averaged
// over the batch: mean_b sum p ln p with p = softmax(a) (nats).
//
//	a [B, ..., K] → scalar
func NegEntropy(a *G.Node) *G.Node {
	n, k := rows(a.Shape())
	b := float64(a.Shape()[0])
	p, perRow := make([]float32, n*k), make([]float32, n)
	return applyScalar("negative entropy", func(in []G.Value) float64 {
		simd.NegEntropy(p, perRow, floats(in[0]), n, k)
		return total(perRow) / b
	}, []bool{true}, func(in G.Nodes, _, grad *G.Node, _ []bool) G.Nodes {
		return G.Nodes{apply("negative entropy/d", a.Shape(), func(da []float32, v []G.Value) {
			simd.NegEntropyBackward(da, p, perRow, floats(v[0]), n, k, float32(float64(scalar(v[1]))/b))
		}, nil, nil, in[0], grad)}
	}, a)
}

// GaussianRegularizer is mean_b sum 1/2 w (z - q)^2 (nats), the continuous part
// of the latent loss (Takida et al. 2022, Table 1).
//
//	z, q [B, ..., D], w like GaussianLogits → scalar
func GaussianRegularizer(z, w, q *G.Node) *G.Node {
	n, d := rows(z.Shape())
	b := float64(z.Shape()[0])
	perRow := make([]float32, n)
	return applyScalar("gaussian regularizer", func(in []G.Value) float64 {
		simd.GaussianRegularizer(perRow, floats(in[0]), floats(in[1]), floats(in[2]), n, d)
		return total(perRow) / b
	}, []bool{true, true, true}, func(in G.Nodes, _, grad *G.Node, _ []bool) G.Nodes {
		shapes := []tensor.Shape{z.Shape(), w.Shape(), q.Shape()}
		return gradients("gaussian regularizer/d", shapes, func(out [][]float32, v []G.Value) {
			scale := float32(float64(scalar(v[3])) / b)
			simd.GaussianRegularizerBackward(out[0], out[1], out[2], floats(v[0]), floats(v[1]), floats(v[2]), n, d, scale)
		}, in[0], in[1], in[2], grad)
	}, z, w, q)
}

// Assign returns the most probable code of every latent: the nearest under the
// precisions w, the lowest index on ties. It has no gradient.
//
//	a: logits [..., K] → index [...] int32
func Assign(a *G.Node) *G.Node {
	n, k := rows(a.Shape())
	shape := a.Shape()[:a.Dims()-1].Clone()
	out := tensor.New(tensor.WithShape(shape...), tensor.Of(tensor.Int32))
	return add(&op{
		name: "assign", out: G.TensorType{Dims: len(shape), Of: tensor.Int32}, shape: shape,
		do: func(in []G.Value) (G.Value, error) {
			simd.ArgMax(ints(out), floats(in[0]), n, k)
			return out, nil
		},
	}, []*G.Node{a})
}

// StraightThrough has the value of quantized and hands its gradient to z
// (van den Oord et al. 2017, section 3.2).
//
//	z, quantized [...] → [...]
func StraightThrough(z, quantized *G.Node) *G.Node {
	CheckShape("straight through", quantized, z.Shape()...)
	return apply("straight through", z.Shape(), func(y []float32, in []G.Value) {
		copy(y, floats(in[1]))
	}, []bool{true, false}, func(_ G.Nodes, _, grad *G.Node, _ []bool) G.Nodes {
		return G.Nodes{grad, nil}
	}, z, quantized)
}

func total(x []float32) float64 {
	var s float64
	for _, v := range x {
		s += float64(v)
	}
	return s
}
