package graph

import (
	"fmt"
	"slices"

	G "gorgonia.org/gorgonia"

	"vqspeech/internal/simd"
)

// Gradients adds to the graph the gradients of sum_i <upstream_i, output_i>
// with respect to wrt and returns their nodes, in the order of wrt. An upstream
// gradient has the shape of its output. It fails if an output does not depend
// on some node of wrt, and panics on an operation of another package on the way.
//
// gorgonia.Grad would do the same with its own additions, which allocate their
// results at every run, and would also run the gradients nobody asked for.
func Gradients(outputs, upstream, wrt G.Nodes) (G.Nodes, error) {
	order := forward(outputs)
	needed := map[*G.Node]bool{}
	for _, n := range order {
		needed[n] = slices.Contains(wrt, n)
		for i, child := range operation(n).in {
			needed[n] = needed[n] || operation(n).wrt[i] && needed[child]
		}
	}
	parts := map[*G.Node]G.Nodes{} // summands of each gradient
	for i, n := range outputs {
		parts[n] = append(parts[n], upstream[i])
	}
	for _, n := range slices.Backward(order) {
		if !needed[n] || len(parts[n]) == 0 {
			continue
		}
		parts[n] = G.Nodes{Sum(parts[n]...)}
		o := operation(n)
		want := make([]bool, len(o.in))
		for i, child := range o.in {
			want[i] = o.wrt[i] && needed[child]
		}
		if !slices.Contains(want, true) {
			continue
		}
		for i, d := range o.diff(o.in, n, parts[n][0], want) {
			if want[i] {
				parts[o.in[i]] = append(parts[o.in[i]], d)
			}
		}
	}
	grads := make(G.Nodes, len(wrt))
	for i, n := range wrt {
		if len(parts[n]) == 0 {
			return nil, fmt.Errorf("graph: no output depends on %v through differentiable operations", n)
		}
		grads[i] = parts[n][0]
	}
	return grads, nil
}

// forward lists the nodes that outputs depend on, inputs first.
func forward(outputs G.Nodes) (order G.Nodes) {
	seen := map[*G.Node]bool{}
	var visit func(n *G.Node)
	visit = func(n *G.Node) {
		if seen[n] {
			return
		}
		seen[n] = true
		for _, child := range operation(n).in {
			visit(child)
		}
		order = append(order, n)
	}
	for _, n := range outputs {
		visit(n)
	}
	return order
}

// operation returns what computes n; an input has an empty one.
func operation(n *G.Node) *op {
	if o, ok := n.Op().(*op); ok {
		return o
	}
	if n.Graph().From(n.ID()).Len() > 0 {
		panic(fmt.Sprintf("graph: %v is not an operation of this package", n))
	}
	return &op{}
}

// Sum adds nodes of equal shape; one node is its own sum.
//
//	x_i [...] or scalar → like x_i
func Sum(x ...*G.Node) *G.Node {
	if len(x) == 1 {
		return x[0]
	}
	wrt := make([]bool, len(x))
	for i := range wrt {
		wrt[i] = true
	}
	diff := func(_ G.Nodes, _, grad *G.Node, _ []bool) G.Nodes {
		grads := make(G.Nodes, len(x))
		for i := range grads {
			grads[i] = grad
		}
		return grads
	}
	if x[0].IsScalar() {
		return applyScalar("sum", func(in []G.Value) float64 {
			s := scalar(in[0])
			for _, v := range in[1:] {
				s += scalar(v)
			}
			return float64(s)
		}, wrt, diff, x...)
	}
	return apply("sum", x[0].Shape(), func(y []float32, in []G.Value) {
		parts := make([][]float32, len(in))
		for i, v := range in {
			parts[i] = floats(v)
		}
		simd.Sum(y, parts)
	}, wrt, diff, x...)
}

// Scale multiplies a scalar by a constant.
func Scale(x *G.Node, factor float64) *G.Node {
	return applyScalar("scale", func(in []G.Value) float64 {
		return float64(scalar(in[0]) * float32(factor))
	}, []bool{true}, func(_ G.Nodes, _, grad *G.Node, _ []bool) G.Nodes {
		return G.Nodes{Scale(grad, factor)}
	}, x)
}
