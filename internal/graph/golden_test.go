package graph_test

import (
	"fmt"
	"slices"
	"strings"
	"testing"

	G "gorgonia.org/gorgonia"

	"vqspeech/internal/golden"
	"vqspeech/internal/graph"
	"vqspeech/internal/graph/graphtest"
	"vqspeech/internal/simd"
)

// weightOf reads a convolution's weights (out, in, taps...) as [taps*in, out].
func weightOf(f *golden.File, name string) (w []float32, out, in, taps int) {
	s := f.Shape(name)
	out, in, taps = s[0], s[1], size(s[2:])
	src := f.F32(name)
	w = make([]float32, len(src))
	for o := range out {
		for c := range in {
			for tap := range taps {
				w[(tap*in+c)*out+o] = src[(o*in+c)*taps+tap]
			}
		}
	}
	return w, out, in, taps
}

// fileWeight turns [k*in, out] back into (out, in, k).
func fileWeight(w []float32, out, in, k int) []float32 {
	y := make([]float32, len(w))
	for o := range out {
		for c := range in {
			for tap := range k {
				y[(o*in+c)*k+tap] = w[(tap*in+c)*out+o]
			}
		}
	}
	return y
}

// transposed turns [rows, cols] into [cols, rows].
func transposed(x []float32, rows, cols int) []float32 {
	return graphtest.ChannelsLast(x, 1, rows, cols)
}

func TestGoldenConv1D(t *testing.T) {
	f := golden.Open(t, "layers_conv1d.safetensors")
	var cases []struct {
		Name, Kind     string
		K, Stride, Pad int
		LeftPad        int `json:"left_pad"`
		Dilation       int
		Bias           bool
	}
	f.JSON("cases", &cases)
	for _, c := range cases {
		geometry := simd.Conv1D{Kernel: c.K, Stride: c.Stride, Dilation: c.Dilation}
		switch c.Kind {
		case "conv":
			geometry.PadLeft, geometry.PadRight = c.Pad, c.Pad
		case "causal":
			geometry.PadLeft = c.LeftPad
		case "transposed":
			geometry.PadLeft, geometry.PadRight, geometry.Dilation = c.Pad, c.Pad, 1
		default:
			t.Fatalf("case %s has the unknown kind %q", c.Name, c.Kind)
		}
		t.Run(c.Name, func(t *testing.T) { checkConv1D(t, f, "conv1d."+c.Name+".", geometry, c.Kind, c.Bias) })
	}
	f.RequireAllUsed()
}

func checkConv1D(t *testing.T, f *golden.File, pre string, geometry simd.Conv1D, kind string, bias bool) {
	g := G.NewGraph()
	w, rows, cols, k := weightOf(f, pre+"param.weight")
	geometry.In, geometry.Out = cols, rows
	layer, in, out := graph.Conv1D, cols, rows
	if kind == "transposed" {
		layer, in, out = graph.ConvTranspose1D, rows, cols
	}
	s := f.Shape(pre + "in.x")
	b, n := s[0], s[2]
	to := f.Shape(pre + "out.y")[2]
	wrt := G.Nodes{
		graphtest.Input(g, "x", graphtest.ChannelsLast(f.F32(pre+"in.x"), b, in, n), b, n, in),
		graphtest.Input(g, "w", w, k*cols, rows),
	}
	var biasNode *G.Node
	if bias {
		biasNode = graphtest.Input(g, "bias", f.F32(pre+"param.bias"), out)
		wrt = append(wrt, biasNode)
	}
	y := layer(wrt[0], wrt[1], biasNode, geometry)
	up := graphtest.Input(g, "gy", graphtest.ChannelsLast(f.F32(pre+"in.gy"), b, out, to), b, to, out)
	d := graphtest.Differentiate(t, G.Nodes{y}, G.Nodes{up}, wrt)
	d.Run(t)
	f.Check(pre+"out.y", graphtest.ChannelsFirst(graphtest.Floats(y), b, to, out), b, out, to)
	f.Check(pre+"grad.in.x", graphtest.ChannelsFirst(graphtest.Floats(d.Grads[0]), b, n, in), b, in, n)
	f.Check(pre+"grad.param.weight", fileWeight(graphtest.Floats(d.Grads[1]), rows, cols, k), rows, cols, k)
	if bias {
		f.Check(pre+"grad.param.bias", graphtest.Floats(d.Grads[2]), out)
	}
}

func TestGoldenConv2D(t *testing.T) {
	f := golden.Open(t, "layers_conv2d.safetensors")
	var cases []struct {
		Name, Kind string
		K, Pad     [2]int
		Stride     int
	}
	f.JSON("cases", &cases)
	for _, c := range cases {
		axis := func(i int) simd.Axis {
			return simd.Axis{Kernel: c.K[i], Stride: c.Stride, Dilation: 1, Before: c.Pad[i], After: c.Pad[i]}
		}
		layer := graph.Conv2D
		if c.Kind == "transposed" {
			layer = graph.ConvTranspose2D
		} else if c.Kind != "conv" {
			t.Fatalf("case %s has the unknown kind %q", c.Name, c.Kind)
		}
		t.Run(c.Name, func(t *testing.T) {
			checkConv2D(t, f, "conv2d."+c.Name+".", layer, simd.Conv2D{Y: axis(0), X: axis(1)})
		})
	}
	f.RequireAllUsed()
}

