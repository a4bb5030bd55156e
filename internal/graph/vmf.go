package graph

import (
	G "gorgonia.org/gorgonia"
	"gorgonia.org/tensor"

	"vqspeech/internal/simd"
)

// Normalize divides every vector of the last axis by its Euclidean norm, at
// least 1e-12.
//
//	x [..., D] → [..., D]
func Normalize(x *G.Node) *G.Node {
	n, d := rows(x.Shape())
	return apply("normalize", x.Shape(), func(y []float32, in []G.Value) {
		simd.NormalizeRows(y, floats(in[0]), n, d)
	}, []bool{true}, func(in G.Nodes, _, grad *G.Node, _ []bool) G.Nodes {
		return G.Nodes{apply("normalize/d", x.Shape(), func(dx []float32, v []G.Value) {
			simd.NormalizeRowsBackward(dx, floats(v[1]), floats(v[0]), n, d)
		}, nil, nil, in[0], grad)}
	}, x)
}

// VMFLogits are the log posterior weights of the codes under von Mises-Fisher
// distributions, up to a constant: a_k = kappa z·b_k (Takida et al. 2022, Table
// 1, vMF SQ-VAE).
//
//	z [..., D] and codebook [K, D] of unit vectors, kappa [1] → a [..., K]
func VMFLogits(z, kappa, codebook *G.Node) *G.Node {
	n, d := rows(z.Shape())
	CheckShape("vmf logits kappa", kappa, 1)
	CheckShape("vmf logits codebook", codebook, -1, d)
	k := codebook.Shape()[0]
	shape := z.Shape()
	shape[len(shape)-1] = k
	return apply("vmf logits", shape, func(a []float32, in []G.Value) {
		simd.VMFLogits(a, floats(in[0]), floats(in[2]), floats(in[1])[0], n, d, k)
	}, []bool{true, true, true}, func(in G.Nodes, _, grad *G.Node, _ []bool) G.Nodes {
		shapes := []tensor.Shape{z.Shape(), {1}, codebook.Shape()}
		return gradients("vmf logits/d", shapes, func(out [][]float32, v []G.Value) {
			out[1][0] = float32(simd.VMFLogitsBackward(out[0], out[2], floats(v[3]), floats(v[0]), floats(v[2]), floats(v[1])[0], n, d, k))
		}, in[0], in[1], in[2], grad)
	}, z, kappa, codebook)
}

// VMFRegularizer is mean_b sum kappa z·(z - q) (nats), the continuous part of
// the latent loss of the vMF SQ-VAE.
//
//	z [B, ..., D] of unit vectors, q [B, ..., D], kappa [1] → scalar
func VMFRegularizer(z, kappa, q *G.Node) *G.Node {
	CheckShape("vmf regularizer kappa", kappa, 1)
	CheckShape("vmf regularizer q", q, z.Shape()...)
	n, d := rows(z.Shape())
	b := float64(z.Shape()[0])
	perRow := make([]float32, n)
	return applyScalar("vmf regularizer", func(in []G.Value) float64 {
		simd.VMFRegularizer(perRow, floats(in[0]), floats(in[2]), floats(in[1])[0], n, d)
		return total(perRow) / b
	}, []bool{true, true, true}, func(in G.Nodes, _, grad *G.Node, _ []bool) G.Nodes {
		shapes := []tensor.Shape{z.Shape(), {1}, q.Shape()}
		return gradients("vmf regularizer/d", shapes, func(out [][]float32, v []G.Value) {
			factor := float64(scalar(v[3])) / b
			out[1][0] = float32(simd.VMFRegularizerBackward(out[0], out[2], floats(v[0]), floats(v[2]), floats(v[1])[0], n, d, factor))
		}, in[0], in[1], in[2], grad)
	}, z, kappa, q)
}
