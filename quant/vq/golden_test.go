package vq_test

import (
	"fmt"
	"math"
	"slices"
	"testing"

	G "gorgonia.org/gorgonia"

	"vqspeech/internal/golden"
	"vqspeech/internal/graph/graphtest"
	"vqspeech/quant"
	"vqspeech/quant/metric"
	"vqspeech/quant/vq"
)

func TestGoldenEMA(t *testing.T) {
	for _, file := range golden.Glob(t, "vq_ema_*.safetensors") {
		t.Run(file, func(t *testing.T) {
			f := golden.Open(t, file)
			b, l, d, k := f.Int("B"), f.Int("L"), f.Int("d"), f.Int("K")
			book, x, gradQ := f.F32("buffer.codebook"), make([]float32, b*l*d), make([]float32, b*l*d)
			g := G.NewGraph()
			z, up := graphtest.Input(g, "z", x, b, l, d), graphtest.Input(g, "grad q", gradQ, b, l, d)
			beta := float32(f.Float("beta"))
			betaNode := graphtest.Input(g, "beta", []float32{beta})
			out := vq.Quantize(z, graphtest.Input(g, "codebook", book, k, d), false)
			if out.Codebook != nil {
				t.Error("a codebook kept by EMA has a codebook loss")
			}
			grad := graphtest.Differentiate(t, G.Nodes{out.Commitment, out.Quantized}, G.Nodes{betaNode, up}, G.Nodes{z})
			ema := vq.NewEMA(book, k, f.Float("gamma"), f.Float("eps"), f.Meta("style") == "debiased")
			for n := 1; n <= f.Int("steps"); n++ {
				step := fmt.Sprintf("step%d.", n)
				copy(x, f.F32(step+"in.x"))
				copy(gradQ, f.F32(step+"in.grad_q"))
				grad.Run(t)
				checkPass(t, f, step, out, k)
				commitment := graphtest.Floats(out.Commitment)[0]
				f.Check(step+"loss.vq", []float32{beta * commitment})
				f.Check(step+"grad.x", graphtest.Floats(grad.Grads[0]))
				ema.Update(book, x, graphtest.Ints(out.Codes))
				checkRows(t, f, step+"after.codebook", book)
				f.Check(step+"after.ema_count", ema.Count)
				f.Check(step+"after.ema_sum", ema.Sum)
			}
			f.RequireAllUsed()
		})
	}
}

func TestGoldenPlain(t *testing.T) {
	for _, file := range golden.Glob(t, "vq_plain*.safetensors") {
		t.Run(file, func(t *testing.T) {
			f := golden.Open(t, file)
			b, l, d, k := f.Int("B"), f.Int("L"), f.Int("d"), f.Int("K")
			g := G.NewGraph()
			z := graphtest.Input(g, "z", f.F32("in.x"), b, l, d)
			up := graphtest.Input(g, "grad q", f.F32("in.grad_q"), b, l, d)
			beta := float32(f.Float("beta"))
			betaNode := graphtest.Input(g, "beta", []float32{beta})
			codebook := graphtest.Input(g, "codebook", f.F32("param.codebook"), k, d)
			out := vq.Quantize(z, codebook, true)
			grad := graphtest.Differentiate(t, G.Nodes{out.Codebook, out.Commitment, out.Quantized}, G.Nodes{nil, betaNode, up}, G.Nodes{z, codebook})
			grad.Run(t)
			checkPass(t, f, "", out, k)
			bookLoss, commitment := graphtest.Floats(out.Codebook)[0], graphtest.Floats(out.Commitment)[0]
			f.Check("loss.codebook", []float32{bookLoss})
			f.Check("loss.vq", []float32{bookLoss + beta*commitment})
			total := float64(bookLoss) + float64(beta*commitment)
			for i, q := range graphtest.Floats(out.Quantized) {
				total += float64(q) * float64(graphtest.Floats(up)[i])
			}
			f.Check("loss.total", []float32{float32(total)})
			f.Check("grad.x", graphtest.Floats(grad.Grads[0]))
			f.Check("grad.codebook", graphtest.Floats(grad.Grads[1]))
			checkMargin(f, graphtest.Floats(codebook), d, k)
			f.RequireAllUsed()
		})
	}
}

// checkPass compares what every pass has: codes, quantised values, the
// commitment loss and the perplexity.
func checkPass(t *testing.T, f *golden.File, pre string, out vq.Output, k int) {
	t.Helper()
	codes := graphtest.Ints(out.Codes)
	f.CheckInts(pre+"out.index", codes)
	f.Check(pre+"out.q", graphtest.Floats(out.Quantized))
	f.Check(pre+"loss.commitment", graphtest.Floats(out.Commitment))
	counter := metric.NewCounter(k)
	for _, c := range codes {
		if err := counter.Add([]uint16{uint16(c)}); err != nil {
			t.Fatal(err)
		}
	}
	f.Check(pre+"loss.perplexity", []float32{float32(counter.PerplexityEps(f.Float("perplexity_eps")))})
}

// checkMargin compares how much nearer the nearest code is than the next.
func checkMargin(f *golden.File, vectors []float32, d, k int) {
	book, x := quant.Codebook{Size: k, Dim: d, Vectors: vectors}, f.F32("in.x")
	n := len(x) / d
	a, margin := make([]float32, n*k), make([]float32, n)
	book.Logits(a, x, nil)
	for i := range margin {
		row := a[i*k : (i+1)*k]
		slices.Sort(row)
		margin[i] = 2 * (row[k-1] - row[k-2])
	}
	f.Check("out.margin", margin)
}

// checkRows compares rows relative to their own norm: unused codes of the
// published EMA grow by orders of magnitude.
func checkRows(t *testing.T, f *golden.File, name string, got []float32) {
	t.Helper()
	want, d := f.F32(name), f.Shape(name)[1]
	if len(got) != len(want) {
		t.Fatalf("%s: %d elements, want %d", name, len(got), len(want))
	}
	for i := 0; i < len(want); i += d {
		var diff, norm float64
		for j := i; j < i+d; j++ {
			diff += math.Pow(float64(got[j])-float64(want[j]), 2)
			norm += math.Pow(float64(want[j]), 2)
		}
		if !(math.Sqrt(diff) <= 2e-5*math.Sqrt(norm)) {
			t.Errorf("%s: row %d is off by %g of its norm", name, i/d, math.Sqrt(diff/norm))
		}
	}
}
