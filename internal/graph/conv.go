package graph

import (
	"fmt"

	G "gorgonia.org/gorgonia"
	"gorgonia.org/tensor"

	"vqspeech/internal/simd"
)

// Conv1D convolves over time: y = x * w + bias.
//
//	x [B, T, In], w [Kernel*In, Out] (see simd.Conv1D), bias [Out] or nil → y [B, To, Out]
func Conv1D(x, w, bias *G.Node, g simd.Conv1D) *G.Node {
	CheckShape("conv1d x", x, -1, -1, g.In)
	b, t := x.Shape()[0], x.Shape()[1]
	to := g.OutLen(t)
	if to < 1 {
		panic(fmt.Sprintf("graph: conv1d: %d frames are too few for a kernel of %d", t, g.Kernel))
	}
	return convolve("conv1d", tensor.Shape{b, to, g.Out}, x, w, bias, g, b, t)
}

// ConvTranspose1D is the transposed convolution of g, its input gradient
// (simd.Conv1D.Transposed).
//
//	x [B, T, g.Out], w [Kernel*In, Out], bias [g.In] → y [B, T', g.In]
func ConvTranspose1D(x, w, bias *G.Node, g simd.Conv1D) *G.Node {
	CheckShape("transposed conv1d x", x, -1, -1, g.Out)
	CheckShape("transposed conv1d w", w, g.Kernel*g.In, g.Out)
	CheckShape("transposed conv1d bias", bias, g.In)
	b, t := x.Shape()[0], x.Shape()[1]
	return apply("transposed conv1d", tensor.Shape{b, g.TransposedLen(t), g.In}, func(y []float32, in []G.Value) {
		g.Transposed(y, floats(in[0]), floats(in[1]), floats(in[2]), b, t)
	}, []bool{true, true, true}, func(in G.Nodes, _, grad *G.Node, want []bool) G.Nodes {
		grads := make(G.Nodes, 3)
		if want[0] {
			grads[0] = apply("transposed conv1d/dx", x.Shape(), func(dx []float32, v []G.Value) {
				g.TransposedBackwardInput(dx, floats(v[0]), floats(v[1]), b, t)
			}, nil, nil, grad, in[1])
		}
		if want[1] {
			grads[1] = apply("transposed conv1d/dw", w.Shape(), func(dw []float32, v []G.Value) {
				g.TransposedBackwardWeight(dw, floats(v[0]), floats(v[1]), b, t)
			}, nil, nil, in[0], grad)
		}
		if want[2] {
			grads[2] = sumRows(grad, g.In)
		}
		return grads
	}, x, w, bias)
}

// Linear computes y = x·w + bias over the last axis.
//
//	x [..., In], w [In, Out], bias [Out] or nil → y [..., Out]
func Linear(x, w, bias *G.Node) *G.Node {
	n, c := rows(x.Shape())
	CheckShape("linear w", w, c, -1)
	shape := x.Shape()
	shape[len(shape)-1] = w.Shape()[1]
	g := simd.Conv1D{In: c, Out: w.Shape()[1], Kernel: 1, Stride: 1, Dilation: 1}
	return convolve("linear", shape, x, w, bias, g, 1, n)
}

// convolve adds a convolution of b sequences of t frames.
func convolve(name string, shape tensor.Shape, x, w, bias *G.Node, g simd.Conv1D, b, t int) *G.Node {
	CheckShape(name+" w", w, g.Kernel*g.In, g.Out)
	in, wrt := []*G.Node{x, w}, []bool{true, true}
	if bias != nil {
		CheckShape(name+" bias", bias, g.Out)
		in, wrt = append(in, bias), append(wrt, true)
	}
	return apply(name, shape, func(y []float32, in []G.Value) {
		var bias []float32
		if len(in) == 3 {
			bias = floats(in[2])
		}
		g.Forward(y, floats(in[0]), floats(in[1]), bias, b, t)
	}, wrt, func(in G.Nodes, _, grad *G.Node, want []bool) G.Nodes {
		grads := make(G.Nodes, len(in))
		if want[0] {
			grads[0] = apply(name+"/dx", x.Shape(), func(dx []float32, v []G.Value) {
				g.BackwardInput(dx, floats(v[0]), floats(v[1]), b, t)
			}, nil, nil, grad, in[1])
		}
		if want[1] {
			grads[1] = apply(name+"/dw", w.Shape(), func(dw []float32, v []G.Value) {
				g.BackwardWeight(dw, floats(v[0]), floats(v[1]), b, t)
			}, nil, nil, in[0], grad)
		}
		if len(in) == 3 && want[2] {
			grads[2] = sumRows(grad, g.Out)
		}
		return grads
	}, in...)
}

// sumRows adds up the rows of a gradient: the gradient of a bias.
func sumRows(grad *G.Node, c int) *G.Node {
	n, _ := rows(grad.Shape())
	return apply("sum rows", tensor.Shape{c}, func(out []float32, in []G.Value) {
		simd.SumRows(out, floats(in[0]), n, c)
	}, nil, nil, grad)
}