func checkConv2D(t *testing.T, f *golden.File, pre string, layer func(x, w, bias *G.Node, c simd.Conv2D) *G.Node, geometry simd.Conv2D) {
	g := G.NewGraph()
	w, rows, cols, taps := weightOf(f, pre+"param.weight")
	geometry.In, geometry.Out = cols, rows
	image := func(name string) *G.Node {
		s := f.Shape(pre + name)
		return graphtest.Input(g, name, graphtest.ChannelsLast(f.F32(pre+name), s[0], s[1], s[2]*s[3]), s[0], s[2], s[3], s[1])
	}
	check := func(name string, got []float32) {
		s := f.Shape(pre + name)
		f.Check(pre+name, graphtest.ChannelsFirst(got, s[0], s[2]*s[3], s[1]), s...)
	}
	wrt := G.Nodes{
		image("in.x"), graphtest.Input(g, "w", w, taps*cols, rows),
		graphtest.Input(g, "bias", f.F32(pre+"param.bias"), f.Shape(pre+"param.bias")...),
	}
	y := layer(wrt[0], wrt[1], wrt[2], geometry)
	d := graphtest.Differentiate(t, G.Nodes{y}, G.Nodes{image("in.gy")}, wrt)
	d.Run(t)
	check("out.y", graphtest.Floats(y))
	check("grad.in.x", graphtest.Floats(d.Grads[0]))
	f.Check(pre+"grad.param.weight", fileWeight(graphtest.Floats(d.Grads[1]), rows, cols, taps))
	f.Check(pre+"grad.param.bias", graphtest.Floats(d.Grads[2]))
}

func TestGoldenNormRNN(t *testing.T) {
	f := golden.Open(t, "layers_norm_rnn.safetensors")
	norms, rnns := 0, 0
	for _, name := range f.Names() {
		if pre, ok := strings.CutSuffix(name, "buffer.running_mean"); ok {
			t.Run(pre, func(t *testing.T) { checkBatchNorm(t, f, pre) })
			norms++
		}
		if pre, ok := strings.CutSuffix(name, "param.weight_hh_l0"); ok && !strings.HasSuffix(pre, "grad.") {
			t.Run(pre, func(t *testing.T) { checkGRU(t, f, pre) })
			rnns++
		}
	}
	if norms == 0 || rnns == 0 {
		t.Errorf("found %d batch norms and %d recurrent layers", norms, rnns)
	}
	t.Run("linear", func(t *testing.T) { checkLinear(t, f) })
	t.Run("embedding", func(t *testing.T) { checkEmbedding(t, f) })
	f.RequireAllUsed()
}

// checkBatchNorm handles (B, C, T) and (B, C, H, W): rows of channels.
func checkBatchNorm(t *testing.T, f *golden.File, pre string) {
	shape := f.Shape(pre + "in.x")
	b, c, n := shape[0], shape[1], 1
	for _, d := range shape[2:] {
		n *= d
	}
	g := G.NewGraph()
	input := func(name string) *G.Node {
		return graphtest.Input(g, name, graphtest.ChannelsLast(f.F32(pre+name), b, c, n), b, n, c)
	}
	x, up := input("in.x"), input("in.gy")
	gamma := graphtest.Input(g, "gamma", f.F32(pre+"param.weight"), c)
	beta := graphtest.Input(g, "beta", f.F32(pre+"param.bias"), c)
	stats := graph.BatchNormStats{Mean: f.F32(pre + "buffer.running_mean"), Var: f.F32(pre + "buffer.running_var")}
	eps := f.Float("bn_eps")
	var y *G.Node
	if strings.Contains(pre, "eval") {
		y = graph.BatchNormEval(x, gamma, beta, stats, eps)
	} else {
		y = graph.BatchNorm(x, gamma, beta, stats, eps, f.Float("bn_momentum"))
	}
	d := graphtest.Differentiate(t, G.Nodes{y}, G.Nodes{up}, G.Nodes{x, gamma, beta})
	d.Run(t)
	f.Check(pre+"out.y", graphtest.ChannelsFirst(graphtest.Floats(y), b, n, c))
	f.Check(pre+"after.running_mean", stats.Mean, c)
	f.Check(pre+"after.running_var", stats.Var, c)
	f.Check(pre+"grad.in.x", graphtest.ChannelsFirst(graphtest.Floats(d.Grads[0]), b, n, c))
	f.Check(pre+"grad.param.weight", graphtest.Floats(d.Grads[1]), c)
	f.Check(pre+"grad.param.bias", graphtest.Floats(d.Grads[2]), c)
}

