package graph_test

import (
	"fmt"
	"math"
	"math/rand/v2"
	"testing"

	G "gorgonia.org/gorgonia"

	"vqspeech/internal/graph"
	"vqspeech/internal/graph/graphtest"
	"vqspeech/internal/simd"
)

// gradientCase is one differentiable operation at a small odd size.
type gradientCase struct {
	name   string
	inputs [][]int // shapes of the inputs that have gradients
	build  func(in []*G.Node) *G.Node
}

func gradientCases() []gradientCase {
	conv := func(name string, c simd.Conv1D, t int) gradientCase {
		return gradientCase{"conv1d/" + name, [][]int{{2, t, c.In}, {c.Kernel * c.In, c.Out}, {c.Out}},
			func(in []*G.Node) *G.Node { return graph.Conv1D(in[0], in[1], in[2], c) }}
	}
	stats := graph.BatchNormStats{Mean: []float32{0.1, -0.2, 0.3}, Var: []float32{0.5, 1, 2}}
	gru := [][]int{{2, 5, 3}, {3, 12}, {4, 12}, {12}, {12}}
	weights := func(in []*G.Node) graph.GRUWeights {
		return graph.GRUWeights{WIH: in[0], WHH: in[1], BIH: in[2], BHH: in[3]}
	}
	logits := func(name string, w ...int) gradientCase {
		return gradientCase{"gaussian logits/" + name, [][]int{{2, 3, 5}, w, {7, 5}},
			func(in []*G.Node) *G.Node { return graph.GaussianLogits(in[0], graph.Precision(in[1]), in[2]) }}
	}
	regularizer := func(name string, w ...int) gradientCase {
		return gradientCase{"gaussian regularizer/" + name, [][]int{{2, 3, 5}, w, {2, 3, 5}},
			func(in []*G.Node) *G.Node {
				return graph.GaussianRegularizer(in[0], graph.Precision(in[1]), in[2])
			}}
	}
	transposed := func(name string, c simd.Conv1D, t int) gradientCase {
		return gradientCase{"transposed conv1d/" + name, [][]int{{2, t, c.Out}, {c.Kernel * c.In, c.Out}, {c.In}},
			func(in []*G.Node) *G.Node { return graph.ConvTranspose1D(in[0], in[1], in[2], c) }}
	}
	gated := func(name string, context int) gradientCase {
		c := simd.Conv1D{In: 3, Out: 10, Kernel: 2, Stride: 1, Dilation: 3, PadLeft: 3}
		return gradientCase{"gated conv1d/" + name, [][]int{{2, 6, 3}, {6, 10}, {10}, {2, context, 10}},
			func(in []*G.Node) *G.Node { return graph.GatedConv1D(in[0], in[1], in[2], in[3], c) }}
	}
	// labels of 2 images of 4×6.
	labels := func(g *G.ExprGraph, classes int) *G.Node {
		x := make([]int32, 2*4*6)
		for i := range x {
			x[i] = int32(i * 5 / 3 % classes)
		}
		return graphtest.Input(g, "labels", x, 2, 4, 6)
	}
	return []gradientCase{
		conv("valid", simd.Conv1D{In: 3, Out: 5, Kernel: 3, Stride: 1, Dilation: 1}, 7),
		conv("strided", simd.Conv1D{In: 3, Out: 5, Kernel: 4, Stride: 2, Dilation: 1, PadLeft: 1, PadRight: 1}, 9),
		conv("causal", simd.Conv1D{In: 3, Out: 5, Kernel: 2, Stride: 1, Dilation: 3, PadLeft: 3}, 5),
		conv("pointwise", simd.Conv1D{In: 3, Out: 5, Kernel: 1, Stride: 1, Dilation: 1}, 3),
		{"conv1d/no bias", [][]int{{1, 5, 3}, {9, 1}}, func(in []*G.Node) *G.Node {
			return graph.Conv1D(in[0], in[1], nil, simd.Conv1D{In: 3, Out: 1, Kernel: 3, Stride: 1, Dilation: 1})
		}},
		{"conv2d", [][]int{{2, 5, 7, 3}, {4 * 4 * 3, 5}, {5}}, func(in []*G.Node) *G.Node {
			return graph.Conv2D(in[0], in[1], in[2], simd.Square(3, 5, 4, 2, 1))
		}},
		{"transposed conv2d", [][]int{{2, 3, 2, 5}, {4 * 4 * 3, 5}, {3}}, func(in []*G.Node) *G.Node {
			return graph.ConvTranspose2D(in[0], in[1], in[2], simd.Square(3, 5, 4, 2, 1))
		}},
		{"conv labels", [][]int{{3 * 3 * 4, 5}, {5}}, func(in []*G.Node) *G.Node {
			labels := graphtest.Input(in[0].Graph(), "labels", []int32{0, 3, 2, 3, 1, 1, 0, 2, 3, 3, 0, 1}, 2, 2, 3)
			return graph.ConvLabels(labels, in[0], in[1], simd.Square(4, 5, 3, 1, 1))
		}},
		{"sigmoid", [][]int{{3, 7}}, func(in []*G.Node) *G.Node { return graph.Sigmoid(in[0]) }},
		transposed("even", simd.Conv1D{In: 3, Out: 5, Kernel: 8, Stride: 2, Dilation: 1, PadLeft: 3, PadRight: 3}, 4),
		transposed("odd", simd.Conv1D{In: 2, Out: 3, Kernel: 15, Stride: 3, Dilation: 1, PadLeft: 6, PadRight: 6}, 3),
		gated("repeated context", 2), gated("full context", 6),
		{"gate", [][]int{{2, 3, 2, 10}}, func(in []*G.Node) *G.Node { return graph.Gate(in[0], nil) }},
		{"gate/context", [][]int{{2, 3, 2, 10}, {2, 10}}, func(in []*G.Node) *G.Node { return graph.Gate(in[0], in[1]) }},
		{"add to frames", [][]int{{2, 3, 5}, {2, 5}}, func(in []*G.Node) *G.Node { return graph.AddToFrames(in[0], in[1]) }},
		{"sum linear", [][]int{{2, 3, 5}, {5, 7}, {7}, {2, 3, 5}, {5, 7}, {7}}, func(in []*G.Node) *G.Node {
			return graph.SumLinear(nil, G.Nodes{in[0], in[3]}, G.Nodes{in[1], in[4]}, G.Nodes{in[2], in[5]}, 1)
		}},
		{"sum linear/residual", [][]int{{2, 3, 7}, {2, 3, 5}, {5, 7}, {7}}, func(in []*G.Node) *G.Node {
			return graph.SumLinear(in[0], in[1:2], in[2:3], in[3:], 0.7)
		}},
		{"mean", [][]int{{2, 3, 5}}, func(in []*G.Node) *G.Node { return graph.Mean(in[0]) }},
		{"cross entropy", [][]int{{2, 3, 5}}, func(in []*G.Node) *G.Node {
			return graph.CrossEntropy(in[0], graphtest.Input(in[0].Graph(), "target", []int32{0, 4, 4, 2, 0, 1}, 2, 3))
		}},
		{"linear", [][]int{{2, 3, 5}, {5, 7}, {7}}, func(in []*G.Node) *G.Node { return graph.Linear(in[0], in[1], in[2]) }},
		{"linear/no bias", [][]int{{3, 5}, {5, 1}}, func(in []*G.Node) *G.Node { return graph.Linear(in[0], in[1], nil) }},
		{"batch norm", [][]int{{3, 5, 3}, {3}, {3}}, func(in []*G.Node) *G.Node {
			moving := graph.BatchNormStats{Mean: make([]float32, 3), Var: make([]float32, 3)}
			return graph.BatchNorm(in[0], in[1], in[2], moving, 1e-5, 0.1)
		}},
		{"residual batch norm", [][]int{{3, 5, 3}, {3}, {3}, {3, 5, 3}}, func(in []*G.Node) *G.Node {
			moving := graph.BatchNormStats{Mean: make([]float32, 3), Var: make([]float32, 3)}
			return graph.ResidualBatchNorm(in[0], in[1], in[2], in[3], moving, 1e-5, 0.1)
		}},
		{"conv2d in tiles", [][]int{{2, 5, 6, 16}, {9 * 16, 16}, {16}}, func(in []*G.Node) *G.Node {
			return graph.Conv2D(in[0], in[1], in[2], simd.Square(16, 16, 3, 1, 1))
		}},
		{"sum", [][]int{{2, 3, 5}, {2, 3, 5}, {2, 3, 5}}, func(in []*G.Node) *G.Node { return graph.Sum(in...) }},
		{"scale", [][]int{{2, 3}, {2, 3}}, func(in []*G.Node) *G.Node { return graph.Scale(graph.MSE(in[0], in[1]), -0.7) }},
		{"batch norm (eval)", [][]int{{3, 5, 3}, {3}, {3}}, func(in []*G.Node) *G.Node {
			return graph.BatchNormEval(in[0], in[1], in[2], stats, 1e-5)
		}},
		{"gru", append(gru, []int{2, 4}), func(in []*G.Node) *G.Node { return graph.GRU(in[0], in[5], weights(in[1:]), false) }},
		{"gru/reverse", append(gru, []int{2, 4}), func(in []*G.Node) *G.Node { return graph.GRU(in[0], in[5], weights(in[1:]), true) }},
		{"bigru", append(gru, gru[1:]...), func(in []*G.Node) *G.Node { return graph.BiGRU(in[0], weights(in[1:]), weights(in[5:])) }},
		{"channels", [][]int{{2, 3, 7}}, func(in []*G.Node) *G.Node { return graph.Channels(in[0], 2, 5) }},
		{"frames", [][]int{{2, 7, 3}}, func(in []*G.Node) *G.Node { return graph.Frames(in[0], 1, 5) }},
		{"concat", [][]int{{2, 3, 5}, {2, 3, 1}}, func(in []*G.Node) *G.Node { return graph.Concat(in[0], in[1]) }},
		{"concat/repeated", [][]int{{2, 3, 1}, {2, 5}}, func(in []*G.Node) *G.Node { return graph.Concat(in[0], in[1]) }},
		{"upsample", [][]int{{2, 3, 5}}, func(in []*G.Node) *G.Node { return graph.Upsample(in[0], 3) }},
		{"jitter", [][]int{{2, 5, 3}}, func(in []*G.Node) *G.Node {
			return graph.Jitter(in[0], graphtest.Input(in[0].Graph(), "offset", []int32{-1, 1, 0, -1, 1, 1, -1, -1, 1, 0}, 2, 5))
		}},
		{"embedding", [][]int{{5, 3}}, func(in []*G.Node) *G.Node {
			return graph.Embedding(in[0], graphtest.Input(in[0].Graph(), "index", []int32{0, 4, 4, 2, 0, 4}, 2, 3))
		}},
		{"relu", [][]int{{3, 7}}, func(in []*G.Node) *G.Node { return graph.ReLU(in[0]) }},
		{"mse", [][]int{{2, 3, 5}, {2, 3, 5}}, func(in []*G.Node) *G.Node { return graph.MSE(in[0], in[1]) }},
		{"arelbo", [][]int{{2, 3, 5}, {2, 3, 5}}, func(in []*G.Node) *G.Node { return graph.ARELBO(in[0], in[1], 15) }},
		{"gaussian nll", [][]int{{2, 3, 5}, {2, 3, 5}, {1}}, func(in []*G.Node) *G.Node { return graph.GaussianNLL(in[0], in[1], in[2]) }},
		{"reparameterize", [][]int{{2, 3, 5}, {2, 3, 5}}, func(in []*G.Node) *G.Node {
			noise := make([]float32, 30)
			for i := range noise {
				noise[i] = float32(i%7) - 3
			}
			return graph.Reparameterize(in[0], in[1], graphtest.Input(in[0].Graph(), "noise", noise, 2, 3, 5))
		}},
		{"gaussian kl", [][]int{{2, 3, 5}, {2, 3, 5}}, func(in []*G.Node) *G.Node { return graph.GaussianKL(in[0], in[1]) }},
		{"categorical decoder", [][]int{{2, 2, 3, 5}, {4 * 4 * 7, 5}, {7}}, func(in []*G.Node) *G.Node {
			return graph.CategoricalDecoder(in[0], in[1], in[2], labels(in[0].Graph(), 7), simd.Square(7, 5, 4, 2, 1)).Loss
		}},
		{"vmf decoder", [][]int{{2, 2, 3, 4}, {4 * 4 * 6, 4}, {6}, {1}}, func(in []*G.Node) *G.Node {
			return graph.VMFDecoder(simd.VMFScore, in[0], in[1], in[2], labels(in[0].Graph(), 6), in[3], simd.Square(6, 4, 4, 2, 1)).Loss
		}},
		{"vmf decoder of an arc", [][]int{{2, 2, 3, 4}, {4 * 4 * 2, 4}, {2}, {1}}, func(in []*G.Node) *G.Node {
			return graph.VMFDecoder(simd.Arc{Classes: 6}.Score, in[0], in[1], in[2], labels(in[0].Graph(), 6), in[3], simd.Square(2, 4, 4, 2, 1)).Loss
		}},
		{"add scalar", [][]int{{2, 3, 5}, {1}}, func(in []*G.Node) *G.Node { return graph.AddScalar(in[0], in[1]) }},
		{"precision", [][]int{{2, 3, 5}}, func(in []*G.Node) *G.Node { return graph.Precision(in[0]) }},
		{"exp plus", [][]int{{2, 3, 5}}, func(in []*G.Node) *G.Node { return graph.ExpPlus(in[0], 1) }},
		{"reciprocal", [][]int{{2, 3, 5}}, func(in []*G.Node) *G.Node { return graph.Reciprocal(graph.ExpPlus(in[0], 0)) }},
		{"mean channels", [][]int{{2, 3, 5}}, func(in []*G.Node) *G.Node { return graph.MeanChannels(in[0]) }},
		{"mean sample", [][]int{{2, 3, 5}}, func(in []*G.Node) *G.Node { return graph.MeanSample(in[0]) }},
		logits("shared", 1), logits("per latent", 2, 3, 1), logits("per dimension", 2, 3, 5),
		regularizer("shared", 1), regularizer("per latent", 2, 3, 1), regularizer("per dimension", 2, 3, 5),
		{"normalize", [][]int{{3, 5}}, func(in []*G.Node) *G.Node { return graph.Normalize(in[0]) }},
		{"vmf logits", [][]int{{2, 3, 5}, {1}, {7, 5}}, func(in []*G.Node) *G.Node { return graph.VMFLogits(in[0], in[1], in[2]) }},
		{"vmf regularizer", [][]int{{2, 3, 5}, {1}, {2, 3, 5}}, func(in []*G.Node) *G.Node { return graph.VMFRegularizer(in[0], in[1], in[2]) }},
		{"gumbel softmax", [][]int{{2, 3, 5}}, func(in []*G.Node) *G.Node {
			u := make([]float32, 30)
			for i := range u {
				u[i] = float32(i+1) / 32
			}
			g := in[0].Graph()
			return graph.GumbelSoftmax(in[0], graphtest.Input(g, "u", u, 2, 3, 5), graphtest.Input(g, "tau", []float32{0.7}, 1))
		}},
		{"negative entropy", [][]int{{2, 3, 5}}, func(in []*G.Node) *G.Node { return graph.NegEntropy(in[0]) }},
	}
}

