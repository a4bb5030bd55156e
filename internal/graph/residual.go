package graph

import (
	G "gorgonia.org/gorgonia"

	"vqspeech/internal/simd"
)

// SumLinear adds up linear maps of several inputs onto a start value:
// y = scale * (x + sum_i (z_i·w_i + bias_i)). With one input it is a residual
// connection, without x the skip sum of a WaveNet.
//
//	x [..., C] or nil, z_i [..., D], w_i [D, C], bias_i [C] → y [..., C]
func SumLinear(x *G.Node, z, w, bias G.Nodes, scale float32) *G.Node {
	n, d := rows(z[0].Shape())
	c := w[0].Shape()[1]
	shape := z[0].Shape()
	shape[len(shape)-1] = c
	in := G.Nodes{}
	first := 0 // input that is z[0]
	if x != nil {
		CheckShape("sum linear x", x, shape...)
		in, first = append(in, x), 1
	}
	for i := range z {
		CheckShape("sum linear z", z[i], z[0].Shape()...)
		CheckShape("sum linear w", w[i], d, c)
		CheckShape("sum linear bias", bias[i], c)
		in = append(in, z[i], w[i], bias[i])
	}
	wrt := make([]bool, len(in))
	for i := range wrt {
		wrt[i] = true
	}
	offset := make([]float32, c)
	return apply("sum linear", shape, func(y []float32, in []G.Value) {
		if x != nil {
			simd.Sum(y, [][]float32{floats(in[0])})
		}
		clear(offset)
		for i := first; i < len(in); i += 3 {
			simd.Gemm(false, false, n, c, d, floats(in[i]), d, floats(in[i+1]), c, y, c, i > 0)
			simd.Axpy(1, floats(in[i+2]), offset)
		}
		simd.AddRows(y, offset, n, c)
		if scale != 1 {
			simd.ScaleBy(y, y, scale)
		}
	}, wrt, func(in G.Nodes, _, grad *G.Node, want []bool) G.Nodes {
		if scale != 1 {
			grad = apply("sum linear/d", shape, func(dy []float32, v []G.Value) {
				simd.ScaleBy(dy, floats(v[0]), scale)
			}, nil, nil, grad)
		}
		grads := make(G.Nodes, len(in))
		if x != nil {
			grads[0] = grad
		}
		var dbias *G.Node // the same for all
		for i := first; i < len(in); i += 3 {
			if want[i] {
				grads[i] = apply("sum linear/dz", z[0].Shape(), func(dz []float32, v []G.Value) {
					simd.Gemm(false, true, n, d, c, floats(v[0]), c, floats(v[1]), c, dz, d, false)
				}, nil, nil, grad, in[i+1])
			}
			if want[i+1] {
				grads[i+1] = apply("sum linear/dw", w[0].Shape(), func(dw []float32, v []G.Value) {
					simd.Gemm(true, false, d, c, n, floats(v[0]), d, floats(v[1]), c, dw, c, false)
				}, nil, nil, in[i], grad)
			}
			if want[i+2] && dbias == nil {
				dbias = sumRows(grad, c)
			}
			grads[i+2] = dbias
		}
		return grads
	}, in...)
}
