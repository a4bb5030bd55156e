package graph_test

import (
	"math"
	"slices"
	"strconv"
	"strings"
	"testing"

	G "gorgonia.org/gorgonia"

	"vqspeech/internal/bessel"
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
	unary("act_sigmoid.", "x", graph.Sigmoid)
	unary("l2norm.", "x", graph.Normalize)
	unary("l2norm_tiny.", "x", graph.Normalize)
	tanh := f.F32("act_tanh.in.x")
	simd.Tanh(tanh, tanh)
	f.Check("act_tanh.out.y", tanh)
	softplus := f.F32("act_softplus.in.x")
	simd.Softplus(softplus, softplus)
	f.Check("act_softplus.out.y", softplus)
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
	checkGate(t, f)
	// Tanh is a part of the recurrent layer, softplus of the vMF decoder: no
	// gradients of their own. The cross-entropy is compared with PyTorch in the
	// WaveNet's fixtures.
	f.RequireAllUsed("act_tanh.grad.*", "act_softplus.in.gy", "act_softplus.grad.*", "cross_entropy*")
}

// checkGate puts the fixture's two tensors into one, channel after channel.
func checkGate(t *testing.T, f *golden.File) {
	t.Helper()
	s := f.Shape("gate.in.a")
	b, c, n := s[0], s[1], s[2]
	last := func(name string) []float32 { return graphtest.ChannelsLast(f.F32(name), b, c, n) }
	first := func(x []float32) []float32 { return graphtest.ChannelsFirst(x, b, n, c) }
	g := G.NewGraph()
	h := graph.Concat(graphtest.Input(g, "a", last("gate.in.a"), b, n, c), graphtest.Input(g, "b", last("gate.in.b"), b, n, c))
	z := graph.Gate(h, nil)
	d := graphtest.Differentiate(t, G.Nodes{z}, G.Nodes{graphtest.Input(g, "gy", last("gate.in.gy"), b, n, c)}, G.Nodes{h})
	d.Run(t)
	f.Check("gate.out.y", first(graphtest.Floats(z)))
	var da, db []float32
	for i, v := range graphtest.Floats(d.Grads[0]) {
		if i%(2*c) < c {
			da = append(da, v)
		} else {
			db = append(db, v)
		}
	}
	f.Check("gate.grad.in.a", first(da))
	f.Check("gate.grad.in.b", first(db))
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

func TestGoldenVMFRecon(t *testing.T) {
	f := golden.Open(t, "vmf_recon.safetensors")
	var cases []struct {
		Prefix  string
		Classes int
	}
	f.JSON("recon_cases", &cases)
	if len(cases) == 0 {
		t.Fatal("no cases")
	}
	for _, c := range cases {
		t.Run(c.Prefix, func(t *testing.T) { checkVMFRecon(f, t, c.Prefix, c.Classes) })
	}
	f.RequireAllUsed("bessel.*")
}

// checkVMFRecon gives the decoder the fixture's directions u by a layer that
// changes nothing, from the inverse of the softplus.
func checkVMFRecon(f *golden.File, t *testing.T, pre string, classes int) {
	s := f.Shape(pre + "in.u")
	b, dim, pixels := s[0], s[1], s[2]*s[3]
	first := func(x []float32) []float32 { return graphtest.ChannelsFirst(x, b, pixels, len(x)/(b*pixels)) }
	g := G.NewGraph()
	u := graphtest.Input(g, "u", graphtest.ChannelsLast(f.F32(pre+"in.u"), b, dim, pixels), b, s[2], s[3], dim)
	label := f.I32(pre + "in.label")
	spread := graphtest.Input(g, "t", f.F32(pre+"param.log_kappa_inv"), 1)
	x, identity := make([]float32, b*pixels*dim), make([]float32, dim*dim)
	for i, v := range graphtest.ChannelsLast(f.F32(pre+"in.u"), b, dim, pixels) {
		x[i] = float32(math.Log(math.Expm1(float64(v))))
	}
	for i := range dim {
		identity[i*dim+i] = 1
	}
	outputs := graphtest.Input(g, "x", x, b, s[2], s[3], dim)
	decoder := graph.VMFDecoder(simd.VMFScore, outputs, graphtest.Input(g, "w", identity, dim, dim), graphtest.Input(g, "bias", make([]float32, dim), dim),
		graphtest.Input(g, "label", label, b, s[2], s[3]), spread, simd.Square(dim, dim, 1, 1, 0))
	loss := decoder.Loss
	unit := graph.Normalize(u)
	pred := graph.Assign(unit)
	d := graphtest.Differentiate(t, G.Nodes{loss}, G.Nodes{nil}, G.Nodes{outputs, spread})
	d.Run(t)
	f.Check(pre+"loss.recon", graphtest.Floats(loss))
	du := slices.Clone(graphtest.Floats(d.Grads[0]))
	for i, v := range x {
		du[i] = float32(float64(du[i]) * (1 + math.Exp(-float64(v)))) // the slope of softplus is a sigmoid
	}
	f.Check(pre+"grad.in.u", first(du))
	f.Check(pre+"grad.param.log_kappa_inv", graphtest.Floats(d.Grads[1]))
	f.Check(pre+"out.f", first(graphtest.Floats(unit)))
	f.CheckInts(pre+"out.pred", graphtest.Ints(pred))
	f.Check(pre+"out.accuracy", graphtest.Floats(decoder.Accuracy))
	kappa := bessel.VMFKappa(float64(graphtest.Floats(spread)[0]))
	f.Check(pre+"out.kappa", []float32{float32(kappa)})
	f.Check(pre+"out.c", []float32{float32(bessel.VMFLogNormalizer(dim, kappa))})
	prob := make([]float32, b*pixels*classes)
	for i := range b * pixels {
		row := prob[i*classes : (i+1)*classes]
		for j := range row {
			row[j] = float32(kappa) * graphtest.Floats(unit)[i*dim+j]
		}
	}
	simd.Softmax(prob, prob, nil, b*pixels, classes, 1)
	f.Check(pre+"out.class_prob", first(prob))
}
