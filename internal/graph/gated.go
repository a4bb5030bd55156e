package graph

import (
	"fmt"

	G "gorgonia.org/gorgonia"
	"gorgonia.org/tensor"

	"vqspeech/internal/simd"
)

// GatedConv1D is a convolution with a gated activation, conditioned on a context
// (van den Oord et al. 2016, eq. 3): with h = x * w + bias + context,
// z = tanh(h[:D]) * sigmoid(h[D:]). A context of fewer frames than h has is
// repeated: frame t of h takes frame t*Tc/To.
//
//	x [B, T, In], w [Kernel*In, 2D], bias [2D], context [B, Tc, 2D] → z [B, To, D]
func GatedConv1D(x, w, bias, context *G.Node, g simd.Conv1D) *G.Node {
	CheckShape("gated conv1d x", x, -1, -1, g.In)
	b, t := x.Shape()[0], x.Shape()[1]
	to, d := g.OutLen(t), g.Out/2
	CheckShape("gated conv1d w", w, g.Kernel*g.In, 2*d)
	CheckShape("gated conv1d bias", bias, 2*d)
	CheckShape("gated conv1d context", context, b, -1, 2*d)
	frames := context.Shape()[1]
	if frames < 1 || to%frames != 0 {
		panic(fmt.Sprintf("graph: gated conv1d: %d frames of context for %d frames, want a divisor", frames, to))
	}
	repeat := to / frames
	tape := newTensor(tensor.Shape{b, to, 2 * d}) // tanh and sigmoid, then the gradient of h
	h := tape.Data().([]float32)
	return apply("gated conv1d", tensor.Shape{b, to, d}, func(z []float32, in []G.Value) {
		g.Forward(h, floats(in[0]), floats(in[1]), floats(in[2]), b, t)
		simd.Gate(z, h, floats(in[3]), b*to, d, repeat)
	}, []bool{true, true, true, true}, once("gated conv1d", func(in G.Nodes, out, grad *G.Node, want []bool) G.Nodes {
		dh := applyOn(tape, "gated conv1d/dh", func(h []float32, v []G.Value) {
			simd.GateBackward(h, floats(v[0]), b*to, d)
		}, nil, nil, grad, out)
		grads := make(G.Nodes, 4)
		if want[0] {
			grads[0] = apply("gated conv1d/dx", x.Shape(), func(dx []float32, v []G.Value) {
				g.BackwardInput(dx, floats(v[0]), floats(v[1]), b, t)
			}, nil, nil, dh, in[1])
		}
		if want[1] {
			grads[1] = apply("gated conv1d/dw", w.Shape(), func(dw []float32, v []G.Value) {
				g.BackwardWeight(dw, floats(v[0]), floats(v[1]), b, t)
			}, nil, nil, in[0], dh)
		}
		if want[2] {
			grads[2] = sumRows(dh, 2*d)
		}
		if grads[3] = dh; want[3] && repeat > 1 {
			grads[3] = apply("gated conv1d/dcontext", context.Shape(), func(dc []float32, v []G.Value) {
				simd.SumGroups(dc, floats(v[0]), b*frames, 2*d, repeat)
			}, nil, nil, dh)
		}
		return grads
	}), x, w, bias, context)
}

// AddToFrames adds a vector to all frames of a sequence.
//
//	x [B, T, C], v [B, C] → [B, T, C]
func AddToFrames(x, v *G.Node) *G.Node {
	CheckShape("add to frames x", x, -1, -1, -1)
	b, t, c := x.Shape()[0], x.Shape()[1], x.Shape()[2]
	CheckShape("add to frames v", v, b, c)
	return apply("add to frames", x.Shape(), func(y []float32, in []G.Value) {
		simd.Sum(y, [][]float32{floats(in[0])})
		v := floats(in[1])
		for i := range b {
			simd.AddRows(y[i*t*c:(i+1)*t*c], v[i*c:(i+1)*c], t, c)
		}
	}, []bool{true, true}, func(_ G.Nodes, _, grad *G.Node, want []bool) G.Nodes {
		grads := G.Nodes{grad, nil}
		if want[1] {
			grads[1] = apply("add to frames/dv", v.Shape(), func(dv []float32, in []G.Value) {
				g := floats(in[0])
				for i := range b {
					simd.SumRows(dv[i*c:(i+1)*c], g[i*t*c:(i+1)*t*c], t, c)
				}
			}, nil, nil, grad)
		}
		return grads
	}, x, v)
}
