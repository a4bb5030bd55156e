package graph

import (
	G "gorgonia.org/gorgonia"
	"gorgonia.org/tensor"

	"vqspeech/internal/simd"
)

// Gate is the gated activation z = tanh(h[:D]) * sigmoid(h[D:]) over the last
// axis, after adding a context to all positions of a sample (van den Oord et al.
// 2016, "Conditional Image Generation with PixelCNN Decoders", eq. 3 and 4).
//
//	h [B, ..., 2D], context [B, 2D] or nil → z [B, ..., D]
func Gate(h, context *G.Node) *G.Node {
	n, c := rows(h.Shape())
	d, b := c/2, h.Shape()[0]
	in, wrt := []*G.Node{h}, []bool{true}
	if context != nil {
		CheckShape("gate context", context, b, c)
		in, wrt = append(in, context), append(wrt, true)
	}
	shape := h.Shape()
	shape[len(shape)-1] = d
	tape := newTensor(h.Shape()) // tanh and sigmoid, then the gradient of h
	t := tape.Data().([]float32)
	return apply("gate", shape, func(z []float32, in []G.Value) {
		var context []float32
		if len(in) == 2 {
			context = floats(in[1])
		}
		copy(t, floats(in[0]))
		simd.Gate(z, t, context, n, d, n/b)
	}, wrt, once("gate", func(in G.Nodes, out, grad *G.Node, want []bool) G.Nodes {
		dh := applyOn(tape, "gate/dh", func(t []float32, v []G.Value) {
			simd.GateBackward(t, floats(v[0]), n, d)
		}, nil, nil, grad, out)
		grads := G.Nodes{dh, nil}[:len(in)]
		if len(in) == 2 && want[1] {
			grads[1] = apply("gate/dcontext", tensor.Shape{b, c}, func(dc []float32, v []G.Value) {
				simd.SumGroups(dc, floats(v[0]), b, c, n/b)
			}, nil, nil, dh)
		}
		return grads
	}), in...)
}
