package graph

import (
	"fmt"
	"math"
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

// Recover is deferred where a graph is built: nodes whose shapes do not fit panic,
// which it turns into an error that begins with what.
func Recover(what string, err *error) {
	if r := recover(); r != nil {
		*err = fmt.Errorf("%s: %v", what, r)
	}
}

// Machine runs a graph and, if it is that of a loss, trains its parameters.
type Machine struct {
	Params []G.ValueGrad // with their gradients, in the order of Compile
	loss   *G.Node
	vm     G.VM
}

// NewMachine builds the machine that runs all of a graph without a loss.
func NewMachine(g *G.ExprGraph) *Machine { return &Machine{vm: G.NewTapeMachine(g)} }

// Compile differentiates a scalar loss with respect to params and builds the
// machine that runs all of its graph. It returns the gradients of further nodes
// too.
func Compile(loss *G.Node, params G.Nodes, further ...*G.Node) (m *Machine, grads G.Nodes, err error) {
	g := loss.Graph()
	one := G.NewConstant(float32(1), G.In(g))
	grads, err = Gradients(G.Nodes{loss}, G.Nodes{one}, append(slices.Clone(params), further...))
	if err != nil {
		return nil, nil, err
	}
	m = NewMachine(g)
	m.loss = loss
	for i, p := range params {
		m.Params = append(m.Params, parameter{p, grads[i]})
	}
	return m, grads[len(params):], nil
}

// Run computes all values for the inputs as they are. They are valid until the
// next run.
func (m *Machine) Run() error {
	m.vm.Reset()
	return m.vm.RunAll()
}

// Step runs the graph of a loss and lets s update the parameters. With a loss that is not
// finite it fails, and the parameters stay as they are.
func (m *Machine) Step(s G.Solver) error {
	if err := m.Run(); err != nil {
		return err
	}
	if l := float64(m.loss.Value().Data().(float32)); math.IsNaN(l) || math.IsInf(l, 0) {
		return fmt.Errorf("the loss is %g", l)
	}
	return s.Step(m.Params)
}

// Close releases what the machine holds.
func (m *Machine) Close() error { return m.vm.Close() }

// parameter is a trained tensor. Its gradient is read from the node that
// computes it, without the copy that gorgonia's dual values would make.
type parameter struct{ value, grad *G.Node }

func (p parameter) Value() G.Value         { return p.value.Value() }
func (p parameter) Grad() (G.Value, error) { return p.grad.Value(), nil }
