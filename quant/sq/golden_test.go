package sq_test

import (
	"math"
	"testing"

	G "gorgonia.org/gorgonia"

	"vqspeech/internal/golden"
	"vqspeech/internal/graph/graphtest"
	"vqspeech/internal/simd"
	"vqspeech/quant"
	"vqspeech/quant/metric"
	"vqspeech/quant/sq"
)

// gridCase is one quantiser of quantizer2d.safetensors. Latents are
// [B, H, W, D] in memory and (B, D, H, W) in the file.
type gridCase struct {
	f             *golden.File
	pre           string
	b, h, w, d, k int
	out           sq.Output
	codebook      *G.Node                        // the vectors that codes stand for
	regularizer   func(rows, q []float32, n int) // of any quantised value
	checkKind     func()                         // compares what only this kind has
}

func (c *gridCase) first(x []float32) []float32 {
	return graphtest.ChannelsFirst(x, c.b, c.h*c.w, len(x)/(c.b*c.h*c.w))
}

func (c *gridCase) last(g *G.ExprGraph, name string) *G.Node {
	x := graphtest.ChannelsLast(c.f.F32(c.pre+name), c.b, c.d, c.h*c.w)
	return graphtest.Input(g, name, x, c.b, c.h, c.w, c.d)
}

func TestGoldenQuantizer2D(t *testing.T) {
	f := golden.Open(t, "quantizer2d.safetensors")
	var cases []struct{ Name, Type, Variance string }
	f.JSON("cases", &cases)
	if len(cases) == 0 {
		t.Fatal("no cases")
	}
	for _, m := range cases {
		t.Run(m.Name, func(t *testing.T) {
			c := &gridCase{f: f, pre: m.Name + ".", b: f.Int("B"), h: f.Int("H"), w: f.Int("W"), d: f.Int("d"), k: f.Int("K")}
			g := G.NewGraph()
			z, up := c.last(g, "in.z"), c.last(g, "in.grad_q")
			s := graphtest.Input(g, "param.log_param_q_scalar", f.F32(c.pre+"param.log_param_q_scalar"), 1)
			book := graphtest.Input(g, "param.codebook", f.F32(c.pre+"param.codebook"), c.k, c.d)
			u := graphtest.Input(g, "noise.u", f.F32(c.pre+"noise.u"), c.b, c.h, c.w, c.k)
			tau := graphtest.Input(g, "tau", []float32{float32(f.Float("tau"))}, 1)
			leaves := G.Nodes{z, s, book}
			if f.Has(c.pre + "in.logvar") {
				leaves = append(leaves, c.last(g, "in.logvar"))
			}
			if m.Type == "vmf" {
				c.vmf(sq.VMFInputs{Latent: z, LogKappa: s, Codebook: book, Uniform: u, Tau: tau})
			} else {
				in := sq.ImageInputs{Latent: z, LogVar: s, PlusOne: m.Variance == "1+exp(s)", Codebook: book, Uniform: u, Tau: tau}
				if len(leaves) > 3 {
					in.LogVars = leaves[3]
				}
				c.gaussian(m.Type, in)
			}
			d := graphtest.Differentiate(t, G.Nodes{c.out.Regularizer, c.out.NegEntropy, c.out.Quantized}, G.Nodes{nil, nil, up}, leaves)
			d.Run(t)
			c.checkTraining(graphtest.Floats(up))
			for i, n := range leaves {
				got := graphtest.Floats(d.Grads[i])
				if n.Dims() == 4 {
					got = c.first(got)
				}
				f.Check(c.pre+"grad."+n.Name(), got)
			}
			c.checkCodes(t)
		})
	}
	f.RequireAllUsed()
}

func (c *gridCase) gaussian(kind string, in sq.ImageInputs) {
	kinds := map[string]sq.Variance{"1": sq.Shared, "2": sq.PerSample, "3": sq.PerLatent, "4": sq.PerDimension}
	c.out, c.codebook = sq.GaussianImage(kinds[kind], in), in.Codebook
	c.regularizer = func(rows, q []float32, n int) {
		w := append([]float32{}, graphtest.Floats(c.out.Variance)...)
		for i, v := range w {
			w[i] = 1 / v
		}
		simd.GaussianRegularizer(rows, graphtest.Floats(c.out.Latent), w, q, n, c.d)
	}
	c.checkKind = func() {
		v := graphtest.Floats(c.out.Variance)
		if n := c.h * c.w; kind == "2" { // the file has one per sample
			perSample := make([]float32, c.b)
			for i := range perSample {
				perSample[i] = v[i*n]
			}
			v = perSample
		} else if kind == "4" {
			v = c.first(v)
		}
		c.f.Check(c.pre+"out.variance", v)
	}
}

