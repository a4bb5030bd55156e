package examples

import (
	"math"
	"math/rand/v2"
	"testing"

	G "gorgonia.org/gorgonia"

	"vqspeech/internal/graph"
	"vqspeech/internal/simd"
	"vqspeech/model/train"
)

// skipSlow skips a test of seconds with -short (the race detector's) and where the
// kernels are the plain ones, which internal/simd holds equal to the others.
func skipSlow(t *testing.T) {
	if testing.Short() || simd.ISA() == "generic" {
		t.Skip("it would take minutes")
	}
}

// learner is a graph with its trained parameters and their optimiser.
type learner struct {
	t      *testing.T
	g      *G.ExprGraph
	rng    *rand.Rand // of the initial values
	params G.Nodes

	solver  *train.Adam
	machine *graph.Machine
}

func newLearner(t *testing.T, rate float64, seed uint64) *learner {
	return &learner{
		t: t, g: G.NewGraph(), rng: rand.New(rand.NewPCG(seed, 0)),
		solver: &train.Adam{LearningRate: rate, ClipNorm: math.Inf(1)},
	}
}

// floats and ints add inputs whose slices set the values of the next step.
func (l *learner) floats(name string, shape ...int) ([]float32, *G.Node) {
	data := make([]float32, product(shape))
	return data, graph.Input(l.g, name, data, shape...)
}

func (l *learner) ints(name string, shape ...int) ([]int32, *G.Node) {
	data := make([]int32, product(shape))
	return data, graph.Input(l.g, name, data, shape...)
}

func product(shape []int) int {
	n := 1
	for _, s := range shape {
		n *= s
	}
	return n
}

// param adds a trained tensor, normal with a deviation at the start.
func (l *learner) param(name string, deviation float64, shape ...int) *G.Node {
	data, n := l.floats(name, shape...)
	for i := range data {
		data[i] = float32(deviation * l.rng.NormFloat64())
	}
	l.params = append(l.params, n)
	return n
}

// weights adds those of a layer with a fan of in values, and its bias.
func (l *learner) weights(name string, in, out int) (w, bias *G.Node) {
	return l.param(name, 1/math.Sqrt(float64(in)), in, out), l.param(name+" bias", 0, out)
}

func (l *learner) linear(name string, x *G.Node, out int) *G.Node {
	w, bias := l.weights(name, x.Shape()[x.Dims()-1], out)
	return graph.Linear(x, w, bias)
}

func (l *learner) conv(name string, x *G.Node, out, kernel, stride, pad int) *G.Node {
	g := simd.Square(x.Shape()[3], out, kernel, stride, pad)
	w, bias := l.weights(name, g.Taps()*g.In, out)
	return graph.Conv2D(x, w, bias, g)
}

// double adds the weights of a transposed convolution that doubles height and
// width, and returns the layer.
func (l *learner) double(name string, in, out int) func(x *G.Node) *G.Node {
	g := simd.Square(out, in, 4, 2, 1)
	w := l.param(name, 1/math.Sqrt(float64(4*in)), g.Taps()*out, in) // an output has 4 of the 16 taps
	bias := l.param(name+" bias", 0, out)
	return func(x *G.Node) *G.Node { return graph.ConvTranspose2D(x, w, bias, g) }
}

// minimize compiles the graph; every step then descends on the loss.
func (l *learner) minimize(loss *G.Node) {
	l.t.Helper()
	var err error
	if l.machine, _, err = graph.Compile(loss, l.params); err != nil {
		l.t.Fatal(err)
	}
	l.t.Cleanup(func() { l.machine.Close() })
}

// run computes all values for the inputs as they are.
func (l *learner) run() {
	l.t.Helper()
	if err := l.machine.Run(); err != nil {
		l.t.Fatal(err)
	}
}

// step is run and an update of the parameters.
func (l *learner) step() {
	l.t.Helper()
	if err := l.machine.Step(l.solver); err != nil {
		l.t.Fatal(err)
	}
}