// TestGradients compares every gradient with central differences of fourth
// order, with the operation once and twice on the same inputs in one graph.
func TestGradients(t *testing.T) {
	for _, c := range gradientCases() {
		for _, uses := range []int{1, 2} {
			t.Run(fmt.Sprintf("%s/%d", c.name, uses), func(t *testing.T) { checkGradients(t, c, uses) })
		}
	}
}

func checkGradients(t *testing.T, c gradientCase, uses int) {
	r := rand.New(rand.NewPCG(1, 2))
	g := G.NewGraph()
	var wrt, outputs, upstream G.Nodes
	for i, shape := range c.inputs {
		wrt = append(wrt, graphtest.Input(g, fmt.Sprint("in", i), awayFromZero(r, size(shape)), shape...))
	}
	for i := range uses {
		y := c.build(wrt)
		outputs = append(outputs, y)
		upstream = append(upstream, graphtest.Input(g, fmt.Sprint("gy", i), awayFromZero(r, y.Shape().TotalSize()), y.Shape()...))
	}
	d := graphtest.Differentiate(t, outputs, upstream, wrt)
	loss := func() float64 {
		d.Run(t)
		var s float64
		for i, y := range outputs {
			up := graphtest.Floats(upstream[i])
			for j, v := range graphtest.Floats(y) {
				s += float64(v) * float64(up[j])
			}
		}
		return s
	}
	for i, n := range wrt {
		d.Run(t)
		want := append([]float32{}, graphtest.Floats(d.Grads[i])...)
		largest := 0.0
		for _, v := range want {
			largest = max(largest, math.Abs(float64(v)))
		}
		if len(want) != n.Shape().TotalSize() || largest == 0 {
			t.Errorf("input %d: gradient has %d elements, the largest %g", i, len(want), largest)
			continue
		}
		x := graphtest.Floats(n)
		for j, v := range want {
			// Errors are about step^4 from the fifth derivative and
			// 1e-7/step from rounding.
			got := difference(loss, &x[j], 1.0/32)
			if diff := math.Abs(got - float64(v)); !(diff <= 3e-4*largest) {
				t.Errorf("input %d, element %d: gradient %g, differences give %g", i, j, v, got)
			}
		}
	}
}

