package train

import (
	"fmt"
	"math"
	"slices"
	"testing"

	G "gorgonia.org/gorgonia"

	"vqspeech/internal/golden"
	"vqspeech/internal/graph/graphtest"
	"vqspeech/internal/simd"
	"vqspeech/model"
	"vqspeech/vocoder/wavenet"
	"vqspeech/vocoder/wavenet/wavenettest"
)

// shifted returns the codes before each sample of b sequences.
func shifted(codes []int32, b int) []int32 {
	prev, t := make([]int32, len(codes)), len(codes)/b
	for i := range b {
		prev[i*t] = wavenet.Start
		copy(prev[i*t+1:(i+1)*t], codes[i*t:])
	}
	return prev
}

func TestGoldenWaveNet(t *testing.T) {
	for _, file := range golden.Glob(t, wavenettest.Files) {
		t.Run(file, func(t *testing.T) {
			f := golden.Open(t, file)
			cfg, w := wavenettest.Golden(f)
			b, l := f.Int("B"), f.Int("L")
			n, err := build(cfg, w, b, l)
			if err != nil {
				t.Fatal(err)
			}
			further, err := n.compile(n.latents)
			if err != nil {
				t.Fatal(err)
			}
			copy(n.In.Latents, f.F32("in.q"))
			copy(n.In.Speaker, f.I32("in.speaker"))
			copy(n.In.Codes, f.I32("in.codes"))
			copy(n.In.Previous, shifted(n.In.Codes, b))
			if f.Meta("jitter") == "true" {
				copy(n.In.Jitter, f.I32("noise.jitter_raw"))
			}
			loss, err := n.Run()
			if err != nil {
				t.Fatal(err)
			}
			var sums []float32
			for _, s := range loss.Sums {
				sums = append(sums, float32(s))
			}
			checkForward(f, cfg, &n.Nodes, b, l)
			checkLastLayer(f, cfg, w, &n.Nodes, b, l)
			f.Check("loss.nats", []float32{float32(loss.Nats)})
			f.Check("loss.bits", []float32{float32(loss.Bits)})
			f.Check("loss.nats", graphtest.Floats(n.Nodes.Mean))
			f.Check("loss.nats_sum", sums, b)
			f.Check("grad.in.q", graphtest.Floats(further[0]), b, l, cfg.Dim)
			checkGradients(t, f, cfg, n)
			f.RequireAllUsed("gen.*") // see package wavenet
		})
	}
}

func checkForward(f *golden.File, cfg wavenet.Config, n *Nodes, b, l int) {
	t := l * cfg.Upsampling
	check := func(name string, node *G.Node, c int) {
		f.Check(name, graphtest.ChannelsFirst(graphtest.Floats(node), b, t, c), b, c, t)
	}
	if f.Has("out.q_jittered") {
		f.Check("out.q_jittered", graphtest.Floats(n.Latents), b, l, cfg.Dim)
	}
	cond := graphtest.Floats(n.Cond)
	if len(cfg.Strides) == 0 {
		repeated := make([]float32, b*t*cfg.CondChannels)
		simd.Upsample(repeated, cond, b*l, cfg.CondChannels, cfg.Upsampling)
		cond = repeated
	}
	f.Check("out.cond", graphtest.ChannelsFirst(cond, b, t, cfg.CondChannels), b, cfg.CondChannels, t)
	check("out.layer0_in", n.Input, cfg.Residual)
	for i, z := range n.Gates {
		check(fmt.Sprintf("out.layer%d_gate", i), z, cfg.Gate)
	}
	for i, x := range n.Layers {
		check(fmt.Sprintf("out.layer%d_out", i), x, cfg.Residual)
	}
	check("out.skip_sum", n.Skip, cfg.Skip)
	check("out.logits", n.Logits, wavenet.Levels)
	f.Check("out.nll", graphtest.Floats(n.NLL), b, t)
}

// checkLastLayer computes the output of the last layer, which the graph leaves
// out because nothing reads it.
func checkLastLayer(f *golden.File, cfg wavenet.Config, w model.Weights, n *Nodes, b, l int) {
	last, rows := cfg.Layers()-1, b*l*cfg.Upsampling
	name := fmt.Sprintf("layers.%d.res.", last)
	y := slices.Clone(graphtest.Floats(n.Layers[last-1]))
	r, d := cfg.Residual, cfg.Gate
	simd.Gemm(false, false, rows, r, d, graphtest.Floats(n.Gates[last]), d, w[name+"weight"], r, y, r, true)
	simd.AddRows(y, w[name+"bias"], rows, r)
	if cfg.Scaled {
		simd.ScaleBy(y, y, float32(math.Sqrt(0.5)))
	}
	f.Check(fmt.Sprintf("out.layer%d_out", last), graphtest.ChannelsFirst(y, b, rows/b, r), b, r, rows/b)
}

func checkGradients(t *testing.T, f *golden.File, cfg wavenet.Config, n *Net) {
	trained := cfg.Trained()
	for i, p := range trained {
		g, err := n.machine.Params[i].Grad()
		if err != nil {
			t.Fatal(err)
		}
		f.Check("grad.param."+p.Name, p.ToFile(g.Data().([]float32)), p.Shape...)
	}
	untrained := 0
	for _, p := range cfg.Params() {
		name := "grad.param." + p.Name
		if !slices.ContainsFunc(n.Params, func(n *G.Node) bool { return n.Name() == p.Name }) {
			untrained++
			for _, v := range f.F32(name) {
				if v != 0 {
					t.Fatalf("%s is not zero", name)
				}
			}
		}
	}
	if untrained != 2 {
		t.Errorf("%d parameters have no gradient, want the 2 of the last residual map", untrained)
	}
}