func (c *gridCase) vmf(in sq.VMFInputs) {
	out := sq.VMF(in)
	c.out, c.codebook = out.Output, out.Codebook
	c.regularizer = func(rows, q []float32, n int) {
		simd.VMFRegularizer(rows, graphtest.Floats(out.Latent), q, graphtest.Floats(out.Kappa)[0], n, c.d)
	}
	c.checkKind = func() {
		c.f.Check(c.pre+"out.z_unit", c.first(graphtest.Floats(out.Latent)))
		c.f.Check(c.pre+"out.codebook_unit", graphtest.Floats(out.Codebook))
		c.f.Check(c.pre+"out.kappa_q", graphtest.Floats(out.Kappa))
	}
}

// checkTraining compares the forward pass and the losses.
func (c *gridCase) checkTraining(gradQ []float32) {
	c.checkKind()
	f, q := c.f, graphtest.Floats(c.out.Quantized)
	f.Check(c.pre+"out.logits", graphtest.Floats(c.out.Logits))
	f.Check(c.pre+"out.p", c.posterior())
	f.Check(c.pre+"out.y", graphtest.Floats(c.out.Soft))
	f.Check(c.pre+"out.q", c.first(q))
	discrete, continuous := graphtest.Floats(c.out.NegEntropy)[0], graphtest.Floats(c.out.Regularizer)[0]
	f.Check(c.pre+"loss.kld_discrete", []float32{discrete})
	f.Check(c.pre+"loss.kld_continuous", []float32{continuous})
	f.Check(c.pre+"loss.latent", []float32{discrete + continuous})
	total := float64(discrete) + float64(continuous)
	for i, g := range gradQ {
		total += float64(g) * float64(q[i])
	}
	f.Check(c.pre+"loss.total", []float32{float32(total)})
}

func (c *gridCase) posterior() []float32 {
	a := graphtest.Floats(c.out.Logits)
	p := make([]float32, len(a))
	simd.Softmax(p, a, nil, len(a)/c.k, c.k, 1)
	return p
}

// checkCodes compares deterministic and sampled codes and the perplexities.
func (c *gridCase) checkCodes(t *testing.T) {
	f, p := c.f, c.posterior()
	n := len(p) / c.k
	det, drawn := make([]uint16, n), make([]uint16, n)
	for i, k := range graphtest.Ints(c.out.Codes) {
		det[i] = uint16(k)
	}
	logits, weights := graphtest.Floats(c.out.Logits), make([]float32, c.k)
	for i, u := range f.F32(c.pre + "noise.u_categorical") {
		drawn[i] = uint16(quant.SampleLogits(weights, logits[i*c.k:(i+1)*c.k], 1, float64(u)))
	}
	discrete := graphtest.Floats(c.out.NegEntropy)[0]
	continuous := c.checkHard("det", det)
	f.Check(c.pre+"out.kld_continuous_det", []float32{continuous})
	f.Check(c.pre+"out.latent_det", []float32{discrete + continuous})
	f.Check(c.pre+"out.latent_stoch", []float32{discrete + c.checkHard("stoch", drawn)})

	counter := metric.NewCounter(c.k)
	if err := counter.Add(det); err != nil {
		t.Fatal(err)
	}
	mean := make([]float32, c.k)
	simd.SumRows(mean, p, n, c.k)
	for name, eps := range map[string]float64{"": metric.PublishedEps, "_eps1e7": 1e-7} {
		f.Check(c.pre+"out.perplexity_hard"+name, []float32{float32(counter.PerplexityEps(eps))})
		entropy := 0.0
		for _, m := range mean {
			q := float64(m) / float64(n)
			entropy -= q * math.Log(q+eps)
		}
		f.Check(c.pre+"out.perplexity_soft"+name, []float32{float32(math.Exp(entropy))})
	}
}

// checkHard compares the codes of one mode and the vectors they stand for, and
// returns the continuous part of their latent loss.
func (c *gridCase) checkHard(mode string, codes []uint16) float32 {
	index := make([]int32, len(codes))
	for i, k := range codes {
		index[i] = int32(k)
	}
	c.f.CheckInts(c.pre+"out.index_"+mode, index)
	book := quant.Codebook{Size: c.k, Dim: c.d, Vectors: graphtest.Floats(c.codebook)}
	q, rows := make([]float32, len(codes)*c.d), make([]float32, len(codes))
	book.Lookup(q, codes)
	c.f.Check(c.pre+"out.q_"+mode, c.first(q))
	c.regularizer(rows, q, len(codes))
	var sum float64
	for _, v := range rows {
		sum += float64(v)
	}
	return float32(sum / float64(c.b))
}