// difference estimates the derivative of loss at x to the fourth order.
func difference(loss func() float64, x *float32, step float32) float64 {
	x0 := *x
	at := func(k float32) float64 {
		*x = x0 + k*step
		return loss()
	}
	near, far := at(1)-at(-1), at(2)-at(-2)
	*x = x0
	return (8*near - far) / (12 * float64(step))
}

func size(shape []int) int {
	n := 1
	for _, d := range shape {
		n *= d
	}
	return n
}

// awayFromZero draws values of either sign with magnitudes in [0.2, 1.2), so
// that no step crosses a kink at zero.
func awayFromZero(r *rand.Rand, n int) []float32 {
	x := make([]float32, n)
	for i := range x {
		x[i] = 0.2 + r.Float32()
		if r.IntN(2) == 0 {
			x[i] = -x[i]
		}
	}
	return x
}

// The gradients of these two are not derivatives of the value: that is their
// purpose.
func TestStraightThroughAndStopGradient(t *testing.T) {
	g := G.NewGraph()
	z := graphtest.Input(g, "z", []float32{1, 2, 3}, 3)
	q := graphtest.Input(g, "q", []float32{4, 5, 6}, 3)
	up := graphtest.Input(g, "gy", []float32{0.5, -1, 2}, 3)
	y := graph.StraightThrough(z, q)
	fixed := graph.MSE(z, graph.StopGradient(z)) // zero, with a zero gradient
	d := graphtest.Differentiate(t, G.Nodes{y, fixed}, G.Nodes{up, nil}, G.Nodes{z})
	d.Run(t)
	for i, want := range []float32{0.5, -1, 2} {
		if got := graphtest.Floats(d.Grads[0])[i]; got != want {
			t.Errorf("gradient %d is %v, want %v", i, got, want)
		}
		if got, want := graphtest.Floats(y)[i], graphtest.Floats(q)[i]; got != want {
			t.Errorf("value %d is %v, want %v", i, got, want)
		}
	}
	if _, err := graph.Gradients(G.Nodes{graph.StopGradient(q)}, G.Nodes{up}, G.Nodes{q}); err == nil {
		t.Error("a stopped gradient flows")
	}
}

