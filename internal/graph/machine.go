package graph

import (
	"slices"

	G "gorgonia.org/gorgonia"
	"gorgonia.org/tensor"
)

// Input adds an input node whose value is backed by data: writing to data
// changes the value of the next run.
func Input[T float32 | int32](g *G.ExprGraph, name string, data []T, shape ...int) *G.Node {
	t := tensor.New(tensor.WithShape(shape...), tensor.WithBacking(data))
	return G.NewTensor(g, t.Dtype(), len(shape), G.WithShape(shape...), G.WithName(name), G.WithValue(t))
}

// Compile differentiates a scalar loss with respect to params and builds the
// machine that runs all of its graph. It returns the parameters with their
// gradients as a gorgonia.Solver takes them, and the gradients of further nodes.
func Compile(loss *G.Node, params G.Nodes, further ...*G.Node) (machine G.VM, trained []G.ValueGrad, grads G.Nodes, err error) {
	g := loss.Graph()
	one := G.NewConstant(float32(1), G.In(g))
	grads, err = Gradients(G.Nodes{loss}, G.Nodes{one}, append(slices.Clone(params), further...))
	if err != nil {
		return nil, nil, nil, err
	}
	for i, p := range params {
		trained = append(trained, parameter{p, grads[i]})
	}
	return G.NewTapeMachine(g), trained, grads[len(params):], nil
}

// parameter is a trained tensor. Its gradient is read from the node that
// computes it, without the copy that gorgonia's dual values would make.
type parameter struct{ value, grad *G.Node }

func (p parameter) Value() G.Value         { return p.value.Value() }
func (p parameter) Grad() (G.Value, error) { return p.grad.Value(), nil }
