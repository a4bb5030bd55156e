package graph_test

import (
	"strconv"
	"strings"
	"testing"

	G "gorgonia.org/gorgonia"

	"vqspeech/internal/golden"
	"vqspeech/internal/graph"
	"vqspeech/internal/graph/graphtest"
	"vqspeech/internal/simd"
)

func TestGoldenFunctions(t *testing.T) {
	f := golden.Open(t, "layers_functions.safetensors")
	in := func(g *G.ExprGraph, name string) *G.Node {
		return graphtest.Input(g, name, f.F32(name), f.Shape(name)...)
	}
	// unary compares y = fn(x) and its gradient.
	unary := func(pre, x string, fn func(x *G.Node) *G.Node) {
		t.Helper()
		g := G.NewGraph()
		node := in(g, pre+"in."+x)
		y := fn(node)
		d := graphtest.Differentiate(t, G.Nodes{y}, G.Nodes{in(g, pre+"in.gy")}, G.Nodes{node})
		d.Run(t)
		f.Check(pre+"out.y", graphtest.Floats(y))
		f.Check(pre+"grad.in."+x, graphtest.Floats(d.Grads[0]))
	}
	unary("act_relu.", "x", graph.ReLU)
	unary("l2norm.", "x", graph.Normalize)
	unary("l2norm_tiny.", "x", graph.Normalize)
	for name, fn := range map[string]func(dst, src []float32){"sigmoid": simd.Sigmoid, "tanh": simd.Tanh} {
		x := f.F32("act_" + name + ".in.x")
		fn(x, x)
		f.Check("act_"+name+".out.y", x)
	}
	noise := f.F32("gumbel.in.u")
	simd.Gumbel(noise, noise)
	f.Check("gumbel.out.g", noise)
	cases := 0
	for _, name := range f.Names() {
		middle, isResult := strings.CutSuffix(name, ".out.y")
		if setting, ok := strings.CutPrefix(middle, "gumbel_tau"); ok && isResult { // such as 0.3_soft
			temperature, kind, _ := strings.Cut(setting, "_")
			tau, err := strconv.ParseFloat(temperature, 32)
			if err != nil {
				t.Fatal(err)
			}
			unary(middle+".", "logits", func(a *G.Node) *G.Node { return gumbelSoftmax(f, a, float32(tau), kind == "hard") })
			cases++
		}
	}
	if cases == 0 {
		t.Error("no Gumbel softmax cases")
	}
	checkUpsample(t, f)
	checkNegEntropy(t, f)
	// Sigmoid and tanh are parts of the recurrent layer so far: no gradients of
	// their own. Softplus, the gate and the cross-entropy have no kernels yet.
	f.RequireAllUsed("act_sigmoid.grad.*", "act_tanh.grad.*", "act_softplus.*", "gate.*", "cross_entropy*")
}

// gumbelSoftmax draws from the fixture's uniforms. The hard kind has the value
// of the largest entry's one-hot vector and the gradient of the soft one.
func gumbelSoftmax(f *golden.File, a *G.Node, tau float32, hard bool) *G.Node {
	u := graphtest.Input(a.Graph(), "u", f.F32("gumbel.in.u"), a.Shape()...)
	y := graph.GumbelSoftmax(a, u, graphtest.Input(a.Graph(), "tau", []float32{tau}, 1))
	if !hard {
		return y
	}
	k := a.Shape()[1]
	identity := make([]float32, k*k)
	for i := range k {
		identity[i*k+i] = 1
	}
	oneHot := graph.Embedding(graphtest.Input(a.Graph(), "identity", identity, k, k), graph.Assign(y))
	return graph.StraightThrough(y, oneHot)
}

func checkUpsample(t *testing.T, f *golden.File) {
	t.Helper()
	const pre = "upsample_x3."
	s, n := f.Shape(pre+"in.x"), f.Shape(pre + "out.y")[2]
	b, c, frames := s[0], s[1], s[2]
	g := G.NewGraph()
	x := graphtest.Input(g, "x", graphtest.ChannelsLast(f.F32(pre+"in.x"), b, c, frames), b, frames, c)
	up := graphtest.Input(g, "gy", graphtest.ChannelsLast(f.F32(pre+"in.gy"), b, c, n), b, n, c)
	y := graph.Upsample(x, n/frames)
	d := graphtest.Differentiate(t, G.Nodes{y}, G.Nodes{up}, G.Nodes{x})
	d.Run(t)
	f.Check(pre+"out.y", graphtest.ChannelsFirst(graphtest.Floats(y), b, n, c))
	f.Check(pre+"grad.in.x", graphtest.ChannelsFirst(graphtest.Floats(d.Grads[0]), b, frames, c))
}

// checkNegEntropy compares a sum over rows: a batch of one sample.
func checkNegEntropy(t *testing.T, f *golden.File) {
	t.Helper()
	g := G.NewGraph()
	s := f.Shape("neg_entropy.in.logits")
	a := graphtest.Input(g, "logits", f.F32("neg_entropy.in.logits"), 1, s[0], s[1])
	sum := graph.NegEntropy(a)
	d := graphtest.Differentiate(t, G.Nodes{sum}, G.Nodes{nil}, G.Nodes{a})
	d.Run(t)
	f.Check("neg_entropy.loss.sum", graphtest.Floats(sum))
	f.Check("neg_entropy.grad.in.logits", graphtest.Floats(d.Grads[0]))
}