// A difference quotient may step over the kink, so the fused operation is held
// to the two it replaces.
func TestBatchNormReLUIsBatchNormThenReLU(t *testing.T) {
	const rows, c = 23, 19
	r := rand.New(rand.NewPCG(5, 6))
	random := func(n int) []float32 {
		x := make([]float32, n)
		for i := range x {
			x[i] = float32(r.NormFloat64())
		}
		return x
	}
	x, gamma, beta, up := random(rows*c), random(c), random(c), random(rows*c)
	var want [][]uint32
	for _, fused := range []bool{false, true} {
		g := G.NewGraph()
		in := G.Nodes{
			graphtest.Input(g, "x", x, rows, c), graphtest.Input(g, "gamma", gamma, c), graphtest.Input(g, "beta", beta, c),
		}
		stats := graph.BatchNormStats{Mean: make([]float32, c), Var: make([]float32, c)}
		var y *G.Node
		if fused {
			y = graph.BatchNormReLU(in[0], in[1], in[2], stats, 1e-5, 0.1)
		} else {
			y = graph.ReLU(graph.BatchNorm(in[0], in[1], in[2], stats, 1e-5, 0.1))
		}
		d := graphtest.Differentiate(t, G.Nodes{y}, G.Nodes{graphtest.Input(g, "up", up, rows, c)}, in)
		d.Run(t)
		got := bits(append(G.Nodes{y}, d.Grads...))
		for i := range want {
			for j := range want[i] {
				if got[i][j] != want[i][j] {
					t.Fatalf("value %d, element %d: %x, want %x", i, j, got[i][j], want[i][j])
				}
			}
		}
		want = got
	}
}
