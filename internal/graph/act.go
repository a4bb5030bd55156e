package graph

import (
	G "gorgonia.org/gorgonia"

	"vqspeech/internal/simd"
)

// ReLU is max(x, 0); its gradient at 0 is 0.
func ReLU(x *G.Node) *G.Node {
	return apply("relu", x.Shape(), func(y []float32, in []G.Value) {
		simd.ReLU(y, floats(in[0]))
	}, []bool{true}, func(_ G.Nodes, out, grad *G.Node, _ []bool) G.Nodes {
		return G.Nodes{apply("relu/d", x.Shape(), func(dx []float32, v []G.Value) {
			simd.ReLUBackward(dx, floats(v[1]), floats(v[0]))
		}, nil, nil, out, grad)}
	}, x)
}

// Sigmoid is 1/(1 + exp(-x)).
func Sigmoid(x *G.Node) *G.Node {
	return apply("sigmoid", x.Shape(), func(y []float32, in []G.Value) {
		x := floats(in[0])
		simd.Parallel(len(x), 4096, func(lo, hi int) { simd.Sigmoid(y[lo:hi], x[lo:hi]) })
	}, []bool{true}, func(_ G.Nodes, out, grad *G.Node, _ []bool) G.Nodes {
		return G.Nodes{apply("sigmoid/d", x.Shape(), func(dx []float32, v []G.Value) {
			simd.SigmoidBackward(dx, floats(v[1]), floats(v[0]))
		}, nil, nil, out, grad)}
	}, x)
}
