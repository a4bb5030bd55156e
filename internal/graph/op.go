// Package graph holds the gorgonia operations of vqspeech: the forward value
// and the symbolic gradient of every layer, on the kernels of internal/simd.
//
// Builders take and return *gorgonia.Node and panic on a shape mistake (the
// message names the layer and the shapes); model/train recovers at its
// boundary. Sequences are time major: x [B, T, C] float32. Every operation
// owns its result and writes it again at each run, so a training step does not
// allocate; a value read from a node is valid until the next run.
//
// To add a layer: write its kernels in internal/simd, then a builder here that
// calls apply with the forward pass and, for the gradients, gradients.
// [Gradients] differentiates what the builders have built.
package graph

import (
	"fmt"
	"hash"
	"hash/fnv"
	"sync/atomic"

	"github.com/chewxy/hm"
	G "gorgonia.org/gorgonia"
	"gorgonia.org/tensor"
)

// op is every operation of this package. It implements gorgonia's Op.
type op struct {
	id    uint64
	name  string
	in    G.Nodes
	out   hm.Type
	shape tensor.Shape
	do    func(in []G.Value) (G.Value, error)
	wrt   []bool   // inputs that have gradients
	diff  diffFunc // nil: not differentiable
}

// diffFunc returns one gradient node per input. Those where want is false are
// not used and may be nil.
type diffFunc func(in G.Nodes, out, grad *G.Node, want []bool) G.Nodes

var lastID atomic.Uint64

func (o *op) Arity() int                                     { return len(o.in) }
func (o *op) InferShape(...G.DimSizer) (tensor.Shape, error) { return o.shape.Clone(), nil }
func (o *op) Do(in ...G.Value) (G.Value, error)              { return o.do(in) }
func (o *op) ReturnsPtr() bool                               { return true }
func (o *op) CallsExtern() bool                              { return false }
func (o *op) OverwritesInput() int                           { return -1 }
func (o *op) WriteHash(h hash.Hash)                          { fmt.Fprintf(h, "%s#%d", o.name, o.id) }
func (o *op) String() string                                 { return o.name }
func (o *op) Hashcode() uint32 {
	h := fnv.New32a()
	o.WriteHash(h)
	return h.Sum32()
}

// Type is the function type from the inputs to the output.
func (o *op) Type() hm.Type {
	var types []hm.Type
	for _, n := range o.in {
		types = append(types, n.Type())
	}
	return hm.NewFnType(append(types, o.out)...)
}

// kernel computes a tensor operation: it fills out from the inputs.
type kernel func(out []float32, in []G.Value)

// apply adds an operation with a float32 tensor result. wrt tells which inputs
// have gradients; nil means none.
func apply(name string, shape tensor.Shape, run kernel, wrt []bool, diff diffFunc, in ...*G.Node) *G.Node {
	return applyOn(newTensor(shape), name, run, wrt, diff, in...)
}

// applyOn is apply with a result that the caller provides: the tape of a forward
// pass, which its gradient may overwrite. The gradient must then have the
// forward pass among its inputs and be added only once (see once).
func applyOn(out *tensor.Dense, name string, run kernel, wrt []bool, diff diffFunc, in ...*G.Node) *G.Node {
	data, shape := out.Data().([]float32), out.Shape()
	return add(&op{
		name: name, out: G.TensorType{Dims: len(shape), Of: tensor.Float32}, shape: shape, wrt: wrt, diff: diff,
		do: func(in []G.Value) (G.Value, error) { run(data, in); return out, nil },
	}, in)
}

// once is diff for a gradient that overwrites the tape of its forward pass: it
// panics when the operation is differentiated again.
func once(name string, diff diffFunc) diffFunc {
	done := false
	return func(in G.Nodes, out, grad *G.Node, want []bool) G.Nodes {
		if done {
			panic(fmt.Sprintf("graph: %s: differentiated twice", name))
		}
		done = true
		return diff(in, out, grad, want)
	}
}

// applyScalar adds an operation with a scalar float32 result, such as a loss.
func applyScalar(name string, run func(in []G.Value) float64, wrt []bool, diff diffFunc, in ...*G.Node) *G.Node {
	return add(&op{
		name: name, out: tensor.Float32, shape: tensor.ScalarShape(), wrt: wrt, diff: diff,
		do: func(in []G.Value) (G.Value, error) { return G.NewF32(float32(run(in))), nil },
	}, in)
}

func add(o *op, in []*G.Node) *G.Node {
	o.id = lastID.Add(1)
	if o.wrt == nil {
		o.wrt = make([]bool, len(in))
	}
	o.in = in
	n, err := G.ApplyOp(o, in...)
	if err != nil {
		panic(fmt.Sprintf("graph: %s: %v", o.name, err))
	}
	return n
}

// gradients adds one kernel call that computes several gradients. The first
// result's node runs it; the others depend on that node and hand out the rest.
func gradients(name string, shapes []tensor.Shape, run func(out [][]float32, in []G.Value), in ...*G.Node) G.Nodes {
	rest := make([]*tensor.Dense, len(shapes)-1)
	outs := make([][]float32, len(shapes))
	for i := range rest {
		rest[i] = newTensor(shapes[i+1])
		outs[i+1] = rest[i].Data().([]float32)
	}
	first := apply(name, shapes[0], func(out []float32, in []G.Value) {
		outs[0] = out
		run(outs, in)
	}, nil, nil, in...)
	nodes := G.Nodes{first}
	for i, t := range rest {
		shape := shapes[i+1]
		nodes = append(nodes, add(&op{
			name: fmt.Sprintf("%s[%d]", name, i+1), out: G.TensorType{Dims: len(shape), Of: tensor.Float32}, shape: shape,
			do: func([]G.Value) (G.Value, error) { return t, nil },
		}, []*G.Node{first}))
	}
	return nodes
}

func newTensor(shape tensor.Shape) *tensor.Dense {
	return tensor.New(tensor.WithShape(shape...), tensor.Of(tensor.Float32))
}

// floats returns the elements of a tensor value.
func floats(v G.Value) []float32 { return v.Data().([]float32) }

// ints returns the elements of an int32 tensor value.
func ints(v G.Value) []int32 { return v.Data().([]int32) }

// scalar returns a scalar value, whichever way gorgonia carries it.
func scalar(v G.Value) float32 {
	switch x := v.Data().(type) {
	case float32:
		return x
	case []float32:
		return x[0]
	}
	panic(fmt.Sprintf("graph: value of type %T is no float32 scalar", v))
}

// CheckShape panics unless x has the given shape; -1 stands for any size.
func CheckShape(layer string, x *G.Node, want ...int) {
	got := x.Shape()
	ok := len(got) == len(want)
	for i := 0; ok && i < len(want); i++ {
		ok = want[i] < 0 || want[i] == got[i]
	}
	if !ok {
		panic(fmt.Sprintf("graph: %s: shape %v, want %v", layer, got, want))
	}
}

// rows splits a shape [..., C] into its number of rows and C.
func rows(s tensor.Shape) (n, c int) {
	c = s[len(s)-1]
	return s.TotalSize() / c, c
}