// checkGRU handles any number of layers in one or both directions.
func checkGRU(t *testing.T, f *golden.File, pre string) {
	g := G.NewGraph()
	shape := f.Shape(pre + "in.x")
	b, n, in := shape[0], shape[1], shape[2]
	h := f.Shape(pre + "param.weight_hh_l0")[1]
	x := graphtest.Input(g, "x", f.F32(pre+"in.x"), shape...)
	wrt, names := G.Nodes{x}, []string{"in.x"}
	var h0 *G.Node
	if f.Has(pre + "in.h0") {
		h0 = graphtest.Input(g, "h0", f.F32(pre+"in.h0"), b, h)
		wrt, names = append(wrt, h0), append(names, "in.h0")
	}
	param := func(name string) *G.Node {
		name = "param." + name
		data, s := f.F32(pre+name), f.Shape(pre+name)
		if len(s) == 2 {
			data = transposed(data, s[0], s[1])
			slices.Reverse(s)
		}
		p := graphtest.Input(g, name, data, s...)
		wrt, names = append(wrt, p), append(names, name)
		return p
	}
	weights := func(suffix string) graph.GRUWeights {
		return graph.GRUWeights{
			WIH: param("weight_ih" + suffix), WHH: param("weight_hh" + suffix),
			BIH: param("bias_ih" + suffix), BHH: param("bias_hh" + suffix),
		}
	}
	y, width := x, in
	var last []func() []float32 // final states, in the order of h_n
	for layer := 0; f.Has(fmt.Sprintf("%sparam.weight_hh_l%d", pre, layer)); layer++ {
		suffix := fmt.Sprintf("_l%d", layer)
		forward := weights(suffix)
		if f.Has(pre + "param.weight_hh" + suffix + "_reverse") {
			y, width = graph.BiGRU(y, forward, weights(suffix+"_reverse")), 2*h
		} else {
			y, width = graph.GRU(y, h0, forward, false), h
		}
		out, w := y, width
		last = append(last, func() []float32 { return frameState(out, b, n, w, n-1, 0, h) })
		if w > h {
			last = append(last, func() []float32 { return frameState(out, b, n, w, 0, h, h) })
		}
	}
	up := graphtest.Input(g, "gy", f.F32(pre+"in.gy"), b, n, width)
	d := graphtest.Differentiate(t, G.Nodes{y}, G.Nodes{up}, wrt)
	d.Run(t)
	f.Check(pre+"out.y", graphtest.Floats(y), b, n, width)
	var states []float32
	for _, state := range last {
		states = append(states, state()...)
	}
	f.Check(pre+"out.h_n", states)
	for i, name := range names {
		got := graphtest.Floats(d.Grads[i])
		if s := f.Shape(pre + name); len(s) == 2 && strings.HasPrefix(name, "param.") {
			got = transposed(got, s[1], s[0])
		}
		f.Check(pre+"grad."+name, got)
	}
}

// frameState returns channels [from, from+h) of one frame of y [B, N, W].
func frameState(y *G.Node, b, n, w, frame, from, h int) []float32 {
	var state []float32
	for i := range b {
		state = append(state, graphtest.Floats(y)[(i*n+frame)*w+from:][:h]...)
	}
	return state
}

func checkLinear(t *testing.T, f *golden.File) {
	g := G.NewGraph()
	s := f.Shape("linear.param.weight")
	out, in := s[0], s[1]
	x := graphtest.Input(g, "x", f.F32("linear.in.x"), f.Shape("linear.in.x")...)
	w := graphtest.Input(g, "w", transposed(f.F32("linear.param.weight"), out, in), in, out)
	bias := graphtest.Input(g, "bias", f.F32("linear.param.bias"), out)
	y := graph.Linear(x, w, bias)
	up := graphtest.Input(g, "gy", f.F32("linear.in.gy"), f.Shape("linear.in.gy")...)
	d := graphtest.Differentiate(t, G.Nodes{y}, G.Nodes{up}, G.Nodes{x, w, bias})
	d.Run(t)
	f.Check("linear.out.y", graphtest.Floats(y), y.Shape()...)
	f.Check("linear.grad.in.x", graphtest.Floats(d.Grads[0]), x.Shape()...)
	f.Check("linear.grad.param.weight", transposed(graphtest.Floats(d.Grads[1]), in, out), out, in)
	f.Check("linear.grad.param.bias", graphtest.Floats(d.Grads[2]), out)
}

func checkEmbedding(t *testing.T, f *golden.File) {
	g := G.NewGraph()
	table := graphtest.Input(g, "table", f.F32("embedding.param.weight"), f.Shape("embedding.param.weight")...)
	index := graphtest.Input(g, "index", f.I32("embedding.in.index"), f.Shape("embedding.in.index")...)
	y := graph.Embedding(table, index)
	up := graphtest.Input(g, "gy", f.F32("embedding.in.gy"), f.Shape("embedding.in.gy")...)
	d := graphtest.Differentiate(t, G.Nodes{y}, G.Nodes{up}, G.Nodes{table})
	d.Run(t)
	f.Check("embedding.out.y", graphtest.Floats(y), y.Shape()...)
	f.Check("embedding.grad.param.weight", graphtest.Floats(d.Grads[0]), table.Shape()...)
}
