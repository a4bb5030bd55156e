package sq_test

import (
	"math/rand/v2"
	"slices"
	"testing"

	G "gorgonia.org/gorgonia"

	"vqspeech/internal/graph/graphtest"
	"vqspeech/quant/sq"
)

// TestAnyShape runs the quantisers on latents of a sequence, an image and a film:
// all must give what the flattened latents give, value by value, and the same
// gradients.
func TestAnyShape(t *testing.T) {
	const b, k, d = 2, 5, 3
	grids := [][]int{{24}, {4, 6}, {2, 3, 4}} // 24 latents of a sample
	rng := rand.New(rand.NewPCG(1, 2))
	normal := func(n int) []float32 {
		x := make([]float32, n)
		for i := range x {
			x[i] = float32(rng.NormFloat64())
		}
		return x
	}
	z, logVar, book, uniform, upstream := normal(b*24*d), normal(b*24*d), normal(k*d), make([]float32, b*24*k), normal(b*24*d)
	for i := range uniform {
		uniform[i] = 0.01 + 0.98*rng.Float32()
	}
	for name, build := range map[string]func(z, logVar, book, scalar, uniform, tau *G.Node) sq.Output{
		"gaussian-1": gaussian(sq.Shared), "gaussian-2": gaussian(sq.PerSample), "gaussian-3": gaussian(sq.PerLatent), "gaussian-4": gaussian(sq.PerDimension),
		"vmf": func(z, _, book, scalar, uniform, tau *G.Node) sq.Output {
			return sq.VMF(sq.VMFInputs{Latent: z, LogKappa: scalar, Codebook: book, Uniform: uniform, Tau: tau}).Output
		},
	} {
		var first [][]float32
		var codes []int32
		for _, grid := range grids {
			g := G.NewGraph()
			shape := func(last int) []int { return append(append([]int{b}, grid...), last) }
			zNode := graphtest.Input(g, "z", z, shape(d)...)
			bookNode := graphtest.Input(g, "codebook", book, k, d)
			out := build(zNode, graphtest.Input(g, "log variances", logVar, shape(d)...), bookNode, graphtest.Input(g, "s", []float32{-0.5}, 1),
				graphtest.Input(g, "uniform", uniform, shape(k)...), graphtest.Input(g, "tau", []float32{0.7}, 1))
			up := graphtest.Input(g, "upstream", upstream, shape(d)...)
			grad := graphtest.Differentiate(t, G.Nodes{out.Regularizer, out.NegEntropy, out.Quantized}, G.Nodes{nil, nil, up}, G.Nodes{zNode, bookNode})
			grad.Run(t)
			var got [][]float32
			for _, n := range append(G.Nodes{out.Quantized, out.Logits, out.Regularizer, out.NegEntropy}, grad.Grads...) {
				got = append(got, slices.Clone(graphtest.Floats(n)))
			}
			if want := shape(d); !slices.Equal([]int(out.Quantized.Shape()), want) || !slices.Equal([]int(out.Codes.Shape()), want[:len(want)-1]) {
				t.Errorf("%s: latents %v become %v, codes %v", name, want, out.Quantized.Shape(), out.Codes.Shape())
			}
			if first == nil {
				first, codes = got, slices.Clone(graphtest.Ints(out.Codes))
				continue
			}
			if !slices.EqualFunc(got, first, slices.Equal[[]float32]) || !slices.Equal(graphtest.Ints(out.Codes), codes) {
				t.Errorf("%s: latents [%d %v %d] give other values than flattened", name, b, grid, d)
			}
		}
	}
}

func gaussian(v sq.Variance) func(z, logVar, book, scalar, uniform, tau *G.Node) sq.Output {
	return func(z, logVar, book, scalar, uniform, tau *G.Node) sq.Output {
		return sq.GaussianImage(v, sq.ImageInputs{Latent: z, LogVars: logVar, LogVar: scalar, Codebook: book, Uniform: uniform, Tau: tau})
	}
}

// TestEqualVariances gives every latent and dimension the same log variance:
// types II, III and IV are then one.
func TestEqualVariances(t *testing.T) {
	const b, h, w, k, d = 3, 2, 5, 4, 3
	rng := rand.New(rand.NewPCG(3, 4))
	z, logVar, book, uniform := make([]float32, b*h*w*d), make([]float32, b*h*w*d), make([]float32, k*d), make([]float32, b*h*w*k)
	for i := range z {
		z[i], logVar[i] = float32(rng.NormFloat64()), 0.3
	}
	for i := range book {
		book[i] = float32(rng.NormFloat64())
	}
	for i := range uniform {
		uniform[i] = 0.01 + 0.98*rng.Float32()
	}
	var want []float32
	for _, v := range []sq.Variance{sq.PerSample, sq.PerLatent, sq.PerDimension} {
		g := G.NewGraph()
		zNode := graphtest.Input(g, "z", z, b, h, w, d)
		out := gaussian(v)(zNode, graphtest.Input(g, "log variances", logVar, b, h, w, d), graphtest.Input(g, "codebook", book, k, d),
			graphtest.Input(g, "s", []float32{-0.5}, 1), graphtest.Input(g, "uniform", uniform, b, h, w, k), graphtest.Input(g, "tau", []float32{0.7}, 1))
		grad := graphtest.Differentiate(t, G.Nodes{out.Regularizer, out.NegEntropy}, G.Nodes{nil, nil}, G.Nodes{zNode})
		grad.Run(t)
		got := slices.Concat(graphtest.Floats(out.Quantized), graphtest.Floats(out.Regularizer), graphtest.Floats(out.NegEntropy), graphtest.Floats(grad.Grads[0]))
		if want == nil {
			want = got
			continue
		}
		for i, x := range got {
			if d := x - want[i]; d > 2e-5 || d < -2e-5 {
				t.Fatalf("variance %d: value %d is %g, want %g", v, i, x, want[i])
			}
		}
	}
}
