// Package graphtest runs pieces of a graph in tests: it builds inputs from
// slices and computes the gradients of any outputs for given upstream
// gradients.
package graphtest

import (
	"testing"

	G "gorgonia.org/gorgonia"

	"vqspeech/internal/graph"
)

// Input adds an input node whose value is backed by data: writing to data
// changes the value of the next run.
func Input[T float32 | int32](g *G.ExprGraph, name string, data []T, shape ...int) *G.Node {
	return graph.Input(g, name, data, shape...)
}

// Floats returns the elements of a node's value, one for a scalar.
func Floats(n *G.Node) []float32 {
	switch x := n.Value().Data().(type) {
	case float32:
		return []float32{x}
	case []float32:
		return x
	}
	panic("graphtest: no float32 value")
}

// Ints returns the elements of a node's int32 value.
func Ints(n *G.Node) []int32 { return n.Value().Data().([]int32) }

// Derivative is a compiled graph with the gradients of
// sum_i <upstream_i, output_i>.
type Derivative struct {
	Grads   G.Nodes // in the order of wrt
	machine *graph.Machine
}

// Differentiate compiles the graph of the outputs. An upstream gradient has the
// shape of its output; nil stands for 1 and goes with a scalar.
func Differentiate(t testing.TB, outputs, upstream, wrt G.Nodes) *Derivative {
	t.Helper()
	g := outputs[0].Graph()
	up := make(G.Nodes, len(upstream))
	for i, n := range upstream {
		if n == nil {
			n = G.NewConstant(float32(1), G.In(g))
		}
		up[i] = n
	}
	grads, err := graph.Gradients(outputs, up, wrt)
	if err != nil {
		t.Fatal(err)
	}
	return &Derivative{Grads: grads, machine: graph.NewMachine(g)}
}

// Run computes all values once. They are valid until the next run.
func (d *Derivative) Run(t testing.TB) {
	t.Helper()
	if err := d.machine.Run(); err != nil {
		t.Fatal(err)
	}
}

// ChannelsLast turns [B, C, N] into [B, N, C]: PyTorch's order into this
// project's.
func ChannelsLast[T float32 | int32](x []T, b, c, n int) []T {
	y := make([]T, len(x))
	for i := range b {
		for j := range c {
			for k := range n {
				y[(i*n+k)*c+j] = x[(i*c+j)*n+k]
			}
		}
	}
	return y
}

// ChannelsFirst turns [B, N, C] into [B, C, N].
func ChannelsFirst[T float32 | int32](x []T, b, n, c int) []T { return ChannelsLast(x, b, n, c) }
