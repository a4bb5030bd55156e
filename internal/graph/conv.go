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
	return convolve("conv1d", tensor.Shape{b, g.OutLen(t), g.Out}, x, w, bias, g.Grid(), size{b, 1, t})
}

// ConvTranspose1D is the transposed convolution of g, its input gradient
// (simd.Conv1D.Transposed).
//
//	x [B, T, g.Out], w [Kernel*In, Out], bias [g.In] → y [B, T', g.In]
func ConvTranspose1D(x, w, bias *G.Node, g simd.Conv1D) *G.Node {
	CheckShape("transposed conv1d x", x, -1, -1, g.Out)
	b, t := x.Shape()[0], x.Shape()[1]
	return transpose("transposed conv1d", tensor.Shape{b, g.TransposedLen(t), g.In}, x, w, bias, g.Grid(), size{b, 1, t})
}

// Conv2D convolves over images: y = x * w + bias.
//
//	x [B, H, W, In], w [Taps*In, Out] (see simd.Conv2D), bias [Out] or nil → y [B, H', W', Out]
func Conv2D(x, w, bias *G.Node, g simd.Conv2D) *G.Node {
	CheckShape("conv2d x", x, -1, -1, -1, g.In)
	s := size{x.Shape()[0], x.Shape()[1], x.Shape()[2]}
	toH, toW := g.OutSize(s.h, s.w)
	return convolve("conv2d", tensor.Shape{s.b, toH, toW, g.Out}, x, w, bias, g, s)
}

// ConvTranspose2D is the transposed convolution of g, its input gradient
// (simd.Conv2D.Transposed).
//
//	x [B, H, W, g.Out], w [Taps*In, Out], bias [g.In] → y [B, H', W', g.In]
func ConvTranspose2D(x, w, bias *G.Node, g simd.Conv2D) *G.Node {
	CheckShape("transposed conv2d x", x, -1, -1, -1, g.Out)
	s := size{x.Shape()[0], x.Shape()[1], x.Shape()[2]}
	toH, toW := g.TransposedSize(s.h, s.w)
	return transpose("transposed conv2d", tensor.Shape{s.b, toH, toW, g.In}, x, w, bias, g, s)
}

// ConvLabels is Conv2D on images of one-hot vectors, given as labels. A label
// outside the classes panics.
//
//	labels [B, H, W] int32, w [Taps*In, Out], bias [Out] → y [B, H', W', Out]
func ConvLabels(labels, w, bias *G.Node, g simd.Conv2D) *G.Node {
	CheckShape("conv labels", labels, -1, -1, -1)
	CheckShape("conv labels w", w, g.Taps()*g.In, g.Out)
	CheckShape("conv labels bias", bias, g.Out)
	b, h, wide := labels.Shape()[0], labels.Shape()[1], labels.Shape()[2]
	toH, toW := g.OutSize(h, wide)
	return apply("conv labels", tensor.Shape{b, toH, toW, g.Out}, func(y []float32, in []G.Value) {
		g.ForwardLabels(y, ints(in[0]), floats(in[1]), floats(in[2]), b, h, wide)
	}, []bool{false, true, true}, func(in G.Nodes, _, grad *G.Node, want []bool) G.Nodes {
		grads := make(G.Nodes, 3)
		if want[1] {
			grads[1] = apply("conv labels/dw", w.Shape(), func(dw []float32, v []G.Value) {
				g.BackwardWeightLabels(dw, ints(v[0]), floats(v[1]), b, h, wide)
			}, nil, nil, in[0], grad)
		}
		if want[2] {
			grads[2] = sumRows(grad, g.Out)
		}
		return grads
	}, labels, w, bias)
}

// Linear computes y = x·w + bias over the last axis.
//
//	x [..., In], w [In, Out], bias [Out] or nil → y [..., Out]
func Linear(x, w, bias *G.Node) *G.Node {
	n, c := rows(x.Shape())
	CheckShape("linear w", w, c, -1)
	shape := x.Shape()
	shape[len(shape)-1] = w.Shape()[1]
	return convolve("linear", shape, x, w, bias, simd.Square(c, w.Shape()[1], 1, 1, 0), size{1, 1, n})
}

// size are the images of a convolution's input.
type size struct{ b, h, w int }

// convolve adds a convolution.
func convolve(name string, shape tensor.Shape, x, w, bias *G.Node, g simd.Conv2D, s size) *G.Node {
	if toH, toW := g.OutSize(s.h, s.w); toH < 1 || toW < 1 {
		panic(fmt.Sprintf("graph: %s: an input of %v is too small for a kernel of %d×%d", name, x.Shape(), g.Y.Kernel, g.X.Kernel))
	}
	CheckShape(name+" w", w, g.Taps()*g.In, g.Out)
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
		g.Forward(y, floats(in[0]), floats(in[1]), bias, s.b, s.h, s.w)
	}, wrt, func(in G.Nodes, _, grad *G.Node, want []bool) G.Nodes {
		grads := make(G.Nodes, len(in))
		if want[0] {
			grads[0] = apply(name+"/dx", x.Shape(), func(dx []float32, v []G.Value) {
				g.BackwardInput(dx, floats(v[0]), floats(v[1]), s.b, s.h, s.w)
			}, nil, nil, grad, in[1])
		}
		if want[1] {
			grads[1] = apply(name+"/dw", w.Shape(), func(dw []float32, v []G.Value) {
				g.BackwardWeight(dw, floats(v[0]), floats(v[1]), s.b, s.h, s.w)
			}, nil, nil, in[0], grad)
		}
		if len(in) == 3 && want[2] {
			grads[2] = sumRows(grad, g.Out)
		}
		return grads
	}, in...)
}

// transpose adds a transposed convolution.
func transpose(name string, shape tensor.Shape, x, w, bias *G.Node, g simd.Conv2D, s size) *G.Node {
	CheckShape(name+" w", w, g.Taps()*g.In, g.Out)
	CheckShape(name+" bias", bias, g.In)
	return apply(name, shape, func(y []float32, in []G.Value) {
		g.Transposed(y, floats(in[0]), floats(in[1]), floats(in[2]), s.b, s.h, s.w)
	}, []bool{true, true, true}, func(in G.Nodes, _, grad *G.Node, want []bool) G.Nodes {
		grads := make(G.Nodes, 3)
		if want[0] {
			grads[0] = apply(name+"/dx", x.Shape(), func(dx []float32, v []G.Value) {
				g.TransposedBackwardInput(dx, floats(v[0]), floats(v[1]), s.b, s.h, s.w)
			}, nil, nil, grad, in[1])
		}
		if want[1] {
			grads[1] = apply(name+"/dw", w.Shape(), func(dw []float32, v []G.Value) {
				g.TransposedBackwardWeight(dw, floats(v[0]), floats(v[1]), s.b, s.h, s.w)
			}, nil, nil, in[0], grad)
		}
		if want[2] {
			grads[2] = sumRows(grad, g.In)
		}
		return grads
	}, x, w, bias)
}

// sumRows adds up the rows of a gradient: the gradient of a bias.
func sumRows(grad *G.Node, c int) *G.Node {
	n, _ := rows(grad.Shape())
	return apply("sum rows", tensor.Shape{c}, func(out []float32, in []G.Value) {
		simd.SumRows(out, floats(in[0]), n, c)
	}, nil, nil, grad)
}
